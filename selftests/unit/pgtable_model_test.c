// SPDX-License-Identifier: GPL-2.0-only
// LINK: kmod/pgtable.c selftests/unit/fake/tlb.c
/*
 * Random operations of kmod/pgtable.c against a flat model. All of them begin and end at points of a list, so the
 * model is one state for each cell between two points.
 */
#include <stdlib.h>

#include "pgtable_vm.h"

#define CELLS_MAX	64
#define ROUNDS		100000

static struct {
	u64 point[CELLS_MAX + 1];
	unsigned int count;			/* cells */
	struct {
		bool mapped;
		u64 offset;			/* hpa - gpa */
		u32 prot;
	} cell[CELLS_MAX];
} model;

static u64 seed;

static u64 rnd(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static int cmp_u64(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

static void model_init(u64 end)
{
	const u64 centre[] = {
		M2, 2 * M2, G1, G1 + M2, 2 * G1, 3 * G1, end / 2, end - 2 * G1, end - G1,
	};
	unsigned int i, count = 0;

	memset(&model, 0, sizeof(model));
	model.point[count++] = 0;
	for (i = 0; i < ARRAY_SIZE(centre); i++) {
		model.point[count++] = centre[i] - (1 + rnd(511)) * K4;
		model.point[count++] = centre[i];
		model.point[count++] = centre[i] + (1 + rnd(511)) * K4;
		model.point[count++] = centre[i] + M2 * (3 + rnd(500));
	}
	model.point[count++] = end;
	qsort(model.point, count, sizeof(u64), cmp_u64);
	for (i = 1, model.count = 0; i < count; i++) {
		if (model.point[i] != model.point[model.count])
			model.point[++model.count] = model.point[i];
	}
}

static bool model_has(unsigned int first, unsigned int last)
{
	for (; first <= last; first++) {
		if (model.cell[first].mapped)
			return true;
	}
	return false;
}

static u64 model_size(void)
{
	unsigned int i;
	u64 size = 0;

	for (i = 0; i < model.count; i++)
		size += model.cell[i].mapped ? model.point[i + 1] - model.point[i] : 0;
	return size;
}

static void check_address(unsigned int cell, u64 gpa)
{
	struct s2_leaf leaf;
	bool mapped = s2_lookup(&vm.s2, gpa, &leaf);

	CHECK_EQ(mapped, model.cell[cell].mapped);
	if (!mapped || !model.cell[cell].mapped)
		return;
	CHECK_EQ(leaf.hpa - leaf.gpa, model.cell[cell].offset);
	CHECK_EQ(leaf.prot, model.cell[cell].prot);
	CHECK(gpa - leaf.gpa < leaf.size);
}

static void check_cell(unsigned int cell)
{
	u64 size = model.point[cell + 1] - model.point[cell], hpa = 0;
	u64 gpa = model.point[cell] + rnd(size);
	u32 prot = 0;

	check_address(cell, model.point[cell]);
	check_address(cell, model.point[cell + 1] - 1);
	check_address(cell, gpa);
	CHECK_EQ(tlb_access(&vm, rnd(TLB_PCPUS), gpa, &hpa, &prot), model.cell[cell].mapped);
	if (model.cell[cell].mapped) {
		CHECK_EQ(hpa, gpa + model.cell[cell].offset);
		CHECK_EQ(prot, model.cell[cell].prot);
	}
}

/* A difference that lets blocks of some size be used, so that tables stay few. */
static u64 random_offset(u64 size)
{
	u64 unit = size <= 2 * M2 ? K4 : size <= 4 * G1 ? M2 : G1;

	unit = rnd(2) ? unit : G1;
	return rnd((1ULL << 40) / unit) * unit;
}

static void do_map(unsigned int first, unsigned int last)
{
	u64 gpa = model.point[first], size = model.point[last + 1] - gpa;
	u64 offset = random_offset(size);
	u32 prot = S2_READ | rnd(8) << 1;
	int want = model_has(first, last) ? -EEXIST : 0;
	int ret = s2_map(&vm.s2, gpa, gpa + offset, size, prot);

	CHECK(ret == want || (ret == -ENOMEM && !want));
	for (; !ret && first <= last; first++) {
		model.cell[first].mapped = true;
		model.cell[first].offset = offset;
		model.cell[first].prot = prot;
	}
}

static void do_unmap(unsigned int first, unsigned int last)
{
	u64 gpa = model.point[first];
	int ret = s2_unmap(&vm.s2, gpa, model.point[last + 1] - gpa);

	CHECK(!ret || ret == -ENOMEM);
	for (; !ret && first <= last; first++)
		model.cell[first].mapped = false;
}

static void do_protect(unsigned int first, unsigned int last)
{
	u64 gpa = model.point[first];
	u32 prot = S2_READ | rnd(4) << 1;
	int ret = s2_protect(&vm.s2, gpa, model.point[last + 1] - gpa, prot);

	CHECK(!ret || ret == -ENOMEM);
	for (; !ret && first <= last; first++)
		model.cell[first].prot = prot | (model.cell[first].prot & S2_DEVICE);
}

static void random_round(void)
{
	unsigned int first = rnd(model.count), last = first + rnd(rnd(4) ? 2 : 8);

	last = min(last, model.count - 1);
	tlb.fail_at = rnd(8) ? 0 : 1 + rnd(4);
	switch (rnd(4)) {
	case 0:
	case 1:
		do_map(first, last);
		break;
	case 2:
		do_unmap(first, last);
		break;
	default:
		do_protect(first, last);
	}
	tlb.fail_at = 0;
	check_cell(first);
	check_cell(last);
	check_cell(rnd(model.count));
}

static void new_probes(void)
{
	unsigned int i;

	tlb_check(&vm);
	tlb_forget(vm.vmid);
	tlb.probe_count = TLB_PROBES;
	for (i = 0; i < TLB_PROBES; i++)
		tlb.probe[i] = model.point[rnd(model.count)] + rnd(2) * K4;
}

static void random_run(unsigned int ipa_bits, u64 block_sizes)
{
	unsigned int round, i;

	start(ipa_bits, block_sizes);
	seed = 0x9e3779b97f4a7c15ULL + ipa_bits;
	model_init(1ULL << ipa_bits);
	for (round = 0; round < ROUNDS / 4 && !unit_failures && !tlb.violations; round++) {
		if (round % 64 == 0)
			new_probes();
		random_round();
		if (round % 16)
			continue;
		tlb_check(&vm);
		for (i = 0; i < model.count; i++)
			check_cell(i);
		CHECK_EQ(sum_of(0, ~0ULL).size, model_size());
	}
	CHECK_EQ(round, ROUNDS / 4);
	CHECK_EQ(s2_unmap(&vm.s2, 0, 1ULL << ipa_bits), 0);
	CHECK_EQ(vm.s2.table_pages, 1 << vm.s2.root_order);
	finish();
}

TEST(random_against_a_model_34_bits)
{
	random_run(34, ALL);
}

TEST(random_against_a_model_concatenated_root)
{
	random_run(40, ALL);
}

TEST(random_against_a_model_widest_root)
{
	random_run(43, ALL);
}

TEST(random_against_a_model_48_bits)
{
	random_run(48, ALL);
}
