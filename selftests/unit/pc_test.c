// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/bus.c launcher/dev/acpi_pm.c launcher/dev/mc146818.c launcher/dev/pckeyboard.c launcher/dev/ns16550.c launcher/dev/device.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/config/node.c launcher/util/log.c launcher/util/alloc.c
/* A PC's own parts at their ports, as guests find them that know a PC and read no tables. */
#define NO_VM_BUT_POWER
#define NO_VM_BUT_MEMORY
#include <string.h>

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

const struct memory *machine_find_memory(const struct machine *m, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->memory_count; i++)
		if (gpa - m->memory[i].gpa < m->memory[i].size && size <= m->memory[i].size)
			return &m->memory[i];
	return NULL;
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

/* Whoever waits for the controller or the keyboard gets an answer, and then nothing. */
TEST(keyboard)
{
	pc_open();
	CHECK_EQ(in(0x64, 1), 0x14);
	CHECK(out(0x60, 1, 0xf4));
	CHECK_EQ(in(0x64, 1), 0x15);
	CHECK_EQ(in(0x60, 1), 0xfa);
	CHECK_EQ(in(0x64, 1), 0x14);
	CHECK(out(0x60, 1, 0xff));
	CHECK_EQ(in(0x60, 1), 0xfa);
	CHECK_EQ(in(0x64, 1), 0x15);
	CHECK_EQ(in(0x60, 1), 0xaa);
	CHECK_EQ(in(0x64, 1), 0x14);
	CHECK(out(0x60, 1, 0xff));
	CHECK(out(0x64, 1, 0xaa));			/* the controller's answer is in its place */
	CHECK_EQ(in(0x60, 1), 0x55);
	CHECK_EQ(in(0x64, 1), 0x14);
	CHECK(out(0x64, 1, 0x60));			/* an argument is not sent to the keyboard */
	CHECK(out(0x60, 1, 0x47));
	CHECK_EQ(in(0x64, 1), 0x14);
	CHECK(out(0x64, 1, 0x20));
	CHECK_EQ(in(0x60, 1), 0x47);
	CHECK(out(0x64, 1, 0xa9));			/* no port of a mouse */
	CHECK_EQ(in(0x60, 1), 0x01);
	CHECK_EQ(resets, 0);
	CHECK(out(0x64, 1, 0xfe));
	CHECK(out(0x64, 1, 0xd1));
	CHECK(out(0x60, 1, 0xfe));
	CHECK_EQ(resets, 2);
	pc_close();
}

static uint32_t cmos(unsigned int index, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++) {
		CHECK(out(0x70, 1, index + i));
		value |= in(0x71, 1) << 8 * i;
	}
	return value;
}

static void check_cmos(struct memory *memory, size_t count, const uint32_t want[5])
{
	machine.memory = memory;
	machine.memory_count = count;
	pc_open();
	CHECK_EQ(cmos(0x15, 2), want[0]);
	CHECK_EQ(cmos(0x17, 2), want[1]);
	CHECK_EQ(cmos(0x30, 2), want[1]);
	CHECK_EQ(cmos(0x34, 2), want[2]);
	CHECK_EQ(cmos(0x5b, 3), want[3]);
	CHECK_EQ(cmos(0x5f, 1), want[4]);
	pc_close();
	machine.memory_count = 0;
}

TEST(cmos_memory)
{
	struct memory memory[] = {
		{ .size = 0xa0000 }, { .gpa = 0x100000, .size = 0xff00000 },
		{ .gpa = 0x100000000, .size = 0x1340000000 },
		{ .kind = MEMORY_ROM, .gpa = 0x2000000000, .size = 0x10000 },
	};

	machine.cpu_count = 64;
	check_cmos(memory, 4, (const uint32_t[]){ 640, 65535, 0xf00, 0x13400 * 0x10, 63 });
	memory[1].size = 8 << 20;
	machine.cpu_count = 1;
	check_cmos(memory, 2, (const uint32_t[]){ 640, 8192, 0, 0, 0 });
	memory[0].size = 0x80000;
	check_cmos(memory, 1, (const uint32_t[]){ 512, 0, 0, 0, 0 });
}

/* What the config says of a register is what is in it. */
TEST(cmos_by_config)
{
	static const char *const said[] = { "0x5f,7", "0x15,1" };
	struct device_strings reg = { said, 2 };
	struct memory memory[] = { { .size = 0xa0000 } };
	uint8_t *state = calloc(1, mc146818_type.state_size);

	memcpy(state + mc146818_type.options[0].offset, &reg, sizeof(reg));
	machine.cpu_count = 2;
	machine.memory = memory;
	machine.memory_count = 1;
	configs[1].state = state;
	pc_open();
	CHECK_EQ(cmos(0x5f, 1), 7);
	CHECK_EQ(cmos(0x15, 2), 0x201);
	pc_close();
	configs[1].state = NULL;
	free(state);
	machine.memory_count = 0;
}
