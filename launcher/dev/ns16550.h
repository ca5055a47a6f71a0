/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_NS16550_H
#define QVM_DEV_NS16550_H

#include "dev/device.h"

/* 16550A UART, eight byte-wide registers one after the other, over a character back end. */
extern const struct device_type ns16550_type;

/* The same under the name that qvmconf knows. */
extern const struct device_type ser8250_type;

#endif
