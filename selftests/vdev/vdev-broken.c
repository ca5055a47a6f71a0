// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vdev that says what it is told of the VM's life, and that breaks at the guest's first write in
 * each of the ways that a vdev can break.
 */
#define _GNU_SOURCE	/* MADV_HWPOISON */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dev/device.h"

#define RAM_PAGE	0x40100000	/* of the board of arm64, and of x86 where it has so much */

struct state {
	unsigned int fault;
	struct device_thread *thread;
	struct device_timer *timer;
};

static volatile int *volatile nowhere;

static void crash(struct device *dev)
{
	(void)dev;
	*nowhere = 1;
}

static void fail(struct device *dev)
{
	device_fail(dev, "it is jammed");
}

static void call_exit(struct device *dev)
{
	(void)dev;
	exit(0);
}

static void call_abort(struct device *dev)
{
	(void)dev;
	abort();
}

static int deeper(unsigned int levels)
{
	volatile char here[4096];

	here[0] = (char)levels;
	return levels ? deeper(levels - 1) + here[0] : 0;
}

/* No stack is left for a handler. */
static void recurse(struct device *dev)
{
	(void)dev;
	deeper(~0U);
}

/* With what the launcher's log needs. */
static void crash_with_lock(struct device *dev)
{
	flockfile(stderr);
	crash(dev);
}

/* The host's memory below the guest. */
static void poison(struct device *dev)
{
	volatile char *page = device_memory(dev, RAM_PAGE, 4096, true);

	*page = 1;
	if (madvise((void *)page, 4096, MADV_HWPOISON))
		device_log(dev, DEVICE_INFO, "poisoned, and told so");
	*page = 1;
}

static void in_thread(struct device *dev)
{
	struct state *state = dev->state;

	device_thread_wake(state->thread);
}

static void in_timer(struct device *dev)
{
	struct state *state = dev->state;

	device_timer_set(state->timer, 1);
}

static void (*const faults[])(struct device *dev) = {
	NULL, fail, crash, call_exit, call_abort, recurse, crash_with_lock, poison, in_thread, in_timer,
};

static void broken_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct state *state = dev->state;

	(void)offset;
	(void)len;
	(void)value;
	if (faults[state->fault])
		faults[state->fault](dev);
	else
		device_power(dev, false);
}

static void body(struct device_thread *thread, void *arg)
{
	if (device_thread_wait(thread))
		crash(arg);
}

static void expired(struct device *dev, void *arg)
{
	(void)arg;
	crash(dev);
}

static int broken_create(struct device *dev)
{
	struct state *state = dev->state;

	device_log(dev, DEVICE_INFO, "created");
	return device_timer_create(dev, expired, NULL, &state->timer) ?:
	       device_thread_create(dev, body, dev, &state->thread);
}

static void broken_destroy(struct device *dev)
{
	struct state *state = dev->state;

	device_thread_destroy(state->thread);
	device_timer_destroy(state->timer);
	device_log(dev, DEVICE_INFO, "destroyed");
}

static void broken_state(struct device *dev, enum device_vm_state state)
{
	static const char *const texts[] = { "assembled", "started", "ended" };

	device_log(dev, DEVICE_INFO, "%s", texts[state]);
}

static const struct device_option options[] = {
	{ "fault", DEVICE_OPTION_CHOICE, offsetof(struct state, fault), "none",
	  "none|fail|crash|exit|abort|stack|lock|memory|thread|timer", 0, 0, "how it breaks" },
	{ 0 },
};

static const struct device_type type = {
	.abi = DEVICE_ABI, .flags = DEVICE_F_NO_IRQ, .name = "broken", .doc = "breaks",
	.size = 8, .state_size = sizeof(struct state), .options = options, .create = broken_create,
	.destroy = broken_destroy, .write = broken_write, .state = broken_state,
};

const struct device_type *const qvm_device_types[] = { &type, NULL };
