// SPDX-License-Identifier: GPL-2.0-only
/* What of the device API goes to the module: shared memory, doorbells, lines by eventfd. */
#include <errno.h>

#include "dev/device_host.h"
#include "machine/machine.h"
#include "vm/sys.h"
#include "vm/vm.h"

/* NULL in unit tests. */
static struct sys_vm *sys_of(const struct device *dev)
{
	const struct vm *vm = device_host(dev)->vm;

	return vm ? vm->sys_vm : NULL;
}

uint32_t device_irq_line(const struct device *dev)
{
	return device_host(dev)->config->irq;
}

static int set_irqfd(struct device *dev, int eventfd, uint32_t flags)
{
	const struct qvm_irqfd irqfd = {
		.eventfd = eventfd, .line = device_irq_line(dev), .flags = flags,
	};

	if (!irqfd.line)
		return 0;		/* nobody wants to hear of it */
	return sys_of(dev) ? sys_set_irqfd(sys_of(dev), &irqfd) : -ENODEV;
}

int device_irq_eventfd(struct device *dev, int eventfd)
{
	device_host(dev)->irq_is_driven = true;
	return set_irqfd(dev, eventfd, QVM_IRQFD_F_HOLD);
}

void device_irq_eventfd_remove(struct device *dev, int eventfd)
{
	set_irqfd(dev, eventfd, QVM_IRQFD_F_REMOVE);
}

uint64_t device_window(const struct device *dev)
{
	return device_host(dev)->config->window;
}

static int set_share(struct device *dev, uint64_t offset, void *memory, size_t size, uint32_t flags)
{
	const struct qvm_share share = {
		.gpa = device_window(dev) + offset, .size = size, .hva = (uintptr_t)memory,
		.flags = flags,
	};

	return sys_of(dev) ? sys_set_share(sys_of(dev), &share) : -ENODEV;
}

int device_share(struct device *dev, uint64_t offset, void *memory, size_t size)
{
	return set_share(dev, offset, memory, size, 0);
}

void device_unshare(struct device *dev, uint64_t offset, size_t size)
{
	set_share(dev, offset, NULL, size, QVM_SHARE_F_REMOVE);
}

static int set_doorbell(struct device *dev, uint64_t offset, unsigned int len, uint64_t value,
			int eventfd, uint32_t flags)
{
	const struct qvm_doorbell doorbell = {
		.addr = device_window(dev) + offset, .len = len, .datamatch = value,
		.eventfd = eventfd, .flags = flags | QVM_DOORBELL_F_DATAMATCH,
	};

	return sys_of(dev) ? sys_set_doorbell(sys_of(dev), &doorbell) : -ENODEV;
}

int device_doorbell(struct device *dev, uint64_t offset, unsigned int len, uint64_t value, int eventfd)
{
	return set_doorbell(dev, offset, len, value, eventfd, 0);
}

void device_doorbell_remove(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	set_doorbell(dev, offset, len, value, -1, QVM_DOORBELL_F_REMOVE);
}

/* One doorbell for all widths, or one for each that the type takes. */
int device_post(struct device *dev, uint64_t offset)
{
	const struct device_config *config = device_host(dev)->config;
	struct qvm_doorbell doorbell = {
		.addr = config->gpa + offset, .eventfd = -1,
		.flags = QVM_DOORBELL_F_POST | (config->port ? QVM_DOORBELL_F_PORT : 0),
	};
	uint32_t widths = dev->type->widths ? dev->type->widths : 1;
	int error = sys_of(dev) ? 0 : -ENODEV;

	for (; widths && !error; widths &= widths - 1) {
		doorbell.len = dev->type->widths ? (uint32_t)__builtin_ctz(widths) : 0;
		error = sys_set_doorbell(sys_of(dev), &doorbell);
		if (!error)
			device_host(dev)->posts = device_host(dev)->vm->posts = true;
	}
	return error;
}
