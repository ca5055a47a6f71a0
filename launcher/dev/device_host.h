/* SPDX-License-Identifier: GPL-2.0-only */
/* The launcher's side of the device API: what a device of dev/device.h stands in. */
#ifndef QVM_DEV_DEVICE_HOST_H
#define QVM_DEV_DEVICE_HOST_H

#include "dev/device.h"

struct device_config;	/* machine/machine.h */
struct vm;

struct device_host {
	struct device dev;		/* first */
	const struct device_config *config;
	struct vm *vm;			/* NULL in unit tests, and before the VM is assembled */
	bool irq_level;			/* the device's own lock */
	bool irq_is_driven;		/* by an eventfd too: irq_level is not all that is known */
};

static inline struct device_host *device_host(const struct device *dev)
{
	return (struct device_host *)dev;
}

/* All types that are linked into qvm, ended by a NULL; in dev/types.c. */
extern const struct device_type *const device_types[];

/* The type of this config name, linked in or loaded, or NULL. */
const struct device_type *device_type_find(const char *name);

/*
 * Fill @state, type->state_size bytes, with @config's options as its schema's rows have checked
 * them. What it points to belongs to @config.
 */
void device_options_read(struct device_config *config, void *state);

/*
 * Make @host a device of @config with fresh state, for @vm or before there is one (NULL). Returns
 * -ENOMEM or 0.
 */
int device_host_init(struct device_host *host, const struct device_config *config, struct vm *vm);
void device_host_fini(struct device_host *host);

/* Bytes of the window that a device with @state has, or 0; in unit tests too. */
uint64_t device_window_size(const struct device_config *config);

/* In this thread: device code runs from now on, of @dev (NULL: no more); what was before. */
const struct device *device_enter(const struct device *dev);
/* The device whose code runs in this thread, or NULL; async-signal-safe. */
const struct device *device_current(void);

/*
 * While a VM runs: a device that crashes, or whose library calls exit(), is named in the log and
 * ends the process with STATUS_DEVICE.
 */
void device_guard_init(void);
void device_guard_fini(void);

#endif
