// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual GIC: what is pending where, and what of it goes into the list registers.
 *
 * Locks. There is one, vgic->lock, a leaf: nothing is locked, woken or kicked under it, and only
 * hw_level() is called out. Interrupts are off while it is held.
 *
 *	vcpu->mutex > vgic->lock			kicks go out after it
 *
 * One lock for a VM, because every hold is short whatever a guest has done: a queue is ordered
 * by insertion into three levels of bitmaps (constant time), so that flush looks at no more
 * interrupts than there are list registers, sync likewise, and a register access at 32
 * interrupts. load, put, has_pending and a flush or sync with nothing to do take no lock.
 *
 * List registers hold state from flush to sync only: a vCPU that is out of the guest has all of
 * its state here. In between an interrupt is `listed`, its home does not change, and whoever
 * changes it marks what sync must not overwrite and makes that vCPU leave the guest once.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <asm/processor.h>

#include "core.h"
#include "vgic.h"
#include "vgic_queue.h"
#include "vgic_state.h"

/* As IHI 0069 has them in GICD_IROUTER<n>. */
#define IROUTER_AFF0		GENMASK_ULL(7, 0)
#define IROUTER_AFF1		GENMASK_ULL(15, 8)
#define IROUTER_ANY		BIT_ULL(31)
#define IROUTER_HIGH		(GENMASK_ULL(39, 32) | GENMASK_ULL(23, 16))	/* Aff3, Aff2 */
#define AFF0_COUNT		16

/*
 * How long a register access waits for another vCPU to leave the guest. The kick makes it leave, and it
 * can't be preempted before it has synced: this is only for a pCPU that is gone.
 */
#define EVICT_JIFFIES		(HZ / 2)

const struct vgic_cpuif *vgic_host_cpuif;

/* ---- where an interrupt belongs */

struct vgic_irq *vgic_find_irq(struct vgic *vgic, struct vgic_vcpu *owner, unsigned int intid)
{
	if (intid < VGIC_PRIVATE)
		return owner ? &owner->irq[intid] : NULL;
	return intid < vgic->lines ? &vgic->spi[intid - VGIC_PRIVATE] : NULL;
}

static struct vgic_queue *irq_queue(struct vgic_irq *irq)
{
	return irq->queue == VGIC_QUEUE_READY ? &irq->home->ready : &irq->home->active;
}

/* While it is active that with which it was taken: its end drops that one from the running ones. */
static u8 vgic_irq_prio(const struct vgic_irq *irq)
{
	return irq->active ? irq->taken_prio : irq->prio;
}

void vgic_irq_update(struct vgic_irq *irq, struct vgic_kicks *kicks)
{
	u8 bucket = vgic_irq_prio(irq) >> VGIC_PRIO_SHIFT << 1 | irq->group1;
	struct vgic_vcpu *home = NULL;
	u8 queue = VGIC_QUEUE_NONE;

	if (irq->listed) {
		kicks->evict |= BIT_ULL(irq->home->index);
		return;
	}
	if (irq->active) {
		/* it stays with the vCPU that took it, wherever it is routed now */
		home = irq->home ?: irq->target;
		queue = home ? VGIC_QUEUE_ACTIVE : VGIC_QUEUE_NONE;
	} else if (irq->enabled && vgic_irq_is_pending(irq)) {
		home = irq->target;
		queue = home ? VGIC_QUEUE_READY : VGIC_QUEUE_NONE;
	}
	if (queue == irq->queue && home == irq->home && bucket == irq->bucket)
		return;
	if (irq->queue != VGIC_QUEUE_NONE)
		queue_remove(irq_queue(irq), irq->home->vgic->words, irq->bucket, irq->intid);
	irq->queue = queue;
	irq->home = home;
	irq->bucket = bucket;
	if (queue != VGIC_QUEUE_NONE)
		queue_insert(irq_queue(irq), home->vgic->words, bucket, irq->intid);
	if (queue == VGIC_QUEUE_READY)
		kicks->wake |= BIT_ULL(home->index);
}

void vgic_irq_write_line(struct vgic_irq *irq, bool level)
{
	struct vgic_vcpu *owner = irq->target;
	u32 up;

	WRITE_ONCE(irq->line, level);
	if (!irq->hw)
		return;
	up = owner->hw_up & ~BIT(irq->intid);
	WRITE_ONCE(owner->hw_up, level ? up | BIT(irq->intid) : up);
}

void vgic_irq_set_latch(struct vgic_irq *irq, bool latch)
{
	irq->latch = latch;
	if (irq->listed)
		irq->repend = latch;
}

/* The guest is done with an interrupt that it took. */
static void vgic_irq_ended(struct vgic_irq *irq)
{
	if (!irq->resample || !irq->home)
		return;
	WRITE_ONCE(irq->line, false);
	qvm_irqfd_ended(irq->home->vcpu->vm, irq->intid);
}

void vgic_irq_set_active(struct vgic_irq *irq, bool active)
{
	if (irq->active && !active)
		vgic_irq_ended(irq);
	if (!irq->active)
		irq->taken_prio = irq->prio;
	irq->active = active;
	if (irq->listed)
		irq->active_set = true;
}

void vgic_find_any(struct vgic *vgic)
{
	unsigned int i;

	for (i = 0; i < vgic->vcpu_end; i++) {
		if (vgic->vcpu[i] && !vgic->vcpu[i]->asleep)
			break;
	}
	vgic->any = vgic->vcpu[i < vgic->vcpu_end ? i : 0];
}

struct vgic_vcpu *vgic_affine_target(struct vgic *vgic, u64 aff1, u64 aff0)
{
	u64 index = aff1 * AFF0_COUNT + aff0;

	return aff0 < AFF0_COUNT && index < vgic->vcpu_end ? vgic->vcpu[index] : NULL;
}

void vgic_irq_set_route(struct vgic_irq *irq, u64 route, struct vgic *vgic)
{
	irq->route = route;
	if (route & IROUTER_ANY)
		irq->target = vgic->any;
	else if (route & IROUTER_HIGH)
		irq->target = NULL;
	else
		irq->target = vgic_affine_target(vgic, FIELD_GET(IROUTER_AFF1, route),
						 FIELD_GET(IROUTER_AFF0, route));
}

/* ---- kicks */

static void vgic_wait_out(const struct vgic_vcpu *vgv, u32 visit)
{
	unsigned long end = jiffies + EVICT_JIFFIES;

	while (READ_ONCE(vgv->visit) == visit && time_before(jiffies, end)) {
		cpu_relax();
		cond_resched();
	}
}

static void vgic_kick_all(struct vgic *vgic, u64 vcpus)
{
	for (; vcpus; vcpus &= vcpus - 1)
		qvm_vcpu_kick(vgic->vcpu[__ffs(vcpus)]->vcpu);
}

/* On its own, so that only who waits pays for the array (kernels that clear the stack). */
static noinline void vgic_kick_and_wait(struct vgic *vgic, u64 vcpus, u64 wait)
{
	u32 visit[VGIC_MAX_VCPUS];
	u64 left;

	/* before the kick, so that the kick ends just these visits */
	for (left = wait; left; left &= left - 1)
		visit[__ffs(left)] = READ_ONCE(vgic->vcpu[__ffs(left)]->visit);
	vgic_kick_all(vgic, vcpus);
	for (left = wait; left; left &= left - 1) {
		if (visit[__ffs(left)] & 1)
			vgic_wait_out(vgic->vcpu[__ffs(left)], visit[__ffs(left)]);
	}
}

void vgic_kick(struct vgic *vgic, struct vgic_vcpu *self, const struct vgic_kicks *kicks)
{
	u64 not_self = self ? ~BIT_ULL(self->index) : ~0ULL;
	u64 evict = kicks->evict & not_self, all = (kicks->wake | kicks->evict) & not_self;

	if (evict && !irqs_disabled())
		vgic_kick_and_wait(vgic, all, evict);
	else
		vgic_kick_all(vgic, all);
}

/* ---- into the list registers */

/* Buckets of these groups. */
static u64 group_buckets(u32 groups)
{
	return (groups & VGIC_GROUP0 ? 0x5555555555555555ULL : 0) |
	       (groups & VGIC_GROUP1 ? 0xaaaaaaaaaaaaaaaaULL : 0);
}

/*
 * An active interrupt is not listed as pending, too, if it is a level (its line may fall before
 * the guest is done) or is routed elsewhere by now: the exit at its deactivation looks again.
 * With hw the hardware looks itself, and ICH_LR<n>_EL2 forbids pending and active in one.
 */
static void vgic_list(struct vgic_vcpu *vgv, struct vgic_irq *irq)
{
	struct vgic_lr *lr = &vgv->cpu.lr[vgv->cpu.used++];
	bool gate = irq->enabled &&
		    (vgv->vgic->groups & (irq->group1 ? VGIC_GROUP1 : VGIC_GROUP0));
	bool pending = gate && vgic_irq_is_pending(irq);

	lr->irq = irq;
	lr->intid = irq->intid;
	lr->hwirq = irq->hwirq;
	lr->prio = vgic_irq_prio(irq);
	lr->group1 = irq->group1;
	lr->hw = irq->hw && irq->line;
	lr->eoi = !lr->hw && (irq->resample || (pending && (!irq->edge || irq->target != vgv)));
	lr->written = irq->active ? VGIC_LR_ACTIVE : VGIC_LR_PENDING;
	if (irq->active && pending && !lr->hw && !lr->eoi)
		lr->written |= VGIC_LR_PENDING;
	irq->listed = true;
	irq->repend = false;
	irq->active_set = false;
}

static struct vgic_irq *vgic_irq_at(struct vgic_vcpu *vgv, int pos)
{
	return vgic_find_irq(vgv->vgic, vgv, pos & POS_INTID_MASK);
}

/* List members of @q from @pos on until no list register is free; where it stopped. */
static int vgic_list_queue(struct vgic_vcpu *vgv, struct vgic_queue *q, u64 buckets, int pos,
			   unsigned int max)
{
	const unsigned int words = vgv->vgic->words;

	for (pos = queue_next(q, words, buckets, pos); pos >= 0;
	     pos = queue_next(q, words, buckets, pos + 1)) {
		if (vgv->cpu.used >= max)
			break;
		vgic_list(vgv, vgic_irq_at(vgv, pos));
	}
	return pos;
}

/*
 * Lines of mapped PPIs that are up and that the guest does not have as active are asked before each
 * entry: nothing tells when one falls. No list register has deactivated the physical
 * interrupt then: left active, it would never fire again.
 */
void vgic_ask_lines(struct vgic_vcpu *vgv, struct vgic_kicks *kicks)
{
	u32 left;

	for (left = vgv->hw_up; left; left &= left - 1) {
		struct vgic_irq *irq = &vgv->irq[__ffs(left)];

		if (irq->active || irq->hw_level(vgv->vcpu))
			continue;
		vgv->vgic->cpuif->deactivate(irq->hwirq);
		vgic_irq_set_line(irq, false, kicks);
	}
}

/*
 * Pending ones are left over: no list register may become pending by an EOI, it would stand for
 * what is not the best, and without an exit.
 */
static void vgic_unlist_repends(struct vgic_cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < cpu->used; i++) {
		if (cpu->lr[i].written == (VGIC_LR_PENDING | VGIC_LR_ACTIVE)) {
			cpu->lr[i].written = VGIC_LR_ACTIVE;
			cpu->lr[i].eoi = true;
		}
	}
}

static bool is_single(u64 bits)
{
	return bits && !(bits & (bits - 1));
}

/* What nearly every flush finds: one interrupt that is ready, its group open, and nothing active. Or NULL. */
static struct vgic_irq *vgic_only_one(struct vgic_vcpu *vgv, u32 open)
{
	const struct vgic_queue *q = &vgv->ready;
	unsigned int b, w;
	u64 bits;

	if (vgv->active.buckets || !is_single(q->buckets))
		return NULL;
	b = __ffs(q->buckets);
	if (!is_single(q->words[b]) || !(open & (b & 1 ? VGIC_GROUP1 : VGIC_GROUP0)))
		return NULL;
	w = __ffs(q->words[b]);
	bits = q->bits[b * vgv->vgic->words + w];
	return is_single(bits) ? vgic_find_irq(vgv->vgic, vgv, w * 64 + __ffs(bits)) : NULL;
}

/*
 * Which interrupts get the list registers: the best active one (it is what the guest ends next),
 * then pending ones by priority, then the other active ones. Pending before active, or
 * interrupts whose priority was dropped (EOImode 1) would keep out what may preempt them.
 * What finds no room makes the guest exit when there is some.
 */
static void vgic_fill(struct vgic_vcpu *vgv)
{
	const unsigned int max = vgv->vgic->cpuif->lr_count;
	struct vgic_cpu *cpu = &vgv->cpu;
	u32 enabled = vgv->vgic->groups;
	u32 open = enabled & vgv->vgic->cpuif->groups(cpu);
	u64 shut = vgv->ready.buckets & group_buckets(enabled & ~open);
	struct vgic_irq *only = vgic_only_one(vgv, open);
	int active = 0;

	lockdep_assert_held(&vgv->vgic->lock);
	cpu->used = 0;
	cpu->exits = 0;
	if (only) {
		vgic_list(vgv, only);
		return;
	}
	if (max > 1)
		active = vgic_list_queue(vgv, &vgv->active, ~0ULL, active, 1);
	if (vgic_list_queue(vgv, &vgv->ready, group_buckets(open), 0, max) >= 0)
		cpu->exits |= VGIC_EXIT_NO_PENDING;
	if (active >= 0 && vgic_list_queue(vgv, &vgv->active, ~0ULL, active, max) >= 0)
		cpu->exits |= VGIC_EXIT_UNLISTED;
	if (shut & group_buckets(VGIC_GROUP0))
		cpu->exits |= VGIC_EXIT_GROUP0;
	if (shut & group_buckets(VGIC_GROUP1))
		cpu->exits |= VGIC_EXIT_GROUP1;
	if (cpu->exits & VGIC_EXIT_NO_PENDING)
		vgic_unlist_repends(cpu);
}

void qvm_vgic_flush(struct qvm_vcpu *vcpu)
{
	struct vgic_vcpu *vgv = vcpu->arch.vgic;
	struct vgic_kicks kicks = {};
	bool busy;

	/* what comes in from here on kicks, and the kick is an interrupt that ends the guest */
	if (!vgic_has_work(vgv) || vgic_is_listed(vgv))
		return;
	raw_spin_lock(&vgv->vgic->lock);
	vgic_ask_lines(vgv, &kicks);
	vgic_fill(vgv);
	busy = vgv->cpu.used || vgv->cpu.exits;
	if (busy) {
		WRITE_ONCE(vgv->visit, vgv->visit + 1);
		vgv->vgic->visits++;
	}
	raw_spin_unlock(&vgv->vgic->lock);
	if (busy)
		vgv->vgic->cpuif->flush(&vgv->cpu);
}

/* ---- out of them */

/*
 * The guest deactivated an interrupt that is in no list register; which, the hardware does not
 * tell. By EOI it is the best active one, since EOIs come in the reverse order of their
 * acknowledgements; ICC_DIR_EL1 comes by a trap instead.
 */
static void vgic_fold_unlisted(struct vgic_vcpu *vgv, struct vgic_kicks *kicks)
{
	const unsigned int words = vgv->vgic->words;
	int pos;

	for (pos = queue_next(&vgv->active, words, ~0ULL, 0); pos >= 0;
	     pos = queue_next(&vgv->active, words, ~0ULL, pos + 1)) {
		struct vgic_irq *irq = vgic_irq_at(vgv, pos);

		if (!irq->listed) {
			vgic_irq_set_active(irq, false);
			vgic_irq_update(irq, kicks);
			return;
		}
	}
}

static void vgic_fold(struct vgic_vcpu *vgv, const struct vgic_lr *lr, struct vgic_kicks *kicks)
{
	struct vgic_irq *irq = lr->irq;

	lockdep_assert_held(&vgv->vgic->lock);
	irq->listed = false;
	if (lr->written & ~lr->state & VGIC_LR_PENDING)
		irq->latch = irq->repend;
	if (!irq->active)
		irq->taken_prio = lr->prio;
	if (!irq->active_set)
		irq->active = lr->state & VGIC_LR_ACTIVE;
	/* deactivated with the physical one: if that is up it fires again */
	if (lr->hw && !lr->state)
		vgic_irq_write_line(irq, irq->hw_level(vgv->vcpu));
	if (!lr->state && !irq->active)
		vgic_irq_ended(irq);
	vgic_irq_update(irq, kicks);
}

void qvm_vgic_sync(struct qvm_vcpu *vcpu)
{
	struct vgic_vcpu *vgv = vcpu->arch.vgic;
	struct vgic_kicks kicks = {};
	struct vgic_cpu *cpu;
	unsigned int i;

	if (!vgic_is_listed(vgv))
		return;
	cpu = &vgv->cpu;
	vgv->vgic->cpuif->sync(cpu);
	raw_spin_lock(&vgv->vgic->lock);
	for (; cpu->unlisted; cpu->unlisted--)
		vgic_fold_unlisted(vgv, &kicks);
	for (i = 0; i < cpu->used; i++)
		vgic_fold(vgv, &cpu->lr[i], &kicks);
	WRITE_ONCE(vgv->visit, vgv->visit + 1);
	vgv->vgic->visits--;
	raw_spin_unlock(&vgv->vgic->lock);
	if (unlikely(kicks.wake | kicks.evict))
		vgic_kick(vgv->vgic, vgv, &kicks);
}

void qvm_vgic_load(struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.vgic)
		vcpu->arch.vgic->vgic->cpuif->load(&vcpu->arch.vgic->cpu);
}

void qvm_vgic_put(struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.vgic)
		vcpu->arch.vgic->vgic->cpuif->put(&vcpu->arch.vgic->cpu);
}

void qvm_vgic_look(struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.vgic)
		vcpu->arch.vgic->vgic->cpuif->look(&vcpu->arch.vgic->cpu);
}

bool qvm_vgic_has_pending(struct qvm_vcpu *vcpu)
{
	struct vgic_vcpu *vgv = vcpu->arch.vgic;
	unsigned int group;
	u64 buckets;

	if (!vgv)
		return false;
	for (group = 0; group < 2; group++) {
		buckets = READ_ONCE(vgv->ready.buckets) &
			  group_buckets(READ_ONCE(vgv->vgic->groups) & BIT(group));
		if (buckets && (__ffs(buckets) >> 1 << VGIC_PRIO_SHIFT) <
			       READ_ONCE(vgv->cpu.limit[group]))
			return true;
	}
	return false;
}

u64 qvm_vgic_get_vmcr(struct qvm_vcpu *vcpu)
{
	return vcpu->arch.vgic ? vcpu->arch.vgic->cpu.vmcr : 0;
}
