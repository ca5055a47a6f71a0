/* SPDX-License-Identifier: GPL-2.0-only */
/* Register operands of decoded instructions. */
#ifndef QVM_X86_OPERAND_H
#define QVM_X86_OPERAND_H

#include <linux/bits.h>

#include "core.h"
#include "decode.h"

static inline u64 read_gpr(const struct qvm_vcpu *vcpu, unsigned int reg, unsigned int len)
{
	return mask_len(vcpu->arch.regs.gpr[reg], len);
}

/* 4 bytes clear the upper half, 1 and 2 leave the rest alone. */
static inline void write_gpr(struct qvm_vcpu *vcpu, unsigned int reg, u64 value, unsigned int len)
{
	u64 *gpr = &vcpu->arch.regs.gpr[reg];
	u64 keep = len >= 4 ? 0 : *gpr & ~mask_len(U64_MAX, len);

	*gpr = keep | mask_len(value, len);
}

static inline u64 read_reg(const struct qvm_vcpu *vcpu, const struct insn *insn)
{
	u64 gpr = vcpu->arch.regs.gpr[insn->reg];

	return mask_len(insn->reg_high ? gpr >> 8 : gpr, insn->reg_len);
}

static inline void write_reg(struct qvm_vcpu *vcpu, const struct insn *insn, u64 value)
{
	u64 *gpr = &vcpu->arch.regs.gpr[insn->reg];

	if (insn->reg_high)
		*gpr = (*gpr & ~0xff00ULL) | (value & 0xff) << 8;
	else
		write_gpr(vcpu, insn->reg, value, insn->reg_len);
}

static inline u64 read_source(const struct qvm_vcpu *vcpu, const struct insn *insn)
{
	return insn->has_imm ? insn->imm : read_reg(vcpu, insn);
}

/* base + index * scale + disp; but for strings and strings of bits. */
static inline u64 operand_address(const struct qvm_vcpu *vcpu, const struct insn *insn,
				  u64 next_rip)
{
	const u64 *gpr = vcpu->arch.regs.gpr;
	u64 address = insn->disp;

	if (insn->base >= 0)
		address += gpr[insn->base];
	else if (insn->base == -2)
		address += next_rip;
	if (insn->index >= 0)
		address += gpr[insn->index] * insn->scale;
	return address;
}

#endif /* QVM_X86_OPERAND_H */
