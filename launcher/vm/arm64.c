// SPDX-License-Identifier: GPL-2.0-only
#include "vm/arm64.h"

#include <errno.h>
#include <string.h>

#include "arm64/qvm_reg.h"
#include "arm64/qvm_vdev.h"
#include "machine/machine.h"
#include "util/log.h"
#include "vm/sys.h"

#define PPI_TIMER_VIRT	27	/* as every Arm board has them: BSA, PPI assignments */
#define PPI_TIMER_PHYS	30
#define PSTATE_EL1H	0x5	/* Arm ARM C5.2.19, SPSR_EL2.M */
#define PSTATE_DAIF	0x3c0
#define SYS_ID_AA64MMFR0	QVM_REG_SYS(3, 0, 0, 7, 0)
#define FDT_REGS	4	/* x0 … x3 are defined at entry */

static int create_vdev(struct sys_vm *sys_vm, const struct qvm_create_vdev *vdev,
		       const struct origin *origin, const char *name)
{
	int error = sys_create_vdev(sys_vm, vdev);

	if (error)
		log_at(origin, name, "the VM refuses it: %s", strerror(-error));
	return error;
}

int arm64_create_vdevs(const struct machine *machine, struct sys_vm *sys_vm)
{
	const struct qvm_create_vdev gic = {
		.type = QVM_VDEV_ARM64_GICV3,
		.param = {
			[QVM_GICV3_GICD] = machine->gic.gicd,
			[QVM_GICV3_GICR] = machine->gic.gicr,
			[QVM_GICV3_LINES] = machine->gic.lines,
		},
	};
	const struct qvm_create_vdev timer = {
		.type = QVM_VDEV_ARM64_TIMER,
		.param = {
			[QVM_TIMER_VIRT] = PPI_TIMER_VIRT,
			[QVM_TIMER_PHYS] = PPI_TIMER_PHYS,
		},
	};
	int error = create_vdev(sys_vm, &gic, &machine->gic.origin, "gic");

	return error ? error : create_vdev(sys_vm, &timer, &machine->gic.origin, "timer");
}

/*
 * Does the CPU have the pages that the kernel is built for? Linux without them waits in a loop at its
 * entry, and says nothing. Arm ARM D19.2, ID_AA64MMFR0_EL1.TGran*: 4-bit fields.
 */
static int check_pages(const struct image *image, struct sys_vcpu *vcpu)
{
	static const struct {
		unsigned int page_kib, shift, absent;
	} granules[] = { { 4, 28, 0xf }, { 16, 20, 0 }, { 64, 24, 0xf } };
	uint64_t mmfr0;
	int error = sys_get_reg(vcpu, SYS_ID_AA64MMFR0, &mmfr0);

	if (error)
		log_error("the VM's vCPU does not say which pages it has: %s", strerror(-error));
	for (size_t i = 0; !error && i < sizeof(granules) / sizeof(granules[0]); i++) {
		if (granules[i].page_kib != image->page_kib ||
		    (mmfr0 >> granules[i].shift & 0xf) != granules[i].absent)
			continue;
		log_at(&image->origin, image->key, "%s is built for %u KiB pages, which this host's CPUs "
		       "don't have; take one for 4 KiB pages", image->path, image->page_kib);
		error = -EOPNOTSUPP;
	}
	return error;
}

static int check_images(const struct machine *machine, struct sys_vcpu *vcpu)
{
	int error = 0;

	for (size_t i = 0; !error && i < machine->image_count; i++)
		error = check_pages(&machine->image[i], vcpu);
	return error;
}

int arm64_set_entry(const struct machine *machine, struct sys_vcpu *vcpu)
{
	int error = check_images(machine, vcpu);

	if (error)
		return error;
	error = sys_set_reg(vcpu, QVM_REG_PC, machine->entry);
	if (!error)
		error = sys_set_reg(vcpu, QVM_REG_PSTATE, PSTATE_EL1H | PSTATE_DAIF);
	for (int i = 0; !error && i < FDT_REGS; i++)
		error = sys_set_reg(vcpu, QVM_REG_X(i), 0);
	if (!error && machine->fdt_wanted)
		error = sys_set_reg(vcpu, QVM_REG_X(machine->fdt_reg), machine->fdt_gpa);
	if (error)
		log_error("can't set the registers of vCPU 0: %s", strerror(-error));
	return error;
}
