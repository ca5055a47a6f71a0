// SPDX-License-Identifier: GPL-2.0-only
/* The world switch on VMX: one interrupts-off stretch from vmx_own_begin() to vmx_own_end(). */
#include <linux/cpumask.h>
#include <linux/slab.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "context.h"
#include "entry_offsets.h"
#include "vmcs.h"
#include "vmx.h"

static_assert(offsetof(struct x86_regs, cr2) == REGS_CR2);
static_assert(offsetof(struct qvm_vcpu_arch, regs) == 0);

#define BASIC(reason)	((reason) & 0xffff)
#define INTR_INFO_NMI	(BIT(31) | 2 << 8 | 2)
#define INTR_INFO_KIND	(BIT(31) | GENMASK(10, 0))

/* How long a guest may run without an exit: the watchdog slice, in ms of TSC. */
#define SLICE_MS	10

/* ---- guest FP and XCR0 ---- */

static __always_inline void xsetbv(u64 value)
{
	asm volatile("xsetbv" : : "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}

static __always_inline u64 xgetbv0(void)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (u64)high << 32 | low;
}

static noinstr void fp_load(struct qvm_vcpu *vcpu)
{
	u64 mask = vcpu->arch.xcr0;

	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		asm volatile("xrstor64 (%0)" : : "r"(vcpu->arch.xsave), "a"((u32)mask),
			     "d"((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxrstor64 (%0)" : : "r"(vcpu->arch.xsave) : "memory");
}

static noinstr void fp_save(struct qvm_vcpu *vcpu)
{
	u64 mask = vcpu->arch.xcr0;

	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		asm volatile("xsave64 (%0)" : : "r"(vcpu->arch.xsave), "a"((u32)mask),
			     "d"((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxsave64 (%0)" : : "r"(vcpu->arch.xsave) : "memory");
}

/* ---- debug registers: the guest's are loaded only while its DR7 has something armed ---- */

struct host_debug { unsigned long dr[4], dr7, debugctl; };

#define DR7_ARMED	0xff

static noinstr void debug_enter(struct qvm_vcpu *vcpu, struct host_debug *host)
{
	host->dr7 = __this_cpu_read(cpu_dr7);
	host->debugctl = x86_rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (!(vcpu->arch.dr7 & DR7_ARMED))
		return;
	get_debugreg(host->dr[0], 0);
	get_debugreg(host->dr[1], 1);
	get_debugreg(host->dr[2], 2);
	get_debugreg(host->dr[3], 3);
	set_debugreg(vcpu->arch.dr[0], 0);
	set_debugreg(vcpu->arch.dr[1], 1);
	set_debugreg(vcpu->arch.dr[2], 2);
	set_debugreg(vcpu->arch.dr[3], 3);
}

/* An exit leaves DR7 = 0x400 and DEBUGCTL = 0 (27.5.1). */
static noinstr void debug_exit(struct qvm_vcpu *vcpu, const struct host_debug *host)
{
	if (host->debugctl)
		x86_wrmsr(MSR_IA32_DEBUGCTLMSR, host->debugctl);
	if (vcpu->arch.dr7 & DR7_ARMED) {
		set_debugreg(host->dr[0], 0);
		set_debugreg(host->dr[1], 1);
		set_debugreg(host->dr[2], 2);
		set_debugreg(host->dr[3], 3);
	}
	if (host->dr7)
		set_debugreg(host->dr7, 7);
}

/* ---- tier 0 ---- */

static noinstr void step_over(struct vmx_vcpu *vmx)
{
	vmcs_write(GUEST_RIP, vmcs_read(GUEST_RIP) + vmcs_read(VM_EXIT_INSTRUCTION_LEN));
	vmcs_write32(GUEST_INTERRUPTIBILITY_INFO, vmcs_read(GUEST_INTERRUPTIBILITY_INFO) &
		     ~(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS));
}

/* TF: the trap after the instruction is made at tier 1, and so is the end of RF. */
static noinstr bool single_steps(void)
{
	return vmcs_read(GUEST_RFLAGS) & (X86_EFLAGS_TF | X86_EFLAGS_RF);
}

static noinstr bool tier0(struct qvm_vcpu *vcpu, u32 reason)
{
	u64 *gpr = vcpu->arch.regs.gpr;
	struct x86_cpuid id;

	if (!qvm_tier0 || (reason != EXIT_REASON_CPUID && reason != EXIT_REASON_VMCALL) ||
	    single_steps())
		return false;
	if (reason == EXIT_REASON_CPUID) {
		x86_cpuid(vcpu, gpr[GPR_RAX], gpr[GPR_RCX], &id);
		gpr[GPR_RAX] = id.eax;
		gpr[GPR_RBX] = id.ebx;
		gpr[GPR_RCX] = id.ecx;
		gpr[GPR_RDX] = id.edx;
	} else {
		x86_hypercall(vcpu);
	}
	step_over(vmx_of(vcpu));
	vcpu->stats.tier0++;
	return true;
}

/* ---- around the guest ---- */

/* An NMI ended the guest: the host takes it now, before anything here can fault or IRET. */
static noinstr void host_nmi(u32 reason)
{
	if (reason == EXIT_REASON_EXCEPTION_NMI &&
	    (vmcs_read(VM_EXIT_INTR_INFO) & INTR_INFO_KIND) == INTR_INFO_NMI)
		asm volatile("int $2");
}

static noinstr u32 run_guest(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 reason;

	do {
		vcpu->stats.entries++;
		if (vmx_enter(&vcpu->arch.regs, vmx->launched))
			return ~0U;
		vmx->launched = true;
		reason = vmcs_read(VM_EXIT_REASON);
		host_nmi(reason);
		vcpu->stats.exits++;
		vcpu->stats.reason[BASIC(reason) % QVM_STATS_REASONS]++;
	} while (tier0(vcpu, reason));
	return reason;
}

static noinstr void run_guest_tracked(struct qvm_vcpu *vcpu, bool fp)
{
	bool has_xcr0 = boot_cpu_has(X86_FEATURE_OSXSAVE);
	u64 host_xcr0 = has_xcr0 ? xgetbv0() : 0;
	struct host_debug debug;

	qvm_guest_context_enter(true);
	debug_enter(vcpu, &debug);
	if (has_xcr0 && host_xcr0 != vcpu->arch.xcr0)
		xsetbv(vcpu->arch.xcr0);
	if (fp)
		fp_load(vcpu);
	vmx_of(vcpu)->exit.reason = run_guest(vcpu);
	if (fp)
		fp_save(vcpu);
	if (has_xcr0 && host_xcr0 != vcpu->arch.xcr0)
		xsetbv(host_xcr0);
	debug_exit(vcpu, &debug);
	qvm_guest_context_exit();
}

/* What handlers need of the exit, while the VMCS can be read. */
static void capture(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (vmx->exit.reason == ~0U) {
		vmx->exit.qualification = vmcs_read(VM_INSTRUCTION_ERROR);
		vmx_state_sync(vcpu, VMX_G_RIP);
		return;
	}
	vmx->exit.qualification = vmcs_read(EXIT_QUALIFICATION);
	vmx->exit.length = vmcs_read(VM_EXIT_INSTRUCTION_LEN);
	vmx->exit.intr_info = vmcs_read(VM_EXIT_INTR_INFO);
	vmx->exit.intr_error = vmcs_read(VM_EXIT_INTR_ERROR_CODE);
	vmx->exit.insn_info = vmcs_read(VMX_INSTRUCTION_INFO);
	vmx->exit.gpa = vmcs_read_any(GUEST_PHYSICAL_ADDRESS);
	vmx->exit.gva = vmcs_read(GUEST_LINEAR_ADDRESS);
	vmx_state_sync(vcpu, VMX_G_RIP | VMX_G_RFLAGS | VMX_G_SHADOW |
		       vmx_exit_groups(BASIC(vmx->exit.reason)));
	vmx_events_sync(vcpu);
}

/*
 * Tags in this pCPU's TLB (26.3.3.3): a vCPU that ran elsewhere meanwhile left translations behind
 * that it has since invalidated there only; a root that is new to this pCPU may be one's of old.
 */
static void flush_tags(struct qvm_vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_vm *vm = vcpu->vm->arch.vmx;

	if (vmx->cpu != cpu || vmx->flush_vpid) {
		vmx_invvpid(vmx_config.invvpid_single ? VMX_VPID_EXTENT_SINGLE_CONTEXT :
							VMX_VPID_EXTENT_ALL_CONTEXT, vmx->vpid);
		vmx->flush_vpid = false;
	}
	if (!cpumask_test_and_set_cpu(cpu, vm->ept_known))
		vmx_invept(VMX_EPT_EXTENT_CONTEXT, vm->eptp);
}

static void arm_timer(struct qvm_vcpu *vcpu)
{
	u64 now = rdtsc(), slice = (u64)tsc_khz * SLICE_MS;
	u64 deadline = vlapic_timer_deadline(vcpu);
	u64 ticks = deadline <= now ? 0 : min(deadline - now, slice);

	vmcs_write32(VMX_PREEMPTION_TIMER_VALUE, ticks >> vmx_config.timer_shift);
}

static void prepare(struct qvm_vcpu *vcpu, bool fp)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	int cpu = smp_processor_id();

	if (!vmx->is_set_up)
		vmx_write_constants(vcpu);
	vmx->is_set_up = true;
	flush_tags(vcpu, cpu);
	if (vmx->cpu != cpu)
		vmx_write_host_cpu(vmx);
	vmx->cpu = cpu;
	vmx_write_host_thread(vmx);
	if (fp != vmx->fp_in_cr0)
		vmx->state.dirty |= VMX_G_MODE;
	vmx->fp_in_cr0 = fp;
	vmx_state_flush(vcpu, fp);
	vmx_events_flush(vcpu);
	arm_timer(vcpu);
	vmx_mitig_before_entry();
}

/* Interrupts off. As at qvm_arch_vcpu_enter(). */
static int enter_irqs_off(struct qvm_vcpu *vcpu, bool fp)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (!vcpu->loaded)
		return -EIO;
	atomic_set(&vcpu->mode, VCPU_IN_GUEST);
	/*
	 * Pairs with qvm_vcpu_kick(): either it sees IN_GUEST or we see `kicked`. Also with
	 * qvm_arch_s2_flush_vm(): either it sees IN_GUEST or flush_tags() sees the mask cleared.
	 */
	smp_mb__after_atomic();
	if (qvm_vcpu_is_wanted(vcpu)) {
		atomic_set(&vcpu->mode, VCPU_OUTSIDE);
		return -EAGAIN;
	}
	if (!vmx_own_begin(vmx)) {
		atomic_set(&vcpu->mode, VCPU_OUTSIDE);
		return -EIO;
	}
	prepare(vcpu, fp);
	vtime_account_guest_enter();
	run_guest_tracked(vcpu, fp);
	atomic_set(&vcpu->mode, VCPU_OUTSIDE);
	capture(vcpu);
	vmx_own_end(vmx);
	return 0;
}

int qvm_arch_vcpu_enter(struct qvm_vcpu *vcpu)
{
	bool fp = vcpu->arch.fp_wanted;
	int ret;

	if (x86_power_events(vcpu))
		return -EAGAIN;
	vcpu->arch.fp_wanted = false;
	/* The FP section begins and ends with interrupts on; #NM brings a guest that needs it. */
	if (fp)
		kernel_fpu_begin_mask(0);
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
	x86_msr_load(vcpu);
	return true;
}

void qvm_arch_vcpu_put(struct qvm_vcpu *vcpu)
{
	unsigned long flags;

	local_irq_save(flags);
	vmx_own_put(vmx_of(vcpu));
	local_irq_restore(flags);
	x86_msr_put(vcpu);
	/* An exit makes the GDT's limit 64 KiB and the TSS's 0x67 (27.5.2). */
	load_fixmap_gdt(raw_smp_processor_id());
	invalidate_tss_limit();
}

void qvm_arch_vcpu_settle(struct qvm_vcpu *vcpu)
{
}

/* Not loaded, or loaded and outside: all of the guest's state is in struct vmx_state after. */
int vmx_state_fetch(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	unsigned long flags;
	int ret = 0;

	if (vmx->state.valid == VMX_G_ALL)
		return 0;
	local_irq_save(flags);
	if (vmx_own_begin(vmx)) {
		vmx_state_sync(vcpu, VMX_G_ALL);
		vmx_own_put(vmx);
		vmx_own_end(vmx);
	} else {
		ret = -EIO;
	}
	local_irq_restore(flags);
	return ret;
}
