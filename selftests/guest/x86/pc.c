// SPDX-License-Identifier: GPL-2.0-only
/* What a guest takes for granted that knows a PC and its loaders, and reads no ACPI tables. */
#include "guest.h"

static void test_stack(void)
{
	check(boot_stack > 0x4000 && boot_stack < 0xa0000 && !(boot_stack % 16));
}

/* Multiboot 3.3: two files, each at a page of its own and under its name. */
static void test_modules(void)
{
	static const char *const names[] = { "one", "two" };
	u32 list = read32(boot_info + 24);

	check(read32(boot_info) & BIT(3));
	if (!check_eq(read32(boot_info + 20), 2))
		return;
	for (unsigned int i = 0; i < 2; i++) {
		u32 begin = read32(list + 16 * i), end = read32(list + 16 * i + 4);

		check(!(begin % 4096));
		check_eq(end - begin, 3);
		check(same((const void *)(u64)begin, names[i], 3));
		check(same((const void *)(u64)read32(list + 16 * i + 8), names[i], 4));
	}
}

static void test_cmdline(void)
{
	check(same((const void *)(u64)read32(boot_info + 16), "pc.bin hello", 13));
	check(boot_cmdline_is("hello"));
}

const struct test tests[] = {
	TEST(stack),
	TEST(modules),
	TEST(cmdline),
	{},
};
