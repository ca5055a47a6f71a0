/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of devices: where the device API reaches into a VM, and there is none. */
#ifndef UNIT_NO_VM_H
#define UNIT_NO_VM_H

#include <stdlib.h>

#include "machine/machine.h"
#include "vm/vm.h"

#ifndef NO_VM_BUT_POWER		/* the test has its own */
void vm_power_event(struct vm *vm, bool reset)
{
	(void)vm;
	(void)reset;
}
#endif

void vm_guest_exit(struct vm *vm, int status)
{
	(void)vm;
	(void)status;
}

void vm_device_error(struct vm *vm, const char *device, const char *what)
{
	(void)vm;
	(void)device;
	(void)what;
}

void vm_stop(struct vm *vm, enum status status)
{
	(void)vm;
	(void)status;
}

bool vm_settle(struct vm *vm, enum status status)
{
	(void)vm;
	(void)status;
	return true;
}

#ifndef NO_VM_BUT_MEMORY
const struct memory *machine_find_memory(const struct machine *m, uint64_t gpa, uint64_t size)
{
	(void)m;
	(void)gpa;
	(void)size;
	return NULL;
}
#endif

int vm_add_doorbell(struct vm *vm, uint64_t addr, bool port, int eventfd)
{
	(void)vm;
	(void)addr;
	(void)port;
	(void)eventfd;
	return 0;
}

__attribute__((weak)) int device_post(struct device *dev, uint64_t offset)
{
	(void)dev;
	(void)offset;
	return -1;
}

void vm_set_irq(struct vm *vm, uint32_t line, bool level)
{
	(void)vm;
	(void)line;
	(void)level;
	abort();	/* there is no VM */
}

#endif
