/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mutex that costs a few instructions while nobody else wants it: what the registers of a device that
 * guests poll are behind. Zero: free. No recursion. After Drepper, "Futexes Are Tricky", mutex 2.
 */
#ifndef QVM_UTIL_LOCK_H
#define QVM_UTIL_LOCK_H

#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCK_HELD	1U
#define LOCK_WAITED_FOR	2U	/* held, and somebody may sleep */

struct lock {
	uint32_t state;
};

static inline __attribute__((cold)) void lock_wait(struct lock *lock)
{
	while (__atomic_exchange_n(&lock->state, LOCK_WAITED_FOR, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, LOCK_WAITED_FOR, NULL, NULL, 0);
}

static inline __attribute__((cold)) void lock_wake(struct lock *lock)
{
	syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline void lock_take(struct lock *lock)
{
	uint32_t free = 0;

	if (!__atomic_compare_exchange_n(&lock->state, &free, LOCK_HELD, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		lock_wait(lock);
}

static inline void lock_give(struct lock *lock)
{
	if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) == LOCK_WAITED_FOR)
		lock_wake(lock);
}

#endif
