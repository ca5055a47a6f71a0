// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"

u64 ticks_of_us(u64 us)
{
	return us * read_sysreg(cntfrq_el0) / SECOND;
}

void delay_us(u64 us)
{
	u64 end = counter() + ticks_of_us(us);

	while (counter() < end)
		asm volatile("yield" : : : "memory");
}
