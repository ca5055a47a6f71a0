/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Offsets in the first sectors of a bzImage and, but for the first, in the zero page, where its
 * header goes: Documentation/arch/x86/boot.rst and zero-page.rst of Linux.
 */
#ifndef QVM_BOOT_BZIMAGE_H
#define QVM_BOOT_BZIMAGE_H

#include <stdbool.h>

enum {
	BZIMAGE_HEADER_LENGTH	= 0x201,	/* the header ends this far behind 0x202 */

	ZERO_PAGE_RSDP		= 0x070,
	ZERO_PAGE_EXT_RAMDISK	= 0x0c0,	/* high halves: image, size, command line */
	ZERO_PAGE_EXT_SIZE	= 0x0c4,
	ZERO_PAGE_EXT_CMDLINE	= 0x0c8,
	ZERO_PAGE_E820_COUNT	= 0x1e8,
	BZIMAGE_SETUP_SECTS	= 0x1f1,	/* the header begins */
	BZIMAGE_MAGIC		= 0x202,
	BZIMAGE_VERSION		= 0x206,
	BZIMAGE_LOADER		= 0x210,
	BZIMAGE_LOADFLAGS	= 0x211,
	BZIMAGE_RAMDISK		= 0x218,
	BZIMAGE_RAMDISK_SIZE	= 0x21c,
	BZIMAGE_CMDLINE		= 0x228,
	BZIMAGE_INITRD_MAX	= 0x22c,
	BZIMAGE_ALIGNMENT	= 0x230,
	BZIMAGE_RELOCATABLE	= 0x234,
	BZIMAGE_XLOADFLAGS	= 0x236,
	BZIMAGE_CMDLINE_SIZE	= 0x238,
	BZIMAGE_PREF_ADDRESS	= 0x258,
	BZIMAGE_INIT_SIZE	= 0x260,
	BZIMAGE_HEADER_MAX	= 0x290,	/* the zero page has something else from here on */
	ZERO_PAGE_E820		= 0x2d0,
};

#define BZIMAGE_KERNEL_64	(1 << 0)	/* XLOADFLAGS */
#define BZIMAGE_ABOVE_4G	(1 << 1)
#define BZIMAGE_LOADED_HIGH	(1 << 0)	/* LOADFLAGS */
#define BZIMAGE_LOADER_OTHER	0xff		/* a loader without a number */
#define BZIMAGE_ENTRY_64	0x200		/* behind the start of the code; in 32 bits at it */

struct image;

/* Has this kernel, which was measured, an entry in long mode? Else it starts in 32 bits. */
bool bzimage_is_64(const struct image *image);

#endif
