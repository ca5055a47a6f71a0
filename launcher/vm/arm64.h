/* SPDX-License-Identifier: GPL-2.0-only */
/* What only an arm64 machine has: its in-kernel vdevs, and the registers at entry. */
#ifndef QVM_VM_ARM64_H
#define QVM_VM_ARM64_H

struct machine;
struct sys_vcpu;
struct sys_vm;

/* Put the GICv3 and the generic timer on the board. 0 or -errno, message printed. */
int arm64_create_vdevs(const struct machine *machine, struct sys_vm *sys_vm);

/*
 * Set vCPU 0 as a boot loader would hand over to a kernel (Linux Documentation/arch/arm64/
 * booting.rst): EL1h, all interrupts masked, pc at the entry, the FDT's address in its
 * register. 0 or -errno, message printed.
 */
int arm64_set_entry(const struct machine *machine, struct sys_vcpu *vcpu);

#endif
