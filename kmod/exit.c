// SPDX-License-Identifier: GPL-2.0-only
/* The four answers to a guest access that stage 2 did not permit, and their completion. */
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "arch.h"
#include "trace.h"

/* As many bytes as @access has. */
static u64 access_bytes(const struct qvm_access *access, u64 data)
{
	return data & (~0ULL >> (64 - 8 * access->len));
}

/* Of vcpu->mmio. */
static __always_inline enum exit_action mmio_to_user(struct qvm_vcpu *vcpu, u64 pc)
{
	const struct qvm_access *access = &vcpu->mmio;
	struct qvm_run *run = vcpu->run;
	u64 data = access->is_write ? access_bytes(access, access->data) : 0;

	vcpu->mmio_pending = true;
	vcpu->stats.mmio_user++;
	run->mmio.gpa = access->gpa;
	run->mmio.len = access->len;
	run->mmio.is_write = access->is_write;
	run->mmio.unclaimed = 0;
	memset(run->mmio.reserved, 0, sizeof(run->mmio.reserved));
	memcpy(run->mmio.data, &data, sizeof(data));
	run->mmio.pc = pc;
	run->exit_reason = access->is_port ? QVM_EXIT_PIO : QVM_EXIT_MMIO;
	return EXIT_TO_USER;
}

static noinline enum exit_action access_to_user(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	if (access != &vcpu->mmio)
		vcpu->mmio = *access;
	return mmio_to_user(vcpu, qvm_arch_vcpu_pc(vcpu));
}

static __always_inline int vdev_access(struct qvm_vcpu *vcpu, const struct qvm_access *access,
				       struct qvm_vdev *vdev, u64 *data)
{
	u64 offset = access->gpa - vdev->base;

	if (access->is_write)
		return vdev->ops->write(vdev, vcpu, offset, access->len, access->data);
	return vdev->ops->read(vdev, vcpu, offset, access->len, data);
}

static __always_inline void trace_access(struct qvm_vcpu *vcpu, const struct qvm_access *access,
					 bool user)
{
	if (trace_mmio_enabled())
		trace_mmio(vcpu->vm->id, vcpu->index, access->gpa, access->len, access->is_write,
			   user);
}

/* Its answer, or (no such register) nobody's address. */
static enum exit_action access_vdev(struct qvm_vcpu *vcpu, const struct qvm_access *access,
				    struct qvm_vdev *vdev)
{
	u64 data = 0;

	if (vdev_access(vcpu, access, vdev, &data))
		return qvm_exit_unclaimed(vcpu, access);
	vcpu->stats.mmio_kernel++;
	return qvm_arch_complete_access(vcpu, access, data);
}

/* A write that a doorbell takes has no other effect. */
static bool rings_doorbell(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	bool rang;

	if (!access->is_write || !rcu_access_pointer(vcpu->vm->eventfds.doorbells))
		return false;
	rcu_read_lock();
	rang = qvm_doorbell_ring(vcpu, access);
	rcu_read_unlock();
	return rang;
}

static noinline struct qvm_vdev *route_anew(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	if (qvm_exit_is_users(vcpu, access))
		return NULL;
	if (access->is_port)
		return qvm_bus_route(&vcpu->vm->ports, &vcpu->last_port, access->gpa, access->len);
	return qvm_bus_route(&vcpu->vm->bus, &vcpu->last_vdev, access->gpa, access->len);
}

/* NULL: no vdev takes it. */
static __always_inline struct qvm_vdev *route(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	struct qvm_vdev *last = access->is_port ? vcpu->last_port : vcpu->last_vdev;

	return last && qvm_vdev_takes(last, access->gpa, access->len) ? last :
									route_anew(vcpu, access);
}

bool qvm_exit_vdev_0b(struct qvm_vcpu *vcpu, const struct qvm_access *access, u64 *data)
{
	struct qvm_vdev *vdev = route(vcpu, access);

	if (!vdev || vdev_access(vcpu, access, vdev, data))
		return false;
	vcpu->stats.mmio_kernel++;
	trace_access(vcpu, access, false);
	return true;
}

/* The next access to the same place needs no look where it goes. */
static void note_user(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	/* Pairs with doorbell_add(): one that comes after this look has another number. */
	unsigned int bells = smp_load_acquire(&vcpu->vm->eventfds.doorbells_added);

	vcpu->last_user = qvm_doorbell_is_none(vcpu->vm, access) ? qvm_access_place(access) : 0;
	vcpu->last_user_bells = bells;
}

/* No vdev takes it. */
static noinline enum exit_action access_elsewhere(struct qvm_vcpu *vcpu,
						  const struct qvm_access *access)
{
	const struct qvm_bus *bus = access->is_port ? &vcpu->vm->ports : &vcpu->vm->bus;
	const struct qvm_mem *mem = NULL;
	bool in_kernel;

	if (rings_doorbell(vcpu, access))
		return qvm_arch_complete_access(vcpu, access, 0);
	in_kernel = qvm_bus_overlaps(bus, access->gpa, access->len);
	trace_access(vcpu, access, !in_kernel);
	/* Misaligned, or part of it beside the vdev. */
	if (in_kernel)
		return qvm_exit_unclaimed(vcpu, access);
	if (!access->is_port)
		mem = qvm_region_find(vcpu->vm, access->gpa);
	/* ROM: mapped read-only, so only writes come here; they are faults, not device accesses. */
	if (mem && mem->kind != QVM_REGION_SHARED)
		return qvm_exit_unclaimed(vcpu, access);
	/* in a window there may be memory the next time */
	if (!mem)
		note_user(vcpu, access);
	return access_to_user(vcpu, access);
}

/* Of its own, so that who does not trace needs no frame. */
static noinline enum exit_action user_traced(struct qvm_vcpu *vcpu, u64 pc)
{
	trace_access(vcpu, &vcpu->mmio, true);
	return mmio_to_user(vcpu, pc);
}

enum exit_action qvm_exit_user(struct qvm_vcpu *vcpu, u64 pc)
{
	return trace_mmio_enabled() ? user_traced(vcpu, pc) : mmio_to_user(vcpu, pc);
}

enum exit_action qvm_exit_access(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	struct qvm_vdev *vdev;

	if (qvm_exit_is_users(vcpu, access)) {
		trace_access(vcpu, access, true);
		return access_to_user(vcpu, access);
	}
	vdev = route(vcpu, access);
	if (!vdev)
		return access_elsewhere(vcpu, access);
	trace_access(vcpu, access, false);
	return access_vdev(vcpu, access, vdev);
}

enum exit_action qvm_exit_complete(struct qvm_vcpu *vcpu)
{
	u64 data;

	vcpu->mmio_pending = false;
	if (READ_ONCE(vcpu->run->mmio.unclaimed))
		return qvm_exit_unclaimed(vcpu, &vcpu->mmio);
	/* The only use of what user space wrote: the data bytes, once. */
	data = access_bytes(&vcpu->mmio, READ_ONCE(*(u64 *)vcpu->run->mmio.data));
	return qvm_arch_complete_access(vcpu, &vcpu->mmio, data);
}

enum exit_action qvm_exit_unclaimed(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	u32 flags = access->is_write ? QVM_UNCLAIMED_WRITE : QVM_UNCLAIMED_READ;

	qvm_unclaimed_add(vcpu, access->gpa, flags | (access->is_port ? QVM_UNCLAIMED_PORT : 0));
	/* Where no port is, a PC reads all ones: its own drivers look for hardware that way. */
	if (access->is_port)
		return qvm_arch_complete_access(vcpu, access, ~0ULL);
	switch (vcpu->vm->policy.reference) {
	case QVM_POLICY_ABORT:
		qvm_vm_end_fatal(vcpu, QVM_FATAL_POLICY, 0, 0, access->gpa);
		return EXIT_FATAL;
	case QVM_POLICY_IGNORE:
		break;
	default:
		if (!qvm_arch_inject_unclaimed(vcpu, access))
			return EXIT_RESUME;
	}
	return qvm_arch_complete_access(vcpu, access, ~0ULL);
}
