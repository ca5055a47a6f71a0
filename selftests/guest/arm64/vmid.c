// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of several VMs with the same addresses and ASIDs and different data: a translation that a TLB
 * kept of another VM shows that one's. Run many at once, with vmid_bits=2 in the module. CPU 1 of
 * each VM does the same on pages of its own, so that both pCPUs have each VMID.
 */
#include "guest.h"

#define PAGES		64
#define PAGE		4096
#define PASSES		400

static u8 area[2][PAGES][PAGE] __attribute__((aligned(PAGE)));
static volatile u64 wrong[2];
static bool done;

/* No two VMs start at the same tick of the host's counter, nor see it from the same offset. */
static u64 seed(void)
{
	u64 x = counter() * 0x9e3779b97f4a7c15ULL;

	return x ^ x >> 29;
}

static volatile u64 *word(unsigned int cpu, unsigned int page)
{
	return (volatile u64 *)area[cpu][page];
}

/* Write all pages, then look at all: meanwhile others have the pCPU, on and off. */
static void passes(unsigned int cpu, u64 mine)
{
	for (unsigned int pass = 0; pass < PASSES; pass++) {
		for (unsigned int i = 0; i < PAGES; i++)
			*word(cpu, i) = mine + pass * PAGES + i;
		if (pass % 8 == 0)
			delay_us(2000);
		for (unsigned int i = 0; i < PAGES; i++)
			wrong[cpu] += *word(cpu, i) != mine + pass * PAGES + i;
	}
}

static void second(void)
{
	passes(1, seed());
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
}

static void test_own_data(void)
{
	if (cpu_count() > 1)
		cpu_start_all(second);
	passes(0, seed());
	if (cpu_count() > 1)
		check(wait_for(__atomic_load_n(&done, __ATOMIC_ACQUIRE), 60 * SECOND));
	check_eq(wrong[0], 0);
	check_eq(wrong[1], 0);
}

const struct test tests[] = {
	TEST(own_data),
	{},
};
