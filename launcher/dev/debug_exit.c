// SPDX-License-Identifier: GPL-2.0-only
#include "dev/debug_exit.h"

#include "machine/machine.h"
#include "vm/vm.h"

#define WINDOW_SIZE	4

static int debug_exit_create(struct device *dev)
{
	(void)dev;
	return 0;
}

static void debug_exit_destroy(struct device *dev)
{
	(void)dev;
}

static uint64_t debug_exit_read(struct device *dev, uint64_t offset, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)len;
	return 0;
}

static void debug_exit_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	(void)len;
	/* An exit status has 8 bits. */
	if (dev->vm && offset == 0)
		vm_guest_exit(dev->vm, (value << 1 | 1) & 0xff);
}

const struct device_type debug_exit_type = {
	.name = "debug-exit",
	.size = WINDOW_SIZE,
	.arch = MACHINE_X86,
	.once = true,
	.create = debug_exit_create,
	.destroy = debug_exit_destroy,
	.read = debug_exit_read,
	.write = debug_exit_write,
};
