// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processor does of a local APIC by itself (SDM vol. 3 ch. 29). Where it can: registers are
 * read from the page without an exit, EOI and self-IPI are its own, and it takes vectors out of IRR
 * when the guest is open for them. Where it can't: CR8 alone.
 *
 * xAPIC mode needs the APIC-access page in the guest's memory, and that is one for all vCPUs: as soon
 * as one of them has its APIC elsewhere, or off, or in x2APIC mode, where another page would show, the
 * VM does without for good, and accesses are emulated.
 *
 * No posted interrupts: whoever sends to a running vCPU kicks it, and the entry after that finds
 * what came (vlapic_hardware_sync()).
 */
#include <linux/gfp.h>
#include <linux/string.h>
#include <asm/apicdef.h>
#include <asm/vmx.h>

#include "vmcs.h"
#include "vmx.h"

#define BASE_MODE	(XAPIC_ENABLE | X2APIC_ENABLE)

/* ---- the APIC-access page ---- */

static void *access_page;	/* its address is all that is used of it */

int vmx_apic_init(void)
{
	if (!vmx_config.apicv_x)
		return 0;
	access_page = (void *)get_zeroed_page(GFP_KERNEL);
	return access_page ? 0 : -ENOMEM;
}

void vmx_apic_fini(void)
{
	free_page((unsigned long)access_page);
	access_page = NULL;
}

static bool is_usual(u64 base)
{
	return (base & BASE_MODE) == XAPIC_ENABLE &&
	       ALIGN_DOWN(base & ~(u64)BASE_MODE, PAGE_SIZE) == APIC_DEFAULT_PHYS_BASE;
}

int virt_vm_assemble(struct qvm_vm *vm)
{
	struct vmx_vm *vmx = vm->arch.vmx;
	int ret = 0;

	if (!access_page || qvm_region_find(vm, APIC_DEFAULT_PHYS_BASE))
		return 0;
	down_write(&vm->s2_lock);
	if (!vmx->apic_moved)
		ret = s2_map(&vm->s2, APIC_DEFAULT_PHYS_BASE, __pa(access_page), PAGE_SIZE,
			     S2_READ | S2_WRITE);
	vmx->apic_page = !vmx->apic_moved && !ret;
	qvm_s2_write_done(vm);
	return ret;
}

/* An access between is a violation, which is emulated; flushing throws all vCPUs out. */
void virt_apic_base_changed(struct qvm_vcpu *vcpu, u64 base)
{
	struct vmx_vm *vmx = vcpu->vm->arch.vmx;

	if (is_usual(base))
		return;
	down_write(&vcpu->vm->s2_lock);
	vmx->apic_moved = true;
	if (vmx->apic_page) {
		s2_unmap(&vcpu->vm->s2, APIC_DEFAULT_PHYS_BASE, PAGE_SIZE);
		WRITE_ONCE(vmx->apic_page, false);
	}
	qvm_s2_write_done(vcpu->vm);
}

/* ---- before an entry ---- */

/* Both grow: another sum, another EOI-exit bitmap. */
static u32 routes(const struct qvm_vcpu *vcpu)
{
	return vioapic_routes(vcpu->vm) + vlapic_routes(vcpu);
}

static u32 apic_controls(u64 base, bool page)
{
	if ((base & BASE_MODE) == BASE_MODE)
		return vmx_config.apicv_x2 ? VMX_X2APIC_CONTROLS : 0;
	return page && is_usual(base) ? VMX_XAPIC_CONTROLS : 0;
}

/*
 * IA32_APIC_BASE was written, the page was taken away, or this is the first entry. What was cached of
 * the page's address is of the other kind (28.3.3.4).
 */
static void mode_changed(struct qvm_vcpu *vcpu, u64 base, bool page)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 controls = apic_controls(base, page);

	vmx->apic_base = base;
	vmx->apic_page = page;
	vmx->apicv = controls;
	vlapic_set_hardware(vcpu, vmx->apicv);
	vmcs_write32(SECONDARY_VM_EXEC_CONTROL, vmx_config.proc2 | controls);
	vmcs_write64(MSR_BITMAP, vmx_bitmap(controls & SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE));
	if (access_page) {
		vmcs_write64(APIC_ACCESS_ADDR, __pa(access_page));
		vmx_flush_vpid(vmx);
		vmx_invept(VMX_EPT_EXTENT_CONTEXT, ((struct vmx_vm *)vcpu->vm->arch.vmx)->eptp);
	}
	if (vmx_config.tpr_shadow) {
		vmcs_write64(VIRTUAL_APIC_PAGE_ADDR, __pa(vlapic_page(vcpu)));
		vmcs_write32(TPR_THRESHOLD, 0);
		vmx->tpr_threshold = 0;
	}
	if (vmx->apicv)
		vmcs_write16(GUEST_INTR_STATUS, 0);
	vmx->eoi_routes = routes(vcpu) - 1;
}

static void update_eoi_exits(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	unsigned int i;

	vmx->eoi_routes = routes(vcpu);
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

static noinline void flush_status(struct qvm_vcpu *vcpu)
{
	int request, service;

	if (vlapic_hardware_sync(vcpu, &request, &service))
		update_status(request, service);
}

void vmx_apic_flush(struct qvm_vcpu *vcpu)
{
	bool page = READ_ONCE(((struct vmx_vm *)vcpu->vm->arch.vmx)->apic_page);
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u64 base = vlapic_get_base(vcpu);
	u8 threshold;

	if (unlikely(base != vmx->apic_base || page != vmx->apic_page))
		mode_changed(vcpu, base, page);
	if (vmx->apicv) {
		if (unlikely(vmx->eoi_routes != routes(vcpu)))
			update_eoi_exits(vcpu);
		if (vlapic_hardware_is_due(vcpu))
			flush_status(vcpu);
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
