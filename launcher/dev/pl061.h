/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_PL061_H
#define QVM_DEV_PL061_H

#include "dev/device.h"

/* Arm PrimeCell GPIO whose line 3 is the machine's power button, gpio-keys in the FDT. */
extern const struct device_type pl061_type;

#endif
