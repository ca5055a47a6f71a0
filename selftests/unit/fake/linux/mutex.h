/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: one thread, but two of a kind deadlock all the same. */
#ifndef FAKE_LINUX_MUTEX_H
#define FAKE_LINUX_MUTEX_H

#include <linux/bug.h>

struct mutex {
	bool held;
};

/* What others did while this thread waited for the mutex. */
__attribute__((weak)) void (*fake_mutex_hook)(struct mutex *mutex);

static inline void mutex_lock(struct mutex *mutex)
{
	BUG_ON(mutex->held);
	mutex->held = true;
	if (fake_mutex_hook)
		fake_mutex_hook(mutex);
}

static inline void mutex_unlock(struct mutex *mutex)
{
	BUG_ON(!mutex->held);
	mutex->held = false;
}

#endif
