/* SPDX-License-Identifier: GPL-2.0-only */
/* What only an x86 machine has: its in-kernel vdevs, and the registers at entry. */
#ifndef QVM_VM_X86_H
#define QVM_VM_X86_H

struct machine;
struct sys_vcpu;
struct sys_vm;

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

#endif
