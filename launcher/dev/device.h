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

enum device_vm_state {
	DEVICE_VM_ASSEMBLED,	/* the board is complete */
	DEVICE_VM_STARTED,	/* the first vCPU enters the guest for the first time */
	DEVICE_VM_ENDED,	/* for whatever reason: stop what goes on by itself, DMA first */
};

struct device_type {
	const char *name;		/* config word: "pl011", "ns16550", … */
	const char *compatible;		/* FDT, list of strings ended by an empty one; NULL: no node */
	uint64_t size;			/* bytes of its register window, or ports */
	unsigned int arch;		/* enum machine_arch; 0: any */
	bool once;			/* a board has one at most */
	bool in_kernel;			/* the module has it: vm/ creates it; no hook below is there */
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
	/* Say the device's state by log_info(), one line (SIGUSR1). NULL: nothing to say. */
	void (*status)(struct device *dev);
	/*
	 * The VM has come to this state. Each once in a VM's life and in their order; ASSEMBLED and
	 * ENDED with no vCPU running, STARTED by the vCPU that is about to enter the guest first.
	 * What has failed before it started goes from ASSEMBLED to destroy. NULL: of no interest.
	 */
	void (*state)(struct device *dev, enum device_vm_state state);
	/*
	 * Press the machine's power button. True: this device has one and the guest listens to it.
	 * In the loop's thread. NULL: it has none.
	 */
	bool (*button)(struct device *dev);
};

struct device {
	const struct device_type *type;
	const struct device_config *config;
	struct vm *vm;			/* NULL in unit tests */
	void *state;
	bool irq_level;			/* what the line was last driven to; the device's own lock */
};

/* All types, ended by a NULL; in dev/bus.c. */
extern const struct device_type *const device_types[];

/* The type of this config name, or NULL. */
const struct device_type *device_type_find(const char *name);

/*
 * Drive the device's interrupt line (level-triggered); no effect without a line. Any thread;
 * calls for one device are ordered by the device's own lock. Without a VM the level is only
 * recorded in dev->irq_level.
 */
void device_set_irq(struct device *dev, bool level);

#endif
