/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: the test says which CPU this is, and how many there are. */
#ifndef FAKE_LINUX_PERCPU_H
#define FAKE_LINUX_PERCPU_H

#define FAKE_CPUS	4

__attribute__((weak)) int fake_cpu;

#define __percpu
#define DEFINE_PER_CPU(type, name)	__typeof__(type) name[FAKE_CPUS]
#define per_cpu(name, cpu)		((name)[cpu])
#define this_cpu_ptr(p)			(&(p)[fake_cpu])
#define __this_cpu_read(name)		((name)[fake_cpu])
#define __this_cpu_write(name, value)	((name)[fake_cpu] = (value))
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < FAKE_CPUS; (cpu)++)
#define alloc_percpu_gfp(type, gfp)	kcalloc(FAKE_CPUS, sizeof(type), gfp)
#define free_percpu(p)			kfree(p)

#endif
