/* SPDX-License-Identifier: GPL-2.0-only */
/* All vCPUs outside the guest for a while. */
#ifndef QVM_VM_PAUSE_H
#define QVM_VM_PAUSE_H

#include "vm/vcpu.h"
#include "vm/vm.h"

/*
 * Keep every vCPU out of the guest until vm_resume(), which has to follow whatever this returns.
 * What a device does by itself goes on. Any thread but one that has paused already; one
 * at a time, others wait. 0, or -ETIMEDOUT: one did not come out, and the VM ends
 * in a safe state for it.
 */
int vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/*
 * For vCPU threads, around each stay in the guest. enter: wait while there is a pause.
 */
void pause_wait(struct vcpu *vcpu);	/* of pause_enter(): it is inside, there is a pause */

static inline void pause_enter(struct vcpu *vcpu)
{
	/* Either we see the pause, or vm_pause() sees us inside: both are in one order. */
	__atomic_store_n(&vcpu->inside, true, __ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&vcpu->vm->paused, __ATOMIC_SEQ_CST), false))
		pause_wait(vcpu);
}

static inline void pause_leave(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->inside, false, __ATOMIC_RELEASE);
}

#endif
