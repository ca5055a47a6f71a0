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

static inline int atomic_fetch_or(int bits, atomic_t *v)
{
	int was = v->counter;

	v->counter |= bits;
	return was;
}

static inline int atomic_fetch_andnot(int bits, atomic_t *v)
{
	int was = v->counter;

	v->counter &= ~bits;
	return was;
}

#define atomic_or(bits, v)		((void)atomic_fetch_or(bits, v))
#define atomic_andnot(bits, v)		((void)atomic_fetch_andnot(bits, v))
#define atomic_and(bits, v)		((void)((v)->counter &= (int)(bits)))

typedef struct {
	long counter;
} atomic_long_t;

#define atomic_long_read(v)		READ_ONCE((v)->counter)
static inline long atomic_long_fetch_or(long bits, atomic_long_t *v)
{
	long was = v->counter;

	v->counter |= bits;
	return was;
}

#define atomic_long_or(bits, v)		((void)atomic_long_fetch_or(bits, v))
#define atomic_long_andnot(bits, v)	((void)((v)->counter &= ~(long)(bits)))

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

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic64_read(v)		READ_ONCE((v)->counter)
#define atomic64_inc(v)			((void)(v)->counter++)
#define atomic64_or(bits, v)		((void)((v)->counter |= (s64)(bits)))
#define atomic64_xchg(v, new) ({		\
	s64 atomic64_old = (v)->counter;	\
						\
	(v)->counter = (new);			\
	atomic64_old;				\
})

#define cmpxchg(ptr, old, new)		__sync_val_compare_and_swap(ptr, old, new)
#define cmpxchg64(ptr, old, new)	cmpxchg(ptr, old, new)

#endif
