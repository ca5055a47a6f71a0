// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts between CPUs: every affinity form of SGIs, routes of SPIs, states seen from elsewhere. */
#include "gic.h"
#include "timer.h"

static volatile unsigned int got[CPU_MAX][16];
static volatile unsigned int spis[CPU_MAX];
static bool leave;

/* Asleep until something comes. */
static void take(void)
{
	unsigned int intid = gic_ack();

	if (intid < 16)
		got[cpu_index()][intid]++;
	else if (intid < 1020)
		spis[cpu_index()]++;
	if (intid < 1020)
		gic_eoi(intid);
}

static void listen(void)
{
	irqs_enable();
	while (!__atomic_load_n(&leave, __ATOMIC_ACQUIRE))
		wfi();
	irqs_disable();
}

static unsigned int sum(unsigned int intid)
{
	unsigned int total = 0;

	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		total += got[cpu][intid];
	return total;
}

static void start(void)
{
	leave = false;
	irq_handler = take;
	for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++) {
		spis[cpu] = 0;
		for (unsigned int i = 0; i < 16; i++)
			got[cpu][i] = 0;
	}
	cpu_start_all(listen);
	irqs_enable();
}

static void stop(void)
{
	__atomic_store_n(&leave, true, __ATOMIC_RELEASE);
	gic_sgi_value(SGI_ALL_BUT_SELF | 15 << 24);
	check(cpu_wait_all_off());
	irqs_disable();
	irq_handler = NULL;
}

static bool settles(unsigned int intid, unsigned int want)
{
	bool came = wait_for(sum(intid) >= want, 5 * SECOND);

	delay_us(2000);
	return check(came) && check_eq(sum(intid), want);
}

static void test_to_each(void)
{
	start();
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		gic_sgi(cpu, 1);
		check(wait_for(got[cpu][1] == 1, 5 * SECOND));
	}
	settles(1, cpu_count());
	stop();
}

static void test_all_but_self(void)
{
	start();
	gic_sgi_value(SGI_ALL_BUT_SELF | 2 << 24);
	settles(2, cpu_count() - 1);
	check_eq(got[0][2], 0);
	/* the target list counts for nothing then */
	gic_sgi_value(SGI_ALL_BUT_SELF | 3 << 24 | 1);
	settles(3, cpu_count() - 1);
	check_eq(got[0][3], 0);
	stop();
}

/* A list of a cluster; CPUs of it that are not there are ignored. */
static void test_lists(void)
{
	unsigned int clusters = (cpu_count() + 15) / 16;

	start();
	for (unsigned int c = 0; c < clusters; c++)
		gic_sgi_value((u64)c << 16 | 4 << 24 | 0xffff);
	settles(4, cpu_count());
	gic_sgi_value(5 << 24 | 3);
	settles(5, cpu_count() > 1 ? 2 : 1);
	check_eq(got[0][5], 1);
	stop();
}

static void test_to_nobody(void)
{
	start();
	gic_sgi_value(6 << 24);				/* an empty list */
	gic_sgi_value(6 << 24 | 0xffULL << 16 | 1);	/* no such Aff1, Aff2, Aff3 */
	gic_sgi_value(6 << 24 | 1ULL << 32 | 1);
	gic_sgi_value(6 << 24 | 1ULL << 48 | 1);
	if (icc_read(icc_ctlr) & ICC_CTLR_RSS)
		gic_sgi_value(6 << 24 | 1ULL << 44 | 1);	/* Aff0 of 16 and more */
	settles(6, 0);
	stop();
}

/* ---- shared interrupts ---- */

static void test_routes(void)
{
	start();
	gic_spi_setup(SPI, 0x80);
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		gic_route_cpu(SPI, cpu);
		gic_pend(0, SPI);
		check(wait_for(spis[cpu] == 1, 5 * SECOND));
	}
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		check_eq(spis[cpu], 1);
	gic_spi_fini(SPI);
	stop();
}

static unsigned int spi_sum(void)
{
	unsigned int total = 0;

	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		total += spis[cpu];
	return total;
}

/* Routed to nobody it waits; any one may take it, but one only. */
static void test_route_to_any(void)
{
	start();
	gic_spi_setup(SPI, 0x80);
	gic_route(SPI, 0xfe);
	gic_pend(0, SPI);
	delay_us(5000);
	check_eq(spi_sum(), 0);
	check(gic_is_pending(0, SPI));
	gic_route(SPI, IROUTER_ANY);
	check(wait_for(spi_sum() == 1, 5 * SECOND));
	for (unsigned int i = 2; i < 20; i++) {
		gic_pend(0, SPI);
		if (!check(wait_for(spi_sum() == i, 5 * SECOND)))
			break;
	}
	delay_us(2000);
	check_eq(spi_sum(), 19);
	gic_spi_fini(SPI);
	stop();
}

/* ---- another CPU's states, while it is in the guest ---- */

static unsigned int step;

static void at(unsigned int n)
{
	check(wait_for(__atomic_load_n(&step, __ATOMIC_ACQUIRE) == n, 10 * SECOND));
}

static void go(unsigned int n)
{
	__atomic_store_n(&step, n, __ATOMIC_RELEASE);
}

/* Acknowledges, spins without an exit, ends. */
static void hold(void)
{
	check_eq(gic_ack_wait(), SPI);
	go(1);
	at(2);
	gic_eoi(SPI);
	go(3);
	at(4);
	check_eq(gic_ack_wait(), SPI);
	go(5);
	at(6);
	check(gic_is_quiet());
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	go(7);
}

static void test_states_seen_from_elsewhere(void)
{
	if (cpu_count() < 2) {
		test_skip("needs two CPUs");
		return;
	}
	step = 0;
	gic_spi_setup(SPI, 0x80);
	gic_route_cpu(SPI, 1);
	check(cpu_start(1, hold));
	gic_pend(0, SPI);
	at(1);
	check(gic_is_active(0, SPI) && !gic_is_pending(0, SPI));
	go(2);
	at(3);
	check(!gic_is_active(0, SPI));
	go(4);
	gic_pend(0, SPI);
	at(5);
	/* again, and the route moves: it stays where it is active, and comes there or here after */
	gic_pend(0, SPI);
	check(gic_is_active(0, SPI) && gic_is_pending(0, SPI));
	go(6);
	at(7);
	check(!gic_is_active(0, SPI));
	check(cpu_wait_off(1));
	gic_spi_fini(SPI);
}

/* Disabled from here: when the write is done it does not come any more. */
static void test_private_ones_from_elsewhere(void)
{
	if (cpu_count() < 2) {
		test_skip("needs two CPUs");
		return;
	}
	start();
	gic_disable(1, 7);
	gic_sgi(1, 7);
	delay_us(3000);
	check_eq(got[1][7], 0);
	check(gic_is_pending(1, 7));
	gic_enable(1, 7);
	check(wait_for(got[1][7] == 1, 5 * SECOND));
	gic_pend(1, 8);
	check(wait_for(got[1][8] == 1, 5 * SECOND));
	stop();
}

const struct test tests[] = {
	TEST(to_each),
	TEST(all_but_self),
	TEST(lists),
	TEST(to_nobody),
	TEST(routes),
	TEST(route_to_any),
	TEST(states_seen_from_elsewhere),
	TEST(private_ones_from_elsewhere),
	{},
};
