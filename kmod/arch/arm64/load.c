// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's world on a pCPU and off it.
 *
 * A VHE host's kernel and its processes use none of the registers of EL1: what a guest has there,
 * its timer, stage 2 and virtual CPU interface may stay while its thread is in user space, which
 * most often answers an access and comes back. The vCPU is parked then: only what the host's
 * threads share with it (host_regs_back()) is the host's again. It goes when another vCPU is
 * loaded on this pCPU; when it is loaded on another one, read, written or destroyed, by an
 * interrupt to this one; and before the pCPU is taken down or loses power. A thread that is
 * scheduled out while its vCPU is loaded parks nothing.
 *
 * Of EL1's registers TPIDR_EL0, TPIDRRO_EL0, TPIDR2_EL0, CSSELR_EL1 and PAR_EL1 are all that code
 * at EL2 and EL0 uses with HCR_EL2.{E2H,TGE} = {1,1}: CNTVOFF_EL2, CNTHCTL_EL2.EL1* and
 * fine-grained traps do not reach it (Arm ARM D11.2, D19.12, D19.2), CNTKCTL_EL1 and the rest are
 * other registers by the same names (D8.1.1).
 */
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "nvhe/nvhe.h"
#include "shared_regs.h"
#include "traps.h"

/* Its thread changes it with preemption off, who else does sends an interrupt. */
static DEFINE_PER_CPU(struct qvm_vcpu *, parked);

#define FINE_TRAPS(X)								\
	X(hfgrtr, EL2_HFGRTR)							\
	X(hfgwtr, EL2_HFGWTR)							\
	X(hfgitr, EL2_HFGITR)							\
	X(hdfgrtr, EL2_HDFGRTR)							\
	X(hdfgwtr, EL2_HDFGWTR)

#define FINE_TRAPS2(X)								\
	X(hfgrtr2, EL2_HFGRTR2)							\
	X(hfgwtr2, EL2_HFGWTR2)							\
	X(hfgitr2, EL2_HFGITR2)							\
	X(hdfgrtr2, EL2_HDFGRTR2)						\
	X(hdfgwtr2, EL2_HDFGWTR2)

/*
 * What the guest is not told of and no bit of HCR_EL2, CPTR_EL2, MDCR_EL2 traps: the host may have
 * let its own EL0 have it, so fine-grained traps are ours. Without them TPIDR2_EL0 is not the
 * host thread's. DISR_EL1 is VDISR_EL2 in a guest; VSESR_EL2 is looked at with HCR_EL2.VSE only,
 * which is never set.
 */
static void hidden_load(struct qvm_vcpu *vcpu)
{
	struct arm64_host *host = &vcpu->arch.host;

	if (arm64_host.has_fgt) {
#define X(field, reg)								\
		host->field = read_sysreg_s(reg);				\
		write_sysreg_s(0, reg);
		FINE_TRAPS(X)
#undef X
	}
	if (arm64_host.has_fgt2) {
#define X(field, reg)								\
		host->field = read_sysreg_s(reg);				\
		write_sysreg_s(0, reg);
		FINE_TRAPS2(X)
#undef X
	}
	if (arm64_host.has_ras) {
		host->vdisr = read_sysreg_s(EL2_VDISR);
		write_sysreg_s(vcpu->arch.vdisr, EL2_VDISR);
	}
	if (arm64_host.mpam_traps) {
		host->mpam2 = read_sysreg_s(EL2_MPAM2);
		write_sysreg_s(host->mpam2 | arm64_host.mpam_traps, EL2_MPAM2);
	}
	if (arm64_host.has_mpamhcr) {
		host->mpamhcr = read_sysreg_s(EL2_MPAMHCR);
		write_sysreg_s(host->mpamhcr | MPAMHCR_TRAP_MPAMIDR, EL2_MPAMHCR);
	}
}

static void hidden_put(struct qvm_vcpu *vcpu)
{
	const struct arm64_host *host = &vcpu->arch.host;

	if (arm64_host.has_fgt) {
#define X(field, reg) write_sysreg_s(host->field, reg);
		FINE_TRAPS(X)
	}
	if (arm64_host.has_fgt2) {
		FINE_TRAPS2(X)
#undef X
	}
	if (arm64_host.mpam_traps)
		write_sysreg_s(host->mpam2, EL2_MPAM2);
	if (arm64_host.has_mpamhcr)
		write_sysreg_s(host->mpamhcr, EL2_MPAMHCR);
	if (arm64_host.has_ras) {
		vcpu->arch.vdisr = read_sysreg_s(EL2_VDISR);
		write_sysreg_s(host->vdisr, EL2_VDISR);
	}
}

static noinline void load_all(struct qvm_vcpu *vcpu)
{
	struct arm64_host *host = &vcpu->arch.host;

	host->vpidr = read_sysreg(vpidr_el2);
	host->vmpidr = read_sysreg(vmpidr_el2);
	write_sysreg(vcpu->arch.midr, vpidr_el2);
	write_sysreg(vcpu->arch.mpidr, vmpidr_el2);
	hidden_load(vcpu);
	arm64_trace_load(vcpu);
	arm64_sys_load(vcpu);
	arm64_s2_load(vcpu);
	arm64_vtimer_load(vcpu);
	if (vcpu->arch.vgic)
		qvm_vgic_load(vcpu);
	else
		write_sysreg_s(ICH_HCR_TRAP_ALL, SYS_ICH_HCR_EL2);
	isb();
}

/* All but the registers that are shared with threads of the host. Under the rq lock, too. */
static void put_all(struct qvm_vcpu *vcpu)
{
	const struct arm64_host *host = &vcpu->arch.host;

	if (vcpu->arch.vgic)
		qvm_vgic_put(vcpu);
	else
		write_sysreg_s(0, SYS_ICH_HCR_EL2);
	arm64_vtimer_put(vcpu);
	arm64_s2_put(vcpu);
	arm64_sys_put(vcpu);
	arm64_trace_put(vcpu);
	hidden_put(vcpu);
	write_sysreg(host->vpidr, vpidr_el2);
	write_sysreg(host->vmpidr, vmpidr_el2);
	isb();
}

static void guest_regs_in(struct qvm_vcpu *vcpu)
{
	struct arm64_host *host = &vcpu->arch.host;

	host->tpidr_el0 = read_sysreg(tpidr_el0);
	host->tpidrro_el0 = read_sysreg(tpidrro_el0);
	host->csselr = read_sysreg(csselr_el1);
	arm64_tpidr2_load(vcpu);
	arm64_sys_load_shared(vcpu);
}

/* The host thread's own: TPIDR_EL0 before the scheduler saves it for the thread. */
static __always_inline void host_regs_back(struct qvm_vcpu *vcpu)
{
	const struct arm64_host *host = &vcpu->arch.host;

	arm64_sys_put_shared(vcpu);
	arm64_tpidr2_put(vcpu);
	write_sysreg(host->tpidr_el0, tpidr_el0);
	write_sysreg(host->tpidrro_el0, tpidrro_el0);
	write_sysreg(host->csselr, csselr_el1);
}

/* ---- parked ---- */

/* Interrupts off, on the pCPU that has it. */
static void evict(struct qvm_vcpu *vcpu)
{
	__this_cpu_write(parked, NULL);
	put_all(vcpu);
	/* Pairs with the acquire of who loads it elsewhere, or reads it. */
	smp_store_release(&vcpu->arch.parked_on, 0);
}

static void evict_this(void *vcpu)
{
	if (__this_cpu_read(parked) != vcpu)
		return;
	evict(vcpu);
	arm64_vtimer_settle(vcpu);
}

void arm64_unpark(struct qvm_vcpu *vcpu)
{
	unsigned int cpu = smp_load_acquire(&vcpu->arch.parked_on);

	/* No such pCPU any more: it evicted the vCPU before it went. */
	if (cpu)
		smp_call_function_single(cpu - 1, evict_this, vcpu, true);
}

void arm64_unpark_cpu(void)
{
	struct qvm_vcpu *vcpu;
	unsigned long flags;

	local_irq_save(flags);
	vcpu = __this_cpu_read(parked);
	if (vcpu)
		evict_this(vcpu);
	local_irq_restore(flags);
}

/*
 * True: this pCPU has its registers still. Preemption off, vCPU mutex held: nobody else unparks it
 * meanwhile, neither by an interrupt nor as this pCPU goes down.
 */
static __always_inline bool take_parked(struct qvm_vcpu *vcpu)
{
	if (__this_cpu_read(parked) != vcpu)
		return false;
	__this_cpu_write(parked, NULL);
	WRITE_ONCE(vcpu->arch.parked_on, 0);
	return true;
}

/* Whoever is parked here goes. */
static noinline void make_room(void)
{
	struct qvm_vcpu *here;
	unsigned long flags;

	local_irq_save(flags);
	here = __this_cpu_read(parked);
	if (here)
		evict(here);
	local_irq_restore(flags);
}

/* ---- as arch.h has them ---- */

bool qvm_arch_vcpu_load(struct qvm_vcpu *vcpu)
{
	if (!__this_cpu_read(qvm_arm64_enabled)) {
		arm64_unpark(vcpu);	/* who reads or writes registers that are not loaded has these */
		return false;
	}
	if (arm64_is_nvhe()) {
		arm64_nvhe_load(vcpu);
		return true;
	}
	if (unlikely(!take_parked(vcpu))) {
		make_room();
		arm64_unpark(vcpu);
		load_all(vcpu);
	}
	guest_regs_in(vcpu);
	return true;
}

void qvm_arch_vcpu_put(struct qvm_vcpu *vcpu)
{
	if (arm64_is_nvhe()) {
		arm64_nvhe_put(vcpu);
		return;
	}
	host_regs_back(vcpu);
	put_all(vcpu);
}

void qvm_arch_vcpu_settle(struct qvm_vcpu *vcpu)
{
	arm64_vtimer_settle(vcpu);
}

void qvm_arch_vcpu_park(struct qvm_vcpu *vcpu)
{
	if (arm64_is_nvhe() || !__this_cpu_read(qvm_arm64_enabled)) {
		qvm_arch_vcpu_put(vcpu);
		arm64_vtimer_settle(vcpu);
		return;
	}
	host_regs_back(vcpu);
	WRITE_ONCE(vcpu->arch.parked_on, 1 + smp_processor_id());
	__this_cpu_write(parked, vcpu);
}
