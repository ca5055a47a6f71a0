// SPDX-License-Identifier: GPL-2.0-only
/* The world switch on VMX: one interrupts-off stretch from vmx_own_begin() to vmx_own_end(). */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "context.h"
#include "due.h"
#include "entry_offsets.h"
#include "histogram.h"
#include "inject.h"
#include "irqsoff.h"
#include "step.h"
#include "vmcs.h"

static_assert(offsetof(struct x86_regs, host_rsp) == REGS_HOST_RSP);
static_assert(offsetof(struct x86_regs, spec_ctrl) == REGS_SPEC_CTRL);
static_assert(offsetof(struct qvm_vcpu_arch, regs) == 0);

#define BASIC(reason)	((reason) & 0xffff)
#define INTR_INFO_NMI	(BIT(31) | 2 << 8 | 2)
#define INTR_INFO_MC	(BIT(31) | 3 << 8 | 18)
#define INTR_INFO_KIND	(BIT(31) | GENMASK(10, 0))

/* ---- guest FP and XCR0 ---- */

static __always_inline void xsetbv(u64 value)
{
	asm volatile("xsetbv" : : "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}

/*
 * With XCR0 as the host's, and all that guests may have: SSE does not ask XCR0 whether it may be used,
 * and what XCR0 leaves out for a while is kept (SDM vol. 1 13.3).
 */
static void fp_load(struct qvm_vcpu *vcpu)
{
	u64 mask = x86_xcr0_supported();

	if (cpu_feature_enabled(X86_FEATURE_OSXSAVE))
		asm volatile("xrstor64 (%0)" : : "r"(vcpu->arch.xsave), "a"((u32)mask),
			     "d"((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxrstor64 (%0)" : : "r"(vcpu->arch.xsave) : "memory");
}

static void fp_save(struct qvm_vcpu *vcpu)
{
	u64 mask = x86_xcr0_supported();

	if (cpu_feature_enabled(X86_FEATURE_OSXSAVE))
		asm volatile("xsave64 (%0)" : : "r"(vcpu->arch.xsave), "a"((u32)mask),
			     "d"((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxsave64 (%0)" : : "r"(vcpu->arch.xsave) : "memory");
}

/* ---- debug registers: the guest's are loaded only while its DR7 has something armed ---- */

#define DR7_ARMED	0xff

/*
 * The host samples precisely: a counter that overflows in the guest would have its record written to the
 * buffer's linear address, which there is the guest's memory. Off now, for what is under way takes its
 * time; and off by the entry, for an NMI's handler may have switched it on again. One entry, therefore.
 */
static noinline void pebs_stop(struct vmx_vcpu *vmx)
{
	x86_wrmsr(MSR_IA32_PEBS_ENABLE, 0);
	vmx->pebs_on->value = vmx->host_debug.pebs;
	vmcs_write32(VM_ENTRY_MSR_LOAD_COUNT, 1);
	vmcs_write32(VM_EXIT_MSR_LOAD_COUNT, 1);
	vmx->streak = 0;
}

static noinline void pebs_start(const struct vmx_vcpu *vmx)
{
	vmcs_write32(VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write32(VM_EXIT_MSR_LOAD_COUNT, 0);
	x86_wrmsr(MSR_IA32_PEBS_ENABLE, vmx->host_debug.pebs);	/* if there was no exit */
}

static noinline void debug_swap_in(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (vmx->host_debug.pebs)
		pebs_stop(vmx);
	if (vmx->split_locks) {
		vmx->host_debug.test_ctrl = x86_rdmsr(MSR_TEST_CTRL);
		x86_wrmsr(MSR_TEST_CTRL, vmx->host_debug.test_ctrl & ~MSR_TEST_CTRL_SPLIT_LOCK_DETECT);
	}
	if (!(vcpu->arch.dr7 & DR7_ARMED))
		return;
	/* The guest's addresses are not for the host's breakpoints. */
	if (vmx->host_debug.dr7)
		set_debugreg(0, 7);
	get_debugreg(vmx->host_debug.dr[0], 0);
	get_debugreg(vmx->host_debug.dr[1], 1);
	get_debugreg(vmx->host_debug.dr[2], 2);
	get_debugreg(vmx->host_debug.dr[3], 3);
	set_debugreg(vcpu->arch.dr[0], 0);
	set_debugreg(vcpu->arch.dr[1], 1);
	set_debugreg(vcpu->arch.dr[2], 2);
	set_debugreg(vcpu->arch.dr[3], 3);
}

static noinline void debug_swap_out(const struct qvm_vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (vmx->host_debug.debugctl)
		x86_wrmsr(MSR_IA32_DEBUGCTLMSR, vmx->host_debug.debugctl);
	if (vcpu->arch.dr7 & DR7_ARMED) {
		set_debugreg(vmx->host_debug.dr[0], 0);
		set_debugreg(vmx->host_debug.dr[1], 1);
		set_debugreg(vmx->host_debug.dr[2], 2);
		set_debugreg(vmx->host_debug.dr[3], 3);
	}
	if (vmx->host_debug.dr7)
		set_debugreg(vmx->host_debug.dr7, 7);
	if (vmx->host_debug.pebs)
		pebs_start(vmx);
	if (vmx->split_locks)
		x86_wrmsr(MSR_TEST_CTRL, vmx->host_debug.test_ctrl);
}

static void debug_enter(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u64 dr7 = __this_cpu_read(cpu_dr7), debugctl = x86_rdmsr(MSR_IA32_DEBUGCTLMSR);
	u64 pebs = static_branch_unlikely(&vmx_host_has_pebs) ? x86_rdmsr(MSR_IA32_PEBS_ENABLE) : 0;

	vmx->host_debug.in_use = dr7 | debugctl | pebs | vmx->split_locks | (vcpu->arch.dr7 & DR7_ARMED);
	if (likely(!vmx->host_debug.in_use))
		return;
	vmx->host_debug.dr7 = dr7;
	vmx->host_debug.debugctl = debugctl;
	vmx->host_debug.pebs = pebs;
	debug_swap_in(vcpu);
}

/* An exit leaves DR7 = 0x400 and DEBUGCTL = 0 (27.5.1). */
static void debug_exit(const struct qvm_vcpu *vcpu)
{
	if (unlikely(vmx_of(vcpu)->host_debug.in_use))
		debug_swap_out(vcpu);
}

/* ---- tier 0 ---- */

static __always_inline bool step_over(void)
{
	struct vmx_step step;

	if (unlikely(!vmx_step_begin(vmcs_read(VM_EXIT_INSTRUCTION_LEN), &step)))
		return false;
	vmx_step_end(&step);
	return true;
}

static __always_inline bool tier0(struct qvm_vcpu *vcpu, u32 reason)
{
	if ((reason != EXIT_REASON_CPUID && reason != EXIT_REASON_VMCALL) || !qvm_tier0 ||
	    vmx_of(vcpu)->streak <= 1 || !step_over())
		return false;
	vmx_of(vcpu)->streak--;
	vcpu->stats.reason_tier0[reason]++;
	if (reason == EXIT_REASON_VMCALL)
		x86_hypercall(vcpu);
	else
		x86_cpuid_to_gprs(vcpu);
	return true;
}

/* ---- around the guest ---- */

/* An NMI ended the guest: the host takes it now, before anything here can fault or IRET. */
static __always_inline void host_nmi(u32 reason)
{
	if (reason == EXIT_REASON_EXCEPTION_NMI &&
	    (vmcs_read(VM_EXIT_INTR_INFO) & INTR_INFO_KIND) == INTR_INFO_NMI)
		asm volatile("int $2");
}

static __always_inline u32 run_guest(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 reason;
	int failed;

	if (native_read_cr2() != vcpu->arch.regs.cr2)
		native_write_cr2(vcpu->arch.regs.cr2);
	do {
		qvm_histogram_end(vcpu);
		qvm_irqsoff_end(_THIS_IP_);
		failed = vmx_enter(&vcpu->arch.regs, vmx->launched);
		qvm_irqsoff_begin(_THIS_IP_);
		if (failed)
			return ~0U;
		vmx->launched = true;
		reason = vmcs_read(VM_EXIT_REASON);
		host_nmi(reason);
		qvm_histogram_begin(vcpu, BASIC(reason) % QVM_STATS_REASONS);
	} while (tier0(vcpu, reason));
	/* Nothing here faults between two entries, and NMIs keep it. */
	vcpu->arch.regs.cr2 = native_read_cr2();
	return reason;
}

/* One that ended the guest, or its entry (26.8). Before interrupts open: the next one would shut this pCPU down. */
static noinline void host_machine_check(u32 reason)
{
	u32 basic = BASIC(reason);

	if (basic == EXIT_REASON_EXCEPTION_NMI ? (vmcs_read(VM_EXIT_INTR_INFO) & INTR_INFO_KIND) == INTR_INFO_MC :
						 basic == EXIT_REASON_MCE_DURING_VMENTRY)
		qvm_machine_check();
}

/* @note: as at qvm_guest_context_enter(). */
static noinstr void run_guest_tracked(struct qvm_vcpu *vcpu, bool note)
{
	bool other_xcr0 = vmx_config.host_xcr0 != vcpu->arch.xcr0 && vmx_config.host_xcr0;

	qvm_guest_context_enter(note);
	if (other_xcr0)
		xsetbv(vcpu->arch.xcr0);
	vmx_of(vcpu)->exit.reason = run_guest(vcpu);
	if (other_xcr0)
		xsetbv(vmx_config.host_xcr0);
	qvm_guest_context_exit();
}

/* What handlers need of the exit, while the VMCS can be read. */
static void capture(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 groups;

	if (unlikely(vmx->exit.reason == ~0U)) {
		vmx->exit.qualification = vmcs_read(VM_INSTRUCTION_ERROR);
		vmx_state_sync(vcpu, VMX_G_ALL & ~VMX_X_REASON);
		vmx_refused_find(vmx);
		return;
	}
	groups = vmx_exit_groups(BASIC(vmx->exit.reason));
	if (unlikely(groups & VMX_X_EVENT))
		host_machine_check(vmx->exit.reason);
	vmx_state_sync(vcpu, VMX_G_RIP | VMX_G_RSP | VMX_X_REASON | groups);
	vmx_events_sync(vcpu);
	if (unlikely(BASIC(vmx->exit.reason) == EXIT_REASON_INVALID_STATE))
		vmx_refused_find(vmx);
}

void vmx_flush_vpid(const struct vmx_vcpu *vmx)
{
	vmx_invvpid(vmx_config.invvpid_single ? VMX_VPID_EXTENT_SINGLE_CONTEXT :
						VMX_VPID_EXTENT_ALL_CONTEXT, vmx->vpid);
}

/*
 * Tags in this pCPU's TLB (26.3.3.3): a vCPU that ran elsewhere meanwhile left translations behind
 * that it has since invalidated there only; a root that is new to this pCPU may be one's of old.
 */
static noinline void flush_tags(struct qvm_vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_vm *vm = vcpu->vm->arch.vmx;

	if (vmx->cpu != cpu || vmx->flush_vpid) {
		vmx_flush_vpid(vmx);
		vmx->flush_vpid = false;
	}
	if (!cpumask_test_cpu(cpu, vm->ept_known)) {
		cpumask_set_cpu(cpu, vm->ept_known);
		vmx_invept(VMX_EPT_EXTENT_CONTEXT, vm->eptp);
	}
}

static __always_inline bool tags_are_due(const struct qvm_vcpu *vcpu, int cpu)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);
	const struct vmx_vm *vm = vcpu->vm->arch.vmx;

	return vmx->cpu != cpu || vmx->flush_vpid || !cpumask_test_cpu(cpu, vm->ept_known);
}

static __always_inline u64 fs_base(void)
{
	u64 base;

	if (!cpu_feature_enabled(X86_FEATURE_FSGSBASE))
		return x86_rdmsr(MSR_FS_BASE);
	asm volatile("rdfsbase %0" : "=r"(base));
	return base;
}

/* CR3 changes with mm and its ASID, FS base with the thread: an exit would load a stale one. */
static __always_inline void write_host_thread(struct vmx_vcpu *vmx)
{
	u64 cr3 = __read_cr3(), cr4 = __read_cr4(), fs = fs_base();

	if (unlikely((cr3 ^ vmx->host.cr3) | (cr4 ^ vmx->host.cr4) | (fs ^ vmx->host.fs_base)))
		vmx_write_host_thread(vmx, cr3, cr4, fs);
}

/* How often tier 0 answers before interrupts are let in: Bochs would not let them in by itself. */
#define STREAK		128

static void arm_timer(struct qvm_vcpu *vcpu)
{
	u64 deadline = vlapic_timer_deadline(vcpu), ticks = vmx_config.slice, now;

	if (deadline != U64_MAX) {
		now = rdtsc();
		ticks = deadline <= now ? 0 : min(deadline - now, ticks);
	}
	vmcs_write32(VMX_PREEMPTION_TIMER_VALUE, ticks >> vmx_config.timer_shift);
}

/* Once per stretch: what may have changed while interrupts were on. */
static void prepare(struct qvm_vcpu *vcpu, bool fp)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	int cpu = smp_processor_id();

	if (unlikely(!vmx->is_set_up))
		vmx_write_constants(vcpu);
	vmx->is_set_up = true;
	if (unlikely(tags_are_due(vcpu, cpu)))
		flush_tags(vcpu, cpu);
	if (unlikely(vmx->cpu != cpu))
		vmx_write_host_cpu(vmx);
	vmx->cpu = cpu;
	write_host_thread(vmx);
	if (cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS))
		vcpu->arch.regs.spec_ctrl = this_cpu_read(x86_spec_ctrl_current);
	if (unlikely(fp != vmx->fp_in_cr0))
		vmx_write_cr0(vcpu, fp);
	vmx->streak = STREAK;
	if (vmx_flush_l1d) {
		vmx_mitig_before_entry();
		/* Else not before an entry from tier 0, which has touched nothing that is secret. */
		if (vmx_flush_l1d_always)
			vmx->streak = 1;
	}
}

/* Before each entry that does not come from tier 0. */
static void prepare_entry(struct qvm_vcpu *vcpu)
{
	if (unlikely(vmx_apic_is_due(vcpu)))
		vmx_apic_flush(vcpu);
	if (unlikely(vmx_events_are_due(vcpu)))
		vmx_events_flush(vcpu);
	vmx_state_flush(vcpu);
	arm_timer(vcpu);
}

/*
 * A guest's stay in one tick needs no second note: grace periods are driven by the tick, and it is the
 * tick of this pCPU that hears of them.
 */
static bool note_is_due(struct vmx_vcpu *vmx)
{
	unsigned long now = jiffies;

	if (likely(vmx->noted == now))
		return false;
	vmx->noted = now;
	return true;
}

/*
 * VMCS current: entries, until an exit that tier 0 does not answer, or that would be the last. The
 * guest's FP and debug registers stay: nothing at tier 0b uses them, and with XCR0 as the host's they
 * are all saved.
 */
static void run_stretch(struct qvm_vcpu *vcpu, bool fp)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	enum vmx_fast answer = FAST_ANSWERED;

	prepare(vcpu, fp);
	vtime_account_guest_enter();
	debug_enter(vcpu);
	if (fp)
		fp_load(vcpu);
	do {
		if (answer != FAST_QUIET || unlikely(vmx->state.valid))
			prepare_entry(vcpu);
		run_guest_tracked(vcpu, note_is_due(vmx));
		answer = vmx_tier0b(vcpu, vmx->exit.reason);
	} while (answer > FAST_USER && vmx->streak && !qvm_vcpu_is_wanted(vcpu));
	if (fp)
		fp_save(vcpu);
	debug_exit(vcpu);
	qvm_ibpb_to_user();
	vmx->exit.answer = answer;
	if (answer == FAST_NO)
		capture(vcpu);
}

/* Interrupts off. As at qvm_arch_vcpu_enter(). */
static int enter_irqs_off(struct qvm_vcpu *vcpu, bool fp)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	int ret = 0;

	if (unlikely(!vcpu->loaded))
		return -EIO;
	atomic_set(&vcpu->mode, VCPU_IN_GUEST);
	/*
	 * Pairs with qvm_vcpu_kick(): either it sees IN_GUEST or we see `kicked`. Also with
	 * qvm_arch_s2_flush_vm(): either it sees IN_GUEST or flush_tags() sees the mask cleared.
	 */
	smp_mb();
	if (qvm_vcpu_is_wanted(vcpu))
		ret = -EAGAIN;
	else if (!vmx_own_begin(vmx))
		ret = -EIO;
	if (!ret) {
		qvm_inject_entry();
		vmx->inside = true;
		run_stretch(vcpu, fp);
		vmx->inside = false;
		vmx_own_end(vmx);
	}
	atomic_set_release(&vcpu->mode, VCPU_OUTSIDE);
	return ret;
}

int qvm_arch_vcpu_enter(struct qvm_vcpu *vcpu)
{
	bool fp = vcpu->arch.fp_wanted || static_branch_unlikely(&vmx_eager_fp);
	int ret;

	vcpu->trail.entry_pc = vmx_rip(vcpu);
	if (unlikely(x86_event_is_set(vcpu, EVENT_INIT)) && x86_power_events(vcpu))
		return -EAGAIN;
	/* The FP section begins and ends with interrupts on; #NM brings a guest that needs it. */
	if (fp) {
		vcpu->arch.fp_wanted -= !!vcpu->arch.fp_wanted;
		kernel_fpu_begin_mask(0);
	}
	preempt_disable();
	local_irq_disable();
	ret = enter_irqs_off(vcpu, fp);
	if (ret)
		local_irq_enable();
	else
		qvm_guest_time_exit();
	preempt_enable();
	if (fp)
		kernel_fpu_end();
	return ret;
}

/* ---- load and put ---- */

bool qvm_arch_vcpu_load(struct qvm_vcpu *vcpu)
{
	if (unlikely(vmx_own_is_elsewhere(vmx_of(vcpu))))
		vmx_own_fetch(vmx_of(vcpu));
	x86_msr_load(vcpu);
	return true;
}

static DEFINE_PER_CPU(struct desc_ptr, host_gdt);

void vmx_switch_cpu_init(void)
{
	struct desc_ptr *gdt = this_cpu_ptr(&host_gdt);

	gdt->address = (unsigned long)get_cpu_gdt_ro(smp_processor_id());
	gdt->size = GDT_SIZE - 1;
}

static noinline void put_tss_limit(void)
{
	invalidate_tss_limit();
}

void qvm_arch_vcpu_put(struct qvm_vcpu *vcpu)
{
	x86_msr_put(vcpu);
	/* An exit makes the GDT's limit 64 KiB and the TSS's 0x67 (27.5.2). */
	native_load_gdt(this_cpu_ptr(&host_gdt));
	if (unlikely(test_thread_flag(TIF_IO_BITMAP)))
		put_tss_limit();
	else
		this_cpu_write(__tss_limit_invalid, true);	/* as that does for who has no ports */
}

void qvm_arch_vcpu_settle(struct qvm_vcpu *vcpu)
{
}

static int fetch_here(struct qvm_vcpu *vcpu, u32 groups)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	unsigned long flags;
	int ret = -EIO;

	local_irq_save(flags);
	if (vmx_own_begin(vmx)) {
		vmx_state_sync(vcpu, groups);
		vmx_own_end(vmx);
		ret = 0;
	}
	local_irq_restore(flags);
	return ret;
}

int vmx_state_fetch(struct qvm_vcpu *vcpu, u32 groups)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	int ret = 0;

	if (vmx->inside) {
		vmx_state_sync(vcpu, groups);
		return 0;
	}
	preempt_disable();
	vmx_own_fetch(vmx);
	/* A pCPU that goes down leaves all of it behind. */
	if (groups & ~READ_ONCE(vmx->state.valid))
		ret = fetch_here(vcpu, groups);
	preempt_enable();
	return ret;
}
