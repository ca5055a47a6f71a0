// SPDX-License-Identifier: GPL-2.0-only
/*
 * The GIC as CPU 0 sees it: which of several interrupts comes, and what keeps it back.
 */
#include "gic.h"

#define MANY		40	/* more than any GIC has list registers */

/* ---- priorities ---- */

static void test_order(void)
{
	static const u8 priority[] = { 0x90, 0x20, 0xf0, 0x40, 0x88, 0x00 };
	static const unsigned int order[] = { SPI + 5, SPI + 1, SPI + 3, SPI + 4, SPI + 0, SPI + 2 };

	for (unsigned int i = 0; i < ARRAY_SIZE(priority); i++)
		gic_spi_setup(SPI + i, priority[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(priority); i++)
		gic_pend(0, SPI + i);
	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		check(wait_for(icc_read(icc_hppir1) == order[i], SECOND));
		check_eq(gic_ack_wait(), order[i]);
		check_eq(icc_read(icc_rpr), priority[order[i] - SPI]);
		gic_eoi(order[i]);
	}
	check(gic_is_quiet());
	for (unsigned int i = 0; i < ARRAY_SIZE(priority); i++)
		gic_spi_fini(SPI + i);
}

static void test_mask(void)
{
	gic_spi_setup(SPI, 0x80);
	icc_write(0x80, icc_pmr);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	icc_write(0x40, icc_pmr);
	check(gic_is_quiet());
	icc_write(0x88, icc_pmr);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	icc_write(0, icc_pmr);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	gic_unpend(0, SPI);
	icc_write(0xff, icc_pmr);
	check(gic_is_quiet());
	gic_spi_fini(SPI);
}

static void test_preemption(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_spi_setup(SPI + 1, 0x80);
	gic_spi_setup(SPI + 2, 0x40);
	gic_spi_setup(SPI + 3, 0xc0);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_pend(0, SPI + 1);	/* the same */
	gic_pend(0, SPI + 3);	/* and lower */
	check(gic_is_quiet());
	gic_pend(0, SPI + 2);
	check_eq(gic_ack_wait(), SPI + 2);
	check_eq(icc_read(icc_rpr), 0x40);
	gic_eoi(SPI + 2);
	check_eq(icc_read(icc_rpr), 0x80);
	check(gic_is_quiet());
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	check_eq(gic_ack_wait(), SPI + 3);
	gic_eoi(SPI + 3);
	check(gic_is_quiet());
	for (unsigned int i = 0; i < 4; i++)
		gic_spi_fini(SPI + i);
}

/* Group 1's binary point n: bits below n are no reason to preempt (IHI 0069, 4.8.2). */
static void test_binary_point(void)
{
	gic_spi_setup(SPI, 0x70);
	gic_spi_setup(SPI + 1, 0x40);
	icc_write(6, icc_bpr1);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	check_eq(icc_read(icc_rpr), 0x40);	/* of its preemption group */
	gic_pend(0, SPI + 1);
	check(gic_is_quiet());
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	icc_write(5, icc_bpr1);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	check_eq(icc_read(icc_rpr), 0x60);
	gic_pend(0, SPI + 1);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	gic_eoi(SPI);
	icc_write(0, icc_bpr1);
	gic_spi_fini(SPI);
	gic_spi_fini(SPI + 1);
}

/* Changed while it is pending. */
static void test_priority_moves(void)
{
	gic_spi_setup(SPI, 0xc0);
	gic_spi_setup(SPI + 1, 0x80);
	gic_pend(0, SPI);
	gic_pend(0, SPI + 1);
	gic_set_priority(0, SPI, 0x40);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	gic_spi_fini(SPI);
	gic_spi_fini(SPI + 1);
}

/* CBPR: one binary point for both groups, that of group 0; the other reads one more and takes no write. */
static void test_common_binary_point(void)
{
	u64 ctlr = icc_read(icc_ctlr), bpr0 = icc_read(icc_bpr0);

	icc_write(6, icc_bpr1);
	icc_write(3, icc_bpr0);
	icc_write(ctlr | BIT(0), icc_ctlr);
	isb();
	check_eq(icc_read(icc_bpr1), 4);
	icc_write(7, icc_bpr1);
	check_eq(icc_read(icc_bpr1), 4);
	/* groups of 16: 0x80 and 0x88 are one, 0x70 is another */
	gic_spi_setup(SPI, 0x88);
	gic_spi_setup(SPI + 1, 0x80);
	gic_spi_setup(SPI + 2, 0x70);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_pend(0, SPI + 1);
	check(gic_is_quiet());
	gic_pend(0, SPI + 2);
	check_eq(gic_ack_wait(), SPI + 2);
	gic_eoi(SPI + 2);
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	icc_write(bpr0, icc_bpr0);
	icc_write(ctlr, icc_ctlr);
	isb();
	check_eq(icc_read(icc_bpr1), 6);
	icc_write(0, icc_bpr1);
	for (unsigned int i = 0; i < 3; i++)
		gic_spi_fini(SPI + i);
}

/* An active interrupt keeps the running priority that it was taken with. */
static void test_priority_moves_while_active(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_spi_setup(SPI + 1, 0x60);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_set_priority(0, SPI, 0x20);
	check_eq(icc_read(icc_rpr), 0x80);
	gic_pend(0, SPI + 1);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	gic_set_priority(0, SPI, 0xc0);
	gic_eoi(SPI);
	check(!gic_is_active(0, SPI));
	check_eq(icc_read(icc_rpr), 0xff);
	gic_spi_fini(SPI);
	gic_spi_fini(SPI + 1);
}

/* ---- more than there are list registers ---- */

static void test_many_pending(void)
{
	unsigned int last = 0;

	for (unsigned int i = 0; i < MANY; i++)
		gic_spi_setup(SPI + i, (i * 11 % 31) << 3);	/* 31 may be masked for good */
	for (unsigned int i = 0; i < MANY; i++)
		gic_pend(0, SPI + i);
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int intid = gic_ack_wait();

		if (!check(intid >= SPI && intid < SPI + MANY))
			break;
		check(icc_read(icc_rpr) >= last);
		last = icc_read(icc_rpr);
		gic_eoi(intid);
		check(!gic_is_pending(0, intid) && !gic_is_active(0, intid));
	}
	check(gic_is_quiet());
	for (unsigned int i = 0; i < MANY; i++)
		gic_spi_fini(SPI + i);
}

/* All priorities, each preempting the one before: 16 preemption levels, and more in between. */
static void test_many_active(void)
{
	enum { LEVELS = 30 };

	for (unsigned int i = 0; i < LEVELS; i++) {
		gic_spi_setup(SPI + i, 0xf0 - 8 * i);
		gic_pend(0, SPI + i);
		check_eq(gic_ack_wait(), SPI + i);
	}
	for (unsigned int i = 0; i < LEVELS; i++)
		check(gic_is_active(0, SPI + i));
	for (unsigned int i = LEVELS; i-- > 0;) {
		check_eq(icc_read(icc_rpr), 0xf0 - 8 * i);
		gic_eoi(SPI + i);
		check(!gic_is_active(0, SPI + i));
	}
	check_eq(icc_read(icc_rpr), 0xff);
	check(gic_is_quiet());
	for (unsigned int i = 0; i < LEVELS; i++)
		gic_spi_fini(SPI + i);
}

/* ---- by exceptions, nested ---- */

static struct {
	unsigned int depth, deepest, count;
} nested;

/* Each one pends the next, of a better priority, and lets it in. */
static void take_nested(void)
{
	unsigned int intid = gic_ack();
	u64 elr = read_sysreg(elr_el1), spsr = read_sysreg(spsr_el1);

	if (intid == INTID_NONE)
		return;
	nested.count++;
	if (++nested.depth > nested.deepest)
		nested.deepest = nested.depth;
	if (intid < SPI + 9) {
		gic_pend(0, intid + 1);
		irqs_enable();
		wait_for(nested.count > intid + 1 - SPI, SECOND);
		irqs_disable();
	}
	nested.depth--;
	gic_eoi(intid);
	write_sysreg(elr, elr_el1);
	write_sysreg(spsr, spsr_el1);
}

static void test_nested_interrupts(void)
{
	for (unsigned int i = 0; i < 10; i++)
		gic_spi_setup(SPI + i, 0xe0 - i * 0x10);
	irq_handler = take_nested;
	irqs_enable();
	gic_pend(0, SPI);
	check(wait_for(*(volatile unsigned int *)&nested.count == 10, 5 * SECOND));
	irqs_disable();
	irq_handler = NULL;
	check_eq(nested.deepest, 10);
	check_eq(icc_read(icc_rpr), 0xff);
	for (unsigned int i = 0; i < 10; i++)
		gic_spi_fini(SPI + i);
}

const struct test tests[] = {
	TEST(order),
	TEST(mask),
	TEST(preemption),
	TEST(binary_point),
	TEST(priority_moves),
	TEST(common_binary_point),
	TEST(priority_moves_while_active),
	TEST(many_pending),
	TEST(many_active),
	TEST(nested_interrupts),
	{},
};
