// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of distributor and redistributors (IHI 0069, 12.9 and 12.11): one security state
 * (GICD_CTLR.DS), affinity routing only, no LPIs, no message-based SPIs.
 *
 * Interrupts that sit in the list registers of a vCPU in the guest: reads of pending and active
 * bits make that vCPU leave the guest first, and writes apply at once, mark what its sync must
 * keep and do the same after it (vgic_kick()). So a guest that polls ISACTIVER, or that disables an
 * interrupt and goes on, is never answered from a list register's past. The wait is one
 * interrupt's way and is done in process context, without a lock. So an access that comes with
 * interrupts off (tier 0b) and has to wait, or would take long, does nothing and comes again.
 */
#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>

#include "core.h"
#include "vdev/reg.h"
#include "vgic.h"
#include "vgic_regs.h"
#include "vgic_state.h"

#define FIELD_BATCH		8	/* interrupts that one hold of the lock may change */

/* ---- fields of interrupts: so many bits for each, in order of INTID */

struct irq_field {
	unsigned int bits;
	bool live;		/* a list register may know better */
	bool ones;		/* a written 0 changes nothing */
	u32 (*get)(const struct vgic_irq *irq);
	void (*set)(struct vgic_irq *irq, u32 val);
};

/* vCPUs other than @self that have one of @count interrupts from @first on in list registers. */
static u64 field_listed(const struct vgic_bank *bank, const struct vgic_vcpu *self,
			unsigned int first, unsigned int count)
{
	const struct vgic_irq *irq;
	u64 mask = 0;
	unsigned int i;

	if (!bank->vgic->visits)
		return 0;
	for (i = first; i < first + count; i++) {
		irq = vgic_find_irq(bank->vgic, bank->owner, i);
		if (irq && irq->listed && irq->home != self)
			mask |= BIT_ULL(irq->home->index);
	}
	return mask;
}

/* True: this access needs interrupts on; it is not made. */
static bool put_off(struct qvm_vcpu *vcpu, bool needs_wait)
{
	if (!needs_wait || !irqs_disabled())
		return false;
	vcpu->arch.vgic->again = true;
	return true;
}

/* -EAGAIN if the access was put off. */
static int access_result(struct qvm_vcpu *vcpu)
{
	struct vgic_vcpu *self = vcpu->arch.vgic;

	if (likely(!self->again))
		return 0;
	self->again = false;
	return -EAGAIN;
}

/* Let list registers come back that this read is about. False: it was put off. */
static bool field_settle(const struct vgic_bank *bank, struct qvm_vcpu *vcpu, unsigned int first,
			 unsigned int count)
{
	struct vgic *vgic = bank->vgic;
	struct vgic_kicks kicks = {};
	unsigned long flags;

	raw_spin_lock_irqsave(&vgic->lock, flags);
	/* of its own timer the vCPU may know that it has withdrawn the interrupt */
	if (bank->owner == vcpu->arch.vgic && vcpu->loaded)
		vgic_ask_lines(bank->owner, &kicks);
	kicks.evict = field_listed(bank, vcpu->arch.vgic, first, count);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	if (put_off(vcpu, kicks.evict))
		return false;
	vgic_kick(vgic, vcpu->arch.vgic, &kicks);
	return true;
}

static u64 field_read(const struct vgic_bank *bank, struct qvm_vcpu *vcpu,
		      const struct irq_field *field, u64 off, unsigned int len)
{
	unsigned int count = len * 8 / field->bits;
	unsigned int first = off * 8 / field->bits;
	const struct vgic_irq *irq;
	unsigned long flags;
	unsigned int i;
	u64 val = 0;

	if (field->live && !field_settle(bank, vcpu, first, count))
		return 0;
	raw_spin_lock_irqsave(&bank->vgic->lock, flags);
	for (i = 0; i < count; i++) {
		irq = vgic_find_irq(bank->vgic, bank->owner, first + i);
		if (irq)
			val |= (u64)field->get(irq) << (i * field->bits);
	}
	raw_spin_unlock_irqrestore(&bank->vgic->lock, flags);
	return val;
}

/* @which counts from @first on; what of it is left when one hold of the lock has been long enough. Lock held. */
static unsigned long field_write_some(const struct vgic_bank *bank, const struct irq_field *field,
				      unsigned int first, unsigned long which, u64 val,
				      struct vgic_kicks *kicks)
{
	struct vgic_irq *irq;
	unsigned int n, i;

	for (n = 0; which && n < FIELD_BATCH; n++, which &= which - 1) {
		i = __ffs(which);
		irq = vgic_find_irq(bank->vgic, bank->owner, first + i);
		if (!irq)
			continue;
		field->set(irq, val >> (i * field->bits) & GENMASK(field->bits - 1, 0));
		vgic_irq_update(irq, kicks);
	}
	return which;
}

static void field_write(const struct vgic_bank *bank, struct qvm_vcpu *vcpu,
			const struct irq_field *field, u64 off, unsigned int len, u64 val)
{
	unsigned int count = len * 8 / field->bits;
	unsigned int first = off * 8 / field->bits;
	/* of registers where zeroes say nothing only the ones are looked at */
	unsigned long which = field->ones ? val & (~0ULL >> (64 - len * 8)) : ~0UL >> (64 - count);
	struct vgic_kicks kicks = {};
	unsigned long flags;
	bool brief = irqs_disabled();

	if (brief && put_off(vcpu, hweight64(which) > FIELD_BATCH))
		return;
	do {
		raw_spin_lock_irqsave(&bank->vgic->lock, flags);
		if (brief && put_off(vcpu, field_listed(bank, vcpu->arch.vgic, first, count)))
			which = 0;
		which = field_write_some(bank, field, first, which, val, &kicks);
		raw_spin_unlock_irqrestore(&bank->vgic->lock, flags);
	} while (which);
	vgic_kick(bank->vgic, vcpu->arch.vgic, &kicks);
}

static u32 get_group(const struct vgic_irq *irq)
{
	return irq->group1;
}

static void set_group(struct vgic_irq *irq, u32 val)
{
	irq->group1 = val;
}

static u32 get_enabled(const struct vgic_irq *irq)
{
	return irq->enabled;
}

static void set_enabled(struct vgic_irq *irq, u32 val)
{
	irq->enabled = true;
}

static void clear_enabled(struct vgic_irq *irq, u32 val)
{
	irq->enabled = false;
}

static u32 get_pending(const struct vgic_irq *irq)
{
	return vgic_irq_is_pending(irq);
}

static void set_pending(struct vgic_irq *irq, u32 val)
{
	vgic_irq_set_latch(irq, true);
}

/* A level interrupt whose line is up stays pending. */
static void clear_pending(struct vgic_irq *irq, u32 val)
{
	vgic_irq_set_latch(irq, false);
}

static u32 get_active(const struct vgic_irq *irq)
{
	return irq->active;
}

static void set_active(struct vgic_irq *irq, u32 val)
{
	vgic_irq_set_active(irq, true);
}

static void clear_active(struct vgic_irq *irq, u32 val)
{
	vgic_irq_set_active(irq, false);
}

static u32 get_prio(const struct vgic_irq *irq)
{
	return irq->prio;
}

static void set_prio(struct vgic_irq *irq, u32 val)
{
	irq->prio = val & VGIC_PRIO_MASK;
}

static u32 get_config(const struct vgic_irq *irq)
{
	return irq->edge ? 2 : 0;
}

/* SGIs are edges, PPIs levels for good. */
static void set_config(struct vgic_irq *irq, u32 val)
{
	if (irq->intid >= VGIC_PRIVATE)
		irq->edge = val & 2;
}

/* A field and the two functions that stand in register tables for it. */
#define IRQ_FIELD(_name, ...)								\
	static const struct irq_field _name##_field = { __VA_ARGS__ };			\
	static u64 _name##_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)	\
	{										\
		return field_read(ctx, vcpu, &_name##_field, off, len);			\
	}										\
	static void _name##_write(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, \
				  u64 val)						\
	{										\
		field_write(ctx, vcpu, &_name##_field, off, len, val);			\
	}

IRQ_FIELD(igroup, .bits = 1, .get = get_group, .set = set_group)
IRQ_FIELD(isenable, .bits = 1, .ones = true, .get = get_enabled, .set = set_enabled)
IRQ_FIELD(icenable, .bits = 1, .ones = true, .get = get_enabled, .set = clear_enabled)
IRQ_FIELD(ispend, .bits = 1, .live = true, .ones = true, .get = get_pending, .set = set_pending)
IRQ_FIELD(icpend, .bits = 1, .live = true, .ones = true, .get = get_pending, .set = clear_pending)
IRQ_FIELD(isactive, .bits = 1, .live = true, .ones = true, .get = get_active, .set = set_active)
IRQ_FIELD(icactive, .bits = 1, .live = true, .ones = true, .get = get_active, .set = clear_active)
IRQ_FIELD(iprio, .bits = 8, .get = get_prio, .set = set_prio)
IRQ_FIELD(icfg, .bits = 2, .get = get_config, .set = set_config)

/* ---- what both frames have */

static u64 iidr_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	return GIC_IIDR;
}

/* PIDR4 ... 7, PIDR0 ... 3, CIDR0 ... 3: a GICv3 (PIDR2[7:4]) by Arm. */
static u64 idregs_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	static const u8 ids[] = { 0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1 };

	return ids[off / 4];
}

/* ---- the distributor */

static u64 gicd_ctlr_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	const struct vgic_bank *bank = ctx;

	return READ_ONCE(bank->vgic->groups) | GICD_CTLR_ARE | GICD_CTLR_DS;
}

static void gicd_ctlr_write(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
	const struct vgic_bank *bank = ctx;
	struct vgic *vgic = bank->vgic;
	struct vgic_kicks kicks = {};
	unsigned long flags;
	unsigned int i;

	if (put_off(vcpu, READ_ONCE(vgic->groups) != (val & VGIC_GROUPS)))
		return;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	if (vgic->groups != (val & VGIC_GROUPS)) {
		WRITE_ONCE(vgic->groups, val & VGIC_GROUPS);
		for (i = 0; i < vgic->vcpu_end; i++)
			kicks.evict |= vgic->vcpu[i] ? BIT_ULL(i) : 0;
	}
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	vgic_kick(vgic, vcpu->arch.vgic, &kicks);
}

/* CPUNumber is about GICs without affinity routing; 10 bits of INTID, as there are no LPIs. */
static u64 gicd_typer_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	const struct vgic_bank *bank = ctx;

	return (DIV_ROUND_UP(bank->vgic->lines, 32) - 1) | GICD_TYPER_IDBITS(10) |
	       (bank->vgic->cpuif->aff3 ? GICD_TYPER_A3V : 0);
}

static u64 irouter_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	const struct vgic_bank *bank = ctx;
	const struct vgic_irq *irq = vgic_find_irq(bank->vgic, NULL, off / 8);

	return irq ? READ_ONCE(irq->route) >> (off % 8 * 8) : 0;
}

static void irouter_write(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
	const struct vgic_bank *bank = ctx;
	struct vgic *vgic = bank->vgic;
	struct vgic_irq *irq = vgic_find_irq(vgic, NULL, off / 8);
	u64 mask = len == 8 ? ~0ULL : GENMASK_ULL(31, 0) << (off % 8 * 8);
	u64 valid = IROUTER_AFF_ANY | (vgic->cpuif->aff3 ? IROUTER_AFF3 : 0);
	struct vgic_kicks kicks = {};
	unsigned long flags;

	if (!irq || put_off(vcpu, true))
		return;
	val <<= off % 8 * 8;
	raw_spin_lock_irqsave(&vgic->lock, flags);
	vgic_irq_set_route(irq, ((irq->route & ~mask) | (val & mask)) & valid, vgic);
	vgic_irq_update(irq, &kicks);
	raw_spin_unlock_irqrestore(&vgic->lock, flags);
	vgic_kick(vgic, vcpu->arch.vgic, &kicks);
}

static const struct qvm_reg_row gicd_regs[] = {
	QVM_REG(GICD_CTLR, 4, 4, gicd_ctlr_read, gicd_ctlr_write),
	QVM_REG(GICD_TYPER, 4, 4, gicd_typer_read, qvm_reg_wi),
	QVM_REG(GICD_IIDR, 4, 4, iidr_read, qvm_reg_wi),
	QVM_REG_RAZ_WI(GICD_TYPER2, 4, 4),		/* GICv4.1 */
	QVM_REG_RAZ_WI(GICD_STATUSR, 4, 4),		/* optional: reports nothing */
	QVM_REG_RAZ_WI(GICD_SETSPI_NSR, 4, 4),		/* GICD_TYPER.MBIS = 0, and to SR: */
	QVM_REG_RAZ_WI(GICD_CLRSPI_NSR, 4, 4),
	QVM_REG_RAZ_WI(GICD_SETSPI_SR, 4, 4),
	QVM_REG_RAZ_WI(GICD_CLRSPI_SR, 4, 4),
	QVM_REG(GICD_IGROUPR, 128, 4, igroup_read, igroup_write),
	QVM_REG(GICD_ISENABLER, 128, 4, isenable_read, isenable_write),
	QVM_REG(GICD_ICENABLER, 128, 4, icenable_read, icenable_write),
	QVM_REG(GICD_ISPENDR, 128, 4, ispend_read, ispend_write),
	QVM_REG(GICD_ICPENDR, 128, 4, icpend_read, icpend_write),
	QVM_REG(GICD_ISACTIVER, 128, 4, isactive_read, isactive_write),
	QVM_REG(GICD_ICACTIVER, 128, 4, icactive_read, icactive_write),
	QVM_REG(GICD_IPRIORITYR, 1020, 1 | 4, iprio_read, iprio_write),
	QVM_REG_RAZ_WI(GICD_ITARGETSR, 1020, 1 | 4),	/* affinity routing only */
	QVM_REG(GICD_ICFGR, 256, 4, icfg_read, icfg_write),
	QVM_REG_RAZ_WI(GICD_IGRPMODR, 128, 4),		/* one security state */
	QVM_REG_RAZ_WI(GICD_NSACR, 256, 4),		/* likewise */
	QVM_REG_RAZ_WI(GICD_SGIR, 4, 4),		/* affinity routing only */
	QVM_REG_RAZ_WI(GICD_CPENDSGIR, 16, 1 | 4),
	QVM_REG_RAZ_WI(GICD_SPENDSGIR, 16, 1 | 4),
	QVM_REG(GICD_IROUTER, 1020 * 8, 4 | 8, irouter_read, irouter_write),
	QVM_REG(GICD_IDREGS, 48, 4, idregs_read, qvm_reg_wi),
};

const struct qvm_reg_table vgic_gicd_table = QVM_REG_TABLE(gicd_regs);

/* ---- a redistributor: its frame, and the frame of the private interrupts */

static u64 gicr_typer_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	const struct vgic_bank *bank = ctx;
	/* of no vCPU, but below the last one: the affinity that it would have */
	u64 mpidr = bank->owner ? bank->owner->vcpu->arch.mpidr :
				  (bank->index / 16) << 8 | bank->index % 16;
	u64 val = (mpidr & GENMASK_ULL(23, 0)) << 32 | (mpidr & GENMASK_ULL(39, 32)) << 24 |
		  (u64)bank->index << 8;

	if (bank->index + 1 == bank->vgic->vcpu_end)
		val |= GICR_TYPER_LAST;
	return val >> (off * 8);
}

static u64 gicr_waker_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	const struct vgic_bank *bank = ctx;

	return bank->owner && !READ_ONCE(bank->owner->asleep) ?
	       0 : GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP;
}

/* SPIs that any vCPU may take go to one that is awake: 32 at a time, to hold no lock long. */
static void vgic_reroute(struct vgic *vgic, struct vgic_vcpu *self)
{
	struct vgic_kicks kicks = {};
	unsigned long flags;
	unsigned int first, i;

	for (first = VGIC_PRIVATE; first < vgic->lines; first += 32) {
		raw_spin_lock_irqsave(&vgic->lock, flags);
		for (i = first; i < min(first + 32, vgic->lines); i++) {
			struct vgic_irq *irq = vgic_find_irq(vgic, NULL, i);

			vgic_irq_set_route(irq, irq->route, vgic);
			vgic_irq_update(irq, &kicks);
		}
		raw_spin_unlock_irqrestore(&vgic->lock, flags);
	}
	vgic_kick(vgic, self, &kicks);
}

/*
 * ChildrenAsleep follows ProcessorSleep at once. A redistributor that sleeps still delivers, as
 * it would wake its PE: guests that never write here work.
 */
static void gicr_waker_write(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
	const struct vgic_bank *bank = ctx;
	bool asleep = val & GICR_WAKER_SLEEP;
	unsigned long flags;

	if (!bank->owner || READ_ONCE(bank->owner->asleep) == asleep || put_off(vcpu, true))
		return;
	raw_spin_lock_irqsave(&bank->vgic->lock, flags);
	WRITE_ONCE(bank->owner->asleep, asleep);
	vgic_find_any(bank->vgic);
	raw_spin_unlock_irqrestore(&bank->vgic->lock, flags);
	vgic_reroute(bank->vgic, vcpu->arch.vgic);
}

static const struct qvm_reg_row gicr_regs[] = {
	QVM_REG_RAZ_WI(GICR_CTLR, 4, 4),		/* no LPIs; writes are done at once */
	QVM_REG(GICR_IIDR, 4, 4, iidr_read, qvm_reg_wi),
	QVM_REG(GICR_TYPER, 8, 4 | 8, gicr_typer_read, qvm_reg_wi),
	QVM_REG_RAZ_WI(GICR_STATUSR, 4, 4),		/* optional: reports nothing */
	QVM_REG(GICR_WAKER, 4, 4, gicr_waker_read, gicr_waker_write),
	QVM_REG_RAZ_WI(GICR_SETLPIR, 8, 4 | 8),		/* no LPIs, and so on to SYNCR: */
	QVM_REG_RAZ_WI(GICR_CLRLPIR, 8, 4 | 8),
	QVM_REG_RAZ_WI(GICR_PROPBASER, 8, 4 | 8),
	QVM_REG_RAZ_WI(GICR_PENDBASER, 8, 4 | 8),
	QVM_REG_RAZ_WI(GICR_INVLPIR, 8, 4 | 8),
	QVM_REG_RAZ_WI(GICR_INVALLR, 8, 4 | 8),
	QVM_REG_RAZ_WI(GICR_SYNCR, 4, 4),
	QVM_REG(GICR_IDREGS, 48, 4, idregs_read, qvm_reg_wi),
	QVM_REG(GICR_IGROUPR0, 4, 4, igroup_read, igroup_write),
	QVM_REG(GICR_ISENABLER0, 4, 4, isenable_read, isenable_write),
	QVM_REG(GICR_ICENABLER0, 4, 4, icenable_read, icenable_write),
	QVM_REG(GICR_ISPENDR0, 4, 4, ispend_read, ispend_write),
	QVM_REG(GICR_ICPENDR0, 4, 4, icpend_read, icpend_write),
	QVM_REG(GICR_ISACTIVER0, 4, 4, isactive_read, isactive_write),
	QVM_REG(GICR_ICACTIVER0, 4, 4, icactive_read, icactive_write),
	QVM_REG(GICR_IPRIORITYR, 32, 1 | 4, iprio_read, iprio_write),
	QVM_REG(GICR_ICFGR, 8, 4, icfg_read, icfg_write),
	QVM_REG_RAZ_WI(GICR_IGRPMODR0, 4, 4),		/* one security state */
	QVM_REG_RAZ_WI(GICR_NSACR, 4, 4),		/* likewise */
};

const struct qvm_reg_table vgic_gicr_table = QVM_REG_TABLE(gicr_regs);

/* ---- on the bus. What is between the registers is reserved: RAZ/WI (IHI 0069, 12.1). */

static int gicd_read(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 off, unsigned int len,
		     u64 *val)
{
	struct vgic *vgic = container_of(vdev, struct vgic, gicd);

	*val = 0;
	qvm_reg_read_near(&vgic_gicd_table, &vcpu->arch.vgic->gicd_last, &vgic->dist, vcpu, off, len,
			  val);
	return access_result(vcpu);
}

static int gicd_write(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 off, unsigned int len,
		      u64 val)
{
	struct vgic *vgic = container_of(vdev, struct vgic, gicd);

	qvm_reg_write_near(&vgic_gicd_table, &vcpu->arch.vgic->gicd_last, &vgic->dist, vcpu, off, len,
			   val);
	return access_result(vcpu);
}

/* The redistributor at @off, or NULL past the last vCPU's. */
static struct vgic_bank *gicr_bank(struct qvm_vdev *vdev, u64 off)
{
	struct vgic *vgic = container_of(vdev, struct vgic, gicr);
	u64 index = off / GICR_FRAME_SIZE;

	return index < vgic->vcpu_end ? &vgic->redist[index] : NULL;
}

static int gicr_read(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 off, unsigned int len,
		     u64 *val)
{
	struct vgic_bank *bank = gicr_bank(vdev, off);

	if (!bank)
		return -ENXIO;
	*val = 0;
	qvm_reg_read_near(&vgic_gicr_table, &vcpu->arch.vgic->gicr_last, bank, vcpu,
			  off % GICR_FRAME_SIZE, len, val);
	return access_result(vcpu);
}

static int gicr_write(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 off, unsigned int len,
		      u64 val)
{
	struct vgic_bank *bank = gicr_bank(vdev, off);

	if (!bank)
		return -ENXIO;
	qvm_reg_write_near(&vgic_gicr_table, &vcpu->arch.vgic->gicr_last, bank, vcpu,
			   off % GICR_FRAME_SIZE, len, val);
	return access_result(vcpu);
}

static const struct qvm_vdev_ops gicd_ops = { .read = gicd_read, .write = gicd_write };
static const struct qvm_vdev_ops gicr_ops = { .read = gicr_read, .write = gicr_write };

int vgic_mmio_register(struct qvm_vm *vm, struct vgic *vgic, u64 gicd, u64 gicr)
{
	int err;

	vgic->gicd = (struct qvm_vdev){
		.ops = &gicd_ops, .name = "gicd", .base = gicd, .size = GICD_SIZE,
	};
	vgic->gicr = (struct qvm_vdev){
		.ops = &gicr_ops, .name = "gicr", .base = gicr,
		.size = vm->max_vcpus * GICR_FRAME_SIZE,
	};
	err = qvm_bus_register(&vm->bus, &vgic->gicd);
	return err ?: qvm_bus_register(&vm->bus, &vgic->gicr);
}
