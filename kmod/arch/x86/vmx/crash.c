// SPDX-License-Identifier: GPL-2.0-only
/*
 * A crash may jump into another kernel (kdump), which can't start where VMX is on: the kernel has one
 * slot for a function that each pCPU calls before. kvm_intel wants it too, and warns where it is
 * taken: so it gets the slot as long as it is there. Its own function leaves VMX for everybody.
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/reboot.h>

#include "compat.h"
#include "vmx.h"

#ifdef QVM_HAS_CRASH_CALLBACK
static int module_event(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct module *mod = data;

	if (strcmp(mod->name, "kvm_intel"))
		return NOTIFY_DONE;
	if (action == MODULE_STATE_COMING)
		cpu_emergency_unregister_virt_callback(vmx_own_crash);
	else if (action == MODULE_STATE_GOING)
		cpu_emergency_register_virt_callback(vmx_own_crash);
	return NOTIFY_DONE;
}

static struct notifier_block module_notifier = { .notifier_call = module_event };

void vmx_crash_init(void)
{
	register_module_notifier(&module_notifier);
	cpu_emergency_register_virt_callback(vmx_own_crash);
}

void vmx_crash_fini(void)
{
	unregister_module_notifier(&module_notifier);
	if (!vmx_kvm_is_there())
		cpu_emergency_unregister_virt_callback(vmx_own_crash);
}
#else
void vmx_crash_init(void)
{
	if (!vmx_section_mode)
		pr_warn("qvm: this kernel has no place for who leaves VMX at a crash: kdump will fail\n");
}

void vmx_crash_fini(void)
{
}
#endif
