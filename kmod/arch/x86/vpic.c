// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259A pair: two chips of eight inputs, the slave's output at the master's input 2, the
 * master's at LINT0 of vCPU 0. Beyond the data sheet: ELCR, which makes inputs level-triggered one
 * by one (82371), and an edge that is not taken back when its line falls before INTA, for lines
 * here are often pulsed.
 */
#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "irqchip_state.h"

#define CHIP_INPUTS		8
#define CASCADE			2	/* the master's input */
#define SPURIOUS		7

/* Port 0: ICW1 with bit 4; OCW3 with bit 3, else OCW2. */
#define ICW1_IC4		BIT(0)
#define ICW1_SINGLE		BIT(1)
#define ICW1_LTIM		BIT(3)
#define ICW1			BIT(4)
#define ICW2_BASE		GENMASK(7, 3)
#define ICW4_AEOI		BIT(1)
#define ICW4_SFNM		BIT(4)
#define OCW2_EOI		BIT(5)
#define OCW2_SPECIFIC		BIT(6)
#define OCW2_ROTATE		BIT(7)
#define OCW3			BIT(3)
#define OCW3_RIS		BIT(0)
#define OCW3_RR			BIT(1)
#define OCW3_POLL		BIT(2)
#define OCW3_SMM		BIT(5)
#define OCW3_ESMM		BIT(6)
#define POLL_PENDING		BIT(7)

/* Vectors of a PC's firmware */
#define FIRMWARE_MASTER		0x08
#define FIRMWARE_SLAVE		0x70

/* Inputs that may be level-triggered: not timer, keyboard, cascade; not RTC, FPU. */
#define ELCR_MASTER		0xf8
#define ELCR_SLAVE		0xde

enum init_step { READY, WANT_ICW2, WANT_ICW3, WANT_ICW4 };

/* All [l]. */
struct pic_chip {
	u8 lines;
	u8 irr;			/* edges not yet taken */
	u8 isr, imr;
	u8 elcr;
	u8 base;		/* vector of input 0 */
	u8 lowest;		/* input of the lowest priority; the next one's is the highest */
	u8 step;		/* enum init_step */
	bool want_icw4, single, level_mode;
	bool auto_eoi, rotate_on_aeoi;
	bool nested;		/* special fully nested */
	bool special_mask;
	bool read_isr, poll;
};

struct vpic {
	struct qvm_vdev master, slave, elcr;
	struct qvm_vm *vm;	/* [C] */
	raw_spinlock_t lock;
	struct pic_chip chip[2];
	bool intr;		/* [l, r] the master's output */
};

/* ---- one chip */

/* The input at a place in the order of priorities, 0 the highest. */
static unsigned int input_at(const struct pic_chip *chip, unsigned int rank)
{
	return (rank + chip->lowest + 1) & (CHIP_INPUTS - 1);
}

/* Rank of the best of @inputs, CHIP_INPUTS if there is none. */
static unsigned int best_rank(const struct pic_chip *chip, u8 inputs)
{
	u32 ranked = inputs | inputs << CHIP_INPUTS;

	return inputs ? __ffs(ranked >> (chip->lowest + 1)) : CHIP_INPUTS;
}

static u8 chip_levels(const struct pic_chip *chip)
{
	return chip->level_mode ? 0xff : chip->elcr;
}

static u8 chip_requests(const struct pic_chip *chip)
{
	u8 levels = chip_levels(chip);

	return (chip->irr & ~levels) | (chip->lines & levels);
}

/* The input that the chip asks service for, or -1. */
static int chip_pending(const struct pic_chip *chip)
{
	unsigned int rank = best_rank(chip, chip_requests(chip) & ~chip->imr);
	unsigned int limit;
	u8 service = chip->isr;

	if (chip->special_mask)
		service &= ~chip->imr;
	limit = best_rank(chip, service);
	/* special fully nested: a slave in service may ask again */
	if (chip->nested && limit < CHIP_INPUTS && input_at(chip, limit) == CASCADE)
		limit++;
	return rank < limit ? (int)input_at(chip, rank) : -1;
}

static void chip_acknowledge(struct pic_chip *chip, unsigned int input)
{
	chip->irr &= ~BIT(input);
	if (!chip->auto_eoi)
		chip->isr |= BIT(input);
	else if (chip->rotate_on_aeoi)
		chip->lowest = input;
}

static void chip_set_line(struct pic_chip *chip, unsigned int input, bool level)
{
	u8 bit = BIT(input);

	if (level && !(chip->lines & bit))
		chip->irr |= bit;
	chip->lines = (chip->lines & ~bit) | (level ? bit : 0);
}

/* ---- the pair; lock held */

/* The slave's output is the master's input, the master's a pin of vCPU 0. */
static void pair_update(struct vpic *pic, u64 *kicks)
{
	struct qvm_vcpu *vcpu = READ_ONCE(pic->vm->vcpu[0]);
	bool intr;

	chip_set_line(&pic->chip[0], CASCADE, chip_pending(&pic->chip[1]) >= 0);
	intr = chip_pending(&pic->chip[0]) >= 0;
	if (intr == pic->intr)
		return;
	WRITE_ONCE(pic->intr, intr);
	if (vcpu)
		vlapic_set_lint(vcpu, 0, intr, kicks);
}

/* INTA at one chip: its input, the spurious one if there is none any more. */
static unsigned int chip_inta(struct pic_chip *chip)
{
	int input = chip_pending(chip);

	if (input < 0)
		return SPURIOUS;
	chip_acknowledge(chip, input);
	return input;
}

static u8 pair_inta(struct vpic *pic)
{
	unsigned int input = chip_inta(&pic->chip[0]);

	if (input != CASCADE || pic->chip[0].single)
		return pic->chip[0].base | input;
	input = chip_inta(&pic->chip[1]);
	/* its output goes low with INTA: what it still has is a new edge */
	chip_set_line(&pic->chip[0], CASCADE, false);
	return pic->chip[1].base | input;
}

void vpic_post_input(struct qvm_vm *vm, unsigned int input, bool level, u64 *kicks)
{
	struct vpic *pic = vm->arch.pic;
	unsigned long flags;

	if (!pic || input >= PIC_INPUTS || input == CASCADE)
		return;
	raw_spin_lock_irqsave(&pic->lock, flags);
	chip_set_line(&pic->chip[input / CHIP_INPUTS], input % CHIP_INPUTS, level);
	pair_update(pic, kicks);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
}

void vpic_set_input(struct qvm_vm *vm, unsigned int input, bool level)
{
	u64 kicks = 0;

	vpic_post_input(vm, input, level, &kicks);
	vlapic_kick(vm, kicks, NULL);
}

bool vpic_has_pending(struct qvm_vm *vm)
{
	return vm->arch.pic && READ_ONCE(vm->arch.pic->intr);
}

u8 vpic_acknowledge(struct qvm_vm *vm)
{
	struct vpic *pic = vm->arch.pic;
	unsigned long flags;
	u64 kicks = 0;
	u8 vector;

	raw_spin_lock_irqsave(&pic->lock, flags);
	vector = pair_inta(pic);
	pair_update(pic, &kicks);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	/* vCPU 0 is who asks */
	vlapic_kick(vm, kicks, vm->vcpu[0]);
	return vector;
}

/* ---- what the guest writes */

/* The requests are forgotten, and an edge has to come again. */
static void write_icw1(struct pic_chip *chip, u8 value)
{
	*chip = (struct pic_chip){
		.lines = chip->lines,
		.elcr = chip->elcr,
		.base = chip->base,
		.lowest = CHIP_INPUTS - 1,
		.step = WANT_ICW2,
		.want_icw4 = value & ICW1_IC4,
		.single = value & ICW1_SINGLE,
		.level_mode = value & ICW1_LTIM,
	};
}

static void write_icw(struct pic_chip *chip, u8 value)
{
	switch (chip->step) {
	case WANT_ICW2:
		chip->base = value & ICW2_BASE;
		chip->step = !chip->single ? WANT_ICW3 : chip->want_icw4 ? WANT_ICW4 : READY;
		break;
	case WANT_ICW3:
		/* who is where is wired */
		chip->step = chip->want_icw4 ? WANT_ICW4 : READY;
		break;
	default:
		chip->auto_eoi = value & ICW4_AEOI;
		chip->nested = value & ICW4_SFNM;
		chip->step = READY;
		break;
	}
}

/* Non-specific: the best in service, but not one that special mask mode has masked. */
static unsigned int eoi_input(const struct pic_chip *chip, u8 value)
{
	u8 service = chip->special_mask ? chip->isr & ~chip->imr : chip->isr;

	if (value & OCW2_SPECIFIC)
		return value & (CHIP_INPUTS - 1);
	return service ? input_at(chip, best_rank(chip, service)) : CHIP_INPUTS;
}

static void write_ocw2(struct pic_chip *chip, u8 value)
{
	unsigned int input;

	if (value & OCW2_EOI) {
		input = eoi_input(chip, value);
		if (input == CHIP_INPUTS)
			return;
		chip->isr &= ~BIT(input);
		if (value & OCW2_ROTATE)
			chip->lowest = input;
	} else if (!(value & OCW2_SPECIFIC)) {
		chip->rotate_on_aeoi = value & OCW2_ROTATE;
	} else if (value & OCW2_ROTATE) {
		chip->lowest = value & (CHIP_INPUTS - 1);
	}
}

static void write_ocw3(struct pic_chip *chip, u8 value)
{
	if (value & OCW3_ESMM)
		chip->special_mask = value & OCW3_SMM;
	chip->poll = value & OCW3_POLL;
	if (!chip->poll && value & OCW3_RR)
		chip->read_isr = value & OCW3_RIS;
}

static void chip_write(struct pic_chip *chip, unsigned int port, u8 value)
{
	if (port && chip->step != READY)
		write_icw(chip, value);
	else if (port)
		chip->imr = value;
	else if (value & ICW1)
		write_icw1(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

/* Polled: the read is an INTA, and tells the input. */
static u8 chip_poll(struct pic_chip *chip)
{
	int input = chip_pending(chip);

	chip->poll = false;
	if (input < 0)
		return SPURIOUS;
	chip_acknowledge(chip, input);
	return POLL_PENDING | input;
}

static u8 chip_read(struct pic_chip *chip, unsigned int port)
{
	if (chip->poll)
		return chip_poll(chip);
	if (port)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip_requests(chip);
}

/* ---- ports */

static u8 pair_read(struct qvm_vm *vm, unsigned int index, unsigned int port)
{
	struct vpic *pic = vm->arch.pic;
	unsigned long flags;
	u64 kicks = 0;
	u8 value;

	raw_spin_lock_irqsave(&pic->lock, flags);
	if (index == 1 && pic->chip[1].poll)
		chip_set_line(&pic->chip[0], CASCADE, false);	/* as with INTA */
	value = chip_read(&pic->chip[index], port);
	pair_update(pic, &kicks);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vlapic_kick(vm, kicks, NULL);
	return value;
}

static void pair_write(struct qvm_vm *vm, unsigned int index, unsigned int port, u8 value)
{
	struct vpic *pic = vm->arch.pic;
	unsigned long flags;
	u64 kicks = 0;

	raw_spin_lock_irqsave(&pic->lock, flags);
	chip_write(&pic->chip[index], port, value);
	pair_update(pic, &kicks);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vlapic_kick(vm, kicks, NULL);
}

static u8 master_read_byte(struct qvm_vm *vm, unsigned int offset)
{
	return pair_read(vm, 0, offset);
}

static void master_write_byte(struct qvm_vm *vm, unsigned int offset, u8 value)
{
	pair_write(vm, 0, offset, value);
}

static u8 slave_read_byte(struct qvm_vm *vm, unsigned int offset)
{
	return pair_read(vm, 1, offset);
}

static void slave_write_byte(struct qvm_vm *vm, unsigned int offset, u8 value)
{
	pair_write(vm, 1, offset, value);
}

static u8 elcr_read_byte(struct qvm_vm *vm, unsigned int offset)
{
	return READ_ONCE(vm->arch.pic->chip[offset].elcr);
}

static void elcr_write_byte(struct qvm_vm *vm, unsigned int offset, u8 value)
{
	struct vpic *pic = vm->arch.pic;
	unsigned long flags;
	u64 kicks = 0;

	raw_spin_lock_irqsave(&pic->lock, flags);
	WRITE_ONCE(pic->chip[offset].elcr, value & (offset ? ELCR_SLAVE : ELCR_MASTER));
	pair_update(pic, &kicks);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vlapic_kick(vm, kicks, NULL);
}

#define PORT_OPS(_name)								\
static int _name##_read(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset,	\
			unsigned int len, u64 *value)				\
{										\
	*value = ports_read(vcpu->vm, _name##_read_byte, offset, len);		\
	return 0;								\
}										\
static int _name##_write(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset,	\
			 unsigned int len, u64 value)				\
{										\
	ports_write(vcpu->vm, _name##_write_byte, offset, len, value);		\
	return 0;								\
}										\
static const struct qvm_vdev_ops _name##_ops = {				\
	.read = _name##_read,							\
	.write = _name##_write,							\
}

PORT_OPS(master);
PORT_OPS(slave);
PORT_OPS(elcr);

/* ---- life */

static int vpic_check(const struct qvm_vm *vm, u64 master, u64 slave, u64 elcr)
{
	const u64 port[] = { master, slave, elcr };
	unsigned int i, count = elcr ? 3 : 2;
	int err;

	if (vm->arch.pic)
		return -EEXIST;
	for (i = 0; i < count; i++) {
		err = ports_check(vm, port[i], 2);
		if (err)
			return err;
	}
	/* settled here, so that a later registration can't fail after the first */
	if (master == slave || master == elcr || slave == elcr)
		return -EEXIST;
	return vm->ports.count + count > QVM_MAX_VDEVS ? -EINVAL : 0;
}

/* The data sheet leaves it open: initialized and open, for guests that expect firmware to have done it. */
static void chip_power_on(struct pic_chip *chip, u8 base)
{
	write_icw1(chip, 0);
	chip->base = base;
	chip->step = READY;
}

int vpic_create(struct qvm_vm *vm, u64 master, u64 slave, u64 elcr)
{
	struct vpic *pic;
	int err;

	err = vpic_check(vm, master, slave, elcr);
	if (err)
		return err;
	pic = kzalloc(sizeof(*pic), GFP_KERNEL_ACCOUNT);
	if (!pic)
		return -ENOMEM;
	raw_spin_lock_init(&pic->lock);
	pic->vm = vm;
	chip_power_on(&pic->chip[0], FIRMWARE_MASTER);
	chip_power_on(&pic->chip[1], FIRMWARE_SLAVE);
	pic->master = (struct qvm_vdev){ &master_ops, "pic-master", master, 2 };
	pic->slave = (struct qvm_vdev){ &slave_ops, "pic-slave", slave, 2 };
	pic->elcr = (struct qvm_vdev){ &elcr_ops, "pic-elcr", elcr, 2 };
	vm->arch.pic = pic;
	err = qvm_bus_register(&vm->ports, &pic->master);
	err = err ?: qvm_bus_register(&vm->ports, &pic->slave);
	if (elcr)
		err = err ?: qvm_bus_register(&vm->ports, &pic->elcr);
	return err;
}

void vpic_destroy(struct qvm_vm *vm)
{
	kfree(vm->arch.pic);
	vm->arch.pic = NULL;
}
