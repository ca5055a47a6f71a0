// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/bus.c launcher/dev/in_kernel.c launcher/dev/acpi_pm.c launcher/dev/debug_exit.c launcher/dev/mc146818.c launcher/dev/pckeyboard.c launcher/dev/types.c launcher/dev/fw_cfg.c launcher/dev/test_devices.c launcher/dev/pl031.c launcher/dev/pl061.c launcher/dev/sp805.c launcher/dev/ib700.c launcher/dev/watchdog.c launcher/dev/progress.c launcher/dev/shmem.c launcher/dev/shmem_options.c launcher/dev/shmem_region.c launcher/dev/device_share.c launcher/dev/device_run.c launcher/dev/device_guard.c launcher/dev/terminal.c launcher/util/loop.c launcher/dev/device.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/config/node.c launcher/config/value.c launcher/util/alloc.c launcher/dev/pl011.c launcher/dev/ns16550.c launcher/util/log.c
/* Which device answers at an address. */
#include "control/runtime.h"
#include "dev/bus.h"
#include "dev/load.h"
#include "uart.h"
#include "vm/sys.h"

/* No shared memory without a module. */
bool runtime_shared_path(char *path, size_t size, const char *file)
{
	(void)path;
	(void)size;
	(void)file;
	return false;
}

int sys_set_share(struct sys_vm *vm, const struct qvm_share *share)
{
	(void)vm;
	(void)share;
	return -1;
}

int sys_set_doorbell(struct sys_vm *vm, const struct qvm_doorbell *doorbell)
{
	(void)vm;
	(void)doorbell;
	return -1;
}

int sys_set_irqfd(struct sys_vm *vm, const struct qvm_irqfd *irqfd)
{
	(void)vm;
	(void)irqfd;
	return -1;
}

/* Nothing is loaded here. */
const struct device_type *device_loaded_find(const char *key)
{
	(void)key;
	return NULL;
}

static unsigned int created, destroyed, create_fails_at;

static int toy_create(struct device *dev)
{
	if (++created == create_fails_at)
		return -1;
	*(struct device **)dev->state = dev;
	return 0;
}

static void toy_destroy(struct device *dev)
{
	CHECK(*(struct device **)dev->state == dev);
	destroyed++;
}

static uint64_t last_offset, last_value;
static unsigned int last_len;
static const struct device *last_device;

static uint64_t toy_read(struct device *dev, uint64_t offset, unsigned int len)
{
	last_device = dev;
	last_offset = offset;
	last_len = len;
	return device_host(dev)->config->gpa;
}

static void toy_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	toy_read(dev, offset, len);
	last_value = value;
}

static const struct device_type toy = {
	.name = "toy", .state_size = sizeof(struct device *), .create = toy_create, .destroy = toy_destroy,
	.read = toy_read, .write = toy_write,
};

/* Out of order; two that touch; one at 0, one at the end of the address space. */
static struct device_config configs[] = {
	{ .type = &toy, .name = "c", .gpa = 0x9000, .size = 0x1000 },
	{ .type = &toy, .name = "a", .gpa = 0, .size = 0x10 },
	{ .type = &toy, .name = "e", .gpa = UINT64_MAX - 0xff, .size = 0x100 },
	{ .type = &toy, .name = "b", .gpa = 0x8000, .size = 0x1000 },
	{ .type = &toy, .name = "d", .gpa = 0x20002, .size = 6 },
};

static struct machine machine = { .device = configs, .device_count = 5 };
static struct bus bus;

static void bus_open(void)
{
	created = destroyed = create_fails_at = 0;
	bus = (struct bus){ 0 };
	if (bus_create(&bus, NULL, &machine))
		abort();
}

/* The name of the device that takes a read, "" for none. */
static const char *claimant(uint64_t gpa, unsigned int len)
{
	uint64_t value = 0x55;

	if (!bus_read(&bus, gpa, len, &value)) {
		CHECK_EQ(value, 0x55);
		return "";
	}
	CHECK_EQ(value, device_host(last_device)->config->gpa);
	CHECK_EQ(last_offset, gpa - device_host(last_device)->config->gpa);
	CHECK_EQ(last_len, len);
	return device_host(last_device)->config->name;
}

TEST(finds_each)
{
	bus_open();
	CHECK_STR(claimant(0, 4), "a");
	CHECK_STR(claimant(0xc, 4), "a");
	CHECK_STR(claimant(0x8000, 8), "b");
	CHECK_STR(claimant(0x8fff, 1), "b");
	CHECK_STR(claimant(0x9000, 1), "c");
	CHECK_STR(claimant(0x9ffc, 4), "c");
	CHECK_STR(claimant(UINT64_MAX - 7, 8), "e");
	CHECK_STR(claimant(UINT64_MAX, 1), "e");
	bus_destroy(&bus);
}

/* What the last access went to is tried first, but never that of another bus. */
TEST(the_last_one_is_forgotten)
{
	struct bus first;

	bus_open();
	first = bus;
	CHECK_STR(claimant(0x8000, 4), "b");
	bus_open();
	CHECK_STR(claimant(0x8004, 4), "b");
	CHECK(last_device >= &bus.devices[0].dev && last_device < &bus.devices[bus.count].dev);
	CHECK_STR(claimant(0x9000, 4), "c");
	bus_destroy(&bus);
	CHECK_STR(claimant(0x9000, 4), "");
	bus = first;
	CHECK_STR(claimant(0x9000, 4), "c");
	CHECK_STR(claimant(0x9ffc, 4), "c");
	CHECK_STR(claimant(0xa000, 4), "");
	bus_destroy(&bus);
}

TEST(nobody)
{
	bus_open();
	CHECK_STR(claimant(0x10, 1), "");
	CHECK_STR(claimant(0x7fff, 1), "");
	CHECK_STR(claimant(0xa000, 1), "");
	CHECK_STR(claimant(0x20001, 1), "");
	CHECK_STR(claimant(0x20008, 1), "");
	CHECK_STR(claimant(UINT64_MAX - 0x100, 1), "");
	bus_destroy(&bus);
}

TEST(crosses_the_end)
{
	bus_open();
	CHECK_STR(claimant(0x20006, 4), "");
	CHECK_STR(claimant(0x20006, 2), "d");
	CHECK_STR(claimant(0x20002, 8), "");
	bus_destroy(&bus);
}

TEST(misaligned)
{
	bus_open();
	CHECK_STR(claimant(0x8001, 2), "");
	CHECK_STR(claimant(0x8002, 4), "");
	CHECK_STR(claimant(0x8004, 8), "");
	CHECK_STR(claimant(0x8fff, 2), "");
	CHECK_STR(claimant(0x20002, 4), "d");	/* the device's own offset counts */
	bus_destroy(&bus);
}

/* As PC's buses do it: parts, each to whom it belongs. */
TEST(lanes)
{
	uint64_t value = 0x55;

	bus_open();
	bus.lanes = true;
	CHECK_STR(claimant(0x8000, 8), "b");
	CHECK(bus_read(&bus, 0x8fff, 2, &value));	/* b's last, c's first */
	CHECK_EQ(value & 0xffff, 0);
	CHECK_EQ(last_len, 1);
	CHECK(bus_read(&bus, 0x9fff, 2, &value));	/* c's last, and nobody's */
	CHECK_EQ(value & 0xffff, 0xff00);
	CHECK(bus_read(&bus, 0x8003, 3, &value));
	CHECK_EQ(last_len, 2);
	CHECK_EQ(last_offset, 4);
	value = 0x55;
	CHECK(!bus_read(&bus, 0xa001, 4, &value));
	CHECK_EQ(value, 0x55);
	CHECK(bus_write(&bus, 0x9003, 4, 0x44332211));
	CHECK_EQ(last_offset, 6);
	CHECK_EQ(last_value & 0xff, 0x44);
	CHECK(!bus_write(&bus, 0xa001, 4, 0));
	bus_destroy(&bus);
}

TEST(writes)
{
	bus_open();
	CHECK(bus_write(&bus, 0x9008, 4, 0x12345678));
	CHECK_STR(device_host(last_device)->config->name, "c");
	CHECK_EQ(last_offset, 8);
	CHECK_EQ(last_value, 0x12345678);
	last_value = 0;
	CHECK(!bus_write(&bus, 0xa000, 4, 1));
	CHECK_EQ(last_value, 0);
	bus_destroy(&bus);
}

TEST(empty_bus)
{
	const struct machine none = { 0 };
	struct bus empty = { 0 };
	uint64_t value;

	CHECK_EQ(bus_create(&empty, NULL, &none), 0);
	CHECK(!bus_read(&empty, 0, 4, &value));
	CHECK(!bus_write(&empty, 0, 4, 0));
	bus_destroy(&empty);
}

TEST(all_or_none)
{
	for (unsigned int i = 1; i <= 5; i++) {
		created = destroyed = 0;
		create_fails_at = i;
		bus = (struct bus){ 0 };
		CHECK_EQ(bus_create(&bus, NULL, &machine), -1);
		CHECK_EQ(destroyed, i - 1);
		CHECK(bus.devices == NULL);
	}
	bus_open();
	bus_destroy(&bus);
	CHECK_EQ(created, 5);
	CHECK_EQ(destroyed, 5);
}

TEST(types_by_name)
{
	CHECK(device_type_find("pl011") != NULL);
	CHECK(device_type_find("ns16550") != NULL);
	CHECK(device_type_find("ser8250") != NULL);
	CHECK(device_type_find("pl01") == NULL);
	for (const struct device_type *const *type = device_types; *type; type++)
		CHECK(device_type_find((*type)->name) == *type);
}

/* The line is driven on changes only; without a VM it is recorded. */
TEST(irq_is_recorded)
{
	struct device_config config = { .irq = 40 };
	struct device_host host = { .config = &config };

	device_set_irq(&host.dev, true);
	CHECK(device_irq_level(&host.dev));
	device_set_irq(&host.dev, true);
	CHECK(device_irq_level(&host.dev));
	device_set_irq(&host.dev, false);
	CHECK(!device_irq_level(&host.dev));
}

/* A window is behind the registers, wherever it is. */
TEST(window)
{
	static struct device_config config[] = {
		{ .type = &toy, .name = "w", .gpa = 0x1000, .size = 0x100, .window = 0x100000000, .window_size = 0x2000 },
		{ .type = &toy, .name = "o", .gpa = 0x2000, .size = 0x100 },
	};
	const struct machine windows = { .arch = MACHINE_ARM64, .device = config, .device_count = 2 };
	struct bus bus = { 0 };
	uint64_t value;

	create_fails_at = 0;
	REQUIRE(!bus_create(&bus, NULL, &windows));
	CHECK(bus_read(&bus, 0x1008, 8, &value));
	CHECK_EQ(last_offset, 8);
	CHECK(bus_write(&bus, 0x100000000, 4, 5));
	CHECK_EQ(last_offset, 0x100);
	CHECK_EQ(last_value, 5);
	CHECK(bus_read(&bus, 0x100001ff8, 8, &value));
	CHECK_EQ(last_offset, 0x20f8);
	CHECK_EQ(value, 0x1000);
	CHECK(!bus_read(&bus, 0x100001ffc, 8, &value));
	CHECK(!bus_read(&bus, 0x100002000, 4, &value));
	CHECK(!bus_read(&bus, 0x100000002, 4, &value));
	CHECK(!bus_port_read(&bus, 0x100000000, 4, &value));
	bus_destroy(&bus);
}
