// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world switch of a VHE host (HCR_EL2.E2H = 1): the host kernel is at EL2 already, so a
 * guest runs by clearing TGE with stage 2 on, and comes back to our vectors.
 *
 * Order (Arm ARM D8, D13; erratum 1165522): VTCR_EL2 and VTTBR_EL2 and the guest's EL1 state are
 * loaded and synchronized in qvm_arch_vcpu_load(), long before TGE is cleared here.
 */
#include <asm/esr.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "compat.h"
#include "context.h"
#include "entry_offsets.h"
#include "histogram.h"
#include "inject.h"
#include "irqsoff.h"
#include "el2_regs.h"
#include "nvhe/nvhe.h"
#include "traps.h"
#include "vgic_state.h"

static_assert(offsetof(struct qvm_vcpu_arch, regs) == 0);
static_assert(offsetof(struct arm64_regs, x) == REGS_X(0));
static_assert(offsetof(struct arm64_regs, sp_el0) == REGS_SP_EL0);
static_assert(offsetof(struct arm64_regs, pc) == REGS_PC);
static_assert(offsetof(struct arm64_regs, pstate) == REGS_PSTATE);
static_assert(ARM64_EXIT_SYNC == EXIT_CODE_SYNC && ARM64_EXIT_IRQ == EXIT_CODE_IRQ &&
	      ARM64_EXIT_SERROR == EXIT_CODE_SERROR && ARM64_EXIT_AARCH32 == EXIT_CODE_AARCH32);

DEFINE_PER_CPU(u64, qvm_arm64_host_vbar);

/* ---- guest FP and SIMD: by hand, the kernel's own routines are not exported ---- */

#define FP_PAIR(insn, n, m) #insn " q" #n ", q" #m ", [%0, #16 * " #n "]\n"
#define FP_ALL(insn)								\
	FP_PAIR(insn, 0, 1) FP_PAIR(insn, 2, 3) FP_PAIR(insn, 4, 5)		\
	FP_PAIR(insn, 6, 7) FP_PAIR(insn, 8, 9) FP_PAIR(insn, 10, 11)		\
	FP_PAIR(insn, 12, 13) FP_PAIR(insn, 14, 15) FP_PAIR(insn, 16, 17)	\
	FP_PAIR(insn, 18, 19) FP_PAIR(insn, 20, 21) FP_PAIR(insn, 22, 23)	\
	FP_PAIR(insn, 24, 25) FP_PAIR(insn, 26, 27) FP_PAIR(insn, 28, 29)	\
	FP_PAIR(insn, 30, 31)

void arm64_fp_save(struct arm64_fp *fp)
{
	asm volatile(".arch_extension fp\n" FP_ALL(stp) : : "r"(fp->q) : "memory");
	fp->fpsr = read_sysreg(fpsr);
	fp->fpcr = read_sysreg(fpcr);
	write_sysreg(0, fpcr);		/* kernel NEON code of softirqs expects the default */
}

void arm64_fp_load(const struct arm64_fp *fp)
{
	asm volatile(".arch_extension fp\n" FP_ALL(ldp) : : "r"(fp->q) : "memory");
	write_sysreg(fp->fpsr, fpsr);
	write_sysreg(fp->fpcr, fpcr);
}

/* ---- traps ---- */

/* What few CPUs, or hosts, have to do around a guest. */
#define RARE_TRACE	BIT(0)		/* a profiling or trace unit may be at work */
#define RARE_DEBUG	BIT(1)		/* arm64_debug_is_needed() */
#define RARE_HCX	BIT(2)		/* HCRX_EL2 */
#define RARE_DIT	BIT(3)		/* fields of PSTATE that are registers */
#define RARE_SSBS	BIT(4)
#define RARE_SSBS_SYNC	BIT(5)
#define RARE_HCR_SYNC	BIT(6)
#define RARE_TCO	BIT(7)

/* What does not change while interrupts are off, whatever the guest does: looked up once. */
struct stay {
	const struct arm64_vectors *vectors;
	u64 hcr, mdcr, cptr;	/* in the guest */
	u64 daif;		/* of the host */
	u32 rare;		/* RARE_* */
};

void arm64_switch_cpu_up(void)
{
	struct arm64_vectors *vectors = this_cpu_ptr(&qvm_arm64_vectors_cpu);

	vectors->rare = (vectors->trace ? RARE_TRACE : 0) | (arm64_host.has_hcx ? RARE_HCX : 0) |
			(arm64_host.has_dit ? RARE_DIT : 0) | (arm64_host.has_ssbs ? RARE_SSBS : 0) |
			(arm64_host.has_tco ? RARE_TCO : 0) |
			(arm64_has_fix(ARM64_FIX_HCR_DSB) ? RARE_HCR_SYNC : 0);
	if (arm64_host.has_ssbs && arm64_has_fix(ARM64_FIX_SSBS_SYNC))
		vectors->rare |= RARE_SSBS_SYNC;
}

/* What the host has now, and has until interrupts open again. */
static __always_inline void host_save(struct qvm_vcpu *vcpu, u32 rare)
{
	struct arm64_host *host = &vcpu->arch.host;

	host->hcr = read_sysreg(hcr_el2);
	host->cptr = read_sysreg(cpacr_el1);	/* with E2H this name is CPTR_EL2, CPACR layout */
	host->mdcr = read_sysreg(mdcr_el2);
	host->vbar = read_sysreg(vbar_el1);
	host->pan = read_sysreg_s(PSTATE_REG_PAN);
	__this_cpu_write(qvm_arm64_host_vbar, host->vbar);
	if (likely(!rare))
		return;
	if (rare & RARE_DIT)
		host->dit = read_sysreg_s(PSTATE_REG_DIT);
	if (rare & RARE_SSBS)
		host->ssbs = read_sysreg_s(PSTATE_REG_SSBS);
	if (rare & RARE_TCO)
		host->tco = read_sysreg_s(PSTATE_REG_TCO);
	if (rare & RARE_HCX)
		host->hcrx = read_sysreg_s(EL2_HCRX);
}

static __always_inline void traps_enable(struct qvm_vcpu *vcpu, const struct stay *stay)
{
	u32 rare = stay->rare;

	if (unlikely(rare)) {
		if (rare & RARE_TRACE)
			arm64_trace_enter(vcpu);
		if (rare & RARE_DEBUG)
			arm64_debug_enter(vcpu);
		if (rare & RARE_HCX)
			write_sysreg_s(0, EL2_HCRX);
		if (rare & RARE_HCR_SYNC)
			dsb(nsh);
	}
	write_sysreg(stay->cptr, cpacr_el1);
	write_sysreg(stay->mdcr, mdcr_el2);
	write_sysreg(stay->hcr, hcr_el2);
	isb();
}

static __always_inline void traps_disable(struct qvm_vcpu *vcpu, const struct stay *stay)
{
	const struct arm64_host *host = &vcpu->arch.host;
	u32 rare = stay->rare;

	if (unlikely(rare)) {
		if (rare & RARE_HCR_SYNC)
			dsb(nsh);
		if (rare & RARE_HCX)
			write_sysreg_s(host->hcrx, EL2_HCRX);
	}
	write_sysreg(host->hcr, hcr_el2);
	if (unlikely(rare & RARE_HCR_SYNC))
		isb();
	write_sysreg(host->mdcr, mdcr_el2);
	write_sysreg(host->cptr, cpacr_el1);
	isb();
	/*
	 * With TGE clear SCTLR_EL2.SPAN did not act, so PSTATE.PAN is what the guest had; DIT is
	 * kept by an exception, SSBS becomes SCTLR_EL2.DSSBS, TCO 1 (Arm ARM D1.3.1, D19.2).
	 */
	write_sysreg_s(host->pan, PSTATE_REG_PAN);
	if (likely(!rare))
		return;
	if (rare & RARE_DIT)
		write_sysreg_s(host->dit, PSTATE_REG_DIT);
	if (rare & RARE_SSBS)
		write_sysreg_s(host->ssbs, PSTATE_REG_SSBS);
	if (rare & RARE_TCO)
		write_sysreg_s(host->tco, PSTATE_REG_TCO);
	if (rare & RARE_SSBS_SYNC) {
		dsb(nsh);
		isb();
	}
	if (rare & RARE_DEBUG)
		arm64_debug_leave(vcpu);
	if (rare & RARE_TRACE)
		arm64_trace_leave(vcpu);
}

/* ---- tier 0a: this vCPU and constant data only ---- */

static noinstr bool tier0_hvc(struct qvm_vcpu *vcpu, u64 esr)
{
	return arm64_smccc_tier0(vcpu);
}

static noinstr bool tier0_sys64(struct qvm_vcpu *vcpu, u64 esr)
{
	u32 encoding = esr_to_sysreg(esr);
	u64 value;

	if (!(esr & ESR_SYS64_READ))
		return false;
	if (encoding == SYSREG(3, 3, 14, 0, 1))		/* CNTPCT_EL0 */
		value = arm64_guest_counter_tier0(vcpu);
	else if (!arm64_idreg_read(vcpu->vm, encoding, &value))
		return false;
	arm64_x_write(vcpu, ESR_SYS64_RT(esr), value);
	arm64_skip_instruction(vcpu);
	return true;
}

static bool (* const tier0_handlers[ESR_ELx_EC_MAX + 1])(struct qvm_vcpu *vcpu, u64 esr) = {
	[ESR_ELx_EC_HVC64] = tier0_hvc,
	[ESR_ELx_EC_SYS64] = tier0_sys64,
};

/*
 * Permission faults do not fill HPFAR_EL2 (Arm ARM D19.2.65): ask the translation itself. PAR_EL1
 * is the guest's. A failed walk leaves 0 with bit 0 set: the guest runs the access again.
 */
static noinstr u64 hpfar_by_walk(u64 far, u64 host_vbar, const struct arm64_vectors *vectors)
{
	u64 guest_par = read_sysreg_par(), par;

	par = qvm_arm64_walk(far, host_vbar, vectors->base);
	write_sysreg(guest_par, par_el1);
	return par & 1 ? 1 : (par & GENMASK_ULL(47, 12)) >> 8;
}

static __always_inline void capture_fault(struct qvm_vcpu *vcpu, u64 esr, const struct stay *stay)
{
	vcpu->arch.exit.sctlr = read_sysreg_s(SYS_SCTLR_EL12);
	vcpu->arch.exit.far = read_sysreg(far_el2);
	if ((esr & ISS_FSC_TYPE) == FSC_TYPE_PERMISSION && !(esr & ESR_ELx_S1PTW))
		vcpu->arch.exit.hpfar = hpfar_by_walk(vcpu->arch.exit.far, vcpu->arch.host.vbar,
							stay->vectors);
	else
		vcpu->arch.exit.hpfar = read_sysreg(hpfar_el2);
}

/* It has no reason. */
static __always_inline void count_irq(struct qvm_vcpu *vcpu)
{
	vcpu->stats.exits++;
	vcpu->stats.tier0++;
}

/* True: answered, go back in. */
static __always_inline bool tier0(struct qvm_vcpu *vcpu, u32 code, const struct stay *stay)
{
	u64 esr;
	u32 ec;

	if (code != ARM64_EXIT_SYNC) {
		if (code == ARM64_EXIT_SERROR)
			vcpu->arch.exit.esr = read_sysreg(esr_el2);
		if (code != ARM64_EXIT_IRQ || !arm64_timer_again(vcpu))
			return false;
		count_irq(vcpu);
		return true;
	}
	esr = read_sysreg(esr_el2);
	ec = ESR_ELx_EC(esr);
	qvm_histogram_begin(vcpu, ec);
	if (tier0_handlers[ec] && qvm_tier0 && tier0_handlers[ec](vcpu, esr)) {
		vcpu->stats.reason_tier0[ec]++;
		return true;
	}
	vcpu->arch.exit.esr = esr;
	if (ec == ESR_ELx_EC_DABT_LOW || ec == ESR_ELx_EC_IABT_LOW)
		capture_fault(vcpu, esr, stay);
	return false;
}

static __always_inline void run_guest(struct qvm_vcpu *vcpu, const struct stay *stay)
{
	u32 code;

	arm64_daif_mask();
	traps_enable(vcpu, stay);
	do {
		qvm_histogram_end(vcpu);
		qvm_irqsoff_end(_THIS_IP_);
		code = qvm_arm64_enter(&vcpu->arch.regs, vcpu->arch.host.vbar, stay->vectors->base,
				       stay->vectors->operand);
		qvm_irqsoff_begin(_THIS_IP_);
	} while (tier0(vcpu, code, stay));
	vcpu->arch.exit.code = code;
	traps_disable(vcpu, stay);
	arm64_daif_restore(stay->daif);
}

/* ---- tier 0b: the host's world but for FP, EL1 and stage 2; interrupts stay off ---- */

static __always_inline bool tier0b_answers(struct qvm_vcpu *vcpu, u32 code)
{
	if (code == ARM64_EXIT_SYNC)
		return qvm_tier0 && arm64_exit_tier0b(vcpu);
	if (code != ARM64_EXIT_IRQ || !arm64_irq_ack(vcpu))
		return false;
	count_irq(vcpu);
	return true;
}

/*
 * True: answered, go back in. What anybody wants of this thread meanwhile is an interrupt that waits,
 * and ends the guest at once; but for what the answer itself brought about on this pCPU.
 */
static __always_inline bool tier0b(struct qvm_vcpu *vcpu)
{
	if (!tier0b_answers(vcpu, vcpu->arch.exit.code))
		return false;
	if (likely(!qvm_vcpu_is_wanted(vcpu)))
		return true;
	if (vgic_is_listed(vcpu->arch.vgic))	/* by the answer, and the guest is not entered */
		qvm_vgic_sync(vcpu);
	vcpu->arch.exit.code = ARM64_EXIT_ANSWERED;
	return false;
}

/* ---- the interrupts-off stretch ---- */

static __always_inline void guest_loop(struct qvm_vcpu *vcpu, bool fp, bool note)
{
	struct vgic_vcpu *vgic = vcpu->arch.vgic;
	struct stay stay = {
		.vectors = this_cpu_ptr(&qvm_arm64_vectors_cpu),
		.hcr = arm64_host.guest_hcr | vcpu->arch.hcr,
		.cptr = CPTR_E2H_TTA | CPTR_E2H_TAM | (fp ? CPTR_E2H_FPEN : 0),
		.daif = read_sysreg(daif),
	};

	if (!arm64_is_nvhe()) {
		stay.rare = stay.vectors->rare | (arm64_debug_is_needed(vcpu) ? RARE_DEBUG : 0);
		host_save(vcpu, stay.rare);
		stay.mdcr = (vcpu->arch.host.mdcr & MDCR_HPMN) | GUEST_MDCR;
	}
	do {
		if (vgic_has_work(vgic) && !vgic_is_listed(vgic))
			qvm_vgic_flush(vcpu);
		qvm_guest_context_enter(note);
		if (arm64_is_nvhe())
			arm64_nvhe_run_guest(vcpu, fp);
		else
			run_guest(vcpu, &stay);
		qvm_guest_context_exit();
		if (vgic_is_listed(vgic))
			qvm_vgic_sync(vcpu);
		note = false;
	} while (tier0b(vcpu));
}

/* Interrupts off. 0, -EAGAIN, -EIO as at qvm_arch_vcpu_enter(). */
static __always_inline int enter_irqs_off(struct qvm_vcpu *vcpu, bool fp, bool note)
{
	if (!vcpu->loaded || !__this_cpu_read(qvm_arm64_enabled))
		return -EIO;
	/*
	 * Pairs with qvm_vcpu_kick(): either it sees IN_GUEST or we see `kicked`.
	 * A signal, like a kick, is an interrupt of a thread that runs: what came before interrupts
	 * were off has had it already, and has to be seen here.
	 */
	atomic_set(&vcpu->mode, VCPU_IN_GUEST);
	smp_mb__after_atomic();
	if (qvm_vcpu_is_wanted(vcpu)) {
		atomic_set(&vcpu->mode, VCPU_OUTSIDE);
		return -EAGAIN;
	}
	qvm_inject_entry();
	if (fp)
		arm64_fp_load(&vcpu->arch.fp);
	vtime_account_guest_enter();
	guest_loop(vcpu, fp, note);
	atomic_set(&vcpu->mode, VCPU_OUTSIDE);
	if (fp)
		arm64_fp_save(&vcpu->arch.fp);
	return 0;
}

/*
 * RCU gets its quiescent state at the entry after each interrupt, hence each tick, and else now and
 * then: it costs as much as all else of a context switch of the kernel's bookkeeping.
 */
static bool note_is_due(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.exit.code != ARM64_EXIT_SYNC || !(vcpu->trail.count % 16);
}

/* One function from end to end: a round that tier 1 answers comes by all of it. */
noinstr int qvm_arch_vcpu_enter(struct qvm_vcpu *vcpu)
{
	bool fp = vcpu->arch.exit.fp_trap, note = note_is_due(vcpu);
	int ret;

	vcpu->trail.entry_pc = vcpu->arch.regs.pc;
	vcpu->arch.exit.fp_trap = false;
	vcpu->arch.exit.decoded = false;
	vcpu->arch.exit.code = ARM64_EXIT_NONE;
	/*
	 * The FP section begins and ends with interrupts on. A guest that does not touch FP
	 * after an exit never pays for it: CPTR_EL2 traps its first use, and that entry comes here
	 * with fp set.
	 */
	if (fp)
		qvm_neon_begin(&vcpu->arch.host.neon);
	preempt_disable();
	local_irq_disable();
	ret = enter_irqs_off(vcpu, fp, note);
	if (ret)
		local_irq_enable();
	else if (vcpu->arch.exit.code == ARM64_EXIT_IRQ)
		qvm_guest_time_exit();
	else
		qvm_guest_time_end();
	preempt_enable();
	if (fp)
		qvm_neon_end(&vcpu->arch.host.neon);
	return ret;
}
