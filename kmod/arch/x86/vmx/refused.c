// SPDX-License-Identifier: GPL-2.0-only
/* Entries that the processor refuses: which check it was, in the log. */
#include <linux/printk.h>
#include <asm/apicdef.h>
#include <asm/vmx.h>

#include "vmcs.h"
#include "vmx.h"

static u64 read_field(u32 field)
{
	return vmcs_read_any(field);
}

#define ERROR_CONTROLS	7		/* 30.4 */
#define ERROR_HOST	8

void vmx_refused_find(struct vmx_vcpu *vmx)
{
	struct vmx_capabilities caps;
	struct vmx_checked v = {
		.caps = &caps,
		.read = read_field,
		.vtpr = *((const u8 *)vlapic_page(vmx->vcpu) + APIC_TASKPRI),
	};
	enum vmx_check_area area = vmx->exit.reason != ~0U ? VMX_CHECK_GUEST :
				   vmx->exit.qualification == ERROR_HOST ? VMX_CHECK_HOST :
				   VMX_CHECK_CONTROLS;

	vmx_capabilities_read(&caps);
	vmx->refused = vmx_check_find(&v, area);
}

static void log_check(struct qvm_vcpu *vcpu, const char *what)
{
	const struct vmx_check_result *refused = &vmx_of(vcpu)->refused;

	if (!refused->check)
		pr_err("qvm: %s: vCPU %u: VM entry refused: %s: all checks known here hold\n",
		       vcpu->vm->name, vcpu->index, what);
	else
		pr_err("qvm: %s: vCPU %u: VM entry refused: %s: field %#06x is %#llx: SDM vol. 3 %s: %s%s%s\n",
		       vcpu->vm->name, vcpu->index, what, refused->field, refused->value,
		       refused->check->section, refused->segment ?: "", refused->segment ? ": " : "",
		       refused->check->says);
}

static const char * const error_names[] = {	/* 30.4 */
	[ERROR_CONTROLS] = "invalid control fields", [ERROR_HOST] = "invalid host state",
	[12] = "unsupported VMCS component", [26] = "events blocked by MOV SS",
};

enum exit_action vmx_refused_entry(struct qvm_vcpu *vcpu)
{
	u64 number = vmx_of(vcpu)->exit.qualification;
	const char *name = number < ARRAY_SIZE(error_names) ? error_names[number] : NULL;

	if (number == ERROR_CONTROLS || number == ERROR_HOST)
		log_check(vcpu, name);
	else
		pr_err("qvm: %s: vCPU %u: VM entry failed: error %llu%s%s\n", vcpu->vm->name,
		       vcpu->index, number, name ? ", " : "", name ?: "");
	return vmx_fatal(vcpu, QVM_FATAL_ENTRY);
}

enum exit_action vmx_refused_state(struct qvm_vcpu *vcpu)
{
	log_check(vcpu, "invalid guest state");
	return vmx_fatal(vcpu, QVM_FATAL_ENTRY);
}

void vmx_refused_cause(struct qvm_vcpu *vcpu, u32 field, u64 value)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	unsigned long flags;

	local_irq_save(flags);
	if (vmx_own_begin(vmx)) {
		vmcs_write_any(field, value);
		vmx_own_end(vmx);
	}
	local_irq_restore(flags);
}
