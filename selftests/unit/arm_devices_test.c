// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/sp805.c launcher/dev/watchdog.c launcher/dev/ib700.c launcher/dev/pl031.c launcher/dev/pl061.c launcher/dev/device.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/config/node.c launcher/util/log.c launcher/util/alloc.c
/* Watchdogs, clock and GPIO against their manuals; time passes as the test says. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dev/device_host.h"
#include "dev/pl031.h"
#include "dev/pl061.h"
#include "dev/watchdog.h"
#include "fake_timer.h"
#include "no_vm.h"
#include "unit.h"

static struct device_host host;
static struct device_config config = { .name = "dut", .irq = 40 };
static char *said;
static size_t said_size;
static FILE *said_stream;

static void dut_open(const struct device_type *type, void *options)
{
	config.type = type;
	config.size = type->size;
	config.state = options;
	timer_ns = 0;
	said_stream = open_memstream(&said, &said_size);
	log_reset(said_stream);
	if (device_host_init(&host, &config, NULL) || type->create(&host.dev))
		abort();
}

static void dut_close(void)
{
	host.dev.type->destroy(&host.dev);
	device_host_fini(&host);
	log_reset(NULL);
	fclose(said_stream);
	free(said);
	free(config.state);
	config.state = NULL;
}

static uint32_t get(uint64_t offset)
{
	return (uint32_t)host.dev.type->read(&host.dev, offset, 4);
}

static void set(uint64_t offset, uint32_t value)
{
	host.dev.type->write(&host.dev, offset, 4, value);
}

static void expire(void)
{
	timer_expired(&host.dev, timer_arg);
	fflush(said_stream);
}

/* The host's wall clock; 0: as it is. */
static uint64_t wall_ns;
#define WALL_TICK_NS	4000000

int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_REALTIME || !wall_ns)
		return (int)syscall(SYS_clock_gettime, clock, now);
	*now = (struct timespec){ (time_t)(wall_ns / 1000000000), (long)(wall_ns % 1000000000) };
	return 0;
}

/* As libc and kernel have it: the clock as it was at the last tick. */
time_t time(time_t *out)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	now.tv_sec = (time_t)((ns - ns % WALL_TICK_NS - 1) / 1000000000);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

/* A state with the fallbacks of an option "action" and a frequency: the first fields. */
static void *watchdog_options(const struct device_type *type, unsigned int action)
{
	char *state = calloc(1, type->state_size);

	for (const struct device_option *option = type->options; option->name; option++) {
		if (!strcmp(option->name, "action"))
			*(unsigned int *)(state + option->offset) = action;
		else
			*(uint64_t *)(state + option->offset) = 1000000;
	}
	return state;
}

TEST(sp805_counts_down_twice)
{
	dut_open(&sp805_type, watchdog_options(&sp805_type, WATCHDOG_TERMINATE));
	CHECK_EQ(get(0), 0xffffffff);
	set(0xc00, 0);
	set(0, 500);			/* locked */
	CHECK_EQ(get(0), 0xffffffff);
	CHECK_EQ(get(0xc00), 1);
	set(0xc00, 0x1acce551);
	set(0, 2000000);
	CHECK_EQ(timer_ns, 0);		/* it stands */
	set(8, 3);
	CHECK_EQ(timer_ns, 2000000000);
	CHECK(get(4) <= 2000000 && get(4) > 1000000);
	expire();
	CHECK(device_irq_level(&host.dev));
	CHECK_EQ(get(0x14), 1);
	CHECK_STR(said, "");
	set(0xc, 1);			/* fed */
	CHECK(!device_irq_level(&host.dev));
	expire();
	CHECK_STR(said, "");
	expire();
	CHECK_STR(said, "qvm: warning: dut: the watchdog bites\n");
	set(8, 0);
	CHECK_EQ(timer_ns, 0);
	CHECK_EQ(get(0xfe0) | get(0xfe4) << 8 | get(0xfe8) << 16, 0x141805);
	dut_close();
}

TEST(sp805_without_reset_does_not_bite)
{
	dut_open(&sp805_type, watchdog_options(&sp805_type, WATCHDOG_TERMINATE));
	set(0, 1000);
	set(8, 1);
	expire();
	expire();
	CHECK(device_irq_level(&host.dev));
	CHECK_STR(said, "");
	dut_close();
}

TEST(ib700)
{
	dut_open(&ib700_type, watchdog_options(&ib700_type, WATCHDOG_INTERRUPT));
	set(2, 0xe);
	CHECK_EQ(timer_ns, 2000000000);
	set(2, 0);
	CHECK_EQ(timer_ns, 30000000000);
	set(0, 0);
	CHECK_EQ(timer_ns, 0);
	set(2, 0xa);
	expire();
	CHECK(device_irq_level(&host.dev));
	CHECK_STR(said, "qvm: warning: dut: the watchdog bites\n");
	set(2, 0xa);
	CHECK(!device_irq_level(&host.dev));
	dut_close();
}

TEST(pl031_shows_and_keeps_time)
{
	uint32_t before = (uint32_t)time(NULL);

	dut_open(&pl031_type, NULL);
	CHECK(get(0) - before < 5);
	set(8, 1000);
	CHECK(get(0) - 1000 < 5);
	set(4, get(0) + 100);
	CHECK(timer_ns > 98000000000 && timer_ns <= 100000000000);
	set(0x10, 1);
	set(4, 500);			/* behind: never */
	CHECK_EQ(timer_ns, 0);
	CHECK(!device_irq_level(&host.dev));
	set(0x1c, 1);
	dut_close();
}

/* Revision 1 of part 031, by Arm. */
TEST(pl031_ids)
{
	static const uint32_t want[8] = { 0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	dut_open(&pl031_type, NULL);
	for (unsigned int i = 0; i < 8; i++)
		CHECK_EQ(get(0xfe0 + 4 * i), want[i]);
	dut_close();
}

TEST(pl031_alarm)
{
	wall_ns = 1000300000000;
	dut_open(&pl031_type, NULL);
	set(0x10, 1);
	set(4, 1002);
	CHECK_EQ(timer_ns, 1700000000);
	CHECK(!device_irq_level(&host.dev));
	wall_ns += timer_ns;		/* not a moment late */
	expire();
	CHECK(device_irq_level(&host.dev));
	CHECK_EQ(get(0), 1002);
	CHECK_EQ(get(0x14), 1);
	set(0x1c, 1);
	CHECK(!device_irq_level(&host.dev));
	set(4, 1003);			/* late: the host was busy */
	wall_ns += timer_ns + 5000000000;
	expire();
	CHECK(device_irq_level(&host.dev));
	set(0x1c, 1);
	set(4, 1018);			/* early: the host's clock was set back */
	CHECK_EQ(timer_ns, 10000000000);
	expire();
	CHECK(!device_irq_level(&host.dev));
	CHECK_EQ(timer_ns, 10000000000);
	set(4, 1000);			/* while it was on its way */
	expire();
	CHECK(!device_irq_level(&host.dev));
	dut_close();
	wall_ns = 0;
}

/* The comparator looks at values: at once if they are the same, by whichever register. */
TEST(pl031_match_is_now)
{
	wall_ns = 1000900000000;
	dut_open(&pl031_type, NULL);
	set(0x10, 1);
	set(4, 1000);
	CHECK(device_irq_level(&host.dev));
	CHECK_EQ(timer_ns, 0);
	set(0x1c, 1);
	CHECK(!device_irq_level(&host.dev));
	set(8, 999);
	CHECK(!device_irq_level(&host.dev));
	CHECK_EQ(timer_ns, 100000000);
	set(8, 1000);
	CHECK(device_irq_level(&host.dev));
	CHECK_EQ(get(0x18), 1);
	dut_close();
	wall_ns = 0;
}

TEST(pl061_lines)
{
	dut_open(&pl061_type, NULL);
	set(0x400, 0xf0);
	set(0x3fc, 0xff);
	CHECK_EQ(get(0x3fc), 0xf0);	/* inputs are low */
	CHECK_EQ(get(0x10 << 2), 0x10);
	set(0x10 << 2, 0);
	CHECK_EQ(get(0x3fc), 0xe0);
	dut_close();
}

TEST(pl061_button)
{
	dut_open(&pl061_type, NULL);
	CHECK(!pl061_type.button(&host.dev));	/* nobody listens */
	set(0x408, 8);
	set(0x410, 8);
	CHECK(pl061_type.button(&host.dev));
	CHECK(device_irq_level(&host.dev));
	CHECK_EQ(get(0x3fc), 8);
	CHECK_EQ(get(0x418), 8);
	set(0x41c, 8);
	CHECK(!device_irq_level(&host.dev));
	expire();
	CHECK_EQ(get(0x3fc), 0);
	CHECK(device_irq_level(&host.dev));	/* both edges */
	dut_close();
}
