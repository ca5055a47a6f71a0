// SPDX-License-Identifier: GPL-2.0-only
/*
 * After the MC146818A data sheet (Motorola, 1984), with the century where PCs have it. A clock
 * that is set keeps its distance from the host's; alarm and periodic interrupts are kept as
 * values and never come.
 */
#define _GNU_SOURCE	/* timegm */
#include "dev/mc146818.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define WINDOW_SIZE	2
#define MEMORY_SIZE	128

enum { PORT_INDEX, PORT_DATA };

enum {
	SECONDS = 0x00, MINUTES = 0x02, HOURS = 0x04, WEEKDAY = 0x06, DAY = 0x07, MONTH = 0x08,
	YEAR = 0x09, REG_A = 0x0a, REG_B = 0x0b, REG_C = 0x0c, REG_D = 0x0d, CENTURY = 0x32,
};

enum {
	A_UIP = 1 << 7,			/* never: time is read at one instant, so no update is seen */
	A_DEFAULT = 0x26,		/* 32.768 kHz, 1.024 kHz periodic rate */
	B_24H = 1 << 1, B_BINARY = 1 << 2, B_SET = 1 << 7,
	D_VALID = 1 << 7,		/* the battery is good */
	HOUR_PM = 1 << 7,		/* in 12-hour mode */
};

struct mc146818 {
	struct device_strings reg;	/* option */
	pthread_mutex_t lock;		/* all below */
	uint8_t index;
	uint8_t memory[MEMORY_SIZE];	/* of time and date: only while B_SET holds them */
	int64_t ahead;			/* of the host's UTC, seconds */
};

/* ---- time in registers ---- */

static uint8_t encode(const struct mc146818 *rtc, int value)
{
	return (uint8_t)(rtc->memory[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static int decode(const struct mc146818 *rtc, uint8_t value)
{
	return rtc->memory[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct mc146818 *rtc, int hour)
{
	int half = hour % 12 ? hour % 12 : 12;

	if (rtc->memory[REG_B] & B_24H)
		return encode(rtc, hour);
	return encode(rtc, half) | (hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const struct mc146818 *rtc, uint8_t value)
{
	if (rtc->memory[REG_B] & B_24H)
		return decode(rtc, value);
	return decode(rtc, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* Put the time that it is into the registers, unless the guest holds them. */
static void clock_to_registers(struct mc146818 *rtc)
{
	time_t now = time(NULL) + rtc->ahead;
	uint8_t *memory = rtc->memory;
	struct tm tm;

	if (memory[REG_B] & B_SET)
		return;
	gmtime_r(&now, &tm);
	memory[SECONDS] = encode(rtc, tm.tm_sec);
	memory[MINUTES] = encode(rtc, tm.tm_min);
	memory[HOURS] = encode_hour(rtc, tm.tm_hour);
	memory[WEEKDAY] = encode(rtc, tm.tm_wday + 1);
	memory[DAY] = encode(rtc, tm.tm_mday);
	memory[MONTH] = encode(rtc, tm.tm_mon + 1);
	memory[YEAR] = encode(rtc, tm.tm_year % 100);
	memory[CENTURY] = encode(rtc, (tm.tm_year + 1900) / 100);
}

/* The time that the guest has put there is the time from now on. */
static void clock_from_registers(struct mc146818 *rtc)
{
	const uint8_t *memory = rtc->memory;
	struct tm tm = {
		.tm_sec = decode(rtc, memory[SECONDS]),
		.tm_min = decode(rtc, memory[MINUTES]),
		.tm_hour = decode_hour(rtc, memory[HOURS]),
		.tm_mday = decode(rtc, memory[DAY]),
		.tm_mon = decode(rtc, memory[MONTH]) - 1,
		.tm_year = decode(rtc, memory[CENTURY]) * 100 + decode(rtc, memory[YEAR]) - 1900,
	};

	rtc->ahead = timegm(&tm) - time(NULL);
}

static bool is_time(uint8_t index)
{
	return index == SECONDS || index == MINUTES || index == HOURS ||
	       (index >= WEEKDAY && index <= YEAR) || index == CENTURY;
}

/* ---- registers ---- */

static void write_register(struct mc146818 *rtc, uint8_t value)
{
	uint8_t index = rtc->index;

	if (index == REG_C || index == REG_D)
		return;
	clock_to_registers(rtc);
	if (index == REG_A)
		value &= ~A_UIP;
	rtc->memory[index] = value;
	if (is_time(index))
		clock_from_registers(rtc);
	else if (index == REG_B)
		clock_to_registers(rtc);	/* in the format that is new */
}

static uint64_t mc146818_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct mc146818 *rtc = dev->state;
	uint64_t value = 0xff;			/* the index can't be read back */

	(void)len;
	if (offset != PORT_DATA)
		return value;
	pthread_mutex_lock(&rtc->lock);
	clock_to_registers(rtc);
	value = rtc->memory[rtc->index];
	pthread_mutex_unlock(&rtc->lock);
	return value;
}

static void mc146818_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct mc146818 *rtc = dev->state;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	if (offset == PORT_INDEX)
		rtc->index = value % MEMORY_SIZE;	/* bit 7 masks NMI, which nobody sends */
	else
		write_register(rtc, (uint8_t)value);
	pthread_mutex_unlock(&rtc->lock);
}

/* ---- life ---- */

/* "0x0b,0x02". */
static bool parse_register(const char *text, unsigned long *index, unsigned long *value)
{
	char *end;

	*index = strtoul(text, &end, 0);
	if (end == text || *end != ',')
		return false;
	text = end + 1;
	*value = strtoul(text, &end, 0);
	return end != text && !*end && *index < MEMORY_SIZE && *value <= UINT8_MAX;
}

static void mc146818_check(struct device *dev)
{
	const struct mc146818 *rtc = dev->state;
	unsigned long index, value;

	for (size_t i = 0; i < rtc->reg.count; i++)
		if (!parse_register(rtc->reg.text[i], &index, &value))
			device_config_error(dev, "reg", "\"%s\" won't do, write a register below 128 and "
					    "its value, such as 0x0b,0x02", rtc->reg.text[i]);
}

static int mc146818_create(struct device *dev)
{
	struct mc146818 *rtc = dev->state;
	unsigned long index, value;

	rtc->memory[REG_A] = A_DEFAULT;
	rtc->memory[REG_B] = B_24H;
	rtc->memory[REG_D] = D_VALID;
	for (size_t i = 0; i < rtc->reg.count; i++)
		if (parse_register(rtc->reg.text[i], &index, &value))
			rtc->memory[index] = (uint8_t)value;
	pthread_mutex_init(&rtc->lock, NULL);
	return 0;
}

static void mc146818_destroy(struct device *dev)
{
	struct mc146818 *rtc = dev->state;

	pthread_mutex_destroy(&rtc->lock);
}

static void mc146818_status(struct device *dev)
{
	struct mc146818 *rtc = dev->state;

	pthread_mutex_lock(&rtc->lock);
	device_log(dev, DEVICE_INFO, "mc146818: %lld s ahead of the host, register B %#x",
		   (long long)rtc->ahead, rtc->memory[REG_B]);
	pthread_mutex_unlock(&rtc->lock);
}

static const struct device_option options[] = {
	{ "reg", DEVICE_OPTION_STRINGS, offsetof(struct mc146818, reg), NULL, NULL, 1, 63,
	  "what is in its memory at the start: a register and its value, `0x0b,0x02`" },
	{ 0 },
};

const struct device_type mc146818_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE | DEVICE_F_PORT,
	.name = "mc146818",
	.doc = "real-time clock of a PC, with its 128 bytes of memory",
	.acpi_id = "PNP0B00",
	.size = WINDOW_SIZE,
	.arch = DEVICE_X86,
	.state_size = sizeof(struct mc146818),
	.options = options,
	.check = mc146818_check,
	.create = mc146818_create,
	.destroy = mc146818_destroy,
	.read = mc146818_read,
	.write = mc146818_write,
	.status = mc146818_status,
};
