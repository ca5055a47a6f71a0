// SPDX-License-Identifier: GPL-2.0-only
/* The longest stretch with interrupts off, by pCPU. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/timex.h>

#include "irqsoff.h"

struct stretch {
	u64 length;			/* of get_cycles() */
	unsigned long from, to;
};

struct irqsoff {
	u64 since;			/* 0: interrupts are on, or not off by us */
	unsigned long from;
	struct stretch longest;
};

static DEFINE_PER_CPU(struct irqsoff, irqsoff);

noinstr void qvm_irqsoff_begin(unsigned long ip)
{
	struct irqsoff *this = raw_cpu_ptr(&irqsoff);

	this->from = ip;
	this->since = get_cycles();
}

noinstr void qvm_irqsoff_end(unsigned long ip)
{
	struct irqsoff *this = raw_cpu_ptr(&irqsoff);
	u64 length = get_cycles() - this->since;

	if (this->since && length > this->longest.length)
		this->longest = (struct stretch){ length, this->from, ip };
	this->since = 0;
}

static int irqsoff_show(struct seq_file *m, void *unused)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct stretch *s = &per_cpu_ptr(&irqsoff, cpu)->longest;

		if (s->length)
			seq_printf(m, "cpu%d: longest %llu from %pS to %pS\n", cpu, s->length,
				   (void *)s->from, (void *)s->to);
	}
	return 0;
}

static int irqsoff_open(struct inode *inode, struct file *file)
{
	return single_open(file, irqsoff_show, NULL);
}

static ssize_t irqsoff_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu_ptr(&irqsoff, cpu)->longest.length = 0;
	return size;
}

static const struct file_operations irqsoff_fops = {
	.owner = THIS_MODULE,
	.open = irqsoff_open,
	.read = seq_read,
	.write = irqsoff_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void qvm_irqsoff_init(struct dentry *folder)
{
	debugfs_create_file("irqsoff", 0600, folder, NULL, &irqsoff_fops);
}
