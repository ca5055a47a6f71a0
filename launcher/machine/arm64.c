// SPDX-License-Identifier: GPL-2.0-only
#include "machine/board.h"

#include <stddef.h>
#include <string.h>

static const struct board_device arm64_devices[] = {
	{ "pl011",   0x1c090000, 37, "ttyAMA" },
	{ "ns16550", 0x1c0a0000, 38, "ttyS" },
	{ "ser8250", 0x1c0a0000, 38, "ttyS" },
	{ "sp805",   0x1c0f0000, 39, NULL },
	{ NULL, 0, 0, NULL },
};

const struct board board_arm64 = {
	.ram		= 0x40000000,
	.device		= 0x1c200000,
	.device_end	= 0x2f000000,
	.device_step	= 0x10000,
	.irq		= 48,
	/* Arm IHI 0069, 12.10 and 12.11: one 64K frame; two for each redistributor without LPIs */
	.gicd_size	= 0x10000,
	.gicr_size	= 0x20000,
	/* Hosts put the window for message interrupts of an SMMU here. */
	.reserved	= 0x08000000,
	.reserved_size	= 0x00100000,
	.ipa_bits	= 40,
	.devices	= arm64_devices,
};

const struct board_device *board_find(const struct board *board, const char *name)
{
	for (const struct board_device *device = board->devices; device->name; device++)
		if (!strcmp(device->name, name))
			return device;
	return NULL;
}
