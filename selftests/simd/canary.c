// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's registers while guests run, for tests (arm64): on each CPU a timer in hard interrupt and a
 * thread look whether those that the kernel does not change are what they were when this module was loaded.
 * What the timer interrupted in the kernel had interrupts open, hence a thread's PSTATE.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <asm/irq_regs.h>
#include <asm/sysreg.h>
#include <asm/virt.h>

#include "each_cpu.h"

#define PERIOD_NS	200000

#define PSTATE_FIXED	(PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | PSR_PAN_BIT | PSR_SSBS_BIT)
#define PSTATE_REG_PAN	sys_reg(3, 0, 4, 2, 3)
#define PSTATE_REG_SSBS	sys_reg(3, 3, 4, 2, 6)

/* At EL2 with E2H some of these names are EL2's registers. CNTHCTL_EL2.EL1P* may be a guest's, parked. */
#define CNTKCTL_GUESTS	(is_kernel_in_hyp_mode() ? BIT(10) | BIT(11) : 0)
#define el2_read(reg)	(is_kernel_in_hyp_mode() ? read_sysreg(reg) : 0)

#define ALWAYS(X)								\
	X(VBAR,		read_sysreg(vbar_el1))					\
	X(SCTLR,	read_sysreg(sctlr_el1))					\
	X(TCR,		read_sysreg(tcr_el1))					\
	X(MAIR,		read_sysreg(mair_el1))					\
	X(AMAIR,	read_sysreg(amair_el1))					\
	X(CPACR,	read_sysreg(cpacr_el1))					\
	X(CNTKCTL,	read_sysreg(cntkctl_el1) & ~CNTKCTL_GUESTS)		\
	X(HCR_EL2,	el2_read(hcr_el2))					\
	X(MDCR_EL2,	el2_read(mdcr_el2))
/* While a vCPU is loaded they may be the guest's; and a debugged thread's are its own. */
#define OF_THREAD(X)								\
	X(CSSELR,	read_sysreg(csselr_el1))				\
	X(TPIDR_EL0,	read_sysreg(tpidr_el0))					\
	X(TPIDRRO_EL0,	read_sysreg(tpidrro_el0))				\
	X(MDSCR,	read_sysreg(mdscr_el1))					\
	X(DBGBCR0,	read_sysreg(dbgbcr0_el1))				\
	X(DBGWCR0,	read_sysreg(dbgwcr0_el1))				\
	X(PSTATE,	pstate())

enum reg {
#define X(name, value) REG_##name,
	ALWAYS(X)
	OF_THREAD(X)
#undef X
	REG_COUNT,
};

static const char * const reg_name[REG_COUNT] = {
#define X(name, value) [REG_##name] = #name,
	ALWAYS(X)
	OF_THREAD(X)
#undef X
};

struct worker {
	struct hrtimer timer;
	u64 want[REG_COUNT];
};

static DEFINE_PER_CPU(struct worker, workers);
static atomic_long_t interrupts, inside, threads, mistakes;
static char first[80];

COUNT_PARAM(interrupts);
COUNT_PARAM(inside);	/* of them, of the kernel */
COUNT_PARAM(threads);
COUNT_PARAM(mistakes);
module_param_string(first, first, sizeof(first), 0444);

static bool has(u64 id, unsigned int shift, unsigned int least)
{
	return (id >> shift & 15) >= least;
}

static u64 pstate(void)
{
	u64 bits = read_sysreg(daif);

	if (has(read_sysreg(id_aa64mmfr1_el1), 20, 1))
		bits |= read_sysreg_s(PSTATE_REG_PAN);
	if (has(read_sysreg(id_aa64pfr1_el1), 4, 2))
		bits |= read_sysreg_s(PSTATE_REG_SSBS);
	return bits & PSTATE_FIXED;
}

static void look(struct worker *worker, enum reg reg, u64 got)
{
	if (got == worker->want[reg])
		return;
	if (atomic_long_inc_return(&mistakes) == 1)
		snprintf(first, sizeof(first), "%s is 0x%llx, not 0x%llx", reg_name[reg], got,
			 worker->want[reg]);
}

static enum hrtimer_restart timer_fires(struct hrtimer *timer)
{
	struct worker *worker = this_cpu_ptr(&workers);
	struct pt_regs *regs = get_irq_regs();

#define X(name, value) look(worker, REG_##name, value);
	ALWAYS(X)
#undef X
	atomic_long_inc(&interrupts);
	if (regs && !user_mode(regs)) {
		look(worker, REG_PSTATE, regs->pstate & PSTATE_FIXED);
		atomic_long_inc(&inside);
	}
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD_NS));
	return HRTIMER_RESTART;
}

static int thread_main(void *unused)
{
	struct worker *worker = this_cpu_ptr(&workers);

#define X(name, value) worker->want[REG_##name] = value;
	ALWAYS(X)
	OF_THREAD(X)
#undef X
	hrtimer_init(&worker->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	worker->timer.function = timer_fires;
	hrtimer_start(&worker->timer, ns_to_ktime(PERIOD_NS), HRTIMER_MODE_REL_PINNED_HARD);
	while (!kthread_should_stop()) {
#define X(name, value) look(worker, REG_##name, value);
		ALWAYS(X)
		OF_THREAD(X)
#undef X
		atomic_long_inc(&threads);
		usleep_range(200, 400);
	}
	hrtimer_cancel(&worker->timer);
	return 0;
}

static int __init canary_init(void)
{
	return each_cpu_start(thread_main, "canary/%u");
}

static void __exit canary_exit(void)
{
	each_cpu_stop();
}

module_init(canary_init);
module_exit(canary_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("looks at the host's registers all the time, for tests of qvm");
