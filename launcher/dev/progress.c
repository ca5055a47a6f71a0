// SPDX-License-Identifier: GPL-2.0-only
#include "dev/progress.h"

#include <pthread.h>
#include <time.h>

#define WINDOW_SIZE	0x10
#define SAID_MAX	100	/* lines of log: no guest fills the host's */

enum { NUMBER = 0, TIME = 8 };

struct progress {
	pthread_mutex_t lock;		/* all below */
	struct timespec start;
	uint64_t number;
	unsigned int said;
};

static uint64_t ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000);
}

static uint64_t progress_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct progress *progress = dev->state;
	uint64_t value;

	(void)len;
	pthread_mutex_lock(&progress->lock);
	value = offset < TIME ? progress->number : ms_since(&progress->start);
	pthread_mutex_unlock(&progress->lock);
	return value >> offset % 8 * 8;
}

static void progress_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct progress *progress = dev->state;
	unsigned long long ms;
	bool say;

	(void)len;
	if (offset != NUMBER)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->number = value;
	ms = ms_since(&progress->start);
	say = progress->said < SAID_MAX && ++progress->said;
	pthread_mutex_unlock(&progress->lock);
	if (say)
		device_log(dev, DEVICE_INFO, "progress %llu after %llu ms", (unsigned long long)value, ms);
}

static int progress_create(struct device *dev)
{
	struct progress *progress = dev->state;

	pthread_mutex_init(&progress->lock, NULL);
	clock_gettime(CLOCK_MONOTONIC, &progress->start);
	return 0;
}

static void progress_destroy(struct device *dev)
{
	struct progress *progress = dev->state;

	pthread_mutex_destroy(&progress->lock);
}

static void progress_state(struct device *dev, enum device_vm_state state)
{
	struct progress *progress = dev->state;

	pthread_mutex_lock(&progress->lock);
	if (state == DEVICE_VM_STARTED)
		clock_gettime(CLOCK_MONOTONIC, &progress->start);
	pthread_mutex_unlock(&progress->lock);
}

static void progress_status(struct device *dev)
{
	struct progress *progress = dev->state;

	pthread_mutex_lock(&progress->lock);
	device_log(dev, DEVICE_INFO, "progress: %llu", (unsigned long long)progress->number);
	pthread_mutex_unlock(&progress->lock);
}

const struct device_type progress_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_NO_IRQ,
	.name = "progress",
	.doc = "how far the guest has come: a number that it writes is logged with the time",
	.compatible = "qvm,progress\0",
	.size = WINDOW_SIZE,
	.state_size = sizeof(struct progress),
	.create = progress_create,
	.destroy = progress_destroy,
	.read = progress_read,
	.write = progress_write,
	.status = progress_status,
	.state = progress_state,
};
