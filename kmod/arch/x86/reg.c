// SPDX-License-Identifier: GPL-2.0-only
/* vCPU registers: reset (SDM vol. 3 table 9-1), the UAPI's view, the dump after a safe state. */
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "x86.h"

#include <qvm_reg.h>

#define RIGHTS_CODE16	0x9b	/* present, code, readable, accessed */
#define RIGHTS_DATA16	0x93	/* present, data, writable, accessed */
#define RIGHTS_LDT	0x82
#define RIGHTS_TSS32	0x8b	/* busy */

static const struct x86_segment reset_segments[SEG_COUNT] = {
	[SEG_ES] = { 0, 0xffff, 0, RIGHTS_DATA16 },
	[SEG_CS] = { 0xffff0000, 0xffff, 0xf000, RIGHTS_CODE16 },
	[SEG_SS] = { 0, 0xffff, 0, RIGHTS_DATA16 },
	[SEG_DS] = { 0, 0xffff, 0, RIGHTS_DATA16 },
	[SEG_FS] = { 0, 0xffff, 0, RIGHTS_DATA16 },
	[SEG_GS] = { 0, 0xffff, 0, RIGHTS_DATA16 },
	[SEG_LDTR] = { 0, 0xffff, 0, RIGHTS_LDT },
	[SEG_TR] = { 0, 0xffff, 0, RIGHTS_TSS32 },
};

/* Legacy region of an XSAVE area: FCW at 0, MXCSR at 24, XMM at 160; header at 512. */
#define XSAVE_FCW	0
#define XSAVE_MXCSR	24
#define XSAVE_XMM	160
#define XSAVE_BV	512

static void fp_reset(struct qvm_vcpu *vcpu)
{
	memset(vcpu->arch.xsave, 0, PAGE_SIZE);
	*(u16 *)(vcpu->arch.xsave + XSAVE_FCW) = 0x37f;
	*(u32 *)(vcpu->arch.xsave + XSAVE_MXCSR) = 0x1f80;
}

void x86_vcpu_reset(struct qvm_vcpu *vcpu)
{
	unsigned int i;

	virt_reset(vcpu);
	memset(&vcpu->arch.regs, 0, sizeof(vcpu->arch.regs));
	vcpu->arch.regs.gpr[GPR_RDX] = 0x600;		/* family 6 */
	vcpu->arch.halted = false;
	for (i = 0; i < SEG_COUNT; i++)
		virt_set_segment(vcpu, i, &reset_segments[i]);
	virt_set_table(vcpu, false, 0, 0xffff);
	virt_set_table(vcpu, true, 0, 0xffff);
	virt_set_rip(vcpu, 0xfff0);
	virt_set_cr3(vcpu, 0);
	x86_set_rflags(vcpu, X86_EFLAGS_FIXED);
	vcpu->arch.cr0 = X86_CR0_ET | X86_CR0_CD | X86_CR0_NW;
	vcpu->arch.cr4 = 0;
	vcpu->arch.dr6 = 0xffff0ff0;
	vcpu->arch.dr7 = 0x400;
	memset(vcpu->arch.dr, 0, sizeof(vcpu->arch.dr));
	vcpu->arch.xcr0 = 1;
	x86_msr_reset(vcpu);
	fp_reset(vcpu);
	virt_update_mode(vcpu);
}

void x86_vcpu_sipi(struct qvm_vcpu *vcpu, u8 vector)
{
	struct x86_segment cs = reset_segments[SEG_CS];

	x86_vcpu_reset(vcpu);
	cs.selector = vector << 8;
	cs.base = (u64)vector << 12;
	virt_set_segment(vcpu, SEG_CS, &cs);
	virt_set_rip(vcpu, 0);
}

u64 qvm_arch_vcpu_pc(const struct qvm_vcpu *vcpu)
{
	return x86_get_rip((struct qvm_vcpu *)vcpu);
}

/* ---- UAPI ---- */

#define REG_CLASS(id)	((id) & ~0xffffffffffULL)
#define RIGHTS_VALID	0xf0ff

static int core_get(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	if (reg->id < QVM_REG_GPR(GPR_COUNT))
		reg->value[0] = vcpu->arch.regs.gpr[reg->id - QVM_REG_GPR(0)];
	else if (reg->id == QVM_REG_RIP)
		reg->value[0] = x86_get_rip(vcpu);
	else if (reg->id == QVM_REG_RFLAGS)
		reg->value[0] = x86_get_rflags(vcpu);
	else
		return -ENOENT;
	return 0;
}

#define RFLAGS_VALID	(X86_EFLAGS_CF | X86_EFLAGS_FIXED | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF | \
			 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_IOPL | X86_EFLAGS_NT | \
			 X86_EFLAGS_RF | X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF | \
			 X86_EFLAGS_VIP | X86_EFLAGS_ID)

static int core_set(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	u64 value = reg->value[0];

	if (reg->value[1])
		return -EINVAL;
	if (reg->id < QVM_REG_GPR(GPR_COUNT)) {
		vcpu->arch.regs.gpr[reg->id - QVM_REG_GPR(0)] = value;
	} else if (reg->id == QVM_REG_RIP) {
		virt_set_rip(vcpu, value);
		vcpu->arch.halted = false;
	} else if (reg->id == QVM_REG_RFLAGS) {
		if (value & ~(u64)RFLAGS_VALID)
			return -EINVAL;
		x86_set_rflags(vcpu, value | X86_EFLAGS_FIXED);
	} else {
		return -ENOENT;
	}
	return 0;
}

static int fp_get(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	bool has_sse = *(u64 *)(vcpu->arch.xsave + XSAVE_BV) & BIT(1);

	if (reg->id < QVM_REG_XMM(16) && has_sse)
		memcpy(reg->value, vcpu->arch.xsave + XSAVE_XMM + 16 * (reg->id - QVM_REG_XMM(0)),
		       16);
	else if (reg->id == QVM_REG_MXCSR)
		reg->value[0] = *(u32 *)(vcpu->arch.xsave + XSAVE_MXCSR);
	else if (reg->id == QVM_REG_FCW)
		reg->value[0] = *(u16 *)(vcpu->arch.xsave + XSAVE_FCW);
	else if (reg->id >= QVM_REG_XMM(16))
		return -ENOENT;
	return 0;
}

static int fp_set(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	if (reg->id < QVM_REG_XMM(16)) {
		memcpy(vcpu->arch.xsave + XSAVE_XMM + 16 * (reg->id - QVM_REG_XMM(0)), reg->value,
		       16);
		*(u64 *)(vcpu->arch.xsave + XSAVE_BV) |= BIT(1);
		return 0;
	}
	if (reg->id == QVM_REG_MXCSR && !(reg->value[0] & ~0xffffULL)) {
		*(u32 *)(vcpu->arch.xsave + XSAVE_MXCSR) = reg->value[0];
		*(u64 *)(vcpu->arch.xsave + XSAVE_BV) |= BIT(1);
		return 0;
	}
	return reg->id == QVM_REG_MXCSR ? -EINVAL : reg->id == QVM_REG_FCW ? -EPERM : -ENOENT;
}

static u64 *system_reg(struct qvm_vcpu *vcpu, u64 id)
{
	switch (id) {
	case QVM_REG_CR(0): return &vcpu->arch.cr0;
	case QVM_REG_CR(2): return &vcpu->arch.regs.cr2;
	case QVM_REG_CR(4): return &vcpu->arch.cr4;
	case QVM_REG_DR(6): return &vcpu->arch.dr6;
	case QVM_REG_DR(7): return &vcpu->arch.dr7;
	case QVM_REG_XCR0: return &vcpu->arch.xcr0;
	case QVM_REG_TSC_OFFSET: return &vcpu->vm->arch.tsc_offset;
	default:
		return id >= QVM_REG_DR(0) && id <= QVM_REG_DR(3) ?
		       &vcpu->arch.dr[id - QVM_REG_DR(0)] : NULL;
	}
}

static int system_get(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	const u64 *field = system_reg(vcpu, reg->id);

	if (reg->id == QVM_REG_CR(3))
		reg->value[0] = x86_get_cr3(vcpu);
	else if (reg->id == QVM_REG_CR(8))
		reg->value[0] = vlapic_get_cr8(vcpu);
	else if (field)
		reg->value[0] = *field;
	else
		return -ENOENT;
	return 0;
}

static bool system_value_is_valid(struct qvm_vcpu *vcpu, u64 id, u64 value)
{
	switch (id) {
	case QVM_REG_CR(0):
		return !(value >> 32) && (!(value & X86_CR0_PG) || value & X86_CR0_PE);
	case QVM_REG_CR(3):
		return !(value >> x86_maxphyaddr());
	case QVM_REG_CR(4):
		return !(value & ~x86_cr4_supported());
	case QVM_REG_CR(8):
		return value < 16;
	case QVM_REG_DR(6):
	case QVM_REG_DR(7):
		return !(value >> 32);
	case QVM_REG_XCR0:
		return value & 1 && !(value & ~x86_xcr0_supported());
	default:
		return true;
	}
}

/* The CPU's own bit, in whatever order user space sets what it depends on. */
static void settle_lma(struct qvm_vcpu *vcpu)
{
	u64 *efer = &vcpu->arch.msr.efer;

	*efer &= ~(u64)EFER_LMA;
	if (*efer & EFER_LME && vcpu->arch.cr0 & X86_CR0_PG)
		*efer |= EFER_LMA;
}

static int system_set(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	u64 *field = system_reg(vcpu, reg->id);

	if (!field && reg->id != QVM_REG_CR(3) && reg->id != QVM_REG_CR(8))
		return -ENOENT;
	if (reg->value[1] || !system_value_is_valid(vcpu, reg->id, reg->value[0]))
		return -EINVAL;
	if (reg->id == QVM_REG_TSC_OFFSET && qvm_vm_state(vcpu->vm) >= QVM_VM_RUNNING)
		return -EPERM;
	if (reg->id == QVM_REG_CR(3))
		virt_set_cr3(vcpu, reg->value[0]);
	else if (reg->id == QVM_REG_CR(8))
		vlapic_set_cr8(vcpu, reg->value[0]);
	else
		*field = reg->value[0];
	settle_lma(vcpu);
	virt_update_mode(vcpu);
	virt_flush_guest_tlb(vcpu);
	return 0;
}

static int segment_get(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	struct x86_segment seg;
	u32 limit;

	if (reg->id == QVM_REG_GDTR || reg->id == QVM_REG_IDTR) {
		virt_get_table(vcpu, reg->id == QVM_REG_IDTR, &reg->value[0], &limit);
		reg->value[1] = limit;
		return 0;
	}
	if (reg->id >= QVM_REG_SEG(SEG_COUNT))
		return -ENOENT;
	x86_get_segment(vcpu, reg->id - QVM_REG_SEG(0), &seg);
	reg->value[0] = seg.base;
	reg->value[1] = QVM_SEG_ATTR(seg.selector,
				     seg.rights | (seg.unusable ? QVM_SEG_UNUSABLE : 0), seg.limit);
	return 0;
}

static int segment_set(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	u64 attr = reg->value[1];
	struct x86_segment seg = {
		.base = reg->value[0],
		.selector = attr,
		.rights = (attr >> 16) & RIGHTS_VALID,
		.unusable = attr & (u64)QVM_SEG_UNUSABLE << 16,
		.limit = attr >> 32,
	};

	if (reg->id == QVM_REG_GDTR || reg->id == QVM_REG_IDTR) {
		if (attr > 0xffff)
			return -EINVAL;
		virt_set_table(vcpu, reg->id == QVM_REG_IDTR, reg->value[0], attr);
		return 0;
	}
	if (reg->id >= QVM_REG_SEG(SEG_COUNT))
		return -ENOENT;
	virt_set_segment(vcpu, reg->id - QVM_REG_SEG(0), &seg);
	return 0;
}

static const struct {
	u64 class;
	int (*get)(struct qvm_vcpu *vcpu, struct qvm_reg *reg);
	int (*set)(struct qvm_vcpu *vcpu, const struct qvm_reg *reg);
} classes[] = {
	{ QVM_REG_CORE, core_get, core_set },
	{ QVM_REG_FP, fp_get, fp_set },
	{ QVM_REG_SYSTEM, system_get, system_set },
	{ QVM_REG_SEGMENT, segment_get, segment_set },
};

static int msr_get(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	return x86_msr_read(vcpu, reg->id & U32_MAX, &reg->value[0]) ? -ENOENT : 0;
}

static int msr_set(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	u64 unused;

	if (x86_msr_read(vcpu, reg->id & U32_MAX, &unused))
		return -ENOENT;
	return reg->value[1] ? -EINVAL : x86_msr_write(vcpu, reg->id & U32_MAX, reg->value[0]);
}

int qvm_arch_get_reg(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	int ret = virt_fetch_state(vcpu);
	unsigned int i;

	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].class == REG_CLASS(reg->id))
			return classes[i].get(vcpu, reg);
	return REG_CLASS(reg->id) == QVM_REG_MSR ? msr_get(vcpu, reg) : -ENOENT;
}

int qvm_arch_set_reg(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	int ret = virt_fetch_state(vcpu);
	unsigned int i;

	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].class == REG_CLASS(reg->id))
			return classes[i].set(vcpu, reg);
	return REG_CLASS(reg->id) == QVM_REG_MSR ? msr_set(vcpu, reg) : -ENOENT;
}

void qvm_arch_vcpu_dump(const struct qvm_vcpu *vcpu)
{
	const u64 *gpr = vcpu->arch.regs.gpr;
	unsigned int i;

	pr_info("qvm: %s: vCPU %u ended the VM: rip %016llx cr0 %llx cr2 %llx cr4 %llx efer %llx\n",
		vcpu->vm->name, vcpu->index, qvm_arch_vcpu_pc(vcpu), vcpu->arch.cr0,
		vcpu->arch.regs.cr2, vcpu->arch.cr4, vcpu->arch.msr.efer);
	for (i = 0; i < GPR_COUNT; i += 4)
		pr_info("qvm: %s: r%-2u %016llx %016llx %016llx %016llx\n", vcpu->vm->name, i,
			gpr[i], gpr[i + 1], gpr[i + 2], gpr[i + 3]);
}
