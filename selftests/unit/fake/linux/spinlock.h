/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for user space, one thread: a lock stops the test where it would deadlock or might:
 * taken twice, released by a stranger, or taken in the other order than once before. Locks
 * with the same text at their raw_spin_lock_init() are one class; two of one class only by
 * raw_spin_lock_nested().
 */
#ifndef FAKE_LINUX_SPINLOCK_H
#define FAKE_LINUX_SPINLOCK_H

#include <linux/bug.h>
#include <linux/irqflags.h>
#include <linux/lockdep.h>

#include <string.h>

#define FAKE_LOCK_DEPTH		8
#define FAKE_LOCK_PAIRS		64

typedef struct {
	const char *class;
	bool held;
} raw_spinlock_t;
typedef raw_spinlock_t spinlock_t;

struct fake_locks {
	unsigned int depth;
	raw_spinlock_t *held[FAKE_LOCK_DEPTH];
	unsigned int pairs;
	struct {
		const char *outer, *inner;
	} pair[FAKE_LOCK_PAIRS];
};

__attribute__((weak)) struct fake_locks fake_locks;

#define __RAW_SPIN_LOCK_UNLOCKED(name)	{ .class = #name }
#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name = __RAW_SPIN_LOCK_UNLOCKED(name)
#define SINGLE_DEPTH_NESTING		1
#define raw_spin_lock_init(lock)	(*(lock) = (raw_spinlock_t){ .class = #lock })

static inline void fake_lock_order(const char *outer, const char *inner)
{
	unsigned int i;

	for (i = 0; i < fake_locks.pairs; i++) {
		const char *o = fake_locks.pair[i].outer, *n = fake_locks.pair[i].inner;

		BUG_ON(!strcmp(o, inner) && !strcmp(n, outer));
		if (!strcmp(o, outer) && !strcmp(n, inner))
			return;
	}
	BUG_ON(fake_locks.pairs == FAKE_LOCK_PAIRS);
	fake_locks.pair[i].outer = outer;
	fake_locks.pair[i].inner = inner;
	fake_locks.pairs++;
}

static inline void raw_spin_lock_nested(raw_spinlock_t *lock, unsigned int subclass)
{
	unsigned int i;

	BUG_ON(!lock->class);		/* no raw_spin_lock_init() */
	BUG_ON(lock->held);
	for (i = 0; i < fake_locks.depth; i++) {
		if (strcmp(fake_locks.held[i]->class, lock->class))
			fake_lock_order(fake_locks.held[i]->class, lock->class);
		else
			BUG_ON(!subclass);
	}
	BUG_ON(fake_locks.depth == FAKE_LOCK_DEPTH);
	fake_locks.held[fake_locks.depth++] = lock;
	lock->held = true;
}

static inline void raw_spin_lock(raw_spinlock_t *lock)
{
	raw_spin_lock_nested(lock, 0);
}

static inline void raw_spin_unlock(raw_spinlock_t *lock)
{
	unsigned int i = 0;

	BUG_ON(!lock->held);
	while (fake_locks.held[i] != lock)
		i++;
	for (fake_locks.depth--; i < fake_locks.depth; i++)
		fake_locks.held[i] = fake_locks.held[i + 1];
	lock->held = false;
}

static inline void raw_spin_lock_irq(raw_spinlock_t *lock)
{
	BUG_ON(irqs_disabled());	/* the unlock would turn them on */
	local_irq_disable();
	raw_spin_lock(lock);
}

static inline void raw_spin_unlock_irq(raw_spinlock_t *lock)
{
	raw_spin_unlock(lock);
	local_irq_enable();
}

#define raw_spin_lock_irqsave(lock, flags) do {				\
	local_irq_save(flags);						\
	raw_spin_lock(lock);						\
} while (0)
#define raw_spin_unlock_irqrestore(lock, flags) do {			\
	raw_spin_unlock(lock);						\
	local_irq_restore(flags);					\
} while (0)

#endif
