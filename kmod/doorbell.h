/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of a VM's doorbells: an immutable sorted array. Who changes it makes another one and
 * publishes that (eventfd.c). Pure: no lock, no user memory.
 */
#ifndef QVM_DOORBELL_H
#define QVM_DOORBELL_H

#include <linux/types.h>

struct eventfd_ctx;

struct doorbell {
	u64 key;		/* gpa, or DOORBELL_PORT and an I/O port */
	u64 match;		/* if has_match: the value that rings */
	u8 len;			/* bytes; 0: any */
	bool has_match;
	bool posts;		/* to the vCPU's ring, and signals nothing */
	struct eventfd_ctx *ctx;	/* NULL if it posts */
};

#define DOORBELL_PORT	(1ULL << 63)	/* no gpa has 63 bits */

struct doorbell_table {
	struct rcu_head rcu;
	unsigned int count;
	struct doorbell bell[];	/* by key */
};

/*
 * The doorbell that a write of @len bytes rings: at most one does. NULL: none. *hint: its slot.
 */
const struct doorbell *qvm_doorbell_find(const struct doorbell_table *table, u64 key,
					 unsigned int len, u64 data, unsigned int *hint);

/* The same, where the hint is right; NULL: perhaps another. */
static inline const struct doorbell *qvm_doorbell_hinted(const struct doorbell_table *table, u64 key,
							 unsigned int len, u64 data, unsigned int hint)
{
	const struct doorbell *bell = &table->bell[hint];

	if (unlikely(hint >= table->count) || bell->key != key || (bell->len && bell->len != len) ||
	    (bell->has_match && bell->match != data))
		return NULL;
	return bell;
}

/* True if there is a doorbell at @key. */
bool qvm_doorbell_is_at(const struct doorbell_table *table, u64 key);

/* True if some write would ring both @bell and one of @table (which may be NULL). */
bool qvm_doorbell_conflicts(const struct doorbell_table *table, const struct doorbell *bell);

/* The slot of the doorbell with @bell's key, len, match and kind, or -1. */
int qvm_doorbell_slot(const struct doorbell_table *table, const struct doorbell *bell);

/* New tables, kmalloc()ed; NULL: no memory. @table may be NULL; remove: of two slots or more. */
struct doorbell_table *qvm_doorbell_insert(const struct doorbell_table *table,
					   const struct doorbell *bell);
struct doorbell_table *qvm_doorbell_remove(const struct doorbell_table *table, unsigned int slot);

#endif /* QVM_DOORBELL_H */
