/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: what is queued is done when a test says so. */
#ifndef FAKE_LINUX_WORKQUEUE_H
#define FAKE_LINUX_WORKQUEUE_H

#include <linux/types.h>

struct work_struct {
	void (*fn)(struct work_struct *work);
	bool is_queued;
};

#define system_highpri_wq		NULL
#define INIT_WORK(work, fn_)		(*(work) = (struct work_struct){ .fn = (fn_) })

static inline bool queue_work(void *queue, struct work_struct *work)
{
	bool was_queued = work->is_queued;

	work->is_queued = true;
	return !was_queued;
}

static inline bool cancel_work_sync(struct work_struct *work)
{
	bool was_queued = work->is_queued;

	work->is_queued = false;
	return was_queued;
}

static inline void fake_work(struct work_struct *work)
{
	if (cancel_work_sync(work))
		work->fn(work);
}

#endif
