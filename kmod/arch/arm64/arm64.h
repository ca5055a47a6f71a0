/* SPDX-License-Identifier: GPL-2.0-only */
/* What the arm64 files share among themselves. */
#ifndef QVM_ARM64_ARM64_H
#define QVM_ARM64_ARM64_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <asm/barrier.h>
#include <asm/debug-monitors.h>
#include <asm/sysreg.h>

#include "arch.h"
#include "el2_regs.h"
#include "vgic.h"

struct irq_data;

/* ---- cpu.c: this host ---- */

struct arm64_cpu_features {
	u8 pa_bits;		/* of all pCPUs */
	bool has_hcx;		/* HCRX_EL2 exists (FEAT_HCX) */
	bool has_dit, has_ssbs, has_tco;	/* PSTATE fields */
	bool has_ras;
	bool has_fgt;		/* HFGRTR_EL2 and the like exist (FEAT_FGT) */
	bool has_fgt2;		/* HFGRTR2_EL2 and the like, too, and may be touched */
	bool has_mpamhcr;
	u64 mpam_traps;		/* bits of MPAM2_EL2, which may be touched; or 0 */
	bool unlike_caches;	/* pCPUs differ in CTR_EL0 */
	bool has_tpidr2;	/* TPIDR2_EL0 exists (FEAT_SME), and nothing traps it: no FEAT_FGT */
	bool idc, dic;		/* CTR_EL0: no clean to PoU, no I-cache maintenance needed */
	bool has_fwb;		/* FEAT_S2FWB: a guest's accesses are cacheable, whatever it says */
	u64 guest_hcr;		/* HCR_EL2 of all guests: traps.h */
};

extern struct arm64_cpu_features arm64_host;

/* Set with preemption off on each pCPU that may enter guests. */
DECLARE_PER_CPU(bool, qvm_arm64_enabled);

/* ---- errata.c ---- */

/* What errata of this host's CPUs ask for: only ever set, before the first guest runs there. */
#define ARM64_FIX_REPEAT_TLBI		BIT(0)	/* broadcast TLBI; DSB twice */
#define ARM64_FIX_SPECULATIVE_AT	BIT(1)	/* no stage-1 walks with a foreign VTTBR_EL2 */
#define ARM64_FIX_HCR_DSB		BIT(2)	/* barriers around writes of HCR_EL2 */
#define ARM64_FIX_IC_DESPITE_DIC	BIT(3)
#define ARM64_FIX_KEEP_TVM		BIT(4)	/* writes of TTBRn_EL1 trap for good */
#define ARM64_FIX_SSBS_SYNC		BIT(5)	/* barrier behind writes of PSTATE.SSBS */
#define ARM64_FIX_STAGE1_FIRST		BIT(6)	/* a stage 2 fault may be one of stage 1 */
#define ARM64_FIX_IAR			BIT(7)	/* ICC_IAR1_EL1 is read by the kernel only */

extern atomic_t arm64_fixes;

static __always_inline bool arm64_has_fix(int fix)
{
	return atomic_read(&arm64_fixes) & fix;
}

/* On that pCPU, preemption off. -ENODEV: no guest may run there; the log says why. */
int arm64_errata_cpu_up(void);
void arm64_errata_show(struct seq_file *m);

/* All of DAIF, and what it was. */
static __always_inline u64 arm64_daif_mask(void)
{
	u64 daif = read_sysreg(daif);

	asm volatile("msr daifset, #0xf" : : : "memory");
	return daif;
}

static __always_inline void arm64_daif_restore(u64 daif)
{
	asm volatile("msr daif, %0" : : "r"(daif) : "memory");
}

/* HCR_EL2, but for what is synchronized by the caller. */
static __always_inline void arm64_hcr_write(u64 hcr)
{
	if (arm64_has_fix(ARM64_FIX_HCR_DSB))
		dsb(nsh);
	write_sysreg(hcr, hcr_el2);
	if (arm64_has_fix(ARM64_FIX_HCR_DSB))
		isb();
}

/* This pCPU's instruction cache, to be completed by a barrier. */
static __always_inline void arm64_ic_iallu(void)
{
	asm volatile("ic iallu" : : : "memory");
}

/* ---- mitig.c ---- */

/* This pCPU's exception vectors for guests: entry.S has the tables. */
struct arm64_vectors {
	u64 base;
	u64 operand;		/* of the step that they take: a count, a function */
	bool trace;		/* and there is a unit for arm64_trace_enter() to look at */
	u8 rare;		/* RARE_* of switch.c, but for what changes */
	u8 kind;		/* which table: enum mitig_kind */
};

DECLARE_PER_CPU(struct arm64_vectors, qvm_arm64_vectors_cpu);

/* entry.S: one table for each kind of step. */
extern const char qvm_arm64_vectors[], qvm_arm64_vectors_loop[];
extern const char qvm_arm64_vectors_clrbhb[], qvm_arm64_vectors_firmware[];

/* What SMCCC_ARCH_FEATURES answers a guest about ARCH_WORKAROUND_1, 2, 3. */
struct arm64_workarounds {
	s32 wa1, wa2, wa3;
};

extern struct arm64_workarounds arm64_workarounds;

/* On that pCPU, preemption off. */
void arm64_mitig_cpu_up(void);

/* This pCPU's VBAR_EL2 as the host wants it; entry.S reads it when it must send a fault back. */
DECLARE_PER_CPU(u64, qvm_arm64_host_vbar);

/* ---- debug.c: noinstr, interrupts off, around the guest, if the first says so ---- */
static __always_inline bool arm64_debug_is_needed(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.debug_live ||
	       read_sysreg(mdscr_el1) & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE);
}

void arm64_debug_enter(struct qvm_vcpu *vcpu);
void arm64_debug_leave(struct qvm_vcpu *vcpu);

/* Statistical profiling and trace of the host: stopped and drained around the guest. As above. */
void arm64_trace_enter(struct qvm_vcpu *vcpu);
void arm64_trace_leave(struct qvm_vcpu *vcpu);

/* Neither goes on in the guest by what its EL1 registers happen to hold. Preemption off. */
void arm64_trace_load(struct qvm_vcpu *vcpu);
void arm64_trace_put(struct qvm_vcpu *vcpu);
void arm64_trace_cpu_up(void);		/* on that pCPU, preemption off */

/* ---- load.c ---- */

/*
 * What the vCPU left in a pCPU when its thread went to user space comes back into memory. vCPU
 * mutex held, or nobody else has the vCPU; not loaded. Interrupts on.
 */
void arm64_unpark(struct qvm_vcpu *vcpu);

/* The same for whoever is parked on this pCPU, preemption off. */
void arm64_unpark_cpu(void);

/* ---- switch.c, entry.S ---- */

/* On that pCPU, preemption off, after errata, mitigations and trace are known. VHE. */
void arm64_switch_cpu_up(void);

/* All of a guest's FP and SIMD registers, in an FP section, interrupts off. noinstr. */
void arm64_fp_save(struct arm64_fp *fp);
void arm64_fp_load(const struct arm64_fp *fp);

/* entry.S */
u64 qvm_arm64_enter(struct arm64_regs *regs, u64 host_vbar, u64 vectors, u64 operand);
u64 qvm_arm64_walk(u64 gva, u64 host_vbar, u64 vectors);

/* TPIDR2_EL0 is the host thread's again when it is put. Preemption off. */
static inline void arm64_tpidr2_load(struct qvm_vcpu *vcpu)
{
	if (!arm64_host.has_tpidr2)
		return;
	vcpu->arch.host.tpidr2 = read_sysreg_s(EL0_TPIDR2);
	write_sysreg_s(vcpu->arch.tpidr2, EL0_TPIDR2);
}

static inline void arm64_tpidr2_put(struct qvm_vcpu *vcpu)
{
	if (!arm64_host.has_tpidr2)
		return;
	vcpu->arch.tpidr2 = read_sysreg_s(EL0_TPIDR2);
	write_sysreg_s(vcpu->arch.host.tpidr2, EL0_TPIDR2);
}

/* ---- s2_mmu.c: stage-2 registers, VMIDs, TLB ---- */

/* vmid_bits: 8 or 16 as the host has, or fewer (test). */
void arm64_s2_probe(unsigned int vmid_bits);

/* Give the VM's VTTBR_EL2 a valid VMID and put it and VTCR_EL2 on this pCPU. Preemption off. */
void arm64_s2_load(struct qvm_vcpu *vcpu);
void arm64_s2_put(struct qvm_vcpu *vcpu);

/* Drop every guest translation of this pCPU (it comes up). Interrupts off. */
void arm64_s2_flush_local_all(void);

/* ---- cache.c ---- */

/* Clean and invalidate a range of the linear map to the point of coherency; a DSB is the caller's. */
void arm64_cache_clean_range(u64 hpa, u64 size);

/* All memory of @vm, for its guest's sake: not if current is killed. May sleep; takes s2_lock. */
void arm64_cache_clean_for_guest(struct qvm_vm *vm);

/* ---- sysreg.c: registers of EL1 that the module keeps, and traps of the rest ---- */

/* Any time with the vCPU mutex held, loaded or not. */
u64 arm64_sys_read(struct qvm_vcpu *vcpu, enum arm64_sysreg reg);
void arm64_sys_write(struct qvm_vcpu *vcpu, enum arm64_sysreg reg, u64 value);

/*
 * All registers into and out of the hardware; preemption off, current pCPU, VHE. But for those that the
 * host's threads use, too: shared_regs.h.
 */
void arm64_sys_load(struct qvm_vcpu *vcpu);
void arm64_sys_put(struct qvm_vcpu *vcpu);

/* Architectural reset values (Arm ARM, each register's description). */
void arm64_sys_reset(struct qvm_vcpu *vcpu);
/* Is its EL1 big-endian, SCTLR_EL1.EE? */
bool arm64_sys_is_big_endian(struct qvm_vcpu *vcpu);
/* After a reset: its EL1 begins as that. */
void arm64_sys_set_endian(struct qvm_vcpu *vcpu, bool big);

/* Tier 1: a trapped MSR, MRS. */
enum exit_action arm64_sys_exit(struct qvm_vcpu *vcpu, u64 esr);

/* By encoding, for the UAPI; -ENOENT, -EPERM. */
int arm64_sys_get(struct qvm_vcpu *vcpu, u32 encoding, u64 *value);
int arm64_sys_set(struct qvm_vcpu *vcpu, u32 encoding, u64 value);

/* ---- idreg.c ---- */

/* Compute what the guests of this VM see in the ID registers. */
void arm64_idreg_init(struct qvm_vm *vm);
/* Breakpoints, or watchpoints, of each guest: what all CPUs of the host have, 2 to ARM64_DEBUG_MAX. */
unsigned int arm64_idreg_debug_count(const struct qvm_vm *vm, bool watchpoints);

/* The board has a GIC: show its system register interface. */
void arm64_idreg_set_gic(struct qvm_vm *vm);

/* ID register of encoding op0=3, op1=0, CRn=0; true if it is one. Pure look-up, any context. */
bool arm64_idreg_read(const struct qvm_vm *vm, u32 encoding, u64 *value);

/* ---- psci.c ---- */

/*
 * HVC or SMC: the SMCCC call in x0 … x3. tier0: only what touches this vCPU alone, noinstr;
 * false: not one of those.
 */
bool arm64_smccc_tier0(struct qvm_vcpu *vcpu);
enum exit_action arm64_smccc(struct qvm_vcpu *vcpu);

/* ---- exit.c ---- */

/*
 * Tier 0b: answer the synchronous exit in vcpu->arch.exit with interrupts off and the guest's FP and
 * EL1 state loaded; all else is the host's, list registers are empty. False: nothing was done.
 */
bool arm64_exit_tier0b(struct qvm_vcpu *vcpu);

/* ---- inject.c: exceptions into EL1 ---- */
void arm64_inject_undefined(struct qvm_vcpu *vcpu);
/* Synchronous external abort; @fetch: instruction, else data. Address: FAR of the exit. */
void arm64_inject_abort(struct qvm_vcpu *vcpu, bool fetch);

/* ---- reg.c ---- */
void arm64_vcpu_reset(struct qvm_vcpu *vcpu, u64 pc, u64 x0);

static inline void arm64_skip_instruction(struct qvm_vcpu *vcpu)
{
	vcpu->arch.regs.pc += 4;
	/* As an executed instruction leaves it: a software step of the guest's own is done. */
	vcpu->arch.regs.pstate &= ~(PSR_BTYPE_MASK | DBG_SPSR_SS);
}

static inline u64 arm64_x_read(const struct qvm_vcpu *vcpu, unsigned int n)
{
	return n == 31 ? 0 : vcpu->arch.regs.x[n];
}

static inline void arm64_x_write(struct qvm_vcpu *vcpu, unsigned int n, u64 value)
{
	if (n != 31)
		vcpu->arch.regs.x[n] = value;
}

/* ---- ppi.c: virqs of this host, 0: not described; may sleep ---- */
unsigned int arm64_ppi_vtimer(void);
unsigned int arm64_ppi_maintenance(void);

/* ---- ack.c ---- */

/* The virtual timer's interrupt, of the GIC's own domain. */
void arm64_ack_init(const struct irq_data *vtimer);

/* Find out how the host kicks a pCPU. May sleep; at module load, when pCPUs are up. */
void arm64_ack_probe(void);

/*
 * An interrupt ended the guest: if it is for the guest, take it from the GIC and do what it is for.
 * False: it is the host's. At tier 0a (noinstr) only the virtual timer's, where the list register that
 * it had last is the only one in use; what was taken instead waits in exit.acked for tier 0b.
 */
bool arm64_timer_again(struct qvm_vcpu *vcpu);
bool arm64_irq_ack(struct qvm_vcpu *vcpu);

/* ---- vtimer.c: the generic timer ---- */

/* Find and request the virtual timer's PPI, at module load. -EBUSY: KVM has it. */
int arm64_vtimer_init(void);
void arm64_vtimer_fini(void);
void arm64_vtimer_cpu_up(void);		/* on that pCPU, interrupts off or preemption off */
void arm64_vtimer_cpu_down(void);
void arm64_vtimer_cpu_wakes(void);	/* interrupts off */
void arm64_vtimer_suspend(void);	/* the last pCPU goes, interrupts off */
void arm64_vtimer_resume(void);

void arm64_vtimer_vcpu_init(struct qvm_vcpu *vcpu);
void arm64_vtimer_vcpu_fini(struct qvm_vcpu *vcpu);
void arm64_vtimer_reset(struct qvm_vcpu *vcpu);		/* both timers off; vCPU put */
int arm64_vtimer_assemble(struct qvm_vcpu *vcpu);	/* ties the PPI; -ENXIO */
void arm64_vtimer_load(struct qvm_vcpu *vcpu);		/* preemption off */
void arm64_vtimer_put(struct qvm_vcpu *vcpu);		/* also under the rq lock */
void arm64_vtimer_settle(struct qvm_vcpu *vcpu);
void arm64_vtimer_block(struct qvm_vcpu *vcpu);
void arm64_vtimer_unblock(struct qvm_vcpu *vcpu);

/* The line of the timer, of the loaded vCPU. noinstr. */
bool arm64_vtimer_level(struct qvm_vcpu *vcpu);

/* What the hardware's counter lost over suspends (vtimer.c). */
extern u64 arm64_counter_lost;

/* The host's physical counter, not read ahead. */
u64 arm64_counter(void);

/* The same as the guest sees it. */
static inline u64 arm64_guest_counter(const struct qvm_vcpu *vcpu)
{
	return arm64_counter() - READ_ONCE(vcpu->vm->arch.cntvoff);
}

/* And at tier 0, on a VHE host. */
static __always_inline u64 arm64_guest_counter_tier0(const struct qvm_vcpu *vcpu)
{
	isb();
	return read_sysreg(cntpct_el0) + READ_ONCE(arm64_counter_lost) -
	       READ_ONCE(vcpu->vm->arch.cntvoff);
}

/* Trapped CNTP_* and CNTPCT_EL0; true if @encoding is one. */
bool arm64_vtimer_sys(struct qvm_vcpu *vcpu, u32 encoding, bool is_write, u64 *value);

#endif /* QVM_ARM64_ARM64_H */
