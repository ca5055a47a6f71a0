// SPDX-License-Identifier: GPL-2.0-only
#include "boot/x86.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/acpi.h"
#include "boot/bzimage.h"
#include "boot/elf.h"
#include "boot/format.h"
#include "boot/mptable.h"
#include "machine/board.h"
#include "util/alloc.h"

#define PAGE		4096
#define GIB		0x40000000ULL
#define BLOBS_MAX	8
#define MAP_MAX		128		/* as the zero page has room for */

enum { MAP_RAM = 1, MAP_RESERVED = 2 };		/* types of e820, the same for PVH and multiboot */

static void put(uint8_t *bytes, size_t at, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static uint8_t *add_blob(struct machine *m, const char *name, uint64_t gpa, uint64_t size)
{
	uint8_t *data = xcalloc(1, size);

	m->blob[m->blob_count++] = (struct blob){ name, gpa, size, data };
	return data;
}

static const struct image *find_image(const struct machine *m, const char *key)
{
	for (size_t i = 0; i < m->image_count; i++)
		if (m->image[i].size && !strcmp(m->image[i].key, key))
			return &m->image[i];
	return NULL;
}

/* ---- for every protocol ---- */

/* The command line; its gpa. */
static uint64_t add_cmdline(struct machine *m, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(add_blob(m, "cmdline", X86_BOOT_CMDLINE, size), text, size);
	return X86_BOOT_CMDLINE;
}

/* Null, 64-bit or 32-bit code, data; the first two are free, as Linux numbers them. */
static void add_gdt(struct machine *m, bool is_64)
{
	uint8_t *gdt = add_blob(m, "gdt", X86_BOOT_GDT, X86_BOOT_GDT_SIZE);

	put(gdt, X86_BOOT_CS, is_64 ? 0xaf9b000000ffff : 0xcf9b000000ffff, 8);
	put(gdt, X86_BOOT_DS, 0xcf93000000ffff, 8);
}

/* PML4, one table of 1 GiB entries' tables, and four of 2 MiB pages. */
static void add_page_tables(struct machine *m)
{
	const uint64_t table = 0x3, page = 0x83;	/* present, writable; large */
	uint8_t *tables = add_blob(m, "page tables", X86_BOOT_PAGES, 6 * PAGE);
	uint64_t next = X86_BOOT_PAGES + PAGE;

	put(tables, 0, next | table, 8);
	for (unsigned int i = 0; i < 4; i++)
		put(tables, PAGE + 8 * i, (next + (i + 1) * PAGE) | table, 8);
	for (unsigned int i = 0; i < 4 * 512; i++)
		put(tables, 2 * PAGE + 8 * i, (uint64_t)i << 21 | page, 8);
}

static bool image_overlaps(const struct machine *m, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->image_count; i++)
		if (m->image[i].gpa < gpa + size && m->image[i].gpa + m->image[i].size > gpa)
			return true;
	return false;
}

/*
 * Where the firmware of a PC is there are the tables; an image that is loaded there is firmware
 * that brings its own.
 */
static void add_acpi(struct machine *m)
{
	uint8_t *area;

	m->x86.rsdp = 0;
	if (image_overlaps(m, X86_TABLES, X86_TABLES_SIZE))
		return;
	if (!machine_find_memory(m, X86_TABLES, ACPI_SIZE_MAX))
		return;
	area = add_blob(m, "acpi", X86_TABLES, ACPI_SIZE_MAX);
	m->blob[m->blob_count - 1].size = acpi_build(m, area, X86_TABLES);
	if (m->blob[m->blob_count - 1].size > ACPI_SIZE_MAX) {
		log_at(&m->origin, "devices", "%zu of them, and the ACPI tables of the config, are more "
		       "than there is room for; leave some out", m->device_count);
		m->blob[m->blob_count - 1].size = ACPI_SIZE_MAX;
	}
	m->x86.rsdp = X86_TABLES;
}

static void add_mptable(struct machine *m)
{
	uint8_t *area;

	if (image_overlaps(m, X86_TABLES, X86_TABLES_SIZE) ||
	    !machine_find_memory(m, X86_MPTABLE, MPTABLE_SIZE_MAX))
		return;
	area = add_blob(m, "MP table", X86_MPTABLE, MPTABLE_SIZE_MAX);
	m->blob[m->blob_count - 1].size = mptable_build(m, area, X86_MPTABLE);
	if (!m->blob[m->blob_count - 1].size)
		free(m->blob[--m->blob_count].data);
}

/* ---- BIOS data area ---- */

enum { BDA_COM = 0x00, BDA_EQUIPMENT = 0x10, BDA_MEMORY = 0x13, BDA_SIZE = 0x100, BDA_COMS = 4,
       EQUIPMENT_FPU = 1 << 1, EQUIPMENT_COM_SHIFT = 9 };

/* KiB from @gpa on. */
static uint32_t kib_at(const struct machine *m, uint64_t gpa)
{
	const struct memory *memory = machine_find_memory(m, gpa, 1);

	return memory ? (uint32_t)((memory->gpa + memory->size - gpa) / 1024) : 0;
}

/*
 * Ports of UARTs, and the end of memory below 640K: kernels that are started with no firmware
 * about look there all the same. No extended area, no more.
 */
static void add_bda(struct machine *m)
{
	uint32_t memory = kib_at(m, 0);
	unsigned int coms = 0;
	uint8_t *bda;

	if (m->x86.start == X86_START_REAL || !machine_find_memory(m, X86_BOOT_BDA, BDA_SIZE) ||
	    image_overlaps(m, X86_BOOT_BDA, BDA_SIZE))
		return;
	bda = add_blob(m, "BIOS data area", X86_BOOT_BDA, BDA_SIZE);
	for (size_t i = 0; i < m->device_count && coms < BDA_COMS; i++)
		if (acpi_is_uart(&m->device[i]) && m->device[i].port)
			put(bda, BDA_COM + 2 * coms++, m->device[i].gpa, 2);
	put(bda, BDA_EQUIPMENT, EQUIPMENT_FPU | coms << EQUIPMENT_COM_SHIFT, 2);
	put(bda, BDA_MEMORY, memory < 640 ? memory : 640, 2);
}

/* ---- memory map ---- */

struct map {
	uint8_t *at;
	unsigned int width;		/* bytes of an entry */
	unsigned int skip;		/* before its first field */
	unsigned int count;
};

static void map_add(struct map *map, uint64_t gpa, uint64_t size, uint32_t type)
{
	uint8_t *entry = map->at + (size_t)map->width * map->count;

	if (map->count == MAP_MAX)
		return;		/* more than the module has regions for: it will say so */
	map->count++;
	put(entry, map->skip, gpa, 8);
	put(entry, map->skip + 8, size, 8);
	put(entry, map->skip + 16, type, 4);
}

/* ROM is not told of; what holds the tables is taken. */
static void map_fill(struct map *map, const struct machine *m)
{
	for (size_t i = 0; i < m->memory_count; i++)
		if (m->memory[i].kind == MEMORY_RAM)
			map_add(map, m->memory[i].gpa, m->memory[i].size, MAP_RAM);
	map_add(map, X86_TABLES, X86_TABLES_SIZE, MAP_RESERVED);
}

/* ---- Linux's 64-bit and 32-bit protocols ---- */

#define E820_WIDTH	20

static void copy_setup_header(uint8_t *page, const struct image *kernel)
{
	size_t end = BZIMAGE_MAGIC + kernel->data[BZIMAGE_HEADER_LENGTH];

	end = end < BZIMAGE_HEADER_MAX ? end : BZIMAGE_HEADER_MAX;
	if (end <= kernel->data_size)
		memcpy(page + BZIMAGE_SETUP_SECTS, kernel->data + BZIMAGE_SETUP_SECTS,
		       end - BZIMAGE_SETUP_SECTS);
}

static int check_initrd(const struct image *kernel, const struct image *initrd)
{
	uint64_t limit = image_le32(kernel->data, BZIMAGE_INITRD_MAX);

	if (image_le16(kernel->data, BZIMAGE_XLOADFLAGS) & BZIMAGE_ABOVE_4G ||
	    initrd->gpa + initrd->size - 1 <= limit)
		return 0;
	image_error(initrd, "ends at 0x%" PRIx64 ", and this kernel takes it up to 0x%" PRIx64 " only",
		    initrd->gpa + initrd->size - 1, limit);
	return -1;
}

static int check_cmdline(const struct machine *m, const struct image *kernel)
{
	uint32_t limit = image_le32(kernel->data, BZIMAGE_CMDLINE_SIZE);

	if (strlen(m->cmdline) <= limit)
		return 0;
	log_at(&m->cmdline_origin, "cmdline", "%zu characters, and this kernel takes %" PRIu32,
	       strlen(m->cmdline), limit);
	return -1;
}

static int fill_zero_page(struct machine *m, const struct image *kernel, uint8_t *page)
{
	const struct image *initrd = find_image(m, "initrd");
	uint64_t cmdline = add_cmdline(m, m->cmdline);
	struct map map = { page + ZERO_PAGE_E820, E820_WIDTH, 0, 0 };
	int ret = 0;

	if (kernel->kind == IMAGE_LINUX_X86) {
		copy_setup_header(page, kernel);
		ret = check_cmdline(m, kernel);
		ret |= initrd ? check_initrd(kernel, initrd) : 0;
	}
	page[BZIMAGE_LOADER] = BZIMAGE_LOADER_OTHER;
	page[BZIMAGE_LOADFLAGS] |= BZIMAGE_LOADED_HIGH;
	put(page, BZIMAGE_CMDLINE, cmdline, 4);
	if (initrd) {
		put(page, BZIMAGE_RAMDISK, initrd->gpa, 4);
		put(page, ZERO_PAGE_EXT_RAMDISK, initrd->gpa >> 32, 4);
		put(page, BZIMAGE_RAMDISK_SIZE, initrd->size, 4);
		put(page, ZERO_PAGE_EXT_SIZE, initrd->size >> 32, 4);
	}
	put(page, ZERO_PAGE_RSDP, m->x86.rsdp, 8);
	map_fill(&map, m);
	page[ZERO_PAGE_E820_COUNT] = (uint8_t)map.count;
	return ret;
}

static int start_linux64(struct machine *m, const struct image *kernel)
{
	add_gdt(m, true);
	add_page_tables(m);
	m->x86.info = X86_BOOT_INFO;
	return fill_zero_page(m, kernel, add_blob(m, "zero page", X86_BOOT_INFO, PAGE));
}

static int start_linux32(struct machine *m, const struct image *kernel)
{
	add_gdt(m, false);
	m->x86.info = X86_BOOT_INFO;
	return fill_zero_page(m, kernel, add_blob(m, "zero page", X86_BOOT_INFO, PAGE));
}

/* ---- modules of PVH and multiboot: each RAM disk is one ---- */

/* The file's own name, a loader's word for an image; a blank would end it. Returns its bytes. */
static size_t copy_name(char *to, size_t room, const struct image *image)
{
	const char *slash = strrchr(image->path, '/'), *name = slash ? slash + 1 : image->path;
	size_t size = strlen(name) + 1;

	for (size_t i = 0; i < size && size <= room; i++)
		to[i] = name[i] == ' ' ? '_' : name[i];
	return size;
}

static bool is_module(const struct image *image)
{
	return image->size && image->kind == IMAGE_INITRD;
}

static size_t count_modules(const struct machine *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->image_count; i++)
		count += is_module(&m->image[i]);
	return count;
}

/* A list with entries of @width bytes from @at on in the page of the info, and behind it their names. */
static int add_modules(const struct machine *m, uint8_t *page, size_t at, size_t width,
		       int (*add)(uint8_t *entry, const struct image *image, uint64_t name))
{
	size_t name = at + width * count_modules(m);
	int ret = 0;

	for (size_t i = 0; i < m->image_count; i++) {
		const struct image *image = &m->image[i];
		size_t size = 0;

		if (!is_module(image))
			continue;
		if (name < PAGE)
			size = copy_name((char *)page + name, PAGE - name, image);
		if (!size || size > PAGE - name) {
			image_error(image, "is one more than there is room to tell of; leave some out");
			return -1;
		}
		ret |= add(page + at, image, X86_BOOT_INFO + name);
		name += size;
		at += width;
	}
	return ret;
}

/* ---- PVH: docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/start_info.h of Xen ---- */

#define PVH_MAGIC	0x336ec578
#define PVH_NOTE	18		/* XEN_ELFNOTE_PHYS32_ENTRY */
#define PVH_MAP		56		/* behind the start info; the modules are behind it */
#define PVH_WIDTH	24
#define PVH_MODULE	32

static int add_pvh_module(uint8_t *entry, const struct image *image, uint64_t name)
{
	put(entry, 0, image->gpa, 8);
	put(entry, 8, image->size, 8);
	put(entry, 16, name, 8);
	return 0;
}

static int start_pvh(struct machine *m, const struct image *kernel)
{
	uint8_t *info = add_blob(m, "start info", X86_BOOT_INFO, PAGE);
	struct map map = { info + PVH_MAP, PVH_WIDTH, 0, 0 };
	size_t modules;

	(void)kernel;
	add_gdt(m, false);
	m->x86.info = X86_BOOT_INFO;
	put(info, 0, PVH_MAGIC, 4);
	put(info, 4, 1, 4);			/* version: with a memory map */
	put(info, 24, add_cmdline(m, m->cmdline), 8);
	put(info, 32, m->x86.rsdp, 8);
	put(info, 40, X86_BOOT_INFO + PVH_MAP, 8);
	map_fill(&map, m);
	put(info, 48, map.count, 4);
	modules = PVH_MAP + PVH_WIDTH * map.count;
	put(info, 12, count_modules(m), 4);
	put(info, 16, X86_BOOT_INFO + modules, 8);
	return add_modules(m, info, modules, PVH_MODULE, add_pvh_module);
}

/* The note's value, a gpa; false: there is no such note among these bytes. */
static bool find_note(const uint8_t *notes, size_t size, uint64_t *entry)
{
	size_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		uint64_t name = image_le32(notes, at), value = image_le32(notes, at + 4);
		uint64_t begin = at + sizeof(Elf64_Nhdr) + (name + 3) / 4 * 4;
		uint64_t end = begin + (value + 3) / 4 * 4;

		if (end > size)
			return false;
		if (image_le32(notes, at + 8) == PVH_NOTE && name == 4 && value >= 4 &&
		    !memcmp(notes + at + sizeof(Elf64_Nhdr), "Xen", 4)) {
			*entry = value >= 8 ? image_le64(notes, begin) : image_le32(notes, begin);
			return true;
		}
		at = end;
	}
	return false;
}

/* In an ELF that has been measured: its program headers are all there. */
static bool find_pvh_entry(const struct image *image, uint64_t *entry)
{
	Elf64_Ehdr header = elf_header(image);

	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment = elf_segment(image, &header, i);

		if (segment.p_type == PT_NOTE && segment.p_offset <= image->data_size &&
		    segment.p_filesz <= image->data_size - segment.p_offset &&
		    find_note(image->data + segment.p_offset, segment.p_filesz, entry))
			return true;
	}
	return false;
}

/* ---- multiboot: 3.3, boot information format ---- */

enum { MB_MEMORY = 1 << 0, MB_CMDLINE = 1 << 2, MB_MODULES = 1 << 3, MB_MAP = 1 << 6,
       MB_LOADER = 1 << 9 };

#define MB_LOADER_AT	160		/* where things are in the page */
#define MB_MAP_AT	256		/* the modules are behind it */
#define MB_MAP_WIDTH	24		/* a size of 4 bytes before each entry, which it doesn't count */
#define MB_MODULE	16

static int add_multiboot_module(uint8_t *entry, const struct image *image, uint64_t name)
{
	put(entry, 0, image->gpa, 4);
	put(entry, 4, image->gpa + image->size, 4);
	put(entry, 8, name, 4);
	if (image->gpa + image->size <= UINT32_MAX)
		return 0;
	image_error(image, "ends beyond 4G, where multiboot can't tell of it");
	return -1;
}

/* Its first word is the image, which kernels skip: GRUB of old and QEMU begin with it. */
static uint64_t add_multiboot_cmdline(struct machine *m, const struct image *kernel)
{
	size_t room = strlen(kernel->path) + 1;
	char *text = xcalloc(1, room + strlen(m->cmdline) + 1);
	uint64_t gpa;

	copy_name(text, room, kernel);
	if (*m->cmdline)
		strcat(strcat(text, " "), m->cmdline);
	gpa = add_cmdline(m, text);
	free(text);
	return gpa;
}

static int start_multiboot(struct machine *m, const struct image *kernel)
{
	uint8_t *info = add_blob(m, "multiboot info", X86_BOOT_INFO, PAGE);
	struct map map = { info + MB_MAP_AT, MB_MAP_WIDTH, 4, 0 };
	size_t modules;

	add_gdt(m, false);
	m->x86.info = X86_BOOT_INFO;
	put(info, 0, MB_MEMORY | MB_CMDLINE | MB_MODULES | MB_MAP | MB_LOADER, 4);
	put(info, 4, kib_at(m, 0), 4);
	put(info, 8, kib_at(m, 0x100000), 4);
	put(info, 16, add_multiboot_cmdline(m, kernel), 4);
	map_fill(&map, m);
	for (unsigned int i = 0; i < map.count; i++)
		put(info, MB_MAP_AT + MB_MAP_WIDTH * i, MB_MAP_WIDTH - 4, 4);
	put(info, 44, map.count * MB_MAP_WIDTH, 4);
	put(info, 48, X86_BOOT_INFO + MB_MAP_AT, 4);
	put(info, 64, X86_BOOT_INFO + MB_LOADER_AT, 4);
	memcpy(info + MB_LOADER_AT, "qvm", sizeof("qvm"));
	modules = MB_MAP_AT + MB_MAP_WIDTH * map.count;
	put(info, 20, count_modules(m), 4);
	put(info, 24, X86_BOOT_INFO + modules, 4);
	return add_modules(m, info, modules, MB_MODULE, add_multiboot_module);
}

/* ---- which ---- */

static int start_real(struct machine *m, const struct image *kernel)
{
	(void)kernel;
	m->x86.info = 0;
	return 0;
}

static int (*const starts[])(struct machine *m, const struct image *kernel) = {
	[X86_START_REAL]	= start_real,
	[X86_START_LINUX64]	= start_linux64,
	[X86_START_LINUX32]	= start_linux32,
	[X86_START_PVH]		= start_pvh,
	[X86_START_MULTIBOOT]	= start_multiboot,
};

/* By the note; by a multiboot header; else as its class says: a 32-bit one like PVH. */
static enum x86_start choose_elf(struct machine *m, const struct image *kernel)
{
	if (find_pvh_entry(kernel, &m->entry))
		return X86_START_PVH;
	if (multiboot_has_header(kernel->data, kernel->data_size))
		return X86_START_MULTIBOOT;
	return elf_is_32(kernel) ? X86_START_PVH : X86_START_LINUX64;
}

static enum x86_start choose(struct machine *m, const struct image *kernel)
{
	switch (kernel->kind) {
	case IMAGE_LINUX_X86:
		return bzimage_is_64(kernel) ? X86_START_LINUX64 : X86_START_LINUX32;
	case IMAGE_MULTIBOOT:
		return X86_START_MULTIBOOT;
	case IMAGE_ELF:
		return choose_elf(m, kernel);
	default:
		return X86_START_REAL;
	}
}

/* The image that m->entry is of: the first that starts. */
static const struct image *find_kernel(const struct machine *m)
{
	for (size_t i = 0; i < m->image_count; i++) {
		const struct image *image = &m->image[i];

		if (image->size && (!strcmp(image->key, "kernel") || !strcmp(image->key, "elf")))
			return image;
	}
	return NULL;
}

static void check_entry(const struct machine *m, const struct image *kernel)
{
	bool is_there = machine_find_memory(m, kernel->gpa, kernel->size);	/* else that is said */

	if (is_there && !machine_find_memory(m, m->entry, 1))
		image_error(kernel, "starts at 0x%" PRIx64 ", where the board has no memory", m->entry);
}

int x86_boot_prepare(struct machine *m)
{
	const struct image *kernel = find_kernel(m);
	unsigned int before = log_error_count();
	int ret;

	while (m->blob_count)
		free(m->blob[--m->blob_count].data);
	free(m->blob);
	m->blob = xcalloc(BLOBS_MAX, sizeof(*m->blob));
	add_acpi(m);
	if (m->cpu_count <= MACHINE_MAX_CPUS)		/* else that is said */
		add_mptable(m);
	if (!kernel)
		return 0;
	m->x86.start = choose(m, kernel);
	check_entry(m, kernel);
	add_bda(m);
	ret = starts[m->x86.start](m, kernel);
	return ret || log_error_count() != before ? -1 : 0;
}
