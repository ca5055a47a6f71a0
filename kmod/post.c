// SPDX-License-Identifier: GPL-2.0-only
/* The ring of posted writes. */
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <asm/barrier.h>

#include <qvm_run.h>

#include "compat.h"
#include "core.h"
#include "post.h"

/* Pairs with the release of who takes them: a slot that is free has been read. */
static u32 waiting(const struct qvm_vcpu *vcpu)
{
	return vcpu->post.head - smp_load_acquire(&vcpu->run->posted.tail);
}

bool qvm_post_is_waiting(const struct qvm_vcpu *vcpu)
{
	return waiting(vcpu);
}

bool qvm_post_write(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	struct qvm_posted *ring = &vcpu->run->posted;
	struct qvm_posted_write *write = &ring->write[vcpu->post.head % QVM_POSTED_WRITES];

	/* A tail that makes no sense is a full ring. */
	if (waiting(vcpu) >= QVM_POSTED_WRITES)
		return false;
	/* One that fires just now, on another CPU, is none: what it says may be for the writes before. */
	if (!hrtimer_is_queued(&vcpu->post.timer)) {
		if (irqs_disabled())
			return false;
		hrtimer_start(&vcpu->post.timer, ns_to_ktime(QVM_POSTED_NS), HRTIMER_MODE_REL_HARD);
	}
	write->addr = access->gpa;
	write->data = access->data & (~0ULL >> (64 - 8 * access->len));
	write->len = access->len;
	write->is_port = access->is_port;
	/* Pairs with the acquire of who takes it; ours is the copy that counts. */
	smp_store_release(&ring->head, ++vcpu->post.head);
	vcpu->stats.posted++;
	return true;
}

bool qvm_post_is_due(struct qvm_vcpu *vcpu)
{
	if (!READ_ONCE(vcpu->post.is_due))
		return false;
	WRITE_ONCE(vcpu->post.is_due, false);
	return qvm_post_is_waiting(vcpu);
}

/* On whatever pCPU it was armed; the kick's release makes is_due seen (check_requests()). */
static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct qvm_vcpu *vcpu = container_of(timer, struct qvm_vcpu, post.timer);

	WRITE_ONCE(vcpu->post.is_due, true);
	qvm_vcpu_kick(vcpu);
	return HRTIMER_NORESTART;
}

void qvm_post_init(struct qvm_vcpu *vcpu)
{
	qvm_hrtimer_setup(&vcpu->post.timer, expired, HRTIMER_MODE_REL_HARD);
}

void qvm_post_fini(struct qvm_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->post.timer);
}
