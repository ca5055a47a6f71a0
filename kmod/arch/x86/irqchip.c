// SPDX-License-Identifier: GPL-2.0-only
/* What I/O APIC, 8259 pair and 8254 have in common, and the GSIs that reach them. */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "irqchip_state.h"

int x86_set_gsi(struct qvm_vm *vm, u32 gsi, bool level)
{
	bool has_pin = vm->arch.ioapic && gsi < IOAPIC_PINS;
	bool has_input = vm->arch.pic && gsi < PIC_INPUTS;
	u64 kicks = 0;

	if (!has_pin && !has_input)
		return -ENXIO;
	if (has_input)
		vpic_post_input(vm, gsi, level, &kicks);
	if (has_pin)
		vioapic_post_pin(vm, gsi, level, &kicks);
	vlapic_kick(vm, kicks, NULL);
	return 0;
}

int x86_set_resample(struct qvm_vm *vm, u32 gsi, bool on)
{
	bool has_pin = vm->arch.ioapic && gsi < IOAPIC_PINS;

	if (!has_pin && (on || !vm->arch.pic || gsi >= PIC_INPUTS))
		return -ENXIO;
	if (has_pin)
		vioapic_set_resample(vm, gsi, on);
	return 0;
}

int ports_check(const struct qvm_vm *vm, u64 port, u64 size)
{
	if (port % size)
		return -EINVAL;
	if (port >= PORT_COUNT)
		return -ERANGE;
	return qvm_bus_overlaps(&vm->ports, port, size) ? -EEXIST : 0;
}

u64 ports_read(struct qvm_vm *vm, port_read_fn *read, u64 offset, unsigned int len)
{
	unsigned int i;
	u64 value = 0;

	for (i = 0; i < len; i++)
		value |= (u64)read(vm, offset + i) << (8 * i);
	return value;
}

void ports_write(struct qvm_vm *vm, port_write_fn *write, u64 offset, unsigned int len, u64 value)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		write(vm, offset + i, value >> (8 * i));
}
