// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/mc146818.c launcher/dev/device.c launcher/dev/device_host.c launcher/config/node.c launcher/util/log.c launcher/util/alloc.c
/* The clock: formats, setting it, what the registers hold. */
#define _GNU_SOURCE
#include <time.h>

#include "dev/mc146818.h"
#include "dev/device_host.h"
#include "no_vm.h"
#include "unit.h"

static struct device_config config = { .type = &mc146818_type, .name = "rtc", .size = 2 };
static struct device_host host;

#define rtc	host.dev

static void rtc_open(void)
{
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

/* Registers are read one by one: a second may pass between them. */
TEST(shows_the_hosts_time)
{
	time_t before = time(NULL), read;

	rtc_open();
	read = clock_read();
	CHECK(read >= before - 1 && read <= time(NULL) + 1);
	rtc_close();
}

TEST(is_never_in_update_and_has_a_battery)
{
	rtc_open();
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(get(0xa) & 0x80, 0);
	CHECK_EQ(get(0xd), 0x80);
	CHECK_EQ(get(0xb), 0x02);
	CHECK_EQ(get(0xc), 0);
	rtc_close();
}

TEST(can_be_set)
{
	static const struct { unsigned int index, value; } fields[] = {
		{ 0, 0x30 }, { 2, 0x59 }, { 4, 0x23 }, { 7, 0x31 }, { 8, 0x12 }, { 9, 0x99 },
		{ 0x32, 0x19 },
	};
	const time_t set_to = 946684770;	/* 1999-12-31 23:59:30 */
	time_t read;

	rtc_open();
	set(0xb, 0x82);				/* hold */
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		set(fields[i].index, fields[i].value);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		CHECK_EQ(get(fields[i].index), fields[i].value);
	set(0xb, 0x02);
	read = clock_read();
	CHECK(read >= set_to && read <= set_to + 2);
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
