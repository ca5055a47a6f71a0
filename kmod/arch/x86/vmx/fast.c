// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tier 0b: exits that are answered with interrupts off and the VMCS current, by handlers that take
 * raw locks only. Each has a twin at tier 1 (exit.c), which also has all that is not plain.
 */
#include <asm/apicdef.h>
#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "insn_cache.h"
#include "move.h"
#include "step.h"
#include "vmcs.h"
#include "vmx.h"

typedef enum vmx_fast fast_fn(struct qvm_vcpu *vcpu);

/* Before anything else: what the exit cut short has to be looked at by tier 1. */
static bool is_plain(void)
{
	return !(vmcs_read(IDT_VECTORING_INFO_FIELD) & BIT(31));
}

/* Its next entry is all that it needs. */
static enum vmx_fast fast_nothing(struct qvm_vcpu *vcpu)
{
	return is_plain() ? FAST_ANSWERED : FAST_NO;
}

/* It is behind the instruction already, and none was cut short. */
static enum vmx_fast fast_eoi(struct qvm_vcpu *vcpu)
{
	vlapic_eoi_vector(vcpu, vmcs_read(EXIT_QUALIFICATION));
	return FAST_ANSWERED;
}

/* A deadline of the guest's; the end of a slice is the host's, for its interrupts. */
static enum vmx_fast fast_timer(struct qvm_vcpu *vcpu)
{
	if (vlapic_timer_deadline(vcpu) > rdtsc() || !is_plain())
		return FAST_NO;
	vlapic_timer_expired(vcpu);
	return FAST_ANSWERED;
}

static enum vmx_fast fast_rdmsr(struct qvm_vcpu *vcpu)
{
	u64 *gpr = vcpu->arch.regs.gpr, value;
	struct vmx_step step;

	if (!vmx_step_begin(vmcs_read(VM_EXIT_INSTRUCTION_LEN), &step) ||
	    x86_msr_read(vcpu, gpr[GPR_RCX], &value))
		return FAST_NO;
	gpr[GPR_RAX] = (u32)value;
	gpr[GPR_RDX] = value >> 32;
	vmx_step_end(&step);
	return FAST_QUIET;
}

#define MSR_X2APIC		0x800
#define MSR_X2APIC_LAST		0x8ff
#define MSR_X2APIC_ICR		(MSR_X2APIC + (APIC_ICR >> 4))

/* Those that may be written here, once each: a write is not repeated at tier 1. */
static bool is_fast_write(const struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	if (index == MSR_X2APIC_ICR)
		return vlapic_icr_is_short(vcpu, value);
	return index == MSR_IA32_TSC_DEADLINE || (index >= MSR_X2APIC && index <= MSR_X2APIC_LAST);
}

static enum vmx_fast fast_wrmsr(struct qvm_vcpu *vcpu)
{
	const u64 *gpr = vcpu->arch.regs.gpr;
	u64 value = gpr[GPR_RDX] << 32 | (u32)gpr[GPR_RAX];
	u32 index = gpr[GPR_RCX];
	struct vmx_step step;

	if (!is_fast_write(vcpu, index, value) || !vmx_step_begin(vmcs_read(VM_EXIT_INSTRUCTION_LEN), &step) ||
	    x86_msr_write(vcpu, index, value))
		return FAST_NO;
	vmx_step_end(&step);
	return FAST_ANSWERED;
}

/* ---- devices ---- */

/* Where the last one went, too: tier 1 has to know no more of it than this. */
static noinline enum vmx_fast fast_user(struct qvm_vcpu *vcpu, const struct insn *insn,
					u64 qualification, unsigned int length)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_step step;

	if (!is_plain() || !vmx_step_begin(length, &step) || step.shadow & VMX_SHADOWS)
		return FAST_NO;
	vmx->exit.move = insn;
	vmx->exit.next_rip = step.rip;
	vmx->exit.qualification = qualification;
	vmx->state.rip = step.rip - length;
	vmx->state.valid |= VMX_G_RIP | VMX_X_REASON;
	return FAST_USER;
}

static __always_inline enum vmx_fast fast_access(struct qvm_vcpu *vcpu, const struct insn *insn,
						 unsigned int length)
{
	struct qvm_access *access = &vcpu->mmio;
	struct vmx_step step;

	if (!is_plain() || !vmx_step_begin(length, &step))
		return FAST_NO;
	if (qvm_exit_doorbell_0b(vcpu, access)) {
		vmx_step_end(&step);
		return FAST_QUIET;
	}
	if (!qvm_exit_vdev_0b(vcpu, access, &access->data))
		return FAST_NO;
	if (!access->is_write)
		x86_move_load(vcpu, insn, access->data);
	vmx_step_end(&step);
	return FAST_ANSWERED;
}

/* Of its own: what user space answers does without its frame. */
static noinline enum vmx_fast fast_port(struct qvm_vcpu *vcpu, const struct insn *insn, unsigned int length)
{
	return fast_access(vcpu, insn, length);
}

static enum vmx_fast fast_io(struct qvm_vcpu *vcpu)
{
	u64 q = vmcs_read(EXIT_QUALIFICATION);
	const struct insn *insn;
	unsigned int length;

	if (q & VMX_IO_STRING)
		return FAST_NO;
	insn = x86_move_io(vcpu, VMX_IO_PORT(q), VMX_IO_LEN(q), q & VMX_IO_IN, &vcpu->mmio);
	length = vmcs_read(VM_EXIT_INSTRUCTION_LEN);
	return qvm_exit_is_users(vcpu, &vcpu->mmio) ? fast_user(vcpu, insn, q, length) :
						      fast_port(vcpu, insn, length);
}

/* A register of the local APIC, where the processor does not do it by itself. */
static noinline enum vmx_fast fast_lapic(struct qvm_vcpu *vcpu, const struct insn *insn)
{
	const struct qvm_access *access = &vcpu->mmio;
	u32 offset = access->gpa % PAGE_SIZE;
	struct vmx_step step;

	if (access->is_write && offset == APIC_ICR && !vlapic_icr_is_short(vcpu, access->data))
		return FAST_NO;
	if (!vlapic_owns(vcpu, access->gpa) || access->len != sizeof(u32) || offset % sizeof(u32) ||
	    !is_plain() || !vmx_step_begin(insn->length, &step))
		return FAST_NO;
	vcpu->stats.mmio_kernel++;
	if (access->is_write)
		vlapic_mmio_write(vcpu, offset, access->data);
	else
		x86_move_load(vcpu, insn, vlapic_mmio_read(vcpu, offset));
	vmx_step_end(&step);
	return FAST_ANSWERED;
}

#define RIGHTS_L	BIT(13)

/* The length of the instruction is of its bytes: what the exit says of it is not defined (27.2.5). */
static enum vmx_fast fast_ept_violation(struct qvm_vcpu *vcpu)
{
	const u64 data = EPT_Q_GVA | EPT_Q_ACCESS;
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u64 q = vmcs_read(EXIT_QUALIFICATION), rip, gva, gpa;
	const struct insn *insn;

	if ((q & (data | EPT_Q_FETCH | UNBLOCKED_NMI)) != data ||
	    !(vmcs_read(GUEST_CS_AR_BYTES) & RIGHTS_L) || !(vcpu->arch.msr.efer & EFER_LMA))
		return FAST_NO;
	rip = vmcs_read(GUEST_RIP);
	insn = x86_insn_cache_find(vcpu, rip, vmcs_read(GUEST_CR3));
	if (!insn || insn->to_mem != !!(q & EPT_Q_WRITE))
		return FAST_NO;
	gva = vmcs_read(GUEST_LINEAR_ADDRESS);
	gpa = vmcs_read_any(GUEST_PHYSICAL_ADDRESS);
	if (!x86_move_decode(vcpu, insn, rip, gva, gpa, &vcpu->mmio))
		return FAST_NO;
	if (!((gpa ^ vmx->apic_base) & PAGE_MASK))
		return fast_lapic(vcpu, insn);
	if (!qvm_exit_is_users(vcpu, &vcpu->mmio))
		return fast_access(vcpu, insn, insn->length);
	vmx->exit.gva = gva;
	vmx->exit.gpa = gpa;
	vmx->state.valid |= VMX_X_ADDRESS;
	return fast_user(vcpu, insn, q, insn->length);
}

/* Kept short: what is not here is answered at tier 1. */
static fast_fn *find(u32 reason)
{
	switch (reason) {
	case EXIT_REASON_MSR_READ:
		return fast_rdmsr;
	case EXIT_REASON_MSR_WRITE:
		return fast_wrmsr;
	case EXIT_REASON_IO_INSTRUCTION:
		return fast_io;
	case EXIT_REASON_EPT_VIOLATION:
		return fast_ept_violation;
	case EXIT_REASON_EOI_INDUCED:
		return fast_eoi;
	case EXIT_REASON_PREEMPTION_TIMER:
		return fast_timer;
	case EXIT_REASON_INTERRUPT_WINDOW:
	case EXIT_REASON_NMI_WINDOW:
	case EXIT_REASON_TPR_BELOW_THRESHOLD:
		return fast_nothing;
	default:
		return NULL;
	}
}

/* One counts as several of tier 0a: they are longer. */
#define COST	3

enum vmx_fast vmx_tier0b(struct qvm_vcpu *vcpu, u32 reason)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	fast_fn *fn = find(reason);
	enum vmx_fast answer;

	if (!fn || !qvm_tier0)
		return FAST_NO;
	vmx->streak -= min_t(u8, vmx->streak, COST);
	answer = fn(vcpu);
	vcpu->stats.reason_tier0[reason] += answer > FAST_USER;
	return answer;
}
