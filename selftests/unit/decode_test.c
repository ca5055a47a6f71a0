// SPDX-License-Identifier: GPL-2.0-only
/*
 * The x86 instruction decoder: its rules one by one, its arithmetic against this processor's.
 *
 * LINK: kmod/arch/x86/decode.c kmod/arch/x86/compute.c
 * CFLAGS: -Ikmod/arch/x86
 */
#include <errno.h>

#include "arch_types.h"
#include "decode.h"
#include "unit.h"

static struct insn insn;

#define DECODE(mode, ...) ({						\
	static const u8 decode_bytes[] = { __VA_ARGS__ };		\
	insn_decode(&insn, decode_bytes, sizeof(decode_bytes), mode);	\
})

TEST(operand_size_follows_mode_66_and_rex_w)
{
	CHECK_EQ(DECODE(8, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 4);
	CHECK_EQ(DECODE(8, 0x66, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 2);
	CHECK_EQ(DECODE(8, 0x48, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 8);
	CHECK_EQ(DECODE(8, 0x66, 0x48, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 8);
	CHECK_EQ(DECODE(4, 0x66, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 2);
	CHECK_EQ(DECODE(2, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 2);
	CHECK_EQ(DECODE(2, 0x66, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 4);
	CHECK_EQ(DECODE(8, 0x66, 0x48, 0x88, 0x18), 0);
	CHECK_EQ(insn.mem_len, 1);
}

TEST(rex_counts_only_as_the_last_prefix)
{
	CHECK_EQ(DECODE(8, 0x48, 0x66, 0x89, 0x18), 0);
	CHECK_EQ(insn.mem_len, 2);
	CHECK_EQ(insn.length, 4);
	CHECK_EQ(DECODE(4, 0x48, 0x89, 0x18), -EINVAL);	/* DEC EAX */
}

TEST(byte_registers)
{
	CHECK_EQ(DECODE(8, 0x88, 0x20), 0);		/* mov [rax], ah */
	CHECK_EQ(insn.reg, GPR_RAX);
	CHECK(insn.reg_high);
	CHECK_EQ(DECODE(8, 0x40, 0x88, 0x20), 0);	/* mov [rax], spl */
	CHECK_EQ(insn.reg, GPR_RSP);
	CHECK(!insn.reg_high);
	CHECK_EQ(DECODE(8, 0x44, 0x88, 0x20), 0);	/* mov [rax], r12b */
	CHECK_EQ(insn.reg, GPR_R12);
	CHECK_EQ(DECODE(8, 0x0f, 0xb6, 0x20), 0);	/* movzx esp, byte [rax] */
	CHECK_EQ(insn.reg, GPR_RSP);
	CHECK(!insn.reg_high);
}

TEST(addresses_of_64_bit_mode)
{
	CHECK_EQ(DECODE(8, 0x8b, 0x05, 0xfc, 0xff, 0xff, 0xff), 0);	/* mov eax, [rip - 4] */
	CHECK_EQ(insn.base, -2);
	CHECK_EQ(insn.disp, -4);
	CHECK_EQ(DECODE(8, 0x8b, 0x04, 0x25, 0xfc, 0xff, 0xff, 0xff), 0);	/* mov eax, [-4] */
	CHECK_EQ(insn.base, -1);
	CHECK_EQ(insn.index, -1);
	CHECK_EQ(insn.disp, -4);
	CHECK_EQ(DECODE(8, 0x43, 0x8b, 0x44, 0x65, 0x80), 0);	/* mov eax, [r13 + r12*2 - 128] */
	CHECK_EQ(insn.base, GPR_R13);
	CHECK_EQ(insn.index, GPR_R12);
	CHECK_EQ(insn.scale, 2);
	CHECK_EQ(insn.disp, -128);
	CHECK_EQ(DECODE(8, 0x8b, 0x04, 0xe4), 0);			/* RSP is no index */
	CHECK_EQ(insn.base, GPR_RSP);
	CHECK_EQ(insn.index, -1);
}

TEST(addresses_of_16_and_32_bit_modes)
{
	CHECK_EQ(DECODE(2, 0x8b, 0x42, 0xff), 0);		/* mov ax, [bp + si - 1] */
	CHECK_EQ(insn.base, GPR_RBP);
	CHECK_EQ(insn.index, GPR_RSI);
	CHECK_EQ(insn.disp, -1);
	CHECK_EQ(insn_segment(&insn), SEG_SS);
	CHECK_EQ(DECODE(2, 0x8b, 0x06, 0x34, 0x12), 0);		/* mov ax, [0x1234] */
	CHECK_EQ(insn.base, -1);
	CHECK_EQ(insn.disp, 0x1234);
	CHECK_EQ(insn_segment(&insn), SEG_DS);
	CHECK_EQ(DECODE(2, 0x67, 0x8b, 0x05, 1, 2, 3, 4), 0);	/* mov ax, [0x04030201] */
	CHECK_EQ(insn.addr_len, 4);
	CHECK_EQ(insn.base, -1);
	CHECK_EQ(insn.disp, 0x04030201);
	CHECK_EQ(DECODE(4, 0x8b, 0x05, 1, 2, 3, 4), 0);
	CHECK_EQ(insn.base, -1);
	CHECK_EQ(DECODE(4, 0x67, 0x8b, 0x07), 0);		/* mov eax, [bx] */
	CHECK_EQ(insn.addr_len, 2);
	CHECK_EQ(insn.base, GPR_RBX);
}

TEST(segment_overrides)
{
	CHECK_EQ(DECODE(4, 0x26, 0x64, 0x8b, 0x00), 0);
	CHECK_EQ(insn.seg, SEG_FS);
	CHECK_EQ(DECODE(4, 0x64, 0x26, 0x8b, 0x00), 0);
	CHECK_EQ(insn.seg, SEG_ES);
	CHECK_EQ(DECODE(8, 0x64, 0x26, 0x8b, 0x00), 0);		/* ES: is nothing there */
	CHECK_EQ(insn.seg, SEG_FS);
	CHECK_EQ(DECODE(8, 0x36, 0x8b, 0x00), 0);
	CHECK_EQ(insn_segment(&insn), SEG_DS);
	CHECK_EQ(DECODE(8, 0x41, 0x8b, 0x04, 0x24), 0);		/* R12 is not RSP */
	CHECK_EQ(insn_segment(&insn), SEG_DS);
	CHECK_EQ(DECODE(8, 0x8b, 0x04, 0x24), 0);
	CHECK_EQ(insn_segment(&insn), SEG_SS);
}

TEST(immediates)
{
	CHECK_EQ(DECODE(8, 0x48, 0xc7, 0x00, 0, 0, 0, 0x80), 0);
	CHECK_EQ(insn.imm, 0xffffffff80000000ULL);
	CHECK_EQ(DECODE(8, 0xc7, 0x00, 0, 0, 0, 0x80), 0);
	CHECK_EQ(insn.imm, 0x80000000ULL);
	CHECK_EQ(DECODE(8, 0x66, 0xc7, 0x00, 0x34, 0x92), 0);
	CHECK_EQ(insn.imm, 0x9234);
	CHECK_EQ(DECODE(8, 0x83, 0x20, 0xfe), 0);		/* and dword [rax], -2 */
	CHECK_EQ(insn.op, INSN_AND);
	CHECK_EQ(insn.imm, 0xfffffffeULL);
	CHECK_EQ(DECODE(8, 0x0f, 0xba, 0x28, 0x23), 0);		/* bts dword [rax], 35: 3 */
	CHECK_EQ(insn.op2, 1);
	CHECK_EQ(insn.imm, 3);
}

TEST(one_operand)
{
	CHECK_EQ(DECODE(8, 0x66, 0xff, 0x08), 0);		/* dec word [rax] */
	CHECK_EQ(insn.op, INSN_SUB);
	CHECK_EQ(insn.op2, INSN_INC);
	CHECK_EQ(insn.imm, 1);
	CHECK_EQ(DECODE(8, 0xf0, 0xf6, 0x10), 0);		/* lock not byte [rax] */
	CHECK_EQ(insn.length, 3);
	CHECK_EQ(insn.imm, 0xff);
	CHECK(insn_reads_memory(&insn) && insn_writes_memory(&insn));
	CHECK_EQ(DECODE(8, 0xf0, 0xf6, 0x00, 1), -EINVAL);	/* lock test */
}

TEST(moffs)
{
	CHECK_EQ(DECODE(8, 0xa1, 1, 2, 3, 4, 5, 6, 7, 0x88), 0);
	CHECK_EQ(insn.disp, 0x8807060504030201ULL);
	CHECK_EQ(insn.reg, GPR_RAX);
	CHECK(!insn.to_mem);
	CHECK_EQ(DECODE(8, 0x67, 0xa3, 0, 0, 0, 0xfe), 0);
	CHECK_EQ(insn.disp, 0xfe000000ULL);
	CHECK(insn.to_mem);
	CHECK_EQ(DECODE(2, 0xa0, 0x00, 0xff), 0);
	CHECK_EQ(insn.disp, 0xff00);
}

TEST(strings)
{
	CHECK_EQ(DECODE(8, 0xf3, 0x48, 0xa5), 0);
	CHECK_EQ(insn.op, INSN_MOVS);
	CHECK(insn.rep);
	CHECK_EQ(insn.mem_len, 8);
	CHECK_EQ(DECODE(8, 0xf2, 0xaa), 0);
	CHECK(insn.rep);
	CHECK_EQ(DECODE(8, 0xf3, 0xf2, 0xa6), 0);		/* of both the last: repne cmpsb */
	CHECK_EQ(insn.rep, REP_NOT_EQUAL);
	CHECK(insn_uses_rsi(&insn) && insn_uses_rdi(&insn) && !insn_writes_memory(&insn));
	CHECK_EQ(DECODE(8, 0xf3, 0x48, 0xaf), 0);		/* repe scasq */
	CHECK_EQ(insn.rep, REP_EQUAL);
	CHECK(!insn_uses_rsi(&insn) && insn_uses_rdi(&insn) && insn_reads_memory(&insn));
	CHECK_EQ(DECODE(8, 0xf3, 0x8b, 0x00), 0);		/* REP means nothing here */
	CHECK(!insn.rep);
	CHECK_EQ(DECODE(8, 0x48, 0x6d), 0);			/* no 64-bit port */
	CHECK_EQ(insn.mem_len, 4);
}

TEST(lock_only_where_it_is_legal)
{
	CHECK_EQ(DECODE(8, 0xf0, 0x09, 0x00), 0);
	CHECK(insn.locked);
	CHECK_EQ(DECODE(8, 0xf0, 0x87, 0x00), 0);
	CHECK_EQ(DECODE(8, 0xf0, 0x83, 0x08, 0x01), 0);
	CHECK_EQ(DECODE(8, 0xf0, 0x0f, 0xba, 0x28, 0x01), 0);
	CHECK_EQ(DECODE(8, 0xf0, 0x89, 0x00), -EINVAL);		/* mov */
	CHECK_EQ(DECODE(8, 0xf0, 0x0b, 0x00), -EINVAL);		/* or eax, [rax] */
	CHECK_EQ(DECODE(8, 0xf0, 0x39, 0x00), -EINVAL);		/* cmp */
	CHECK_EQ(DECODE(8, 0xf0, 0x83, 0x38, 0x01), -EINVAL);	/* cmp, by group */
	CHECK_EQ(DECODE(8, 0xf0, 0x0f, 0xba, 0x20, 0x01), -EINVAL);	/* bt */
	CHECK_EQ(DECODE(8, 0xf0, 0xa4), -EINVAL);
	CHECK_EQ(DECODE(8, 0xf0, 0xff, 0x30), -EINVAL);		/* push */
	CHECK_EQ(DECODE(8, 0xf0, 0x83, 0x10, 0x01), 0);		/* adc */
	CHECK_EQ(DECODE(8, 0xf0, 0x0f, 0xb1, 0x08), 0);		/* cmpxchg */
	CHECK_EQ(DECODE(8, 0xf0, 0x0f, 0xc0, 0x08), 0);		/* xadd */
	CHECK_EQ(DECODE(8, 0xf0, 0x0f, 0x95, 0x00), -EINVAL);	/* setne */
	CHECK_EQ(DECODE(8, 0xf0, 0x0f, 0x45, 0x00), -EINVAL);	/* cmovne */
	CHECK_EQ(DECODE(8, 0xf0, 0xd1, 0x20), -EINVAL);		/* shl */
	CHECK_EQ(DECODE(8, 0xf0, 0x6b, 0x00, 0x05), -EINVAL);	/* imul */
	CHECK_EQ(DECODE(8, 0xf0, 0x0f, 0xc3, 0x00), -EINVAL);	/* movnti */
}

TEST(stack)
{
	CHECK_EQ(DECODE(8, 0xff, 0x30), 0);			/* push qword [rax] */
	CHECK_EQ(insn.op, INSN_PUSH);
	CHECK_EQ(insn.mem_len, 8);
	CHECK(insn_reads_memory(&insn) && !insn_writes_memory(&insn));
	CHECK_EQ(DECODE(8, 0x66, 0x8f, 0x00), 0);		/* pop word [rax] */
	CHECK_EQ(insn.op, INSN_POP);
	CHECK_EQ(insn.mem_len, 2);
	CHECK(!insn_reads_memory(&insn) && insn_writes_memory(&insn));
	CHECK_EQ(DECODE(4, 0x8f, 0x00), 0);
	CHECK_EQ(insn.mem_len, 4);
	CHECK_EQ(DECODE(8, 0x8f, 0x08), -EINVAL);		/* of XOP */
	CHECK_EQ(DECODE(8, 0xfe, 0x30), -EINVAL);
}

TEST(shifts)
{
	CHECK_EQ(DECODE(8, 0x48, 0xc1, 0x28, 0x63), 0);		/* shr qword [rax], 35 */
	CHECK_EQ(insn.op, INSN_SHIFT);
	CHECK_EQ(insn.op2, SHIFT_RIGHT);
	CHECK_EQ(insn.imm, 35);
	CHECK_EQ(DECODE(8, 0xd0, 0x30), 0);			/* sal: another name of shl */
	CHECK_EQ(insn.op2, SHIFT_LEFT);
	CHECK_EQ(insn.imm, 1);
	CHECK_EQ(DECODE(4, 0x66, 0xd3, 0x18), 0);		/* rcr word [eax], cl */
	CHECK(!insn.has_imm && insn.mem_len == 2);
	CHECK_EQ(insn.reg, GPR_RCX);
	CHECK_EQ(insn.reg_len, 1);
}

TEST(rejects)
{
	CHECK_EQ(DECODE(8, 0x89, 0xc0), -EINVAL);		/* no memory */
	CHECK_EQ(DECODE(8, 0x0f, 0x28, 0x00), -EINVAL);		/* movaps */
	CHECK_EQ(DECODE(8, 0x8e, 0x18), -EINVAL);		/* mov ds, [rax] */
	CHECK_EQ(DECODE(8, 0x66, 0x0f, 0xc3, 0x00), -EINVAL);	/* not movnti */
	CHECK_EQ(DECODE(8, 0xf2, 0x0f, 0x38, 0xf0, 0x00), -EINVAL);	/* crc32 */
	CHECK_EQ(DECODE(8, 0x0f, 0x38, 0x00, 0x00), -EINVAL);	/* pshufb */
	CHECK_EQ(DECODE(8, 0xf7, 0x28), -EINVAL);		/* imul of rdx:rax */
	CHECK_EQ(DECODE(8, 0x82, 0x00, 0x01), -EINVAL);
	CHECK_EQ(DECODE(4, 0x82, 0x00, 0x01), 0);
	CHECK_EQ(DECODE(4, 0x63, 0x00), -EINVAL);		/* arpl */
	CHECK_EQ(DECODE(8, 0xc6, 0x08, 0x01), -EINVAL);
	CHECK_EQ(DECODE(8, 0xf7, 0x20), -EINVAL);		/* mul */
	CHECK_EQ(DECODE(8, 0xff, 0x10), -EINVAL);		/* call */
	CHECK_EQ(DECODE(8, 0xc5, 0xf8, 0x28, 0x00), -EINVAL);	/* VEX */
}

TEST(lengths)
{
	u8 bytes[32];
	unsigned int i;

	memset(bytes, 0x66, sizeof(bytes));
	CHECK_EQ(insn_decode(&insn, bytes, sizeof(bytes), 8), -EINVAL);
	CHECK_EQ(insn_decode(&insn, bytes, 15, 8), -EINVAL);
	CHECK_EQ(insn_decode(&insn, bytes, 14, 8), -ENODATA);
	CHECK_EQ(insn_decode(&insn, bytes, 0, 8), -ENODATA);
	bytes[13] = 0x8b;
	bytes[14] = 0x00;
	CHECK_EQ(insn_decode(&insn, bytes, sizeof(bytes), 8), 0);
	CHECK_EQ(insn.length, 15);
	bytes[14] = 0x40;					/* a disp8 behind is the 16th */
	CHECK_EQ(insn_decode(&insn, bytes, sizeof(bytes), 8), -EINVAL);
	CHECK_EQ(insn_decode(&insn, bytes, 14, 8), -ENODATA);
	for (i = 0; i < 8; i++) {
		static const u8 mov[] = { 0xc7, 0x84, 0x88, 1, 0, 0, 0, 1, 2, 3, 4 };

		CHECK_EQ(insn_decode(&insn, mov, i, 8), -ENODATA);
	}
}

/* ---- arithmetic */

#define FLAGS	0x8d5ULL		/* CF PF AF ZF SF OF */
#define AF	0x10ULL

static u64 rng_state = 88172645463325252ULL;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

/* Small numbers, the ends of the range, and anything: carries live at the ends. */
static u64 operand(unsigned int len)
{
	u64 value = rng() % 4;

	switch (rng() % 4) {
	case 0:
		break;
	case 1:
		value = -value;
		break;
	case 2:
		value += (1ULL << (8 * len - 1)) - 2;
		break;
	default:
		value = rng();
	}
	return mask_len(value, len);
}

#ifdef __x86_64__
#define NATIVE_LEN(_insn, _suffix, _reg)					\
	/* the stack pointer steps over the red zone */			\
	asm volatile(_insn _suffix " %" _reg "2, %" _reg "0\n\t"	\
		     "lea -128(%%rsp), %%rsp\n\tpushfq\n\tpopq %1\n\t"		\
		     "lea 128(%%rsp), %%rsp"					\
		     : "+r"(dest), "=&r"(flags) : "r"(src) : "cc", "memory")
#define NATIVE(_op, _insn)							\
	case _op:								\
		if (len == 1)							\
			NATIVE_LEN(_insn, "b", "b");				\
		else if (len == 2)						\
			NATIVE_LEN(_insn, "w", "w");				\
		else if (len == 4)						\
			NATIVE_LEN(_insn, "l", "k");				\
		else								\
			NATIVE_LEN(_insn, "q", "q");				\
		break

static u64 native(u8 op, unsigned int len, u64 dest, u64 src, u64 *rflags)
{
	u64 flags = 0;

	switch (op) {
	NATIVE(INSN_ADD, "add");
	NATIVE(INSN_SUB, "sub");
	NATIVE(INSN_AND, "and");
	NATIVE(INSN_OR, "or");
	NATIVE(INSN_XOR, "xor");
	NATIVE(INSN_CMP, "cmp");
	NATIVE(INSN_TEST, "test");
	}
	*rflags = flags & FLAGS;
	return mask_len(dest, len);
}

TEST(arithmetic_is_the_processors)
{
	static const u8 ops[] = {
		INSN_ADD, INSN_SUB, INSN_AND, INSN_OR, INSN_XOR, INSN_CMP, INSN_TEST
	};
	unsigned int i;

	for (i = 0; i < 2000000; i++) {
		struct insn alu = { .op = ops[i % sizeof(ops)], .mem_len = 1 << rng() % 4 };
		u64 dest = operand(alu.mem_len), src = operand(alu.mem_len);
		u64 flags = ~0ULL, want_flags, result, want;

		want = native(alu.op, alu.mem_len, dest, src, &want_flags);
		result = insn_compute(&alu, dest, src, &flags);
		if (alu.op != INSN_CMP && alu.op != INSN_TEST)
			CHECK_EQ(result, want);
		if (alu.op != INSN_ADD && alu.op != INSN_SUB && alu.op != INSN_CMP)
			want_flags &= ~AF;
		CHECK_EQ(flags & FLAGS, want_flags);
		CHECK_EQ(flags | FLAGS, ~0ULL);
	}
}
#endif

TEST(bit_test_changes_its_bit_and_cf)
{
	struct insn bit = { .op = INSN_BIT_TEST, .mem_len = 4, .op2 = 1 };
	u64 flags = 0x40;

	CHECK_EQ(insn_compute(&bit, 0, 35, &flags), 8);
	CHECK_EQ(flags, 0x40);
	bit.op2 = 2;
	CHECK_EQ(insn_compute(&bit, 0x88, 3, &flags), 0x80);
	CHECK_EQ(flags, 0x41);
	bit.op2 = 3;
	CHECK_EQ(insn_compute(&bit, 0x88, 3, &flags), 0x80);
	bit.op2 = 0;
	CHECK_EQ(insn_compute(&bit, 0x80, 3, &flags), 0x80);
	CHECK_EQ(flags, 0x40);
}
