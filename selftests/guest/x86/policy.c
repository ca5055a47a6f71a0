// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest gets that asks for what is not there, by the policy that the command line says: "fail",
 * "ignore"; or the one thing that it asks for where it should not live to see the answer.
 */
#include "apic.h"

#define ROM		0x50000000ULL
#define NO_MSR		0x1fff

static bool is_wanted(const char *word)
{
	return boot_cmdline_is(word) || boot_cmdline_is("fail") || boot_cmdline_is("ignore");
}

/* The vector that the policy wants. */
static unsigned int want(unsigned int vector)
{
	check(boot_cmdline_is("fail") || boot_cmdline_is("ignore"));
	return boot_cmdline_is("fail") ? vector : NONE;
}

static void test_register(void)
{
	u32 low = 5, high = 6;
	unsigned int vector;

	if (!is_wanted("register"))
		return;
	vector = VECTOR_OF("rdmsr", "+a"(low), "+d"(high) : "c"(NO_MSR) : "memory");
	check_eq(vector, want(GP));
	check_eq(low, vector == NONE ? 0xffffffff : 5);
	check_eq(high, vector == NONE ? 0xffffffff : 6);
	check_eq(VECTOR_OF("wrmsr", : "c"(NO_MSR), "a"(0), "d"(0) : "memory"), want(GP));
}

static void test_instruction(void)
{
	if (is_wanted("instruction"))
		check_eq(VECTOR_OF("monitor", : "a"(cpus), "c"(0), "d"(0) : "memory"), want(UD));
}

static void test_reference(void)
{
	u32 value = 5;
	unsigned int vector;

	if (!is_wanted("reference"))
		return;
	vector = VECTOR_OF("movl (%1), %0", "+r"(value) : "r"(NOBODY) : "memory");
	check_eq(vector, want(GP));
	check_eq(value, vector == NONE ? 0xffffffff : 5);
	check_eq(VECTOR_OF("movl %0, (%1)", : "r"(value), "r"(NOBODY) : "memory"), want(GP));
	/* a port always reads as ones: PCs look for hardware that way */
	check_eq(in32(NOBODY_PORT), 0xffffffff);
}

/* It reads as RAM, a write is nobody's, and the memory stays as it was. */
static void test_rom(void)
{
	u32 before = read32(ROM);

	if (!is_wanted("rom"))
		return;
	check_eq(VECTOR_OF("movl %0, (%1)", : "r"(before + 1), "r"(ROM) : "memory"), want(GP));
	check_eq(read32(ROM), before);
}

const struct test tests[] = {
	TEST(register),
	TEST(instruction),
	TEST(reference),
	TEST(rom),
	{},
};
