// SPDX-License-Identifier: GPL-2.0-only
/* vCPU registers: reset, the UAPI's view, the dump after a safe state. */
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/cputype.h>
#include <asm/debug-monitors.h>

#include "arm64.h"
#include "el2_regs.h"

#include <qvm_reg.h>

/* EL1h, all interrupts masked: as firmware hands over (Documentation/arch/arm64/booting). */
#define PSTATE_RESET	(PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)

/* Bits of SPSR_EL2 that a guest at EL1 or EL0 in AArch64 can have. */
#define PSTATE_VALID	(PSR_MODE_MASK | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | PSR_BTYPE_MASK | \
			 PSR_SSBS_BIT | PSR_PAN_BIT | PSR_UAO_BIT | PSR_DIT_BIT | PSR_N_BIT | PSR_Z_BIT | \
			 PSR_C_BIT | PSR_V_BIT | DBG_SPSR_SS | PSR_IL_BIT)

void arm64_vcpu_reset(struct qvm_vcpu *vcpu, u64 pc, u64 x0)
{
	memset(&vcpu->arch.regs, 0, sizeof(vcpu->arch.regs));
	memset(&vcpu->arch.fp, 0, sizeof(vcpu->arch.fp));
	vcpu->arch.regs.pstate = PSTATE_RESET;
	vcpu->arch.regs.pc = pc;
	vcpu->arch.regs.x[0] = x0;
	arm64_sys_reset(vcpu);
}

void qvm_arch_vcpu_power_on(struct qvm_vcpu *vcpu)
{
	arm64_vcpu_reset(vcpu, vcpu->arch.boot.entry, vcpu->arch.boot.context);
	arm64_sys_set_endian(vcpu, vcpu->arch.boot.big_endian);
	arm64_vtimer_reset(vcpu);
	qvm_vgic_reset(vcpu);
}

u64 qvm_arch_vcpu_pc(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.regs.pc;
}

static u64 *core_reg(struct qvm_vcpu *vcpu, u64 id)
{
	struct arm64_regs *regs = &vcpu->arch.regs;

	if (id < QVM_REG_X(31))
		return &regs->x[id - QVM_REG_X(0)];
	switch (id) {
	case QVM_REG_SP_EL0:
		return &regs->sp_el0;
	case QVM_REG_PC:
		return &regs->pc;
	case QVM_REG_PSTATE:
		return &regs->pstate;
	default:
		return NULL;
	}
}

static bool pstate_is_valid(u64 pstate)
{
	u64 mode = pstate & PSR_MODE_MASK;

	return !(pstate & ~(u64)PSTATE_VALID) &&
	       (mode == PSR_MODE_EL0t || mode == PSR_MODE_EL1t || mode == PSR_MODE_EL1h);
}

static int fp_get(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	if (reg->id <= QVM_REG_Q(31))
		memcpy(reg->value, &vcpu->arch.fp.q[reg->id - QVM_REG_Q(0)], sizeof(reg->value));
	else if (reg->id == QVM_REG_FPSR)
		reg->value[0] = vcpu->arch.fp.fpsr;
	else if (reg->id == QVM_REG_FPCR)
		reg->value[0] = vcpu->arch.fp.fpcr;
	else
		return -ENOENT;
	return 0;
}

static int fp_set(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	if (reg->id <= QVM_REG_Q(31)) {
		memcpy(&vcpu->arch.fp.q[reg->id - QVM_REG_Q(0)], reg->value, sizeof(reg->value));
		return 0;
	}
	if (reg->id > QVM_REG_FPCR)
		return -ENOENT;
	if (reg->value[1] || reg->value[0] > U32_MAX)
		return -EINVAL;
	if (reg->id == QVM_REG_FPSR)
		vcpu->arch.fp.fpsr = reg->value[0];
	else
		vcpu->arch.fp.fpcr = reg->value[0];
	return 0;
}

#define REG_CLASS(id)	((id) & ~0xffffffffffULL)

int qvm_arch_get_reg(struct qvm_vcpu *vcpu, struct qvm_reg *reg)
{
	u64 *core;

	arm64_unpark(vcpu);
	switch (REG_CLASS(reg->id)) {
	case QVM_REG_CORE:
		core = core_reg(vcpu, reg->id);
		if (!core)
			return -ENOENT;
		reg->value[0] = *core;
		return 0;
	case QVM_REG_FP:
		return fp_get(vcpu, reg);
	case QVM_REG_SYSTEM:
		if (reg->id - QVM_REG_SYSTEM > SYSREG(3, 7, 15, 15, 7))
			return -ENOENT;
		return arm64_sys_get(vcpu, reg->id - QVM_REG_SYSTEM, &reg->value[0]);
	case QVM_REG_TIMER:
		reg->value[0] = vcpu->vm->arch.cntvoff;
		return reg->id == QVM_REG_CNTVOFF ? 0 : -ENOENT;
	default:
		return -ENOENT;
	}
}

static int cntvoff_set(struct qvm_vcpu *vcpu, u64 value)
{
	if (qvm_vm_state(vcpu->vm) >= QVM_VM_RUNNING)
		return -EPERM;
	WRITE_ONCE(vcpu->vm->arch.cntvoff, value);
	return 0;
}

int qvm_arch_set_reg(struct qvm_vcpu *vcpu, const struct qvm_reg *reg)
{
	u64 *core;

	arm64_unpark(vcpu);
	if (REG_CLASS(reg->id) == QVM_REG_FP)
		return fp_set(vcpu, reg);
	if (reg->value[1])
		return -EINVAL;
	switch (REG_CLASS(reg->id)) {
	case QVM_REG_CORE:
		core = core_reg(vcpu, reg->id);
		if (!core)
			return -ENOENT;
		if (reg->id == QVM_REG_PSTATE && !pstate_is_valid(reg->value[0]))
			return -EINVAL;
		*core = reg->value[0];
		return 0;
	case QVM_REG_SYSTEM:
		if (reg->id - QVM_REG_SYSTEM > SYSREG(3, 7, 15, 15, 7))
			return -ENOENT;
		return arm64_sys_set(vcpu, reg->id - QVM_REG_SYSTEM, reg->value[0]);
	case QVM_REG_TIMER:
		return reg->id == QVM_REG_CNTVOFF ? cntvoff_set(vcpu, reg->value[0]) : -ENOENT;
	default:
		return -ENOENT;
	}
}

void qvm_arch_vcpu_dump(const struct qvm_vcpu *vcpu)
{
	const struct arm64_regs *regs = &vcpu->arch.regs;
	unsigned int i;

	pr_info("qvm: %s: vCPU %u ended the VM: pc %016llx pstate %08llx sp_el0 %016llx esr %08llx far %016llx hpfar %llx\n",
		vcpu->vm->name, vcpu->index, regs->pc, regs->pstate, regs->sp_el0,
		vcpu->arch.exit.esr, vcpu->arch.exit.far, vcpu->arch.exit.hpfar);
	for (i = 0; i < 28; i += 4)
		pr_info("qvm: %s: x%-2u %016llx %016llx %016llx %016llx\n", vcpu->vm->name, i,
			regs->x[i], regs->x[i + 1], regs->x[i + 2], regs->x[i + 3]);
	pr_info("qvm: %s: x28 %016llx %016llx %016llx\n", vcpu->vm->name, regs->x[28], regs->x[29],
		regs->x[30]);
}
