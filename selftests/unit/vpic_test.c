// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259A pair.
 *
 * LINK: kmod/arch/x86/vlapic.c kmod/arch/x86/vlapic_irq.c kmod/arch/x86/vlapic_ipi.c
 * LINK: kmod/arch/x86/vlapic_timer.c kmod/arch/x86/vioapic.c kmod/arch/x86/vpic.c
 * LINK: kmod/arch/x86/vpit.c kmod/arch/x86/vpit_counter.c kmod/arch/x86/irqchip.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/x86 -Ikmod/arch/x86 -Iuapi/x86
 */
#include "x86/board.h"
#include "unit.h"

static u32 rng_state = 1;

static u32 rng(u32 below)
{
	rng_state = rng_state * 1664525 + 1013904223;
	return (u64)(rng_state >> 8) * below >> 24;
}

static void chip_init(u16 port, u8 base, u8 icw3, u8 icw4)
{
	outb(port, 0x11);
	outb(port + 1, base);
	outb(port + 1, icw3);
	outb(port + 1, icw4);
}

/* As a PC's firmware or kernel does; vectors 0x20 … 0x2f, nothing masked. */
static void board_on(u8 icw4)
{
	board_create(1);
	chip_init(0x20, 0x20, 4, icw4);
	chip_init(0xa0, 0x28, 2, icw4);
	outb(0x21, 0);
	outb(0xa1, 0);
	apic_enable(0);
	apic_write(0, APIC_LVT0, 0x700);
	board.kicks[0] = 0;
}

static void line(unsigned int input, bool level)
{
	vpic_set_input(&board.vm, input, level);
}

static void pulse(unsigned int input)
{
	line(input, true);
	line(input, false);
}

static int inta(void)
{
	return vpic_has_pending(&board.vm) ? vpic_acknowledge(&board.vm) : -1;
}

static u8 read_isr(u16 port)
{
	outb(port, 0x0b);
	return inb(port);
}

static u8 read_irr(u16 port)
{
	outb(port, 0x0a);
	return inb(port);
}

TEST(create_refuses)
{
	struct qvm_vm *vm = &board.vm;

	board_create(1);
	CHECK_EQ(vpic_create(vm, 0x120, 0x1a0, 0), -EEXIST);
	vpic_destroy(vm);
	vpit_destroy(vm);
	vm->ports.count = 0;
	CHECK_EQ(vpic_create(vm, 0x21, 0xa0, 0), -EINVAL);
	CHECK_EQ(vpic_create(vm, 0x20, 0x10000, 0), -ERANGE);
	CHECK_EQ(vpic_create(vm, 0x20, 0x20, 0), -EEXIST);
	CHECK_EQ(vpic_create(vm, 0x20, 0xa0, 0xa0), -EEXIST);
	BUG_ON(vpit_create(vm, 0x4d0, 0, 0, 0));
	CHECK_EQ(vpic_create(vm, 0x20, 0xa0, 0x4d0), -EEXIST);
	fake_slab_fail_at = 1;
	CHECK_EQ(vpic_create(vm, 0x20, 0xa0, 0), -ENOMEM);
	CHECK_EQ(vm->ports.count, 1);
	CHECK_EQ(vpic_create(vm, 0x20, 0xa0, 0), 0);
	CHECK_EQ(vm->ports.count, 3);
	board_destroy();
}

TEST(absent_pair)
{
	board_create(1);
	vpic_destroy(&board.vm);
	line(3, true);
	CHECK(!vpic_has_pending(&board.vm));
	board_destroy();
}

TEST(power_up_is_firmwares)
{
	board_create(1);
	CHECK_EQ(inb(0x21), 0);
	CHECK_EQ(inb(0xa1), 0);
	line(3, true);
	CHECK(vpic_has_pending(&board.vm));
	CHECK_EQ(inta(), 0x0b);
	line(11, true);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), 0x73);
	board_destroy();
}

TEST(vectors_of_all_inputs)
{
	unsigned int n;

	board_on(1);
	for (n = 0; n < 16; n++) {
		if (n == 2)
			continue;
		pulse(n);
		CHECK_EQ(inta(), 0x20 + n);
		CHECK_EQ(read_isr(n < 8 ? 0x20 : 0xa0), 1 << n % 8);
		CHECK_EQ(read_isr(0x20), n < 8 ? 1 << n : 4);
		CHECK_EQ(inta(), -1);
		if (n >= 8)
			outb(0xa0, 0x20);
		outb(0x20, 0x20);
		CHECK_EQ(read_isr(0x20), 0);
	}
	line(2, true);		/* the cascade is no input */
	line(16, true);
	CHECK_EQ(inta(), -1);
	board_destroy();
}

TEST(intr_kicks_vcpu_0_that_takes_extint)
{
	board_on(1);
	pulse(3);
	CHECK_EQ(board.kicks[0], 1);
	pulse(4);			/* INTR is up already */
	CHECK_EQ(board.kicks[0], 1);
	CHECK_EQ(inta(), 0x23);
	outb(0x20, 0x20);
	CHECK(vpic_has_pending(&board.vm));
	CHECK_EQ(inta(), 0x24);
	outb(0x20, 0x20);
	apic_write(0, APIC_LVT0, 0x10700);
	board.kicks[0] = 0;
	pulse(5);
	CHECK_EQ(board.kicks[0], 0);
	/* LVT0 as an ordinary input */
	CHECK_EQ(inta(), 0x25);
	outb(0x20, 0x20);
	apic_write(0, APIC_LVT0, 0x31);
	pulse(5);
	CHECK_EQ(guest_serve(0), 0x31);
	/* without a LAPIC it is the processor's pin */
	CHECK_EQ(inta(), 0x25);
	outb(0x20, 0x20);
	BUG_ON(vlapic_set_base(&board.vcpu[0], LAPIC_BASE));
	board.kicks[0] = 0;
	pulse(5);
	CHECK_EQ(board.kicks[0], 1);
	board_destroy();
}

TEST(fully_nested)
{
	board_on(1);
	pulse(5);
	CHECK_EQ(inta(), 0x25);
	pulse(6);
	CHECK_EQ(inta(), -1);
	pulse(1);
	CHECK_EQ(inta(), 0x21);
	CHECK_EQ(read_isr(0x20), 0x22);
	CHECK_EQ(read_irr(0x20), 0x40);
	outb(0x20, 0x20);		/* of 1, the best */
	CHECK_EQ(read_isr(0x20), 0x20);
	outb(0x20, 0x65);		/* of 5, by name */
	CHECK_EQ(inta(), 0x26);
	board_destroy();
}

TEST(slave_is_between_1_and_3)
{
	board_on(1);
	pulse(3);
	pulse(14);
	pulse(9);
	CHECK_EQ(inta(), 0x29);
	CHECK_EQ(inta(), -1);
	pulse(8);			/* better, but the master is at 2 already */
	CHECK_EQ(inta(), -1);
	pulse(0);
	CHECK_EQ(inta(), 0x20);
	outb(0x20, 0x60);
	outb(0xa0, 0x20);
	outb(0x20, 0x62);
	CHECK_EQ(inta(), 0x28);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), 0x2e);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), 0x23);
	board_destroy();
}

TEST(special_fully_nested)
{
	board_on(0x11);
	pulse(9);
	CHECK_EQ(inta(), 0x29);
	pulse(8);
	CHECK_EQ(inta(), 0x28);
	pulse(10);
	CHECK_EQ(inta(), -1);
	pulse(3);
	CHECK_EQ(inta(), -1);
	outb(0xa0, 0x20);
	CHECK_EQ(read_isr(0xa0), 2);
	board_destroy();
}

TEST(masks)
{
	board_on(1);
	outb(0x21, 0x08);
	CHECK_EQ(inb(0x21), 0x08);
	pulse(3);
	CHECK_EQ(inta(), -1);
	CHECK_EQ(read_irr(0x20), 0x08);
	outb(0x21, 0);
	CHECK_EQ(inta(), 0x23);
	outb(0x20, 0x20);
	outb(0x21, 0x04);
	pulse(12);
	CHECK_EQ(inta(), -1);
	outb(0x21, 0);
	CHECK_EQ(inta(), 0x2c);
	board_destroy();
}

TEST(special_mask_mode)
{
	board_on(1);
	pulse(1);
	CHECK_EQ(inta(), 0x21);
	outb(0x21, 0x02);
	pulse(5);
	CHECK_EQ(inta(), -1);
	outb(0x20, 0x68);		/* on */
	CHECK_EQ(inta(), 0x25);
	/* a masked bit is not ended by a non-specific EOI */
	outb(0x20, 0x20);
	CHECK_EQ(read_isr(0x20), 0x02);
	outb(0x20, 0x20);
	CHECK_EQ(read_isr(0x20), 0x02);
	outb(0x20, 0x61);
	CHECK_EQ(read_isr(0x20), 0);
	outb(0x20, 0x48);		/* off */
	board_destroy();
}

TEST(rotation)
{
	board_on(1);
	outb(0x20, 0xc4);		/* 4 is the lowest: 5 the highest */
	pulse(4);
	pulse(5);
	pulse(3);
	CHECK_EQ(inta(), 0x25);
	outb(0x20, 0xa0);		/* rotate on non-specific EOI: 5 is the lowest */
	CHECK_EQ(inta(), 0x23);
	outb(0x20, 0xe3);		/* rotate on specific EOI: 3 is the lowest */
	CHECK_EQ(read_isr(0x20), 0);
	pulse(3);
	CHECK_EQ(inta(), 0x24);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), 0x23);
	outb(0x20, 0x40);		/* no operation */
	CHECK_EQ(read_isr(0x20), 0x08);
	board_destroy();
}

TEST(auto_eoi)
{
	board_on(3);
	pulse(3);
	pulse(12);
	CHECK_EQ(inta(), 0x2c);
	CHECK_EQ(inta(), 0x23);
	CHECK_EQ(read_isr(0x20), 0);
	/* the slave goes on without an edge of its own lines */
	pulse(12);
	pulse(13);
	CHECK_EQ(inta(), 0x2c);
	CHECK_EQ(inta(), 0x2d);
	CHECK_EQ(inta(), -1);
	outb(0x20, 0x80);		/* rotate in auto-EOI mode */
	pulse(0);
	CHECK_EQ(inta(), 0x20);
	pulse(0);
	pulse(7);
	CHECK_EQ(inta(), 0x27);
	CHECK_EQ(inta(), 0x20);
	outb(0x20, 0x00);
	board_destroy();
}

TEST(edge_needs_a_new_edge)
{
	board_on(1);
	line(3, true);
	CHECK_EQ(inta(), 0x23);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), -1);
	line(3, true);
	CHECK_EQ(inta(), -1);
	line(3, false);
	line(3, true);
	CHECK_EQ(inta(), 0x23);
	/* ICW1 forgets requests, and a line that is high stays without */
	line(4, true);
	chip_init(0x20, 0x40, 4, 1);
	outb(0x21, 0);
	CHECK_EQ(inta(), -1);
	line(4, false);
	line(4, true);
	CHECK_EQ(inta(), 0x44);
	board_destroy();
}

TEST(level_by_elcr)
{
	board_on(1);
	outb(0x4d0, 0xff);
	outb(0x4d1, 0xff);
	CHECK_EQ(inb(0x4d0), 0xf8);
	CHECK_EQ(inb(0x4d1), 0xde);
	line(11, true);
	CHECK_EQ(inta(), 0x2b);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), 0x2b);
	line(11, false);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), -1);
	line(5, true);
	CHECK_EQ(read_irr(0x20), 0x20);
	line(5, false);
	CHECK_EQ(inta(), -1);
	board_destroy();
}

TEST(spurious)
{
	board_on(1);
	outb(0x4d0, 0x20);
	line(5, true);
	CHECK(vpic_has_pending(&board.vm));
	line(5, false);
	CHECK_EQ(vpic_acknowledge(&board.vm), 0x27);	/* had been on its way */
	CHECK_EQ(read_isr(0x20), 0);
	/* the slave's request goes while the master has it */
	pulse(12);
	outb(0xa1, 0x10);
	CHECK_EQ(inta(), 0x2f);
	CHECK_EQ(read_isr(0x20), 0x04);
	CHECK_EQ(read_isr(0xa0), 0);
	outb(0x20, 0x20);
	outb(0xa1, 0);
	CHECK_EQ(inta(), 0x2c);
	board_destroy();
}

TEST(poll)
{
	board_on(1);
	pulse(6);
	outb(0x20, 0x0c);
	CHECK_EQ(inb(0x20), 0x86);
	CHECK_EQ(read_isr(0x20), 0x40);
	CHECK_EQ(inta(), -1);
	outb(0x20, 0x0c);
	CHECK_EQ(inb(0x20) & 0x80, 0);
	outb(0x20, 0x20);
	pulse(15);
	outb(0x20, 0x0c);
	CHECK_EQ(inb(0x20), 0x82);
	outb(0xa0, 0x0c);
	CHECK_EQ(inb(0xa0), 0x87);
	CHECK_EQ(read_isr(0xa0), 0x80);
	CHECK_EQ(inta(), -1);
	board_destroy();
}

TEST(initialization_words)
{
	board_on(1);
	/* single, no ICW4: two words; the mask is clear */
	outb(0x20, 0x12);
	outb(0x21, 0x77);
	CHECK_EQ(inb(0x21), 0);
	outb(0x21, 0xa5);
	CHECK_EQ(inb(0x21), 0xa5);
	outb(0x21, 0);
	pulse(7);
	CHECK_EQ(inta(), 0x77);
	/* cascade, no ICW4 */
	outb(0x20, 0x10);
	outb(0x21, 0x30);
	outb(0x21, 0x04);
	outb(0x21, 0x5a);
	CHECK_EQ(inb(0x21), 0x5a);
	/* level-triggered as a whole */
	outb(0x20, 0x19);
	outb(0x21, 0x30);
	outb(0x21, 0x04);
	outb(0x21, 0x01);
	outb(0x21, 0);
	line(0, true);
	CHECK_EQ(inta(), 0x30);
	outb(0x20, 0x20);
	CHECK_EQ(inta(), 0x30);
	board_destroy();
}

TEST(words_of_two_bytes)
{
	u64 value;

	board_on(1);
	BUG_ON(qvm_bus_write(&board.vm.ports, &board.vcpu[0], 0x20, 2, 0xa50a));
	BUG_ON(qvm_bus_read(&board.vm.ports, &board.vcpu[0], 0x20, 2, &value));
	CHECK_EQ(value, 0xa500);
	board_destroy();
}

/* Level-triggered inputs, ended in any order: each that is high is served again and again. */
TEST(random_guest)
{
	unsigned int n, served[16] = {}, in;
	int vector;

	board_on(1);
	outb(0x4d0, 0xff);
	outb(0x4d1, 0xff);
	for (n = 0; n < 200000; n++) {
		in = rng(16);
		switch (rng(5)) {
		case 0:
			line(in, rng(2));
			break;
		case 1:
			outb(rng(2) ? 0x20 : 0xa0, 0x20 | rng(8) << 5 | rng(8));
			break;
		default:
			vector = inta();
			if (vector < 0)
				break;
			CHECK(vector >= 0x20 && vector < 0x30);
			served[vector & 15]++;
			if (vector >= 0x28)
				outb(0xa0, 0x60 | (vector & 7));
			outb(0x20, 0x60 | (vector >= 0x28 ? 2 : vector & 7));
		}
	}
	for (n = 0; n < 16; n++)
		CHECK(n == 2 || served[n]);
	/* and bytes at random break nothing */
	for (n = 0; n < 200000; n++) {
		static const u16 port[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };

		outb(port[rng(6)], rng(256));
		inb(port[rng(6)]);
		line(rng(16), rng(2));
		inta();
	}
	board_destroy();
}
