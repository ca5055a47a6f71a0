// SPDX-License-Identifier: GPL-2.0-only
// LINK: kmod/pgtable.c selftests/unit/fake/tlb.c
/* kmod/pgtable.c with a format and an MMU that are made to catch its mistakes. */
#include "pgtable_vm.h"

static void probe_at(u64 gpa)
{
	tlb.probe[tlb.probe_count++] = gpa;
}

static void check_leaf(u64 at, u64 gpa, u64 hpa, u64 size, u32 prot)
{
	struct s2_leaf leaf = { 0 };

	CHECK(s2_lookup(&vm.s2, at, &leaf));
	CHECK_EQ(leaf.gpa, gpa);
	CHECK_EQ(leaf.hpa, hpa);
	CHECK_EQ(leaf.size, size);
	CHECK_EQ(leaf.prot, prot);
}

static bool is_mapped(u64 gpa)
{
	struct s2_leaf leaf;

	return s2_lookup(&vm.s2, gpa, &leaf);
}

TEST(init_refuses_what_the_format_cannot)
{
	tlb_reset();
	CHECK_EQ(tlb_vm_init(&vm, 1, 30, ALL), -EINVAL);
	CHECK_EQ(tlb_vm_init(&vm, 1, 49, ALL), -EINVAL);
	CHECK_EQ(tlb_vm_init(&vm, 1, 256 + 40, ALL), -EINVAL);
	CHECK_EQ(tlb_vm_init(&vm, 1, 40, 0), -EINVAL);
	CHECK_EQ(tlb_vm_init(&vm, 1, 40, M2 | G1), -EINVAL);
	CHECK_EQ(tlb_vm_init(&vm, 1, 40, K4 | G1), -EINVAL);
	tlb.fail_at = 1;
	CHECK_EQ(tlb_vm_init(&vm, 1, 40, ALL), -ENOMEM);
	s2_destroy(&vm.s2);	/* of what failed: nothing to do */
	CHECK_EQ(tlb.pages, 0);
}

TEST(root_has_the_shape_of_ipa_bits)
{
	static const struct { u8 bits, level, order; } shape[] = {
		{ 31, 1, 0 }, { 32, 1, 0 }, { 39, 1, 0 }, { 40, 1, 1 }, { 43, 1, 4 },
		{ 44, 0, 0 }, { 48, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shape); i++) {
		start(shape[i].bits, ~0ULL);
		CHECK_EQ(vm.s2.root_level, shape[i].level);
		CHECK_EQ(vm.s2.root_order, shape[i].order);
		CHECK_EQ(vm.s2.table_pages, 1 << shape[i].order);
		finish();
	}
}

TEST(map_takes_the_largest_blocks)
{
	struct sum sum;

	start(40, ALL);
	/* 4K up to 2M, 2M up to 1G, one 1G, 2M, 4K */
	CHECK_EQ(s2_map(&vm.s2, G1 - M2 - K4, 7 * G1 - M2 - K4, G1 + 2 * M2 + 2 * K4, RWX), 0);
	sum = sum_of(0, ~0ULL);
	CHECK_EQ(sum.count_of[12], 2);
	CHECK_EQ(sum.count_of[21], 2);
	CHECK_EQ(sum.count_of[30], 1);
	check_leaf(G1 - M2 - K4, G1 - M2 - K4, 7 * G1 - M2 - K4, K4, RWX);
	check_leaf(G1 - 1, G1 - M2, 7 * G1 - M2, M2, RWX);
	check_leaf(G1, G1, 7 * G1, G1, RWX);
	check_leaf(2 * G1 + M2, 2 * G1 + M2, 8 * G1 + M2, K4, RWX);
	CHECK(!is_mapped(G1 - M2 - K4 - 1));
	CHECK(!is_mapped(2 * G1 + M2 + K4));
	CHECK_EQ(tlb.flushes, 0);
	CHECK(tlb.syncs >= 1);
	finish();
}

TEST(map_aligns_both_sides)
{
	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, G1, 4 * G1 + M2, G1, RW), 0);		/* 2M in common */
	CHECK_EQ(sum_of(0, ~0ULL).count_of[21], 512);
	CHECK_EQ(s2_map(&vm.s2, 4 * G1, 4 * G1 + K4, 2 * M2, RW), 0);	/* 4K in common */
	CHECK_EQ(sum_of(4 * G1, G1).count_of[12], 1024);
	finish();
}

TEST(map_keeps_to_block_sizes)
{
	start(40, K4 | M2);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, G1, RW), 0);
	CHECK_EQ(sum_of(0, ~0ULL).count_of[21], 512);
	finish();
	start(40, K4);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, 2 * M2, RW), 0);
	CHECK_EQ(sum_of(0, ~0ULL).count_of[12], 1024);
	finish();
}

TEST(arguments_are_checked)
{
	const u64 end = 1ULL << 40;

	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, 1, 0, K4, RW), -EINVAL);
	CHECK_EQ(s2_map(&vm.s2, 0, 0x800, K4, RW), -EINVAL);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, K4 + 1, RW), -EINVAL);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, 0, RW), -EINVAL);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, K4, S2_WRITE), -EINVAL);
	CHECK_EQ(s2_map(&vm.s2, end, 0, K4, RW), -ERANGE);
	CHECK_EQ(s2_map(&vm.s2, end - K4, 0, 2 * K4, RW), -ERANGE);
	CHECK_EQ(s2_map(&vm.s2, K4, 0, -K4, RW), -ERANGE);
	CHECK_EQ(s2_map(&vm.s2, 2 * K4, 0, -K4, RW), -ERANGE);
	CHECK_EQ(s2_map(&vm.s2, 0, 1ULL << 52, K4, RW), -ERANGE);
	CHECK_EQ(s2_map(&vm.s2, 0, (1ULL << 52) - K4, 2 * K4, RW), -ERANGE);
	CHECK_EQ(s2_unmap(&vm.s2, end - K4, 2 * K4), -ERANGE);
	CHECK_EQ(s2_unmap(&vm.s2, 0, 12), -EINVAL);
	CHECK_EQ(s2_protect(&vm.s2, end, K4, RW), -ERANGE);
	CHECK_EQ(s2_protect(&vm.s2, 0, K4, 0), -EINVAL);
	CHECK_EQ(tlb.pages, 2);
	finish();
}

TEST(edges_of_each_address_space)
{
	static const u8 bits[] = { 31, 36, 39, 40, 42, 43, 44, 48 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		u64 end = 1ULL << bits[i], hpa;
		u32 prot;

		start(bits[i], ALL);
		CHECK_EQ(s2_map(&vm.s2, 0, G1, K4, S2_READ), 0);
		CHECK_EQ(s2_map(&vm.s2, end - K4, (1ULL << 52) - K4, K4, RW), 0);
		CHECK_EQ(s2_map(&vm.s2, end - G1, 5 * G1, M2, RWX), 0);
		CHECK_EQ(s2_map(&vm.s2, end / 2 - K4, 5 * G1, K4, RWX), 0);
		check_leaf(end - 1, end - K4, (1ULL << 52) - K4, K4, RW);
		check_leaf(0, 0, G1, K4, S2_READ);
		CHECK(!is_mapped(end));
		CHECK(!is_mapped(~0ULL));
		CHECK(tlb_access(&vm, 0, end - 1, &hpa, &prot));
		CHECK_EQ(hpa, (1ULL << 52) - 1);
		CHECK(tlb_access(&vm, 0, end / 2 - K4, &hpa, &prot));
		CHECK_EQ(hpa, 5 * G1);
		CHECK(!tlb_access(&vm, 0, end - 2 * K4, &hpa, &prot));
		CHECK_EQ(sum_of(end - K4, ~0ULL).count, 1);
		CHECK_EQ(sum_of(end, ~0ULL).count, 0);
		CHECK_EQ(s2_unmap(&vm.s2, 0, end), 0);
		CHECK_EQ(vm.s2.table_pages, 1 << vm.s2.root_order);
		finish();
	}
}

TEST(eexist_leaves_nothing)
{
	unsigned long pages, writes;

	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, G1 + M2, 0, K4, RW), 0);
	pages = tlb.pages;
	writes = tlb.writes;
	CHECK_EQ(s2_map(&vm.s2, 0, 0, 4 * G1, RW), -EEXIST);
	CHECK_EQ(s2_map(&vm.s2, G1 + M2, 0, K4, RW), -EEXIST);
	CHECK_EQ(s2_map(&vm.s2, G1 + M2 - K4, 0, 3 * K4, RW), -EEXIST);
	CHECK_EQ(tlb.pages, pages);
	CHECK_EQ(tlb.writes, writes);
	CHECK_EQ(sum_of(0, ~0ULL).size, K4);
	finish();
}

TEST(enomem_at_each_allocation_of_a_map)
{
	unsigned long k;
	int ret = -ENOMEM;

	start(48, ALL);
	probe_at(G1 - K4);
	probe_at(G1);
	probe_at(3 * G1 + M2);
	for (k = 1; ret == -ENOMEM; k++) {
		tlb.fail_at = k;
		ret = s2_map(&vm.s2, G1 - K4, 5 * G1 - K4, 2 * G1 + M2 + 2 * K4, RW);
		CHECK(ret == 0 || ret == -ENOMEM);
		CHECK_EQ(sum_of(0, ~0ULL).size, ret ? 0 : 2 * G1 + M2 + 2 * K4);
		if (ret)
			CHECK_EQ(vm.s2.table_pages, 1);
		tlb_check(&vm);
	}
	CHECK_EQ(k - 1, 6);	/* level 1, then levels 2 and 3 at both ends: 5 tables */
	CHECK_EQ(sum_of(0, ~0ULL).count_of[30], 2);
	finish();
}

TEST(enomem_of_a_split_unmaps_nothing)
{
	unsigned long k;
	int ret = -ENOMEM;

	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, 4 * G1, RW), 0);
	probe_at(0);
	probe_at(K4);
	probe_at(3 * G1);
	for (k = 1; ret == -ENOMEM; k++) {
		tlb.fail_at = k;
		ret = k % 2 ? s2_unmap(&vm.s2, K4, 3 * G1) :
			      s2_protect(&vm.s2, K4, 3 * G1, S2_READ);
		if (ret)
			CHECK_EQ(sum_of(0, ~0ULL).size, 4 * G1);
		check_leaf(0, 0, 0, sum_of(0, K4).size, RW);
		tlb_check(&vm);
	}
	finish();
}

TEST(unmap_splits_what_reaches_out)
{
	u64 hpa;
	u32 prot;

	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, 0, 8 * G1, 2 * G1, RWX), 0);
	probe_at(M2 + K4);
	probe_at(M2);
	probe_at(G1 - 1);
	probe_at(G1);
	CHECK(tlb_access(&vm, 1, M2 + K4, &hpa, &prot));
	CHECK_EQ(s2_unmap(&vm.s2, M2 + K4, K4), 0);
	CHECK(!tlb_access(&vm, 1, M2 + K4, &hpa, &prot));
	CHECK(tlb_access(&vm, 1, M2 + 2 * K4 + 5, &hpa, &prot));
	CHECK_EQ(hpa, 8 * G1 + M2 + 2 * K4 + 5);
	check_leaf(M2, M2, 8 * G1 + M2, K4, RWX);
	check_leaf(0, 0, 8 * G1, M2, RWX);
	check_leaf(G1, G1, 9 * G1, G1, RWX);
	CHECK_EQ(sum_of(0, ~0ULL).size, 2 * G1 - K4);
	CHECK_EQ(sum_of(0, G1).count_of[12], 511);
	CHECK_EQ(tlb.flush_gpa, M2 + K4);
	CHECK_EQ(tlb.flush_size, K4);
	finish();
}

TEST(unmap_flushes_once_and_frees_empty_tables)
{
	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, M2, K4, M2, RW), 0);
	CHECK_EQ(s2_map(&vm.s2, G1, 0, 2 * M2, RW), 0);
	probe_at(M2);
	probe_at(G1);
	tlb.flushes = 0;
	CHECK_EQ(s2_unmap(&vm.s2, 0, 4 * G1), 0);
	CHECK_EQ(tlb.flushes, 1);
	CHECK_EQ(vm.s2.table_pages, 2);
	CHECK_EQ(s2_unmap(&vm.s2, 0, 4 * G1), 0);	/* a hole */
	CHECK_EQ(tlb.flushes, 1);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, G1, RW), 0);	/* where tables were, a block fits again */
	CHECK_EQ(sum_of(0, ~0ULL).count, 1);
	finish();
}

TEST(unmap_of_whole_blocks_splits_none)
{
	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, 3 * G1, RW), 0);
	tlb.fail_at = 1;
	CHECK_EQ(s2_unmap(&vm.s2, G1, G1), 0);
	CHECK_EQ(sum_of(0, ~0ULL).count, 2);
	CHECK_EQ(vm.s2.table_pages, 2);
	finish();
}

TEST(protect_changes_permissions_alone)
{
	u64 hpa;
	u32 prot;

	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, 0, 4 * G1, G1, RWX), 0);
	CHECK_EQ(s2_map(&vm.s2, G1, 6 * G1, M2, RW | S2_DEVICE), 0);
	probe_at(M2);
	probe_at(2 * M2);
	probe_at(G1);
	CHECK_EQ(s2_protect(&vm.s2, M2, G1, S2_READ), 0);
	check_leaf(0, 0, 4 * G1, M2, RWX);
	check_leaf(M2, M2, 4 * G1 + M2, M2, S2_READ);
	check_leaf(G1, G1, 6 * G1, M2, S2_READ | S2_DEVICE);
	CHECK(tlb_access(&vm, 0, M2, &hpa, &prot));
	CHECK_EQ(prot, S2_READ);
	tlb.flushes = 0;
	CHECK_EQ(s2_protect(&vm.s2, M2, G1, S2_READ), 0);	/* as it is */
	CHECK_EQ(s2_protect(&vm.s2, 8 * G1, G1, S2_READ), 0);	/* a hole */
	CHECK_EQ(tlb.flushes, 0);
	finish();
}

static int stop_at(const struct s2_leaf *leaf, void *arg)
{
	unsigned int *count = arg;

	return ++*count == 3 ? 42 : 0;
}

TEST(for_each_stops_and_clips)
{
	unsigned int count = 0;

	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, 0, M2 + K4, 8 * K4, RW), 0);
	CHECK_EQ(s2_for_each_leaf(&vm.s2, 0, ~0ULL, stop_at, &count), 42);
	CHECK_EQ(count, 3);
	CHECK_EQ(sum_of(K4 + 1, K4).count, 2);
	CHECK_EQ(sum_of(K4, K4).count, 1);
	CHECK_EQ(sum_of(K4, 0).count, 0);
	finish();
}

TEST(vms_have_their_own_translations)
{
	struct tlb_vm other;
	u64 hpa;
	u32 prot;

	start(40, ALL);
	CHECK_EQ(tlb_vm_init(&other, 2, 40, ALL), 0);
	CHECK_EQ(s2_map(&vm.s2, 0, G1, K4, RW), 0);
	CHECK_EQ(s2_map(&other.s2, 0, 2 * G1, K4, RW), 0);
	CHECK(tlb_access(&vm, 0, 0, &hpa, &prot));
	CHECK_EQ(hpa, G1);
	CHECK(tlb_access(&other, 0, 0, &hpa, &prot));
	CHECK_EQ(hpa, 2 * G1);
	CHECK_EQ(s2_unmap(&vm.s2, 0, K4), 0);
	CHECK(!tlb_access(&vm, 0, 0, &hpa, &prot));
	CHECK(tlb_access(&other, 0, 0, &hpa, &prot));
	tlb_check(&other);
	tlb_vm_destroy(&other);
	finish();
}

/* The MMU itself: mistakes that it is there to catch are caught. */
TEST(the_fake_tlb_sees_mistakes)
{
	u64 *entry, old, hpa;
	u32 prot;

	start(40, ALL);
	CHECK_EQ(s2_map(&vm.s2, 0, 0, 2 * G1, RW), 0);
	CHECK(tlb_access(&vm, 0, 0, &hpa, &prot));
	entry = vm.s2.root;
	old = entry[0];
	WRITE_ONCE(entry[0], 0);			/* no flush: stale */
	tlb_check(&vm);
	CHECK_EQ(tlb.violations, 1);
	WRITE_ONCE(entry[0], entry[1]);			/* another output, still no flush */
	CHECK_EQ(tlb.violations, 2);
	WRITE_ONCE(entry[0], old);			/* and while it is live */
	CHECK_EQ(tlb.violations, 3);
	WRITE_ONCE(entry[2], 0xb4ULL << 56 | 1);	/* rubbish */
	CHECK_EQ(tlb.violations, 4);
	WRITE_ONCE(entry[2], 0);
	tlb.violations = 0;
	tlb_forget(1);
	finish();
}
