// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world switch of an nVHE host: el2.S makes it as a whole at each entry and exit. While a vCPU
 * is loaded its state is in vcpu->arch, but for what the host has no use for: CNTV with its offset,
 * and the virtual CPU interface (ICH_*), which is quiet while ICH_HCR_EL2 is 0.
 */
#include <linux/printk.h>
#include <asm/esr.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "el2_regs.h"
#include "histogram.h"
#include "nvhe.h"
#include "traps.h"

/* CPTR_EL2 in its layout with E2H = 0 (Arm ARM D19.2.34); RES1 where there is no SVE, no SME */
#define CPTR_RES1	0x32ffULL
#define CPTR_TZ		BIT_ULL(8)	/* SVE traps */
#define CPTR_TFP	BIT_ULL(10)	/* FP and SIMD trap */
#define CPTR_TTA	BIT_ULL(20)	/* trace registers trap */
#define CPTR_TAM	BIT_ULL(30)	/* activity monitors trap (FEAT_AMUv1, else RES0) */
#define GUEST_CPTR	(CPTR_RES1 | CPTR_TZ | CPTR_TTA | CPTR_TAM)

static noinstr void exit_record(struct qvm_vcpu *vcpu, u64 code)
{
	const struct arm64_nvhe *nvhe = &vcpu->arch.nvhe;

	vcpu->arch.exit.code = code;
	if (code == ARM64_EXIT_SERROR)
		vcpu->arch.exit.esr = nvhe->esr;
	if (code != ARM64_EXIT_SYNC)
		return;
	qvm_histogram_begin(vcpu, ESR_ELx_EC(nvhe->esr));
	vcpu->arch.exit.esr = nvhe->esr;
	vcpu->arch.exit.sctlr = vcpu->arch.sys[SR_SCTLR];
	vcpu->arch.exit.far = nvhe->far;
	vcpu->arch.exit.hpfar = nvhe->hpfar;
}

noinstr void arm64_nvhe_run_guest(struct qvm_vcpu *vcpu, bool fp)
{
	struct arm64_nvhe *nvhe = &vcpu->arch.nvhe;
	bool debug, trace = __this_cpu_read(qvm_arm64_vectors_cpu.trace);
	/* Debug exceptions too: what the guest's registers arm may not fire in the host. */
	u64 daif = arm64_daif_mask(), code;

	if (trace)
		arm64_trace_enter(vcpu);
	debug = arm64_debug_is_needed(vcpu);
	if (debug)
		arm64_debug_enter(vcpu);
	nvhe->hcr = (arm64_host.guest_hcr | vcpu->arch.hcr) & ~EL2_HCR_E2H;
	nvhe->cptr = GUEST_CPTR | (fp ? 0 : CPTR_TFP);
	nvhe->mdcr = GUEST_MDCR;
	qvm_histogram_end(vcpu);
	code = arm64_nvhe_call(EL2_RUN, virt_to_phys(nvhe), 0);
	exit_record(vcpu, code);
	if (debug)
		arm64_debug_leave(vcpu);
	if (trace)
		arm64_trace_leave(vcpu);
	arm64_daif_restore(daif);
}

void arm64_nvhe_load(struct qvm_vcpu *vcpu)
{
	arm64_tpidr2_load(vcpu);
	arm64_s2_load(vcpu);
	arm64_vtimer_load(vcpu);
	if (vcpu->arch.vgic)
		qvm_vgic_load(vcpu);
	else
		vcpu->arch.nvhe.ich_hcr = ICH_HCR_TRAP_ALL;
}

void arm64_nvhe_put(struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.vgic)
		qvm_vgic_put(vcpu);
	arm64_vtimer_put(vcpu);
	arm64_s2_put(vcpu);
	arm64_tpidr2_put(vcpu);
}
