// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254: its counters by themselves, and the board's with port 61h.
 *
 * LINK: kmod/arch/x86/vlapic.c kmod/arch/x86/vlapic_irq.c kmod/arch/x86/vlapic_ipi.c
 * LINK: kmod/arch/x86/vlapic_timer.c kmod/arch/x86/vioapic.c kmod/arch/x86/vpic.c
 * LINK: kmod/arch/x86/vpit.c kmod/arch/x86/vpit_counter.c kmod/arch/x86/irqchip.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/x86 -Ikmod/arch/x86 -Iuapi/x86
 */
#include "x86/board.h"
#include "unit.h"
#include "vpit_counter.h"

#define T0	PIT_FIRST_TICK
#define PIT_HZ	1193182ULL

static u32 rng_state = 1;

static u32 rng(u32 below)
{
	rng_state = rng_state * 1664525 + 1013904223;
	return (u64)(rng_state >> 8) * below >> 24;
}

/* ---- a counter by itself */

/* Both bytes, written at T0: it holds @count from T0 + 1 on. */
static struct pit_counter counter(unsigned int mode, bool bcd, u16 count, bool gate)
{
	struct pit_counter c;

	pit_counter_init(&c, gate);
	pit_counter_control(&c, 0x30 | mode << 1 | bcd, T0);
	pit_counter_write(&c, count, T0);
	pit_counter_write(&c, count >> 8, T0);
	return c;
}

static u16 count_at(struct pit_counter *c, u64 now)
{
	u8 low = pit_counter_read(c, now);

	return low | pit_counter_read(c, now) << 8;
}

/* OUT for the ticks from T0 + 1 on, as a string. */
static const char *wave(struct pit_counter *c, unsigned int ticks)
{
	static char text[64];
	unsigned int i;

	for (i = 0; i < ticks; i++)
		text[i] = pit_counter_out(c, T0 + 1 + i) ? '-' : '_';
	text[i] = 0;
	return text;
}

TEST(out_of_each_mode)
{
	struct pit_counter c;

	c = counter(0, false, 4, true);
	CHECK_STR(wave(&c, 10), "____------");
	c = counter(1, false, 4, false);
	CHECK_STR(wave(&c, 6), "------");
	pit_counter_set_gate(&c, true, T0 + 7);
	CHECK_EQ(pit_counter_out(&c, T0 + 8), 0);
	CHECK_EQ(pit_counter_out(&c, T0 + 10), 0);
	CHECK_EQ(pit_counter_out(&c, T0 + 11), 1);
	c = counter(2, false, 4, true);
	CHECK_STR(wave(&c, 12), "---_---_---_");
	c = counter(3, false, 4, true);
	CHECK_STR(wave(&c, 12), "--__--__--__");
	c = counter(3, false, 5, true);
	CHECK_STR(wave(&c, 12), "---__---__--");
	c = counter(4, false, 4, true);
	CHECK_STR(wave(&c, 12), "----_-------");
	c = counter(5, false, 4, false);
	CHECK_STR(wave(&c, 4), "----");
	pit_counter_set_gate(&c, true, T0 + 4);
	CHECK_EQ(pit_counter_out(&c, T0 + 8), 1);
	CHECK_EQ(pit_counter_out(&c, T0 + 9), 0);
	CHECK_EQ(pit_counter_out(&c, T0 + 10), 1);
	/* 6 and 7 are 2 and 3 */
	c = counter(6, false, 4, true);
	CHECK_STR(wave(&c, 8), "---_---_");
	c = counter(7, false, 4, true);
	CHECK_STR(wave(&c, 8), "--__--__");
}

TEST(counts_of_each_mode)
{
	struct pit_counter c;

	c = counter(0, false, 1000, true);
	CHECK_EQ(count_at(&c, T0 + 1), 1000);
	CHECK_EQ(count_at(&c, T0 + 11), 990);
	CHECK_EQ(count_at(&c, T0 + 1001), 0);
	CHECK_EQ(count_at(&c, T0 + 1002), 0xffff);
	c = counter(0, true, 0x1000, true);
	CHECK_EQ(count_at(&c, T0 + 2), 0x0999);
	CHECK_EQ(count_at(&c, T0 + 1002), 0x9999);
	c = counter(2, false, 10, true);
	CHECK_EQ(count_at(&c, T0 + 1), 10);
	CHECK_EQ(count_at(&c, T0 + 10), 1);
	CHECK_EQ(count_at(&c, T0 + 11), 10);
	c = counter(3, false, 10, true);
	CHECK_EQ(count_at(&c, T0 + 1), 10);
	CHECK_EQ(count_at(&c, T0 + 5), 2);
	CHECK_EQ(count_at(&c, T0 + 6), 10);
	c = counter(2, false, 0, true);
	CHECK_EQ(count_at(&c, T0 + 2), 0xffff);
	c = counter(2, true, 0, true);
	CHECK_EQ(count_at(&c, T0 + 2), 0x9999);
	CHECK_EQ(count_at(&c, T0 + 1 + 10000 + 1), 0x9999);
}

TEST(next_rise_is_where_out_rises)
{
	unsigned int mode, n, i;

	for (mode = 0; mode < 6; mode++) {
		for (n = mode == 2 || mode == 3 ? 2 : 1; n < 9; n++) {
			struct pit_counter c = counter(mode, false, n, mode != 1 && mode != 5);
			u64 rise = 0, want;
			bool was = true;

			pit_counter_set_gate(&c, true, T0);
			/* from behind: the next rise after each tick */
			want = PIT_NEVER;
			for (i = 40; i > 0; i--) {
				bool out = pit_counter_out(&c, T0 + i);

				if (i < 40 && was && !out)
					want = T0 + i + 1;
				was = out;
				rise = pit_counter_next_rise(&c, T0 + i);
				if (i < 25 && rise != want)
					unit_fail("mode %u count %u tick %u: +%lld", mode, n, i,
						  (long long)(rise - want));
			}
		}
	}
}

TEST(new_count_waits_for_the_end_of_a_cycle)
{
	struct pit_counter c = counter(2, false, 4, true);

	pit_counter_write(&c, 6, T0 + 2);
	pit_counter_write(&c, 0, T0 + 2);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 2), T0 + 5);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 5), T0 + 11);
	c = counter(2, false, 4, true);
	pit_counter_write(&c, 6, T0 + 2);
	pit_counter_write(&c, 0, T0 + 2);
	CHECK_STR(wave(&c, 14), "---_-----_----");
	/* mode 3: of a half cycle */
	c = counter(3, false, 8, true);
	pit_counter_write(&c, 4, T0 + 2);
	pit_counter_write(&c, 0, T0 + 2);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 2), T0 + 7);
	CHECK_STR(wave(&c, 14), "----__--__--__");
	c = counter(3, false, 8, true);
	pit_counter_write(&c, 4, T0 + 6);
	pit_counter_write(&c, 0, T0 + 6);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 6), T0 + 9);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 9), T0 + 13);
	/* modes 0 and 4: at once; the first byte stops mode 0 */
	c = counter(0, false, 4, true);
	CHECK_EQ(pit_counter_out(&c, T0 + 20), 1);
	pit_counter_write(&c, 5, T0 + 20);
	CHECK_EQ(pit_counter_out(&c, T0 + 20), 0);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 20), PIT_NEVER);
	pit_counter_write(&c, 0, T0 + 30);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 30), T0 + 36);
}

TEST(gate)
{
	struct pit_counter c = counter(0, false, 10, true);

	/* modes 0 and 4: counting pauses */
	pit_counter_set_gate(&c, false, T0 + 5);
	CHECK_EQ(count_at(&c, T0 + 100), 6);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 100), PIT_NEVER);
	pit_counter_set_gate(&c, true, T0 + 100);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 100), T0 + 106);
	/* loaded with the gate low */
	c = counter(0, false, 10, false);
	CHECK_EQ(pit_counter_out(&c, T0 + 50), 0);
	pit_counter_set_gate(&c, true, T0 + 50);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 50), T0 + 60);
	/* modes 2 and 3: OUT high, and anew */
	c = counter(2, false, 4, true);
	pit_counter_set_gate(&c, false, T0 + 4);
	CHECK_EQ(pit_counter_out(&c, T0 + 4), 1);
	pit_counter_set_gate(&c, true, T0 + 20);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 20), T0 + 25);
	/* modes 1 and 5: a trigger, and again */
	c = counter(1, false, 4, false);
	pit_counter_set_gate(&c, true, T0 + 10);
	pit_counter_set_gate(&c, false, T0 + 11);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 11), T0 + 14);
	pit_counter_set_gate(&c, true, T0 + 12);
	CHECK_EQ(pit_counter_out(&c, T0 + 12), 0);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 12), T0 + 16);
	/* a new count only by the next trigger */
	pit_counter_write(&c, 9, T0 + 13);
	pit_counter_write(&c, 0, T0 + 13);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 13), T0 + 16);
	pit_counter_set_gate(&c, false, T0 + 20);
	pit_counter_set_gate(&c, true, T0 + 21);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 21), T0 + 30);
	/* a trigger without a count */
	pit_counter_control(&c, 0x32, T0 + 40);
	pit_counter_set_gate(&c, false, T0 + 40);
	pit_counter_set_gate(&c, true, T0 + 41);
	CHECK_EQ(pit_counter_out(&c, T0 + 42), 1);
}

TEST(bytes)
{
	struct pit_counter c;

	pit_counter_init(&c, true);
	pit_counter_control(&c, 0x14, T0);		/* low byte only */
	pit_counter_write(&c, 0x80, T0);
	CHECK_EQ(pit_counter_read(&c, T0 + 1), 0x80);
	CHECK_EQ(pit_counter_read(&c, T0 + 2), 0x7f);
	pit_counter_control(&c, 0x24, T0);		/* high byte only */
	pit_counter_write(&c, 0x80, T0);
	CHECK_EQ(pit_counter_read(&c, T0 + 1), 0x80);
	CHECK_EQ(pit_counter_read(&c, T0 + 2), 0x7f);
	pit_counter_control(&c, 0x34, T0);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 9), PIT_NEVER);
	pit_counter_write(&c, 0x34, T0);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 9), PIT_NEVER);
	pit_counter_write(&c, 0x12, T0);
	CHECK_EQ(pit_counter_next_rise(&c, T0 + 9), T0 + 1 + 0x1234);
}

TEST(latches)
{
	struct pit_counter c = counter(2, false, 0x1234, true);

	pit_counter_latch(&c, T0 + 1);
	pit_counter_latch(&c, T0 + 200);		/* the first stays */
	CHECK_EQ(pit_counter_read(&c, T0 + 300), 0x34);
	CHECK_EQ(pit_counter_read(&c, T0 + 300), 0x12);
	CHECK_EQ(count_at(&c, T0 + 0x35), 0x1200);
	/* status, then count */
	pit_counter_latch(&c, T0 + 1);
	pit_counter_latch_status(&c, T0 + 1);
	CHECK_EQ(pit_counter_read(&c, T0 + 300), 0xb4);
	CHECK_EQ(pit_counter_read(&c, T0 + 300), 0x34);
	CHECK_EQ(pit_counter_read(&c, T0 + 300), 0x12);
	/* null count: until it is loaded */
	pit_counter_write(&c, 0, T0 + 300);
	pit_counter_write(&c, 1, T0 + 300);
	pit_counter_latch_status(&c, T0 + 301);
	CHECK_EQ(pit_counter_read(&c, T0 + 300), 0xf4);
	pit_counter_latch_status(&c, T0 + 1 + 0x1234);
	CHECK_EQ(pit_counter_read(&c, T0 + 0x2000), 0xb4);
	pit_counter_control(&c, 0x31, T0 + 0x3000);
	pit_counter_latch_status(&c, T0 + 0x3000);
	CHECK_EQ(pit_counter_read(&c, T0 + 0x3000), 0x71);
}

/* ---- the board's */

static void board_on(void)
{
	board_create(1);
	outb(0x20, 0x11);
	outb(0x21, 0x20);
	outb(0x21, 4);
	outb(0x21, 3);			/* auto-EOI */
	outb(0x21, 0);
	apic_enable(0);
	ioapic_route(2, 0, 0x32);
}

static void program(unsigned int n, u8 mode, u16 count)
{
	outb(0x43, n << 6 | 0x30 | mode << 1);
	outb(0x40 + n, count);
	outb(0x40 + n, count >> 8);
}

/* Interrupts at both controllers in @ns, polled each @step. */
static unsigned int interrupts(u64 ns, u64 step)
{
	unsigned int n = 0;
	u64 t;

	for (t = 0; t < ns; t += step) {
		bool apic;

		fake_time_pass(step);
		apic = guest_serve(0) == 0x32;
		CHECK_EQ(vpic_has_pending(&board.vm), apic);
		if (vpic_has_pending(&board.vm))
			CHECK_EQ(vpic_acknowledge(&board.vm), 0x20);
		n += apic;
	}
	return n;
}

static void drain(void)
{
	guest_serve(0);
	if (vpic_has_pending(&board.vm))
		vpic_acknowledge(&board.vm);
}

TEST(create_refuses)
{
	struct qvm_vm *vm = &board.vm;

	board_create(1);
	CHECK_EQ(vpit_create(vm, 0x140, 0, 0, 0), -EEXIST);
	vpit_destroy(vm);
	vpic_destroy(vm);
	vm->ports.count = 0;
	CHECK_EQ(vpit_create(vm, 0x42, 0x61, 0, 2), -EINVAL);
	CHECK_EQ(vpit_create(vm, 0x10000, 0x61, 0, 2), -ERANGE);
	CHECK_EQ(vpit_create(vm, 0x40, 0x10000, 0, 2), -ERANGE);
	CHECK_EQ(vpit_create(vm, 0x40, 0x43, 0, 2), -EEXIST);
	CHECK_EQ(vpit_create(vm, 0x40, 0x61, 16, 2), -EINVAL);
	CHECK_EQ(vpit_create(vm, 0x40, 0x61, 0, 24), -EINVAL);
	fake_slab_fail_at = 1;
	CHECK_EQ(vpit_create(vm, 0x40, 0x61, 0, 2), -ENOMEM);
	CHECK_EQ(vm->ports.count, 0);
	CHECK_EQ(vpit_create(vm, 0x40, 0, 0, 2), 0);
	CHECK_EQ(vm->ports.count, 1);
	board_destroy();
}

TEST(periodic_interrupts)
{
	board_on();
	program(0, 2, 11931);			/* 100 Hz */
	drain();
	CHECK_EQ(interrupts(NSEC_PER_SEC, 1000000), 100);
	program(0, 3, 11931);
	drain();
	CHECK_EQ(interrupts(NSEC_PER_SEC, 1000000), 100);
	program(0, 2, 0);			/* 18.2 Hz */
	drain();
	CHECK_EQ(interrupts(10ULL * NSEC_PER_SEC, 1000000), 182);
	CHECK_EQ(board.kicks[0] != 0, 1);
	board_destroy();
}

TEST(no_edge_before_the_first_count_ends)
{
	u8 mode;

	for (mode = 0; mode < 6; mode++) {
		board_on();
		outb(0x43, 0x30 | mode << 1);
		CHECK_EQ(guest_serve(0), -1);
		CHECK(!vpic_has_pending(&board.vm));
		outb(0x40, 0xff);
		outb(0x40, 0xff);
		CHECK_EQ(interrupts(50000000, 1000000), 0);
		/* that of 0xffff + 1 ticks at 55 ms; the gate of modes 1 and 5 has no edge */
		CHECK_EQ(interrupts(10000000, 1000000), mode != 1 && mode != 5);
		/* from a count that holds OUT low to one that starts high: an edge */
		program(0, 0, 0xffff);
		drain();
		outb(0x43, 0x34);
		CHECK_EQ(guest_serve(0), 0x32);
		CHECK_EQ(vpic_acknowledge(&board.vm), 0x20);
		board_destroy();
	}
}

TEST(no_drift)
{
	u64 begin;

	board_on();
	begin = fake_now;
	program(0, 2, 1193);
	drain();
	fake_time_pass(1000ULL * NSEC_PER_SEC);
	CHECK_EQ(fake_hrtimers.fired, 1000 * PIT_HZ / 1193);
	CHECK_EQ(fake_now - begin, 1000ULL * NSEC_PER_SEC);
	board_destroy();
}

TEST(one_shot_interrupt)
{
	board_on();
	program(0, 0, 11932);
	drain();
	CHECK_EQ(interrupts(9 * 1000000, 1000000), 0);
	CHECK_EQ(interrupts(2 * 1000000, 1000000), 1);
	CHECK_EQ(interrupts(NSEC_PER_SEC, 1000000), 0);
	program(0, 4, 11932);
	drain();
	CHECK_EQ(interrupts(NSEC_PER_SEC, 1000000), 1);
	/* stopped by a control word */
	program(0, 2, 11932);
	drain();
	outb(0x43, 0x30);
	CHECK_EQ(interrupts(NSEC_PER_SEC, 1000000), 0);
	board_destroy();
}

TEST(missed_edges_are_one)
{
	board_on();
	program(0, 2, 1193);
	drain();
	fake_hrtimers.fired = 0;
	fake_time_jump(3600ULL * NSEC_PER_SEC);		/* stopped for an hour */
	fake_time_pass(0);
	CHECK_EQ(fake_hrtimers.fired, 1);
	CHECK_EQ(interrupts(2000000, 1000000), 2);
	/* an access after a stop does not lose the edge either */
	fake_time_jump(NSEC_PER_SEC);
	outb(0x43, 0x00);
	CHECK_EQ(guest_serve(0), 0x32);
	drain();
	CHECK_EQ(interrupts(2000000, 1000000), 2);
	board_destroy();
}

TEST(short_periods_do_not_storm)
{
	unsigned int n;

	board_on();
	for (n = 1; n < 4; n++) {
		program(0, 2, n);
		fake_hrtimers.fired = 0;
		fake_time_pass(NSEC_PER_SEC);
		CHECK(fake_hrtimers.fired > 9000 && fake_hrtimers.fired <= 10000);
		program(0, 3, n);
		fake_hrtimers.fired = 0;
		fake_time_pass(NSEC_PER_SEC);
		CHECK(fake_hrtimers.fired > 9000 && fake_hrtimers.fired <= 10000);
	}
	board_destroy();
}

TEST(ended_vm_is_quiet)
{
	board_on();
	program(0, 2, 1193);
	atomic_set(&board.vm.state, QVM_VM_ENDED);
	fake_time_pass(NSEC_PER_SEC);
	CHECK_EQ(fake_hrtimers.fired, 1);
	board_destroy();
}

TEST(stopped_before_vcpus_go)
{
	board_on();
	program(0, 2, 1193);
	vlapic_destroy(&board.vcpu[0]);
	fake_hrtimers.fired = 0;
	fake_time_pass(NSEC_PER_SEC);
	CHECK_EQ(fake_hrtimers.fired, 0);
	board_destroy();
}

/* How guests measure their TSC: counter 2 in mode 0, its output at port 61h. */
TEST(calibration_by_counter_2)
{
	unsigned int polls = 0;

	board_on();
	outb(0x61, (inb(0x61) & ~2) | 1);
	program(2, 0, 59659);				/* 50 ms */
	CHECK_EQ(inb(0x61) & 0x20, 0);
	while (!(inb(0x61) & 0x20)) {
		fake_time_pass(10000);
		BUG_ON(++polls > 10000);
	}
	CHECK(polls >= 4999 && polls <= 5001);
	/* with the gate low it stands */
	outb(0x61, 0);
	program(2, 0, 1000);
	fake_time_pass(NSEC_PER_SEC);
	CHECK_EQ(inb(0x61) & 0x20, 0);
	board_destroy();
}

TEST(port_61)
{
	unsigned int n, toggles = 0;
	u8 was, now;

	board_on();
	outb(0x61, 0xff);
	CHECK_EQ(inb(0x61) & 0xcf, 0x0f);
	outb(0x61, 0);
	CHECK_EQ(inb(0x61) & 0xcf, 0);
	was = inb(0x61) & 0x10;
	for (n = 0; n < 1000; n++) {
		fake_time_pass(1000);
		now = inb(0x61) & 0x10;
		toggles += now != was;
		was = now;
	}
	CHECK(toggles >= 65 && toggles <= 67);		/* each 15 us */
	board_destroy();
}

TEST(read_back_and_latch)
{
	board_on();
	program(0, 2, 0x1000);
	program(1, 3, 0x80);
	program(2, 0, 0x2000);
	fake_time_pass(2000);
	outb(0x43, 0xc0 | 0x20 | 0x0e);			/* status of all */
	CHECK_EQ(inb(0x40), 0xb4);
	CHECK_EQ(inb(0x41) & 0x7f, 0x36);
	CHECK_EQ(inb(0x42), 0x30);
	outb(0x43, 0xc0 | 0x10 | 0x02);			/* count of 0 */
	fake_time_pass(NSEC_PER_SEC);
	CHECK_EQ(inb(0x40), 0xff);
	CHECK_EQ(inb(0x40), 0x0f);
	outb(0x43, 0x00);				/* latch command */
	inb(0x40);
	inb(0x40);
	CHECK_EQ(inb(0x43), 0);
	board_destroy();
}

TEST(random_guest)
{
	unsigned int n;

	board_on();
	for (n = 0; n < 300000; n++) {
		switch (rng(8)) {
		case 0:
			outb(0x43, rng(256));
			break;
		case 1:
		case 2:
			outb(0x40 + rng(3), rng(4) ? rng(256) : rng(2));
			break;
		case 3:
			inb(0x40 + rng(4));
			break;
		case 4:
			outb(0x61, rng(256));
			break;
		case 5:
			inb(0x61);
			break;
		case 6:
			fake_time_pass(rng(100000));
			break;
		default:
			fake_time_jump(rng(1000000));
		}
		drain();
	}
	board_destroy();
}
