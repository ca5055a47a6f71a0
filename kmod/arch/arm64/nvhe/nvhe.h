/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host whose kernel is at EL1: EL2 is taken from the kernel's stub and runs el2.S, all C stays at
 * EL1. Which of the two the host is, is settled at load; the rest of arch/arm64 asks
 * arm64_is_nvhe() where it would touch a register of EL2, and does one of these instead.
 */
#ifndef QVM_ARM64_NVHE_NVHE_H
#define QVM_ARM64_NVHE_NVHE_H

#include <linux/jump_label.h>
#include <linux/types.h>

#include "el2.h"

struct qvm_vcpu;
struct vgic_cpuif;

DECLARE_STATIC_KEY_FALSE(arm64_nvhe_key);

static __always_inline bool arm64_is_nvhe(void)
{
	return static_branch_unlikely(&arm64_nvhe_key);
}

/* ---- nvhe.c: EL2 itself ---- */

/*
 * Once, the kernel at EL1 and the virtual timer's interrupt ours: that interrupt is free only where
 * the kernel was entered at EL2, so there is a stub for HVC to reach. -ENOMEM; -EBUSY: it is not
 * the stub that answers (KVM); -ENODEV: no GICv3, or EL2 is in a state that the stub never left.
 * Nothing is held on error.
 */
int arm64_nvhe_init(void);
void arm64_nvhe_fini(void);		/* EL2 is given back on all pCPUs */

/*
 * On that pCPU, interrupts off: take EL2, give it back to the stub. Either may be called again.
 * -EBUSY, -ENODEV as above. In between, EL2 answers the stub's own calls, too.
 */
int arm64_nvhe_cpu_up(void);
void arm64_nvhe_cpu_down(void);

/* Let EL2 see the vCPU; -ENOMEM, -ERANGE (beyond 48 bits). May sleep; also destroys half of it. */
int arm64_nvhe_vcpu_create(struct qvm_vcpu *vcpu);
void arm64_nvhe_vcpu_destroy(struct qvm_vcpu *vcpu);

/* EL2_* of el2.h on this pCPU, preemption off, EL2 taken here; what it returns. */
u64 arm64_nvhe_call(u64 call, u64 x1, u64 x2);

/* The same on whichever pCPU has EL2 taken, if one has. Process context, interrupts on. */
void arm64_nvhe_call_any(u64 call, u64 x1, u64 x2);

/* Why EL2 failed where a guest should have exited, in the log: its VM is about to end. */
void arm64_nvhe_report(const struct qvm_vcpu *vcpu);

/* ---- switch.c ---- */

/* As qvm_arch_vcpu_load() and _put(), on an enabled pCPU. */
void arm64_nvhe_load(struct qvm_vcpu *vcpu);
void arm64_nvhe_put(struct qvm_vcpu *vcpu);

/* Into the guest; its exit is in vcpu->arch.exit then. noinstr, interrupts off. */
void arm64_nvhe_run_guest(struct qvm_vcpu *vcpu, bool fp);

/* ---- vgic.c ---- */

/* What stands behind the virtual GIC here; its lr_count and aff3 are for who probes to fill. */
extern struct vgic_cpuif vgic_nvhe_cpuif;

#endif /* QVM_ARM64_NVHE_NVHE_H */
