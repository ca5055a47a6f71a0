/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An MMU for tests of kmod/pgtable.c: memory for tables, and TLBs that keep each leaf and table
 * entry that a walk met until it is invalidated, by pCPU and VMID. It walks by itself, knows no
 * function of s2pte.h (the test defines tlb_decode()), and looks at each write of an entry:
 *
 *  - a live entry that changes its output, size, type or memory type, without invalid and a
 *    flush of its range in between (break-before-make)
 *  - a table that is freed while an entry, or a TLB, still leads to it
 *  - a linked table with an entry that means nothing at its level
 *  - after an operation: a TLB that says something else than the tables (tlb_check())
 *
 * Any of these counts in tlb.violations. Walks also happen by themselves: after each write the
 * addresses in tlb.probe that it touches are translated, so that a TLB holds whatever it could.
 */
#ifndef FAKE_TLB_H
#define FAKE_TLB_H

#include <linux/types.h>

#include "pgtable.h"

#define TLB_PCPUS	2
#define TLB_LEVELS	4
#define TLB_WAYS	64
#define TLB_PAGES	2048
#define TLB_PROBES	6

enum tlb_kind { TLB_INVALID, TLB_TABLE, TLB_LEAF, TLB_RUBBISH };

struct tlb_pte {
	enum tlb_kind kind;
	u64 hpa;
	u32 prot;
};

/* The format under test, decoded without its s2pte.h. */
struct tlb_pte tlb_decode(u64 pte, unsigned int level);

/* One VM's tables. */
struct tlb_vm {
	struct s2_table s2;
	unsigned int vmid;
};

struct tlb_entry {
	bool valid;
	unsigned int vmid;
	u64 gpa;		/* base of what it covers */
	struct tlb_pte pte;
};

struct tlb_state {
	unsigned int violations;
	unsigned long fail_at;		/* the n-th allocation from now fails, once; 0 never */
	unsigned long pages;		/* allocated and not freed */
	unsigned long flushes, syncs, writes;
	u64 flush_gpa, flush_size;	/* of the last flush */
	struct tlb_vm *vm;		/* probed after each write; NULL none */
	u64 probe[TLB_PROBES];
	unsigned int probe_count;
	struct tlb_entry entry[TLB_PCPUS][TLB_LEVELS][TLB_WAYS];
};

extern struct tlb_state tlb;
extern const struct s2_ops tlb_s2_ops;

/* Forget everything; all pages must have been freed. */
void tlb_reset(void);

/* s2_init() with this MMU, and its TLBs flushed for @vmid; s2_destroy() likewise. */
int tlb_vm_init(struct tlb_vm *vm, unsigned int vmid, unsigned int ipa_bits, u64 block_sizes);
void tlb_vm_destroy(struct tlb_vm *vm);

/* What @pcpu translates @gpa to, by its TLB where that holds it: true and *hpa, *prot, or false. */
bool tlb_access(struct tlb_vm *vm, unsigned int pcpu, u64 gpa, u64 *hpa, u32 *prot);

/* Every TLB entry of @vm says what its tables say, else violations. */
void tlb_check(struct tlb_vm *vm);

/* Forget all translations of @vmid on all pCPUs. */
void tlb_forget(unsigned int vmid);

#endif
