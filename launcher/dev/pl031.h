/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_PL031_H
#define QVM_DEV_PL031_H

#include "dev/device.h"

/* Arm PrimeCell real-time clock, shows the host's UTC till the guest sets it. */
extern const struct device_type pl031_type;

#endif
