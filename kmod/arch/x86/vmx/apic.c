// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processor does of a local APIC by itself (SDM vol. 3 ch. 29). In x2APIC mode, where it
 * can: registers are read from the page without an exit, EOI and self-IPI are its own, and it takes
 * vectors out of IRR when the guest is open for them. In xAPIC mode, and where it can't: CR8 alone.
 *
 * No posted interrupts: whoever sends to a running vCPU kicks it, and the entry after that finds
 * what came (vlapic_hardware_sync()).
 */
#include <linux/string.h>
#include <asm/apicdef.h>
#include <asm/vmx.h>

#include "vmcs.h"
#include "vmx.h"

/* IA32_APIC_BASE was written, or this is the first entry. */
static void mode_changed(struct qvm_vcpu *vcpu, u64 base)
{
	const u64 x2apic = X2APIC_ENABLE | XAPIC_ENABLE;
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx->apic_base = base;
	vmx->apicv = vmx_config.apicv && (base & x2apic) == x2apic;
	vlapic_set_hardware(vcpu, vmx->apicv);
	vmcs_write32(SECONDARY_VM_EXEC_CONTROL,
		     vmx_config.proc2 | (vmx->apicv ? VMX_APIC_CONTROLS : 0));
	vmcs_write64(MSR_BITMAP, vmx_bitmap(vmx->apicv));
	if (vmx_config.tpr_shadow) {
		vmcs_write64(VIRTUAL_APIC_PAGE_ADDR, __pa(vlapic_page(vcpu)));
		vmcs_write32(TPR_THRESHOLD, 0);
		vmx->tpr_threshold = 0;
	}
	if (vmx->apicv)
		vmcs_write16(GUEST_INTR_STATUS, 0);
	vmx->eoi_routes = vioapic_routes(vcpu->vm) - 1;
}

static void update_eoi_exits(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	unsigned int i;

	vmx->eoi_routes = vioapic_routes(vcpu->vm);
	memset(vmx->eoi_exits, 0, sizeof(vmx->eoi_exits));
	vioapic_eoi_exits(vcpu->vm, vcpu, vmx->eoi_exits);
	vlapic_eoi_exits(vcpu, vmx->eoi_exits);
	for (i = 0; i < 4; i++)
		vmcs_write_any(EOI_EXIT_BITMAP0 + 2 * i, vmx->eoi_exits[i]);
}

/* 24.4.2: RVI in the low byte, SVI in the high one. */
static void update_status(int request, int service)
{
	u16 old = vmcs_read(GUEST_INTR_STATUS);
	u16 new = request | (service < 0 ? old & 0xff00 : service << 8);

	if (new != old)
		vmcs_write16(GUEST_INTR_STATUS, new);
}

void vmx_apic_flush(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u64 base = vlapic_get_base(vcpu);
	int request, service;
	u8 threshold;

	if (unlikely(base != vmx->apic_base))
		mode_changed(vcpu, base);
	if (vmx->apicv) {
		if (unlikely(vmx->eoi_routes != vioapic_routes(vcpu->vm)))
			update_eoi_exits(vcpu);
		if (vlapic_hardware_sync(vcpu, &request, &service))
			update_status(request, service);
		return;
	}
	if (!vmx_config.tpr_shadow)
		return;
	threshold = vlapic_tpr_threshold(vcpu);
	if (threshold == vmx->tpr_threshold)
		return;
	vmcs_write32(TPR_THRESHOLD, threshold);
	vmx->tpr_threshold = threshold;
}
