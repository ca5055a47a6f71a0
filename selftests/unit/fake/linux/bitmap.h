/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_BITMAP_H
#define FAKE_LINUX_BITMAP_H

#include <linux/bitops.h>

#include <string.h>

static inline void bitmap_zero(unsigned long *map, unsigned int bits)
{
	memset(map, 0, BITS_TO_LONGS(bits) * sizeof(*map));
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
					       unsigned long n)
{
	while (n < size && test_bit(n, map))
		n++;
	return n < size ? n : size;
}

#endif
