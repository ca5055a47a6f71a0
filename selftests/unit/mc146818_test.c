// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/mc146818.c launcher/dev/device.c launcher/dev/device_host.c launcher/config/node.c launcher/util/log.c launcher/util/alloc.c
/* The clock: formats, setting it, what the registers hold, its interrupts. The host's time is the test's. */
#define _GNU_SOURCE
#include <time.h>

#include "dev/mc146818.h"
#include "dev/device_host.h"
#include "fake_timer.h"
#include "no_vm.h"
#include "unit.h"

#define NS	1000000000LL
#define NOON	1700049600		/* 2023-11-15 12:00:00 */

static struct device_config config = { .type = &mc146818_type, .name = "rtc", .size = 2 };
static struct device_host host;
static int64_t host_ns;
static int64_t look_ns;		/* what passes at each look at the clock */
static bool seen_low;		/* the line, at one of them */

#define rtc	host.dev

int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	host_ns += look_ns;
	seen_low |= !device_irq_level(&rtc);
	now->tv_sec = host_ns / NS;
	now->tv_nsec = host_ns % NS;
	return 0;
}

/* Time passes up to the timer, which expires. */
static void expire(void)
{
	host_ns += timer_ns;
	timer_ns = 0;
	timer_expired(&rtc, timer_arg);
}

static void rtc_open(void)
{
	host_ns = NOON * NS;
	timer_ns = 0;
	if (device_host_init(&host, &config, NULL) || mc146818_type.create(&rtc))
		printf("Bail out!\n");
}

static void rtc_close(void)
{
	mc146818_type.destroy(&rtc);
	device_host_fini(&host);
}

static unsigned int get(unsigned int index)
{
	mc146818_type.write(&rtc, 0, 1, index);
	return (unsigned int)mc146818_type.read(&rtc, 1, 1);
}

static void set(unsigned int index, unsigned int value)
{
	mc146818_type.write(&rtc, 0, 1, index);
	mc146818_type.write(&rtc, 1, 1, value);
}

static int bcd(unsigned int value)
{
	return (int)(value >> 4) * 10 + (int)(value & 15);
}

/* As a driver would: seconds since 1970, from BCD and 24 hours. */
static time_t clock_read(void)
{
	struct tm tm = {
		.tm_sec = bcd(get(0)), .tm_min = bcd(get(2)), .tm_hour = bcd(get(4)),
		.tm_mday = bcd(get(7)), .tm_mon = bcd(get(8)) - 1,
		.tm_year = bcd(get(0x32)) * 100 + bcd(get(9)) - 1900,
	};

	return timegm(&tm);
}

TEST(shows_the_hosts_time)
{
	rtc_open();
	CHECK_EQ(clock_read(), host_ns / NS);
	host_ns += NS;
	CHECK_EQ(clock_read(), host_ns / NS);
	rtc_close();
}

TEST(tells_of_an_update_and_has_a_battery)
{
	rtc_open();
	host_ns += NS - host_ns % NS;
	CHECK_EQ(get(0xa), 0x26);
	host_ns += NS - 244001;
	CHECK_EQ(get(0xa), 0x26);
	host_ns++;
	CHECK_EQ(get(0xa), 0xa6);
	set(0xb, 0x82);
	CHECK_EQ(get(0xa), 0x26);
	set(0xb, 0x02);
	host_ns += 244000;
	CHECK_EQ(get(0xa), 0x26);
	CHECK_EQ(get(0xd), 0x80);
	CHECK_EQ(get(0xb), 0x02);
	rtc_close();
}

TEST(can_be_set)
{
	static const struct { unsigned int index, value; } fields[] = {
		{ 0, 0x30 }, { 2, 0x59 }, { 4, 0x23 }, { 7, 0x31 }, { 8, 0x12 }, { 9, 0x99 },
		{ 0x32, 0x19 },
	};
	const time_t set_to = 946684770;	/* 1999-12-31 23:59:30 */

	rtc_open();
	set(0xb, 0x82);				/* hold */
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		set(fields[i].index, fields[i].value);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		CHECK_EQ(get(fields[i].index), fields[i].value);
	host_ns += 5 * NS;			/* and held it is */
	CHECK_EQ(get(0), 0x30);
	set(0xb, 0x02);
	CHECK_EQ(clock_read(), set_to);
	host_ns += 3 * NS;
	CHECK_EQ(clock_read(), set_to + 3);
	rtc_close();
}

/* The next update is half a second after the divider is let go. */
TEST(divider_reset)
{
	rtc_open();
	host_ns += 300000000;
	set(0xa, 0x76);
	host_ns += NS;
	set(0xa, 0x26);
	CHECK_EQ(get(0), 0x01);
	host_ns += 499999999;
	CHECK_EQ(get(0), 0x01);
	host_ns++;
	CHECK_EQ(get(0), 0x02);
	rtc_close();
}

/* ---- interrupts ---- */

#define PF	0x40
#define AF	0x20
#define UF	0x10
#define IRQF	0x80

TEST(flags_without_interrupts)
{
	rtc_open();
	CHECK_EQ(timer_ns, 0);
	host_ns += NS;
	CHECK_EQ(get(0xc), PF | UF);		/* 00:00:00 is no time of this hour */
	CHECK_EQ(get(0xc), 0);
	CHECK(!device_irq_level(&rtc));
	host_ns += 976563;			/* 1024 Hz */
	CHECK_EQ(get(0xc), PF);
	set(0xc, 0xff);
	CHECK_EQ(get(0xc), 0);
	rtc_close();
}

TEST(update_interrupt)
{
	rtc_open();
	host_ns += 250000000;
	set(0xa, 0x20);
	get(0xc);
	set(0xb, 0x12);
	CHECK_EQ(timer_ns, 750000000);
	CHECK(!device_irq_level(&rtc));
	expire();
	CHECK(device_irq_level(&rtc));
	CHECK_EQ(timer_ns, 0);			/* until this one is taken */
	CHECK_EQ(get(0xc), IRQF | UF);
	CHECK(!device_irq_level(&rtc));
	CHECK_EQ(timer_ns, NS);
	set(0xb, 0x92);				/* held: no update */
	CHECK_EQ(timer_ns, 0);
	set(0xb, 0x02);
	CHECK_EQ(timer_ns, 0);
	rtc_close();
}

/* A flag that is there already interrupts as soon as that is enabled. */
TEST(late_enable)
{
	rtc_open();
	host_ns += NS;
	set(0xb, 0x12);
	CHECK(device_irq_level(&rtc));
	CHECK_EQ(get(0xc) & (IRQF | UF), IRQF | UF);
	CHECK(!device_irq_level(&rtc));
	rtc_close();
}

TEST(periodic_rates)
{
	/* data sheet, table 5: rate, interrupts in one second */
	static const struct { unsigned int rate, hz; } rows[] = {
		{ 1, 256 }, { 2, 128 }, { 3, 8192 }, { 4, 4096 }, { 5, 2048 }, { 6, 1024 },
		{ 8, 256 }, { 9, 128 }, { 13, 8 }, { 15, 2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned int count = 0;
		int64_t end;

		rtc_open();
		set(0xa, 0x20 | rows[i].rate);
		get(0xc);
		set(0xb, 0x42);
		end = host_ns + NS;
		while (timer_ns && host_ns + (int64_t)timer_ns <= end && count < 10000) {
			expire();
			count += get(0xc) == (IRQF | PF);
			CHECK(!device_irq_level(&rtc));
		}
		CHECK_EQ(count, rows[i].hz - 1);	/* the last one is with the update */
		rtc_close();
	}
	rtc_open();
	set(0xb, 0x42);
	set(0xa, 0x20);
	CHECK_EQ(timer_ns, 0);
	set(0xa, 0x76);
	CHECK_EQ(timer_ns, 0);
	rtc_close();
}

/* However soon the next flag comes, C's reader gets a new edge for it. */
TEST(no_edge_is_lost)
{
	rtc_open();
	set(0xa, 0x26);
	set(0xb, 0x42);
	get(0xc);
	expire();
	CHECK(device_irq_level(&rtc));
	seen_low = false;
	look_ns = NS / 1000;		/* a period is over before the read is */
	CHECK_EQ(get(0xc), IRQF | PF);
	look_ns = 0;
	CHECK(device_irq_level(&rtc));
	CHECK(seen_low);
	rtc_close();
}

static void alarm_row(unsigned int mode, unsigned int h, unsigned int m, unsigned int s, int64_t seconds)
{
	rtc_open();
	set(0xa, 0x20);
	set(0xb, mode);
	set(5, h);
	set(3, m);
	set(1, s);
	set(0xb, mode | 0x20);
	CHECK_EQ(timer_ns, seconds * NS);
	if (timer_ns) {
		expire();
		CHECK_EQ(get(0xc), IRQF | AF | UF);
	}
	rtc_close();
}

TEST(alarms)
{
	alarm_row(0x02, 0x12, 0x00, 0x10, 10);
	alarm_row(0x02, 0x12, 0x01, 0x00, 60);
	alarm_row(0x02, 0x11, 0x59, 0x59, 86399);
	alarm_row(0x02, 0x12, 0x00, 0x00, 86400);
	alarm_row(0x02, 0xff, 0xff, 0xff, 1);
	alarm_row(0x02, 0xc0, 0xc0, 0x30, 30);
	alarm_row(0x02, 0xc0, 0x05, 0x00, 300);
	alarm_row(0x06, 13, 0, 0, 3600);
	alarm_row(0x00, 0x81, 0x00, 0x00, 3600);
	alarm_row(0x00, 0x12, 0x00, 0x00, 43200);	/* at night */
	alarm_row(0x02, 0x25, 0x00, 0x00, 0);		/* never */
}

/* The host's clock is set: the timer is not believed. */
TEST(host_clock_goes_back)
{
	rtc_open();
	set(0xa, 0x20);
	set(0xb, 0x22);
	set(5, 0x12);
	set(3, 0x00);
	set(1, 0x10);
	CHECK_EQ(timer_ns, 10 * NS);
	host_ns -= 100 * NS;
	timer_expired(&rtc, timer_arg);
	CHECK(!device_irq_level(&rtc));
	CHECK_EQ(timer_ns, 110 * NS);
	rtc_close();
}

/* Whatever a guest writes, time goes on. */
TEST(any_value)
{
	rtc_open();
	for (unsigned int i = 0; i < 0x10000; i++) {
		set((i * 7) % 0x33, i * 2654435761u >> 24);
		host_ns += 1000003 * (i % 1000);
		if (timer_ns && i % 3 == 0)
			expire();
		get(i % 0x40);
	}
	rtc_close();
}

TEST(binary_and_twelve_hours)
{
	static const struct { unsigned int mode, hour, value; } rows[] = {
		{ 0x02, 0x13, 0x13 }, { 0x06, 13, 13 }, { 0x00, 0x81, 0x81 }, { 0x04, 0x81, 0x81 },
		{ 0x00, 0x12, 0x12 }, { 0x00, 0x92, 0x92 },
	};

	rtc_open();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set(0xb, rows[i].mode | 0x80);
		set(0, 0);
		set(2, 0);
		set(4, rows[i].hour);
		set(0xb, rows[i].mode);
		CHECK_EQ(get(4), rows[i].value);
	}
	/* 12 at night and 12 at noon, seen in 24 hours */
	set(0xb, 0x80);
	set(2, 0);
	set(4, 0x12);
	set(0xb, 0x02);
	CHECK_EQ(get(4), 0);
	set(0xb, 0x80);
	set(2, 0);
	set(4, 0x92);
	set(0xb, 0x02);
	CHECK_EQ(get(4), 0x12);
	rtc_close();
}

/* MC146818A data sheet, register B: SET going high clears UIE, so that nobody waits for updates. */
TEST(set_clears_uie)
{
	rtc_open();
	set(0xb, 0x72);
	CHECK_EQ(get(0xb), 0x72);
	set(0xb, 0xf2);
	CHECK_EQ(get(0xb), 0xe2);
	set(0xb, 0xf2);
	CHECK_EQ(get(0xb), 0xf2);
	set(0xb, 0x62);
	CHECK_EQ(get(0xb), 0x62);
	set(0xb, 0x02);
	rtc_close();
}

TEST(memory_keeps_what_is_written)
{
	rtc_open();
	for (unsigned int i = 0x0e; i < 0x80; i++)
		if (i != 0x32)
			set(i | 0x80, i ^ 0x5a);	/* bit 7 of the index is not of it */
	for (unsigned int i = 0x0e; i < 0x80; i++)
		if (i != 0x32)
			CHECK_EQ(get(i), i ^ 0x5a);
	set(0xd, 0);
	CHECK_EQ(get(0xd), 0x80);
	rtc_close();
}
