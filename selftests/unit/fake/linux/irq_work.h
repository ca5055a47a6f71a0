/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a field's type, no more. */
#ifndef FAKE_LINUX_IRQ_WORK_H
#define FAKE_LINUX_IRQ_WORK_H

struct irq_work {
	void *unused;
};

#endif
