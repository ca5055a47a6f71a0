// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel-mode SIMD all the time, for tests: on each CPU a timer in softirq and a thread have a pattern in
 * every vector register for a moment, and look whether it is still there.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <asm/neon.h>
#include <asm/simd.h>

#include "each_cpu.h"

#define PERIOD_NS	200000
#define HOLD_US		20

static atomic_long_t softirqs, threads, mistakes;

COUNT_PARAM(softirqs);
COUNT_PARAM(threads);
COUNT_PARAM(mistakes);

static DEFINE_PER_CPU(struct hrtimer, timers);

#define EACH_REGISTER(text)							\
	".arch_extension simd\n"						\
	".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n" \
	text ".endr\n"

static void fill(u64 base)
{
	u64 value;

	asm volatile(EACH_REGISTER("add %0, %1, #\\n\n dup v\\n\\().2d, %0\n")
		     : "=&r"(value) : "r"(base));
}

static u64 difference(u64 base)
{
	u64 low, high, bits = 0;

	asm volatile(EACH_REGISTER("umov %1, v\\n\\().d[0]\n umov %2, v\\n\\().d[1]\n"
				   "sub %1, %1, #\\n\n sub %2, %2, #\\n\n"
				   "eor %1, %1, %3\n eor %2, %2, %3\n"
				   "orr %0, %0, %1\n orr %0, %0, %2\n")
		     : "+r"(bits), "=&r"(low), "=&r"(high) : "r"(base));
	return bits;
}

static void one_round(atomic_long_t *count)
{
	u64 base = (u64)atomic_long_inc_return(count) << 8;

	kernel_neon_begin();
	fill(base);
	udelay(HOLD_US);
	if (difference(base))
		atomic_long_inc(&mistakes);
	kernel_neon_end();
}

static enum hrtimer_restart timer_fires(struct hrtimer *timer)
{
	if (may_use_simd())
		one_round(&softirqs);
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD_NS));
	return HRTIMER_RESTART;
}

static int thread_main(void *unused)
{
	struct hrtimer *timer = this_cpu_ptr(&timers);

	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_SOFT);
	timer->function = timer_fires;
	hrtimer_start(timer, ns_to_ktime(PERIOD_NS), HRTIMER_MODE_REL_PINNED_SOFT);
	while (!kthread_should_stop()) {
		one_round(&threads);
		usleep_range(100, 200);
	}
	hrtimer_cancel(timer);
	return 0;
}

static int __init simd_init(void)
{
	return each_cpu_start(thread_main, "simd/%u");
}

static void __exit simd_exit(void)
{
	each_cpu_stop();
}

module_init(simd_init);
module_exit(simd_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("kernel-mode SIMD in softirq and threads, for tests of qvm");
