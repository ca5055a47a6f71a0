// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of several VMs with the same addresses and ASIDs and different data: a translation that a TLB
 * kept of another VM shows that one's. Run many at once, with vmid_bits=2 in the module. Each CPU has
 * pages of its own; with two, both pCPUs have each VMID.
 */
#include "guest.h"

#define CPUS		8
#define PAGES		64
#define PAGE		4096
#define PASSES		400

static u8 area[CPUS][PAGES][PAGE] __attribute__((aligned(PAGE)));
static volatile u64 wrong[CPUS];

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

static void others(void)
{
	if (cpu_index() < CPUS)
		passes(cpu_index(), seed());
}

static void test_own_data(void)
{
	cpu_start_all(others);
	passes(0, seed());
	for (unsigned int cpu = 0; cpu < cpu_count() && cpu < CPUS; cpu++) {
		check(!cpu || cpu_wait_off(cpu));
		check_eq(wrong[cpu], 0);
	}
}

const struct test tests[] = {
	TEST(own_data),
	{},
};
