// SPDX-License-Identifier: GPL-2.0-only
/* The four answers to a guest access that stage 2 did not permit, and their completion. */
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "arch.h"
#include "trace.h"

static enum exit_action access_to_user(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	struct qvm_run *run = vcpu->run;

	vcpu->mmio = *access;
	vcpu->mmio_pending = true;
	vcpu->stats.mmio_user++;
	memset(&run->mmio, 0, sizeof(run->mmio));
	run->mmio.gpa = access->gpa;
	run->mmio.len = access->len;
	run->mmio.is_write = access->is_write;
	run->mmio.pc = qvm_arch_vcpu_pc(vcpu);
	if (access->is_write)
		memcpy(run->mmio.data, &access->data, access->len);
	run->exit_reason = access->is_port ? QVM_EXIT_PIO : QVM_EXIT_MMIO;
	return EXIT_TO_USER;
}

/* Its answer, or (no such register) nobody's address. */
static enum exit_action access_vdev(struct qvm_vcpu *vcpu, const struct qvm_access *access,
				    struct qvm_vdev *vdev)
{
	u64 data = 0, offset = access->gpa - vdev->base;
	int ret;

	if (access->is_write)
		ret = vdev->ops->write(vdev, vcpu, offset, access->len, access->data);
	else
		ret = vdev->ops->read(vdev, vcpu, offset, access->len, &data);
	if (ret)
		return qvm_exit_unclaimed(vcpu, access);
	vcpu->stats.mmio_kernel++;
	return qvm_arch_complete_access(vcpu, access, data);
}

/* A write that a doorbell takes has no other effect. */
static bool rings_doorbell(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	if (!access->is_write || !rcu_access_pointer(vcpu->vm->eventfds.doorbells) ||
	    !qvm_doorbell_ring(vcpu, access))
		return false;
	trace_mmio(vcpu->vm->id, vcpu->index, access->gpa, access->len, true, false);
	return true;
}

enum exit_action qvm_exit_access(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	struct qvm_vdev **last = access->is_port ? &vcpu->last_port : &vcpu->last_vdev;
	const struct qvm_bus *bus = access->is_port ? &vcpu->vm->ports : &vcpu->vm->bus;
	struct qvm_vdev *vdev = qvm_bus_route(bus, last, access->gpa, access->len);
	const struct qvm_mem *mem;
	bool in_kernel;

	if (!vdev && rings_doorbell(vcpu, access))
		return qvm_arch_complete_access(vcpu, access, 0);
	in_kernel = vdev || qvm_bus_overlaps(bus, access->gpa, access->len);
	if (trace_mmio_enabled())
		trace_mmio(vcpu->vm->id, vcpu->index, access->gpa, access->len, access->is_write,
			   !in_kernel);
	if (vdev)
		return access_vdev(vcpu, access, vdev);
	/* Misaligned, or part of it beside the vdev. */
	if (in_kernel)
		return qvm_exit_unclaimed(vcpu, access);
	/* ROM: mapped read-only, so only writes come here; they are faults, not device accesses. */
	mem = access->is_port ? NULL : qvm_region_find(vcpu->vm, access->gpa);
	if (mem && mem->kind != QVM_REGION_SHARED)
		return qvm_exit_unclaimed(vcpu, access);
	return access_to_user(vcpu, access);
}

enum exit_action qvm_exit_complete(struct qvm_vcpu *vcpu)
{
	u64 data = 0;

	vcpu->mmio_pending = false;
	if (READ_ONCE(vcpu->run->mmio.unclaimed))
		return qvm_exit_unclaimed(vcpu, &vcpu->mmio);
	/* The only use of what user space wrote: the data bytes, once. */
	if (!vcpu->mmio.is_write)
		memcpy(&data, vcpu->run->mmio.data, vcpu->mmio.len);
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
