// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254: three counters at 1193182 Hz of the host's time, and port 61h, which gates counter 2
 * and shows its output. Counter 0's output is a line to the 8259 pair and to the I/O APIC; an
 * hrtimer fires at each of its rising edges.
 *
 * Edges that come closer than MIN_EDGE_TICKS, or that pass while the timer could not fire, are one:
 * nothing is caught up, the phase is kept. What a guest reads from the counter stays exact. The
 * line falls, as an edge-triggered input sees it, just before it rises.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "irqchip_state.h"
#include "vpit_counter.h"

#define PIT_HZ			1193182
#define PIT_PORTS		4
#define PIT_CONTROL		3		/* offset of the control word */
#define COUNTERS		3
#define SPEAKER			2		/* the counter */
#define MIN_EDGE_TICKS		120		/* 100 us */

/* Control word. */
#define CONTROL_COUNTER(v)	((v) >> 6)
#define CONTROL_RW(v)		((v) >> 4 & 3)	/* 0: latch */
#define READ_BACK		3
#define READ_BACK_NO_COUNT	BIT(5)
#define READ_BACK_NO_STATUS	BIT(4)
#define READ_BACK_COUNTER(n)	BIT((n) + 1)

/* Port 61h. */
#define PORT61_GATE		BIT(0)
#define PORT61_WRITABLE		GENMASK(3, 0)	/* gate, speaker, NMI masks */
#define PORT61_REFRESH		BIT(4)
#define PORT61_OUT		BIT(5)
#define REFRESH_TICKS		18		/* about 15 us */

struct vpit {
	struct qvm_vdev counters, port61;
	struct qvm_vm *vm;		/* [C] */
	u64 epoch;			/* [C] ns */
	unsigned int pic_line, ioapic_line;	/* [C] */
	struct hrtimer timer;
	raw_spinlock_t lock;
	u64 rise;			/* [l] tick of counter 0's next edge */
	bool out;			/* [l] counter 0's output, as far as the line has followed it */
	u8 control;			/* [l] port 61h as written */
	struct pit_counter counter[COUNTERS];	/* [l] */
};

/* ---- time */

static u64 pit_now(const struct vpit *pit)
{
	u64 ns = ktime_to_ns(ktime_get()) - pit->epoch;

	return PIT_FIRST_TICK + mul_u64_u32_div(ns, PIT_HZ, NSEC_PER_SEC);
}

/* The first nanosecond of @tick. */
static u64 tick_to_ns(const struct vpit *pit, u64 tick)
{
	return pit->epoch + mul_u64_u32_div(tick - PIT_FIRST_TICK, NSEC_PER_SEC, PIT_HZ) + 1;
}

/* ---- counter 0's line; lock held */

static void set_line(struct vpit *pit, bool level, u64 *kicks)
{
	pit->out = level;
	vpic_post_input(pit->vm, pit->pic_line, level, kicks);
	vioapic_post_pin(pit->vm, pit->ioapic_line, level, kicks);
}

/* Edges up to @now. Before anything of the counter changes. */
static void line_sync(struct vpit *pit, u64 now, u64 *kicks)
{
	if (now < pit->rise)
		return;
	set_line(pit, false, kicks);
	set_line(pit, true, kicks);
	pit->rise = pit_counter_next_rise(&pit->counter[0], now);
}

/*
 * After a change of the counter, or an edge. The callback never restarts its timer by what it
 * returns, hence a start from elsewhere meanwhile is no conflict. One that is too late to be
 * cancelled, or whose edge an access has seen already, finds none due and starts the next.
 */
static void line_update(struct vpit *pit, u64 now, u64 *kicks)
{
	bool out = pit_counter_out(&pit->counter[0], now);

	/* It is high before there is any count, and stays so in all modes but 0: no edge. */
	if (out != pit->out)
		set_line(pit, out, kicks);
	pit->rise = pit_counter_next_rise(&pit->counter[0], now);
	if (pit->rise == PIT_NEVER)
		hrtimer_try_to_cancel(&pit->timer);
	else
		hrtimer_start(&pit->timer,
			      ns_to_ktime(tick_to_ns(pit, max(pit->rise, now + MIN_EDGE_TICKS))),
			      HRTIMER_MODE_ABS_HARD);
}

static enum hrtimer_restart edge_is_due(struct hrtimer *timer)
{
	struct vpit *pit = container_of(timer, struct vpit, timer);
	unsigned long flags;
	u64 now, kicks = 0;

	if (qvm_vm_state(pit->vm) == QVM_VM_ENDED)
		return HRTIMER_NORESTART;
	raw_spin_lock_irqsave(&pit->lock, flags);
	now = pit_now(pit);
	line_sync(pit, now, &kicks);
	line_update(pit, now, &kicks);
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	vlapic_kick(pit->vm, kicks, NULL);
	return HRTIMER_NORESTART;
}

/* ---- registers; lock held */

static void read_back(struct vpit *pit, u8 value, u64 now)
{
	unsigned int i;

	for (i = 0; i < COUNTERS; i++) {
		if (!(value & READ_BACK_COUNTER(i)))
			continue;
		if (!(value & READ_BACK_NO_COUNT))
			pit_counter_latch(&pit->counter[i], now);
		if (!(value & READ_BACK_NO_STATUS))
			pit_counter_latch_status(&pit->counter[i], now);
	}
}

/* True if counter 0 may have changed. */
static bool write_control(struct vpit *pit, u8 value, u64 now)
{
	unsigned int index = CONTROL_COUNTER(value);

	if (index == READ_BACK) {
		read_back(pit, value, now);
		return false;
	}
	if (!CONTROL_RW(value)) {
		pit_counter_latch(&pit->counter[index], now);
		return false;
	}
	pit_counter_control(&pit->counter[index], value, now);
	return index == 0;
}

static bool write_register(struct vpit *pit, unsigned int offset, u8 value, u64 now)
{
	if (offset == PIT_CONTROL)
		return write_control(pit, value, now);
	pit_counter_write(&pit->counter[offset], value, now);
	return offset == 0;
}

/* ---- ports */

static u8 counters_read_byte(struct qvm_vm *vm, unsigned int offset)
{
	struct vpit *pit = vm->arch.pit;
	unsigned long flags;
	u8 value = 0;		/* the control word is write-only */

	raw_spin_lock_irqsave(&pit->lock, flags);
	if (offset != PIT_CONTROL)
		value = pit_counter_read(&pit->counter[offset], pit_now(pit));
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	return value;
}

static void counters_write_byte(struct qvm_vm *vm, unsigned int offset, u8 value)
{
	struct vpit *pit = vm->arch.pit;
	unsigned long flags;
	u64 now, kicks = 0;

	raw_spin_lock_irqsave(&pit->lock, flags);
	now = pit_now(pit);
	line_sync(pit, now, &kicks);
	if (write_register(pit, offset, value, now))
		line_update(pit, now, &kicks);
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	vlapic_kick(vm, kicks, NULL);
}

static u8 port61_read_byte(struct qvm_vm *vm, unsigned int offset)
{
	struct vpit *pit = vm->arch.pit;
	unsigned long flags;
	u8 value;
	u64 now;

	raw_spin_lock_irqsave(&pit->lock, flags);
	now = pit_now(pit);
	value = pit->control | (pit_counter_out(&pit->counter[SPEAKER], now) ? PORT61_OUT : 0) |
		(now / REFRESH_TICKS & 1 ? PORT61_REFRESH : 0);
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	return value;
}

static void port61_write_byte(struct qvm_vm *vm, unsigned int offset, u8 value)
{
	struct vpit *pit = vm->arch.pit;
	unsigned long flags;

	raw_spin_lock_irqsave(&pit->lock, flags);
	pit->control = value & PORT61_WRITABLE;
	pit_counter_set_gate(&pit->counter[SPEAKER], value & PORT61_GATE, pit_now(pit));
	raw_spin_unlock_irqrestore(&pit->lock, flags);
}

static int counters_read(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset,
			 unsigned int len, u64 *value)
{
	*value = ports_read(vcpu->vm, counters_read_byte, offset, len);
	return 0;
}

static int counters_write(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset,
			  unsigned int len, u64 value)
{
	ports_write(vcpu->vm, counters_write_byte, offset, len, value);
	return 0;
}

static int port61_read(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset,
		       unsigned int len, u64 *value)
{
	*value = ports_read(vcpu->vm, port61_read_byte, offset, len);
	return 0;
}

static int port61_write(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset,
			unsigned int len, u64 value)
{
	ports_write(vcpu->vm, port61_write_byte, offset, len, value);
	return 0;
}

static const struct qvm_vdev_ops counters_ops = {
	.read = counters_read,
	.write = counters_write,
};

static const struct qvm_vdev_ops port61_ops = {
	.read = port61_read,
	.write = port61_write,
};

/* ---- life */

static int vpit_check(const struct qvm_vm *vm, u64 base, u64 control, u64 pic_line,
		      u64 ioapic_line)
{
	unsigned int count = control ? 2 : 1;
	int err;

	if (vm->arch.pit)
		return -EEXIST;
	if (pic_line >= PIC_INPUTS || ioapic_line >= IOAPIC_PINS)
		return -EINVAL;
	err = ports_check(vm, base, PIT_PORTS);
	if (!err && control)
		err = ports_check(vm, control, 1);
	if (err)
		return err;
	/* settled here, so that the second registration can't fail after the first */
	if (control && control >= base && control < base + PIT_PORTS)
		return -EEXIST;
	return vm->ports.count + count > QVM_MAX_VDEVS ? -EINVAL : 0;
}

int vpit_create(struct qvm_vm *vm, u64 base, u64 control, u64 pic_line, u64 ioapic_line)
{
	struct vpit *pit;
	unsigned int i;
	int err;

	err = vpit_check(vm, base, control, pic_line, ioapic_line);
	if (err)
		return err;
	pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	if (!pit)
		return -ENOMEM;
	raw_spin_lock_init(&pit->lock);
	qvm_hrtimer_setup(&pit->timer, edge_is_due, HRTIMER_MODE_ABS_HARD);
	pit->vm = vm;
	pit->epoch = ktime_to_ns(ktime_get());
	pit->pic_line = pic_line;
	pit->ioapic_line = ioapic_line;
	pit->rise = PIT_NEVER;
	pit->out = true;
	for (i = 0; i < COUNTERS; i++)
		pit_counter_init(&pit->counter[i], i != SPEAKER);
	pit->counters = (struct qvm_vdev){ &counters_ops, "pit", base, PIT_PORTS };
	pit->port61 = (struct qvm_vdev){ &port61_ops, "pit-control", control, 1 };
	vm->arch.pit = pit;
	err = qvm_bus_register(&vm->ports, &pit->counters);
	if (control)
		err = err ?: qvm_bus_register(&vm->ports, &pit->port61);
	return err;
}

/* Its callback's own restart is no obstacle: hrtimer_cancel() waits, and then takes that away. */
void vpit_stop(struct qvm_vm *vm)
{
	if (vm->arch.pit)
		hrtimer_cancel(&vm->arch.pit->timer);
}

void vpit_destroy(struct qvm_vm *vm)
{
	vpit_stop(vm);
	kfree(vm->arch.pit);
	vm->arch.pit = NULL;
}
