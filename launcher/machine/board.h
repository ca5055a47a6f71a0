/* SPDX-License-Identifier: GPL-2.0-only */
/* The board map of an architecture: where things are if the config does not say. */
#ifndef QVM_MACHINE_BOARD_H
#define QVM_MACHINE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/machine.h"

struct board_device {
	const char *name;	/* of the device type */
	uint64_t gpa;
	uint32_t irq;
	const char *tty;	/* Linux's name for it as a console, without the number; or NULL */
	bool port;		/* gpa is an I/O port */
};

struct board {
	const char *name;			/* of the architecture, as `arch` says it */
	const char *irq_prefix;			/* of a line: "gic" in gic:37 */
	uint32_t irq_first;			/* lowest line of a device */
	uint64_t ram;				/* gpa of the first automatic memory */
	uint64_t image_low;			/* images without an address stay above */
	uint64_t device, device_end, device_step;	/* where other devices go */
	uint32_t irq;				/* first line of other devices */
	uint64_t gicd_size, gicr_size;		/* bytes; gicr for each vCPU */
	uint64_t reserved, reserved_size;	/* nothing may be here */
	const char *reserved_name;
	bool reserved_memory_only;		/* no memory, but anything else may */
	unsigned int ipa_bits;
	const struct board_device *devices;	/* ended by a NULL name; several of a type: in order */
};

extern const struct board board_arm64, board_x86;

/* The first row of this device type in the map, or NULL. */
const struct board_device *board_find(const struct board *board, const char *name);
/* The next one of the same type behind @row, or NULL. */
const struct board_device *board_find_next(const struct board_device *row);

/* One more than the last line that a device can have. */
uint32_t board_irq_end(const struct machine *m);

/*
 * x86: RAM without an address goes around what a PC has at 640K … 1M and below 4G. Cut the last
 * entry of m->memory there, into as many entries as it takes; m->memory has room for two more.
 * Returns the end of the last one.
 */
uint64_t x86_split_ram(struct machine *m);

/* x86: the ROM that holds the ACPI tables, if no other memory is there; room as above. */
void x86_add_firmware(struct machine *m);

/*
 * x86: the stretches of ports that a device at a port has, by @index from 0 on; those that a PC has
 * apart from the rest too. False: there is no such stretch.
 */
bool x86_ports(const struct device_config *device, unsigned int index, uint64_t *port,
	       uint64_t *count);

/*
 * x86: give devices the ports that a PC has far from the rest of them (device_config.ports). They
 * are in nobody's way: what another device has is that one's.
 */
void x86_assign_ports(struct machine *m);
/* x86: has some device this port in its range? */
bool x86_is_taken(const struct machine *m, uint16_t port);

/* What is wrong with `pass` but places that overlap. Errors by log_at(). */
void pass_validate(const struct machine *m);

/* x86: what only such a board can have wrong. Errors by log_at(). */
void x86_validate(const struct machine *m);

/*
 * Where a PC has the ROMs of its cards and its firmware. Linux scans all of it, and what is memory
 * costs it no exits.
 */
#define X86_FIRMWARE		0xc0000
#define X86_FIRMWARE_SIZE	0x40000
#define X86_TABLES		0xe0000		/* from here on operating systems look for the RSDP */
#define X86_TABLES_SIZE		0x20000
#define X86_MPTABLE		0xf0000		/* … and from here on for the MP floating pointer */
#define X86_SECOND_8259		0x80		/* so far behind the first */

#endif
