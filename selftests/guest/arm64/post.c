// SPDX-License-Identifier: GPL-2.0-only
/* Posted writes: common/post.h; run with 2 CPUs. */
#include "gic.h"
#include "timer.h"

#define cpu_wait_others()	cpu_wait_all_off()

#include "../common/post.h"

/* Who sleeps on its writes is woken by its interrupt as ever. */
static void test_sleep(void)
{
	gic_enable(0, 27);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		u64 end;

		timer_start(TIMER_VIRT, 100 + 20 * i);
		end = timer_cval(TIMER_VIRT);
		post(4, i);
		while (counter() < end)
			wfi();
		timer_stop(TIMER_VIRT);
	}
	check_eq(read32(POSTED), digest);
}

const struct test tests[] = {
	TEST(order),
	TEST(widths),
	TEST(other_cpu),
	TEST(sleep),
	{},
};
