// SPDX-License-Identifier: GPL-2.0-only
#include "vm/arm64.h"

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

int arm64_set_entry(const struct machine *machine, struct sys_vcpu *vcpu)
{
	int error = sys_set_reg(vcpu, QVM_REG_PC, machine->entry);

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
