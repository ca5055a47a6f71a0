/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A board with a virtual GIC, and in place of ICH_* registers a model of the virtual CPU
 * interface (IHI 0069, 4.8 and 5): what a guest's ICC_* accesses do with list registers. A kick
 * of a vCPU in the guest makes it leave and enter again.
 */
#ifndef FAKE_VGIC_CPUIF_H
#define FAKE_VGIC_CPUIF_H

#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "core.h"
#include "vgic.h"
#include "vgic_state.h"
#include "vdev/reg.h"

#define BOARD_VCPUS	20
#define BOARD_GICD	0x08000000ULL
#define BOARD_GICR	0x080a0000ULL
#define SPURIOUS	1023U

struct fake_cpu {
	bool in_guest;
	unsigned int kicks, entries;
	/* what the guest sets */
	unsigned int pmr;
	bool group[2];
	bool eoimode1;
	unsigned int bpr_ignored;	/* low bits of a priority that do not preempt */
	/* active priorities, best last */
	unsigned int depth;
	u8 running[64];
	/* the hardware */
	unsigned int used;
	struct vgic_lr lr[VGIC_MAX_LRS];
	u32 exits;
	unsigned int eoicount;
	bool eoi_due;			/* a list register with eoi was deactivated */
	bool phys_active;		/* of PPI 27 on this vCPU's pCPU */
	bool hw_line;			/* what hw_level() says */
};

static struct board {
	struct qvm_vm vm;
	struct qvm_vcpu vcpu[BOARD_VCPUS];
	struct qvm_vcpu *slot[BOARD_VCPUS];
	struct fake_cpu cpu[BOARD_VCPUS];
} board;

struct fake_ended fake_ended;

void qvm_irqfd_ended(struct qvm_vm *vm, u32 line)
{
	fake_ended.count++;
	fake_ended.line = line;
}

static struct fake_cpu *fake_of(struct vgic_cpu *cpu)
{
	return &board.cpu[container_of(cpu, struct vgic_vcpu, cpu)->index];
}

static unsigned int fake_running(const struct fake_cpu *c)
{
	return c->depth ? c->running[c->depth - 1] : 0x100;
}

static void fake_load(struct vgic_cpu *cpu)
{
}

static void fake_put(struct vgic_cpu *cpu)
{
	const struct fake_cpu *c = fake_of(cpu);
	unsigned int i;

	for (i = 0; i < 2; i++)
		cpu->limit[i] = c->group[i] ? min_t(unsigned int, c->pmr, fake_running(c)) : 0;
}

/* What IHI 0069 forbids in a list register, or between two, stops the test. */
static void fake_check(const struct fake_cpu *c)
{
	const struct fake_cpu *o;
	unsigned int i, j;

	for (i = 0; i < c->used; i++) {
		const struct vgic_lr *lr = &c->lr[i];

		BUG_ON(lr->hw && (lr->eoi || lr->written == (VGIC_LR_PENDING | VGIC_LR_ACTIVE)));
		BUG_ON(!lr->written || lr->intid >= VGIC_MAX_LINES);
		for (j = 0; j < i; j++)
			BUG_ON(c->lr[j].intid == lr->intid);
		for (o = board.cpu; o < board.cpu + BOARD_VCPUS; o++) {
			for (j = 0; o != c && o->in_guest && j < o->used; j++)
				BUG_ON(o->lr[j].intid == lr->intid && lr->intid >= VGIC_PRIVATE);
		}
	}
}

static void fake_flush(struct vgic_cpu *cpu)
{
	struct fake_cpu *c = fake_of(cpu);
	unsigned int i;

	BUG_ON(!irqs_disabled());
	c->used = cpu->used;
	c->exits = cpu->exits;
	c->eoicount = 0;
	c->eoi_due = false;
	memcpy(c->lr, cpu->lr, sizeof(c->lr));
	for (i = 0; i < c->used; i++)
		c->lr[i].state = c->lr[i].written;
	fake_check(c);
}

static void fake_sync(struct vgic_cpu *cpu)
{
	struct fake_cpu *c = fake_of(cpu);
	unsigned int i;

	BUG_ON(!irqs_disabled());
	for (i = 0; i < c->used; i++)
		cpu->lr[i].state = c->lr[i].state;
	cpu->unlisted = c->eoicount;
	c->used = 0;
	c->exits = 0;
	c->eoicount = 0;
}

static u32 fake_groups(struct vgic_cpu *cpu)
{
	const struct fake_cpu *c = fake_of(cpu);

	return (c->group[0] ? VGIC_GROUP0 : 0) | (c->group[1] ? VGIC_GROUP1 : 0);
}

/* Of the vCPU that the caller syncs or flushes: tests with such interrupts have one vCPU. */
static void fake_deactivate_phys(unsigned int hwirq)
{
	BUG_ON(!irqs_disabled() || hwirq != 27);
	board.cpu[0].phys_active = false;
}

static struct vgic_cpuif fake_cpuif = {
	.lr_count = 4,
	.load = fake_load,
	.put = fake_put,
	.flush = fake_flush,
	.sync = fake_sync,
	.groups = fake_groups,
	.deactivate = fake_deactivate_phys,
};

/* ---- a vCPU comes and goes */

static void guest_exit(unsigned int v)
{
	if (!board.cpu[v].in_guest)
		return;
	local_irq_disable();
	qvm_vgic_sync(&board.vcpu[v]);
	board.cpu[v].in_guest = false;
	local_irq_enable();
}

/* Up to the flush, interrupts off. */
static void guest_enter_begin(unsigned int v)
{
	struct fake_cpu *c = &board.cpu[v];

	BUG_ON(c->in_guest);
	local_irq_disable();
	c->used = 0;
	c->exits = 0;
	c->eoicount = 0;
	c->eoi_due = false;
	c->in_guest = true;
	c->entries++;
}

static void guest_enter(unsigned int v)
{
	guest_enter_begin(v);
	qvm_vgic_flush(&board.vcpu[v]);
	local_irq_enable();
}

/* out, put, and has_pending as a blocked vCPU asks it */
static bool guest_would_wake(unsigned int v)
{
	guest_exit(v);
	qvm_vgic_put(&board.vcpu[v]);
	return qvm_vgic_has_pending(&board.vcpu[v]);
}

void qvm_vcpu_kick(struct qvm_vcpu *vcpu)
{
	struct fake_cpu *c = &board.cpu[vcpu->index];
	bool irqs_off = irqs_disabled();

	c->kicks++;
	BUG_ON(fake_locks.depth);
	if (c->in_guest) {
		guest_exit(vcpu->index);
		guest_enter(vcpu->index);
	}
	if (irqs_off)
		local_irq_disable();
}

/* ---- what a guest does with ICC_* registers */

static bool fake_lr_takes(const struct fake_cpu *c, const struct vgic_lr *lr)
{
	unsigned int group_prio = lr->prio & ~((1U << c->bpr_ignored) - 1);

	return lr->state == VGIC_LR_PENDING && c->group[lr->group1] && lr->prio < c->pmr &&
	       group_prio < fake_running(c);
}

/* Whether "pending and active" ends ICH_MISR_EL2.NP: the code must work with both. */
static bool fake_np_counts_both;

static bool fake_maintenance(const struct fake_cpu *c)
{
	bool pending = false;
	unsigned int i;

	for (i = 0; i < c->used; i++)
		pending |= fake_np_counts_both ? c->lr[i].state & VGIC_LR_PENDING :
						 c->lr[i].state == VGIC_LR_PENDING;
	return c->eoi_due || (c->exits & VGIC_EXIT_NO_PENDING && !pending) ||
	       (c->exits & VGIC_EXIT_UNLISTED && c->eoicount) ||
	       (c->exits & VGIC_EXIT_GROUP0 && c->group[0]) ||
	       (c->exits & VGIC_EXIT_GROUP1 && c->group[1]);
}

/* Taken at once, as long as it lasts; one that never ends is a guest that makes no progress. */
static void fake_maintain(unsigned int v)
{
	unsigned int n;

	for (n = 0; fake_maintenance(&board.cpu[v]); n++) {
		BUG_ON(n == 4);
		guest_exit(v);
		guest_enter(v);
	}
}

/* ICC_HPPIR: without a side effect. */
static struct vgic_lr *fake_best(struct fake_cpu *c)
{
	struct vgic_lr *best = NULL;
	unsigned int i;

	for (i = 0; i < c->used; i++) {
		if (fake_lr_takes(c, &c->lr[i]) && (!best || c->lr[i].prio < best->prio))
			best = &c->lr[i];
	}
	return best;
}

static unsigned int guest_iar(unsigned int v)
{
	struct fake_cpu *c = &board.cpu[v];
	struct vgic_lr *lr;
	unsigned int intid;

	BUG_ON(!c->in_guest);
	lr = fake_best(c);
	if (!lr)
		return SPURIOUS;
	intid = lr->intid;
	lr->state = VGIC_LR_ACTIVE;
	BUG_ON(c->depth == ARRAY_SIZE(c->running));
	c->running[c->depth++] = lr->prio & ~((1U << c->bpr_ignored) - 1);
	fake_maintain(v);
	return intid;
}

static void fake_deactivate(struct fake_cpu *c, unsigned int intid)
{
	unsigned int i;

	for (i = 0; i < c->used; i++) {
		struct vgic_lr *lr = &c->lr[i];

		if (lr->intid != intid || !(lr->state & VGIC_LR_ACTIVE))
			continue;
		lr->state &= ~VGIC_LR_ACTIVE;
		BUG_ON(lr->hw && !c->phys_active);
		if (lr->hw)
			c->phys_active = false;
		c->eoi_due |= lr->eoi;
		return;
	}
	c->eoicount++;
}

static void guest_eoir(unsigned int v, unsigned int intid)
{
	struct fake_cpu *c = &board.cpu[v];

	BUG_ON(!c->in_guest || !c->depth);
	c->depth--;
	if (!c->eoimode1)
		fake_deactivate(c, intid);
	fake_maintain(v);
}

static void guest_dir(unsigned int v, unsigned int intid)
{
	struct fake_cpu *c = &board.cpu[v];

	BUG_ON(!c->in_guest || !c->eoimode1);
	if (c->exits & VGIC_EXIT_UNLISTED) {
		guest_exit(v);
		qvm_vgic_deactivate(&board.vcpu[v], intid);
		guest_enter(v);
	} else {
		fake_deactivate(c, intid);
	}
	fake_maintain(v);
}

/* Acknowledge and end; the INTID. */
static unsigned int guest_take(unsigned int v)
{
	unsigned int intid = guest_iar(v);

	if (intid != SPURIOUS) {
		guest_eoir(v, intid);
		if (board.cpu[v].eoimode1)
			guest_dir(v, intid);
	}
	return intid;
}

static void guest_sgi(unsigned int v, u64 value, unsigned int group)
{
	guest_exit(v);
	qvm_vgic_send_sgi(&board.vcpu[v], value, group);
	guest_enter(v);
}

/* ---- and with the distributor's registers */

static u64 guest_read(unsigned int v, u64 gpa, unsigned int len)
{
	u64 val = ~0ULL;

	guest_exit(v);
	BUG_ON(qvm_bus_read(&board.vm.bus, &board.vcpu[v], gpa, len, &val));
	guest_enter(v);
	return val;
}

static void guest_write(unsigned int v, u64 gpa, unsigned int len, u64 val)
{
	guest_exit(v);
	BUG_ON(qvm_bus_write(&board.vm.bus, &board.vcpu[v], gpa, len, val));
	guest_enter(v);
}

static u64 gicr(unsigned int v, unsigned int offset)
{
	return BOARD_GICR + v * 0x20000ULL + offset;
}

/* The register that has @intid as @v sees it, of the bitmaps that both frames have alike. */
static u64 bit_reg(unsigned int v, unsigned int offset, unsigned int intid)
{
	return intid < 32 ? gicr(v, 0x10000 + offset) : BOARD_GICD + offset + intid / 32 * 4;
}

static void guest_bit(unsigned int v, unsigned int offset, unsigned int intid)
{
	guest_write(v, bit_reg(v, offset, intid), 4, BIT(intid % 32));
}

static bool guest_has_bit(unsigned int v, unsigned int offset, unsigned int intid)
{
	return guest_read(v, bit_reg(v, offset, intid), 4) & BIT(intid % 32);
}

static void guest_prio(unsigned int v, unsigned int intid, u8 prio)
{
	guest_write(v, intid < 32 ? gicr(v, 0x10400 + intid) : BOARD_GICD + 0x400 + intid, 1, prio);
}

static void guest_route(unsigned int v, unsigned int intid, u64 route)
{
	guest_write(v, BOARD_GICD + 0x6000 + intid * 8, 8, route);
}

static void guest_edge(unsigned int v, unsigned int intid)
{
	u64 reg = BOARD_GICD + 0xc00 + intid / 16 * 4;

	guest_write(v, reg, 4, guest_read(v, reg, 4) | 2U << intid % 16 * 2);
}

/* ---- the board */

static void board_create(unsigned int vcpus, unsigned int lines, unsigned int lrs)
{
	unsigned int i;

	memset(&board, 0, sizeof(board));
	fake_irqs_off = false;
	fake_cpuif.lr_count = lrs;
	vgic_host_cpuif = &fake_cpuif;
	board.vm.max_vcpus = vcpus;
	board.vm.ipa_bits = 40;
	board.vm.vcpu = board.slot;
	for (i = 0; i < vcpus; i++) {
		board.slot[i] = &board.vcpu[i];
		board.vcpu[i].vm = &board.vm;
		board.vcpu[i].index = i;
		board.vcpu[i].arch.mpidr = 1ULL << 31 | (i / 16) << 8 | i % 16;
		board.cpu[i].pmr = 0xff;
		board.cpu[i].bpr_ignored = 3;
		board.cpu[i].group[1] = true;
	}
	BUG_ON(qvm_vgic_create(&board.vm, BOARD_GICD, BOARD_GICR, lines));
	BUG_ON(qvm_vgic_assemble(&board.vm));
	for (i = 0; i < vcpus; i++)
		guest_enter(i);
	guest_write(0, BOARD_GICD, 4, 3);
}

static void board_destroy(void)
{
	unsigned int i;

	for (i = 0; i < board.vm.max_vcpus; i++)
		guest_exit(i);
	qvm_vgic_destroy(&board.vm);
	BUG_ON(fake_slab_count);
}

static void enable_edge(unsigned int intid, u8 prio)
{
	guest_edge(0, intid);
	guest_prio(0, intid, prio);
	guest_bit(0, 0x100, intid);
}

static void board_edge(unsigned int intid)
{
	BUG_ON(qvm_vgic_set_irq(&board.vm, NULL, intid, true));
	BUG_ON(qvm_vgic_set_irq(&board.vm, NULL, intid, false));
}

static void board_level(unsigned int intid, bool level)
{
	BUG_ON(qvm_vgic_set_irq(&board.vm, NULL, intid, level));
}

#endif
