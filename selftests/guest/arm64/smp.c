// SPDX-License-Identifier: GPL-2.0-only
/* All CPUs at once: sleeping, ticking, and sending interrupts to each other. Nothing may get lost. */
#include "gic.h"
#include "timer.h"

#define PING		1
#define STORM		2
#define ROUNDS		300
#define STORM_US	(2 * SECOND)
#define TICK_US		700

/* ---- asleep until the timer, interrupts masked: each deadline wakes ---- */

static void sleep_rounds(void)
{
	gic_enable(cpu_index(), 27);
	for (unsigned int i = 0; i < 5 * ROUNDS; i++) {
		u64 end;

		timer_start(TIMER_VIRT, 50 + i % 100);
		end = timer_cval(TIMER_VIRT);
		while (counter() < end)
			wfi();
		timer_stop(TIMER_VIRT);
	}
}

static void test_all_sleep(void)
{
	cpu_start_all(sleep_rounds);
	sleep_rounds();
	check(cpu_wait_all_off());
}

/* ---- a ball goes round, each CPU asleep until it has it ---- */

static unsigned int balls[CPU_MAX];

static void ball(void)
{
	unsigned int intid = gic_ack();

	if (intid == PING)
		__atomic_add_fetch(&balls[cpu_index()], 1, __ATOMIC_ACQ_REL);
	if (intid != INTID_NONE)
		gic_eoi(intid);
}

/* IRQs open only around WFI's end: no SGI can come between the look and the sleep unnoticed. */
static void ball_wait(unsigned int n)
{
	while (__atomic_load_n(&balls[cpu_index()], __ATOMIC_ACQUIRE) < n) {
		wfi();
		irqs_enable();
		isb();
		irqs_disable();
	}
}

static void ball_rounds(void)
{
	unsigned int cpu = cpu_index(), next = (cpu + 1) % cpu_count();

	for (unsigned int i = 1; i <= ROUNDS; i++) {
		if (cpu || i > 1)
			ball_wait(cpu ? i : i - 1);
		gic_sgi(next, PING);
	}
	if (!cpu)
		ball_wait(ROUNDS);
}

static void test_ball_goes_round(void)
{
	irq_handler = ball;
	cpu_start_all(ball_rounds);
	ball_rounds();
	check(cpu_wait_all_off());
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		check_eq(balls[cpu], ROUNDS);
	irq_handler = NULL;
}

/* ---- a storm ---- */

static struct {
	unsigned int sgis, ticks, spis;
} seen[CPU_MAX];
static unsigned int sent[CPU_MAX], acked[CPU_MAX];

static void storm_irq(void)
{
	unsigned int cpu = cpu_index(), intid = gic_ack();

	if (intid == 27) {
		seen[cpu].ticks++;
		timer_set_tval(TIMER_VIRT, ticks_of_us(TICK_US));
	} else if (intid == STORM) {
		seen[cpu].sgis++;
		__atomic_store_n(&acked[cpu], __atomic_load_n(&sent[cpu], __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
	} else if (intid >= SPI && intid < SPI + CPU_MAX) {
		seen[cpu].spis++;
	}
	if (intid != INTID_NONE)
		gic_eoi(intid);
}

/* To the next one, to all, by SPI to oneself; then some sleep. */
static void storm(void)
{
	unsigned int cpu = cpu_index(), next = (cpu + 1) % cpu_count(), rounds = 0;
	u64 end = counter() + ticks_of_us(STORM_US);

	gic_enable(cpu, 27);
	timer_start(TIMER_VIRT, TICK_US);
	irqs_enable();
	while (counter() < end || rounds < 16) {	/* whoever is starved does its part, too */
		__atomic_add_fetch(&sent[next], 1, __ATOMIC_ACQ_REL);
		gic_sgi(next, STORM);
		if (++rounds % 16 == 0)
			gic_sgi_value(SGI_ALL_BUT_SELF | STORM << 24);
		if (rounds % 8 == 0)
			gic_pend(0, SPI + cpu);
		if (rounds % 4 == 0)
			wfi();
	}
	/* the last one sent to this CPU comes, too */
	check(wait_for(__atomic_load_n(&acked[cpu], __ATOMIC_ACQUIRE) ==
		       __atomic_load_n(&sent[cpu], __ATOMIC_ACQUIRE), 10 * SECOND));
	irqs_disable();
	timer_stop(TIMER_VIRT);
}

static void test_storm(void)
{
	irq_handler = storm_irq;
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		gic_spi_setup(SPI + cpu, 0x90);
		gic_route_cpu(SPI + cpu, cpu);
	}
	cpu_start_all(storm);
	storm();
	check(cpu_wait_all_off());
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		check(seen[cpu].sgis > 0);
		check(seen[cpu].ticks > 0);
		check(seen[cpu].spis > 0);
		gic_spi_fini(SPI + cpu);
	}
	irq_handler = NULL;
}

/* ---- memory is shared: a lock and a counter ---- */

static unsigned long counted;

static void count(void)
{
	for (unsigned int i = 0; i < 20000; i++)
		__atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
}

static void test_shared_counter(void)
{
	cpu_start_all(count);
	count();
	check(cpu_wait_all_off());
	check_eq(counted, cpu_count() * 20000UL);
}

const struct test tests[] = {
	TEST(shared_counter),
	TEST(all_sleep),
	TEST(ball_goes_round),
	TEST(storm),
	{},
};
