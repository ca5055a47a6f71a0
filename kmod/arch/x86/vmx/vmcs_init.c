// SPDX-License-Identifier: GPL-2.0-only
/* The parts of a VMCS that are written once, once a pCPU, and when the host thread changed. */
#include <linux/gfp.h>
#include <linux/slab.h>
#include <asm/apicdef.h>
#include <asm/desc.h>
#include <asm/msr-index.h>
#include <asm/segment.h>
#include <asm/trapnr.h>

#include "vmcs.h"
#include "vmx.h"

/* All MSR accesses exit but those of msr_pass[]; 24.6.9: 1 KiB each of low/high reads/writes. */
static void *msr_bitmap;

/* In the VMCS, or loaded with the vCPU (x86_msr_load): the guest has them for itself. */
static const u32 msr_pass[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

static void *x2apic_bitmap;		/* the same, and what the processor does of a local APIC */

/* Offsets of x2APIC registers that are read from the page as they are; 29.5. Not the timer's count. */
static const struct { u16 first, last; } x2apic_reads[] = {
	{ 0x02, 0x03 }, { 0x08, 0x08 }, { 0x0a, 0x0a }, { 0x0d, 0x0d }, { 0x0f, 0x28 },
	{ 0x30, 0x30 }, { 0x32, 0x38 }, { 0x3e, 0x3e },
};

static const u16 x2apic_writes[] = { 0x08, 0x0b, 0x3f };	/* TPR, EOI, self-IPI */

#define BITMAP_WRITES	0x4000		/* bits */

static void pass(void *bitmap, u32 msr, bool write)
{
	unsigned long bit = (msr & 0x1fff) + (msr >= 0xc0000000 ? 0x2000 : 0);

	__clear_bit(bit + (write ? BITMAP_WRITES : 0), bitmap);
}

static void fill_bitmaps(void)
{
	unsigned int i, reg;

	memset(msr_bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(msr_pass); i++) {
		pass(msr_bitmap, msr_pass[i], false);
		pass(msr_bitmap, msr_pass[i], true);
	}
	memcpy(x2apic_bitmap, msr_bitmap, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(x2apic_reads); i++)
		for (reg = x2apic_reads[i].first; reg <= x2apic_reads[i].last; reg++)
			pass(x2apic_bitmap, APIC_BASE_MSR + reg, false);
	for (i = 0; i < ARRAY_SIZE(x2apic_writes); i++)
		pass(x2apic_bitmap, APIC_BASE_MSR + x2apic_writes[i], true);
}

int vmx_bitmap_init(void)
{
	msr_bitmap = (void *)get_zeroed_page(GFP_KERNEL);
	x2apic_bitmap = (void *)get_zeroed_page(GFP_KERNEL);
	if (!msr_bitmap || !x2apic_bitmap) {
		vmx_bitmap_fini();
		return -ENOMEM;
	}
	fill_bitmaps();
	return 0;
}

void vmx_bitmap_fini(void)
{
	free_page((unsigned long)msr_bitmap);
	free_page((unsigned long)x2apic_bitmap);
	msr_bitmap = NULL;
	x2apic_bitmap = NULL;
}

u64 vmx_bitmap(bool x2apic)
{
	return __pa(x2apic ? x2apic_bitmap : msr_bitmap);
}

static atomic64_t serials;

int vmx_vcpu_init(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx->vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	/* of a power of two: they lie on 16 bytes (24.7.2) */
	vmx->pebs_off = kcalloc(2, sizeof(*vmx->pebs_off), GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs || !vmx->pebs_off)
		return -ENOMEM;
	vmx->pebs_on = vmx->pebs_off + 1;
	vmx->pebs_off->index = MSR_IA32_PEBS_ENABLE;
	vmx->pebs_on->index = MSR_IA32_PEBS_ENABLE;
	*(u32 *)vmx->vmcs = vmx_config.revision;
	vmx->vmcs_hpa = __pa(vmx->vmcs);
	vmx->serial = atomic64_inc_return(&serials);
	vmx->vcpu = vcpu;
	vmx->cpu = -1;
	vmx->proc_now = vmx_config.proc;
	vmx->state.valid = VMX_G_ALL;
	vmx->state.dirty = VMX_G_ALL;
	return 0;
}

static void write_host_constants(void)
{
	vmcs_write64(HOST_IA32_EFER, x86_rdmsr(MSR_EFER));
	vmcs_write64(HOST_IA32_PAT, x86_rdmsr(MSR_IA32_CR_PAT));
	vmcs_write(HOST_CR0, read_cr0() & ~X86_CR0_TS);
	vmcs_write16(HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write16(HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write16(HOST_DS_SELECTOR, 0);	/* 64-bit kernel and user space don't use them */
	vmcs_write16(HOST_ES_SELECTOR, 0);
	vmcs_write16(HOST_FS_SELECTOR, 0);
	vmcs_write16(HOST_GS_SELECTOR, 0);
	vmcs_write16(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	vmcs_write(HOST_RIP, (unsigned long)vmx_exit_label);
}

/*
 * Exceptions that exit: #NM brings the lazy FP; #MC is the host's; #DB and #AC could be raised
 * without end inside the delivery of themselves, and no interrupt would ever get in
 * (CVE-2015-5307, -8104).
 */
#define EXCEPTIONS	(BIT(X86_TRAP_NM) | BIT(X86_TRAP_MC) | BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC))

void vmx_write_constants(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_vm *vm = vcpu->vm->arch.vmx;

	write_host_constants();
	vmcs_write32(PIN_BASED_VM_EXEC_CONTROL, vmx_config.pin);
	vmcs_write32(CPU_BASED_VM_EXEC_CONTROL, vmx->proc_now);
	vmcs_write32(VM_EXIT_CONTROLS, vmx_config.exit);
	vmcs_write32(EXCEPTION_BITMAP, EXCEPTIONS);
	vmcs_write32(PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmcs_write32(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmcs_write32(CR3_TARGET_COUNT, 0);
	vmcs_write32(VM_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write32(VM_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write32(VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write64(VM_ENTRY_MSR_LOAD_ADDR, __pa(vmx->pebs_off));	/* switch.c: pebs_stop() */
	vmcs_write64(VM_EXIT_MSR_LOAD_ADDR, __pa(vmx->pebs_on));
	vmcs_write32(VM_ENTRY_INTR_INFO_FIELD, 0);
	vmx->apic_base = ~0ULL;		/* no such: vmx_apic_flush() writes the rest */
	vmcs_write64(EPT_POINTER, vm->eptp);
	vmcs_write16(VIRTUAL_PROCESSOR_ID, vmx->vpid);
	vmcs_write64(TSC_OFFSET, x86_tsc_offset(vcpu));
	vmcs_write64(VMCS_LINK_POINTER, ~0ULL);		/* no shadow VMCS (26.3.1.5) */
	vmcs_write32(GUEST_ACTIVITY_STATE, 0);		/* HLT blocks in the host */
	if (vmx_config.proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		vmcs_write32(PLE_GAP, 128);
		vmcs_write32(PLE_WINDOW, 4096);
	}
}

void vmx_write_host_cpu(struct vmx_vcpu *vmx)
{
	int cpu = smp_processor_id();
	struct desc_ptr idt;

	store_idt(&idt);
	vmcs_write(HOST_IDTR_BASE, idt.address);
	/* The GDT that this pCPU runs with is the read-only alias; TSS: as its TR has it. */
	vmcs_write(HOST_GDTR_BASE, (unsigned long)get_cpu_gdt_ro(cpu));
	vmcs_write(HOST_TR_BASE, (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	vmcs_write32(HOST_IA32_SYSENTER_CS, (u32)x86_rdmsr(MSR_IA32_SYSENTER_CS));
	vmcs_write(HOST_IA32_SYSENTER_ESP, x86_rdmsr(MSR_IA32_SYSENTER_ESP));
	vmcs_write(HOST_IA32_SYSENTER_EIP, x86_rdmsr(MSR_IA32_SYSENTER_EIP));
	vmx->host.gs_base = x86_rdmsr(MSR_GS_BASE);
	vmcs_write(HOST_GS_BASE, vmx->host.gs_base);
	/* force the comparisons of vmx_write_host_thread() */
	vmx->host.cr3 = 0;
	vmx->host.cr4 = 0;
	vmx->host.fs_base = ~0ULL;
}

void vmx_write_host_thread(struct vmx_vcpu *vmx, u64 cr3, u64 cr4, u64 fs)
{
	if (cr3 != vmx->host.cr3) {
		vmcs_write(HOST_CR3, cr3);
		vmx->host.cr3 = cr3;
	}
	if (cr4 != vmx->host.cr4) {
		vmcs_write(HOST_CR4, cr4);
		vmx->host.cr4 = cr4;
	}
	if (fs != vmx->host.fs_base) {
		vmcs_write(HOST_FS_BASE, fs);
		vmx->host.fs_base = fs;
	}
}
