// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs: every index of three ranges is #GP or defined, read and written; what is defined behaves. The
 * host's log stays silent, which the caller looks at.
 */
#include "apic.h"

static unsigned int try_read(u32 index, u64 *value)
{
	u32 low = 0, high = 0;
	unsigned int vector = VECTOR_OF("rdmsr", "+a"(low), "+d"(high) : "c"(index) : "memory");

	*value = (u64)high << 32 | low;
	return vector;
}

static unsigned int try_write(u32 index, u64 value)
{
	return VECTOR_OF("wrmsr", : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static bool is_apic(u32 index)
{
	return index == MSR_APIC_BASE || index == MSR_TSC_DEADLINE || (index >= 0x800 && index < 0x900);
}

/* Reads without any fault: what is defined. Reads that fault: #GP, and so is a write. */
static void sweep(u32 first, u32 last, unsigned int *defined)
{
	*defined = 0;
	for (u32 index = first; index <= last; index++) {
		unsigned int vector;
		u64 value;

		vector = try_read(index, &value);
		if (vector == NONE) {
			++*defined;
			continue;
		}
		if (!check_eq(vector, GP))
			print("# read of MSR 0x%x\n", index);
		if (is_apic(index))
			continue;
		vector = try_write(index, 0);
		if (!check(vector == GP || vector == NONE))
			print("# write of MSR 0x%x\n", index);
	}
}

/* What is read is written back: no fault but #GP, and the same again. */
static void rewrite(u32 first, u32 last)
{
	for (u32 index = first; index <= last; index++) {
		unsigned int vector;
		u64 value, again;

		if (is_apic(index) || index == MSR_TSC || try_read(index, &value) != NONE)
			continue;
		vector = try_write(index, value);
		if (!check(vector == NONE || vector == GP))
			print("# write of MSR 0x%x\n", index);
		check_eq(try_read(index, &again), NONE);
		if (!check_eq(again, value))
			print("# MSR 0x%x\n", index);
	}
}

static void test_low(void)
{
	unsigned int defined;

	sweep(0, 0x1fff, &defined);
	check(defined > 30 && defined < 400);
}

static void test_high(void)
{
	unsigned int defined;

	sweep(0xc0000000, 0xc0001fff, &defined);
	check(defined >= 9 && defined < 40);
}

static void test_hypervisor(void)
{
	unsigned int defined;

	sweep(0x40000000, 0x400000ff, &defined);
	check_eq(defined, 0);
}

/* Outside both ranges of the bitmap: all exit. */
static void test_far(void)
{
	static const u32 indices[] = {
		0x2000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0002000, 0xffffffff, 0x10000, 0xc0010015,
	};
	u64 value;

	for (unsigned int i = 0; i < ARRAY_SIZE(indices); i++) {
		check_eq(try_read(indices[i], &value), GP);
		check_eq(try_write(indices[i], 0), GP);
	}
}

static void test_rewrite(void)
{
	rewrite(0, 0x7ff);
	rewrite(0xc0000000, 0xc0000200);
}

/* ---- addresses have to be canonical, and kept whole ---- */

static void test_canonical(void)
{
	static const u32 indices[] = {
		MSR_LSTAR, MSR_CSTAR, MSR_FS_BASE, MSR_KERNEL_GS, 0x175, 0x176,
	};
	static const u64 good[] = {
		0, 1, 0x7fffffffffff, 0xffff800000000000, 0xffffffffffffffff, 0x123456789abc,
	};
	static const u64 bad[] = {
		0x800000000000, 0xffff7fffffffffff, 0x8000000000000000, 0x1000000000000,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(indices); i++) {
		u64 before = rdmsr(indices[i]);

		for (unsigned int k = 0; k < ARRAY_SIZE(good); k++) {
			check_eq(try_write(indices[i], good[k]), NONE);
			check_eq(rdmsr(indices[i]), good[k]);
		}
		for (unsigned int k = 0; k < ARRAY_SIZE(bad); k++) {
			if (!check_eq(try_write(indices[i], bad[k]), GP))
				print("# MSR 0x%x, 0x%lx\n", indices[i], bad[k]);
		}
		check_eq(rdmsr(indices[i]), 0x123456789abc);
		wrmsr(indices[i], before);
	}
}

static void test_efer(void)
{
	u64 efer = rdmsr(MSR_EFER);

	check_eq(efer & (BIT(8) | BIT(10)), BIT(8) | BIT(10));
	check_eq(try_write(MSR_EFER, efer & ~BIT(8)), GP);	/* LME while paging */
	check_eq(try_write(MSR_EFER, efer | BIT(1)), GP);
	check_eq(try_write(MSR_EFER, efer | BIT(63)), GP);
	check_eq(try_write(MSR_EFER, efer & ~BIT(10)), NONE);	/* LMA is the CPU's */
	check_eq(rdmsr(MSR_EFER), efer);
	check_eq(try_write(MSR_EFER, efer & ~BIT(0)), NONE);
	check_eq(rdmsr(MSR_EFER), efer & ~BIT(0));
	check_eq(VECTOR_OF("syscall", : : "rcx", "r11", "memory"), UD);
	wrmsr(MSR_EFER, efer);
}

/* NX follows EFER.NXE: without it bit 63 of an entry is reserved. */
static void test_nxe(void)
{
	u64 va = WINDOW + 0x10000, efer = rdmsr(MSR_EFER);
	struct fault fault;

	*page_entry(va) = (u64)page_alloc() | PTE_P | PTE_W | PTE_NX;
	page_flush(va);
	check_eq(VECTOR_OF("movl (%0), %%eax", : "r"(va) : "eax", "memory"), NONE);
	fault = FAULT_OF("jmp *%0", : "r"(va) : "memory");
	check_eq(fault.vector, PF);
	check_eq(fault.error, 0x11);
	check_eq(fault.cr2, va);
	wrmsr(MSR_EFER, efer & ~BIT(11));
	fault = FAULT_OF("movl (%0), %%eax", : "r"(va) : "eax", "memory");
	check_eq(fault.vector, PF);
	check_eq(fault.error, 0x9);
	wrmsr(MSR_EFER, efer);
	check_eq(VECTOR_OF("movl (%0), %%eax", : "r"(va) : "eax", "memory"), NONE);
	*page_entry(va) = 0;
	page_flush(va);
}

static void test_pat(void)
{
	u64 pat = rdmsr(0x277);

	check_eq(pat, 0x0007040600070406);
	check_eq(try_write(0x277, 0x0007040600070402), GP);
	check_eq(try_write(0x277, 0x0000000000000003), GP);
	check_eq(try_write(0x277, 0x0800000000000000), GP);
	check_eq(try_write(0x277, 0x0007010500070406), NONE);
	check_eq(rdmsr(0x277), 0x0007010500070406);
	wrmsr(0x277, pat);
}

static void test_mtrr(void)
{
	static const u32 fixed[] = {
		0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
	};
	u64 cap = rdmsr(0xfe), type = rdmsr(0x2ff);

	/* as firmware leaves them: on, all of memory write-back */
	check_eq(type, BIT(11) | BIT(10) | 6);
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++)
		check_eq(rdmsr(fixed[i]), 0x0606060606060606);
	for (u32 index = 0x201; index < 0x210; index += 2)
		check_eq(rdmsr(index) & BIT(11), 0);
	check_eq(cap & 0xff, 8);
	check_eq(try_write(0xfe, cap), GP);
	check_eq(try_write(0x2ff, 0x100), GP);
	check_eq(try_write(0x2ff, BIT(11)), NONE);
	check_eq(rdmsr(0x2ff), BIT(11));
	wrmsr(0x2ff, type);
	wrmsr(0x200, 0x12345006);
	check_eq(rdmsr(0x200), 0x12345006);
	check_eq(try_write(0x210, 0), GP);
	check_eq(try_write(0x2ff, 2), GP);			/* types 2 and 3 are reserved */
	check_eq(try_write(0x200, 7), GP);
	check_eq(try_write(0x250, 0x0606060606060602), GP);
	wrmsr(0x200, 0);
}

static void test_apic_base(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	check_eq(base, LAPIC | APIC_BASE_BSP | APIC_BASE_ON);
	check_eq(try_write(MSR_APIC_BASE, base | BIT(9)), GP);
	check_eq(try_write(MSR_APIC_BASE, base | BIT(63)), GP);
	check_eq(try_write(MSR_APIC_BASE, (base & ~APIC_BASE_ON) | APIC_BASE_X2), GP);
	check_eq(rdmsr(MSR_APIC_BASE), base);
}

static void test_feature_control(void)
{
	u64 value;

	/* locked, with VMX off */
	check_eq(try_read(0x3a, &value), NONE);
	check_eq(value, 1);
	check_eq(try_write(0x3a, 5), GP);
	check_eq(try_read(0x480, &value), GP);			/* IA32_VMX_BASIC */
	check_eq(try_read(0x48, &value), GP);			/* SPEC_CTRL is not offered */
	check_eq(try_write(0x49, 1), GP);
}

static void test_tsc_aux(void)
{
	u32 aux = 0;

	if (!(cpuid(0x80000001, 0).edx & BIT(27))) {
		test_skip("no RDTSCP");
		return;
	}
	check_eq(try_write(MSR_TSC_AUX, 0x12345678), NONE);
	check_eq(rdmsr(MSR_TSC_AUX), 0x12345678);
	check_eq(VECTOR_OF("rdtscp", "=c"(aux) : : "eax", "edx", "memory"), NONE);
	check_eq(aux, 0x12345678);
	check_eq(try_write(MSR_TSC_AUX, BIT(32)), GP);
}

static void test_star_is_kept(void)
{
	check_eq(try_write(MSR_STAR, ~0ULL), NONE);
	check_eq(rdmsr(MSR_STAR), ~0ULL);
	check_eq(try_write(MSR_SFMASK, 0xffffffff), NONE);
	check_eq(rdmsr(MSR_SFMASK), 0xffffffff);
	wrmsr(MSR_STAR, 0);
	wrmsr(MSR_SFMASK, 0);
}

const struct test tests[] = {
	TEST(apic_base),
	TEST(pat),
	TEST(low),
	TEST(high),
	TEST(hypervisor),
	TEST(far),
	TEST(rewrite),
	TEST(canonical),
	TEST(efer),
	TEST(nxe),
	TEST(mtrr),
	TEST(feature_control),
	TEST(tsc_aux),
	TEST(star_is_kept),
	{},
};
