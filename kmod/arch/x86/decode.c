// SPDX-License-Identifier: GPL-2.0-only
/* Decoder for the instructions that touch device memory: two opcode tables and the ModRM rules. */
#include <linux/bits.h>
#include <linux/errno.h>

#include "arch_types.h"
#include "decode.h"

/* How an opcode's bytes go on and what its operands are. 0: not an opcode of ours. */
#define O_MODRM		BIT(0)
#define O_BYTE		BIT(1)	/* operands are bytes, else of the operand size */
#define O_TO_MEM	BIT(2)	/* r/m is the destination */
#define O_IMM8		BIT(3)	/* a byte, sign-extended */
#define O_IMM		BIT(4)	/* of the operand size, at most 4 bytes */
#define O_MOFFS		BIT(5)	/* the address follows, no ModRM; the register is the accumulator */
#define O_STRING	BIT(6)
#define O_GROUP1	BIT(7)	/* ModRM.reg says which: see group1 */
#define O_GROUP3	BIT(8)	/* /0 and /1 are TEST, /2 NOT, /3 NEG */
#define O_GROUP8	BIT(9)	/* /4 … /7 are BT … BTC */
#define O_GROUP11	BIT(10)	/* /0 is MOV; of 1A POP */
#define O_LOCK		BIT(11)	/* LOCK is allowed; for a group see can_lock */
#define O_ONLY64	BIT(12)
#define O_NOT64		BIT(13)
#define O_MEM1		BIT(14)	/* width of the memory operand, whatever the register's */
#define O_MEM2		BIT(15)
#define O_MEM4		BIT(16)
#define O_PORT		BIT(17)	/* no wider than 4 bytes */
#define O_GROUP5	BIT(18)	/* or 4: /0 is INC, /1 DEC, but of 4 /6 PUSH */
#define O_GROUP2	BIT(19)	/* rotations and shifts */
#define O_ONE		BIT(20)	/* the source is 1 */
#define O_CL		BIT(21)	/* the source is CL */
#define O_NO_REP	BIT(22)	/* F2 or F3 make another instruction of it, or none */
#define O_NO_66		BIT(23)	/* nor 66; operands have 4 bytes at least */
#define O_CONDITION	BIT(24)	/* of two bytes, the low four bits of the second */
#define O_REP_COUNTS	BIT(25)	/* F3 makes those that count of those that search */
#define O_GROUPS	(O_GROUP1 | O_GROUP2 | O_GROUP3 | O_GROUP5 | O_GROUP8 | O_GROUP11)

struct opcode {
	u32 flags;
	u8 op;
	u8 op2;
};

#define RM_R(_op, _flags)	{ O_MODRM | O_TO_MEM | (_flags), _op, 0 }
#define R_RM(_op, _flags)	{ O_MODRM | (_flags), _op, 0 }
/* SDM vol. 2 table A-2 */
static const struct opcode one_byte[256] = {
	[0x00] = RM_R(INSN_ADD, O_BYTE | O_LOCK),
	[0x01] = RM_R(INSN_ADD, O_LOCK),
	[0x02] = R_RM(INSN_ADD, O_BYTE),
	[0x03] = R_RM(INSN_ADD, 0),
	[0x08] = RM_R(INSN_OR, O_BYTE | O_LOCK),
	[0x09] = RM_R(INSN_OR, O_LOCK),
	[0x0a] = R_RM(INSN_OR, O_BYTE),
	[0x0b] = R_RM(INSN_OR, 0),
	[0x10] = RM_R(INSN_ADC, O_BYTE | O_LOCK),
	[0x11] = RM_R(INSN_ADC, O_LOCK),
	[0x12] = R_RM(INSN_ADC, O_BYTE),
	[0x13] = R_RM(INSN_ADC, 0),
	[0x18] = RM_R(INSN_SBB, O_BYTE | O_LOCK),
	[0x19] = RM_R(INSN_SBB, O_LOCK),
	[0x1a] = R_RM(INSN_SBB, O_BYTE),
	[0x1b] = R_RM(INSN_SBB, 0),
	[0x20] = RM_R(INSN_AND, O_BYTE | O_LOCK),
	[0x21] = RM_R(INSN_AND, O_LOCK),
	[0x22] = R_RM(INSN_AND, O_BYTE),
	[0x23] = R_RM(INSN_AND, 0),
	[0x28] = RM_R(INSN_SUB, O_BYTE | O_LOCK),
	[0x29] = RM_R(INSN_SUB, O_LOCK),
	[0x2a] = R_RM(INSN_SUB, O_BYTE),
	[0x2b] = R_RM(INSN_SUB, 0),
	[0x30] = RM_R(INSN_XOR, O_BYTE | O_LOCK),
	[0x31] = RM_R(INSN_XOR, O_LOCK),
	[0x32] = R_RM(INSN_XOR, O_BYTE),
	[0x33] = R_RM(INSN_XOR, 0),
	[0x38] = RM_R(INSN_CMP, O_BYTE),
	[0x39] = RM_R(INSN_CMP, 0),
	[0x3a] = R_RM(INSN_CMP, O_BYTE),
	[0x3b] = R_RM(INSN_CMP, 0),
	[0x63] = R_RM(INSN_MOVSX, O_MEM4 | O_ONLY64),
	[0x69] = R_RM(INSN_IMUL, O_IMM),
	[0x6b] = R_RM(INSN_IMUL, O_IMM8),
	[0x6c] = { O_STRING | O_BYTE | O_TO_MEM, INSN_INS, 0 },
	[0x6d] = { O_STRING | O_PORT | O_TO_MEM, INSN_INS, 0 },
	[0x6e] = { O_STRING | O_BYTE, INSN_OUTS, 0 },
	[0x6f] = { O_STRING | O_PORT, INSN_OUTS, 0 },
	[0x80] = RM_R(0, O_GROUP1 | O_BYTE | O_IMM8),
	[0x81] = RM_R(0, O_GROUP1 | O_IMM),
	[0x82] = RM_R(0, O_GROUP1 | O_BYTE | O_IMM8 | O_NOT64),
	[0x83] = RM_R(0, O_GROUP1 | O_IMM8),
	[0x84] = RM_R(INSN_TEST, O_BYTE),
	[0x85] = RM_R(INSN_TEST, 0),
	[0x86] = RM_R(INSN_XCHG, O_BYTE | O_LOCK),
	[0x87] = RM_R(INSN_XCHG, O_LOCK),
	[0x88] = RM_R(INSN_MOV, O_BYTE),
	[0x89] = RM_R(INSN_MOV, 0),
	[0x8a] = R_RM(INSN_MOV, O_BYTE),
	[0x8b] = R_RM(INSN_MOV, 0),
	[0x8f] = RM_R(INSN_POP, O_GROUP11),
	[0xa0] = { O_MOFFS | O_BYTE, INSN_MOV, 0 },
	[0xa1] = { O_MOFFS, INSN_MOV, 0 },
	[0xa2] = { O_MOFFS | O_BYTE | O_TO_MEM, INSN_MOV, 0 },
	[0xa3] = { O_MOFFS | O_TO_MEM, INSN_MOV, 0 },
	[0xa4] = { O_STRING | O_BYTE | O_TO_MEM, INSN_MOVS, 0 },
	[0xa5] = { O_STRING | O_TO_MEM, INSN_MOVS, 0 },
	[0xa6] = { O_STRING | O_BYTE, INSN_CMPS, 0 },
	[0xa7] = { O_STRING, INSN_CMPS, 0 },
	[0xaa] = { O_STRING | O_BYTE | O_TO_MEM, INSN_STOS, 0 },
	[0xab] = { O_STRING | O_TO_MEM, INSN_STOS, 0 },
	[0xac] = { O_STRING | O_BYTE, INSN_LODS, 0 },
	[0xad] = { O_STRING, INSN_LODS, 0 },
	[0xae] = { O_STRING | O_BYTE, INSN_SCAS, 0 },
	[0xaf] = { O_STRING, INSN_SCAS, 0 },
	[0xc0] = RM_R(INSN_SHIFT, O_GROUP2 | O_BYTE | O_IMM8),
	[0xc1] = RM_R(INSN_SHIFT, O_GROUP2 | O_IMM8),
	[0xc6] = RM_R(INSN_MOV, O_GROUP11 | O_BYTE | O_IMM8),
	[0xc7] = RM_R(INSN_MOV, O_GROUP11 | O_IMM),
	[0xd0] = RM_R(INSN_SHIFT, O_GROUP2 | O_BYTE | O_ONE),
	[0xd1] = RM_R(INSN_SHIFT, O_GROUP2 | O_ONE),
	[0xd2] = RM_R(INSN_SHIFT, O_GROUP2 | O_BYTE | O_CL),
	[0xd3] = RM_R(INSN_SHIFT, O_GROUP2 | O_CL),
	[0xf6] = RM_R(INSN_TEST, O_GROUP3 | O_BYTE | O_IMM8),
	[0xf7] = RM_R(INSN_TEST, O_GROUP3 | O_IMM),
	[0xfe] = RM_R(0, O_GROUP5 | O_BYTE),
	[0xff] = RM_R(0, O_GROUP5),
};

#define BIT_TEST(_op2, _lock)	{ O_MODRM | O_TO_MEM | (_lock), INSN_BIT_TEST, _op2 }

/* SDM vol. 2 table A-3: behind 0F */
static const struct opcode two_byte[256] = {
	[0x40 ... 0x4f] = R_RM(INSN_CMOV, O_CONDITION),
	[0x90 ... 0x9f] = RM_R(INSN_SETCC, O_CONDITION | O_BYTE),
	[0xa3] = BIT_TEST(0, 0),
	[0xab] = BIT_TEST(1, O_LOCK),
	[0xb3] = BIT_TEST(2, O_LOCK),
	[0xbb] = BIT_TEST(3, O_LOCK),
	[0xba] = RM_R(INSN_BIT_TEST, O_GROUP8 | O_IMM8),
	[0xaf] = R_RM(INSN_IMUL, 0),
	[0xb0] = RM_R(INSN_CMPXCHG, O_BYTE | O_LOCK),
	[0xb1] = RM_R(INSN_CMPXCHG, O_LOCK),
	[0xb6] = R_RM(INSN_MOVZX, O_MEM1),
	[0xb7] = R_RM(INSN_MOVZX, O_MEM2),
	[0xbc] = { O_MODRM | O_REP_COUNTS, INSN_SCAN, SCAN_FORWARD },
	[0xbd] = { O_MODRM | O_REP_COUNTS, INSN_SCAN, SCAN_REVERSE },
	[0xbe] = R_RM(INSN_MOVSX, O_MEM1),
	[0xbf] = R_RM(INSN_MOVSX, O_MEM2),
	[0xc0] = RM_R(INSN_XADD, O_BYTE | O_LOCK),
	[0xc1] = RM_R(INSN_XADD, O_LOCK),
	[0xc3] = RM_R(INSN_MOV, O_NO_REP | O_NO_66),	/* MOVNTI */
};

/* Table A-4: behind 0F 38 */
static const struct opcode three_byte[256] = {
	[0xf0] = R_RM(INSN_MOVBE, O_NO_REP),
	[0xf1] = RM_R(INSN_MOVBE, O_NO_REP),
};

static const u8 group1[8] = {
	INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP
};

/* Prefixes: what kind a byte is. REX is looked at apart: it has to be the last. */
enum prefix { PREFIX_NONE, PREFIX_SEG, PREFIX_OPSIZE, PREFIX_ADDRSIZE, PREFIX_LOCK, PREFIX_REP };

struct prefix_class {
	u8 kind;
	u8 which;		/* enum x86_seg or enum insn_rep */
};

static const struct prefix_class prefixes[256] = {
	[0x26] = { PREFIX_SEG, SEG_ES },
	[0x2e] = { PREFIX_SEG, SEG_CS },
	[0x36] = { PREFIX_SEG, SEG_SS },
	[0x3e] = { PREFIX_SEG, SEG_DS },
	[0x64] = { PREFIX_SEG, SEG_FS },
	[0x65] = { PREFIX_SEG, SEG_GS },
	[0x66] = { PREFIX_OPSIZE, 0 },
	[0x67] = { PREFIX_ADDRSIZE, 0 },
	[0xf0] = { PREFIX_LOCK, 0 },
	[0xf2] = { PREFIX_REP, REP_NOT_EQUAL },
	[0xf3] = { PREFIX_REP, REP_EQUAL },
};

#define REX_B		BIT(0)
#define REX_X		BIT(1)
#define REX_R		BIT(2)
#define REX_W		BIT(3)
#define REX_ANY		BIT(6)

/* One decoding under way. Reads beyond the bytes give zero and are remembered. */
struct decoder {
	struct insn *insn;
	const u8 *bytes;
	unsigned int pos, count, mode;
	bool overrun, opsize;
	u8 rex, rep;
	u8 operand_len;
	const struct opcode *opcode;
};

static u8 next_byte(struct decoder *d)
{
	if (d->pos < d->count)
		return d->bytes[d->pos++];
	d->overrun = true;
	return 0;
}

/* @len bytes, little-endian, sign-extended. */
static s64 next_signed(struct decoder *d, unsigned int len)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		value |= (u64)next_byte(d) << (8 * i);
	return (s64)(value << (64 - 8 * len)) >> (64 - 8 * len);
}

static void take_prefix(struct decoder *d, const struct prefix_class *prefix)
{
	struct insn *insn = d->insn;

	switch (prefix->kind) {
	case PREFIX_SEG:
		/* In 64-bit mode the four others are there and do nothing. */
		if (d->mode != 8 || prefix->which >= SEG_FS)
			insn->seg = prefix->which;
		break;
	case PREFIX_OPSIZE:
		d->opsize = true;
		break;
	case PREFIX_ADDRSIZE:
		insn->addr_len = d->mode == 4 ? 2 : 4;
		break;
	case PREFIX_LOCK:
		insn->locked = true;
		break;
	default:
		d->rep = prefix->which;		/* the last of several */
		break;
	}
}

/* All of them; returns the byte behind. */
static u8 decode_prefixes(struct decoder *d)
{
	for (;;) {
		u8 byte = next_byte(d);

		if (prefixes[byte].kind) {
			take_prefix(d, &prefixes[byte]);
			d->rex = 0;
		} else if (d->mode == 8 && (byte & 0xf0) == REX_ANY) {
			d->rex = byte;
		} else {
			return byte;
		}
	}
}

static u8 operand_size(const struct decoder *d)
{
	if (d->rex & REX_W)
		return 8;
	return (d->mode == 2) == d->opsize ? 4 : 2;
}

static const struct opcode *find_opcode(struct decoder *d)
{
	u8 byte = decode_prefixes(d);

	if (byte != 0x0f)
		return &one_byte[byte];
	byte = next_byte(d);
	return byte == 0x38 ? &three_byte[next_byte(d)] : &two_byte[byte];
}

static int decode_opcode(struct decoder *d)
{
	u32 never;

	d->opcode = find_opcode(d);
	never = (d->mode == 8 ? O_NOT64 : O_ONLY64) | (d->rep ? O_NO_REP : 0) | (d->opsize ? O_NO_66 : 0);
	if (!d->opcode->flags || d->opcode->flags & never)
		return -EINVAL;
	d->operand_len = d->opcode->flags & O_BYTE ? 1 : operand_size(d);
	if ((d->opcode->flags & O_PORT && d->operand_len == 8) ||
	    (d->opcode->flags & O_NO_66 && d->operand_len == 2))
		d->operand_len = 4;
	return 0;
}

/* ---- the memory operand: SDM vol. 2 tables 2-1 … 2-3 ---- */

struct modrm16 {
	s8 base, index;
};

static const struct modrm16 modrm16[8] = {
	{ GPR_RBX, GPR_RSI }, { GPR_RBX, GPR_RDI }, { GPR_RBP, GPR_RSI }, { GPR_RBP, GPR_RDI },
	{ GPR_RSI, -1 }, { GPR_RDI, -1 }, { GPR_RBP, -1 }, { GPR_RBX, -1 },
};

/* Displacement by mod (not 3) for 16-bit and wider addresses; rm 6 or 5 of mod 0: see below. */
static const u8 disp_len16[3] = { 0, 1, 2 };
static const u8 disp_len32[3] = { 0, 1, 4 };

static void decode_mem16(struct decoder *d, u8 mod, u8 rm)
{
	struct insn *insn = d->insn;
	unsigned int len = disp_len16[mod];

	insn->base = modrm16[rm].base;
	insn->index = modrm16[rm].index;
	if (mod == 0 && rm == 6) {
		insn->base = -1;
		len = 2;
	}
	if (len)
		insn->disp = next_signed(d, len);
}

/* True: no base, a disp32 stands in for it. */
static bool decode_sib(struct decoder *d, u8 mod)
{
	struct insn *insn = d->insn;
	u8 sib = next_byte(d);
	u8 index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);

	insn->scale = 1 << (sib >> 6);
	if (index != GPR_RSP)
		insn->index = index;
	if (mod == 0 && (sib & 7) == GPR_RBP)
		return true;
	insn->base = (sib & 7) | (d->rex & REX_B ? 8 : 0);
	return false;
}

static void decode_mem32(struct decoder *d, u8 mod, u8 rm)
{
	struct insn *insn = d->insn;
	unsigned int len = disp_len32[mod];

	if (rm == GPR_RSP) {
		if (decode_sib(d, mod))
			len = 4;
	} else if (mod == 0 && rm == GPR_RBP) {
		len = 4;
		if (d->mode == 8)
			insn->base = -2;
	} else {
		insn->base = rm | (d->rex & REX_B ? 8 : 0);
	}
	if (len)
		insn->disp = next_signed(d, len);
}

static void set_register(struct decoder *d, u8 reg)
{
	struct insn *insn = d->insn;

	insn->reg = reg | (d->rex & REX_R ? 8 : 0);
	if (insn->reg_len == 1 && !d->rex && reg >= 4) {
		insn->reg = reg - 4;
		insn->reg_high = true;
	}
}

/* One operand, as what it is with a second: x + 1, x - 1, x ^ -1, 0 - x. */
static void decode_unary(struct insn *insn, enum insn_op op, u8 op2, u64 imm)
{
	insn->op = op;
	insn->op2 = op2;
	insn->has_imm = true;
	insn->imm = mask_len(imm, insn->mem_len);
}

/* ModRM.reg as part of the opcode. */
static int select_group(struct decoder *d, u8 reg)
{
	struct insn *insn = d->insn;

	switch (d->opcode->flags & O_GROUPS) {
	case O_GROUP1:
		insn->op = group1[reg];
		return 0;
	case O_GROUP2:
		insn->op2 = reg == 6 ? SHIFT_LEFT : reg;	/* twice there, once written of */
		return 0;
	case O_GROUP3:
		if (reg == 2)
			decode_unary(insn, INSN_XOR, INSN_NOT, ~0ULL);
		else if (reg == 3)
			decode_unary(insn, INSN_SUB, INSN_NEG, 0);
		return reg <= 3 ? 0 : -EINVAL;
	case O_GROUP5:
		if (reg == 6 && !(d->opcode->flags & O_BYTE)) {
			insn->op = INSN_PUSH;
			return 0;
		}
		decode_unary(insn, reg ? INSN_SUB : INSN_ADD, INSN_INC, 1);
		return reg <= 1 ? 0 : -EINVAL;
	case O_GROUP11:
		return reg == 0 ? 0 : -EINVAL;
	default:
		insn->op2 = reg & 3;
		return reg >= 4 ? 0 : -EINVAL;
	}
}

static int decode_modrm(struct decoder *d)
{
	u8 modrm = next_byte(d), mod = modrm >> 6, reg = modrm >> 3 & 7, rm = modrm & 7;
	int ret = 0;

	if (mod == 3)
		return -EINVAL;
	if (d->opcode->flags & O_GROUPS)
		ret = select_group(d, reg);
	else
		set_register(d, reg);
	if (ret)
		return ret;
	if (d->insn->addr_len == 2)
		decode_mem16(d, mod, rm);
	else
		decode_mem32(d, mod, rm);
	return 0;
}

/* ---- the rest ---- */

static void decode_moffs(struct decoder *d)
{
	struct insn *insn = d->insn;

	insn->reg = GPR_RAX;
	insn->disp = next_signed(d, insn->addr_len);
	/* an address, not a displacement: no sign */
	insn->disp = mask_len(insn->disp, insn->addr_len);
}

static void decode_string(struct decoder *d)
{
	d->insn->reg = GPR_RAX;
	d->insn->rep = d->rep;
}

static void decode_imm(struct decoder *d)
{
	struct insn *insn = d->insn;
	u32 flags = d->opcode->flags;

	insn->has_imm = true;
	insn->imm = next_signed(d, flags & O_IMM8 ? 1 : d->operand_len == 2 ? 2 : 4);
	insn->imm = mask_len(insn->imm, insn->mem_len);
	if (insn->op == INSN_BIT_TEST)
		insn->imm &= 8 * insn->mem_len - 1;
	if (insn->op == INSN_SHIFT)
		insn->imm &= insn->mem_len == 8 ? 63 : 31;
}

static u8 memory_size(const struct decoder *d)
{
	u32 flags = d->opcode->flags;

	if (flags & O_MEM1)
		return 1;
	if (flags & O_MEM2)
		return 2;
	if (flags & O_MEM4)
		return 4;
	return d->operand_len;
}

/* LOCK wants a destination in memory that is read and written. */
static bool can_lock(const struct decoder *d)
{
	u32 flags = d->opcode->flags;

	if (flags & O_GROUP1)
		return d->insn->op != INSN_CMP;
	if (flags & (O_GROUP3 | O_GROUP8))
		return d->insn->op2 != 0;
	if (flags & O_GROUP5)
		return d->insn->op != INSN_PUSH;
	return flags & O_LOCK;
}

static int decode_operands(struct decoder *d)
{
	struct insn *insn = d->insn;
	u32 flags = d->opcode->flags;
	int ret = 0;

	insn->op = d->opcode->op;
	insn->op2 = flags & O_CONDITION ? (d->opcode - two_byte) & 15 : d->opcode->op2;
	if (flags & O_REP_COUNTS && d->rep == REP_EQUAL)
		insn->op2 += SCAN_COUNT_TRAILING;
	insn->to_mem = flags & O_TO_MEM;
	insn->reg_len = d->operand_len;
	insn->mem_len = memory_size(d);
	if (flags & O_STRING)
		decode_string(d);
	else if (flags & O_MOFFS)
		decode_moffs(d);
	else
		ret = decode_modrm(d);
	if (ret)
		return ret;
	/* the stack has no 4 bytes in 64-bit mode (SDM vol. 1 6.2.2) */
	if ((insn->op == INSN_PUSH || insn->op == INSN_POP) && d->mode == 8 && insn->mem_len == 4)
		insn->mem_len = 8;
	if (flags & O_CL) {
		insn->reg = GPR_RCX;
		insn->reg_len = 1;
	} else if (flags & O_ONE) {
		insn->has_imm = true;
		insn->imm = 1;
	} else if (flags & (O_IMM8 | O_IMM) && !insn->has_imm) {
		decode_imm(d);
	}
	return insn->locked && !can_lock(d) ? -EINVAL : 0;
}

int insn_decode(struct insn *insn, const u8 *bytes, unsigned int count, unsigned int mode)
{
	struct decoder d = {
		.insn = insn, .bytes = bytes, .mode = mode,
		.count = count < X86_INSN_MAX ? count : X86_INSN_MAX,
	};
	int ret;

	*insn = (struct insn){ .addr_len = mode, .seg = -1, .base = -1, .index = -1, .scale = 1 };
	ret = decode_opcode(&d);
	if (!ret)
		ret = decode_operands(&d);
	if (d.overrun)
		return count < X86_INSN_MAX ? -ENODATA : -EINVAL;
	insn->length = d.pos;
	return ret;
}

unsigned int insn_segment(const struct insn *insn)
{
	if (insn->seg >= 0)
		return insn->seg;
	return insn->base == GPR_RSP || insn->base == GPR_RBP ? SEG_SS : SEG_DS;
}

/* ---- what an instruction does ---- */

enum {
	T_RSI = BIT(0), T_RDI = BIT(1),
	T_NO_READ = BIT(2),		/* whatever its first operand is */
	T_NO_READ_TO_MEM = BIT(3),	/* if that is memory */
	T_NO_WRITE = BIT(4),
};

static const u8 traits[INSN_OP_COUNT] = {
	[INSN_MOV] = T_NO_READ_TO_MEM, [INSN_MOVBE] = T_NO_READ_TO_MEM,
	[INSN_CMP] = T_NO_WRITE, [INSN_TEST] = T_NO_WRITE,
	[INSN_STOS] = T_RDI | T_NO_READ, [INSN_INS] = T_RDI | T_NO_READ,
	[INSN_MOVS] = T_RSI | T_RDI, [INSN_LODS] = T_RSI, [INSN_OUTS] = T_RSI,
	[INSN_SCAS] = T_RDI | T_NO_WRITE, [INSN_CMPS] = T_RSI | T_RDI | T_NO_WRITE,
	[INSN_SETCC] = T_NO_READ, [INSN_POP] = T_NO_READ, [INSN_PUSH] = T_NO_WRITE,
};

bool insn_is_string(const struct insn *insn)
{
	return traits[insn->op] & (T_RSI | T_RDI);
}

bool insn_uses_rsi(const struct insn *insn)
{
	return traits[insn->op] & T_RSI;
}

bool insn_uses_rdi(const struct insn *insn)
{
	return traits[insn->op] & T_RDI;
}

bool insn_reads_memory(const struct insn *insn)
{
	return !(traits[insn->op] & (insn->to_mem ? T_NO_READ | T_NO_READ_TO_MEM : T_NO_READ));
}

bool insn_writes_memory(const struct insn *insn)
{
	if (insn->op == INSN_BIT_TEST && !insn->op2)	/* BT */
		return false;
	return insn->op == INSN_BIT_TEST || (insn->to_mem && !(traits[insn->op] & T_NO_WRITE));
}
