// SPDX-License-Identifier: GPL-2.0-only
// LINK: kmod/pgtable.c selftests/unit/fake/tlb.c
// CFLAGS: -iquote kmod/arch/x86
/* kmod/pgtable.c with kmod/arch/x86/s2pte.h: entries are those of SDM vol. 3, 28.3.2. */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "fake/tlb.h"
#include "pgtable.h"
#include "s2pte.h"
#include "unit.h"

#define M2	0x200000ULL
#define G1	0x40000000ULL
#define RW	(S2_READ | S2_WRITE)
#define RWX	(S2_READ | S2_WRITE | S2_EXEC)

#ifndef QVM_X86_S2PTE_H
#error this is the fake format
#endif

/* By the manual's tables, bit by bit; whatever qvm does not use has to be zero. */
struct tlb_pte tlb_decode(u64 pte, unsigned int level)
{
	struct tlb_pte out = { .hpa = pte & 0x000ffffffffff000ULL };
	bool leaf = level == 3 || pte & 0x80;

	if (!(pte & 7))
		return (struct tlb_pte){ .kind = TLB_INVALID };
	out.kind = leaf ? TLB_LEAF : TLB_TABLE;
	out.prot = (pte & 1 ? S2_READ : 0) | (pte & 2 ? S2_WRITE : 0) | (pte & 4 ? S2_EXEC : 0) |
		   (leaf && !(pte & 0x38) ? S2_DEVICE : 0);
	if (!(pte & 1) || pte & 0xfff0000000000f40ULL)
		out.kind = TLB_RUBBISH;
	else if (!leaf && pte & 0xf8)
		out.kind = TLB_RUBBISH;
	else if (leaf && (level == 0 || (level == 3 && pte & 0x80) ||
			  ((pte & 0x38) != 0x30 && pte & 0x38) || out.hpa % (4096ULL << 9 * (3 - level))))
		out.kind = TLB_RUBBISH;
	return out;
}

TEST(leaves)
{
	CHECK_EQ(s2pte_make_leaf(0x80001000, 3, RWX), 0x80001037ULL);
	CHECK_EQ(s2pte_make_leaf(0x80200000, 2, RWX), 0x802000b7ULL);
	CHECK_EQ(s2pte_make_leaf(0x80000000, 1, S2_READ), 0x800000b1ULL);
	CHECK_EQ(s2pte_make_leaf(0x09000000, 3, RW | S2_DEVICE), 0x09000003ULL);
	CHECK_EQ(s2pte_make_table(0x12345000, 0), 0x12345007ULL);
}

TEST(kinds_by_level)
{
	unsigned int level;

	for (level = 0; level <= 3; level++) {
		CHECK(!s2pte_is_valid(0, level));
		CHECK(!s2pte_is_valid(0xfffffffffffff0f8ULL, level));
		CHECK_EQ(s2pte_is_leaf(0x81, level), level > 0);
		CHECK_EQ(s2pte_is_leaf(1, level), level == 3);
		CHECK_EQ(s2pte_is_table(7, level), level != 3);
	}
}

/* 28.3.3.1, one by one. */
TEST(misconfigurations)
{
	static const struct { u64 pte; unsigned int level; const char *wrong; } rows[] = {
		{ 0, 3, NULL }, { 0xfffffffffffff0f8ULL, 2, NULL }, { 0x1037, 3, NULL }, { 0x1007, 0, NULL },
		{ 0x2000b7, 2, NULL }, { 0x400000b1, 1, NULL }, { 0x1001, 3, NULL },
		{ 0x1032, 3, "write without read" }, { 0x1036, 3, "write without read" },
		{ 0x1034, 3, "execute without read" }, { 0x1002, 1, "write without read" },
		{ 0x10000001037ULL, 3, "address beyond the processor's width" },
		{ 0x10000001007ULL, 1, "address beyond the processor's width" },
		{ 0x1087, 0, "reserved bits of a table entry" }, { 0x100f, 1, "reserved bits of a table entry" },
		{ 0x1047, 2, "reserved bits of a table entry" },
		{ 0x1017, 3, "memory type" }, { 0x101f, 3, "memory type" }, { 0x103f, 3, "memory type" },
		{ 0x200097, 2, "memory type" },
		{ 0x2010b7, 2, "reserved bits of a large page" }, { 0x402000b7, 1, "reserved bits of a large page" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *wrong = s2pte_misconfigured(rows[i].pte, rows[i].level, 40);

		if (!wrong != !rows[i].wrong || (wrong && strcmp(wrong, rows[i].wrong)))
			unit_fail("row %u: %s", i, wrong ?: "nothing");
	}
}

/* What the module makes is never one. */
TEST(what_is_made_is_well_configured)
{
	unsigned int level;
	u32 prot;

	for (level = 1; level <= 3; level++)
		for (prot = 0; prot < 16; prot++)
			if (prot & S2_READ)
				CHECK(!s2pte_misconfigured(s2pte_make_leaf(G1, level, prot), level, 40));
	for (level = 0; level < 3; level++)
		CHECK(!s2pte_misconfigured(s2pte_make_table(0x123000, level), level, 40));
}

TEST(walker_with_this_format)
{
	static struct tlb_vm vm;
	u64 hpa;
	u32 prot;

	tlb_reset();
	REQUIRE(tlb_vm_init(&vm, 1, 40, BIT_ULL(12) | BIT_ULL(21) | BIT_ULL(30)) == 0);
	CHECK_EQ(s2_map(&vm.s2, 1ULL << 39, 4 * G1, 2 * G1 + M2, RWX), 0);
	CHECK(tlb_access(&vm, 0, (1ULL << 39) + 5 * M2 + 7, &hpa, &prot));
	CHECK_EQ(hpa, 4 * G1 + 5 * M2 + 7);
	CHECK_EQ(s2_unmap(&vm.s2, (1ULL << 39) + M2, 0x1000), 0);
	CHECK(!tlb_access(&vm, 0, (1ULL << 39) + M2, &hpa, &prot));
	CHECK_EQ(s2_protect(&vm.s2, 1ULL << 39, G1, S2_READ), 0);
	CHECK(tlb_access(&vm, 0, (1ULL << 39) + M2 + 0x1000, &hpa, &prot));
	CHECK_EQ(prot, S2_READ);
	tlb_check(&vm);
	tlb_vm_destroy(&vm);
	CHECK_EQ(tlb.violations, 0);
	CHECK_EQ(tlb.pages, 0);
}
