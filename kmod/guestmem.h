/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory as the module reads and writes it: through the stage-2 leaves and the
 * kernel's own mapping of the pinned pages. So it is what the guest sees whatever the launcher
 * has done to its address space meanwhile, and nothing can fault or wait for user space.
 *
 * The VM is assembled; process context, vm->s2_lock not held, a thread of vm->mm. RAM is coherent
 * with a guest that has its caches on.
 */
#ifndef QVM_GUESTMEM_H
#define QVM_GUESTMEM_H

#include "core.h"

/*
 * Copy @len bytes, each once; 2, 4 and 8 aligned bytes at once, as a CPU does. -EFAULT: not all of
 * it is in regions (for a write: of RAM); what comes before may have been copied.
 */
int qvm_guest_read(struct qvm_vm *vm, u64 gpa, void *buf, unsigned int len);
int qvm_guest_write(struct qvm_vm *vm, u64 gpa, const void *buf, unsigned int len);

/*
 * Where the kernel has @len bytes that can be read, or NULL: not all of them are in one block. Good
 * until the next qvm_arch_s2_flush_vm(), which an architecture has to see to by itself.
 */
const void *qvm_guest_pointer(struct qvm_vm *vm, u64 gpa, unsigned int len);

/* Atomically @old to @new. -EAGAIN: it is not @old; -EFAULT: no RAM, or @gpa is not aligned. */
int qvm_guest_cmpxchg32(struct qvm_vm *vm, u64 gpa, u32 old, u32 new);
int qvm_guest_cmpxchg64(struct qvm_vm *vm, u64 gpa, u64 old, u64 new);

#endif /* QVM_GUESTMEM_H */
