// SPDX-License-Identifier: GPL-2.0-only
#include "dev/in_kernel.h"

#include "machine/machine.h"

#define IN_KERNEL(_name, _size) \
	.name = _name, .size = _size, .arch = MACHINE_X86, .once = true, .in_kernel = true

const struct device_type ioapic_type = { IN_KERNEL("ioapic", 0x1000) };
/* Of the master; the slave's and those that choose level or edge are where a PC has them. */
const struct device_type i8259_type = { IN_KERNEL("8259", 2) };
const struct device_type timer8254_type = { IN_KERNEL("timer8254", 4) };
