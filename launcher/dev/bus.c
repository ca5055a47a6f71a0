// SPDX-License-Identifier: GPL-2.0-only
#include "dev/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/acpi_pm.h"
#include "dev/debug_exit.h"
#include "dev/fw_cfg.h"
#include "dev/in_kernel.h"
#include "dev/mc146818.h"
#include "dev/ns16550.h"
#include "dev/pckeyboard.h"
#include "dev/pl011.h"
#include "dev/test_devices.h"
#include "machine/machine.h"
#include "util/log.h"

const struct device_type *const device_types[] = {
	&pl011_type,
	&ns16550_type,
	&ser8250_type,
	&mc146818_type,
	&acpi_pm_type,
	&pckeyboard_type,
	&debug_exit_type,
	&fw_cfg_type,
	&test_lines_type,
	&test_ports_type,
	&test_memory_type,
	&ioapic_type,
	&i8259_type,
	&timer8254_type,
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

/* Where a thing is: ports come behind all memory. */
struct place {
	bool port;
	uint64_t gpa;
};

static struct place place_of(const struct device *dev)
{
	return (struct place){ dev->config->port, dev->config->gpa };
}

static int compare_place(struct place a, struct place b)
{
	if (a.port != b.port)
		return a.port - b.port;
	return (a.gpa > b.gpa) - (a.gpa < b.gpa);
}

static int compare_devices(const void *a, const void *b)
{
	return compare_place(place_of(a), place_of(b));
}

int bus_create(struct bus *bus, struct vm *vm, const struct machine *machine)
{
	size_t count = 0;

	bus->lanes = machine->arch == MACHINE_X86;
	if (machine->device_count == 0)
		return 0;
	bus->devices = calloc(machine->device_count, sizeof(*bus->devices));
	if (!bus->devices)
		return -ENOMEM;
	for (size_t i = 0; i < machine->device_count; i++) {
		if (machine->device[i].type->in_kernel)
			continue;
		bus->devices[count].config = &machine->device[i];
		bus->devices[count].type = machine->device[i].type;
		bus->devices[count++].vm = vm;
	}
	/* Before create: a device may hand out its own address. */
	qsort(bus->devices, count, sizeof(*bus->devices), compare_devices);
	for (size_t i = 0; i < count; i++) {
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

static bool claims(const struct device *dev, struct place place, unsigned int len)
{
	uint64_t offset = place.gpa - dev->config->gpa;

	return place.port == dev->config->port && offset < dev->config->size &&
	       dev->config->size - offset >= len && !(len & (len - 1)) && offset % len == 0;
}

/* The device that claims the access, or NULL. */
static struct device *bus_find(const struct bus *bus, struct place place, unsigned int len)
{
	size_t low = 0, high = bus->count;

	/* The last device that begins at or below the place is at low - 1 in the end. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_place(place_of(&bus->devices[middle]), place) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !claims(&bus->devices[low - 1], place, len))
		return NULL;
	return &bus->devices[low - 1];
}

static struct place place_behind(struct place place, unsigned int len)
{
	return (struct place){ place.port, place.gpa + len };
}

static bool place_read(const struct bus *bus, struct place place, unsigned int len, uint64_t *value)
{
	struct device *dev = bus_find(bus, place, len);
	uint64_t low = UINT64_MAX, high = UINT64_MAX;
	unsigned int half = len / 2;
	bool any;

	if (!dev && (!bus->lanes || !half))
		return false;
	if (!dev) {
		any = place_read(bus, place, half, &low);
		any |= place_read(bus, place_behind(place, half), len - half, &high);
		*value = any ? (low & ((1ULL << 8 * half) - 1)) | high << 8 * half : *value;
		return any;
	}
	*value = dev->type->read(dev, place.gpa - dev->config->gpa, len);
	return true;
}

static bool place_write(const struct bus *bus, struct place place, unsigned int len, uint64_t value)
{
	struct device *dev = bus_find(bus, place, len);
	unsigned int half = len / 2;
	bool any;

	if (!dev && (!bus->lanes || !half))
		return false;
	if (!dev) {
		any = place_write(bus, place, half, value);
		return place_write(bus, place_behind(place, half), len - half, value >> 8 * half) | any;
	}
	dev->type->write(dev, place.gpa - dev->config->gpa, len, value);
	return true;
}

bool bus_read(const struct bus *bus, uint64_t gpa, unsigned int len, uint64_t *value)
{
	return place_read(bus, (struct place){ false, gpa }, len, value);
}

bool bus_write(const struct bus *bus, uint64_t gpa, unsigned int len, uint64_t value)
{
	return place_write(bus, (struct place){ false, gpa }, len, value);
}

bool bus_port_read(const struct bus *bus, uint64_t port, unsigned int len, uint64_t *value)
{
	return place_read(bus, (struct place){ true, port }, len, value);
}

bool bus_port_write(const struct bus *bus, uint64_t port, unsigned int len, uint64_t value)
{
	return place_write(bus, (struct place){ true, port }, len, value);
}

void bus_state(const struct bus *bus, enum device_vm_state state)
{
	for (size_t i = 0; i < bus->count; i++) {
		if (bus->devices[i].type->state)
			bus->devices[i].type->state(&bus->devices[i], state);
	}
}

bool bus_button(const struct bus *bus)
{
	for (size_t i = 0; i < bus->count; i++) {
		if (bus->devices[i].type->button && bus->devices[i].type->button(&bus->devices[i]))
			return true;
	}
	return false;
}

void bus_status(const struct bus *bus)
{
	for (size_t i = 0; i < bus->count; i++) {
		if (bus->devices[i].type->status)
			bus->devices[i].type->status(&bus->devices[i]);
	}
}
