// SPDX-License-Identifier: GPL-2.0-only
#include "dev/debug_exit.h"

#define WINDOW_SIZE	4

static void debug_exit_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	(void)len;
	/* An exit status has 8 bits. */
	if (offset == 0)
		device_exit(dev, (value << 1 | 1) & 0xff);
}

const struct device_type debug_exit_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE | DEVICE_F_PORT | DEVICE_F_NO_IRQ,
	.name = "debug-exit",
	.doc = "a port by which a guest ends the VM with an exit status of its own",
	.size = WINDOW_SIZE,
	.arch = DEVICE_X86,
	.write = debug_exit_write,
};
