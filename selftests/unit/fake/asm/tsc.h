/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a TSC that runs with the clock of linux/ktime.h. */
#ifndef FAKE_ASM_TSC_H
#define FAKE_ASM_TSC_H

#include <linux/ktime.h>

__attribute__((weak)) unsigned int tsc_khz = 2000000;
__attribute__((weak)) u64 fake_tsc_base;

static inline u64 rdtsc(void)
{
	return fake_tsc_base + (u64)((unsigned __int128)fake_now * tsc_khz / 1000000);
}

#endif
