/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoder for the instructions that touch device memory: table-driven and pure (no guest memory,
 * no vCPU), so that it is tested against another decoder on the host. SDM vol. 2 ch. 2, appendix A.
 */
#ifndef QVM_X86_DECODE_H
#define QVM_X86_DECODE_H

#include <linux/bits.h>
#include <linux/types.h>

#define X86_INSN_MAX	15

static inline u64 mask_len(u64 value, unsigned int len)
{
	return len == 8 ? value : value & (BIT_ULL(8 * len) - 1);
}

enum insn_op {
	INSN_MOV,	/* reg or imm → mem, mem → reg */
	INSN_MOVZX,
	INSN_MOVSX,	/* MOVSXD too */
	INSN_STOS,
	INSN_MOVS,
	INSN_LODS,
	/* mem op= reg/imm, reg op= mem; flags */
	INSN_AND, INSN_OR, INSN_XOR, INSN_ADD, INSN_SUB,
	INSN_CMP, INSN_TEST,				/* flags only */
	INSN_XCHG,
	INSN_BIT_TEST,	/* BT, BTS, BTR, BTC: op2 says which */
	INSN_ADC, INSN_SBB,
	INSN_SHIFT,	/* ROL ROR RCL RCR SHL SHR SHL SAR, by op2 */
	INSN_IMUL,	/* reg *= mem, or reg = mem * imm; flags */
	INSN_SETCC, INSN_CMOV,				/* op2 is the condition */
	INSN_MOVBE,
	INSN_XADD, INSN_CMPXCHG,			/* mem and reg; the latter RAX too */
	INSN_SCAS, INSN_CMPS,				/* flags only */
	INSN_SCAN,	/* BSF, BSR, TZCNT, LZCNT by op2 */
	INSN_PUSH, INSN_POP,	/* mem ↔ stack */
	INSN_INS, INSN_OUTS,	/* port in DX ↔ mem: for port exits, not for those of memory */
	INSN_OP_COUNT
};

/* op2 of ADD and SUB: INC and DEC, which leave CF; of XOR: NOT, which leaves all; of SUB: imm - mem */
enum { INSN_INC = 1, INSN_NOT = 1, INSN_NEG = 2 };

/*
 * op2 of SCAN, and to the last two what they are on a processor that knows no F3 there. Here it is
 * taken for one that does.
 */
enum { SCAN_FORWARD, SCAN_REVERSE, SCAN_COUNT_TRAILING, SCAN_COUNT_LEADING };
#define SCAN_PLAIN(op2)		((op2) & 1)

/* Only SCAS and CMPS ask which it is: they go on while ZF is set, or clear. */
enum insn_rep { REP_NONE, REP_EQUAL, REP_NOT_EQUAL };

/* op2 of SHIFT: ModRM.reg, of which 6 is another 4. Odd ones go to the right. */
enum { ROTATE_LEFT, ROTATE_RIGHT, ROTATE_CARRY_LEFT, ROTATE_CARRY_RIGHT, SHIFT_LEFT, SHIFT_RIGHT, SHIFT_SIGNED = 7 };

struct insn {
	u8 length;		/* bytes, 1 … 15 */
	u8 op;			/* enum insn_op */
	u8 mem_len;		/* bytes of the memory operand: 1, 2, 4, 8 */
	u8 reg_len;		/* bytes of the register: MOVZX, MOVSX differ from mem_len */
	u8 reg;			/* register operand, 0 … 15 */
	bool reg_high;		/* it is AH, CH, DH or BH (reg 0 … 3) */
	bool to_mem;		/* memory is the first operand: the destination if any */
	bool has_imm;		/* source is imm, not reg */
	u64 imm;		/* sign-extended, masked to mem_len; or a bit's number, or a shift's count */
	u8 rep;			/* enum insn_rep: before a string instruction */
	bool locked;
	u8 addr_len;		/* 2, 4, 8: width of the address, of a string's RCX, RSI, RDI */
	u8 op2;			/* BIT_TEST: 0 BT 1 BTS 2 BTR 3 BTC; SHIFT, SETCC, CMOV: as encoded; else as above */
	s8 seg;			/* segment override as enum x86_seg, or -1 */
	/* effective address: base + index * scale + disp modulo its width; none for strings */
	s8 base, index;		/* GPR or -1; base -2: RIP of the next instruction */
	u8 scale;		/* 1, 2, 4, 8 */
	s64 disp;
};

/*
 * Decode one instruction. @mode: default operand and address size: 2 (16-bit), 4 (32-bit), 8
 * (64-bit code segment). 0; -EINVAL: no instruction that this table knows (or no memory operand, a
 * LOCK where it is #UD, longer than 15 bytes); -ENODATA: @count bytes do not hold all of it.
 */
int insn_decode(struct insn *insn, const u8 *bytes, unsigned int count, unsigned int mode);

/* Segment of the memory operand, as enum x86_seg; of a string instruction that of rSI. */
unsigned int insn_segment(const struct insn *insn);

/* What it does; of MOVS both reads and writes, CMPS reads both. Ports and the stack do not count. */
bool insn_is_string(const struct insn *insn);
bool insn_uses_rsi(const struct insn *insn);		/* a string's operand in memory, at rSI … */
bool insn_uses_rdi(const struct insn *insn);		/* … and at ES:rDI */
bool insn_reads_memory(const struct insn *insn);
bool insn_writes_memory(const struct insn *insn);

/*
 * All from INSN_AND on but XCHG, the stack and ports, on @insn->mem_len bytes: the result, and in @rflags CF, PF,
 * AF, ZF, SF, OF as the SDM defines them (undefined ones: AF of AND, OR, XOR, TEST and shifts is
 * cleared, OF of a shift is as of its last bit, BIT_TEST changes CF alone, IMUL CF and OF). @dest and
 * @src are zero-extended; of @src BIT_TEST takes the bit's number modulo the operand's width, SHIFT
 * the count modulo 32 or 64. XADD gives the sum, CMPXCHG compares: @dest is the accumulator.
 * SCAS and CMPS: of CMP. SCAN changes ZF, and CF if it counts; one that finds nothing gives @dest.
 */
u64 insn_compute(const struct insn *insn, u64 dest, u64 src, u64 *rflags);

#endif /* QVM_X86_DECODE_H */
