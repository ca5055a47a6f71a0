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

/* ---- doorbells, and posted writes ---- */

#define BELL_POSTED	4	/* register: writes are posted, a read gives a digest of them, which tells their order */

struct bell {
	int eventfd;
	pthread_mutex_t lock;
	uint32_t digest;
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

	pthread_mutex_init(&bell->lock, NULL);
	bell->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = bell->eventfd < 0 ? -errno : bell_connect(dev, bell->eventfd);
	if (error)
		device_log(dev, DEVICE_ERROR, "the doorbell: %s", strerror(-error));
	device_post(dev, BELL_POSTED);
	return error;
}

static void bell_destroy(struct device *dev)
{
	struct bell *bell = dev->state;

	if (bell->eventfd >= 0)
		close(bell->eventfd);
	pthread_mutex_destroy(&bell->lock);
}

static uint64_t bell_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct bell *bell = dev->state;
	uint32_t digest;

	(void)len;
	pthread_mutex_lock(&bell->lock);
	digest = bell->digest;
	pthread_mutex_unlock(&bell->lock);
	return offset == BELL_POSTED ? digest : 0;
}

static void bell_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct bell *bell = dev->state;

	if (offset != BELL_POSTED)
		return;
	pthread_mutex_lock(&bell->lock);
	bell->digest = bell->digest * 31 + (uint32_t)value + len;
	pthread_mutex_unlock(&bell->lock);
}

#define BELL(_name, _flags)								\
	.abi = DEVICE_ABI, .flags = DEVICE_F_NO_IRQ | (_flags), .name = _name,		\
	.doc = "for tests of guests: a write to its beginning signals an eventfd and, if it has one, its line; " \
	       "one to its middle is posted",						\
	.size = 8,									\
	.state_size = sizeof(struct bell), .create = bell_create, .destroy = bell_destroy, \
	.read = bell_read, .write = bell_write

const struct device_type test_bell_type = { BELL("test-bell", 0) };
const struct device_type test_bell_port_type = {
	BELL("test-bell-port", DEVICE_F_ONCE | DEVICE_F_PORT), .arch = DEVICE_X86
};
