// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC, with LAPICs behind it.
 *
 * LINK: kmod/arch/x86/vlapic.c kmod/arch/x86/vlapic_irq.c kmod/arch/x86/vlapic_ipi.c
 * LINK: kmod/arch/x86/vlapic_timer.c kmod/arch/x86/vioapic.c kmod/arch/x86/vpic.c
 * LINK: kmod/arch/x86/vpit.c kmod/arch/x86/vpit_counter.c kmod/arch/x86/irqchip.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/x86 -Ikmod/arch/x86 -Iuapi/x86
 */
#include "x86/board.h"
#include "unit.h"
#include "vdev/reg.h"

#define RTE_LOGICAL	0x800
#define RTE_PENDING	0x1000
#define RTE_REMOTE_IRR	0x4000
#define RTE_LEVEL	0x8000
#define RTE_MASKED	0x10000
#define NO_BROADCAST	0x1000		/* in SVR */

static u32 rng_state = 1;

static u32 rng(u32 below)
{
	rng_state = rng_state * 1664525 + 1013904223;
	return (u64)(rng_state >> 8) * below >> 24;
}

static void board_on(unsigned int vcpus)
{
	unsigned int v;

	board_create(vcpus);
	for (v = 0; v < vcpus; v++)
		apic_enable(v);
}

static void pin(unsigned int n, bool level)
{
	vioapic_set_pin(&board.vm, n, level);
}

TEST(table_is_sound)
{
	CHECK(qvm_reg_table_is_sound(&vioapic_table));
}

TEST(create_refuses)
{
	struct qvm_vdev other = { .base = BOARD_IOAPIC + 0xfff, .size = 1 };
	struct qvm_vm *vm = &board.vm;

	board_create(1);
	CHECK_EQ(vioapic_create(vm, 0xfed00000, 0, 0), -EEXIST);
	vioapic_destroy(vm);
	vm->bus.count = 0;
	BUG_ON(qvm_bus_register(&vm->bus, &other));
	CHECK_EQ(vioapic_create(vm, BOARD_IOAPIC, 0, 0), -EEXIST);
	vm->bus.count = 0;
	CHECK_EQ(vioapic_create(vm, BOARD_IOAPIC + 0x800, 0, 0), -EINVAL);
	CHECK_EQ(vioapic_create(vm, BOARD_IOAPIC, 16, 0), -EINVAL);
	CHECK_EQ(vioapic_create(vm, BOARD_IOAPIC, 0, 24), -EINVAL);
	CHECK_EQ(vioapic_create(vm, BIT_ULL(40), 0, 0), -ERANGE);
	CHECK_EQ(vioapic_create(vm, -0x1000ULL, 0, 0), -ERANGE);
	CHECK_EQ(vioapic_create(vm, LAPIC_BASE, 0, 0), -EEXIST);
	vm->region[0] = (struct qvm_mem){ .gpa = 0xfec00000, .size = 0x1000 };
	vm->region_count = 1;
	CHECK_EQ(vioapic_create(vm, BOARD_IOAPIC, 0, 0), -EEXIST);
	vm->region_count = 0;
	fake_slab_fail_at = 1;
	CHECK_EQ(vioapic_create(vm, BOARD_IOAPIC, 0, 0), -ENOMEM);
	CHECK_EQ(vm->bus.count, 0);
	CHECK_EQ(vioapic_create(vm, BOARD_IOAPIC, 9, 0), 0);
	CHECK_EQ(ioapic_read(0), 9 << 24);
	board_destroy();
}

TEST(absent_chip)
{
	u64 bitmap[4] = { 1 };

	board_create(1);
	vioapic_destroy(&board.vm);
	pin(3, true);
	vioapic_eoi(&board.vm, 3);
	vioapic_eoi_exits(&board.vm, &board.vcpu[0], bitmap);
	CHECK_EQ(bitmap[0], 0);
	CHECK_EQ(vioapic_routes(&board.vm), 0);
	CHECK_EQ(x86_set_gsi(&board.vm, 15, true), 0);
	CHECK_EQ(x86_set_gsi(&board.vm, 16, true), -ENXIO);
	vpic_destroy(&board.vm);
	CHECK_EQ(x86_set_gsi(&board.vm, 1, true), -ENXIO);
	board.vm.bus.count = 0;
	board_destroy();
}

TEST(gsi_reaches_both_chips)
{
	board_on(1);
	ioapic_route(5, 0, 0x35);
	ioapic_route(23, 0, 0x43);
	outb(0x21, 0xdf);
	CHECK_EQ(x86_set_gsi(&board.vm, 5, true), 0);
	CHECK(vpic_has_pending(&board.vm));
	CHECK_EQ(guest_serve(0), 0x35);
	CHECK_EQ(x86_set_gsi(&board.vm, 23, true), 0);
	CHECK_EQ(guest_serve(0), 0x43);
	CHECK_EQ(x86_set_gsi(&board.vm, 24, true), -ENXIO);
	CHECK_EQ(x86_set_gsi(&board.vm, ~0U, true), -ENXIO);
	board_destroy();
}

TEST(registers)
{
	unsigned int n;

	board_create(1);
	CHECK_EQ(ioapic_read(1), 0x170020);
	ioapic_write(0, ~0U);
	CHECK_EQ(ioapic_read(0), 0xf000000);
	CHECK_EQ(ioapic_read(2), 0xf000000);
	ioapic_write(1, ~0U);
	CHECK_EQ(ioapic_read(1), 0x170020);
	for (n = 0; n < 24; n++) {
		CHECK_EQ(ioapic_read(0x10 + 2 * n), RTE_MASKED);
		CHECK_EQ(ioapic_read(0x11 + 2 * n), 0);
		ioapic_write(0x10 + 2 * n, ~0U);
		ioapic_write(0x11 + 2 * n, ~0U);
		CHECK_EQ(ioapic_read(0x10 + 2 * n), 0x1afff);
		CHECK_EQ(ioapic_read(0x11 + 2 * n), 0xff000000);
	}
	for (n = 0x40; n < 0x100; n++) {
		ioapic_write(n, ~0U);
		CHECK_EQ(ioapic_read(n), 0);
	}
	for (n = 3; n < 0x10; n++)
		CHECK_EQ(ioapic_read(n), 0);
	board_destroy();
}

TEST(frame)
{
	board_create(1);
	mmio_write(BOARD_IOAPIC, 1, 1);			/* by a byte */
	CHECK_EQ(mmio_read(BOARD_IOAPIC, 4), 1);
	CHECK_EQ(mmio_read(BOARD_IOAPIC + 0x10, 4), 0x170020);
	mmio_write(BOARD_IOAPIC, 4, 0x101);
	CHECK_EQ(mmio_read(BOARD_IOAPIC, 4), 1);
	mmio_write(BOARD_IOAPIC + 1, 1, 7);
	CHECK_EQ(mmio_read(BOARD_IOAPIC, 4), 1);
	CHECK_EQ(mmio_read(BOARD_IOAPIC + 0x10, 1), 0);	/* no such width */
	CHECK_EQ(mmio_read(BOARD_IOAPIC + 0x20, 4), 0);
	CHECK_EQ(mmio_read(BOARD_IOAPIC + 0xff8, 8), 0);
	mmio_write(BOARD_IOAPIC + 0x30, 4, ~0U);
	mmio_write(BOARD_IOAPIC + 0x41, 1, ~0U);
	board_destroy();
}

TEST(edge)
{
	board_on(1);
	ioapic_route(4, 0, 0x34);
	pin(4, true);
	CHECK_EQ(guest_serve(0), 0x34);
	CHECK(!apic_has(0, APIC_TMR, 0x34));
	pin(4, true);
	CHECK_EQ(guest_serve(0), -1);
	pin(4, false);
	CHECK_EQ(guest_serve(0), -1);
	pin(4, true);
	CHECK_EQ(guest_serve(0), 0x34);
	CHECK_EQ(ioapic_entry(4), 0x34);
	/* masked: lost */
	pin(4, false);
	ioapic_write(0x18, 0x10034);
	pin(4, true);
	ioapic_write(0x18, 0x34);
	CHECK_EQ(guest_serve(0), -1);
	board_destroy();
}

TEST(level_until_eoi)
{
	board_on(1);
	ioapic_route(9, 0, RTE_LEVEL | 0x39);
	pin(9, true);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | RTE_REMOTE_IRR | 0x39);
	CHECK_EQ(guest_take(0), 0x39);
	CHECK(apic_has(0, APIC_TMR, 0x39));
	pin(9, false);
	pin(9, true);
	CHECK(!apic_has(0, APIC_IRR, 0x39));		/* remote IRR holds it */
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_take(0), 0x39);			/* still high */
	pin(9, false);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | RTE_REMOTE_IRR | 0x39);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | 0x39);
	CHECK_EQ(guest_take(0), -1);
	board_destroy();
}

/* The EOI puts the line down and is told once, by broadcast as by register. */
TEST(resample_at_eoi)
{
	board_on(1);
	fake_ended.count = 0;
	CHECK_EQ(x86_set_resample(&board.vm, 24, true), -ENXIO);
	CHECK_EQ(x86_set_resample(&board.vm, 24, false), -ENXIO);
	CHECK_EQ(x86_set_resample(&board.vm, 9, true), 0);
	ioapic_route(9, 0, RTE_LEVEL | 0x39);
	pin(9, true);
	CHECK_EQ(guest_serve(0), 0x39);
	CHECK_EQ(fake_ended.count, 1);
	CHECK_EQ(fake_ended.line, 9);
	CHECK_EQ(guest_take(0), -1);
	pin(9, true);
	CHECK_EQ(guest_take(0), 0x39);
	mmio_write(BOARD_IOAPIC + 0x40, 4, 0x39);
	CHECK_EQ(fake_ended.count, 2);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(fake_ended.count, 2);
	CHECK_EQ(guest_take(0), -1);
	/* one without it on the same vector is not told of */
	ioapic_route(10, 0, RTE_LEVEL | 0x39);
	pin(10, true);
	CHECK_EQ(guest_take(0), 0x39);
	pin(10, false);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(fake_ended.count, 2);
	CHECK_EQ(x86_set_resample(&board.vm, 9, false), 0);
	pin(9, true);
	CHECK_EQ(guest_serve(0), 0x39);
	CHECK_EQ(guest_serve(0), 0x39);
	CHECK_EQ(fake_ended.count, 2);
	board_destroy();
}

TEST(level_masked_waits)
{
	board_on(1);
	ioapic_route(9, 0, RTE_LEVEL | RTE_MASKED | 0x39);
	pin(9, true);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | RTE_MASKED | 0x39);
	ioapic_write(0x22, RTE_LEVEL | 0x39);
	CHECK_EQ(guest_take(0), 0x39);
	/* masked in service: the EOI does not send again, the unmasking does */
	ioapic_write(0x22, RTE_LEVEL | RTE_MASKED | 0x39);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_take(0), -1);
	ioapic_write(0x22, RTE_LEVEL | 0x39);
	CHECK_EQ(guest_serve(0), 0x39);
	board_destroy();
}

TEST(level_that_nobody_accepts)
{
	board_on(2);
	ioapic_route(9, 1, RTE_LEVEL | 0x39);
	apic_write(1, APIC_SPIV, 0xff);
	pin(9, true);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | RTE_PENDING | 0x39);
	apic_enable(1);
	ioapic_write(0x22, RTE_LEVEL | 0x39);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | RTE_REMOTE_IRR | 0x39);
	CHECK_EQ(guest_take(1), 0x39);
	board_destroy();
}

TEST(change_to_edge_ends_remote_irr)
{
	board_on(1);
	ioapic_route(9, 0, RTE_LEVEL | 0x39);
	pin(9, true);
	CHECK_EQ(guest_take(0), 0x39);
	ioapic_write(0x22, RTE_MASKED | 0x39);
	CHECK_EQ(ioapic_entry(9), RTE_MASKED | 0x39);
	ioapic_write(0x22, RTE_LEVEL | 0x39);
	CHECK(apic_has(0, APIC_IRR, 0x39));
	board_destroy();
}

TEST(eoi_register_and_no_broadcast)
{
	board_on(1);
	apic_write(0, APIC_SPIV, 0x1ff | NO_BROADCAST);
	ioapic_route(9, 0, RTE_LEVEL | 0x39);
	ioapic_route(10, 0, RTE_LEVEL | 0x39);
	pin(9, true);
	CHECK_EQ(guest_serve(0), 0x39);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | RTE_REMOTE_IRR | 0x39);
	pin(9, false);
	mmio_write(BOARD_IOAPIC + 0x40, 4, 0x38);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | RTE_REMOTE_IRR | 0x39);
	mmio_write(BOARD_IOAPIC + 0x40, 4, 0x39);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | 0x39);
	board_destroy();
}

TEST(eoi_of_virtual_interrupt_delivery)
{
	board_on(1);
	ioapic_route(9, 0, RTE_LEVEL | 0x39);
	pin(9, true);
	CHECK_EQ(guest_take(0), 0x39);
	pin(9, false);
	vlapic_eoi_vector(&board.vcpu[0], 0x39);
	CHECK_EQ(ioapic_entry(9), RTE_LEVEL | 0x39);
	board_destroy();
}

TEST(two_pins_share_a_vector)
{
	board_on(1);
	ioapic_route(16, 0, RTE_LEVEL | 0x51);
	ioapic_route(17, 0, RTE_LEVEL | 0x51);
	pin(16, true);
	pin(17, true);
	CHECK_EQ(guest_take(0), 0x51);
	pin(16, false);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_take(0), 0x51);
	pin(17, false);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_take(0), -1);
	CHECK_EQ(ioapic_entry(16), RTE_LEVEL | 0x51);
	CHECK_EQ(ioapic_entry(17), RTE_LEVEL | 0x51);
	board_destroy();
}

TEST(destinations_and_modes)
{
	unsigned int v;

	board_on(4);
	for (v = 0; v < 4; v++)
		apic_write(v, APIC_LDR, 1U << (24 + v));
	ioapic_route(1, 0xa, RTE_LOGICAL | 0x41);
	pin(1, true);
	CHECK_EQ(guest_serve(0), -1);
	CHECK_EQ(guest_serve(1), 0x41);
	CHECK_EQ(guest_serve(2), -1);
	CHECK_EQ(guest_serve(3), 0x41);
	ioapic_route(2, 0xf, RTE_LOGICAL | 0x140);	/* lowest priority */
	apic_write(0, APIC_TASKPRI, 0x20);
	apic_write(1, APIC_TASKPRI, 0x20);
	apic_write(3, APIC_TASKPRI, 0x20);
	pin(2, true);
	CHECK_EQ(guest_serve(2), 0x40);
	ioapic_route(3, 2, RTE_LEVEL | 0x400);		/* NMI, always an edge */
	pin(3, true);
	CHECK(guest_event(2, EVENT_NMI));
	CHECK_EQ(ioapic_entry(3), RTE_LEVEL | 0x400);
	ioapic_route(4, 0, 0x700);			/* ExtINT: not from here */
	pin(4, true);
	CHECK_EQ(guest_take(0), -1);
	ioapic_route(5, 0, 0x5);			/* illegal vector */
	pin(5, true);
	apic_write(0, APIC_ESR, 0);
	CHECK_EQ(apic_read(0, APIC_ESR), APIC_ESR_RECVILL);
	board_destroy();
}

TEST(eoi_exit_bitmap_follows_entries)
{
	u64 bitmap[4];
	u32 routes;

	board_on(1);
	routes = vioapic_routes(&board.vm);
	ioapic_route(9, 0, RTE_LEVEL | 0x39);
	ioapic_route(10, 0, RTE_LEVEL | 0xff);
	ioapic_route(11, 0, 0x40);
	CHECK(vioapic_routes(&board.vm) != routes);
	vioapic_eoi_exits(&board.vm, &board.vcpu[0], bitmap);
	CHECK_EQ(bitmap[0], BIT_ULL(0x39));
	CHECK_EQ(bitmap[1], 0);
	CHECK_EQ(bitmap[2], 0);
	CHECK_EQ(bitmap[3], BIT_ULL(63));
	board_destroy();
}

/* A level-triggered device, one bit of which the guest clears: never lost, never for nothing. */
TEST(random_levels)
{
	unsigned int n, line;
	bool level[24] = {};

	board_on(2);
	for (n = 0; n < 24; n++)
		ioapic_route(n, n & 1, (n % 3 ? RTE_LEVEL : 0) | (0x30 + n * 8));
	for (n = 0; n < 100000; n++) {
		unsigned int v = rng(2);
		int vector;

		line = rng(24);
		switch (rng(4)) {
		case 0:
			level[line] = rng(2);
			pin(line, level[line]);
			break;
		case 1:
			ioapic_write(0x10 + 2 * line, ioapic_entry(line) ^ RTE_MASKED);
			break;
		default:
			vector = guest_take(v);
			if (vector < 0) {
				apic_write(v, APIC_EOI, 0);
				break;
			}
			line = (vector - 0x30) / 8;
			CHECK_EQ(line & 1, v);
			if (rng(2)) {
				level[line] = false;
				pin(line, false);
			}
			if (rng(2))
				apic_write(v, APIC_EOI, 0);
		}
	}
	/* settle: nothing high and unmasked is without a request */
	for (n = 0; n < 24; n++)
		ioapic_write(0x10 + 2 * n, ioapic_entry(n) & ~RTE_MASKED);
	for (n = 0; n < 24; n++) {
		pin(n, false);
		apic_write(n & 1, APIC_EOI, 0);
	}
	for (n = 0; n < 48; n++) {
		apic_write(n & 1, APIC_EOI, 0);
		guest_serve(n & 1);
	}
	for (n = 0; n < 24; n++) {
		CHECK(!(ioapic_entry(n) & RTE_REMOTE_IRR));
		pin(n, true);
		CHECK_EQ(guest_serve(n & 1), 0x30 + n * 8);
		pin(n, false);
		guest_serve(n & 1);
	}
	board_destroy();
}

TEST(random_guest)
{
	unsigned int n;

	board_on(3);
	for (n = 0; n < 200000; n++) {
		switch (rng(6)) {
		case 0:
			ioapic_write(rng(256), rng(1 << 18) ^ rng(256) << 24);
			break;
		case 1:
			ioapic_read(rng(256));
			break;
		case 2:
			pin(rng(30), rng(2));
			break;
		case 3:
			mmio_write(BOARD_IOAPIC + (rng(0x60) & ~7U), 1 << rng(4), rng(1 << 24));
			break;
		case 4:
			vioapic_eoi(&board.vm, rng(256));
			break;
		default:
			guest_take(rng(3));
			apic_write(rng(3), APIC_EOI, 0);
		}
	}
	board_destroy();
}
