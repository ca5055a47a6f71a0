// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/bus.c launcher/dev/acpi_pm.c launcher/dev/mc146818.c launcher/dev/pckeyboard.c launcher/dev/ns16550.c launcher/dev/device.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/config/node.c launcher/util/log.c launcher/util/alloc.c
/* A PC's own parts at their ports, as guests find them that know a PC and read no tables. */
#define NO_VM_BUT_POWER
#include "dev/acpi_pm.h"
#include "dev/bus.h"
#include "dev/chardev.h"
#include "dev/mc146818.h"
#include "dev/ns16550.h"
#include "dev/pckeyboard.h"
#include "fake_timer.h"
#include "no_vm.h"
#include "unit.h"

static const uint16_t resets_at[] = { 0xcf9, 0x92, 0 };
static struct device_config configs[] = {
	{ .type = &acpi_pm_type, .name = "acpi-pm", .gpa = 0x600, .size = 16, .port = true, .ports = resets_at },
	{ .type = &mc146818_type, .name = "mc146818", .gpa = 0x70, .size = 2, .port = true },
	{ .type = &pckeyboard_type, .name = "pckeyboard", .gpa = 0x60, .size = 5, .port = true },
	{ .type = &ser8250_type, .name = "ser8250", .gpa = 0x3f8, .size = 8, .port = true },
};
static struct machine machine = { .arch = MACHINE_X86, .device = configs, .device_count = 4 };
static struct vm vm = { .machine = &machine };
static unsigned int offs, resets;

void vm_power_event(struct vm *of, bool reset)
{
	CHECK(of == &vm);
	*(reset ? &resets : &offs) += 1;
}

int chardev_create(struct device *dev, const struct chardev_client *client, void *arg, struct chardev **chardev)
{
	(void)dev;
	(void)client;
	(void)arg;
	*chardev = NULL;
	return 0;
}

void chardev_destroy(struct chardev *chardev)
{
	(void)chardev;
}

void chardev_write(struct chardev *chardev, uint8_t byte)
{
	(void)chardev;
	(void)byte;
}

void chardev_resume(struct chardev *chardev)
{
	(void)chardev;
}

static void pc_open(void)
{
	offs = resets = 0;
	vm.bus = (struct bus){ 0 };
	if (bus_create(&vm.bus, &vm, &machine))
		abort();
}

static void pc_close(void)
{
	bus_destroy(&vm.bus);
}

static bool out(unsigned int port, unsigned int len, uint32_t value)
{
	return bus_port_write(&vm.bus, port, len, value);
}

static uint32_t in(unsigned int port, unsigned int len)
{
	uint64_t value;

	return bus_port_read(&vm.bus, port, len, &value) ? value & (~0ULL >> (64 - 8 * len)) : UINT32_MAX;
}

TEST(power_off)
{
	pc_open();
	CHECK(out(0x604, 2, 5 << 10 | 1 << 13));	/* another sleep */
	CHECK(out(0x604, 2, 0));
	CHECK_EQ(offs, 0);
	CHECK(out(0x604, 2, 0x2000));
	CHECK_EQ(offs, 1);
	CHECK_EQ(in(0x604, 2), 1);			/* SCI_EN; SLP_EN is not kept */
	CHECK_EQ(resets, 0);
	pc_close();
}

/* Parts that are a byte wide get a wider access byte by byte, each to its port. */
TEST(bytes)
{
	pc_open();
	CHECK(out(0x70, 2, 0x5a40));			/* register 0x40, 0x5a to it */
	CHECK(out(0x70, 1, 0x40));
	CHECK_EQ(in(0x71, 1), 0x5a);
	CHECK_EQ(in(0x70, 2), 0x5aff);			/* the index can't be read back */
	CHECK(out(0x3f8 + 3, 1, 0x80));			/* DLAB */
	CHECK(out(0x3f8, 2, 0x180));
	CHECK_EQ(in(0x3f8, 1), 0x80);
	CHECK_EQ(in(0x3f9, 1), 1);
	CHECK_EQ(in(0x3f8, 2), 0x180);
	CHECK(out(0x3fc, 4, 0x77000003));		/* MCR, two that take nothing, the scratch register */
	CHECK_EQ(in(0x3fc, 1), 3);
	CHECK_EQ(in(0x3ff, 1), 0x77);
	CHECK_EQ(in(0x64, 2), 0xff14);			/* nobody's behind the keyboard's */
	CHECK(in(0x60, 2) != UINT32_MAX);
	pc_close();
}

TEST(resets)
{
	pc_open();
	CHECK(out(0x60c, 1, 5));
	CHECK(out(0xcf9, 1, 2));
	CHECK_EQ(in(0xcf9, 1), 2);
	CHECK_EQ(in(0x92, 1), 2);			/* A20 */
	CHECK(out(0x92, 1, 0));
	CHECK_EQ(in(0x92, 1), 0);
	CHECK_EQ(resets, 0);
	CHECK(out(0x92, 1, 3));
	CHECK_EQ(resets, 1);
	CHECK(out(0x92, 1, 3));				/* it has been 1 before */
	CHECK_EQ(resets, 1);
	CHECK(out(0xcf9, 1, 6));
	CHECK(out(0xcf9, 1, 4));
	CHECK(out(0x60c, 1, 6));
	CHECK_EQ(resets, 4);
	/* nothing of PCI is here, and what is wider is PCI's */
	CHECK(!out(0xcf8, 4, 0xffffffff));
	CHECK_EQ(in(0xcf8, 4), UINT32_MAX);
	CHECK(!out(0xcf8, 2, 0x600) && !out(0xcf9, 2, 6) && !out(0xcf8, 1, 6) && !out(0xcfa, 1, 6));
	CHECK(!out(0x92, 2, 1));
	CHECK_EQ(resets, 4);
	CHECK_EQ(offs, 0);
	pc_close();
}
