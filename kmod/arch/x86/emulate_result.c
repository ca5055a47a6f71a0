// SPDX-License-Identifier: GPL-2.0-only
/* What an instruction makes of its operands (SDM vol. 2): the result, registers, flags, a string's indices. */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <asm/processor-flags.h>

#include "emulate_state.h"
#include "operand.h"
#include "x86.h"

unsigned int x86_stack_width(struct qvm_vcpu *vcpu)
{
	struct x86_segment ss;

	if (x86_code_mode(vcpu) == 8)
		return 8;
	x86_get_segment(vcpu, SEG_SS, &ss);
	return ss.rights & BIT(14) ? 4 : 2;
}

void x86_emulate_compute(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	const struct insn *insn = &st->insn;
	u64 mem = st->src.data, reg = read_source(vcpu, insn);

	switch (insn->op) {
	case INSN_CMPS:
		st->rflags = x86_get_rflags(vcpu);
		insn_compute(insn, mem, st->dst.data, &st->rflags);
		break;
	case INSN_MOV:
	case INSN_STOS:
	case INSN_XCHG:
		st->dst.data = reg;
		break;
	case INSN_MOVS:
	case INSN_INS:
	case INSN_OUTS:
	case INSN_PUSH:
	case INSN_POP:
		st->dst.data = mem;
		break;
	case INSN_MOVZX:
	case INSN_MOVSX:
	case INSN_LODS:
		break;
	case INSN_CMPXCHG:
		st->rflags = x86_get_rflags(vcpu);
		insn_compute(insn, read_gpr(vcpu, GPR_RAX, insn->mem_len), mem, &st->rflags);
		/* one that does not match is written, too: what it was */
		st->dst.data = st->rflags & X86_EFLAGS_ZF ? reg : mem;
		break;
	default:
		st->rflags = x86_get_rflags(vcpu);
		st->result = insn_compute(insn, insn->to_mem ? mem : reg,
					  insn->to_mem ? reg : mem, &st->rflags);
		st->dst.data = st->result;
	}
	st->computed = true;
}

static void step_index(struct qvm_vcpu *vcpu, unsigned int reg, const struct insn *insn)
{
	s64 step = x86_get_rflags(vcpu) & X86_EFLAGS_DF ? -insn->mem_len : insn->mem_len;

	write_gpr(vcpu, reg, vcpu->arch.regs.gpr[reg] + step, insn->addr_len);
}

/* REPE and REPNE end by what was compared; the flags are in place. */
static bool has_found(struct qvm_vcpu *vcpu, const struct insn *insn)
{
	bool equal = x86_get_rflags(vcpu) & X86_EFLAGS_ZF;

	if (insn->op != INSN_SCAS && insn->op != INSN_CMPS)
		return false;
	return equal != (insn->rep == REP_EQUAL);
}

bool x86_emulate_step(struct qvm_vcpu *vcpu, const struct insn *insn)
{
	if (insn_uses_rsi(insn))
		step_index(vcpu, GPR_RSI, insn);
	if (insn_uses_rdi(insn))
		step_index(vcpu, GPR_RDI, insn);
	if (!insn->rep)
		return true;
	write_gpr(vcpu, GPR_RCX, vcpu->arch.regs.gpr[GPR_RCX] - 1, insn->addr_len);
	return !read_gpr(vcpu, GPR_RCX, insn->addr_len) || has_found(vcpu, insn);
}

static void step_stack(struct qvm_vcpu *vcpu, const struct insn *insn)
{
	s64 step = insn->op == INSN_PUSH ? -insn->mem_len : insn->mem_len;

	write_gpr(vcpu, GPR_RSP, vcpu->arch.regs.gpr[GPR_RSP] + step, x86_stack_width(vcpu));
}

void x86_emulate_write(struct qvm_vcpu *vcpu, const struct x86_insn_state *st)
{
	const struct insn *insn = &st->insn;

	switch (insn->op) {
	case INSN_MOV:
		if (insn->to_mem)
			break;
		fallthrough;
	case INSN_MOVZX:
	case INSN_LODS:
	case INSN_XCHG:
		write_reg(vcpu, insn, st->src.data);
		break;
	case INSN_MOVSX:
		write_reg(vcpu, insn, sign_extend64(st->src.data, 8 * insn->mem_len - 1));
		break;
	case INSN_STOS:
	case INSN_MOVS:
	case INSN_INS:
	case INSN_OUTS:
		break;
	case INSN_PUSH:
	case INSN_POP:
		step_stack(vcpu, insn);
		break;
	case INSN_CMPS:
		x86_set_rflags(vcpu, st->rflags);
		break;
	case INSN_XADD:
		write_reg(vcpu, insn, st->src.data);
		x86_set_rflags(vcpu, st->rflags);
		break;
	case INSN_CMPXCHG:
		if (!(st->rflags & X86_EFLAGS_ZF))
			write_gpr(vcpu, GPR_RAX, st->src.data, insn->mem_len);
		x86_set_rflags(vcpu, st->rflags);
		break;
	case INSN_SCAN:
		/* a search that finds nothing leaves all of the register, of 32 bits too */
		if (st->src.data || insn->op2 >= SCAN_COUNT_TRAILING)
			write_reg(vcpu, insn, st->result);
		x86_set_rflags(vcpu, st->rflags);
		break;
	default:
		if (!insn->to_mem && insn->op != INSN_CMP && insn->op != INSN_SCAS)
			write_reg(vcpu, insn, st->result);
		x86_set_rflags(vcpu, st->rflags);
	}
}
