/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last exits of a vCPU, for who wants to know how it came to where it is; and a guest that is
 * stuck: its exits are equal.
 *
 * An exit is equal to the one before if nothing has happened in between: the guest was entered at
 * the very instruction that it left from, which did not complete, and syndrome, addresses and general
 * registers are the same. A loop that polls a device or makes hypercalls is none: its
 * instruction completes each time. Exits that are not the guest's doing (interrupts, a first use
 * of FP) are not recorded.
 */
#ifndef QVM_TRAIL_H
#define QVM_TRAIL_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <qvm.h>

struct qvm_vcpu;

/* All of it: [v], read without lock by qvm_trail_get(). */
struct qvm_trail {
	u32 count;			/* exits recorded so far; the next one's slot by modulus */
	u64 entry_pc;			/* where the guest was entered last */
	u64 equal;			/* equal exits in a row … */
	u32 equal_at;			/* … up to this count */
	u64 sum;			/* of the registers at the last one, where that was asked for */
	struct qvm_exit_record exit[QVM_TRAIL_EXITS];
};

/* The record of the exit that is about to be answered: the caller fills all of it. */
static inline struct qvm_exit_record *qvm_trail_next(struct qvm_trail *trail)
{
	return &trail->exit[trail->count++ % QVM_TRAIL_EXITS];
}

/*
 * The guest has left from where it was entered: is @exit, the last record, equal to the one before?
 * Ends the VM after too many.
 */
void qvm_trail_same(struct qvm_vcpu *vcpu, const struct qvm_exit_record *exit);

/* As at QVM_VCPU_TRAIL; any thread. */
void qvm_trail_get(const struct qvm_vcpu *vcpu, struct qvm_vcpu_trail *out);

#endif /* QVM_TRAIL_H */
