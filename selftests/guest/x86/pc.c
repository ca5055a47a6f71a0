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

static u32 cmos(u8 index, unsigned int size)
{
	u32 value = 0;

	for (unsigned int i = 0; i < size; i++) {
		out8(0x70, (u8)(index + i));
		value |= (u32)in8(0x71) << 8 * i;
	}
	return value;
}

/* Of 64M, and two CPUs. */
static void test_cmos(void)
{
	check_eq(cmos(0x15, 2), 640);
	check_eq(cmos(0x17, 2), 63 * 1024);
	check_eq(cmos(0x30, 2), 63 * 1024);
	check_eq(cmos(0x34, 2), 48 * 16);
	check_eq(cmos(0x5b, 3), 0);
	check_eq(cmos(0x5f, 1), 1);
	out16(0x70, 0xa540);				/* an index and a value */
	check_eq(cmos(0x40, 1), 0xa5);
}

static u8 sum(u64 at, u32 size)
{
	u8 all = 0;

	while (size--)
		all += read8(at++);
	return all;
}

/* MultiProcessor Specification 1.4, found as a guest finds it; two CPUs. */
static void test_mptable(void)
{
	u64 at = 0xf0000;
	u32 table;

	while (at < 0x100000 && (!same((const void *)at, "_MP_", 4) || sum(at, 16)))
		at += 16;
	if (!check(at < 0x100000))
		return;
	table = read32(at + 4);
	check(same((const void *)(u64)table, "PCMP", 4));
	check(!sum(table, read16(table + 4)));
	check_eq(read32(table + 36), LAPIC);
	check_eq(read32(table + 44), 0x03140000);
	check_eq(read32(table + 64), 0x01140100);
	check_eq(read32(table + 92 + 4), IOAPIC);
}

/* Kernels wait here with no end. */
static void test_keyboard(void)
{
	check(wait_for(!(in8(0x64) & 2), SECOND));
	out8(0x60, 0xff);
	check(wait_for(in8(0x64) & 1, SECOND));
	check_eq(in8(0x60), 0xfa);
	check_eq(in8(0x60), 0xaa);
	check(!(in8(0x64) & 1));
}

const struct test tests[] = {
	TEST(stack),
	TEST(modules),
	TEST(cmdline),
	TEST(cmos),
	TEST(mptable),
	TEST(keyboard),
	{},
};
