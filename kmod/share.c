// SPDX-License-Identifier: GPL-2.0-only
/*
 * QVM_VM_SHARE. All is pinned before the first page is mapped, and nothing is unpinned before
 * stage 2 and the TLBs have forgotten it, since vCPUs run meanwhile. So the pages are kept in an
 * array, unlike a region's. The list changes under s2_lock: who looks for failed memory walks it.
 */
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "arch.h"
#include "share.h"
#include "stats.h"

#define PIN_BATCH	512L	/* pages at a time: bounds latency */

struct share {
	struct list_head node;		/* vm->shares */
	u64 gpa, size, hva;
	struct page **pages;
	unsigned long pinned;		/* of pages */
};

static void unpin(struct share *share)
{
	unpin_user_pages_dirty_lock(share->pages, share->pinned, true);
	atomic_long_sub(share->pinned, &qvm_pinned_pages);
	share->pinned = 0;
}

static int pin(struct share *share)
{
	unsigned long wanted = share->size >> PAGE_SHIFT;

	while (share->pinned < wanted) {
		long count = min_t(long, wanted - share->pinned, PIN_BATCH);

		count = pin_user_pages_fast(share->hva + (share->pinned << PAGE_SHIFT), count,
					    FOLL_WRITE | FOLL_LONGTERM,
					    share->pages + share->pinned);
		if (count <= 0)
			return count ?: -EFAULT;
		atomic_long_add(count, &qvm_pinned_pages);
		share->pinned += count;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Bytes from page @first on that are contiguous in physical memory. */
static u64 run_size(const struct share *share, unsigned long first)
{
	unsigned long i = first + 1;

	while (i < share->pinned &&
	       page_to_phys(share->pages[i]) == page_to_phys(share->pages[i - 1]) + PAGE_SIZE)
		i++;
	return (u64)(i - first) << PAGE_SHIFT;
}

static bool any_failed(const struct share *share)
{
	unsigned long i = 0;

	while (i < share->pinned && !is_page_hwpoison(share->pages[i]))
		i++;
	return i < share->pinned;
}

static int map(struct qvm_vm *vm, struct share *share)
{
	u64 done, size;
	int ret;

	down_write(&vm->s2_lock);
	list_add(&share->node, &vm->shares);
	/* Pairs with notifier_shares(): it finds us in the list, or we see what the kernel marked. */
	smp_mb();
	ret = any_failed(share) ? -EFAULT : 0;
	for (done = 0; !ret && done < share->size; done += size) {
		unsigned long first = done >> PAGE_SHIFT;

		size = run_size(share, first);
		ret = s2_map(&vm->s2, share->gpa + done, page_to_phys(share->pages[first]), size,
			     qvm_arch_s2_prot(S2_READ | S2_WRITE));
	}
	if (ret) {
		WARN_ON(s2_unmap(&vm->s2, share->gpa, share->size));
		list_del(&share->node);
	} else {
		qvm_arch_s2_clean(vm, share->gpa, share->size);
	}
	qvm_s2_write_done(vm);
	return ret;
}

/* Nothing maps it. */
static void share_free(struct qvm_vm *vm, struct share *share)
{
	unpin(share);
	account_locked_vm(vm->mm, share->size >> PAGE_SHIFT, false);
	kvfree(share->pages);
	kfree(share);
}

static struct share *share_alloc(struct qvm_vm *vm, const struct qvm_share *param)
{
	struct share *share = kzalloc(sizeof(*share), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!share)
		return ERR_PTR(-ENOMEM);
	share->gpa = param->gpa;
	share->size = param->size;
	share->hva = param->hva;
	/* The limit first: the size is the caller's, and so would be the kernel's memory. */
	ret = account_locked_vm(vm->mm, share->size >> PAGE_SHIFT, true);
	if (ret) {
		kfree(share);
		return ERR_PTR(-EPERM);
	}
	share->pages = kvcalloc(share->size >> PAGE_SHIFT, sizeof(*share->pages),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (share->pages)
		return share;
	account_locked_vm(vm->mm, share->size >> PAGE_SHIFT, false);
	kfree(share);
	return ERR_PTR(-ENOMEM);
}

/* It is in one window, and nothing is shared there. */
static int check_place(struct qvm_vm *vm, const struct qvm_share *param)
{
	const struct qvm_mem *mem = qvm_region_find(vm, param->gpa);
	const struct share *other;
	unsigned int count = 0;

	if (!mem || mem->kind != QVM_REGION_SHARED ||
	    mem->size - (param->gpa - mem->gpa) < param->size)
		return -ENXIO;
	list_for_each_entry(other, &vm->shares, node) {
		if (param->gpa < other->gpa + other->size && other->gpa < param->gpa + param->size)
			return -EEXIST;
		count++;
	}
	return count < QVM_MAX_SHARES ? 0 : -ENOSPC;
}

static int share_add(struct qvm_vm *vm, const struct qvm_share *param)
{
	struct share *share;
	u64 end;
	int ret = check_place(vm, param);

	if (ret)
		return ret;
	if (!param->hva || check_add_overflow(param->hva, param->size, &end) || end > TASK_SIZE)
		return -EFAULT;
	share = share_alloc(vm, param);
	if (IS_ERR(share))
		return PTR_ERR(share);
	ret = pin(share);
	if (!ret)
		ret = map(vm, share);
	if (ret) {
		share_free(vm, share);
		return ret;
	}
	vm->pinned += share->size;
	return 0;
}

/* What the guest wrote with its caches off is what the owner finds. */
static void clean(struct qvm_vm *vm, const struct share *share)
{
	unsigned long first, i;

	for (first = 0; first < share->pinned; first = i) {
		for (i = first; i < share->pinned && i < first + PIN_BATCH; i++) {
			if (is_page_hwpoison(share->pages[i]) || page_to_phys(share->pages[i]) !=
			    page_to_phys(share->pages[first]) + (i - first) * PAGE_SIZE)
				break;
		}
		if (i > first)
			qvm_arch_s2_clean_hpa(vm, page_to_phys(share->pages[first]),
					      (i - first) * PAGE_SIZE);
		else
			i++;		/* a failed one */
		cond_resched();
	}
}

static void share_end(struct qvm_vm *vm, struct share *share)
{
	down_write(&vm->s2_lock);
	/* Other blocks are beside it, so none is split and this can't fail. */
	WARN_ON(s2_unmap(&vm->s2, share->gpa, share->size));
	clean(vm, share);
	list_del(&share->node);
	qvm_s2_write_done(vm);
	vm->pinned -= share->size;
	share_free(vm, share);
}

static int share_remove(struct qvm_vm *vm, const struct qvm_share *param)
{
	struct share *share;

	list_for_each_entry(share, &vm->shares, node) {
		if (share->gpa == param->gpa && share->size == param->size) {
			share_end(vm, share);
			return 0;
		}
	}
	return -ENOENT;
}

int qvm_share_set(struct qvm_vm *vm, const struct qvm_share *param)
{
	bool removes = param->flags & QVM_SHARE_F_REMOVE;

	if (param->flags & ~QVM_SHARE_F_REMOVE || param->reserved || !param->size ||
	    !PAGE_ALIGNED(param->gpa | param->size | (removes ? 0 : param->hva)))
		return -EINVAL;
	switch (qvm_vm_state(vm)) {
	case QVM_VM_BUILDING:
		return -EAGAIN;
	case QVM_VM_ENDED:
		if (!removes)
			return -ESHUTDOWN;
		fallthrough;
	default:
		return removes ? share_remove(vm, param) : share_add(vm, param);
	}
}

void qvm_share_for_each_part(struct qvm_vm *vm, u64 hva, u64 end,
			     void (*act)(struct qvm_vm *vm, u64 gpa, u64 size))
{
	const struct share *share;

	list_for_each_entry(share, &vm->shares, node) {
		u64 first = max(share->hva, hva), last = min(share->hva + share->size, end);

		if (first < last)
			act(vm, first - share->hva + share->gpa, last - first);
	}
}

void qvm_share_release_all(struct qvm_vm *vm)
{
	struct share *share, *next;

	list_for_each_entry_safe(share, next, &vm->shares, node)
		share_end(vm, share);
}
