/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of EL1 and EL0 that the host's threads use, too, into and out of the hardware. */
#ifndef QVM_ARM64_SHARED_REGS_H
#define QVM_ARM64_SHARED_REGS_H

#include "arm64.h"
#include "el2_regs.h"

/* X(name, hw, encoding, reset) as in sysreg.c */
#define ARM64_SHARED_REGS(X)							\
	X(PAR,		sys_reg(3, 0, 7, 4, 0),	SYSREG(3, 0, 7, 4, 0), 0)	\
	X(TPIDR_EL0,	sys_reg(3, 3, 13, 0, 2), SYSREG(3, 3, 13, 0, 2), 0)	\
	X(TPIDRRO_EL0,	sys_reg(3, 3, 13, 0, 3), SYSREG(3, 3, 13, 0, 3), 0)	\
	X(CSSELR,	sys_reg(3, 2, 0, 0, 0),	SYSREG(3, 2, 0, 0, 0), 0)

/* PAR_EL1 has barriers around it on some CPUs (erratum 1508412). */
#define arm64_hw_get(index, hw)	((index) == SR_PAR ? read_sysreg_par() : read_sysreg_s(hw))

/* Preemption off, current pCPU, VHE. */
static __always_inline void arm64_sys_load_shared(struct qvm_vcpu *vcpu)
{
	const u64 *sys = vcpu->arch.sys;

#define X(name, hw, encoding, reset) write_sysreg_s(sys[SR_##name], hw);
	ARM64_SHARED_REGS(X)
#undef X
}

static __always_inline void arm64_sys_put_shared(struct qvm_vcpu *vcpu)
{
	u64 *sys = vcpu->arch.sys;

#define X(name, hw, encoding, reset) sys[SR_##name] = arm64_hw_get(SR_##name, hw);
	ARM64_SHARED_REGS(X)
#undef X
}

#endif /* QVM_ARM64_SHARED_REGS_H */
