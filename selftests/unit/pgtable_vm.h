/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of kmod/pgtable.c share: a VM in the fake MMU, and what its tables are. */
#ifndef UNIT_PGTABLE_VM_H
#define UNIT_PGTABLE_VM_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "fake/tlb.h"
#include "pgtable.h"
#include "unit.h"

#define K4	0x1000ULL
#define M2	0x200000ULL
#define G1	0x40000000ULL
#define ALL	(K4 | M2 | G1)
#define RW	(S2_READ | S2_WRITE)
#define RWX	(S2_READ | S2_WRITE | S2_EXEC)

/* fake/s2pte.h once more, in other words: tables of what its comment says. */
struct tlb_pte tlb_decode(u64 pte, unsigned int level)
{
	static const u8 leaf[] = { 0xe1, 0xe2, 0xe3, 0xe4 }, table[] = { 0x71, 0x72, 0x73, 0x74 };
	static const u8 poison[] = { 0xa5, 0xb4, 0x87, 0x96 };
	u64 pattern = 0x5a3c96f1e87ULL * (level + 1) % (1ULL << 44);
	u64 hpa = (((pte >> 8) % (1ULL << 44)) ^ pattern) * 4096;
	u32 prot = pte >> 52 & 0xf;
	unsigned int i;

	if ((pte & 0xfff) == 0 && pte >> 56 == 0)
		return (struct tlb_pte){ .kind = TLB_INVALID };
	if (pte >> 56 != poison[level])
		return (struct tlb_pte){ .kind = TLB_RUBBISH };
	for (i = 0; i < level; i++)
		prot = prot >> 1 | (prot & 1) << 3;
	if ((u8)pte == table[level] && level < 3 && !prot)
		return (struct tlb_pte){ .kind = TLB_TABLE, .hpa = hpa };
	if ((u8)pte == leaf[level] && level > 0 && hpa % (K4 << 9 * (3 - level)) == 0)
		return (struct tlb_pte){ .kind = TLB_LEAF, .hpa = hpa, .prot = prot };
	return (struct tlb_pte){ .kind = TLB_RUBBISH };
}

static struct tlb_vm vm;

static void start(unsigned int ipa_bits, u64 block_sizes)
{
	tlb_reset();
	CHECK_EQ(tlb_vm_init(&vm, 1, ipa_bits, block_sizes), 0);
	tlb.vm = &vm;
}

static void finish(void)
{
	tlb_check(&vm);
	CHECK_EQ(tlb.violations, 0);
	CHECK_EQ(vm.s2.table_pages, tlb.pages);
	tlb_vm_destroy(&vm);
	CHECK_EQ(vm.s2.table_pages, 0);
	CHECK_EQ(tlb.pages, 0);
}

struct sum {
	unsigned int count;
	u64 size, end, count_of[64];
};

static int sum_leaf(const struct s2_leaf *leaf, void *arg)
{
	struct sum *sum = arg;

	CHECK(leaf->gpa >= sum->end);
	CHECK_EQ(leaf->gpa % leaf->size, 0);
	CHECK_EQ(leaf->hpa % leaf->size, 0);
	sum->end = leaf->gpa + leaf->size;
	sum->count++;
	sum->size += leaf->size;
	sum->count_of[__builtin_ctzll(leaf->size)]++;
	return 0;
}

static struct sum sum_of(u64 gpa, u64 size)
{
	struct sum sum = { 0 };

	CHECK_EQ(s2_for_each_leaf(&vm.s2, gpa, size, sum_leaf, &sum), 0);
	return sum;
}

#endif
