// SPDX-License-Identifier: GPL-2.0-only
/*
 * What speculation needs at an entry and an exit, and why: decided from what the kernel found out
 * about this CPU and was told on its command line, never by user space. debugfs lists it.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/seq_file.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/segment.h>

#include "compat.h"
#include "vmx.h"

/* entry.S reads these. */
bool vmx_verw __read_mostly;
const u16 vmx_verw_selector = __KERNEL_DS;

#define L1D_SIZE_ORDER	4		/* 64 KiB: twice the L1D of any affected CPU */

bool vmx_flush_l1d __read_mostly, vmx_flush_l1d_always __read_mostly;
static void *flush_pages;		/* where the CPU has no command for it */

bool vmx_ibpb __read_mostly;
DEFINE_STATIC_KEY_FALSE(vmx_eager_fp);

enum step {
	STEP_L1D, STEP_VERW, STEP_RSB, STEP_IBRS, STEP_BHB, STEP_ITLB, STEP_FP, STEP_IBPB, STEP_USER, STEP_COUNT
};

static struct { const char *name, *why; bool on; } steps[STEP_COUNT] = {
	[STEP_L1D] = { "flush L1D before entry" },
	[STEP_VERW] = { "VERW before entry" },
	[STEP_RSB] = { "fill RSB after exit" },
	[STEP_IBRS] = { "write IBRS after exit" },
	[STEP_BHB] = { "clear branch history after exit" },
	[STEP_ITLB] = { "no executable large pages" },
	[STEP_FP] = { "guest's FP registers at every entry" },
	[STEP_IBPB] = { "IBPB between vCPUs" },
	[STEP_USER] = { "IBPB before user space" },
};

static void step(enum step step, bool on, const char *why)
{
	steps[step].on = on;
	steps[step].why = why;
}

static u64 arch_capabilities(void)
{
	u64 caps = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		x86_rdmsr_safe(MSR_IA32_ARCH_CAPABILITIES, &caps);
	return caps;
}

static void init_l1d(void)
{
	static const char *const texts[2][2] = {
		{ "L1TF; by IA32_FLUSH_CMD", "L1TF; by IA32_FLUSH_CMD, those from tier 0, too" },
		{ "L1TF; by reading 64 KiB, no IA32_FLUSH_CMD",
		  "L1TF; by reading 64 KiB, no IA32_FLUSH_CMD, those from tier 0, too" },
	};

	if (!boot_cpu_has_bug(X86_BUG_L1TF))
		return step(STEP_L1D, false, "not affected by L1TF");
	if (arch_capabilities() & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH)
		return step(STEP_L1D, false, "the hypervisor below says that it flushes");
	if (cpu_mitigations_off() || !qvm_l1tf_wanted())
		return step(STEP_L1D, false, "switched off on the kernel's command line");
	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		flush_pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, L1D_SIZE_ORDER);
		if (!flush_pages)
			return step(STEP_L1D, false, "L1TF, but no memory for it");
	}
	vmx_flush_l1d = true;
	vmx_flush_l1d_always = qvm_l1tf_always();
	step(STEP_L1D, true, texts[!!flush_pages][vmx_flush_l1d_always]);
}

static void init_verw(void)
{
	bool affected = boot_cpu_has_bug(X86_BUG_MDS) || boot_cpu_has_bug(X86_BUG_TAA) ||
			boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) || qvm_bug_rfds();

	if (!affected)
		return step(STEP_VERW, false, "not affected by MDS, TAA, MMIO stale data, RFDS");
	if (cpu_mitigations_off())
		return step(STEP_VERW, false, "switched off on the kernel's command line");
	/* A hypervisor below may hide that microcode has it; the kernel tries it all the same, too. */
	vmx_verw = true;
	step(STEP_VERW, true, boot_cpu_has(X86_FEATURE_MD_CLEAR) ? "MDS, TAA, MMIO stale data or RFDS" :
			      "MDS, TAA, MMIO stale data or RFDS; microcode says no MD_CLEAR, tried all the same");
}

void vmx_mitig_init(void)
{
	bool ibrs = boot_cpu_has(X86_FEATURE_KERNEL_IBRS), eager = !cpu_mitigations_off();

	init_l1d();
	init_verw();
	step(STEP_IBRS, ibrs, ibrs ? "the kernel uses legacy IBRS" : "the kernel does not use legacy IBRS");
	step(STEP_RSB,
	     boot_cpu_has(X86_FEATURE_RSB_VMEXIT) || boot_cpu_has(X86_FEATURE_RSB_VMEXIT_LITE),
	     "as the kernel's RSB_VMEXIT says");
	step(STEP_BHB, qvm_bhb_on_vmexit(), "as the kernel's CLEAR_BHB_LOOP says");
	step(STEP_ITLB, x86_nx_blocks(), "as the kernel's ITLB_MULTIHIT says");
	/* CR0.TS does not stop what is only speculation: registers of somebody else's must not be there. */
	if (eager)
		static_branch_enable(&vmx_eager_fp);
	step(STEP_FP, eager, eager ? "lazy FP, CVE-2018-3665; no CPU says that it is free of it" :
				     "switched off on the kernel's command line");
	vmx_ibpb = qvm_ibpb_wanted();
	step(STEP_IBPB, vmx_ibpb, vmx_ibpb ? "the kernel uses IBPB" : "the kernel does not use IBPB");
	step(STEP_USER, qvm_ibpb_to_user_wanted(), "as the kernel's IBPB_EXIT_TO_USER says (VMSCAPE)");
}

void vmx_mitig_fini(void)
{
	if (flush_pages)
		free_pages((unsigned long)flush_pages, L1D_SIZE_ORDER);
	flush_pages = NULL;
}

/* Each line is read twice over: once for the TLB, once into the cache. */
static void flush_by_reading(void)
{
	const volatile u8 *p = flush_pages;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE << L1D_SIZE_ORDER; i += PAGE_SIZE)
		(void)p[i];
	asm volatile("lfence" : : : "memory");
	for (i = 0; i < PAGE_SIZE << L1D_SIZE_ORDER; i += 64)
		(void)p[i];
	asm volatile("lfence" : : : "memory");
}

void vmx_mitig_before_entry(void)
{
	if (boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		x86_wrmsr(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
	else
		flush_by_reading();
}

void qvm_arch_mitigations_show(struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < STEP_COUNT; i++)
		seq_printf(m, "%s: %s (%s)\n", steps[i].name, steps[i].on ? "yes" : "no",
			   steps[i].why);
}
