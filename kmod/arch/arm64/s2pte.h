/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMSAv8-64 stage-2 descriptors, 4 KiB granule, 48-bit output addresses (Arm DDI 0487, D8.3
 * "Translation table descriptor formats"):
 *
 *	  63    55 54 53 52 51 50   48 47                     12 11 10 9  8 7   6 5      2 1 0
 *	+---------+-----+--+--+-------+-------------------------+--+--+----+-----+--------+-+-+
 *	| ignored | XN  |D |C | RES0  |     output address      |0 |AF| SH | S2AP| MemAttr|T|V|
 *	+---------+-----+--+--+-------+-------------------------+--+--+----+-----+--------+-+-+
 *
 * V: valid. T: at levels 0 to 2 a table if set, a block if not (level 0 has no blocks); at
 * level 3 a page if set, reserved if not. Table descriptors have no attributes at stage 2. Not
 * used: contiguous (C, so that one entry may change alone), dirty management (DBM), FEAT_XNX
 * (XN[0], bit 53, stays RES0).
 *
 * With FEAT_S2FWB (HCR_EL2.FWB = 1) MemAttr[3] is RES0, and MemAttr[2:0] = 0b110 makes the memory
 * write-back cacheable whatever stage 1 says (D8.6.6 "Stage 2 memory region type and cacheability
 * attributes when FEAT_S2FWB is implemented"). Device-nGnRE is 0b0001 either way.
 */
#ifndef QVM_ARM64_S2PTE_H
#define QVM_ARM64_S2PTE_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/types.h>

#include "pgtable.h"

typedef u64 s2pte_t;

#define S2_LAST_LEVEL		3
#define S2_PAGE_SHIFT		12
#define S2_TABLE_SHIFT		9		/* bits of an address that one level resolves */
#define S2_HPA_BITS		48
#define S2_LEVEL_SHIFT(level)	(S2_PAGE_SHIFT + S2_TABLE_SHIFT * (S2_LAST_LEVEL - (level)))

/* 2^n bytes for each n that one entry can map: a page, blocks at levels 2 and 1. */
#define S2_BLOCK_SIZES		(BIT_ULL(12) | BIT_ULL(21) | BIT_ULL(30))

#define S2PTE_VALID		BIT_ULL(0)
#define S2PTE_TABLE		BIT_ULL(1)	/* levels 0 to 2 */
#define S2PTE_PAGE		BIT_ULL(1)	/* level 3 */
#define S2PTE_MEMATTR		GENMASK_ULL(5, 2)
#define S2PTE_AP		GENMASK_ULL(7, 6)
#define S2PTE_SH		GENMASK_ULL(9, 8)
#define S2PTE_AF		BIT_ULL(10)
#define S2PTE_HPA		GENMASK_ULL(47, 12)
#define S2PTE_XN		BIT_ULL(54)

/* Stage 2 MemAttr[3:0] (D8.6 "Memory region attributes") */
#define S2PTE_MEMATTR_DEVICE_NGNRE	0x1
#define S2PTE_MEMATTR_NORMAL_WB		0xf	/* inner and outer write-back cacheable */
#define S2PTE_MEMATTR_FORCE_WB		0x6	/* HCR_EL2.FWB = 1 */
/* S2AP (D8.4 "Memory access control"): bit 0 read, bit 1 write */
#define S2PTE_AP_READ			0x1
#define S2PTE_AP_WRITE			0x2
/* SH[1:0]; device memory is outer shareable whatever it says */
#define S2PTE_SH_INNER			0x3

/* An entry that maps nothing: what a zeroed page is full of. */
#define S2PTE_INVALID		0ULL

static inline bool s2pte_is_valid(s2pte_t pte, unsigned int level)
{
	return pte & S2PTE_VALID;
}

static inline bool s2pte_is_table(s2pte_t pte, unsigned int level)
{
	return level < S2_LAST_LEVEL && (pte & S2PTE_VALID) && (pte & S2PTE_TABLE);
}

static inline bool s2pte_is_leaf(s2pte_t pte, unsigned int level)
{
	if (!(pte & S2PTE_VALID))
		return false;
	if (level == S2_LAST_LEVEL)
		return pte & S2PTE_PAGE;
	return level > 0 && !(pte & S2PTE_TABLE);
}

static inline s2pte_t s2pte_make_leaf(u64 hpa, unsigned int level, u32 prot)
{
	u64 attr = prot & S2_DEVICE ? S2PTE_MEMATTR_DEVICE_NGNRE :
		   prot & S2_FORCE_WB ? S2PTE_MEMATTR_FORCE_WB : S2PTE_MEMATTR_NORMAL_WB;
	u64 ap = (prot & S2_READ ? S2PTE_AP_READ : 0) | (prot & S2_WRITE ? S2PTE_AP_WRITE : 0);

	return hpa | S2PTE_VALID | (level == S2_LAST_LEVEL ? S2PTE_PAGE : 0) |
	       FIELD_PREP(S2PTE_MEMATTR, attr) | FIELD_PREP(S2PTE_AP, ap) |
	       FIELD_PREP(S2PTE_SH, S2PTE_SH_INNER) | S2PTE_AF |
	       (prot & S2_EXEC ? 0 : S2PTE_XN);
}

/* An entry of @level that leads to the table of @level + 1 at @hpa. */
static inline s2pte_t s2pte_make_table(u64 hpa, unsigned int level)
{
	return hpa | S2PTE_TABLE | S2PTE_VALID;
}

/* Of what a leaf maps, or of the table that a table entry leads to. */
static inline u64 s2pte_hpa(s2pte_t pte, unsigned int level)
{
	return pte & S2PTE_HPA;
}

/* enum s2_prot of a leaf */
static inline u32 s2pte_prot(s2pte_t pte, unsigned int level)
{
	u64 ap = FIELD_GET(S2PTE_AP, pte), attr = FIELD_GET(S2PTE_MEMATTR, pte);

	return (ap & S2PTE_AP_READ ? S2_READ : 0) | (ap & S2PTE_AP_WRITE ? S2_WRITE : 0) |
	       (pte & S2PTE_XN ? 0 : S2_EXEC) |
	       (attr == S2PTE_MEMATTR_DEVICE_NGNRE ? S2_DEVICE : 0) |
	       (attr == S2PTE_MEMATTR_FORCE_WB ? S2_FORCE_WB : 0);
}

/*
 * Where a walk of @ipa_bits starts: VTCR_EL2.SL0 is 2 - *level, T0SZ is 64 - ipa_bits (D8.2
 * "Translation process", concatenated tables). Level 1 as long as 16 concatenated tables
 * reach, so that a walk is short and 1 GiB blocks are there; level 0 needs PARange >= 44 bits, and
 * this is what an IPA of 44 bits and more needs anyway. -EINVAL: below 31 or above 48 bits.
 */
static inline int s2_root_geometry(unsigned int ipa_bits, u8 *level, u8 *order)
{
	if (ipa_bits < 31 || ipa_bits > 48)
		return -EINVAL;
	if (ipa_bits > 43) {
		*level = 0;
		*order = 0;
	} else {
		*level = 1;
		*order = ipa_bits > 39 ? ipa_bits - 39 : 0;
	}
	return 0;
}

static_assert(S2_LEVEL_SHIFT(0) + S2_TABLE_SHIFT == 48);
static_assert(S2_LEVEL_SHIFT(1) + S2_TABLE_SHIFT == 39);
static_assert(BIT_ULL(S2_LEVEL_SHIFT(1)) == 1ULL << 30);
static_assert(BIT_ULL(S2_LEVEL_SHIFT(2)) == 2ULL << 20);
static_assert((S2PTE_HPA & (S2PTE_VALID | S2PTE_TABLE | S2PTE_MEMATTR | S2PTE_AP | S2PTE_SH |
			    S2PTE_AF | S2PTE_XN)) == 0);

#endif /* QVM_ARM64_S2PTE_H */
