// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seam of launcher/vm/sys.h over /dev/kvm: the same launcher, linked with this
 * file instead of launcher/vm/sys.c, boots the same config on the host's KVM. For comparison
 * only; of the policies it knows ignore and, as all else, the external abort.
 */
#include "sys_kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

const char sys_path[] = "/dev/kvm";

int kvm_call(int fd, unsigned long command, void *arg)
{
	int value = ioctl(fd, command, arg);

	return value < 0 ? -errno : value;
}

int kvm_call_value(int fd, unsigned long command, unsigned long arg)
{
	return kvm_call(fd, command, (void *)arg);
}

/* ---- system ---- */

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
	int vcpus = kvm_call_value(sys->fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	int run_size = kvm_call_value(sys->fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (run_size < 0)
		return run_size;
	*query = (struct qvm_query){
		.api_version = QVM_API_VERSION,
		.arch = kvm_arch,
		.max_vcpus = vcpus > 0 && vcpus < QVM_MAX_VCPUS ? (uint32_t)vcpus : QVM_MAX_VCPUS,
		.ipa_bits = kvm_arch_ipa_bits(sys),
		.run_size = (uint32_t)run_size,
		.page_size = (uint32_t)sysconf(_SC_PAGESIZE),
	};
	return 0;
}

/* ---- VM ---- */

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
	vm->fd = kvm_call_value(sys->fd, KVM_CREATE_VM, kvm_arch_vm_type(sys, create->ipa_bits));
	if (vm->fd < 0) {
		error = vm->fd;
		free(vm);
		return error;
	}
	vm->gic_fd = -1;
	vm->sys = sys;
	vm->run_size = query.run_size;
	vm->vcpu_max = create->max_vcpus;
	pthread_mutex_init(&vm->lock, NULL);
	error = kvm_arch_create_vm(vm);
	if (error)
		sys_destroy_vm(vm);
	else
		*out = vm;
	return error;
}

void sys_destroy_vm(struct sys_vm *vm)
{
	if (!vm)
		return;
	kvm_arch_destroy_vm(vm);
	close(vm->fd);
	pthread_mutex_destroy(&vm->lock);
	free(vm);
}

int sys_add_region(struct sys_vm *vm, struct qvm_region *region)
{
	struct kvm_userspace_memory_region slot = {
		.slot = vm->region_count,
		.flags = region->kind == QVM_REGION_ROM ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = region->gpa,
		.memory_size = region->size,
		.userspace_addr = region->hva,
	};
	int error;

	if (region->kind == QVM_REGION_SHARED)
		return 0;
	error = kvm_call(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot);
	if (error)
		return error;
	vm->region_count++;
	vm->pinned += region->size;
	return 0;
}

int sys_set_policy(struct sys_vm *vm, const struct qvm_vm_policy *policy)
{
	vm->ignore_references = policy->reference == QVM_POLICY_IGNORE;
	return 0;
}

int sys_assemble(struct sys_vm *vm)
{
	int error = kvm_arch_assemble(vm);

	vm->assembled = error == 0;
	return error;
}

int sys_set_irq(struct sys_vm *vm, uint32_t line, bool level)
{
	struct kvm_irq_level irq = kvm_arch_line(line, level);

	return kvm_call(vm->fd, KVM_IRQ_LINE, &irq);
}

int sys_set_doorbell(struct sys_vm *vm, const struct qvm_doorbell *doorbell)
{
	struct kvm_ioeventfd bell = {
		.addr = doorbell->addr,
		.len = doorbell->len,
		.datamatch = doorbell->datamatch,
		.fd = doorbell->eventfd,
		.flags = (doorbell->flags & QVM_DOORBELL_F_PORT ? KVM_IOEVENTFD_FLAG_PIO : 0) |
			 (doorbell->flags & QVM_DOORBELL_F_DATAMATCH ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0) |
			 (doorbell->flags & QVM_DOORBELL_F_REMOVE ? KVM_IOEVENTFD_FLAG_DEASSIGN : 0),
	};

	if (doorbell->flags & QVM_DOORBELL_F_POST)
		return -EOPNOTSUPP;
	return kvm_call(vm->fd, KVM_IOEVENTFD, &bell);
}

/* Of devices that no benchmark has. */
int sys_set_share(struct sys_vm *vm, const struct qvm_share *share)
{
	(void)vm;
	(void)share;
	return -EOPNOTSUPP;
}

/* An edge: what benchmarks have. KVM numbers lines anew where nobody routes them otherwise. */
int sys_set_irqfd(struct sys_vm *vm, const struct qvm_irqfd *irqfd)
{
	struct kvm_irqfd request = {
		.fd = (uint32_t)irqfd->eventfd,
		.gsi = kvm_arch_gsi(irqfd->line),
		.flags = irqfd->flags & QVM_IRQFD_F_REMOVE ? KVM_IRQFD_FLAG_DEASSIGN : 0,
	};

	if (irqfd->flags & ~QVM_IRQFD_F_REMOVE)
		return -EOPNOTSUPP;
	return kvm_call(vm->fd, KVM_IRQFD, &request);
}

int sys_vm_info(struct sys_vm *vm, struct qvm_vm_info *info)
{
	*info = (struct qvm_vm_info){
		.state = __atomic_load_n(&vm->ended, __ATOMIC_SEQ_CST) ? QVM_VM_ENDED :
			 vm->assembled ? QVM_VM_RUNNING : QVM_VM_BUILDING,
		.vcpu_count = vm->vcpu_max,
		.region_count = vm->region_count,
		.pinned = vm->pinned,
	};
	return 0;
}

void kvm_vm_end(struct sys_vm *vm, const struct qvm_run *why)
{
	pthread_mutex_lock(&vm->lock);
	if (!vm->ended) {
		vm->end = *why;
		__atomic_store_n(&vm->ended, true, __ATOMIC_SEQ_CST);
		for (uint32_t i = 0; i < QVM_MAX_VCPUS; i++) {
			struct sys_vcpu *vcpu = vm->vcpus[i];

			if (!vcpu)
				continue;
			sys_vcpu_set_immediate_exit(vcpu, true);
			if (__atomic_load_n(&vcpu->has_thread, __ATOMIC_SEQ_CST))
				pthread_kill(vcpu->thread, sys_kick_signal());
		}
	}
	pthread_mutex_unlock(&vm->lock);
}

int sys_vm_end(struct sys_vm *vm)
{
	const struct qvm_run why = {
		.exit_reason = QVM_EXIT_SYSTEM,
		.system = { .event = QVM_SYSTEM_STOPPED },
	};

	kvm_vm_end(vm, &why);
	return 0;
}

/* ---- vCPU ---- */

int sys_create_vcpu(struct sys_vm *vm, uint32_t index, struct sys_vcpu **out)
{
	struct sys_vcpu *vcpu;
	int error;

	if (index >= vm->vcpu_max || index >= QVM_MAX_VCPUS)
		return -EINVAL;
	vcpu = calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return -ENOMEM;
	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->fd = kvm_call_value(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0) {
		error = vcpu->fd;
		goto free_vcpu;
	}
	error = kvm_arch_create_vcpu(vcpu);
	if (error)
		goto close_fd;
	vcpu->kvm = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->kvm == MAP_FAILED) {
		error = -errno;
		kvm_arch_destroy_vcpu(vcpu);
		goto close_fd;
	}
	vm->vcpus[index] = vcpu;
	*out = vcpu;
	return 0;
close_fd:
	close(vcpu->fd);
free_vcpu:
	free(vcpu);
	return error;
}

void sys_destroy_vcpu(struct sys_vcpu *vcpu)
{
	if (!vcpu)
		return;
	vcpu->vm->vcpus[vcpu->index] = NULL;
	munmap(vcpu->kvm, vcpu->vm->run_size);
	kvm_arch_destroy_vcpu(vcpu);
	close(vcpu->fd);
	free(vcpu);
}

struct qvm_run *sys_vcpu_run_page(struct sys_vcpu *vcpu)
{
	return &vcpu->run;
}

void sys_vcpu_set_immediate_exit(struct sys_vcpu *vcpu, bool on)
{
	__atomic_store_n(&vcpu->kvm->immediate_exit, on, __ATOMIC_SEQ_CST);
}

/* Nobody's address: what the policy says. */
static void refuse_access(struct sys_vcpu *vcpu)
{
	vcpu->unclaimed++;
	if (vcpu->vm->ignore_references)
		memset(vcpu->kvm->mmio.data, 0xff, sizeof(vcpu->kvm->mmio.data));
	else
		kvm_arch_refuse(vcpu);
}

/* True: the same exit has another access. */
static bool complete_access(struct sys_vcpu *vcpu)
{
	if (!vcpu->access_pending)
		return false;
	vcpu->access_pending = false;
	if (vcpu->run.exit_reason != QVM_EXIT_MMIO)
		return kvm_arch_complete(vcpu);
	if (vcpu->run.mmio.unclaimed)
		refuse_access(vcpu);
	else if (!vcpu->run.mmio.is_write)
		memcpy(vcpu->kvm->mmio.data, vcpu->run.mmio.data, sizeof(vcpu->run.mmio.data));
	return false;
}

static void exit_mmio(struct sys_vcpu *vcpu)
{
	const struct kvm_run *kvm = vcpu->kvm;

	vcpu->run = (struct qvm_run){ .exit_reason = QVM_EXIT_MMIO };
	vcpu->run.mmio.gpa = kvm->mmio.phys_addr;
	vcpu->run.mmio.len = kvm->mmio.len;
	vcpu->run.mmio.is_write = kvm->mmio.is_write;
	memcpy(vcpu->run.mmio.data, kvm->mmio.data, sizeof(vcpu->run.mmio.data));
	vcpu->access_pending = true;
	vcpu->mmio_user++;
}

void kvm_vm_end_fatal(struct sys_vcpu *vcpu, uint32_t cause, uint64_t syndrome)
{
	struct qvm_run why = { .exit_reason = QVM_EXIT_FATAL };

	why.fatal.cause = cause;
	why.fatal.vcpu = vcpu->index;
	why.fatal.syndrome = syndrome;
	why.fatal.pc = kvm_arch_pc(vcpu);
	kvm_vm_end(vcpu->vm, &why);
}

void kvm_vm_end_system(struct sys_vcpu *vcpu, uint32_t event)
{
	struct qvm_run why = { .exit_reason = QVM_EXIT_SYSTEM };

	why.system.vcpu = vcpu->index;
	why.system.event = event;
	kvm_vm_end(vcpu->vm, &why);
}

static void exit_system(struct sys_vcpu *vcpu)
{
	switch (vcpu->kvm->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		kvm_vm_end_system(vcpu, QVM_SYSTEM_OFF);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		kvm_vm_end_system(vcpu, QVM_SYSTEM_RESET);
		break;
	default:
		kvm_vm_end_fatal(vcpu, QVM_FATAL_STATE, vcpu->kvm->system_event.type);
	}
}

static void translate_exit(struct sys_vcpu *vcpu)
{
	switch (vcpu->kvm->exit_reason) {
	case KVM_EXIT_MMIO:
		exit_mmio(vcpu);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		exit_system(vcpu);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		kvm_vm_end_fatal(vcpu, QVM_FATAL_ENTRY,
				 vcpu->kvm->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		if (!kvm_arch_exit(vcpu))
			kvm_vm_end_fatal(vcpu, QVM_FATAL_EXIT, vcpu->kvm->exit_reason);
		break;
	}
}

int sys_vcpu_run(struct sys_vcpu *vcpu)
{
	struct sys_vm *vm = vcpu->vm;
	int error = 0;

	if (!vcpu->has_thread) {
		vcpu->thread = pthread_self();
		__atomic_store_n(&vcpu->has_thread, true, __ATOMIC_SEQ_CST);
	}
	if (complete_access(vcpu))
		return 0;
	error = kvm_arch_flush(vcpu);
	if (error)
		return error;
	if (!__atomic_load_n(&vm->ended, __ATOMIC_SEQ_CST)) {
		/* x86: a vCPU that waited for INIT and SIPI is told to come again. */
		do {
			error = kvm_call(vcpu->fd, KVM_RUN, NULL);
		} while (error == -EAGAIN);
		vcpu->user_exits++;
		if (error >= 0)
			translate_exit(vcpu);
	}
	if (__atomic_load_n(&vm->ended, __ATOMIC_SEQ_CST)) {
		vcpu->run = vm->end;
		return 0;
	}
	if (error == -EINTR)
		vcpu->run.exit_reason = QVM_EXIT_INTR;
	return error < 0 ? error : 0;
}

int sys_vcpu_stats(struct sys_vcpu *vcpu, struct qvm_vcpu_stats *stats)
{
	*stats = (struct qvm_vcpu_stats){
		.user_exits = vcpu->user_exits,
		.mmio_user = vcpu->mmio_user,
		.unclaimed = vcpu->unclaimed,
	};
	return 0;
}

/* KVM has no names. */
int sys_stat(struct sys *sys, struct qvm_stat *stat)
{
	(void)sys;
	(void)stat;
	return -ENOENT;
}

int sys_kick_signal(void)
{
	return SIGRTMIN;
}

/* ---- what KVM does not keep ---- */

int sys_next_vm(struct sys *sys, struct qvm_next_vm *next)
{
	(void)sys;
	(void)next;
	return -ENOENT;
}

int sys_vm_unclaimed(struct sys_vm *vm, struct qvm_unclaimed *unclaimed)
{
	(void)vm;
	(void)unclaimed;
	return -ENOTTY;
}

int sys_vcpu_trail(struct sys_vcpu *vcpu, struct qvm_vcpu_trail *trail)
{
	(void)vcpu;
	(void)trail;
	return -ENOTTY;
}

/* 64 bits are all that the benchmarks ask for. */
int sys_get_reg_pair(struct sys_vcpu *vcpu, uint64_t id, uint64_t value[2])
{
	value[1] = 0;
	return sys_get_reg(vcpu, id, value);
}
