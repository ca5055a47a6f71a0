// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC (82093AA data sheet), version 0x20: the 82093AA's registers and an EOI register,
 * without which a guest could not use the LAPIC's suppression of EOI broadcasts, and would end a
 * stuck level by switching its entry to edge and back (which works, too).
 *
 * A pin's level is what the board says, polarity is ignored. An edge at a masked pin is lost, a
 * level is sent when the pin is unmasked. Delivery is at once, so that delivery status shows
 * only a level that nobody has accepted yet.
 */
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "irqchip_state.h"
#include "vdev/reg.h"

#define IOAPIC_SIZE		0x1000ULL
#define IOAPIC_MAX_ID		15
#define IOAPIC_VERSION		(0x20 | (IOAPIC_PINS - 1) << 16)

/* Frame. */
#define IOREGSEL		0x00
#define IOWIN			0x10
#define IOEOI			0x40

/* Behind the window. */
#define IOAPICID		0x00
#define IOAPICVER		0x01
#define IOAPICARB		0x02
#define IOREDTBL		0x10
#define IOAPIC_ID		GENMASK(27, 24)

#define RTE_VECTOR		GENMASK_ULL(7, 0)
#define RTE_MODE		GENMASK_ULL(10, 8)
#define RTE_LOGICAL		BIT_ULL(11)
#define RTE_PENDING		BIT_ULL(12)
#define RTE_POLARITY		BIT_ULL(13)
#define RTE_REMOTE_IRR		BIT_ULL(14)
#define RTE_LEVEL		BIT_ULL(15)
#define RTE_MASKED		BIT_ULL(16)
#define RTE_DEST		GENMASK_ULL(63, 56)
#define RTE_WRITABLE							\
	(RTE_VECTOR | RTE_MODE | RTE_LOGICAL | RTE_POLARITY | RTE_LEVEL | RTE_MASKED | RTE_DEST)

struct vioapic {
	struct qvm_vdev vdev;
	struct qvm_vm *vm;		/* [C] */
	raw_spinlock_t lock;
	u32 select;			/* [l] IOREGSEL */
	u32 id;				/* [l] IOAPICID */
	u32 levels;			/* [l] by pin */
	u32 resample;			/* [l] by pin: an EOI puts it down, and is told */
	u32 routes;			/* [l, r] goes up with each change of an entry */
	u64 rte[IOAPIC_PINS];		/* [l] without RTE_PENDING */
};

/* ---- sending; lock held */

/* Only these have a level: others are sent as edges, the data sheet says. */
static bool rte_is_level(u64 rte)
{
	return rte & RTE_LEVEL && FIELD_GET(RTE_MODE, rte) <= LAPIC_LOWEST;
}

static bool rte_send(struct vioapic *ioapic, u64 rte, u64 *kicks)
{
	const struct vlapic_msg msg = {
		.dest = FIELD_GET(RTE_DEST, rte),
		.logical = rte & RTE_LOGICAL,
		.mode = FIELD_GET(RTE_MODE, rte),
		.vector = FIELD_GET(RTE_VECTOR, rte),
		.level = rte_is_level(rte),
	};

	return vlapic_post(ioapic->vm, &msg, kicks);
}

static bool level_waits(const struct vioapic *ioapic, unsigned int pin)
{
	u64 rte = ioapic->rte[pin];

	return rte_is_level(rte) && !(rte & (RTE_MASKED | RTE_REMOTE_IRR)) &&
	       ioapic->levels & BIT(pin);
}

/* Remote IRR, if somebody accepted it: until that one's EOI. */
static void level_update(struct vioapic *ioapic, unsigned int pin, u64 *kicks)
{
	if (level_waits(ioapic, pin) && rte_send(ioapic, ioapic->rte[pin], kicks))
		ioapic->rte[pin] |= RTE_REMOTE_IRR;
}

void vioapic_post_pin(struct qvm_vm *vm, unsigned int pin, bool level, u64 *kicks)
{
	struct vioapic *ioapic = vm->arch.ioapic;
	unsigned long flags;
	bool rises;
	u64 rte;

	if (!ioapic || pin >= IOAPIC_PINS)
		return;
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	rises = level && !(ioapic->levels & BIT(pin));
	ioapic->levels = (ioapic->levels & ~BIT(pin)) | (level ? BIT(pin) : 0);
	rte = ioapic->rte[pin];
	if (rte_is_level(rte))
		level_update(ioapic, pin, kicks);
	else if (rises && !(rte & RTE_MASKED))
		rte_send(ioapic, rte, kicks);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

void vioapic_set_pin(struct qvm_vm *vm, unsigned int pin, bool level)
{
	u64 kicks = 0;

	vioapic_post_pin(vm, pin, level, &kicks);
	vlapic_kick(vm, kicks, NULL);
}

/* ---- end of interrupt */

void vioapic_eoi(struct qvm_vm *vm, u8 vector)
{
	struct vioapic *ioapic = vm->arch.ioapic;
	unsigned long flags;
	unsigned int pin;
	u64 kicks = 0;

	if (!ioapic)
		return;
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		if (!(ioapic->rte[pin] & RTE_REMOTE_IRR) ||
		    FIELD_GET(RTE_VECTOR, ioapic->rte[pin]) != vector)
			continue;
		ioapic->rte[pin] &= ~RTE_REMOTE_IRR;
		if (ioapic->resample & BIT(pin)) {
			ioapic->levels &= ~BIT(pin);
			qvm_irqfd_ended(vm, pin);
		}
		level_update(ioapic, pin, &kicks);
	}
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	vlapic_kick(vm, kicks, NULL);
}

void vioapic_set_resample(struct qvm_vm *vm, unsigned int pin, bool on)
{
	struct vioapic *ioapic = vm->arch.ioapic;
	unsigned long flags;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	ioapic->resample = (ioapic->resample & ~BIT(pin)) | (on ? BIT(pin) : 0);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

void vioapic_eoi_exits(struct qvm_vm *vm, struct qvm_vcpu *vcpu, u64 bitmap[4])
{
	struct vioapic *ioapic = vm->arch.ioapic;
	unsigned long flags;
	unsigned int pin;

	memset(bitmap, 0, 4 * sizeof(*bitmap));
	if (!ioapic)
		return;
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		u8 vector = FIELD_GET(RTE_VECTOR, ioapic->rte[pin]);

		if (rte_is_level(ioapic->rte[pin]))
			bitmap[vector / 64] |= BIT_ULL(vector % 64);
	}
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

u32 vioapic_routes(const struct qvm_vm *vm)
{
	const struct vioapic *ioapic = vm->arch.ioapic;

	return ioapic ? READ_ONCE(ioapic->routes) : 0;
}

/* ---- registers behind the window; lock held */

static u64 rte_read(const struct vioapic *ioapic, unsigned int pin)
{
	return ioapic->rte[pin] | (level_waits(ioapic, pin) ? RTE_PENDING : 0);
}

/* An entry that becomes edge-triggered has no remote IRR: how guests end one by hand. */
static void rte_write(struct vioapic *ioapic, unsigned int pin, u64 rte, u64 *kicks)
{
	rte &= RTE_WRITABLE;
	if (rte & RTE_LEVEL)
		rte |= ioapic->rte[pin] & RTE_REMOTE_IRR;
	ioapic->rte[pin] = rte;
	/* before the entry's next message, so that its receiver sees both */
	WRITE_ONCE(ioapic->routes, ioapic->routes + 1);
	level_update(ioapic, pin, kicks);
}

static u32 window_read(const struct vioapic *ioapic)
{
	u32 index = ioapic->select;
	unsigned int pin = (index - IOREDTBL) / 2;

	if (index >= IOREDTBL && pin < IOAPIC_PINS)
		return rte_read(ioapic, pin) >> (index & 1 ? 32 : 0);
	switch (index) {
	case IOAPICID:
	case IOAPICARB:
		return ioapic->id;
	case IOAPICVER:
		return IOAPIC_VERSION;
	default:
		return 0;
	}
}

static void window_write(struct vioapic *ioapic, u32 value, u64 *kicks)
{
	u32 index = ioapic->select;
	unsigned int pin = (index - IOREDTBL) / 2;
	u64 rte;

	if (index == IOAPICID)
		ioapic->id = value & IOAPIC_ID;
	if (index < IOREDTBL || pin >= IOAPIC_PINS)
		return;
	rte = ioapic->rte[pin];
	if (index & 1)
		rte = (u64)value << 32 | lower_32_bits(rte);
	else
		rte = (rte & GENMASK_ULL(63, 32)) | value;
	rte_write(ioapic, pin, rte, kicks);
}

/* ---- the frame */

static u64 read_select(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	struct vioapic *ioapic = ctx;

	return READ_ONCE(ioapic->select);
}

static void write_select(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
	struct vioapic *ioapic = ctx;
	unsigned long flags;

	if (off)
		return;		/* the index is 8 bits; a write of one byte reaches it */
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	WRITE_ONCE(ioapic->select, val & 0xff);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

static u64 read_window(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	struct vioapic *ioapic = ctx;
	unsigned long flags;
	u32 value;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	value = window_read(ioapic);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	return value;
}

static void write_window(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
	struct vioapic *ioapic = ctx;
	unsigned long flags;
	u64 kicks = 0;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	window_write(ioapic, val, &kicks);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	vlapic_kick(ioapic->vm, kicks, vcpu);
}

static void write_eoi(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
	struct vioapic *ioapic = ctx;

	if (!off)
		vioapic_eoi(ioapic->vm, val);
}

/* Registers of 32 bits, but guests write the two that have 8 bits in them by bytes, too. */
static const struct qvm_reg_row vioapic_regs[] = {
	QVM_REG(IOREGSEL, 4, 1 | 4, read_select, write_select),
	QVM_REG(IOWIN, 4, 4, read_window, write_window),
	QVM_REG(IOEOI, 4, 1 | 4, qvm_reg_raz, write_eoi),
};

const struct qvm_reg_table vioapic_table = QVM_REG_TABLE(vioapic_regs);

/* What is between the registers decodes, and does nothing. */
static int vioapic_read(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset, unsigned int len,
			u64 *value)
{
	*value = 0;
	qvm_reg_read(&vioapic_table, container_of(vdev, struct vioapic, vdev), vcpu, offset, len,
		     value);
	return 0;
}

static int vioapic_write(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset, unsigned int len,
			 u64 value)
{
	qvm_reg_write(&vioapic_table, container_of(vdev, struct vioapic, vdev), vcpu, offset, len,
		      value);
	return 0;
}

static const struct qvm_vdev_ops vioapic_ops = {
	.read = vioapic_read,
	.write = vioapic_write,
};

/* ---- life */

static int vioapic_check(const struct qvm_vm *vm, u64 base, u64 id, u64 gsi_base)
{
	unsigned int i;

	if (vm->arch.ioapic)
		return -EEXIST;
	if (base % IOAPIC_SIZE || id > IOAPIC_MAX_ID || gsi_base)
		return -EINVAL;
	if (base + IOAPIC_SIZE < base || base + IOAPIC_SIZE > BIT_ULL(vm->ipa_bits))
		return -ERANGE;
	if (base == APIC_DEFAULT_PHYS_BASE || qvm_bus_overlaps(&vm->bus, base, IOAPIC_SIZE))
		return -EEXIST;
	for (i = 0; i < vm->region_count; i++) {
		if (base < vm->region[i].gpa + vm->region[i].size &&
		    vm->region[i].gpa < base + IOAPIC_SIZE)
			return -EEXIST;
	}
	return vm->bus.count == QVM_MAX_VDEVS ? -EINVAL : 0;
}

int vioapic_create(struct qvm_vm *vm, u64 base, u64 id, u64 gsi_base)
{
	struct vioapic *ioapic;
	unsigned int pin;
	int err;

	err = vioapic_check(vm, base, id, gsi_base);
	if (err)
		return err;
	ioapic = kzalloc(sizeof(*ioapic), GFP_KERNEL_ACCOUNT);
	if (!ioapic)
		return -ENOMEM;
	raw_spin_lock_init(&ioapic->lock);
	ioapic->vm = vm;
	ioapic->id = FIELD_PREP(IOAPIC_ID, id);
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->rte[pin] = RTE_MASKED;
	ioapic->vdev = (struct qvm_vdev){
		.ops = &vioapic_ops, .name = "ioapic", .base = base, .size = IOAPIC_SIZE,
	};
	err = qvm_bus_register(&vm->bus, &ioapic->vdev);
	if (err) {
		kfree(ioapic);
		return err;
	}
	vm->arch.ioapic = ioapic;
	return 0;
}

void vioapic_destroy(struct qvm_vm *vm)
{
	kfree(vm->arch.ioapic);
	vm->arch.ioapic = NULL;
}
