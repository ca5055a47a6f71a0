// SPDX-License-Identifier: GPL-2.0-only
/* The EL1 virtual and physical timers (Arm ARM D11.2), each by the same tests. */
#include "gic.h"
#include "timer.h"

#define TICK_US		1000
#define TICKS		100

/* The timer under test, its interrupt enabled, and its state as it was before. */
static enum timer timer;

static void timer_setup(enum timer t)
{
	timer = t;
	timer_stop(t);
	gic_set_bit(0, timer_intid(t), GIC_ICACTIVER);
	gic_unpend(0, timer_intid(t));
	gic_enable(0, timer_intid(t));
}

static bool timer_comes(void)
{
	return check_eq(gic_ack_wait(), timer_intid(timer));
}

/* A level: what stops it comes before the EOI. */
static void timer_take(void)
{
	if (timer_comes()) {
		timer_stop(timer);
		gic_eoi(timer_intid(timer));
	}
	check(gic_is_quiet());
}

static u64 now(void)
{
	return timer_counter(timer);
}

static void fires(void)
{
	u64 begin = now(), ctl;

	timer_start(timer, 2000);
	ctl = timer_ctl(timer);
	/* a busy host may let the vCPU stand still for longer than that */
	if (now() - begin < ticks_of_us(2000))
		check_eq(ctl, CTL_ENABLE);
	if (timer_comes()) {
		check(now() - begin >= ticks_of_us(2000));
		check_eq(timer_ctl(timer), CTL_ENABLE | CTL_ISTATUS);
		timer_stop(timer);
		gic_eoi(timer_intid(timer));
	}
	check(gic_is_quiet());
}

/* Still up at EOI: comes again, without another edge of anything. */
static void stays_until_stopped(void)
{
	timer_start(timer, 0);
	for (unsigned int i = 0; i < 5; i++) {
		if (timer_comes())
			gic_eoi(timer_intid(timer));
	}
	timer_take();
}

static void tval(void)
{
	timer_stop(timer);
	timer_set_tval(timer, 1000);
	check((s64)(timer_cval(timer) - now()) <= 1000);
	check((s64)(timer_cval(timer) - now()) > -(s64)ticks_of_us(SECOND));
	check((s32)timer_tval(timer) <= 1000);
	timer_set_cval(timer, now() + (1ULL << 40));
	check_eq(timer_tval(timer) >> 32, 0);
	timer_set_tval(timer, ticks_of_us(1000));
	timer_set_ctl(timer, CTL_ENABLE);
	timer_take();
}

/* TVAL is signed: in the past, hence at once; CVAL is below the counter. */
static void tval_negative(void)
{
	timer_stop(timer);
	timer_set_tval(timer, (u32)-1000);
	check(timer_cval(timer) < now());
	check((s32)timer_tval(timer) <= -1000);
	timer_set_ctl(timer, CTL_ENABLE);
	check_eq(timer_ctl(timer), CTL_ENABLE | CTL_ISTATUS);
	timer_take();
}

/* The condition is met and seen, the interrupt is not. */
static void imask(void)
{
	u64 end;

	timer_set_cval(timer, now());
	timer_set_ctl(timer, CTL_ENABLE | CTL_IMASK);
	check_eq(timer_ctl(timer), CTL_ENABLE | CTL_IMASK | CTL_ISTATUS);
	check(gic_is_quiet());
	timer_set_ctl(timer, CTL_ENABLE);
	timer_take();
	timer_start(timer, 1000);
	end = timer_cval(timer);
	timer_set_ctl(timer, CTL_ENABLE | CTL_IMASK);
	/* a busy host may let the vCPU stand still until it is too late */
	if (now() < end)
		check(gic_is_quiet());
	else
		gic_is_quiet();
	timer_stop(timer);
}

/* Masked by the handler, not stopped: the level is gone at EOI all the same. */
static void imask_in_the_handler(void)
{
	timer_start(timer, 0);
	if (timer_comes()) {
		timer_set_ctl(timer, CTL_ENABLE | CTL_IMASK);
		gic_eoi(timer_intid(timer));
	}
	check(gic_is_quiet());
	timer_stop(timer);
}

static void cval_moves(void)
{
	u64 far = now() + ticks_of_us(100 * SECOND);

	/* nearer */
	timer_set_cval(timer, far);
	timer_set_ctl(timer, CTL_ENABLE);
	check(gic_is_quiet());
	timer_set_cval(timer, now() + ticks_of_us(1000));
	timer_take();
	/* farther, in time */
	timer_start(timer, 20000);
	timer_set_cval(timer, far);
	check(!wait_for(gic_ack() != INTID_NONE, 30000));
	check_eq(timer_ctl(timer), CTL_ENABLE);
	/* and to the past */
	timer_set_cval(timer, 0);
	timer_take();
}

/* It fired, is pending but was not taken, and goes away again: nothing is left. */
static void cval_withdrawn(void)
{
	timer_start(timer, 0);
	check(wait_for(gic_is_pending(0, timer_intid(timer)), SECOND));
	timer_set_cval(timer, now() + ticks_of_us(100 * SECOND));
	check(wait_for(!gic_is_pending(0, timer_intid(timer)), SECOND));
	check(gic_is_quiet());
	timer_stop(timer);
}

/* No access in between that would make the guest exit: only the interrupt itself comes in. */
static void withdrawn_and_again(void)
{
	for (unsigned int i = 0; i < 10; i++) {
		timer_start(timer, 100);
		check(wait_for(icc_read(icc_hppir1) == timer_intid(timer), SECOND));
		timer_stop(timer);
		timer_start(timer, 100);
		timer_take();
	}
}

static void far_deadlines(void)
{
	static const u64 far[] = { 1ULL << 32, 1ULL << 40, 1ULL << 55, 1ULL << 62 };

	for (unsigned int i = 0; i < ARRAY_SIZE(far); i++) {
		timer_set_cval(timer, now() + far[i]);
		timer_set_ctl(timer, CTL_ENABLE);
		check(gic_is_quiet());
		check_eq(timer_ctl(timer), CTL_ENABLE);
	}
	timer_stop(timer);
}

/* ---- by interrupts ---- */

static volatile unsigned int ticks;

/* Writes TVAL and nothing else. */
static void tick(void)
{
	unsigned int intid = gic_ack();

	if (intid == timer_intid(timer)) {
		ticks++;
		timer_set_tval(timer, ticks_of_us(TICK_US));
	}
	if (intid != INTID_NONE)
		gic_eoi(intid);
}

static void ticks_by_tval(void)
{
	u64 begin = now();

	ticks = 0;
	irq_handler = tick;
	timer_start(timer, TICK_US);
	irqs_enable();
	check(wait_for(ticks >= TICKS, 10 * SECOND));
	irqs_disable();
	timer_stop(timer);
	check(now() - begin >= TICKS * ticks_of_us(TICK_US));
	irq_handler = NULL;
	check(gic_is_quiet());
}

/* WFI comes back at the deadline, not before, taken or masked. */
static void wfi_wakes(void)
{
	u64 begin = now(), end;
	unsigned int sleeps = 0;

	ticks = 0;
	irq_handler = tick;
	timer_start(timer, 3000);
	end = timer_cval(timer);
	irqs_enable();
	while (!ticks && sleeps++ < 1000)
		wfi();
	irqs_disable();
	check(ticks && now() >= end);
	timer_stop(timer);
	irq_handler = NULL;
	check(now() - begin < ticks_of_us(5 * SECOND));
}

static void wfi_masked_wakes(void)
{
	unsigned int sleeps = 0;
	u64 end;

	timer_start(timer, 3000);
	end = timer_cval(timer);
	while (now() < end && sleeps++ < 1000)
		wfi();
	check(now() >= end);
	check(sleeps < 100);
	timer_take();
}

/* EOImode 1: an EOI lets others in, and the next tick comes after the deactivation only. */
static void ticks_by_dir(void)
{
	unsigned int intid = timer_intid(timer);

	gic_set_eoimode(1);
	timer_start(timer, 100);
	for (unsigned int i = 0; i < 20; i++) {
		if (!timer_comes())
			break;
		timer_set_tval(timer, ticks_of_us(100));
		gic_eoi(intid);
		check(gic_is_quiet());
		/* a busy emulator sets ISTATUS late, by a thread of its own */
		check(wait_for(timer_ctl(timer) == (CTL_ENABLE | CTL_ISTATUS), SECOND));
		gic_dir(intid);
	}
	timer_comes();
	timer_stop(timer);
	gic_eoi(intid);
	gic_dir(intid);
	check(gic_is_quiet());
	gic_set_eoimode(0);
}

/* Deactivated by a write to ICACTIVER, the line up and down: it comes again, and later too. */
static void cleared_by_register(void)
{
	unsigned int intid = timer_intid(timer);

	gic_set_eoimode(1);
	timer_start(timer, 100);
	for (unsigned int i = 0; i < 10; i++) {
		if (!timer_comes())
			break;
		gic_eoi(intid);
		if (i % 2)
			timer_set_tval(timer, ticks_of_us(100));
		gic_set_bit(0, intid, GIC_ICACTIVER);
	}
	timer_comes();
	timer_stop(timer);
	gic_eoi(intid);
	gic_dir(intid);
	check(gic_is_quiet());
	gic_set_eoimode(0);
}

/* Masked at the CPU interface while it is up: a withdrawal is seen, and the next one comes. */
static void withdrawn_behind_the_mask(void)
{
	icc_write(0, icc_pmr);
	timer_start(timer, 0);
	check(wait_for(gic_is_pending(0, timer_intid(timer)), SECOND));
	timer_set_cval(timer, now() + ticks_of_us(20000));
	check(!gic_is_pending(0, timer_intid(timer)));
	icc_write(0xff, icc_pmr);
	timer_take();
	check(now() >= timer_cval(timer));
}

/* ---- both ---- */

#define BOTH(name)				\
	static void test_virt_##name(void)	\
	{					\
		timer_setup(TIMER_VIRT);	\
		name();				\
	}					\
	static void test_phys_##name(void)	\
	{					\
		timer_setup(TIMER_PHYS);	\
		name();				\
	}

#define EACH(X)								\
	X(fires) X(stays_until_stopped) X(tval) X(tval_negative) X(imask) X(imask_in_the_handler) \
	X(cval_moves) X(cval_withdrawn) X(withdrawn_and_again) X(far_deadlines) X(ticks_by_tval) X(wfi_wakes)		  \
	X(wfi_masked_wakes) X(ticks_by_dir) X(cleared_by_register) X(withdrawn_behind_the_mask)

EACH(BOTH)

/* At once, each with its own deadline. */
static void test_both_at_once(void)
{
	unsigned int first, second;

	timer_setup(TIMER_PHYS);
	timer_setup(TIMER_VIRT);
	timer_start(TIMER_PHYS, 1000);
	timer_start(TIMER_VIRT, 2000);
	first = gic_ack_wait();
	timer_stop(first == 27 ? TIMER_VIRT : TIMER_PHYS);
	gic_eoi(first);
	second = gic_ack_wait();
	timer_stop(second == 27 ? TIMER_VIRT : TIMER_PHYS);
	gic_eoi(second);
	check_eq(first + second, 27 + 30);
	check(gic_is_quiet());
}

static void test_not_routed(void)
{
	gic_disable(0, 27);
	timer_start(TIMER_VIRT, 0);
	check(gic_is_quiet());
	check(wait_for(gic_is_pending(0, 27), SECOND));
	gic_enable(0, 27);
	timer = TIMER_VIRT;
	timer_take();
}

/* ---- counters ---- */

static void test_counter_starts_near_zero(void)
{
	check(counter() < ticks_of_us(10 * SECOND));
}

/* Physical and virtual one run at the same rate: there is one distance that fits all readings. */
static void test_counters_together(void)
{
	s64 least = INT64_MIN, most = INT64_MAX;

	for (unsigned int i = 0; i < 2000; i++) {
		u64 before = counter(), phys = timer_counter(TIMER_PHYS), after = counter();

		check(after >= before);
		if ((s64)(phys - after) > least)
			least = phys - after;
		if ((s64)(phys - before) < most)
			most = phys - before;
	}
	check(least <= most);
}

static void test_frequency(void)
{
	check(read_sysreg(cntfrq_el0) >= 1000000);
}

/* Taken in turns: no CPU sees a time before that of the one before it. */
static struct {
	unsigned int turn;
	u64 last;
} relay;

static void relay_run(void)
{
	unsigned int count = cpu_count(), cpu = cpu_index();

	for (unsigned int i = 0; i < 200; i++) {
		u64 time;

		if (!check(wait_for(__atomic_load_n(&relay.turn, __ATOMIC_ACQUIRE) % count == cpu,
				    10 * SECOND)))
			return;
		time = counter();
		check(time >= relay.last);
		relay.last = time;
		__atomic_store_n(&relay.turn, relay.turn + 1, __ATOMIC_RELEASE);
	}
}

static void test_monotonic_across_cpus(void)
{
	cpu_start_all(relay_run);
	relay_run();
	check(cpu_wait_all_off());
}

/* Each CPU has timers of its own. */
static void own_ticks(void)
{
	enum timer t = cpu_index() % 2 ? TIMER_PHYS : TIMER_VIRT;
	unsigned int intid = timer_intid(t);

	gic_enable(cpu_index(), intid);
	for (unsigned int i = 0; i < 20; i++) {
		timer_start(t, 500 + 100 * cpu_index());
		if (check_eq(gic_ack_wait(), intid)) {
			timer_stop(t);
			gic_eoi(intid);
		}
	}
	check(gic_is_quiet());
}

static void test_every_cpu_its_own(void)
{
	cpu_start_all(own_ticks);
	own_ticks();
	check(cpu_wait_all_off());
}

#define ROW_VIRT(name)	TEST(virt_##name),
#define ROW_PHYS(name)	TEST(phys_##name),

const struct test tests[] = {
	TEST(counter_starts_near_zero),
	TEST(frequency),
	EACH(ROW_VIRT)
	EACH(ROW_PHYS)
	TEST(both_at_once),
	TEST(not_routed),
	TEST(counters_together),
	TEST(monotonic_across_cpus),
	TEST(every_cpu_its_own),
	{},
};
