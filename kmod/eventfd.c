// SPDX-License-Identifier: GPL-2.0-only
/* Doorbells and irqfds of a VM; what locks what is in eventfd.h. */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "arch.h"
#include "compat.h"
#include "doorbell.h"
#include "trace.h"

/* The state in which lines and addresses are settled and somebody may use them. */
static int vm_check(const struct qvm_vm *vm, bool removes)
{
	switch (qvm_vm_state(vm)) {
	case QVM_VM_BUILDING:
		return -EAGAIN;
	case QVM_VM_ENDED:
		return removes ? 0 : -ESHUTDOWN;
	default:
		return 0;
	}
}

/* ---- doorbells ---- */

static struct doorbell_table *doorbells(struct qvm_vm *vm)
{
	return rcu_dereference_protected(vm->eventfds.doorbells, lockdep_is_held(&vm->mutex));
}

static u64 access_key(const struct qvm_access *access)
{
	return access->gpa | (access->is_port ? DOORBELL_PORT : 0);
}

bool qvm_doorbell_is_none(const struct qvm_vm *vm, const struct qvm_access *access)
{
	bool is_at;

	rcu_read_lock();
	is_at = qvm_doorbell_is_at(rcu_dereference(vm->eventfds.doorbells), access_key(access));
	rcu_read_unlock();
	return !is_at;
}

bool qvm_doorbell_ring(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	u64 key = access_key(access);
	const struct doorbell_table *table;
	const struct doorbell *bell;

	table = rcu_dereference_check(vcpu->vm->eventfds.doorbells, irqs_disabled());
	if (!table)
		return false;
	bell = qvm_doorbell_hinted(table, key, access->len, access->data, vcpu->doorbell_hint);
	if (!bell)
		bell = qvm_doorbell_find(table, key, access->len, access->data, &vcpu->doorbell_hint);
	if (!bell)
		return false;
	if (bell->posts) {
		if (!qvm_post_write(vcpu, access))
			return false;
	} else {
		qvm_eventfd_signal(bell->ctx);
		vcpu->stats.doorbells++;
	}
	trace_mmio(vcpu->vm->id, vcpu->index, access->gpa, access->len, true, bell->posts);
	return true;
}

static int doorbell_check(const struct qvm_doorbell *param)
{
	const u32 known = QVM_DOORBELL_F_REMOVE | QVM_DOORBELL_F_PORT | QVM_DOORBELL_F_DATAMATCH |
			  QVM_DOORBELL_F_POST;

	if (param->flags & ~known || param->reserved)
		return -EINVAL;
	if (param->flags & QVM_DOORBELL_F_POST && param->eventfd != -1)
		return -EINVAL;
	if (param->flags & QVM_DOORBELL_F_PORT && !QVM_ARCH_PORTS)
		return -EOPNOTSUPP;
	if (param->len != 0 && param->len != 1 && param->len != 2 && param->len != 4 &&
	    (param->len != 8 || param->flags & QVM_DOORBELL_F_PORT))
		return -EINVAL;
	if (!(param->flags & QVM_DOORBELL_F_DATAMATCH))
		return param->datamatch ? -EINVAL : 0;
	if (!param->len || (param->len < 8 && param->datamatch >> (8 * param->len)))
		return -EINVAL;
	return 0;
}

/* What shares a window with shared memory is user space's. */
static bool is_memory(const struct qvm_vm *vm, u64 gpa)
{
	const struct qvm_mem *mem = qvm_region_find(vm, gpa);

	return mem && mem->kind != QVM_REGION_SHARED;
}

/* Addresses that no write reaches user space from ring nothing. */
static int doorbell_check_place(const struct qvm_vm *vm, const struct qvm_doorbell *param)
{
	bool is_port = param->flags & QVM_DOORBELL_F_PORT;
	u64 end = is_port ? QVM_ARCH_PORTS : BIT_ULL(vm->ipa_bits), size = param->len ?: 1;

	if (param->addr >= end || end - param->addr < size)
		return -ERANGE;
	if (param->flags & QVM_DOORBELL_F_REMOVE)
		return 0;
	if (qvm_bus_overlaps(is_port ? &vm->ports : &vm->bus, param->addr, size))
		return -EEXIST;
	if (!is_port && (is_memory(vm, param->addr) || is_memory(vm, param->addr + size - 1)))
		return -EEXIST;
	return 0;
}

/* A reference to the eventfd that @bell signals, if any. */
static int doorbell_get(struct doorbell *bell, int fd)
{
	if (bell->posts)
		return 0;
	bell->ctx = eventfd_ctx_fdget(fd);
	return PTR_ERR_OR_ZERO(bell->ctx);
}

static void doorbell_put(const struct doorbell *bell)
{
	if (!bell->posts)
		eventfd_ctx_put(bell->ctx);
}

static int doorbell_add(struct qvm_vm *vm, struct doorbell *bell, int fd)
{
	struct doorbell_table *old = doorbells(vm), *new;
	int ret;

	if (qvm_doorbell_conflicts(old, bell))
		return -EEXIST;
	if (old && old->count == QVM_MAX_DOORBELLS)
		return -ENOSPC;
	ret = doorbell_get(bell, fd);
	if (ret)
		return ret;
	new = qvm_doorbell_insert(old, bell);
	if (!new) {
		doorbell_put(bell);
		return -ENOMEM;
	}
	rcu_assign_pointer(vm->eventfds.doorbells, new);
	/* Pairs with note_user(): who sees this number sees the table. */
	smp_store_release(&vm->eventfds.doorbells_added, vm->eventfds.doorbells_added + 1);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* When this returns nobody signals the eventfd, or posts, any more. */
static int doorbell_remove(struct qvm_vm *vm, const struct doorbell *bell)
{
	struct doorbell_table *old = doorbells(vm), *new = NULL;
	int slot = qvm_doorbell_slot(old, bell);

	if (slot < 0)
		return -ENOENT;
	if (old->count > 1) {
		new = qvm_doorbell_remove(old, slot);
		if (!new)
			return -ENOMEM;
	}
	rcu_assign_pointer(vm->eventfds.doorbells, new);
	synchronize_rcu();
	doorbell_put(&old->bell[slot]);
	kfree(old);
	return 0;
}

int qvm_doorbell_set(struct qvm_vm *vm, const struct qvm_doorbell *param)
{
	bool removes = param->flags & QVM_DOORBELL_F_REMOVE;
	struct doorbell bell = {
		.key = param->addr | (param->flags & QVM_DOORBELL_F_PORT ? DOORBELL_PORT : 0),
		.match = param->datamatch,
		.len = param->len,
		.has_match = param->flags & QVM_DOORBELL_F_DATAMATCH,
		.posts = param->flags & QVM_DOORBELL_F_POST,
	};
	int ret = doorbell_check(param);

	if (!ret)
		ret = vm_check(vm, removes);
	if (!ret)
		ret = doorbell_check_place(vm, param);
	if (ret)
		return ret;
	return removes ? doorbell_remove(vm, &bell) : doorbell_add(vm, &bell, param->eventfd);
}

static void doorbells_release(struct qvm_vm *vm)
{
	struct doorbell_table *table = rcu_dereference_protected(vm->eventfds.doorbells, true);
	unsigned int i;

	for (i = 0; table && i < table->count; i++)
		doorbell_put(&table->bell[i]);
	kfree(table);
}

/* ---- irqfds ---- */

#define IRQFD_KINDS	(QVM_IRQFD_F_RESAMPLE | QVM_IRQFD_F_HOLD)

struct irqfd {
	struct qvm_vm *vm;
	struct eventfd_ctx *ctx;
	struct eventfd_ctx *resample;	/* NULL: not of that kind */
	u32 line;
	u32 kind;			/* 0 (edge), QVM_IRQFD_F_RESAMPLE or QVM_IRQFD_F_HOLD */
	bool closed;			/* the eventfd; others may hold its ctx */
	struct list_head node;		/* vm->eventfds.irqfds */
	struct irqfd *next_dead;	/* of irqfds_reap() */
	wait_queue_head_t *queue;	/* [C] of the eventfd; ctx keeps it */
	wait_queue_entry_t wait;
};

/* Sets the line; but for an edge it stays up until somebody puts it down. */
static void irqfd_inject(const struct irqfd *irqfd)
{
	struct qvm_vm *vm = irqfd->vm;

	trace_irq(vm->id, irqfd->line, 1);
	qvm_arch_vm_set_irq(vm, irqfd->line, true);
	if (!irqfd->kind)
		qvm_arch_vm_set_irq(vm, irqfd->line, false);
}

/* Under the lock of the eventfd's wait queue, in any context. */
static int irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN && !irqfd->closed) {
		if (irqfd->kind != QVM_IRQFD_F_HOLD)
			eventfd_ctx_do_read(irqfd->ctx, &count);
		irqfd_inject(irqfd);
	}
	if (events & EPOLLHUP)
		WRITE_ONCE(irqfd->closed, true);
	return 0;
}

struct irqfd_poll {
	poll_table table;
	struct irqfd *irqfd;
};

static void irqfd_queue(struct file *file, wait_queue_head_t *wqh, poll_table *table)
{
	struct irqfd *irqfd = container_of(table, struct irqfd_poll, table)->irqfd;

	irqfd->queue = wqh;
	add_wait_queue(wqh, &irqfd->wait);
}

static void irqfd_free(struct irqfd *irqfd)
{
	if (irqfd->resample)
		eventfd_ctx_put(irqfd->resample);
	eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
}

/* Its line has another irqfd. VM mutex held. */
static bool line_is_shared(const struct irqfd *irqfd)
{
	const struct irqfd *other;

	list_for_each_entry(other, &irqfd->vm->eventfds.irqfds, node)
		if (other != irqfd && other->line == irqfd->line)
			return true;
	return false;
}

/* It hears no signal any more. Of HOLD nothing is read, here neither: the count is the device's. */
static void irqfd_unqueue(struct irqfd *irqfd)
{
	u64 count;

	if (irqfd->kind == QVM_IRQFD_F_HOLD)
		remove_wait_queue(irqfd->queue, &irqfd->wait);
	else
		eventfd_ctx_remove_wait_queue(irqfd->ctx, &irqfd->wait, &count);
}

/* Nothing comes from it after this; a level falls with its last irqfd. VM mutex held. */
static void irqfd_disarm(struct irqfd *irqfd)
{
	struct qvm_vm *vm = irqfd->vm;

	irqfd_unqueue(irqfd);
	if (irqfd->resample && !line_is_shared(irqfd)) {
		qvm_arch_vm_set_resample(vm, irqfd->line, false);
		qvm_arch_vm_set_irq(vm, irqfd->line, false);
	}
	list_del_rcu(&irqfd->node);
	vm->eventfds.irqfd_count--;
}

/* Those whose eventfd was closed hold no more than their memory, until somebody needs it. */
static void irqfds_reap(struct qvm_vm *vm)
{
	struct irqfd *irqfd, *next, *dead = NULL;

	list_for_each_entry_safe(irqfd, next, &vm->eventfds.irqfds, node) {
		if (!READ_ONCE(irqfd->closed))
			continue;
		irqfd_disarm(irqfd);
		irqfd->next_dead = dead;
		dead = irqfd;
	}
	if (dead)
		synchronize_rcu();
	for (; dead; dead = next) {
		next = dead->next_dead;
		irqfd_free(dead);
	}
}

static int irqfd_check(const struct qvm_irqfd *param)
{
	const u32 known = QVM_IRQFD_F_REMOVE | IRQFD_KINDS;

	if (param->flags & ~known || param->reserved || hweight32(param->flags & IRQFD_KINDS) > 1)
		return -EINVAL;
	if (param->resample && !(param->flags & QVM_IRQFD_F_RESAMPLE))
		return -EINVAL;
	return param->line < QVM_IRQ_LINES ? 0 : -ENXIO;
}

/* One eventfd drives one line, and a line has irqfds of one kind. */
static int irqfd_check_unique(struct qvm_vm *vm, const struct irqfd *irqfd)
{
	const struct irqfd *other;

	list_for_each_entry(other, &vm->eventfds.irqfds, node) {
		if (other->ctx == irqfd->ctx)
			return -EEXIST;
		if (other->line == irqfd->line && other->kind != irqfd->kind)
			return -EBUSY;
	}
	return vm->eventfds.irqfd_count < QVM_MAX_IRQFDS ? 0 : -ENOSPC;
}

static int irqfd_arm(struct irqfd *irqfd, struct file *file)
{
	struct irqfd_poll poll = { .irqfd = irqfd };
	struct qvm_vm *vm = irqfd->vm;
	int ret = irqfd_check_unique(vm, irqfd);

	if (!ret)
		ret = qvm_arch_vm_set_resample(vm, irqfd->line, irqfd->resample);
	if (ret)
		return ret;
	list_add_tail_rcu(&irqfd->node, &vm->eventfds.irqfds);
	vm->eventfds.irqfd_count++;
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wake);
	init_poll_funcptr(&poll.table, irqfd_queue);
	/* signalled before: once now, and the next signal reads both */
	if (vfs_poll(file, &poll.table) & EPOLLIN)
		irqfd_inject(irqfd);
	return 0;
}

static int irqfd_fill(struct irqfd *irqfd, struct file *file, const struct qvm_irqfd *param)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fileget(file);

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	irqfd->ctx = ctx;
	irqfd->line = param->line;
	irqfd->kind = param->flags & IRQFD_KINDS;
	if (!(param->flags & QVM_IRQFD_F_RESAMPLE))
		return 0;
	ctx = eventfd_ctx_fdget(param->resample);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	irqfd->resample = ctx;
	return 0;
}

static int irqfd_add(struct qvm_vm *vm, struct file *file, const struct qvm_irqfd *param)
{
	struct irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!irqfd)
		return -ENOMEM;
	irqfd->vm = vm;
	ret = irqfd_fill(irqfd, file, param);
	if (!ret)
		ret = irqfd_arm(irqfd, file);
	if (!ret)
		return 0;
	if (irqfd->resample)
		eventfd_ctx_put(irqfd->resample);
	if (irqfd->ctx)
		eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
	return ret;
}

static int irqfd_remove(struct qvm_vm *vm, struct file *file, const struct qvm_irqfd *param)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fileget(file);
	struct irqfd *irqfd, *found = NULL;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	list_for_each_entry(irqfd, &vm->eventfds.irqfds, node)
		if (irqfd->ctx == ctx && irqfd->line == param->line)
			found = irqfd;
	eventfd_ctx_put(ctx);
	if (!found)
		return -ENOENT;
	irqfd_disarm(found);
	synchronize_rcu();
	irqfd_free(found);
	return 0;
}

int qvm_irqfd_set(struct qvm_vm *vm, const struct qvm_irqfd *param)
{
	bool removes = param->flags & QVM_IRQFD_F_REMOVE;
	int ret = irqfd_check(param);
	struct file *file;

	if (!ret)
		ret = vm_check(vm, removes);
	if (ret)
		return ret;
	irqfds_reap(vm);
	file = eventfd_fget(param->eventfd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = removes ? irqfd_remove(vm, file, param) : irqfd_add(vm, file, param);
	fput(file);
	return ret;
}

/* ---- the end of a level ---- */

void qvm_irqfd_ended(struct qvm_vm *vm, u32 line)
{
	set_bit(line, vm->eventfds.ended);
	irq_work_queue(&vm->eventfds.ended_work);
}

/* Each device of the line looks again; what it has then raises the line anew. */
static void line_ended(struct qvm_vm *vm, u32 line)
{
	struct irqfd *irqfd;

	qvm_arch_vm_set_irq(vm, line, false);
	rcu_read_lock();
	list_for_each_entry_rcu(irqfd, &vm->eventfds.irqfds, node)
		if (irqfd->line == line && irqfd->resample)
			qvm_eventfd_signal(irqfd->resample);
	rcu_read_unlock();
}

/* Interrupts off and in an interrupt, but on a realtime kernel, where it is a thread. */
static void lines_ended(struct irq_work *work)
{
	struct qvm_vm *vm = container_of(work, struct qvm_vm, eventfds.ended_work);
	unsigned int line;

	for_each_set_bit(line, vm->eventfds.ended, QVM_IRQ_LINES)
		if (test_and_clear_bit(line, vm->eventfds.ended))
			line_ended(vm, line);
}

/* ---- life ---- */

void qvm_eventfd_init(struct qvm_vm *vm)
{
	INIT_LIST_HEAD(&vm->eventfds.irqfds);
	init_irq_work(&vm->eventfds.ended_work, lines_ended);
}

void qvm_eventfd_release(struct qvm_vm *vm)
{
	struct irqfd *irqfd, *next;

	list_for_each_entry(irqfd, &vm->eventfds.irqfds, node)
		irqfd_unqueue(irqfd);
	/* no line moves any more, so none ends: the last reader is this one */
	irq_work_sync(&vm->eventfds.ended_work);
	list_for_each_entry_safe(irqfd, next, &vm->eventfds.irqfds, node)
		irqfd_free(irqfd);
	doorbells_release(vm);
}
