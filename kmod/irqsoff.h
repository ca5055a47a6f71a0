/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Build option QVM_IRQSOFF=1, for tests: how long this module keeps interrupts off, for stock
 * kernels have no irqsoff tracer. Every file then has the kernel's macros that turn them off and
 * on in a form that takes the time (Kbuild: -include). A stretch ends where a guest is entered,
 * whose exits host interrupts are, and begins anew at its exit. Without the option nothing of
 * this is in the module.
 */
#ifndef QVM_IRQSOFF_H
#define QVM_IRQSOFF_H

#include <linux/instruction_pointer.h>

struct dentry;

#ifdef QVM_IRQSOFF

#include <linux/irqflags.h>
#include <linux/spinlock.h>

/* Interrupts are off since now / until now. Per pCPU; an end without a beginning is nothing. */
void qvm_irqsoff_begin(unsigned long ip);
void qvm_irqsoff_end(unsigned long ip);

/* File `irqsoff` in @folder: the longest stretch, where it began and ended; a write forgets it. */
void qvm_irqsoff_init(struct dentry *folder);

#undef local_irq_disable
#undef local_irq_enable
#undef local_irq_save
#undef local_irq_restore
#undef raw_spin_lock_irqsave
#undef raw_spin_unlock_irqrestore
#undef raw_spin_lock_irq
#undef raw_spin_unlock_irq

#define local_irq_disable() do {					\
	raw_local_irq_disable();					\
	qvm_irqsoff_begin(_THIS_IP_);					\
} while (0)
#define local_irq_enable() do {						\
	qvm_irqsoff_end(_THIS_IP_);					\
	raw_local_irq_enable();						\
} while (0)
#define local_irq_save(flags) do {					\
	raw_local_irq_save(flags);					\
	if (!raw_irqs_disabled_flags(flags))				\
		qvm_irqsoff_begin(_THIS_IP_);				\
} while (0)
#define local_irq_restore(flags) do {					\
	if (!raw_irqs_disabled_flags(flags))				\
		qvm_irqsoff_end(_THIS_IP_);				\
	raw_local_irq_restore(flags);					\
} while (0)
#define raw_spin_lock_irqsave(lock, flags) do {				\
	local_irq_save(flags);						\
	raw_spin_lock(lock);						\
} while (0)
#define raw_spin_unlock_irqrestore(lock, flags) do {			\
	raw_spin_unlock(lock);						\
	local_irq_restore(flags);					\
} while (0)
#define raw_spin_lock_irq(lock) do {					\
	local_irq_disable();						\
	raw_spin_lock(lock);						\
} while (0)
#define raw_spin_unlock_irq(lock) do {					\
	raw_spin_unlock(lock);						\
	local_irq_enable();						\
} while (0)

#else

/* not functions: taking _THIS_IP_ would cost the callers optimizations */
#define qvm_irqsoff_begin(ip)	do { } while (0)
#define qvm_irqsoff_end(ip)	do { } while (0)

static inline void qvm_irqsoff_init(struct dentry *folder) { }

#endif
#endif /* QVM_IRQSOFF_H */
