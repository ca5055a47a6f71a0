/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_PROGRESS_H
#define QVM_DEV_PROGRESS_H

#include "dev/device.h"

/*
 * How far the guest has come: a number that it writes to offset 0 goes into the log with the time
 * since it started; read at 0 it is the last number, at 8 that time in milliseconds.
 */
extern const struct device_type progress_type;

#endif
