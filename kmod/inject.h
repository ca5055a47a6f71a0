/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors that no guest can cause, for tests of what the module does about them. Only a module that
 * was built with QVM_INJECT=1 has them; parameter inject=CAUSE:VM (the VM's name), writable:
 * the next exit of that VM meets the error. A cause may have numbers: inject="vmcs FIELD VALUE:VM".
 * Parameter entry_delay=MICROSECONDS: each entry takes longer where a kick could be lost.
 */
#ifndef QVM_INJECT_H
#define QVM_INJECT_H

#include <linux/types.h>

struct qvm_vcpu;

enum qvm_inject {
	QVM_INJECT_ENTRY,	/* the hardware refuses to enter the guest */
	QVM_INJECT_EXIT,	/* an exit with a reason that does not exist */
	QVM_INJECT_SERROR,	/* the memory system reports an error */
	QVM_INJECT_MEMORY,	/* guest memory can't be reached */
	QVM_INJECT_DEAF,	/* the vCPU stays in the guest in spite of kicks, 30 s at most */
	QVM_INJECT_VMCS,	/* x86: a field of the VMCS has a value that the hardware refuses */
	QVM_INJECT_COUNT,
};

struct qvm_injection {
	enum qvm_inject cause;
	u64 arg[2];
};

#ifdef QVM_INJECT
/* The vCPU has left the guest: what it met may become something else. Process context, loaded. */
void qvm_inject_exit(struct qvm_vcpu *vcpu);

/* Nobody has asked anything of this vCPU: time for that, before it is in the guest. Interrupts off. */
void qvm_inject_entry(void);
#else
static inline void qvm_inject_entry(void)
{
}

static inline void qvm_inject_exit(struct qvm_vcpu *vcpu)
{
}
#endif

#endif /* QVM_INJECT_H */
