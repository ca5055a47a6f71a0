/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: one CPU, whose interrupts are a flag. */
#ifndef FAKE_LINUX_IRQFLAGS_H
#define FAKE_LINUX_IRQFLAGS_H

#include <linux/bug.h>

__attribute__((weak)) bool fake_irqs_off;

static inline void local_irq_disable(void)
{
	fake_irqs_off = true;
}

static inline void local_irq_enable(void)
{
	fake_irqs_off = false;
}

static inline bool irqs_disabled(void)
{
	return fake_irqs_off;
}

#define local_irq_save(flags)		((flags) = fake_irqs_off, local_irq_disable())
#define local_irq_restore(flags)	(fake_irqs_off = (flags))
#define lockdep_assert_irqs_disabled()	BUG_ON(!irqs_disabled())

#endif
