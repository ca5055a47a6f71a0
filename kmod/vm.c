// SPDX-License-Identifier: GPL-2.0-only
/* Life of a VM: created, built piece by piece, assembled, run, ended, destroyed. */
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "arch.h"
#include "compat.h"
#include "histogram.h"
#include "share.h"
#include "stats.h"
#include "trace.h"

static DEFINE_MUTEX(vms_mutex);
static LIST_HEAD(vms);			/* vms_mutex */
static u32 vms_last_id;			/* vms_mutex */

atomic_t qvm_vm_count, qvm_vcpu_count;

static const char * const state_names[] = {
	[QVM_VM_BUILDING] = "building",
	[QVM_VM_ASSEMBLED] = "assembled",
	[QVM_VM_RUNNING] = "running",
	[QVM_VM_ENDED] = "ended",
};

static bool name_is_valid(const char *name)
{
	size_t i, len = strnlen(name, QVM_NAME_SIZE);

	if (!len || len == QVM_NAME_SIZE)
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isprint(name[i]))
			return false;
	return true;
}

static int param_check(const struct qvm_create_vm *param, struct qvm_query *host)
{
	qvm_arch_query(host);
	if (!name_is_valid(param->name) || param->vm_type || param->flags || param->reserved)
		return -EINVAL;
	if (!param->max_vcpus || param->max_vcpus > QVM_MAX_VCPUS)
		return -EINVAL;
	if (param->ipa_bits && (param->ipa_bits < 32 || param->ipa_bits > host->ipa_bits))
		return -EINVAL;
	return 0;
}

static int vm_publish(struct qvm_vm *vm)
{
	struct qvm_vm *other;

	mutex_lock(&vms_mutex);
	list_for_each_entry(other, &vms, node) {
		if (!strcmp(other->name, vm->name)) {
			mutex_unlock(&vms_mutex);
			return -EEXIST;
		}
	}
	vm->id = ++vms_last_id;
	list_add_tail(&vm->node, &vms);
	mutex_unlock(&vms_mutex);
	return 0;
}

static void vm_unpublish(struct qvm_vm *vm)
{
	mutex_lock(&vms_mutex);
	list_del(&vm->node);
	mutex_unlock(&vms_mutex);
}

static void vm_free(struct qvm_vm *vm)
{
	qvm_arch_vm_destroy(vm);
	qvm_s2_destroy(vm);
	put_pid(vm->creator);
	mmdrop(vm->mm);
	kfree(vm->vcpu);
	kfree(vm);
	atomic_dec(&qvm_vm_count);
}

struct qvm_vm *qvm_vm_create(const struct qvm_create_vm *param)
{
	struct qvm_query host = {};
	struct qvm_vm *vm;
	int ret = param_check(param, &host);

	if (ret)
		return ERR_PTR(ret);
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->vcpu = kcalloc(param->max_vcpus, sizeof(*vm->vcpu), GFP_KERNEL_ACCOUNT);
	if (!vm->vcpu) {
		kfree(vm);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&vm->ref);
	mutex_init(&vm->mutex);
	init_rwsem(&vm->s2_lock);
	INIT_LIST_HEAD(&vm->shares);
	qvm_eventfd_init(vm);
	strscpy(vm->name, param->name, sizeof(vm->name));
	vm->max_vcpus = param->max_vcpus;
	vm->ipa_bits = param->ipa_bits ?: min(40U, host.ipa_bits);
	vm->mm = current->mm;
	mmgrab(vm->mm);
	vm->creator = get_task_pid(current, PIDTYPE_TGID);
	vm->created = ktime_get_ns();
	spin_lock_init(&vm->unclaimed.lock);
	atomic_inc(&qvm_vm_count);

	ret = qvm_s2_init(vm);
	if (!ret)
		ret = qvm_arch_vm_create(vm);
	if (!ret)
		ret = qvm_notifier_init(vm);
	if (!ret)
		ret = vm_publish(vm);
	if (ret) {
		qvm_notifier_fini(vm);
		vm_free(vm);
		return ERR_PTR(ret);
	}
	return vm;
}

void qvm_vm_get(struct qvm_vm *vm)
{
	kref_get(&vm->ref);
}

/* The last fd is closed: no thread is in a vCPU, no one can find the VM. */
static void vm_destroy(struct kref *ref)
{
	struct qvm_vm *vm = container_of(ref, struct qvm_vm, ref);
	u32 i;

	vm_unpublish(vm);
	/* Nobody has ended it: its launcher was killed. */
	if (qvm_vm_state(vm) == QVM_VM_RUNNING) {
		pr_info_ratelimited("qvm: VM %u (%s): its launcher is gone, the guest is cut off\n",
				    vm->id, vm->name);
		qvm_vm_end_system(vm, NULL, QVM_SYSTEM_STOPPED, 0);
	}
	qvm_eventfd_release(vm);
	/* First: it ends the VM, if nobody has, and so kicks the vCPUs. */
	qvm_notifier_fini(vm);
	for (i = 0; i < vm->max_vcpus; i++)
		if (vm->vcpu[i])
			qvm_vcpu_destroy(vm->vcpu[i]);
	vm_free(vm);
}

void qvm_vm_put(struct qvm_vm *vm)
{
	kref_put(&vm->ref, vm_destroy);
}

int qvm_vm_create_vdev(struct qvm_vm *vm, const struct qvm_create_vdev *param)
{
	if (qvm_vm_state(vm) != QVM_VM_BUILDING)
		return -EBUSY;
	if (param->flags)
		return -EINVAL;
	return qvm_arch_vm_create_vdev(vm, param);
}

int qvm_vm_set_policy(struct qvm_vm *vm, const struct qvm_vm_policy *param)
{
	if (qvm_vm_state(vm) != QVM_VM_BUILDING)
		return -EBUSY;
	if (param->instruction > QVM_POLICY_ABORT || param->reference > QVM_POLICY_ABORT ||
	    param->sysreg > QVM_POLICY_ABORT || param->reserved ||
	    param->poll_ns > QVM_POLL_MAX_NS)
		return -EINVAL;
	vm->policy = *param;
	return 0;
}

int qvm_vm_assemble(struct qvm_vm *vm)
{
	int ret;

	if (qvm_vm_state(vm) != QVM_VM_BUILDING)
		return -EBUSY;
	if (!vm->vcpu_count)
		return -EINVAL;
	ret = qvm_arch_vm_assemble(vm);
	if (ret)
		return ret;
	vm->assembled = ktime_get_ns();
	trace_state(vm->id, vm->name, QVM_VM_ASSEMBLED, 0, 0);
	/* Pairs with the acquire of qvm_vm_state(): who sees ASSEMBLED sees the whole board. */
	atomic_cmpxchg_release(&vm->state, QVM_VM_BUILDING, QVM_VM_ASSEMBLED);
	/* Notifiers look from now on; what they have seen before is looked at here. */
	smp_mb();
	if (atomic_xchg(&vm->poison_check, 0))
		qvm_region_check_all(vm);
	return 0;
}

void qvm_vm_start(struct qvm_vm *vm)
{
	u64 now = ktime_get_ns();

	if (atomic_cmpxchg(&vm->state, QVM_VM_ASSEMBLED, QVM_VM_RUNNING) != QVM_VM_ASSEMBLED)
		return;
	WRITE_ONCE(vm->started, now);
	trace_state(vm->id, vm->name, QVM_VM_RUNNING, 0, 0);
}

void qvm_vm_info(struct qvm_vm *vm, struct qvm_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->id = vm->id;
	info->state = qvm_vm_state(vm);
	if (info->state == QVM_VM_ENDED) {
		info->end_reason = vm->end.exit_reason;
		info->end_event = vm->end.event;
	}
	info->vcpu_count = vm->vcpu_count;
	info->region_count = vm->region_count;
	info->pinned = vm->pinned;
	info->table_pages = vm->s2.table_pages;
	info->cleaned = atomic64_read(&vm->cleaned);
	info->assembled = vm->assembled;
	info->started = READ_ONCE(vm->started);
	info->ended = READ_ONCE(vm->ended);
}

static void next_fill(struct qvm_next_vm *next, const struct qvm_vm *vm)
{
	memset(next, 0, sizeof(*next));
	next->id = vm->id;
	strscpy(next->name, vm->name, sizeof(next->name));
	next->state = qvm_vm_state(vm);
	next->vcpu_count = READ_ONCE(vm->vcpu_count);
	next->pid = pid_vnr(vm->creator);
	next->pinned = READ_ONCE(vm->pinned);
	next->created = vm->created;
}

int qvm_vm_next(struct qvm_next_vm *next)
{
	const struct qvm_vm *vm;
	int ret = -ENOENT;

	if (next->reserved)
		return -EINVAL;
	mutex_lock(&vms_mutex);
	/* New ones are added at the end: the list is in the order of the ids. */
	list_for_each_entry(vm, &vms, node) {
		if (vm->id <= next->after)
			continue;
		next_fill(next, vm);
		ret = 0;
		break;
	}
	mutex_unlock(&vms_mutex);
	return ret;
}

/* vms_mutex held: the VM and its vCPUs stay. */
static int stat_fill(struct qvm_stat *stat, const struct qvm_vm *vm)
{
	const struct qvm_vcpu *vcpu;

	if (vm->mm != current->mm && !perfmon_capable())
		return -EPERM;
	vcpu = stat->vcpu < vm->max_vcpus ?
		       READ_ONCE(vm->vcpu[array_index_nospec(stat->vcpu, vm->max_vcpus)]) : NULL;
	if (!vcpu)
		return -ENXIO;
	stat->id = vm->id;
	stat->time = ktime_get_ns();
	qvm_vcpu_stats_get(vcpu, &stat->stats);
	return 0;
}

int qvm_vm_stat(struct qvm_stat *stat)
{
	const struct qvm_vm *vm;
	int ret = -ENOENT;

	stat->name[sizeof(stat->name) - 1] = 0;
	mutex_lock(&vms_mutex);
	list_for_each_entry(vm, &vms, node) {
		if (!strcmp(vm->name, stat->name)) {
			ret = stat_fill(stat, vm);
			break;
		}
	}
	mutex_unlock(&vms_mutex);
	return ret;
}

static void vm_kick_all(struct qvm_vm *vm)
{
	u32 i;

	for (i = 0; i < vm->max_vcpus; i++) {
		struct qvm_vcpu *vcpu = READ_ONCE(vm->vcpu[i]);

		if (vcpu)
			qvm_vcpu_kick(vcpu);
	}
}

/* True for the one caller that may write vm->end. */
static bool vm_end_begin(struct qvm_vm *vm)
{
	return !atomic_xchg(&vm->ending, 1);
}

static void vm_end_commit(struct qvm_vm *vm)
{
	vm->ended = ktime_get_ns();
	trace_state(vm->id, vm->name, QVM_VM_ENDED, vm->end.exit_reason, vm->end.event);
	atomic_set_release(&vm->state, QVM_VM_ENDED);
	vm_kick_all(vm);
}

void qvm_vm_end_system(struct qvm_vm *vm, struct qvm_vcpu *vcpu, u32 event, u64 detail)
{
	if (!vm_end_begin(vm))
		return;
	vm->end.exit_reason = QVM_EXIT_SYSTEM;
	vm->end.event = event;
	vm->end.vcpu = vcpu ? vcpu->index : 0;
	vm->end.syndrome = detail;
	vm_end_commit(vm);
}

void qvm_vm_end_fatal(struct qvm_vcpu *vcpu, u32 cause, u64 syndrome, u64 gva, u64 gpa)
{
	struct qvm_vm *vm = vcpu->vm;

	if (!vm_end_begin(vm))
		return;
	vm->end.exit_reason = QVM_EXIT_FATAL;
	vm->end.event = cause;
	vm->end.vcpu = vcpu->index;
	vm->end.syndrome = syndrome;
	vm->end.pc = qvm_arch_vcpu_pc(vcpu);
	vm->end.gva = gva;
	vm->end.gpa = gpa;
	qvm_arch_vcpu_dump(vcpu);
	vm_end_commit(vm);
}

void qvm_vm_end_memory(struct qvm_vm *vm, u64 gpa)
{
	if (!vm_end_begin(vm))
		return;
	vm->end.exit_reason = QVM_EXIT_FATAL;
	vm->end.event = QVM_FATAL_MEMORY;
	vm->end.gpa = gpa;
	vm_end_commit(vm);
}

void qvm_vm_histograms_show(struct seq_file *m)
{
	struct qvm_vm *vm;

	mutex_lock(&vms_mutex);
	list_for_each_entry(vm, &vms, node)
		qvm_histogram_show(m, vm);
	mutex_unlock(&vms_mutex);
}

void qvm_vm_list_show(struct seq_file *m)
{
	struct qvm_vm *vm;

	mutex_lock(&vms_mutex);
	list_for_each_entry(vm, &vms, node)
		seq_printf(m, "%u %s %s vcpus=%u pinned=%llu\n", vm->id, vm->name,
			   state_names[qvm_vm_state(vm)], READ_ONCE(vm->vcpu_count),
			   READ_ONCE(vm->pinned));
	mutex_unlock(&vms_mutex);
}
