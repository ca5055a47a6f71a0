// SPDX-License-Identifier: GPL-2.0-only
/*
 * After the MC146818A data sheet (Motorola, 1984), with the century where PCs have it. A clock
 * that is set keeps its distance from the host's. Flags are found out when somebody looks, or when
 * the one timer says that an interrupt is due: nothing runs for a guest that wants none.
 */
#define _GNU_SOURCE	/* timegm */
#include "dev/mc146818.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "dev/device_host.h"
#include "machine/machine.h"
#include "vm/vm.h"

#define WINDOW_SIZE	2
#define MEMORY_SIZE	128
#define NS_PER_S	1000000000LL
#define TIME_BASE	32768		/* Hz, what the divider counts */
#define UIP_NS		244000		/* how long before an update UIP tells of it */

enum { PORT_INDEX, PORT_DATA };

enum {
	SECONDS = 0x00, SECONDS_ALARM = 0x01, MINUTES = 0x02, MINUTES_ALARM = 0x03, HOURS = 0x04,
	HOURS_ALARM = 0x05, WEEKDAY = 0x06, DAY = 0x07, MONTH = 0x08,
	YEAR = 0x09, REG_A = 0x0a, REG_B = 0x0b, REG_C = 0x0c, REG_D = 0x0d, CENTURY = 0x32,

	/* in KiB; found by the self test; in 64 KiB, as what is above 4G is; one less than there are */
	MEMORY_BASE = 0x15, MEMORY_EXTENDED = 0x17, MEMORY_EXTENDED_FOUND = 0x30,
	MEMORY_FROM_16M = 0x34, MEMORY_FROM_4G = 0x5b, CPUS = 0x5f,
};

enum {
	A_UIP = 1 << 7,
	A_DIVIDER = 7 << 4, A_RESET = 6 << 4,	/* 11x: the divider is held in reset */
	A_RATE = 15,
	A_DEFAULT = 0x26,		/* 32.768 kHz, 1.024 kHz periodic rate */
	B_24H = 1 << 1, B_BINARY = 1 << 2, B_UPDATE = 1 << 4, B_SET = 1 << 7,
	C_UPDATE = 1 << 4, C_ALARM = 1 << 5, C_PERIODIC = 1 << 6, C_IRQ = 1 << 7,
	C_FLAGS = C_UPDATE | C_ALARM | C_PERIODIC,	/* each is enabled by the same bit of B */
	D_VALID = 1 << 7,		/* the battery is good */
	HOUR_PM = 1 << 7,		/* in 12-hour mode */
	ALARM_ANY = 0xc0,		/* an alarm byte with both upper bits is any value */
};

struct mc146818 {
	struct device_strings reg;	/* option */
	struct device_timer *timer;
	pthread_mutex_t lock;		/* all below */
	uint8_t index;
	uint8_t memory[MEMORY_SIZE];	/* of time and date: only while B_SET holds them */
	int64_t ahead, ahead_ns;	/* of the host's UTC: seconds, and 0 … 1 s */
	int64_t seen_second, seen_tick;	/* flags are up to date with these */
};

/* ---- time ---- */

/* Of the guest's clock: since 1970, or before; ns from 0 to 1 s. A century is two digits of any value. */
struct instant { int64_t s, ns; };

static struct instant clock_now(const struct mc146818 *rtc)
{
	struct timespec host;
	struct instant now;

	clock_gettime(CLOCK_REALTIME, &host);
	now.ns = host.tv_nsec + rtc->ahead_ns;
	now.s = host.tv_sec + rtc->ahead + now.ns / NS_PER_S;
	now.ns %= NS_PER_S;
	return now;
}

static bool divider_runs(const struct mc146818 *rtc)
{
	return (rtc->memory[REG_A] & A_RESET) != A_RESET;
}

/* The clock goes on each second: neither the guest nor the divider holds it. */
static bool is_updated(const struct mc146818 *rtc)
{
	return divider_runs(rtc) && !(rtc->memory[REG_B] & B_SET);
}

/* Of the divider in one periodic interrupt; 0: none. Rates 1 and 2 are those of 8 and 9 (table 5). */
static unsigned int period(const struct mc146818 *rtc)
{
	unsigned int rate = rtc->memory[REG_A] & A_RATE;

	if (!rate || !divider_runs(rtc))
		return 0;
	return 1U << (rate < 3 ? rate + 6 : rate - 1);
}

/* Which period it is in, counted from 1970. */
static int64_t tick_of(struct instant now, unsigned int length)
{
	return length ? (now.s * TIME_BASE + now.ns * TIME_BASE / NS_PER_S) / length : 0;
}

/* How long it is until this period begins; rounded up, so that it has begun then. */
static int64_t ns_to_tick(struct instant now, int64_t tick, unsigned int length)
{
	int64_t base = tick * length - now.s * TIME_BASE;

	return (base * NS_PER_S + TIME_BASE - 1) / TIME_BASE - now.ns;
}

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
	time_t now = clock_now(rtc).s;
	uint8_t *memory = rtc->memory;
	struct tm tm;
	int year;

	if (memory[REG_B] & B_SET)
		return;
	gmtime_r(&now, &tm);
	year = (tm.tm_year % 10000 + 11900) % 10000;	/* four digits of it, before Christ too */
	memory[SECONDS] = encode(rtc, tm.tm_sec);
	memory[MINUTES] = encode(rtc, tm.tm_min);
	memory[HOURS] = encode_hour(rtc, tm.tm_hour);
	memory[WEEKDAY] = encode(rtc, tm.tm_wday + 1);
	memory[DAY] = encode(rtc, tm.tm_mday);
	memory[MONTH] = encode(rtc, tm.tm_mon + 1);
	memory[YEAR] = encode(rtc, year % 100);
	memory[CENTURY] = encode(rtc, year / 100);
}

/* The time that the guest has put there is the time from now on; the divider goes on as it does. */
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

	rtc->ahead += timegm(&tm) - clock_now(rtc).s;
}

static bool is_time(uint8_t index)
{
	return index == SECONDS || index == MINUTES || index == HOURS ||
	       (index >= WEEKDAY && index <= YEAR) || index == CENTURY;
}

/* ---- alarm ---- */

static bool alarm_is(const struct mc146818 *rtc, unsigned int index, int value, bool hour)
{
	uint8_t alarm = rtc->memory[index];

	return alarm >= ALARM_ANY || alarm == (hour ? encode_hour(rtc, value) : encode(rtc, value));
}

/* How many seconds after this one it comes; 0: it has no such time. */
static int alarm_after(const struct mc146818 *rtc, int64_t second)
{
	int day = 24 * 3600, from = (int)((second % day + day) % day), t = from + 1;

	while (t <= from + day) {
		if (!alarm_is(rtc, HOURS_ALARM, t / 3600 % 24, true))
			t += 3600 - t % 3600;
		else if (!alarm_is(rtc, MINUTES_ALARM, t / 60 % 60, false))
			t += 60 - t % 60;
		else if (!alarm_is(rtc, SECONDS_ALARM, t % 60, false))
			t++;
		else
			return t - from;
	}
	return 0;
}

/* ---- flags and interrupts ---- */

/* From here on flags are those of what comes. */
static void see(struct mc146818 *rtc)
{
	struct instant now = clock_now(rtc);

	rtc->seen_second = now.s;
	rtc->seen_tick = tick_of(now, period(rtc));
}

/* Flags are set whether their interrupts are enabled or not, by what has passed since they were seen. */
static void raise_flags(struct mc146818 *rtc)
{
	struct instant now = clock_now(rtc);
	int alarm = alarm_after(rtc, rtc->seen_second);

	if (now.s != rtc->seen_second && is_updated(rtc)) {
		rtc->memory[REG_C] |= C_UPDATE;
		if (alarm && now.s - rtc->seen_second >= alarm)
			rtc->memory[REG_C] |= C_ALARM;
	}
	if (tick_of(now, period(rtc)) != rtc->seen_tick)
		rtc->memory[REG_C] |= C_PERIODIC;
	see(rtc);
}

/* How long it is until the next flag is set that makes an interrupt; INT64_MAX: none does. */
static int64_t ns_to_interrupt(const struct mc146818 *rtc)
{
	uint8_t wanted = rtc->memory[REG_B] & ~rtc->memory[REG_C] & C_FLAGS;
	struct instant now = clock_now(rtc);
	unsigned int length = period(rtc);
	int64_t next = INT64_MAX, tick;
	int seconds = 0;

	if (is_updated(rtc) && wanted & (C_UPDATE | C_ALARM))
		seconds = wanted & C_UPDATE ? 1 : alarm_after(rtc, rtc->seen_second);
	if (seconds)
		next = (rtc->seen_second + seconds - now.s) * NS_PER_S - now.ns;
	if (wanted & C_PERIODIC && length) {
		tick = ns_to_tick(now, rtc->seen_tick + 1, length);
		next = tick < next ? tick : next;
	}
	return next;
}

/* The line is C's upper bit. It falls when C is read, so that the next interrupt is an edge again. */
static void update(struct device *dev)
{
	struct mc146818 *rtc = dev->state;
	uint8_t *flags = &rtc->memory[REG_C];
	int64_t next;

	raise_flags(rtc);
	*flags &= C_FLAGS;
	if (*flags & rtc->memory[REG_B])
		*flags |= C_IRQ;
	device_set_irq(dev, *flags & C_IRQ);
	next = ns_to_interrupt(rtc);
	device_timer_set(rtc->timer, next == INT64_MAX ? 0 : next > 0 ? (uint64_t)next : 1);
}

static void expired(struct device *dev, void *arg)
{
	struct mc146818 *rtc = arg;

	pthread_mutex_lock(&rtc->lock);
	update(dev);
	pthread_mutex_unlock(&rtc->lock);
}

/* ---- registers ---- */

/* The divider leaves reset half a second before the next update. */
static void write_a(struct mc146818 *rtc, uint8_t value)
{
	bool ran = divider_runs(rtc);

	rtc->memory[REG_A] = value & ~A_UIP;
	if (!ran && divider_runs(rtc))
		rtc->ahead_ns = (rtc->ahead_ns + NS_PER_S * 3 / 2 - clock_now(rtc).ns) % NS_PER_S;
	see(rtc);
}

static void write_b(struct mc146818 *rtc, uint8_t value)
{
	bool held = rtc->memory[REG_B] & B_SET;

	if (held && !(value & B_SET))
		clock_from_registers(rtc);
	rtc->memory[REG_B] = value & ~(!held && value & B_SET ? B_UPDATE : 0);	/* SET going high clears UIE */
	clock_to_registers(rtc);	/* in the format that is new */
	see(rtc);
}

static void write_register(struct mc146818 *rtc, uint8_t value)
{
	uint8_t index = rtc->index;

	if (index == REG_C || index == REG_D)
		return;
	clock_to_registers(rtc);
	if (index == REG_A)
		return write_a(rtc, value);
	if (index == REG_B)
		return write_b(rtc, value);
	rtc->memory[index] = value;
	if (is_time(index) && !(rtc->memory[REG_B] & B_SET)) {
		clock_from_registers(rtc);
		see(rtc);
	}
}

static uint8_t read_register(struct mc146818 *rtc)
{
	uint8_t value = rtc->memory[rtc->index];

	if (rtc->index == REG_C)
		rtc->memory[REG_C] = 0;
	else if (rtc->index == REG_A && is_updated(rtc) && clock_now(rtc).ns >= NS_PER_S - UIP_NS)
		value |= A_UIP;
	return value;
}

static uint64_t mc146818_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct mc146818 *rtc = dev->state;
	uint64_t value;

	(void)len;
	if (offset != PORT_DATA)
		return 0xff;			/* the index can't be read back */
	pthread_mutex_lock(&rtc->lock);
	clock_to_registers(rtc);
	if (rtc->index == REG_C)
		update(dev);
	value = read_register(rtc);
	if (rtc->index == REG_C) {
		device_set_irq(dev, false);	/* even if a new flag is set in no time: it is an edge */
		update(dev);
	}
	pthread_mutex_unlock(&rtc->lock);
	return value;
}

static void mc146818_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct mc146818 *rtc = dev->state;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	if (offset == PORT_INDEX) {
		rtc->index = value % MEMORY_SIZE;	/* bit 7 masks NMI, which nobody sends */
	} else {
		raise_flags(rtc);
		write_register(rtc, (uint8_t)value);
		update(dev);
	}
	pthread_mutex_unlock(&rtc->lock);
}

/* ---- memory of a PC's firmware: how much memory there is, and how many CPUs ---- */

#define KIB		0x400ULL
#define MIB		0x100000ULL
#define GIB		0x40000000ULL

/* Bytes of RAM from @gpa on, without a hole. */
static uint64_t ram_from(const struct machine *m, uint64_t gpa)
{
	const struct memory *memory = machine_find_memory(m, gpa, 1);

	return memory && memory->kind == MEMORY_RAM ? memory->gpa + memory->size - gpa : 0;
}

static uint64_t ram_above_4g(const struct machine *m)
{
	uint64_t size = 0;

	for (size_t i = 0; i < m->memory_count; i++)
		if (m->memory[i].kind == MEMORY_RAM && m->memory[i].gpa >= 4 * GIB)
			size += m->memory[i].size;
	return size;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void put(struct mc146818 *rtc, unsigned int index, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		rtc->memory[index + i] = (uint8_t)(value >> 8 * i);
}

/* Where the IBM PC/AT technical reference has it, and behind that where QEMU's firmware does. */
static void put_machine(struct mc146818 *rtc, const struct machine *m)
{
	uint64_t extended = min(ram_from(m, MIB), 64 * MIB - KIB) / KIB;

	put(rtc, MEMORY_BASE, min(ram_from(m, 0), 640 * KIB) / KIB, 2);
	put(rtc, MEMORY_EXTENDED, extended, 2);
	put(rtc, MEMORY_EXTENDED_FOUND, extended, 2);
	put(rtc, MEMORY_FROM_16M, min(ram_from(m, 16 * MIB) / (64 * KIB), UINT16_MAX), 2);
	put(rtc, MEMORY_FROM_4G, min(ram_above_4g(m) / (64 * KIB), 0xffffff), 3);
	put(rtc, CPUS, m->cpu_count - 1, 1);
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
	const struct vm *vm = device_host(dev)->vm;
	struct mc146818 *rtc = dev->state;
	unsigned long index, value;

	rtc->memory[REG_A] = A_DEFAULT;
	rtc->memory[REG_B] = B_24H;
	rtc->memory[REG_D] = D_VALID;
	if (vm)
		put_machine(rtc, vm->machine);
	for (size_t i = 0; i < rtc->reg.count; i++)
		if (parse_register(rtc->reg.text[i], &index, &value))
			rtc->memory[index] = (uint8_t)value;
	see(rtc);
	pthread_mutex_init(&rtc->lock, NULL);
	return device_timer_create(dev, expired, rtc, &rtc->timer);
}

static void mc146818_destroy(struct device *dev)
{
	struct mc146818 *rtc = dev->state;

	device_timer_destroy(rtc->timer);
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
	  "what is in its memory at the start: a register and its value, `0x0b,0x02`; unless said, the "
	  "bytes of a PC for the sizes of memory and the number of CPUs tell the board's" },
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
	.widths = 1 << 1,
	.state_size = sizeof(struct mc146818),
	.options = options,
	.check = mc146818_check,
	.create = mc146818_create,
	.destroy = mc146818_destroy,
	.read = mc146818_read,
	.write = mc146818_write,
	.status = mc146818_status,
};
