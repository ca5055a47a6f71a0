/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PC board: LAPICs, I/O APIC, 8259 pair, 8254, and what a guest does with them. Kicks are
 * counted; a kick with a lock held stops the test.
 */
#ifndef FAKE_X86_BOARD_H
#define FAKE_X86_BOARD_H

#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>
#include <asm/apicdef.h>
#include <asm/tsc.h>

#include "core.h"
#include "irqchip.h"
#include "irqchip_state.h"
#include "vlapic.h"

#define BOARD_VCPUS	64
#define BOARD_IOAPIC	0xfec00000ULL
#define LAPIC_BASE	0xfee00000ULL
#define BASE_EN		0x800ULL
#define BASE_X2		0xc00ULL

static struct {
	struct qvm_vm vm;
	struct qvm_vcpu vcpu[BOARD_VCPUS];
	struct qvm_vcpu *slot[BOARD_VCPUS];
	unsigned int kicks[BOARD_VCPUS];
} board;

void qvm_vcpu_kick(struct qvm_vcpu *vcpu)
{
	BUG_ON(fake_locks.depth);
	board.kicks[vcpu->index]++;
}

struct fake_ended fake_ended;

void qvm_irqfd_ended(struct qvm_vm *vm, u32 line)
{
	fake_ended.count++;
	fake_ended.line = line;
}

static inline void board_create(unsigned int vcpus)
{
	unsigned int i;

	memset(&board, 0, sizeof(board));
	memset(&fake_hrtimers, 0, sizeof(fake_hrtimers));
	fake_irqs_off = false;
	fake_now = 1000000;
	fake_tsc_base = 0;
	tsc_khz = 2000000;
	board.vm.max_vcpus = vcpus;
	board.vm.ipa_bits = 40;
	board.vm.vcpu = board.slot;
	vlapic_vm_init(&board.vm);
	for (i = 0; i < vcpus; i++) {
		board.slot[i] = &board.vcpu[i];
		board.vcpu[i].vm = &board.vm;
		board.vcpu[i].index = i;
		atomic_set(&board.vcpu[i].power, i ? VCPU_OFF : VCPU_ON);
		BUG_ON(vlapic_create(&board.vcpu[i]));
	}
	BUG_ON(vioapic_create(&board.vm, BOARD_IOAPIC, 0, 0));
	BUG_ON(vpic_create(&board.vm, 0x20, 0xa0, 0x4d0));
	BUG_ON(vpit_create(&board.vm, 0x40, 0x61, 0, 2));
}

/* In the order of the module: vCPUs first. */
static inline void board_destroy(void)
{
	unsigned int i;

	for (i = 0; i < board.vm.max_vcpus; i++)
		vlapic_destroy(&board.vcpu[i]);
	vpit_destroy(&board.vm);
	vpic_destroy(&board.vm);
	vioapic_destroy(&board.vm);
	for (i = 0; i < FAKE_HRTIMERS; i++)
		BUG_ON(fake_hrtimers.armed[i]);
	BUG_ON(fake_slab_count);
	BUG_ON(fake_locks.depth);
}

/* ---- LAPIC, by its page */

static inline u32 apic_read(unsigned int v, u32 offset)
{
	return vlapic_mmio_read(&board.vcpu[v], offset);
}

static inline void apic_write(unsigned int v, u32 offset, u32 value)
{
	vlapic_mmio_write(&board.vcpu[v], offset, value);
}

static inline void apic_enable(unsigned int v)
{
	apic_write(v, APIC_SPIV, 0x1ff);
}

static inline void apic_enable_x2(unsigned int v)
{
	struct qvm_vcpu *vcpu = &board.vcpu[v];

	BUG_ON(vlapic_set_base(vcpu, vlapic_get_base(vcpu) | BASE_X2));
	BUG_ON(vlapic_msr_write(vcpu, 0x80f, 0x1ff));
}

static inline bool apic_has(unsigned int v, u32 reg, u8 vector)
{
	return apic_read(v, reg + vector / 32 * 16) >> vector % 32 & 1;
}

/* Take what is next, or -1. */
static inline int guest_take(unsigned int v)
{
	int vector = vlapic_pending_vector(&board.vcpu[v]);

	if (vector >= 0)
		vlapic_take(&board.vcpu[v], vector);
	return vector;
}

static inline int guest_serve(unsigned int v)
{
	int vector = guest_take(v);

	if (vector >= 0)
		apic_write(v, APIC_EOI, 0);
	return vector;
}

static inline bool guest_event(unsigned int v, enum x86_event event)
{
	bool was = atomic_long_read(&board.vcpu[v].arch.events) & BIT(event);

	atomic_long_andnot(BIT(event), &board.vcpu[v].arch.events);
	return was;
}

/* ---- I/O APIC */

static inline u64 mmio_read(u64 gpa, unsigned int len)
{
	u64 value = ~0ULL;

	BUG_ON(qvm_bus_read(&board.vm.bus, &board.vcpu[0], gpa, len, &value));
	return value;
}

static inline void mmio_write(u64 gpa, unsigned int len, u64 value)
{
	BUG_ON(qvm_bus_write(&board.vm.bus, &board.vcpu[0], gpa, len, value));
}

static inline u32 ioapic_read(u8 index)
{
	mmio_write(BOARD_IOAPIC, 4, index);
	return mmio_read(BOARD_IOAPIC + 0x10, 4);
}

static inline void ioapic_write(u8 index, u32 value)
{
	mmio_write(BOARD_IOAPIC, 4, index);
	mmio_write(BOARD_IOAPIC + 0x10, 4, value);
}

/* @low: vector, mode and flags as in the entry. */
static inline void ioapic_route(unsigned int pin, u8 dest, u32 low)
{
	ioapic_write(0x10 + 2 * pin, 0x10000);
	ioapic_write(0x11 + 2 * pin, (u32)dest << 24);
	ioapic_write(0x10 + 2 * pin, low);
}

static inline u32 ioapic_entry(unsigned int pin)
{
	return ioapic_read(0x10 + 2 * pin);
}

/* ---- ports */

static inline u8 inb(u16 port)
{
	u64 value = ~0ULL;

	BUG_ON(qvm_bus_read(&board.vm.ports, &board.vcpu[0], port, 1, &value));
	return value;
}

static inline void outb(u16 port, u8 value)
{
	BUG_ON(qvm_bus_write(&board.vm.ports, &board.vcpu[0], port, 1, value));
}

#endif
