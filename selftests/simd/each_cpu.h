/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread bound to each CPU, and counters as parameters: what the test modules share. */
#ifndef EACH_CPU_H
#define EACH_CPU_H

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/sysfs.h>

static int count_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(param->arg));
}

static const struct kernel_param_ops count_ops = { .get = count_get };

/* An atomic_long_t that is read under its name. */
#define COUNT_PARAM(name) module_param_cb(name, &count_ops, &(name), 0444)

static DEFINE_PER_CPU(struct task_struct *, each_cpu_thread);

static void each_cpu_stop(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu(each_cpu_thread, cpu))
			kthread_stop(per_cpu(each_cpu_thread, cpu));
}

/* @main until each_cpu_stop(), on each CPU that is online; @name has %u for the CPU. All or none, 0 or an errno. */
static int each_cpu_start(int (*main)(void *unused), const char *name)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct task_struct *thread = kthread_create_on_cpu(main, NULL, cpu, name);

		if (IS_ERR(thread)) {
			cpus_read_unlock();
			each_cpu_stop();
			return PTR_ERR(thread);
		}
		per_cpu(each_cpu_thread, cpu) = thread;
		wake_up_process(thread);
	}
	cpus_read_unlock();
	return 0;
}

#endif /* EACH_CPU_H */
