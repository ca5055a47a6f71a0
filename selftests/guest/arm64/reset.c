// SPDX-License-Identifier: GPL-2.0-only
/* SYSTEM_RESET ends the VM in order, from any CPU: nothing of the guest runs after it. */
#include "psci.h"

static void reset(void)
{
	print("ok 1 reset\n");
	psci_hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
	print("not ok 2 it came back\n");
}

/* The last CPU does it, the others spin; main() has no chance to print a result. */
static void test_reset(void)
{
	cpu_start(cpu_count() - 1, reset);
	for (;;)
		;
}

const struct test tests[] = {
	TEST(reset),
	{},
};
