// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory by stage-2 lookup. A lookup is a few loads more than a sorted array of hvas, but an
 * hva says only what the launcher has mapped there now.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "guestmem.h"

/*
 * Take s2_lock with @gpa mapped: what is lazy or was discarded is touched now. Under it the page
 * stays pinned.
 */
static int lock_leaf(struct qvm_vm *vm, u64 gpa, struct s2_leaf *leaf)
{
	int ret = 0;

	while (!ret) {
		down_read(&vm->s2_lock);
		if (s2_lookup(&vm->s2, gpa, leaf))
			return 0;
		up_read(&vm->s2_lock);
		ret = fatal_signal_pending(current) ? -EINTR : qvm_region_fault(vm, gpa);
	}
	return ret;
}

/*
 * Where @gpa is, and how many bytes of the block follow; s2_lock is held until guest_done(), but
 * not if there is nothing. The region says that it is memory: what else stage 2 maps is a device.
 */
static void *guest_virt(struct qvm_vm *vm, u64 gpa, u32 prot, u64 *left)
{
	struct s2_leaf leaf;
	const struct qvm_mem *mem = qvm_region_find(vm, gpa);
	u64 offset;

	/* Shared memory may be unpinned at any time. */
	if (!mem || mem->kind == QVM_REGION_SHARED || lock_leaf(vm, gpa, &leaf))
		return NULL;
	if ((leaf.prot & prot) != prot) {
		up_read(&vm->s2_lock);
		return NULL;
	}
	offset = gpa - leaf.gpa;
	*left = leaf.size - offset;
	return vm->s2.ops->hpa_to_virt(leaf.hpa + offset);
}

static void guest_done(struct qvm_vm *vm)
{
	up_read(&vm->s2_lock);
}

union scalar {
	u16 word;
	u32 dword;
	u64 qword;
};

/* @buf is the kernel's and may lie anywhere. IS_ALIGNED() of an odd length matters to no case. */
static void read_once(void *buf, const void *mem, unsigned int len)
{
	union scalar value;

	switch (IS_ALIGNED((unsigned long)mem, len) ? len : 0) {
	case sizeof(u16):
		value.word = READ_ONCE(*(const u16 *)mem);
		break;
	case sizeof(u32):
		value.dword = READ_ONCE(*(const u32 *)mem);
		break;
	case sizeof(u64):
		value.qword = READ_ONCE(*(const u64 *)mem);
		break;
	default:
		memcpy(buf, mem, len);
		return;
	}
	memcpy(buf, &value, len);
}

static void write_once(void *mem, const void *buf, unsigned int len)
{
	union scalar value;

	if (len <= sizeof(value))
		memcpy(&value, buf, len);
	switch (IS_ALIGNED((unsigned long)mem, len) ? len : 0) {
	case sizeof(u16):
		WRITE_ONCE(*(u16 *)mem, value.word);
		break;
	case sizeof(u32):
		WRITE_ONCE(*(u32 *)mem, value.dword);
		break;
	case sizeof(u64):
		WRITE_ONCE(*(u64 *)mem, value.qword);
		break;
	default:
		memcpy(mem, buf, len);
	}
}

int qvm_guest_read(struct qvm_vm *vm, u64 gpa, void *buf, unsigned int len)
{
	unsigned int chunk;
	u64 left;

	for (; len; len -= chunk, gpa += chunk, buf += chunk) {
		const void *mem = guest_virt(vm, gpa, S2_READ, &left);

		if (!mem)
			return -EFAULT;
		chunk = min_t(u64, len, left);
		read_once(buf, mem, chunk);
		guest_done(vm);
	}
	return 0;
}

int qvm_guest_write(struct qvm_vm *vm, u64 gpa, const void *buf, unsigned int len)
{
	unsigned int chunk;
	u64 left;

	for (; len; len -= chunk, gpa += chunk, buf += chunk) {
		void *mem = guest_virt(vm, gpa, S2_WRITE, &left);

		if (!mem)
			return -EFAULT;
		chunk = min_t(u64, len, left);
		write_once(mem, buf, chunk);
		guest_done(vm);
	}
	return 0;
}

const void *qvm_guest_pointer(struct qvm_vm *vm, u64 gpa, unsigned int len)
{
	u64 left;
	const void *mem = guest_virt(vm, gpa, S2_READ, &left);

	if (!mem)
		return NULL;
	guest_done(vm);
	return left >= len ? mem : NULL;
}

int qvm_guest_cmpxchg32(struct qvm_vm *vm, u64 gpa, u32 old, u32 new)
{
	u64 left;
	u32 *mem = IS_ALIGNED(gpa, sizeof(*mem)) ? guest_virt(vm, gpa, S2_WRITE, &left) : NULL;
	bool done;

	if (!mem)
		return -EFAULT;
	done = cmpxchg(mem, old, new) == old;
	guest_done(vm);
	return done ? 0 : -EAGAIN;
}

int qvm_guest_cmpxchg64(struct qvm_vm *vm, u64 gpa, u64 old, u64 new)
{
	u64 left;
	u64 *mem = IS_ALIGNED(gpa, sizeof(*mem)) ? guest_virt(vm, gpa, S2_WRITE, &left) : NULL;
	bool done;

	if (!mem)
		return -EFAULT;
	done = cmpxchg64(mem, old, new) == old;
	guest_done(vm);
	return done ? 0 : -EAGAIN;
}
