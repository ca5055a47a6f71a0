// SPDX-License-Identifier: GPL-2.0-only
/* The arm64 Linux Image: Documentation/arch/arm64/booting.rst of Linux, section 4. */
#include <inttypes.h>
#include <string.h>

#include "boot/format.h"
#include "machine/machine.h"

#define HEADER_SIZE		64
#define HEADER_TEXT_OFFSET	8
#define HEADER_IMAGE_SIZE	16
#define HEADER_FLAGS		24
#define HEADER_MAGIC		56

#define IMAGE_MAGIC		0x644d5241	/* "ARM\x64" */
#define IMAGE_F_BIG_ENDIAN	(1 << 0)
#define IMAGE_F_PAGE(flags)	((flags) >> 1 & 3)	/* 0: unspecified; 4, 16, 64 KiB */
#define IMAGE_ALIGN		0x200000
#define IMAGE_OLD_TEXT_OFFSET	0x80000		/* if image_size is 0: before Linux 3.17 */
#define IMAGE_OLD_BSS		0x400000	/* nobody says how much: a guess on the safe side */

static bool arm64_probe(const uint8_t *data, size_t size)
{
	return size >= HEADER_SIZE && image_le32(data, HEADER_MAGIC) == IMAGE_MAGIC;
}

static int arm64_measure(struct image *image)
{
	static const unsigned int pages[] = { 0, 4, 16, 64 };
	uint64_t offset = image_le64(image->data, HEADER_TEXT_OFFSET);
	uint64_t size = image_le64(image->data, HEADER_IMAGE_SIZE);
	uint64_t flags = image_le64(image->data, HEADER_FLAGS);

	if (flags & IMAGE_F_BIG_ENDIAN) {
		image_error(image, "is a big-endian kernel, this VM starts little-endian ones");
		return -1;
	}
	if (!size) {
		offset = IMAGE_OLD_TEXT_OFFSET;
		size = image->data_size + IMAGE_OLD_BSS;
	}
	if (size > 1ULL << 32 || offset > 1ULL << 32) {
		image_error(image, "has a broken header: size 0x%" PRIx64 ", text offset 0x%" PRIx64,
			    size, offset);
		return -1;
	}
	image->kind = IMAGE_LINUX_ARM64;
	image->page_kib = pages[IMAGE_F_PAGE(flags)];
	/* A signature may be appended to the file behind what the kernel counts as its own. */
	image->size = size > image->data_size ? size : image->data_size;
	image->align = IMAGE_ALIGN;
	image->align_offset = offset;
	if (image->gpa != MACHINE_AUTO && image->gpa % IMAGE_ALIGN != offset % IMAGE_ALIGN) {
		image_error(image, "can't start at 0x%" PRIx64 ", write 0x%" PRIx64 " or another "
			    "address that many bytes behind a multiple of 2M", image->gpa,
			    image->gpa / IMAGE_ALIGN * IMAGE_ALIGN + offset % IMAGE_ALIGN);
		return -1;
	}
	return 0;
}

static void arm64_copy(const struct image *image, uint8_t *memory)
{
	memcpy(memory, image->data, image->data_size);
}

const struct image_format image_format_arm64 = {
	.name = "arm64 Linux Image", .probe = arm64_probe, .measure = arm64_measure,
	.copy = arm64_copy,
};
