// SPDX-License-Identifier: GPL-2.0-only
/* Arm PL031 after its Technical Reference Manual, DDI 0224 ("TRM"). */
#include "dev/pl031.h"

#include <pthread.h>
#include <time.h>

#define WINDOW_SIZE	0x1000
#define NS_PER_S	1000000000ULL

enum {
	RTCDR = 0x00, RTCMR = 0x04, RTCLR = 0x08, RTCCR = 0x0c, RTCIMSC = 0x10, RTCRIS = 0x14,
	RTCMIS = 0x18, RTCICR = 0x1c, ID_FIRST = 0xfe0,
};

struct pl031 {
	struct device_timer *timer;
	pthread_mutex_t lock;		/* all below */
	uint32_t ahead;			/* of the host's UTC, seconds, modulo 2^32 */
	uint32_t match, load;
	bool armed;			/* the clock has yet to get to match */
	bool masked_in, raised;		/* RTCIMSC, RTCRIS */
};

/* Exact: time() is a tick behind, and an alarm comes in the first moments of a second. */
static struct timespec host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now;
}

static uint32_t clock_now(const struct pl031 *rtc)
{
	return (uint32_t)host_now().tv_sec + rtc->ahead;
}

static void update_irq(struct device *dev)
{
	const struct pl031 *rtc = dev->state;

	device_set_irq(dev, rtc->raised && rtc->masked_in);
}

/* TRM 2.2: the interrupt comes as the clock is at the match register; not if it is behind. */
static void set_alarm(struct pl031 *rtc)
{
	struct timespec now = host_now();
	uint32_t left = rtc->match - ((uint32_t)now.tv_sec + rtc->ahead);

	if (!left)
		rtc->raised = true;
	rtc->armed = left && left < UINT32_MAX / 2;
	device_timer_set(rtc->timer, rtc->armed ? left * NS_PER_S - (uint64_t)now.tv_nsec : 0);
}

/* Late by any time; early if the host's clock was set or slewed meanwhile. */
static void expired(struct device *dev, void *arg)
{
	struct pl031 *rtc = arg;

	pthread_mutex_lock(&rtc->lock);
	if (rtc->armed && (int32_t)(clock_now(rtc) - rtc->match) >= 0) {
		rtc->armed = false;
		rtc->raised = true;
	} else if (rtc->armed) {
		set_alarm(rtc);
	}
	update_irq(dev);
	pthread_mutex_unlock(&rtc->lock);
}

static uint32_t read_register(const struct pl031 *rtc, uint64_t offset)
{
	/* TRM 3.3.9 on: peripheral and PrimeCell identification, revision 1 */
	static const uint8_t ids[8] = { 0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	switch (offset) {
	case RTCDR:
		return clock_now(rtc);
	case RTCMR:
		return rtc->match;
	case RTCLR:
		return rtc->load;
	case RTCCR:
		return 1;		/* it can't be stopped, TRM 3.3.4 */
	case RTCIMSC:
		return rtc->masked_in;
	case RTCRIS:
		return rtc->raised;
	case RTCMIS:
		return rtc->raised && rtc->masked_in;
	default:
		return offset >= ID_FIRST ? ids[(offset - ID_FIRST) / 4] : 0;
	}
}

static uint64_t pl031_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pl031 *rtc = dev->state;
	uint64_t value;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	value = read_register(rtc, offset & ~3ULL) >> offset % 4 * 8;
	pthread_mutex_unlock(&rtc->lock);
	return value;
}

static void write_register(struct pl031 *rtc, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case RTCMR:
		rtc->match = value;
		set_alarm(rtc);
		break;
	case RTCLR:
		rtc->load = value;
		rtc->ahead = value - (uint32_t)host_now().tv_sec;
		set_alarm(rtc);
		break;
	case RTCIMSC:
		rtc->masked_in = value & 1;
		break;
	case RTCICR:
		rtc->raised = rtc->raised && !(value & 1);
		break;
	}
}

static void pl031_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pl031 *rtc = dev->state;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	write_register(rtc, offset, (uint32_t)value);
	update_irq(dev);
	pthread_mutex_unlock(&rtc->lock);
}

static int pl031_create(struct device *dev)
{
	struct pl031 *rtc = dev->state;

	pthread_mutex_init(&rtc->lock, NULL);
	return device_timer_create(dev, expired, rtc, &rtc->timer);
}

static void pl031_destroy(struct device *dev)
{
	struct pl031 *rtc = dev->state;

	device_timer_destroy(rtc->timer);
	pthread_mutex_destroy(&rtc->lock);
}

static void pl031_describe(const struct device *dev, struct device_node *node)
{
	(void)dev;
	device_node_clocks(node, "apb_pclk\0", 0);
}

static void pl031_status(struct device *dev)
{
	struct pl031 *rtc = dev->state;

	pthread_mutex_lock(&rtc->lock);
	device_log(dev, DEVICE_INFO, "pl031: %d s ahead of the host, line %d", (int32_t)rtc->ahead,
		   device_irq_level(dev));
	pthread_mutex_unlock(&rtc->lock);
}

const struct device_type pl031_type = {
	.abi = DEVICE_ABI,
	.name = "pl031",
	.doc = "Arm PrimeCell real-time clock",
	.compatible = "arm,pl031\0arm,primecell\0",
	.size = WINDOW_SIZE,
	.arch = DEVICE_ARM64,
	.widths = 1 << 1 | 1 << 2 | 1 << 4,
	.state_size = sizeof(struct pl031),
	.describe = pl031_describe,
	.create = pl031_create,
	.destroy = pl031_destroy,
	.read = pl031_read,
	.write = pl031_write,
	.status = pl031_status,
};
