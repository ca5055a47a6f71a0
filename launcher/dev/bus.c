// SPDX-License-Identifier: GPL-2.0-only
#include "dev/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/ns16550.h"
#include "dev/pl011.h"
#include "machine/machine.h"
#include "util/log.h"

const struct device_type *const device_types[] = {
	&pl011_type,
	&ns16550_type,
	&ser8250_type,
	NULL,
};

const struct device_type *device_type_find(const char *name)
{
	for (const struct device_type *const *type = device_types; *type; type++) {
		if (strcmp((*type)->name, name) == 0)
			return *type;
	}
	return NULL;
}

static int compare_gpa(const void *a, const void *b)
{
	const struct device *left = a, *right = b;

	return (left->config->gpa > right->config->gpa) - (left->config->gpa < right->config->gpa);
}

int bus_create(struct bus *bus, struct vm *vm, const struct machine *machine)
{
	if (machine->device_count == 0)
		return 0;
	bus->devices = calloc(machine->device_count, sizeof(*bus->devices));
	if (!bus->devices)
		return -ENOMEM;
	for (size_t i = 0; i < machine->device_count; i++) {
		bus->devices[i].config = &machine->device[i];
		bus->devices[i].type = machine->device[i].type;
		bus->devices[i].vm = vm;
	}
	/* Before create: a device may hand out its own address. */
	qsort(bus->devices, machine->device_count, sizeof(*bus->devices), compare_gpa);
	for (size_t i = 0; i < machine->device_count; i++) {
		struct device *dev = &bus->devices[i];
		int error = dev->type->create(dev);

		if (error) {
			bus_destroy(bus);
			return error;
		}
		bus->count = i + 1;
	}
	return 0;
}

void bus_destroy(struct bus *bus)
{
	while (bus->count > 0) {
		struct device *dev = &bus->devices[--bus->count];

		dev->type->destroy(dev);
	}
	free(bus->devices);
	bus->devices = NULL;
}

static bool claims(const struct device *dev, uint64_t gpa, unsigned int len)
{
	uint64_t offset = gpa - dev->config->gpa;

	return offset < dev->config->size && dev->config->size - offset >= len && offset % len == 0;
}

/* The device that claims the access, or NULL. */
static struct device *bus_find(const struct bus *bus, uint64_t gpa, unsigned int len)
{
	size_t low = 0, high = bus->count;

	/* The last device that begins at or below gpa is at low - 1 in the end. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bus->devices[middle].config->gpa <= gpa)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !claims(&bus->devices[low - 1], gpa, len))
		return NULL;
	return &bus->devices[low - 1];
}

bool bus_read(const struct bus *bus, uint64_t gpa, unsigned int len, uint64_t *value)
{
	struct device *dev = bus_find(bus, gpa, len);

	if (!dev)
		return false;
	*value = dev->type->read(dev, gpa - dev->config->gpa, len);
	return true;
}

bool bus_write(const struct bus *bus, uint64_t gpa, unsigned int len, uint64_t value)
{
	struct device *dev = bus_find(bus, gpa, len);

	if (!dev)
		return false;
	dev->type->write(dev, gpa - dev->config->gpa, len, value);
	return true;
}

void bus_status(const struct bus *bus)
{
	for (size_t i = 0; i < bus->count; i++) {
		if (bus->devices[i].type->status)
			bus->devices[i].type->status(&bus->devices[i]);
	}
}
