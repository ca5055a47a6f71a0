// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog of iBASE's IB700 boards, which is only written: a value to 0x443 starts it with
 * (15 - value) * 2 seconds, anything to 0x441 stops it.
 */
#include <pthread.h>

#include "dev/watchdog.h"

#define WINDOW_SIZE	3
#define NS_PER_S	1000000000ULL

enum { PORT_STOP = 0, PORT_START = 2 };

struct ib700 {
	unsigned int action;		/* option */

	struct device_timer *timer;
	pthread_mutex_t lock;		/* all below */
	unsigned int seconds;
	bool running;
};

static void expired(struct device *dev, void *arg)
{
	struct ib700 *wdt = arg;

	pthread_mutex_lock(&wdt->lock);
	wdt->running = false;
	if (wdt->action & (WATCHDOG_INTERRUPT | WATCHDOG_FIQ))
		device_set_irq(dev, true);
	pthread_mutex_unlock(&wdt->lock);
	watchdog_bite(dev, wdt->action);
}

static void ib700_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct ib700 *wdt = dev->state;

	(void)len;
	if (offset != PORT_STOP && offset != PORT_START)
		return;
	pthread_mutex_lock(&wdt->lock);
	wdt->running = offset == PORT_START;
	wdt->seconds = (unsigned int)(15 - (value & 15)) * 2;
	if (!wdt->running)
		device_timer_set(wdt->timer, 0);
	else
		device_timer_set(wdt->timer, wdt->seconds ? wdt->seconds * NS_PER_S : 1);
	device_set_irq(dev, false);
	pthread_mutex_unlock(&wdt->lock);
}

static void ib700_check(struct device *dev)
{
	watchdog_check(dev, ((const struct ib700 *)dev->state)->action);
}

static int ib700_create(struct device *dev)
{
	struct ib700 *wdt = dev->state;

	pthread_mutex_init(&wdt->lock, NULL);
	return device_timer_create(dev, expired, wdt, &wdt->timer);
}

static void ib700_destroy(struct device *dev)
{
	struct ib700 *wdt = dev->state;

	device_timer_destroy(wdt->timer);
	pthread_mutex_destroy(&wdt->lock);
}

static void ib700_status(struct device *dev)
{
	struct ib700 *wdt = dev->state;

	pthread_mutex_lock(&wdt->lock);
	device_log(dev, DEVICE_INFO, "ib700: %s, %u s", wdt->running ? "runs" : "stands", wdt->seconds);
	pthread_mutex_unlock(&wdt->lock);
}

static const struct device_option options[] = {
	{ "action", DEVICE_OPTION_CHOICES, offsetof(struct ib700, action), "terminate", WATCHDOG_ACTIONS,
	  0, 0, "what is done when nobody feeds it: dump, and terminate (status 4) or interrupt" },
	{ 0 },
};

const struct device_type ib700_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE | DEVICE_F_PORT | DEVICE_F_NO_IRQ,
	.name = "ib700",
	.doc = "watchdog of a PC, ports 0x441 and 0x443",
	.size = WINDOW_SIZE,
	.arch = DEVICE_X86,
	.state_size = sizeof(struct ib700),
	.options = options,
	.check = ib700_check,
	.create = ib700_create,
	.destroy = ib700_destroy,
	.write = ib700_write,
	.status = ib700_status,
};
