// SPDX-License-Identifier: GPL-2.0-only
/* Exits that mean the same on VMX and SVM. */
#include <linux/printk.h>
#include <asm/processor-flags.h>

#include "x86.h"

enum exit_action x86_fatal(struct qvm_vcpu *vcpu, u32 cause, u64 syndrome, u64 gva, u64 gpa)
{
	qvm_vm_end_fatal(vcpu, cause, syndrome, gva, gpa);
	return EXIT_FATAL;
}

/* By way of a field: an array on the stack would cost its guard and its zeroing. */
noinstr void x86_cpuid_to_gprs(struct qvm_vcpu *vcpu)
{
	u64 *gpr = vcpu->arch.regs.gpr;
	struct x86_cpuid *id = &vcpu->arch.cpuid;

	x86_cpuid(vcpu, gpr[GPR_RAX], gpr[GPR_RCX], id);
	gpr[GPR_RAX] = id->eax;
	gpr[GPR_RBX] = id->ebx;
	gpr[GPR_RCX] = id->ecx;
	gpr[GPR_RDX] = id->edx;
}

enum exit_action x86_handle_cpuid(struct qvm_vcpu *vcpu)
{
	x86_cpuid_to_gprs(vcpu);
	x86_skip(vcpu);
	return EXIT_RESUME;
}

/* No function is defined yet: every number is unknown. */
noinstr void x86_hypercall(struct qvm_vcpu *vcpu)
{
	vcpu->arch.regs.gpr[GPR_RAX] = -1;
}

enum exit_action x86_handle_hypercall(struct qvm_vcpu *vcpu)
{
	x86_hypercall(vcpu);
	x86_skip(vcpu);
	return EXIT_RESUME;
}

static u64 edx_eax(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.regs.gpr[GPR_RDX] << 32 | (u32)vcpu->arch.regs.gpr[GPR_RAX];
}

/* Nobody's MSR: what the VM's policy says. True: as if it were there. */
static bool msr_unknown(struct qvm_vcpu *vcpu, u32 index, const char *how)
{
	vcpu->stats.unknown_sysreg++;
	if (qvm_vm_log_once(vcpu->vm, VM_LOG_SYSREG))
		pr_info("qvm: %s: vCPU %u: %s of MSR 0x%x at 0x%llx; further ones are counted\n",
			vcpu->vm->name, vcpu->index, how, index, x86_get_rip(vcpu));
	switch (vcpu->vm->policy.sysreg) {
	case QVM_POLICY_ABORT:
		x86_fatal(vcpu, QVM_FATAL_POLICY, index, 0, 0);
		return false;
	case QVM_POLICY_IGNORE:
		return true;
	default:
		x86_inject_exception(vcpu, X86_XCPT_GP, 0);
		return false;
	}
}

enum exit_action x86_handle_rdmsr(struct qvm_vcpu *vcpu)
{
	u32 index = vcpu->arch.regs.gpr[GPR_RCX];
	u64 value = ~0ULL;

	if (x86_msr_read(vcpu, index, &value) && !msr_unknown(vcpu, index, "read"))
		return EXIT_RESUME;
	vcpu->arch.regs.gpr[GPR_RAX] = (u32)value;
	vcpu->arch.regs.gpr[GPR_RDX] = value >> 32;
	x86_skip(vcpu);
	return EXIT_RESUME;
}

enum exit_action x86_handle_wrmsr(struct qvm_vcpu *vcpu)
{
	u32 index = vcpu->arch.regs.gpr[GPR_RCX];

	if (x86_msr_write(vcpu, index, edx_eax(vcpu)) && !msr_unknown(vcpu, index, "write"))
		return EXIT_RESUME;
	x86_skip(vcpu);
	return EXIT_RESUME;
}

enum exit_action x86_handle_hlt(struct qvm_vcpu *vcpu)
{
	x86_skip(vcpu);
	vcpu->arch.halted_in_nmi = x86_nmis_are_blocked(vcpu);
	/* The trap of a single step ends it before it begins. */
	vcpu->arch.halted = !(x86_get_rflags(vcpu) & X86_EFLAGS_TF);
	return vcpu->arch.halted ? EXIT_BLOCK : EXIT_RESUME;
}

/* Each CPU has the instruction; of no counter is the fault. */
enum exit_action x86_handle_rdpmc(struct qvm_vcpu *vcpu)
{
	x86_inject_exception(vcpu, X86_XCPT_GP, 0);
	return EXIT_RESUME;
}

enum exit_action x86_handle_hidden(struct qvm_vcpu *vcpu)
{
	switch (vcpu->vm->policy.instruction) {
	case QVM_POLICY_ABORT:
		return x86_fatal(vcpu, QVM_FATAL_POLICY, 0, 0, 0);
	case QVM_POLICY_IGNORE:
		x86_skip(vcpu);
		return EXIT_RESUME;
	default:
		x86_inject_exception(vcpu, X86_XCPT_UD, -1);
		return EXIT_RESUME;
	}
}

/* An empty bus on a PC: reads give ones, writes are lost; #GP(0) where the policy says fail. */
int qvm_arch_inject_unclaimed(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	if (vcpu->vm->policy.reference != QVM_POLICY_FAIL)
		return -EOPNOTSUPP;
	x86_inject_exception(vcpu, X86_XCPT_GP, 0);
	return 0;
}
