// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seam of launcher/vm/sys.h over /dev/kvm on arm64: the same launcher, linked with this
 * file instead of launcher/vm/sys.c, boots the same config on the host's KVM. For comparison
 * only; of the policies it knows ignore and, as all else, the external abort.
 */
#include "vm/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arm64/qvm_reg.h"
#include "arm64/qvm_vdev.h"

#define REDIST_COUNT_SHIFT	52	/* KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION: its fields */
#define GIC_LINES_MAX		992	/* KVM takes multiples of 32 only */

struct sys {
	int fd;
};

struct sys_vm {
	int fd, gic_fd;
	size_t run_size;
	uint32_t vcpu_max, region_count;
	uint64_t pinned;
	bool ignore_references, assembled;
	struct sys_vcpu *vcpus[QVM_MAX_VCPUS];

	pthread_mutex_t lock;		/* end is written once, under it */
	bool ended;			/* atomic */
	struct qvm_run end;		/* what every vCPU returns from then on */
};

struct sys_vcpu {
	struct sys_vm *vm;
	int fd;
	uint32_t index;
	struct kvm_run *kvm;
	struct qvm_run run;
	bool access_pending;		/* the guest waits for the answer to run.mmio */
	pthread_t thread;
	bool has_thread;		/* atomic: thread is set */
	uint64_t user_exits, mmio_user, unclaimed;
};

const char sys_path[] = "/dev/kvm";
const char sys_remedy[] = "boot this host without kvm-arm.mode=none";

static int call(int fd, unsigned long command, void *arg)
{
	int value = ioctl(fd, command, arg);

	return value < 0 ? -errno : value;
}

static int call_value(int fd, unsigned long command, unsigned long arg)
{
	return call(fd, command, (void *)arg);
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
	int ipa_bits = call_value(sys->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	int vcpus = call_value(sys->fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	int run_size = call_value(sys->fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (run_size < 0)
		return run_size;
	*query = (struct qvm_query){
		.api_version = QVM_API_VERSION,
		.arch = QVM_ARCH_ARM64,
		.max_vcpus = vcpus > 0 && vcpus < QVM_MAX_VCPUS ? (uint32_t)vcpus : QVM_MAX_VCPUS,
		.ipa_bits = ipa_bits > 0 ? (uint32_t)ipa_bits : 40,
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
	/* Type 0 is 40 bits, which not every host has. */
	vm->fd = call_value(sys->fd, KVM_CREATE_VM,
			    create->ipa_bits ? create->ipa_bits : query.ipa_bits < 40 ? query.ipa_bits : 0);
	if (vm->fd < 0) {
		error = vm->fd;
		free(vm);
		return error;
	}
	vm->gic_fd = -1;
	vm->run_size = query.run_size;
	vm->vcpu_max = create->max_vcpus;
	pthread_mutex_init(&vm->lock, NULL);
	*out = vm;
	return 0;
}

void sys_destroy_vm(struct sys_vm *vm)
{
	if (!vm)
		return;
	if (vm->gic_fd >= 0)
		close(vm->gic_fd);
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
	int error = call(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot);

	if (error)
		return error;
	vm->region_count++;
	vm->pinned += region->size;
	return 0;
}

static int gic_set(struct sys_vm *vm, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr request = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return call(vm->gic_fd, KVM_SET_DEVICE_ATTR, &request);
}

static int create_gic(struct sys_vm *vm, const struct qvm_create_vdev *vdev)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = vdev->param[QVM_GICV3_GICD];
	uint64_t redist = vdev->param[QVM_GICV3_GICR] | (uint64_t)vm->vcpu_max << REDIST_COUNT_SHIFT;
	uint32_t lines = vdev->param[QVM_GICV3_LINES] < GIC_LINES_MAX ?
			 (uint32_t)vdev->param[QVM_GICV3_LINES] : GIC_LINES_MAX;
	int error = call(vm->fd, KVM_CREATE_DEVICE, &device);

	if (error)
		return error;
	vm->gic_fd = (int)device.fd;
	error = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	if (!error)
		error = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION,
				&redist);
	if (!error)
		error = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &lines);
	return error;
}

int sys_create_vdev(struct sys_vm *vm, const struct qvm_create_vdev *vdev)
{
	switch (vdev->type) {
	case QVM_VDEV_ARM64_GICV3:
		return create_gic(vm, vdev);
	case QVM_VDEV_ARM64_TIMER:
		/* KVM's timers are there from the start, on the PPIs that everyone uses. */
		return vdev->param[QVM_TIMER_VIRT] == 27 && vdev->param[QVM_TIMER_PHYS] == 30 ?
		       0 : -EINVAL;
	default:
		return -ENOENT;
	}
}

int sys_set_policy(struct sys_vm *vm, const struct qvm_vm_policy *policy)
{
	vm->ignore_references = policy->reference == QVM_POLICY_IGNORE;
	return 0;
}

int sys_assemble(struct sys_vm *vm)
{
	/* Only now: KVM wants all vCPUs to exist. */
	int error = gic_set(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);

	vm->assembled = error == 0;
	return error;
}

int sys_set_irq(struct sys_vm *vm, uint32_t line, bool level)
{
	struct kvm_irq_level irq = {
		.irq = (uint32_t)KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | line,
		.level = level,
	};

	return call(vm->fd, KVM_IRQ_LINE, &irq);
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

/* The VM ends once, for the first reason; all vCPUs leave the guest. */
static void vm_end(struct sys_vm *vm, const struct qvm_run *why)
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

	vm_end(vm, &why);
	return 0;
}

/* ---- vCPU ---- */

static int init_vcpu(struct sys_vcpu *vcpu)
{
	struct kvm_vcpu_init init;
	int error = call(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init);

	if (error)
		return error;
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (vcpu->index > 0)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	return call(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
}

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
	vcpu->fd = call_value(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0) {
		error = vcpu->fd;
		goto free_vcpu;
	}
	error = init_vcpu(vcpu);
	if (error)
		goto close_fd;
	vcpu->kvm = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->kvm == MAP_FAILED) {
		error = -errno;
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

/* Nobody's address: what the policy says. KVM finishes the access itself when it goes on. */
static void refuse_access(struct sys_vcpu *vcpu)
{
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };

	vcpu->unclaimed++;
	if (vcpu->vm->ignore_references)
		memset(vcpu->kvm->mmio.data, 0xff, sizeof(vcpu->kvm->mmio.data));
	else
		call(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

static void complete_access(struct sys_vcpu *vcpu)
{
	if (!vcpu->access_pending)
		return;
	vcpu->access_pending = false;
	if (vcpu->run.mmio.unclaimed)
		refuse_access(vcpu);
	else if (!vcpu->run.mmio.is_write)
		memcpy(vcpu->kvm->mmio.data, vcpu->run.mmio.data, sizeof(vcpu->run.mmio.data));
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

static void exit_fatal(struct sys_vcpu *vcpu, uint32_t cause, uint64_t syndrome)
{
	struct qvm_run why = { .exit_reason = QVM_EXIT_FATAL };
	uint64_t pc = 0;

	why.fatal.cause = cause;
	why.fatal.vcpu = vcpu->index;
	why.fatal.syndrome = syndrome;
	sys_get_reg(vcpu, QVM_REG_PC, &pc);
	why.fatal.pc = pc;
	vm_end(vcpu->vm, &why);
}

static void exit_system(struct sys_vcpu *vcpu)
{
	struct qvm_run why = { .exit_reason = QVM_EXIT_SYSTEM };

	why.system.vcpu = vcpu->index;
	switch (vcpu->kvm->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		why.system.event = QVM_SYSTEM_OFF;
		break;
	case KVM_SYSTEM_EVENT_RESET:
		why.system.event = QVM_SYSTEM_RESET;
		break;
	default:
		exit_fatal(vcpu, QVM_FATAL_STATE, vcpu->kvm->system_event.type);
		return;
	}
	vm_end(vcpu->vm, &why);
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
		exit_fatal(vcpu, QVM_FATAL_ENTRY,
			   vcpu->kvm->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_ARM_NISV:
		exit_fatal(vcpu, QVM_FATAL_STATE, vcpu->kvm->arm_nisv.esr_iss);
		break;
	default:
		exit_fatal(vcpu, QVM_FATAL_EXIT, vcpu->kvm->exit_reason);
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
	complete_access(vcpu);
	if (!__atomic_load_n(&vm->ended, __ATOMIC_SEQ_CST)) {
		error = call(vcpu->fd, KVM_RUN, NULL);
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

/* KVM's id of a core register, or 0. */
static uint64_t core_reg(uint64_t id)
{
	const uint64_t core = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE;

	if (id == QVM_REG_PC)
		return core | KVM_REG_ARM_CORE_REG(regs.pc);
	if (id == QVM_REG_PSTATE)
		return core | KVM_REG_ARM_CORE_REG(regs.pstate);
	if (id == QVM_REG_SP_EL0)
		return core | KVM_REG_ARM_CORE_REG(regs.sp);
	if (id >= QVM_REG_X(0) && id <= QVM_REG_X(30))
		return core | (KVM_REG_ARM_CORE_REG(regs.regs[0]) + 2 * (id - QVM_REG_X(0)));
	return 0;
}

static int one_reg(struct sys_vcpu *vcpu, unsigned long command, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg reg = { .id = core_reg(id), .addr = (uintptr_t)value };

	return reg.id ? call(vcpu->fd, command, &reg) : -ENOENT;
}

int sys_get_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	return one_reg(vcpu, KVM_GET_ONE_REG, id, value);
}

int sys_set_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t value)
{
	return one_reg(vcpu, KVM_SET_ONE_REG, id, &value);
}

int sys_set_reg_pair(struct sys_vcpu *vcpu, uint64_t id, uint64_t low, uint64_t high)
{
	return high ? -ENOENT : sys_set_reg(vcpu, id, low);
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

int sys_kick_signal(void)
{
	return SIGRTMIN;
}
