/* SPDX-License-Identifier: GPL-2.0-only */
/* I/O APIC, 8259 pair, 8254: the board's vdevs behind QVM_VM_CREATE_VDEV. */
#ifndef QVM_X86_IRQCHIP_H
#define QVM_X86_IRQCHIP_H

#include <linux/types.h>

struct qvm_vm;
struct qvm_vcpu;

/*
 * Each puts itself on vm->bus or vm->ports and into vm->arch. VM mutex held, BUILDING. -EEXIST,
 * -EINVAL, -ERANGE, -ENOMEM as at QVM_VM_CREATE_VDEV. destroy: no vCPU runs; fine when absent.
 */
int vioapic_create(struct qvm_vm *vm, u64 base, u64 id, u64 gsi_base);
void vioapic_destroy(struct qvm_vm *vm);
int vpic_create(struct qvm_vm *vm, u64 master, u64 slave, u64 elcr);
void vpic_destroy(struct qvm_vm *vm);
int vpit_create(struct qvm_vm *vm, u64 base, u64 control, u64 pic_line, u64 ioapic_line);
void vpit_destroy(struct qvm_vm *vm);
/* No interrupt of it comes after this; no vCPU runs. vlapic_destroy() asks for it. */
void vpit_stop(struct qvm_vm *vm);

/* Drive a pin or input; no effect on a chip that is not there. Any context. */
void vioapic_set_pin(struct qvm_vm *vm, unsigned int pin, bool level);
void vpic_set_input(struct qvm_vm *vm, unsigned int input, bool level);

/* QVM_VM_SET_IRQ: both of them. -ENXIO: no chip has this GSI. */
int x86_set_gsi(struct qvm_vm *vm, u32 gsi, bool level);

/* As at qvm_arch_vm_set_resample(); only the I/O APIC tells of an end. */
int x86_set_resample(struct qvm_vm *vm, u32 gsi, bool on);
void vioapic_set_resample(struct qvm_vm *vm, unsigned int pin, bool on);

/* A level-triggered vector was EOIed on some vCPU: clear remote IRR, send again if still high. */
void vioapic_eoi(struct qvm_vm *vm, u8 vector);

/*
 * EOI-exit bitmap of @vcpu: vectors that an I/O APIC entry sends level-triggered (4 × u64); a
 * superset: to whomever. routes: a number that is another one after each change of an entry; a
 * message of the new entry comes after the change, and its kick after both, so that a look before
 * each entry of the guest suffices.
 */
void vioapic_eoi_exits(struct qvm_vm *vm, struct qvm_vcpu *vcpu, u64 bitmap[4]);
u32 vioapic_routes(const struct qvm_vm *vm);

/* The pair wants an interrupt taken (INTR line). Any context. */
bool vpic_has_pending(struct qvm_vm *vm);
/* INTA cycle: the vector, spurious ones included. The vCPU that takes ExtINT. */
u8 vpic_acknowledge(struct qvm_vm *vm);

#endif /* QVM_X86_IRQCHIP_H */
