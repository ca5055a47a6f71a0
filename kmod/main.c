// SPDX-License-Identifier: GPL-2.0-only
/* Module life: probe the host, take the hardware, offer /dev/qvm. */
#include <linux/debugfs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/preempt.h>

#include "arch.h"
#include "stats.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static struct miscdevice qvm_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "qvm",
	.fops = &qvm_system_fops,
	.mode = 0600,
};

static int __init qvm_init(void)
{
	int ret;

	ret = qvm_arch_init();
	if (ret)
		return ret;
	qvm_stats_init();
	/*
	 * For as long as the module is loaded, not for each VM: the first and the last of them would have
	 * the kernel's scheduler patched, which all CPUs notice.
	 */
	preempt_notifier_inc();
	ret = misc_register(&qvm_misc);
	if (ret) {
		pr_err("qvm: /dev/qvm could not be registered: %d\n", ret);
		preempt_notifier_dec();
		qvm_stats_fini();
		qvm_arch_fini();
	}
	return ret;
}
module_init(qvm_init);

/* Every fd holds a module reference (fops.owner): no VM is left here. */
static void __exit qvm_exit(void)
{
	misc_deregister(&qvm_misc);
	preempt_notifier_dec();
	qvm_stats_fini();
	qvm_arch_fini();
}
module_exit(qvm_exit);

MODULE_DESCRIPTION("Hypervisor with its own EL2 and VT-x entry");
MODULE_LICENSE("GPL");
