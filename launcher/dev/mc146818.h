/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_MC146818_H
#define QVM_DEV_MC146818_H

#include "dev/device.h"

/* Real time clock with 128 bytes of memory, at two ports: index and data. Time is the host's, UTC. */
extern const struct device_type mc146818_type;

#endif
