// SPDX-License-Identifier: BSD-2-Clause
/*
 * An example of a vdev of one's own: the switch of a machine that has neither PSCI nor ACPI. The
 * guest writes 0x5a to offset 0 to switch itself off, 0xa5 to start anew; at 4 it finds how often
 * the switch was asked for. `vdev switch loc 0x1d000000 after 3` does it at the third time.
 */
#include <stdatomic.h>

#include "dev/device.h"

enum { OFF = 0x5a, RESET = 0xa5 };

struct state {
	uint64_t after;			/* option */
	atomic_uint asked;
};

static uint64_t switch_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct state *state = dev->state;

	(void)len;
	return offset == 4 ? atomic_load(&state->asked) : 0;
}

static void switch_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct state *state = dev->state;

	(void)len;
	if (offset || (value != OFF && value != RESET))
		return;
	if (atomic_fetch_add(&state->asked, 1) + 1 >= state->after)
		device_power(dev, value == RESET);
}

static const struct device_option options[] = {
	{ "after", DEVICE_OPTION_NUMBER, offsetof(struct state, after), "1", NULL, 1, 100,
	  "how often it has to be asked" },
	{ 0 },
};

static const struct device_type type = {
	.abi = DEVICE_ABI, .flags = DEVICE_F_NO_IRQ, .name = "switch", .doc = "the machine's switch",
	.compatible = "example,switch\0", .size = 8, .state_size = sizeof(struct state),
	.options = options, .read = switch_read, .write = switch_write,
};

const struct device_type *const qvm_device_types[] = { &type, NULL };
