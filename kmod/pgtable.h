/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage-2 page tables: one walk and small visitors. What an entry looks like, how many
 * levels there are and how large a block each may map is the architecture's
 * (arch/.../s2pte.h, static inlines); where table pages come from and how the TLB is told is
 * the caller's (struct s2_ops). Nothing here locks: the caller holds the VM's s2 lock, or
 * the table has no other user.
 */
#ifndef QVM_PGTABLE_H
#define QVM_PGTABLE_H

#include <linux/types.h>

struct s2_table;

struct s2_ops {
	/* A zeroed table page (or 1 << order of them, naturally aligned), or NULL. May sleep. */
	void *(*alloc)(struct s2_table *s2, unsigned int order);
	void (*free)(struct s2_table *s2, void *table, unsigned int order);
	u64 (*virt_to_hpa)(const void *table);
	void *(*hpa_to_virt)(u64 hpa);
	/*
	 * Forget every translation of [gpa, gpa + size) in all TLBs that may hold one, also the
	 * cached table entries that led there. Called after the entries were made invalid and
	 * before what they mapped, or the table below them, is used for anything else
	 * (break-before-make, Arm ARM D8.14).
	 */
	void (*flush)(struct s2_table *s2, u64 gpa, u64 size);
	/* The tables changed in memory: order the writes before the walks that follow. */
	void (*sync)(struct s2_table *s2);
};

struct s2_table {
	const struct s2_ops *ops;
	void *root;
	u8 ipa_bits;
	u8 root_level;		/* of the levels 0 … S2_LAST_LEVEL that s2pte.h knows */
	u8 root_order;		/* the root is 1 << root_order concatenated pages */
	u64 block_sizes;	/* bit n: 2^n bytes may be mapped by one entry */
	unsigned long table_pages;
};

enum s2_prot {
	S2_READ		= 1 << 0,
	S2_WRITE	= 1 << 1,
	S2_EXEC		= 1 << 2,
	S2_DEVICE	= 1 << 3,	/* device memory type; else normal write-back */
	S2_FORCE_WB	= 1 << 4,	/* whatever the guest says of it (arm64 with FEAT_S2FWB) */
};

/* What a visit of s2_for_each_leaf() sees. */
struct s2_leaf {
	u64 gpa, hpa, size;	/* bytes */
	u32 prot;		/* enum s2_prot */
};

/*
 * Make an empty table for gpa of @ipa_bits. Of @block_sizes what the format has is used. -ENOMEM;
 * -EINVAL: the format can't do @ipa_bits, or @block_sizes lacks the page or leaves out a size
 * below another one (a block is split into the next smaller).
 */
int s2_init(struct s2_table *s2, const struct s2_ops *ops, unsigned int ipa_bits, u64 block_sizes);

/* Free every table page. Nothing may walk it any more; leaves are forgotten, not released. */
void s2_destroy(struct s2_table *s2);

/*
 * Map [gpa, gpa + size) to [hpa, …), all page-aligned, with the largest blocks that
 * alignment of both and block_sizes allow. Prepares every table first, then commits: on error
 * nothing is mapped and no table stays. -EEXIST: something is mapped there; -ENOMEM; -ERANGE: past
 * ipa_bits, or hpa past what the format can say; -EINVAL: misaligned, empty, or @prot without
 * S2_READ (no format can do without on all hardware). No TLB flush is needed or done: only invalid
 * entries change (but after -ENOMEM, before the prepared tables are freed).
 */
int s2_map(struct s2_table *s2, u64 gpa, u64 hpa, u64 size, u32 prot);

/*
 * Unmap [gpa, gpa + size), splitting blocks that reach out of it (break-before-make: for a
 * moment all of such a block is invalid), then flush once and free the tables that became
 * empty. Holes are fine. -ENOMEM: a split failed, nothing was unmapped; -ERANGE, -EINVAL as above.
 */
int s2_unmap(struct s2_table *s2, u64 gpa, u64 size);

/*
 * Change the permissions of everything mapped in [gpa, gpa + size), splitting as s2_unmap
 * does, then flush. S2_DEVICE of @prot is ignored: the memory type stays. Errors as there.
 */
int s2_protect(struct s2_table *s2, u64 gpa, u64 size, u32 prot);

/* The leaf that maps @gpa: true and *leaf filled, or false. Never allocates. */
bool s2_lookup(const struct s2_table *s2, u64 gpa, struct s2_leaf *leaf);

/*
 * Call @visit for each leaf that has a byte in [gpa, gpa + size), in ascending order, until it
 * returns non-zero; that value, else 0. The visitor does not change the table.
 */
int s2_for_each_leaf(const struct s2_table *s2, u64 gpa, u64 size,
		     int (*visit)(const struct s2_leaf *leaf, void *arg), void *arg);

#endif /* QVM_PGTABLE_H */
