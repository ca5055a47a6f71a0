// SPDX-License-Identifier: GPL-2.0-only
/* Automatic addresses and lines: the board map, and what is free of it. */
#include <string.h>

#include "config/schema.h"
#include "config/value.h"
#include "dev/device_host.h"
#include "machine/board.h"
#include "machine/build.h"
#include "machine/machine.h"
#include "util/alloc.h"

const struct board_device *board_find(const struct board *board, const char *name)
{
	for (const struct board_device *device = board->devices; device->name; device++)
		if (!strcmp(device->name, name))
			return device;
	return NULL;
}

const struct board_device *board_find_next(const struct board_device *row)
{
	for (const struct board_device *next = row + 1; next->name; next++)
		if (!strcmp(next->name, row->name))
			return next;
	return NULL;
}

uint32_t board_irq_end(const struct machine *m)
{
	return m->arch == MACHINE_X86 ? 24 : m->gic.lines;
}

static void build_reserved_ports(const struct machine *m, struct reserved *reserved, struct node *io)
{
	uint32_t port, count;

	if (!value_ports(io->text, &port, &count)) {
		node_error(io, "\"%s\" won't do, write PORT or PORT,COUNT, such as 0x3f8,8", io->text);
	} else if (m->arch != MACHINE_X86) {
		node_warn(io, "no effect, as this board has no ports");
	} else {
		reserved->gpa = port;
		reserved->size = count;
		reserved->port = true;
	}
}

/* Nothing is there to keep away from it yet; what will not do is said all the same. */
static void check_slot(struct node *pci)
{
	unsigned int bus;
	uint32_t slot;

	if (!value_slot(pci->text, &bus, &slot))
		node_error(pci, "\"%s\" won't do, write BUS:DEVICE.FUNCTION, such as 0:3.0", pci->text);
	else if (bus)
		node_error(pci, "\"%s\" is on bus %u, and the guest's only one is 0", pci->text, bus);
}

void build_reserved(struct machine *m, const struct node *list)
{
	m->reserved = xcalloc(node_count(list), sizeof(*m->reserved));
	for (const struct node *entry = node_first(list); entry; entry = entry->next) {
		struct reserved *reserved = &m->reserved[m->reserved_count];
		const struct node *at = schema_node(entry, "reserve[].at");
		struct node *io = schema_node(entry, "reserve[].io");
		struct node *pci = schema_node(entry, "reserve[].pci");

		if (entry->bad)
			continue;
		if (pci)
			check_slot(pci);
		*reserved = (struct reserved){ .origin = entry->origin };
		reserved->irq = build_line(m, schema_node(entry, "reserve[].irq"), 0);
		if (at && !node_find(entry, "size")) {
			node_error((struct node *)entry, "`at` needs `size`, such as size: 64K");
		} else if (at) {
			reserved->gpa = schema_number(entry, "reserve[].at");
			reserved->size = schema_number(entry, "reserve[].size");
		}
		if (io)
			build_reserved_ports(m, reserved, io);
		m->reserved_count += reserved->irq || reserved->size;
	}
}

static bool ranges_meet(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static uint64_t reserved_until(const struct machine *m, bool port, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->reserved_count; i++) {
		const struct reserved *reserved = &m->reserved[i];
		uint64_t end;

		if (__builtin_add_overflow(reserved->gpa, reserved->size, &end))
			end = UINT64_MAX;
		if (reserved->size && reserved->port == port && gpa < end && reserved->gpa < gpa + size)
			return end;
	}
	return 0;
}

uint64_t machine_reserved_until(const struct machine *m, uint64_t gpa, uint64_t size)
{
	return reserved_until(m, false, gpa, size);
}

static bool device_is_at(const struct machine *m, bool port, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].gpa != MACHINE_AUTO && m->device[i].port == port &&
		    ranges_meet(gpa, size, m->device[i].gpa, m->device[i].size))
			return true;
	return false;
}

static bool pass_is_at(const struct machine *m, enum pass_kind kind, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->pass_count; i++)
		if (m->pass[i].kind == kind && ranges_meet(gpa, size, m->pass[i].gpa, m->pass[i].size))
			return true;
	return false;
}

static bool gpa_is_free(const struct machine *m, uint64_t gpa, uint64_t size)
{
	if (device_is_at(m, false, gpa, size) || pass_is_at(m, PASS_MEMORY, gpa, size))
		return false;
	if (machine_reserved_until(m, gpa, size))
		return false;
	for (size_t i = 0; i < m->memory_count; i++)
		if (ranges_meet(gpa, size, m->memory[i].gpa, m->memory[i].size))
			return false;
	return !ranges_meet(gpa, size, m->gic.gicd, m->board->gicd_size) &&
	       !ranges_meet(gpa, size, m->gic.gicr, m->board->gicr_size * m->cpu_count);
}

static bool ports_are_free(const struct machine *m, uint64_t port, uint64_t count)
{
	return !device_is_at(m, true, port, count) && !pass_is_at(m, PASS_PORTS, port, count) &&
	       !reserved_until(m, true, port, count);
}

static bool irq_is_free(const struct machine *m, uint32_t irq)
{
	for (size_t i = 0; i < m->reserved_count; i++)
		if (m->reserved[i].irq == irq)
			return false;
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].irq == irq)
			return false;
	for (size_t i = 0; i < m->pass_count; i++)
		if (m->pass[i].kind == PASS_LINE && m->pass[i].irq == irq)
			return false;
	return irq < board_irq_end(m);
}

/* Where the board has it, if that is free. */
static bool assign_row(const struct machine *m, struct device_config *device)
{
	const struct board_device *row = board_find(m->board, device->type->name);

	for (; row; row = board_find_next(row)) {
		if (row->port ? ports_are_free(m, row->gpa, device->size) :
				gpa_is_free(m, row->gpa, device->size)) {
			device->gpa = row->gpa;
			device->port = row->port;
			return true;
		}
	}
	return false;
}

static void assign_gpa(const struct machine *m, struct device_config *device)
{
	uint64_t gpa;

	if (assign_row(m, device))
		return;
	device->port = false;
	for (gpa = m->board->device; !(device->type->flags & DEVICE_F_IN_KERNEL) &&
	     gpa + device->size <= m->board->device_end; gpa += m->board->device_step) {
		if (gpa_is_free(m, gpa, device->size)) {
			device->gpa = gpa;
			return;
		}
	}
	log_at(&device->origin, device->type->name, "no free address is left, say one by `at`");
}

static void assign_irq(const struct machine *m, struct device_config *device)
{
	const struct board_device *row = board_find(m->board, device->type->name);
	uint32_t irq;

	/* The row of its place, else the first of its type. */
	for (const struct board_device *next = row; next; next = board_find_next(next))
		if (next->gpa == device->gpa && next->port == device->port)
			row = next;
	irq = row ? row->irq : m->board->irq;
	device->irq = 0;
	if ((row && !irq) || device->type->flags & DEVICE_F_NO_IRQ)
		return;
	if (!irq_is_free(m, irq))
		for (irq = m->board->irq; irq < board_irq_end(m) && !irq_is_free(m, irq); irq++)
			;
	if (irq_is_free(m, irq))
		device->irq = irq;
	else
		log_at(&device->origin, device->type->name, "no free line is left%s",
		       m->arch == MACHINE_ARM64 ? ", raise gic.lines" : "");
}

/*
 * One of another architecture gets nothing, nor a second one of what a board has one of: the validate pass
 * says that it is wrong here.
 */
static bool is_of_board(const struct machine *m, const struct device_config *device)
{
	for (const struct device_config *other = m->device; other < device; other++)
		if (device->type->flags & DEVICE_F_ONCE && other->type == device->type)
			return false;
	return !device->type->arch || device->type->arch == m->arch;
}

/* What the config says itself is settled before: it comes first, wherever it stands. */
void assign_devices(struct machine *m)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].gpa == MACHINE_AUTO && is_of_board(m, &m->device[i]))
			assign_gpa(m, &m->device[i]);
	for (size_t i = 0; i < m->device_count; i++) {
		if (m->device[i].irq == IRQ_AUTO && is_of_board(m, &m->device[i]))
			assign_irq(m, &m->device[i]);
		else if (m->device[i].irq == IRQ_AUTO)
			m->device[i].irq = 0;
	}
}

#define WINDOW_LOWEST	(4ULL << 30)	/* what a 32-bit board needs stays below */
#define WINDOW_ALIGN	(2ULL << 20)	/* of the largest block but one */

static uint64_t window_align(uint64_t gpa)
{
	return (gpa + WINDOW_ALIGN - 1) & ~(WINDOW_ALIGN - 1);
}

/* The end of everything that is placed, from WINDOW_LOWEST on. */
static uint64_t end_of_all(const struct machine *m)
{
	uint64_t end = WINDOW_LOWEST;

	for (size_t i = 0; i < m->memory_count; i++)
		if (m->memory[i].gpa + m->memory[i].size > end)
			end = m->memory[i].gpa + m->memory[i].size;
	for (size_t i = 0; i < m->reserved_count; i++)
		if (m->reserved[i].size && m->reserved[i].gpa + m->reserved[i].size > end)
			end = m->reserved[i].gpa + m->reserved[i].size;
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].gpa != MACHINE_AUTO && m->device[i].gpa + m->device[i].size > end)
			end = m->device[i].gpa + m->device[i].size;
	return end;
}

void assign_windows(struct machine *m)
{
	uint64_t gpa = window_align(end_of_all(m));

	for (size_t i = 0; i < m->device_count; i++) {
		struct device_config *device = &m->device[i];

		device->window_size = device_window_size(device);
		device->window = device->window_size ? gpa : 0;
		gpa = window_align(gpa + device->window_size);
	}
}
