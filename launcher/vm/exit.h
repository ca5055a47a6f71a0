/* SPDX-License-Identifier: GPL-2.0-only */
/* What a vCPU thread does with an exit that reached user space. */
#ifndef QVM_VM_EXIT_H
#define QVM_VM_EXIT_H

struct qvm_run;
struct vcpu;

enum exit_action {
	EXIT_RESUME,	/* enter the guest again */
	EXIT_LEAVE,	/* the VM has ended and its status is settled: end the thread */
};

/* Answer the exit of the run page @run. In the vCPU's thread. */
enum exit_action exit_handle(struct vcpu *vcpu, struct qvm_run *run);

#endif
