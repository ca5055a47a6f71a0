// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multiboot 0.6.96 (version 1): 32-bit ELF programs, and files whose header says where they go.
 */
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "boot/format.h"
#include "machine/machine.h"

#define SEARCH		8192		/* the header is in the first bytes, on a multiple of 4 */
#define MAGIC		0x1badb002
#define HEADER_SIZE	12
#define ADDRESSES_SIZE	32		/* of a header with addresses */
#define NOT_FOUND	SIZE_MAX

enum { HEADER_MAGIC = 0, HEADER_FLAGS = 4, HEADER_CHECKSUM = 8, HEADER_ADDRESS = 12,
       HEADER_LOAD = 16, HEADER_LOAD_END = 20, HEADER_BSS_END = 24, HEADER_ENTRY = 28 };

#define FLAGS_UNKNOWN	0xfff8		/* what a loader must know; 0 … 2 can be left undone */
#define FLAG_ADDRESSES	(1 << 16)

static size_t find_header(const uint8_t *data, size_t size)
{
	size_t end = size < SEARCH ? size : SEARCH;

	for (size_t at = 0; at + HEADER_SIZE <= end; at += 4) {
		if (image_le32(data, at) == MAGIC &&
		    !(uint32_t)(MAGIC + image_le32(data, at + HEADER_FLAGS) +
				image_le32(data, at + HEADER_CHECKSUM)))
			return at;
	}
	return NOT_FOUND;
}

static bool is_elf32(const uint8_t *data, size_t size)
{
	return size >= sizeof(Elf32_Ehdr) && !memcmp(data, ELFMAG, SELFMAG) &&
	       data[EI_CLASS] == ELFCLASS32;
}

bool multiboot_has_header(const uint8_t *data, size_t size)
{
	return find_header(data, size) != NOT_FOUND;
}

/* A 64-bit ELF is started in a better way, if it has one; it is the ELF loader's in any case. */
static bool multiboot_probe(const uint8_t *data, size_t size)
{
	size_t header = find_header(data, size);

	if (header == NOT_FOUND)
		return false;
	return is_elf32(data, size) || image_le32(data, header + HEADER_FLAGS) & FLAG_ADDRESSES;
}

/* By the addresses of the header: one part. load_end 0: all of the file, bss_end 0: no bss. */
static bool address_part(const struct image *image, size_t header, struct image_part *part)
{
	const uint8_t *data = image->data + header;
	uint64_t before = image_le32(data, HEADER_ADDRESS) - (uint64_t)image_le32(data, HEADER_LOAD);
	uint64_t load = image_le32(data, HEADER_LOAD);
	uint64_t load_end = image_le32(data, HEADER_LOAD_END);
	uint64_t bss_end = image_le32(data, HEADER_BSS_END);

	part->gpa = load;
	part->offset = header - before;
	part->file_size = load_end ? load_end - load : image->data_size - part->offset;
	part->size = bss_end > load + part->file_size ? bss_end - load : part->file_size;
	return true;
}

static bool has_addresses(const struct image *image, size_t header)
{
	return image_le32(image->data, header + HEADER_FLAGS) & FLAG_ADDRESSES;
}

static bool multiboot_part(const struct image *image, unsigned int index, struct image_part *part)
{
	size_t header = find_header(image->data, image->data_size);

	if (has_addresses(image, header))
		return !index && address_part(image, header, part);
	return image_format_elf.part(image, index, part);
}

static int check_header(const struct image *image, size_t header)
{
	uint32_t flags = image_le32(image->data, header + HEADER_FLAGS);

	if (image->gpa != MACHINE_AUTO) {
		image_error(image, "is a multiboot kernel, which says itself where it goes; leave `at` "
			    "out");
		return -1;
	}
	if (flags & FLAGS_UNKNOWN) {
		image_error(image, "is a multiboot kernel that asks for what this loader doesn't know, "
			    "flags 0x%" PRIx32, flags & FLAGS_UNKNOWN);
		return -1;
	}
	if (flags & FLAG_ADDRESSES && image->data_size < header + ADDRESSES_SIZE) {
		image_error(image, "is a multiboot kernel, and cut in its header");
		return -1;
	}
	return 0;
}

static int measure_addresses(struct image *image, size_t header)
{
	struct image_part part;

	address_part(image, header, &part);
	image->entry = image_le32(image->data, header + HEADER_ENTRY);
	image->gpa = part.gpa;
	image->size = part.size;
	if (part.file_size > part.size || part.offset > image->data_size ||
	    part.file_size > image->data_size - part.offset) {
		image_error(image, "is a multiboot kernel that is not all in the file");
		return -1;
	}
	if (part.size > UINT32_MAX || part.gpa + part.size > 1ULL << 32) {
		image_error(image, "is a multiboot kernel that ends beyond 4G");
		return -1;
	}
	if (image->entry < part.gpa || image->entry >= part.gpa + part.size) {
		image_error(image, "is a multiboot kernel whose entry 0x%" PRIx64 " is not in it",
			    image->entry);
		return -1;
	}
	return 0;
}

static int multiboot_measure(struct image *image)
{
	size_t header = find_header(image->data, image->data_size);
	int ret = check_header(image, header);

	if (!ret)
		ret = has_addresses(image, header) ? measure_addresses(image, header) :
						     image_format_elf.measure(image);
	image->kind = IMAGE_MULTIBOOT;
	return ret;
}

const struct image_format image_format_multiboot = {
	.name = "multiboot", .probe = multiboot_probe, .measure = multiboot_measure,
	.part = multiboot_part,
};
