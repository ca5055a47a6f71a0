// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that comes and goes while a VM runs: touched for the first time (lazy, or discarded before),
 * discarded, failed, or gone with its owner's address space.
 *
 * Pages are pinned before s2_lock is taken, for pinning takes locks of the mm. Whoever finds the
 * range mapped then was slower, and drops its pins.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "arch.h"
#include "share.h"
#include "stats.h"

#define CHUNK_PAGES	(SZ_2M / PAGE_SIZE)	/* handled at once: bounds latency */

struct gpa_range {
	u64 gpa, size;		/* bytes */
};

static int visit_any(const struct s2_leaf *leaf, void *arg)
{
	return 1;
}

static bool is_mapped(struct qvm_vm *vm, const struct gpa_range *range)
{
	return s2_for_each_leaf(&vm->s2, range->gpa, range->size, visit_any, NULL);
}

/* ---- memory that failed ---- */

static bool page_failed(u64 hpa)
{
	return is_page_hwpoison(pfn_to_page(PHYS_PFN(hpa)));
}

static bool range_failed(u64 hpa, u64 size)
{
	u64 done = 0;

	while (done < size && !page_failed(hpa + done))
		done += PAGE_SIZE;
	return done < size;
}

static int visit_failed(const struct s2_leaf *leaf, void *arg)
{
	u64 *gpa = arg, done;

	for (done = 0; done < leaf->size; done += PAGE_SIZE) {
		if (page_failed(leaf->hpa + done)) {
			*gpa = leaf->gpa + done;
			return 1;
		}
	}
	return 0;
}

/* s2_lock is held. Nobody knows what the guest has lost: a safe state. */
static void failed_find(struct qvm_vm *vm, u64 gpa, u64 size)
{
	u64 failed;

	if (s2_for_each_leaf(&vm->s2, gpa, size, visit_failed, &failed))
		qvm_vm_end_memory(vm, failed);
}

void qvm_s2_write_done(struct qvm_vm *vm)
{
	unsigned int i;

	up_write(&vm->s2_lock);
	/* Pairs with notifier_lock(): it sees the lock free, or we see its request. */
	smp_mb();
	/* A region that is coming is not in the list yet: qvm_vm_assemble() looks. */
	if (!atomic_read(&vm->poison_check) || qvm_vm_state(vm) == QVM_VM_BUILDING ||
	    !atomic_xchg(&vm->poison_check, 0))
		return;
	down_read(&vm->s2_lock);
	for (i = 0; i < vm->region_count; i++)
		failed_find(vm, vm->region[i].gpa, vm->region[i].size);
	up_read(&vm->s2_lock);
}

void qvm_region_check_all(struct qvm_vm *vm)
{
	unsigned int i;
	u64 done;

	for (i = 0; i < vm->region_count; i++) {
		const struct qvm_mem *mem = &vm->region[i];

		for (done = 0; done < mem->size; done += min_t(u64, SZ_1G, mem->size - done)) {
			down_read(&vm->s2_lock);
			failed_find(vm, mem->gpa + done, min_t(u64, SZ_1G, mem->size - done));
			up_read(&vm->s2_lock);
			cond_resched();
		}
	}
}

/* ---- the guest touches what is not there ---- */

/* All of the 2 MiB around it if nothing of them is there, so that a block may map them. */
static struct gpa_range fault_range(struct qvm_vm *vm, const struct qvm_mem *mem, u64 gpa)
{
	struct gpa_range chunk = { ALIGN_DOWN(gpa, SZ_2M), SZ_2M };

	if (chunk.gpa >= mem->gpa && chunk.gpa + chunk.size <= mem->gpa + mem->size &&
	    IS_ALIGNED(mem->hva - mem->gpa, SZ_2M) && !is_mapped(vm, &chunk))
		return chunk;
	return (struct gpa_range){ ALIGN_DOWN(gpa, PAGE_SIZE), PAGE_SIZE };
}

static long pin(u64 hva, struct page **pages, long count)
{
	long pinned = pin_user_pages_fast(hva, count, FOLL_WRITE | FOLL_LONGTERM, pages);

	if (pinned > 0)
		atomic_long_add(pinned, &qvm_pinned_pages);
	return pinned ?: -EFAULT;
}

static void drop(struct page **pages, long count)
{
	unpin_user_pages(pages, count);
	atomic_long_sub(count, &qvm_pinned_pages);
}

static int check_and_clean(struct qvm_vm *vm, struct page **pages, long count)
{
	long i, first = 0;

	for (i = 0; i < count; i++)
		if (page_failed(page_to_phys(pages[i])))
			return -EHWPOISON;
	for (i = 1; i <= count; i++) {
		u64 hpa = page_to_phys(pages[first]), size = (u64)(i - first) << PAGE_SHIFT;

		if (i < count && page_to_phys(pages[i]) == hpa + size)
			continue;
		qvm_arch_s2_clean_hpa(vm, hpa, size);
		first = i;
	}
	return 0;
}

/*
 * Takes the pins over, or drops them. @discards: of the VM, before they were pinned: they may be of what
 * was discarded since, and the owner has others there by now.
 */
static int fault_map(struct qvm_vm *vm, u64 gpa, struct page **pages, long count, u64 discards)
{
	struct gpa_range range = { gpa, (u64)count << PAGE_SHIFT };
	int ret;

	down_write(&vm->s2_lock);
	/* Another vCPU was faster, or a discard: the guest runs its access again and finds it, or comes back. */
	if (vm->discards != discards || is_mapped(vm, &range)) {
		drop(pages, count);
		ret = 0;
	} else {
		ret = qvm_region_map(vm, gpa, pages, count,
				     qvm_arch_s2_prot(S2_READ | S2_WRITE | S2_EXEC));
		/* Marked since it was looked at, when a notifier did not find it mapped. */
		smp_mb();
		if (!ret)
			failed_find(vm, range.gpa, range.size);
	}
	qvm_s2_write_done(vm);
	return ret;
}

static int fault_fill(struct qvm_vm *vm, const struct qvm_mem *mem, const struct gpa_range *range,
		      struct page **pages, u64 discards)
{
	long count = pin(range->gpa - mem->gpa + mem->hva, pages, range->size >> PAGE_SHIFT);
	int ret;

	if (count < 0)
		return count;
	ret = check_and_clean(vm, pages, count);
	if (ret) {
		drop(pages, count);
		return ret;
	}
	return fault_map(vm, range->gpa, pages, count, discards);
}

static int fault_once(struct qvm_vm *vm, const struct qvm_mem *mem, u64 gpa)
{
	struct page **pages;
	struct gpa_range range;
	struct s2_leaf leaf;
	u64 discards;
	bool found;
	int ret;

	down_read(&vm->s2_lock);
	/* It may be there: apart for a moment, or another vCPU was faster. */
	found = s2_lookup(&vm->s2, gpa, &leaf);
	range = fault_range(vm, mem, gpa);
	discards = vm->discards;
	up_read(&vm->s2_lock);
	if (found)
		return 0;
	pages = kmalloc_array(range.size >> PAGE_SHIFT, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	ret = fault_fill(vm, mem, &range, pages, discards);
	/* What fails of 2 MiB need not be what the guest touched. */
	if (ret && range.size > PAGE_SIZE && !fatal_signal_pending(current)) {
		range = (struct gpa_range){ ALIGN_DOWN(gpa, PAGE_SIZE), PAGE_SIZE };
		ret = fault_fill(vm, mem, &range, pages, discards);
	}
	kfree(pages);
	return ret;
}

/*
 * Memory that can't be pinned now, for somebody uses it where it must not stay (CMA, ZONE_MOVABLE) or there is
 * none, but a moment later.
 */
static bool is_transient(int error)
{
	return error == -EAGAIN || error == -EBUSY || error == -ENOMEM;
}

int qvm_region_fault(struct qvm_vm *vm, u64 gpa)
{
	const struct qvm_mem *mem = qvm_region_find(vm, gpa);
	unsigned int tries = HZ;
	int ret;

	if (!mem || mem->kind != QVM_REGION_RAM)
		return -EFAULT;
	while (is_transient(ret = fault_once(vm, mem, gpa)) && tries--) {
		/* who wants the thread is heard first, and the guest runs its access again */
		if (signal_pending(current))
			return 0;
		schedule_timeout_interruptible(1);
	}
	return ret && fatal_signal_pending(current) ? 0 : ret;
}

/* ---- discard ---- */

struct discard {
	struct gpa_range range;
	unsigned int count;
	struct {
		u64 hpa, size;
	} part[CHUNK_PAGES];
};

/* The part of a leaf that the range covers. */
static int visit_collect(const struct s2_leaf *leaf, void *arg)
{
	struct discard *discard = arg;
	u64 first = max(leaf->gpa, discard->range.gpa);
	u64 end = min(leaf->gpa + leaf->size, discard->range.gpa + discard->range.size);

	discard->part[discard->count].hpa = leaf->hpa + (first - leaf->gpa);
	discard->part[discard->count++].size = end - first;
	return 0;
}

/* At most a chunk. Nothing reads or writes it through stage 2 any more when it is unpinned. */
static int discard_chunk(struct qvm_vm *vm, struct discard *discard)
{
	unsigned int i;
	int ret;

	discard->count = 0;
	down_write(&vm->s2_lock);
	vm->discards++;
	s2_for_each_leaf(&vm->s2, discard->range.gpa, discard->range.size, visit_collect, discard);
	ret = discard->count ? s2_unmap(&vm->s2, discard->range.gpa, discard->range.size) : 0;
	qvm_s2_write_done(vm);
	if (ret)
		return ret;
	for (i = 0; i < discard->count; i++) {
		/* A broken page is read and written by nobody, nor are its lines cleaned. */
		if (!range_failed(discard->part[i].hpa, discard->part[i].size))
			qvm_arch_s2_clean_hpa(vm, discard->part[i].hpa, discard->part[i].size);
		qvm_region_unpin(discard->part[i].hpa, discard->part[i].size);
	}
	return 0;
}

static int discard_check(const struct qvm_vm *vm, const struct qvm_discard *param)
{
	const struct qvm_mem *mem;

	if (qvm_vm_state(vm) == QVM_VM_BUILDING)
		return -EAGAIN;
	if (qvm_vm_state(vm) == QVM_VM_ENDED)
		return -ESHUTDOWN;
	if (param->flags || param->reserved)
		return -EINVAL;
	if (!param->size || !PAGE_ALIGNED(param->gpa | param->size))
		return -EINVAL;
	mem = qvm_region_find(vm, param->gpa);
	if (!mem || mem->kind != QVM_REGION_RAM || param->size > mem->size - (param->gpa - mem->gpa))
		return -ENOENT;
	return 0;
}

int qvm_region_discard(struct qvm_vm *vm, const struct qvm_discard *param)
{
	u64 gpa = param->gpa, end = param->gpa + param->size;
	struct discard *discard;
	int ret = discard_check(vm, param);

	if (ret)
		return ret;
	discard = kvmalloc(sizeof(*discard), GFP_KERNEL);
	if (!discard)
		return -ENOMEM;
	for (; gpa < end && !ret; gpa += discard->range.size) {
		discard->range.gpa = gpa;
		discard->range.size = min(end, ALIGN_DOWN(gpa + SZ_2M, SZ_2M)) - gpa;
		ret = fatal_signal_pending(current) ? -EINTR : discard_chunk(vm, discard);
		cond_resched();
	}
	kvfree(discard);
	return ret;
}

/* ---- the owner's address space ---- */

static struct qvm_vm *notifier_to_vm(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct qvm_vm, notifier);
}

/*
 * The last thread of the owner is gone; fds may live on elsewhere, where nobody may use the VM. Its
 * memory does not wait for them. Or the VM goes first: the last fd is closed. Either way nobody is
 * in RUN, nor can come there, so no pCPU walks the tables or uses what it has of them.
 */
static void notifier_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct qvm_vm *vm = notifier_to_vm(notifier);

	qvm_vm_end_system(vm, NULL, QVM_SYSTEM_STOPPED, 0);
	mutex_lock(&vm->mutex);
	qvm_share_release_all(vm);
	down_write(&vm->s2_lock);
	qvm_region_release_all(vm);
	up_write(&vm->s2_lock);
	mutex_unlock(&vm->mutex);
}

/*
 * False: who has the lock looks for us, qvm_s2_write_done(). The word stays where we get it after
 * all, since it may be another's too.
 */
static bool notifier_lock(struct qvm_vm *vm)
{
	if (down_read_trylock(&vm->s2_lock))
		return true;
	atomic_set(&vm->poison_check, 1);
	smp_mb__after_atomic();
	return down_read_trylock(&vm->s2_lock);
}

static void notifier_region(struct qvm_vm *vm, const struct qvm_mem *mem,
			    const struct mmu_notifier_range *hva)
{
	u64 first = max_t(u64, mem->hva, hva->start), end = min_t(u64, mem->hva + mem->size, hva->end);
	u64 next;

	if (mem->kind == QVM_REGION_SHARED || first >= end || !notifier_lock(vm))
		return;
	for (; first < end; first = next) {
		next = min(end, ALIGN(first + 1, SZ_1G));
		failed_find(vm, first - mem->hva + mem->gpa, next - first);
		if (mmu_notifier_range_blockable(hva))
			cond_resched();
	}
	up_read(&vm->s2_lock);
}

static void notifier_shares(struct qvm_vm *vm, const struct mmu_notifier_range *hva)
{
	/* One that is just coming sees the kernel's mark. */
	if (list_empty(&vm->shares) || !notifier_lock(vm))
		return;
	qvm_share_for_each_part(vm, hva->start, hva->end, failed_find);
	up_read(&vm->s2_lock);
}

/*
 * RAM is pinned: whatever becomes of the owner's view, the guest's pages stay. But pages that are
 * taken out of it may have failed (the kernel marks them first), and the guest must not go on.
 */
static int notifier_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *hva)
{
	struct qvm_vm *vm = notifier_to_vm(notifier);
	unsigned int i;

	if (hva->event != MMU_NOTIFY_CLEAR || qvm_vm_state(vm) == QVM_VM_ENDED)
		return 0;
	/* Its regions are still coming: who assembles it looks. */
	if (qvm_vm_state(vm) == QVM_VM_BUILDING) {
		atomic_set(&vm->poison_check, 1);
		smp_mb__after_atomic();		/* qvm_vm_assemble() sees it, or we see ASSEMBLED */
		if (qvm_vm_state(vm) == QVM_VM_BUILDING)
			return 0;
	}
	for (i = 0; i < vm->region_count; i++)
		notifier_region(vm, &vm->region[i], hva);
	notifier_shares(vm, hva);
	return 0;
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = notifier_release,
	.invalidate_range_start = notifier_start,
};

int qvm_notifier_init(struct qvm_vm *vm)
{
	int ret;

	vm->notifier.ops = &notifier_ops;
	ret = mmu_notifier_register(&vm->notifier, vm->mm);
	if (ret)
		vm->notifier.ops = NULL;
	return ret;
}

void qvm_notifier_fini(struct qvm_vm *vm)
{
	if (vm->notifier.ops)
		mmu_notifier_unregister(&vm->notifier, vm->mm);
}
