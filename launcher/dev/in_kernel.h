/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_IN_KERNEL_H
#define QVM_DEV_IN_KERNEL_H

#include "dev/device.h"

/* Parts of the board that the module has: the launcher knows where they are, no more. */
extern const struct device_type ioapic_type;	/* 24 pins */
extern const struct device_type i8259_type;	/* the pair; "8259" */
extern const struct device_type timer8254_type;	/* and port 0x61 */

#endif
