// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capabilities of VMX (SDM vol. 3 appendix A) and the controls made of them: what we want, masked
 * by what may be 0 and 1; a control that must be there and can't is an error with its name.
 */
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/tsc.h>
#include <asm/vmx.h>

#include "check.h"
#include "vmcs.h"
#include "vmx.h"

DEFINE_STATIC_KEY_FALSE(vmx_host_has_pebs);
struct vmx_config vmx_config;

/* How long a guest may run without an exit: the watchdog slice, in ms of TSC. */
#define SLICE_MS	10

struct control {
	const char *name;
	u32 msr, true_msr;	/* low: must be 1; high: may be 1 (A.3 … A.5) */
	u32 must, want, never;	/* never: default-1 controls that the TRUE_ MSR lets us clear */
};

static const struct control pin_control = {
	"pin-based", MSR_IA32_VMX_PINBASED_CTLS, MSR_IA32_VMX_TRUE_PINBASED_CTLS,
	.must = PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING | PIN_BASED_VIRTUAL_NMIS |
		PIN_BASED_VMX_PREEMPTION_TIMER,
};

static const struct control proc_control = {
	"processor-based", MSR_IA32_VMX_PROCBASED_CTLS, MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
	.must = CPU_BASED_HLT_EXITING | CPU_BASED_MWAIT_EXITING | CPU_BASED_MONITOR_EXITING |
		CPU_BASED_RDPMC_EXITING | CPU_BASED_USE_TSC_OFFSETTING |
		CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING |
		CPU_BASED_MOV_DR_EXITING | CPU_BASED_UNCOND_IO_EXITING | CPU_BASED_USE_MSR_BITMAPS |
		CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
	.want = CPU_BASED_TPR_SHADOW,
	.never = CPU_BASED_CR3_LOAD_EXITING | CPU_BASED_CR3_STORE_EXITING |
		 CPU_BASED_INVLPG_EXITING,
};

static const struct control proc2_control = {
	"secondary processor-based", MSR_IA32_VMX_PROCBASED_CTLS2, 0,
	.must = SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_ENABLE_VPID |
		SECONDARY_EXEC_UNRESTRICTED_GUEST,
	.want = SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID |
		SECONDARY_EXEC_WBINVD_EXITING | SECONDARY_EXEC_PAUSE_LOOP_EXITING | VMX_X2APIC_CONTROLS | VMX_XAPIC_CONTROLS,
};

static bool apicv = true;
module_param(apicv, bool, 0444);
MODULE_PARM_DESC(apicv, "let the CPU deliver interrupts to guests, where it can (default 1)");

/*
 * All of them or none, by vCPU and mode (apic.c). With a TPR shadow the guest reads and writes CR8
 * without an exit (24.6.8).
 */
static void settle_apic(void)
{
	bool shadow = vmx_config.proc & CPU_BASED_TPR_SHADOW;
	u32 proc2 = apicv && shadow ? vmx_config.proc2 : 0;

	vmx_config.apicv_x2 = (proc2 & VMX_X2APIC_CONTROLS) == VMX_X2APIC_CONTROLS;
	vmx_config.apicv_x = (proc2 & VMX_XAPIC_CONTROLS) == VMX_XAPIC_CONTROLS;
	vmx_config.proc2 &= ~(VMX_X2APIC_CONTROLS | VMX_XAPIC_CONTROLS);
	vmx_config.tpr_shadow = shadow;
	if (shadow)
		vmx_config.proc &= ~(CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING);
}

static const struct control exit_control = {
	"VM-exit", MSR_IA32_VMX_EXIT_CTLS, MSR_IA32_VMX_TRUE_EXIT_CTLS,
	.must = VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER |
		VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT |
		VM_EXIT_SAVE_VMX_PREEMPTION_TIMER,
	/* all writes of the guest's DR7 exit, so that ours is it; DEBUGCTL is zero for it */
	.never = VM_EXIT_SAVE_DEBUG_CONTROLS,
};

static const struct control entry_control = {
	"VM-entry", MSR_IA32_VMX_ENTRY_CTLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS,
	/* without its own DR7 a guest has no breakpoints, and the host's act on its addresses */
	.must = VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_DEBUG_CONTROLS,
};

static int control_value(const struct control *control, bool has_true, u32 *value)
{
	u64 caps = x86_rdmsr(has_true && control->true_msr ? control->true_msr : control->msr);
	u32 must1 = caps, may1 = caps >> 32;
	u32 missing;

	*value = ((control->must | control->want) & may1) | must1;
	missing = (control->must & ~*value) | (control->never & must1);
	if (!missing)
		return 0;
	pr_err("qvm: this CPU's VMX lacks %s controls 0x%08x (SDM vol. 3 A.3-A.5)\n", control->name,
	       missing);
	return -ENODEV;
}

/* The kernel's names of the VPID bits count from bit 32. */
#define VPID_CAPS(bits)	((u64)(bits) << 32)

static int probe_ept(void)
{
	const u64 must = VMX_EPT_PAGE_WALK_4_BIT | VMX_EPTP_WB_BIT | VMX_EPT_2MB_PAGE_BIT |
			 VMX_EPT_INVEPT_BIT | VMX_EPT_EXTENT_CONTEXT_BIT |
			 VMX_EPT_EXTENT_GLOBAL_BIT |
			 VPID_CAPS(VMX_VPID_INVVPID_BIT | VMX_VPID_EXTENT_GLOBAL_CONTEXT_BIT);
	u64 caps = x86_rdmsr(MSR_IA32_VMX_EPT_VPID_CAP);

	if ((caps & must) != must) {
		pr_err("qvm: this CPU's EPT lacks 0x%llx of IA32_VMX_EPT_VPID_CAP (four levels, write-back, 2 MiB, INVEPT, INVVPID are needed)\n",
		       must & ~caps);
		return -ENODEV;
	}
	/* No accessed and dirty flags: with them a walk of guest tables in ROM is a write (28.3.3.2). */
	vmx_config.eptp_flags = VMX_EPTP_MT_WB | VMX_EPTP_PWL_4;
	vmx_config.block_sizes = BIT_ULL(12) | BIT_ULL(21) |
				 (caps & VMX_EPT_1GB_PAGE_BIT ? BIT_ULL(30) : 0);
	vmx_config.invvpid_single = caps & VPID_CAPS(VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT);
	return 0;
}

int vmx_probe(void)
{
	u64 basic = x86_rdmsr(MSR_IA32_VMX_BASIC), misc = x86_rdmsr(MSR_IA32_VMX_MISC);
	bool has_true = basic & BIT_ULL(55);
	u64 pebs;
	int ret;

	vmx_config.revision = basic & 0x7fffffff;
	vmx_config.timer_shift = misc & 0x1f;
	vmx_config.slice = (u64)tsc_khz * SLICE_MS;
	vmx_config.host_xcr0 = boot_cpu_has(X86_FEATURE_OSXSAVE) ? x86_xcr0_host() : 0;
	ret = control_value(&pin_control, has_true, &vmx_config.pin);
	if (!ret)
		ret = control_value(&proc_control, has_true, &vmx_config.proc);
	if (!ret)
		ret = control_value(&proc2_control, has_true, &vmx_config.proc2);
	if (!ret)
		ret = control_value(&exit_control, has_true, &vmx_config.exit);
	if (!ret)
		ret = control_value(&entry_control, has_true, &vmx_config.entry);
	if (!ret)
		ret = probe_ept();
	if (ret)
		return ret;
	settle_apic();
	if (boot_cpu_has(X86_FEATURE_PEBS) && x86_rdmsr_safe(MSR_IA32_PEBS_ENABLE, &pebs))
		static_branch_enable(&vmx_host_has_pebs);
	vmx_config.cr0_fixed0 = x86_rdmsr(MSR_IA32_VMX_CR0_FIXED0);
	vmx_config.cr0_fixed1 = x86_rdmsr(MSR_IA32_VMX_CR0_FIXED1);
	vmx_config.cr4_fixed0 = x86_rdmsr(MSR_IA32_VMX_CR4_FIXED0);
	vmx_config.cr4_fixed1 = x86_rdmsr(MSR_IA32_VMX_CR4_FIXED1);
	return 0;
}

bool vmx_cpu_matches(void)
{
	return (x86_rdmsr(MSR_IA32_VMX_BASIC) & 0x7fffffff) == vmx_config.revision;
}

void vmx_capabilities_read(struct vmx_capabilities *caps)
{
	bool has_true = x86_rdmsr(MSR_IA32_VMX_BASIC) & BIT_ULL(55);

	caps->pin = x86_rdmsr(has_true ? pin_control.true_msr : pin_control.msr);
	caps->proc = x86_rdmsr(has_true ? proc_control.true_msr : proc_control.msr);
	caps->proc2 = x86_rdmsr(proc2_control.msr);
	caps->exit = x86_rdmsr(has_true ? exit_control.true_msr : exit_control.msr);
	caps->entry = x86_rdmsr(has_true ? entry_control.true_msr : entry_control.msr);
	caps->misc = x86_rdmsr(MSR_IA32_VMX_MISC);
	caps->ept_vpid = x86_rdmsr(MSR_IA32_VMX_EPT_VPID_CAP);
	caps->cr0_fixed0 = vmx_config.cr0_fixed0;
	caps->cr0_fixed1 = vmx_config.cr0_fixed1;
	caps->cr4_fixed0 = vmx_config.cr4_fixed0;
	caps->cr4_fixed1 = vmx_config.cr4_fixed1;
	caps->phys_bits = boot_cpu_data.x86_phys_bits;
	caps->linear_bits = boot_cpu_has(X86_FEATURE_LA57) ? 57 : 48;
}
