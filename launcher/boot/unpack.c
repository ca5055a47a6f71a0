// SPDX-License-Identifier: GPL-2.0-only
/* Compressed kernels: gzip, and Linux's EFI zboot around it. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "boot/format.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define GZIP_WINDOW	(15 + 16)	/* zlib: largest window, gzip header */
#define CHUNK		0x400000

/* drivers/firmware/efi/libstub/zboot-header.S of Linux */
#define ZBOOT_MAGIC	4
#define ZBOOT_OFFSET	8
#define ZBOOT_SIZE	12
#define ZBOOT_TYPE	24
#define ZBOOT_HEADER	56

struct span {
	const uint8_t *data;
	size_t size;
};

static bool is_gzip(struct span span)
{
	return span.size >= 18 && span.data[0] == 0x1f && span.data[1] == 0x8b;
}

/* Inflate until the end, an error, or more than @limit bytes; zlib's status. */
static int inflate_all(z_stream *stream, uint8_t **out, size_t *size, uint64_t limit)
{
	int status = Z_OK;

	*out = NULL;
	*size = 0;
	while (status == Z_OK && *size <= limit) {
		*out = xreallocarray(*out, *size + CHUNK, 1);
		stream->next_out = *out + *size;
		stream->avail_out = CHUNK;
		status = inflate(stream, Z_NO_FLUSH);
		*size += CHUNK - stream->avail_out;
	}
	return status;
}

static int unpack_gzip(struct image *image, struct span packed, uint64_t limit)
{
	z_stream stream = { .next_in = (uint8_t *)packed.data, .avail_in = packed.size };
	uint8_t *out;
	size_t size;
	int status;

	if (packed.size > UINT32_MAX || inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
		image_error(image, "can't be unpacked: too large, or out of memory");
		return -1;
	}
	status = inflate_all(&stream, &out, &size, limit);
	inflateEnd(&stream);
	if (size > limit) {
		image_error(image, "unpacks to more than the guest's RAM, give it more");
	} else if (status != Z_STREAM_END) {
		image_error(image, "can't be unpacked: the gzip data is cut or broken");
	} else {
		free(image->data);
		image->data = out;
		image->data_size = size;
		return 0;
	}
	free(out);
	return -1;
}

static bool is_zboot(struct span span)
{
	return span.size >= ZBOOT_HEADER && !memcmp(span.data, "MZ", 2) &&
	       !memcmp(span.data + ZBOOT_MAGIC, "zimg", 4);
}

static int zboot_payload(const struct image *image, struct span *span)
{
	uint64_t offset = image_le32(span->data, ZBOOT_OFFSET);
	uint64_t size = image_le32(span->data, ZBOOT_SIZE);
	const char *type = (const char *)span->data + ZBOOT_TYPE;

	if (offset > span->size || size > span->size - offset) {
		image_error(image, "is an EFI zboot kernel, and cut");
		return -1;
	}
	span->data += offset;
	span->size = size;
	if (!is_gzip(*span)) {
		image_error(image, "is an EFI zboot kernel compressed by %.16s, but gzip is what can "
			    "be unpacked; give the Image itself", type);
		return -1;
	}
	return 0;
}

int image_unpack(struct image *image, uint64_t limit)
{
	struct span span = { image->data, image->data_size };

	if (is_zboot(span) && zboot_payload(image, &span))
		return -1;
	return is_gzip(span) ? unpack_gzip(image, span, limit) : 0;
}
