// SPDX-License-Identifier: GPL-2.0-only
// LINK: kmod/pgtable.c selftests/unit/fake/tlb.c
// CFLAGS: -iquote kmod/arch/arm64
/* kmod/pgtable.c with kmod/arch/arm64/s2pte.h: descriptors are those of DDI 0487, D8.3. */
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

#ifndef QVM_ARM64_S2PTE_H
#error this is the fake format
#endif

/* By the manual's figures, bit by bit; whatever qvm does not use has to be zero. */
struct tlb_pte tlb_decode(u64 pte, unsigned int level)
{
	struct tlb_pte out = { .hpa = pte & 0x0000fffffffff000ULL };
	unsigned int memattr = pte >> 2 & 15;

	if (!(pte & 1))
		return (struct tlb_pte){ .kind = TLB_INVALID };
	if (level < 3 && pte & 2) {
		out.kind = pte & 0xffff000000000ffcULL ? TLB_RUBBISH : TLB_TABLE;
		return out;
	}
	out.kind = TLB_LEAF;
	if (level == 0 || (level == 3 && !(pte & 2)) || out.hpa % (4096ULL << 9 * (3 - level)) ||
	    pte & 0xffbf000000000800ULL || !(pte & 0x400) || (pte >> 8 & 3) != 3 ||
	    (memattr != 15 && memattr != 6 && memattr != 1))
		out.kind = TLB_RUBBISH;
	out.prot = (pte >> 6 & 1 ? S2_READ : 0) | (pte >> 7 & 1 ? S2_WRITE : 0) |
		   (pte >> 54 & 1 ? 0 : S2_EXEC) | (memattr == 1 ? S2_DEVICE : 0) |
		   (memattr == 6 ? S2_FORCE_WB : 0);
	return out;
}

TEST(leaves)
{
	/* page, RWX, normal: AF, SH inner, S2AP 11, MemAttr 1111, 11 */
	CHECK_EQ(s2pte_make_leaf(0x80001000, 3, RWX), 0x800017ffULL);
	CHECK_EQ(s2pte_make_leaf(0x80200000, 2, RWX), 0x802007fdULL);
	CHECK_EQ(s2pte_make_leaf(0x80000000, 1, RWX), 0x800007fdULL);
	CHECK_EQ(s2pte_make_leaf(0xfffffffff000, 3, S2_READ | S2_EXEC), 0xfffffffff77fULL);
	CHECK_EQ(s2pte_make_leaf(0, 3, S2_READ), 0x004000000000077fULL);
	/* device nGnRE: MemAttr 0001 */
	CHECK_EQ(s2pte_make_leaf(0x09000000, 3, RW | S2_DEVICE), 0x00400000090007c7ULL);
	CHECK_EQ(s2pte_make_leaf(0x40000000, 1, RW | S2_DEVICE), 0x00400000400007c5ULL);
	/* HCR_EL2.FWB = 1: MemAttr 0110 is write-back; of a device as before */
	CHECK_EQ(s2pte_make_leaf(0x80001000, 3, RWX | S2_FORCE_WB), 0x800017dbULL);
	CHECK_EQ(s2pte_make_leaf(0x40000000, 1, RW | S2_DEVICE | S2_FORCE_WB), 0x00400000400007c5ULL);
	CHECK_EQ(s2pte_prot(0x800017db, 3), RWX | S2_FORCE_WB);
	CHECK_EQ(s2pte_prot(0x800017ff, 3), RWX);
}

/* A block that is split, and whose permissions change, has the memory type that it had. */
TEST(forced_write_back_stays)
{
	struct tlb_vm vm;
	struct s2_leaf leaf;

	REQUIRE(tlb_vm_init(&vm, 1, 40, ~0ULL) == 0);
	CHECK_EQ(s2_map(&vm.s2, G1, G1, M2, RWX | S2_FORCE_WB), 0);
	CHECK_EQ(s2_protect(&vm.s2, G1 + 0x1000, 0x1000, S2_READ), 0);
	CHECK(s2_lookup(&vm.s2, G1 + 0x1000, &leaf));
	CHECK_EQ(leaf.prot, S2_READ | S2_FORCE_WB);
	CHECK(s2_lookup(&vm.s2, G1 + 0x2000, &leaf));
	CHECK_EQ(leaf.prot, RWX | S2_FORCE_WB);
	CHECK_EQ(leaf.size, 0x1000);
	tlb_vm_destroy(&vm);
}

TEST(tables)
{
	CHECK_EQ(s2pte_make_table(0x12345000, 0), 0x12345003ULL);
	CHECK(s2pte_is_table(0x12345003, 2));
	CHECK(!s2pte_is_table(0x12345003, 3));
	CHECK(!s2pte_is_leaf(0x12345003, 2));
	CHECK_EQ(s2pte_hpa(0x12345003, 2), 0x12345000);
}

TEST(kinds_by_level)
{
	unsigned int level;

	for (level = 0; level <= 3; level++) {
		CHECK(!s2pte_is_valid(0, level));
		CHECK(!s2pte_is_valid(2, level));
		/* an aligned address: the first entry of an unlinked table */
		CHECK(!s2pte_is_valid(0xfffffffffffff000ULL, level));
		CHECK(!s2pte_is_leaf(0xfffffffffffff000ULL, level));
		CHECK(!s2pte_is_table(0xfffffffffffff000ULL, level));
		CHECK_EQ(s2pte_is_leaf(1, level), level == 1 || level == 2);
		CHECK_EQ(s2pte_is_leaf(3, level), level == 3);
		CHECK_EQ(s2pte_is_table(3, level), level != 3);
	}
}

TEST(prot_comes_back)
{
	u32 prot;

	for (prot = 0; prot < 16; prot++) {
		CHECK_EQ(s2pte_prot(s2pte_make_leaf(M2, 2, prot), 2), prot);
		CHECK_EQ(s2pte_hpa(s2pte_make_leaf(M2, 2, prot), 2), M2);
	}
}

TEST(geometry)
{
	u8 level = 9, order = 9;

	CHECK_EQ(s2_root_geometry(40, &level, &order), 0);
	CHECK_EQ(level, 1);
	CHECK_EQ(order, 1);
	CHECK_EQ(s2_root_geometry(43, &level, &order), 0);
	CHECK_EQ(order, 4);	/* 16 tables, the most that may be concatenated */
	CHECK_EQ(s2_root_geometry(48, &level, &order), 0);
	CHECK_EQ(level, 0);
	CHECK_EQ(order, 0);
	CHECK_EQ(s2_root_geometry(30, &level, &order), -EINVAL);
	CHECK_EQ(s2_root_geometry(52, &level, &order), -EINVAL);
}

TEST(walker_with_this_format)
{
	static struct tlb_vm vm;
	u64 hpa, *root;
	u32 prot;

	tlb_reset();
	REQUIRE(tlb_vm_init(&vm, 1, 40, ~0ULL) == 0);
	tlb.vm = &vm;
	tlb.probe[0] = (1ULL << 39) + M2;
	tlb.probe[1] = (1ULL << 39) + 0x1000;
	tlb.probe_count = 2;
	CHECK_EQ(s2_map(&vm.s2, 1ULL << 39, 4 * G1, 2 * G1 + M2, RWX), 0);
	root = vm.s2.root;
	CHECK_EQ(root[512], 0x1000007fdULL);		/* first of the second concatenated table */
	CHECK_EQ(root[513], 0x1400007fdULL);
	CHECK_EQ(root[514] & 0xfff, 3);
	CHECK(tlb_access(&vm, 0, (1ULL << 39) + 5 * M2 + 7, &hpa, &prot));
	CHECK_EQ(hpa, 4 * G1 + 5 * M2 + 7);
	CHECK_EQ(s2_unmap(&vm.s2, (1ULL << 39) + M2, 0x1000), 0);
	CHECK(!tlb_access(&vm, 0, (1ULL << 39) + M2, &hpa, &prot));
	CHECK_EQ(s2_protect(&vm.s2, 1ULL << 39, G1, S2_READ), 0);
	CHECK(tlb_access(&vm, 0, (1ULL << 39) + M2 + 0x1000, &hpa, &prot));
	CHECK_EQ(hpa, 4 * G1 + M2 + 0x1000);
	CHECK_EQ(prot, S2_READ);
	tlb_check(&vm);
	CHECK_EQ(s2_unmap(&vm.s2, 0, 1ULL << 40), 0);
	CHECK_EQ(vm.s2.table_pages, 2);
	tlb_vm_destroy(&vm);
	CHECK_EQ(tlb.violations, 0);
	CHECK_EQ(tlb.pages, 0);
}

TEST(addresses_past_48_bits)
{
	static struct tlb_vm vm;

	tlb_reset();
	REQUIRE(tlb_vm_init(&vm, 1, 40, ~0ULL) == 0);
	CHECK_EQ(s2_map(&vm.s2, 0, 1ULL << 48, 0x1000, RW), -ERANGE);
	CHECK_EQ(s2_map(&vm.s2, 0, (1ULL << 48) - 0x1000, 0x1000, RW), 0);
	tlb_vm_destroy(&vm);
	CHECK_EQ(tlb.violations, 0);
}
