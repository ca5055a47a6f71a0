// SPDX-License-Identifier: GPL-2.0-only
#include "dev/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

#include "machine/machine.h"

/* Where a thing is: ports come behind all memory. */
struct place {
	bool port;
	uint64_t gpa;
};

static struct place place_of(const struct device_host *host)
{
	return (struct place){ host->config->port, host->config->gpa };
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

static int create_device(struct device_host *host)
{
	const struct device_type *type = host->dev.type;
	const struct device *before;
	int error = 0;

	if (!type->create)
		return 0;
	before = device_enter(&host->dev);
	error = type->create(&host->dev);
	device_enter(before);
	return error;
}

static void destroy_device(struct device_host *host)
{
	const struct device *before = device_enter(&host->dev);

	if (host->dev.type->destroy)
		host->dev.type->destroy(&host->dev);
	device_enter(before);
	device_host_fini(host);
}

/* All that are not the module's, with fresh state. The count, or -ENOMEM. */
static ssize_t init_devices(struct bus *bus, struct vm *vm, const struct machine *machine)
{
	ssize_t count = 0;

	for (size_t i = 0; i < machine->device_count; i++) {
		if (machine->device[i].type->flags & DEVICE_F_IN_KERNEL)
			continue;
		if (device_host_init(&bus->devices[count], &machine->device[i], vm)) {
			while (count--)
				device_host_fini(&bus->devices[count]);
			return -ENOMEM;
		}
		count++;
	}
	return count;
}

int bus_create(struct bus *bus, struct vm *vm, const struct machine *machine)
{
	static unsigned long number;
	ssize_t count = 0;

	bus->number = __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED);
	bus->lanes = machine->arch == MACHINE_X86;
	if (machine->device_count == 0)
		return 0;
	bus->devices = calloc(machine->device_count, sizeof(*bus->devices));
	if (bus->devices)
		count = init_devices(bus, vm, machine);
	if (!bus->devices || count < 0) {
		bus_destroy(bus);
		return -ENOMEM;
	}
	/* Before create: a device may hand out its own address. */
	qsort(bus->devices, (size_t)count, sizeof(*bus->devices), compare_devices);
	for (ssize_t i = 0; i < count; i++) {
		int error = create_device(&bus->devices[i]);

		if (error) {
			for (ssize_t j = i; j < count; j++)
				device_host_fini(&bus->devices[j]);
			bus_destroy(bus);
			return error;
		}
		bus->count = (size_t)i + 1;
	}
	return 0;
}

void bus_destroy(struct bus *bus)
{
	while (bus->count > 0)
		destroy_device(&bus->devices[--bus->count]);
	free(bus->devices);
	bus->devices = NULL;
	bus->number = 0;
}

static bool claims(const struct device_host *host, struct place place, unsigned int len)
{
	const struct device_config *config = host->config;
	uint64_t offset = place.gpa - config->gpa;
	const struct device_type *type = host->dev.type;
	uint32_t widths = place.port && type->flags & DEVICE_F_BYTE_PORTS ? 1 << 1 : type->widths;

	return place.port == config->port && offset < config->size && config->size - offset >= len &&
	       !(len & (len - 1)) && offset % len == 0 && (!widths || widths & 1U << len);
}

/* The device in whose window all of the access is, or NULL. */
static struct device_host *window_find(const struct bus *bus, struct place place, unsigned int len)
{
	for (size_t i = 0; i < bus->count && !place.port; i++) {
		const struct device_config *config = bus->devices[i].config;
		uint64_t offset = place.gpa - config->window;

		if (offset < config->window_size && config->window_size - offset >= len)
			return len & (len - 1) || offset % len ? NULL : &bus->devices[i];
	}
	return NULL;
}

/* The device that claims the access, or NULL. */
static struct device_host *bus_find(const struct bus *bus, struct place place, unsigned int len)
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
		return window_find(bus, place, len);
	return &bus->devices[low - 1];
}

/* As the device counts: its window is behind its registers. */
static uint64_t offset_of(const struct device_host *host, struct place place)
{
	const struct device_config *config = host->config;
	uint64_t offset = place.gpa - config->gpa;

	if (place.port == config->port && offset < config->size)
		return offset;
	return config->size + (place.gpa - config->window);
}

/* Where an access goes: which device claims it, or NULL, and which of its registers that is. */
struct target {
	struct device_host *host;
	uint64_t offset;
};

#define HITS	4	/* a status register and one for data, next to each other */

/* The thread's last accesses; guests poll. Of the bus with this number, if it is there yet. */
struct hit {
	unsigned long bus;
	uint64_t gpa, kind;		/* access_kind() */
	struct target target;
};

static _Thread_local struct hit hits[HITS];

static inline uint64_t access_kind(struct place place, unsigned int len)
{
	return (uint64_t)len << 1 | place.port;
}

static __attribute__((__noinline__)) struct target target_search(const struct bus *bus, struct place place,
								 unsigned int len, struct hit *hit)
{
	struct target target = { .host = bus_find(bus, place, len) };

	if (target.host) {
		target.offset = offset_of(target.host, place);
		*hit = (struct hit){ bus->number, place.gpa, access_kind(place, len), target };
	}
	return target;
}

static inline struct target target_of(const struct bus *bus, struct place place, unsigned int len)
{
	struct hit *hit = &hits[(place.gpa ^ place.gpa >> 2) % HITS];

	if (hit->gpa == place.gpa && hit->kind == access_kind(place, len) && hit->bus == bus->number)
		return hit->target;
	return target_search(bus, place, len, hit);
}

static struct place place_behind(struct place place, unsigned int len)
{
	return (struct place){ place.port, place.gpa + len };
}

static inline uint64_t device_read(struct target target, unsigned int len)
{
	struct device *dev = &target.host->dev;
	const struct device *before;
	uint64_t value;

	if (!dev->type->read)
		return 0;
	before = device_enter(dev);
	value = dev->type->read(dev, target.offset, len);
	device_enter(before);
	return value;
}

static inline void device_write(struct target target, unsigned int len, uint64_t value)
{
	struct device *dev = &target.host->dev;
	const struct device *before;

	if (!dev->type->write)
		return;
	before = device_enter(dev);
	dev->type->write(dev, target.offset, len, value);
	device_enter(before);
}

static inline bool place_read(const struct bus *bus, struct place place, unsigned int len,
			      uint64_t *value);
static inline bool place_write(const struct bus *bus, struct place place, unsigned int len,
			       uint64_t value);

/* No device takes it whole. */
static __attribute__((__noinline__)) bool parts_read(const struct bus *bus, struct place place,
						     unsigned int len, uint64_t *value)
{
	uint64_t low = UINT64_MAX, high = UINT64_MAX;
	unsigned int half = len / 2;
	bool any;

	if (!bus->lanes || !half)
		return false;
	any = place_read(bus, place, half, &low);
	any |= place_read(bus, place_behind(place, half), len - half, &high);
	*value = any ? (low & ((1ULL << 8 * half) - 1)) | high << 8 * half : *value;
	return any;
}

static __attribute__((__noinline__)) bool parts_write(const struct bus *bus, struct place place,
						      unsigned int len, uint64_t value)
{
	unsigned int half = len / 2;
	bool any;

	if (!bus->lanes || !half)
		return false;
	any = place_write(bus, place, half, value);
	return place_write(bus, place_behind(place, half), len - half, value >> 8 * half) | any;
}

static inline bool place_read(const struct bus *bus, struct place place, unsigned int len,
			      uint64_t *value)
{
	struct target target = target_of(bus, place, len);

	if (!target.host)
		return parts_read(bus, place, len, value);
	*value = device_read(target, len);
	return true;
}

static inline bool place_write(const struct bus *bus, struct place place, unsigned int len,
			       uint64_t value)
{
	struct target target = target_of(bus, place, len);

	if (!target.host)
		return parts_write(bus, place, len, value);
	device_write(target, len, value);
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

/*
 * A port that a device has elsewhere, of a byte. The part of a wider access is none: 0xcf9 is in the
 * middle of PCI's address register.
 */
static __attribute__((__noinline__)) struct target far_port(const struct bus *bus, uint64_t port,
							    unsigned int len)
{
	for (size_t i = 0; i < bus->count && len == 1; i++) {
		const struct device_config *config = bus->devices[i].config;

		for (size_t j = 0; config->ports && config->ports[j]; j++)
			if (config->ports[j] == port)
				return (struct target){ &bus->devices[i], config->size + j };
	}
	return (struct target){ 0 };
}

bool bus_port_read(const struct bus *bus, uint64_t port, unsigned int len, uint64_t *value)
{
	struct target target;

	if (place_read(bus, (struct place){ true, port }, len, value))
		return true;
	target = far_port(bus, port, len);
	if (target.host)
		*value = device_read(target, len);
	return target.host;
}

bool bus_port_write(const struct bus *bus, uint64_t port, unsigned int len, uint64_t value)
{
	struct target target;

	if (place_write(bus, (struct place){ true, port }, len, value))
		return true;
	target = far_port(bus, port, len);
	if (target.host)
		device_write(target, len, value);
	return target.host;
}

bool bus_posts(const struct bus *bus, uint64_t addr, bool port, unsigned int len)
{
	struct target target = target_of(bus, (struct place){ port, addr }, len);

	return !target.host || target.host->posts;
}

void bus_state(const struct bus *bus, enum device_vm_state state)
{
	for (size_t i = 0; i < bus->count; i++) {
		struct device *dev = &bus->devices[i].dev;
		const struct device *before = device_enter(dev);

		if (dev->type->state)
			dev->type->state(dev, state);
		device_enter(before);
	}
}

bool bus_button(const struct bus *bus)
{
	bool heard = false;

	for (size_t i = 0; i < bus->count && !heard; i++) {
		struct device *dev = &bus->devices[i].dev;
		const struct device *before = device_enter(dev);

		heard = dev->type->button && dev->type->button(dev);
		device_enter(before);
	}
	return heard;
}

void bus_status(const struct bus *bus)
{
	for (size_t i = 0; i < bus->count; i++) {
		struct device *dev = &bus->devices[i].dev;
		const struct device *before = device_enter(dev);

		if (dev->type->status && bus->devices[i].config->show)
			dev->type->status(dev);
		device_enter(before);
	}
}
