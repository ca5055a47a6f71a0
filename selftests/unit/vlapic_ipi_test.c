// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC: who a message is for, what it does there, and the LINT pins.
 *
 * LINK: kmod/arch/x86/vlapic.c kmod/arch/x86/vlapic_irq.c kmod/arch/x86/vlapic_ipi.c
 * LINK: kmod/arch/x86/vlapic_timer.c kmod/arch/x86/vioapic.c kmod/arch/x86/vpic.c
 * LINK: kmod/arch/x86/vpit.c kmod/arch/x86/vpit_counter.c kmod/arch/x86/irqchip.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/x86 -Ikmod/arch/x86 -Iuapi/x86
 */
#include "x86/board.h"
#include "unit.h"

#define CPU(n) (&board.vcpu[n])

static u64 msr(unsigned int v, u32 index)
{
	u64 value = ~0ULL;

	BUG_ON(vlapic_msr_read(CPU(v), index, &value));
	return value;
}

static void icr(unsigned int v, u8 dest, u32 low)
{
	apic_write(v, APIC_ICR2, (u32)dest << 24);
	apic_write(v, APIC_ICR, low);
}

static u64 who_took(unsigned int vcpus)
{
	unsigned int v;
	u64 took = 0;

	for (v = 0; v < vcpus; v++) {
		int vector = vlapic_pending_vector(CPU(v));

		if (vector < 0)
			continue;
		took |= BIT_ULL(v);
		vlapic_take(CPU(v), vector);
		/* either mode */
		if (vlapic_msr_write(CPU(v), 0x80b, 0))
			apic_write(v, APIC_EOI, 0);
	}
	return took;
}

static void enable_all(unsigned int vcpus)
{
	unsigned int v;

	for (v = 0; v < vcpus; v++)
		apic_enable(v);
}

TEST(physical_destinations)
{
	board_create(8);
	enable_all(8);
	icr(0, 5, 0x4040);
	CHECK_EQ(who_took(8), BIT(5));
	icr(0, 0xff, 0x4040);
	CHECK_EQ(who_took(8), 0xff);
	icr(0, 8, 0x4040);
	CHECK_EQ(who_took(8), 0);
	icr(0, 0xfe, 0x4040);
	CHECK_EQ(who_took(8), 0);
	/* the sender is not kicked: it is outside of the guest */
	board.kicks[0] = 0;
	icr(0, 0, 0x4040);
	CHECK_EQ(who_took(8), 1);
	CHECK_EQ(board.kicks[0], 0);
	board_destroy();
}

/* With interrupts off two are woken at once, the rest by a worker; a vCPU that goes waits for it. */
TEST(many_kicks_with_interrupts_off)
{
	unsigned int v, kicked = 0;

	board_create(8);
	enable_all(8);
	for (v = 0; v < 8; v++)
		board.kicks[v] = 0;
	local_irq_disable();
	CHECK(vlapic_deliver(&board.vm, 0xff, false, LAPIC_FIXED, 0x40, false));
	local_irq_enable();
	for (v = 0; v < 8; v++)
		kicked += board.kicks[v];
	CHECK_EQ(kicked, 2);
	fake_work(&board.vm.arch.late_kick);
	for (v = 0; v < 8; v++)
		CHECK_EQ(board.kicks[v], 1);
	CHECK_EQ(who_took(8), 0xff);
	board_destroy();
}

TEST(short_icr)
{
	board_create(4);
	enable_all(4);
	apic_write(0, APIC_ICR2, 0x02000000);
	CHECK(vlapic_icr_is_short(CPU(0), 0x4040));		/* to 2 */
	CHECK(vlapic_icr_is_short(CPU(0), 0x44840));		/* to itself */
	CHECK(!vlapic_icr_is_short(CPU(0), 0x84840));
	CHECK(!vlapic_icr_is_short(CPU(0), 0xc4840));
	apic_write(0, APIC_ICR2, 0x03000000);
	CHECK(vlapic_icr_is_short(CPU(0), 0x4840));		/* logical, two of them */
	apic_write(0, APIC_ICR2, 0x07000000);
	CHECK(!vlapic_icr_is_short(CPU(0), 0x4840));
	CHECK(vlapic_icr_is_short(CPU(0), 0x4040));		/* 7 */
	apic_write(0, APIC_ICR2, 0xff000000);
	CHECK(!vlapic_icr_is_short(CPU(0), 0x4040));
	board_destroy();
}

TEST(shorthands)
{
	board_create(4);
	enable_all(4);
	icr(1, 3, 0x44040);
	CHECK_EQ(who_took(4), 2);
	icr(1, 3, 0x84040);
	CHECK_EQ(who_took(4), 0xf);
	icr(1, 3, 0xc4040);
	CHECK_EQ(who_took(4), 0xd);
	/* SDM table 11-3 */
	icr(1, 0, 0x44440);
	icr(1, 0, 0x84440);
	CHECK(!guest_event(1, EVENT_NMI));
	CHECK(!guest_event(0, EVENT_NMI));
	icr(1, 0, 0xc4440);
	CHECK(!guest_event(1, EVENT_NMI));
	CHECK(guest_event(0, EVENT_NMI));
	CHECK(guest_event(3, EVENT_NMI));
	board_destroy();
}

TEST(logical_flat)
{
	unsigned int v;

	board_create(10);
	enable_all(10);
	for (v = 0; v < 8; v++)
		apic_write(v, APIC_LDR, 1U << (24 + v));
	icr(9, 0xa5, 0x4840);
	CHECK_EQ(who_took(10), 0xa5);
	icr(9, 0, 0x4840);
	CHECK_EQ(who_took(10), 0);
	icr(9, 0xff, 0x4840);
	CHECK_EQ(who_took(10), 0x3ff);
	board_destroy();
}

TEST(logical_cluster)
{
	unsigned int v;

	board_create(8);
	enable_all(8);
	for (v = 0; v < 8; v++) {
		apic_write(v, APIC_DFR, 0);
		apic_write(v, APIC_LDR, (v / 4) << 28 | 1U << (24 + v % 4));
	}
	icr(0, 0x05, 0x4840);
	CHECK_EQ(who_took(8), 0x05);
	icr(0, 0x1a, 0x4840);
	CHECK_EQ(who_took(8), 0xa0);
	icr(0, 0x2f, 0x4840);
	CHECK_EQ(who_took(8), 0);
	icr(0, 0xff, 0x4840);
	CHECK_EQ(who_took(8), 0xff);
	board_destroy();
}

TEST(x2apic_destinations)
{
	unsigned int v;

	board_create(64);
	for (v = 0; v < 64; v++)
		apic_enable_x2(v);
	BUG_ON(vlapic_msr_write(CPU(0), 0x830, 63ULL << 32 | 0x4040));
	CHECK_EQ(who_took(64), BIT_ULL(63));
	BUG_ON(vlapic_msr_write(CPU(0), 0x830, 0xffULL << 32 | 0x4040));
	CHECK_EQ(who_took(64), 0);
	BUG_ON(vlapic_msr_write(CPU(0), 0x830, 0xffffffffULL << 32 | 0x4040));
	CHECK_EQ(who_took(64), ~0ULL);
	BUG_ON(vlapic_msr_write(CPU(0), 0x830, 0x2c001ULL << 32 | 0x4840));
	CHECK_EQ(who_took(64), 0xc001ULL << 32);
	BUG_ON(vlapic_msr_write(CPU(0), 0x830, 0x40001ULL << 32 | 0x4840));
	CHECK_EQ(who_took(64), 0);
	BUG_ON(vlapic_msr_write(CPU(7), 0x83f, 0x40));
	CHECK_EQ(who_took(64), BIT(7));
	BUG_ON(vlapic_msr_write(CPU(7), 0x83f, 0x4));
	BUG_ON(vlapic_msr_write(CPU(7), 0x828, 0));
	CHECK_EQ(msr(7, 0x828), APIC_ESR_SENDILL);
	/* an I/O APIC's 8 bits */
	CHECK(vlapic_deliver(&board.vm, 0xff, false, 0, 0x40, false));
	CHECK_EQ(who_took(64), ~0ULL);
	CHECK(vlapic_deliver(&board.vm, 0x81, true, 0, 0x40, false));
	CHECK_EQ(who_took(64), 0x81);
	board_destroy();
}

TEST(lowest_priority)
{
	unsigned int v, n, count[4] = {};

	board_create(4);
	enable_all(4);
	for (v = 0; v < 4; v++)
		apic_write(v, APIC_TASKPRI, v == 2 ? 0x10 : 0x20);
	CHECK(vlapic_deliver(&board.vm, 0xff, false, 1, 0x40, false));
	CHECK_EQ(who_took(4), 4);
	apic_write(2, APIC_TASKPRI, 0x20);
	for (n = 0x30; n < 0x130 - 0x30; n++) {
		CHECK(vlapic_deliver(&board.vm, 0xff, false, 1, n, false));
		count[__ffs(who_took(4))]++;
	}
	for (v = 0; v < 4; v++)
		CHECK_EQ(count[v], (0x130 - 0x60) / 4);
	/* in service counts, disabled does not take part */
	vlapic_accept(CPU(0), 0x90, false);
	CHECK_EQ(guest_take(0), 0x90);
	apic_write(1, APIC_SPIV, 0xff);
	apic_write(3, APIC_SPIV, 0xff);
	for (n = 0x40; n < 0x50; n++) {
		CHECK(vlapic_deliver(&board.vm, 0xff, false, 1, n, false));
		CHECK_EQ(who_took(4), 4);
	}
	apic_write(0, APIC_SPIV, 0xff);
	apic_write(2, APIC_SPIV, 0xff);
	CHECK(!vlapic_deliver(&board.vm, 0xff, false, 1, 0x41, false));
	board_destroy();
}

TEST(dropped_messages)
{
	board_create(2);
	enable_all(2);
	CHECK(!vlapic_deliver(&board.vm, 1, false, 2, 0, false));	/* SMI */
	CHECK(!vlapic_deliver(&board.vm, 1, false, 3, 0, false));	/* remote read */
	CHECK(!vlapic_deliver(&board.vm, 1, false, 7, 0, false));	/* ExtINT */
	CHECK(!vlapic_deliver(&board.vm, 2, false, 0, 0x40, false));
	CHECK_EQ(board.vcpu[1].arch.events.counter, 0);
	CHECK_EQ(board.kicks[1], 0);
	board_destroy();
}

TEST(init_sipi_starts_a_cpu)
{
	board_create(2);
	apic_enable(0);
	icr(0, 1, 0xc500);		/* INIT, level assert */
	icr(0, 1, 0x8500);		/* de-assert */
	CHECK(!guest_event(1, EVENT_INIT));
	CHECK_EQ(atomic_read(&CPU(1)->power), VCPU_OFF);
	icr(0, 1, 0x4699);
	CHECK_EQ(atomic_read(&CPU(1)->power), VCPU_ON_PENDING);
	CHECK_EQ(CPU(1)->arch.sipi_vector, 0x99);
	CHECK_EQ(board.kicks[1], 1);
	icr(0, 1, 0x4644);		/* the second changes nothing */
	CHECK_EQ(CPU(1)->arch.sipi_vector, 0x99);
	CHECK_EQ(board.kicks[1], 1);
	atomic_set(&CPU(1)->power, VCPU_ON);
	icr(0, 1, 0x4644);
	CHECK_EQ(atomic_read(&CPU(1)->power), VCPU_ON);
	CHECK_EQ(CPU(1)->arch.events.counter, 0);
	board_destroy();
}

TEST(sipi_before_init_was_taken)
{
	board_create(2);
	apic_enable(0);
	atomic_set(&CPU(1)->power, VCPU_ON);
	icr(0, 1, 0x4500);
	CHECK_EQ(board.kicks[1], 1);
	icr(0, 1, 0x4622);
	CHECK(guest_event(1, EVENT_INIT));
	CHECK(guest_event(1, EVENT_SIPI));
	CHECK_EQ(CPU(1)->arch.sipi_vector, 0x22);
	/* a later INIT takes the SIPI back */
	icr(0, 1, 0x4500);
	icr(0, 1, 0x4633);
	icr(0, 1, 0x4500);
	CHECK(!guest_event(1, EVENT_SIPI));
	CHECK(guest_event(1, EVENT_INIT));
	/* the target is off before it clears INIT: then the sender switches on */
	icr(0, 1, 0x4500);
	icr(0, 1, 0x4500);
	atomic_set(&CPU(1)->power, VCPU_OFF);
	icr(0, 1, 0x4633);
	CHECK_EQ(atomic_read(&CPU(1)->power), VCPU_ON_PENDING);
	board_destroy();
}

/* ---- LINT */

TEST(extint_is_for_vcpu_0)
{
	board_create(2);
	CHECK(vlapic_accepts_extint(CPU(0)));		/* as firmware leaves it */
	CHECK(!vlapic_accepts_extint(CPU(1)));
	enable_all(2);
	apic_write(0, APIC_LVT0, 0x700);
	apic_write(1, APIC_LVT0, 0x700);
	CHECK(vlapic_accepts_extint(CPU(0)));
	CHECK(!vlapic_accepts_extint(CPU(1)));
	apic_write(0, APIC_LVT0, 0x10700);
	CHECK(!vlapic_accepts_extint(CPU(0)));
	apic_write(0, APIC_LVT0, 0x31);
	CHECK(!vlapic_accepts_extint(CPU(0)));
	CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE), 0);
	CHECK(vlapic_accepts_extint(CPU(0)));
	CHECK_EQ(vlapic_set_base(CPU(1), LAPIC_BASE), 0);
	CHECK(!vlapic_accepts_extint(CPU(1)));
	board_destroy();
}

TEST(lint_edge_and_nmi)
{
	u64 kicks = 0;

	board_create(1);
	apic_enable(0);
	apic_write(0, APIC_LVT1, 0x61);
	vlapic_set_lint(CPU(0), 1, true, &kicks);
	CHECK_EQ(kicks, 1);
	CHECK_EQ(guest_serve(0), 0x61);
	vlapic_set_lint(CPU(0), 1, true, &kicks);	/* no edge */
	CHECK_EQ(guest_serve(0), -1);
	vlapic_set_lint(CPU(0), 1, false, &kicks);
	vlapic_set_lint(CPU(0), 1, true, &kicks);
	CHECK_EQ(guest_serve(0), 0x61);
	apic_write(0, APIC_LVT1, 0x400);
	vlapic_set_lint(CPU(0), 1, false, &kicks);
	vlapic_set_lint(CPU(0), 1, true, &kicks);
	CHECK(guest_event(0, EVENT_NMI));
	CHECK(!guest_event(0, EVENT_NMI_AGAIN));
	for (unsigned int i = 0; i < 3; i++) {
		vlapic_set_lint(CPU(0), 1, false, &kicks);
		vlapic_set_lint(CPU(0), 1, true, &kicks);
	}
	CHECK(guest_event(0, EVENT_NMI));
	CHECK(guest_event(0, EVENT_NMI_AGAIN));
	board_destroy();
}

TEST(lint_level)
{
	u64 kicks = 0;

	board_create(1);
	apic_enable(0);
	apic_write(0, APIC_LVT0, 0x18062);
	vlapic_set_lint(CPU(0), 0, true, &kicks);
	CHECK_EQ(guest_take(0), -1);
	apic_write(0, APIC_LVT0, 0x8062);
	CHECK_EQ(guest_take(0), 0x62);
	CHECK(apic_has(0, APIC_TMR, 0x62));
	vlapic_set_lint(CPU(0), 0, true, &kicks);
	CHECK(!apic_has(0, APIC_IRR, 0x62));
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_take(0), 0x62);
	vlapic_set_lint(CPU(0), 0, false, &kicks);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_take(0), -1);
	board_destroy();
}
