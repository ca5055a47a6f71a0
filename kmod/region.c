// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: ranges of guest physical address with the launcher's memory behind them, pinned and
 * mapped when they are added, or (lazy, discarded) when the guest touches it: fault.c. What is pinned
 * is read back from the stage-2 leaves; no list of pages is kept beside them.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "arch.h"
#include "stats.h"

#define PIN_BATCH_SIZE	SZ_2M
#define PIN_BATCH	(PIN_BATCH_SIZE / PAGE_SIZE)	/* pages at a time: bounds latency */

/* Physically contiguous memory that is pinned and not mapped yet. */
struct run {
	u64 gpa, hpa, size;
};

static const u32 kind_prot[] = {
	[QVM_REGION_RAM] = S2_READ | S2_WRITE | S2_EXEC,
	[QVM_REGION_ROM] = S2_READ | S2_EXEC,
	[QVM_REGION_SHARED] = 0,	/* a window: what is mapped in it is share.c's */
};

void qvm_region_unpin(u64 hpa, u64 size)
{
	unpin_user_page_range_dirty_lock(pfn_to_page(PHYS_PFN(hpa)), size >> PAGE_SHIFT, true);
	atomic_long_sub(size >> PAGE_SHIFT, &qvm_pinned_pages);
}

static int run_map(struct qvm_vm *vm, struct run *run, u32 prot)
{
	int ret;

	if (!run->size)
		return 0;
	ret = s2_map(&vm->s2, run->gpa, run->hpa, run->size, prot);
	if (ret)
		return ret;
	run->gpa += run->size;
	run->size = 0;
	return 0;
}

/* Take @count pinned pages into the run; map what is before a gap in physical memory. */
static int run_extend(struct qvm_vm *vm, struct run *run, struct page **pages, long count, u32 prot)
{
	long i;

	for (i = 0; i < count; i++) {
		u64 hpa = page_to_phys(pages[i]);

		if (run->size && hpa != run->hpa + run->size) {
			int ret = run_map(vm, run, prot);

			if (ret) {
				unpin_user_pages(pages + i, count - i);
				atomic_long_sub(count - i, &qvm_pinned_pages);
				return ret;
			}
		}
		if (!run->size)
			run->hpa = hpa;
		run->size += PAGE_SIZE;
	}
	return 0;
}

/* Pin and map. On error run->gpa tells how far the tables go; nothing unmapped stays pinned. */
static int pin_and_map(struct qvm_vm *vm, const struct qvm_region *param, struct page **pages,
		       struct run *run)
{
	u32 prot = qvm_arch_s2_prot(kind_prot[param->kind]);
	u64 hva = param->hva, end = param->hva + param->size;
	int ret = 0;

	while (hva < end && !ret) {
		/* Stop at the next 2 MiB of hva, where a huge page may begin. */
		u64 size = min(end, ALIGN_DOWN(hva + PIN_BATCH_SIZE, PIN_BATCH_SIZE)) - hva;
		long count = pin_user_pages_fast(hva, size >> PAGE_SHIFT,
						 FOLL_WRITE | FOLL_LONGTERM, pages);

		if (count <= 0)
			ret = count ?: -EFAULT;
		if (!ret) {
			atomic_long_add(count, &qvm_pinned_pages);
			ret = run_extend(vm, run, pages, count, prot);
			hva += count << PAGE_SHIFT;
		}
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	if (!ret)
		ret = run_map(vm, run, prot);
	if (ret && run->size)
		qvm_region_unpin(run->hpa, run->size);
	return ret;
}

int qvm_region_map(struct qvm_vm *vm, u64 gpa, struct page **pages, long count, u32 prot)
{
	struct run run = { .gpa = gpa };
	int ret = run_extend(vm, &run, pages, count, prot) ?: run_map(vm, &run, prot);

	if (ret && run.size)
		qvm_region_unpin(run.hpa, run.size);
	return ret;
}

static int leaf_unpin(const struct s2_leaf *leaf, void *arg)
{
	qvm_region_unpin(leaf->hpa, leaf->size);
	cond_resched();
	return 0;
}

static void region_release(struct qvm_vm *vm, u64 gpa, u64 size)
{
	if (!size)
		return;
	s2_for_each_leaf(&vm->s2, gpa, size, leaf_unpin, NULL);
	/* No block reaches out of a region, so nothing is split and this can't fail. */
	WARN_ON(s2_unmap(&vm->s2, gpa, size));
}

static int leaf_count(const struct s2_leaf *leaf, void *arg)
{
	u64 *blocks = arg;

	blocks[leaf->size >= SZ_1G ? 2 : leaf->size >= SZ_2M ? 1 : 0]++;
	return 0;
}

static unsigned int region_slot(const struct qvm_vm *vm, u64 gpa)
{
	unsigned int i = 0;

	while (i < vm->region_count && vm->region[i].gpa < gpa)
		i++;
	return i;
}

static bool region_overlaps(const struct qvm_vm *vm, u64 gpa, u64 size)
{
	unsigned int i;

	for (i = 0; i < vm->region_count; i++)
		if (gpa < vm->region[i].gpa + vm->region[i].size && vm->region[i].gpa < gpa + size)
			return true;
	return qvm_bus_overlaps(&vm->bus, gpa, size);
}

static int region_check(const struct qvm_vm *vm, const struct qvm_region *param)
{
	u64 end;

	if (qvm_vm_state(vm) != QVM_VM_BUILDING)
		return -EBUSY;
	if (param->flags == QVM_REGION_F_DIRTY_LOG)
		return -EOPNOTSUPP;
	if (param->flags & ~QVM_REGION_F_LAZY || param->as_id ||
	    memchr_inv(param->reserved, 0, sizeof(param->reserved)))
		return -EINVAL;
	if (!param->kind || param->kind >= ARRAY_SIZE(kind_prot))
		return -EINVAL;
	if (param->kind == QVM_REGION_SHARED && param->hva)
		return -EINVAL;
	if (param->flags & QVM_REGION_F_LAZY && param->kind != QVM_REGION_RAM)
		return -EINVAL;
	if (!param->size || !PAGE_ALIGNED(param->gpa | param->size | param->hva))
		return -EINVAL;
	if (check_add_overflow(param->gpa, param->size, &end) || end > BIT_ULL(vm->ipa_bits))
		return -ERANGE;
	if (check_add_overflow(param->hva, param->size, &end) || end > TASK_SIZE)
		return -EFAULT;
	if (region_overlaps(vm, param->gpa, param->size))
		return -EEXIST;
	return vm->region_count < QVM_MAX_REGIONS ? 0 : -ENOSPC;
}

static void region_insert(struct qvm_vm *vm, const struct qvm_region *param)
{
	unsigned int slot = region_slot(vm, param->gpa);

	memmove(&vm->region[slot + 1], &vm->region[slot],
		(vm->region_count - slot) * sizeof(vm->region[0]));
	vm->region[slot] = (struct qvm_mem){ param->gpa, param->size, param->hva, param->kind };
	vm->region_count++;
}

static int region_fill(struct qvm_vm *vm, const struct qvm_region *param)
{
	struct run run = { .gpa = param->gpa };
	struct page **pages = kvmalloc_array(PIN_BATCH, sizeof(*pages), GFP_KERNEL);
	int ret = pages ? pin_and_map(vm, param, pages, &run) : -ENOMEM;

	kvfree(pages);
	if (ret)
		region_release(vm, param->gpa, run.gpa - param->gpa);
	return ret;
}

int qvm_region_add(struct qvm_vm *vm, struct qvm_region *param)
{
	int ret = region_check(vm, param);

	if (ret)
		return ret;
	memset(param->blocks, 0, sizeof(param->blocks));
	if (param->kind == QVM_REGION_SHARED) {
		region_insert(vm, param);
		return 0;
	}
	ret = account_locked_vm(vm->mm, param->size >> PAGE_SHIFT, true);
	if (ret)
		return ret == -ENOMEM ? -EPERM : ret;
	if (!(param->flags & QVM_REGION_F_LAZY))
		ret = region_fill(vm, param);
	if (ret) {
		account_locked_vm(vm->mm, param->size >> PAGE_SHIFT, false);
		return ret;
	}
	region_insert(vm, param);
	vm->pinned += param->size;
	s2_for_each_leaf(&vm->s2, param->gpa, param->size, leaf_count, param->blocks);
	return 0;
}

const struct qvm_mem *qvm_region_find(const struct qvm_vm *vm, u64 gpa)
{
	unsigned int low = 0, high = vm->region_count;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct qvm_mem *mem = &vm->region[mid];

		if (gpa < mem->gpa)
			high = mid;
		else if (gpa - mem->gpa >= mem->size)
			low = mid + 1;
		else
			return mem;
	}
	return NULL;
}

void qvm_region_release_all(struct qvm_vm *vm)
{
	bool broken = vm->end.exit_reason == QVM_EXIT_FATAL && vm->end.event == QVM_FATAL_MEMORY;

	/* It may have run; but what of it is broken has its lines cleaned by nobody. */
	if (vm->region_count && READ_ONCE(vm->started) && !broken)
		qvm_arch_s2_clean_all(vm);
	while (vm->region_count) {
		const struct qvm_mem *mem = &vm->region[--vm->region_count];

		if (mem->kind == QVM_REGION_SHARED)
			continue;
		region_release(vm, mem->gpa, mem->size);
		account_locked_vm(vm->mm, mem->size >> PAGE_SHIFT, false);
		vm->pinned -= mem->size;
	}
}
