/* SPDX-License-Identifier: GPL-2.0-only */
/* The board map of an architecture: where things are if the config does not say. */
#ifndef QVM_MACHINE_BOARD_H
#define QVM_MACHINE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

struct board_device {
	const char *name;	/* of the device type */
	uint64_t gpa;
	uint32_t irq;
	const char *tty;	/* Linux's name for it as a console, without the number; or NULL */
};

struct board {
	uint64_t ram;				/* gpa of the first automatic memory */
	uint64_t device, device_end, device_step;	/* where other devices go */
	uint32_t irq;				/* first line of other devices */
	uint64_t gicd_size, gicr_size;		/* bytes; gicr for each vCPU */
	uint64_t reserved, reserved_size;	/* nothing may be here */
	unsigned int ipa_bits;
	const struct board_device *devices;	/* ended by a NULL name */
};

extern const struct board board_arm64;

/* The row of this device type in the map, or NULL. */
const struct board_device *board_find(const struct board *board, const char *name);

#endif
