/* SPDX-License-Identifier: GPL-2.0-only */
/* What an entry has to look at, seen without a call: most find nothing. */
#ifndef QVM_X86_VMX_DUE_H
#define QVM_X86_VMX_DUE_H

#include <asm/vmx.h>

#include "../vlapic_state.h"
#include "vmx.h"

#define VMX_WINDOWS	(CPU_BASED_NMI_WINDOW_EXITING | CPU_BASED_INTR_WINDOW_EXITING)
#define VMX_INFO_VALID	BIT(31)		/* of an event */

/* vmx_apic_flush() has something to do, perhaps. */
static __always_inline bool vmx_apic_is_due(const struct qvm_vcpu *vcpu)
{
	const struct vlapic *lapic = vcpu->arch.lapic;
	const struct vmx_vcpu *vmx = vmx_of(vcpu);
	const struct vmx_vm *vm = vcpu->vm->arch.vmx;

	return lapic->base != vmx->apic_base || READ_ONCE(vm->apic_page) != vmx->apic_page ||
	       vmx->apicv || vlapic_get(lapic, APIC_TASKPRI) & 0xf0 || vmx->tpr_threshold;
}

/* vmx_events_flush() has. Its interrupts are here if it has IRR to look at, or a PIC asks. */
static __always_inline bool vmx_events_are_due(const struct qvm_vcpu *vcpu)
{
	const struct vlapic *lapic = vcpu->arch.lapic;
	const struct vmx_vcpu *vmx = vmx_of(vcpu);

	return (vmx->inject.info & VMX_INFO_VALID) | (vmx->proc_now & VMX_WINDOWS) ||
	       atomic_read(&lapic->arrived) || !lapic->irr_is_empty ||
	       x86_nmi_is_pending(vcpu) || (!vcpu->index && vpic_has_pending(vcpu->vm));
}

#endif /* QVM_X86_VMX_DUE_H */
