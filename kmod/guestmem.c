// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory by stage-2 lookup. A lookup is a few loads more than a sorted array of hvas, but an
 * hva says only what the launcher has mapped there now.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "guestmem.h"

/* Memory is mapped for good, but for a moment not there while another vCPU splits its block. */
static bool find_leaf(struct qvm_vm *vm, u64 gpa, struct s2_leaf *leaf)
{
	bool found = s2_lookup(&vm->s2, gpa, leaf);

	if (!found) {
		mutex_lock(&vm->s2_mutex);
		found = s2_lookup(&vm->s2, gpa, leaf);
		mutex_unlock(&vm->s2_mutex);
	}
	return found;
}

/*
 * Where @gpa is, and how many bytes of the block follow. The region says that it is memory: what
 * else stage 2 maps is a device.
 */
static void *guest_virt(struct qvm_vm *vm, u64 gpa, u32 prot, u64 *left)
{
	struct s2_leaf leaf;
	const struct qvm_mem *mem = qvm_region_find(vm, gpa);
	u64 offset;

	/* Shared memory may be unpinned at any time. */
	if (!mem || mem->kind == QVM_REGION_SHARED || !find_leaf(vm, gpa, &leaf))
		return NULL;
	if ((leaf.prot & prot) != prot)
		return NULL;
	offset = gpa - leaf.gpa;
	*left = leaf.size - offset;
	return vm->s2.ops->hpa_to_virt(leaf.hpa + offset);
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
	}
	return 0;
}

int qvm_guest_cmpxchg32(struct qvm_vm *vm, u64 gpa, u32 old, u32 new)
{
	u64 left;
	u32 *mem = IS_ALIGNED(gpa, sizeof(*mem)) ? guest_virt(vm, gpa, S2_WRITE, &left) : NULL;

	if (!mem)
		return -EFAULT;
	return cmpxchg(mem, old, new) == old ? 0 : -EAGAIN;
}

int qvm_guest_cmpxchg64(struct qvm_vm *vm, u64 gpa, u64 old, u64 new)
{
	u64 left;
	u64 *mem = IS_ALIGNED(gpa, sizeof(*mem)) ? guest_virt(vm, gpa, S2_WRITE, &left) : NULL;

	if (!mem)
		return -EFAULT;
	return cmpxchg64(mem, old, new) == old ? 0 : -EAGAIN;
}
