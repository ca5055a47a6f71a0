/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells and irqfds: a guest's write signals an eventfd, a signalled eventfd interrupts a
 * guest, and no thread of the launcher runs. Whoever holds the other end may be in the kernel
 * (vhost, VFIO).
 *
 * Locks. Tables change under vm->mutex. A doorbell runs the wake-up code of others, which may be
 * called with interrupts off, but takes sleeping locks on a realtime kernel: there it rings at tier 1
 * only, under rcu_read_lock(). An irqfd
 * is woken under the lock of the eventfd's wait queue, in any context, interrupts off (but on a
 * realtime kernel, where that lock sleeps): it sets the line at once, by the interrupt
 * controllers' raw locks, and kicks, which wakes a thread or sends an IPI and takes no more than
 * any wake-up does:
 *
 *	vm->mutex > eventfd's wait queue > raw locks of vdevs		kicks go out after those
 *
 * Nothing here is called under the rq lock, and no eventfd is signalled under a lock of ours: the
 * end of a level (qvm_irqfd_ended(), under the interrupt controller's lock) is told by an
 * irq_work.
 */
#ifndef QVM_EVENTFD_H
#define QVM_EVENTFD_H

#include <linux/bitops.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/types.h>

struct doorbell_table;
struct qvm_access;
struct qvm_doorbell;
struct qvm_irqfd;
struct qvm_vcpu;
struct qvm_vm;

#define QVM_IRQ_LINES	1024		/* a line is below it, on every architecture */

struct qvm_eventfds {
	struct doorbell_table __rcu *doorbells;	/* [m], read under RCU; NULL: none */
	unsigned int doorbells_added;		/* [m], read without: goes up behind each new one */
	struct list_head irqfds;		/* [m], read under RCU */
	unsigned int irqfd_count;		/* [m] */
	struct irq_work ended_work;
	DECLARE_BITMAP(ended, QVM_IRQ_LINES);	/* [a] lines whose end is to be told */
};

/* init: VM zeroed. release: no vCPU runs, the last fd is closed; may sleep. */
void qvm_eventfd_init(struct qvm_vm *vm);
void qvm_eventfd_release(struct qvm_vm *vm);

/* As at QVM_VM_DOORBELL and QVM_VM_IRQFD. VM mutex held; may sleep. */
int qvm_doorbell_set(struct qvm_vm *vm, const struct qvm_doorbell *param);
int qvm_irqfd_set(struct qvm_vm *vm, const struct qvm_irqfd *param);

/*
 * A guest writes. True: a doorbell took it; one that posts may not (qvm_post_write()). Under rcu_read_lock(), or with interrupts off, as
 * eventfd_signal() itself has them from the first waiter to the last; but not on a realtime kernel.
 */
bool qvm_doorbell_ring(struct qvm_vcpu *vcpu, const struct qvm_access *access);

/* No write to where @access is rings any doorbell, whatever its width and data. */
bool qvm_doorbell_is_none(const struct qvm_vm *vm, const struct qvm_access *access);

/*
 * From the architecture's interrupt controller, for a line of qvm_arch_vm_set_resample(): the
 * guest has ended its interrupt, and the line is down. Any context, raw locks held.
 */
void qvm_irqfd_ended(struct qvm_vm *vm, u32 line);

#endif /* QVM_EVENTFD_H */
