// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 tables: s2_walk() goes down every entry of a range once, each operation is a
 * visitor of it. How entries look is in s2pte.h of the architecture.
 *
 * Walkers in hardware run while this does. What they may see:
 *	map	invalid -> table (zeroed before it is linked), invalid -> leaf
 *	split	leaf -> invalid, flush, -> table (filled before it is linked)
 *	unmap	leaf -> invalid, empty table -> invalid, flush, then tables are freed
 *	protect	leaf -> leaf of the same output, size and memory type, flush
 * Nothing else, so every change of shape is break-before-make.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <asm/barrier.h>

#include "pgtable.h"
#include "s2pte.h"

#define S2_TABLE_ENTRIES	(1U << S2_TABLE_SHIFT)
#define S2_PAGE_SIZE		BIT_ULL(S2_PAGE_SHIFT)
#define S2_PERMISSIONS		(S2_READ | S2_WRITE | S2_EXEC)

static_assert(sizeof(s2pte_t) == 8);
static_assert(S2_TABLE_ENTRIES * sizeof(s2pte_t) == S2_PAGE_SIZE);
static_assert(S2_LEVEL_SHIFT(S2_LAST_LEVEL) == S2_PAGE_SHIFT);
static_assert(S2_LEVEL_SHIFT(0) - S2_LEVEL_SHIFT(1) == S2_TABLE_SHIFT);
static_assert(S2_LEVEL_SHIFT(S2_LAST_LEVEL - 1) - S2_PAGE_SHIFT == S2_TABLE_SHIFT);
static_assert(S2_LEVEL_SHIFT(0) + S2_TABLE_SHIFT < 64);	/* the end of the last entry fits u64 */
static_assert(S2_BLOCK_SIZES & S2_PAGE_SIZE);

/* The part of one entry's range that a walk covers. */
struct s2_entry {
	s2pte_t *ptep;
	unsigned int level;
	u64 gpa, end;
};

struct s2_walk {
	const struct s2_table *s2;
	/* Each entry, before the table that it leads to after the visit. Non-zero stops. */
	int (*visit)(struct s2_walk *walk, const struct s2_entry *entry);
	/* Optional: each table entry, after all below it. */
	void (*leave)(struct s2_walk *walk, const struct s2_entry *entry);
	void *arg;
};

static u64 level_size(unsigned int level)
{
	return BIT_ULL(S2_LEVEL_SHIFT(level));
}

/* The root's index has as many bits as are left: that is what concatenation means. */
static unsigned int level_index(const struct s2_table *s2, unsigned int level, u64 gpa)
{
	u64 index = gpa >> S2_LEVEL_SHIFT(level);

	return level == s2->root_level ? index : index & (S2_TABLE_ENTRIES - 1);
}

static s2pte_t entry_read(const struct s2_entry *entry)
{
	return READ_ONCE(*entry->ptep);
}

static void entry_write(const struct s2_entry *entry, s2pte_t pte)
{
	WRITE_ONCE(*entry->ptep, pte);
}

static bool entry_is_leaf(const struct s2_entry *entry)
{
	return s2pte_is_leaf(entry_read(entry), entry->level);
}

static bool entry_is_table(const struct s2_entry *entry)
{
	return s2pte_is_table(entry_read(entry), entry->level);
}

static bool entry_is_whole(const struct s2_entry *entry)
{
	return entry->end - entry->gpa == level_size(entry->level);
}

static u64 entry_base(const struct s2_entry *entry)
{
	return entry->gpa & ~(level_size(entry->level) - 1);
}

static s2pte_t *entry_table(const struct s2_table *s2, const struct s2_entry *entry)
{
	return s2->ops->hpa_to_virt(s2pte_hpa(entry_read(entry), entry->level));
}

static int walk_table(struct s2_walk *walk, s2pte_t *table, unsigned int level, u64 gpa, u64 end)
{
	struct s2_entry entry = { .level = level };
	int ret;

	for (; gpa < end; gpa = entry.end) {
		entry.ptep = table + level_index(walk->s2, level, gpa);
		entry.gpa = gpa;
		entry.end = min(end, entry_base(&entry) + level_size(level));
		ret = walk->visit(walk, &entry);
		if (ret)
			return ret;
		if (!entry_is_table(&entry))
			continue;
		ret = walk_table(walk, entry_table(walk->s2, &entry), level + 1, gpa, entry.end);
		if (ret)
			return ret;
		if (walk->leave)
			walk->leave(walk, &entry);
	}
	return 0;
}

/* [gpa, end) lies in the table's address space. */
static int s2_walk(struct s2_walk *walk, u64 gpa, u64 end)
{
	return walk_table(walk, walk->s2->root, walk->s2->root_level, gpa, end);
}

static int range_check(const struct s2_table *s2, u64 gpa, u64 size)
{
	u64 limit = BIT_ULL(s2->ipa_bits);

	if (!size || (gpa | size) & (S2_PAGE_SIZE - 1))
		return -EINVAL;
	if (gpa >= limit || size > limit - gpa)
		return -ERANGE;
	return 0;
}

/* ---- tables ---- */

static void *table_alloc(struct s2_table *s2, unsigned int order)
{
	void *table = s2->ops->alloc(s2, order);

	if (table)
		s2->table_pages += 1UL << order;
	return table;
}

static void table_free(struct s2_table *s2, void *table, unsigned int order)
{
	s2->table_pages -= 1UL << order;
	s2->ops->free(s2, table, order);
}

static void table_link(struct s2_table *s2, const struct s2_entry *entry, s2pte_t *table)
{
	/* A walker that sees the link sees what is in the table. */
	smp_wmb();
	entry_write(entry, s2pte_make_table(s2->ops->virt_to_hpa(table), entry->level));
}

static bool table_is_empty(const s2pte_t *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < S2_TABLE_ENTRIES; i++) {
		if (s2pte_is_valid(READ_ONCE(table[i]), level))
			return false;
	}
	return true;
}

/* What a VM may use of the format's sizes: from the page up without a gap, so that blocks split. */
static int block_sizes_check(u64 block_sizes)
{
	u64 missing = S2_BLOCK_SIZES & ~block_sizes;

	if (missing & S2_PAGE_SIZE)
		return -EINVAL;
	if (missing && (S2_BLOCK_SIZES & block_sizes) > (missing & -missing))
		return -EINVAL;
	return 0;
}

int s2_init(struct s2_table *s2, const struct s2_ops *ops, unsigned int ipa_bits, u64 block_sizes)
{
	int ret;

	*s2 = (struct s2_table){ .ops = ops, .ipa_bits = ipa_bits };
	ret = s2_root_geometry(ipa_bits, &s2->root_level, &s2->root_order) ?:
	      block_sizes_check(block_sizes);
	if (ret)
		return ret;
	s2->block_sizes = block_sizes & S2_BLOCK_SIZES;
	s2->root = table_alloc(s2, s2->root_order);
	return s2->root ? 0 : -ENOMEM;
}

static int visit_nothing(struct s2_walk *walk, const struct s2_entry *entry)
{
	return 0;
}

static void leave_free(struct s2_walk *walk, const struct s2_entry *entry)
{
	table_free(walk->arg, entry_table(walk->s2, entry), 0);
}

void s2_destroy(struct s2_table *s2)
{
	struct s2_walk walk = {
		.s2 = s2, .visit = visit_nothing, .leave = leave_free, .arg = s2,
	};

	if (!s2->root)
		return;
	s2_walk(&walk, 0, BIT_ULL(s2->ipa_bits));
	table_free(s2, s2->root, s2->root_order);
	s2->root = NULL;
}

/* ---- split: make gpa a boundary between entries ---- */

struct s2_split {
	struct s2_table *s2;
	u64 gpa;
};

static int entry_split(struct s2_table *s2, const struct s2_entry *entry)
{
	s2pte_t *table = table_alloc(s2, 0);
	unsigned int level = entry->level, i;
	s2pte_t pte = entry_read(entry);
	u64 hpa = s2pte_hpa(pte, level);
	u32 prot = s2pte_prot(pte, level);

	if (!table)
		return -ENOMEM;
	for (i = 0; i < S2_TABLE_ENTRIES; i++) {
		WRITE_ONCE(table[i], s2pte_make_leaf(hpa, level + 1, prot));
		hpa += level_size(level + 1);
	}
	entry_write(entry, S2PTE_INVALID);
	s2->ops->flush(s2, entry_base(entry), level_size(level));
	table_link(s2, entry, table);
	s2->ops->sync(s2);
	return 0;
}

static int visit_split(struct s2_walk *walk, const struct s2_entry *entry)
{
	struct s2_split *split = walk->arg;

	if (!entry_is_leaf(entry) || entry_base(entry) == split->gpa)
		return 0;
	return entry_split(split->s2, entry);
}

static int split_at(struct s2_table *s2, u64 gpa)
{
	struct s2_split split = { .s2 = s2, .gpa = gpa };
	struct s2_walk walk = { .s2 = s2, .visit = visit_split, .arg = &split };

	if (gpa == BIT_ULL(s2->ipa_bits))
		return 0;
	return s2_walk(&walk, gpa, gpa + S2_PAGE_SIZE);
}

/* ---- unmap ---- */

struct s2_unmap {
	struct s2_table *s2;
	s2pte_t *dead;		/* unlinked tables, each holds the next in its first entry */
	bool changed;
};

static int visit_unmap(struct s2_walk *walk, const struct s2_entry *entry)
{
	struct s2_unmap *unmap = walk->arg;

	if (!entry_is_leaf(entry))
		return 0;
	entry_write(entry, S2PTE_INVALID);
	unmap->changed = true;
	return 0;
}

static void leave_unmap(struct s2_walk *walk, const struct s2_entry *entry)
{
	struct s2_unmap *unmap = walk->arg;
	s2pte_t *table = entry_table(walk->s2, entry);

	if (!table_is_empty(table, entry->level + 1))
		return;
	entry_write(entry, S2PTE_INVALID);
	/* Walkers may read the table until the flush: an aligned address is an invalid entry. */
	WRITE_ONCE(*table, (unsigned long)unmap->dead);
	unmap->dead = table;
	unmap->changed = true;
}

/* Make everything in the range invalid, flush, then free the tables that became empty. */
static void unmap_range(struct s2_table *s2, u64 gpa, u64 size)
{
	struct s2_unmap unmap = { .s2 = s2 };
	struct s2_walk walk = {
		.s2 = s2, .visit = visit_unmap, .leave = leave_unmap, .arg = &unmap,
	};
	s2pte_t *next;

	s2_walk(&walk, gpa, gpa + size);
	if (unmap.changed)
		s2->ops->flush(s2, gpa, size);
	for (; unmap.dead; unmap.dead = next) {
		next = (s2pte_t *)(unsigned long)*unmap.dead;
		table_free(s2, unmap.dead, 0);
	}
}

int s2_unmap(struct s2_table *s2, u64 gpa, u64 size)
{
	int ret;

	ret = range_check(s2, gpa, size) ?: split_at(s2, gpa) ?: split_at(s2, gpa + size);
	if (!ret)
		unmap_range(s2, gpa, size);
	return ret;
}

/* ---- map: nothing is there, prepare tables, commit leaves ---- */

struct s2_map {
	struct s2_table *s2;
	u64 hpa_offset;		/* hpa - gpa, modulo 2^64 */
	u32 prot;
};

static u64 map_hpa(const struct s2_map *map, const struct s2_entry *entry)
{
	return entry->gpa + map->hpa_offset;
}

static bool map_fits(const struct s2_map *map, const struct s2_entry *entry)
{
	u64 size = level_size(entry->level);

	return (map->s2->block_sizes & size) && entry_is_whole(entry) &&
	       (map_hpa(map, entry) & (size - 1)) == 0;
}

static int visit_check(struct s2_walk *walk, const struct s2_entry *entry)
{
	return entry_is_leaf(entry) ? -EEXIST : 0;
}

static int visit_prepare(struct s2_walk *walk, const struct s2_entry *entry)
{
	struct s2_map *map = walk->arg;
	s2pte_t *table;

	if (entry_is_table(entry) || map_fits(map, entry))
		return 0;
	table = table_alloc(map->s2, 0);
	if (!table)
		return -ENOMEM;
	table_link(map->s2, entry, table);
	return 0;
}

static int visit_commit(struct s2_walk *walk, const struct s2_entry *entry)
{
	struct s2_map *map = walk->arg;

	if (!entry_is_table(entry))
		entry_write(entry, s2pte_make_leaf(map_hpa(map, entry), entry->level, map->prot));
	return 0;
}

static int map_range(struct s2_map *map, u64 gpa, u64 size)
{
	struct s2_walk walk = { .s2 = map->s2, .visit = visit_check, .arg = map };
	int ret;

	ret = s2_walk(&walk, gpa, gpa + size);
	if (ret)
		return ret;
	walk.visit = visit_prepare;
	ret = s2_walk(&walk, gpa, gpa + size);
	if (ret) {
		/* nothing is mapped there: this takes the empty tables out again */
		unmap_range(map->s2, gpa, size);
		return ret;
	}
	walk.visit = visit_commit;
	s2_walk(&walk, gpa, gpa + size);
	map->s2->ops->sync(map->s2);
	return 0;
}

int s2_map(struct s2_table *s2, u64 gpa, u64 hpa, u64 size, u32 prot)
{
	struct s2_map map = { .s2 = s2, .hpa_offset = hpa - gpa, .prot = prot };
	int ret = range_check(s2, gpa, size);

	if (ret)
		return ret;
	if (hpa & (S2_PAGE_SIZE - 1) || !(prot & S2_READ))
		return -EINVAL;
	if (hpa >= BIT_ULL(S2_HPA_BITS) || size > BIT_ULL(S2_HPA_BITS) - hpa)
		return -ERANGE;
	return map_range(&map, gpa, size);
}

/* ---- protect ---- */

struct s2_protect {
	u32 prot;
	bool changed;
};

static int visit_protect(struct s2_walk *walk, const struct s2_entry *entry)
{
	struct s2_protect *protect = walk->arg;
	s2pte_t old = entry_read(entry), pte;
	u32 type;

	if (!s2pte_is_leaf(old, entry->level))
		return 0;
	/* the memory type stays: another one would need break-before-make */
	type = s2pte_prot(old, entry->level) & ~S2_PERMISSIONS;
	pte = s2pte_make_leaf(s2pte_hpa(old, entry->level), entry->level, protect->prot | type);
	if (pte != old) {
		entry_write(entry, pte);
		protect->changed = true;
	}
	return 0;
}

int s2_protect(struct s2_table *s2, u64 gpa, u64 size, u32 prot)
{
	struct s2_protect protect = { .prot = prot & S2_PERMISSIONS };
	struct s2_walk walk = { .s2 = s2, .visit = visit_protect, .arg = &protect };
	int ret = range_check(s2, gpa, size);

	if (ret)
		return ret;
	if (!(prot & S2_READ))
		return -EINVAL;
	ret = split_at(s2, gpa) ?: split_at(s2, gpa + size);
	if (ret)
		return ret;
	s2_walk(&walk, gpa, gpa + size);
	if (protect.changed)
		s2->ops->flush(s2, gpa, size);
	return 0;
}

/* ---- look ---- */

struct s2_look {
	int (*visit)(const struct s2_leaf *leaf, void *arg);
	void *arg;
};

static int visit_look(struct s2_walk *walk, const struct s2_entry *entry)
{
	const struct s2_look *look = walk->arg;
	s2pte_t pte = entry_read(entry);
	struct s2_leaf leaf = {
		.gpa = entry_base(entry),
		.hpa = s2pte_hpa(pte, entry->level),
		.size = level_size(entry->level),
	};

	if (!s2pte_is_leaf(pte, entry->level))
		return 0;
	leaf.prot = s2pte_prot(pte, entry->level);
	return look->visit(&leaf, look->arg);
}

int s2_for_each_leaf(const struct s2_table *s2, u64 gpa, u64 size,
		     int (*visit)(const struct s2_leaf *leaf, void *arg), void *arg)
{
	struct s2_look look = { .visit = visit, .arg = arg };
	struct s2_walk walk = { .s2 = s2, .visit = visit_look, .arg = &look };
	u64 limit = BIT_ULL(s2->ipa_bits);

	if (gpa >= limit)
		return 0;
	return s2_walk(&walk, gpa, gpa + min(size, limit - gpa));
}

/* Straight down, for it is what emulated accesses wait for. */
bool s2_lookup(const struct s2_table *s2, u64 gpa, struct s2_leaf *leaf)
{
	const s2pte_t *table = s2->root;
	unsigned int level;
	s2pte_t pte;

	if (gpa >= BIT_ULL(s2->ipa_bits))
		return false;
	for (level = s2->root_level; ; level++) {
		pte = READ_ONCE(table[level_index(s2, level, gpa)]);
		if (!s2pte_is_table(pte, level))
			break;
		table = s2->ops->hpa_to_virt(s2pte_hpa(pte, level));
	}
	if (!s2pte_is_leaf(pte, level))
		return false;
	*leaf = (struct s2_leaf){
		.gpa = gpa & ~(level_size(level) - 1), .hpa = s2pte_hpa(pte, level),
		.size = level_size(level), .prot = s2pte_prot(pte, level),
	};
	return true;
}
