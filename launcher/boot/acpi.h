/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACPI tables that describe an x86 machine to its guest (ACPI 6.5). */
#ifndef QVM_BOOT_ACPI_H
#define QVM_BOOT_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device_config;
struct machine;

#define ACPI_SIZE_MAX	0x4000	/* of all tables of the largest machine */

/*
 * Write RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT of this model to @area, which holds
 * ACPI_SIZE_MAX bytes of zero and will be at gpa @gpa of the guest, a multiple of 64 below 4G.
 * The RSDP comes first. The roots name the tables of the config too; those without an address are
 * in the area. Returns how many bytes all take, which may be more than there are.
 */
size_t acpi_build(const struct machine *m, uint8_t *area, uint64_t gpa);

/* A COM port of a PC, by what ACPI calls it. */
bool acpi_is_uart(const struct device_config *device);

#endif
