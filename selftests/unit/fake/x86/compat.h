/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for kmod/compat.h. */
#ifndef FAKE_X86_COMPAT_H
#define FAKE_X86_COMPAT_H

#include <linux/hrtimer.h>

static inline void qvm_hrtimer_setup(struct hrtimer *timer,
				     enum hrtimer_restart (*fn)(struct hrtimer *),
				     enum hrtimer_mode mode)
{
	*timer = (struct hrtimer){ .function = fn, .mode = mode };
}

#endif
