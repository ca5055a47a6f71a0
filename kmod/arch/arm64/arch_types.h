/* SPDX-License-Identifier: GPL-2.0-only */
/* arm64: what a VM and a vCPU hold beyond the generic part. */
#ifndef QVM_ARM64_ARCH_TYPES_H
#define QVM_ARM64_ARCH_TYPES_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <asm/ptrace.h>

struct vgic;
struct vgic_vcpu;

/* Exceptions into EL2, as entry.S returns them. */
enum arm64_exit {
	ARM64_EXIT_SYNC		= 0,
	ARM64_EXIT_IRQ		= 1,
	ARM64_EXIT_SERROR	= 2,
	ARM64_EXIT_AARCH32	= 3,	/* any of them from an AArch32 guest EL0 */
	ARM64_EXIT_NONE		= 4,	/* the guest was not entered */
};

/* Registers that a guest at EL1 owns; by name in sysreg.c's table. */
enum arm64_sysreg {
	SR_SCTLR, SR_CPACR, SR_TTBR0, SR_TTBR1, SR_TCR, SR_ESR, SR_AFSR0, SR_AFSR1, SR_FAR,
	SR_MAIR, SR_AMAIR, SR_VBAR, SR_CONTEXTIDR, SR_PAR, SR_ELR, SR_SPSR, SR_SP_EL1,
	SR_TPIDR_EL1, SR_TPIDR_EL0, SR_TPIDRRO_EL0, SR_CSSELR, SR_CNTKCTL, SR_MDSCR, SR_OSLSR,
	SR_OSDLR, SR_DBGCLAIM, SR_MDCCINT, SR_DISR,
	SR_DBGBVR0,
	SR_DBGBCR0 = SR_DBGBVR0 + 16,
	SR_DBGWVR0 = SR_DBGBCR0 + 16,
	SR_DBGWCR0 = SR_DBGWVR0 + 16,
	SR_COUNT = SR_DBGWCR0 + 16,
};

/* entry.S saves and loads these; offsets in asm-offsets.c. */
struct arm64_regs {
	u64 x[31];
	u64 sp_el0;
	u64 pc, pstate;		/* ELR_EL2, SPSR_EL2 */
};

struct arm64_fp {
	__uint128_t q[32];
	u32 fpsr, fpcr;
};

/* EL1 generic timer, one of the two. */
struct arm64_timer {
	u64 cval;
	u32 ctl;		/* ENABLE, IMASK; ISTATUS is computed */
	u32 intid;		/* 0: no line */
};

/* Host registers of this pCPU that a guest world replaces; read just before, written back after. */
struct arm64_host {
	u64 hcr, cptr, mdcr, vbar, cnthctl, pan;
	u64 tpidr_el0, tpidrro_el0, csselr, mdscr;
};

/* A VM's tag in the TLBs. */
struct arm64_vmid {
	u64 generation;
	u32 vmid;
};

struct qvm_vm_arch {
	struct arm64_vmid vmid;		/* vmid_lock, s2_mmu.c */
	u64 vttbr_baddr;		/* VTTBR_EL2 without VMID */
	u64 vtcr;
	int __percpu *last_vcpu;	/* index of the vCPU that ran there last, -1 none */
	u64 cntvoff;			/* counter of the host at creation */
	struct vgic *vgic;
	u32 timer_intid[2];		/* QVM_TIMER_VIRT, QVM_TIMER_PHYS; 0 none */
	u64 id_regs[64];		/* what the guest sees, by idreg.c's index */
};

struct qvm_vcpu_arch {
	struct arm64_regs regs;		/* first: entry.S */
	struct {
		u64 esr, far, hpfar;
		u32 code;		/* enum arm64_exit */
		bool fp_trap;		/* wanted FP at the last exit */
	} exit;
	struct arm64_fp fp;
	u64 sys[SR_COUNT];
	u64 hcr;			/* HCR_EL2 while in the guest */
	u64 mpidr;
	struct arm64_host host;
	bool fp_live;			/* guest FP is in the registers (interrupts off) */
	struct arm64_timer vtimer, ptimer;
	bool vtimer_level;		/* line into the GIC as last told */
	struct hrtimer wake_timer;	/* blocked: earliest deadline of both */
	struct hrtimer ptimer_timer;	/* running: physical timer emulation */
	struct vgic_vcpu *vgic;
	struct {			/* PSCI CPU_ON, written by the caller before powered is set */
		u64 entry, context;
	} boot;
};

#endif /* QVM_ARM64_ARCH_TYPES_H */
