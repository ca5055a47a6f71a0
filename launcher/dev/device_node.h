/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's description of a device while its describe() adds to it. */
#ifndef QVM_DEV_DEVICE_NODE_H
#define QVM_DEV_DEVICE_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "dev/device.h"

/* How a kind of description takes what a device says; a NULL one drops it. */
struct device_node_ops {
	void (*u32s)(void *out, const char *name, const uint32_t *values, size_t count);
	void (*string)(void *out, const char *name, const char *text);
	void (*flag)(void *out, const char *name);
	void (*clocks)(void *out, const char *names, uint32_t hz);
	uint32_t (*phandle)(void *out);
	void (*begin)(void *out, const char *name);
	void (*end)(void *out);
};

struct device_node {
	const struct device_node_ops *ops;
	void *out;
	bool closed;		/* by device_node_begin(): the device's own is ended */
	unsigned int open;	/* of those begun */
};

struct device_config;

/* Let the device of @config describe itself; no vCPU runs. */
void device_describe(const struct device_config *config, struct device_node *node);

#endif
