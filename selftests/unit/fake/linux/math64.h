/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a quotient of more than 64 bits stops the test, as x86's faults. */
#ifndef FAKE_LINUX_MATH64_H
#define FAKE_LINUX_MATH64_H

#include <linux/bug.h>
#include <linux/types.h>

static inline u64 mul_u64_u32_div(u64 a, u32 mul, u32 divisor)
{
	unsigned __int128 quotient = (unsigned __int128)a * mul / divisor;

	BUG_ON(quotient >> 64);
	return quotient;
}

#endif
