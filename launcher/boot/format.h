/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats of images. The bytes come from anywhere: every field of a header is hostile until it
 * has been compared with the size of the file.
 */
#ifndef QVM_BOOT_FORMAT_H
#define QVM_BOOT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image;
struct machine;

/* What of a file goes where. */
struct image_part {
	uint64_t gpa, size;		/* in memory; size 0: nowhere */
	uint64_t offset, file_size;
};

struct image_format {
	const char *name;
	/* Is this file of the format, so that measure() has the last word about it? */
	bool (*probe)(const uint8_t *data, size_t size);
	/*
	 * From image->data set kind, size, align, align_offset, and gpa and entry if the file
	 * says them. 0, or -1 (said by image_error()).
	 */
	int (*measure)(struct image *image);
	/* Copy to @memory, which holds image->size bytes of zero, for the guest's image->gpa. */
	void (*copy)(const struct image *image, uint8_t *memory);
	/* In place of copy(): part @index of what was measured; false: there are no more. */
	bool (*part)(const struct image *image, unsigned int index, struct image_part *part);
};

extern const struct image_format image_format_arm64;	/* Documentation/arch/arm64/booting.rst */
extern const struct image_format image_format_bzimage;	/* Documentation/arch/x86/boot.rst */
extern const struct image_format image_format_multiboot;
extern const struct image_format image_format_elf;
extern const struct image_format image_format_foreign;	/* known, but not for this arch */
extern const struct image_format image_format_raw;	/* anything */

const struct image_format *image_format_of(const struct image *image);
/* copy() of a format that has part(): the parts that are in image->gpa … image->size. */
void image_copy_parts(const struct image *image, uint8_t *memory);
/* An image whose parts are in several memories becomes one for each: those added are "part"s. */
void image_split(struct machine *m);

/* Is there a multiboot header where a loader looks for it? */
bool multiboot_has_header(const uint8_t *data, size_t size);

/* An error about this image, by log_at(), that names its path. */
void image_error(const struct image *image, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Little-endian field at @offset, which the caller has checked to be inside. */
uint16_t image_le16(const uint8_t *data, size_t offset);
uint32_t image_le32(const uint8_t *data, size_t offset);
uint64_t image_le64(const uint8_t *data, size_t offset);

/*
 * If image->data is compressed by gzip, or is an EFI zboot image compressed by gzip, replace
 * it by what is inside, at most @limit bytes. 0 (also if it is neither), or -1 (said by
 * image_error()).
 */
int image_unpack(struct image *image, uint64_t limit);

/*
 * Give each image without an address, and the FDT, the first free place in RAM: kernels before
 * the FDT, the FDT before the rest; but if an ELF kernel leaves room at the start of RAM, the FDT
 * is there. Errors are said by log_at(). Images of size 0 stay out.
 */
void boot_place(struct machine *m);

#endif
