// SPDX-License-Identifier: GPL-2.0-only
/* Arm SP805 watchdog after its Technical Reference Manual, DDI 0270 ("TRM"). */
#include <pthread.h>
#include <time.h>

#include "dev/watchdog.h"

#define WINDOW_SIZE	0x1000
#define UNLOCK		0x1acce551	/* TRM 3.3.7 */
#define NS_PER_S	1000000000ULL

enum {
	LOAD = 0x000, VALUE = 0x004, CONTROL = 0x008, INTCLR = 0x00c, RIS = 0x010, MIS = 0x014,
	LOCK = 0xc00, ID_FIRST = 0xfe0,
};

enum { CONTROL_INTEN = 1 << 0, CONTROL_RESEN = 1 << 1 };

struct sp805 {
	unsigned int action;		/* options */
	uint64_t frequency;

	struct device_timer *timer;
	pthread_mutex_t lock;		/* all below */
	uint32_t load, control;
	bool locked, raised, bitten;
	struct timespec zero;		/* when the counter gets there, CLOCK_MONOTONIC */
};

static uint64_t ticks_to_ns(const struct sp805 *wdt, uint64_t ticks)
{
	return (uint64_t)((__uint128_t)ticks * NS_PER_S / wdt->frequency);
}

/* Count down from the load register, TRM 3.3.1. */
static void reload(struct sp805 *wdt)
{
	uint64_t ns = ticks_to_ns(wdt, wdt->load);

	clock_gettime(CLOCK_MONOTONIC, &wdt->zero);
	ns += (uint64_t)wdt->zero.tv_nsec;
	wdt->zero.tv_sec += (time_t)(ns / NS_PER_S);
	wdt->zero.tv_nsec = (long)(ns % NS_PER_S);
	ns = ticks_to_ns(wdt, wdt->load);
	if (wdt->control & CONTROL_INTEN)
		device_timer_set(wdt->timer, ns ? ns : 1);
	else
		device_timer_set(wdt->timer, 0);
}

/* TRM 3.3.2 */
static uint32_t value(const struct sp805 *wdt)
{
	struct timespec now;
	int64_t ns;

	if (!(wdt->control & CONTROL_INTEN))
		return wdt->load;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (int64_t)(wdt->zero.tv_sec - now.tv_sec) * (int64_t)NS_PER_S + wdt->zero.tv_nsec - now.tv_nsec;
	return ns > 0 ? (uint32_t)((__uint128_t)ns * wdt->frequency / NS_PER_S) : 0;
}

static void update_irq(struct device *dev)
{
	const struct sp805 *wdt = dev->state;

	device_set_irq(dev, wdt->raised && wdt->control & CONTROL_INTEN);
}

/* TRM 2.2: the first zero interrupts, the second, if nobody has cleared that, resets. */
static void expired(struct device *dev, void *arg)
{
	struct sp805 *wdt = arg;
	bool bites;

	pthread_mutex_lock(&wdt->lock);
	bites = wdt->raised && wdt->control & CONTROL_RESEN && !wdt->bitten;
	wdt->bitten |= bites;
	wdt->raised = true;
	reload(wdt);
	update_irq(dev);
	pthread_mutex_unlock(&wdt->lock);
	if (bites)
		watchdog_bite(dev, wdt->action);
}

/* TRM 3.3.10 on: peripheral and PrimeCell identification */
static uint32_t identification(uint64_t offset)
{
	static const uint8_t ids[8] = { 0x05, 0x18, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	return ids[(offset - ID_FIRST) / 4];
}

static uint32_t read_register(const struct sp805 *wdt, uint64_t offset)
{
	switch (offset) {
	case LOAD:
		return wdt->load;
	case VALUE:
		return value(wdt);
	case CONTROL:
		return wdt->control;
	case RIS:
		return wdt->raised;
	case MIS:
		return wdt->raised && wdt->control & CONTROL_INTEN;
	case LOCK:
		return wdt->locked;
	default:
		return offset >= ID_FIRST ? identification(offset) : 0;
	}
}

static uint64_t sp805_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct sp805 *wdt = dev->state;
	uint64_t all;

	(void)len;
	pthread_mutex_lock(&wdt->lock);
	all = read_register(wdt, offset & ~3ULL) >> offset % 4 * 8;
	pthread_mutex_unlock(&wdt->lock);
	return all;
}

/* TRM 3.3.3: enabling the interrupt starts the counter anew. */
static void write_control(struct sp805 *wdt, uint32_t control)
{
	bool starts = control & ~wdt->control & CONTROL_INTEN;
	bool stops = ~control & wdt->control & CONTROL_INTEN;

	wdt->control = control & (CONTROL_INTEN | CONTROL_RESEN);
	if (starts || stops)
		reload(wdt);
}

static void write_register(struct sp805 *wdt, uint64_t offset, uint32_t number)
{
	if (offset == LOCK)
		wdt->locked = number != UNLOCK;
	if (offset == LOCK || wdt->locked)
		return;
	switch (offset) {
	case LOAD:
		wdt->load = number ? number : 1;	/* TRM 3.3.1: 1 is the least */
		reload(wdt);
		break;
	case CONTROL:
		write_control(wdt, number);
		break;
	case INTCLR:
		wdt->raised = wdt->bitten = false;
		reload(wdt);
		break;
	}
}

static void sp805_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t number)
{
	struct sp805 *wdt = dev->state;

	(void)len;
	pthread_mutex_lock(&wdt->lock);
	write_register(wdt, offset, (uint32_t)number);
	update_irq(dev);
	pthread_mutex_unlock(&wdt->lock);
}

static void sp805_check(struct device *dev)
{
	watchdog_check(dev, ((const struct sp805 *)dev->state)->action);
}

static int sp805_create(struct device *dev)
{
	struct sp805 *wdt = dev->state;

	wdt->load = UINT32_MAX;
	pthread_mutex_init(&wdt->lock, NULL);
	return device_timer_create(dev, expired, wdt, &wdt->timer);
}

static void sp805_destroy(struct device *dev)
{
	struct sp805 *wdt = dev->state;

	device_timer_destroy(wdt->timer);
	pthread_mutex_destroy(&wdt->lock);
}

static void sp805_describe(const struct device *dev, struct device_node *node)
{
	const struct sp805 *wdt = dev->state;

	device_node_clocks(node, "wdog_clk\0apb_pclk\0", (uint32_t)wdt->frequency);
}

static void sp805_status(struct device *dev)
{
	struct sp805 *wdt = dev->state;

	pthread_mutex_lock(&wdt->lock);
	device_log(dev, DEVICE_INFO, "sp805: %s, %u of %u ticks left, line %d", wdt->control & CONTROL_INTEN ?
		   "runs" : "stands", value(wdt), wdt->load, device_irq_level(dev));
	pthread_mutex_unlock(&wdt->lock);
}

static const struct device_option options[] = {
	{ "action", DEVICE_OPTION_CHOICES, offsetof(struct sp805, action), "terminate", WATCHDOG_ACTIONS,
	  0, 0, "what is done when nobody feeds it: dump, and terminate (status 4) or interrupt" },
	{ "frequency", DEVICE_OPTION_NUMBER, offsetof(struct sp805, frequency), "25000000", NULL,
	  1000, 1000000000, "ticks of its counter in a second" },
	{ 0 },
};

const struct device_type sp805_type = {
	.abi = DEVICE_ABI,
	.name = "sp805",
	.doc = "Arm watchdog: counts down twice, then bites",
	.compatible = "arm,sp805\0arm,primecell\0",
	.size = WINDOW_SIZE,
	.arch = DEVICE_ARM64,
	.widths = 1 << 1 | 1 << 2 | 1 << 4,
	.state_size = sizeof(struct sp805),
	.options = options,
	.check = sp805_check,
	.describe = sp805_describe,
	.create = sp805_create,
	.destroy = sp805_destroy,
	.read = sp805_read,
	.write = sp805_write,
	.status = sp805_status,
};
