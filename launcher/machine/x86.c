// SPDX-License-Identifier: GPL-2.0-only
/* The board map of x86: where a PC has its parts, and the memory around them. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "dev/device.h"
#include "machine/board.h"

#define MIB		0x100000ULL
#define GIB		0x40000000ULL
#define VGA_HOLE	0xa0000ULL
#define LOW_END		(3 * GIB)	/* below 4G: I/O APIC, LAPICs, firmware, PCI one day */
#define IOAPIC_PINS	24
#define PORTS		0x10000
#define CASCADE		2

/*
 * COM3 and COM4 of a PC share the lines of the first two, which is for edges only: here each has
 * its own, and ACPI says so.
 */
#define COM_PORTS(_type)				\
	{ _type, 0x3f8, 4, "ttyS", true },		\
	{ _type, 0x2f8, 3, "ttyS", true },		\
	{ _type, 0x3e8, 5, "ttyS", true },		\
	{ _type, 0x2e8, 7, "ttyS", true }

static const struct board_device x86_devices[] = {
	COM_PORTS("ser8250"),
	COM_PORTS("ns16550"),
	{ "ioapic",	0xfec00000, 0, NULL, false },
	{ "8259",	0x20, 0, NULL, true },
	{ "timer8254",	0x40, 0, NULL, true },
	{ "pckeyboard",	0x60, 0, NULL, true },
	{ "mc146818",	0x70, 8, NULL, true },
	{ "debug-exit",	0xf4, 0, NULL, true },
	{ "fw-cfg",	0x510, 0, NULL, true },
	{ "test-lines",	0x2000, 0, NULL, true },
	{ "test-ports",	0xe0, 0, NULL, true },
	{ "test-memory", 0xff000000, 0, NULL, false },
	{ "test-bell-port", 0xe8, 0, NULL, true },
	{ "ib700",	0x441, 0, NULL, true },
	{ "acpi-pm",	0x600, 9, NULL, true },
	{ NULL, 0, 0, NULL, false },
};

const struct board board_x86 = {
	.name		= "x86",
	.irq_prefix	= "ioapic",
	.irq_first	= 1,		/* 0 is the timer's, and means none */
	.ram		= 0,
	.image_low	= MIB,
	.device		= 0xd0000000,
	.device_end	= 0xfec00000,
	.device_step	= 0x10000,
	.irq		= 10,
	/* Local APICs, each at the same address, where it is till the guest moves it. */
	.reserved	= 0xfee00000,
	.reserved_size	= 0x00100000,
	.reserved_name	= "the local APICs",
	.ipa_bits	= 40,
	.devices	= x86_devices,
};

/* ---- memory ---- */

/* Let the last entry end at @end, and give @size bytes at @gpa a new one. */
static void split_last(struct machine *m, uint64_t end, uint64_t gpa, uint64_t size)
{
	struct memory *last = &m->memory[m->memory_count - 1];

	m->memory[m->memory_count] = *last;
	last->size = end - last->gpa;
	m->memory[m->memory_count].gpa = gpa;
	m->memory[m->memory_count].size = size;
	m->memory_count++;
}

uint64_t x86_split_ram(struct machine *m)
{
	struct memory *last = &m->memory[m->memory_count - 1];
	uint64_t end = last->gpa + last->size;

	/* As in a PC, what is behind the hole is lost, so that the top is where the size says. */
	if (last->gpa < VGA_HOLE && end > MIB)
		split_last(m, VGA_HOLE, MIB, end - MIB);
	last = &m->memory[m->memory_count - 1];
	if (last->gpa < LOW_END && end > LOW_END)
		split_last(m, LOW_END, 4 * GIB, end - LOW_END);
	else if (last->gpa >= LOW_END && last->gpa < 4 * GIB)
		last->gpa = 4 * GIB;
	last = &m->memory[m->memory_count - 1];
	return last->gpa + last->size;
}

void x86_add_firmware(struct machine *m)
{
	for (size_t i = 0; i < m->memory_count; i++) {
		const struct memory *memory = &m->memory[i];

		if (memory->gpa < X86_FIRMWARE + X86_FIRMWARE_SIZE &&
		    memory->gpa + memory->size > X86_FIRMWARE)
			return;
	}
	if (!m->memory_count || m->memory_incomplete)
		return;
	m->memory[m->memory_count++] = (struct memory){
		.kind = MEMORY_ROM,
		.gpa = X86_FIRMWARE,
		.size = X86_FIRMWARE_SIZE,
		.origin = { ORIGIN_BOARD, 0 },
	};
}

/* ---- ports ---- */

bool x86_ports(const struct device_config *device, unsigned int index, uint64_t *port,
	       uint64_t *count)
{
	/* where vm/x86.c puts them; 0x60 to 0x64 is the keyboard's but for 0x61, which is the PIT's */
	static const struct {
		const char *type;
		bool fixed;		/* wherever the device is */
		uint64_t port, count;
	} parts[] = {
		{ "8259", false, 0, 2 }, { "8259", false, X86_SECOND_8259, 2 }, { "8259", true, 0x4d0, 2 },
		{ "timer8254", false, 0, 4 }, { "timer8254", true, 0x61, 1 },
		{ "pckeyboard", false, 0, 1 }, { "pckeyboard", false, 4, 1 },
	};
	unsigned int seen = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(parts[i].type, device->type->name) || seen++ != index)
			continue;
		*port = parts[i].port + (parts[i].fixed ? 0 : device->gpa);
		*count = parts[i].count;
		return true;
	}
	*port = device->gpa;
	*count = device->size;
	return !seen && !index;
}

void x86_assign_ports(struct machine *m)
{
	/* in the order of their offsets, dev/acpi_pm.h */
	static const uint16_t resets[] = { 0xcf9, 0x92, 0 };

	for (size_t i = 0; i < m->device_count; i++)
		if (!strcmp(m->device[i].type->name, "acpi-pm"))
			m->device[i].ports = resets;
}

bool x86_is_taken(const struct machine *m, uint16_t port)
{
	uint64_t first, count;

	for (size_t i = 0; i < m->device_count; i++)
		for (unsigned int j = 0; m->device[i].port && x86_ports(&m->device[i], j, &first, &count); j++)
			if (port >= first && port - first < count)
				return true;
	return false;
}

/* ---- validation ---- */

static const struct device_config *find_device(const struct machine *m, const char *name)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (!strcmp(m->device[i].type->name, name))
			return &m->device[i];
	return NULL;
}

static void check_once(const struct machine *m, const struct device_config *device)
{
	const struct device_config *first = find_device(m, device->type->name);
	char place[512];

	if (device->type->flags & DEVICE_F_ONCE && first != device)
		log_at(&device->origin, device->name, "a board has one at most, and it is there (%s)",
		       origin_name(&first->origin, place, sizeof(place)));
}

/* Where the lines of a PC's own parts lead is settled. */
static void check_settled_line(const struct machine *m, const struct device_config *device)
{
	bool is_ours = device->type->flags & DEVICE_F_IN_KERNEL;

	if (is_ours && device->irq)
		log_at(&device->origin, device->name, "its lines are where a PC has them (the timer's: 0 of the "
		       "8259, 2 of the ioapic), leave ioapic:%u out", device->irq);
	else if (device->irq == CASCADE && (find_device(m, "8259") || find_device(m, "timer8254")))
		log_at(&device->origin, device->name, "ioapic:%u is between the two 8259, and the timer's at the "
		       "ioapic, choose another", CASCADE);
}

/* Without a controller a line leads nowhere. */
static void check_line(const struct machine *m, const struct device_config *device)
{
	if (m->devices_incomplete)
		return;		/* it may be what was wrong */
	if (device->irq && !find_device(m, "ioapic") && !find_device(m, "8259"))
		log_at(&device->origin, device->name, "has line %u, and the board neither an ioapic nor "
		       "an 8259; add one, or write irq: none", device->irq);
	else if (device->irq >= 16 && !find_device(m, "ioapic"))
		log_at(&device->origin, device->name, "has line %u, and without an ioapic there are 16",
		       device->irq);
}

static void check_space(const struct device_config *device)
{
	if (device->gpa == MACHINE_AUTO)
		return;
	if (device->port && device->gpa + device->size > PORTS)
		log_at(&device->origin, device->name, "port 0x%" PRIx64 " and %" PRIu64 " behind it end "
		       "beyond the last one, 0xffff", device->gpa, device->size - 1);
	if (device->type->flags & DEVICE_F_IN_KERNEL && device->port != (device->type->size < 4096))
		log_at(&device->origin, device->name, "is at %s, write at: %s", device->port ?
		       "no port but at an address" : "no address but at a port",
		       device->port ? "0xfec00000" : "io:PORT");
}

void x86_validate(const struct machine *m)
{
	for (size_t i = 0; i < m->device_count; i++) {
		check_once(m, &m->device[i]);
		check_settled_line(m, &m->device[i]);
		check_line(m, &m->device[i]);
		check_space(&m->device[i]);
	}
}
