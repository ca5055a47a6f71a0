/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switches of hardware tasks (SDM vol. 3 ch. 7), which VMX leaves to the hypervisor (25.4.2). Outside
 * of IA-32e mode, where there are none.
 */
#ifndef QVM_X86_TASK_H
#define QVM_X86_TASK_H

#include "core.h"

enum x86_task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };

struct x86_task_switch {
	u16 selector;			/* of the new TSS */
	enum x86_task_source source;	/* TASK_GATE: an event, by the IDT */
	bool is_external;		/* the event is no instruction: EXT in error codes */
	bool has_error;			/* the event has an error code, for the new stack */
	u32 error;
	u32 return_eip;			/* where the old task goes on */
};

/*
 * Do it. Faults are injected: before the switch is committed in the old task, after it in the new
 * one. The vCPU's own thread at tier 1; no event is pending for injection.
 */
enum exit_action x86_task_switch(struct qvm_vcpu *vcpu, const struct x86_task_switch *task);

#endif /* QVM_X86_TASK_H */
