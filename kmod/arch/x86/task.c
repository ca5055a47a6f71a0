// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "gwalk.h"
#include "guestmem.h"
#include "task.h"
#include "x86.h"

#define TS		10		/* vectors */
#define NP		11

/* SDM figures 7-2 and 7-10: what a switch saves and loads; offsets of the first and the last field. */
struct tss32 {
	u16 link, pad0;
	u32 stacks[6];
	u32 cr3, eip, eflags;
	u32 gpr[8];
	struct { u16 selector, pad; } seg[6];
	u16 ldt, pad1;
	u16 trap, iomap;
};

struct tss16 {
	u16 link;
	u16 stacks[6];
	u16 ip, flags;
	u16 gpr[8];
	u16 seg[4];
	u16 ldt;
};

static_assert(sizeof(struct tss32) == 104 && sizeof(struct tss16) == 44);

struct descriptor {
	u64 raw;
	u64 linear;			/* where it is */
};

#define DESC_TYPE(raw)		(((raw) >> 40) & 0x1f)	/* with S */
#define DESC_DPL(raw)		(((raw) >> 45) & 3)
#define DESC_PRESENT		BIT_ULL(47)
#define DESC_ACCESSED		BIT_ULL(40)
#define DESC_BUSY		BIT_ULL(41)
#define TYPE_TSS16		1
#define TYPE_TSS32		9
#define TYPE_LDT		2
#define TYPE_BUSY		2

/* One switch on its way. */
struct task {
	struct qvm_vcpu *vcpu;
	const struct x86_task_switch *how;
	struct x86_segment old;		/* TR */
	struct descriptor next;
	struct tss32 in;		/* the new one's; of a 16-bit TSS too */
	bool is_32;
};

/* ---- memory, by linear address, as the processor itself accesses it ---- */

static bool copy(struct qvm_vcpu *vcpu, u64 linear, void *buf, unsigned int len, bool write)
{
	unsigned int part;
	u32 error;
	u64 gpa;
	int ret;

	for (; len; len -= part, linear += part, buf += part) {
		linear = (u32)linear;
		part = min_t(u64, len, PAGE_SIZE - (linear & ~PAGE_MASK));
		if (gwalk(vcpu, linear, write ? PFEC_WRITE : 0, &gpa, &error)) {
			x86_inject_page_fault(vcpu, linear, error);
			return false;
		}
		ret = write ? qvm_guest_write(vcpu->vm, gpa, buf, part) :
			      qvm_guest_read(vcpu->vm, gpa, buf, part);
		if (ret && !write)
			memset(buf, 0xff, part);	/* nobody's: as an empty bus gives */
	}
	return true;
}

/* ---- faults ---- */

static bool fault(struct task *t, unsigned int vector, u16 selector)
{
	x86_inject_exception(t->vcpu, vector, (selector & ~3) | t->how->is_external);
	return false;
}

/* ---- descriptors ---- */

static void to_segment(u16 selector, u64 raw, struct x86_segment *seg)
{
	u32 limit = (raw & 0xffff) | (raw >> 32 & 0xf0000);

	*seg = (struct x86_segment){
		.base = (raw >> 16 & 0xffffff) | (raw >> 32 & 0xff000000),
		.limit = raw & BIT_ULL(55) ? limit << 12 | 0xfff : limit,
		.selector = selector,
		.rights = raw >> 40 & 0xf0ff,
	};
}

/* From the GDT or the LDT that is loaded. False: a fault is on its way, @vector if none is there. */
static bool find_descriptor(struct task *t, u16 selector, unsigned int vector, struct descriptor *out)
{
	struct x86_segment ldt;
	u64 base;
	u32 limit;

	virt_get_table(t->vcpu, false, &base, &limit);
	if (selector & 4) {
		x86_get_segment(t->vcpu, SEG_LDTR, &ldt);
		base = ldt.base;
		limit = ldt.unusable ? 0 : ldt.limit;
	}
	if ((selector | 7) > limit)
		return fault(t, vector, selector);
	out->linear = (u32)(base + (selector & ~7));
	return copy(t->vcpu, out->linear, &out->raw, sizeof(out->raw), false);
}

/* ---- into the new task's segments (7.3, table 7-1) ---- */

static void set_null(struct qvm_vcpu *vcpu, enum x86_seg seg, u16 selector)
{
	virt_set_segment(vcpu, seg, &(struct x86_segment){
		.selector = selector, .rights = 0x93, .limit = 0, .unusable = true,
	});
}

static bool load_ldt(struct task *t)
{
	struct x86_segment seg;
	struct descriptor d;
	u16 selector = t->in.ldt;

	if (!(selector & ~3)) {
		virt_set_segment(t->vcpu, SEG_LDTR, &(struct x86_segment){
			.selector = selector, .rights = 0x82, .unusable = true,
		});
		return true;
	}
	if (selector & 4)
		return fault(t, TS, selector);
	if (!find_descriptor(t, selector, TS, &d))
		return false;
	if (DESC_TYPE(d.raw) != TYPE_LDT || !(d.raw & DESC_PRESENT))
		return fault(t, TS, selector);
	to_segment(selector, d.raw, &seg);
	virt_set_segment(t->vcpu, SEG_LDTR, &seg);
	return true;
}

/* Types: 0x10 S; 8 code, 4 conforming or expand-down, 2 readable or writable, 1 accessed. */
static bool type_fits(enum x86_seg seg, u64 raw, u16 selector, unsigned int cpl)
{
	unsigned int type = DESC_TYPE(raw), dpl = DESC_DPL(raw), rpl = selector & 3;

	if (!(type & 0x10))
		return false;
	if (seg == SEG_CS)
		return type & 8 && (type & 4 ? dpl <= rpl : dpl == rpl);
	if (seg == SEG_SS)
		return !(type & 8) && type & 2 && dpl == cpl && rpl == cpl;
	if ((type & 0xa) == 8)
		return false;		/* code that can't be read */
	return (type & 0xc) == 0xc || (dpl >= rpl && dpl >= cpl);
}

static bool load_segment(struct task *t, enum x86_seg seg, u16 selector)
{
	unsigned int cpl = t->in.seg[SEG_CS].selector & 3;
	struct x86_segment value;
	struct descriptor d;

	if (!(selector & ~3)) {
		if (seg == SEG_CS || seg == SEG_SS)
			return fault(t, TS, selector);
		set_null(t->vcpu, seg, selector);
		return true;
	}
	if (!find_descriptor(t, selector, TS, &d))
		return false;
	if (!type_fits(seg, d.raw, selector, cpl))
		return fault(t, TS, selector);
	if (!(d.raw & DESC_PRESENT))
		return fault(t, seg == SEG_SS ? X86_XCPT_SS : NP, selector);
	if (!(d.raw & DESC_ACCESSED)) {
		d.raw |= DESC_ACCESSED;
		if (!copy(t->vcpu, d.linear, &d.raw, sizeof(d.raw), true))
			return false;
	}
	to_segment(selector, d.raw, &value);
	virt_set_segment(t->vcpu, seg, &value);
	return true;
}

static void load_virtual_8086(struct task *t)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		virt_set_segment(t->vcpu, i, &(struct x86_segment){
			.base = t->in.seg[i].selector << 4, .limit = 0xffff,
			.selector = t->in.seg[i].selector, .rights = 0xf3,
		});
}

/* Until they are checked: what a fault of the new task finds (selectors, no descriptors). */
static void set_selectors(struct task *t)
{
	unsigned int i, cpl = t->in.seg[SEG_CS].selector & 3;

	for (i = 0; i < 6; i++)
		virt_set_segment(t->vcpu, i, &(struct x86_segment){
			.selector = t->in.seg[i].selector, .limit = U32_MAX,
			.rights = (i == SEG_CS ? 0xc09b : 0xc093) | cpl << 5,
		});
}

static bool load_segments(struct task *t)
{
	static const u8 order[] = { SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS };
	unsigned int i;

	if (!load_ldt(t))
		return false;
	if (t->in.eflags & X86_EFLAGS_VM) {
		load_virtual_8086(t);
		return true;
	}
	set_selectors(t);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (!load_segment(t, order[i], t->in.seg[order[i]].selector))
			return false;
	return true;
}

/* ---- the two TSSs ---- */

static bool read_tss(struct task *t, u64 base)
{
	struct tss16 small;
	unsigned int i;

	if (t->is_32)
		return copy(t->vcpu, base, &t->in, sizeof(t->in), false);
	if (!copy(t->vcpu, base, &small, sizeof(small), false))
		return false;
	t->in = (struct tss32){
		.link = small.link, .eip = small.ip, .eflags = small.flags, .ldt = small.ldt,
	};
	for (i = 0; i < 8; i++)
		t->in.gpr[i] = small.gpr[i] | 0xffff0000;
	for (i = 0; i < 4; i++)
		t->in.seg[i].selector = small.seg[i];
	return true;
}

static u32 old_flags(const struct task *t)
{
	u32 flags = x86_get_rflags(t->vcpu);

	return t->how->source == TASK_IRET ? flags & ~X86_EFLAGS_NT : flags;
}

/* EIP to GS: stacks, CR3 and LDT of a TSS are its owner's. */
static bool save_tss32(struct task *t)
{
	const unsigned int first = offsetof(struct tss32, eip), last = offsetof(struct tss32, ldt);
	struct tss32 out = { .eip = t->how->return_eip, .eflags = old_flags(t) };
	struct x86_segment seg;
	unsigned int i;

	for (i = 0; i < 8; i++)
		out.gpr[i] = t->vcpu->arch.regs.gpr[i];
	for (i = 0; i < 6; i++) {
		x86_get_segment(t->vcpu, i, &seg);
		out.seg[i].selector = seg.selector;
	}
	return copy(t->vcpu, t->old.base + first, &out.eip, last - first, true);
}

static bool save_tss16(struct task *t)
{
	const unsigned int first = offsetof(struct tss16, ip), last = offsetof(struct tss16, ldt);
	struct tss16 out = { .ip = t->how->return_eip, .flags = old_flags(t) };
	struct x86_segment seg;
	unsigned int i;

	for (i = 0; i < 8; i++)
		out.gpr[i] = t->vcpu->arch.regs.gpr[i];
	for (i = 0; i < 4; i++) {
		x86_get_segment(t->vcpu, i, &seg);
		out.seg[i] = seg.selector;
	}
	return copy(t->vcpu, t->old.base + first, &out.ip, last - first, true);
}

static bool save_tss(struct task *t)
{
	/* type 3 or 11: busy, 16-bit or 32-bit */
	return t->old.rights & 8 ? save_tss32(t) : save_tss16(t);
}

/* ---- the steps of 7.3 ---- */

static bool find_next(struct task *t)
{
	bool back = t->how->source == TASK_IRET;
	unsigned int wrong = back ? TS : X86_XCPT_GP, type;
	struct x86_segment seg;

	if (t->how->selector & 4)
		return fault(t, wrong, t->how->selector);
	if (!find_descriptor(t, t->how->selector, wrong, &t->next))
		return false;
	type = DESC_TYPE(t->next.raw);
	if ((type & ~8) != (TYPE_TSS16 | (back ? TYPE_BUSY : 0)))
		return fault(t, wrong, t->how->selector);
	if (!(t->next.raw & DESC_PRESENT))
		return fault(t, NP, t->how->selector);
	t->is_32 = type & 8;
	to_segment(t->how->selector, t->next.raw, &seg);
	if (seg.limit < (t->is_32 ? sizeof(struct tss32) : sizeof(struct tss16)) - 1)
		return fault(t, TS, t->how->selector);
	return read_tss(t, seg.base);
}

static bool set_busy(struct task *t, const struct descriptor *d, bool busy)
{
	u64 raw = busy ? d->raw | DESC_BUSY : d->raw & ~DESC_BUSY;

	return copy(t->vcpu, d->linear, &raw, sizeof(raw), true);
}

/* Old task not busy any more, its state in its TSS; the new one busy, linked to it if it returns. */
static bool commit(struct task *t)
{
	bool nested = t->how->source == TASK_CALL || t->how->source == TASK_GATE;
	struct x86_segment seg;
	struct descriptor d;
	u16 link = t->old.selector;

	to_segment(t->how->selector, t->next.raw, &seg);
	if (!nested && (!find_descriptor(t, t->old.selector, TS, &d) || !set_busy(t, &d, false)))
		return false;
	if (!save_tss(t))
		return false;
	if (nested && !copy(t->vcpu, seg.base, &link, sizeof(link), true))
		return false;
	if (t->how->source != TASK_IRET && !set_busy(t, &t->next, true))
		return false;
	if (nested)
		t->in.eflags |= X86_EFLAGS_NT;
	seg.rights |= TYPE_BUSY;
	virt_set_segment(t->vcpu, SEG_TR, &seg);
	return true;
}

/* Bits that no task may have, and the one that each has. */
#define FLAGS_VALID	0x003f7fd5

static bool load_state(struct task *t)
{
	struct qvm_vcpu *vcpu = t->vcpu;
	unsigned int i;

	if (t->is_32 && vcpu->arch.cr0 & X86_CR0_PG && !x86_load_cr3(vcpu, t->in.cr3)) {
		x86_inject_exception(vcpu, X86_XCPT_GP, 0);
		return false;
	}
	virt_set_rip(vcpu, t->in.eip);
	x86_set_rflags(vcpu, (t->in.eflags & FLAGS_VALID) | X86_EFLAGS_FIXED);
	for (i = 0; i < 8; i++)
		vcpu->arch.regs.gpr[i] = t->in.gpr[i];
	vcpu->arch.cr0 |= X86_CR0_TS;
	vcpu->arch.dr7 &= ~0x155ULL;		/* L0 … L3, LE */
	virt_update_mode(vcpu);
	return load_segments(t);
}

static bool push_error(struct task *t)
{
	unsigned int len = t->is_32 ? 4 : 2, vector;
	struct x86_segment ss;
	u32 esp, mask;
	u64 linear;

	x86_get_segment(t->vcpu, SEG_SS, &ss);
	mask = ss.rights & BIT(14) ? U32_MAX : 0xffff;
	esp = t->vcpu->arch.regs.gpr[GPR_RSP];
	esp = (esp & ~mask) | ((esp - len) & mask);
	vector = gwalk_linear(t->vcpu, SEG_SS, esp & mask, len, true, &linear);
	if (vector)
		return fault(t, vector, 0);
	t->vcpu->arch.regs.gpr[GPR_RSP] = esp;
	return copy(t->vcpu, linear, (void *)&t->how->error, len, true);
}

#define DR6_BT		BIT_ULL(15)

/* The new task's own first faults: EIP beyond its code, the trap that its TSS asks for. */
static void begin(struct task *t)
{
	struct x86_segment cs;

	if (t->how->has_error && !push_error(t))
		return;
	x86_get_segment(t->vcpu, SEG_CS, &cs);
	if (t->in.eip > cs.limit) {
		fault(t, X86_XCPT_GP, 0);
	} else if (t->is_32 && t->in.trap & 1) {
		t->vcpu->arch.dr6 |= DR6_BT;
		x86_inject_exception(t->vcpu, X86_XCPT_DB, -1);
	}
}

enum exit_action x86_task_switch(struct qvm_vcpu *vcpu, const struct x86_task_switch *how)
{
	struct task t = { .vcpu = vcpu, .how = how };

	x86_get_segment(vcpu, SEG_TR, &t.old);
	if (find_next(&t) && commit(&t) && load_state(&t))
		begin(&t);
	return EXIT_RESUME;
}
