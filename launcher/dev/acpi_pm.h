/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_ACPI_PM_H
#define QVM_DEV_ACPI_PM_H

#include "dev/device.h"

/*
 * ACPI's fixed hardware (ACPI 6.5, 4.8): PM1a event and control, the PM timer, a reset register.
 * No legacy mode: SCI_EN always reads 1. And the two ports by which a chipset resets a PC: the reset
 * control register (82371AB PIIX4 data sheet, 4.2.5) and port 92 of the PS/2.
 */
extern const struct device_type acpi_pm_type;

/* Offsets of the blocks, for the FADT. */
enum {
	ACPI_PM1_EVENT	= 0,	/* status, enable: 2 bytes each */
	ACPI_PM1_CONTROL = 4,	/* 2 bytes */
	ACPI_PM_TIMER	= 8,	/* 4 bytes, 3.579545 MHz */
	ACPI_PM_RESET	= 12,	/* 1 byte */
	ACPI_PM_SIZE	= 16,
	/* Behind the window are its ports elsewhere, a byte each. */
	ACPI_PM_CF9	= ACPI_PM_SIZE,
	ACPI_PM_92,
};

#define ACPI_RESET_VALUE	6	/* to be written to the reset register */
#define ACPI_S5			0	/* SLP_TYP that switches off; of QEMU's PC, which guests know */

#endif
