// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers, as QNX's public guest_shm.h has them. The factory page: a guest writes a name, then
 * a size in pages, and has the region of that name in the window from then on: a control page, then
 * the memory. A write to `notify` of the control page signals the eventfd of one client and the
 * module does it, no thread of the launcher runs on either side; several bits come here. Who has
 * signalled is in the eventfds' counts, which `status` reads.
 */
#include "dev/shmem.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dev/shmem_options.h"
#include "dev/shmem_region.h"

#define FACTORY_SIZE	0x1000
#define SIGNATURE	0x4d534732474d5651ULL
#define REGIONS		SHMEM_REGIONS
#define NOTIFY_ALL	0xffffffffu

enum { FACTORY_SIZE_REG = 24, FACTORY_NAME = 28, FACTORY_FIND = 60 };
enum { CONTROL_STATUS = 0, CONTROL_INDEX = 4, CONTROL_NOTIFY = 8, CONTROL_DETACH = 12 };
enum { OK = 0, FAILURE = 1, NO_MEMORY = 2, TOO_MANY = 3, BAD_NAME = 4, NO_PERMISSION = 5, NO_REGION = 6 };

/* What the guest reads: little-endian, as both architectures are. */
struct factory {
	uint64_t signature, shmem;
	uint32_t vector, status, size;
	char name[REGION_NAME];
	uint32_t find;
};

_Static_assert(offsetof(struct factory, size) == FACTORY_SIZE_REG, "guest_shm.h");
_Static_assert(offsetof(struct factory, name) == FACTORY_NAME, "guest_shm.h");
_Static_assert(offsetof(struct factory, find) == FACTORY_FIND, "guest_shm.h");

struct held {
	struct region *region;		/* NULL: free */
	uint64_t offset;		/* in the window, of the control page */
	bool is_attached;		/* the guest has it: else it is there by `create` alone */
	bool is_changed;		/* since the guest read the status */
};

struct shmem {
	struct shmem_options options;

	pthread_mutex_t lock;		/* all below */
	struct device *dev;
	struct factory factory;
	struct held held[REGIONS];
	bool is_busy, stop;
	int wake;			/* eventfd: the thread is to look at what it waits for */
	struct device_thread *thread;
};

/* ---- lines ---- */

static bool has_signal(const struct region *region)
{
	struct pollfd fds[REGION_CLIENTS];
	nfds_t count = 0;

	for (unsigned int i = 0; i < REGION_CLIENTS; i++)
		if (region->peer[i].connection >= 0)
			fds[count++] = (struct pollfd){ region->peer[i].from, POLLIN, 0 };
	return count && poll(fds, count, 0) > 0;
}

/* Something is to be read in some status. */
static bool is_wanted(const struct shmem *shmem)
{
	for (const struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (held->is_attached && (held->is_changed || has_signal(held->region)))
			return true;
	return false;
}

static void changed(struct shmem *shmem, struct held *held)
{
	held->is_changed = true;
	if (held->is_attached)
		device_set_irq(shmem->dev, true);
}

/* Down, and up again for what came after the counts were read: the signal's own may be lost in it. */
static void settle_line(struct shmem *shmem)
{
	device_set_irq(shmem->dev, false);
	if (is_wanted(shmem))
		device_set_irq(shmem->dev, true);
}

/* ---- other clients ---- */

static void peer_arm(struct shmem *shmem, const struct held *held, unsigned int index)
{
	const struct region_peer *peer = &held->region->peer[index];
	int error = device_irq_eventfd(shmem->dev, peer->from);

	if (error)
		device_log(shmem->dev, DEVICE_ERROR, "%s: client %u will not be heard: %s",
			   held->region->name, index, strerror(-error));
	error = device_doorbell(shmem->dev, held->offset + CONTROL_NOTIFY, 4, 1u << index, peer->to);
	if (error)	/* its notifications come to us, which is slower */
		device_log(shmem->dev, DEVICE_DEBUG, "%s: client %u has no doorbell: %s",
			   held->region->name, index, strerror(-error));
}

static void peer_disarm(struct shmem *shmem, const struct held *held, unsigned int index)
{
	device_doorbell_remove(shmem->dev, held->offset + CONTROL_NOTIFY, 4, 1u << index);
	device_irq_eventfd_remove(shmem->dev, held->region->peer[index].from);
}

static struct held *held_of(struct shmem *shmem, const struct region *region)
{
	struct held *held = shmem->held;

	while (held->region != region)
		held++;
	return held;
}

static void peer_came(struct region *region, unsigned int index, void *arg)
{
	struct shmem *shmem = arg;
	struct held *held = held_of(shmem, region);

	if (held->is_attached)
		peer_arm(shmem, held, index);
	changed(shmem, held);
}

static void peer_gone(struct region *region, unsigned int index, void *arg)
{
	struct shmem *shmem = arg;
	struct held *held = held_of(shmem, region);

	if (held->is_attached)
		peer_disarm(shmem, held, index);
	changed(shmem, held);
}

static const struct region_ops region_ops = { peer_came, peer_gone };

/* ---- the thread that hears them come and go ---- */

static size_t poll_all(struct shmem *shmem, struct pollfd *fds)
{
	size_t count = 0;

	fds[count++] = (struct pollfd){ .fd = shmem->wake, .events = POLLIN };
	for (struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (held->region)
			count += region_poll(held->region, fds + count);
	return count;
}

/* A descriptor may be another's by now: what is done with it waits for nothing. */
static void serve(struct shmem *shmem, int fd)
{
	uint64_t count;

	if (fd == shmem->wake && read(fd, &count, sizeof(count)) > 0)
		return;
	for (struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (held->region)
			region_ready(held->region, fd, &region_ops, shmem);
}

static void body(struct device_thread *thread, void *arg)
{
	struct pollfd fds[1 + REGIONS * REGION_FDS];
	struct shmem *shmem = arg;
	size_t count;

	(void)thread;
	pthread_mutex_lock(&shmem->lock);
	while (!shmem->stop) {
		count = poll_all(shmem, fds);
		pthread_mutex_unlock(&shmem->lock);
		poll(fds, count, -1);
		pthread_mutex_lock(&shmem->lock);
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents)
				serve(shmem, fds[i].fd);
	}
	pthread_mutex_unlock(&shmem->lock);
}

static void wake(const struct shmem *shmem)
{
	const uint64_t one = 1;
	ssize_t size = write(shmem->wake, &one, sizeof(one));

	(void)size;
}

/* ---- attaching ---- */

static uint64_t span(const struct region *region)
{
	return REGION_PAGE + region->size;
}

static bool is_free(const struct shmem *shmem, uint64_t offset, uint64_t size)
{
	for (const struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (held->is_attached && offset < held->offset + span(held->region) &&
		    held->offset < offset + size)
			return false;
	return true;
}

/* The first place in the window, at its start or behind another; false: it is too full. */
static bool find_place(const struct shmem *shmem, uint64_t size, uint64_t *offset)
{
	*offset = UINT64_MAX;
	if (size > shmem->options.window)
		return false;
	if (is_free(shmem, 0, size))
		*offset = 0;
	for (const struct held *held = shmem->held; held < shmem->held + REGIONS && *offset; held++) {
		uint64_t behind = held->is_attached ? held->offset + span(held->region) : UINT64_MAX;

		if (behind < *offset && shmem->options.window - behind >= size && is_free(shmem, behind, size))
			*offset = behind;
	}
	return *offset != UINT64_MAX;
}

static int attach(struct shmem *shmem, struct held *held)
{
	struct region *region = held->region;
	int error;

	if (!find_place(shmem, span(region), &held->offset))
		return -ENOMEM;
	error = device_share(shmem->dev, held->offset + REGION_PAGE, region->memory, region->size);
	if (error)
		return error;
	held->is_attached = true;
	for (unsigned int i = 0; i < REGION_CLIENTS; i++)
		if (region->peer[i].connection >= 0)
			peer_arm(shmem, held, i);
	if (has_signal(region))
		device_set_irq(shmem->dev, true);
	return 0;
}

static void detach(struct shmem *shmem, struct held *held)
{
	struct region *region = held->region;

	for (unsigned int i = 0; i < REGION_CLIENTS && held->is_attached; i++)
		if (region->peer[i].connection >= 0)
			peer_disarm(shmem, held, i);
	if (held->is_attached)
		device_unshare(shmem->dev, held->offset + REGION_PAGE, region->size);
	*held = (struct held){ 0 };
	region_leave(region);
	settle_line(shmem);
	wake(shmem);
}

static struct held *find_name(struct shmem *shmem, const char *name)
{
	for (struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (held->region && !strcmp(held->region->name, name))
			return held;
	return NULL;
}

static struct held *find_empty(struct shmem *shmem)
{
	for (struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (!held->region)
			return held;
	return NULL;
}

/* Come to it: lock held, but not while others are waited for. */
static int hold(struct shmem *shmem, const char *name, uint64_t size, struct held **out)
{
	struct region *region;
	int error;

	*out = find_name(shmem, name);
	if (*out)
		return 0;
	*out = find_empty(shmem);
	if (!*out)
		return -ENOMEM;
	if (shmem->is_busy)
		return -EBUSY;
	shmem->is_busy = true;
	pthread_mutex_unlock(&shmem->lock);
	error = region_join(name, size, &region);
	pthread_mutex_lock(&shmem->lock);
	shmem->is_busy = false;
	if (error)
		return error;
	(*out)->region = region;
	wake(shmem);
	return 0;
}

static uint32_t status_of(int error)
{
	static const struct {
		int error;
		uint32_t status;
	} rows[] = {
		{ 0, OK }, { -ENOMEM, NO_MEMORY }, { -EPERM, NO_MEMORY }, { -EUSERS, TOO_MANY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == error)
			return rows[i].status;
	return FAILURE;
}

static void show(struct shmem *shmem, const struct held *held)
{
	shmem->factory.shmem = device_window(shmem->dev) + held->offset;
	shmem->factory.size = (uint32_t)(held->region->size / REGION_PAGE);
}

static uint32_t attach_name(struct shmem *shmem, uint32_t pages)
{
	char said[REGION_NAME + 1] = "", name[REGION_NAME];
	struct held *held;
	int error;

	memcpy(said, shmem->factory.name, REGION_NAME);
	if (!region_name_is_good(said) || !shmem_substitute(&shmem->options, said, name) || !region_name_is_good(name))
		return BAD_NAME;
	if (!shmem_may_have(&shmem->options, said))
		return NO_PERMISSION;
	if ((uint64_t)pages * REGION_PAGE > shmem->options.window)
		return NO_MEMORY;
	error = hold(shmem, name, (uint64_t)pages * REGION_PAGE, &held);
	if (!error && !held->is_attached) {
		error = attach(shmem, held);
		if (error)
			detach(shmem, held);
	}
	if (error)
		device_log(shmem->dev, DEVICE_INFO, "%s: not attached: %s", name, strerror(-error));
	else
		show(shmem, held);
	return status_of(error);
}

/* The guest's @index-th region: its name and place. */
static uint32_t find_index(struct shmem *shmem, uint32_t index)
{
	for (struct held *held = shmem->held; held < shmem->held + REGIONS; held++) {
		if (!held->is_attached || index--)
			continue;
		memcpy(shmem->factory.name, held->region->name, REGION_NAME);
		show(shmem, held);
		return OK;
	}
	return NO_REGION;
}

/* ---- registers ---- */

static void factory_write(struct shmem *shmem, uint64_t offset, unsigned int len, uint64_t value)
{
	if (offset == FACTORY_SIZE_REG && len == 4)
		shmem->factory.status = attach_name(shmem, (uint32_t)value);
	else if (offset == FACTORY_FIND && len == 4)
		shmem->factory.status = find_index(shmem, (uint32_t)value);
	for (unsigned int i = 0; i < len; i++)
		if (offset + i >= FACTORY_NAME && offset + i < FACTORY_FIND)
			shmem->factory.name[offset + i - FACTORY_NAME] = (char)(value >> 8 * i);
}

static uint64_t factory_read(const struct shmem *shmem, uint64_t offset, unsigned int len)
{
	uint64_t value = 0;

	if (offset < sizeof(shmem->factory))
		memcpy(&value, (const char *)&shmem->factory + offset, len);
	return value;
}

static uint32_t status_read(struct shmem *shmem, struct held *held)
{
	struct region *region = held->region;
	uint32_t status = region_clients(region) << 16;
	uint64_t count;

	held->is_changed = false;
	for (unsigned int i = 0; i < REGION_CLIENTS; i++)
		if (region->peer[i].connection >= 0 &&
		    read(region->peer[i].from, &count, sizeof(count)) == sizeof(count))
			status |= 1u << i;
	settle_line(shmem);
	return status;
}

static void notify(const struct region *region, uint32_t clients)
{
	const uint64_t one = 1;

	for (unsigned int i = 0; i < REGION_CLIENTS; i++)
		if (clients & 1u << i && region->peer[i].connection >= 0 &&
		    write(region->peer[i].to, &one, sizeof(one)) < 0)
			continue;	/* it has 2^64 - 2 of them and is told */
}

static struct held *find_offset(struct shmem *shmem, uint64_t offset)
{
	for (struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (held->is_attached && offset >= held->offset &&
		    offset - held->offset < span(held->region))
			return held;
	return NULL;
}

static uint64_t window_read(struct shmem *shmem, uint64_t offset, unsigned int len)
{
	struct held *held = find_offset(shmem, offset);
	uint64_t value = 0;

	if (!held)
		return 0;
	offset -= held->offset;
	/* an instruction that the module completes itself; len divides the page */
	if (offset >= REGION_PAGE)
		memcpy(&value, (char *)held->region->memory + offset - REGION_PAGE, len);
	else if (offset == CONTROL_STATUS && len >= 2)
		value = status_read(shmem, held);
	else if (offset == CONTROL_INDEX)
		value = held->region->index;
	return value;
}

static void window_write(struct shmem *shmem, uint64_t offset, unsigned int len, uint64_t value)
{
	struct held *held = find_offset(shmem, offset);

	if (!held)
		return;
	offset -= held->offset;
	if (offset >= REGION_PAGE)
		memcpy((char *)held->region->memory + offset - REGION_PAGE, &value, len);
	else if (offset == CONTROL_NOTIFY)
		notify(held->region, (uint32_t)value);
	else if (offset == CONTROL_DETACH)
		detach(shmem, held);
}

static uint64_t shmem_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct shmem *shmem = dev->state;
	uint64_t value;

	pthread_mutex_lock(&shmem->lock);
	value = offset < FACTORY_SIZE ? factory_read(shmem, offset, len) :
					window_read(shmem, offset - FACTORY_SIZE, len);
	pthread_mutex_unlock(&shmem->lock);
	return value;
}

static void shmem_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct shmem *shmem = dev->state;

	pthread_mutex_lock(&shmem->lock);
	if (offset < FACTORY_SIZE)
		factory_write(shmem, offset, len, value);
	else
		window_write(shmem, offset - FACTORY_SIZE, len, value);
	pthread_mutex_unlock(&shmem->lock);
}

/* ---- options ---- */

static void shmem_check(struct device *dev)
{
	const struct shmem *shmem = dev->state;

	shmem_options_check(dev, &shmem->options);
}

static uint64_t shmem_window(const struct device *dev)
{
	const struct shmem *shmem = dev->state;

	return shmem->options.window;
}

/* ---- life ---- */

/* `create`: it is there before the guest runs, so that there is memory for it. */
static int create_regions(struct shmem *shmem)
{
	char said[REGION_NAME], name[REGION_NAME];
	struct held *held;
	uint64_t size;
	int error = 0;

	for (size_t i = 0; !error && i < shmem->options.create.count; i++) {
		shmem_read_create(shmem->options.create.text[i], said, &size);
		error = shmem_substitute(&shmem->options, said, name) ? hold(shmem, name, size, &held) : -ENAMETOOLONG;
		if (error)
			device_log(shmem->dev, DEVICE_ERROR, "create %s: %s", said, strerror(-error));
	}
	return error;
}

static void shmem_destroy(struct device *dev)
{
	struct shmem *shmem = dev->state;

	pthread_mutex_lock(&shmem->lock);
	shmem->stop = true;
	wake(shmem);
	pthread_mutex_unlock(&shmem->lock);
	device_thread_destroy(shmem->thread);
	for (struct held *held = shmem->held; held < shmem->held + REGIONS; held++)
		if (held->region)
			detach(shmem, held);
	close(shmem->wake);
	pthread_mutex_destroy(&shmem->lock);
}

static int shmem_create(struct device *dev)
{
	struct shmem *shmem = dev->state;
	int error;

	pthread_mutex_init(&shmem->lock, NULL);
	shmem->dev = dev;
	shmem->factory.signature = SIGNATURE;
	shmem->factory.vector = device_irq_line(dev);
	shmem->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = shmem->wake < 0 ? -errno : device_thread_create(dev, body, shmem, &shmem->thread);
	if (error)
		device_log(dev, DEVICE_ERROR, "no thread: %s", strerror(-error));
	pthread_mutex_lock(&shmem->lock);
	if (!error)
		error = create_regions(shmem);
	pthread_mutex_unlock(&shmem->lock);
	if (error)
		shmem_destroy(dev);
	return error;
}

static void shmem_status(struct device *dev)
{
	struct shmem *shmem = dev->state;
	unsigned int count = 0;

	pthread_mutex_lock(&shmem->lock);
	for (const struct held *held = shmem->held; held < shmem->held + REGIONS; held++) {
		if (!held->region)
			continue;
		device_log(dev, DEVICE_INFO, "%s: %llu KiB, client %u of 0x%x%s", held->region->name,
			   (unsigned long long)held->region->size / 1024, held->region->index,
			   region_clients(held->region), held->is_attached ? "" : ", not attached");
		count++;
	}
	if (!count)
		device_log(dev, DEVICE_INFO, "no region");
	pthread_mutex_unlock(&shmem->lock);
}

/* What the table of options is about comes first in the state. */
_Static_assert(offsetof(struct shmem, options) == 0, "shmem_option_table");

const struct device_type shmem_type = {
	.abi = DEVICE_ABI,
	.name = "shmem",
	.doc = "memory that VMs of one user share by name, with doorbells",
	.compatible = "qvm,guest_shm\0",
	.size = FACTORY_SIZE,
	.state_size = sizeof(struct shmem),
	.options = shmem_option_table,
	.check = shmem_check,
	.create = shmem_create,
	.destroy = shmem_destroy,
	.read = shmem_read,
	.write = shmem_write,
	.status = shmem_status,
	.window = shmem_window,
};
