/* SPDX-License-Identifier: GPL-2.0-only */
/* All vCPUs outside the guest for a while. */
#ifndef QVM_VM_PAUSE_H
#define QVM_VM_PAUSE_H

struct vcpu;
struct vm;

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
void pause_enter(struct vcpu *vcpu);
void pause_leave(struct vcpu *vcpu);

#endif
