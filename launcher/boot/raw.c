// SPDX-License-Identifier: GPL-2.0-only
/* Bytes as they are, and files that must not be taken for that. */
#include <string.h>

#include "boot/format.h"
#include "machine/machine.h"

#define PAGE			4096
#define BZIMAGE_MAGIC		0x202	/* Documentation/arch/x86/boot.rst of Linux */
#define ARM64_HEADER		64
#define ARM64_MAGIC		0x38	/* Documentation/arch/arm64/booting.rst */
#define RISCV_MAGIC		0x38	/* Documentation/arch/riscv/boot-image-header.rst: magic2 */
#define FDT_MAGIC		"\xd0\x0d\xfe\xed"

static bool has_bytes(const uint8_t *data, size_t size, size_t offset, const char *bytes)
{
	return size >= offset + 4 && !memcmp(data + offset, bytes, 4);
}

static const char *foreign_name(const uint8_t *data, size_t size)
{
	if (has_bytes(data, size, BZIMAGE_MAGIC, "HdrS"))
		return "an x86 Linux kernel";
	if (size >= ARM64_HEADER && has_bytes(data, size, ARM64_MAGIC, "ARM\x64"))
		return "an arm64 Linux kernel";
	if (has_bytes(data, size, RISCV_MAGIC, "RSC\x05"))
		return "a RISC-V Linux kernel";
	if (has_bytes(data, size, 0, FDT_MAGIC))
		return "a device tree";
	if (size >= 6 && !memcmp(data, "\xfd" "7zXZ", 6))
		return "compressed by xz";
	if (has_bytes(data, size, 0, "\x28\xb5\x2f\xfd"))
		return "compressed by zstd";
	return NULL;
}

static bool foreign_probe(const uint8_t *data, size_t size)
{
	return foreign_name(data, size);
}

static int foreign_measure(struct image *image)
{
	image_error(image, "is %s, give %s, an ELF or a raw image",
		    foreign_name(image->data, image->data_size), image->arch == MACHINE_X86 ?
		    "an x86 Linux bzImage" : "an arm64 Linux Image (plain or gzip)");
	return -1;
}

static bool raw_probe(const uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
	return true;
}

static int raw_measure(struct image *image)
{
	image->kind = IMAGE_RAW;
	image->size = image->data_size;
	image->align = PAGE;
	return 0;
}

static void raw_copy(const struct image *image, uint8_t *memory)
{
	memcpy(memory, image->data, image->data_size);
}

const struct image_format image_format_foreign = {
	.name = "foreign", .probe = foreign_probe, .measure = foreign_measure, .copy = raw_copy,
};

const struct image_format image_format_raw = {
	.name = "raw", .probe = raw_probe, .measure = raw_measure, .copy = raw_copy,
};
