/* SPDX-License-Identifier: GPL-2.0-only */
/* x86: what a VM and a vCPU hold beyond the generic part. Knows no VMX: that is in vmx/. */
#ifndef QVM_X86_ARCH_TYPES_H
#define QVM_X86_ARCH_TYPES_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#define QVM_ARCH_PORTS		0x10000ULL

struct vlapic;
struct vioapic;
struct vpic;
struct vpit;
struct vmx_vcpu;

enum x86_gpr {
	GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
	GPR_R8, GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15, GPR_COUNT
};

enum x86_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

struct x86_segment {
	u64 base;
	u32 limit;
	u16 selector;
	u16 rights;		/* access rights, VMCS format without the unusable bit (16) */
	bool unusable;
};

/* entry.S saves and loads the GPRs, RSP aside (the hardware's); offsets in entry_offsets.h. */
struct x86_regs {
	u64 gpr[GPR_COUNT];
	u64 cr2;
	u64 host_rsp;			/* entry.S: as in the VMCS */
	u64 spec_ctrl;			/* of the host, for entry.S to write, if it does */
};

struct x86_cpuid { u32 eax, ebx, ecx, edx; };

/* Events for a vCPU beyond the interrupts of its LAPIC, by bit in vcpu->arch.events. */
enum x86_event { EVENT_NMI, EVENT_NMI_AGAIN, EVENT_INIT, EVENT_SIPI };
#define EVENT_NMIS	(BIT(EVENT_NMI) | BIT(EVENT_NMI_AGAIN))

/* MSRs that the module keeps for a guest; one row each in msr.c. */
struct x86_msrs {
	u64 efer, pat, star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 apic_base, misc_enable, debugctl, mtrr_def_type;
	u64 mtrr_fixed[11], mtrr_base[8], mtrr_mask[8];
};

/* One instruction that makes several accesses, or a string of them; see emulate.c. */
struct x86_insn_state;
struct x86_insn_cache;
struct insn;

struct qvm_vm_arch {
	struct vioapic *ioapic;		/* [A] NULL: none on this board */
	struct vpic *pic;		/* [A] */
	struct vpit *pit;		/* [A] */
	atomic64_t late_kicks;		/* [a] by vCPU: what vlapic_kick() left to late_kick */
	struct work_struct late_kick;
	u64 tsc_offset;			/* [C] once running */
	u64 tsc_lost;			/* [C] x86_tsc_lost when this was made */
	atomic64_t s2_generation;	/* [a] goes up at each flush of stage 2 */
	void *vmx;			/* vmx/: struct vmx_vm */
};

struct qvm_vcpu_arch {
	struct x86_regs regs;		/* [v] first: entry.S */
	struct vmx_vcpu *vmx;		/* [C] */
	struct vlapic *lapic;		/* [C] */
	atomic_long_t events;		/* [a] enum x86_event bits */
	u8 sipi_vector;			/* written before EVENT_SIPI is set */
	struct x86_msrs msr;		/* [v] */
	u64 host_kernel_gs;		/* [v] the thread's, while the vCPU is loaded */
	bool syscall_loaded;		/* [v] this load has brought the guest's SYSCALL MSRs */
	u64 cr0, cr4, cr8;		/* [v] as the guest reads them */
	u64 dr[4], dr6, dr7;		/* [v] */
	u64 xcr0, xss;			/* [v] */
	struct x86_cpuid cpuid;		/* [v] of the last CPUID */
	u64 tsc_adjust;			/* written by its own thread, read by the LAPIC's timer */
	struct x86_insn_state *insn;	/* [v] */
	struct x86_insn_cache *insn_cache; /* [v] */
	struct {
		const struct insn *insn; /* NULL: none */
		u64 next_rip;
	} move;				/* [v] a single access that is under way; see move.h */
	bool halted;			/* [v] in HLT, and nothing has ended it yet */
	bool halted_in_nmi;		/* [v] the last HLT was amid an NMI, until whose IRET another waits */
	bool apic_on;			/* [v] by IA32_APIC_BASE */
	u8 fp_wanted;			/* [v] entries that bring its FP along: it touched FP lately */
	void *xsave;			/* [v] guest FP, XSAVE area, 64-byte aligned */
};

#endif /* QVM_X86_ARCH_TYPES_H */
