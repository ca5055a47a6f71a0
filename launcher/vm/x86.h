/* SPDX-License-Identifier: GPL-2.0-only */
/* What only an x86 machine has: its in-kernel vdevs, and the registers at entry. */
#ifndef QVM_VM_X86_H
#define QVM_VM_X86_H

#include <stdbool.h>

struct core_cpu;
struct machine;
struct sys_vcpu;
struct sys_vm;
struct walk;

/*
 * Put those devices on the board that the module has: I/O APIC, 8259 pair, 8254, each if the
 * config names it. 0 or -errno, message printed.
 */
int x86_create_vdevs(const struct machine *machine, struct sys_vm *sys_vm);

/*
 * Set vCPU 0 as machine->x86.start says; what is not set stays as after reset. The others wait
 * for INIT and SIPI. 0 or -errno, message printed.
 */
int x86_set_entry(const struct machine *machine, struct sys_vcpu *vcpu);

/* As in vm/arm64.h. */
int x86_read_core(struct sys_vcpu *vcpu, struct core_cpu *cpu);
bool x86_read_paging(struct sys_vcpu *vcpu, struct walk *walk);
void x86_say_registers(struct sys_vcpu *vcpu, unsigned int index);

#endif
