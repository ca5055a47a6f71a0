// SPDX-License-Identifier: GPL-2.0-only
#include "dev/test_devices.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"
#include "vm/vm.h"

#define LINES		24
#define PORTS_SIZE	4
#define MEMORY_SIZE	0x10000

/* ---- lines ---- */

static int lines_create(struct device *dev)
{
	(void)dev;
	return 0;
}

static void lines_destroy(struct device *dev)
{
	(void)dev;
}

static uint64_t lines_read(struct device *dev, uint64_t offset, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)len;
	return 0;
}

static void lines_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	(void)len;
	if (dev->vm)
		vm_set_irq(dev->vm, (uint32_t)offset, value);
}

const struct device_type test_lines_type = {
	.name = "test-lines",
	.size = LINES,
	.arch = MACHINE_X86,
	.once = true,
	.create = lines_create,
	.destroy = lines_destroy,
	.read = lines_read,
	.write = lines_write,
};

/* ---- bytes that are kept ---- */

struct store {
	pthread_mutex_t lock;
	uint8_t bytes[];		/* of the type's size */
};

static int store_create(struct device *dev)
{
	struct store *store = calloc(1, sizeof(*store) + dev->type->size);

	if (!store)
		return -ENOMEM;
	pthread_mutex_init(&store->lock, NULL);
	dev->state = store;
	return 0;
}

static void store_destroy(struct device *dev)
{
	struct store *store = dev->state;

	pthread_mutex_destroy(&store->lock);
	free(store);
}

static uint64_t store_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct store *store = dev->state;
	uint64_t value = 0;

	pthread_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < len && offset + i < dev->type->size; i++)
		value |= (uint64_t)store->bytes[offset + i] << 8 * i;
	pthread_mutex_unlock(&store->lock);
	return value;
}

static void store_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct store *store = dev->state;

	pthread_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < len && offset + i < dev->type->size; i++)
		store->bytes[offset + i] = (uint8_t)(value >> 8 * i);
	pthread_mutex_unlock(&store->lock);
}

#define STORE(_name, _size)						\
	{								\
		.name = _name, .size = _size, .arch = MACHINE_X86, .once = true, \
		.create = store_create, .destroy = store_destroy,	\
		.read = store_read, .write = store_write,		\
	}

const struct device_type test_ports_type = STORE("test-ports", PORTS_SIZE);
const struct device_type test_memory_type = STORE("test-memory", MEMORY_SIZE);
