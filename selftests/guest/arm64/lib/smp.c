// SPDX-License-Identifier: GPL-2.0-only
/* Other CPUs. */
#include "gic.h"
#include "psci.h"

static void (*cpu_fn[CPU_MAX])(void);
static bool cpu_came[CPU_MAX];

unsigned int cpu_count(void)
{
	static unsigned int count;
	unsigned int n = 0;

	while (!count && !(read32(GICR(n) + GICR_TYPER) & GICR_TYPER_LAST))
		n++;
	if (!count)
		count = n + 1;
	return count;
}

/* From start.S. */
void secondary_main(unsigned int cpu);
void secondary_main(unsigned int cpu)
{
	mmu_enable();
	gic_cpu_init();
	__atomic_store_n(&cpu_came[cpu], true, __ATOMIC_RELEASE);
	cpu_fn[cpu]();
	psci_hvc(PSCI_CPU_OFF, 0, 0, 0);
	check(!"CPU_OFF came back");
}

static bool cpu_launch(unsigned int cpu, void (*fn)(void))
{
	cpu_fn[cpu] = fn;
	cpu_came[cpu] = false;
	dsb();
	return psci_hvc(PSCI_CPU_ON64, cpu_affinity(cpu), (u64)secondary_entry, cpu) == PSCI_SUCCESS;
}

static bool cpu_wait_on(unsigned int cpu)
{
	return wait_for(__atomic_load_n(&cpu_came[cpu], __ATOMIC_ACQUIRE), 10 * SECOND);
}

bool cpu_start(unsigned int cpu, void (*fn)(void))
{
	return cpu_launch(cpu, fn) && cpu_wait_on(cpu);
}

void cpu_start_all(void (*fn)(void))
{
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++)
		check(cpu_launch(cpu, fn));
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++)
		check(cpu_wait_on(cpu));
}

bool cpu_wait_off(unsigned int cpu)
{
	return wait_for(psci_state(cpu) == PSCI_IS_OFF, 10 * SECOND);
}

bool cpu_wait_all_off(void)
{
	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++) {
		if (!cpu_wait_off(cpu))
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
