/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EPT entries (SDM vol. 3 ch. 28.3.2, tables 28-1 … 28-6), 4-level walk, 48-bit guest physical
 * addresses. Levels count from the root: 0 PML4E, 1 PDPTE, 2 PDE, 3 PTE.
 *
 *	63 .. 52 | 51 .. 12 address | 11 .. 8 | 7 large (levels 1, 2) | 6 IPAT | 5:3 type | X W R
 */
#ifndef QVM_X86_S2PTE_H
#define QVM_X86_S2PTE_H

#include <linux/bitfield.h>
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

#define S2PTE_R			BIT_ULL(0)
#define S2PTE_W			BIT_ULL(1)
#define S2PTE_X			BIT_ULL(2)
#define S2PTE_RWX		(S2PTE_R | S2PTE_W | S2PTE_X)
#define S2PTE_TYPE		GENMASK_ULL(5, 3)
#define S2PTE_IPAT		BIT_ULL(6)
#define S2PTE_BLOCK		BIT_ULL(7)
#define S2PTE_HPA		GENMASK_ULL(51, 12)

#define S2PTE_TYPE_UC		0
#define S2PTE_TYPE_WB		6

#define S2PTE_INVALID		0ULL

/* Present: any of R, W, X (28.3.2). */
static inline bool s2pte_is_valid(s2pte_t pte, unsigned int level)
{
	return pte & S2PTE_RWX;
}

static inline bool s2pte_is_leaf(s2pte_t pte, unsigned int level)
{
	return (pte & S2PTE_RWX) &&
	       (level == S2_LAST_LEVEL || (level > 0 && (pte & S2PTE_BLOCK)));
}

static inline bool s2pte_is_table(s2pte_t pte, unsigned int level)
{
	return (pte & S2PTE_RWX) && level < S2_LAST_LEVEL && !s2pte_is_leaf(pte, level);
}

/* RAM is write-back whatever the guest's PAT says only where it must be: IPAT stays clear. */
static inline s2pte_t s2pte_make_leaf(u64 hpa, unsigned int level, u32 prot)
{
	return hpa | (prot & S2_READ ? S2PTE_R : 0) | (prot & S2_WRITE ? S2PTE_W : 0) |
	       (prot & S2_EXEC ? S2PTE_X : 0) |
	       FIELD_PREP(S2PTE_TYPE, prot & S2_DEVICE ? S2PTE_TYPE_UC : S2PTE_TYPE_WB) |
	       (level < S2_LAST_LEVEL ? S2PTE_BLOCK : 0);
}

static inline s2pte_t s2pte_make_table(u64 hpa, unsigned int level)
{
	return hpa | S2PTE_RWX;
}

static inline u64 s2pte_hpa(s2pte_t pte, unsigned int level)
{
	return pte & S2PTE_HPA;
}

static inline u32 s2pte_prot(s2pte_t pte, unsigned int level)
{
	return (pte & S2PTE_R ? S2_READ : 0) | (pte & S2PTE_W ? S2_WRITE : 0) |
	       (pte & S2PTE_X ? S2_EXEC : 0) |
	       (FIELD_GET(S2PTE_TYPE, pte) == S2PTE_TYPE_UC ? S2_DEVICE : 0);
}

/*
 * What makes a processor refuse an entry that is present (28.3.3.1, EPT misconfigurations); NULL: nothing
 * does. @hpa_bits: its physical address width.
 */
static inline const char *s2pte_misconfigured(s2pte_t pte, unsigned int level, unsigned int hpa_bits)
{
	unsigned int type = FIELD_GET(S2PTE_TYPE, pte);
	bool leaf = s2pte_is_leaf(pte, level);

	if (!(pte & S2PTE_RWX))
		return NULL;
	if (!(pte & S2PTE_R))
		return pte & S2PTE_W ? "write without read" : "execute without read";
	if ((pte & S2PTE_HPA) >> hpa_bits)
		return "address beyond the processor's width";
	if (!leaf)
		return pte & (S2PTE_TYPE | S2PTE_IPAT | S2PTE_BLOCK) ? "reserved bits of a table entry" : NULL;
	if (type == 2 || type == 3 || type == 7)
		return "memory type";
	return pte & S2PTE_HPA & (BIT_ULL(S2_LEVEL_SHIFT(level)) - 1) ? "reserved bits of a large page" : NULL;
}

/* One root page, always the same: EPTP says a walk of four levels. */
static inline int s2_root_geometry(unsigned int ipa_bits, u8 *level, u8 *order)
{
	if (ipa_bits < 31 || ipa_bits > 48)
		return -EINVAL;
	*level = 0;
	*order = 0;
	return 0;
}

static_assert(S2_LEVEL_SHIFT(0) + S2_TABLE_SHIFT == 48);
static_assert(BIT_ULL(S2_LEVEL_SHIFT(1)) == 1ULL << 30);
static_assert(BIT_ULL(S2_LEVEL_SHIFT(2)) == 2ULL << 20);

#endif /* QVM_X86_S2PTE_H */
