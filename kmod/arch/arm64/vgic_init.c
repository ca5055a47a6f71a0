// SPDX-License-Identifier: GPL-2.0-only
/* The virtual GIC: its life, and the state it wakes up with. */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "core.h"
#include "vgic.h"
#include "vgic_state.h"

#define GICD_SIZE		0x10000ULL
#define GICR_FRAME_SIZE		0x20000ULL
#define GIC_ALIGN		0x10000ULL

/*
 * IHI 0069 leaves most of this UNKNOWN at reset. Group 1, and SGIs enabled, is what firmware
 * leaves behind on boards, and what guests that start without firmware rely on.
 */
static void irq_reset(struct vgic_irq *irq, unsigned int intid, struct vgic_vcpu *target)
{
	irq->intid = intid;
	irq->group1 = true;
	irq->enabled = intid < VGIC_SGIS;
	irq->edge = intid < VGIC_SGIS;
	irq->target = target;
}

static bool lines_are_valid(u64 lines)
{
	return lines == VGIC_MAX_LINES ||
	       (lines >= 2 * VGIC_PRIVATE && lines < VGIC_MAX_LINES && lines % 32 == 0);
}

/* [base, base + size) is free on the board. */
static int range_check(const struct qvm_vm *vm, u64 base, u64 size)
{
	unsigned int i;

	if (base % GIC_ALIGN)
		return -EINVAL;
	if (base + size < base || base + size > BIT_ULL(vm->ipa_bits))
		return -ERANGE;
	if (qvm_bus_overlaps(&vm->bus, base, size))
		return -EEXIST;
	for (i = 0; i < vm->region_count; i++) {
		if (base < vm->region[i].gpa + vm->region[i].size &&
		    vm->region[i].gpa < base + size)
			return -EEXIST;
	}
	return 0;
}

static int vgic_check(const struct qvm_vm *vm, u64 gicd, u64 gicr, u64 lines)
{
	u64 gicr_size = vm->max_vcpus * GICR_FRAME_SIZE;
	int err;

	if (vm->arch.vgic)
		return -EEXIST;
	if (!vgic_host_cpuif || !lines_are_valid(lines) || vm->max_vcpus > VGIC_MAX_VCPUS)
		return -EINVAL;
	err = range_check(vm, gicd, GICD_SIZE);
	if (err)
		return err;
	err = range_check(vm, gicr, gicr_size);
	if (err)
		return err;
	/* settled here, so that the second registration can't fail after the first */
	if (gicd < gicr + gicr_size && gicr < gicd + GICD_SIZE)
		return -EEXIST;
	return vm->bus.count + 2 > QVM_MAX_VDEVS ? -EINVAL : 0;
}

static void vgic_free(struct vgic *vgic)
{
	unsigned int i;

	for (i = 0; i < VGIC_MAX_VCPUS; i++) {
		if (!vgic->vcpu[i])
			continue;
		kvfree(vgic->vcpu[i]->ready.bits);
		kvfree(vgic->vcpu[i]);
	}
	kvfree(vgic->spi);
	kvfree(vgic);
}

int qvm_vgic_create(struct qvm_vm *vm, u64 gicd, u64 gicr, u64 lines)
{
	struct vgic *vgic;
	unsigned int i;
	int err;

	err = vgic_check(vm, gicd, gicr, lines);
	if (err)
		return err;
	vgic = kvzalloc(sizeof(*vgic), GFP_KERNEL_ACCOUNT);
	if (!vgic)
		return -ENOMEM;
	raw_spin_lock_init(&vgic->lock);
	vgic->cpuif = vgic_host_cpuif;
	vgic->lines = lines;
	vgic->words = DIV_ROUND_UP(lines, 64);
	vgic->spi = kvcalloc(lines - VGIC_PRIVATE, sizeof(*vgic->spi), GFP_KERNEL_ACCOUNT);
	if (!vgic->spi) {
		vgic_free(vgic);
		return -ENOMEM;
	}
	vgic->dist.vgic = vgic;
	for (i = 0; i < VGIC_MAX_VCPUS; i++) {
		vgic->redist[i].vgic = vgic;
		vgic->redist[i].index = i;
	}
	err = vgic_mmio_register(vm, vgic, gicd, gicr);
	if (err) {
		vgic_free(vgic);
		return err;
	}
	vm->arch.vgic = vgic;
	return 0;
}

static struct vgic_vcpu *vgic_vcpu_alloc(struct vgic *vgic, struct qvm_vcpu *vcpu)
{
	const size_t bits = (size_t)VGIC_BUCKETS * vgic->words;
	struct vgic_vcpu *vgv = kvzalloc(sizeof(*vgv), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!vgv)
		return NULL;
	vgv->ready.bits = kvcalloc(2 * bits, sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!vgv->ready.bits) {
		kvfree(vgv);
		return NULL;
	}
	vgv->active.bits = vgv->ready.bits + bits;
	vgv->vgic = vgic;
	vgv->vcpu = vcpu;
	vgv->index = vcpu->index;
	vgv->asleep = true;
	for (i = 0; i < VGIC_PRIVATE; i++)
		irq_reset(&vgv->irq[i], i, vgv);
	return vgv;
}

int qvm_vgic_assemble(struct qvm_vm *vm)
{
	struct vgic *vgic = vm->arch.vgic;
	struct vgic_vcpu *vgv;
	unsigned int i;

	if (!vgic)
		return 0;
	for (i = 0; i < vm->max_vcpus; i++) {
		if (!vm->vcpu[i] || vgic->vcpu[i])
			continue;
		vgv = vgic_vcpu_alloc(vgic, vm->vcpu[i]);
		if (!vgv)
			return -ENOMEM;
		vgic->vcpu[i] = vgv;
		vgic->redist[i].owner = vgv;
		vgic->vcpu_end = i + 1;
	}
	vgic_find_any(vgic);
	for (i = VGIC_PRIVATE; i < vgic->lines; i++)
		irq_reset(&vgic->spi[i - VGIC_PRIVATE], i, vgic->vcpu[0]);
	for (i = 0; i < vgic->vcpu_end; i++) {
		if (vgic->vcpu[i])
			vm->vcpu[i]->arch.vgic = vgic->vcpu[i];
	}
	return 0;
}

void qvm_vgic_destroy(struct qvm_vm *vm)
{
	if (vm->arch.vgic)
		vgic_free(vm->arch.vgic);
	vm->arch.vgic = NULL;
}

void qvm_vgic_reset(struct qvm_vcpu *vcpu)
{
	struct vgic_vcpu *vgv = vcpu->arch.vgic;

	if (!vgv)
		return;
	vgv->cpu.vmcr = 0;
	memset(vgv->cpu.ap0r, 0, sizeof(vgv->cpu.ap0r));
	memset(vgv->cpu.ap1r, 0, sizeof(vgv->cpu.ap1r));
	memset(vgv->cpu.limit, 0, sizeof(vgv->cpu.limit));
}
