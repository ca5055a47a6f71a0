/* SPDX-License-Identifier: GPL-2.0-only */
/* An instruction on its way: emulate.c makes its accesses, emulate_result.c has what comes of them. */
#ifndef QVM_X86_EMULATE_STATE_H
#define QVM_X86_EMULATE_STATE_H

#include "decode.h"
#include "emulate.h"

struct transfer {
	u64 gpa[2];		/* of its first byte, and of the second page's first; or the port */
	u64 data;
	u8 len;			/* bytes; 0: no transfer */
	u8 split;		/* bytes in the first page */
	u8 done;
	bool is_port;
};

struct x86_insn_state {
	struct insn insn;
	struct transfer src, dst;
	u64 next_rip;
	u64 result, rflags;	/* for the end, of arithmetic */
	bool computed;
	bool running;		/* run() is below us on the stack: completion returns to it */
	bool answered;		/* the access that run() has made is complete */
	bool told;		/* one unknown instruction has been logged */
	struct x86_mmio known;	/* translation that the exit brought */
	u8 count;
	u8 bytes[X86_INSN_MAX];
};

/* All is read, nothing written yet: what goes to memory and to registers. No register changes. */
void x86_emulate_compute(struct qvm_vcpu *vcpu, struct x86_insn_state *st);
/* All is written: registers and flags, but for a string's indices. */
void x86_emulate_write(struct qvm_vcpu *vcpu, const struct x86_insn_state *st);
/* Behind that, of a string instruction: its indices and count. True: that was the last element. */
bool x86_emulate_step(struct qvm_vcpu *vcpu, const struct insn *insn);
/* Bytes of the stack pointer: of SS its B flag (SDM vol. 1 6.2.3). */
unsigned int x86_stack_width(struct qvm_vcpu *vcpu);

#endif /* QVM_X86_EMULATE_STATE_H */
