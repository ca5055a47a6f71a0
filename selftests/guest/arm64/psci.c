// SPDX-License-Identifier: GPL-2.0-only
/* PSCI and SMCCC: versions, what there is, CPUs on and off, wrong parameters. */
#include "psci.h"

#define NOT_A_FUNCTION	0x8400ff00

static const u32 functions[] = {
	SMCCC_VERSION, PSCI_VERSION, PSCI_CPU_SUSPEND, PSCI_CPU_SUSPEND64, PSCI_CPU_OFF, PSCI_CPU_ON,
	PSCI_CPU_ON64, PSCI_AFFINITY_INFO, PSCI_AFFINITY_INFO64, PSCI_MIGRATE_INFO_TYPE,
	PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES,
};

static void test_version(void)
{
	u32 psci = psci_hvc(PSCI_VERSION, 0, 0, 0), smccc = psci_hvc(SMCCC_VERSION, 0, 0, 0);

	check_eq(psci >> 16, 1);
	check((psci & 0xffff) >= 1);
	check(smccc >= 0x10001 && smccc < 0x20000);
}

static void test_features(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(functions); i++) {
		if (!check(psci32(PSCI_FEATURES, functions[i], 0, 0) >= 0))
			print("# function 0x%x\n", functions[i]);
	}
	check_eq(psci32(PSCI_FEATURES, NOT_A_FUNCTION, 0, 0), PSCI_NOT_SUPPORTED);
	check_eq(psci32(SMCCC_ARCH_FEATURES, NOT_A_FUNCTION, 0, 0), PSCI_NOT_SUPPORTED);
	/* each is asked for its own */
	check_eq(psci32(PSCI_FEATURES, TRNG_VERSION, 0, 0), PSCI_NOT_SUPPORTED);
	check_eq(psci32(PSCI_FEATURES, SMCCC_ARCH_FEATURES, 0, 0), PSCI_NOT_SUPPORTED);
	check_eq(psci32(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
	check_eq(psci32(SMCCC_ARCH_FEATURES, PSCI_VERSION, 0, 0), PSCI_NOT_SUPPORTED);
	check_eq(psci32(SMCCC_ARCH_FEATURES, TRNG_VERSION, 0, 0), PSCI_NOT_SUPPORTED);
	check_eq(psci32(TRNG_FEATURES, PSCI_VERSION, 0, 0), PSCI_NOT_SUPPORTED);
	check_eq(psci32(TRNG_FEATURES, SMCCC_VERSION, 0, 0), PSCI_NOT_SUPPORTED);
	/* no trusted OS that would have to move */
	check(psci32(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0) == 2 ||
	      psci32(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0) == PSCI_NOT_SUPPORTED);
}

static void test_unknown_functions(void)
{
	static const u32 ids[] = {
		NOT_A_FUNCTION, 0, 0xffffffff, 0x8400001f, 0xc4000002, 0xc4000008, 0x04000000, 0x80000100,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		if (!check_eq(psci32(ids[i], 0, 0, 0), PSCI_NOT_SUPPORTED))
			print("# function 0x%x\n", ids[i]);
	}
	check_eq(psci32(NOT_A_FUNCTION, PSCI_VERSION, 0, 0), PSCI_NOT_SUPPORTED);
}

static u64 trng(u32 id, u64 bits, u64 *x)
{
	register u64 x0 __asm__("x0") = id;
	register u64 x1 __asm__("x1") = bits;
	register u64 x2 __asm__("x2") = ~0UL;
	register u64 x3 __asm__("x3") = ~0UL;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	x[0] = x1;
	x[1] = x2;
	x[2] = x3;
	return x0;
}

static void test_random(void)
{
	static const u32 ids[] = { TRNG_VERSION, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32, TRNG_RND64 };
	u64 a[3], b[3];

	check_eq(psci_hvc(TRNG_VERSION, 0, 0, 0), 0x10000);
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		check_eq(psci32(TRNG_FEATURES, ids[i], 0, 0), 0);
	check_eq(psci32(TRNG_FEATURES, 0x84000054, 0, 0), PSCI_NOT_SUPPORTED);
	check(trng(TRNG_GET_UUID, 0, a) <= 0xfffffffe);
	check_eq((s32)trng(TRNG_RND64, 0, a), TRNG_INVALID);
	check_eq((s32)trng(TRNG_RND64, 193, a), TRNG_INVALID);
	check_eq((s32)trng(TRNG_RND32, 97, a), TRNG_INVALID);
	if ((s32)trng(TRNG_RND64, 192, a) == TRNG_NO_ENTROPY) {
		print("# the host has no entropy yet\n");
		return;
	}
	check_eq(trng(TRNG_RND64, 192, a), 0);
	check_eq(trng(TRNG_RND64, 192, b), 0);
	check(a[0] && a[1] && a[2] && a[0] != b[0] && a[1] != b[1] && a[2] != b[2]);
	/* bits that were not asked for are zero */
	check_eq(trng(TRNG_RND64, 67, a), 0);
	check(!a[0] && a[1] < 8 && a[2]);
	check_eq(trng(TRNG_RND32, 96, a), 0);
	check(a[0] && a[1] && a[2] && !((a[0] | a[1] | a[2]) >> 32));
	check_eq(trng(TRNG_RND32, 32, a), 0);
	check(!a[0] && !a[1] && a[2]);
}

/* Trapped SMC is the other conduit; all registers but the results are kept. */
static void test_smc(void)
{
	check_eq(psci_smc(PSCI_VERSION, 0, 0, 0), psci_hvc(PSCI_VERSION, 0, 0, 0));
	check_eq((s32)psci_smc(NOT_A_FUNCTION, 0, 0, 0), PSCI_NOT_SUPPORTED);
}

static void test_invalid(void)
{
	unsigned int none = cpu_count();
	u64 entry = (u64)secondary_entry;

	check_eq(psci_hvc(PSCI_CPU_ON64, cpu_affinity(none), entry, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_CPU_ON64, BIT(31), entry, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_CPU_ON64, BIT(16) | 1, entry, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_CPU_ON64, BIT(32) | 1, entry, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, cpu_affinity(none), 0, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 0, 4, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_SYSTEM_RESET2_64, 1, 0, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci32(PSCI_SYSTEM_RESET2, 0x7fffffff, 0, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, BIT(31), 0, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, BIT(24), 0, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, BIT(40), 0, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO, BIT(31), 0, 0), PSCI_INVALID_PARAMETERS);
}

/* What is above an SMC32 call's 32 bits is no part of its arguments. */
static void test_narrow(void)
{
	u64 high = 0xdeadbeefULL << 32;

	check_eq(psci32(PSCI_AFFINITY_INFO, high, high, 0), PSCI_IS_ON);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, high, 0, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 0, high, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci32(PSCI_CPU_ON, high, high | (u32)(u64)secondary_entry, 0), PSCI_ALREADY_ON);
	check_eq(psci32(PSCI_FEATURES, high | PSCI_CPU_ON, 0, 0), 0);
}

/* Affinity levels above a single CPU's: sixteen are a cluster. CPU 0 is on. */
static void test_affinity_levels(void)
{
	for (unsigned int level = 1; level <= 3; level++) {
		check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 0, level, 0), PSCI_IS_ON);
		check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 15, level, 0), PSCI_IS_ON);
	}
	/* the next cluster, if there is one */
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 0x10f, 1, 0),
		 cpu_count() > 16 ? PSCI_IS_OFF : PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 0x10f, 2, 0), PSCI_IS_ON);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 0x10000, 2, 0), PSCI_INVALID_PARAMETERS);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, 0x10000, 3, 0), PSCI_IS_ON);
	check_eq(psci_hvc(PSCI_AFFINITY_INFO64, BIT(32), 3, 0), PSCI_INVALID_PARAMETERS);
}

/* ---- on and off ---- */

static bool leave[CPU_MAX];
static unsigned int arrived;

static void stay(void)
{
	__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
	check(wait_for(__atomic_load_n(&leave[cpu_index()], __ATOMIC_ACQUIRE), 20 * SECOND));
}

static void set_leave(bool value)
{
	for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++)
		__atomic_store_n(&leave[cpu], value, __ATOMIC_RELEASE);
}

static void test_all_on_and_off(void)
{
	set_leave(false);
	check_eq(psci_hvc(PSCI_CPU_ON64, 0, (u64)secondary_entry, 0), PSCI_ALREADY_ON);
	check_eq(psci_state(0), PSCI_IS_ON);
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++)
		check_eq(psci_state(cpu), PSCI_IS_OFF);
	cpu_start_all(stay);
	check(wait_for(__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) == cpu_count() - 1, 10 * SECOND));
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++) {
		check_eq(psci_state(cpu), PSCI_IS_ON);
		check_eq(psci_hvc(PSCI_CPU_ON64, cpu_affinity(cpu), (u64)secondary_entry, cpu),
			 PSCI_ALREADY_ON);
	}
	set_leave(true);
	check(cpu_wait_all_off());
}

/* Callers race for one CPU: one is told SUCCESS, the others that it is on, which it may yet have to notice. */
static struct gate start;
static unsigned int winners;

static void race(void)
{
	unsigned int target = cpu_count() - 1;
	s64 result;

	gate_pass(&start, target);
	result = psci_hvc(PSCI_CPU_ON64, cpu_affinity(target), (u64)secondary_entry, target);
	if (result == PSCI_SUCCESS)
		__atomic_add_fetch(&winners, 1, __ATOMIC_ACQ_REL);
	else
		check_eq(result, PSCI_ALREADY_ON);
	check_eq(psci_state(target), PSCI_IS_ON);
}

static void test_race(void)
{
	unsigned int target = cpu_count() - 1;

	if (cpu_count() < 3) {
		test_skip("needs three CPUs");
		return;
	}
	/* once in and out, so that cpu_start()'s own state is the target's */
	set_leave(true);
	check(cpu_start(target, stay) && cpu_wait_off(target));
	set_leave(false);
	for (unsigned int cpu = 1; cpu < target; cpu++)
		check(cpu_start(cpu, race));
	race();
	for (unsigned int cpu = 1; cpu < target; cpu++)
		check(cpu_wait_off(cpu));
	set_leave(true);
	check(cpu_wait_off(target));
	check_eq(winners, 1);
}

/* ---- what a CPU comes up with ---- */

extern char raw_entry[];
u64 raw[8];		/* x0, CurrentEL, DAIF, SCTLR_EL1, MPIDR_EL1, SPSel */

asm(".pushsection .text\n"
    "raw_entry:\n"
    "	mrs	x3, sctlr_el1\n"
    "	bic	x1, x3, #(1 << 25)\n"		/* EE: no data access before this */
    "	msr	sctlr_el1, x1\n"
    "	isb\n"
    "	adrp	x1, raw\n"
    "	add	x1, x1, :lo12:raw\n"
    "	mrs	x2, CurrentEL\n"
    "	stp	x0, x2, [x1]\n"
    "	mrs	x2, daif\n"
    "	stp	x2, x3, [x1, #16]\n"
    "	mrs	x2, mpidr_el1\n"
    "	mrs	x3, spsel\n"
    "	stp	x2, x3, [x1, #32]\n"
    "	dsb	sy\n"
    "	movz	x0, #0x8400, lsl #16\n"
    "	movk	x0, #2\n"			/* CPU_OFF */
    "	hvc	#0\n"
    "	b	.\n"
    /* psci_hvc() as a big-endian caller; without MMU, whose tables would be big-endian, too */
    "hvc_big_endian:\n"
    "	mrs	x9, sctlr_el1\n"
    "	mrs	x11, daif\n"
    "	bic	x10, x9, #1\n"
    "	orr	x10, x10, #(1 << 25)\n"
    "	msr	daifset, #15\n"
    "	msr	sctlr_el1, x10\n"
    "	isb\n"
    "	hvc	#0\n"
    "	msr	sctlr_el1, x9\n"
    "	isb\n"
    "	msr	daif, x11\n"
    "	ret\n"
    ".popsection\n");
s64 hvc_big_endian(u64 function, u64 a, u64 b, u64 c);

#define CACHE_LINE_MIN	16

/* A CPU without caches wrote it: what this one's may hold of it is stale. */
static void clean_and_forget(void *p, size_t size)
{
	for (u64 a = (u64)p; a < (u64)p + size; a += CACHE_LINE_MIN)
		asm volatile("dc civac, %0" : : "r"(a) : "memory");
	dsb();
}

static void check_raw_start(s64 (*call)(u64, u64, u64, u64), u64 function, u64 context)
{
	clean_and_forget(raw, sizeof(raw));
	if (!check_eq(call(function, cpu_affinity(1), (u64)raw_entry, context), PSCI_SUCCESS))
		return;
	check(cpu_wait_off(1));
	clean_and_forget(raw, sizeof(raw));
	check_eq(raw[0], context);
	check_eq(raw[1], 1 << 2);
	check_eq(raw[2], 0xf << 6);
	/* M, C, I, EE */
	check_eq(raw[3] & (BIT(0) | BIT(2) | BIT(12) | BIT(25)), call == hvc_big_endian ? BIT(25) : 0);
	check_eq(raw[4], BIT(31) | cpu_affinity(1));
	check_eq(raw[5], 1);
}

static void test_state_at_start(void)
{
	if (cpu_count() < 2) {
		test_skip("needs two CPUs");
		return;
	}
	check_raw_start(psci_hvc, PSCI_CPU_ON64, 0x0123456789abcdef);
	check_raw_start(psci_hvc, PSCI_CPU_ON64, ~0ULL);
	check_raw_start(psci_hvc, PSCI_CPU_ON, 0x89abcdef);
}

/* The caller's endianness is the target's. */
static void test_big_endian_start(void)
{
	if (cpu_count() < 2 || !(read_sysreg(id_aa64mmfr0_el1) >> 8 & 15)) {
		test_skip("needs two CPUs, of both endians");
		return;
	}
	check_raw_start(hvc_big_endian, PSCI_CPU_ON64, 0x0123456789abcdef);
	check_raw_start(psci_hvc, PSCI_CPU_ON64, 1);
}

static void test_again_and_again(void)
{
	if (cpu_count() < 2) {
		test_skip("needs two CPUs");
		return;
	}
	for (u64 i = 0; i < 20; i++)
		check_raw_start(psci_hvc, PSCI_CPU_ON64, i << 32 | i);
}

const struct test tests[] = {
	TEST(version),
	TEST(features),
	TEST(unknown_functions),
	TEST(random),
	TEST(smc),
	TEST(invalid),
	TEST(narrow),
	TEST(affinity_levels),
	TEST(state_at_start),
	TEST(big_endian_start),
	TEST(all_on_and_off),
	TEST(race),
	TEST(again_and_again),
	{},
};
