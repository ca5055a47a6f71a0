// SPDX-License-Identifier: GPL-2.0-only
/* Images of several parts, which need not all be in the same RAM or ROM. */
#include <string.h>

#include "boot/format.h"
#include "machine/machine.h"
#include "util/alloc.h"

void image_copy_parts(const struct image *image, uint8_t *memory)
{
	const struct image_format *format = image_format_of(image);
	uint64_t end = image->gpa + image->size;
	struct image_part part;

	for (unsigned int i = 0; format->part(image, i, &part); i++)
		if (part.size && part.gpa >= image->gpa && part.gpa < end)
			memcpy(memory + (part.gpa - image->gpa), image->data + part.offset,
			       part.file_size);
}

/* Of what begins at @image->gpa or behind: the end of that below @limit, where the rest begins. */
static void find_gap(const struct image *image, uint64_t limit, uint64_t *end, uint64_t *rest)
{
	const struct image_format *format = image_format_of(image);
	struct image_part part;

	*end = image->gpa;
	*rest = UINT64_MAX;
	for (unsigned int i = 0; format->part(image, i, &part); i++) {
		if (!part.size || part.gpa < image->gpa)
			continue;
		if (part.gpa >= limit)
			*rest = part.gpa < *rest ? part.gpa : *rest;
		else if (part.gpa + part.size > *end)
			*end = part.gpa + part.size;
	}
}

/* What is in the first memory stays in image @index, the rest becomes the last image. */
static void split(struct machine *m, size_t index)
{
	struct image *image = &m->image[index], *other;
	const struct memory *memory = machine_find_memory(m, image->gpa, 1);
	uint64_t limit, end, rest;

	if (!image->size || !image_format_of(image)->part || !memory)
		return;
	limit = memory->gpa + memory->size;
	find_gap(image, limit, &end, &rest);
	if (image->gpa + image->size <= limit || rest == UINT64_MAX || end > limit)
		return;
	m->image = xreallocarray(m->image, m->image_count + 1, sizeof(*m->image));
	image = &m->image[index];
	other = &m->image[m->image_count++];
	*other = *image;
	other->key = "part";
	other->path = xstrdup(image->path);
	other->data = xcalloc(image->data_size, 1);
	memcpy(other->data, image->data, image->data_size);
	other->gpa = rest;
	other->size = image->gpa + image->size - rest;
	image->size = end - image->gpa;
}

void image_split(struct machine *m)
{
	for (size_t i = 0; i < m->image_count; i++)
		split(m, i);
}
