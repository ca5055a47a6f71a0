/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_PCKEYBOARD_H
#define QVM_DEV_PCKEYBOARD_H

#include "dev/device.h"

/* 8042 keyboard controller without a keyboard: enough to be found, and to reset the machine. */
extern const struct device_type pckeyboard_type;

#endif
