/* SPDX-License-Identifier: GPL-2.0-only */
/* The two EL1 timers (Arm ARM, D11), by one set of functions. */
#ifndef GUEST_TIMER_H
#define GUEST_TIMER_H

#include "guest.h"

#define CTL_ENABLE	BIT(0)
#define CTL_IMASK	BIT(1)
#define CTL_ISTATUS	BIT(2)

enum timer { TIMER_VIRT, TIMER_PHYS };

#define TIMER_REG(name, virt, phys)						\
	static inline u64 timer_##name(enum timer t)				\
	{									\
		isb();								\
		return t == TIMER_VIRT ? read_sysreg(virt) : read_sysreg(phys);	\
	}									\
	static inline void timer_set_##name(enum timer t, u64 value)		\
	{									\
		if (t == TIMER_VIRT)						\
			write_sysreg(value, virt);				\
		else								\
			write_sysreg(value, phys);				\
		isb();								\
	}
TIMER_REG(ctl, cntv_ctl_el0, cntp_ctl_el0)
TIMER_REG(tval, cntv_tval_el0, cntp_tval_el0)
TIMER_REG(cval, cntv_cval_el0, cntp_cval_el0)

static inline unsigned int timer_intid(enum timer t)
{
	return t == TIMER_VIRT ? 27 : 30;
}

static inline u64 timer_counter(enum timer t)
{
	isb();
	return t == TIMER_VIRT ? read_sysreg(cntvct_el0) : read_sysreg(cntpct_el0);
}

/* Fires in @us. */
static inline void timer_start(enum timer t, u64 us)
{
	timer_set_ctl(t, 0);
	timer_set_cval(t, timer_counter(t) + ticks_of_us(us));
	timer_set_ctl(t, CTL_ENABLE);
}

static inline void timer_stop(enum timer t)
{
	timer_set_ctl(t, 0);
}

#endif /* GUEST_TIMER_H */
