// SPDX-License-Identifier: GPL-2.0-only
/* ID registers: what is hidden says so, what a guest may count on is there, all CPUs agree. */
#include "guest.h"

#define FIELD(reg, shift)	(read_sysreg(reg) >> (shift) & 15)

/* A field that has to have this value on every host. */
#define IS(reg, shift, value) check_eq(FIELD(reg, shift), value)
#define AT_MOST(reg, shift, value) check(FIELD(reg, shift) <= (value))

#define AA64PFR0	S3_0_C0_C4_0
#define AA64PFR1	S3_0_C0_C4_1
#define AA64ZFR0	S3_0_C0_C4_4
#define AA64SMFR0	S3_0_C0_C4_5
#define AA64DFR0	S3_0_C0_C5_0
#define AA64DFR1	S3_0_C0_C5_1
#define AA64AFR0	S3_0_C0_C5_4
#define AA64ISAR0	S3_0_C0_C6_0
#define AA64ISAR1	S3_0_C0_C6_1
#define AA64ISAR2	S3_0_C0_C6_2
#define AA64MMFR0	S3_0_C0_C7_0
#define AA64MMFR1	S3_0_C0_C7_1
#define AA64MMFR2	S3_0_C0_C7_2

static void test_exception_levels(void)
{
	IS(AA64PFR0, 0, 1);	/* EL0: AArch64 only */
	IS(AA64PFR0, 4, 1);	/* EL1: AArch64 only */
	IS(AA64PFR0, 8, 0);	/* no EL2 */
	IS(AA64PFR0, 12, 0);	/* no EL3 */
	check_eq(read_sysreg(CurrentEL), 1 << 2);
}

static void test_processor_features(void)
{
	IS(AA64PFR0, 24, 1);	/* GIC: system registers */
	IS(AA64PFR0, 28, 0);	/* RAS */
	IS(AA64PFR0, 32, 0);	/* SVE */
	IS(AA64PFR0, 36, 0);	/* SEL2 */
	IS(AA64PFR0, 40, 0);	/* MPAM */
	IS(AA64PFR0, 44, 0);	/* AMU */
	AT_MOST(AA64PFR0, 56, 1);	/* CSV2: no SCXTNUM */
	IS(AA64PFR1, 8, 0);	/* MTE */
	IS(AA64PFR1, 12, 0);	/* RAS_frac */
	IS(AA64PFR1, 16, 0);	/* MPAM_frac */
	IS(AA64PFR1, 24, 0);	/* SME */
	IS(AA64PFR1, 36, 0);	/* NMI */
	check_eq(read_sysreg(AA64ZFR0), 0);
	check_eq(read_sysreg(AA64SMFR0), 0);
}

static void test_fp_and_simd_agree(void)
{
	u64 fp = FIELD(AA64PFR0, 16), simd = FIELD(AA64PFR0, 20);

	check_eq(fp, simd);
	check(fp <= 1 || fp == 15);
}

static void test_debug(void)
{
	check(FIELD(AA64DFR0, 0) >= 6);	/* DebugVer: Armv8.0 at least */
	IS(AA64DFR0, 4, 0);	/* TraceVer */
	IS(AA64DFR0, 8, 0);	/* PMUVer */
	check(FIELD(AA64DFR0, 12) >= 1);	/* two breakpoints at least */
	check(FIELD(AA64DFR0, 20) >= 1);	/* two watchpoints at least */
	check(FIELD(AA64DFR0, 28) <= FIELD(AA64DFR0, 12));	/* context-aware ones */
	IS(AA64DFR0, 32, 0);	/* PMSVer */
	check(FIELD(AA64DFR0, 36) == 0 || FIELD(AA64DFR0, 36) == 15);	/* double lock */
	IS(AA64DFR0, 40, 0);	/* TraceFilt */
	IS(AA64DFR0, 44, 0);	/* TraceBuffer */
	IS(AA64DFR0, 48, 0);	/* MTPMU */
	IS(AA64DFR0, 52, 0);	/* BRBE */
	check_eq(read_sysreg(AA64DFR1), 0);
	check_eq(read_sysreg(AA64AFR0), 0);
}

static void test_instructions(void)
{
	IS(AA64ISAR0, 24, 0);	/* TME */
	IS(AA64ISAR1, 4, 0);	/* APA */
	IS(AA64ISAR1, 8, 0);	/* API */
	IS(AA64ISAR1, 24, 0);	/* GPA */
	IS(AA64ISAR1, 28, 0);	/* GPI */
	IS(AA64ISAR1, 60, 0);	/* LS64 */
	IS(AA64ISAR2, 0, 0);	/* WFxT */
	IS(AA64ISAR2, 8, 0);	/* GPA3 */
	IS(AA64ISAR2, 12, 0);	/* APA3 */
	IS(AA64ISAR2, 16, 0);	/* MOPS */
}

static void test_memory(void)
{
	IS(AA64MMFR0, 28, 0);	/* 4 KiB granule */
	AT_MOST(AA64MMFR0, 0, 5);	/* PARange: 48 bits */
	IS(AA64MMFR0, 56, 0);	/* FGT */
	IS(AA64MMFR0, 60, 0);	/* ECV */
	IS(AA64MMFR1, 4, 0);	/* VMIDBits */
	IS(AA64MMFR1, 8, 0);	/* VH */
	IS(AA64MMFR1, 16, 0);	/* LO */
	IS(AA64MMFR1, 40, 0);	/* HCX */
	IS(AA64MMFR2, 24, 0);	/* NV */
	IS(AA64MMFR2, 40, 0);	/* FWB */
	IS(AA64MMFR2, 56, 0);	/* EVT */
}

/* CRm 1 to 7 of this space reads as zero where nothing is (Arm ARM D17.3.1), it never traps to EL1. */
#define RAZ(crm, op2) check_eq(read_sysreg(S3_0_C0_C##crm##_##op2), 0)

static void test_reserved_read_as_zero(void)
{
	RAZ(4, 2); RAZ(4, 3); RAZ(4, 6); RAZ(4, 7);
	RAZ(5, 2); RAZ(5, 3); RAZ(5, 5); RAZ(5, 6); RAZ(5, 7);
	RAZ(6, 4); RAZ(6, 5); RAZ(6, 6); RAZ(6, 7);
	RAZ(7, 5); RAZ(7, 6); RAZ(7, 7);
}

/* No AArch32 at any level: all of it is UNKNOWN, and is zero here. */
static void test_aarch32(void)
{
	RAZ(1, 0); RAZ(1, 1); RAZ(1, 2); RAZ(1, 4); RAZ(1, 5); RAZ(1, 6); RAZ(1, 7);
	RAZ(2, 0); RAZ(2, 1); RAZ(2, 2); RAZ(2, 3); RAZ(2, 4); RAZ(2, 5); RAZ(2, 6);
	RAZ(3, 0); RAZ(3, 1); RAZ(3, 2); RAZ(3, 4);
}

static void test_identity(void)
{
	check(read_sysreg(midr_el1) != 0);
	check_eq(read_sysreg(mpidr_el1), BIT(31) | cpu_affinity(cpu_index()));
	check_eq(read_sysreg(revidr_el1), read_sysreg(revidr_el1));
	check(read_sysreg(ctr_el0) & BIT(31));
	check(read_sysreg(clidr_el1) != 0);
	check(fault_of("mrs x9, aidr_el1" : : : "x9").count == 0);
	check(fault_of("mrs x9, dczid_el0" : : : "x9").count == 0);
}

/* A write of a read-only register is UNDEFINED. */
static void test_writes(void)
{
	check(is_undefined(fault_of("msr S3_0_C0_C4_0, xzr")));
	check(is_undefined(fault_of("msr S3_0_C0_C7_0, xzr")));
	check(is_undefined(fault_of("msr S3_0_C0_C0_5, xzr")));
}

static u64 first[3][8];

static void all_agree(void)
{
	check_eq(read_sysreg(AA64PFR0), first[0][0]);
	check_eq(read_sysreg(AA64PFR1), first[0][1]);
	check_eq(read_sysreg(AA64ISAR0), first[1][0]);
	check_eq(read_sysreg(AA64ISAR1), first[1][1]);
	check_eq(read_sysreg(AA64MMFR0), first[2][0]);
	check_eq(read_sysreg(AA64MMFR1), first[2][1]);
	check_eq(read_sysreg(AA64MMFR2), first[2][2]);
	test_identity();
}

static void test_all_cpus_agree(void)
{
	first[0][0] = read_sysreg(AA64PFR0);
	first[0][1] = read_sysreg(AA64PFR1);
	first[1][0] = read_sysreg(AA64ISAR0);
	first[1][1] = read_sysreg(AA64ISAR1);
	first[2][0] = read_sysreg(AA64MMFR0);
	first[2][1] = read_sysreg(AA64MMFR1);
	first[2][2] = read_sysreg(AA64MMFR2);
	cpu_start_all(all_agree);
	all_agree();
	check(cpu_wait_all_off());
}

const struct test tests[] = {
	TEST(exception_levels),
	TEST(processor_features),
	TEST(fp_and_simd_agree),
	TEST(debug),
	TEST(instructions),
	TEST(memory),
	TEST(reserved_read_as_zero),
	TEST(aarch32),
	TEST(identity),
	TEST(writes),
	TEST(all_cpus_agree),
	{},
};
