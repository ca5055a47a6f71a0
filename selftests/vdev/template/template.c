// SPDX-License-Identifier: BSD-2-Clause
/* A vdev to begin with: one register that keeps what is written, and an interrupt while it is not 0. */
#include <pthread.h>

#include "dev/device.h"

struct state {
	pthread_mutex_t lock;		/* below: any vCPU may come in */
	uint32_t value;
};

static uint64_t template_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct state *state = dev->state;
	uint64_t value;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&state->lock);
	value = state->value;
	pthread_mutex_unlock(&state->lock);
	return value;
}

static void template_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct state *state = dev->state;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&state->lock);
	state->value = (uint32_t)value;
	device_set_irq(dev, value);
	pthread_mutex_unlock(&state->lock);
}

static int template_create(struct device *dev)
{
	struct state *state = dev->state;

	pthread_mutex_init(&state->lock, NULL);
	return 0;
}

static void template_destroy(struct device *dev)
{
	struct state *state = dev->state;

	pthread_mutex_destroy(&state->lock);
}

static const struct device_type type = {
	.abi = DEVICE_ABI,
	.name = "template",
	.doc = "a register with an interrupt",
	.compatible = "example,template\0",
	.size = 4,
	.widths = 1 << 4,
	.state_size = sizeof(struct state),
	.create = template_create,
	.destroy = template_destroy,
	.read = template_read,
	.write = template_write,
};

const struct device_type *const qvm_device_types[] = { &type, NULL };
