/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device in the launcher: an address range, perhaps an interrupt line, registers behind
 * offsets. The bus subtracts the base; the device sees an offset and its own state.
 */
#ifndef QVM_DEVICE_H
#define QVM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct device_config;
struct vm;

struct device_type {
	const char *name;		/* config word: "pl011", "ns16550", … */
	const char *compatible;		/* FDT, NUL-separated list, or NULL: no node */
	uint64_t size;			/* bytes of its register window */
	/*
	 * Create the device: 0 or -errno (message printed). Called before the guest starts;
	 * dev->vm, dev->config are set, dev->state is the device's own.
	 */
	int (*create)(struct device *dev);
	/* Undo create; the guest no longer runs. */
	void (*destroy)(struct device *dev);
	/*
	 * One access; offset < size, len is 1, 2, 4 or 8, offset aligned to len. Called from any
	 * vCPU thread; the device locks itself. A register that does not exist reads as zero.
	 */
	uint64_t (*read)(struct device *dev, uint64_t offset, unsigned int len);
	void (*write)(struct device *dev, uint64_t offset, unsigned int len, uint64_t value);
	/*
	 * Add what is special to the device's FDT node (clocks …) after reg, interrupts and
	 * compatible; libfdt sequential-write. NULL: nothing. Returns 0 or a libfdt error.
	 */
	int (*fdt)(const struct device_config *config, void *fdt);
};

struct device {
	const struct device_type *type;
	const struct device_config *config;
	struct vm *vm;			/* NULL in unit tests */
	void *state;
};

/* All types, ended by a NULL; in dev/bus.c. */
extern const struct device_type *const device_types[];

/* The type of this config name, or NULL. */
const struct device_type *device_type_find(const char *name);

/* Drive the device's interrupt line (level-triggered); no effect without a line. Any thread. */
void device_set_irq(struct device *dev, bool level);

#endif
