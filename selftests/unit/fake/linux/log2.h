/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_LINUX_LOG2_H
#define FAKE_LINUX_LOG2_H

#include <linux/bitops.h>

#define ilog2(x)			(fls64(x) - 1)
#define rounddown_pow_of_two(x)		(1UL << ilog2(x))

#endif
