/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Posted writes (uapi/qvm_run.h, struct qvm_posted): a guest's write to a doorbell of that kind
 * waits in the ring of the run page until user space takes it, and the guest goes on. Its vCPU's
 * thread is the one producer.
 */
#ifndef QVM_POST_H
#define QVM_POST_H

#include <linux/hrtimer.h>
#include <linux/types.h>

struct qvm_access;
struct qvm_vcpu;

struct qvm_post {
	u32 head;		/* [v] writes so far; what user space sees of it is a copy */
	bool is_due;		/* [a] the oldest has waited for long enough */
	struct hrtimer timer;	/* armed by the first write that finds it is not */
};

void qvm_post_init(struct qvm_vcpu *vcpu);
void qvm_post_fini(struct qvm_vcpu *vcpu);	/* no thread in the vCPU; process context */

/*
 * Post a write. False: the ring is full, or interrupts are off and the timer has to be armed:
 * nothing was done. vCPU mutex held, or tier 0b.
 */
bool qvm_post_write(struct qvm_vcpu *vcpu, const struct qvm_access *access);

/* Writes wait in the ring. As far as user space tells: what it says wrongly harms itself. */
bool qvm_post_is_waiting(const struct qvm_vcpu *vcpu);

/* Some have waited for long enough: RUN is to return. Once for each time that the timer fired. */
bool qvm_post_is_due(struct qvm_vcpu *vcpu);

#endif /* QVM_POST_H */
