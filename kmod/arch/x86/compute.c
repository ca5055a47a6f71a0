// SPDX-License-Identifier: GPL-2.0-only
/* What the instructions of decode.c compute, and the flags: SDM vol. 1 ch. 3.4.3.1. */
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>

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

static u64 result_flags(u64 result, unsigned int top)
{
	return (parity(result) ? PF : 0) | (result ? 0 : ZF) | (result >> top & 1 ? SF : 0);
}

/* By one bit: the value, and *carry is what fell out. */
static u64 shift_once(u8 op2, u64 value, unsigned int top, u64 *carry)
{
	bool right = op2 & 1;
	u64 sign = value >> top & 1, out = right ? value & 1 : sign;
	u64 in = op2 <= ROTATE_RIGHT ? out : op2 <= ROTATE_CARRY_RIGHT ? *carry : op2 == SHIFT_SIGNED ? sign : 0;

	*carry = out;
	return right ? value >> 1 | in << top : (value << 1 | in) & (~0ULL >> (63 - top));
}

static u64 compute_shift(const struct insn *insn, u64 value, u64 count, u64 *rflags)
{
	unsigned int top = 8 * insn->mem_len - 1;
	u64 carry = *rflags & CF, overflow, changed = CF | OF, flags = 0;

	count &= insn->mem_len == 8 ? 63 : 31;
	if (!count)
		return value;
	while (count--)
		value = shift_once(insn->op2, value, top, &carry);
	overflow = (value >> top ^ (insn->op2 & 1 ? value >> (top - 1) : carry)) & 1;
	if (insn->op2 >= SHIFT_LEFT) {
		changed = FLAGS;
		flags = result_flags(value, top);
	}
	*rflags = (*rflags & ~changed) | flags | (carry ? CF : 0) | (overflow ? OF : 0);
	return value;
}

static u64 compute_imul(const struct insn *insn, u64 dest, u64 src, u64 *rflags)
{
	unsigned int top = 8 * insn->mem_len - 1;
	bool overflow;
	s64 product;

	overflow = check_mul_overflow(sign_extend64(dest, top), sign_extend64(src, top), &product);
	overflow |= sign_extend64(product, top) != product;
	*rflags = (*rflags & ~(CF | OF)) | (overflow ? CF | OF : 0);
	return mask_len(product, insn->mem_len);
}

static u64 compute_scan(const struct insn *insn, u64 dest, u64 src, u64 *rflags)
{
	unsigned int bits = 8 * insn->mem_len;
	u64 result;

	if (insn->op2 <= SCAN_REVERSE) {
		*rflags = (*rflags & ~ZF) | (src ? 0 : ZF);
		if (!src)
			return dest;
		return insn->op2 == SCAN_FORWARD ? __ffs(src) : fls64(src) - 1;
	}
	if (!src)
		result = bits;
	else
		result = insn->op2 == SCAN_COUNT_TRAILING ? __ffs(src) : bits - fls64(src);
	*rflags = (*rflags & ~(ZF | CF)) | (result ? 0 : ZF) | (src ? 0 : CF);
	return result;
}

/* Table B-1 of SDM vol. 1 appendix B: bit 0 negates. */
static bool condition(u8 cc, u64 rflags)
{
	bool less = !(rflags & SF) != !(rflags & OF), yes;

	switch (cc >> 1) {
	case 0:
		yes = rflags & OF;
		break;
	case 1:
		yes = rflags & CF;
		break;
	case 2:
		yes = rflags & ZF;
		break;
	case 3:
		yes = rflags & (CF | ZF);
		break;
	case 4:
		yes = rflags & SF;
		break;
	case 5:
		yes = rflags & PF;
		break;
	case 6:
		yes = less;
		break;
	default:
		yes = less || rflags & ZF;
		break;
	}
	return yes != (cc & 1);
}

u64 insn_compute(const struct insn *insn, u64 dest, u64 src, u64 *rflags)
{
	unsigned int top = 8 * insn->mem_len - 1;
	u64 result, carry = 0, flags, kept = ~FLAGS;

	switch (insn->op) {
	case INSN_BIT_TEST:
		return compute_bit(insn, dest, src, rflags);
	case INSN_SHIFT:
		return compute_shift(insn, dest, src, rflags);
	case INSN_IMUL:
		return compute_imul(insn, dest, src, rflags);
	case INSN_SCAN:
		return compute_scan(insn, dest, src, rflags);
	case INSN_SETCC:
		return condition(insn->op2, *rflags);
	case INSN_CMOV:
		return condition(insn->op2, *rflags) ? src : dest;
	case INSN_MOVBE:
		return __builtin_bswap64(src) >> (64 - 8 * insn->mem_len);
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
	case INSN_ADC:
	case INSN_XADD:
		result = dest + src + (insn->op == INSN_ADC ? *rflags & CF : 0);
		carry = carries(dest, src, result);
		break;
	default:
		if (insn->op2 == INSN_NEG)
			swap(dest, src);
		result = dest - src - (insn->op == INSN_SBB ? *rflags & CF : 0);
		carry = borrows(dest, src, result);
		break;
	}
	result = mask_len(result, insn->mem_len);
	flags = result_flags(result, top) | (carry >> top & 1 ? CF : 0) | (carry & BIT(3) ? AF : 0) |
		((carry >> top ^ carry >> (top - 1)) & 1 ? OF : 0);
	kept |= insn->op2 == INSN_INC ? CF : 0;
	*rflags = (*rflags & kept) | (flags & ~kept);
	return result;
}
