// SPDX-License-Identifier: GPL-2.0-only
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "guestmem.h"
#include "gwalk.h"
#include "insn_cache.h"
#include "x86.h"

#define SLOTS		32
#define CODE_SIZE	16		/* bytes that are compared: at least X86_INSN_MAX */
#define GUEST_PAGE	4096U

struct slot {
	u64 rip, cr3;
	u64 generation;			/* of stage 2; 0: the slot is empty */
	unsigned int count;		/* of table entries */
	struct {
		const u64 *entry;	/* in the guest's memory … */
		u64 value;		/* … and what it was */
	} step[GWALK_LEVELS];
	const u8 *code;			/* in the guest's memory, and CODE_SIZE of it in its page */
	u64 bytes[2], mask[2];		/* what it was, and what of it is the instruction */
	struct insn insn;
};

struct x86_insn_cache {
	struct slot slot[SLOTS];
};

int x86_insn_cache_create(struct qvm_vcpu *vcpu)
{
	vcpu->arch.insn_cache = kzalloc(sizeof(*vcpu->arch.insn_cache), GFP_KERNEL_ACCOUNT);
	return vcpu->arch.insn_cache ? 0 : -ENOMEM;
}

void x86_insn_cache_destroy(struct qvm_vcpu *vcpu)
{
	kfree(vcpu->arch.insn_cache);
	vcpu->arch.insn_cache = NULL;
}

static struct slot *slot_of(const struct qvm_vcpu *vcpu, u64 rip)
{
	return &vcpu->arch.insn_cache->slot[(rip ^ rip >> 5) % SLOTS];
}

static bool code_is_same(const struct slot *slot)
{
	u64 now[2];

	memcpy(now, slot->code, sizeof(now));
	now[0] = (now[0] ^ slot->bytes[0]) & slot->mask[0];
	now[1] = (now[1] ^ slot->bytes[1]) & slot->mask[1];
	return !(now[0] | now[1]);
}

const struct insn *x86_insn_cache_find(const struct qvm_vcpu *vcpu, u64 rip, u64 cr3)
{
	const struct slot *slot = slot_of(vcpu, rip);
	u64 differs = (slot->rip ^ rip) | (slot->cr3 ^ cr3);
	unsigned int i;

	if (differs || slot->generation != x86_s2_generation(vcpu->vm))
		return NULL;
	for (i = 0; i < slot->count; i++)
		differs |= READ_ONCE(*slot->step[i].entry) ^ slot->step[i].value;
	return !differs && code_is_same(slot) ? &slot->insn : NULL;
}

static bool is_move(const struct insn *insn)
{
	if (insn->op != INSN_MOV && insn->op != INSN_MOVZX && insn->op != INSN_MOVSX)
		return false;
	return insn->addr_len == 8 && insn->seg < SEG_FS && insn->base != GPR_RSP &&
	       (insn->has_imm || insn->reg_high || insn->reg != GPR_RSP);
}

static u32 fetch_access(struct qvm_vcpu *vcpu)
{
	return PFEC_FETCH | (x86_cpl(vcpu) == 3 ? PFEC_USER : 0);
}

/* False: not all of it is memory. */
static bool slot_fill(struct qvm_vcpu *vcpu, struct slot *slot, const struct gwalk_path *path)
{
	unsigned int i;

	for (i = 0; i < path->count; i++) {
		slot->step[i].entry = qvm_guest_pointer(vcpu->vm, path->gpa[i], sizeof(u64));
		slot->step[i].value = path->entry[i];
		if (!slot->step[i].entry)
			return false;
	}
	slot->count = path->count;
	slot->code = qvm_guest_pointer(vcpu->vm, path->leaf, CODE_SIZE);
	return slot->code;
}

void x86_insn_cache_add(struct qvm_vcpu *vcpu, u64 rip, const u8 *bytes, const struct insn *insn)
{
	struct slot *slot = slot_of(vcpu, rip);
	u64 generation = x86_s2_generation(vcpu->vm);
	u8 mask[CODE_SIZE] = {};
	struct gwalk_path path;

	if (!is_move(insn) || GUEST_PAGE - rip % GUEST_PAGE < CODE_SIZE)
		return;
	slot->generation = 0;
	/* Again, after the walk for its bytes: now with all accessed flags set. */
	if (!gwalk_path(vcpu, rip, fetch_access(vcpu), &path) || !slot_fill(vcpu, slot, &path))
		return;
	memset(mask, 0xff, insn->length);
	memcpy(slot->mask, mask, sizeof(mask));
	memset(slot->bytes, 0, sizeof(slot->bytes));
	memcpy(slot->bytes, bytes, insn->length);
	slot->rip = rip;
	slot->cr3 = x86_get_cr3(vcpu);
	slot->insn = *insn;
	slot->generation = generation;
}
