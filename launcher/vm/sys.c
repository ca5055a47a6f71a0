// SPDX-License-Identifier: GPL-2.0-only
/* The seam to the hypervisor over /dev/qvm: the only ioctl calls of the launcher. */
#include "vm/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct sys {
	int fd;
};

struct sys_vm {
	int fd;
	size_t run_size;
	bool can_seek;			/* QVM_FEATURE_RUN_SEEK */
};

struct sys_vcpu {
	int fd;
	bool can_seek, has_run;
	size_t run_size;
	struct qvm_run *run;
};

const char sys_path[] = "/dev/qvm";
const char sys_remedy[] = "load the module: make insmod";

static int call(int fd, unsigned long command, void *arg)
{
	int value = ioctl(fd, command, arg);

	return value < 0 ? -errno : value;
}

int sys_open(struct sys **out)
{
	struct sys *sys = calloc(1, sizeof(*sys));

	if (!sys)
		return -ENOMEM;
	sys->fd = open(sys_path, O_RDWR | O_CLOEXEC);
	if (sys->fd < 0) {
		int error = -errno;

		free(sys);
		return error;
	}
	*out = sys;
	return 0;
}

void sys_close(struct sys *sys)
{
	if (!sys)
		return;
	close(sys->fd);
	free(sys);
}

int sys_query(struct sys *sys, struct qvm_query *query)
{
	*query = (struct qvm_query){0};
	return call(sys->fd, QVM_QUERY, query);
}

int sys_next_vm(struct sys *sys, struct qvm_next_vm *next)
{
	return call(sys->fd, QVM_NEXT_VM, next);
}

int sys_stat(struct sys *sys, struct qvm_stat *stat)
{
	return call(sys->fd, QVM_STAT, stat);
}

int sys_create_vm(struct sys *sys, struct qvm_create_vm *create, struct sys_vm **out)
{
	struct qvm_query query;
	struct sys_vm *vm;
	int error = sys_query(sys, &query);

	if (error)
		return error;
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	vm->run_size = query.run_size;
	vm->can_seek = query.features & QVM_FEATURE_RUN_SEEK;
	/* any signal cuts short the wait for the locks of this address space */
	do
		vm->fd = call(sys->fd, QVM_CREATE_VM, create);
	while (vm->fd == -EINTR);
	if (vm->fd < 0) {
		error = vm->fd;
		free(vm);
		return error;
	}
	*out = vm;
	return 0;
}

void sys_destroy_vm(struct sys_vm *vm)
{
	if (!vm)
		return;
	close(vm->fd);
	free(vm);
}

int sys_add_region(struct sys_vm *vm, struct qvm_region *region)
{
	return call(vm->fd, QVM_VM_ADD_REGION, region);
}

int sys_create_vdev(struct sys_vm *vm, const struct qvm_create_vdev *vdev)
{
	struct qvm_create_vdev copy = *vdev;

	return call(vm->fd, QVM_VM_CREATE_VDEV, &copy);
}

int sys_set_policy(struct sys_vm *vm, const struct qvm_vm_policy *policy)
{
	struct qvm_vm_policy copy = *policy;

	return call(vm->fd, QVM_VM_SET_POLICY, &copy);
}

int sys_assemble(struct sys_vm *vm)
{
	return call(vm->fd, QVM_VM_ASSEMBLE, NULL);
}

int sys_set_irq(struct sys_vm *vm, uint32_t line, bool level)
{
	struct qvm_irq irq = { .line = line, .level = level };

	return call(vm->fd, QVM_VM_SET_IRQ, &irq);
}

int sys_set_share(struct sys_vm *vm, const struct qvm_share *share)
{
	struct qvm_share copy = *share;

	return call(vm->fd, QVM_VM_SHARE, &copy);
}

int sys_set_doorbell(struct sys_vm *vm, const struct qvm_doorbell *doorbell)
{
	struct qvm_doorbell copy = *doorbell;

	return call(vm->fd, QVM_VM_DOORBELL, &copy);
}

int sys_set_irqfd(struct sys_vm *vm, const struct qvm_irqfd *irqfd)
{
	struct qvm_irqfd copy = *irqfd;

	return call(vm->fd, QVM_VM_IRQFD, &copy);
}

int sys_vm_info(struct sys_vm *vm, struct qvm_vm_info *info)
{
	*info = (struct qvm_vm_info){0};
	return call(vm->fd, QVM_VM_INFO, info);
}

int sys_vm_unclaimed(struct sys_vm *vm, struct qvm_unclaimed *unclaimed)
{
	return call(vm->fd, QVM_VM_UNCLAIMED, unclaimed);
}

int sys_vm_end(struct sys_vm *vm)
{
	return call(vm->fd, QVM_VM_END, NULL);
}

int sys_create_vcpu(struct sys_vm *vm, uint32_t index, struct sys_vcpu **out)
{
	struct qvm_create_vcpu create = { .index = index };
	struct sys_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int error;

	if (!vcpu)
		return -ENOMEM;
	vcpu->run_size = vm->run_size;
	vcpu->can_seek = vm->can_seek;
	vcpu->fd = call(vm->fd, QVM_VM_CREATE_VCPU, &create);
	if (vcpu->fd < 0) {
		error = vcpu->fd;
		free(vcpu);
		return error;
	}
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		error = -errno;
		close(vcpu->fd);
		free(vcpu);
		return error;
	}
	*out = vcpu;
	return 0;
}

void sys_destroy_vcpu(struct sys_vcpu *vcpu)
{
	if (!vcpu)
		return;
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	free(vcpu);
}

struct qvm_run *sys_vcpu_run_page(struct sys_vcpu *vcpu)
{
	return vcpu->run;
}

int sys_vcpu_run(struct sys_vcpu *vcpu)
{
	/* EPERM: this thread's credentials are others than when it ran by ioctl */
	if (vcpu->has_run) {
		if (lseek(vcpu->fd, QVM_VCPU_RUN, SEEK_SET) == 0)
			return 0;
		if (errno != EPERM)
			return -errno;
	}
	vcpu->has_run = vcpu->can_seek;
	return call(vcpu->fd, QVM_VCPU_RUN, NULL);
}

void sys_vcpu_set_immediate_exit(struct sys_vcpu *vcpu, bool on)
{
	__atomic_store_n(&vcpu->run->immediate_exit, on, __ATOMIC_SEQ_CST);
}

int sys_get_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct qvm_reg reg = { .id = id };
	int error = call(vcpu->fd, QVM_VCPU_GET_REG, &reg);

	*value = reg.value[0];
	return error;
}

int sys_get_reg_pair(struct sys_vcpu *vcpu, uint64_t id, uint64_t value[2])
{
	struct qvm_reg reg = { .id = id };
	int error = call(vcpu->fd, QVM_VCPU_GET_REG, &reg);

	value[0] = reg.value[0];
	value[1] = reg.value[1];
	return error;
}

int sys_set_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t value)
{
	return sys_set_reg_pair(vcpu, id, value, 0);
}

int sys_set_reg_pair(struct sys_vcpu *vcpu, uint64_t id, uint64_t low, uint64_t high)
{
	struct qvm_reg reg = { .id = id, .value = { low, high } };

	return call(vcpu->fd, QVM_VCPU_SET_REG, &reg);
}

int sys_vcpu_stats(struct sys_vcpu *vcpu, struct qvm_vcpu_stats *stats)
{
	return call(vcpu->fd, QVM_VCPU_STATS, stats);
}

int sys_vcpu_trail(struct sys_vcpu *vcpu, struct qvm_vcpu_trail *trail)
{
	return call(vcpu->fd, QVM_VCPU_TRAIL, trail);
}

int sys_kick_signal(void)
{
	return SIGRTMIN;
}
