/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Posted writes: what the guest has written to a device (device_post()) and left in its vCPU's ring
 * (uapi/qvm_run.h). Its own thread takes them whenever it is out of the guest, before anything else;
 * another vCPU's thread before an access to a device that has such writes.
 */
#ifndef QVM_VM_POST_H
#define QVM_VM_POST_H

#include <stdbool.h>

#include "qvm_run.h"

struct vcpu;
struct vm;

/* Do all writes that wait in the vCPU's ring. Any thread; one that does it already is waited for. */
void post_take(struct vcpu *vcpu);
/* The same for all vCPUs. */
void post_take_all(struct vm *vm);

static inline bool post_is_empty(const struct qvm_run *run)
{
	return __atomic_load_n(&run->posted.head, __ATOMIC_RELAXED) ==
	       __atomic_load_n(&run->posted.tail, __ATOMIC_RELAXED);
}

#endif
