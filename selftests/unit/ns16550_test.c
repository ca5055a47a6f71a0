// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/ns16550.c launcher/dev/device.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/config/node.c launcher/util/alloc.c launcher/util/log.c
/* The 16550A against its data sheet, and as Linux probes it. */
#include "dev/ns16550.h"
#include "uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static uint8_t get(uint64_t offset)
{
	return (uint8_t)uart_read(offset, 1);
}

static void set(uint64_t offset, uint8_t value)
{
	uart_write(offset, 1, value);
}

TEST(reset_values)
{
	uart_open(&ns16550_type);
	CHECK_EQ(get(IER), 0);
	CHECK_EQ(get(IIR), 0x01);
	CHECK_EQ(get(LCR), 0);
	CHECK_EQ(get(MCR), 0);
	CHECK_EQ(get(LSR), 0x60);
	CHECK_EQ(get(MSR), 0xb0);
	CHECK(!uart_host.irq_level);
	uart_close();
}

TEST(both_config_words)
{
	CHECK_STR(ns16550_type.name, "ns16550");
	CHECK_STR(ser8250_type.name, "ser8250");
	CHECK(ns16550_type.read == ser8250_type.read);
}

TEST(scratch_and_divisor)
{
	uart_open(&ns16550_type);
	set(SCR, 0xa5);
	CHECK_EQ(get(SCR), 0xa5);
	set(IER, 0x05);
	set(LCR, 0x83);
	set(DATA, 0x12);
	set(IER, 0x34);
	CHECK_EQ(get(DATA), 0x12);
	CHECK_EQ(get(IER), 0x34);
	set(LCR, 0x03);
	CHECK_EQ(get(IER), 0x05);
	CHECK_STR(uart_sent, "");
	uart_close();
}

/* drivers/tty/serial/8250: IIR says 16550A; not one of the later chips with more registers. */
TEST(probe_as_16550a)
{
	uart_open(&ns16550_type);
	set(IER, 0xff);
	CHECK_EQ(get(IER), 0x0f);
	set(IER, 0);
	set(MCR, 0x1a);
	CHECK_EQ(get(MSR) & 0xf0, 0x90);
	set(MCR, 0);
	set(FCR, 0x01);
	CHECK_EQ(get(IIR) >> 6, 3);
	set(FCR, 0x21);
	CHECK_EQ(get(IIR) & 0x20, 0);
	set(FCR, 0);
	CHECK_EQ(get(IIR) >> 6, 0);
	uart_close();
}

TEST(sends)
{
	uart_open(&ns16550_type);
	set(DATA, 'o');
	CHECK_EQ(get(LSR), 0x60);
	set(DATA, 'k');
	CHECK_STR(uart_sent, "ok");
	uart_close();
}

TEST(thre_interrupt)
{
	uart_open(&ns16550_type);
	set(IER, 0x02);		/* enabling it while empty raises it */
	CHECK(uart_host.irq_level);
	CHECK_EQ(get(IIR), 0x02);
	CHECK(!uart_host.irq_level);	/* reading IIR takes it back */
	CHECK_EQ(get(IIR), 0x01);
	set(DATA, 'x');
	CHECK(uart_host.irq_level);
	set(IER, 0);
	CHECK(!uart_host.irq_level);
	set(IER, 0x02);
	CHECK_EQ(get(IIR), 0x02);
	set(IER, 0x02);		/* no edge, no interrupt */
	CHECK_EQ(get(IIR), 0x01);
	uart_close();
}

TEST(iir_read_keeps_thre_behind_another_source)
{
	uart_open(&ns16550_type);
	set(IER, 0x03);
	uart_type("a");
	CHECK_EQ(get(IIR), 0x04);
	CHECK_EQ(get(DATA), 'a');
	CHECK_EQ(get(IIR), 0x02);
	CHECK_EQ(get(IIR), 0x01);
	uart_close();
}

TEST(receives_without_fifo)
{
	uart_open(&ns16550_type);
	set(IER, 0x01);
	CHECK_EQ(uart_type("ab"), 1);
	CHECK_EQ(uart_room(), 0);
	CHECK_EQ(get(LSR), 0x61);
	CHECK_EQ(get(IIR), 0x04);
	CHECK(uart_host.irq_level);
	CHECK_EQ(get(DATA), 'a');
	CHECK(uart_resumed > 0);
	CHECK_EQ(get(LSR), 0x60);
	CHECK(!uart_host.irq_level);
	CHECK_EQ(get(DATA), 0);
	uart_close();
}

TEST(fifo_trigger_and_timeout)
{
	static const unsigned int levels[] = { 1, 4, 8, 14 };

	for (unsigned int i = 0; i < 4; i++) {
		uart_open(&ns16550_type);
		set(FCR, (uint8_t)(0x01 | i << 6));
		set(IER, 0x01);
		CHECK_EQ(uart_room(), 16);
		for (unsigned int n = 1; n < levels[i]; n++) {
			uart_type("x");
			CHECK_EQ(get(IIR), 0xcc);
		}
		uart_type("x");
		CHECK_EQ(get(IIR), 0xc4);
		CHECK(uart_host.irq_level);
		uart_close();
	}
}

TEST(fifo_order_and_clear)
{
	uart_open(&ns16550_type);
	set(FCR, 0x01);
	CHECK_EQ(uart_type("0123456789abcdefXYZ"), 16);
	for (unsigned int i = 0; i < 8; i++)
		CHECK_EQ(get(DATA), '0' + i);
	CHECK_EQ(uart_type("ghij"), 4);
	CHECK_EQ(get(DATA), '8');
	set(FCR, 0x03);
	CHECK_EQ(get(LSR), 0x60);
	CHECK_EQ(uart_room(), 16);
	uart_close();
}

TEST(loopback_overrun_and_line_interrupt)
{
	uart_open(&ns16550_type);
	set(MCR, 0x10);
	CHECK_EQ(uart_room(), 0);
	set(IER, 0x04);
	set(DATA, 'a');
	set(DATA, 'b');
	CHECK_STR(uart_sent, "");
	CHECK_EQ(get(IIR), 0x06);
	CHECK_EQ(get(LSR), 0x63);
	CHECK_EQ(get(LSR), 0x61);
	CHECK_EQ(get(IIR), 0x01);
	CHECK_EQ(get(DATA), 'a');
	uart_close();
}

TEST(modem_lines_and_deltas)
{
	uart_open(&ns16550_type);
	set(MCR, 0x10);			/* loopback: all inputs drop */
	CHECK_EQ(get(MSR), 0x0b);
	CHECK_EQ(get(MSR), 0x00);
	set(IER, 0x08);
	set(MCR, 0x14);			/* OUT1 → RI: its leading edge is no event */
	CHECK_EQ(get(IIR), 0x01);
	CHECK_EQ(get(MSR), 0x40);
	set(MCR, 0x10);
	CHECK_EQ(get(IIR), 0x00);
	CHECK(uart_host.irq_level);
	CHECK_EQ(get(MSR), 0x04);
	CHECK(!uart_host.irq_level);
	uart_close();
}
