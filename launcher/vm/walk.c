// SPDX-License-Identifier: GPL-2.0-only
#include "vm/walk.h"

#include <stdbool.h>

#define ENTRIES_MAX	(16u << 20)	/* read in all: tables may contain themselves */

struct state {
	const struct walk *walk;
	struct core_segment *segments;
	size_t count, max;
	size_t budget;
};

/* Arm ARM D8.3: bit 0 valid; bit 1 a table, and at the last level a page. */
static enum walk_entry entry_arm64(uint64_t entry, unsigned int level)
{
	if (!(entry & 1) || (!level && !(entry & 2)))
		return WALK_NOTHING;
	return level && entry & 2 ? WALK_TABLE : WALK_LEAF;
}

/* SDM vol. 3 4.5: bit 0 present; bit 7 a large page, at the levels of 2 MiB and 1 GiB. */
static enum walk_entry entry_x86(uint64_t entry, unsigned int level)
{
	if (!(entry & 1))
		return WALK_NOTHING;
	return !level || (level <= 2 && entry & 1 << 7) ? WALK_LEAF : WALK_TABLE;
}

const struct walk_format walk_arm64 = { entry_arm64, 0x0000fffffffff000 };
const struct walk_format walk_x86 = { entry_x86, 0x000ffffffffff000 };

static void add(struct state *s, uint64_t gva, uint64_t gpa, uint64_t size)
{
	struct core_segment *last = s->count ? &s->segments[s->count - 1] : NULL;

	/* Devices, and what is half in memory. */
	if (!s->walk->memory(s->walk->arg, gpa, size))
		return;
	/* Joined only if it is memory as a whole: two RAMs may touch, in the file they do not. */
	if (last && last->gva + last->size == gva && last->gpa + last->size == gpa &&
	    s->walk->memory(s->walk->arg, last->gpa, last->size + size))
		last->size += size;
	else if (s->count < s->max)
		s->segments[s->count++] = (struct core_segment){ gva, gpa, size };
}

static unsigned int level_shift(const struct walk *walk, unsigned int level)
{
	return walk->page_shift + level * (walk->page_shift - 3);
}

static void visit(struct state *s, uint64_t table, unsigned int level, uint64_t base)
{
	const struct walk *walk = s->walk;
	unsigned int shift = level_shift(walk, level), bits = walk->page_shift - 3;
	uint64_t size = 1ull << shift;
	const uint64_t *entries;
	size_t count;

	if (shift + bits > walk->bits)
		bits = walk->bits - shift;	/* the top table may be a part of one */
	count = (size_t)1 << bits;
	entries = walk->memory(walk->arg, table, count * sizeof(*entries));
	for (size_t i = 0; entries && i < count && s->budget; i++) {
		uint64_t address = entries[i] & walk->format->address_mask & ~((1ull << walk->page_shift) - 1);
		uint64_t gva = base + i * size;
		enum walk_entry kind = walk->format->entry(entries[i], level);

		s->budget--;
		if (kind == WALK_NOTHING || gva + size - 1 < walk->from)
			continue;
		if (kind == WALK_TABLE)
			visit(s, address, level - 1, gva);
		else
			add(s, gva, address & ~(size - 1), size);
	}
}

size_t walk_tables(const struct walk *walk, struct core_segment *segments, size_t max)
{
	struct state s = { walk, segments, 0, max, ENTRIES_MAX };
	unsigned int level = 0;

	while (level_shift(walk, level + 1) < walk->bits)
		level++;
	visit(&s, walk->root, level, walk->base);
	return s.count;
}
