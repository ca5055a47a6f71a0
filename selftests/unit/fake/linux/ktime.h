/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a clock that the test sets. */
#ifndef FAKE_LINUX_KTIME_H
#define FAKE_LINUX_KTIME_H

#include <linux/types.h>

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC		1000000000L
#endif

typedef s64 ktime_t;

__attribute__((weak)) u64 fake_now;	/* ns */

#define ktime_get()		((ktime_t)fake_now)
#define ktime_to_ns(t)		(t)
#define ns_to_ktime(ns)		((ktime_t)(ns))

#endif
