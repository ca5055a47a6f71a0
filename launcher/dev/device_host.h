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
	bool posts;			/* from create() on: some of its writes are posted (device_post()) */
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

extern _Thread_local const struct device *device_running;	/* for these two alone */

/* In this thread: device code runs from now on, of @dev (NULL: no more); what was before. */
static inline const struct device *device_enter(const struct device *dev)
{
	const struct device *before = device_running;

	device_running = dev;
	return before;
}

/* The device whose code runs in this thread, or NULL; async-signal-safe. */
const struct device *device_current(void);

/* What broke, for people: a device, and what it did; or memory of the host's (STATUS_RUN). */
struct device_wreck {
	const char *device, *what;
	int status;
};

/*
 * From now on a device that crashes, or whose library calls exit(), is named before the process ends
 * with STATUS_DEVICE. Once; in the main thread.
 */
void device_guard_init(void);
/*
 * And the VM has an end: the thread that broke stays where it is for ever, with whatever locks it
 * holds; in another one @bury does what is left to do for the VM and its user, without calling any
 * device. Then the process ends with wreck->status, as it does if @bury has not called
 * device_guard_settled() within 10 s. 0 or -errno.
 */
int device_guard_begin(void (*bury)(void *arg, const struct device_wreck *wreck), void *arg);
/* In @bury: what is left may take its time. */
void device_guard_settled(void);
/* In each other thread that runs devices' code, before it does: let its crashes be seen, too. */
void device_guard_thread(void);
/* Does not return if something broke: the process is about to end. end likewise. */
void device_guard_hold(void);
void device_guard_end(void);

#endif
