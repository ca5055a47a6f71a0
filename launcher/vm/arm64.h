/* SPDX-License-Identifier: GPL-2.0-only */
/* What only an arm64 machine has: its in-kernel vdevs, and the registers at entry. */
#ifndef QVM_VM_ARM64_H
#define QVM_VM_ARM64_H

#include <stdbool.h>

struct core_cpu;
struct machine;
struct sys_vcpu;
struct sys_vm;
struct walk;

/* Put the GICv3 and the generic timer on the board. 0 or -errno, message printed. */
int arm64_create_vdevs(const struct machine *machine, struct sys_vm *sys_vm);

/*
 * Set vCPU 0 as a boot loader would hand over to a kernel (Linux Documentation/arch/arm64/
 * booting.rst): EL1h, all interrupts masked, pc at the entry, the FDT's address in its
 * register. Refuses a kernel for pages that the CPU lacks (-EOPNOTSUPP). 0 or -errno, message printed.
 */
int arm64_set_entry(const struct machine *machine, struct sys_vcpu *vcpu);

/* Registers for a dump; cpu->system is allocated. 0 or -errno. */
int arm64_read_core(struct sys_vcpu *vcpu, struct core_cpu *cpu);
/* Where the tables of the guest's kernel are. False: its MMU is off. */
bool arm64_read_paging(struct sys_vcpu *vcpu, struct walk *walk);

/* Say the registers by log_error(), in a few lines. */
void arm64_say_registers(struct sys_vcpu *vcpu, unsigned int index);

#endif
