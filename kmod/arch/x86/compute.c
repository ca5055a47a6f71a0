// SPDX-License-Identifier: GPL-2.0-only
/* What the instructions of decode.c compute, and the flags: SDM vol. 1 ch. 3.4.3.1. */
#include <linux/bits.h>
#include <linux/minmax.h>

#include "decode.h"

#define CF		BIT_ULL(0)
#define PF		BIT_ULL(2)
#define AF		BIT_ULL(4)
#define ZF		BIT_ULL(6)
#define SF		BIT_ULL(7)
#define OF		BIT_ULL(11)
#define FLAGS		(CF | PF | AF | ZF | SF | OF)

/* Even number of ones among the low eight bits. */
static bool parity(u64 value)
{
	value ^= value >> 4;
	return !(0x6996 >> (value & 15) & 1);
}

/* Carry out of each bit: of a + b, and (borrow) of a - b. */
static u64 carries(u64 a, u64 b, u64 sum)
{
	return (a & b) | ((a | b) & ~sum);
}

static u64 borrows(u64 a, u64 b, u64 diff)
{
	return (~a & b) | ((~a | b) & diff);
}

static u64 compute_bit(const struct insn *insn, u64 dest, u64 src, u64 *rflags)
{
	u64 bit = BIT_ULL(src & (8 * insn->mem_len - 1));

	*rflags = (*rflags & ~CF) | (dest & bit ? CF : 0);
	switch (insn->op2) {
	case 1:
		return dest | bit;
	case 2:
		return dest & ~bit;
	case 3:
		return dest ^ bit;
	default:
		return dest;
	}
}

u64 insn_compute(const struct insn *insn, u64 dest, u64 src, u64 *rflags)
{
	unsigned int top = 8 * insn->mem_len - 1;
	u64 result, carry = 0, flags, kept = ~FLAGS;

	switch (insn->op) {
	case INSN_BIT_TEST:
		return compute_bit(insn, dest, src, rflags);
	case INSN_AND:
	case INSN_TEST:
		result = dest & src;
		break;
	case INSN_OR:
		result = dest | src;
		break;
	case INSN_XOR:
		result = dest ^ src;
		kept = insn->op2 == INSN_NOT ? ~0ULL : kept;
		break;
	case INSN_ADD:
		result = dest + src;
		carry = carries(dest, src, result);
		break;
	default:
		if (insn->op2 == INSN_NEG)
			swap(dest, src);
		result = dest - src;
		carry = borrows(dest, src, result);
		break;
	}
	result = mask_len(result, insn->mem_len);
	flags = (parity(result) ? PF : 0) | (result ? 0 : ZF) | (result >> top & 1 ? SF : 0) |
		(carry >> top & 1 ? CF : 0) | (carry & BIT(3) ? AF : 0) |
		((carry >> top ^ carry >> (top - 1)) & 1 ? OF : 0);
	kept |= insn->op2 == INSN_INC ? CF : 0;
	*rflags = (*rflags & kept) | (flags & ~kept);
	return result;
}
