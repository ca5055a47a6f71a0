/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long exits take, by reason: from where the exit is counted to the next entry, whatever answers
 * it in between, in cycles of the architecture's counter. Off by default, and then two NOPs an exit.
 */
#ifndef QVM_HISTOGRAM_H
#define QVM_HISTOGRAM_H

#include <linux/bitops.h>
#include <linux/jump_label.h>

#include "core.h"
#include "cycles.h"

struct dentry;
struct seq_file;

#define QVM_HISTOGRAM_BUCKETS	32	/* n: 2^n cycles and more; the last has the rest */

struct qvm_histogram_row {
	u64 max;
	u32 bucket[QVM_HISTOGRAM_BUCKETS];
};

/* A vCPU's; its thread with interrupts off writes, anybody reads. */
struct qvm_histogram {
	u64 since;			/* 0: no exit is being answered */
	u32 reason;
	struct qvm_histogram_row row[QVM_STATS_REASONS];
};

DECLARE_STATIC_KEY_FALSE(qvm_histograms);

/* At an exit for @reason, as in qvm_vcpu_stats.reason, and at the next entry. noinstr. */
static __always_inline void qvm_histogram_begin(struct qvm_vcpu *vcpu, u32 reason)
{
	if (!static_branch_unlikely(&qvm_histograms))
		return;
	vcpu->histogram->reason = reason;
	vcpu->histogram->since = qvm_arch_cycles();
}

static __always_inline void qvm_histogram_end(struct qvm_vcpu *vcpu)
{
	struct qvm_histogram *histogram = vcpu->histogram;
	struct qvm_histogram_row *row;
	u64 cycles;

	if (!static_branch_unlikely(&qvm_histograms) || !histogram->since)
		return;
	cycles = qvm_arch_cycles() - histogram->since;
	histogram->since = 0;
	row = &histogram->row[histogram->reason];
	if (cycles > row->max)
		row->max = cycles;
	row->bucket[cycles >> (QVM_HISTOGRAM_BUCKETS - 1) ? QVM_HISTOGRAM_BUCKETS - 1 : __fls(cycles | 1)]++;
}

/*
 * File `histograms` in @folder: a write of 1 or 0 turns them on and off; a line for each VM and
 * reason: name, reason, count, then the least, median, 99th percentile and longest, of which the first
 * three are the bounds of a bucket.
 */
void qvm_histogram_init(struct dentry *folder);

/* The lines of a VM, of all its vCPUs; vms_mutex held. */
void qvm_histogram_show(struct seq_file *m, const struct qvm_vm *vm);

#endif /* QVM_HISTOGRAM_H */
