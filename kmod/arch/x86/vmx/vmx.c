// SPDX-License-Identifier: GPL-2.0-only
/* VMX on this host, and what a VM and a vCPU have of it. */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/namei.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/vmx.h>

#include "compat.h"
#include "vmcs.h"
#include "vmx.h"

/* VPID 0 is the host's (26.3.1.1). One a vCPU, given back when it ends. */
static DEFINE_MUTEX(vpid_mutex);
static DECLARE_BITMAP(vpids, 1 << 16);

void vmx_write_failed(unsigned long field, u64 value)
{
	WARN_ONCE(1, "qvm: VMWRITE of %llx to field %lx failed\n", value, field);
}

#ifndef X86_CR4_FRED
#define X86_CR4_FRED	0
#endif

/*
 * An idle kvm_intel may have VMX off, and takes it whenever a VM of its is made. It has no sign that a
 * module can see but its folder in sysfs.
 */
bool vmx_kvm_is_there(void)
{
	struct path path;

	if (kern_path("/sys/module/kvm_intel", LOOKUP_DIRECTORY, &path))
		return false;
	path_put(&path);
	return true;
}

/*
 * By CPUID itself: where firmware has locked VMX off, or the command line says so, the kernel does
 * as if there were none.
 */
static int check_vmx(void)
{
	const u64 on = FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX;
	u64 feature_control = 0;

	if (!(cpuid_ecx(1) & BIT(X86_FEATURE_VMX & 31))) {
		pr_err("qvm: this CPU has no VMX%s\n", boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
		       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON ?
		       ": it is AMD's, whose SVM is not supported" : "");
		return -ENODEV;
	}
	if (!x86_rdmsr_safe(MSR_IA32_FEAT_CTL, &feature_control) || (feature_control & on) != on) {
		pr_err("qvm: firmware has locked VMX off; switch virtualisation on in its settings\n");
		return -ENODEV;
	}
	if (!boot_cpu_has(X86_FEATURE_VMX)) {
		pr_err("qvm: the kernel hides VMX; see clearcpuid= on its command line\n");
		return -ENODEV;
	}
	return 0;
}

static int check_host(void)
{
	int ret = check_vmx();

	if (ret)
		return ret;
	if (X86_CR4_FRED && __read_cr4() & X86_CR4_FRED) {
		pr_err("qvm: this kernel uses FRED; boot with fred=off\n");
		return -EOPNOTSUPP;
	}
	if (vmx_kvm_is_there() || __read_cr4() & X86_CR4_VMXE) {
		pr_err("qvm: KVM, or somebody else, holds VMX: modprobe -r kvm_intel (Linux 6.12 and newer: or boot with kvm.enable_virt_at_load=0)\n");
		return -EBUSY;
	}
	return 0;
}

static int own_init(void)
{
	int ret = vmx_own_init();

	if (ret == -EBUSY)
		pr_err("qvm: VMX could not be switched on; KVM most likely has it: modprobe -r kvm_intel\n");
	return ret;
}

int virt_init(void)
{
	int ret = check_host();

	if (!ret)
		ret = vmx_probe();
	if (!ret)
		ret = vmx_bitmap_init();
	if (ret)
		return ret;
	vmx_mitig_init();
	ret = vmx_apic_init();
	if (!ret)
		ret = own_init();
	if (ret) {
		vmx_mitig_fini();
		vmx_apic_fini();
		vmx_bitmap_fini();
		return ret;
	}
	pr_info("qvm: VMX, %s, %u-bit physical addresses\n",
		vmx_section_mode ? "on while a guest runs" : "persistent", x86_maxphyaddr());
	return 0;
}

void virt_fini(void)
{
	vmx_own_fini();
	vmx_mitig_fini();
	vmx_apic_fini();
	vmx_bitmap_fini();
}

u64 virt_block_sizes(void)
{
	return vmx_config.block_sizes;
}

/* ---- VM ---- */

int virt_vm_create(struct qvm_vm *vm)
{
	struct vmx_vm *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);

	if (!vmx)
		return -ENOMEM;
	vm->arch.vmx = vmx;
	if (!zalloc_cpumask_var(&vmx->ept_known, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	vmx->eptp = vm->s2.ops->virt_to_hpa(vm->s2.root) | vmx_config.eptp_flags;
	return 0;
}

void virt_vm_destroy(struct qvm_vm *vm)
{
	struct vmx_vm *vmx = vm->arch.vmx;

	if (!vmx)
		return;
	free_cpumask_var(vmx->ept_known);
	kfree(vmx);
	vm->arch.vmx = NULL;
}

/*
 * Each pCPU flushes before it enters this root again, or one at the same address; whoever is in the
 * guest leaves it first. An entry sets its mode before it looks at the mask (enter_irqs_off()).
 */
void qvm_arch_s2_flush_vm(struct qvm_vm *vm)
{
	struct vmx_vm *vmx = vm->arch.vmx;
	u32 i;

	if (!vmx)
		return;
	cpumask_clear(vmx->ept_known);
	atomic64_inc(&vm->arch.s2_generation);
	/*
	 * Pairs with enter_irqs_off(): we see IN_GUEST, or flush_tags() sees the mask cleared, and
	 * x86_insn_cache_find() another generation.
	 */
	smp_mb();
	for (i = 0; i < vm->max_vcpus; i++) {
		struct qvm_vcpu *vcpu = vm->vcpu[i];

		if (!vcpu || atomic_read(&vcpu->mode) != VCPU_IN_GUEST)
			continue;
		qvm_vcpu_kick(vcpu);
		while (atomic_read(&vcpu->mode) == VCPU_IN_GUEST)
			cpu_relax();
	}
}

/* x86 orders stores, and EPT walks see them in order (SDM vol. 3 28.3.3.4: nothing to do). */
void qvm_arch_s2_sync(void)
{
}

/* ---- vCPU ---- */

static int vpid_get(void)
{
	unsigned long vpid;

	mutex_lock(&vpid_mutex);
	vpid = find_next_zero_bit(vpids, 1 << 16, 1);
	if (vpid < 1 << 16)
		__set_bit(vpid, vpids);
	mutex_unlock(&vpid_mutex);
	return vpid < 1 << 16 ? vpid : -ENOSPC;
}

static void vpid_put(u16 vpid)
{
	mutex_lock(&vpid_mutex);
	__clear_bit(vpid, vpids);
	mutex_unlock(&vpid_mutex);
}

int virt_vcpu_create(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);
	int vpid;

	if (!vmx)
		return -ENOMEM;
	vcpu->arch.vmx = vmx;
	vmx->holder = -1;
	vpid = vpid_get();
	if (vpid < 0)
		return vpid;
	vmx->vpid = vpid;
	return vmx_vcpu_init(vcpu);
}

void virt_vcpu_destroy(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (!vmx)
		return;
	if (vmx->vpid)
		vpid_put(vmx->vpid);
	vmx_own_forget(vmx);
	free_page((unsigned long)vmx->vmcs);
	kfree(vmx->pebs_off);
	kfree(vmx);
}

void virt_reset(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx->state.valid = VMX_G_ALL;
	vmx->state.dirty = VMX_G_ALL;
	vmx->state.interruptibility = 0;
	vmx->state.pending_debug = 0;
	vmx->inject.info = 0;
	vmx->flush_vpid = true;
	vmx->fp_in_cr0 = false;
}

int virt_fetch_state(struct qvm_vcpu *vcpu)
{
	return vmx_state_fetch(vcpu, VMX_G_ALL);
}

void virt_flush_guest_tlb(struct qvm_vcpu *vcpu)
{
	vmx_of(vcpu)->flush_vpid = true;
}
