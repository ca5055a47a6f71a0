/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space, one thread: plain integers behind the kernel's names. */
#ifndef FAKE_LINUX_ATOMIC_H
#define FAKE_LINUX_ATOMIC_H

#include <linux/types.h>
#include <asm/barrier.h>

typedef struct {
	int counter;
} atomic_t;

#define ATOMIC_INIT(i)			{ (i) }
#define atomic_read(v)			READ_ONCE((v)->counter)
#define atomic_set(v, i)		WRITE_ONCE((v)->counter, i)
#define atomic_read_acquire(v)		atomic_read(v)
#define atomic_set_release(v, i)	atomic_set(v, i)
#define atomic_inc(v)			((void)(v)->counter++)
#define atomic_dec(v)			((void)(v)->counter--)
#define atomic_add(i, v)		((void)((v)->counter += (i)))
#define atomic_inc_return(v)		(++(v)->counter)
#define atomic_dec_return(v)		(--(v)->counter)
#define atomic_dec_and_test(v)		(--(v)->counter == 0)

static inline int atomic_xchg(atomic_t *v, int new)
{
	int old = v->counter;

	v->counter = new;
	return old;
}

static inline int atomic_cmpxchg(atomic_t *v, int old, int new)
{
	int was = v->counter;

	if (was == old)
		v->counter = new;
	return was;
}

#endif
