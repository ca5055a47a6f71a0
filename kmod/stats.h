/* SPDX-License-Identifier: GPL-2.0-only */
/* What debugfs shows: /sys/kernel/debug/qvm/{vms,histograms,vm_count,vcpu_count,pinned_pages}. */
#ifndef QVM_STATS_H
#define QVM_STATS_H

#include <linux/seq_file.h>

struct qvm_vcpu;
struct qvm_vcpu_stats;

/* As at QVM_VCPU_STATS; any thread. core.h says what is counted. */
void qvm_vcpu_stats_get(const struct qvm_vcpu *vcpu, struct qvm_vcpu_stats *stats);

/* Pages that VMs hold pinned, over all VMs; 0 after the last close. */
extern atomic_long_t qvm_pinned_pages;

/* Create and remove the debugfs folder. Without debugfs nothing happens. */
void qvm_stats_init(void);
void qvm_stats_fini(void);

/* qvm_histogram_show() of each VM (vm.c: takes vms_mutex). */
void qvm_vm_histograms_show(struct seq_file *m);

/* One line a VM: id, name, state, vCPUs, pinned bytes (vm.c: takes vms_mutex). */
void qvm_vm_list_show(struct seq_file *m);

#endif /* QVM_STATS_H */
