/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_PL011_H
#define QVM_DEV_PL011_H

#include "dev/device.h"

/* Arm PrimeCell UART PL011, revision r1p5 (32-byte FIFOs), over a character back end. */
extern const struct device_type pl011_type;

#endif
