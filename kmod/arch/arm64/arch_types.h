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

#define QVM_ARCH_PORTS		0ULL	/* no I/O ports */

/* Exceptions into EL2, as entry.S returns them. */
enum arm64_exit {
	ARM64_EXIT_SYNC		= 0,
	ARM64_EXIT_IRQ		= 1,
	ARM64_EXIT_SERROR	= 2,
	ARM64_EXIT_AARCH32	= 3,	/* any of them from an AArch32 guest EL0 */
	ARM64_EXIT_NONE		= 4,	/* the guest was not entered */
	ARM64_EXIT_ANSWERED	= 5,	/* tier 0 answered, and the thread is wanted outside */
};

#define ARM64_DEBUG_MAX		16	/* breakpoints, watchpoints: what their numbers have room for */

/* Registers that a guest at EL1 owns and this module keeps; one row each in sysreg.c. */
enum arm64_sysreg {
	SR_SCTLR, SR_CPACR, SR_TTBR0, SR_TTBR1, SR_TCR, SR_ESR, SR_AFSR0, SR_AFSR1, SR_FAR,
	SR_MAIR, SR_AMAIR, SR_VBAR, SR_CONTEXTIDR, SR_CNTKCTL, SR_PAR, SR_ELR, SR_SPSR, SR_SP,
	SR_TPIDR_EL1, SR_TPIDR_EL0, SR_TPIDRRO_EL0, SR_CSSELR,
	SR_LOADED,		/* those above are in the hardware while the vCPU is loaded */
	SR_MDSCR = SR_LOADED, SR_MDCCINT, SR_OSLSR, SR_OSDLR, SR_DBGCLAIM,
	SR_DEBUG,		/* DBGBVR<n>, DBGBCR<n>, DBGWVR<n>, DBGWCR<n>_EL1: ARM64_DEBUG_MAX of each */
	SR_COUNT = SR_DEBUG + 4 * ARM64_DEBUG_MAX,
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
	/* enter … leave */
	u64 hcr, hcrx, cptr, mdcr, vbar, pan, dit, ssbs, tco, mdscr;
	u64 dbg[4][ARM64_DEBUG_MAX];	/* BVR, BCR, WVR, WCR, while the guest's debug is live */
	struct user_fpsimd_state neon;	/* of an FP section that is preempted outside the guest */
	u64 pmscr, trfcr, brbcr;	/* of the host's level, where it profiles, traces, records */
	/* load … put */
	u64 pmscr_el1, trfcr_el1, brbcr_el1;
	u64 vdisr, tpidr2, hfgrtr, hfgwtr, hfgitr, hdfgrtr, hdfgwtr;
	u64 hfgrtr2, hfgwtr2, hfgitr2, hdfgrtr2, hdfgwtr2, mpam2, mpamhcr;
	u64 vttbr, vtcr, vpidr, vmpidr, cnthctl, tpidr_el0, tpidrro_el0, csselr;
};

/* What EL2 loads and leaves where the kernel is at EL1: nvhe/el2.h has the offsets. */
struct arm64_nvhe {
	u64 regs, sys;			/* [C] physical addresses of qvm_vcpu_arch.regs, .sys */
	u64 hcr, cptr, mdcr;		/* in the guest */
	u64 vttbr, vtcr;		/* as of the last load */
	u64 vpidr, vmpidr;		/* [C] */
	u64 esr, far, hpfar;		/* of the last exit */
	u64 ich_hcr, ich_vmcr, lr_used;	/* virtual CPU interface (nvhe/vgic.c) */
	u64 lr[16], ap0r[4], ap1r[4];
};

/* What tier 0b has found out of an access; 0: nothing. */
enum arm64_decoded {
	ARM64_DECODED = 1,	/* vcpu->mmio is this exit's access */
	ARM64_USERS,		/* an access that is as the last one that user space got */
};

/* A VM's tag in the TLBs. */
struct arm64_vmid {
	u64 generation;
	u32 vmid;
};

struct qvm_vm_arch {
	struct arm64_vmid vmid;		/* vmid_lock, s2_mmu.c */
	u64 vttbr_baddr;		/* [C] VTTBR_EL2 without VMID */
	u64 vtcr;			/* [C] */
	int __percpu *last_vcpu;	/* preemption off: 1 + index of the vCPU that ran there last */
	u64 cntvoff;			/* [C] once running: the host's counter at creation */
	struct vgic *vgic;		/* [A] NULL: board without GIC */
	u32 timer_intid[2];		/* [A] by QVM_TIMER_VIRT, QVM_TIMER_PHYS; 0: no line */
	u64 id_regs[64];		/* [C] what the guest sees, by CRm << 3 | op2 */
};

struct qvm_vcpu_arch {
	struct arm64_regs regs;		/* [v] first: entry.S */
	struct {
		u64 esr, far, hpfar;
		u64 sctlr;	/* the guest's, at an abort */
		u64 data;	/* what a vdev reads at tier 0b */
		u32 code;		/* enum arm64_exit */
		u32 acked;		/* 1 + INTID taken from the GIC, and not dealt with yet; 0: none */
		u8 decoded;		/* at tier 0b; enum arm64_decoded, or 0 */
		bool fp_trap;		/* it wanted FP: enter with an FP section */
	} exit;				/* [v] */
	struct arm64_fp fp;		/* [v] */
	u64 sys[SR_COUNT];		/* [v] */
	u64 vdisr, tpidr2;		/* [v] of what is hidden: where nothing traps it */
	u64 hcr;			/* [v] bits of HCR_EL2 beyond those that all guests have */
	bool debug_live;		/* [v] guest debug registers are in the hardware in the guest */
	u64 midr, mpidr;		/* [C] */
	struct arm64_host host;		/* [v] */
	unsigned int parked_on;		/* 1 + the pCPU that has its registers, 0: none (load.c) */
	struct arm64_nvhe nvhe;		/* [v] */
	struct arm64_timer vtimer, ptimer; /* [v] */
	struct hrtimer wake_timer;	/* asleep: the earliest deadline of both */
	struct hrtimer ptimer_timer;	/* awake: deadline of the emulated physical timer */
	struct vgic_vcpu *vgic;		/* [A] */
	struct {			/* PSCI CPU_ON, written by the caller before power is set */
		u64 entry, context;
		bool big_endian;
	} boot;
};

#endif /* QVM_ARM64_ARCH_TYPES_H */
