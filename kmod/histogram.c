// SPDX-License-Identifier: GPL-2.0-only
/* What is shown of the histograms: see histogram.h. */
#include <linux/debugfs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "histogram.h"
#include "stats.h"

DEFINE_STATIC_KEY_FALSE(qvm_histograms);

struct sum {
	u64 count, max;
	u64 bucket[QVM_HISTOGRAM_BUCKETS];
};

static void sum_add(struct sum *sum, const struct qvm_histogram_row *row)
{
	unsigned int i;

	sum->max = max(sum->max, READ_ONCE(row->max));
	for (i = 0; i < QVM_HISTOGRAM_BUCKETS; i++) {
		u32 count = READ_ONCE(row->bucket[i]);

		sum->bucket[i] += count;
		sum->count += count;
	}
}

static void sum_reason(struct sum *sum, const struct qvm_vm *vm, unsigned int reason)
{
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < vm->max_vcpus; i++) {
		const struct qvm_vcpu *vcpu = READ_ONCE(vm->vcpu[i]);

		if (vcpu)
			sum_add(sum, &vcpu->histogram->row[reason]);
	}
}

/* The bucket that has the @nth of all, counted from 1. */
static unsigned int bucket_of(const struct sum *sum, u64 nth)
{
	unsigned int i;

	for (i = 0; i < QVM_HISTOGRAM_BUCKETS - 1 && nth > sum->bucket[i]; i++)
		nth -= sum->bucket[i];
	return i;
}

static u64 upper_bound(const struct sum *sum, u64 nth)
{
	return min(sum->max, BIT_ULL(bucket_of(sum, nth) + 1) - 1);
}

void qvm_histogram_show(struct seq_file *m, const struct qvm_vm *vm)
{
	struct sum *sum = kmalloc(sizeof(*sum), GFP_KERNEL);
	unsigned int reason;

	for (reason = 0; sum && reason < QVM_STATS_REASONS; reason++) {
		sum_reason(sum, vm, reason);
		if (sum->count)
			seq_printf(m, "%s\t%u %llu %llu %llu %llu %llu\n", vm->name, reason, sum->count,
				   BIT_ULL(bucket_of(sum, 1)), upper_bound(sum, (sum->count + 1) / 2),
				   upper_bound(sum, sum->count - sum->count / 100), sum->max);
	}
	kfree(sum);
}

static int histograms_show(struct seq_file *m, void *unused)
{
	qvm_vm_histograms_show(m);
	return 0;
}

static int histograms_open(struct inode *inode, struct file *file)
{
	return single_open(file, histograms_show, NULL);
}

static ssize_t histograms_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	bool on;
	int ret = kstrtobool_from_user(buf, size, &on);

	if (ret)
		return ret;
	if (on)
		static_branch_enable(&qvm_histograms);
	else
		static_branch_disable(&qvm_histograms);
	return size;
}

static const struct file_operations histograms_fops = {
	.owner = THIS_MODULE,
	.open = histograms_open,
	.read = seq_read,
	.write = histograms_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void qvm_histogram_init(struct dentry *folder)
{
	debugfs_create_file("histograms", 0600, folder, NULL, &histograms_fops);
}
