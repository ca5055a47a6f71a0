// SPDX-License-Identifier: GPL-2.0-only
/* The TSC's rate: CPUID 15h. */
#include "guest.h"

static u64 tsc_khz(void)
{
	static u64 khz;

	if (!khz) {
		struct cpuid r = cpuid(0x15, 0);

		khz = (u64)r.ecx / 1000 * r.ebx / r.eax;
	}
	return khz;
}

u64 tsc_of_us(u64 us)
{
	return us * tsc_khz() / 1000;
}

u64 us_of_tsc(u64 ticks)
{
	return ticks * 1000 / tsc_khz();
}

void delay_us(u64 us)
{
	u64 end = tsc() + tsc_of_us(us);

	while (tsc() < end)
		pause();
}
