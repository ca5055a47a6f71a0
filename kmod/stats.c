// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/module.h>

#include "arch.h"
#include "histogram.h"
#include "irqsoff.h"
#include "stats.h"

atomic_long_t qvm_pinned_pages;
static struct dentry *qvm_debugfs;

static int vms_show(struct seq_file *m, void *unused)
{
	qvm_vm_list_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vms);

static int mitigations_show(struct seq_file *m, void *unused)
{
	qvm_arch_mitigations_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mitigations);

static int pinned_pages_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%ld\n", atomic_long_read(&qvm_pinned_pages));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pinned_pages);

void qvm_vcpu_stats_get(const struct qvm_vcpu *vcpu, struct qvm_vcpu_stats *stats)
{
	unsigned int i;

	*stats = vcpu->stats;
	for (i = 0; i < QVM_STATS_REASONS; i++) {
		stats->tier0 += stats->reason_tier0[i];
		stats->reason[i] += stats->reason_tier0[i];
		stats->exits += stats->reason[i];
	}
	stats->entries = stats->exits;
	stats->user_exits += stats->mmio_user;
}

void qvm_stats_init(void)
{
	qvm_debugfs = debugfs_create_dir("qvm", NULL);
	debugfs_create_atomic_t("vm_count", 0400, qvm_debugfs, &qvm_vm_count);
	debugfs_create_atomic_t("vcpu_count", 0400, qvm_debugfs, &qvm_vcpu_count);
	debugfs_create_file("pinned_pages", 0400, qvm_debugfs, NULL, &pinned_pages_fops);
	debugfs_create_file("mitigations", 0400, qvm_debugfs, NULL, &mitigations_fops);
	debugfs_create_file("vms", 0400, qvm_debugfs, NULL, &vms_fops);
	qvm_histogram_init(qvm_debugfs);
	qvm_irqsoff_init(qvm_debugfs);
}

void qvm_stats_fini(void)
{
	debugfs_remove(qvm_debugfs);
}
