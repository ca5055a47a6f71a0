/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for kmod/core.h: as much of a VM and a vCPU as the virtual GIC looks at. */
#ifndef FAKE_VGIC_CORE_H
#define FAKE_VGIC_CORE_H

#include <linux/types.h>

#include "vdev/bus.h"

struct vgic;
struct vgic_vcpu;

struct qvm_mem {
	u64 gpa, size;
	u32 kind;
};

struct qvm_vm {
	u32 max_vcpus, ipa_bits;
	unsigned int region_count;
	struct qvm_mem region[2];
	struct qvm_vcpu **vcpu;
	struct qvm_bus bus;
	struct {
		struct vgic *vgic;
	} arch;
};

struct qvm_vcpu {
	struct qvm_vm *vm;
	u32 index;
	bool loaded;
	struct {
		u64 mpidr;
		struct vgic_vcpu *vgic;
	} arch;
};

void qvm_vcpu_kick(struct qvm_vcpu *vcpu);

/* Lines of whose end it was told, and the last of them. */
extern struct fake_ended { unsigned int count, line; } fake_ended;

void qvm_irqfd_ended(struct qvm_vm *vm, u32 line);

#endif
