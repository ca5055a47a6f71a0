/* SPDX-License-Identifier: GPL-2.0-only */
/* Over the instruction that exited, at tier 0: VMCS current. */
#ifndef QVM_X86_VMX_STEP_H
#define QVM_X86_VMX_STEP_H

#include <asm/processor-flags.h>

#include "vmcs.h"

#define VMX_SHADOWS	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

struct vmx_step { u64 rip; u32 shadow; };	/* behind it; as it was before */

/*
 * @length: bytes of the instruction. False: what follows it takes more than the end of its shadow
 * (TF traps, RF ends, RIP wraps at 4 GiB).
 */
static __always_inline bool vmx_step_begin(u64 length, struct vmx_step *step)
{
	u64 rip = vmcs_read(GUEST_RIP), next = rip + length;

	step->shadow = vmcs_read(GUEST_INTERRUPTIBILITY_INFO);
	step->rip = next;
	return !(vmcs_read(GUEST_RFLAGS) & (X86_EFLAGS_TF | X86_EFLAGS_RF) || (rip ^ next) >> 32);
}

static __always_inline void vmx_step_end(const struct vmx_step *step)
{
	vmcs_write(GUEST_RIP, step->rip);
	if (unlikely(step->shadow & VMX_SHADOWS))
		vmcs_write32(GUEST_INTERRUPTIBILITY_INFO, step->shadow & ~VMX_SHADOWS);
}

#endif /* QVM_X86_VMX_STEP_H */
