// SPDX-License-Identifier: GPL-2.0-only
#include "dev/in_kernel.h"

#define IN_KERNEL(_name, _size, _flags, _doc)						\
	.abi = DEVICE_ABI, .flags = DEVICE_F_ONCE | DEVICE_F_IN_KERNEL | (_flags),	\
	.name = _name, .doc = _doc, .size = _size, .arch = DEVICE_X86

const struct device_type ioapic_type = { IN_KERNEL("ioapic", 0x1000, 0, "I/O APIC of 24 lines") };
/* Of the master; the slave's and those that choose level or edge are where a PC has them. */
const struct device_type i8259_type = { IN_KERNEL("8259", 2, DEVICE_F_PORT, "the pair of PICs") };
const struct device_type timer8254_type = { IN_KERNEL("timer8254", 4, DEVICE_F_PORT, "PIT") };
