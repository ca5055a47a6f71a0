// SPDX-License-Identifier: GPL-2.0-only
#include "dev/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/node.h"
#include "dev/device_host.h"
#include "machine/machine.h"
#include "util/log.h"
#include "util/status.h"
#include "vm/vm.h"

/* ---- saying ---- */

void device_log(const struct device *dev, enum device_log kind, const char *format, ...)
{
	static const enum log_kind kinds[] = {
		[DEVICE_ERROR] = LOG_KIND_ERROR, [DEVICE_WARN] = LOG_KIND_WARN,
		[DEVICE_INFO] = LOG_KIND_INFO, [DEVICE_DEBUG] = LOG_KIND_DEBUG,
	};
	const struct device_config *config = device_host(dev)->config;
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_to(config->has_log ? &config->log : NULL,
	       kinds[(unsigned int)kind <= DEVICE_DEBUG ? kind : DEVICE_DEBUG], "%s: %s", dev->name,
	       text);
}

void device_config_error(const struct device *dev, const char *option, const char *format, ...)
{
	const struct device_config *config = device_host(dev)->config;
	struct node *node = node_find(config->node, option);
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (node)
		node_error(node, "%s", text);
	else
		log_at(&config->origin, dev->name, "%s: %s", option, text);
}

/* ---- interrupts ---- */

void device_set_irq(struct device *dev, bool level)
{
	struct device_host *host = device_host(dev);

	if (host->irq_level == level && !host->irq_is_driven)
		return;		/* most register accesses change nothing: spare the call */
	host->irq_level = level;
	if (host->vm && host->config->irq)
		vm_set_irq(host->vm, host->config->irq, level);
}

bool device_irq_level(const struct device *dev)
{
	return device_host(dev)->irq_level;
}

int device_send_msi(struct device *dev, uint64_t address, uint32_t data)
{
	(void)dev;
	(void)address;
	(void)data;
	return -ENOTSUP;
}

/* ---- the machine ---- */

void *device_memory(struct device *dev, uint64_t gpa, size_t size, bool write)
{
	const struct vm *vm = device_host(dev)->vm;
	const struct memory *memory = vm ? machine_find_memory(vm->machine, gpa, size) : NULL;

	if (!memory || !memory->hva || (write && memory->kind == MEMORY_ROM))
		return NULL;
	return (uint8_t *)memory->hva + (gpa - memory->gpa);
}

void device_power(struct device *dev, bool reset)
{
	if (device_host(dev)->vm)
		vm_power_event(device_host(dev)->vm, reset);
}

void device_exit(struct device *dev, int status)
{
	if (device_host(dev)->vm)
		vm_guest_exit(device_host(dev)->vm, status);
}

void device_end(struct device *dev, int status, const char *format, ...)
{
	struct vm *vm = device_host(dev)->vm;
	char text[512];
	va_list args;

	if (!vm)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (vm_settle(vm, (enum status)status))
		device_log(dev, DEVICE_WARN, "ends the VM with status %d: %s", status, text);
	vm_stop(vm, (enum status)status);
}

void device_fail(struct device *dev, const char *format, ...)
{
	struct vm *vm = device_host(dev)->vm;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (vm)
		vm_device_error(vm, dev->name, text);
	else
		device_log(dev, DEVICE_ERROR, "%s", text);
}

/* A launcher without dumps has none to write. */
__attribute__((weak)) int vm_dump(struct vm *vm, const char *why)
{
	(void)vm;
	(void)why;
	return -ENOSYS;
}

int device_dump(struct device *dev, const char *why)
{
	struct vm *vm = device_host(dev)->vm;

	return vm ? vm_dump(vm, why) : -ENODEV;
}
