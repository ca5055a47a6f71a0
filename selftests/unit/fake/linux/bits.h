/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_LINUX_BITS_H
#define FAKE_LINUX_BITS_H

#include <linux/types.h>

#define BITS_PER_BYTE		8
#define BITS_PER_LONG		64
#define BITS_PER_LONG_LONG	64
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define BIT_MASK(n)		(1UL << ((n) % BITS_PER_LONG))
#define BIT_WORD(n)		((n) / BITS_PER_LONG)
#define GENMASK_ULL(high, low)	((~0ULL >> (63 - (high))) & (~0ULL << (low)))
#define GENMASK(high, low)	((~0UL >> (63 - (high))) & (~0UL << (low)))

#endif
