/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_PCKEYBOARD_H
#define QVM_DEV_PCKEYBOARD_H

#include "dev/device.h"

/*
 * 8042 keyboard controller: enough to be found, and to reset the machine. The keyboard says yes to
 * everything, and sends no key and no interrupt.
 */
extern const struct device_type pckeyboard_type;

#endif
