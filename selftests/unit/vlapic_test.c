// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC: registers in both modes, acceptance, priorities, errors.
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

static u32 rng_state = 1;

static u32 rng(u32 below)
{
	rng_state = rng_state * 1664525 + 1013904223;
	return (u64)(rng_state >> 8) * below >> 24;
}

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

/* ---- registers */

TEST(reset_values)
{
	u32 offset;

	board_create(3);
	CHECK_EQ(apic_read(2, APIC_ID), 2 << 24);
	CHECK_EQ(apic_read(0, APIC_LVR), 0x1050014);
	CHECK_EQ(apic_read(0, APIC_DFR), 0xffffffff);
	CHECK_EQ(apic_read(0, APIC_SPIV), 0xff);
	/* LINT0 of the first one is as firmware leaves it */
	for (offset = APIC_LVTT; offset <= APIC_LVTERR; offset += 16) {
		CHECK_EQ(apic_read(0, offset), offset == APIC_LVT0 ? APIC_DM_EXTINT : APIC_LVT_MASKED);
		CHECK_EQ(apic_read(1, offset), APIC_LVT_MASKED);
	}
	for (offset = APIC_ISR; offset < APIC_ESR; offset += 16)
		CHECK_EQ(apic_read(0, offset), 0);
	CHECK_EQ(apic_read(0, APIC_LDR), 0);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 0);
	CHECK_EQ(vlapic_get_base(CPU(0)), LAPIC_BASE | BASE_EN | 0x100);
	CHECK_EQ(vlapic_get_base(CPU(1)), LAPIC_BASE | BASE_EN);
	board_destroy();
}

TEST(allocation_failures_leave_nothing)
{
	struct qvm_vcpu vcpu = { .vm = &board.vm };
	unsigned int n;

	for (n = 1; n <= 2; n++) {
		fake_slab_fail_at = n;
		CHECK_EQ(vlapic_create(&vcpu), -ENOMEM);
		CHECK(!vcpu.arch.lapic);
		vlapic_destroy(&vcpu);
		CHECK_EQ(fake_slab_count, 0);
	}
	fake_slab_fail_at = 0;
	tsc_khz = 0;
	CHECK_EQ(vlapic_create(&vcpu), -ENODEV);
	tsc_khz = 2000000;
}

TEST(reserved_bits_do_not_stick)
{
	board_create(1);
	apic_enable(0);
	apic_write(0, APIC_TASKPRI, ~0U);
	CHECK_EQ(apic_read(0, APIC_TASKPRI), 0xff);
	apic_write(0, APIC_LDR, ~0U);
	CHECK_EQ(apic_read(0, APIC_LDR), 0xff000000);
	apic_write(0, APIC_DFR, 0);
	CHECK_EQ(apic_read(0, APIC_DFR), 0x0fffffff);
	apic_write(0, APIC_SPIV, ~0U);
	CHECK_EQ(apic_read(0, APIC_SPIV), 0x13ff);
	apic_write(0, APIC_LVT0, ~0U);
	CHECK_EQ(apic_read(0, APIC_LVT0), 0x1a7ff);
	apic_write(0, APIC_LVTERR, ~0U);
	CHECK_EQ(apic_read(0, APIC_LVTERR), 0x100ff);
	apic_write(0, APIC_LVTPC, ~0U);
	CHECK_EQ(apic_read(0, APIC_LVTPC), 0x107ff);
	apic_write(0, APIC_TDCR, ~0U);
	CHECK_EQ(apic_read(0, APIC_TDCR), 0xb);
	apic_write(0, APIC_ID, ~0U);
	CHECK_EQ(apic_read(0, APIC_ID), 0);
	apic_write(0, APIC_IRR, ~0U);
	CHECK_EQ(apic_read(0, APIC_IRR), 0);
	apic_write(0, APIC_LVR, 0);
	CHECK_EQ(apic_read(0, APIC_LVR), 0x1050014);
	board_destroy();
}

TEST(accesses_beside_registers)
{
	board_create(1);
	apic_enable(0);
	CHECK_EQ(apic_read(0, APIC_LVR + 1), 0x10500);
	CHECK_EQ(apic_read(0, APIC_LVR + 4), 0);
	apic_write(0, APIC_TASKPRI + 4, 0x55);
	apic_write(0, APIC_TASKPRI + 1, 0x55);
	CHECK_EQ(apic_read(0, APIC_TASKPRI), 0);
	apic_write(0, APIC_ESR, 0);
	CHECK_EQ(apic_read(0, APIC_ESR), 0);
	apic_write(0, 0x400, 1);
	CHECK_EQ(apic_read(0, 0xff0), 0);
	CHECK_EQ(apic_read(0, 0x3f0), 0);
	apic_write(0, APIC_ESR, 0);
	CHECK_EQ(apic_read(0, APIC_ESR), APIC_ESR_ILLREGA);
	apic_write(0, APIC_ESR, 0);
	CHECK_EQ(apic_read(0, APIC_ESR), 0);
	board_destroy();
}

TEST(software_disable_masks_lvt_and_refuses_vectors)
{
	board_create(1);
	CHECK(!vlapic_accept(CPU(0), 0x40, false));
	apic_write(0, APIC_LVT0, 0x700);
	CHECK_EQ(apic_read(0, APIC_LVT0), 0x10700);
	apic_enable(0);
	CHECK(vlapic_accept(CPU(0), 0x40, false));
	apic_write(0, APIC_LVT0, 0x700);
	apic_write(0, APIC_LVTT, 0x20031);
	CHECK_EQ(apic_read(0, APIC_LVT0), 0x700);
	apic_write(0, APIC_SPIV, 0xff);
	CHECK_EQ(apic_read(0, APIC_LVT0), 0x10700);
	CHECK_EQ(apic_read(0, APIC_LVTT), 0x30031);
	CHECK(!vlapic_accept(CPU(0), 0x41, false));
	/* what was accepted is held */
	CHECK_EQ(vlapic_pending_vector(CPU(0)), 0x40);
	/* NMI is taken */
	CHECK(vlapic_deliver(&board.vm, 0, false, 4, 0, false));
	CHECK(guest_event(0, EVENT_NMI));
	board_destroy();
}

TEST(base_moves_the_page)
{
	board_create(1);
	CHECK(vlapic_owns(CPU(0), LAPIC_BASE + 0xff0));
	CHECK(!vlapic_owns(CPU(0), LAPIC_BASE + 0x1000));
	CHECK_EQ(vlapic_set_base(CPU(0), 0x10000000 | BASE_EN | 0x100), 0);
	CHECK(vlapic_owns(CPU(0), 0x10000000));
	CHECK(!vlapic_owns(CPU(0), LAPIC_BASE));
	CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE | BASE_X2), 0);
	CHECK(!vlapic_owns(CPU(0), LAPIC_BASE));
	board_destroy();
}

TEST(base_refuses_reserved_bits_and_illegal_modes)
{
	static const u64 mode[] = { 0, BASE_EN, BASE_X2 };
	static const bool legal[3][3] = { { 1, 1, 0 }, { 1, 1, 1 }, { 1, 0, 1 } };
	unsigned int from, to;

	board_create(1);
	CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE | BASE_EN | 1), -EINVAL);
	CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE | BASE_EN | 0x200), -EINVAL);
	CHECK_EQ(vlapic_set_base(CPU(0), BIT_ULL(40) | BASE_EN), -EINVAL);
	CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE | 0x400), -EINVAL);
	for (from = 0; from < 3; from++) {
		for (to = 0; to < 3; to++) {
			BUG_ON(vlapic_set_base(CPU(0), LAPIC_BASE));
			BUG_ON(from && vlapic_set_base(CPU(0), LAPIC_BASE | BASE_EN));
			BUG_ON(from && vlapic_set_base(CPU(0), LAPIC_BASE | mode[from]));
			CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE | mode[to]),
				 legal[from][to] ? 0 : -EINVAL);
			CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE | 0x400), -EINVAL);
		}
	}
	board_destroy();
}

TEST(disabling_resets)
{
	board_create(1);
	apic_enable(0);
	apic_write(0, APIC_TASKPRI, 0x40);
	vlapic_accept(CPU(0), 0x80, false);
	CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE), 0);
	CHECK(!vlapic_has_pending(CPU(0)));
	CHECK(!vlapic_accept(CPU(0), 0x80, false));
	CHECK(!vlapic_deliver(&board.vm, 0, false, 4, 0, false));
	CHECK_EQ(vlapic_set_base(CPU(0), LAPIC_BASE | BASE_EN), 0);
	CHECK_EQ(apic_read(0, APIC_SPIV), 0xff);
	CHECK_EQ(apic_read(0, APIC_TASKPRI), 0);
	CHECK_EQ(guest_take(0), -1);
	board_destroy();
}

TEST(init_keeps_id_and_mode)
{
	board_create(20);
	apic_enable_x2(19);
	vlapic_accept(CPU(19), 0x50, false);
	vlapic_reset(CPU(19));
	CHECK_EQ(msr(19, 0x802), 19);
	CHECK_EQ(msr(19, 0x80d), 1 << 16 | 1 << 3);
	CHECK_EQ(msr(19, 0x80f), 0xff);
	CHECK(!vlapic_has_pending(CPU(19)));
	board_destroy();
}

TEST(x2apic_msrs)
{
	/* bit 0: read, bit 1: write of 0 */
	static const struct { u32 msr; u8 access; } known[] = {
		{ 0x802, 1 }, { 0x803, 1 }, { 0x808, 3 }, { 0x80a, 1 }, { 0x80b, 2 }, { 0x80d, 1 },
		{ 0x80f, 3 }, { 0x828, 3 }, { 0x830, 3 }, { 0x832, 3 }, { 0x833, 3 }, { 0x834, 3 },
		{ 0x835, 3 }, { 0x836, 3 }, { 0x837, 3 }, { 0x838, 3 }, { 0x839, 1 }, { 0x83e, 3 },
		{ 0x83f, 2 },
	};
	unsigned int i, want;
	u64 value;
	u32 n;

	board_create(1);
	CHECK_EQ(vlapic_msr_read(CPU(0), 0x802, &value), -EINVAL);
	CHECK_EQ(vlapic_msr_write(CPU(0), 0x808, 0), -EINVAL);
	apic_enable_x2(0);
	for (n = 0x800; n < 0x900; n++) {
		want = n >= 0x810 && n < 0x828;
		for (i = 0; i < ARRAY_SIZE(known); i++)
			want |= known[i].msr == n ? known[i].access : 0;
		if (vlapic_msr_read(CPU(0), n, &value) != (want & 1 ? 0 : -EINVAL))
			unit_fail("read of %#x", n);
		if (vlapic_msr_write(CPU(0), n, 0) != (want & 2 ? 0 : -EINVAL))
			unit_fail("write of %#x", n);
	}
	board_destroy();
}

TEST(x2apic_reserved_bits_fault)
{
	static const struct { u32 msr; u64 good; } regs[] = {
		{ 0x808, 0xff }, { 0x80b, 0 }, { 0x80f, 0x13ff }, { 0x828, 0 },
		{ 0x832, 0x750ff }, { 0x833, 0x157ff }, { 0x835, 0x1f7ff }, { 0x837, 0x150ff },
		{ 0x838, 0xffffffff }, { 0x83e, 0xb }, { 0x83f, 0xff },
		{ 0x830, 0xffffffff000ccfff },
	};
	unsigned int i, bit;

	board_create(1);
	apic_enable_x2(0);
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		for (bit = 0; bit < 64; bit++) {
			int want = regs[i].good >> bit & 1 ? 0 : -EINVAL;

			if (vlapic_msr_write(CPU(0), regs[i].msr, BIT_ULL(bit)) != want)
				unit_fail("msr %#x bit %u", regs[i].msr, bit);
		}
	}
	board_destroy();
}

TEST(x2apic_identity)
{
	unsigned int v;

	board_create(64);
	for (v = 0; v < 64; v++) {
		apic_enable_x2(v);
		CHECK_EQ(msr(v, 0x802), v);
		CHECK_EQ(msr(v, 0x80d), (v / 16) << 16 | 1 << v % 16);
	}
	BUG_ON(vlapic_msr_write(CPU(3), 0x830, 0x1200000440ULL));
	CHECK_EQ(msr(3, 0x830), 0x1200000440ULL);
	/* back through disabled: 8 bits again */
	CHECK_EQ(vlapic_set_base(CPU(9), LAPIC_BASE), 0);
	CHECK_EQ(vlapic_set_base(CPU(9), LAPIC_BASE | BASE_EN), 0);
	CHECK_EQ(apic_read(9, APIC_ID), 9 << 24);
	CHECK_EQ(apic_read(9, APIC_LDR), 0);
	board_destroy();
}

TEST(cr8_is_tpr)
{
	board_create(1);
	apic_enable(0);
	vlapic_set_cr8(CPU(0), 5);
	CHECK_EQ(apic_read(0, APIC_TASKPRI), 0x50);
	apic_write(0, APIC_TASKPRI, 0x9c);
	CHECK_EQ(vlapic_get_cr8(CPU(0)), 9);
	CHECK_EQ(apic_read(0, APIC_PROCPRI), 0x9c);
	board_destroy();
}

TEST(write_trap_works_on_what_the_cpu_stored)
{
	u32 *page;

	board_create(2);
	apic_enable(0);
	apic_enable(1);
	page = vlapic_page(CPU(0));
	page[APIC_SPIV / 4] = 0xffffffff;
	vlapic_wrote(CPU(0), APIC_SPIV);
	CHECK_EQ(apic_read(0, APIC_SPIV), 0x13ff);
	page[APIC_ICR2 / 4] = 1 << 24;
	page[APIC_ICR / 4] = 0x4055;
	vlapic_wrote(CPU(0), APIC_ICR);
	CHECK_EQ(guest_take(1), 0x55);
	page[APIC_TMICT / 4] = 1000;
	vlapic_wrote(CPU(0), APIC_TMICT);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 1000);
	vlapic_wrote(CPU(0), 0x400);
	vlapic_wrote(CPU(0), 0xffffff00);
	apic_enable_x2(0);
	apic_enable_x2(1);
	page[APIC_ICR / 4] = 0x4066;
	page[APIC_ICR / 4 + 1] = 1;
	vlapic_wrote(CPU(0), APIC_ICR);
	CHECK_EQ(guest_take(1), 0x66);
	board_destroy();
}

/* ---- acceptance and priorities */

TEST(highest_vector_first_and_classes_nest)
{
	board_create(1);
	apic_enable(0);
	vlapic_accept(CPU(0), 0x31, false);
	CHECK_EQ(guest_take(0), 0x31);
	CHECK_EQ(apic_read(0, APIC_PROCPRI), 0x30);
	vlapic_accept(CPU(0), 0x3f, false);		/* the same class waits */
	CHECK_EQ(guest_take(0), -1);
	CHECK(!vlapic_has_pending(CPU(0)));
	vlapic_accept(CPU(0), 0xff, false);
	vlapic_accept(CPU(0), 0x80, false);
	CHECK_EQ(guest_take(0), 0xff);
	CHECK_EQ(guest_take(0), -1);
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_serve(0), 0x80);
	CHECK(apic_has(0, APIC_ISR, 0x31));
	apic_write(0, APIC_EOI, 0);
	CHECK_EQ(guest_serve(0), 0x3f);
	CHECK_EQ(apic_read(0, APIC_PROCPRI), 0);
	apic_write(0, APIC_EOI, 0);			/* of nothing */
	board_destroy();
}

TEST(tpr_holds_back_its_class)
{
	board_create(1);
	apic_enable(0);
	vlapic_accept(CPU(0), 0x45, false);
	apic_write(0, APIC_TASKPRI, 0x40);
	CHECK_EQ(guest_take(0), -1);
	apic_write(0, APIC_TASKPRI, 0x3f);
	CHECK_EQ(guest_take(0), 0x45);
	CHECK_EQ(apic_read(0, APIC_PROCPRI), 0x40);
	apic_write(0, APIC_TASKPRI, 0x47);
	CHECK_EQ(apic_read(0, APIC_PROCPRI), 0x47);
	board_destroy();
}

TEST(arbitration_priority)
{
	board_create(1);
	apic_enable(0);
	apic_write(0, APIC_TASKPRI, 0x55);
	CHECK_EQ(apic_read(0, APIC_ARBPRI), 0x55);
	vlapic_accept(CPU(0), 0x83, false);
	CHECK_EQ(apic_read(0, APIC_ARBPRI), 0x80);
	board_destroy();
}

TEST(one_kick_a_request)
{
	board_create(1);
	apic_enable(0);
	vlapic_accept(CPU(0), 0x45, false);
	vlapic_accept(CPU(0), 0x45, false);
	CHECK_EQ(board.kicks[0], 1);
	CHECK_EQ(guest_take(0), 0x45);
	vlapic_accept(CPU(0), 0x45, false);
	CHECK_EQ(board.kicks[0], 2);
	CHECK(apic_has(0, APIC_IRR, 0x45));
	CHECK(apic_has(0, APIC_ISR, 0x45));
	board_destroy();
}

TEST(trigger_mode_follows_the_message)
{
	board_create(1);
	apic_enable(0);
	vlapic_accept(CPU(0), 0x91, true);
	CHECK(apic_has(0, APIC_TMR, 0x91));
	vlapic_accept(CPU(0), 0x91, false);
	CHECK(!apic_has(0, APIC_TMR, 0x91));
	board_destroy();
}

/* Against a model: a set of pending vectors and a stack of those in service. */
TEST(random_requests_and_ends)
{
	bool irr[256] = {};
	u8 service[16];
	unsigned int n, depth = 0, tpr = 0;
	int want;

	board_create(1);
	apic_enable(0);
	for (n = 0; n < 200000; n++) {
		unsigned int vector = 16 + rng(240);
		unsigned int class = depth ? service[depth - 1] >> 4 : 0;

		switch (rng(4)) {
		case 0:
			vlapic_accept(CPU(0), vector, false);
			irr[vector] = true;
			break;
		case 1:
			tpr = rng(4) ? 0 : rng(256);
			apic_write(0, APIC_TASKPRI, tpr);
			break;
		case 2:
			if (depth)
				depth--;
			apic_write(0, APIC_EOI, 0);
			break;
		default:
			for (want = 255; want >= 0 && !irr[want]; want--)
				;
			class = max(class, tpr >> 4);
			if (want >= 0 && (unsigned int)want >> 4 <= class)
				want = -1;
			CHECK_EQ(vlapic_has_pending(CPU(0)), want >= 0);
			CHECK_EQ(guest_take(0), want);
			if (want >= 0) {
				irr[want] = false;
				service[depth++] = want;
			}
		}
	}
	board_destroy();
}

/* ---- errors */

TEST(illegal_vectors_set_esr)
{
	board_create(2);
	apic_enable(0);
	apic_enable(1);
	apic_write(0, APIC_LVTERR, 0x77);
	CHECK(!vlapic_accept(CPU(0), 15, false));
	CHECK_EQ(apic_read(0, APIC_ESR), 0);
	CHECK_EQ(guest_serve(0), 0x77);
	vlapic_accept(CPU(0), 3, false);		/* known already */
	CHECK_EQ(guest_serve(0), -1);
	icr(0, 1, 0x400f);
	CHECK_EQ(guest_serve(0), 0x77);
	apic_write(0, APIC_ESR, 0x12345);
	CHECK_EQ(apic_read(0, APIC_ESR), APIC_ESR_RECVILL | APIC_ESR_SENDILL);
	CHECK(!apic_has(1, APIC_IRR, 15));
	apic_write(0, APIC_ESR, 0);
	CHECK_EQ(apic_read(0, APIC_ESR), 0);
	board_destroy();
}

TEST(illegal_vector_in_lvterr_ends)
{
	board_create(1);
	apic_enable(0);
	apic_write(0, APIC_LVTERR, 0x5);
	apic_read(0, 0x400);
	apic_write(0, APIC_ESR, 0);
	CHECK_EQ(apic_read(0, APIC_ESR), APIC_ESR_RECVILL | APIC_ESR_ILLREGA);
	CHECK_EQ(guest_take(0), -1);
	board_destroy();
}

/* Nothing that a guest writes breaks an assertion of the stand-ins. */
TEST(random_guest)
{
	unsigned int n;
	u64 value;

	board_create(4);
	for (n = 0; n < 300000; n++) {
		unsigned int v = rng(4);
		u64 data = rng(2) ? rng(1 << 24) : (u64)rng(1 << 24) << 32 | rng(1 << 20);

		if (rng(2))
			data = 1ULL << rng(64) | rng(256);
		switch (rng(10)) {
		case 0:
			vlapic_set_base(CPU(v), LAPIC_BASE | (rng(8) ? BASE_X2 : rng(4) << 10));
			break;
		case 1:
			vlapic_msr_write(CPU(v), 0x800 + rng(256), data);
			break;
		case 2:
			vlapic_msr_read(CPU(v), 0x800 + rng(256), &value);
			break;
		case 3:
		case 4:
			apic_write(v, rng(4096), data);
			break;
		case 5:
			apic_read(v, rng(4096));
			break;
		case 6:
			vlapic_deliver(&board.vm, rng(300), rng(2), rng(8), rng(256), rng(2));
			break;
		case 7:
			fake_time_pass(rng(1 << 20));
			vlapic_set_tsc_deadline(CPU(v), rng(2) ? data << 20 : rdtsc() + data);
			vlapic_timer_deadline(CPU(v));
			break;
		case 8:
			vlapic_block(CPU(v));
			fake_time_pass(rng(1 << 22));
			vlapic_unblock(CPU(v));
			break;
		default:
			guest_take(v);
			if (!rng(50))
				vlapic_reset(CPU(v));
			vlapic_wrote(CPU(v), rng(4096));
		}
	}
	board_destroy();
}
