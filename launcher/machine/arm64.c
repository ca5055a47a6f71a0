// SPDX-License-Identifier: GPL-2.0-only
#include "machine/board.h"

#include <stddef.h>

static const struct board_device arm64_devices[] = {
	{ "pl011",   0x1c090000, 37, "ttyAMA", false },
	{ "ns16550", 0x1c0a0000, 38, "ttyS", false },
	{ "ser8250", 0x1c0a0000, 38, "ttyS", false },
	{ "sp805",   0x1c0f0000, 39, NULL, false },
	{ "pl031",   0x1c170000, 36, NULL, false },
	{ "pl061",   0x1c1d0000, 35, NULL, false },
	{ NULL, 0, 0, NULL, false },
};

const struct board board_arm64 = {
	.name		= "arm64",
	.irq_prefix	= "gic",
	.irq_first	= 32,
	.ram		= 0x40000000,
	.device		= 0x1c200000,
	.device_end	= 0x2f000000,
	.device_step	= 0x10000,
	.irq		= 48,
	/* Arm IHI 0069, 12.10 and 12.11: one 64K frame; two for each redistributor without LPIs */
	.gicd_size	= 0x10000,
	.gicr_size	= 0x20000,
	/* Hosts put the window for message interrupts of an SMMU here: no device reaches memory behind it. */
	.reserved	= 0x08000000,
	.reserved_size	= 0x00100000,
	.reserved_name	= "the window for message interrupts",
	.reserved_memory_only = true,
	.ipa_bits	= 40,
	.devices	= arm64_devices,
};
