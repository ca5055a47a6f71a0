// SPDX-License-Identifier: GPL-2.0-only
/* The seam over /dev/kvm: what only arm64 has. */
#include "sys_kvm.h"

#include <errno.h>
#include <unistd.h>

#include "arm64/qvm_reg.h"
#include "arm64/qvm_vdev.h"

#define REDIST_COUNT_SHIFT	52	/* KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION: its fields */
#define GIC_LINES_MAX		992	/* KVM takes multiples of 32 only */

const char sys_remedy[] = "boot this host without kvm-arm.mode=none";
const enum qvm_arch kvm_arch = QVM_ARCH_ARM64;

uint32_t kvm_arch_ipa_bits(struct sys *sys)
{
	int bits = kvm_call_value(sys->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	return bits > 0 ? (uint32_t)bits : 40;
}

/* Type 0 is 40 bits, which not every host has. */
unsigned long kvm_arch_vm_type(struct sys *sys, uint32_t ipa_bits)
{
	uint32_t most = kvm_arch_ipa_bits(sys);

	return ipa_bits ? ipa_bits : most < 40 ? most : 0;
}

int kvm_arch_create_vm(struct sys_vm *vm)
{
	(void)vm;
	return 0;
}

void kvm_arch_destroy_vm(struct sys_vm *vm)
{
	if (vm->gic_fd >= 0)
		close(vm->gic_fd);
}

static int gic_set(struct sys_vm *vm, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr request = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return kvm_call(vm->gic_fd, KVM_SET_DEVICE_ATTR, &request);
}

static int create_gic(struct sys_vm *vm, const struct qvm_create_vdev *vdev)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = vdev->param[QVM_GICV3_GICD];
	uint64_t redist = vdev->param[QVM_GICV3_GICR] | (uint64_t)vm->vcpu_max << REDIST_COUNT_SHIFT;
	uint32_t lines = vdev->param[QVM_GICV3_LINES] < GIC_LINES_MAX ?
			 (uint32_t)vdev->param[QVM_GICV3_LINES] : GIC_LINES_MAX;
	int error = kvm_call(vm->fd, KVM_CREATE_DEVICE, &device);

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

int kvm_arch_assemble(struct sys_vm *vm)
{
	/* Only now: KVM wants all vCPUs to exist. */
	return gic_set(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

struct kvm_irq_level kvm_arch_line(uint32_t line, bool level)
{
	return (struct kvm_irq_level){
		.irq = (uint32_t)KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | line,
		.level = level,
	};
}

uint32_t kvm_arch_gsi(uint32_t line)
{
	return line - 32;	/* SPIs alone */
}

int kvm_arch_create_vcpu(struct sys_vcpu *vcpu)
{
	struct kvm_vcpu_init init;
	int error = kvm_call(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init);

	if (error)
		return error;
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (vcpu->index > 0)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	return kvm_call(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
}

void kvm_arch_destroy_vcpu(struct sys_vcpu *vcpu)
{
	(void)vcpu;
}

void kvm_arch_refuse(struct sys_vcpu *vcpu)
{
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };

	kvm_call(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

int kvm_arch_flush(struct sys_vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

bool kvm_arch_exit(struct sys_vcpu *vcpu)
{
	if (vcpu->kvm->exit_reason != KVM_EXIT_ARM_NISV)
		return false;
	kvm_vm_end_fatal(vcpu, QVM_FATAL_STATE, vcpu->kvm->arm_nisv.esr_iss);
	return true;
}

bool kvm_arch_complete(struct sys_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}

uint64_t kvm_arch_pc(struct sys_vcpu *vcpu)
{
	uint64_t pc = 0;

	sys_get_reg(vcpu, QVM_REG_PC, &pc);
	return pc;
}

/* KVM's id of a register, or 0. */
static uint64_t kvm_reg(uint64_t id)
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
	/* the encoding has the same fields in the same bits */
	if ((id & ~0xffffULL) == QVM_REG_SYSTEM)
		return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG | (id & 0xffff);
	return 0;
}

static int one_reg(struct sys_vcpu *vcpu, unsigned long command, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg reg = { .id = kvm_reg(id), .addr = (uintptr_t)value };

	return reg.id ? kvm_call(vcpu->fd, command, &reg) : -ENOENT;
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
