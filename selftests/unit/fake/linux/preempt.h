/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: it has a size. */
#ifndef FAKE_LINUX_PREEMPT_H
#define FAKE_LINUX_PREEMPT_H

struct preempt_notifier {
	char unused;
};

#endif
