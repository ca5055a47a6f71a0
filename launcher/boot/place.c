// SPDX-License-Identifier: GPL-2.0-only
/* Where images go that the config gives no address. */
#include <inttypes.h>
#include <string.h>

#include "boot/format.h"
#include "machine/board.h"
#include "machine/machine.h"

#define PAGE		4096
#define FDT_ALIGN	0x200000	/* so that a kernel can map it by one block */

struct request {
	uint64_t size, align, align_offset;
	uint64_t after;		/* not below this gpa */
};

/*
 * align_offset bytes behind the first aligned address ≥ @gpa, UINT64_MAX if there is none. That
 * address is in RAM too: an image may be built for the place that text_offset gives it there.
 */
static uint64_t align_up(uint64_t gpa, const struct request *request)
{
	uint64_t align = request->align ? request->align : PAGE, base;

	if (__builtin_add_overflow(gpa, align - 1, &base))
		return UINT64_MAX;
	base -= base % align;
	return __builtin_add_overflow(base, request->align_offset, &base) ? UINT64_MAX : base;
}

/* The end of an image that is in the way of @size bytes at @gpa, or 0. */
static uint64_t blocked_until(const struct machine *m, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->image_count; i++) {
		const struct image *image = &m->image[i];

		if (image->size && machine_find_memory(m, image->gpa, image->size) &&
		    gpa < image->gpa + image->size && image->gpa < gpa + size)
			return image->gpa + image->size;
	}
	if (machine_find_memory(m, m->fdt_gpa, m->fdt_size) &&
	    gpa < m->fdt_gpa + m->fdt_size && m->fdt_gpa < gpa + size)
		return m->fdt_gpa + m->fdt_size;
	return machine_reserved_until(m, gpa, size);
}

/* Lowest fitting address inside one RAM, or MACHINE_AUTO. */
static uint64_t place_in(const struct machine *m, const struct memory *memory,
			 const struct request *request)
{
	uint64_t end = memory->gpa + memory->size, gpa, blocked;

	gpa = memory->gpa > request->after ? memory->gpa : request->after;
	gpa = gpa > m->board->image_low ? gpa : m->board->image_low;
	for (;;) {
		gpa = align_up(gpa, request);
		if (gpa >= end || request->size > end - gpa)
			return MACHINE_AUTO;
		blocked = blocked_until(m, gpa, request->size);
		if (!blocked)
			return gpa;
		if (blocked <= gpa)
			return MACHINE_AUTO;	/* wrapped: the validate pass says what is wrong */
		gpa = blocked;
	}
}

static uint64_t place(const struct machine *m, const struct request *request)
{
	uint64_t lowest = MACHINE_AUTO;

	for (size_t i = 0; i < m->memory_count; i++) {
		uint64_t gpa;

		if (m->memory[i].kind != MEMORY_RAM)
			continue;
		gpa = place_in(m, &m->memory[i], request);
		if (gpa < lowest)
			lowest = gpa;
	}
	return lowest;
}

/* Behind @after if that is possible, else anywhere. */
static uint64_t place_after(const struct machine *m, struct request request)
{
	uint64_t gpa = place(m, &request);

	request.after = 0;
	return gpa != MACHINE_AUTO ? gpa : place(m, &request);
}

static bool is_kernel(const struct image *image)
{
	return !strcmp(image->key, "kernel");
}

static void place_image(const struct machine *m, struct image *image, uint64_t after)
{
	struct request request = { image->size, image->align, image->align_offset, after };

	if (image->gpa != MACHINE_AUTO || !image->size)
		return;
	image->gpa = place_after(m, request);
	if (image->gpa != MACHINE_AUTO)
		return;
	if (!m->memory_incomplete && m->memory_count)
		image_error(image, "needs 0x%" PRIx64 " bytes, and no RAM has that much free; "
			    "give more by `ram`", image->size);
	image->size = 0;	/* out of every check */
}

/*
 * An ELF says where it goes. One that leaves room for the FDT at the start of its RAM may be built for
 * boards that have it there (Little Kernel), and does not look at the register. The first that
 * can be started counts; MACHINE_AUTO if it is none such.
 */
static uint64_t fdt_before_elf(const struct machine *m)
{
	const struct image *image = m->image, *end = image + m->image_count;

	while (image < end && !(image->size && (is_kernel(image) || !strcmp(image->key, "elf"))))
		image++;
	if (image == end || image->kind != IMAGE_ELF)
		return MACHINE_AUTO;
	for (size_t i = 0; i < m->memory_count; i++) {
		const struct memory *memory = &m->memory[i];

		if (memory->kind == MEMORY_RAM && image->gpa >= memory->gpa &&
		    image->gpa - memory->gpa < memory->size && m->fdt_size <= memory->size &&
		    !blocked_until(m, memory->gpa, m->fdt_size))
			return memory->gpa;
	}
	return MACHINE_AUTO;
}

static void place_fdt(struct machine *m, uint64_t after)
{
	struct request request = { m->fdt_size, FDT_ALIGN, 0, after };

	if (!m->fdt_wanted || m->fdt_gpa != MACHINE_AUTO)
		return;
	m->fdt_gpa = fdt_before_elf(m);
	if (m->fdt_gpa == MACHINE_AUTO)
		m->fdt_gpa = place_after(m, request);
	if (m->fdt_gpa == MACHINE_AUTO) {
		request.align = PAGE;	/* a small board, not for Linux */
		m->fdt_gpa = place_after(m, request);
	}
	if (m->fdt_gpa == MACHINE_AUTO && !m->memory_incomplete && m->memory_count)
		log_at(&m->fdt_origin, "fdt", "needs 0x%" PRIx64 " bytes, and no RAM has that much "
		       "free; give more by `ram`", m->fdt_size);
}

void boot_place(struct machine *m)
{
	uint64_t kernel_end = 0, fdt_end;

	for (size_t i = 0; i < m->image_count; i++)
		if (is_kernel(&m->image[i]))
			place_image(m, &m->image[i], 0);
	for (size_t i = 0; i < m->image_count; i++)
		if (is_kernel(&m->image[i]) && m->image[i].gpa != MACHINE_AUTO)
			kernel_end = m->image[i].gpa + m->image[i].size;
	place_fdt(m, kernel_end);
	fdt_end = m->fdt_gpa != MACHINE_AUTO ? m->fdt_gpa + m->fdt_size : kernel_end;
	fdt_end = fdt_end > kernel_end ? fdt_end : kernel_end;
	for (size_t i = 0; i < m->image_count; i++)
		place_image(m, &m->image[i], fdt_end);
}
