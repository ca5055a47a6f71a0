// SPDX-License-Identifier: GPL-2.0-only
/* The run loop: requests, entry, exit, and what goes to user space. */
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "arch.h"
#include "trace.h"

bool qvm_tier0 = true;
module_param_named(tier0, qvm_tier0, bool, 0644);
MODULE_PARM_DESC(tier0, "answer the cheapest exits without leaving the guest's world (default 1)");

/* Tell user space why the VM ended. */
static enum exit_action report_end(struct qvm_vcpu *vcpu)
{
	const struct qvm_vm *vm = vcpu->vm;
	struct qvm_run *run = vcpu->run;

	memset(run->pad, 0, sizeof(run->pad));
	if (vm->end.exit_reason == QVM_EXIT_SYSTEM) {
		run->system.event = vm->end.event;
		run->system.vcpu = vm->end.vcpu;
		run->system.detail = vm->end.syndrome;
	} else {
		run->fatal.cause = vm->end.event;
		run->fatal.vcpu = vm->end.vcpu;
		run->fatal.syndrome = vm->end.syndrome;
		run->fatal.pc = vm->end.pc;
		run->fatal.gva = vm->end.gva;
		run->fatal.gpa = vm->end.gpa;
	}
	run->exit_reason = vm->end.exit_reason;
	vcpu->stats.user_exits++;
	return EXIT_TO_USER;
}

/*
 * Of what TIF_NOTIFY_RESUME stands for only task work wants to be done soon. The rest
 * (restartable sequences ask for it at each preemption, memory and I/O controllers to throttle)
 * is due before user space runs again, and waits until then. The flag is off meanwhile, or who
 * adds task work would not kick; the barrier pairs with task_work_add(): it sees the flag off, or
 * we see its work.
 */
static bool task_work_is_due(struct qvm_vcpu *vcpu)
{
	if (!test_thread_flag(TIF_NOTIFY_RESUME))
		return false;
	clear_thread_flag(TIF_NOTIFY_RESUME);
	smp_mb__after_atomic();
	vcpu->notify_resume = true;
	return task_work_pending(current);
}

/* User space takes the posted writes. */
static enum exit_action report_posted(struct qvm_vcpu *vcpu)
{
	vcpu->run->exit_reason = QVM_EXIT_POSTED;
	vcpu->stats.user_exits++;
	return EXIT_TO_USER;
}

/* Pending work that only the way back to user space does: signals, task work. */
static bool user_work_pending(struct qvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->immediate_exit) || signal_pending(current) ||
	       task_work_is_due(vcpu);
}

static void power_on(struct qvm_vcpu *vcpu)
{
	/* Pairs with the release in the switching vCPU: its boot parameters are there. */
	if (atomic_read_acquire(&vcpu->power) == VCPU_ON_PENDING) {
		qvm_vcpu_put(vcpu);
		qvm_arch_vcpu_power_on(vcpu);
		atomic_set(&vcpu->power, VCPU_ON);
		qvm_vcpu_load(vcpu);
	}
}

/*
 * What has to be looked at when the architecture did not enter because somebody wants the thread, and
 * after each answer but RESUME. RESUME: enter.
 */
static noinline enum exit_action check_requests(struct qvm_vcpu *vcpu, int *error)
{
	/* Preemption that can wait: by itself it comes at the way to user space, or a tick later. */
	if (read_thread_flags() & QVM_RESCHED_LAZY)
		schedule();
	else
		cond_resched();
	/*
	 * First take the kick, then look: who kicks after this makes the entry fail. The exchange is a
	 * full barrier and reads what qvm_vcpu_kick() released, so the request is seen.
	 */
	if (atomic_read(&vcpu->kicked)) {
		WRITE_ONCE(vcpu->kick_since, jiffies);
		atomic_xchg(&vcpu->kicked, 0);
	}

	if (qvm_vm_state(vcpu->vm) == QVM_VM_ENDED)
		return report_end(vcpu);
	if (user_work_pending(vcpu)) {
		*error = -EINTR;
		vcpu->run->exit_reason = QVM_EXIT_INTR;
		vcpu->stats.user_exits++;
		return EXIT_TO_USER;
	}
	if (qvm_post_is_due(vcpu))
		return report_posted(vcpu);
	power_on(vcpu);
	return atomic_read(&vcpu->power) == VCPU_ON && !qvm_arch_vcpu_waits(vcpu) ? EXIT_RESUME : EXIT_BLOCK;
}

bool qvm_vcpu_take_kick(struct qvm_vcpu *vcpu)
{
	if (atomic_read(&vcpu->kicked)) {
		WRITE_ONCE(vcpu->kick_since, jiffies);
		atomic_xchg(&vcpu->kicked, 0);	/* as in check_requests() */
	}
	if (likely(!qvm_vcpu_is_wanted(vcpu) && !READ_ONCE(vcpu->post.is_due) &&
		   qvm_vm_state(vcpu->vm) != QVM_VM_ENDED))
		return true;
	atomic_set(&vcpu->kicked, 1);
	return false;
}

/* Into the guest until something is asked of the thread. LOOK: it was not entered. */
static enum exit_action enter_once(struct qvm_vcpu *vcpu)
{
	int ret;

	if (trace_entry_enabled())
		trace_entry(vcpu->vm->id, vcpu->index, qvm_arch_vcpu_pc(vcpu));
	ret = qvm_arch_vcpu_enter(vcpu);
	if (likely(!ret)) {
		qvm_inject_exit(vcpu);
		return qvm_arch_vcpu_exit(vcpu);
	}
	if (ret == -EIO)	/* this pCPU is being taken down: the scheduler moves us */
		schedule_timeout_uninterruptible(1);
	return EXIT_LOOK;
}

/* Who sleeps makes nobody wait for what it has posted. */
static enum exit_action block(struct qvm_vcpu *vcpu)
{
	if (qvm_post_is_waiting(vcpu))
		return report_posted(vcpu);
	qvm_vcpu_block(vcpu);
	return EXIT_LOOK;
}

/* Every entry looks whether it is wanted elsewhere, so what is answered goes straight back in. */
static int run_loop(struct qvm_vcpu *vcpu, enum exit_action action)
{
	int error = 0;

	while (action != EXIT_TO_USER) {
		if (likely(action == EXIT_RESUME))
			action = enter_once(vcpu);
		else if (action == EXIT_BLOCK)
			action = block(vcpu);
		else
			action = check_requests(vcpu, &error);
	}
	return error;
}

/* As qvm_vcpu_load(), in line. */
static __always_inline void load(struct qvm_vcpu *vcpu)
{
	preempt_disable();
	preempt_notifier_register(&vcpu->notifier);
	vcpu->loaded = qvm_arch_vcpu_load(vcpu);
	preempt_enable();
}

/* As qvm_vcpu_put(), for a thread that goes to user space. */
static __always_inline void park(struct qvm_vcpu *vcpu)
{
	preempt_disable();
	if (vcpu->loaded)
		qvm_arch_vcpu_park(vcpu);
	vcpu->loaded = false;
	preempt_notifier_unregister(&vcpu->notifier);
	preempt_enable();
}

/* Before its first entry. */
static noinline int start(struct qvm_vcpu *vcpu)
{
	if (qvm_vm_state(vcpu->vm) == QVM_VM_BUILDING)
		return -EAGAIN;
	if (atomic_read(&vcpu->power) == VCPU_ON)
		qvm_vm_start(vcpu->vm);
	return 0;
}

int qvm_vcpu_run(struct qvm_vcpu *vcpu)
{
	enum exit_action action = EXIT_LOOK;
	int ret;

	if (unlikely(qvm_vm_state(vcpu->vm) <= QVM_VM_ASSEMBLED)) {
		ret = start(vcpu);
		if (ret)
			return ret;
	}
	WRITE_ONCE(vcpu->thread, current);
	load(vcpu);
	if (vcpu->mmio_pending)
		action = qvm_exit_complete(vcpu);
	ret = run_loop(vcpu, action);
	park(vcpu);
	WRITE_ONCE(vcpu->thread, NULL);
	if (vcpu->notify_resume) {
		vcpu->notify_resume = false;
		set_thread_flag(TIF_NOTIFY_RESUME);
	}
	return ret;
}
