/* SPDX-License-Identifier: GPL-2.0-only */
/* What watchdogs have in common: what is done when one bites. */
#ifndef QVM_DEV_WATCHDOG_H
#define QVM_DEV_WATCHDOG_H

#include "dev/device.h"

/* Bits of an option of kind CHOICES over WATCHDOG_ACTIONS; "fiq" is QNX's word for interrupt. */
#define WATCHDOG_ACTIONS	"dump|terminate|interrupt|fiq"

enum {
	WATCHDOG_DUMP = 1 << 0, WATCHDOG_TERMINATE = 1 << 1, WATCHDOG_INTERRUPT = 1 << 2,
	WATCHDOG_FIQ = 1 << 3,
};

/* Say what is wrong with option `action`. In check(). */
void watchdog_check(struct device *dev, unsigned int actions);
/* It bites: do what @actions say but the interrupt, which is the device's own. In the loop's thread. */
void watchdog_bite(struct device *dev, unsigned int actions);

extern const struct device_type sp805_type, ib700_type;

#endif
