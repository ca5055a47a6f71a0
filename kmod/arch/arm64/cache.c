// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache maintenance. A guest starts with its MMU and caches off: what it reads then comes from
 * memory, past what the host has written into its caches. Without FEAT_S2FWB every byte that the
 * guest can reach is cleaned and invalidated to the point of coherency before the first entry, and
 * again when it goes: what a guest wrote past the caches is what its owner reads then.
 *
 * With FEAT_S2FWB the guest's accesses are write-back cacheable from the start (HCR_EL2.FWB,
 * s2pte.h), and it comes with CTR_EL0.IDC: only instruction caches are left to care for.
 */
#include <linux/io.h>
#include <linux/sched.h>
#include <asm/barrier.h>
#include <asm/cache.h>
#include <asm/cputype.h>

#include "arm64.h"

/* CTR_EL0.DminLine: log2 of words in the smallest data cache line of this system. */
static u64 line_size(void)
{
	return 4ULL << ((read_sanitised_ftr_reg(SYS_CTR_EL0) >> 16) & 15);
}

/* Eight lines a turn where there are as many: all of a VM's memory comes by here, twice a boot. */
void arm64_cache_clean_range(u64 hpa, u64 size)
{
	u64 line = line_size();
	char *p = phys_to_virt(hpa), *end = p + size;

	for (; end - p >= 8 * (long)line; p += line)
		asm volatile(".rept 7\n dc civac, %0\n add %0, %0, %1\n .endr\n dc civac, %0"
			     : "+r"(p) : "r"(line) : "memory");
	for (; p < end; p += line)
		asm volatile("dc civac, %0" : : "r"(p) : "memory");
}

static int leaf_clean(const struct s2_leaf *leaf, void *arg)
{
	struct qvm_vm *vm = arg;
	u64 done;

	for (done = 0; done < leaf->size; done += min(leaf->size - done, (u64)SZ_2M)) {
		arm64_cache_clean_range(leaf->hpa + done, min(leaf->size - done, (u64)SZ_2M));
		cond_resched();
	}
	atomic64_add(leaf->size, &vm->cleaned);
	return 0;
}

/* A killed thread's guest needs it no more; what is left is cleaned when its memory goes. */
static int leaf_clean_for_guest(const struct s2_leaf *leaf, void *arg)
{
	return fatal_signal_pending(current) ? -EINTR : leaf_clean(leaf, arg);
}

/* What was written is fetched by no CPU as it was before. */
static void fetch_sync(void)
{
	dsb(sy);
	if (!arm64_host.dic || arm64_has_fix(ARM64_FIX_IC_DESPITE_DIC))
		asm volatile("ic ialluis" : : : "memory");
	dsb(ish);
	isb();
}

void qvm_arch_s2_clean(struct qvm_vm *vm, u64 gpa, u64 size)
{
	if (!arm64_host.has_fwb)
		s2_for_each_leaf(&vm->s2, gpa, size, leaf_clean, vm);
	fetch_sync();
}

void qvm_arch_s2_clean_hpa(struct qvm_vm *vm, u64 hpa, u64 size)
{
	if (!arm64_host.has_fwb) {
		arm64_cache_clean_range(hpa, size);
		atomic64_add(size, &vm->cleaned);
	}
	fetch_sync();
}

static void clean_regions(struct qvm_vm *vm, int (*visit)(const struct s2_leaf *leaf, void *arg))
{
	unsigned int i;

	for (i = 0; i < vm->region_count && !arm64_host.has_fwb; i++)
		s2_for_each_leaf(&vm->s2, vm->region[i].gpa, vm->region[i].size, visit, vm);
	fetch_sync();
}

void qvm_arch_s2_clean_all(struct qvm_vm *vm)
{
	clean_regions(vm, leaf_clean);
}

void arm64_cache_clean_for_guest(struct qvm_vm *vm)
{
	down_read(&vm->s2_lock);
	clean_regions(vm, leaf_clean_for_guest);
	up_read(&vm->s2_lock);
}
