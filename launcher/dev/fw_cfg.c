// SPDX-License-Identifier: GPL-2.0-only
#include "dev/fw_cfg.h"

#include <pthread.h>

#include "dev/device_host.h"
#include "machine/machine.h"
#include "vm/vm.h"

#define WINDOW_SIZE	2

enum { PORT_SELECTOR = 0, PORT_DATA = 1 };

struct fw_cfg {
	pthread_mutex_t lock;		/* all below */
	uint16_t selector;
	unsigned int at;		/* the next byte of the item */
};

static uint64_t item_signature(const struct machine *m)
{
	(void)m;
	return 'Q' | 'E' << 8 | 'M' << 16 | 'U' << 24;
}

static uint64_t item_id(const struct machine *m)
{
	(void)m;
	return 1;			/* no DMA */
}

static uint64_t item_ram(const struct machine *m)
{
	uint64_t size = 0;

	for (size_t i = 0; i < m->memory_count; i++)
		size += m->memory[i].kind == MEMORY_RAM ? m->memory[i].size : 0;
	return size;
}

static uint64_t item_cpus(const struct machine *m)
{
	return m->cpu_count;
}

/* What is not here has no bytes, and reads as zeros. */
static const struct item {
	uint16_t selector;
	uint8_t size;
	uint64_t (*value)(const struct machine *m);
} items[] = {
	{ 0x00, 4, item_signature },
	{ 0x01, 4, item_id },
	{ 0x03, 8, item_ram },
	{ 0x05, 2, item_cpus },
	{ 0x0f, 2, item_cpus },		/* as many as there can be: no CPU comes later */
};

static uint8_t item_byte(const struct machine *m, uint16_t selector, unsigned int at)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (items[i].selector == selector && at < items[i].size)
			return (uint8_t)(items[i].value(m) >> 8 * at);
	return 0;
}

static int fw_cfg_create(struct device *dev)
{
	struct fw_cfg *cfg = dev->state;

	pthread_mutex_init(&cfg->lock, NULL);
	return 0;
}

static void fw_cfg_destroy(struct device *dev)
{
	struct fw_cfg *cfg = dev->state;

	pthread_mutex_destroy(&cfg->lock);
}

static uint64_t fw_cfg_read(struct device *dev, uint64_t offset, unsigned int len)
{
	const struct vm *vm = device_host(dev)->vm;
	struct fw_cfg *cfg = dev->state;
	uint64_t value = 0;

	(void)len;
	pthread_mutex_lock(&cfg->lock);
	if (offset == PORT_DATA && vm)
		value = item_byte(vm->machine, cfg->selector, cfg->at++);
	pthread_mutex_unlock(&cfg->lock);
	return value;
}

static void fw_cfg_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct fw_cfg *cfg = dev->state;

	if (offset != PORT_SELECTOR || len != 2)
		return;			/* items can't be written */
	pthread_mutex_lock(&cfg->lock);
	cfg->selector = (uint16_t)value;
	cfg->at = 0;
	pthread_mutex_unlock(&cfg->lock);
}

const struct device_type fw_cfg_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE | DEVICE_F_PORT | DEVICE_F_NO_IRQ,
	.name = "fw-cfg",
	.doc = "number of CPUs and size of memory, for guests that read no ACPI tables",
	.state_size = sizeof(struct fw_cfg),
	.size = WINDOW_SIZE,
	.arch = DEVICE_X86,
	.create = fw_cfg_create,
	.destroy = fw_cfg_destroy,
	.read = fw_cfg_read,
	.write = fw_cfg_write,
};
