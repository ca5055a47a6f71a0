/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: nobody kills a unit test; one that needs threads has its own. */
#ifndef FAKE_LINUX_SCHED_SIGNAL_H
#define FAKE_LINUX_SCHED_SIGNAL_H

#include <linux/sched.h>

#define fatal_signal_pending(task)	false

#endif
