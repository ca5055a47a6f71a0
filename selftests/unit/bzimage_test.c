// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/util/log.c launcher/util/alloc.c
// LINK: launcher/boot/boot.c launcher/boot/x86.c launcher/boot/acpi.c launcher/boot/aml.c launcher/boot/mptable.c launcher/boot/bzimage.c launcher/boot/multiboot.c launcher/boot/parts.c launcher/boot/place.c launcher/boot/image_arm64.c launcher/boot/elf.c launcher/boot/raw.c launcher/boot/unpack.c launcher/boot/fdt.c launcher/boot/fdt_merge.c
/* x86 kernels: bzImage, PVH, multiboot, raw; what they are handed; hostile files. */
#include "launcher.h"

#include <elf.h>

#include "boot/boot.h"
#include "boot/bzimage.h"
#include "boot/x86.h"

#define SETUP		1024		/* one sector of setup behind the first */
#define CODE		4096
#define INIT_SIZE	0x200000
#define PREFERRED	0x1000000

struct board {
	char *kernel, *initrd;
	struct node *root;
	struct machine m;
	int result;
};

static void put(uint8_t *bytes, size_t at, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *bytes, size_t at, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)bytes[at + i] << 8 * i;
	return value;
}

static void bzimage_make(uint8_t *file)
{
	memset(file, 0, SETUP + CODE);
	file[BZIMAGE_SETUP_SECTS] = 1;
	file[0x201] = 0x6a;
	memcpy(file + BZIMAGE_MAGIC, "HdrS", 4);
	put(file, BZIMAGE_VERSION, 0x20f, 2);
	put(file, BZIMAGE_INITRD_MAX, 0x7fffffff, 4);
	put(file, BZIMAGE_ALIGNMENT, 0x200000, 4);
	file[BZIMAGE_RELOCATABLE] = 1;
	put(file, BZIMAGE_XLOADFLAGS, BZIMAGE_KERNEL_64, 2);
	put(file, BZIMAGE_CMDLINE_SIZE, 2047, 4);
	put(file, BZIMAGE_PREF_ADDRESS, PREFERRED, 8);
	put(file, BZIMAGE_INIT_SIZE, INIT_SIZE, 4);
	memset(file + SETUP, 0x90, CODE);
}

static void board_boot(struct board *b, const void *data, size_t size, const char *options)
{
	char yaml[8192];

	b->kernel = launcher_file(data, size);
	b->initrd = launcher_file("initrd", 6);
	snprintf(yaml, sizeof(yaml), "arch: x86\nmemory: [{ram: 64M}]\ncmdline: hello\n"
		 "devices: [8259: {}, ioapic: {}, acpi-pm: {}, ser8250: {}, ser8250: {}]\n"
		 "load:\n- kernel: %s\n- initrd: %s\n%s", b->kernel, b->initrd, options);
	launcher_listen();
	b->root = launcher_config(yaml);
	if (!b->root)
		abort();
	machine_build(&b->m, b->root);
	b->result = boot_prepare(&b->m);
	b->result |= machine_validate(&b->m);
}

static void board_destroy(struct board *b)
{
	machine_fini(&b->m);
	node_destroy(b->root);
	unlink(b->kernel);
	unlink(b->initrd);
	free(b->kernel);
	free(b->initrd);
	launcher_quiet();
}

static const struct blob *blob_find(const struct board *b, const char *name)
{
	static const struct blob none;

	for (size_t i = 0; i < b->m.blob_count; i++)
		if (!strcmp(b->m.blob[i].name, name))
			return &b->m.blob[i];
	unit_fail("no %s", name);
	return &none;
}

static const uint8_t *page_of(const struct board *b)
{
	return blob_find(b, "zero page")->data;
}

TEST(bzimage_is_placed_and_handed_its_page)
{
	uint8_t file[SETUP + CODE];
	const uint8_t *page;
	struct board b;

	bzimage_make(file);
	board_boot(&b, file, sizeof(file), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.result, 0);
	CHECK_EQ(b.m.x86.start, X86_START_LINUX64);
	CHECK_EQ(b.m.image[0].gpa, PREFERRED);
	CHECK_EQ(b.m.image[0].size, INIT_SIZE);
	CHECK_EQ(b.m.entry, PREFERRED + 0x200);
	CHECK(b.m.image[1].gpa >= PREFERRED + INIT_SIZE);
	page = blob_find(&b, "zero page")->data;
	REQUIRE(page);
	CHECK_EQ(get(page, BZIMAGE_VERSION, 2), 0x20f);
	CHECK_EQ(page[BZIMAGE_LOADER], 0xff);
	CHECK_EQ(page[BZIMAGE_LOADFLAGS] & 1, 1);
	CHECK_EQ(get(page, BZIMAGE_RAMDISK, 4), b.m.image[1].gpa);
	CHECK_EQ(get(page, BZIMAGE_RAMDISK_SIZE, 4), 6);
	CHECK_EQ(get(page, BZIMAGE_CMDLINE, 4), X86_BOOT_CMDLINE);
	CHECK_STR((const char *)blob_find(&b, "cmdline")->data, "hello");
	CHECK_EQ(get(page, ZERO_PAGE_RSDP, 8), 0xe0000);
	CHECK_EQ(blob_find(&b, "MP table")->gpa, 0xf0000);
	CHECK_EQ(page[ZERO_PAGE_E820_COUNT], 3);
	CHECK_EQ(get(page, ZERO_PAGE_E820 + 8, 8), 0xa0000);
	CHECK_EQ(get(page, ZERO_PAGE_E820 + 20, 8), 0x100000);
	CHECK_EQ(get(page, ZERO_PAGE_E820 + 28, 8), 63 << 20);
	CHECK_EQ(get(page, ZERO_PAGE_E820 + 56, 4), 2);
	board_destroy(&b);
}

TEST(page_tables_map_four_gib)
{
	uint8_t file[SETUP + CODE];
	const uint8_t *tables;
	struct board b;

	bzimage_make(file);
	board_boot(&b, file, sizeof(file), "");
	tables = blob_find(&b, "page tables")->data;
	REQUIRE(tables);
	CHECK_EQ(get(tables, 0, 8), X86_BOOT_PAGES + 0x1003);
	CHECK_EQ(get(tables, 0x1000 + 8 * 3, 8), X86_BOOT_PAGES + 0x5003);
	CHECK_EQ(get(tables, 0x2000, 8), 0x83);
	CHECK_EQ(get(tables, 0x5000 + 8 * 511, 8), 0xffe00083);
	board_destroy(&b);
}

/* What is said of the kernel must have @want in it. */
static void check_refused(const void *file, size_t size, const char *options, const char *want)
{
	struct board b;

	board_boot(&b, file, size, options);
	CHECK(b.result);
	if (!strstr(launcher_said(), want))
		unit_fail("said \"%s\", not \"%s\"", launcher_said(), want);
	board_destroy(&b);
}

/* Without an entry in long mode, or too old to say that it has one. */
TEST(bzimage_of_32_bits)
{
	static const struct { uint16_t version, flags; } kernels[] = { { 0x20f, 4 }, { 0x20a, 1 } };
	uint8_t file[SETUP + CODE];
	struct board b;

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		bzimage_make(file);
		put(file, BZIMAGE_VERSION, kernels[i].version, 2);
		put(file, BZIMAGE_XLOADFLAGS, kernels[i].flags, 2);
		board_boot(&b, file, sizeof(file), "");
		CHECK_STR(launcher_said(), "");
		CHECK_EQ(b.result, 0);
		CHECK_EQ(b.m.x86.start, X86_START_LINUX32);
		CHECK_EQ(b.m.entry, PREFERRED);
		CHECK_EQ(get(blob_find(&b, "gdt")->data, X86_BOOT_CS, 8), 0xcf9b000000ffff);
		CHECK_EQ(page_of(&b)[BZIMAGE_LOADER], 0xff);
		board_destroy(&b);
	}
}

TEST(kernels_that_cannot_start)
{
	uint8_t file[SETUP + CODE];

	bzimage_make(file);
	put(file, BZIMAGE_VERSION, 0x209, 2);
	check_refused(file, sizeof(file), "", "boot protocol 2.09");
	bzimage_make(file);
	file[BZIMAGE_SETUP_SECTS] = 200;
	check_refused(file, sizeof(file), "", "cut in its header");
	bzimage_make(file);
	put(file, BZIMAGE_INIT_SIZE, 0x10000000, 4);
	check_refused(file, sizeof(file), "", "not all in one RAM");
	bzimage_make(file);
	put(file, BZIMAGE_INITRD_MAX, 0x1000000, 4);
	check_refused(file, sizeof(file), "", "this kernel takes it up to 0x1000000");
	bzimage_make(file);
	put(file, BZIMAGE_CMDLINE_SIZE, 4, 4);
	check_refused(file, sizeof(file), "", "this kernel takes 4");
	bzimage_make(file);
	check_refused(file, sizeof(file), "- {data: /etc/passwd, at: 0x7000}\n", "overlaps zero page");
}

/* Every length up to the whole file: an error or a start, and never a byte beyond its end. */
TEST(every_cut_of_a_bzimage_is_survived)
{
	uint8_t file[SETUP + CODE];
	struct board b;

	bzimage_make(file);
	for (size_t size = 1; size <= SETUP + 2; size++) {
		board_boot(&b, file, size, "");
		board_destroy(&b);
	}
}

TEST(mutants_are_survived)
{
	uint8_t file[SETUP + CODE];
	struct board b;
	unsigned int seed = 1;

	for (int i = 0; i < 300; i++) {
		bzimage_make(file);
		for (int j = 0; j < 3; j++) {
			seed = seed * 1103515245 + 12345;
			file[0x1f0 + (seed >> 16) % 0x80] = (uint8_t)(seed >> 8);
		}
		board_boot(&b, file, sizeof(file), "");
		board_destroy(&b);
	}
}

/* ---- ELF ---- */

struct elf64 {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	Elf64_Nhdr note;
	char name[4];
	uint64_t value;
	uint8_t code[64];
};

static void elf64_make(struct elf64 *elf, bool pvh)
{
	*elf = (struct elf64){
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
			.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_entry = 0x200000,
			.e_phoff = offsetof(struct elf64, segment), .e_phnum = pvh ? 2 : 1,
			.e_phentsize = sizeof(Elf64_Phdr),
		},
		.segment = {
			{ .p_type = PT_LOAD, .p_offset = offsetof(struct elf64, code),
			  .p_paddr = 0x200000, .p_vaddr = 0x200000, .p_filesz = 64, .p_memsz = 0x1000 },
			{ .p_type = PT_NOTE, .p_offset = offsetof(struct elf64, note),
			  .p_filesz = 24 },
		},
		.note = { .n_namesz = 4, .n_descsz = 8, .n_type = 18 },
		.name = "Xen",
		.value = 0x200020,
	};
}

TEST(elf_with_the_note_starts_by_pvh)
{
	struct elf64 elf;
	const uint8_t *info;
	struct board b;
	size_t at;

	elf64_make(&elf, true);
	board_boot(&b, &elf, sizeof(elf), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.x86.start, X86_START_PVH);
	CHECK_EQ(b.m.entry, 0x200020);
	info = blob_find(&b, "start info")->data;
	REQUIRE(info);
	CHECK_EQ(get(info, 0, 4), 0x336ec578);
	CHECK_EQ(get(info, 12, 4), 1);
	at = get(info, 16, 8) - X86_BOOT_INFO;
	CHECK_EQ(get(info, at, 8), b.m.image[1].gpa);
	CHECK_EQ(get(info, at + 8, 8), 6);
	CHECK_STR((const char *)info + get(info, at + 16, 8) - X86_BOOT_INFO, strrchr(b.initrd, '/') + 1);
	CHECK_STR((const char *)blob_find(&b, "cmdline")->data, "hello");
	CHECK_EQ(get(info, 24, 8), X86_BOOT_CMDLINE);
	CHECK_EQ(get(info, 32, 8), 0xe0000);
	CHECK_EQ(get(info, 48, 4), 3);
	CHECK_EQ(get(info, get(info, 40, 8) - X86_BOOT_INFO + 8, 8), 0xa0000);
	board_destroy(&b);
	elf64_make(&elf, true);
	elf.value = 0x90000000;
	check_refused(&elf, sizeof(elf), "", "starts at 0x90000000, where the board has no memory");
}

TEST(elf_without_it_starts_in_long_mode)
{
	struct elf64 elf;
	struct board b;

	elf64_make(&elf, false);
	board_boot(&b, &elf, sizeof(elf), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.x86.start, X86_START_LINUX64);
	CHECK_EQ(b.m.entry, 0x200000);
	board_destroy(&b);
	elf.note.n_namesz = UINT32_MAX;		/* lengths that wrap */
	elf.header.e_phnum = 2;
	board_boot(&b, &elf, sizeof(elf), "");
	CHECK_EQ(b.m.x86.start, X86_START_LINUX64);
	board_destroy(&b);
	elf.header.e_machine = EM_AARCH64;
	check_refused(&elf, sizeof(elf), "", "this VM is x86");
}

/* A multiboot header without addresses in a 64-bit ELF: in 32 bits, as GRUB does it. */
TEST(elf64_with_a_multiboot_header)
{
	static const uint32_t header[3] = { 0x1badb002, 0, -0x1badb002u };
	struct elf64 elf;
	struct board b;

	elf64_make(&elf, false);
	memcpy(elf.code, header, sizeof(header));
	board_boot(&b, &elf, sizeof(elf), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.x86.start, X86_START_MULTIBOOT);
	CHECK_EQ(b.m.entry, 0x200000);
	CHECK_EQ(get(blob_find(&b, "multiboot info")->data, 0, 4), 0x24d);
	board_destroy(&b);
}

/* ---- multiboot ---- */

struct elf32 {
	Elf32_Ehdr header;
	Elf32_Phdr segment;
	uint32_t multiboot[3];
	uint8_t code[64];
};

TEST(multiboot)
{
	struct elf32 elf = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1 },
			.e_type = ET_EXEC, .e_machine = EM_386, .e_entry = 0x400010,
			.e_phoff = offsetof(struct elf32, segment), .e_phnum = 1,
			.e_phentsize = sizeof(Elf32_Phdr),
		},
		.segment = { .p_type = PT_LOAD, .p_offset = 0, .p_paddr = 0x400000,
			     .p_filesz = sizeof(elf), .p_memsz = 0x2000 },
		.multiboot = { 0x1badb002, 0, -0x1badb002u },
	};
	const uint8_t *info;
	struct board b;

	board_boot(&b, &elf, sizeof(elf), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.x86.start, X86_START_MULTIBOOT);
	CHECK_EQ(b.m.entry, 0x400010);
	CHECK_EQ(b.m.image[0].size, 0x2000);
	info = blob_find(&b, "multiboot info")->data;
	REQUIRE(info);
	CHECK_EQ(get(info, 0, 4), 0x24d);
	CHECK_EQ(get(info, 4, 4), 640);
	CHECK_EQ(get(info, 8, 4), 63 * 1024);
	CHECK_EQ(get(info, 20, 4), 1);
	CHECK_EQ(get(info, 44, 4), 3 * 24);
	info = blob_find(&b, "BIOS data area")->data;
	REQUIRE(info);
	CHECK_EQ(get(info, 0, 8), 0x02f803f8);
	CHECK_EQ(get(info, 0x10, 2), 2 << 9 | 2);	/* two COM ports, FPU */
	CHECK_EQ(get(info, 0x13, 2), 640);
	CHECK_EQ(get(info, 0x0e, 2), 0);		/* no extended area */
	board_destroy(&b);
	elf.segment.p_filesz = 0x1000;
	check_refused(&elf, sizeof(elf), "", "is an ELF whose segment 0 is not all");
	elf.segment.p_filesz = 16;
	elf.header.e_entry = 0x500000;
	check_refused(&elf, sizeof(elf), "", "is in none of its segments");
}

static const uint32_t by_addresses[32] = {
	[4] = 0x1badb002, 1 << 16, -(0x1badb002u + (1 << 16)), 0x300010, 0x300000, 0, 0x301000, 0x300040,
};

/* A string of the page that a multiboot kernel is handed. */
static const char *string_at(const uint8_t *info, size_t at)
{
	return (const char *)info + get(info, at, 4) - X86_BOOT_INFO;
}

/* Each RAM disk is one, in their order, at pages of their own, under the names of their files. */
TEST(multiboot_modules)
{
	const uint8_t *info;
	char options[400], *more = launcher_file("second", 7);
	struct board b;

	snprintf(options, sizeof(options), "- initrd: %s\n- data: /etc/passwd\n  at: 0x280000\n", more);
	board_boot(&b, by_addresses, sizeof(by_addresses), options);
	CHECK_STR(launcher_said(), "");
	info = blob_find(&b, "multiboot info")->data;
	REQUIRE(info);
	CHECK_EQ(get(info, 20, 4), 2);
	info += get(info, 24, 4) - X86_BOOT_INFO;
	for (size_t i = 0; i < 2; i++, info += 16) {
		CHECK_EQ(get(info, 0, 4), b.m.image[1 + i].gpa);
		CHECK_EQ(get(info, 0, 4) % 4096, 0);
		CHECK_EQ(get(info, 4, 4) - get(info, 0, 4), 6 + i);
		CHECK_EQ(get(info, 12, 4), 0);
	}
	info = blob_find(&b, "multiboot info")->data;
	CHECK_STR(string_at(info, get(info, 24, 4) - X86_BOOT_INFO + 8), strrchr(b.initrd, '/') + 1);
	CHECK_STR(string_at(info, get(info, 24, 4) - X86_BOOT_INFO + 24), strrchr(more, '/') + 1);
	board_destroy(&b);
	unlink(more);
	free(more);
}

/* The kernel's name comes first, as one word. */
TEST(multiboot_command_line)
{
	char want[64], *path;
	struct board b;

	board_boot(&b, by_addresses, sizeof(by_addresses), "");
	snprintf(want, sizeof(want), "%s hello", strrchr(b.kernel, '/') + 1);
	CHECK_STR((const char *)blob_find(&b, "cmdline")->data, want);
	*b.m.cmdline = 0;
	path = b.m.image[0].path;
	b.m.image[0].path = (char *)"/a dir/a b.bin";
	CHECK_EQ(x86_boot_prepare(&b.m), 0);
	CHECK_STR((const char *)blob_find(&b, "cmdline")->data, "a_b.bin");
	b.m.image[0].path = path;
	board_destroy(&b);
}

/* As many as there is room to tell of, and one RAM disk for a kernel that knows no modules. */
TEST(too_many_modules)
{
	char *options = calloc(200, sizeof("- initrd: /etc/passwd\n"));
	uint8_t file[SETUP + CODE];

	for (int i = 0; i < 200; i++)
		strcat(options, "- initrd: /etc/passwd\n");
	check_refused(by_addresses, sizeof(by_addresses), options, "is one more than there is room to tell of");
	free(options);
	bzimage_make(file);
	check_refused(file, sizeof(file), "- initrd: /etc/passwd\n", "initrd: a second one, first at t.yaml:7");
}

/* As GRUB's own image: a part below 640K, one from 1M on; and an entry by its virtual address. */
TEST(multiboot_in_two_memories)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment[2];
		uint32_t multiboot[3];
		uint8_t bytes[16];
	} elf = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1 },
			.e_type = ET_EXEC, .e_machine = EM_386, .e_entry = 0xc0100004,
			.e_phoff = sizeof(Elf32_Ehdr), .e_phnum = 2, .e_phentsize = sizeof(Elf32_Phdr),
		},
		.segment = {
			{ .p_type = PT_LOAD, .p_paddr = 0x100000, .p_vaddr = 0xc0100000, .p_filesz = 8,
			  .p_memsz = 0x2000, .p_offset = offsetof(typeof(elf), bytes) },
			{ .p_type = PT_LOAD, .p_paddr = 0x9000, .p_vaddr = 0x9000, .p_filesz = 8,
			  .p_memsz = 0x1000, .p_offset = offsetof(typeof(elf), bytes) + 8 },
		},
		.multiboot = { 0x1badb002, 0, -0x1badb002u },
		.bytes = "01234567" "89abcde",
	};
	uint8_t *low = calloc(640, 1024), *high = calloc(63, 1024 * 1024);
	struct board b;

	board_boot(&b, &elf, sizeof(elf), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.entry, 0x100004);
	REQUIRE(b.m.image_count == 3);
	CHECK_EQ(b.m.image[0].gpa, 0x9000);
	CHECK_EQ(b.m.image[0].size, 0x1000);
	CHECK_STR(b.m.image[2].key, "part");
	CHECK_EQ(b.m.image[2].gpa, 0x100000);
	CHECK_EQ(b.m.image[2].size, 0x2000);
	CHECK_EQ(b.m.x86.rsdp, 0xe0000);
	for (size_t i = 0; i < b.m.memory_count; i++)
		b.m.memory[i].hva = !b.m.memory[i].gpa ? low : b.m.memory[i].gpa == 0x100000 ? high :
				    calloc(b.m.memory[i].size, 1);
	CHECK_EQ(boot_load(&b.m), 0);
	CHECK(!memcmp(high, "01234567", 9) && !memcmp(low + 0x9000, "89abcde", 8));
	for (size_t i = 0; i < b.m.memory_count; i++)
		free(b.m.memory[i].hva);
	board_destroy(&b);
	elf.segment[1].p_paddr = 0x9f001;		/* one page more than there is */
	check_refused(&elf, sizeof(elf), "", "kernel: 0x9f001 and");
}

/* Without any header: flat 32-bit mode, with PVH's start info. */
TEST(elf_of_32_bits)
{
	struct elf32 elf = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1 },
			.e_type = ET_EXEC, .e_machine = EM_386, .e_entry = 0xc0400010,
			.e_phoff = offsetof(struct elf32, segment), .e_phnum = 1,
			.e_phentsize = sizeof(Elf32_Phdr),
		},
		.segment = { .p_type = PT_LOAD, .p_offset = 0, .p_paddr = 0x400000,
			     .p_vaddr = 0xc0400000, .p_filesz = sizeof(elf), .p_memsz = 0x2000 },
	};
	struct board b;

	board_boot(&b, &elf, sizeof(elf), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.x86.start, X86_START_PVH);
	CHECK_EQ(b.m.entry, 0x400010);
	CHECK_EQ(b.m.image[0].size, 0x2000);
	board_destroy(&b);
	elf.segment.p_filesz = 0x3000;
	check_refused(&elf, sizeof(elf), "", "is an ELF whose segment 0 is not all");
	elf.header.e_machine = EM_ARM;
	check_refused(&elf, sizeof(elf), "", "this VM is x86");
}

TEST(multiboot_by_addresses)
{
	uint32_t file[32];
	struct board b;

	memcpy(file, by_addresses, sizeof(file));
	board_boot(&b, file, sizeof(file), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.x86.start, X86_START_MULTIBOOT);
	CHECK_EQ(b.m.image[0].gpa, 0x300000);
	CHECK_EQ(b.m.image[0].size, 0x1000);
	CHECK_EQ(b.m.entry, 0x300040);
	board_destroy(&b);
	file[7] = 0x300000;
	file[8] = 0x300100;		/* the file would begin before its first byte */
	check_refused(file, sizeof(file), "", "not all in the file");
}

/* ---- raw ---- */

TEST(raw_starts_in_real_mode_as_a_boot_sector)
{
	struct board b;

	board_boot(&b, "\xf4", 1, "");
	CHECK_EQ(b.m.x86.start, X86_START_REAL);
	CHECK_EQ(b.m.image[0].gpa, 0x7c00);
	CHECK_EQ(b.m.entry, 0x7c00);
	CHECK_EQ(b.m.x86.rsdp, 0xe0000);
	board_destroy(&b);
}

TEST(firmware_brings_its_own_tables)
{
	struct machine m;
	struct node *root;

	launcher_listen();
	root = launcher_config("arch: x86\nmemory: [{ram: 640K, at: 0}, {rom: 256K, at: 0xc0000}]\n"
			       "load: [{data: /etc/passwd, at: 0xfd000}]\ndevices: [ioapic: {}]\n");
	machine_build(&m, root);
	boot_prepare(&m);
	CHECK_EQ(m.memory_count, 2);
	CHECK_EQ(m.x86.rsdp, 0);
	CHECK_EQ(m.blob_count, 0);
	machine_fini(&m);
	node_destroy(root);
	launcher_quiet();
}
