/* SPDX-License-Identifier: GPL-2.0-only */
/* The FDT that describes the model to the guest (Devicetree Specification 0.4). */
#ifndef QVM_BOOT_FDT_H
#define QVM_BOOT_FDT_H

#include <stddef.h>
#include <stdint.h>

struct image;
struct machine;

/* Phandles: constants, so that a device's fdt hook can refer to them. */
enum fdt_phandle {
	/* Not 1 and 2: those are the user's, who may merge a tree of dtc. */
	FDT_PHANDLE_GIC		= 0x7fff0001,	/* interrupt controller; the root's interrupt-parent */
	FDT_PHANDLE_CLOCK	= 0x7fff0002,	/* fixed clock, FDT_CLOCK_HZ; #clock-cells 0 */
	FDT_PHANDLE_OWN_CLOCK	= 0x7fff2000,	/* and up: of devices with another frequency */
	FDT_PHANDLE_DEVICE	= 0x7fff1000,	/* and up: of devices that others refer to */
};

#define FDT_CLOCK_HZ	24000000

/*
 * Write the FDT of this model. All addresses in the model must be final, but the size of the
 * result does not depend on their values. *@blob is to be free()d; *@size in bytes.
 * Returns 0, or -1 (message printed).
 */
int fdt_build(const struct machine *m, uint8_t **blob, size_t *size);

/* Is the file of this image a sound device tree? 0, or -1 (said by log_at()). */
int fdt_check_user(const struct image *image);

/*
 * Merge the user's device tree, which fdt_check_user() has passed, into *@blob, which is
 * replaced. Returns 0, or -1 (said by log_at()) with *@blob as it was.
 */
int fdt_merge(const struct machine *m, const struct image *image, uint8_t **blob, size_t *size);

#endif
