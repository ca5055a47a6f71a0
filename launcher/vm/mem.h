/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory: allocated here, pinned and mapped by the module. */
#ifndef QVM_VM_MEM_H
#define QVM_VM_MEM_H

#include <stdint.h>

struct machine;
struct sys_vm;

/*
 * Allocate every RAM and ROM of the machine (memory[].hva), zeroed, placed so that 2 MiB blocks
 * can map it. All or nothing. 0 or -errno, message printed.
 */
int mem_create(struct machine *machine);
/* Free what mem_create() allocated; fine without it. */
void mem_destroy(struct machine *machine);

/* Hand each one to the VM as a region. 0 or -errno, message printed. */
int mem_map(const struct machine *machine, struct sys_vm *sys_vm);

/* Address after the highest byte of guest memory. */
uint64_t mem_end(const struct machine *machine);

#endif
