// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/bus.c launcher/dev/acpi_pm.c launcher/dev/mc146818.c launcher/dev/pckeyboard.c launcher/dev/device.c launcher/dev/device_host.c launcher/config/node.c launcher/util/log.c launcher/util/alloc.c
/* A PC's own parts at their ports, as guests find them that know a PC and read no tables. */
#define NO_VM_BUT_POWER
#include "dev/acpi_pm.h"
#include "dev/bus.h"
#include "dev/mc146818.h"
#include "dev/pckeyboard.h"
#include "fake_timer.h"
#include "no_vm.h"
#include "unit.h"

static struct device_config configs[] = {
	{ .type = &acpi_pm_type, .name = "acpi-pm", .gpa = 0x600, .size = 16, .port = true },
	{ .type = &mc146818_type, .name = "mc146818", .gpa = 0x70, .size = 2, .port = true },
	{ .type = &pckeyboard_type, .name = "pckeyboard", .gpa = 0x60, .size = 5, .port = true },
};
static struct machine machine = { .arch = MACHINE_X86, .device = configs, .device_count = 3 };
static struct vm vm = { .machine = &machine };
static unsigned int offs, resets;

void vm_power_event(struct vm *of, bool reset)
{
	CHECK(of == &vm);
	*(reset ? &resets : &offs) += 1;
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
