// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic timer of a guest (Arm ARM D11). The host of a VHE machine ticks by CNTHP and leaves
 * the EL1 virtual timer free: while a vCPU is loaded it has CNTV for itself, and the timer's PPI
 * reaches it through a list register with HW=1.
 *
 * The physical interrupt is forwarded (irq_set_vcpu_affinity) for as long as the module is loaded:
 * the host's handler only drops its priority, and it stays active, hence silent, until the
 * guest deactivates the virtual one. What a pCPU's redistributor has for active is set at each
 * load from what the vCPU has, and cleared when the thread leaves for good; a preempted one
 * leaves it, with CNTV stopped, for the next load there to set right: under the scheduler's rq
 * lock the interrupt's descriptor can't be locked.
 *
 * The EL1 physical timer is emulated by an hrtimer.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/sysreg.h>
#include <clocksource/arm_arch_timer.h>

#include "arm64.h"
#include "compat.h"
#include "el2_regs.h"
#include "nvhe/nvhe.h"

#include <qvm_vdev.h>

#define CTL_ENABLE	BIT(0)
#define CTL_IMASK	BIT(1)
#define CTL_ISTATUS	BIT(2)

#define CNTHCTL_GUEST	(CNTHCTL_E2H_EL1PCTEN | CNTHCTL_E2H_EL1PTEN)

#define TICKS_MAX	(1ULL << 48)	/* farther deadlines are looked at again then */

static unsigned int vtimer_virq, maint_virq;

/*
 * What the hardware's counter lost over suspends: it is specified to run on, and a guest then sees
 * the time that passed; where it does not, a guest's time goes on from where it was.
 */
u64 arm64_counter_lost;
static u64 counter_at_suspend;

static u32 vtimer_hwirq;

static DEFINE_PER_CPU(struct qvm_vcpu *, loaded_vcpu);

/*
 * CPUs and chips without VHE have errata of their counters: the kernel's own reader has the
 * remedies. It is CNTPCT's wherever the virtual timer is left to us.
 */
u64 arm64_counter(void)
{
	if (arm64_is_nvhe())
		return arch_timer_read_counter() + READ_ONCE(arm64_counter_lost);
	isb();		/* not read ahead of what came before */
	return read_sysreg(cntpct_el0) + READ_ONCE(arm64_counter_lost);
}

/* CNTV: a VHE host has it by another name, for by its own it has CNTHV. */
static __always_inline u64 cntv_ctl_read(void)
{
	return arm64_is_nvhe() ? read_sysreg(cntv_ctl_el0) : read_sysreg_s(SYS_CNTV_CTL_EL02);
}

static __always_inline void cntv_ctl_write(u64 ctl)
{
	if (arm64_is_nvhe())
		write_sysreg(ctl, cntv_ctl_el0);
	else
		write_sysreg_s(ctl, SYS_CNTV_CTL_EL02);
}

static __always_inline u64 cntv_cval_read(void)
{
	return arm64_is_nvhe() ? read_sysreg(cntv_cval_el0) : read_sysreg_s(SYS_CNTV_CVAL_EL02);
}

static __always_inline void cntv_cval_write(u64 cval)
{
	if (arm64_is_nvhe())
		write_sysreg(cval, cntv_cval_el0);
	else
		write_sysreg_s(cval, SYS_CNTV_CVAL_EL02);
}

/*
 * CNTVOFF_EL2 is the guest's while its vCPU is loaded. The host's kernel has its time from CNTPCT,
 * its user space from CNTVCT, but never in between.
 */
static void cntvoff_write(u64 offset)
{
	if (arm64_is_nvhe())
		arm64_nvhe_call(EL2_CNTVOFF, offset, 0);
	else
		write_sysreg(offset, cntvoff_el2);
}

noinstr bool arm64_vtimer_level(struct qvm_vcpu *vcpu)
{
	u64 ctl = cntv_ctl_read();

	return (ctl & (CTL_ENABLE | CTL_IMASK | CTL_ISTATUS)) == (CTL_ENABLE | CTL_ISTATUS);
}

/* ---- the physical interrupts ---- */

/*
 * What this pCPU's redistributor has for active when no vCPU is loaded; true where that is not
 * known. In between it follows the guest: the host's handler leaves it active, the guest's
 * deactivation ends it, and then so is what qvm_vgic_hw_busy() says. Writing it is slow, and
 * seldom needed.
 */
static DEFINE_PER_CPU(bool, phys_active);

/*
 * A GIC may signal an interrupt for a while after its line has fallen. One that comes after its
 * vCPU was put is nobody's, and being forwarded it stays active.
 */
static irqreturn_t vtimer_interrupt(int irq, void *dev)
{
	struct qvm_vcpu *vcpu = __this_cpu_read(loaded_vcpu);

	if (!vcpu)
		__this_cpu_write(phys_active, true);
	else if (vcpu->arch.vtimer.intid)
		qvm_vgic_set_own(vcpu, vcpu->arch.vtimer.intid, true);
	return IRQ_HANDLED;
}

/* Its work is done by the exit that it caused: ICH_HCR_EL2 is off before interrupts open. */
static irqreturn_t maint_interrupt(int irq, void *dev)
{
	return IRQ_HANDLED;
}

/*
 * Preemption off. The read waits until the write has arrived: the guest's deactivation by its list
 * register, which goes another way, must not overtake it (older kernels only post it).
 */
static void phys_set_active(bool active)
{
	unsigned long flags;
	bool now;

	if (__this_cpu_read(phys_active) == active)
		return;
	local_irq_save(flags);
	irq_set_irqchip_state(vtimer_virq, IRQCHIP_STATE_ACTIVE, active);
	irq_get_irqchip_state(vtimer_virq, IRQCHIP_STATE_ACTIVE, &now);
	__this_cpu_write(phys_active, active);
	local_irq_restore(flags);
}

/* A board without a line for it: active for good, it never fires. */
static bool phys_wanted(struct qvm_vcpu *vcpu)
{
	return !vcpu->arch.vtimer.intid || qvm_vgic_hw_busy(vcpu, vcpu->arch.vtimer.intid);
}

static int irq_take(unsigned int virq, irq_handler_t handler, const char *name, void __percpu *dev)
{
	bool taken;

	if (!virq)
		return -ENODEV;
	/* Enabled already: somebody has it. Asking so keeps the host's log quiet. */
	preempt_disable();
	taken = irq_percpu_is_enabled(virq);
	preempt_enable();
	if (taken)
		return -EBUSY;
	return request_percpu_irq(virq, handler, name, dev);
}

int arm64_vtimer_init(void)
{
	struct irq_data *data;
	int ret;

	vtimer_virq = arm64_ppi_vtimer();
	maint_virq = arm64_ppi_maintenance();
	ret = irq_take(vtimer_virq, vtimer_interrupt, "qvm virtual timer", &loaded_vcpu);
	if (ret)
		return ret;
	ret = irq_take(maint_virq, maint_interrupt, "qvm maintenance", &loaded_vcpu);
	if (ret)
		goto free_vtimer;
	for (data = irq_get_irq_data(vtimer_virq); data->parent_data; data = data->parent_data)
		;
	vtimer_hwirq = data->hwirq;
	arm64_ack_init(data);
	ret = irq_set_vcpu_affinity(vtimer_virq, &vtimer_hwirq);
	if (!ret)
		return 0;
	free_percpu_irq(maint_virq, &loaded_vcpu);
free_vtimer:
	free_percpu_irq(vtimer_virq, &loaded_vcpu);
	return ret;
}

void arm64_vtimer_fini(void)
{
	irq_set_vcpu_affinity(vtimer_virq, NULL);
	free_percpu_irq(maint_virq, &loaded_vcpu);
	free_percpu_irq(vtimer_virq, &loaded_vcpu);
}

/* No vCPU is loaded on any pCPU. */
void arm64_vtimer_suspend(void)
{
	counter_at_suspend = arm64_counter();
}

void arm64_vtimer_resume(void)
{
	u64 now = arm64_counter();

	if (now < counter_at_suspend)
		WRITE_ONCE(arm64_counter_lost, arm64_counter_lost + counter_at_suspend - now);
}

/*
 * A redistributor comes up with its PPIs disabled: at each onlining again. After kexec from a crash
 * the timer may be as the old kernel's guest had it.
 */
void arm64_vtimer_cpu_up(void)
{
	cntv_ctl_write(0);
	isb();
	__this_cpu_write(phys_active, true);	/* not known */
	phys_set_active(false);
	enable_percpu_irq(vtimer_virq, IRQ_TYPE_NONE);
	enable_percpu_irq(maint_virq, IRQ_TYPE_NONE);
}

/* Its redistributor may have lost power, too. */
void arm64_vtimer_cpu_wakes(void)
{
	__this_cpu_write(phys_active, true);
}

void arm64_vtimer_cpu_down(void)
{
	disable_percpu_irq(maint_virq);
	disable_percpu_irq(vtimer_virq);
	phys_set_active(false);
}

/* ---- the virtual timer ---- */

void arm64_vtimer_load(struct qvm_vcpu *vcpu)
{
	struct arm64_timer *timer = &vcpu->arch.vtimer;

	__this_cpu_write(loaded_vcpu, vcpu);
	phys_set_active(phys_wanted(vcpu));

	/* CNTP and CNTPCT trap; the other fields are the host's. nVHE: by each entry. */
	if (!arm64_is_nvhe()) {
		vcpu->arch.host.cnthctl = read_sysreg(cnthctl_el2);
		write_sysreg(vcpu->arch.host.cnthctl & ~CNTHCTL_GUEST, cnthctl_el2);
	}
	cntvoff_write(READ_ONCE(vcpu->vm->arch.cntvoff) - READ_ONCE(arm64_counter_lost));
	cntv_cval_write(timer->cval);
	isb();
	cntv_ctl_write(timer->ctl);
}

void arm64_vtimer_put(struct qvm_vcpu *vcpu)
{
	struct arm64_timer *timer = &vcpu->arch.vtimer;

	timer->ctl = cntv_ctl_read() & (CTL_ENABLE | CTL_IMASK);
	cntv_ctl_write(0);
	isb();		/* the line is low before anything else of this vCPU goes */
	timer->cval = cntv_cval_read();
	cntvoff_write(0);
	if (!arm64_is_nvhe())	/* but for these the host may have written it meanwhile */
		write_sysreg(read_sysreg(cnthctl_el2) | (vcpu->arch.host.cnthctl & CNTHCTL_GUEST),
			     cnthctl_el2);
	__this_cpu_write(phys_active, phys_wanted(vcpu));
	__this_cpu_write(loaded_vcpu, NULL);
}

void arm64_vtimer_settle(struct qvm_vcpu *vcpu)
{
	phys_set_active(false);
}

static bool timer_fires(const struct arm64_timer *timer)
{
	return (timer->ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE && timer->intid;
}

static u64 ticks_to_ns(u64 ticks)
{
	return mul_u64_u32_div(min(ticks, TICKS_MAX), NSEC_PER_SEC, read_sysreg(cntfrq_el0));
}

/* Asleep, not loaded: what CNTV would do. */
void arm64_vtimer_block(struct qvm_vcpu *vcpu)
{
	const struct arm64_timer *timer = &vcpu->arch.vtimer;
	u64 now = arm64_guest_counter(vcpu);

	if (!timer_fires(timer))
		return;
	if (now >= timer->cval)
		qvm_vgic_set_own(vcpu, timer->intid, true);
	else
		hrtimer_start(&vcpu->arch.wake_timer, ns_to_ktime(ticks_to_ns(timer->cval - now)),
			      HRTIMER_MODE_REL_HARD);
}

void arm64_vtimer_unblock(struct qvm_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->arch.wake_timer);
}

static enum hrtimer_restart wake_expired(struct hrtimer *hrtimer)
{
	struct qvm_vcpu *vcpu = container_of(hrtimer, struct qvm_vcpu, arch.wake_timer);
	u64 now = arm64_guest_counter(vcpu);

	if (now >= vcpu->arch.vtimer.cval) {
		qvm_vgic_set_irq(vcpu->vm, vcpu, vcpu->arch.vtimer.intid, true);
		return HRTIMER_NORESTART;
	}
	/* The host's clock and the counter disagree by a little, or the deadline was very far. */
	hrtimer_forward_now(hrtimer, ns_to_ktime(ticks_to_ns(vcpu->arch.vtimer.cval - now) + 1));
	return HRTIMER_RESTART;
}

/* ---- the physical timer ---- */

static bool ptimer_expired(const struct qvm_vcpu *vcpu)
{
	return arm64_guest_counter(vcpu) >= vcpu->arch.ptimer.cval;
}

static enum hrtimer_restart ptimer_fired(struct hrtimer *hrtimer)
{
	struct qvm_vcpu *vcpu = container_of(hrtimer, struct qvm_vcpu, arch.ptimer_timer);
	u64 cval = READ_ONCE(vcpu->arch.ptimer.cval), now = arm64_guest_counter(vcpu);

	if (now < cval) {
		hrtimer_forward_now(hrtimer, ns_to_ktime(ticks_to_ns(cval - now) + 1));
		return HRTIMER_RESTART;
	}
	qvm_vgic_set_irq(vcpu->vm, vcpu, vcpu->arch.ptimer.intid, true);
	return HRTIMER_NORESTART;
}

/* The guest wrote a register of it: the line follows, and the deadline. */
static void ptimer_update(struct qvm_vcpu *vcpu)
{
	struct arm64_timer *timer = &vcpu->arch.ptimer;
	u64 now;

	hrtimer_cancel(&vcpu->arch.ptimer_timer);
	if (!timer->intid)
		return;
	now = arm64_guest_counter(vcpu);
	qvm_vgic_set_own(vcpu, timer->intid, timer_fires(timer) && now >= timer->cval);
	if (timer_fires(timer) && now < timer->cval)
		hrtimer_start(&vcpu->arch.ptimer_timer, ns_to_ktime(ticks_to_ns(timer->cval - now)),
			      HRTIMER_MODE_REL_HARD);
}

static u64 ptimer_read(struct qvm_vcpu *vcpu, unsigned int op2)
{
	const struct arm64_timer *timer = &vcpu->arch.ptimer;

	switch (op2) {
	case 0:
		return (u32)(timer->cval - arm64_guest_counter(vcpu));
	case 1:
		return timer->ctl |
		       (timer->ctl & CTL_ENABLE && ptimer_expired(vcpu) ? CTL_ISTATUS : 0);
	default:
		return timer->cval;
	}
}

static void ptimer_write(struct qvm_vcpu *vcpu, unsigned int op2, u64 value)
{
	struct arm64_timer *timer = &vcpu->arch.ptimer;

	switch (op2) {
	case 0:
		WRITE_ONCE(timer->cval, arm64_guest_counter(vcpu) + (s32)value);
		break;
	case 1:
		timer->ctl = value & (CTL_ENABLE | CTL_IMASK);
		break;
	default:
		WRITE_ONCE(timer->cval, value);
		break;
	}
	ptimer_update(vcpu);
}

bool arm64_vtimer_sys(struct qvm_vcpu *vcpu, u32 encoding, bool is_write, u64 *value)
{
	unsigned int op2 = encoding & 7;

	if (encoding == SYSREG(3, 3, 14, 0, 1)) {	/* CNTPCT_EL0 */
		*value = arm64_guest_counter(vcpu);
		return !is_write;
	}
	/* CNTP_TVAL_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0 */
	if ((encoding & ~7) != SYSREG(3, 3, 14, 2, 0) || op2 > 2)
		return false;
	if (is_write)
		ptimer_write(vcpu, op2, *value);
	else
		*value = ptimer_read(vcpu, op2);
	return true;
}

/* ---- life ---- */

void arm64_vtimer_vcpu_init(struct qvm_vcpu *vcpu)
{
	qvm_hrtimer_setup(&vcpu->arch.wake_timer, wake_expired, HRTIMER_MODE_REL_HARD);
	qvm_hrtimer_setup(&vcpu->arch.ptimer_timer, ptimer_fired, HRTIMER_MODE_REL_HARD);
}

void arm64_vtimer_reset(struct qvm_vcpu *vcpu)
{
	vcpu->arch.vtimer.ctl = 0;
	vcpu->arch.ptimer.ctl = 0;
	if (vcpu->arch.vtimer.intid)
		qvm_vgic_set_own(vcpu, vcpu->arch.vtimer.intid, false);
	ptimer_update(vcpu);
}

void arm64_vtimer_vcpu_fini(struct qvm_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->arch.wake_timer);
	hrtimer_cancel(&vcpu->arch.ptimer_timer);
}

int arm64_vtimer_assemble(struct qvm_vcpu *vcpu)
{
	const u32 *intid = vcpu->vm->arch.timer_intid;

	vcpu->arch.vtimer.intid = intid[QVM_TIMER_VIRT];
	vcpu->arch.ptimer.intid = intid[QVM_TIMER_PHYS];
	if (!vcpu->arch.vtimer.intid)
		return 0;
	return qvm_vgic_map_hw(vcpu, vcpu->arch.vtimer.intid, vtimer_hwirq,
			       arm64_vtimer_level);
}
