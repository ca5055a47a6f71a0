// SPDX-License-Identifier: GPL-2.0-only
/*
 * The GIC as CPU 0 sees it: interrupts that follow a line, and groups.
 */
#include "gic.h"

/* ---- levels ---- */

/* A level that was made pending by a write only: taken once. */
static void test_level_by_write(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_set_edge(SPI, false);
	gic_pend(0, SPI);
	check(gic_is_pending(0, SPI));
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	check(gic_is_quiet());
	gic_pend(0, SPI);
	gic_unpend(0, SPI);
	check(gic_is_quiet());
	gic_spi_fini(SPI);
}

/* The UART's: in loopback RTS drives CTS, and a change of CTS raises its interrupt until cleared. */
#define UARTCR		0x30
#define UARTIMSC	0x38
#define UARTICR		0x44
#define CR_ON		(BIT(0) | BIT(7) | BIT(8) | BIT(9))
#define CR_RTS		BIT(11)
#define INT_CTS		BIT(1)

static void line_setup(void)
{
	gic_spi_setup(UART_INTID, 0x80);
	gic_set_edge(UART_INTID, false);
	write32(UART_BASE + UARTCR, CR_ON);
	write32(UART_BASE + UARTICR, INT_CTS);
	write32(UART_BASE + UARTIMSC, INT_CTS);
}

static void line_fini(void)
{
	write32(UART_BASE + UARTIMSC, 0);
	write32(UART_BASE + UARTICR, 0x7ff);
	gic_spi_fini(UART_INTID);
	gic_set_edge(UART_INTID, false);
	uart_init();
}

static void line_up(void)
{
	write32(UART_BASE + UARTCR, CR_ON | CR_RTS);
	write32(UART_BASE + UARTCR, CR_ON);
}

static void line_down(void)
{
	write32(UART_BASE + UARTICR, INT_CTS);
}

static void test_level(void)
{
	line_setup();
	check(gic_is_quiet());
	line_up();
	for (unsigned int i = 0; i < 4; i++) {
		check_eq(gic_ack_wait(), UART_INTID);
		check(gic_is_pending(0, UART_INTID));	/* the line is up, acknowledged or not */
		check(gic_is_active(0, UART_INTID));
		gic_eoi(UART_INTID);
	}
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	check(!gic_is_pending(0, UART_INTID));
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

/* It goes away before it is taken; a write to ICPENDR does not make it go. */
static void test_level_withdrawn(void)
{
	line_setup();
	line_up();
	gic_unpend(0, UART_INTID);
	check(gic_is_pending(0, UART_INTID));
	line_down();
	check(gic_is_quiet());
	check(!gic_is_pending(0, UART_INTID));
	line_up();
	gic_disable(0, UART_INTID);
	check(gic_is_quiet());
	line_down();
	gic_enable(0, UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

/* The line falls and rises while active: again at EOI. */
static void test_level_again_while_active(void)
{
	line_setup();
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	line_up();
	check(gic_is_quiet());
	gic_eoi(UART_INTID);
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

static void test_level_eoimode1(void)
{
	gic_set_eoimode(1);
	line_setup();
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	gic_dir(UART_INTID);
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	line_down();
	gic_dir(UART_INTID);
	check(gic_is_quiet());
	line_fini();
	gic_set_eoimode(0);
}

/*
 * A line that stays up comes again at each end of it, with no exit but that. If it came with the host's
 * next tick only, these would take seconds.
 */
#define STORM	400

static void test_level_storm(void)
{
	u64 begin;
	unsigned int taken = 0;

	line_setup();
	line_up();
	begin = counter();
	while (taken < STORM && counter() - begin < ticks_of_us(SECOND / 2)) {
		if (gic_ack() == INTID_NONE)
			continue;
		taken++;
		gic_eoi(UART_INTID);
	}
	check_eq(taken, STORM);
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

/* Ended by a write to ICACTIVER, which is no EOI: the line is up, and it comes again. */
static void test_level_cleared_by_register(void)
{
	gic_set_eoimode(1);
	line_setup();
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	gic_set_bit(0, UART_INTID, GIC_ICACTIVER);
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	line_down();
	gic_set_bit(0, UART_INTID, GIC_ICACTIVER);
	check(gic_is_quiet());
	line_fini();
	gic_set_eoimode(0);
}

/* The same line as an edge: each rise once. */
static void test_edge_of_a_line(void)
{
	line_setup();
	gic_set_edge(UART_INTID, true);
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_down();
	check(gic_is_quiet());
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	line_up();
	gic_eoi(UART_INTID);
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

/* ---- groups ---- */

static void test_group_off(void)
{
	gic_spi_setup(SPI, 0x80);
	icc_write(0, icc_igrpen1);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	icc_write(1, icc_igrpen1);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	check(gic_is_pending(0, SPI));
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	gic_spi_fini(SPI);
}

static unsigned int fiqs, irqs;

static void take_fiq(void)
{
	unsigned int intid = icc_read(icc_iar0);

	fiqs++;
	icc_write(intid, icc_eoir0);
}

static void take_irq(void)
{
	unsigned int intid = gic_ack();

	irqs++;
	gic_eoi(intid);
}

/* Group 0 comes as FIQ, and is acknowledged by its own registers. */
static void test_group0(void)
{
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1 | GICD_CTLR_GRP0);
	icc_write(1, icc_igrpen0);
	gic_spi_setup(SPI, 0x80);
	gic_set_group(0, SPI, 0);
	gic_spi_setup(SPI + 1, 0x80);
	fiqs = irqs = 0;
	fiq_handler = take_fiq;
	irq_handler = take_irq;
	irqs_enable();
	gic_pend(0, SPI);
	gic_pend(0, SPI + 1);
	check(wait_for(*(volatile unsigned int *)&fiqs && *(volatile unsigned int *)&irqs, SECOND));
	irqs_disable();
	check_eq(fiqs, 1);
	check_eq(irqs, 1);
	gic_set_group(0, 4, 0);
	write_sysreg(4 << 24 | 1, icc_sgi0r);
	isb();
	check(wait_for(icc_read(icc_iar0) == 4, SECOND));
	icc_write(4, icc_eoir0);
	gic_set_group(0, 4, 1);
	fiq_handler = irq_handler = NULL;
	icc_write(0, icc_igrpen0);
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	gic_spi_fini(SPI);
	gic_spi_fini(SPI + 1);
}

const struct test tests[] = {
	TEST(level_by_write),
	TEST(level),
	TEST(level_withdrawn),
	TEST(level_again_while_active),
	TEST(level_eoimode1),
	TEST(level_storm),
	TEST(level_cleared_by_register),
	TEST(edge_of_a_line),
	TEST(group_off),
	TEST(group0),
	{},
};
