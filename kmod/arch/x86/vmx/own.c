// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has VMX on, and when. Two back ends:
 *   persistent  VMXON on every pCPU while the module is loaded; needs the kernel's cr4 helpers,
 *               so that CR4.VMXE is in the kernel's shadow too
 *   section     VMXON … VMXOFF inside each interrupts-off stretch; nobody outside it ever sees
 *               VMX on, so hotplug, reboot and kexec have nothing to undo
 * A VMCS is VMCLEARed on its pCPU before another one loads it (SDM vol. 3 24.11.1). Persistent: it
 * stays there until then, in a list of its pCPU's, also while its thread does other things; section:
 * until the end of the stretch.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "vmcs.h"
#include "vmx.h"

static char *vmx_mode = "auto";
module_param_named(vmx, vmx_mode, charp, 0444);
MODULE_PARM_DESC(vmx, "who holds VMX: persistent, section, or auto (persistent where this kernel allows it)");

bool vmx_section_mode;

static DEFINE_PER_CPU(void *, vmxon_page);
static DEFINE_PER_CPU(bool, vmx_is_on);		/* persistent: this pCPU is in VMX operation */
static DEFINE_PER_CPU(u64, last_serial);	/* of the vCPU whose VMCS was loaded last */
static enum cpuhp_state hotplug_state;

/* Of this pCPU; interrupts off. A crash walks the list at any time: hence the RCU forms. */
static DEFINE_PER_CPU(struct list_head, held_vmcs);
DEFINE_PER_CPU(struct vmx_vcpu *, vmx_current);

/* This pCPU gives @vmx up: what it has of it goes to memory. Interrupts off. */
static void vmcs_give_up(struct vmx_vcpu *vmx)
{
	vmcs_clear(vmx->vmcs_hpa);
	vmx->launched = false;
	if (__this_cpu_read(vmx_current) == vmx)
		__this_cpu_write(vmx_current, NULL);
	list_del_rcu(&vmx->node);
	/* Pairs with vmx_own_fetch(): who sees -1 finds it in memory. */
	smp_store_release(&vmx->holder, -1);
}

static void give_up_call(void *arg)
{
	struct vmx_vcpu *vmx = arg;

	/* A pCPU that went down meanwhile has done it. */
	if (vmx->holder == smp_processor_id())
		vmcs_give_up(vmx);
}

/*
 * VMX goes off here. All that a VMCS holds is read first: its thread, which may be in the middle of
 * an exit, then needs it no more before the next entry.
 */
static void give_up_all(void)
{
	struct list_head *held = this_cpu_ptr(&held_vmcs);
	struct vmx_vcpu *vmx, *next;

	list_for_each_entry_safe(vmx, next, held, node) {
		if (vmcs_load(vmx->vmcs_hpa))
			vmx_state_sync(vmx->vcpu, VMX_G_ALL);
		vmcs_give_up(vmx);
	}
	__this_cpu_write(vmx_current, NULL);
}

/* ---- persistent ---- */

#ifdef QVM_HAS_CR4_HELPERS
static bool persistent_on(void)
{
	void *page = __this_cpu_read(vmxon_page);

	if (__read_cr4() & X86_CR4_VMXE)
		return false;		/* somebody else's */
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
	if (vmx_on(__pa(page)))
		return true;
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
	return false;
}

static void persistent_off(void)
{
	vmx_off();
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
}
#else
static bool persistent_on(void) { return false; }
static void persistent_off(void) { }
#endif

static void section_off(void)
{
	vmx_off();
	asm volatile("mov %0, %%cr4" : : "r"(__read_cr4() & ~X86_CR4_VMXE) : "memory");
}

static int cpu_up_callback(unsigned int cpu)
{
	unsigned long flags;
	bool on = true;

	if (!vmx_cpu_matches()) {
		pr_err("qvm: CPU %u has another VMX than the first one\n", cpu);
		return -ENODEV;
	}
	local_irq_save(flags);
	x86_msr_cpu_init();
	vmx_switch_cpu_init();
	if (!vmx_section_mode) {
		on = persistent_on();
		if (on) {
			/* What the TLB holds is of unknown tags (26.3.3.3). */
			vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
			vmx_invvpid(VMX_VPID_EXTENT_ALL_CONTEXT, 0);
		}
	}
	__this_cpu_write(vmx_is_on, on);
	local_irq_restore(flags);
	return on ? 0 : -EBUSY;
}

static int cpu_down_callback(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	if (__this_cpu_read(vmx_is_on) && !vmx_section_mode) {
		give_up_all();
		persistent_off();
	}
	__this_cpu_write(vmx_is_on, false);
	local_irq_restore(flags);
	return 0;
}

static void cpu_off(void *unused)
{
	cpu_down_callback(smp_processor_id());
}

/* INIT is blocked in VMX operation: a reboot that uses it must find VMX off (SDM vol. 3 23.8). */
static int reboot_callback(struct notifier_block *nb, unsigned long action, void *data)
{
	on_each_cpu(cpu_off, NULL, 1);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = { .notifier_call = reboot_callback };

/*
 * Suspend and hibernation: the other pCPUs are offline, this one takes no part in hotplug. It comes
 * back with VMX off, with CR4 as the kernel remembers it, and with a TSC that may have begun anew.
 * Interrupts off.
 */
static int suspend_callback(QVM_SYSCORE_ARG)
{
	x86_tsc_suspend();
	return cpu_down_callback(smp_processor_id());
}

static void resume_callback(QVM_SYSCORE_ARG)
{
	x86_tsc_resume();
	if (cpu_up_callback(smp_processor_id()))
		pr_err("qvm: CPU %u has no VMX any more\n", smp_processor_id());
}

static QVM_SYSCORE(syscore, .suspend = suspend_callback, .resume = resume_callback);

static void suspend_init(void)
{
	qvm_syscore_register(&syscore);
}

static void suspend_fini(void)
{
	qvm_syscore_unregister(&syscore);
}

/* Any context, also an NMI amid what this file does: nothing of it is needed afterwards. */
void vmx_own_crash(void)
{
	struct list_head *held = this_cpu_ptr(&held_vmcs);
	struct vmx_vcpu *vmx;

	if (!(__read_cr4() & X86_CR4_VMXE) || !__this_cpu_read(vmx_is_on))
		return;
	__this_cpu_write(vmx_is_on, false);
	/* or the pCPU writes to them later, in the memory of the next kernel */
	list_for_each_entry_rcu(vmx, held, node, true)
		vmcs_clear(vmx->vmcs_hpa);
	if (vmx_section_mode)
		section_off();
	else
		persistent_off();
}

/* ---- both ---- */

static void free_pages_all(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_page((unsigned long)per_cpu(vmxon_page, cpu));
		per_cpu(vmxon_page, cpu) = NULL;
	}
}

/* A VMXON region for each possible CPU: hotplug must not need memory. 24.11.5. */
static int alloc_pages_all(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		u32 *page = (u32 *)get_zeroed_page(GFP_KERNEL);

		if (!page) {
			free_pages_all();
			return -ENOMEM;
		}
		*page = vmx_config.revision;
		per_cpu(vmxon_page, cpu) = page;
		INIT_LIST_HEAD(&per_cpu(held_vmcs, cpu));
	}
	return 0;
}

static int choose_mode(void)
{
	bool can_persist = __is_defined(QVM_HAS_CR4_HELPERS);

	if (!strcmp(vmx_mode, "section"))
		vmx_section_mode = true;
	else if (!strcmp(vmx_mode, "auto"))
		vmx_section_mode = !can_persist;
	else if (strcmp(vmx_mode, "persistent") || !can_persist)
		return -EINVAL;
	return 0;
}

int vmx_own_init(void)
{
	int ret = choose_mode();

	if (ret) {
		pr_err("qvm: vmx=%s is not possible on this kernel; use section or auto\n",
		       vmx_mode);
		return ret;
	}
	ret = alloc_pages_all();
	if (ret)
		return ret;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "qvm:online", cpu_up_callback,
				cpu_down_callback);
	if (ret < 0) {
		free_pages_all();
		return ret;
	}
	hotplug_state = ret;
	register_reboot_notifier(&reboot_notifier);
	suspend_init();
	vmx_crash_init();
	return 0;
}

void vmx_own_fini(void)
{
	vmx_crash_fini();
	suspend_fini();
	unregister_reboot_notifier(&reboot_notifier);
	cpuhp_remove_state(hotplug_state);
	free_pages_all();
}

/* Section mode: CR4.VMXE by a raw write, taken back before interrupts open: no shadow sees it. */
static bool section_on(void)
{
	u64 cr4 = __read_cr4();

	if (cr4 & X86_CR4_VMXE)
		return false;
	asm volatile("mov %0, %%cr4" : : "r"(cr4 | X86_CR4_VMXE) : "memory");
	if (vmx_on(__pa(__this_cpu_read(vmxon_page))))
		return true;
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	return false;
}

void vmx_own_fetch(struct vmx_vcpu *vmx)
{
	int holder = READ_ONCE(vmx->holder);

	/* Fails where that pCPU is down: it gave up what it had on its way. */
	if (holder >= 0 && holder != smp_processor_id())
		smp_call_function_single(holder, give_up_call, vmx, 1);
}

static bool persistent_begin(struct vmx_vcpu *vmx)
{
	int cpu = smp_processor_id();
	struct vmx_vcpu *current_now;

	if (vmx->holder != cpu) {
		/* Never from under another pCPU: silicon would go on with what is in memory. */
		if (WARN_ON_ONCE(smp_load_acquire(&vmx->holder) >= 0))
			return false;
		vmcs_clear(vmx->vmcs_hpa);
		vmx->launched = false;
		list_add_rcu(&vmx->node, this_cpu_ptr(&held_vmcs));
		vmx->holder = cpu;
	}
	current_now = vmcs_load(vmx->vmcs_hpa) ? vmx : NULL;
	__this_cpu_write(vmx_current, current_now);
	return current_now;
}

static bool section_begin(struct vmx_vcpu *vmx)
{
	if (!section_on())
		return false;
	vmx->launched = false;
	vmcs_clear(vmx->vmcs_hpa);
	if (vmcs_load(vmx->vmcs_hpa))
		return true;
	section_off();
	return false;
}

/* Whoever's VMCS is loaded here next may be another VM's, or another domain's of the same guest. */
static void barrier_to_others(const struct vmx_vcpu *vmx)
{
	if (__this_cpu_read(last_serial) == vmx->serial)
		return;
	__this_cpu_write(last_serial, vmx->serial);
	if (vmx_ibpb)
		x86_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

bool vmx_own_take(struct vmx_vcpu *vmx)
{
	if (unlikely(!__this_cpu_read(vmx_is_on)))
		return false;
	barrier_to_others(vmx);
	/* No VMCS is held over a suspend: whoever runs again comes by here. */
	if (unlikely(vmx->tsc_lost != READ_ONCE(x86_tsc_lost))) {
		vmx->tsc_lost = READ_ONCE(x86_tsc_lost);
		virt_update_tsc(vmx->vcpu);
	}
	return vmx_section_mode ? section_begin(vmx) : persistent_begin(vmx);
}

void vmx_own_give(struct vmx_vcpu *vmx)
{
	vmcs_clear(vmx->vmcs_hpa);
	section_off();
}

void vmx_own_forget(struct vmx_vcpu *vmx)
{
	int holder = READ_ONCE(vmx->holder);

	if (holder >= 0)
		smp_call_function_single(holder, give_up_call, vmx, 1);
}
