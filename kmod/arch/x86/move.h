/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that make one access and are known beforehand: IN, OUT, and the moves of
 * insn_cache.h. The short way beside emulate.h's, and its twin in what it does.
 */
#ifndef QVM_X86_MOVE_H
#define QVM_X86_MOVE_H

#include "decode.h"
#include "emulate.h"

/*
 * The access that @insn at @rip made, whose addresses are as the processor reported them; its
 * direction is right. False: that is for emulate.h. 64-bit mode.
 */
bool x86_move_decode(const struct qvm_vcpu *vcpu, const struct insn *insn, u64 rip, u64 gva,
		     u64 gpa, struct qvm_access *access);

/* By bytes - 1 and whether it is IN: moves between a port and the accumulator. */
extern const struct insn x86_io_insn[4][2];

/* The same of IN and OUT, of 1, 2 or 4 bytes. */
static inline const struct insn *x86_move_io(const struct qvm_vcpu *vcpu, u16 port,
					     unsigned int len, bool in,
					     struct qvm_access *access)
{
	*access = (struct qvm_access){
		.gpa = port, .len = len, .is_write = !in, .is_port = true,
		.data = in ? 0 : vcpu->arch.regs.gpr[GPR_RAX] & (u32)-1 >> (32 - 8 * len),
	};
	return &x86_io_insn[(len - 1) & 3][in];
}

/* What is read gets into the register. */
void x86_move_load(struct qvm_vcpu *vcpu, const struct insn *insn, u64 data);

/* Tier 1: make @access of @insn, which stays, and go on at @next_rip: perhaps after user space. */
enum exit_action x86_move(struct qvm_vcpu *vcpu, const struct insn *insn,
			  const struct qvm_access *access, u64 next_rip);

/* The same of vcpu->mmio, which is user space's: qvm_exit_is_users(). */
static inline enum exit_action x86_move_user(struct qvm_vcpu *vcpu, const struct insn *insn,
					     u64 rip, u64 next_rip)
{
	vcpu->arch.move.insn = insn;
	vcpu->arch.move.next_rip = next_rip;
	return qvm_exit_user(vcpu, rip);
}

/* For qvm_arch_complete_access(): what one of these has under way is done. */
enum exit_action x86_move_complete(struct qvm_vcpu *vcpu, const struct qvm_access *access,
				   u64 data);

#endif /* QVM_X86_MOVE_H */
