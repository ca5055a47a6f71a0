// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generated instructions on a device and RAM beside it, done by the emulator and by the processor
 * that runs the test.
 *
 * LINK: kmod/arch/x86/emulate.c kmod/arch/x86/emulate_result.c kmod/arch/x86/decode.c kmod/arch/x86/compute.c kmod/arch/x86/gwalk.c kmod/arch/x86/move.c kmod/arch/x86/insn_cache.c
 * CFLAGS: -Ikmod/arch/x86 -Iuapi/x86
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "unit.h"
#include "fake/x86guest/device.h"

#ifndef __x86_64__

TEST(generated_instructions_do_what_the_processor_does)
{
	/* another processor: nothing to compare with */
}

#else

struct native_regs {
	u64 gpr[16];
	u64 rflags;
};

void native_run(struct native_regs *regs, const void *code);
extern const char native_back[];

/* Everything but RSP from *regs and back; the code jumps to native_back. */
asm(".pushsection .bss\n"
    "native_regs_at: .zero 8\n"
    "native_code_at: .zero 8\n"
    "native_rdi: .zero 8\n"
    ".popsection\n"
    "native_run:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	mov %rdi, native_regs_at(%rip)\n"
    "	mov %rsi, native_code_at(%rip)\n"
    "	push 128(%rdi); popfq\n"
    "	mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rbx\n"
    "	mov 40(%rdi), %rbp; mov 48(%rdi), %rsi\n"
    "	mov 64(%rdi), %r8; mov 72(%rdi), %r9; mov 80(%rdi), %r10; mov 88(%rdi), %r11\n"
    "	mov 96(%rdi), %r12; mov 104(%rdi), %r13; mov 112(%rdi), %r14; mov 120(%rdi), %r15\n"
    "	mov 56(%rdi), %rdi\n"
    "	jmp *native_code_at(%rip)\n"
    "native_back:\n"
    "	mov %rdi, native_rdi(%rip)\n"
    "	mov native_regs_at(%rip), %rdi\n"
    "	pushfq; pop 128(%rdi)\n"
    "	cld\n"
    "	mov %rax, 0(%rdi); mov %rcx, 8(%rdi); mov %rdx, 16(%rdi); mov %rbx, 24(%rdi)\n"
    "	mov %rbp, 40(%rdi); mov %rsi, 48(%rdi)\n"
    "	mov %r8, 64(%rdi); mov %r9, 72(%rdi); mov %r10, 80(%rdi); mov %r11, 88(%rdi)\n"
    "	mov %r12, 96(%rdi); mov %r13, 104(%rdi); mov %r14, 112(%rdi); mov %r15, 120(%rdi)\n"
    "	mov native_rdi(%rip), %rax; mov %rax, 56(%rdi)\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n");

#define AREA_PAGES	5	/* 1 and 3 are a device, 2 is RAM; 0 and 4 catch what goes astray */
#define AREA_SIZE	(AREA_PAGES * PAGE)

static u8 *area, *code_page;
static u8 shadow[AREA_SIZE];
static u64 rng_state = 88172645463325252ULL;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dULL >> 16;
}

static u64 rng64(void)
{
	return rng() ^ rng() << 32;
}

/* An address near a page boundary of the inner pages, half the time. */
static u64 target(unsigned int align)
{
	u64 offset = PAGE + 0x100 + rng() % (3 * PAGE - 0x200);

	if (rng() % 2)
		offset = (2 + rng() % 2) * PAGE - rng() % 10;
	return (u64)(unsigned long)area + (offset & ~(u64)(align - 1));
}

/* The rows of a kind differ in these bits of the opcode. */
static u8 variants(u8 opcode)
{
	if (opcode < 0x40 || opcode == 0x80 || opcode == 0x88 || opcode == 0xd0)
		return 3;
	return opcode == 0x63 ? 0 : opcode == 0x69 ? 2 : 1;
}

static unsigned int generate(u8 *bytes)
{
	static const u8 prefixes[] = { 0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf3, 0xf0, 0x2e, 0x3e };
	static const u8 opcodes[] = {
		0x00, 0x08, 0x20, 0x28, 0x30, 0x38, 0x80, 0x80, 0x84, 0x88, 0x88, 0xa4, 0xa4, 0xaa,
		0xac, 0xc6, 0xf6, 0x63, 0x86, 0xfe, 0x10, 0x18, 0x69, 0xc0, 0xd0,
		0xa6, 0xae
	};
	static const u8 opcodes_0f[] = {
		0xa3, 0xab, 0xb3, 0xbb, 0xba, 0xba, 0xb6, 0xb7, 0xbe, 0xbf, 0xaf, 0xb0, 0xb1, 0xc0,
		0xc1, 0xc3, 0x40, 0x90, 0x38, 0xbc, 0xbd
	};
	unsigned int pos = 0, i;

	for (i = 0; i < X86_INSN_MAX; i++)
		bytes[i] = rng();
	while (rng() % 3 == 0 && pos < 3)
		bytes[pos++] = prefixes[rng() % sizeof(prefixes)];
	if (rng() % 2)
		bytes[pos++] = 0x40 | rng() % 16;
	if (rng() % 4 == 0) {
		bytes[pos++] = 0x0f;
		bytes[pos] = opcodes_0f[rng() % sizeof(opcodes_0f)];
		if (bytes[pos] == 0x38)
			bytes[++pos] = 0xf0 | rng() % 2;
		else if (bytes[pos] == 0x40 || bytes[pos] == 0x90)
			bytes[pos] |= rng() % 16;
	} else {
		bytes[pos] = opcodes[rng() % sizeof(opcodes)];
		bytes[pos] ^= rng() & variants(bytes[pos]);
	}
	return pos;
}

/* It came with AVX2, for which there is a name; so did LZCNT and TZCNT. */
static bool has_movbe(void)
{
	return __builtin_cpu_supports("avx2");
}

/* Can it run here, and can its address be chosen? */
static bool is_suitable(const struct insn *insn, const u8 *bytes)
{
	if (insn->op >= INSN_PUSH)		/* the stack is the test's own; ports */
		return false;
	if (insn->mem_len > insn->reg_len)	/* 66 63: differs between makers */
		return false;
	if (insn_is_string(insn))
		return true;
	if (insn->base < 0 || insn->base == GPR_RSP || insn->base == insn->index)
		return false;
	if ((!insn->has_imm || insn->op == INSN_IMUL) && insn->reg == GPR_RSP)
		return false;
	if ((insn->op == INSN_MOVBE || insn->op == INSN_SCAN) && !has_movbe())
		return false;
	return insn->op != INSN_BIT_TEST || insn->has_imm ||
	       (insn->reg != insn->base && insn->reg != insn->index);
}

static u64 upper_rubbish(const struct insn *insn)
{
	return insn->addr_len == 4 && !insn->rep ? rng64() << 32 : 0;
}

static void choose_registers(const struct insn *insn, struct native_regs *regs)
{
	bool aligned = insn->locked || insn->op == INSN_XCHG;
	unsigned int i;
	u64 at;

	for (i = 0; i < 16; i++)
		regs->gpr[i] = rng() % 4 ? rng64() : rng() % 3 - 1;
	regs->rflags = 2 | (rng() & (FLAGS | X86_EFLAGS_DF));
	if (insn_is_string(insn)) {
		regs->gpr[GPR_RSI] = target(1) | upper_rubbish(insn);
		regs->gpr[GPR_RDI] = target(1) | upper_rubbish(insn);
		if (insn->rep)
			regs->gpr[GPR_RCX] = rng() % 5;
		/* equal ones, now and then */
		if (insn->op == INSN_CMPS && rng() % 4 == 0)
			regs->gpr[GPR_RSI] = regs->gpr[GPR_RDI];
		if (insn->op == INSN_SCAS && rng() % 2)
			memset(&regs->gpr[GPR_RAX], *(u8 *)(unsigned long)(u32)regs->gpr[GPR_RDI], 8);
		return;
	}
	if (insn->op == INSN_BIT_TEST && !insn->has_imm)
		regs->gpr[insn->reg] = (s64)(rng() % 1024) - 512;
	at = target(aligned ? insn->mem_len : 1);
	regs->gpr[insn->base] = at - insn->disp;
	if (insn->index >= 0)
		regs->gpr[insn->base] -= regs->gpr[insn->index] * insn->scale;
	/* let it match, now and then */
	if (insn->op == INSN_CMPXCHG && insn->base != GPR_RAX && insn->index != GPR_RAX && rng() % 2)
		memcpy(&regs->gpr[GPR_RAX], (void *)(unsigned long)at, insn->mem_len);
	if (insn->addr_len == 4)
		regs->gpr[insn->base] = (u32)regs->gpr[insn->base] | upper_rubbish(insn);
}

static void run_native(const u8 *bytes, unsigned int len, struct native_regs *regs)
{
	u64 back = (unsigned long)native_back;

	memcpy(code_page, bytes, len);
	memcpy(code_page + len, "\xff\x25\0\0\0\0", 6);		/* jmp [rip] */
	memcpy(code_page + len + 6, &back, sizeof(back));
	native_run(regs, code_page);
}

static void run_emulated(const u8 *bytes, unsigned int len, struct native_regs *regs)
{
	unsigned int rounds = 0;

	guest.vector = -1;
	guest.rip = CODE;
	memcpy(guest.ram + CODE, bytes, len);
	memcpy(guest.vcpu.arch.regs.gpr, regs->gpr, sizeof(regs->gpr));
	guest.rflags = regs->rflags;
	dev.to_user = rng() % 2;
	while (guest.rip == CODE && rounds++ < 10)
		CHECK_EQ(mmio(0), EXIT_RESUME);
	CHECK_EQ(guest.vector, -1);
	CHECK_EQ(guest.rip, CODE + len);
	memcpy(regs->gpr, guest.vcpu.arch.regs.gpr, sizeof(regs->gpr));
	regs->rflags = guest.rflags;
}

#define CF	0x001ULL
#define AF	0x010ULL
#define ZF	0x040ULL
#define OF	0x800ULL

/* OF of one bit alone, CF not of more bits than there are; rotations leave the others. */
static u64 flags_of_shift(const struct insn *insn, u64 count)
{
	u64 flags = FLAGS | X86_EFLAGS_DF;

	count &= insn->mem_len == 8 ? 63 : 31;
	if (!count)
		return flags;
	if (insn->op2 >= SHIFT_LEFT)
		flags &= ~AF;
	if ((insn->op2 == SHIFT_LEFT || insn->op2 == SHIFT_RIGHT) && count >= 8 * insn->mem_len)
		flags &= ~CF;
	return count == 1 ? flags : flags & ~OF;
}

static u64 defined_flags(const struct insn *insn, u64 rcx)
{
	switch (insn->op) {
	case INSN_SHIFT:
		return flags_of_shift(insn, insn->has_imm ? insn->imm : rcx);
	case INSN_SCAN:
		return ZF | (insn->op2 >= SCAN_COUNT_TRAILING ? CF : 0) | X86_EFLAGS_DF;
	case INSN_IMUL:
		return CF | OF | X86_EFLAGS_DF;
	case INSN_BIT_TEST:
		return 0x41 | X86_EFLAGS_DF;
	case INSN_XOR:
		if (insn->op2)
			return FLAGS | X86_EFLAGS_DF;
		fallthrough;
	case INSN_AND:
	case INSN_OR:
	case INSN_TEST:
		return (FLAGS & ~0x10ULL) | X86_EFLAGS_DF;
	default:
		return FLAGS | X86_EFLAGS_DF;
	}
}

static void compare_one(const struct insn *insn, const u8 *bytes)
{
	struct native_regs native, emulated;
	unsigned int i, failures = unit_failures;
	u64 defined;

	choose_registers(insn, &native);
	defined = defined_flags(insn, native.gpr[GPR_RCX]);
	emulated = native;
	memcpy(shadow, area, AREA_SIZE);
	run_native(bytes, insn->length, &native);
	run_emulated(bytes, insn->length, &emulated);
	for (i = 0; i < 16; i++)
		if (i != GPR_RSP)
			CHECK_EQ(emulated.gpr[i], native.gpr[i]);
	CHECK_EQ((emulated.rflags ^ native.rflags) & defined, 0);
	CHECK(!memcmp(shadow, area, AREA_SIZE));
	if (unit_failures == failures || failures > 3)
		return;
	printf("#");
	for (i = 0; i < insn->length; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

static void *map_low(u64 size, int prot)
{
	/* below 2 GiB, so that 32-bit addresses reach it */
	return mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}

TEST(generated_instructions_do_what_the_processor_does)
{
	unsigned int i, suitable = 0, ops = 0;

	area = map_low(AREA_SIZE, PROT_READ | PROT_WRITE);
	code_page = map_low(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	REQUIRE(area != MAP_FAILED && code_page != MAP_FAILED);
	reset(8);
	guest.more = shadow + 2 * PAGE;
	guest.more_base = (unsigned long)area + 2 * PAGE;
	guest.more_size = PAGE;
	dev.mem = shadow;
	dev.base = (unsigned long)area;
	dev.size = AREA_SIZE;
	for (i = 0; i < AREA_SIZE; i++)
		area[i] = rng();
	for (i = 0; i < 300000; i++) {
		u8 bytes[X86_INSN_MAX];
		struct insn insn;

		generate(bytes);
		if (insn_decode(&insn, bytes, sizeof(bytes), 8) || !is_suitable(&insn, bytes))
			continue;
		compare_one(&insn, bytes);
		ops |= BIT(insn.op);
		suitable++;
	}
	CHECK(suitable > 50000);
	CHECK_EQ(ops | (has_movbe() ? 0 : BIT(INSN_MOVBE) | BIT(INSN_SCAN)), BIT(INSN_PUSH) - 1);
	munmap(area, AREA_SIZE);
	munmap(code_page, PAGE);
}

#endif
