/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest sees of posted writes: nothing but their order. The device is `test-bell`, at POSTED - 4. */
#ifndef COMMON_POST_H
#define COMMON_POST_H

#define POSTED		(0x1d000000ul + 4)	/* a read gives a digest of all writes */
#define ROUNDS		200

static u32 digest;

/* As the device does. */
static void post(unsigned int len, u32 value)
{
	digest = digest * 31 + value + len;
	if (len == 1)
		write8(POSTED, value);
	else if (len == 2)
		write16(POSTED, value);
	else
		write32(POSTED, value);
}

/* More than a ring has, and fewer. */
static void test_order(void)
{
	static const unsigned int counts[] = { 1, 2, 63, 64, 65, 200, 1000 };

	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (unsigned int j = 0; j < counts[i]; j++)
			post(4, j * 0x01010101);
		check_eq(read32(POSTED), digest);
	}
}

static void test_widths(void)
{
	post(1, 0xfe);
	post(2, 0xfedc);
	post(4, 0xfedcba98);
	check_eq(read32(POSTED), digest);
}

/* One CPU posts, tells another one in memory, and that one looks at the device. */
static u32 turn, misses;

static void look(void)
{
	for (u32 round = 1; round <= ROUNDS; round++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * round - 1)
			;
		misses += read32(POSTED) != digest;
		__atomic_store_n(&turn, 2 * round, __ATOMIC_RELEASE);
	}
}

static void test_other_cpu(void)
{
	cpu_start_all(look);
	for (u32 round = 1; round <= ROUNDS; round++) {
		for (u32 i = 0; i < 1 + round % 70; i++)
			post(4, round + i);
		__atomic_store_n(&turn, 2 * round - 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * round)
			;
	}
	check(cpu_wait_others());
	check_eq(misses, 0);
}

#endif
