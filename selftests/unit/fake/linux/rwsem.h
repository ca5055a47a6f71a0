/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: one thread, but two of a kind deadlock all the same. */
#ifndef FAKE_LINUX_RWSEM_H
#define FAKE_LINUX_RWSEM_H

#include <linux/bug.h>

struct rw_semaphore {
	bool held;
};

/* What others did while this thread waited for the semaphore. */
__attribute__((weak)) void (*fake_rwsem_hook)(struct rw_semaphore *sem);

static inline void down_write(struct rw_semaphore *sem)
{
	BUG_ON(sem->held);
	sem->held = true;
	if (fake_rwsem_hook)
		fake_rwsem_hook(sem);
}

static inline void up_write(struct rw_semaphore *sem)
{
	BUG_ON(!sem->held);
	sem->held = false;
}

#define down_read	down_write
#define up_read		up_write

#endif
