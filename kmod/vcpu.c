// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU on and off a pCPU, kicked and asleep. */
#include <linux/cred.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>

#include "arch.h"
#include "histogram.h"

#define POLL_FIRST_NS	10000ULL	/* what the first short sleep makes polling */

/* ---- load and put ---- */

static void loaded_begin(struct qvm_vcpu *vcpu)
{
	vcpu->loaded = qvm_arch_vcpu_load(vcpu);
}

static void loaded_end(struct qvm_vcpu *vcpu)
{
	if (vcpu->loaded)
		qvm_arch_vcpu_put(vcpu);
	vcpu->loaded = false;
}

static void notify_sched_in(struct preempt_notifier *notifier, int cpu)
{
	loaded_begin(container_of(notifier, struct qvm_vcpu, notifier));
}

static void notify_sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	loaded_end(container_of(notifier, struct qvm_vcpu, notifier));
}

static struct preempt_ops notifier_ops = {
	.sched_in = notify_sched_in,
	.sched_out = notify_sched_out,
};

void qvm_vcpu_load(struct qvm_vcpu *vcpu)
{
	preempt_disable();
	preempt_notifier_register(&vcpu->notifier);
	loaded_begin(vcpu);
	preempt_enable();
}

void qvm_vcpu_put(struct qvm_vcpu *vcpu)
{
	bool was_loaded;

	preempt_disable();
	was_loaded = vcpu->loaded;
	loaded_end(vcpu);
	if (was_loaded)
		qvm_arch_vcpu_settle(vcpu);
	preempt_notifier_unregister(&vcpu->notifier);
	preempt_enable();
}

/* ---- kick and block ---- */

void qvm_vcpu_kick(struct qvm_vcpu *vcpu)
{
	struct task_struct *thread;

	if (!atomic_read(&vcpu->kicked))
		WRITE_ONCE(vcpu->kick_since, jiffies);
	/* Release: who takes the kick (check_requests) sees what it was for. */
	atomic_set_release(&vcpu->kicked, 1);
	/*
	 * Pairs with the barrier that the vCPU has between its write of `mode` and its last look
	 * at `kicked`, in the architecture's entry and in qvm_vcpu_block(): one of the two sees
	 * the other.
	 */
	smp_mb();
	if (atomic_read(&vcpu->mode) == VCPU_OUTSIDE)
		return;
	/* A thread leaves RUN, hence vcpu->thread, long before RCU lets it be freed. */
	rcu_read_lock();
	thread = READ_ONCE(vcpu->thread);
	if (thread) {
		vcpu->stats.kicks++;
		/* Also the current one: interrupted between its last look and schedule(). */
		if (atomic_read(&vcpu->mode) == VCPU_BLOCKED)
			wake_up_process(thread);
		else if (thread != current)
			kick_process(thread);
	}
	rcu_read_unlock();
}

static bool block_is_over(struct qvm_vcpu *vcpu)
{
	if (atomic_read(&vcpu->kicked) || signal_pending(current))
		return true;
	return atomic_read(&vcpu->power) == VCPU_ON && qvm_arch_vcpu_runnable(vcpu);
}

static void sleep_until_over(struct qvm_vcpu *vcpu)
{
	qvm_arch_vcpu_block(vcpu);
	atomic_set(&vcpu->mode, VCPU_BLOCKED);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);	/* full barrier, see qvm_vcpu_kick() */
		if (block_is_over(vcpu))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	atomic_set(&vcpu->mode, VCPU_OUTSIDE);
	qvm_arch_vcpu_unblock(vcpu);
}

/* Only while nobody else wants this pCPU. True: no sleep is needed. */
static bool poll_until_over(struct qvm_vcpu *vcpu, u64 end)
{
	bool over;

	qvm_arch_vcpu_poll(vcpu);
	while (!(over = block_is_over(vcpu)) && !need_resched() && single_task_running() &&
	       ktime_get_ns() < end)
		cpu_relax();
	qvm_arch_vcpu_unpoll(vcpu);
	vcpu->stats.polls += over;
	return over;
}

/*
 * A wait that longer polling would have met makes it longer, one beyond the limit halves it: a
 * vCPU that sleeps long soon polls no more.
 */
static void poll_adapt(struct qvm_vcpu *vcpu, u64 waited, u64 limit)
{
	if (waited > limit)
		vcpu->poll_ns = vcpu->poll_ns < 2 * POLL_FIRST_NS ? 0 : vcpu->poll_ns / 2;
	else if (waited > vcpu->poll_ns)
		vcpu->poll_ns = min(limit, max(2 * vcpu->poll_ns, POLL_FIRST_NS));
}

void qvm_vcpu_block(struct qvm_vcpu *vcpu)
{
	u64 limit = vcpu->vm->policy.poll_ns, begin = limit ? ktime_get_ns() : 0;

	vcpu->stats.blocks++;
	if (!vcpu->poll_ns || atomic_read(&vcpu->power) != VCPU_ON ||
	    !poll_until_over(vcpu, begin + vcpu->poll_ns)) {
		qvm_vcpu_put(vcpu);
		sleep_until_over(vcpu);
		qvm_vcpu_load(vcpu);
	}
	if (limit)
		poll_adapt(vcpu, ktime_get_ns() - begin, limit);
}

/* ---- life ---- */

void qvm_vcpu_destroy(struct qvm_vcpu *vcpu)
{
	qvm_post_fini(vcpu);
	qvm_arch_vcpu_destroy(vcpu);
	put_cred(vcpu->run_cred);
	free_page((unsigned long)vcpu->run);
	kfree(vcpu->histogram);
	free_pages_exact(vcpu, sizeof(*vcpu));
	atomic_dec(&qvm_vcpu_count);
}

struct qvm_vcpu *qvm_vcpu_create(struct qvm_vm *vm, u32 index)
{
	struct qvm_vcpu *vcpu;
	int ret;

	if (qvm_vm_state(vm) != QVM_VM_BUILDING)
		return ERR_PTR(-EBUSY);
	if (index >= vm->max_vcpus)
		return ERR_PTR(-EINVAL);
	if (vm->vcpu[index])
		return ERR_PTR(-EEXIST);
	/* Pages of its own: an architecture may map them where it enters guests from. */
	vcpu = alloc_pages_exact(sizeof(*vcpu), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	atomic_inc(&qvm_vcpu_count);
	vcpu->vm = vm;
	vcpu->index = index;
	mutex_init(&vcpu->mutex);
	preempt_notifier_init(&vcpu->notifier, &notifier_ops);
	qvm_post_init(vcpu);
	atomic_set(&vcpu->power, index ? VCPU_OFF : VCPU_ON);
	vcpu->run = (struct qvm_run *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->histogram = kzalloc(sizeof(*vcpu->histogram), GFP_KERNEL_ACCOUNT);
	ret = vcpu->run && vcpu->histogram ? qvm_arch_vcpu_create(vcpu) : -ENOMEM;
	if (ret) {
		qvm_vcpu_destroy(vcpu);
		return ERR_PTR(ret);
	}
	return vcpu;
}

void qvm_vcpu_publish(struct qvm_vcpu *vcpu)
{
	struct qvm_vm *vm = vcpu->vm;

	/* Pairs with the address dependency in vm_kick_all(), which holds no lock. */
	smp_store_release(&vm->vcpu[vcpu->index], vcpu);
	vm->vcpu_count++;
}
