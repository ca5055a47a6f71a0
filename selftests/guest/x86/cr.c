// SPDX-License-Identifier: GPL-2.0-only
/* CR0, CR3, CR4, CR8, DR6, DR7: every bit is there or #GP; LMSW, CLTS, SMSW; CPUID. */
#include "apic.h"

static unsigned int try_cr0(u64 value)
{
	return VECTOR_OF("mov %0, %%cr0", : "r"(value) : "memory");
}

static unsigned int try_cr3(u64 value)
{
	return VECTOR_OF("mov %0, %%cr3", : "r"(value) : "memory");
}

static unsigned int try_cr4(u64 value)
{
	return VECTOR_OF("mov %0, %%cr4", : "r"(value) : "memory");
}

static unsigned int try_cr8(u64 value)
{
	return VECTOR_OF("mov %0, %%cr8", : "r"(value) : "memory");
}

static void test_cr0(void)
{
	u64 cr0 = read_cr0();

	check_eq(cr0 & (CR0_PG | CR0_PE | CR0_ET), CR0_PG | CR0_PE | CR0_ET);
	check_eq(try_cr0(cr0 & ~CR0_PE), GP);			/* paging without protection */
	check_eq(try_cr0(cr0 & ~CR0_PG), GP);			/* in 64-bit code */
	check_eq(read_cr0(), cr0);
	check_eq(rdmsr(MSR_EFER) & BIT(10), BIT(10));
	check_eq(try_cr0(cr0 | CR0_NW), GP);			/* NW without CD */
	check_eq(try_cr0(cr0 | BIT(32)), GP);
	check_eq(try_cr0(cr0 | BIT(63)), GP);
	check_eq(read_cr0(), cr0);
	check_eq(try_cr0(cr0 & ~CR0_ET), NONE);			/* it can't be cleared */
	check_eq(read_cr0(), cr0);
	for (unsigned int bit = 0; bit < 32; bit++) {
		/* reserved ones read as zero */
		bool is_there = (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM |
				 CR0_NW | CR0_CD | CR0_PG) & BIT(bit);

		if (bit == 0 || bit == 29 || bit == 31)
			continue;
		check_eq(try_cr0(cr0 | BIT(bit)), NONE);
		check_eq(read_cr0(), is_there ? cr0 | BIT(bit) : cr0);
		check_eq(try_cr0(cr0 & ~BIT(bit)), NONE);
		check_eq(read_cr0(), bit == 4 ? cr0 : cr0 & ~BIT(bit));
	}
	check_eq(try_cr0(cr0 | CR0_CD | CR0_NW), NONE);
	check_eq(read_cr0(), cr0 | CR0_CD | CR0_NW);
	write_cr0(cr0);
}

static void test_cr0_wp(void)
{
	u64 va = WINDOW + 0x20000, cr0 = read_cr0();
	struct fault fault;

	*page_entry(va) = (u64)page_alloc() | PTE_P;
	page_flush(va);
	for (unsigned int round = 0; round < 2; round++) {
		write_cr0(cr0 | CR0_WP);
		fault = FAULT_OF("movl $1, (%0)", : "r"(va) : "memory");
		check_eq(fault.vector, PF);
		check_eq(fault.error, 3);
		check_eq(fault.cr2, va);
		write_cr0(cr0 & ~CR0_WP);
		check_eq(VECTOR_OF("movl $1, (%0)", : "r"(va) : "memory"), NONE);
	}
	write_cr0(cr0);
	*page_entry(va) = 0;
	page_flush(va);
}

static void test_lmsw(void)
{
	u64 cr0 = read_cr0();
	u16 word = 0;

	asm volatile("lmsw %w0" : : "r"(cr0 | CR0_TS) : "memory");
	check_eq(read_cr0(), cr0 | CR0_TS);
	asm volatile("clts" : : : "memory");
	check_eq(read_cr0(), cr0 & ~CR0_TS);
	asm volatile("lmsw %w0" : : "r"(0) : "memory");		/* PE stays */
	check_eq(read_cr0(), cr0 & ~(CR0_TS | CR0_EM | CR0_MP));
	word = cr0;
	asm volatile("lmsw %0" : : "m"(word) : "memory");
	check_eq(read_cr0(), cr0);
	asm volatile("smsw %w0" : "=r"(word));
	check_eq(word, (u16)cr0);
	write_cr0(cr0);
}

static void test_cr3(void)
{
	u64 cr3 = read_cr3();

	check_eq(try_cr3(cr3 | BIT(63)), GP);			/* without PCIDs */
	check_eq(try_cr3(cr3 | BIT(52)), GP);
	check_eq(read_cr3(), cr3);
	check_eq(try_cr3(cr3 | PTE_PWT | PTE_PCD), NONE);
	check_eq(read_cr3(), cr3 | PTE_PWT | PTE_PCD);
	write_cr3(cr3);
}

/* By the features that CPUID tells: bit of CR4, leaf, register, bit. */
static const struct { u8 bit, leaf, reg, feature; } cr4_features[] = {
	{ 0, 1, 3, 1 }, { 1, 1, 3, 1 }, { 2, 1, 3, 4 }, { 3, 1, 3, 2 }, { 4, 1, 3, 3 },
	{ 5, 1, 3, 6 }, { 6, 1, 3, 7 }, { 7, 1, 3, 13 }, { 9, 1, 3, 24 }, { 10, 1, 3, 25 },
	{ 11, 7, 2, 2 }, { 12, 7, 2, 16 }, { 13, 1, 2, 5 }, { 14, 1, 2, 6 }, { 16, 7, 1, 0 },
	{ 17, 1, 2, 17 }, { 18, 1, 2, 26 }, { 20, 7, 1, 7 }, { 21, 7, 1, 20 }, { 22, 7, 2, 3 },
	{ 23, 7, 2, 7 }, { 24, 7, 2, 31 },
};

static u64 cr4_allowed(void)
{
	u64 allowed = BIT(8);					/* PCE */

	for (unsigned int i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		struct cpuid id = cpuid(cr4_features[i].leaf, 0);
		const u32 *regs = &id.eax;

		if (regs[cr4_features[i].reg] & BIT(cr4_features[i].feature))
			allowed |= BIT(cr4_features[i].bit);
	}
	return allowed;
}

static void test_cr4(void)
{
	u64 cr4 = read_cr4(), allowed = cr4_allowed();

	check_eq(allowed & (CR4_VMXE | BIT(14)), 0);		/* VMX, SMX */
	check_eq(allowed & BIT(6), BIT(6));			/* MCE: tboot sets it unasked */
	check_eq(rdmsr(0x179), 0);				/* and no bank */
	check_eq(VECTOR_OF("wrmsr", : "c"(0x179), "a"(0), "d"(0)), GP);
	check_eq(try_cr4(cr4 & ~CR4_PAE), GP);			/* in long mode */
	for (unsigned int bit = 0; bit < 64; bit++) {
		/* supervisor mode protection would hit the tests, whose pages are ring 3's */
		if (bit == 5 || bit == 20 || bit == 21)
			continue;
		if (!check_eq(try_cr4(cr4 | BIT(bit)), allowed & BIT(bit) ? NONE : GP))
			print("# CR4 bit %u\n", bit);
		check_eq(read_cr4(), allowed & BIT(bit) ? cr4 | BIT(bit) : cr4);
		write_cr4(cr4);
	}
	check_eq(read_cr4(), cr4);
}

static void test_pcid(void)
{
	u64 cr4 = read_cr4(), cr3 = read_cr3();

	if (!(cpuid(1, 0).ecx & BIT(17))) {
		test_skip("no PCID");
		return;
	}
	write_cr3(cr3 | PTE_PCD);
	check_eq(try_cr4(cr4 | CR4_PCIDE), GP);			/* CR3 has a PCID */
	write_cr3(cr3);
	check_eq(try_cr4(cr4 | CR4_PCIDE), NONE);
	check_eq(try_cr3(cr3 | BIT(63) | 5), NONE);
	check_eq(read_cr3(), cr3 | 5);				/* bit 63 is not kept */
	check_eq(try_cr3(cr3 | BIT(62)), GP);
	write_cr3(cr3);
	write_cr4(cr4);
}

/* TSD keeps RDTSC from ring 3; PCE would give it RDPMC. */
static unsigned int user_vector;
static void user_rdtsc(void)
{
	user_vector = VECTOR_OF("rdtsc", : : "eax", "edx", "memory");
}

static void test_tsd(void)
{
	u64 cr4 = read_cr4();

	user_call(user_rdtsc);
	check_eq(user_vector, NONE);
	write_cr4(cr4 | BIT(2));
	user_call(user_rdtsc);
	check_eq(user_vector, GP);
	check_eq(VECTOR_OF("rdtsc", : : "eax", "edx", "memory"), NONE);
	write_cr4(cr4);
}

static void test_cr8(void)
{
	for (u64 value = 0; value < 16; value++) {
		check_eq(try_cr8(value), NONE);
		check_eq(read_cr8(), value);
		check_eq(apic_read(APIC_TPR), value << 4);
	}
	for (unsigned int bit = 4; bit < 64; bit++)
		check_eq(try_cr8(BIT(bit)), GP);
	check_eq(read_cr8(), 15);
	apic_write(APIC_TPR, 0x75);
	check_eq(read_cr8(), 7);
	write_cr8(0);
}

/* An interrupt waits until CR8 lets it through. */
static void test_cr8_masks(void)
{
	u32 before = irqs_of(0x51);

	write_cr8(5);
	apic_send(0, ICR_SELF | ICR_ASSERT | 0x51);
	irqs_enable();
	delay_us(100);
	check_eq(irqs_of(0x51), before);
	check(apic_bit(APIC_IRR, 0x51));
	write_cr8(4);
	check(wait_for(irqs_of(0x51) == before + 1, SECOND));
	irqs_disable();
	write_cr8(0);
}

static void test_unknown_registers(void)
{
	check_eq(VECTOR_OF(".byte 0x0f, 0x20, 0xc8", : : "rax", "memory"), UD);	/* CR1 */
	check_eq(VECTOR_OF(".byte 0x0f, 0x22, 0xe8", : : "memory"), UD);	/* CR5 */
	check_eq(VECTOR_OF(".byte 0x0f, 0x20, 0xf8", : : "rax", "memory"), UD);	/* CR7 */
	check_eq(VECTOR_OF(".byte 0x44, 0x0f, 0x20, 0xc8", : : "rax", "memory"), UD); /* CR9 */
}

static void test_debug_registers(void)
{
	check_eq(read_dr6() & 0xffff0ff0, 0xffff0ff0);
	write_dr6(0);
	check_eq(read_dr6(), 0xffff0ff0);
	write_dr6(0xffffffff);
	check_eq(read_dr6() & ~0x10800ULL, 0xffffefffULL & ~0x10800ULL);
	check_eq(VECTOR_OF("mov %0, %%dr6", : "r"(BIT(32)) : "memory"), GP);
	check_eq(VECTOR_OF("mov %0, %%dr7", : "r"(BIT(32)) : "memory"), GP);
	write_dr6(0);
	write_dr7(0);
	check_eq(read_dr7(), 0x400);
	write_dr0(0x1234567890);
	check_eq(read_dr0(), 0x1234567890);
	/* DR4 and DR5 are other names, unless CR4.DE */
	write_cr4(read_cr4() & ~CR4_DE);
	check_eq(VECTOR_OF(".byte 0x0f, 0x21, 0xe0", : : "rax", "memory"), NONE);
	write_cr4(read_cr4() | CR4_DE);
	check_eq(VECTOR_OF(".byte 0x0f, 0x21, 0xe0", : : "rax", "memory"), UD);
	write_cr4(read_cr4() & ~CR4_DE);
}

/* Of a 32-bit instruction's register the upper half does not count, whatever is in it. */
static void test_debug_registers_of_32_bit_code(void)
{
	write_dr0(0);
	asm volatile("pushq	$" STRING(CODE32) "\n"
		     "	leaq	1f(%%rip), %%rcx\n"
		     "	pushq	%%rcx\n"
		     "	lretq\n"
		     ".code32\n"
		     "1:	movl	%%eax, %%dr6\n"
		     "	movl	%%eax, %%dr0\n"
		     "	ljmpl	$" STRING(CODE64) ", $2f\n"
		     ".code64\n"
		     "2:" : : "a"(0xabcdef0100004007ULL) : "rcx", "memory", "cc");
	check_eq(read_dr6(), 0xffff4ff7);
	check_eq(read_dr0(), 0x4007);
	asm volatile("pushq	$" STRING(CODE32) "\n"
		     "	leaq	1f(%%rip), %%rcx\n"
		     "	pushq	%%rcx\n"
		     "	lretq\n"
		     ".code32\n"
		     "1:	movl	%%eax, %%dr7\n"
		     "	ljmpl	$" STRING(CODE64) ", $2f\n"
		     ".code64\n"
		     "2:" : : "a"(0xabcdef0100000500ULL) : "rcx", "memory", "cc");
	check_eq(read_dr7(), 0x500);
	write_dr7(0);
	write_dr6(0);
	write_dr0(0);
}

/* ---- CPUID ---- */

static void test_cpuid_basic(void)
{
	struct cpuid max = cpuid(0, 0), one = cpuid(1, 0), ext = cpuid(0x80000000, 0);

	check(max.eax >= 0xd && max.eax < 0x100);
	check(ext.eax >= 0x80000008 && ext.eax < 0x80000100);
	check(one.edx & BIT(9));				/* APIC */
	check(one.ecx & BIT(21));				/* x2APIC */
	check(one.ecx & BIT(24));				/* TSC deadline */
	check(one.ecx & BIT(31));				/* a hypervisor */
	check_eq(one.ecx & (BIT(5) | BIT(6) | BIT(3) | BIT(15)), 0);	/* VMX SMX MONITOR PDCM */
	check_eq(one.ebx >> 24, cpu_index());
	check(one.ebx >> 16 & 0xff);
	check_eq(cpuid(0x80000008, 0).eax & 0xff, 40);
	check(cpuid(0x80000001, 0).edx & BIT(29));		/* long mode: we are in it */
}

static void test_cpuid_hypervisor(void)
{
	struct cpuid id = cpuid(0x40000000, 0);

	check(id.eax >= 0x40000000 && id.eax <= 0x400000ff);
	check_eq(id.ebx, 0x204d5651);				/* QVM, three times */
	check_eq(id.ecx, 0x204d5651);
	check_eq(id.edx, 0x204d5651);
	for (u32 leaf = id.eax + 1; leaf < 0x40000100; leaf++) {
		struct cpuid none = cpuid(leaf, 0);

		check_eq(none.eax | none.ebx | none.ecx | none.edx, 0);
	}
}

/* What is told twice is told alike, and no leaf differs from call to call or by what is in ECX. */
static void test_cpuid_consistent(void)
{
	struct cpuid max = cpuid(0, 0);

	for (u32 leaf = 0; leaf <= max.eax; leaf++) {
		struct cpuid a = cpuid(leaf, 0), b = cpuid(leaf, 0);

		check(same(&a, &b, sizeof(a)));
	}
	check_eq(cpuid(1, 0).eax, cpuid(1, 77).eax);
	if (max.eax >= 0x15) {
		struct cpuid rate = cpuid(0x15, 0);

		check(rate.eax && rate.ebx && rate.ecx);
	}
	for (u32 i = 0; i < 2; i++) {
		struct cpuid level = cpuid(0xb, i);

		check_eq(level.edx, cpu_index());
		check_eq(level.ecx >> 8 & 0xff, i + 1);
		check_eq(level.ecx & 0xff, i);
	}
	check_eq(cpuid(0xb, 2).ecx >> 8, 0);
}

/* Caches and who shares them, by the count of CPUs that leaves 1 and 0Bh give. */
static void test_cpuid_caches(void)
{
	unsigned int cpus = cpuid(1, 0).ebx >> 16 & 0xff, ids = 1, i;

	check_eq(cpuid(0xb, 1).ebx, cpus);
	while (ids < cpus)
		ids *= 2;
	for (i = 0; i < 8; i++) {
		struct cpuid cache = cpuid(4, i);
		unsigned int level = cache.eax >> 5 & 7;

		if (!(cache.eax & 31))
			break;
		check(level >= 1 && level <= 4 && (cache.eax & 31) <= 3);
		check_eq((cache.eax >> 14 & 0xfff) + 1, level >= 3 ? ids : 1);
		check_eq((cache.eax >> 26) + 1, ids);
		check_eq((cache.ebx & 0xfff) + 1, 64);			/* bytes of a line */
	}
	check(i);
	for (; i < 10; i++)
		check_eq(cpuid(4, i).eax | cpuid(4, i).ebx | cpuid(4, i).ecx | cpuid(4, i).edx, 0);
}

#define MSR_MISC_ENABLE		0x1a0

/* As the host has them: it says so on the command line. ERMS and FSRM are not there without. */
static void test_fast_strings(void)
{
	bool fast = rdmsr(MSR_MISC_ENABLE) & BIT(0);

	if (boot_cmdline_is("fast") || boot_cmdline_is("slow"))
		check_eq(fast, boot_cmdline_is("fast"));
	if (!fast)
		check_eq((cpuid(7, 0).ebx & BIT(9)) | (cpuid(7, 0).edx & BIT(4)), 0);
}

/* The APIC's bit follows whether it is on. */
static void test_cpuid_apic_bit(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	wrmsr(MSR_APIC_BASE, base & ~APIC_BASE_ON);
	check(!(cpuid(1, 0).edx & BIT(9)));
	wrmsr(MSR_APIC_BASE, base);
	check(cpuid(1, 0).edx & BIT(9));
	apic_enable();
}

/* Instructions that CPUID denies are #UD, and those that it grants are there. */
static void test_cpuid_is_true(void)
{
	struct cpuid seven = cpuid(7, 0), one = cpuid(1, 0);

	check_eq(VECTOR_OF("vmcall", : "a"(0x7fff) : "memory"), NONE);
	check_eq(VECTOR_OF("vmxon (%0)", : "r"(WINDOW) : "memory"), UD);
	check_eq(VECTOR_OF("vmread %%rax, %%rcx", : : "rcx", "memory"), UD);
	check_eq(VECTOR_OF(".byte 0x0f, 0x01, 0xc8", : : "memory"), UD);	/* MONITOR */
	check_eq(VECTOR_OF(".byte 0x0f, 0x01, 0xc9", : : "memory"), UD);	/* MWAIT */
	check_eq(VECTOR_OF(".byte 0x0f, 0x37", : : "memory"), UD);		/* GETSEC */
	check_eq(VECTOR_OF("rdpmc", : "c"(0) : "eax", "edx", "memory"), GP);
	check_eq(VECTOR_OF("rdrand %%eax", : : "eax", "memory"), one.ecx & BIT(30) ? NONE : UD);
	check_eq(VECTOR_OF("rdseed %%eax", : : "eax", "memory"), seven.ebx & BIT(18) ? NONE : UD);
	check_eq(VECTOR_OF("invpcid (%0), %1", : "r"((u64[2]){ 0, 0 }), "r"(2ULL) : "memory"),
		 seven.ebx & BIT(10) ? NONE : UD);
	check_eq(VECTOR_OF("xgetbv", : "c"(0) : "eax", "edx", "memory"), UD);	/* CR4.OSXSAVE is off */
	check_eq(VECTOR_OF("rsm", : : "memory"), UD);
}

const struct test tests[] = {
	TEST(cr0),
	TEST(cr0_wp),
	TEST(lmsw),
	TEST(cr3),
	TEST(cr4),
	TEST(pcid),
	TEST(tsd),
	TEST(cr8),
	TEST(cr8_masks),
	TEST(unknown_registers),
	TEST(debug_registers),
	TEST(debug_registers_of_32_bit_code),
	TEST(cpuid_basic),
	TEST(cpuid_hypervisor),
	TEST(cpuid_consistent),
	TEST(cpuid_caches),
	TEST(fast_strings),
	TEST(cpuid_apic_bit),
	TEST(cpuid_is_true),
	{},
};
