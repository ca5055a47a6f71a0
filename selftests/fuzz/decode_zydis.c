// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder against Zydis: what both say of generated encodings, in all three modes.
 *
 *	decode_zydis [count [seed]]
 *
 * LINK: kmod/arch/x86/decode.c kmod/arch/x86/compute.c -lZydis
 * CFLAGS: -Ikmod/arch/x86
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include <linux/kernel.h>

#include "arch_types.h"
#include "decode.h"

#define MAX_REPORTS	20
#define BUFFER_SIZE	24	/* longer than an instruction: what is behind one must not matter */

static u64 rng_state;
static unsigned long accepted, known, differences;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dULL >> 8;
}

/* ---- encodings */

static const u8 prefix_bytes[] = {
	0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48, 0x40, 0x4f
};

static const u8 opcode_bytes[] = {
	0x00, 0x09, 0x10, 0x13, 0x19, 0x1a, 0x22, 0x2b, 0x30, 0x3b, 0x39, 0x63, 0x69, 0x6b,
	0x6c, 0x6d, 0x6e, 0x6f, 0x80, 0x81,
	0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0xa0, 0xa1, 0xa2, 0xa3,
	0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xc6, 0xc7, 0xf6, 0xf7,
	0xfe, 0xff, 0x8f, 0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3
};

static const u8 opcode_bytes_0f[] = {
	0xa3, 0xab, 0xb3, 0xbb, 0xba, 0xb6, 0xb7, 0xbe, 0xbf, 0x40, 0x47, 0x4c, 0x90, 0x95, 0x9f, 0xaf,
	0xb0, 0xb1, 0xbc, 0xbd, 0xc0, 0xc1, 0xc3, 0x38, 0x38
};

static unsigned int generate_prefixes(u8 *bytes)
{
	unsigned int i, count = rng() % 16;

	/* mostly few, now and then enough to reach the limit of the length */
	count = count < 6 ? 0 : count < 15 ? count % 4 : rng() % 15;
	for (i = 0; i < count; i++)
		bytes[i] = prefix_bytes[rng() % sizeof(prefix_bytes)];
	return count;
}

static void generate(u8 *bytes)
{
	unsigned int pos, i, kind = rng() % 16;

	for (i = 0; i < BUFFER_SIZE; i++)
		bytes[i] = rng();
	if (kind == 0)
		return;
	pos = generate_prefixes(bytes);
	if (rng() % 3 == 0)
		bytes[pos++] = 0x40 | rng() % 16;
	if (kind < 6) {
		bytes[pos++] = 0x0f;
		if (kind < 5)
			bytes[pos] = opcode_bytes_0f[rng() % sizeof(opcode_bytes_0f)];
		if (bytes[pos] == 0x38)
			bytes[++pos] = 0xf0 | rng() % 2;
	} else if (kind < 14) {
		bytes[pos] = opcode_bytes[rng() % sizeof(opcode_bytes)];
	}
	/* few registers, most forms of addresses */
	if (rng() % 4)
		bytes[pos + 1] &= 0xbf;
}

/* ---- what Zydis says, in our words */

struct mnemonic {
	ZydisMnemonic mnemonic;
	u8 op, op2;
};

static const struct mnemonic mnemonics[] = {
	{ ZYDIS_MNEMONIC_MOV, INSN_MOV, 0 },	{ ZYDIS_MNEMONIC_MOVZX, INSN_MOVZX, 0 },
	{ ZYDIS_MNEMONIC_MOVSX, INSN_MOVSX, 0 }, { ZYDIS_MNEMONIC_MOVSXD, INSN_MOVSX, 0 },
	{ ZYDIS_MNEMONIC_STOSB, INSN_STOS, 0 }, { ZYDIS_MNEMONIC_STOSW, INSN_STOS, 0 },
	{ ZYDIS_MNEMONIC_STOSD, INSN_STOS, 0 }, { ZYDIS_MNEMONIC_STOSQ, INSN_STOS, 0 },
	{ ZYDIS_MNEMONIC_MOVSB, INSN_MOVS, 0 }, { ZYDIS_MNEMONIC_MOVSW, INSN_MOVS, 0 },
	{ ZYDIS_MNEMONIC_MOVSD, INSN_MOVS, 0 }, { ZYDIS_MNEMONIC_MOVSQ, INSN_MOVS, 0 },
	{ ZYDIS_MNEMONIC_LODSB, INSN_LODS, 0 }, { ZYDIS_MNEMONIC_LODSW, INSN_LODS, 0 },
	{ ZYDIS_MNEMONIC_LODSD, INSN_LODS, 0 }, { ZYDIS_MNEMONIC_LODSQ, INSN_LODS, 0 },
	{ ZYDIS_MNEMONIC_AND, INSN_AND, 0 },	{ ZYDIS_MNEMONIC_OR, INSN_OR, 0 },
	{ ZYDIS_MNEMONIC_XOR, INSN_XOR, 0 },	{ ZYDIS_MNEMONIC_ADD, INSN_ADD, 0 },
	{ ZYDIS_MNEMONIC_SUB, INSN_SUB, 0 },	{ ZYDIS_MNEMONIC_CMP, INSN_CMP, 0 },
	{ ZYDIS_MNEMONIC_TEST, INSN_TEST, 0 },	{ ZYDIS_MNEMONIC_XCHG, INSN_XCHG, 0 },
	{ ZYDIS_MNEMONIC_BT, INSN_BIT_TEST, 0 }, { ZYDIS_MNEMONIC_BTS, INSN_BIT_TEST, 1 },
	{ ZYDIS_MNEMONIC_BTR, INSN_BIT_TEST, 2 }, { ZYDIS_MNEMONIC_BTC, INSN_BIT_TEST, 3 },
	{ ZYDIS_MNEMONIC_INC, INSN_ADD, INSN_INC }, { ZYDIS_MNEMONIC_DEC, INSN_SUB, INSN_INC },
	{ ZYDIS_MNEMONIC_NOT, INSN_XOR, INSN_NOT }, { ZYDIS_MNEMONIC_NEG, INSN_SUB, INSN_NEG },
	{ ZYDIS_MNEMONIC_INSB, INSN_INS, 0 },	{ ZYDIS_MNEMONIC_INSW, INSN_INS, 0 },
	{ ZYDIS_MNEMONIC_INSD, INSN_INS, 0 },	{ ZYDIS_MNEMONIC_OUTSB, INSN_OUTS, 0 },
	{ ZYDIS_MNEMONIC_OUTSW, INSN_OUTS, 0 }, { ZYDIS_MNEMONIC_OUTSD, INSN_OUTS, 0 },
	{ ZYDIS_MNEMONIC_ADC, INSN_ADC, 0 },	{ ZYDIS_MNEMONIC_SBB, INSN_SBB, 0 },
	{ ZYDIS_MNEMONIC_ROL, INSN_SHIFT, ROTATE_LEFT }, { ZYDIS_MNEMONIC_ROR, INSN_SHIFT, ROTATE_RIGHT },
	{ ZYDIS_MNEMONIC_RCL, INSN_SHIFT, ROTATE_CARRY_LEFT },
	{ ZYDIS_MNEMONIC_RCR, INSN_SHIFT, ROTATE_CARRY_RIGHT },
	{ ZYDIS_MNEMONIC_SHL, INSN_SHIFT, SHIFT_LEFT }, { ZYDIS_MNEMONIC_SHR, INSN_SHIFT, SHIFT_RIGHT },
	{ ZYDIS_MNEMONIC_SAR, INSN_SHIFT, SHIFT_SIGNED },
	{ ZYDIS_MNEMONIC_IMUL, INSN_IMUL, 0 },	{ ZYDIS_MNEMONIC_MOVNTI, INSN_MOV, 0 },
	{ ZYDIS_MNEMONIC_MOVBE, INSN_MOVBE, 0 }, { ZYDIS_MNEMONIC_XADD, INSN_XADD, 0 },
	{ ZYDIS_MNEMONIC_CMPXCHG, INSN_CMPXCHG, 0 },
	{ ZYDIS_MNEMONIC_BSF, INSN_SCAN, SCAN_FORWARD }, { ZYDIS_MNEMONIC_BSR, INSN_SCAN, SCAN_REVERSE },
	{ ZYDIS_MNEMONIC_TZCNT, INSN_SCAN, SCAN_COUNT_TRAILING },
	{ ZYDIS_MNEMONIC_LZCNT, INSN_SCAN, SCAN_COUNT_LEADING },
	{ ZYDIS_MNEMONIC_PUSH, INSN_PUSH, 0 },	{ ZYDIS_MNEMONIC_POP, INSN_POP, 0 },
	{ ZYDIS_MNEMONIC_SCASB, INSN_SCAS, 0 }, { ZYDIS_MNEMONIC_SCASW, INSN_SCAS, 0 },
	{ ZYDIS_MNEMONIC_SCASD, INSN_SCAS, 0 }, { ZYDIS_MNEMONIC_SCASQ, INSN_SCAS, 0 },
	{ ZYDIS_MNEMONIC_CMPSB, INSN_CMPS, 0 }, { ZYDIS_MNEMONIC_CMPSW, INSN_CMPS, 0 },
	{ ZYDIS_MNEMONIC_CMPSD, INSN_CMPS, 0 }, { ZYDIS_MNEMONIC_CMPSQ, INSN_CMPS, 0 },
#define CONDITION(cc, name)							\
	{ ZYDIS_MNEMONIC_SET##name, INSN_SETCC, cc }, { ZYDIS_MNEMONIC_CMOV##name, INSN_CMOV, cc }
	CONDITION(0, O), CONDITION(1, NO), CONDITION(2, B), CONDITION(3, NB), CONDITION(4, Z),
	CONDITION(5, NZ), CONDITION(6, BE), CONDITION(7, NBE), CONDITION(8, S), CONDITION(9, NS),
	CONDITION(10, P), CONDITION(11, NP), CONDITION(12, L), CONDITION(13, NL), CONDITION(14, LE),
	CONDITION(15, NLE),
};

struct zydis {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	const struct mnemonic *mnemonic;
	const ZydisDecodedOperand *mem, *reg, *imm;
	bool mem_first, has_other;	/* has_other: an operand that ours never has */
};

static bool is_string(const struct zydis *z)
{
	return z->insn.meta.category == ZYDIS_CATEGORY_STRINGOP ||
	       z->insn.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
}

static void sort_operand(struct zydis *z, const ZydisDecodedOperand *operand, bool first)
{
	switch (operand->type) {
	case ZYDIS_OPERAND_TYPE_MEMORY:
		/* of MOVS the destination */
		if (!z->mem) {
			z->mem = operand;
			z->mem_first = first;
		}
		break;
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (!z->reg)
			z->reg = operand;
		switch (ZydisRegisterGetClass(operand->reg.value)) {
		case ZYDIS_REGCLASS_GPR8:
		case ZYDIS_REGCLASS_GPR16:
		case ZYDIS_REGCLASS_GPR32:
		case ZYDIS_REGCLASS_GPR64:
			break;
		default:
			z->has_other = true;
		}
		break;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		z->imm = operand;
		break;
	default:
		z->has_other = true;
	}
}

/* True: an instruction that our decoder knows by name, with memory. */
static bool zydis_decode(struct zydis *z, const ZydisDecoder *decoder, const u8 *bytes)
{
	unsigned int i;

	*z = (struct zydis){ 0 };
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(decoder, bytes, BUFFER_SIZE, &z->insn, z->operand)))
		return false;
	for (i = 0; i < ARRAY_SIZE(mnemonics); i++) {
		if (mnemonics[i].mnemonic == z->insn.mnemonic)
			z->mnemonic = &mnemonics[i];
	}
	if (!z->mnemonic)
		return false;
	/* that of RDX:RAX is not among ours */
	if (z->insn.mnemonic == ZYDIS_MNEMONIC_IMUL && z->insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
	    z->insn.opcode >= 0xf6)
		return false;
	/* strings have hidden operands: theirs come before registers that count */
	for (i = 0; i < z->insn.operand_count; i++) {
		if ((is_string(z) && i < 2) ||
		    z->operand[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			sort_operand(z, &z->operand[i], i == 0);
	}
	return z->mem && !z->has_other;
}

/* ---- comparing */

static s8 register_number(ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return -1;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return -2;
	return ZydisRegisterGetId(reg);
}

static const char *compare_address(const struct insn *insn, const struct zydis *z)
{
	const ZydisDecodedOperandMem *mem = &z->mem->mem;
	unsigned int segment = mem->segment - ZYDIS_REGISTER_ES;

	if (is_string(z)) {
		if (insn->base != -1 || insn->index != -1 || insn->disp)
			return "a string has no address";
		/* the destination is in ES whatever the prefix says */
		if (insn->op == INSN_MOVS)
			segment = z->operand[1].mem.segment - ZYDIS_REGISTER_ES;
		if (insn->op == INSN_STOS || insn->op == INSN_INS || insn->op == INSN_SCAS)
			return segment == SEG_ES ? NULL : "segment";
		return insn_segment(insn) == segment ? NULL : "segment";
	}
	if (insn->base != register_number(mem->base))
		return "base";
	if (insn->index != register_number(mem->index))
		return "index";
	if (insn->index >= 0 && insn->scale != (mem->scale ?: 1))
		return "scale";
	if (mask_len(insn->disp, insn->addr_len) != mask_len(mem->disp.value, insn->addr_len))
		return "disp";
	return insn_segment(insn) == segment ? NULL : "segment";
}

static const char *compare_source(const struct insn *insn, const struct zydis *z)
{
	ZydisRegister reg;

	if (insn->op == INSN_SETCC || insn->op == INSN_PUSH || insn->op == INSN_POP)
		return insn->has_imm ? "has_imm" : NULL;
	if (insn->op2 && (insn->op == INSN_ADD || insn->op == INSN_SUB || insn->op == INSN_XOR))
		return insn->has_imm ? NULL : "has_imm";
	if (insn->has_imm != !!z->imm)
		return "has_imm";
	if (insn->has_imm) {
		u64 want = mask_len(z->imm->imm.value.u, insn->mem_len);

		if (insn->op == INSN_BIT_TEST)
			want &= 8 * insn->mem_len - 1;
		if (insn->op == INSN_SHIFT)
			want &= insn->mem_len == 8 ? 63 : 31;
		if (insn->imm != want || insn->op != INSN_IMUL)
			return insn->imm == want ? NULL : "imm";
	}
	if (insn->op == INSN_MOVS || insn->op == INSN_INS || insn->op == INSN_OUTS || insn->op == INSN_CMPS)
		return NULL;
	reg = z->reg->reg.value;
	if (insn->reg_len * 8 != z->reg->size)
		return "reg_len";
	if (insn->reg_high != (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH))
		return "reg_high";
	/* Zydis counts AL CL DL BL AH CH DH BH SPL … DIL R8B: by encoding, without the gap */
	if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_GPR8) {
		unsigned int n = reg - ZYDIS_REGISTER_AL;

		n = n < 8 ? n & 3 : n - 4;
		return insn->reg == n ? NULL : "byte register";
	}
	return insn->reg == register_number(reg) ? NULL : "reg";
}

static const char *compare_actions(const struct insn *insn, const struct zydis *z)
{
	bool reads = z->mem->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
	bool writes = z->mem->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;

	if (insn_is_string(insn) != is_string(z))
		return "is_string";
	if (insn_writes_memory(insn) != writes)
		return "writes";
	/* of MOVS Zydis' operand is the destination alone */
	return insn->op == INSN_MOVS || insn_reads_memory(insn) == reads ? NULL : "reads";
}

static u8 rep_of(const struct zydis *z)
{
	u8 rep = REP_NONE;
	unsigned int i;

	for (i = 0; i < z->insn.raw.prefix_count; i++) {
		if (z->insn.raw.prefixes[i].value == 0xf2)
			rep = REP_NOT_EQUAL;
		else if (z->insn.raw.prefixes[i].value == 0xf3)
			rep = REP_EQUAL;
	}
	return rep;
}

static const char *compare(const struct insn *insn, const struct zydis *z)
{
	const char *bad;

	if (insn->length != z->insn.length)
		return "length";
	if (insn->op != z->mnemonic->op || insn->op2 != z->mnemonic->op2)
		return "op";
	if (insn->mem_len * 8 != z->mem->size)
		return "mem_len";
	if (insn->addr_len * 8 != z->insn.address_width)
		return "addr_len";
	if (insn->to_mem != z->mem_first && insn->op != INSN_TEST && insn->op != INSN_XCHG && insn->op != INSN_CMPS)
		return "to_mem";
	if (insn->rep != (is_string(z) ? rep_of(z) : REP_NONE))
		return "rep";
	if (insn->locked != !!(z->insn.attributes & ZYDIS_ATTRIB_HAS_LOCK))
		return "locked";
	bad = compare_address(insn, z) ?: compare_actions(insn, z);
	return bad ?: compare_source(insn, z);
}

/* Exactly its bytes are enough, one less is not. */
static const char *compare_lengths(const struct insn *insn, const u8 *bytes, unsigned int mode)
{
	struct insn again;

	if (insn_decode(&again, bytes, insn->length, mode) || memcmp(&again, insn, sizeof(again)))
		return "other with no byte behind";
	if (insn_decode(&again, bytes, insn->length - 1, mode) != -ENODATA)
		return "not ENODATA with a byte less";
	return NULL;
}

static void report(const char *what, const u8 *bytes, unsigned int mode)
{
	unsigned int i;

	if (differences++ >= MAX_REPORTS)
		return;
	printf("# %s: mode %u:", what, mode);
	for (i = 0; i < BUFFER_SIZE; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

/*
 * Zydis 4.0 takes 67 41 .. SIB with base 101 and mod 00 for a base of R13D without displacement;
 * there is none whatever REX.B says (SDM vol. 2 table 2-5), and processors agree.
 */
static bool zydis_is_wrong(const struct zydis *z, unsigned int mode)
{
	return mode == 8 && z->insn.address_width == 32 && z->insn.raw.modrm.mod == 0 &&
	       z->insn.raw.modrm.rm == 4 && z->insn.raw.sib.base == 5 && z->insn.raw.rex.B;
}

static void test_one(const ZydisDecoder *decoder, unsigned int mode, const u8 *bytes)
{
	struct insn insn;
	struct zydis z;
	bool knows = zydis_decode(&z, decoder, bytes);
	int ret = insn_decode(&insn, bytes, BUFFER_SIZE, mode);
	const char *bad = NULL;

	accepted += !ret;
	known += knows;
	if (knows && zydis_is_wrong(&z, mode))
		return;
	if (!ret && !knows)
		bad = "ours alone";
	else if (ret && knows)
		bad = "Zydis' alone";
	else if (!ret)
		bad = compare(&insn, &z) ?: compare_lengths(&insn, bytes, mode);
	if (bad)
		report(bad, bytes, mode);
}

int main(int argc, char **argv)
{
	unsigned long i, count = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000;
	static const unsigned int modes[] = { 8, 4, 2 };
	ZydisDecoder decoder[3];
	u8 bytes[BUFFER_SIZE];

	rng_state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	rng_state = rng_state * 0x9e3779b97f4a7c15ULL | 1;
	ZydisDecoderInit(&decoder[0], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisDecoderInit(&decoder[1], ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&decoder[2], ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16);
	for (i = 0; i < count; i++) {
		unsigned int m = rng() % 4 % 3;		/* 64-bit mode twice as often */

		generate(bytes);
		test_one(&decoder[m], modes[m], bytes);
	}
	printf("TAP version 13\n1..2\n");
	printf("%sok 1 decodes_as_zydis_does # %lu of %lu encodings differ\n",
	       differences ? "not " : "", differences, count);
	/* a generator that makes nothing of interest proves nothing */
	printf("%sok 2 generates_what_matters # %lu accepted, %lu known to Zydis\n",
	       accepted < count / 4 ? "not " : "", accepted, known);
	return differences || accepted < count / 4;
}
