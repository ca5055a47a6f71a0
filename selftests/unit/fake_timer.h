/* SPDX-License-Identifier: GPL-2.0-only */
/* The one timer of a device under test, which expires when the test says so. */
#ifndef UNIT_FAKE_TIMER_H
#define UNIT_FAKE_TIMER_H

#include "dev/device.h"

static void (*timer_expired)(struct device *dev, void *arg);
static void *timer_arg;
static uint64_t timer_ns;	/* from now; 0: it is not set */

int device_timer_create(struct device *dev, void (*expired)(struct device *dev, void *arg),
			void *arg, struct device_timer **out)
{
	(void)dev;
	timer_expired = expired;
	timer_arg = arg;
	*out = NULL;
	return 0;
}

void device_timer_set(struct device_timer *timer, uint64_t ns)
{
	(void)timer;
	timer_ns = ns;
}

void device_timer_destroy(struct device_timer *timer)
{
	(void)timer;
}

#endif
