/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX behind virt.h. Guest state is kept in struct vmx_state and goes into the VMCS before an
 * entry, out of it after an exit, with interrupts off in between: nothing outside that stretch
 * touches a VMCS, so that it makes no difference who owns VMX there (own.c).
 */
#ifndef QVM_X86_VMX_VMX_H
#define QVM_X86_VMX_VMX_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/percpu.h>

#include "../x86.h"
#include "check.h"

/* ---- caps.c: what this host's VMX can, and the control fields that follow from it ---- */
struct vmx_config {
	u32 revision;
	u32 pin, proc, proc2, exit, entry;	/* control fields, without what changes per entry */
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 eptp_flags;
	u64 block_sizes;
	u8 timer_shift;				/* preemption timer counts TSC >> this */
	u64 slice;				/* the longest it runs, in TSC ticks */
	u64 host_xcr0;				/* 0: this kernel has no XSAVE */
	bool invvpid_single;
	bool tpr_shadow;
	bool apicv_x2, apicv_x;			/* VMX_X2APIC_CONTROLS, VMX_XAPIC_CONTROLS can be used */
	bool has_xss;
};

extern struct vmx_config vmx_config;
DECLARE_STATIC_KEY_FALSE(vmx_host_has_pebs);	/* IA32_PEBS_ENABLE is there */

/* Secondary controls of a vCPU whose interrupts the processor delivers (ch. 29), by its APIC's mode. */
#define VMX_X2APIC_CONTROLS	(SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |		\
				 SECONDARY_EXEC_APIC_REGISTER_VIRT |			\
				 SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY)
#define VMX_XAPIC_CONTROLS	(SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES |		\
				 SECONDARY_EXEC_APIC_REGISTER_VIRT |			\
				 SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY)

/* Fill vmx_config on this CPU. -ENODEV: the missing feature is named in the log. */
int vmx_probe(void);
/* This CPU has the same: else it must not be used. */
bool vmx_cpu_matches(void);
/* What the checks of an entry are made with; any context. */
void vmx_capabilities_read(struct vmx_capabilities *caps);

/* ---- own.c: who has VMX on, and when ---- */
int vmx_own_init(void);		/* -EBUSY: somebody else has it; -ENOMEM */
void vmx_own_fini(void);
/*
 * Take this VMCS from the pCPU that may have it in its registers: it is in memory, or here,
 * afterwards. Interrupts on, preemption off; before vmx_own_begin().
 */
void vmx_own_fetch(struct vmx_vcpu *vmx);
/*
 * Interrupts off. Afterwards this VMCS is current on this pCPU. false: VMX can't be had here now
 * (CPU going down). Persistent: it stays here, whatever the vCPU does meanwhile.
 */
static inline bool vmx_own_begin(struct vmx_vcpu *vmx);
/* Section mode: VMCS and VMX are given back. Interrupts off. */
static inline void vmx_own_end(struct vmx_vcpu *vmx);
/* The vCPU ends: no pCPU has its VMCS afterwards. Process context. */
void vmx_own_forget(struct vmx_vcpu *vmx);
/* The kernel crashes: this pCPU leaves VMX. Any context. */
void vmx_own_crash(void);
extern bool vmx_section_mode;

/* Persistent: the VMCS that is current on this pCPU. NULL where VMX is off, and in section mode. */
DECLARE_PER_CPU(struct vmx_vcpu *, vmx_current);
bool vmx_own_take(struct vmx_vcpu *vmx);
void vmx_own_give(struct vmx_vcpu *vmx);

static inline bool vmx_own_begin(struct vmx_vcpu *vmx)
{
	return likely(__this_cpu_read(vmx_current) == vmx) || vmx_own_take(vmx);
}

static inline void vmx_own_end(struct vmx_vcpu *vmx)
{
	if (unlikely(vmx_section_mode))
		vmx_own_give(vmx);
}

/* ---- crash.c: where the kernel calls that ---- */
void vmx_crash_init(void);
void vmx_crash_fini(void);

/* ---- vmx.c: kvm_intel is loaded, or built in; may sleep ---- */
bool vmx_kvm_is_there(void);

/* ---- guest state beside the GPRs, and what the VMCS says of an exit ---- */
enum vmx_group {
	VMX_G_SEGMENTS	= 1 << 0,
	VMX_G_TABLES	= 1 << 1,	/* GDTR, IDTR */
	VMX_G_MODE	= 1 << 2,	/* CR0, CR4, EFER; CR4 has bits that the guest owns */
	VMX_G_CR3	= 1 << 3,	/* and the PAE PDPTEs */
	VMX_G_SYSENTER	= 1 << 4,
	VMX_G_RIP	= 1 << 5,
	VMX_G_RFLAGS	= 1 << 6,
	VMX_G_SHADOW	= 1 << 7,	/* interruptibility, pending debug exceptions */
	VMX_G_RSP	= 1 << 8,	/* in gpr[]: written where it differs */
	VMX_G_CODE	= 1 << 9,	/* rights of CS and SS alone: mode and privilege */
	VMX_X_REASON	= 1 << 10,	/* qualification */
	VMX_X_LENGTH	= 1 << 11,	/* of the instruction */
	VMX_X_EVENT	= 1 << 12,	/* exception or interrupt, error code */
	VMX_X_ADDRESS	= 1 << 13,	/* guest physical and linear */
	VMX_G_ALL	= (1 << 14) - 1,
};

/* Qualifications: of a port exit (table 27-5), of an EPT violation (table 27-7), and 27.2.3 */
#define VMX_IO_LEN(q)	(((q) & 7) + 1)
#define VMX_IO_IN	BIT(3)
#define VMX_IO_STRING	BIT(4)
#define VMX_IO_PORT(q)	((q) >> 16 & 0xffff)
#define EPT_Q_WRITE	BIT(1)
#define EPT_Q_FETCH	BIT(2)
#define EPT_Q_GVA	BIT(7)		/* the guest linear address is valid */
#define EPT_Q_ACCESS	BIT(8)		/* by the access itself, not by its page walk */
#define UNBLOCKED_NMI	BIT(12)		/* of exit information, too */

#define PENDING_DEBUG_BS	BIT(14)		/* table 24-4: a single step */

/* What x86_skip() needs. */
#define VMX_G_SKIP	(VMX_G_RIP | VMX_G_RFLAGS | VMX_G_SHADOW | VMX_X_LENGTH)

struct vmx_table { u64 base; u32 limit; };

struct vmx_state {
	u64 rip, rflags, cr3, pending_debug;
	u64 pdpte[4];
	u32 interruptibility;
	struct x86_segment seg[SEG_COUNT];
	struct vmx_table gdt, idt;
	u32 valid;		/* groups that are as the guest left them */
	u32 dirty;		/* groups to be written before the next entry */
};

struct vmx_vcpu {
	struct qvm_vcpu *vcpu;		/* [C] */
	void *vmcs;			/* [C] a page */
	u64 vmcs_hpa;			/* [C] */
	u64 serial;			/* [C] no other vCPU, of any time, has it; not 0 */
	u16 vpid;			/* [C] */
	struct list_head node;		/* own.c: of the VMCSs that pCPU `holder` has */
	int holder;			/* own.c: the pCPU that may have it in its registers, or -1 */
	bool launched;			/* own.c: since the last VMCLEAR */
	bool is_set_up;			/* [v] constant fields are written */
	bool apicv;			/* [v] the processor delivers its interrupts */
	u8 tpr_threshold;		/* [v] as in the VMCS */
	bool apic_page;			/* [v] what apic_page of the VM was then */
	u64 apic_base;			/* [v] IA32_APIC_BASE for which apicv is right */
	u32 eoi_routes;			/* [v] as in the EOI-exit bitmap */
	u64 eoi_exits[4];		/* [v] that */
	bool flush_vpid;		/* [v] forget linear translations at the next entry */
	bool inside;			/* [v] VMCS current, interrupts off: it can be read */
	u8 streak;			/* [v] exits that tier 0 may still answer in this stretch */
	u64 tsc_lost;			/* [v] x86_tsc_lost that TSC_OFFSET in the VMCS knows of */
	bool split_locks;		/* [v] it may take them: the host does not trap them meanwhile */
	bool fp_in_cr0;			/* [v] CR0.TS in the VMCS is as for an entry with FP */
	int cpu;			/* [v] where it was entered last, -1 */
	struct vmx_state state;		/* [v] */
	u64 rsp;			/* [v] as in the VMCS */
	u32 proc_now;			/* [v] processor controls as in the VMCS */
	struct {
		u64 cr3, cr4, fs_base, gs_base;
	} host;				/* [v] as in the VMCS */
	struct vmx_check_result refused;	/* [v] by which check, if this exit is an entry that failed */
	struct {
		unsigned long dr[4], dr7, debugctl;
		u64 pebs;
		u64 test_ctrl;		/* if split_locks */
		u64 in_use;		/* not 0: one of these is not, or the guest's DR7 is armed */
	} host_debug;			/* [v] during a stretch */
	struct vmx_msr_entry *pebs_off, *pebs_on;	/* [C] MSRs of an entry and of an exit, one each */
	unsigned long noted;		/* [v] jiffies when RCU was told of a quiescent state */
	struct {
		u32 reason, length, intr_info, intr_error;
		u64 qualification, gpa, gva;
		u8 answer;		/* enum vmx_fast */
		const struct insn *move; /* FAST_USER: what made vcpu->mmio … */
		u64 next_rip;		/* … and where it ends */
	} exit;				/* [v] */
	struct {
		u32 info, error, length;
	} inject;			/* [v] event for the next entry; info bit 31: valid */
};

struct vmx_vm {
	u64 eptp;			/* [C] */
	cpumask_var_t ept_known;	/* pCPUs that have flushed this root since it was made */
	bool apic_moved;		/* [s2_lock] a vCPU's APIC was not at the usual address once */
	bool apic_page;			/* [s2_lock, read without] the APIC-access page is mapped there */
};

static inline struct vmx_vcpu *vmx_of(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.vmx;
}

/* Another pCPU may have this VMCS in its registers. Preemption off. */
static inline bool vmx_own_is_elsewhere(const struct vmx_vcpu *vmx)
{
	int holder = READ_ONCE(vmx->holder);

	return holder >= 0 && holder != smp_processor_id();
}

/* ---- vmcs_init.c ---- */
int vmx_bitmap_init(void);
void vmx_bitmap_fini(void);
int vmx_vcpu_init(struct qvm_vcpu *vcpu);	/* VMCS in memory, cleared */
/* First entry with a VMCS that was never set up: all constant fields. Interrupts off. */
void vmx_write_constants(struct qvm_vcpu *vcpu);
/* Host fields that belong to this pCPU. Interrupts off. */
void vmx_write_host_cpu(struct vmx_vcpu *vmx);
/* Host fields that change by thread: written where they differ. Interrupts off. */
void vmx_write_host_thread(struct vmx_vcpu *vmx, u64 cr3, u64 cr4, u64 fs);

/* ---- state.c ---- */
void vmx_state_flush(struct qvm_vcpu *vcpu);		/* dirty groups → VMCS */
void vmx_write_cr0(struct qvm_vcpu *vcpu, bool fp);	/* with TS as an entry with FP, or without, has it */
void vmx_state_sync(struct qvm_vcpu *vcpu, u32 groups);	/* VMCS → state, where not valid */

/*
 * These groups are in struct vmx_state, or in exit, afterwards. vCPU mutex held, outside the
 * guest; interrupts off only while the VMCS is current. -EIO: VMX can't be had now.
 */
int vmx_state_fetch(struct qvm_vcpu *vcpu, u32 groups);

static inline void vmx_need(struct qvm_vcpu *vcpu, u32 groups)
{
	if (unlikely(groups & ~vmx_of(vcpu)->state.valid))
		vmx_state_fetch(vcpu, groups);
}

static inline u64 vmx_rip(struct qvm_vcpu *vcpu)
{
	vmx_need(vcpu, VMX_G_RIP);
	return vmx_of(vcpu)->state.rip;
}

/* ---- apic.c ---- */
int vmx_apic_init(void);			/* -ENOMEM */
void vmx_apic_fini(void);
/* Interrupts off, before each entry; see vlapic.h. */
void vmx_apic_flush(struct qvm_vcpu *vcpu);
u64 vmx_bitmap(bool x2apic);			/* vmcs_init.c: address of the MSR bitmap */

/* ---- inject.c ---- */
void vmx_events_flush(struct qvm_vcpu *vcpu);	/* interrupts off, before entry */
void vmx_events_sync(struct qvm_vcpu *vcpu);	/* interrupts off, after exit */

/* ---- mitig.c ---- */
extern bool vmx_verw, vmx_flush_l1d, vmx_flush_l1d_always, vmx_ibpb;
DECLARE_STATIC_KEY_FALSE(vmx_eager_fp);
extern const u16 vmx_verw_selector;
void vmx_mitig_init(void);
void vmx_mitig_fini(void);
void vmx_mitig_before_entry(void);	/* interrupts off, after more than tier 0 */

/* ---- entry.S: 0, or 1: VMLAUNCH or VMRESUME failed ---- */
u64 vmx_enter(struct x86_regs *regs, u64 launched);
extern char vmx_exit_label[];

/* ---- switch.c ---- */
void vmx_switch_cpu_init(void);			/* this pCPU comes up, interrupts off */
void vmx_flush_vpid(const struct vmx_vcpu *vmx);	/* on this pCPU, now. Interrupts off, VMX on */

/*
 * ---- fast.c: tier 0b. Interrupts off, VMCS current, host context but for the guest's MSRs, FP and debug
 * registers. FAST_NO: nothing has changed, the exit is for tier 1. FAST_USER: the same, it is an access
 * for user space, in vcpu->mmio, and RIP is all that its instruction changes beside a register. Else it
 * is answered, what it changed is in the VMCS or dirty.
 */
enum vmx_fast {
	FAST_NO,
	FAST_USER,
	FAST_QUIET,	/* nothing that an entry has to look at: events, state, the LAPIC's timer */
	FAST_ANSWERED,
};

enum vmx_fast vmx_tier0b(struct qvm_vcpu *vcpu, u32 reason);

/* ---- refused.c: entries that the processor refuses ---- */
/* Which check it was, while the VMCS can be read. Interrupts off. */
void vmx_refused_find(struct vmx_vcpu *vmx);
/* VMLAUNCH or VMRESUME failed; the guest's state is bad. The VM ends. */
enum exit_action vmx_refused_entry(struct qvm_vcpu *vcpu);
enum exit_action vmx_refused_state(struct qvm_vcpu *vcpu);
/* For tests: this field of the VMCS is @value at the next entry, if nothing else writes it. */
void vmx_refused_cause(struct qvm_vcpu *vcpu, u32 field, u64 value);

/* ---- exit.c ---- */
enum exit_action vmx_fatal(struct qvm_vcpu *vcpu, u32 cause);
/* What the handler of this reason reads. */
u32 vmx_exit_groups(u32 reason);

#endif /* QVM_X86_VMX_VMX_H */
