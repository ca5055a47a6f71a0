/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: one thread; the compiler's order is the order. */
#ifndef FAKE_ASM_BARRIER_H
#define FAKE_ASM_BARRIER_H

#include <linux/compiler.h>

#define mb()			barrier()
#define rmb()			barrier()
#define wmb()			barrier()
#define smp_mb()		barrier()
#define smp_rmb()		barrier()
#define smp_wmb()		barrier()
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)

#endif
