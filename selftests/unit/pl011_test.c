// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/pl011.c launcher/dev/device.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/config/node.c launcher/util/alloc.c launcher/util/log.c
/* The PL011 against its manual, and as Linux drives it. */
#include "dev/pl011.h"
#include "fake_timer.h"
#include "uart.h"

enum {
	DR = 0x00, RSR = 0x04, FR = 0x18, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c, CR = 0x30,
	IFLS = 0x34, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44,
};

enum {
	FR_CTS = 0x01, FR_DSR = 0x02, FR_DCD = 0x04, FR_RXFE = 0x10, FR_RXFF = 0x40, FR_TXFE = 0x80,
	FR_RI = 0x100, FEN = 0x10, UARTEN = 1, LBE = 0x80, TXE = 0x100, RXE = 0x200,
	RX = 0x10, TX = 0x20, RT = 0x40, OE = 0x400,
};

static uint32_t get(uint64_t offset)
{
	return (uint32_t)uart_read(offset, 4);
}

static void set(uint64_t offset, uint32_t value)
{
	uart_write(offset, 4, value);
}

static void open_enabled(uint32_t lcr_h)
{
	uart_open(&pl011_type);
	set(LCR_H, 0x60 | lcr_h);
	set(CR, UARTEN | TXE | RXE);
}

TEST(reset_values)
{
	uart_open(&pl011_type);
	CHECK_EQ(get(CR), 0x300);
	CHECK_EQ(get(IFLS), 0x12);
	CHECK_EQ(get(LCR_H), 0);
	CHECK_EQ(get(IMSC), 0);
	CHECK_EQ(get(RIS), 0);
	CHECK_EQ(get(FR) & (FR_TXFE | FR_RXFE | FR_RXFF), FR_TXFE | FR_RXFE);
	CHECK(!uart_host.irq_level);
	uart_close();
}

TEST(ids_as_linux_reads_them)
{
	uint32_t periph = 0, cell = 0;

	uart_open(&pl011_type);
	for (unsigned int i = 0; i < 4; i++) {
		periph |= (get(0xfe0 + 4 * i) & 0xff) << 8 * i;
		cell |= (get(0xff0 + 4 * i) & 0xff) << 8 * i;
	}
	CHECK_EQ(periph, 0x00341011);
	CHECK_EQ(cell, 0xb105f00d);
	uart_close();
}

TEST(no_such_register)
{
	uart_open(&pl011_type);
	set(0x08, ~0u);
	set(0x4c, ~0u);
	set(0x800, ~0u);
	set(0xfe0, ~0u);
	CHECK_EQ(get(0x08), 0);
	CHECK_EQ(get(0x4c), 0);
	CHECK_EQ(get(0x800), 0);
	CHECK_EQ(get(0xfdc), 0);
	CHECK_EQ(get(0xfe0), 0x11);
	CHECK_EQ(uart_read(0xff8, 8), 0x05);
	uart_close();
}

TEST(stored_bits_only)
{
	uart_open(&pl011_type);
	set(IBRD, ~0u);
	set(FBRD, ~0u);
	set(IFLS, ~0u);
	set(IMSC, ~0u);
	CHECK_EQ(get(IBRD), 0xffff);
	CHECK_EQ(get(FBRD), 0x3f);
	CHECK_EQ(get(IFLS), 0x3f);
	CHECK_EQ(get(IMSC), 0x7ff);
	uart_close();
}

TEST(sends_at_every_width)
{
	open_enabled(FEN);
	uart_write(DR, 1, 'a');
	uart_write(DR, 2, 'b');
	uart_write(DR, 4, 'c' | 0xff00);
	uart_write(DR, 8, 'd');
	CHECK_STR(uart_sent, "abcd");
	uart_close();
}

/* An early console writes before a driver has enabled the UART. */
TEST(sends_when_not_enabled)
{
	uart_open(&pl011_type);
	set(DR, 'x');
	CHECK_STR(uart_sent, "x");
	uart_close();
}

/* TRM 2.8.4: not from the level, from the transition. */
TEST(transmit_interrupt)
{
	open_enabled(FEN);
	set(IMSC, TX);
	CHECK(!uart_host.irq_level);
	set(DR, 'x');
	CHECK_EQ(get(MIS), TX);
	CHECK(uart_host.irq_level);
	set(ICR, TX);
	CHECK_EQ(get(RIS), 0);
	CHECK(!uart_host.irq_level);
	uart_close();
}

TEST(mask_gates_the_line)
{
	open_enabled(FEN);
	set(DR, 'x');
	CHECK_EQ(get(RIS), TX);
	CHECK_EQ(get(MIS), 0);
	CHECK(!uart_host.irq_level);
	set(IMSC, TX);
	CHECK(uart_host.irq_level);
	set(IMSC, 0);
	CHECK(!uart_host.irq_level);
	uart_close();
}

TEST(one_byte_gives_the_timeout_interrupt)
{
	open_enabled(FEN);
	set(IMSC, RX | RT);
	CHECK_EQ(uart_type("k"), 1);
	CHECK_EQ(get(MIS), RT);
	CHECK(uart_host.irq_level);
	CHECK_EQ(get(FR) & FR_RXFE, 0);
	CHECK_EQ(get(DR), 'k');
	CHECK_EQ(get(RIS), 0);
	CHECK(!uart_host.irq_level);
	CHECK_EQ(get(FR) & FR_RXFE, FR_RXFE);
	uart_close();
}

TEST(trigger_level)
{
	static const unsigned int levels[] = { 4, 8, 16, 24, 28 };

	for (uint32_t i = 0; i < 5; i++) {
		open_enabled(FEN);
		set(IFLS, i << 3);
		for (unsigned int n = 1; n < levels[i]; n++)
			uart_type("x");
		CHECK_EQ(get(RIS) & RX, 0);
		uart_type("x");
		CHECK_EQ(get(RIS) & RX, RX);
		get(DR);
		CHECK_EQ(get(RIS) & (RX | RT), RT);
		uart_close();
	}
}

/* Without FIFOs each byte raises the receive interrupt; there is no timeout. */
TEST(holding_register)
{
	open_enabled(0);
	CHECK_EQ(uart_room(), 1);
	CHECK_EQ(uart_type("ab"), 1);
	CHECK_EQ(get(RIS), RX);
	CHECK_EQ(get(FR) & FR_RXFF, FR_RXFF);
	CHECK_EQ(uart_room(), 0);
	CHECK_EQ(get(DR), 'a');
	CHECK_EQ(get(RIS), 0);
	CHECK_EQ(uart_room(), 1);
	uart_close();
}

/* What the host holds back is asked for again as the guest reads. */
TEST(back_pressure)
{
	unsigned int before;

	open_enabled(FEN);
	CHECK_EQ(uart_type("0123456789012345678901234567890123456789"), 32);
	CHECK_EQ(uart_room(), 0);
	CHECK_EQ(get(FR) & FR_RXFF, FR_RXFF);
	before = uart_resumed;
	CHECK_EQ(get(DR), '0');
	CHECK_EQ(uart_resumed, before + 1);
	CHECK_EQ(uart_type("x"), 1);
	for (unsigned int i = 1; i < 32; i++)
		CHECK_EQ(get(DR), '0' + i % 10);
	CHECK_EQ(get(DR), 'x');
	CHECK_EQ(get(RIS) & OE, 0);
	uart_close();
}

TEST(no_input_before_the_guest_listens)
{
	uart_open(&pl011_type);
	CHECK_EQ(uart_room(), 0);
	set(CR, UARTEN | TXE);
	CHECK_EQ(uart_room(), 0);
	set(CR, UARTEN | TXE | RXE);
	CHECK_EQ(uart_room(), 1);
	CHECK(uart_resumed >= 2);
	uart_close();
}

/* It trusts firmware to have enabled the UART, and looks whether there is a byte. */
TEST(input_for_one_that_polls_and_leaves_cr_alone)
{
	uart_open(&pl011_type);
	for (unsigned int i = 0; i < 100; i++) {	/* a sender waits for TXFF, and for BUSY */
		get(FR);
		set(DR, 'x');
		get(FR);
	}
	CHECK_EQ(uart_room(), 0);
	CHECK_EQ(uart_resumed, 0);
	for (unsigned int i = 0; i < 8; i++)
		get(FR);
	CHECK_EQ(uart_resumed, 1);
	CHECK_EQ(uart_type("ab"), 1);	/* a holding register, no FIFO */
	CHECK_EQ(get(FR) & FR_RXFE, 0);
	CHECK_EQ(get(DR), 'a');
	set(LCR_H, 0x60 | FEN);
	CHECK_EQ(uart_type("cd"), 2);
	CHECK_EQ(get(DR), 'c');
	CHECK_EQ(get(CR), 0x300);
	set(CR, TXE | RXE);		/* one that does know CR */
	CHECK_EQ(uart_room(), 0);
	for (unsigned int i = 0; i < 100; i++)
		get(FR);
	CHECK_EQ(uart_room(), 0);
	uart_close();
	uart_open(&pl011_type);
	get(DR);
	CHECK_EQ(uart_room(), 1);
	uart_close();
}

TEST(input_for_one_that_waits_for_interrupts_and_leaves_cr_alone)
{
	timer_ns = 0;
	uart_open(&pl011_type);
	set(IMSC, TX);
	CHECK_EQ(timer_ns, 0);
	set(IMSC, RX);
	CHECK(timer_ns > 0);
	/* masked again: nobody waits */
	set(IMSC, 0);
	CHECK_EQ(timer_ns, 0);
	set(IMSC, RX);
	CHECK_EQ(uart_room(), 0);
	timer_expired(&uart, timer_arg);
	CHECK_EQ(uart_resumed, 1);
	CHECK_EQ(uart_type("k"), 1);
	CHECK(uart_host.irq_level);
	CHECK_EQ(get(DR), 'k');
	uart_close();
	/* a driver that sets the UART up behind it, as Linux does */
	uart_open(&pl011_type);
	set(IMSC, RX | RT);
	set(CR, TXE);
	timer_expired(&uart, timer_arg);
	CHECK_EQ(uart_room(), 0);
	uart_close();
}

TEST(fifo_switch_empties_it)
{
	open_enabled(FEN);
	uart_type("abcdefghijklmnopqrstuvwxyz");
	CHECK_EQ(get(RIS) & (RX | RT), RX | RT);
	set(LCR_H, 0x60);
	CHECK_EQ(get(RIS) & (RX | RT), 0);
	CHECK_EQ(get(FR) & FR_RXFE, FR_RXFE);
	uart_close();
}

TEST(loopback_of_data_and_overrun)
{
	open_enabled(FEN);
	set(CR, UARTEN | TXE | RXE | LBE);
	CHECK_EQ(uart_room(), 0);
	for (unsigned int i = 0; i < 33; i++)
		set(DR, 'A' + i);
	CHECK_STR(uart_sent, "");
	CHECK_EQ(get(RIS) & OE, OE);
	CHECK_EQ(get(RSR) & 8, 8);
	CHECK_EQ(get(DR), 'A');
	set(DR, 'z');
	for (unsigned int i = 1; i < 32; i++)
		CHECK_EQ(get(DR), 'A' + i);
	CHECK_EQ(get(DR), 'z' | 0x800);
	CHECK_EQ(get(RSR) & 8, 8);
	set(RSR, 0);
	CHECK_EQ(get(RSR), 0);
	CHECK_EQ(get(DR), 0);
	uart_close();
}

TEST(loopback_of_modem_lines)
{
	open_enabled(FEN);
	CHECK_EQ(get(FR) & (FR_CTS | FR_DSR | FR_DCD | FR_RI), FR_CTS | FR_DSR | FR_DCD);
	CHECK_EQ(get(RIS), 0);
	set(CR, UARTEN | LBE);
	CHECK_EQ(get(FR) & (FR_CTS | FR_DSR | FR_DCD | FR_RI), 0);
	CHECK_EQ(get(RIS), 0xe);
	set(ICR, 0x7ff);
	set(CR, UARTEN | LBE | 0x800 | 0x2000);
	CHECK_EQ(get(FR) & (FR_CTS | FR_DSR | FR_DCD | FR_RI), FR_CTS | FR_RI);
	CHECK_EQ(get(RIS), 0x3);
	uart_close();
}
