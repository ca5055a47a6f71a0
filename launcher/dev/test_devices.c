// SPDX-License-Identifier: GPL-2.0-only
#include "dev/test_devices.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dev/device_host.h"
#include "machine/machine.h"
#include "vm/sys.h"
#include "vm/vm.h"

#define LINES		24
#define PORTS_SIZE	4
#define MEMORY_SIZE	0x10000

/* ---- lines ---- */

static void lines_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	(void)len;
	if (device_host(dev)->vm)
		vm_set_irq(device_host(dev)->vm, (uint32_t)offset, value);
}

const struct device_type test_lines_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE | DEVICE_F_PORT | DEVICE_F_NO_IRQ,
	.name = "test-lines",
	.doc = "for tests of guests: drives any line",
	.size = LINES,
	.arch = DEVICE_X86,
	.write = lines_write,
};

/* ---- bytes that are kept ---- */

struct store {
	pthread_mutex_t lock;
	uint8_t bytes[];		/* of the type's size */
};

static int store_create(struct device *dev)
{
	struct store *store = dev->state;

	pthread_mutex_init(&store->lock, NULL);
	return 0;
}

static void store_destroy(struct device *dev)
{
	struct store *store = dev->state;

	pthread_mutex_destroy(&store->lock);
}

static uint64_t store_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct store *store = dev->state;
	uint64_t value = 0;

	pthread_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < len && offset + i < dev->type->size; i++)
		value |= (uint64_t)store->bytes[offset + i] << 8 * i;
	pthread_mutex_unlock(&store->lock);
	return value;
}

static void store_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct store *store = dev->state;

	pthread_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < len && offset + i < dev->type->size; i++)
		store->bytes[offset + i] = (uint8_t)(value >> 8 * i);
	pthread_mutex_unlock(&store->lock);
}

#define STORE(_name, _size, _flags)						\
	{								\
		.abi = DEVICE_ABI, .flags = DEVICE_F_ONCE | (_flags), .name = _name, \
		.doc = "for tests of guests: keeps what is written", .size = _size, \
		.arch = DEVICE_X86, .state_size = sizeof(struct store) + (_size), \
		.create = store_create, .destroy = store_destroy,	\
		.read = store_read, .write = store_write,		\
	}

const struct device_type test_ports_type = STORE("test-ports", PORTS_SIZE, DEVICE_F_PORT);
const struct device_type test_memory_type = STORE("test-memory", MEMORY_SIZE, 0);

/* ---- doorbells ---- */

struct bell {
	int eventfd;
};

static int bell_connect(const struct device *dev, int eventfd)
{
	const struct device_config *config = device_host(dev)->config;
	const struct qvm_irqfd irqfd = { .eventfd = eventfd, .line = config->irq };
	struct vm *vm = device_host(dev)->vm;
	int error;

	if (!vm)
		return 0;	/* a unit test */
	error = vm_add_doorbell(vm, config->gpa, config->port, eventfd);
	return error || !irqfd.line ? error : sys_set_irqfd(vm->sys_vm, &irqfd);
}

/* Nobody waits for it, but for its line where the config gives it one. */
static int bell_create(struct device *dev)
{
	struct bell *bell = dev->state;
	int error;

	bell->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = bell->eventfd < 0 ? -errno : bell_connect(dev, bell->eventfd);
	if (error)
		device_log(dev, DEVICE_ERROR, "the doorbell: %s", strerror(-error));
	return error;
}

static void bell_destroy(struct device *dev)
{
	struct bell *bell = dev->state;

	if (bell->eventfd >= 0)
		close(bell->eventfd);
}

#define BELL(_name, _flags)								\
	.abi = DEVICE_ABI, .flags = DEVICE_F_NO_IRQ | (_flags), .name = _name,		\
	.doc = "for tests of guests: a write to its beginning signals an eventfd and, if it has one, its line", \
	.size = 8,									\
	.state_size = sizeof(struct bell), .create = bell_create, .destroy = bell_destroy

const struct device_type test_bell_type = { BELL("test-bell", 0) };
const struct device_type test_bell_port_type = {
	BELL("test-bell-port", DEVICE_F_ONCE | DEVICE_F_PORT), .arch = DEVICE_X86
};
