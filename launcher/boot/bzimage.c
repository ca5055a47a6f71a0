// SPDX-License-Identifier: GPL-2.0-only
/* The x86 Linux bzImage: Documentation/arch/x86/boot.rst of Linux, 64-bit and 32-bit boot protocol. */
#include "boot/bzimage.h"

#include <inttypes.h>
#include <string.h>

#include "boot/format.h"
#include "machine/machine.h"

#define SECTOR			512
#define SETUP_SECTS_DEFAULT	4
#define HEADER_END		0x268		/* behind init_size and handover_offset */
#define MAGIC			0x53726448	/* "HdrS" */
#define VERSION_MIN		0x20a		/* where it goes and how much it takes */
#define VERSION_64		0x20c		/* xloadflags */

static size_t setup_size(const struct image *image)
{
	uint8_t sectors = image->data[BZIMAGE_SETUP_SECTS];

	return ((sectors ? sectors : SETUP_SECTS_DEFAULT) + 1) * SECTOR;
}

static bool bzimage_probe(const uint8_t *data, size_t size)
{
	return size >= BZIMAGE_MAGIC + 4 && image_le32(data, BZIMAGE_MAGIC) == MAGIC;
}

static int check_header(const struct image *image)
{
	uint16_t version = 0;

	if (image->data_size >= HEADER_END)
		version = image_le16(image->data, BZIMAGE_VERSION);
	if (version < VERSION_MIN) {
		image_error(image, "is a Linux kernel with boot protocol %u.%02u, 2.10 is the oldest "
			    "that starts without a BIOS; take Linux 2.6.31 or newer", version >> 8,
			    version & 0xff);
		return -1;
	}
	if (setup_size(image) >= image->data_size) {
		image_error(image, "is a Linux kernel, and cut in its header");
		return -1;
	}
	return 0;
}

bool bzimage_is_64(const struct image *image)
{
	return image_le16(image->data, BZIMAGE_VERSION) >= VERSION_64 &&
	       image_le16(image->data, BZIMAGE_XLOADFLAGS) & BZIMAGE_KERNEL_64;
}

static int check_place(const struct image *image)
{
	uint32_t align = image_le32(image->data, BZIMAGE_ALIGNMENT);
	bool relocatable = image->data[BZIMAGE_RELOCATABLE];
	uint64_t wanted = image_le64(image->data, BZIMAGE_PREF_ADDRESS);

	if (!relocatable && image->gpa != wanted) {
		image_error(image, "can't be moved from 0x%" PRIx64 ", leave `at` out", wanted);
		return -1;
	}
	if (align && image->gpa % align) {
		image_error(image, "can't start at 0x%" PRIx64 ", write a multiple of 0x%" PRIx32,
			    image->gpa, align);
		return -1;
	}
	return 0;
}

static int bzimage_measure(struct image *image)
{
	uint64_t code;

	if (check_header(image))
		return -1;
	code = image->data_size - setup_size(image);
	image->kind = IMAGE_LINUX_X86;
	image->size = image_le32(image->data, BZIMAGE_INIT_SIZE);
	if (image->size < code)
		image->size = code;
	if (image->gpa == MACHINE_AUTO)
		image->gpa = image_le64(image->data, BZIMAGE_PREF_ADDRESS);
	return check_place(image);
}

static void bzimage_copy(const struct image *image, uint8_t *memory)
{
	size_t setup = setup_size(image);

	memcpy(memory, image->data + setup, image->data_size - setup);
}

const struct image_format image_format_bzimage = {
	.name = "x86 Linux bzImage", .probe = bzimage_probe, .measure = bzimage_measure,
	.copy = bzimage_copy,
};
