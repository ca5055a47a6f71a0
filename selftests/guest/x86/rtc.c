// SPDX-License-Identifier: GPL-2.0-only
/* The board's MC146818: its three interrupts, through pin 8 of the I/O APIC. */
#include "apic.h"

#define INDEX_PORT		0x70
#define DATA_PORT		0x71
#define LINE		8
#define VECTOR		0x58

enum { SECONDS = 0, SECONDS_ALARM = 1, MINUTES = 2, MINUTES_ALARM = 3, HOURS_ALARM = 5, REG_A = 0xa,
       REG_B = 0xb, REG_C = 0xc };

#define A_UIP		BIT(7)
#define B_24H		BIT(1)
#define B_UPDATE	BIT(4)
#define B_ALARM		BIT(5)
#define B_PERIODIC	BIT(6)
#define C_IRQ		BIT(7)

static u8 rtc_read(u8 index)
{
	out8(INDEX_PORT, index);
	return in8(DATA_PORT);
}

static void rtc_write(u8 index, u8 value)
{
	out8(INDEX_PORT, index);
	out8(DATA_PORT, value);
}

static volatile u32 came, flags;

static void take(struct frame *frame)
{
	(void)frame;
	flags = rtc_read(REG_C);
	came++;
	apic_eoi();
}

static void begin(u8 rate)
{
	came = 0;
	flags = 0;
	handlers[VECTOR] = take;
	rtc_write(REG_A, 0x20 | rate);
	rtc_write(REG_B, B_24H);
	rtc_read(REG_C);
	ioapic_route(LINE, VECTOR);
	irqs_enable();
}

static void end(void)
{
	irqs_disable();
	rtc_write(REG_B, B_24H);
	rtc_read(REG_C);
	ioapic_route(LINE, RTE_MASKED);
	handlers[VECTOR] = NULL;
}

/* 64 Hz, for half a second: 32 of them. */
static void test_periodic(void)
{
	u64 from, took;

	begin(10);
	rtc_write(REG_B, B_24H | B_PERIODIC);
	check(wait_for(came == 1, SECOND));
	from = tsc();
	check(wait_for(came >= 33, 4 * SECOND));
	took = us_of_tsc(tsc() - from);
	check(took > 400000 && took < 1000000);
	check_eq(flags & (C_IRQ | B_PERIODIC), C_IRQ | B_PERIODIC);
	end();
}

/* One a second, and the time is another then. */
static void test_update(void)
{
	u8 before;

	begin(0);
	before = rtc_read(SECONDS);
	rtc_write(REG_B, B_24H | B_UPDATE);
	check(wait_for(came == 1, 3 * SECOND));
	check_eq(flags & (C_IRQ | B_UPDATE), C_IRQ | B_UPDATE);
	check(rtc_read(SECONDS) != before);
	check(!(rtc_read(REG_A) & A_UIP));
	end();
}

static u8 bcd(unsigned int value)
{
	return value / 10 << 4 | value % 10;
}

static void test_alarm(void)
{
	unsigned int second;
	u8 now;

	begin(0);
	now = rtc_read(SECONDS);
	second = ((now >> 4) * 10 + (now & 15) + 2) % 60;
	rtc_write(SECONDS_ALARM, bcd(second));
	rtc_write(MINUTES_ALARM, 0xc0);
	rtc_write(HOURS_ALARM, 0xff);
	rtc_write(REG_B, B_24H | B_ALARM);
	check(wait_for(came == 1, 4 * SECOND));
	check_eq(flags & (C_IRQ | B_ALARM), C_IRQ | B_ALARM);
	check_eq(rtc_read(SECONDS), bcd(second));
	end();
}

/* The line stays up until C is read: one edge, one interrupt. */
static void take_unread(struct frame *frame)
{
	(void)frame;
	came++;
	apic_eoi();
}

static void test_line_is_held(void)
{
	begin(6);
	handlers[VECTOR] = take_unread;
	rtc_write(REG_B, B_24H | B_PERIODIC);
	check(wait_for(came == 1, SECOND));
	delay_us(20000);
	check_eq(came, 1);
	check_eq(rtc_read(REG_C) & C_IRQ, C_IRQ);
	check(wait_for(came == 2, SECOND));
	end();
}

/* HLT ends with it, as it does with any. */
static void test_wakes(void)
{
	begin(8);
	irqs_disable();
	rtc_write(REG_B, B_24H | B_PERIODIC);
	for (unsigned int i = 1; i <= 8; i++) {
		hlt_enabled();
		check(came >= i);
	}
	end();
}

const struct test tests[] = {
	TEST(periodic),
	TEST(update),
	TEST(alarm),
	TEST(line_is_held),
	TEST(wakes),
	{},
};
