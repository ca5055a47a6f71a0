// SPDX-License-Identifier: GPL-2.0-only
/* Other CPUs. */
#include "apic.h"

extern char trampoline[], trampoline_end[];

unsigned int cpu_count(void)
{
	static unsigned int count;

	if (!count)
		count = cpuid(0xb, 1).ebx;
	return count;
}

/* From start.S. */
void secondary_main(void);
void secondary_main(void)
{
	struct cpu *cpu = this_cpu();

	apic_enable();
	cpu->done = false;
	__atomic_store_n(&cpu->came, true, __ATOMIC_RELEASE);
	cpu->fn();
	irqs_disable();
	__atomic_store_n(&cpu->done, true, __ATOMIC_RELEASE);
}

void cpu_send_init(unsigned int cpu)
{
	apic_send(cpu, ICR_INIT | ICR_ASSERT);
}

void cpu_send_sipi(unsigned int cpu, u8 page)
{
	apic_send(cpu, ICR_SIPI | ICR_ASSERT | page);
}

static void cpu_launch(unsigned int cpu, void (*fn)(void))
{
	copy((void *)TRAMPOLINE, trampoline, trampoline_end - trampoline);
	cpus[cpu].fn = fn;
	cpus[cpu].came = cpus[cpu].done = false;
	barrier();
	cpu_send_init(cpu);
	cpu_send_sipi(cpu, TRAMPOLINE >> 12);
}

static bool cpu_wait_here(unsigned int cpu)
{
	return wait_for(__atomic_load_n(&cpus[cpu].came, __ATOMIC_ACQUIRE), 10 * SECOND);
}

bool cpu_start(unsigned int cpu, void (*fn)(void))
{
	cpu_launch(cpu, fn);
	return cpu_wait_here(cpu);
}

void cpu_start_all(void (*fn)(void))
{
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++)
		cpu_launch(cpu, fn);
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++)
		check(cpu_wait_here(cpu));
}

bool cpu_wait_done(unsigned int cpu)
{
	return wait_for(__atomic_load_n(&cpus[cpu].done, __ATOMIC_ACQUIRE), 10 * SECOND);
}

bool cpu_wait_all_done(void)
{
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++) {
		if (!cpu_wait_done(cpu))
			return false;
	}
	return true;
}

bool gate_pass(struct gate *gate, unsigned int count)
{
	unsigned int round = __atomic_load_n(&gate->passed, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&gate->arrived, 1, __ATOMIC_ACQ_REL) == count) {
		gate->arrived = 0;
		__atomic_store_n(&gate->passed, round + 1, __ATOMIC_RELEASE);
		return true;
	}
	return wait_for(__atomic_load_n(&gate->passed, __ATOMIC_ACQUIRE) != round, 10 * SECOND);
}
