/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the board's interrupt chips share. Each has one raw lock, interrupts off while it is held:
 *
 *	pit->lock > pic->lock, pit->lock > ioapic->lock
 *
 * Local APICs take none. Who changes a line under a lock of its own gathers the vCPUs to kick, and
 * kicks after it (vlapic_kick()). Holds are short whatever a guest does: 24 pins, 16 inputs.
 */
#ifndef QVM_X86_IRQCHIP_STATE_H
#define QVM_X86_IRQCHIP_STATE_H

#include <linux/types.h>

#include "core.h"
#include "irqchip.h"
#include "vlapic_state.h"

struct qvm_reg_table;

extern const struct qvm_reg_table vioapic_table;

#define IOAPIC_PINS		24
#define PIC_INPUTS		16
#define PORT_COUNT		0x10000

/* vioapic_set_pin(), vpic_set_input() without the kick. Any context. */
void vioapic_post_pin(struct qvm_vm *vm, unsigned int pin, bool level, u64 *kicks);
void vpic_post_input(struct qvm_vm *vm, unsigned int input, bool level, u64 *kicks);

/*
 * One byte of a port: what an access of len bytes is for devices of 8 bits. read and write
 * take an offset in the vdev.
 */
typedef u8 port_read_fn(struct qvm_vm *vm, unsigned int offset);
typedef void port_write_fn(struct qvm_vm *vm, unsigned int offset, u8 value);
u64 ports_read(struct qvm_vm *vm, port_read_fn *read, u64 offset, unsigned int len);
void ports_write(struct qvm_vm *vm, port_write_fn *write, u64 offset, unsigned int len, u64 value);

/* 0, or as at QVM_VM_CREATE_VDEV: @size ports from @port on are free on this board. */
int ports_check(const struct qvm_vm *vm, u64 port, u64 size);

#endif /* QVM_X86_IRQCHIP_STATE_H */
