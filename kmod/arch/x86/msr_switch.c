// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that the guest uses without an exit and that neither VMCS nor VMCB switches: STAR, LSTAR,
 * SFMASK (SYSCALL), TSC_AUX (RDTSCP), KERNEL_GS_BASE (SWAPGS). While the vCPU is loaded they are
 * the guest's, as far as they matter to it; in user mode and in any other thread the host's.
 *
 * RDMSR and WRMSR of all but KERNEL_GS_BASE exit, so the guest's values are known without a look;
 * the host's do not change while a pCPU is up (KERNEL_GS_BASE is the thread's own GS base). CSTAR
 * is not among them: SYSCALL from compatibility mode is #UD on Intel's.
 */
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>

#include "x86.h"

struct host_msrs { u64 star, lstar, sfmask, tsc_aux; };

static DEFINE_PER_CPU(struct host_msrs, host_msrs);

void x86_msr_cpu_init(void)
{
	struct host_msrs *host = this_cpu_ptr(&host_msrs);

	host->star = x86_rdmsr(MSR_STAR);
	host->lstar = x86_rdmsr(MSR_LSTAR);
	host->sfmask = x86_rdmsr(MSR_SYSCALL_MASK);
	host->tsc_aux = boot_cpu_has(X86_FEATURE_RDTSCP) ? x86_rdmsr(MSR_TSC_AUX) : 0;
}

static void exchange(u32 index, u64 old, u64 new)
{
	if (old != new)
		x86_wrmsr(index, new);
}

/*
 * Without EFER.SCE SYSCALL is #UD, and nothing uses its MSRs; once here, they stay until put.
 * Preemption off, vCPU loaded.
 */
static void load_changed(struct qvm_vcpu *vcpu)
{
	const struct x86_msrs *msr = &vcpu->arch.msr;

	if (cpu_feature_enabled(X86_FEATURE_RDTSCP))
		x86_wrmsr(MSR_TSC_AUX, msr->tsc_aux);
	vcpu->arch.syscall_loaded |= msr->efer & EFER_SCE;
	if (!vcpu->arch.syscall_loaded)
		return;
	x86_wrmsr(MSR_STAR, msr->star);
	x86_wrmsr(MSR_LSTAR, msr->lstar);
	x86_wrmsr(MSR_SYSCALL_MASK, msr->sfmask);
}

/* With preemption off: put takes what is in the field for what is in the register. */
void x86_msr_switched_set(struct qvm_vcpu *vcpu, u64 *field, u64 value)
{
	preempt_disable();
	*field = value;
	if (vcpu->loaded)
		load_changed(vcpu);
	preempt_enable();
}

void x86_msr_load(struct qvm_vcpu *vcpu)
{
	const struct host_msrs *host = this_cpu_ptr(&host_msrs);
	const struct x86_msrs *msr = &vcpu->arch.msr;

	vcpu->arch.host_kernel_gs = x86_rdmsr(MSR_KERNEL_GS_BASE);
	exchange(MSR_KERNEL_GS_BASE, vcpu->arch.host_kernel_gs, msr->kernel_gs_base);
	if (cpu_feature_enabled(X86_FEATURE_RDTSCP))
		exchange(MSR_TSC_AUX, host->tsc_aux, msr->tsc_aux);
	vcpu->arch.syscall_loaded = msr->efer & EFER_SCE;
	if (!vcpu->arch.syscall_loaded)
		return;
	exchange(MSR_STAR, host->star, msr->star);
	exchange(MSR_LSTAR, host->lstar, msr->lstar);
	exchange(MSR_SYSCALL_MASK, host->sfmask, msr->sfmask);
}

void x86_msr_put(struct qvm_vcpu *vcpu)
{
	const struct host_msrs *host = this_cpu_ptr(&host_msrs);
	struct x86_msrs *msr = &vcpu->arch.msr;

	msr->kernel_gs_base = x86_rdmsr(MSR_KERNEL_GS_BASE);
	exchange(MSR_KERNEL_GS_BASE, msr->kernel_gs_base, vcpu->arch.host_kernel_gs);
	if (cpu_feature_enabled(X86_FEATURE_RDTSCP))
		exchange(MSR_TSC_AUX, msr->tsc_aux, host->tsc_aux);
	if (!vcpu->arch.syscall_loaded)
		return;
	exchange(MSR_STAR, msr->star, host->star);
	exchange(MSR_LSTAR, msr->lstar, host->lstar);
	exchange(MSR_SYSCALL_MASK, msr->sfmask, host->sfmask);
}

u64 x86_kernel_gs_get(struct qvm_vcpu *vcpu)
{
	u64 value;

	preempt_disable();
	value = vcpu->loaded ? x86_rdmsr(MSR_KERNEL_GS_BASE) : vcpu->arch.msr.kernel_gs_base;
	preempt_enable();
	return value;
}

void x86_kernel_gs_set(struct qvm_vcpu *vcpu, u64 value)
{
	preempt_disable();
	if (vcpu->loaded)
		x86_wrmsr(MSR_KERNEL_GS_BASE, value);
	else
		vcpu->arch.msr.kernel_gs_base = value;
	preempt_enable();
}
