// SPDX-License-Identifier: GPL-2.0-only
/* The guest's paging, one loop for all its formats; and its segments. */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "guestmem.h"
#include "gwalk.h"
#include "x86.h"

/* Entries, all formats */
#define GPTE_P		BIT_ULL(0)
#define GPTE_W		BIT_ULL(1)
#define GPTE_U		BIT_ULL(2)
#define GPTE_A		BIT_ULL(5)
#define GPTE_D		BIT_ULL(6)
#define GPTE_PS		BIT_ULL(7)
#define GPTE_XD		BIT_ULL(63)
#define GPTE_ADDR	GENMASK_ULL(51, 12)

/* A 4 MiB page of 32-bit paging: bits 39:32 of its address */
#define GPTE_PSE36	GENMASK_ULL(20, 13)
#define GPTE_PSE36_SHIFT 19

#define MAX_LEVELS	GWALK_LEVELS
#define MAX_RESTARTS	16	/* of a walk whose entries another vCPU keeps changing */

struct format {
	u8 levels;
	u8 entry_len;
	u8 index_bits;
	bool is_long;		/* 4 or 5 levels */
};

static const struct format format_32 = { 2, 4, 10, false };
static const struct format format_pae = { 3, 8, 9, false };
static const struct format format_4level = { 4, 8, 9, true };
static const struct format format_5level = { 5, 8, 9, true };

struct walk {
	struct qvm_vcpu *vcpu;
	const struct format *format;
	u64 linear;
	u32 access;
	unsigned int level;	/* of the entry last read; the last level is 1 */
	u64 rights;		/* W and U that all entries grant, XD that any sets */
	u64 gpa[MAX_LEVELS + 1], entry[MAX_LEVELS + 1];		/* by level */
};

static const struct format *paging_format(const struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.msr.efer & EFER_LMA)
		return vcpu->arch.cr4 & X86_CR4_LA57 ? &format_5level : &format_4level;
	return vcpu->arch.cr4 & X86_CR4_PAE ? &format_pae : &format_32;
}

static u64 table_root(const struct walk *walk)
{
	u64 cr3 = x86_get_cr3(walk->vcpu);

	if (walk->format->is_long)
		return cr3 & GPTE_ADDR;
	return cr3 & (walk->format == &format_pae ? GENMASK_ULL(31, 5) : GENMASK_ULL(31, 12));
}

static unsigned int level_shift(const struct walk *walk)
{
	return 12 + walk->format->index_bits * (walk->level - 1);
}

/* The four PDPTEs of PAE paging: present or not, all else is ignored. */
static bool is_pdpte(const struct walk *walk, unsigned int level)
{
	return walk->format == &format_pae && level == 3;
}

static bool is_leaf(const struct walk *walk, u64 entry)
{
	if (walk->level == 1)
		return true;
	if (!(entry & GPTE_PS) || walk->level > (walk->format->is_long ? 3 : 2))
		return false;
	return walk->format != &format_32 || walk->vcpu->arch.cr4 & X86_CR4_PSE;
}

/* SDM vol. 3 4.3 … 4.5: bits of @entry that have to be clear. */
static u64 reserved_bits(const struct walk *walk, u64 entry)
{
	u8 phys = x86_maxphyaddr();
	u64 reserved = phys < 52 ? GENMASK_ULL(51, phys) : 0;
	bool leaf = is_leaf(walk, entry);

	if (is_pdpte(walk, walk->level))
		return 0;
	if (walk->format == &format_32)
		return leaf && walk->level == 2 ? GENMASK_ULL(21, min_t(u8, phys, 40) - 19) : 0;
	if (!(walk->vcpu->arch.msr.efer & EFER_NX))
		reserved |= GPTE_XD;
	if (!walk->format->is_long)
		reserved |= GENMASK_ULL(62, 52);
	if (walk->level > 3)
		reserved |= GPTE_PS;
	else if (leaf && walk->level > 1)
		reserved |= GENMASK_ULL(level_shift(walk) - 1, 13);
	return reserved;
}

static u64 read_entry(const struct walk *walk, u64 gpa)
{
	u64 entry = 0;

	if (qvm_guest_read(walk->vcpu->vm, gpa, &entry, walk->format->entry_len))
		entry = walk->format->entry_len == sizeof(u64) ? U64_MAX : U32_MAX;
	return entry;
}

/* Down to the leaf. 0, or the error code's P and RSVD with -EFAULT. */
static int walk_down(struct walk *walk, u32 *error)
{
	u64 table = table_root(walk), index, entry;

	walk->rights = GPTE_W | GPTE_U;
	for (walk->level = walk->format->levels; ; walk->level--) {
		index = walk->linear >> level_shift(walk) & (BIT_ULL(walk->format->index_bits) - 1);
		walk->gpa[walk->level] = table + index * walk->format->entry_len;
		entry = read_entry(walk, walk->gpa[walk->level]);
		walk->entry[walk->level] = entry;
		*error = 0;
		if (!(entry & GPTE_P))
			return -EFAULT;
		*error = PFEC_PRESENT | PFEC_RESERVED;
		if (entry & reserved_bits(walk, entry))
			return -EFAULT;
		if (!is_pdpte(walk, walk->level)) {
			walk->rights &= entry | GPTE_XD;
			walk->rights |= entry & GPTE_XD;
		}
		if (is_leaf(walk, entry))
			return 0;
		table = entry & GPTE_ADDR;
	}
}

/* SDM vol. 3 4.6.1 */
static bool is_permitted(const struct walk *walk)
{
	u64 rights = walk->rights, cr4 = walk->vcpu->arch.cr4;
	bool user_page = rights & GPTE_U, user = walk->access & PFEC_USER;

	if (user && !user_page)
		return false;
	if (walk->access & PFEC_FETCH)
		return !(rights & GPTE_XD) && (user || !user_page || !(cr4 & X86_CR4_SMEP));
	if (!user && user_page && cr4 & X86_CR4_SMAP &&
	    !(x86_get_rflags(walk->vcpu) & X86_EFLAGS_AC))
		return false;
	if (!(walk->access & PFEC_WRITE) || rights & GPTE_W)
		return true;
	return !user && !(walk->vcpu->arch.cr0 & X86_CR0_WP);
}

static int replace_entry(const struct walk *walk, u64 gpa, u64 old, u64 new)
{
	if (walk->format->entry_len == sizeof(u64))
		return qvm_guest_cmpxchg64(walk->vcpu->vm, gpa, old, new);
	return qvm_guest_cmpxchg32(walk->vcpu->vm, gpa, old, new);
}

/* -EAGAIN: an entry has changed since it was read. One in ROM stays as it is. */
static int set_flags(struct walk *walk)
{
	unsigned int level;

	for (level = walk->format->levels; level >= walk->level; level--) {
		u64 old = walk->entry[level], new = old | GPTE_A;
		int ret;

		if (is_pdpte(walk, level))
			continue;
		if (level == walk->level && walk->access & PFEC_WRITE)
			new |= GPTE_D;
		if (new == old)
			continue;
		ret = replace_entry(walk, walk->gpa[level], old, new);
		if (ret == -EAGAIN)
			return ret;
		if (!ret)
			walk->entry[level] = new;
	}
	return 0;
}

static u64 leaf_gpa(const struct walk *walk)
{
	u64 entry = walk->entry[walk->level];
	u64 offset_mask = BIT_ULL(level_shift(walk)) - 1;
	u64 base = entry & GPTE_ADDR & ~offset_mask;

	if (walk->format == &format_32 && walk->level == 2)
		base |= (entry & GPTE_PSE36) << GPTE_PSE36_SHIFT;
	return base | (walk->linear & offset_mask);
}

/* W and U are the access', I only where there is something that forbids fetches. */
static u32 error_code(const struct walk *walk, u32 error)
{
	const struct qvm_vcpu_arch *arch = &walk->vcpu->arch;

	error |= walk->access & (PFEC_WRITE | PFEC_USER);
	if (walk->access & PFEC_FETCH && (arch->cr4 & X86_CR4_SMEP ||
					  (arch->msr.efer & EFER_NX && arch->cr4 & X86_CR4_PAE)))
		error |= PFEC_FETCH;
	return error;
}

/* 0, or -EFAULT and *error. Paging is on. */
static int walk_all(struct walk *walk, u32 *error)
{
	unsigned int restarts = 0;
	u32 cause;

	walk->format = paging_format(walk->vcpu);
	if (!walk->format->is_long)
		walk->linear = (u32)walk->linear;
	do {
		if (walk_down(walk, &cause)) {
			*error = error_code(walk, cause);
			return -EFAULT;
		}
		if (!is_permitted(walk)) {
			*error = error_code(walk, PFEC_PRESENT);
			return -EFAULT;
		}
	} while (set_flags(walk) == -EAGAIN && ++restarts < MAX_RESTARTS);
	return 0;
}

int gwalk(struct qvm_vcpu *vcpu, u64 linear, u32 access, u64 *gpa, u32 *error)
{
	struct walk walk = { .vcpu = vcpu, .linear = linear, .access = access };

	if (!(vcpu->arch.cr0 & X86_CR0_PG)) {
		*gpa = (u32)linear;
		return 0;
	}
	if (walk_all(&walk, error))
		return -EFAULT;
	*gpa = leaf_gpa(&walk);
	return 0;
}

bool gwalk_path(struct qvm_vcpu *vcpu, u64 linear, u32 access, struct gwalk_path *path)
{
	struct walk walk = { .vcpu = vcpu, .linear = linear, .access = access };
	unsigned int level;
	u32 error;

	if (!(vcpu->arch.msr.efer & EFER_LMA) || !(vcpu->arch.cr0 & X86_CR0_PG) ||
	    walk_all(&walk, &error))
		return false;
	path->count = 0;
	for (level = walk.format->levels; level >= walk.level; level--) {
		path->gpa[path->count] = walk.gpa[level];
		path->entry[path->count++] = walk.entry[level];
	}
	path->leaf = leaf_gpa(&walk);
	return true;
}

/* ---- segments ---- */

/* Access rights: type and flags (SDM vol. 3 3.4.5.1) */
#define RIGHTS_RW	BIT(1)		/* data: writable; code: readable */
#define RIGHTS_DOWN	BIT(2)		/* data: expands down */
#define RIGHTS_CODE	BIT(3)
#define RIGHTS_BIG	BIT(14)

static bool type_permits(u16 rights, bool write)
{
	if (rights & RIGHTS_CODE)
		return !write && rights & RIGHTS_RW;
	return !write || rights & RIGHTS_RW;
}

static bool limit_permits(const struct x86_segment *s, u64 first, u64 last)
{
	if ((s->rights & (RIGHTS_CODE | RIGHTS_DOWN)) != RIGHTS_DOWN)
		return last <= s->limit;
	return first > s->limit && last <= (s->rights & RIGHTS_BIG ? U32_MAX : U16_MAX);
}

/* Types count in protected mode alone, limits in real and virtual-8086 mode too. */
static bool segment_permits(struct qvm_vcpu *vcpu, const struct x86_segment *s, u64 offset,
			    unsigned int len, bool write)
{
	bool real = !(vcpu->arch.cr0 & X86_CR0_PE) || x86_get_rflags(vcpu) & X86_EFLAGS_VM;

	if (!real && (s->unusable || !type_permits(s->rights, write)))
		return false;
	return limit_permits(s, offset, offset + len - 1);
}

static bool is_canonical(const struct qvm_vcpu *vcpu, u64 linear)
{
	int sign = vcpu->arch.cr4 & X86_CR4_LA57 ? 56 : 47;

	return (u64)sign_extend64(linear, sign) == linear;
}

unsigned int gwalk_linear(struct qvm_vcpu *vcpu, unsigned int seg, u64 offset, unsigned int len,
			  bool write, u64 *linear)
{
	unsigned int vector = seg == SEG_SS ? X86_XCPT_SS : X86_XCPT_GP;
	struct x86_segment s = { 0 };

	if (x86_code_mode(vcpu) == 8) {
		if (seg == SEG_FS || seg == SEG_GS)
			x86_get_segment(vcpu, seg, &s);
		*linear = s.base + offset;
		if (!is_canonical(vcpu, *linear) || !is_canonical(vcpu, *linear + len - 1))
			return vector;
		return 0;
	}
	x86_get_segment(vcpu, seg, &s);
	*linear = (u32)(s.base + offset);
	return segment_permits(vcpu, &s, offset, len, write) ? 0 : vector;
}
