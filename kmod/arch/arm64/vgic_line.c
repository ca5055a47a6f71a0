// SPDX-License-Identifier: GPL-2.0-only
/* What comes into the virtual GIC beside its frames: lines of devices and timers, SGIs, deactivations. */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>

#include "core.h"
#include "vgic.h"
#include "vgic_state.h"

/* As IHI 0069 has them in ICC_SGIxR_EL1. */
#define SGIR_TARGETS		GENMASK_ULL(15, 0)
#define SGIR_AFF1		GENMASK_ULL(23, 16)
#define SGIR_INTID		GENMASK_ULL(27, 24)
#define SGIR_AFF2		GENMASK_ULL(39, 32)
#define SGIR_IRM		BIT_ULL(40)
#define SGIR_RANGE		GENMASK_ULL(47, 44)
#define SGIR_AFF3		GENMASK_ULL(55, 48)

#define SGI_BATCH		16	/* vCPUs that one hold of the lock pends a broadcast for */

void vgic_irq_set_line(struct vgic_irq *irq, bool level, struct vgic_kicks *kicks)
{
	if (irq->line == level)
		return;
	vgic_irq_write_line(irq, level);
	if (irq->edge && level)
		vgic_irq_set_latch(irq, true);
	if (!irq->edge || level)
		vgic_irq_update(irq, kicks);
}

int qvm_vgic_set_irq(struct qvm_vm *vm, struct qvm_vcpu *vcpu, u32 intid, bool level)
{
	struct vgic_vcpu *owner = vcpu ? vcpu->arch.vgic : NULL;
	struct vgic *vgic = vm->arch.vgic;
	struct vgic_kicks kicks = {};
	struct vgic_irq *irq;
	unsigned long flags;

	if (!vgic || intid < VGIC_SGIS || (intid < VGIC_PRIVATE) != !!owner)
		return -ENXIO;
	irq = vgic_find_irq(vgic, owner, intid);
	if (!irq)
		return -ENXIO;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	vgic_irq_set_line(irq, level, &kicks);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	kicks.wake |= kicks.evict;
	kicks.evict = 0;	/* a device does not wait */
	vgic_kick(vgic, NULL, &kicks);
	return 0;
}

int qvm_vgic_set_resample(struct qvm_vm *vm, u32 intid, bool on)
{
	struct vgic *vgic = vm->arch.vgic;
	struct vgic_kicks kicks = {};
	struct vgic_irq *irq;
	unsigned long flags;

	irq = vgic && intid >= VGIC_PRIVATE ? vgic_find_irq(vgic, NULL, intid) : NULL;
	if (!irq)
		return -ENXIO;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	irq->resample = on;
	if (irq->listed)	/* the exit at its end has to be in the list register */
		vgic_irq_update(irq, &kicks);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	vgic_kick(vgic, NULL, &kicks);
	return 0;
}

void qvm_vgic_set_own(struct qvm_vcpu *vcpu, u32 intid, bool level)
{
	struct vgic_vcpu *vgv = vcpu->arch.vgic;
	struct vgic_kicks kicks = {};
	unsigned long flags;

	if (!vgv || intid < VGIC_SGIS || intid >= VGIC_PRIVATE)
		return;
	if (READ_ONCE(vgv->irq[intid].line) == level)
		return;
	raw_spin_lock_irqsave(&vgv->vgic->lock, flags);
	vgic_irq_set_line(&vgv->irq[intid], level, &kicks);
	raw_spin_unlock_irqrestore(&vgv->vgic->lock, flags);
}

/* A mapped PPI that was quiet and may be taken. Lock held. */
static bool vgic_may_deliver(const struct vgic_irq *irq, const struct vgic *vgic)
{
	return irq->hw && irq->enabled && !irq->edge && !irq->latch && !irq->line && !irq->active &&
	       vgic->groups & (irq->group1 ? VGIC_GROUP1 : VGIC_GROUP0);
}

bool qvm_vgic_deliver_own(struct qvm_vcpu *vcpu, u32 intid)
{
	struct vgic_vcpu *vgv = vcpu->arch.vgic;
	struct vgic_irq *irq = &vgv->irq[intid];
	struct vgic *vgic = vgv->vgic;
	bool alone;

	raw_spin_lock(&vgic->lock);
	alone = !vgic_has_work(vgv) && vgic_may_deliver(irq, vgic);
	if (likely(alone)) {
		vgic_irq_write_line(irq, true);
		irq->home = vgv;
		irq->listed = true;
		irq->repend = false;
		irq->active_set = false;
		vgv->cpu.used = 1;
		vgv->cpu.exits = 0;
		vgv->cpu.lr[0] = (struct vgic_lr){
			.irq = irq, .intid = intid, .hwirq = irq->hwirq, .prio = irq->prio,
			.group1 = irq->group1, .hw = true, .written = VGIC_LR_PENDING,
		};
		WRITE_ONCE(vgv->visit, vgv->visit + 1);
		vgic->visits++;
	}
	raw_spin_unlock(&vgic->lock);
	if (likely(alone))
		vgic->cpuif->flush(&vgv->cpu);
	return alone;
}

int qvm_vgic_map_hw(struct qvm_vcpu *vcpu, u32 intid, u32 hwirq,
		    bool (*level)(struct qvm_vcpu *vcpu))
{
	struct vgic_vcpu *vgv = vcpu->arch.vgic;
	struct vgic_irq *irq;
	unsigned long flags;

	if (!vgv || intid < VGIC_SGIS || intid >= VGIC_PRIVATE || hwirq >= VGIC_MAX_LINES)
		return -ENXIO;
	irq = &vgv->irq[intid];
	raw_spin_lock_irqsave(&vgv->vgic->lock, flags);
	irq->hwirq = hwirq;
	irq->hw_level = level;
	irq->hw = true;
	raw_spin_unlock_irqrestore(&vgv->vgic->lock, flags);
	return 0;
}

bool qvm_vgic_hw_busy(struct qvm_vcpu *vcpu, u32 intid)
{
	const struct vgic_vcpu *vgv = vcpu->arch.vgic;
	const struct vgic_irq *irq;

	if (!vgv || intid >= VGIC_PRIVATE)
		return false;
	/* the line stays up here from the physical interrupt to the guest's deactivation */
	irq = &vgv->irq[intid];
	return READ_ONCE(irq->hw) && READ_ONCE(irq->line);
}

/* A write to ICC_SGI1R_EL1 raises SGIs of both groups, one to the others group 0 alone. */
static void vgic_pend_sgi(struct vgic_vcpu *target, u64 value, unsigned int group,
			  struct vgic_kicks *kicks)
{
	struct vgic_irq *irq;

	if (!target)
		return;
	irq = &target->irq[FIELD_GET(SGIR_INTID, value)];
	if (irq->group1 && !group)
		return;
	vgic_irq_set_latch(irq, true);
	vgic_irq_update(irq, kicks);
}

bool qvm_vgic_sgi_is_short(const struct qvm_vcpu *vcpu, u64 value)
{
	u64 targets = FIELD_GET(SGIR_TARGETS, value);

	targets &= targets - 1;		/* but for the first */
	return vcpu->arch.vgic && !(value & SGIR_IRM) && !(targets & (targets - 1));
}

/* To the vCPUs from @from on, of those that the lock may be held for at once; where the next ones begin. */
static unsigned int vgic_pend_some(struct vgic_vcpu *self, unsigned int from, u64 value,
				   unsigned int group, struct vgic_kicks *kicks)
{
	struct vgic *vgic = self->vgic;
	unsigned int i, end = min(from + SGI_BATCH, vgic->vcpu_end);

	for (i = from; i < end; i++) {
		if (vgic->vcpu[i] != self)
			vgic_pend_sgi(vgic->vcpu[i], value, group, kicks);
	}
	return end;
}

/* To those of a list. Ranges other than 0 name Aff0 of 16 and more, which no vCPU has. */
static void vgic_pend_list(struct vgic *vgic, u64 value, unsigned int group,
			   struct vgic_kicks *kicks)
{
	u64 targets = FIELD_GET(SGIR_TARGETS, value), aff1 = FIELD_GET(SGIR_AFF1, value);

	if (value & (SGIR_AFF3 | SGIR_AFF2 | SGIR_RANGE))
		return;
	for (; targets; targets &= targets - 1)
		vgic_pend_sgi(vgic_affine_target(vgic, aff1, __ffs(targets)), value, group, kicks);
}

void qvm_vgic_send_sgi(struct qvm_vcpu *vcpu, u64 value, unsigned int group)
{
	struct vgic_vcpu *self = vcpu->arch.vgic;
	struct vgic_kicks kicks = {};
	unsigned int next = 0;
	struct vgic *vgic;
	unsigned long flags;
	u64 wake;

	if (!self)
		return;
	vgic = self->vgic;
	do {
		raw_spin_lock_irqsave(&vgic->lock, flags);
		if (value & SGIR_IRM)
			next = vgic_pend_some(self, next, value, group, &kicks);
		else
			vgic_pend_list(vgic, value, group, &kicks);
		raw_spin_unlock_irqrestore(&vgic->lock, flags);
	} while (value & SGIR_IRM && next < vgic->vcpu_end);
	/* who sends an SGI does not wait; oneself is out of the guest */
	for (wake = (kicks.wake | kicks.evict) & ~BIT_ULL(self->index); wake; wake &= wake - 1)
		qvm_vcpu_kick(vgic->vcpu[__ffs(wake)]->vcpu);
}

void qvm_vgic_deactivate(struct qvm_vcpu *vcpu, u32 intid)
{
	struct vgic_vcpu *self = vcpu->arch.vgic;
	struct vgic_kicks kicks = {};
	struct vgic_irq *irq;
	unsigned long flags;

	irq = self ? vgic_find_irq(self->vgic, self, intid) : NULL;
	if (!irq)
		return;
	raw_spin_lock_irqsave(&self->vgic->lock, flags);
	if (irq->active) {
		vgic_irq_set_active(irq, false);
		vgic_irq_update(irq, &kicks);
	}
	raw_spin_unlock_irqrestore(&self->vgic->lock, flags);
	vgic_kick(self->vgic, self, &kicks);
}
