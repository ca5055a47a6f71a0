/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A format that no hardware has, made to expose mistakes: an entry of one level is rubbish at
 * any other. The low byte says what it is, differently at each level; the address is inverted by
 * a pattern of the level; permissions lie elsewhere at each level; the top byte holds poison that
 * the fake TLB looks for. Invalid is 0 alone, or an aligned address (see pgtable.c: unlinked
 * tables).
 *
 *	63 … 56   poison of the level
 *	55 … 52   prot, rotated by the level
 *	51 … 8    hpa >> 12, XOR pattern
 *	7 … 0     kind: 0xe1 + level leaf, 0x71 + level table
 */
#ifndef FAKE_S2PTE_H
#define FAKE_S2PTE_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/types.h>

#include "pgtable.h"

typedef u64 s2pte_t;

#define S2_LAST_LEVEL		3
#define S2_PAGE_SHIFT		12
#define S2_TABLE_SHIFT		9
#define S2_HPA_BITS		52
#define S2_LEVEL_SHIFT(level)	(S2_PAGE_SHIFT + S2_TABLE_SHIFT * (S2_LAST_LEVEL - (level)))
#define S2_BLOCK_SIZES		(BIT_ULL(12) | BIT_ULL(21) | BIT_ULL(30))
#define S2PTE_INVALID		0ULL

#define FAKE_PTE_KIND		0xffULL
#define FAKE_PTE_LEAF(level)	(0xe1ULL + (level))
#define FAKE_PTE_TABLE(level)	(0x71ULL + (level))
#define FAKE_PTE_POISON(level)	((0xa5ULL ^ (level) * 0x11) << 56)
#define FAKE_PTE_PATTERN(level)	(0x5a3c96f1e87ULL * ((level) + 1) & GENMASK_ULL(43, 0))

static inline u64 fake_pte_make(u64 hpa, unsigned int level, u32 prot, u64 kind)
{
	u64 rotated = (prot << level | prot >> (4 - level)) & 0xf;

	return FAKE_PTE_POISON(level) | rotated << 52 |
	       ((hpa >> 12) ^ FAKE_PTE_PATTERN(level)) << 8 | kind;
}

static inline bool s2pte_is_leaf(s2pte_t pte, unsigned int level)
{
	return (pte & FAKE_PTE_KIND) == FAKE_PTE_LEAF(level);
}

static inline bool s2pte_is_table(s2pte_t pte, unsigned int level)
{
	return (pte & FAKE_PTE_KIND) == FAKE_PTE_TABLE(level);
}

static inline bool s2pte_is_valid(s2pte_t pte, unsigned int level)
{
	return s2pte_is_leaf(pte, level) || s2pte_is_table(pte, level);
}

static inline s2pte_t s2pte_make_leaf(u64 hpa, unsigned int level, u32 prot)
{
	return fake_pte_make(hpa, level, prot, FAKE_PTE_LEAF(level));
}

static inline s2pte_t s2pte_make_table(u64 hpa, unsigned int level)
{
	return fake_pte_make(hpa, level, 0, FAKE_PTE_TABLE(level));
}

static inline u64 s2pte_hpa(s2pte_t pte, unsigned int level)
{
	return ((pte >> 8 & GENMASK_ULL(43, 0)) ^ FAKE_PTE_PATTERN(level)) << 12;
}

static inline u32 s2pte_prot(s2pte_t pte, unsigned int level)
{
	u32 rotated = pte >> 52 & 0xf;

	return (rotated >> level | rotated << (4 - level)) & 0xf;
}

/* As arm64's, so that every root shape is walked. */
static inline int s2_root_geometry(unsigned int ipa_bits, u8 *level, u8 *order)
{
	if (ipa_bits < 31 || ipa_bits > 48)
		return -EINVAL;
	*level = ipa_bits > 43 ? 0 : 1;
	*order = ipa_bits > 39 && ipa_bits <= 43 ? ipa_bits - 39 : 0;
	return 0;
}

#endif
