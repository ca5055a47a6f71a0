// SPDX-License-Identifier: GPL-2.0-only
/*
 * All SPIs of the board pending at once, and all of its CPUs: a thousand and 64 where the config says so.
 * For itself a test of order and count; for the host the longest stretches with its interrupts off.
 */
#include "gic.h"

#define ROUNDS		20

static volatile unsigned int got[CPU_MAX];
static bool leave;

static unsigned int spi_end(void)
{
	unsigned int end = 32 * ((read32(GICD + GICD_TYPER) & 31) + 1);

	return end < 1020 ? end : 1020;
}

static void take(void)
{
	unsigned int intid = gic_ack();

	if (intid < 1020) {
		got[cpu_index()]++;
		gic_eoi(intid);
	}
}

static void listen(void)
{
	irqs_enable();
	while (!__atomic_load_n(&leave, __ATOMIC_ACQUIRE))
		wfi();
	irqs_disable();
}

/* Edges, to whoever is awake, but these as @route says. */
static void pend_all(u64 route)
{
	for (unsigned int intid = 32; intid < spi_end(); intid++) {
		gic_spi_setup(intid, 0x10 + intid % 28 * 8);
		gic_route(intid, route);
	}
	for (unsigned int intid = 32; intid < spi_end(); intid += 32)
		write32(GICD + GIC_ISPENDR + intid / 8, ~0u);
}

static unsigned int take_all(void)
{
	unsigned int count = 0, intid, best = 0;

	while ((intid = gic_ack()) != INTID_NONE) {
		check(0x10 + intid % 28 * 8 >= best);
		best = 0x10 + intid % 28 * 8;
		gic_eoi(intid);
		count++;
	}
	return count;
}

static void test_all_pending(void)
{
	pend_all(0);
	check_eq(take_all(), spi_end() - 32);
}

/* Whatever is done to all that are pending is done to each. */
static void test_all_changed_while_pending(void)
{
	icc_write(0, icc_pmr);
	pend_all(0);
	for (unsigned int intid = 32; intid < spi_end(); intid += 4)
		write32(GICD + GIC_IPRIORITYR + intid, 0x40404040);
	for (unsigned int intid = 32; intid < spi_end(); intid += 32) {
		write32(GICD + GIC_ICENABLER + intid / 8, ~0u);
		write32(GICD + GIC_ISENABLER + intid / 8, ~0u);
	}
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE);
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	icc_write(0xff, icc_pmr);
	for (unsigned int count = 32; count < spi_end(); count++) {
		unsigned int intid = gic_ack_wait();

		if (!check(intid != INTID_NONE))
			break;
		check_eq(icc_read(icc_rpr), 0x40);
		gic_eoi(intid);
	}
	check(gic_is_quiet());
}

/* CPU 0 says that it sleeps, and with it goes what any CPU may take. */
static void test_all_routed_away(void)
{
	unsigned int sum = 0;

	leave = false;
	for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++)
		got[cpu] = 0;
	irq_handler = take;
	icc_write(0, icc_pmr);
	pend_all(BIT(31));
	cpu_start_all(listen);
	write32(GICR(0) + GICR_WAKER, BIT(1));
	check(wait_for(got[1] == spi_end() - 32, 20 * SECOND));
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		sum += got[cpu];
	check_eq(sum, spi_end() - 32);
	write32(GICR(0) + GICR_WAKER, 0);
	icc_write(0xff, icc_pmr);
}

static void test_broadcasts(void)
{
	for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++)
		got[cpu] = 0;
	for (unsigned int i = 1; i <= ROUNDS; i++) {
		gic_sgi_value(SGI_ALL_BUT_SELF | 3 << 24);
		for (unsigned int cpu = 1; cpu < cpu_count(); cpu++)
			if (!check(wait_for(got[cpu] == i, 5 * SECOND)))
				break;
	}
	check_eq(got[0], 0);
	__atomic_store_n(&leave, true, __ATOMIC_RELEASE);
	gic_sgi_value(SGI_ALL_BUT_SELF | 15 << 24);
	check(cpu_wait_all_off());
	irq_handler = NULL;
}

/* The end of the VM finds them as they are. */
static void test_left_pending(void)
{
	pend_all(0);
	check(gic_ack() != INTID_NONE);
}

const struct test tests[] = {
	TEST(all_pending),
	TEST(all_changed_while_pending),
	TEST(all_routed_away),
	TEST(broadcasts),
	TEST(left_pending),
	{},
};
