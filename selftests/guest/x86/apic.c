// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC: both interfaces, priorities, errors, and the timer in its three modes. */
#include "apic.h"

#define VECTOR		0x51
#define VECTOR_LOW	0x41
#define VECTOR_HIGH	0x71
#define VECTOR_ERROR	0x61

static unsigned int try_base(u64 value)
{
	return VECTOR_OF("wrmsr", : "c"(MSR_APIC_BASE), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static unsigned int try_x2_write(u32 reg, u64 value)
{
	return VECTOR_OF("wrmsr", : "c"(0x800 + reg / 16), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static unsigned int try_x2_read(u32 reg)
{
	return VECTOR_OF("rdmsr", : "c"(0x800 + reg / 16) : "eax", "edx", "memory");
}

static void self(unsigned int vector)
{
	apic_send(0, ICR_SELF | ICR_ASSERT | vector);
}

/* ---- registers ---- */

static void test_identity(void)
{
	check_eq(apic_read(APIC_ID) >> 24, 0);
	check_eq(apic_read(APIC_VERSION) & 0xff, 0x14);
	check((apic_read(APIC_VERSION) >> 16 & 0xff) >= 5);
	check_eq(apic_read(APIC_SVR), SVR_ON | VECTOR_SPURIOUS);
	check_eq(apic_read(APIC_LVT_PERF), LVT_MASKED);
	check_eq(apic_read(APIC_DFR), 0xffffffff);
	apic_write(APIC_LDR, 0x5a123456);
	check_eq(apic_read(APIC_LDR), 0x5a000000);
	apic_write(APIC_LDR, 0);
	apic_write(APIC_DFR, 0x0fffffff);
	check_eq(apic_read(APIC_DFR), 0x0fffffff);
	apic_write(APIC_DFR, 0xffffffff);
	/* read-only ones stay */
	apic_write(APIC_VERSION, 0);
	check_eq(apic_read(APIC_VERSION) & 0xff, 0x14);
	check_eq(apic_read(APIC_PPR), 0);
}

/* Software-disabled, every LVT is masked and can't be unmasked (10.4.7.2). */
/* All that can be written, and what is read of it: the same whoever does it, processor or module. */
static void test_writes(void)
{
	static const struct { u32 reg, value, kept; } rows[] = {
		{ APIC_ID, 0xff000000, 0 }, { APIC_VERSION, 0, 0x01050014 }, { APIC_TPR, 0xffffffa5, 0xa5 },
		{ APIC_LDR, 0x5affffff, 0x5a000000 }, { APIC_DFR, 0x00000000, 0x0fffffff },
		{ APIC_DFR, 0xffffffff, 0xffffffff }, { APIC_LVT_THERMAL, 0xffffffff, 0x000107ff },
		{ APIC_LVT_PERF, 0x00010451, 0x00010451 }, { APIC_LVT_LINT1, 0xffffffff, 0x0001a7ff },
		{ APIC_LVT_ERROR, 0xffffffff, 0x000100ff }, { APIC_LVT_ERROR, 0x00010000, 0x00010000 },
		{ APIC_TIMER_DIV, 0xffffffff, 0xb }, { APIC_TIMER_DIV, DIV_BY_1, DIV_BY_1 },
		{ APIC_LDR, 0, 0 }, { APIC_TPR, 0, 0 }, { APIC_LVT_THERMAL, LVT_MASKED, LVT_MASKED },
		{ APIC_LVT_LINT1, LVT_MASKED, LVT_MASKED },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		apic_write(rows[i].reg, rows[i].value);
		if (!check_eq(apic_read(rows[i].reg), rows[i].kept))
			print("# register 0x%x\n", rows[i].reg);
	}
	/* parts of a register, and what lies beside it */
	apic_write(APIC_TPR, 0x37);
	check_eq(read8(LAPIC + APIC_TPR), 0x37);
	check_eq(read16(LAPIC + APIC_TPR), 0x37);
	check_eq(read32(LAPIC + APIC_TPR + 4), 0);
	write32(LAPIC + APIC_TPR + 4, 0x55);
	check_eq(apic_read(APIC_TPR), 0x37);
	check_eq(apic_read(APIC_PPR), 0x37);
	apic_write(APIC_TPR, 0);
}

static void test_software_disable(void)
{
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	apic_write(APIC_SVR, VECTOR_SPURIOUS);
	check_eq(apic_read(APIC_LVT_ERROR), LVT_MASKED | VECTOR_ERROR);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	check_eq(apic_read(APIC_LVT_ERROR), LVT_MASKED | VECTOR_ERROR);
	apic_write(APIC_SVR, SVR_ON | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	check_eq(apic_read(APIC_LVT_ERROR), VECTOR_ERROR);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
}

static void test_errors(void)
{
	u32 before = irqs_of(VECTOR_ERROR);

	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	apic_write(APIC_ESR, 0);
	apic_write(APIC_ESR, 0);
	check_eq(apic_read(APIC_ESR), 0);
	self(5);					/* vectors 0 to 15 can't be sent */
	irqs_enable();
	check(wait_for(irqs_of(VECTOR_ERROR) != before, SECOND));
	irqs_disable();
	apic_write(APIC_ESR, 0);
	check(apic_read(APIC_ESR) & 0x60);		/* send illegal, perhaps receive illegal */
	apic_write(APIC_ESR, 0);
	check_eq(apic_read(APIC_ESR), 0);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
}

/* ---- x2APIC ---- */

static void test_x2apic(void)
{
	u64 base;

	apic_to_x2();
	base = rdmsr(MSR_APIC_BASE);
	check_eq(base & (APIC_BASE_ON | APIC_BASE_X2 | APIC_BASE_BSP), APIC_BASE_ON | APIC_BASE_X2 | APIC_BASE_BSP);
	check_eq(apic_read(APIC_ID), 0);
	check_eq(apic_read(APIC_LDR), 1);
	check_eq(try_x2_write(APIC_ID, 1), GP);
	check_eq(try_x2_write(APIC_LDR, 1), GP);
	check_eq(try_x2_write(APIC_VERSION, 1), GP);
	check_eq(try_x2_write(APIC_ISR, 0), GP);
	check_eq(try_x2_write(APIC_TIMER_NOW, 0), GP);
	check_eq(try_x2_read(APIC_DFR), GP);
	check_eq(try_x2_read(APIC_ICR2), GP);
	check_eq(try_x2_read(APIC_EOI), GP);
	check_eq(try_x2_read(APIC_SELF_IPI), GP);
	check_eq(try_x2_write(APIC_EOI, 1), GP);
	check_eq(try_x2_write(APIC_ESR, 1), GP);
	check_eq(try_x2_write(APIC_TPR, 0x100), GP);
	check_eq(try_x2_write(APIC_SVR, BIT(31)), GP);
	check_eq(try_x2_write(APIC_SELF_IPI, 0x100), GP);
	check_eq(try_x2_write(APIC_LVT_TIMER, BIT(30)), GP);
	check_eq(try_x2_write(APIC_TPR, BIT(32)), GP);
	check_eq(try_x2_read(0x400), GP);
	check_eq(try_base(base & ~APIC_BASE_X2), GP);			/* straight to xAPIC */
	check_eq(try_base(base & ~(APIC_BASE_X2 | APIC_BASE_ON)), NONE);
	check_eq(try_base(base), GP);					/* from off to x2APIC */
	check_eq(try_x2_read(APIC_ID), GP);
	check_eq(try_base(base & ~APIC_BASE_X2), NONE);
	check_eq(try_x2_read(APIC_ID), GP);				/* xAPIC has no MSRs */
	apic_enable();
	check_eq(apic_read(APIC_ID), 0);
}

static void test_x2apic_self(void)
{
	u32 before = irqs_of(VECTOR);

	apic_to_x2();
	wrmsr(0x800 + APIC_SELF_IPI / 16, VECTOR);
	check(apic_bit(APIC_IRR, VECTOR));
	irqs_enable();
	check(wait_for(irqs_of(VECTOR) == before + 1, SECOND));
	self(VECTOR);
	check(wait_for(irqs_of(VECTOR) == before + 2, SECOND));
	irqs_disable();
	apic_to_xapic();
}

/* The page can be elsewhere: what was there is memory again, or nobody's. */
static void test_moved(void)
{
	u64 base = rdmsr(MSR_APIC_BASE), at = 0xd1000000;

	check_eq(try_base((base & 0xfff) | at), NONE);
	check_eq(read32(at + APIC_VERSION) & 0xff, 0x14);
	check_eq(read32(LAPIC + APIC_VERSION), 0xffffffff);
	check_eq(try_base(base), NONE);
	check_eq(read32(LAPIC + APIC_VERSION) & 0xff, 0x14);
}

/* ---- priorities ---- */

static unsigned int order[8], taken;

static void note_order(struct frame *frame)
{
	if (taken < ARRAY_SIZE(order))
		order[taken] = frame->vector;
	taken++;
	apic_eoi();
}

static void test_order(void)
{
	handlers[VECTOR_LOW] = handlers[VECTOR] = handlers[VECTOR_HIGH] = note_order;
	taken = 0;
	self(VECTOR);
	self(VECTOR_LOW);
	self(VECTOR_HIGH);
	self(VECTOR);			/* the same again while it waits: one */
	irqs_enable();
	check(wait_for(taken == 3, SECOND));
	delay_us(50);
	irqs_disable();
	check_eq(taken, 3);
	check_eq(order[0], VECTOR_HIGH);
	check_eq(order[1], VECTOR);
	check_eq(order[2], VECTOR_LOW);
	handlers[VECTOR_LOW] = handlers[VECTOR] = handlers[VECTOR_HIGH] = NULL;
}

/* In a handler: a lower one waits for its EOI, a higher one comes through. */
static void nested(struct frame *frame)
{
	(void)frame;
	order[taken++] = VECTOR;
	check(apic_bit(APIC_ISR, VECTOR));
	check_eq(apic_read(APIC_PPR), VECTOR & 0xf0);
	self(VECTOR_LOW);
	self(VECTOR_HIGH);
	irqs_enable();
	delay_us(50);
	irqs_disable();
	check_eq(taken, 2);
	check(apic_bit(APIC_IRR, VECTOR_LOW));
	apic_eoi();
	check(!apic_bit(APIC_ISR, VECTOR));
}

static void test_nesting(void)
{
	taken = 0;
	handlers[VECTOR] = nested;
	handlers[VECTOR_LOW] = handlers[VECTOR_HIGH] = note_order;
	self(VECTOR);
	irqs_enable();
	check(wait_for(taken == 3, SECOND));
	irqs_disable();
	check_eq(order[1], VECTOR_HIGH);
	check_eq(order[2], VECTOR_LOW);
	handlers[VECTOR] = handlers[VECTOR_LOW] = handlers[VECTOR_HIGH] = NULL;
	check_eq(apic_read(APIC_PPR), 0);
}

static void test_tpr(void)
{
	u32 before = irqs_of(VECTOR);

	apic_write(APIC_TPR, VECTOR & 0xf0);
	check_eq(apic_read(APIC_PPR), VECTOR & 0xf0);
	self(VECTOR);
	irqs_enable();
	delay_us(50);
	check_eq(irqs_of(VECTOR), before);
	apic_write(APIC_TPR, (VECTOR & 0xf0) - 1);
	check(wait_for(irqs_of(VECTOR) == before + 1, SECOND));
	irqs_disable();
	apic_write(APIC_TPR, 0);
}

/* RFLAGS.IF keeps one out however many interrupts of the host's come meanwhile (SDM vol. 3 6.8.1, 29.2.1). */
static void test_interrupts_off(void)
{
	u32 before = irqs_of(VECTOR);

	if (boot_cmdline_is("if-ignored")) {
		test_skip("this emulator's virtual-interrupt delivery ignores IF");
		return;
	}
	apic_write(APIC_TPR, 0xf0);
	self(VECTOR);
	irqs_enable();
	irqs_disable();
	apic_write(APIC_TPR, 0);	/* without an exit, where TPR is the processor's */
	delay_us(30000);
	check_eq(irqs_of(VECTOR), before);
	irqs_enable();
	check(wait_for(irqs_of(VECTOR) == before + 1, SECOND));
	irqs_disable();
}

/* ---- the timer ---- */

static void start_timer(u32 mode, u64 us)
{
	apic_write(APIC_TIMER_DIV, DIV_BY_1);
	apic_write(APIC_LVT_TIMER, mode | VECTOR);
	apic_write(APIC_TIMER_INIT, apic_ticks_of_us(us));
}

/* The host may be slow to bring it, never early. */
static void test_one_shot(void)
{
	u32 before = irqs_of(VECTOR);
	u64 begin = tsc(), took;

	start_timer(0, 1000);
	irqs_enable();
	check(wait_for(irqs_of(VECTOR) != before, SECOND));
	took = us_of_tsc(tsc() - begin);
	check(took >= 999);
	delay_us(3000);
	irqs_disable();
	check_eq(irqs_of(VECTOR), before + 1);
	check_eq(apic_read(APIC_TIMER_NOW), 0);
	check_eq(apic_read(APIC_TIMER_INIT), apic_ticks_of_us(1000));
	apic_timer_stop();
}

static void test_periodic(void)
{
	u32 before = irqs_of(VECTOR);
	u64 begin = tsc(), took;

	start_timer(LVT_PERIODIC, 1000);
	irqs_enable();
	check(wait_for(irqs_of(VECTOR) - before >= 10, SECOND));
	took = us_of_tsc(tsc() - begin);
	irqs_disable();
	check(took >= 9000);
	apic_timer_stop();
	delay_us(2000);
	before = irqs_of(VECTOR) + apic_bit(APIC_IRR, VECTOR);
	irqs_enable();
	delay_us(3000);
	irqs_disable();
	check_eq(irqs_of(VECTOR), before);
}

static void test_count_goes_down(void)
{
	u32 first, second, init;

	start_timer(LVT_MASKED, 100000);
	init = apic_read(APIC_TIMER_INIT);
	first = apic_read(APIC_TIMER_NOW);
	delay_us(100);
	second = apic_read(APIC_TIMER_NOW);
	check(first <= init && second < first);
	check(first - second >= apic_ticks_of_us(100));
	/* divided by 4 it goes 4 times as slow */
	apic_write(APIC_TIMER_DIV, 1);
	check_eq(apic_read(APIC_TIMER_DIV), 1);
	apic_write(APIC_TIMER_INIT, apic_ticks_of_us(100000));
	first = apic_read(APIC_TIMER_NOW);
	delay_us(400);
	second = apic_read(APIC_TIMER_NOW);
	check(first - second >= apic_ticks_of_us(100) - 10 && first - second < apic_ticks_of_us(100000) / 4);
	apic_timer_stop();
	check_eq(apic_read(APIC_TIMER_NOW), 0);
}

static void test_masked(void)
{
	u32 before = irqs_of(VECTOR);

	start_timer(LVT_MASKED, 200);
	irqs_enable();
	delay_us(1000);
	irqs_disable();
	check_eq(irqs_of(VECTOR), before);
	check(!apic_bit(APIC_IRR, VECTOR));
	check_eq(apic_read(APIC_TIMER_NOW), 0);
	apic_timer_stop();
}

static void deadline(u64 when)
{
	wrmsr(MSR_TSC_DEADLINE, when);
}

static void test_deadline(void)
{
	u32 before = irqs_of(VECTOR);
	u64 when;

	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR);
	check_eq(rdmsr(MSR_TSC_DEADLINE), 0);
	when = tsc() + tsc_of_us(1000);
	deadline(when);
	check_eq(rdmsr(MSR_TSC_DEADLINE), when);
	irqs_enable();
	check(wait_for(irqs_of(VECTOR) != before, SECOND));
	check(tsc() >= when);
	check_eq(rdmsr(MSR_TSC_DEADLINE), 0);
	delay_us(2000);
	check_eq(irqs_of(VECTOR), before + 1);
	/* one in the past is now; zero is none */
	deadline(tsc() - 1);
	check(wait_for(irqs_of(VECTOR) == before + 2, SECOND));
	deadline(1);
	check(wait_for(irqs_of(VECTOR) == before + 3, SECOND));
	deadline(tsc() + tsc_of_us(500));
	deadline(0);
	delay_us(1500);
	check_eq(irqs_of(VECTOR), before + 3);
	deadline(~0ULL);
	delay_us(200);
	check_eq(irqs_of(VECTOR), before + 3);
	irqs_disable();
	check_eq(rdmsr(MSR_TSC_DEADLINE), ~0ULL);
	/* another mode: the deadline is gone, and can't be set */
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR);
	check_eq(rdmsr(MSR_TSC_DEADLINE), 0);
	deadline(tsc() + 100);
	check_eq(rdmsr(MSR_TSC_DEADLINE), 0);
	apic_write(APIC_TIMER_INIT, 1000);
	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | LVT_MASKED | VECTOR);
	check_eq(apic_read(APIC_TIMER_NOW), 0);
	apic_timer_stop();
}

/* The guest's own TSC is what deadlines are of. */
static void test_deadline_follows_tsc(void)
{
	u64 adjust = rdmsr(MSR_TSC_ADJUST), ahead = tsc_of_us(50 * SECOND);
	u32 before = irqs_of(VECTOR);
	u64 now;

	check_eq(adjust, 0);
	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR);
	deadline(tsc() + ahead);
	irqs_enable();
	delay_us(100);
	check_eq(irqs_of(VECTOR), before);
	wrmsr(MSR_TSC_ADJUST, ahead);
	check(wait_for(irqs_of(VECTOR) == before + 1, SECOND));
	irqs_disable();
	check_eq(rdmsr(MSR_TSC_ADJUST), ahead);
	now = tsc();
	check(now >= ahead);
	wrmsr(MSR_TSC, 0x1000);
	now = tsc();
	check(now >= 0x1000 && now < tsc_of_us(SECOND));
	check(rdmsr(MSR_TSC_ADJUST) != ahead);
	check(rdmsr(MSR_TSC) >= now);
	wrmsr(MSR_TSC_ADJUST, 0);
	apic_timer_stop();
}

/*
 * HLT is ended by it in every mode, many times over. Periods that an emulated EOI fits in many times:
 * else the guest has nothing but interrupts.
 */
static void test_hlt(void)
{
	static const u32 modes[] = { 0, LVT_PERIODIC };

	for (unsigned int m = 0; m < ARRAY_SIZE(modes); m++) {
		for (unsigned int i = 0; i < 10; i++) {
			u32 before = irqs_of(VECTOR);

			start_timer(modes[m], 3000);
			while (irqs_of(VECTOR) == before)
				hlt_enabled();
			apic_timer_stop();
		}
	}
	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR);
	for (unsigned int i = 0; i < 10; i++) {
		u32 before = irqs_of(VECTOR);

		deadline(tsc() + tsc_of_us(i * 50));
		while (irqs_of(VECTOR) == before)
			hlt_enabled();
	}
	apic_timer_stop();
	check(true);
}

static void timers_x2(void (*fn)(void))
{
	apic_to_x2();
	fn();
	apic_to_xapic();
}

static void test_x2apic_timers(void)
{
	timers_x2(test_one_shot);
	timers_x2(test_periodic);
	timers_x2(test_deadline);
	timers_x2(test_order);
	timers_x2(test_nesting);
	timers_x2(test_interrupts_off);
}

const struct test tests[] = {
	TEST(identity),
	TEST(writes),
	TEST(software_disable),
	TEST(errors),
	TEST(order),
	TEST(nesting),
	TEST(tpr),
	TEST(interrupts_off),
	TEST(one_shot),
	TEST(periodic),
	TEST(count_goes_down),
	TEST(masked),
	TEST(deadline),
	TEST(deadline_follows_tsc),
	TEST(hlt),
	/* from here on no page of the APIC is the processor's any more */
	TEST(moved),
	TEST(x2apic),
	TEST(x2apic_self),
	TEST(x2apic_timers),
	{},
};
