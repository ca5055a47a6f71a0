/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: no work waits for a unit test's thread. */
#ifndef FAKE_LINUX_THREAD_INFO_H
#define FAKE_LINUX_THREAD_INFO_H

#define _TIF_SIGPENDING		(1UL << 0)
#define _TIF_NEED_RESCHED	(1UL << 1)
#define _TIF_NOTIFY_RESUME	(1UL << 2)
#define _TIF_NOTIFY_SIGNAL	(1UL << 3)

static inline unsigned long read_thread_flags(void)
{
	return 0;
}

#endif
