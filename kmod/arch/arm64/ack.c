// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical interrupts that end a guest and that are for the guest: taken from the GIC where the exit is
 * answered (tier 0b), not by the host's interrupt path. They are the virtual timer's, and the SGI by
 * which one vCPU's thread kicks another's.
 *
 * ICC_IAR1_EL1 takes whatever is best at that moment, and between the look at ICC_HPPIR1_EL1 and it an
 * interrupt may overtake what was seen: an SGI of another pCPU, say, of equal priority and lower
 * number. Nothing is lost by it:
 *  - 1023 (IHI 0069, 4.8): what was pending is not any more. Nothing was acknowledged, the host
 *    finds out for itself.
 *  - The timer's: its line is up for as long as the guest's CNTV says so, which nothing changes here.
 *    Priority drop by EOIR1, and it stays active, hence silent, until the guest deactivates the
 *    virtual one by the list register's HW bit, or the flush does because the line fell (vgic.c).
 *    That is the state in which the host's own path leaves it, since it is forwarded.
 *  - A kick: all that the host's handler would do is look whether the thread shall be scheduled
 *    away. If it shall, or anything else is asked of it, the SGI is given back.
 *  - Another one: given back. What was seen is pending still, and the host takes both.
 * A running priority never stays behind: each acknowledgement here is followed by its EOIR1. What
 * follows sees that at the latest by the ISB of the next entry, or by the exception that is the
 * host's next interrupt; a deactivation here waits for it.
 *
 * Where the kernel masks by priority (pseudo-NMI), and where IAR1 needs more than a read (errata.c),
 * the host's path is the only one. EOImode is 1 on a host at EL2, or the guest could not have the
 * deactivation.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/time64.h>
#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "vgic_state.h"
#include "vgic_v3.h"

#define ICC_CTLR_EOIMODE	BIT(1)	/* EOIR1 drops the priority, DIR deactivates */
#define GIC_SGI_COUNT	16
#define GIC_SPECIAL	1020	/* 1020 … 1023 are no interrupts; above are extended PPIs and SPIs */
#define GIC_SPECIAL_END	1023
#define GIC_LPIS	8192
#define NO_SGI		~0U

static unsigned int irq_ack = 1;
module_param(irq_ack, uint, 0644);
MODULE_PARM_DESC(irq_ack, "interrupts for the guest are acknowledged at the exit that they cause (default 1); 0: by the host's handler; 2: every interrupt is, and given back (test)");

static struct irq_domain *gic_domain;	/* by INTID */
static u32 vtimer_hwirq;
static u32 kick_sgi = NO_SGI;		/* the host's reschedule interrupt, where it is known */
static bool ack_is_possible;

void arm64_ack_init(const struct irq_data *vtimer)
{
	gic_domain = vtimer->domain;
	vtimer_hwirq = vtimer->hwirq;
	ack_is_possible = read_sysreg_s(SYS_ICC_CTLR_EL1) & ICC_CTLR_EOIMODE &&
			  !system_uses_irq_prio_masking();
}

/* ---- which SGI the host kicks with: its own affair, so it is made to send one ---- */

#define LOOK_MS		2

struct look {
	struct task_struct *victim;	/* who to kick, once it looks */
	u32 seen;
	bool done;
};

/* On another pCPU, interrupts off. What comes is looked at, not taken: the host has it after this. */
static void look_for_sgi(void *arg)
{
	struct look *look = arg;
	u64 end = read_sysreg(cntpct_el0) + read_sysreg(cntfrq_el0) / MSEC_PER_SEC * LOOK_MS;
	u32 seen = read_sysreg_s(SYS_ICC_HPPIR1_EL1);

	if (seen >= GIC_SPECIAL) {
		smp_store_release(&look->victim, current);
		do {
			cpu_relax();
			isb();
			seen = read_sysreg_s(SYS_ICC_HPPIR1_EL1);
		} while (seen >= GIC_SPECIAL && read_sysreg(cntpct_el0) < end);
	} else {
		seen = NO_SGI;		/* something is pending already */
	}
	look->seen = seen < GIC_SGI_COUNT ? seen : NO_SGI;
	smp_store_release(&look->done, true);
}

static u32 look_at_kick(int cpu)
{
	struct task_struct *victim = NULL;
	struct look look = { .seen = NO_SGI };

	if (smp_call_function_single(cpu, look_for_sgi, &look, false))
		return NO_SGI;
	while (!smp_load_acquire(&look.done)) {
		if (!victim) {
			victim = smp_load_acquire(&look.victim);
			if (victim)	/* stays on its pCPU until that is done */
				kick_process(victim);
		}
		cpu_relax();
	}
	return look.seen;
}

/*
 * Three times in a row alike, for another one may come meanwhile; and the first SGI, as in all kernels up
 * to now: were it that of a function call, again and again, then taking it would leave its caller
 * waiting for ever. Where there is one pCPU, or no end of others, kicks are left to the host.
 */
void arm64_ack_probe(void)
{
	unsigned int cpu, tries, alike = 0;
	u32 seen = NO_SGI, now;

	if (!ack_is_possible)
		return;
	cpus_read_lock();
	preempt_disable();
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	for (tries = 0; tries < 20 && alike < 3 && cpu < nr_cpu_ids; tries++) {
		now = look_at_kick(cpu);
		alike = now == NO_SGI ? 0 : now == seen ? alike + 1 : 1;
		seen = now;
	}
	preempt_enable();
	cpus_read_unlock();
	if (alike == 3 && seen == 0)
		WRITE_ONCE(kick_sgi, seen);
}

/* ---- at the exit ---- */

/*
 * An interrupt that we acknowledged and that is the host's: as if nobody had. Its priority was dropped.
 * Deactivated, a level is pending by its line; what is edge-triggered, an SGI or an LPI (which has
 * no active state) is made pending again, and merges with one that came meanwhile as it would have in
 * the GIC. The host takes it as soon as it opens its interrupts.
 */
static void irq_give_back(u32 intid)
{
	unsigned int virq = irq_find_mapping(gic_domain, intid);
	struct irq_data *data = virq ? irq_get_irq_data(virq) : NULL;

	if (intid < GIC_LPIS) {
		write_sysreg_s(intid, SYS_ICC_DIR_EL1);
		isb();
	}
	if (data && (intid < GIC_SGI_COUNT || intid >= GIC_LPIS || !irqd_is_level_type(data)))
		irq_set_irqchip_state(virq, IRQCHIP_STATE_PENDING, true);
}

/* The SGI of a kick. False: the host has to take it. */
static bool take_kick(struct qvm_vcpu *vcpu, u32 intid)
{
	if (!qvm_vcpu_take_kick(vcpu)) {
		irq_give_back(intid);
		return false;
	}
	write_sysreg_s(intid, SYS_ICC_DIR_EL1);
	return true;
}

/* The virtual timer's line rose. It may have fallen since: then the flush asks, and deactivates. */
static void take_timer(struct qvm_vcpu *vcpu)
{
	u32 ppi = vcpu->arch.vtimer.intid;

	if (unlikely(!arm64_vtimer_level(vcpu) || !qvm_vgic_deliver_own(vcpu, ppi)))
		qvm_vgic_set_own(vcpu, ppi, true);
}

static __always_inline bool may_ack(void)
{
	return READ_ONCE(irq_ack) && ack_is_possible && !arm64_has_fix(ARM64_FIX_IAR);
}

/* The guest ended the timer's interrupt and it comes again: the list register is as before. */
noinstr bool arm64_timer_again(struct qvm_vcpu *vcpu)
{
	const struct vgic_vcpu *vgv = vcpu->arch.vgic;
	u32 intid;

	if (!vgv || !vgv->cpu.again || !qvm_tier0 || !may_ack())
		return false;
	if ((read_sysreg_s(SYS_ICC_HPPIR1_EL1) != vtimer_hwirq && READ_ONCE(irq_ack) != 2) ||
	    !vgic_v3_is_done(&vgv->cpu) || !arm64_vtimer_level(vcpu))
		return false;
	intid = read_sysreg_s(SYS_ICC_IAR1_EL1);
	dsb(sy);
	if (unlikely(intid != vtimer_hwirq)) {
		vcpu->arch.exit.acked = 1 + intid;
		return false;
	}
	write_sysreg_s(intid, SYS_ICC_EOIR1_EL1);
	vgic_v3_again(&vgv->cpu);
	return true;
}

/* What was acknowledged: true if it was for the guest. */
static bool take(struct qvm_vcpu *vcpu, u32 intid)
{
	if (unlikely(intid >= GIC_SPECIAL && intid <= GIC_SPECIAL_END))
		return false;
	write_sysreg_s(intid, SYS_ICC_EOIR1_EL1);
	if (intid == vtimer_hwirq) {
		take_timer(vcpu);
		return true;
	}
	isb();
	if (intid == kick_sgi && READ_ONCE(irq_ack) == 1)
		return take_kick(vcpu, intid);
	irq_give_back(intid);
	return false;
}

bool arm64_irq_ack(struct qvm_vcpu *vcpu)
{
	u32 seen, intid = vcpu->arch.exit.acked;

	if (unlikely(intid)) {
		vcpu->arch.exit.acked = 0;
		return take(vcpu, intid - 1);
	}
	if (!qvm_tier0 || !may_ack() || !vcpu->arch.vtimer.intid)
		return false;
	seen = read_sysreg_s(SYS_ICC_HPPIR1_EL1);
	if (seen != vtimer_hwirq && seen != kick_sgi && READ_ONCE(irq_ack) != 2)
		return false;
	intid = read_sysreg_s(SYS_ICC_IAR1_EL1);
	dsb(sy);		/* acknowledged before anything that follows (IHI 0069, 4.4) */
	return take(vcpu, intid);
}
