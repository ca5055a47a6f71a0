/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest looks for and does not find: the addresses that it touches most, and from where. */
#ifndef QVM_UNCLAIMED_H
#define QVM_UNCLAIMED_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include <qvm.h>

struct qvm_vcpu;
struct qvm_vm;

#define QVM_UNCLAIMED_SLOTS	64

struct qvm_unclaimed_table {
	spinlock_t lock;		/* all below; tier 1 */
	u64 total;
	u32 used;
	struct qvm_unclaimed_row row[QVM_UNCLAIMED_SLOTS];
};

/*
 * Count one access at nobody's address @gpa; @flags: QVM_UNCLAIMED_*. Interrupts on.
 *
 * Where more addresses are touched than there are slots, the least touched one makes room and
 * leaves its count (Metwally's space-saving): what is touched most is never lost.
 */
void qvm_unclaimed_add(struct qvm_vcpu *vcpu, u64 gpa, u32 flags);

/* As at QVM_VM_UNCLAIMED. */
void qvm_unclaimed_get(struct qvm_vm *vm, struct qvm_unclaimed *out);

#endif /* QVM_UNCLAIMED_H */
