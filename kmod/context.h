/* SPDX-License-Identifier: GPL-2.0-only */
/* Context tracking and time accounting around a guest, as the kernel's own helpers give them. */
#ifndef QVM_CONTEXT_H
#define QVM_CONTEXT_H

#include <linux/context_tracking.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/vtime.h>

#include "compat.h"

/*
 * Interrupts off. Between these two RCU may not be watching: noinstr code only. @note: where guests
 * are not tracked, tell RCU of a quiescent state. Needed at the first entry after each interrupt
 * at least: grace periods are driven by the tick.
 */
static __always_inline void qvm_guest_context_enter(bool note)
{
	if (!context_tracking_guest_enter() && note) {
		instrumentation_begin();
		qvm_rcu_note_context_switch();
		instrumentation_end();
	}
}

static __always_inline void qvm_guest_context_exit(void)
{
	context_tracking_guest_exit();
}

/*
 * Interrupts and preemption off, after the guest. The interrupt that ended the guest is taken here,
 * while the time is still the guest's, so that the tick is accounted to it. Interrupts on after.
 */
static inline void qvm_guest_time_exit(void)
{
	local_irq_enable();
	asm volatile("nop" : : : "memory");	/* x86 takes none right behind STI */
	local_irq_disable();
	vtime_account_guest_exit();
	local_irq_enable();
}

/* The same where no interrupt ended the guest: one that waits now came while the host ran. */
static inline void qvm_guest_time_end(void)
{
	vtime_account_guest_exit();
	local_irq_enable();
}

#endif /* QVM_CONTEXT_H */
