/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's own page tables, read from outside: what is where for its kernel. */
#ifndef QVM_VM_WALK_H
#define QVM_VM_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "vm/core.h"

struct walk_format {
	/* What the entry at this level (0: pages) is. */
	enum walk_entry { WALK_NOTHING, WALK_TABLE, WALK_LEAF } (*entry)(uint64_t entry, unsigned int level);
	uint64_t address_mask;		/* of the address in an entry */
};

extern const struct walk_format walk_arm64, walk_x86;

struct walk {
	const struct walk_format *format;
	uint64_t root;			/* gpa of the table */
	unsigned int page_shift;	/* 12; arm64 also 14, 16 */
	unsigned int bits;		/* of the virtual addresses that it translates */
	uint64_t base;			/* the lowest one of them */
	uint64_t from;			/* lower ones are left out */
	/* @size bytes of guest memory at @gpa, which are in one stretch of it, or NULL. */
	const void *(*memory)(void *arg, uint64_t gpa, uint64_t size);
	void *arg;
};

/*
 * All that is mapped to guest memory, contiguous parts joined, into @segments: at most
 * @max of them, the lowest first. A guest may have any nonsense in its tables: what is read is
 * bounded. Returns how many.
 */
size_t walk_tables(const struct walk *walk, struct core_segment *segments, size_t max);

#endif
