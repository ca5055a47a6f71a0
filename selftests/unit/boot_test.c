// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/util/log.c launcher/util/alloc.c
// LINK: launcher/boot/boot.c launcher/boot/x86.c launcher/boot/acpi.c launcher/boot/aml.c launcher/boot/mptable.c launcher/boot/bzimage.c launcher/boot/multiboot.c launcher/boot/parts.c launcher/boot/place.c launcher/boot/image_arm64.c launcher/boot/elf.c launcher/boot/raw.c launcher/boot/unpack.c launcher/boot/fdt.c launcher/boot/fdt_merge.c
/* Images: recognised, measured, placed, copied; and hostile ones refused. */
#include "launcher.h"

#include <elf.h>
#include <zlib.h>

#include "boot/boot.h"
#include "boot/format.h"

#define RAM_BASE	0x40000000ULL
#define MIB		0x100000ULL

struct arm64_header {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags, reserved[3];
	uint32_t magic, pe;
} __attribute__((packed));

/* A file as `kernel`, and perhaps an initrd and options, in 64 MiB at 1 GiB. */
struct board {
	char *kernel, *initrd;
	struct node *root;
	struct machine m;
	int result;
};

static void board_boot(struct board *b, const char *key, const void *data, size_t size,
		       const char *options)
{
	char yaml[1024];

	b->kernel = launcher_file(data, size);
	b->initrd = launcher_file("initrd", 6);
	snprintf(yaml, sizeof(yaml), "memory: [{rom: 64K, at: 0}, {ram: 64M, at: 0x40000000}]\n"
		 "load:\n- %s: %s\n- initrd: %s\n%s", key, b->kernel, b->initrd, options);
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

/* What is said after "FILE " must begin with @want; nothing else is said. */
static void check_refused(const char *key, const void *data, size_t size, const char *want)
{
	struct board b;
	const char *said;

	board_boot(&b, key, data, size, "");
	CHECK_EQ(b.result, -1);
	CHECK_EQ(log_error_count(), 1);
	said = strstr(launcher_said(), b.kernel);
	said = said ? said + strlen(b.kernel) + 1 : launcher_said();
	if (strncmp(said, want, strlen(want)))
		unit_fail("said \"%s\", not \"%s\"", launcher_said(), want);
	CHECK(!strncmp(launcher_said(), "t.yaml:3: ", 10));
	board_destroy(&b);
}

static void arm64_image(uint8_t *file, size_t size, struct arm64_header header)
{
	memset(file, 0x5a, size);
	header.magic = 0x644d5241;
	memcpy(file, &header, sizeof(header));
}

TEST(arm64_image_is_placed)
{
	static uint8_t file[0x3000];
	struct board b;

	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = 5 * MIB });
	board_boot(&b, "kernel", file, sizeof(file), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.result, 0);
	CHECK_EQ(b.m.image[0].kind, IMAGE_LINUX_ARM64);
	CHECK_EQ(b.m.image[0].gpa, RAM_BASE);
	CHECK_EQ(b.m.image[0].size, 5 * MIB);
	CHECK_EQ(b.m.entry, RAM_BASE);
	CHECK_EQ(b.m.fdt_gpa, RAM_BASE + 6 * MIB);
	CHECK_EQ(b.m.image[1].kind, IMAGE_INITRD);
	CHECK_EQ(b.m.image[1].gpa, RAM_BASE + 6 * MIB + 0x1000);
	CHECK_EQ(b.m.image[1].size, 6);
	board_destroy(&b);
}

TEST(text_offset_counts)
{
	static uint8_t file[0x1000];
	struct board b;

	arm64_image(file, sizeof(file),
		    (struct arm64_header){ .text_offset = 0x80000, .image_size = MIB });
	board_boot(&b, "kernel", file, sizeof(file), "");
	CHECK_EQ(b.result, 0);
	CHECK_EQ(b.m.entry, RAM_BASE + 0x80000);
	board_destroy(&b);
	/* behind a multiple of 2M that is RAM as well: it may be built for that place */
	arm64_image(file, sizeof(file),
		    (struct arm64_header){ .text_offset = 0x480000, .image_size = MIB });
	board_boot(&b, "kernel", file, sizeof(file), "");
	CHECK_EQ(b.result, 0);
	CHECK_EQ(b.m.entry, RAM_BASE + 0x480000);
	board_destroy(&b);
	/* before Linux 3.17: no size, and the offset is a fixed one */
	arm64_image(file, sizeof(file), (struct arm64_header){ .text_offset = 0 });
	board_boot(&b, "kernel", file, sizeof(file), "");
	CHECK_EQ(b.result, 0);
	CHECK_EQ(b.m.entry, RAM_BASE + 0x80000);
	board_destroy(&b);
}

TEST(kernel_goes_around_what_is_fixed)
{
	static uint8_t file[0x1000];
	struct board b;

	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = MIB });
	board_boot(&b, "kernel", file, sizeof(file), "fdt: {at: 0x40000000}\n");
	CHECK_EQ(b.result, 0);
	CHECK_EQ(b.m.fdt_gpa, RAM_BASE);
	CHECK_EQ(b.m.entry, RAM_BASE + 2 * MIB);
	board_destroy(&b);
}

TEST(bad_arm64_images)
{
	static uint8_t file[0x1000];

	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = MIB, .flags = 1 });
	check_refused("kernel", file, sizeof(file), "is a big-endian kernel");
	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = UINT64_MAX });
	check_refused("kernel", file, sizeof(file), "has a broken header");
	arm64_image(file, sizeof(file),
		    (struct arm64_header){ .image_size = MIB, .text_offset = UINT64_MAX - 4 });
	check_refused("kernel", file, sizeof(file), "has a broken header");
	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = 65 * MIB });
	check_refused("kernel", file, sizeof(file), "needs 0x4100000 bytes, and no RAM has");
}

TEST(every_cut_of_a_header_is_survived)
{
	uint8_t file[64];
	struct board b;

	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = MIB });
	for (size_t size = 1; size <= sizeof(file); size++) {
		board_boot(&b, "kernel", file, size, "");
		CHECK_EQ(b.result, 0);
		CHECK_EQ(b.m.image[0].kind, size == 64 ? IMAGE_LINUX_ARM64 : IMAGE_RAW);
		board_destroy(&b);
	}
}

static size_t gzip(const void *data, size_t size, uint8_t *out, size_t out_size)
{
	z_stream stream = {
		.next_in = (uint8_t *)data, .avail_in = size, .next_out = out, .avail_out = out_size,
	};

	if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&stream);
	return stream.total_out;
}

TEST(gzip_is_unpacked)
{
	static uint8_t file[0x3000], packed[0x4000];
	struct board b;
	size_t size;

	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = MIB });
	size = gzip(file, sizeof(file), packed, sizeof(packed));
	board_boot(&b, "kernel", packed, size, "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.image[0].kind, IMAGE_LINUX_ARM64);
	CHECK_EQ(b.m.image[0].data_size, sizeof(file));
	CHECK(!memcmp(b.m.image[0].data, file, sizeof(file)));
	board_destroy(&b);
	check_refused("kernel", packed, size - 9, "can't be unpacked: the gzip data is cut");
	packed[size / 2] ^= 0x55;
	check_refused("kernel", packed, size, "can't be unpacked: the gzip data is cut");
}

TEST(gzip_bomb)
{
	size_t size = 65 * MIB;
	uint8_t *zeros = calloc(size, 1), *packed = malloc(MIB);

	check_refused("kernel", packed, gzip(zeros, size, packed, MIB), "unpacks to more than");
	free(zeros);
	free(packed);
}

TEST(zboot_is_unpacked)
{
	static uint8_t file[0x1000], zboot[0x2000];
	uint32_t field = 0x200;
	struct board b;

	arm64_image(file, sizeof(file), (struct arm64_header){ .image_size = MIB });
	memcpy(zboot, "MZ\0\0zimg", 8);
	memcpy(zboot + 8, &field, 4);
	field = gzip(file, sizeof(file), zboot + 0x200, sizeof(zboot) - 0x200);
	memcpy(zboot + 12, &field, 4);
	memcpy(zboot + 24, "gzip", 5);
	board_boot(&b, "kernel", zboot, sizeof(zboot), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.image[0].kind, IMAGE_LINUX_ARM64);
	board_destroy(&b);
	check_refused("kernel", zboot, 0x100, "is an EFI zboot kernel, and cut");
	zboot[0x200] = 0;
	check_refused("kernel", zboot, sizeof(zboot), "is an EFI zboot kernel compressed by gzip, but");
}

TEST(foreign_files)
{
	uint8_t file[0x400] = { 0 };

	check_refused("kernel", file, 0, "is empty");
	memcpy(file + 0x202, "HdrS", 4);
	check_refused("kernel", file, sizeof(file), "is an x86 Linux kernel");
	memcpy(file, "\xd0\x0d\xfe\xed", 4);
	memset(file + 0x202, 0, 4);
	check_refused("kernel", file, sizeof(file), "is a device tree");
	check_refused("elf", file, sizeof(file), "is no ELF");
}

TEST(raw_starts_at_its_first_byte)
{
	uint8_t file[5] = { 1, 2, 3, 4, 5 };
	struct board b;

	board_boot(&b, "kernel", file, sizeof(file), "");
	CHECK_EQ(b.result, 0);
	CHECK_EQ(b.m.image[0].kind, IMAGE_RAW);
	CHECK_EQ(b.m.entry, RAM_BASE);
	board_destroy(&b);
}

struct elf_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	uint8_t bytes[16];
};

static struct elf_file elf_good(void)
{
	struct elf_file elf = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_version = EV_CURRENT,
			.e_entry = 0xffff000000001004, .e_phoff = offsetof(struct elf_file, segment),
			.e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
		},
		.segment = {
			{ .p_type = PT_LOAD, .p_offset = offsetof(struct elf_file, bytes),
			  .p_vaddr = 0xffff000000001000, .p_paddr = RAM_BASE + 0x1000, .p_filesz = 8,
			  .p_memsz = 0x20 },
			{ .p_type = PT_LOAD, .p_offset = offsetof(struct elf_file, bytes) + 8,
			  .p_vaddr = 0xffff000000005000, .p_paddr = RAM_BASE + 0x5000, .p_filesz = 8,
			  .p_memsz = 0x1000 },
		},
	};

	memcpy(elf.bytes, "0123456789abcdef", 16);
	return elf;
}

TEST(elf_goes_where_it_says)
{
	struct elf_file elf = elf_good();
	uint8_t *ram = calloc(64 * MIB, 1);
	struct board b;

	board_boot(&b, "elf", &elf, sizeof(elf), "");
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.image[0].gpa, RAM_BASE + 0x1000);
	CHECK_EQ(b.m.image[0].size, 0x5000);
	CHECK_EQ(b.m.entry, RAM_BASE + 0x1004);
	b.m.memory[1].hva = ram;
	CHECK_EQ(boot_load(&b.m), 0);
	CHECK(!memcmp(ram + 0x1000, "01234567", 8) && !ram[0x1008]);
	CHECK(!memcmp(ram + 0x5000, "89abcdef", 8) && !ram[0x5008]);
	CHECK(!memcmp(ram + b.m.image[1].gpa - RAM_BASE, "initrd", 7));
	CHECK(!memcmp(ram + b.m.fdt_gpa - RAM_BASE, "\xd0\x0d\xfe\xed", 4));
	board_destroy(&b);
	free(ram);
}

static uint64_t elf_fdt_gpa(const char *key, uint64_t shift, const char *options, unsigned int *reg)
{
	struct elf_file elf = elf_good();
	struct board b;
	uint64_t gpa;

	elf.segment[0].p_paddr += shift;
	elf.segment[1].p_paddr += shift;
	board_boot(&b, key, &elf, sizeof(elf), options);
	CHECK_STR(launcher_said(), "");
	if (!strcmp(key, "kernel"))	/* the rest is behind it, as ever */
		CHECK(b.m.image[1].gpa >= RAM_BASE + shift + 0x6000);
	gpa = b.m.fdt_gpa;
	*reg = b.m.fdt_reg;
	board_destroy(&b);
	return gpa;
}

/* As on QEMU's virt board, where Little Kernel looks for it. */
TEST(fdt_before_an_elf_that_leaves_room)
{
	unsigned int reg;

	CHECK_EQ(elf_fdt_gpa("kernel", 0, "", &reg), RAM_BASE);
	CHECK_EQ(reg, 0);
	CHECK_EQ(elf_fdt_gpa("elf", 16 * MIB, "", &reg), RAM_BASE);
	/* no room, or less than it takes */
	CHECK_EQ(elf_fdt_gpa("kernel", -0x1000ULL, "", &reg), RAM_BASE + 2 * MIB);
	CHECK_EQ(elf_fdt_gpa("kernel", -0xf00ULL, "", &reg), RAM_BASE + 2 * MIB);
	/* not if the config says where, nor if something else is there */
	CHECK_EQ(elf_fdt_gpa("kernel", 0, "fdt: {at: 0x40100000}\n", &reg), RAM_BASE + MIB);
	CHECK_EQ(elf_fdt_gpa("kernel", 0, "reserve: [{at: 0x40000000, size: 4K}]\n", &reg), RAM_BASE + 2 * MIB);
}

/* Run @change on a good ELF; what results is refused with @want. */
#define CHECK_ELF(want, ...) do {						\
	struct elf_file elf = elf_good();					\
										\
	__VA_ARGS__;								\
	check_refused("kernel", &elf, sizeof(elf), want);			\
} while (0)

TEST(hostile_elf)
{
	CHECK_ELF("is an ELF for another machine", elf.header.e_machine = EM_X86_64);
	CHECK_ELF("is an ELF for another machine", elf.header.e_ident[EI_CLASS] = ELFCLASS32);
	CHECK_ELF("is an ELF for another machine", elf.header.e_ident[EI_DATA] = ELFDATA2MSB);
	CHECK_ELF("is an ELF, but no program", elf.header.e_type = ET_REL);
	CHECK_ELF("is an ELF without whole program headers", elf.header.e_phnum = 65535);
	CHECK_ELF("is an ELF without whole program headers", elf.header.e_phoff = UINT64_MAX);
	CHECK_ELF("is an ELF without whole program headers", elf.header.e_phoff = sizeof(elf) - 1);
	CHECK_ELF("is an ELF without whole program headers", elf.header.e_phentsize = 1);
	CHECK_ELF("is an ELF with nothing to load", elf.header.e_phnum = 0);
	CHECK_ELF("is an ELF whose segment 1 is not all", elf.segment[1].p_offset = UINT64_MAX);
	CHECK_ELF("is an ELF whose segment 1 is not all", elf.segment[1].p_filesz = 9);
	CHECK_ELF("is an ELF whose segment 0 is not all", elf.segment[0].p_memsz = 7);
	CHECK_ELF("is an ELF whose segment 0 wraps", elf.segment[0].p_paddr = UINT64_MAX - 3);
	CHECK_ELF("is an ELF whose entry", elf.header.e_entry = 0);
}

TEST(elf_outside_memory)
{
	struct elf_file elf = elf_good();
	struct board b;

	elf.segment[1].p_paddr = 1ULL << 39;
	board_boot(&b, "kernel", &elf, sizeof(elf), "");
	CHECK(strstr(launcher_said(), "are not all in one RAM or ROM"));
	CHECK_EQ(log_error_count(), 1);
	board_destroy(&b);
}

TEST(every_cut_of_an_elf_is_survived)
{
	struct elf_file elf = elf_good();

	for (size_t size = 4; size < sizeof(elf); size++)
		check_refused("kernel", &elf, size, "is an ELF");
}

TEST(data_goes_into_rom)
{
	struct board b;
	char *data = launcher_file("boot", 4), options[128];

	snprintf(options, sizeof(options), "- {data: %s, at: 0}\n- data: %s\n", data, data);
	board_boot(&b, "kernel", "raw", 3, options);
	CHECK_STR(launcher_said(), "");
	CHECK_EQ(b.m.image[2].gpa, 0);
	CHECK_EQ(b.m.image[3].gpa, b.m.image[1].gpa + 0x1000);
	board_destroy(&b);
	unlink(data);
	free(data);
}

TEST(load_over_another)
{
	struct board b;
	char *data = launcher_file("boot", 4), options[128];

	snprintf(options, sizeof(options), "- {data: %s, at: 0x40000001}\nfdt: {at: 0x40000000}\n", data);
	board_boot(&b, "kernel", "raw", 3, options);
	CHECK_EQ(b.result, -1);
	CHECK_EQ(log_error_count(), 1);
	CHECK(strstr(launcher_said(), "t.yaml:6: fdt: 0x40000000 to"));
	CHECK(strstr(launcher_said(), "overlaps data at 0x40000001 to 0x40000004 (t.yaml:5)"));
	board_destroy(&b);
	unlink(data);
	free(data);
}

TEST(missing_file)
{
	struct node *root = launcher_config("memory: [{ram: 1M}]\nload:\n- kernel: /nonexistent/x\n"
					    "- initrd: /tmp\n");
	struct machine m;

	launcher_listen();
	machine_build(&m, root);
	CHECK_EQ(boot_prepare(&m), -1);
	machine_validate(&m);
	CHECK_STR(launcher_said(),
		  "t.yaml:3: kernel: /nonexistent/x can't be opened: No such file or directory\n"
		  "t.yaml:4: initrd: /tmp is no file\n");
	machine_fini(&m);
	node_destroy(root);
	launcher_quiet();
}
