/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for kmod/core.h: as much of a VM and a vCPU as x86's interrupt chips look at. */
#ifndef FAKE_X86_CORE_H
#define FAKE_X86_CORE_H

#include <linux/atomic.h>
#include <linux/types.h>

#include <qvm.h>

#include "arch_types.h"
#include "vdev/bus.h"

struct qvm_mem {
	u64 gpa, size;
	u32 kind;
};

enum vcpu_power { VCPU_OFF, VCPU_STARTING, VCPU_ON_PENDING, VCPU_ON };

struct qvm_vm {
	u32 max_vcpus, ipa_bits;
	unsigned int region_count;
	struct qvm_mem region[2];
	struct qvm_vcpu **vcpu;
	struct qvm_bus bus, ports;
	atomic_t state;
	struct qvm_vm_arch arch;
};

struct qvm_vcpu {
	struct qvm_vm *vm;
	u32 index;
	atomic_t power;
	struct qvm_vcpu_arch arch;
};

static inline enum qvm_vm_state qvm_vm_state(const struct qvm_vm *vm)
{
	return (enum qvm_vm_state)atomic_read(&vm->state);
}

void qvm_vcpu_kick(struct qvm_vcpu *vcpu);

/* Lines of whose end it was told, and the last of them. */
extern struct fake_ended { unsigned int count, line; } fake_ended;

void qvm_irqfd_ended(struct qvm_vm *vm, u32 line);

#endif
