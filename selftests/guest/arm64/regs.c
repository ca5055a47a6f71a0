// SPDX-License-Identifier: GPL-2.0-only
/* General and system registers keep what is in them over every kind of exit, CPU by CPU. */
#include "exits.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

/* ---- x0 to x30, SP, SP_EL0, NZCV ---- */

struct gprs {
	u64 x[31], nzcv, sp_el0, sp;
};

/*
 * gprs_over_X(in, out): load all of @in but its sp, do X, store all to @out. Two words of the stack
 * hold @out and SP while every register is the test's.
 */
#define GPRS_OVER(name, what)						\
	void gprs_over_##name(const struct gprs *in, struct gprs *out);	\
	asm(".pushsection .text\n"					\
	    "gprs_over_" #name ":\n"					\
	    "	gprs_enter\n"						\
	    "	" what "\n"						\
	    "	gprs_leave\n"						\
	    ".popsection\n")

asm(".macro pairs op, base\n"
    "	.irp n, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28\n"
    "	pair \\op, \\n, \\base\n"
    "	.endr\n"
    ".endm\n"
    ".macro pair op, n, base\n"
    "	.altmacro\n"
    "	pair_of \\op, \\n, %(\\n + 1), \\base\n"
    "	.noaltmacro\n"
    ".endm\n"
    ".macro pair_of op, n, m, base\n"
    "	\\op x\\n, x\\m, [\\base, #8 * \\n]\n"
    ".endm\n"
    ".macro gprs_enter\n"
    "	stp	x29, x30, [sp, #-112]!\n"
    "	stp	x19, x20, [sp, #16]\n"
    "	stp	x21, x22, [sp, #32]\n"
    "	stp	x23, x24, [sp, #48]\n"
    "	stp	x25, x26, [sp, #64]\n"
    "	stp	x27, x28, [sp, #80]\n"
    "	mov	x2, sp\n"
    "	stp	x1, x2, [sp, #96]\n"
    "	ldr	x1, [x0, #8 * 31]\n"
    "	msr	nzcv, x1\n"
    "	ldr	x1, [x0, #8 * 32]\n"
    "	msr	sp_el0, x1\n"
    "	ldr	x30, [x0, #8 * 30]\n"
    "	pairs	ldp, x0\n"
    "	ldp	x0, x1, [x0]\n"
    ".endm\n"
    ".macro gprs_leave\n"
    "	stp	x0, x1, [sp, #-16]!\n"
    "	ldr	x0, [sp, #16 + 96]\n"		/* @out */
    "	pairs	stp, x0\n"
    "	str	x30, [x0, #8 * 30]\n"
    "	mrs	x1, nzcv\n"
    "	str	x1, [x0, #8 * 31]\n"
    "	mrs	x1, sp_el0\n"
    "	str	x1, [x0, #8 * 32]\n"
    "	ldp	x2, x3, [sp], #16\n"
    "	stp	x2, x3, [x0]\n"
    "	mov	x1, sp\n"
    "	ldr	x2, [sp, #104]\n"
    "	sub	x1, x1, x2\n"			/* 0: SP is what it was */
    "	str	x1, [x0, #8 * 33]\n"
    "	ldp	x19, x20, [sp, #16]\n"
    "	ldp	x21, x22, [sp, #32]\n"
    "	ldp	x23, x24, [sp, #48]\n"
    "	ldp	x25, x26, [sp, #64]\n"
    "	ldp	x27, x28, [sp, #80]\n"
    "	ldp	x29, x30, [sp], #112\n"
    "	ret\n"
    ".endm\n");

GPRS_OVER(nothing, "nop");
GPRS_OVER(hvc, "hvc #0");
GPRS_OVER(smc, "smc #0");
GPRS_OVER(load, "ldr w5, [x6]");
GPRS_OVER(store, "str w5, [x6]");
GPRS_OVER(load_high, "ldr x30, [x6]");
GPRS_OVER(id, "mrs x7, id_aa64mmfr0_el1");
GPRS_OVER(id_xzr, "mrs xzr, id_aa64mmfr0_el1");
GPRS_OVER(sysreg, "mrs x30, cntpct_el0");
GPRS_OVER(sgi, "msr S3_0_C12_C11_5, x6");
GPRS_OVER(wfi, "wfi");
GPRS_OVER(wfe, "wfe");
GPRS_OVER(undefined, "mrs x9, S3_0_C15_C7_7");
GPRS_OVER(spin, "mov x8, #1 << 20\n1: subs x8, x8, #1\n b.ne 1b");

static void gprs_fill(struct gprs *gprs, u64 seed)
{
	for (unsigned int i = 0; i < 31; i++)
		gprs->x[i] = seed << 56 | 0x00c3000000000000ULL | (u64)i << 32 | (0xf0e1d2c3 ^ seed * i);
	gprs->nzcv = (seed & 0xf) << 28;
	gprs->sp_el0 = ~seed << 4;
	gprs->sp = 0;
}

static void gprs_check(const struct gprs *got, const struct gprs *want, u32 changed, const char *after)
{
	bool same = true;

	for (unsigned int i = 0; i < 31; i++)
		same &= changed >> i & 1 || check_eq(got->x[i], want->x[i]);
	same &= check_eq(got->nzcv, want->nzcv);
	same &= check_eq(got->sp_el0, want->sp_el0);
	same &= check_eq(got->sp, 0);
	if (!same)
		print("# after %s\n", after);
}

struct gprs_case {
	const char *name;
	void (*fn)(const struct gprs *in, struct gprs *out);
	u32 changed;		/* registers that the instruction writes */
	u64 x0, x6;		/* 0: the pattern */
};

static const struct gprs_case gprs_cases[] = {
	{ "nothing", gprs_over_nothing, 0, 0, 0 },
	{ "hvc", gprs_over_hvc, 0xf, PSCI_VERSION, 0 },
	{ "hvc to the kernel", gprs_over_hvc, 0xf, PSCI_AFFINITY_INFO64, 0 },
	{ "hvc to nobody", gprs_over_hvc, 0xf, 0x8400ff00, 0 },
	{ "smc", gprs_over_smc, 0xf, PSCI_VERSION, 0 },
	{ "load from the launcher", gprs_over_load, BIT(5), 0, UART_BASE + 0x18 },
	{ "load from the kernel", gprs_over_load, BIT(5), 0, GICD + GICD_TYPER },
	{ "load to x30", gprs_over_load_high, BIT(30), 0, GICR(0) + GICR_TYPER },
	{ "store", gprs_over_store, 0, 0, GICD + GICD_TYPER },
	{ "load from nobody", gprs_over_load, 0, 0, NOBODY },
	{ "id register", gprs_over_id, BIT(7), 0, 0 },
	{ "id register to xzr", gprs_over_id_xzr, 0, 0, 0 },
	{ "system register", gprs_over_sysreg, BIT(30), 0, 0 },
	{ "sgi to nobody", gprs_over_sgi, 0, 0, BIT(16) * 0xff },
	{ "wfi", gprs_over_wfi, 0, 0, 0 },
	{ "wfe", gprs_over_wfe, 0, 0, 0 },
	{ "undefined", gprs_over_undefined, 0, 0, 0 },
	{ "spinning", gprs_over_spin, BIT(8), 0, 0 },
};

/* Interrupts are masked: the timer ends WFI, and makes exits, but is not taken. */
static void gprs_one(const struct gprs_case *c, u64 seed)
{
	struct gprs want, got;

	gprs_fill(&want, seed);
	want.x[0] = c->x0 ?: want.x[0];
	want.x[6] = c->x6 ?: want.x[6];
	timer_start(TIMER_VIRT, 200);
	fault_expect();
	c->fn(&want, &got);
	fault_taken();
	timer_stop(TIMER_VIRT);
	if (c->fn == gprs_over_spin)
		want.nzcv = 6 << 28;
	gprs_check(&got, &want, c->changed, c->name);
}

static void gprs_all(void)
{
	gic_enable(cpu_index(), timer_intid(TIMER_VIRT));
	for (u64 seed = 0; seed < 4; seed++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(gprs_cases); i++)
			gprs_one(&gprs_cases[i], cpu_index() * 16 + seed * 5 + 1);
	}
}

static void test_gprs(void)
{
	gprs_all();
}

static void test_gprs_of_all_cpus(void)
{
	cpu_start_all(gprs_all);
	gprs_all();
	check(cpu_wait_all_off());
}

/* ---- system registers ---- */

/* What the tests themselves run on (TTBR0, TCR, MAIR, SCTLR, VBAR) is read only here. */
#define REGS(X)					\
	X(ttbr1_el1, 0x0000fffffffff000)	\
	X(esr_el1, 0xffffffff)			\
	X(far_el1, ~0ULL)			\
	X(elr_el1, ~3ULL)			\
	X(spsr_el1, 0xf0000000)			\
	X(afsr0_el1, 0xffffffff)		\
	X(afsr1_el1, 0xffffffff)		\
	X(amair_el1, ~0ULL)			\
	X(contextidr_el1, 0xffffffff)		\
	X(tpidr_el1, ~0ULL)			\
	X(tpidr_el0, ~0ULL)			\
	X(tpidrro_el0, ~0ULL)			\
	X(sp_el0, ~15ULL)			\
	X(cntkctl_el1, 0x3ff)			\
	X(csselr_el1, 0xf)			\
	X(par_el1, 0x1)				\
	X(cntp_cval_el0, ~0ULL)			\
	X(mdscr_el1, BIT(12))			\
	X(dbgbvr0_el1, 0x0000fffffffffffc)	\
	X(dbgwvr1_el1, 0x0000fffffffffffc)	\
	X(ttbr0_el1, 0)				\
	X(tcr_el1, 0)				\
	X(mair_el1, 0)				\
	X(sctlr_el1, 0)				\
	X(vbar_el1, 0)				\
	X(cpacr_el1, 0)

#define ACCESSORS(reg, bits)							\
	static u64 get_##reg(void)						\
	{									\
		return read_sysreg(reg);					\
	}									\
	static void set_##reg(u64 value)					\
	{									\
		write_sysreg(value, reg);					\
	}
REGS(ACCESSORS)

static const struct sys {
	const char *name;
	u64 (*get)(void);
	void (*set)(u64 value);
	u64 bits;		/* that the pattern may have; none: not written */
} sys[] = {
#define ROW(reg, bits) { #reg, get_##reg, set_##reg, bits },
	REGS(ROW)
};

#define SYS_COUNT	ARRAY_SIZE(sys)

/* What can't be written reads back as it does: the first reading is what counts from then on. */
static void sys_set_all(u64 *want, u64 seed)
{
	for (unsigned int i = 0; i < SYS_COUNT; i++) {
		if (sys[i].bits)
			sys[i].set((seed * (2 * i + 1)) & sys[i].bits);
	}
	isb();
	for (unsigned int i = 0; i < SYS_COUNT; i++)
		want[i] = sys[i].get();
}

static void sys_check_all(const u64 *want, const char *after)
{
	for (unsigned int i = 0; i < SYS_COUNT; i++) {
		if (!check_eq(sys[i].get(), want[i]))
			print("# %s after %s\n", sys[i].name, after);
	}
}

static void sys_all(void)
{
	static const u64 seeds[] = { 0x5a5a5a5a5a5a5a5a, 0xa5a5a5a5a5a5a5a5, 0x0123456789abcdef };
	u64 want[SYS_COUNT];

	for (unsigned int i = 0; i < ARRAY_SIZE(seeds); i++) {
		sys_set_all(want, seeds[i] + cpu_index());
		for (const struct exit_kind *kind = exit_kinds; kind->fn; kind++) {
			if (kind->takes_exception)
				continue;
			kind->fn();
			sys_check_all(want, kind->name);
		}
	}
	write_sysreg(0, cntkctl_el1);
	write_sysreg(0, mdscr_el1);
}

/* The pattern is there at all: no row would notice a register that reads as zero for good. */
static void test_patterns_stick(void)
{
	const u64 seed = 0x5a5a5a5a5a5a5a5a;
	unsigned int stuck = 0;
	u64 want[SYS_COUNT];

	sys_set_all(want, seed);
	for (unsigned int i = 0; i < SYS_COUNT; i++)
		stuck += sys[i].bits && want[i] == ((seed * (2 * i + 1)) & sys[i].bits);
	check(stuck >= 14);
	write_sysreg(0, cntkctl_el1);
	write_sysreg(0, mdscr_el1);
}

static void test_system_registers(void)
{
	sys_all();
}

static void test_system_registers_of_all_cpus(void)
{
	cpu_start_all(sys_all);
	sys_all();
	check(cpu_wait_all_off());
}

const struct test tests[] = {
	TEST(gprs),
	TEST(gprs_of_all_cpus),
	TEST(patterns_stick),
	TEST(system_registers),
	TEST(system_registers_of_all_cpus),
	{},
};
