// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions into the guest's EL1, as the hardware takes them (Arm ARM D1.3, AArch64.TakeException). */
#include <asm/esr.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "arm64.h"

#define SCTLR_SPAN	BIT_ULL(23)
#define SCTLR_DSSBS	BIT_ULL(44)
#define PSTATE_KEPT	(PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT | PSR_PAN_BIT | PSR_DIT_BIT)

static u64 vector_offset(u64 pstate)
{
	switch (pstate & PSR_MODE_MASK) {
	case PSR_MODE_EL1t:
		return 0x000;
	case PSR_MODE_EL1h:
		return 0x200;
	default:
		return pstate & PSR_MODE32_BIT ? 0x600 : 0x400;
	}
}

/* NZCV and DIT are kept, PAN is set unless SPAN, SSBS becomes DSSBS, the rest is cleared. */
static u64 exception_pstate(u64 pstate, u64 sctlr)
{
	u64 next = (pstate & PSTATE_KEPT) | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | PSR_MODE_EL1h;

	if (!(sctlr & SCTLR_SPAN))
		next |= PSR_PAN_BIT;
	if (sctlr & SCTLR_DSSBS)
		next |= PSR_SSBS_BIT;
	return next;
}

static void take_exception(struct qvm_vcpu *vcpu, u64 esr)
{
	struct arm64_regs *regs = &vcpu->arch.regs;
	u64 pstate = regs->pstate;

	arm64_sys_write(vcpu, SR_ESR, esr);
	arm64_sys_write(vcpu, SR_ELR, regs->pc);
	arm64_sys_write(vcpu, SR_SPSR, pstate);
	regs->pc = arm64_sys_read(vcpu, SR_VBAR) + vector_offset(pstate);
	regs->pstate = exception_pstate(pstate, arm64_sys_read(vcpu, SR_SCTLR));
}

void arm64_inject_undefined(struct qvm_vcpu *vcpu)
{
	vcpu->stats.undefined++;
	take_exception(vcpu, (u64)ESR_ELx_EC_UNKNOWN << ESR_ELx_EC_SHIFT | ESR_ELx_IL);
}

void arm64_inject_abort(struct qvm_vcpu *vcpu, bool fetch)
{
	bool from_el0 = (vcpu->arch.regs.pstate & PSR_MODE_MASK) == PSR_MODE_EL0t;
	u64 ec = fetch ? ESR_ELx_EC_IABT_LOW : ESR_ELx_EC_DABT_LOW;
	u64 iss = ESR_ELx_FSC_EXTABT;

	if (!from_el0)
		ec++;			/* from the current EL */
	if (!fetch)
		iss |= vcpu->arch.exit.esr & ESR_ELx_WNR;
	arm64_sys_write(vcpu, SR_FAR, vcpu->arch.exit.far);
	take_exception(vcpu, ec << ESR_ELx_EC_SHIFT | ESR_ELx_IL | iss);
}
