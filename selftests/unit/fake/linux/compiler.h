/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for user space. WRITE_ONCE() of 64 bits tells fake_write_hook, so that a test sees
 * each state that a table in memory goes through.
 */
#ifndef FAKE_LINUX_COMPILER_H
#define FAKE_LINUX_COMPILER_H

#include <linux/types.h>

/* kernel code is not written for these */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"

#define __user
#define __iomem
#define __percpu
#define __rcu
#define __force
#define __bitwise
#define __must_check		__attribute__((warn_unused_result))
#define __maybe_unused		__attribute__((unused))
#define __always_unused		__attribute__((unused))
#ifndef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#endif
#define noinline		__attribute__((noinline))
#define noinstr			noinline
#define fallthrough		__attribute__((fallthrough))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ __volatile__("" : : : "memory")

/* After the write of a 64-bit object at @addr. */
__attribute__((weak)) void (*fake_write_hook)(volatile void *addr, u64 old, u64 new);

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val) do {						\
	volatile typeof(x) *wo_addr = &(x);				\
	typeof(x) wo_old = *wo_addr;					\
	typeof(x) wo_new = (val);					\
	*wo_addr = wo_new;						\
	if (sizeof(x) == sizeof(u64) && fake_write_hook)		\
		fake_write_hook(wo_addr, (u64)wo_old, (u64)wo_new);	\
} while (0)

#endif
