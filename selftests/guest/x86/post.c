// SPDX-License-Identifier: GPL-2.0-only
/* Posted writes: common/post.h, by memory and by port; run with 2 CPUs. And HLT, which they do not end. */
#include "apic.h"

#define VECTOR			0x51
#define POSTED_PORT		(0x510 + 4)
#define cpu_wait_others()	cpu_wait_all_done()

#include "../common/post.h"

static void test_ports(void)
{
	u32 want = 0;

	for (u32 i = 0; i < 300; i++) {
		want = want * 31 + i + 4;
		out32(POSTED_PORT, i);
	}
	out16(POSTED_PORT, 0x1234);
	want = want * 31 + 0x1234 + 2;
	check_eq(in32(POSTED_PORT), want);
}

/* The launcher is asked to take what was posted, and the guest sleeps on until its interrupt. */
static void test_sleep(void)
{
	u32 before = irqs_of(VECTOR);

	apic_write(APIC_TIMER_DIV, DIV_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR);
	for (u32 i = 1; i <= 30; i++) {
		post(4, i);
		apic_write(APIC_TIMER_INIT, apic_ticks_of_us(3000));
		hlt_enabled();
		check_eq(irqs_of(VECTOR), before + i);
	}
	apic_timer_stop();
	check_eq(read32(POSTED), digest);
}

const struct test tests[] = {
	TEST(order),
	TEST(widths),
	TEST(ports),
	TEST(other_cpu),
	TEST(sleep),
	{},
};
