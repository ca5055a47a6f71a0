// SPDX-License-Identifier: GPL-2.0-only
/* Tier 1: VM exits by basic reason (SDM vol. 3 appendix C), in full host context. */
#include <linux/sched.h>
#include <asm/apicdef.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "compat.h"
#include "emulate.h"
#include "move.h"
#include "task.h"
#include "trace.h"
#include "vmcs.h"
#include "vmx.h"

#define REASON_COUNT	80
#define REASON_GETSEC	11
#define REASON_SEAMCALL	76		/* and TDCALL: where the CPU has TDX, they exit whatever is asked for */
#define REASON_TDCALL	77

struct reason {
	enum exit_action (*fn)(struct qvm_vcpu *vcpu);
	u32 groups;			/* guest state that fn reads or changes */
	const char *name;
};

static u64 qualification(struct qvm_vcpu *vcpu)
{
	vmx_need(vcpu, VMX_X_REASON);
	return vmx_of(vcpu)->exit.qualification;
}

enum exit_action vmx_fatal(struct qvm_vcpu *vcpu, u32 cause)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx_need(vcpu, VMX_G_ALL);
	return x86_fatal(vcpu, cause, (u64)vmx->exit.reason << 32 | (u32)vmx->exit.qualification,
			 vmx->exit.gva, vmx->exit.gpa);
}

static enum exit_action handle_unknown(struct qvm_vcpu *vcpu)
{
	return vmx_fatal(vcpu, QVM_FATAL_EXIT);
}

static enum exit_action handle_nothing(struct qvm_vcpu *vcpu)
{
	return EXIT_RESUME;
}

static enum exit_action handle_host_irq(struct qvm_vcpu *vcpu)
{
	vcpu->stats.irqs++;
	return EXIT_RESUME;
}

/* ---- exceptions ---- */

#define VECTOR(info)	((info) & 0xff)
#define TYPE(info)	(((info) >> 8) & 7)

/* Who has touched FP goes on to do so after the next exits, most likely. */
#define FP_ENTRIES	8

/* Ours, for the lazy FP, unless that is loaded already: then its EM or MP says so. */
static enum exit_action handle_nm(struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.cr0 & X86_CR0_TS || vmx_of(vcpu)->fp_in_cr0)
		x86_inject_exception(vcpu, X86_XCPT_NM, -1);
	else
		vcpu->arch.fp_wanted = FP_ENTRIES;
	return EXIT_RESUME;
}

#define TYPE_ICEBP	5		/* a trap: its #DB is behind the instruction */
#define SHADOWS		(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)
#define DR6_TRAPS	0xf

/* The qualification is what DR6 gets (27.2.1); a real #DB also clears DR7.GD. ICEBP is no single step. */
static enum exit_action handle_db(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	bool icebp = TYPE(vmx->exit.intr_info) == TYPE_ICEBP;
	u64 status = qualification(vcpu);

	vmx_need(vcpu, VMX_G_SKIP);
	if (icebp) {
		x86_skip(vcpu);
		status &= DR6_TRAPS;
	}
	/* A shadow and TF want BS pending (26.3.1.5); the #DB that goes in takes its place. */
	vmx->state.pending_debug = vmx->state.interruptibility & SHADOWS &&
				   vmx->state.rflags & X86_EFLAGS_TF ? PENDING_DEBUG_BS : 0;
	vmx->state.dirty |= VMX_G_SHADOW;
	vcpu->arch.dr6 = (vcpu->arch.dr6 & ~(u64)DR6_TRAPS) | status | 0xffff0ff0;
	vcpu->arch.dr7 &= ~BIT_ULL(13);
	virt_update_mode(vcpu);
	x86_inject_exception(vcpu, X86_XCPT_DB, -1);
	return EXIT_RESUME;
}

/*
 * The guest's own, or the host's: MSR_TEST_CTRL[29] of the host raises it for a lock across two cache lines,
 * at any privilege and whatever the guest has enabled (SDM vol. 3 9.1.2.3). Guests know nothing of that.
 */
static enum exit_action handle_ac(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx_need(vcpu, VMX_G_RIP | VMX_G_RFLAGS | VMX_G_CODE);
	if (!boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT) ||
	    (x86_cpl(vcpu) == 3 && vcpu->arch.cr0 & X86_CR0_AM && vmx->state.rflags & X86_EFLAGS_AC)) {
		x86_inject_exception(vcpu, X86_XCPT_AC, vmx->exit.intr_error);
		return EXIT_RESUME;
	}
	switch (qvm_split_lock(vmx->state.rip)) {
	case QVM_SPLIT_LOCK_FATAL:
		return vmx_fatal(vcpu, QVM_FATAL_EXIT);
	case QVM_SPLIT_LOCK_ALLOW:
		pr_warn_ratelimited("qvm: VM %u: vCPU %u takes locks across cache lines, which stop all CPUs for a while (pc 0x%llx)\n",
				    vcpu->vm->id, vcpu->index, vmx->state.rip);
		vmx->split_locks = true;
		break;
	case QVM_SPLIT_LOCK_ONCE:
		break;
	}
	return EXIT_RESUME;
}

static enum exit_action handle_exception(struct qvm_vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (TYPE(vmx->exit.intr_info) == 2)		/* NMI: the host has had it */
		return handle_host_irq(vcpu);
	switch (VECTOR(vmx->exit.intr_info)) {
	case X86_XCPT_NM:
		return handle_nm(vcpu);
	case X86_XCPT_DB:
		return handle_db(vcpu);
	case X86_XCPT_AC:
		return handle_ac(vcpu);
	case 18:					/* machine check: the host has had it, too */
		return EXIT_RESUME;
	default:
		return vmx_fatal(vcpu, QVM_FATAL_EXIT);
	}
}

static enum exit_action handle_machine_check(struct qvm_vcpu *vcpu)
{
	return vmx_fatal(vcpu, QVM_FATAL_ENTRY);
}

static enum exit_action handle_triple_fault(struct qvm_vcpu *vcpu)
{
	qvm_vm_end_system(vcpu->vm, vcpu, QVM_SYSTEM_RESET, EXIT_REASON_TRIPLE_FAULT);
	return EXIT_FATAL;
}

/* ---- registers ---- */

static enum exit_action handle_cr(struct qvm_vcpu *vcpu)
{
	u64 q = qualification(vcpu);		/* table 27-3 */
	unsigned int cr = q & 15, gpr = (q >> 8) & 15;

	switch ((q >> 4) & 3) {
	case 0:
		return x86_cr_exit(vcpu, cr, true, gpr);
	case 1:
		return x86_cr_exit(vcpu, cr, false, gpr);
	case 2:
		return x86_clts(vcpu);
	default:
		return x86_lmsw(vcpu, q >> 16);
	}
}

static enum exit_action handle_dr(struct qvm_vcpu *vcpu)
{
	u64 q = qualification(vcpu);		/* table 27-4 */

	return x86_dr_exit(vcpu, q & 7, !(q & BIT(4)), (q >> 8) & 15);
}

/* ---- devices ---- */

static enum exit_action handle_io(struct qvm_vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);
	u64 q = vmx->exit.qualification;	/* table 27-5 */
	struct x86_io io = {
		.port = VMX_IO_PORT(q),
		.len = VMX_IO_LEN(q),
		.in = q & VMX_IO_IN,
		.string = q & VMX_IO_STRING,
		.next_rip = vmx->state.rip + vmx->exit.length,
	};

	return x86_emulate_io(vcpu, &io);
}

static enum exit_action handle_ept_violation(struct qvm_vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);
	u64 q = vmx->exit.qualification;
	const struct qvm_mem *mem;
	struct x86_mmio mmio = {
		.gpa = vmx->exit.gpa,
		.gva = vmx->exit.gva,
		.has_gva = q & EPT_Q_GVA,
		.is_write = q & EPT_Q_WRITE,
	};

	mem = qvm_region_find(vcpu->vm, vmx->exit.gpa);
	/* Memory: mapped for good, but for what the ITLB_MULTIHIT rule keeps from being fetched. */
	if (mem && (mem->kind == QVM_REGION_RAM ||
		    (mem->kind == QVM_REGION_ROM && q & EPT_Q_FETCH)))
		return x86_s2_fault(vcpu, mmio.gpa, q & EPT_Q_FETCH) ? EXIT_RESUME :
								 vmx_fatal(vcpu, QVM_FATAL_MEMORY);
	if (q & EPT_Q_FETCH || (q & EPT_Q_GVA && !(q & EPT_Q_ACCESS)) || vmx->inject.info & BIT(31)) {
		/*
		 * Code, page tables, or what the delivery of an event reads and pushes, where no memory is:
		 * all ones, as an empty bus gives, and no instruction to emulate.
		 */
		qvm_unclaimed_add(vcpu, mmio.gpa, q & EPT_Q_FETCH ? QVM_UNCLAIMED_FETCH : QVM_UNCLAIMED_READ);
		return vmx_fatal(vcpu, QVM_FATAL_STATE);
	}
	return x86_emulate_mmio(vcpu, &mmio);
}

/* Never of the guest's doing. */
static enum exit_action handle_ept_misconfig(struct qvm_vcpu *vcpu)
{
	x86_s2_explain(vcpu, vmx_of(vcpu)->exit.gpa);
	return vmx_fatal(vcpu, QVM_FATAL_MEMORY);
}

#define ACCESS_TYPE(q)	((q) >> 12 & 15)
#define ACCESS_READ	0		/* linear, by an instruction */
#define ACCESS_WRITE	1

/* What of the APIC-access page the processor does not do by itself (29.4, table 27-6). */
static enum exit_action handle_apic_access(struct qvm_vcpu *vcpu)
{
	u64 q = qualification(vcpu);
	struct x86_mmio mmio = {
		.gpa = APIC_DEFAULT_PHYS_BASE | (q & 0xfff),
		.is_write = ACCESS_TYPE(q) == ACCESS_WRITE,
	};

	if (ACCESS_TYPE(q) > ACCESS_WRITE)	/* code, stacks of events, page tables */
		return x86_fatal(vcpu, QVM_FATAL_STATE, (u64)EXIT_REASON_APIC_ACCESS << 32 | (u32)q, 0, mmio.gpa);
	return x86_emulate_mmio(vcpu, &mmio);
}

#define TYPE_INT	4		/* INT n, and the exceptions of INT3 and INTO, are 4 to 6 */

/*
 * Qualification: table 27-2. The event that a gate of the IDT is for is what the exit cut short; the
 * switch delivers it. Of an instruction the old task goes on behind it.
 */
static enum exit_action handle_task_switch(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u64 q = qualification(vcpu);
	u32 event = vmx->inject.info;
	bool by_event = event >> 31, external = by_event && TYPE(event) < TYPE_INT;
	struct x86_task_switch task = {
		.selector = q,
		.source = (q >> 30) & 3,
		.is_external = external,
		.has_error = by_event && event & BIT(11),
		.error = vmx->inject.error,
		.return_eip = vmx->state.rip + (external ? 0 : vmx->exit.length),
	};

	vmx->inject.info = 0;
	if (by_event && TYPE(event) == 2)
		vmx->state.interruptibility |= GUEST_INTR_STATE_NMI;
	else if (task.source == TASK_IRET)
		vmx->state.interruptibility &= ~GUEST_INTR_STATE_NMI;
	vmx->state.interruptibility &= ~SHADOWS;
	vmx->state.dirty |= VMX_G_SHADOW;
	return x86_task_switch(vcpu, &task);
}

static enum exit_action handle_wbinvd(struct qvm_vcpu *vcpu)
{
	x86_skip(vcpu);		/* memory is write-back and coherent for everyone here */
	return EXIT_RESUME;
}

static enum exit_action handle_pause(struct qvm_vcpu *vcpu)
{
	yield();
	return EXIT_RESUME;
}

/* The slice is over, or the LAPIC timer's deadline is there: it is looked at before the entry. */
static enum exit_action handle_timer(struct qvm_vcpu *vcpu)
{
	vlapic_timer_expired(vcpu);
	return EXIT_RESUME;
}

/* 29.1.4: trap-like, the EOI is done. */
static enum exit_action handle_eoi(struct qvm_vcpu *vcpu)
{
	vlapic_eoi_vector(vcpu, qualification(vcpu));
	return EXIT_RESUME;
}

/* 29.4.3.2, 29.5: trap-like; in x2APIC mode a self-IPI with a vector that is none. */
static enum exit_action handle_apic_write(struct qvm_vcpu *vcpu)
{
	vlapic_wrote(vcpu, qualification(vcpu) & 0xfff);
	return EXIT_RESUME;
}

/* The emulator walks the guest's tables as it runs. */
#define WALK	(VMX_G_SKIP | VMX_G_CODE | VMX_G_MODE | VMX_G_CR3)
#define SKIP	VMX_G_SKIP

/* What is not read at the exit is read when it is asked for; section mode pays more for that. */
static const struct reason reasons[REASON_COUNT] = {
	[0 ... REASON_COUNT - 1]	= { handle_unknown, VMX_G_ALL, "unknown" },
	[EXIT_REASON_EXCEPTION_NMI]	= { handle_exception, VMX_X_EVENT | VMX_X_REASON, "exception" },
	[EXIT_REASON_EXTERNAL_INTERRUPT] = { handle_host_irq, 0, "interrupt" },
	[EXIT_REASON_TRIPLE_FAULT]	= { handle_triple_fault, VMX_G_ALL, "triple fault" },
	[EXIT_REASON_TASK_SWITCH]	= { handle_task_switch, VMX_G_ALL, "task switch" },
	[EXIT_REASON_INTERRUPT_WINDOW]	= { handle_nothing, 0, "interrupt window" },
	[EXIT_REASON_NMI_WINDOW]	= { handle_nothing, 0, "NMI window" },
	[EXIT_REASON_CPUID]		= { x86_handle_cpuid, SKIP | VMX_G_MODE, "CPUID" },
	[REASON_GETSEC]			= { x86_handle_hidden, SKIP, "GETSEC" },
	[REASON_SEAMCALL ... REASON_TDCALL] = { x86_handle_hidden, SKIP, "TDX instruction" },
	[EXIT_REASON_HLT]		= { x86_handle_hlt, SKIP, "HLT" },
	[EXIT_REASON_INVD]		= { handle_wbinvd, SKIP, "INVD" },
	[EXIT_REASON_RDPMC]		= { x86_handle_rdpmc, SKIP, "RDPMC" },
	[EXIT_REASON_VMCALL]		= { x86_handle_hypercall, SKIP, "VMCALL" },
	[EXIT_REASON_VMCLEAR ... EXIT_REASON_VMON] = { x86_handle_hidden, SKIP, "VMX instruction" },
	[EXIT_REASON_CR_ACCESS]		= { handle_cr, VMX_G_ALL, "CR access" },
	[EXIT_REASON_DR_ACCESS]		= { handle_dr, SKIP | VMX_G_MODE | VMX_X_REASON, "DR access" },
	[EXIT_REASON_IO_INSTRUCTION]	= { handle_io, SKIP | VMX_X_REASON, "port" },
	[EXIT_REASON_MSR_READ]		= { x86_handle_rdmsr, SKIP, "RDMSR" },
	[EXIT_REASON_MSR_WRITE]		= { x86_handle_wrmsr, SKIP, "WRMSR" },
	[EXIT_REASON_INVALID_STATE]	= { vmx_refused_state, VMX_G_ALL, "invalid guest state" },
	[EXIT_REASON_TPR_BELOW_THRESHOLD] = { handle_nothing, 0, "TPR below threshold" },
	[EXIT_REASON_APIC_ACCESS]	= { handle_apic_access, WALK | VMX_X_REASON, "APIC access" },
	[EXIT_REASON_EOI_INDUCED]	= { handle_eoi, VMX_X_REASON, "EOI" },
	[EXIT_REASON_APIC_WRITE]	= { handle_apic_write, VMX_X_REASON, "APIC write" },
	[EXIT_REASON_MWAIT_INSTRUCTION]	= { x86_handle_hidden, SKIP, "MWAIT" },
	[EXIT_REASON_MONITOR_INSTRUCTION] = { x86_handle_hidden, SKIP, "MONITOR" },
	[EXIT_REASON_PAUSE_INSTRUCTION]	= { handle_pause, 0, "PAUSE" },
	[EXIT_REASON_MCE_DURING_VMENTRY] = { handle_machine_check, VMX_G_ALL, "machine check at entry" },
	[EXIT_REASON_EPT_VIOLATION]	= { handle_ept_violation,
					    WALK | VMX_X_REASON | VMX_X_ADDRESS, "EPT violation" },
	[EXIT_REASON_EPT_MISCONFIG]	= { handle_ept_misconfig, VMX_G_ALL, "EPT misconfiguration" },
	[EXIT_REASON_INVEPT]		= { x86_handle_hidden, SKIP, "INVEPT" },
	[EXIT_REASON_PREEMPTION_TIMER]	= { handle_timer, 0, "preemption timer" },
	[EXIT_REASON_INVVPID]		= { x86_handle_hidden, SKIP, "INVVPID" },
	[EXIT_REASON_WBINVD]		= { handle_wbinvd, SKIP, "WBINVD" },
	[EXIT_REASON_XSETBV]		= { x86_xsetbv, SKIP | VMX_G_CODE | VMX_G_MODE, "XSETBV" },
};

u32 vmx_exit_groups(u32 reason)
{
	return reason < REASON_COUNT ? reasons[reason].groups : VMX_G_ALL;
}

/* Of a guest's own doing: not interrupts, slices, windows, a spin that PAUSE ends, a first use of FP. */
static bool is_guests(const struct vmx_vcpu *vmx, u32 basic)
{
	switch (basic) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_INTERRUPT_WINDOW:
	case EXIT_REASON_NMI_WINDOW:
	case EXIT_REASON_PREEMPTION_TIMER:
	case EXIT_REASON_PAUSE_INSTRUCTION:
		return false;
	case EXIT_REASON_EXCEPTION_NMI:
		return TYPE(vmx->exit.intr_info) != 2 && VECTOR(vmx->exit.intr_info) != X86_XCPT_NM;
	default:
		return true;
	}
}

static __always_inline void trail(struct qvm_vcpu *vcpu, u32 full, u32 basic)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct qvm_exit_record *exit = qvm_trail_next(&vcpu->trail);

	exit->pc = vmx->state.rip;
	exit->syndrome = vmx->exit.qualification;
	exit->gva = basic == EXIT_REASON_EPT_VIOLATION ? vmx->exit.gva : 0;
	exit->gpa = basic == EXIT_REASON_EPT_VIOLATION ? vmx->exit.gpa : 0;
	exit->code = full >> 16;
	exit->reason = basic;
	if (unlikely(exit->pc == vcpu->trail.entry_pc))
		qvm_trail_same(vcpu, exit);
}

void qvm_arch_inject_exit(struct qvm_vcpu *vcpu, const struct qvm_injection *how)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (how->cause == QVM_INJECT_VMCS)
		return vmx_refused_cause(vcpu, how->arg[0], how->arg[1]);
	vmx->exit.answer = FAST_NO;
	switch (how->cause) {
	case QVM_INJECT_ENTRY:
		vmx->exit.reason = ~0U;
		vmx->exit.qualification = 7;
		vmx->refused = (struct vmx_check_result){};
		break;
	case QVM_INJECT_MEMORY:
		x86_fatal(vcpu, QVM_FATAL_MEMORY, 0, 0, vcpu->vm->region[0].gpa);
		break;
	case QVM_INJECT_SERROR:
		x86_fatal(vcpu, QVM_FATAL_SERROR, 0, 0, 0);
		break;
	default:
		vmx->exit.reason = REASON_COUNT - 1;
	}
}

static noinline enum exit_action exit_tier1(struct qvm_vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 full = vmx->exit.reason, basic = full & 0xffff;

	if (is_guests(vmx, basic))
		trail(vcpu, full, basic);
	if (unlikely(full == ~0U))
		return vmx_refused_entry(vcpu);
	vcpu->stats.reason[basic % QVM_STATS_REASONS]++;
	return likely(basic < REASON_COUNT) ? reasons[basic].fn(vcpu) : handle_unknown(vcpu);
}

enum exit_action qvm_arch_vcpu_exit(struct qvm_vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 full = vmx->exit.reason, basic = full & 0xffff;

	if (vmx->exit.answer > FAST_USER)
		return EXIT_RESUME;
	if (trace_exit_enabled())
		trace_exit(vcpu->vm->id, vcpu->index, full >> 16, basic, qualification(vcpu),
			   x86_get_rip(vcpu));
	if (vmx->exit.answer != FAST_USER)
		return exit_tier1(vcpu);
	vcpu->stats.reason[basic]++;
	trail(vcpu, full, basic);
	return x86_move_user(vcpu, vmx->exit.move, vmx->state.rip, vmx->exit.next_rip);
}
