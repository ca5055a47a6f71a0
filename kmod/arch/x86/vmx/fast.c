// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tier 0b: exits that are answered with interrupts off and the VMCS current, by handlers that take
 * raw locks only. Each has a twin at tier 1 (exit.c), which also has all that is not plain.
 */
#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "vmcs.h"
#include "vmx.h"

typedef bool fast_fn(struct qvm_vcpu *vcpu);

/* Before anything else: what the exit cut short has to be looked at by tier 1. */
static bool is_plain(void)
{
	return !(vmcs_read(IDT_VECTORING_INFO_FIELD) & BIT(31));
}

/* Its next entry is all that it needs. */
static bool fast_nothing(struct qvm_vcpu *vcpu)
{
	return is_plain();
}

/* It is behind the instruction already, and none was cut short. */
static bool fast_eoi(struct qvm_vcpu *vcpu)
{
	vlapic_eoi_vector(vcpu, vmcs_read(EXIT_QUALIFICATION));
	return true;
}

/* A deadline of the guest's; the end of a slice is the host's, for its interrupts. */
static bool fast_timer(struct qvm_vcpu *vcpu)
{
	if (vlapic_timer_deadline(vcpu) > rdtsc() || !is_plain())
		return false;
	vlapic_timer_expired(vcpu);
	return true;
}

static bool fast_rdmsr(struct qvm_vcpu *vcpu)
{
	u64 *gpr = vcpu->arch.regs.gpr, value;

	if (x86_msr_read(vcpu, gpr[GPR_RCX], &value) || !vmx_step_over())
		return false;
	gpr[GPR_RAX] = (u32)value;
	gpr[GPR_RDX] = value >> 32;
	return true;
}

/* Those that may be written here, once each: a write is not repeated at tier 1. */
static bool is_fast_msr(u32 index)
{
	return index == MSR_IA32_TSC_DEADLINE || (index >= 0x800 && index <= 0x8ff);
}

static bool fast_wrmsr(struct qvm_vcpu *vcpu)
{
	const u64 *gpr = vcpu->arch.regs.gpr;
	u32 index = gpr[GPR_RCX];
	u64 rip;

	if (!is_fast_msr(index))
		return false;
	rip = vmcs_read(GUEST_RIP);
	if (!vmx_step_over())
		return false;
	if (!x86_msr_write(vcpu, index, gpr[GPR_RDX] << 32 | (u32)gpr[GPR_RAX]))
		return true;
	vmcs_write(GUEST_RIP, rip);
	return false;
}

/* Kept short: what is not here is answered at tier 1. */
static fast_fn *find(u32 reason)
{
	switch (reason) {
	case EXIT_REASON_MSR_READ:
		return fast_rdmsr;
	case EXIT_REASON_MSR_WRITE:
		return fast_wrmsr;
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
#define COST	8

bool vmx_tier0b(struct qvm_vcpu *vcpu, u32 reason)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	fast_fn *fn = find(reason);

	if (!fn || !qvm_tier0 || vmx->streak <= COST)
		return false;
	vmx->streak -= COST;
	if (!fn(vcpu))
		return false;
	vcpu->stats.tier0++;
	return true;
}
