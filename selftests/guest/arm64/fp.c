// SPDX-License-Identifier: GPL-2.0-only
/* Q0 to Q31, FPCR and FPSR are kept over every kind of exit, and by every CPU for itself. */
#include "exits.h"
#include "fp.h"
#include "gic.h"
#include "timer.h"

#define TICK_US		500
#define ROUNDS		20

/* @fn between load and save: nothing of the C code in between touches them. */
static bool kept_over(void (*fn)(void), u64 seed, const char *name)
{
	struct fp want, got;

	fp_fill(&want, seed);
	fp_load(&want);
	fn();
	fp_save(&got);
	return fp_check(&got, &want, name);
}

static void all_exits(u64 seed)
{
	for (const struct exit_kind *kind = exit_kinds; kind->fn; kind++)
		kept_over(kind->fn, seed++, kind->name);
}

static void test_kept_over_exits(void)
{
	all_exits(1);
	all_exits(0x7000);
}

/* A guest that does not touch FP between two exits: its registers must be there all the same. */
static void test_kept_unused(void)
{
	struct fp want, got;

	fp_fill(&want, 99);
	fp_load(&want);
	for (unsigned int i = 0; i < 50; i++) {
		exit_kinds[0].fn();
		exit_kinds[1].fn();
	}
	fp_save(&got);
	fp_check(&got, &want, "many exits");
}

static unsigned int ticks[CPU_MAX];

static void tick(void)
{
	unsigned int intid = gic_ack();

	if (intid == timer_intid(TIMER_VIRT)) {
		ticks[cpu_index()]++;
		timer_set_tval(TIMER_VIRT, ticks_of_us(TICK_US));
	}
	if (intid != INTID_NONE)
		gic_eoi(intid);
}

/* Ticks come in at any instruction. */
static void spin_rounds(void)
{
	unsigned int before = ticks[cpu_index()];

	wait_for(ticks[cpu_index()] >= before + 3, SECOND);
}

static void wait_one(void)
{
	wfi();
}

static void one_cpu(void)
{
	unsigned int cpu = cpu_index();

	gic_enable(cpu, timer_intid(TIMER_VIRT));
	timer_start(TIMER_VIRT, TICK_US);
	irqs_enable();
	for (u64 i = 0; i < ROUNDS; i++) {
		kept_over(spin_rounds, cpu << 8 | i, "ticks");
		kept_over(wait_one, cpu << 8 | i, "ticks asleep");
	}
	irqs_disable();
	timer_stop(TIMER_VIRT);
	check(ticks[cpu] >= ROUNDS);
}

static void test_every_cpu_its_own(void)
{
	irq_handler = tick;
	cpu_start_all(one_cpu);
	one_cpu();
	check(cpu_wait_all_off());
	irq_handler = NULL;
}

/* Every CPU has its own pattern for the whole time, and sees exits of all kinds. */
static void exits_of_one(void)
{
	for (u64 i = 0; i < 3; i++)
		all_exits(cpu_index() << 8 | i << 4);
}

static void test_exits_of_all(void)
{
	cpu_start_all(exits_of_one);
	exits_of_one();
	check(cpu_wait_all_off());
}

/* CPACR_EL1.FPEN is the guest's own: its trap comes to EL1, and what is in the registers stays. */
static void test_own_trap(void)
{
	u64 cpacr = read_sysreg(cpacr_el1);
	struct fp want, got;
	struct fault fault;

	fp_fill(&want, 5);
	fp_load(&want);
	write_sysreg(0, cpacr_el1);
	isb();
	fault = fault_of(".arch_extension fp\n fmov d0, xzr");
	write_sysreg(cpacr, cpacr_el1);
	isb();
	fp_save(&got);
	check_eq(fault.count, 1);
	check_eq(ESR_EC(fault.esr), EC_FP);
	fp_check(&got, &want, "a trap");
}

const struct test tests[] = {
	TEST(kept_over_exits),
	TEST(kept_unused),
	TEST(own_trap),
	TEST(every_cpu_its_own),
	TEST(exits_of_all),
	{},
};
