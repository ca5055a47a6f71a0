// SPDX-License-Identifier: GPL-2.0-only
/* How a machine ends: the command line says by what. The caller looks at qvm's exit status. */
#include "apic.h"

static void end_by_triple_fault(u32 value)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	(void)value;
	asm volatile("lidt %0\n ud2" : : "m"(none) : "memory");
}

/* By faults that are ours to inject: #GP with no gate, #DF with none. */
static void end_by_injected_triple_fault(u32 value)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	(void)value;
	asm volatile("lidt %0\n rdmsr" : : "m"(none), "c"(0x1fff) : "eax", "edx", "memory");
}

/* On another CPU. */
static void fault_there(void)
{
	end_by_triple_fault(0);
}

static void end_by_other_cpu(u32 value)
{
	(void)value;
	cpu_start(1, fault_there);
	for (;;)
		asm volatile("sti; hlt");
}

static void end_by_debug_exit(u32 value)
{
	out32(0xf4, value);
}

static void end_by_reset_register(u32 value)
{
	out8(0x600 + 12, value);		/* as the FADT has it */
}

static void end_by_chipset(u32 value)
{
	check_eq(in8(PORT_92), 2);
	out8(RESET_PORT, 2);
	check_eq(in8(RESET_PORT), 2);
	out32(RESET_PORT - 1, 0x80000600);		/* PCI's address register, which is not here */
	check_eq(in8(RESET_PORT), 2);
	out8(value == 1 ? PORT_92 : RESET_PORT, value);
}

static void end_by_keyboard(u32 value)
{
	out8(0x64, value);
}

static void end_by_bad_memory(u32 value)
{
	(void)value;
	asm volatile("call *%0" : : "r"(NOBODY) : "memory");
}

/* A page table where nobody is, and a stack of events there. */
static void end_by_bad_tables(u32 value)
{
	u64 va = WINDOW + 0x40000000;

	(void)value;
	page_entry(va);
	*((u64 *)(read_cr3() & ~0xfffULL) + (va >> 39 & 511)) = NOBODY | PTE_P | PTE_W;
	write_cr3(read_cr3());
	read32(va);
}

static void end_by_bad_stack(u32 value)
{
	(void)value;
	asm volatile("mov %0, %%rsp\n int $0x80" : : "r"(NOBODY + 0x800) : "memory");
}

/* Listens to the power button, and switches off when that is pressed. */
static void end_by_button(u32 value)
{
	(void)value;
	out16(PM1_STATUS + 2, BIT(8));			/* PWRBTN_EN */
	print("# press\n");
	check(wait_for(in16(PM1_STATUS) & BIT(8), 60 * SECOND));
	out16(PM1_STATUS, BIT(8));
	check(!(in16(PM1_STATUS) & BIT(8)));
	power_off();
}

/* A fault whose handler mends nothing: the same exit again and again. */
static void mend_nothing(struct frame *frame)
{
	(void)frame;
}

static void end_by_standing_still(u32 value)
{
	(void)value;
	handlers[GP] = mend_nothing;
	asm volatile("rdmsr" : : "c"(0x1fff) : "eax", "edx", "memory");
}

static const struct {
	const char *word;
	void (*fn)(u32 value);
	u32 value;
} ways[] = {
	{ "triple", end_by_triple_fault, 0 },
	{ "injected", end_by_injected_triple_fault, 0 },
	{ "other", end_by_other_cpu, 0 },
	{ "exit0", end_by_debug_exit, 0 },
	{ "exit5", end_by_debug_exit, 5 },
	{ "exit200", end_by_debug_exit, 200 },
	{ "reset", end_by_reset_register, 6 },
	{ "cf9", end_by_chipset, 6 },
	{ "port92", end_by_chipset, 1 },
	{ "keyboard", end_by_keyboard, 0xfe },
	{ "fetch", end_by_bad_memory, 0 },
	{ "walk", end_by_bad_tables, 0 },
	{ "stack", end_by_bad_stack, 0 },
	{ "stuck", end_by_standing_still, 0 },
	{ "button", end_by_button, 0 },
};

static void test_it_ends(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		if (boot_cmdline_is(ways[i].word))
			ways[i].fn(ways[i].value);
	}
	delay_us(SECOND);
	check(!"it goes on");
}

const struct test tests[] = {
	TEST(it_ends),
	{},
};
