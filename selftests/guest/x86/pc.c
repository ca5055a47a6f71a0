// SPDX-License-Identifier: GPL-2.0-only
/* What a guest takes for granted that knows a PC and its loaders, and reads no ACPI tables. */
#include "guest.h"

static void test_stack(void)
{
	check(boot_stack > 0x4000 && boot_stack < 0xa0000 && !(boot_stack % 16));
}

const struct test tests[] = {
	TEST(stack),
	{},
};
