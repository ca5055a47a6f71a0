// SPDX-License-Identifier: GPL-2.0-only
/* The one pass over the finished model that says everything that is wrong with it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dev/device.h"
#include "machine/board.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define PAGE		4096
#define GIC_ALIGN	0x10000		/* Arm IHI 0069, 12.9: frames are 64K */
#define FDT_ALIGN	8
#define PARTS_MAX	3		/* of x86_ports() */
#define FDT_MAX_SIZE	0x200000
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Something that occupies guest physical addresses. */
struct range {
	const char *name;
	uint64_t gpa, size;
	const struct origin *origin;
	bool port;
	bool memory, memory_only;	/* it is memory; it is in the way of memory alone */
};

struct ranges {
	struct range *range;
	size_t count;
	unsigned int bits;	/* of a guest physical address */
};

static const struct origin board_default = { ORIGIN_BOARD, 0 };

static void add_range(struct ranges *ranges, const char *name, uint64_t gpa, uint64_t size,
		      const struct origin *origin)
{
	uint64_t end, limit = 1ULL << ranges->bits;

	if (gpa == MACHINE_AUTO || !size)
		return;		/* could not be placed, which was said */
	if (__builtin_add_overflow(gpa, size, &end) || end > limit) {
		log_at(origin, name, "0x%" PRIx64 " and 0x%" PRIx64 " bytes end beyond the guest's "
		       "%u address bits, go below 0x%" PRIx64, gpa, size, ranges->bits, limit);
		return;
	}
	ranges->range[ranges->count++] = (struct range){
		.name = name, .gpa = gpa, .size = size, .origin = origin,
	};
}

static bool origin_is_later(const struct origin *a, const struct origin *b)
{
	return strcmp(a->file, b->file) || a->line >= b->line;
}

static void say_overlap(const struct range *a, const struct range *b)
{
	char place[512];

	if (!a->origin->line || (b->origin->line && !origin_is_later(a->origin, b->origin))) {
		const struct range *swap = a;

		a = b;
		b = swap;
	}
	log_at(a->origin, a->name, "0x%" PRIx64 " to 0x%" PRIx64 " overlaps %s at 0x%" PRIx64
	       " to 0x%" PRIx64 " (%s), move one of them", a->gpa, a->gpa + a->size - 1, b->name,
	       b->gpa, b->gpa + b->size - 1, origin_name(b->origin, place, sizeof(place)));
}

static bool may_collide(const struct range *a, const struct range *b)
{
	return (a->memory || !b->memory_only) && (b->memory || !a->memory_only);
}

/* Is there another before it at the very same place? What meets both is told of that one. */
static bool is_double(const struct ranges *ranges, const struct range *range)
{
	for (const struct range *other = ranges->range; other < range; other++)
		if (other->port == range->port && other->gpa == range->gpa && other->size == range->size)
			return true;
	return false;
}

static void check_overlaps(const struct ranges *ranges)
{
	for (size_t i = 1; i < ranges->count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct range *a = &ranges->range[i], *b = &ranges->range[j];

			if (a->port == b->port && a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size &&
			    may_collide(a, b) && !is_double(ranges, b))
				say_overlap(a, b);
		}
	}
}

/* A second one of what a board has one of. */
static bool is_again(const struct machine *m, const struct device_config *device)
{
	for (const struct device_config *other = m->device; other < device; other++)
		if (device->type->flags & DEVICE_F_ONCE && other->type == device->type)
			return true;
	return false;
}

static void add_device(struct ranges *ranges, const struct machine *m,
		       const struct device_config *device)
{
	uint64_t port, count;

	if (is_again(m, device))
		return;		/* which was said */
	if (!device->port)
		add_range(ranges, device->name, device->gpa, device->size, &device->origin);
	for (unsigned int i = 0; device->port && x86_ports(device, i, &port, &count); i++) {
		size_t before = ranges->count;

		add_range(ranges, device->name, port, count, &device->origin);
		if (ranges->count > before)
			ranges->range[before].port = true;
	}
	add_range(ranges, device->name, device->window, device->window_size, &device->origin);
}

static void add_memory(struct ranges *ranges, const struct memory *memory)
{
	size_t before = ranges->count;

	add_range(ranges, memory->kind == MEMORY_ROM ? "rom" : "ram", memory->gpa, memory->size,
		  &memory->origin);
	if (ranges->count > before)
		ranges->range[before].memory = true;
}

static void add_reserved(struct ranges *ranges, const struct board *board)
{
	size_t before = ranges->count;

	add_range(ranges, board->reserved_name, board->reserved, board->reserved_size,
		  &board_default);
	if (ranges->count > before)
		ranges->range[before].memory_only = board->reserved_memory_only;
}

static void add_pass(struct ranges *ranges, const struct pass *pass)
{
	size_t before = ranges->count;

	if (pass->kind != PASS_MEMORY && pass->kind != PASS_PORTS)
		return;
	add_range(ranges, "pass", pass->gpa, pass->size, &pass->origin);
	if (ranges->count > before)
		ranges->range[before].port = pass->kind == PASS_PORTS;
}

static void check_address_map(const struct machine *m)
{
	const struct board *board = m->board;
	struct ranges ranges = {
		.range = xcalloc(m->memory_count + (PARTS_MAX + 1) * m->device_count +
				 m->pass_count + 3, sizeof(struct range)),
		.bits = board->ipa_bits,
	};

	for (size_t i = 0; i < m->memory_count; i++)
		add_memory(&ranges, &m->memory[i]);
	for (size_t i = 0; i < m->device_count; i++)
		add_device(&ranges, m, &m->device[i]);
	for (size_t i = 0; i < m->pass_count; i++)
		add_pass(&ranges, &m->pass[i]);
	add_range(&ranges, "gic.gicd", m->gic.gicd, board->gicd_size, &m->gic.origin);
	add_range(&ranges, "gic.gicr", m->gic.gicr, board->gicr_size * m->cpu_count,
		  &m->gic.origin);
	add_reserved(&ranges, board);
	check_overlaps(&ranges);
	free(ranges.range);
}

static void check_memory(const struct machine *m)
{
	bool ram = m->memory_incomplete;

	for (size_t i = 0; i < m->memory_count; i++) {
		const struct memory *memory = &m->memory[i];
		const char *name = memory->kind == MEMORY_ROM ? "rom" : "ram";

		ram |= memory->kind == MEMORY_RAM;
		if (memory->size % PAGE)
			log_at(&memory->origin, name, "0x%" PRIx64 " bytes are no multiple of 4K, "
			       "write 0x%" PRIx64, memory->size, (memory->size | (PAGE - 1)) + 1);
		if (memory->lazy && memory->kind == MEMORY_ROM)
			log_at(&memory->origin, "lazy", "only of RAM: a ROM is there as a whole");
		if (memory->gpa % PAGE)
			log_at(&memory->origin, name, "0x%" PRIx64 " is no multiple of 4K, write "
			       "0x%" PRIx64, memory->gpa, memory->gpa & ~(uint64_t)(PAGE - 1));
	}
	if (!ram)
		log_at(&m->origin, "memory", "there is no RAM, write `%s`",
		       m->qvmconf ? "ram 512M" : "memory: [{ram: 512M}]");
}

static void check_cpus(const struct machine *m)
{
	if (m->cpu_count > MACHINE_MAX_CPUS)
		log_at(&m->cpu[MACHINE_MAX_CPUS].origin, "cpus", "%zu vCPUs, 1 to %d are possible",
		       m->cpu_count, MACHINE_MAX_CPUS);
}

static void check_gic(const struct machine *m)
{
	const struct gic_config *gic = &m->gic;

	if (gic->version != 3)
		log_at(&gic->origin, "gic.version", "a GICv%u is not supported yet, write 3 if the guest "
		       "can use a GICv3, as Linux can", gic->version);
	if (gic->gicd != MACHINE_AUTO && gic->gicd % GIC_ALIGN)
		log_at(&gic->origin, "gic.gicd", "0x%" PRIx64 " is no multiple of 64K", gic->gicd);
	if (gic->gicr != MACHINE_AUTO && gic->gicr % GIC_ALIGN)
		log_at(&gic->origin, "gic.gicr", "0x%" PRIx64 " is no multiple of 64K", gic->gicr);
	if (gic->lines % 32 && gic->lines != 1020)
		log_at(&gic->origin, "gic.lines", "%u is no multiple of 32, write %u", gic->lines,
		       gic->lines > 992 ? 1020 : (gic->lines | 31) + 1);
}

static void check_device(const struct machine *m, size_t index)
{
	const struct device_config *device = &m->device[index], *other;
	const char *pic = m->board->irq_prefix;
	char place[512];

	if (device->is_line_0 ||
	    (device->irq && (device->irq < m->board->irq_first || device->irq >= board_irq_end(m))))
		log_at(&device->origin, device->name, "%s:%u is no line for a device, %s:%u to "
		       "%s:%u are", pic, device->irq, pic, m->board->irq_first, pic,
		       board_irq_end(m) - 1);
	if (device->port && m->arch != MACHINE_X86)
		log_at(&device->origin, device->name, "an arm64 board has no ports, write an address "
		       "of memory");
	if (device->type->arch && device->type->arch != m->arch)
		log_at(&device->origin, device->name, "there is no such device on %s", m->board->name);
	if (device->gpa != MACHINE_AUTO && device->gpa % PAGE && !device->port)
		log_at(&device->origin, device->name, "0x%" PRIx64 " is no multiple of 4K",
		       device->gpa);
	for (size_t i = 0; i < index; i++) {
		other = &m->device[i];
		if (device->irq && device->irq == other->irq)
			log_at(&device->origin, device->name, "%s:%u is the line of %s already (%s), "
			       "choose another", pic, device->irq, other->name,
			       origin_name(&other->origin, place, sizeof(place)));
		if (!strcmp(device->name, other->name))
			log_at(&device->origin, device->name, "this name is taken already (%s), choose "
			       "another", origin_name(&other->origin, place, sizeof(place)));
	}
}

/* An image that is not in memory was said to be so: it can't be in the way of others too. */
static void add_image(struct ranges *ranges, const struct machine *m, const struct range *image)
{
	size_t before = ranges->count;

	add_range(ranges, image->name, image->gpa, image->size, image->origin);
	if (ranges->count == before || machine_find_memory(m, image->gpa, image->size))
		return;
	ranges->count = before;
	if (!m->memory_incomplete && m->memory_count)
		log_at(image->origin, image->name, "0x%" PRIx64 " and 0x%" PRIx64 " bytes are not all "
		       "in one RAM or ROM of the config; give more by `ram`, or another address",
		       image->gpa, image->size);
}

/* Linux writes to its own image, long before it could say a word. */
static void check_kernel(const struct machine *m, const struct image *image)
{
	const struct memory *memory = machine_find_memory(m, image->gpa, image->size);
	bool writes = image->kind == IMAGE_LINUX_ARM64 || image->kind == IMAGE_LINUX_X86;
	char place[512];

	if (writes && image->size && memory && memory->kind == MEMORY_ROM)
		log_at(&image->origin, image->key, "a Linux kernel at 0x%" PRIx64 " is in ROM (%s), and "
		       "it has to write there; leave its address out, or name one in RAM", image->gpa,
		       origin_name(&memory->origin, place, sizeof(place)));
	if (image->page_kib && image->page_kib != 4)
		log_warn_at(&image->origin, image->key, "is built for %u KiB pages, and starts only where "
			    "the CPU has them, which `qvm run` will say", image->page_kib);
}

static void check_images(const struct machine *m)
{
	struct ranges ranges = {
		.range = xcalloc(m->image_count + m->blob_count + 1, sizeof(struct range)),
		.bits = m->board->ipa_bits,
	};

	for (size_t i = 0; i < m->image_count; i++) {
		const struct image *image = &m->image[i];

		check_kernel(m, image);
		add_image(&ranges, m,
			  &(struct range){ .name = image->key, .gpa = image->gpa,
					   .size = image->size, .origin = &image->origin });
	}
	for (size_t i = 0; i < m->blob_count; i++)
		add_image(&ranges, m,
			  &(struct range){ .name = m->blob[i].name, .gpa = m->blob[i].gpa,
					   .size = m->blob[i].size, .origin = &board_default });
	if (m->fdt_wanted)
		add_image(&ranges, m,
			  &(struct range){ .name = "fdt", .gpa = m->fdt_gpa, .size = m->fdt_size,
					   .origin = &m->fdt_origin });
	check_overlaps(&ranges);
	free(ranges.range);
}

static void check_only_one(const struct machine *m, const char *key)
{
	const struct image *first = NULL;
	char place[512];

	for (size_t i = 0; i < m->image_count; i++) {
		const struct image *image = &m->image[i];

		if (strcmp(image->key, key))
			continue;
		if (first)
			log_at(&image->origin, key, "a second one, first at %s; keep one of them",
			       origin_name(&first->origin, place, sizeof(place)));
		first = first ? first : image;
	}
}

/* RAM disks are modules of what starts so, as many as there are. */
static bool takes_modules(const struct machine *m)
{
	return m->arch == MACHINE_X86 &&
	       (m->x86.start == X86_START_MULTIBOOT || m->x86.start == X86_START_PVH);
}

static void check_start(const struct machine *m)
{
	bool found = m->images_incomplete;

	for (size_t i = 0; i < m->image_count; i++)
		found |= !strcmp(m->image[i].key, "kernel") || !strcmp(m->image[i].key, "elf") ||
			 !strcmp(m->image[i].key, "file");
	if (!found)
		log_at(&m->origin, "load", "there is nothing to start, write `%s`",
		       m->qvmconf ? "load FILE" : "load: [{kernel: PATH}]");
}

static void check_fdt(const struct machine *m)
{
	if (!m->fdt_wanted || m->fdt_gpa == MACHINE_AUTO)
		return;
	if (m->fdt_gpa % FDT_ALIGN)
		log_at(&m->fdt_origin, "fdt.at", "0x%" PRIx64 " is no multiple of 8", m->fdt_gpa);
	if (m->fdt_size > FDT_MAX_SIZE)
		log_at(&m->fdt_origin, "fdt", "0x%" PRIx64 " bytes, but 2M is the most that Linux "
		       "takes; shorten cmdline", m->fdt_size);
}

/* What Linux calls the consoles that it has drivers for here, and the device behind each. */
static const struct {
	const char *tty, *type;
} ttys[] = {
	{ "ttyAMA", "pl011" }, { "ttyS", "ser8250" }, { "hvc", "virtio-console" },
};

static bool is_tty(const struct machine *m, const struct device_config *device, const char *tty,
		   const char *type)
{
	const struct board_device *row = board_find(m->board, device->type->name);

	return !strcmp(device->type->name, type) || (row && row->tty && !strcmp(row->tty, tty));
}

/* The number that a PC's port gives a UART, COM2 has 1; -1: none, it takes what is left. */
static long com_number(const struct machine *m, const struct device_config *device)
{
	const struct board_device *row = board_find(m->board, device->type->name);

	for (long number = 0; row && row->port && row->tty; row = board_find_next(row), number++)
		if (device->port && row->gpa == device->gpa)
			return number;
	return -1;
}

/* @text begins with "ttyAMA0" or some other console, which the board must have. */
static void check_tty(const struct machine *m, const char *key, const char *text)
{
	size_t length = strcspn(text, "0123456789, "), word = strcspn(text, ", ");
	unsigned long number = strtoul(text + length, NULL, 10);
	unsigned int count = 0, at_port = 0, elsewhere = 0;
	size_t i = 0;

	while (i < ARRAY_SIZE(ttys) && (strlen(ttys[i].tty) != length || strncmp(ttys[i].tty, text, length)))
		i++;
	if (i == ARRAY_SIZE(ttys) || text[length] < '0' || text[length] > '9')
		return;
	for (size_t j = 0; j < m->device_count; j++) {
		const struct device_config *device = &m->device[j];
		long com = com_number(m, device);

		if (!is_tty(m, device, ttys[i].tty, ttys[i].type))
			continue;
		at_port += com == (long)number;
		elsewhere += com < 0;
		count++;
	}
	if (number >= count && !at_port)
		log_at(&m->cmdline_origin, "cmdline", "%s=%.*s, and the board has %u `%s`; add one, or "
		       "name another console", key, (int)word, text, count, ttys[i].type);
	else if (!at_port && !elsewhere)
		log_at(&m->cmdline_origin, "cmdline", "%s=%.*s, and no `%s` is at its port; move one there, "
		       "or name another console", key, (int)word, text, ttys[i].type);
}

static bool is_device_at(const struct machine *m, uint64_t gpa)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].gpa == gpa)
			return true;
	return false;
}

/* @text: "pl011,mmio32,0x1c090000,…": the last word but perhaps one is the place. */
static void check_earlycon(const struct machine *m, const char *key, const char *text)
{
	const char *end = text + strcspn(text, " "), *hex = strstr(text, ",0x");
	uint64_t gpa;

	if (!hex || hex >= end)
		return;
	gpa = strtoull(hex + 1, NULL, 16);
	if (!is_device_at(m, gpa))
		log_at(&m->cmdline_origin, "cmdline", "%s=%.*s, and no device is at 0x%" PRIx64, key,
		       (int)(end - text), text, gpa);
}

/* "serial,ttyS0,115200" or "ttyS0" */
static void check_earlyprintk(const struct machine *m, const char *key, const char *text)
{
	check_tty(m, key, text + (strncmp(text, "serial,", 7) ? 0 : 7));
}

/* "ttyS0,115200", or as earlycon has it */
static void check_console(const struct machine *m, const char *key, const char *text)
{
	check_tty(m, key, text);
	check_earlycon(m, key, text);
}

/* What Linux is told to write to must be there: else it boots, and nobody sees it. */
static void check_consoles(const struct machine *m)
{
	static const struct {
		const char *key;
		void (*check)(const struct machine *m, const char *key, const char *text);
	} words[] = {
		{ "console", check_console }, { "earlycon", check_earlycon },
		{ "earlyprintk", check_earlyprintk },
	};

	for (const char *at = m->cmdline; *at && !m->devices_incomplete; ) {
		size_t length = strcspn(at, "= ");

		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (at[length] == '=' && strlen(words[i].key) == length &&
			    !strncmp(at, words[i].key, length))
				words[i].check(m, words[i].key, at + length + 1);
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
}

int machine_validate(const struct machine *m)
{
	unsigned int before = log_error_count();

	check_memory(m);
	check_cpus(m);
	if (m->arch == MACHINE_ARM64)
		check_gic(m);
	else
		x86_validate(m);
	for (size_t i = 0; i < m->device_count; i++)
		check_device(m, i);
	pass_validate(m);
	check_address_map(m);
	check_start(m);
	check_only_one(m, "kernel");
	if (!takes_modules(m))
		check_only_one(m, "initrd");
	check_images(m);
	check_fdt(m);
	check_consoles(m);
	return log_error_count() == before ? 0 : -1;
}
