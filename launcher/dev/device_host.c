// SPDX-License-Identifier: GPL-2.0-only
#include "dev/device_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"

_Thread_local const struct device *device_running;

int device_host_init(struct device_host *host, const struct device_config *config, struct vm *vm)
{
	const struct device_type *type = config->type;
	void *state = calloc(1, type->state_size ? type->state_size : 1);

	if (!state)
		return -ENOMEM;
	if (config->state)
		memcpy(state, config->state, type->state_size);
	*host = (struct device_host){
		.dev = { .type = type, .name = config->name, .state = state },
		.config = config,
		.vm = vm,
	};
	return 0;
}

void device_host_fini(struct device_host *host)
{
	free(host->dev.state);
	host->dev.state = NULL;
}

uint64_t device_window_size(const struct device_config *config)
{
	struct device_host host;
	const struct device *before;
	uint64_t size;

	if (!config->type->window || device_host_init(&host, config, NULL))
		return 0;
	before = device_enter(&host.dev);
	size = config->type->window(&host.dev);
	device_enter(before);
	device_host_fini(&host);
	return size;
}

const struct device *device_current(void)
{
	return device_running;
}
