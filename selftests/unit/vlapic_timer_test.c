// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timer of the local APIC.
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

#define TIMER_VECTOR	0xec

static void timer_setup(u32 mode, u32 divide, u32 count)
{
	apic_write(0, APIC_TDCR, divide);
	apic_write(0, APIC_LVTT, mode | TIMER_VECTOR);
	apic_write(0, APIC_TMICT, count);
}

/* The guest runs until the timer's next interrupt: ns passed, or -1. */
static s64 run_to_deadline(void)
{
	u64 begin = fake_now;
	u64 deadline = vlapic_timer_deadline(CPU(0));

	if (deadline == U64_MAX)
		return -1;
	while (rdtsc() < deadline)
		fake_time_pass(max_t(u64, (deadline - rdtsc()) * 1000000 / tsc_khz, 1));
	vlapic_timer_expired(CPU(0));
	return fake_now - begin;
}

TEST(timer_one_shot)
{
	board_create(1);
	apic_enable(0);
	timer_setup(0, 0xb, 1000000);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 1000000);
	fake_time_pass(400000);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 600000);
	vlapic_timer_expired(CPU(0));
	CHECK_EQ(guest_take(0), -1);
	CHECK_EQ(run_to_deadline(), 600000);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 0);
	CHECK_EQ(apic_read(0, APIC_TMICT), 1000000);
	CHECK_EQ(run_to_deadline(), -1);
	/* stopped by 0 */
	timer_setup(0, 0xb, 1000);
	apic_write(0, APIC_TMICT, 0);
	CHECK_EQ(run_to_deadline(), -1);
	board_destroy();
}

TEST(timer_divisors)
{
	static const struct { u8 code; unsigned int by; } div[] = {
		{ 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 },
		{ 8, 32 }, { 9, 64 }, { 10, 128 }, { 11, 1 },
	};
	unsigned int i;

	board_create(1);
	apic_enable(0);
	for (i = 0; i < ARRAY_SIZE(div); i++) {
		timer_setup(0, div[i].code, 100000);
		fake_time_pass(div[i].by * 25000);
		CHECK_EQ(apic_read(0, APIC_TMCCT), 75000);
		CHECK_EQ(run_to_deadline(), div[i].by * 75000);
		CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	}
	/* a change on the way keeps the count */
	timer_setup(0, 0xb, 100000);
	fake_time_pass(50000);
	apic_write(0, APIC_TDCR, 0);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 50000);
	CHECK_EQ(run_to_deadline(), 100000);
	board_destroy();
}

TEST(timer_periodic_keeps_its_phase)
{
	unsigned int n;
	u64 begin;

	board_create(1);
	apic_enable(0);
	tsc_khz = 2999999;
	timer_setup(APIC_LVT_TIMER_PERIODIC, 0xb, 1000000);
	begin = fake_now;
	for (n = 1; n <= 1000; n++) {
		s64 late;

		run_to_deadline();
		late = fake_now - begin - n * 1000000ULL;
		if (late < 0 || late > 2)
			unit_fail("tick %u is %lld ns late", n, (long long)late);
		CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	}
	/* ten and a half periods that nobody looked at are one interrupt */
	fake_time_pass(10500000);
	vlapic_timer_expired(CPU(0));
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	CHECK_EQ(guest_serve(0), -1);
	run_to_deadline();
	CHECK((fake_now - begin) % 1000000 <= 2);
	board_destroy();
}

TEST(timer_mode_changes)
{
	u32 count = 0x999999;

	board_create(1);
	apic_enable(0);
	timer_setup(0, 0xb, count);
	fake_time_pass(count / 2);
	apic_write(0, APIC_LVTT, APIC_LVT_TIMER_PERIODIC | TIMER_VECTOR);
	CHECK_EQ(apic_read(0, APIC_TMCCT), count - count / 2);
	run_to_deadline();
	fake_time_pass(count / 4);
	CHECK_EQ(apic_read(0, APIC_TMCCT), count - count / 4);
	apic_write(0, APIC_LVTT, TIMER_VECTOR);
	CHECK_EQ(apic_read(0, APIC_TMCCT), count - count / 4);
	run_to_deadline();
	CHECK_EQ(apic_read(0, APIC_TMCCT), 0);
	apic_write(0, APIC_LVTT, APIC_LVT_TIMER_PERIODIC | TIMER_VECTOR);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 0);
	CHECK_EQ(run_to_deadline(), -1);
	board_destroy();
}

TEST(timer_masked)
{
	board_create(1);
	apic_enable(0);
	timer_setup(APIC_LVT_TIMER_PERIODIC | APIC_LVT_MASKED, 0xb, 1000000);
	CHECK_EQ(run_to_deadline(), -1);
	fake_time_pass(3300000);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 700000);
	apic_write(0, APIC_LVTT, APIC_LVT_TIMER_PERIODIC | TIMER_VECTOR);
	CHECK_EQ(guest_serve(0), -1);
	CHECK_EQ(run_to_deadline(), 700000);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	/* an interrupt that was due when it was masked is not lost */
	fake_time_pass(1000000);
	apic_write(0, APIC_LVTT, APIC_LVT_MASKED | TIMER_VECTOR);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	board_destroy();
}

TEST(timer_tsc_deadline)
{
	board_create(1);
	apic_enable(0);
	board.vm.arch.tsc_offset = -12345678ULL;
	vlapic_set_tsc_deadline(CPU(0), 1);
	CHECK_EQ(vlapic_get_tsc_deadline(CPU(0)), 0);		/* another mode */
	timer_setup(APIC_LVT_TIMER_TSCDEADLINE, 0xb, 1000);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 0);
	CHECK_EQ(apic_read(0, APIC_TMICT), 0);
	CHECK_EQ(run_to_deadline(), -1);
	fake_time_pass(100000000);
	vlapic_set_tsc_deadline(CPU(0), rdtsc() - 12345678 + 2000);
	CHECK_EQ(vlapic_timer_deadline(CPU(0)), rdtsc() + 2000);
	CHECK_EQ(vlapic_get_tsc_deadline(CPU(0)), rdtsc() - 12345678 + 2000);
	CHECK_EQ(run_to_deadline(), 1000);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	CHECK_EQ(vlapic_get_tsc_deadline(CPU(0)), 0);
	CHECK_EQ(run_to_deadline(), -1);
	/* past, never, disarmed */
	vlapic_set_tsc_deadline(CPU(0), 5);
	CHECK_EQ(run_to_deadline(), 0);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	vlapic_set_tsc_deadline(CPU(0), U64_MAX);
	CHECK_EQ(vlapic_timer_deadline(CPU(0)), U64_MAX);
	vlapic_block(CPU(0));
	vlapic_unblock(CPU(0));
	vlapic_set_tsc_deadline(CPU(0), 0);
	CHECK_EQ(run_to_deadline(), -1);
	/* another mode disarms */
	vlapic_set_tsc_deadline(CPU(0), rdtsc() + 10000000);
	apic_write(0, APIC_LVTT, TIMER_VECTOR);
	CHECK_EQ(run_to_deadline(), -1);
	apic_write(0, APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | TIMER_VECTOR);
	CHECK_EQ(vlapic_get_tsc_deadline(CPU(0)), 0);
	board_destroy();
}

TEST(timer_while_asleep)
{
	board_create(1);
	apic_enable(0);
	timer_setup(0, 0xb, 5000000);
	vlapic_block(CPU(0));
	fake_time_pass(4999990);
	CHECK(!vlapic_has_pending(CPU(0)));
	fake_time_pass(20);
	CHECK(vlapic_has_pending(CPU(0)));
	CHECK_EQ(board.kicks[0], 1);
	vlapic_unblock(CPU(0));
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	/* due when it falls asleep: no timer, but an interrupt */
	timer_setup(0, 0xb, 5000000);
	fake_time_pass(5000001);
	vlapic_block(CPU(0));
	CHECK(vlapic_has_pending(CPU(0)));
	vlapic_unblock(CPU(0));
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	/* woken by something else */
	timer_setup(0, 0xb, 5000000);
	vlapic_block(CPU(0));
	fake_time_pass(1000000);
	vlapic_unblock(CPU(0));
	fake_time_pass(10000000);
	CHECK(!vlapic_has_pending(CPU(0)));
	vlapic_block(CPU(0));
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	vlapic_unblock(CPU(0));
	board_destroy();
}

TEST(timer_sleeps_over_a_clock_that_runs_ahead)
{
	board_create(1);
	apic_enable(0);
	timer_setup(0, 0xb, 5000000);
	vlapic_block(CPU(0));
	fake_tsc_base = -1000000ULL;		/* the TSC is 500 us behind */
	fake_time_pass(5000010);
	CHECK(!vlapic_has_pending(CPU(0)));
	fake_time_pass(510000);
	CHECK(vlapic_has_pending(CPU(0)));
	vlapic_unblock(CPU(0));
	board_destroy();
}

TEST(timer_far_deadline_sleeps_in_pieces)
{
	board_create(1);
	apic_enable(0);
	timer_setup(APIC_LVT_TIMER_TSCDEADLINE, 0xb, 0);
	vlapic_set_tsc_deadline(CPU(0), rdtsc() + 20000ULL * tsc_khz * 1000);	/* 20000 s */
	vlapic_block(CPU(0));
	fake_time_pass(19999ULL * NSEC_PER_SEC);
	CHECK(!vlapic_has_pending(CPU(0)));
	CHECK(fake_hrtimers.fired < 8);
	fake_time_pass(2ULL * NSEC_PER_SEC);
	CHECK(vlapic_has_pending(CPU(0)));
	vlapic_unblock(CPU(0));
	board_destroy();
}

TEST(timer_cannot_storm_the_host)
{
	board_create(1);
	apic_enable(0);
	timer_setup(APIC_LVT_TIMER_PERIODIC, 0xb, 1);
	apic_write(0, APIC_TASKPRI, 0xff);
	vlapic_block(CPU(0));
	fake_time_pass(NSEC_PER_SEC);
	CHECK(fake_hrtimers.fired <= 2);
	vlapic_unblock(CPU(0));
	apic_write(0, APIC_TASKPRI, 0);
	run_to_deadline();
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	run_to_deadline();
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	CHECK_EQ(run_to_deadline(), 20000);
	board_destroy();
}

TEST(timer_tsc_behind_its_start)
{
	board_create(1);
	apic_enable(0);
	timer_setup(0, 0xb, 1000);
	fake_tsc_base = -(u64)fake_now * 4;
	CHECK(apic_read(0, APIC_TMCCT) <= 1000);
	CHECK(vlapic_timer_deadline(CPU(0)) != U64_MAX);
	board_destroy();
}

/* The host slept and its TSC begins anew: counts and deadlines go on, of what was before it nothing is lost. */
TEST(timer_over_a_suspend)
{
	u64 tsc, before;

	board_create(2);
	apic_enable(0);
	fake_time_pass(1000000000);
	board.vm.arch.tsc_offset = -rdtsc();
	board.vm.arch.tsc_lost = x86_tsc_lost;
	fake_time_pass(5000000);
	timer_setup(0, 0xb, 1000000);
	tsc = rdtsc() + x86_tsc_offset(CPU(0));
	before = rdtsc();
	x86_tsc_suspend();
	fake_tsc_base -= rdtsc() - 500;
	x86_tsc_resume();
	CHECK_EQ(x86_tsc_lost, before - 500);
	CHECK_EQ(rdtsc() + x86_tsc_offset(CPU(0)), tsc);
	CHECK_EQ(apic_read(0, APIC_TMCCT), 1000000);
	CHECK_EQ(run_to_deadline(), 1000000);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	/* expired before the TSC began: now, not never */
	timer_setup(0, 0xb, 1000);
	fake_time_pass(2000);
	x86_tsc_suspend();
	fake_tsc_base -= rdtsc() - 500;
	x86_tsc_resume();
	CHECK_EQ(run_to_deadline(), 0);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	timer_setup(APIC_LVT_TIMER_TSCDEADLINE, 0xb, 0);
	vlapic_set_tsc_deadline(CPU(0), rdtsc() + x86_tsc_offset(CPU(0)) + 2000);
	x86_tsc_suspend();
	fake_tsc_base -= rdtsc() - 100;
	x86_tsc_resume();
	CHECK_EQ(run_to_deadline(), 1000);
	CHECK_EQ(guest_serve(0), TIMER_VECTOR);
	board_destroy();
	/* one that runs on takes nothing */
	before = x86_tsc_lost;
	x86_tsc_suspend();
	fake_time_pass(10);
	x86_tsc_resume();
	CHECK_EQ(x86_tsc_lost, before);
}
