/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: one thread, so nothing is atomic. */
#ifndef FAKE_LINUX_BITOPS_H
#define FAKE_LINUX_BITOPS_H

#include <linux/bits.h>

#define BITS_TO_LONGS(count)	(((count) + BITS_PER_LONG - 1) / BITS_PER_LONG)

/* 1-based, 0 for none */
static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline unsigned long __ffs(unsigned long x)
{
	return __builtin_ctzl(x);
}

static inline unsigned long __fls(unsigned long x)
{
	return 63 - __builtin_clzl(x);
}

static inline s64 sign_extend64(u64 value, int sign_bit)
{
	unsigned int shift = 63 - sign_bit;

	return (s64)(value << shift) >> shift;
}

static inline unsigned int hweight32(u32 x)
{
	return __builtin_popcount(x);
}

static inline unsigned int hweight64(u64 x)
{
	return __builtin_popcountll(x);
}

static inline bool test_bit(unsigned long n, const volatile unsigned long *map)
{
	return map[BIT_WORD(n)] & BIT_MASK(n);
}

static inline void set_bit(unsigned long n, volatile unsigned long *map)
{
	map[BIT_WORD(n)] |= BIT_MASK(n);
}

static inline void clear_bit(unsigned long n, volatile unsigned long *map)
{
	map[BIT_WORD(n)] &= ~BIT_MASK(n);
}

static inline bool test_and_set_bit(unsigned long n, volatile unsigned long *map)
{
	bool was = test_bit(n, map);

	set_bit(n, map);
	return was;
}

static inline bool test_and_clear_bit(unsigned long n, volatile unsigned long *map)
{
	bool was = test_bit(n, map);

	clear_bit(n, map);
	return was;
}

#define __set_bit(n, map)	set_bit(n, map)
#define __clear_bit(n, map)	clear_bit(n, map)

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long n)
{
	for (; n < size; n++) {
		if (test_bit(n, map))
			return n;
	}
	return size;
}

#define find_first_bit(map, size) find_next_bit(map, size, 0)

static inline unsigned long find_last_bit(const unsigned long *map, unsigned long size)
{
	unsigned long n = size;

	while (n--)
		if (test_bit(n, map))
			return n;
	return size;
}

#define for_each_set_bit(n, map, size)					\
	for ((n) = find_first_bit(map, size); (n) < (size);		\
	     (n) = find_next_bit(map, size, (n) + 1))

#define DECLARE_BITMAP(name, bits)	unsigned long name[((bits) + 63) / 64]

#endif
