// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>

#include "move.h"
#include "operand.h"
#include "x86.h"

#define GUEST_PAGE	4096ULL

bool x86_move_decode(const struct qvm_vcpu *vcpu, const struct insn *insn, u64 rip, u64 gva,
		     u64 gpa, struct qvm_access *access)
{
	/* It is what the processor has just translated, and all of it. */
	if (operand_address(vcpu, insn, rip + insn->length) != gva ||
	    gpa % GUEST_PAGE + insn->mem_len > GUEST_PAGE)
		return false;
	*access = (struct qvm_access){
		.gpa = gpa, .len = insn->mem_len, .is_write = insn->to_mem,
		.data = insn->to_mem ? read_source(vcpu, insn) : 0,
	};
	return true;
}

#define IO(_len, _out)	{							\
	.op = INSN_MOV, .reg = GPR_RAX, .reg_len = (_len), .mem_len = (_len), .to_mem = (_out) \
}

const struct insn x86_io_insn[4][2] = {
	[0] = { IO(1, true), IO(1, false) },
	[1] = { IO(2, true), IO(2, false) },
	[3] = { IO(4, true), IO(4, false) },
};

void x86_move_load(struct qvm_vcpu *vcpu, const struct insn *insn, u64 data)
{
	data = mask_len(data, insn->mem_len);
	if (insn->op == INSN_MOVSX)
		data = sign_extend64(data, 8 * insn->mem_len - 1);
	write_reg(vcpu, insn, data);
}

enum exit_action x86_move(struct qvm_vcpu *vcpu, const struct insn *insn,
			  const struct qvm_access *access, u64 next_rip)
{
	vcpu->arch.move.insn = insn;
	vcpu->arch.move.next_rip = next_rip;
	return qvm_exit_access(vcpu, access);
}

enum exit_action x86_move_complete(struct qvm_vcpu *vcpu, const struct qvm_access *access,
				   u64 data)
{
	if (!access->is_write)
		x86_move_load(vcpu, vcpu->arch.move.insn, data);
	vcpu->arch.move.insn = NULL;
	x86_skip_to(vcpu, vcpu->arch.move.next_rip);
	return EXIT_RESUME;
}
