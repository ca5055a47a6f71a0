// SPDX-License-Identifier: GPL-2.0-only
/* General and some system registers keep what is in them over every kind of exit, CPU by CPU. */
#include "apic.h"
#include "exits.h"

/* rax rcx rdx rbx rbp rsi rdi r8 … r15, flags, how far RSP moved */
struct gprs {
	u64 r[15], flags, rsp;
};

enum { RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8 };
#define R(n)	BIT(n)

/* gprs_over_X(in, out): load all of @in, do X, store all to @out, which waits on the stack. */
#define GPRS_OVER(name, what)						\
	void gprs_over_##name(const struct gprs *in, struct gprs *out);	\
	asm(".pushsection .text\n"					\
	    "gprs_over_" #name ":\n"					\
	    "	gprs_enter\n"						\
	    "	" what "\n"						\
	    "	gprs_leave\n"						\
	    ".popsection\n")

asm(".macro gprs_enter\n"
    "	.irp reg, rbx, rbp, r12, r13, r14, r15\n"
    "	push %\\reg\n"
    "	.endr\n"
    "	push %rsi\n"
    "	mov %rsp, saved_rsp(%rip)\n"
    "	push 15 * 8(%rdi)\n"
    "	popfq\n"
    "	.set at, 0\n"
    "	.irp reg, rax, rcx, rdx, rbx, rbp, rsi, skip, r8, r9, r10, r11, r12, r13, r14, r15\n"
    "	.ifnc \\reg, skip\n"
    "	mov at(%rdi), %\\reg\n"
    "	.endif\n"
    "	.set at, at + 8\n"
    "	.endr\n"
    "	mov 6 * 8(%rdi), %rdi\n"
    ".endm\n"
    ".macro gprs_leave\n"
    "	push %rax\n"
    "	pushfq\n"
    "	mov 16(%rsp), %rax\n"
    "	.set at, 8\n"
    "	.irp reg, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15\n"
    "	mov %\\reg, at(%rax)\n"
    "	.set at, at + 8\n"
    "	.endr\n"
    "	pop 15 * 8(%rax)\n"
    "	pop (%rax)\n"
    "	mov %rsp, %rcx\n"
    "	sub saved_rsp(%rip), %rcx\n"
    "	mov %rcx, 16 * 8(%rax)\n"
    "	pop %rsi\n"
    "	.irp reg, r15, r14, r13, r12, rbp, rbx\n"
    "	pop %\\reg\n"
    "	.endr\n"
    "	ret\n"
    ".endm\n");

/* One CPU at a time is in there: the gate below sees to that. */
u64 saved_rsp;

#define FAULTS(insn)	"movq $1f, %gs:8\n" insn "\n1: movq $0, %gs:8"

GPRS_OVER(nothing, "nop");
GPRS_OVER(cpuid, "cpuid");
GPRS_OVER(vmcall, "vmcall");
GPRS_OVER(rdmsr, "rdmsr");
GPRS_OVER(wrmsr, "wrmsr");
GPRS_OVER(inb, "inb %dx, %al");
GPRS_OVER(inw, "inw %dx, %ax");
GPRS_OVER(inl, "inl %dx, %eax");
GPRS_OVER(outb, "outb %al, %dx");
GPRS_OVER(load8, "movb (%rsi), %r9b");
GPRS_OVER(load32, "movl (%rsi), %r15d");
GPRS_OVER(store32, "movl %r15d, (%rsi)");
GPRS_OVER(movzx, "movzbl (%rsi), %ebp");
GPRS_OVER(cr8, "mov %cr8, %rdi");
GPRS_OVER(cr4, "mov %cr4, %r12");
GPRS_OVER(dr, "mov %dr0, %r13");
GPRS_OVER(wbinvd, "wbinvd");
GPRS_OVER(xgetbv, "rdtsc");
GPRS_OVER(ud, FAULTS("ud2"));
GPRS_OVER(hidden, FAULTS("vmxoff"));
GPRS_OVER(gp, FAULTS("rdmsr"));
GPRS_OVER(pf, FAULTS("movl (%rsi), %eax"));
GPRS_OVER(db, FAULTS("int3"));
GPRS_OVER(pause, "pause");
GPRS_OVER(hlt, "sti\n hlt\n cli");
GPRS_OVER(spin, "mov $1 << 20, %r8d\n2: dec %r8d\n jnz 2b");

struct gprs_case {
	const char *name;
	void (*fn)(const struct gprs *in, struct gprs *out);
	u32 changed;			/* registers that the instruction writes */
	u64 rax, rcx, rdx, rsi;		/* 0: the pattern */
};

static const struct gprs_case gprs_cases[] = {
	{ "nothing", gprs_over_nothing, 0, 0, 0, 0, 0 },
	{ "cpuid", gprs_over_cpuid, R(RAX) | R(RBX) | R(RCX) | R(RDX), 1, 0, 0, 0 },
	{ "vmcall", gprs_over_vmcall, R(RAX), 0, 0, 0, 0 },
	{ "rdmsr", gprs_over_rdmsr, R(RAX) | R(RDX), 0, MSR_APIC_BASE, 0, 0 },
	{ "wrmsr", gprs_over_wrmsr, 0, 0, 0x8b, 0, 0 },
	{ "inb", gprs_over_inb, R(RAX), 0, 0, COM1_SCRATCH, 0 },
	{ "inw from nobody", gprs_over_inw, R(RAX), 0, 0, NOBODY_PORT, 0 },
	{ "inl from nobody", gprs_over_inl, R(RAX), 0, 0, NOBODY_PORT, 0 },
	{ "outb to the launcher", gprs_over_outb, 0, 0, 0, COM1_SCRATCH, 0 },
	{ "outb to the kernel", gprs_over_outb, 0, 0xff, 0, 0x21, 0 },
	{ "load of a byte", gprs_over_load8, R(R8 + 1), 0, 0, 0, NOBODY },
	{ "load from the kernel", gprs_over_load32, R(14), 0, 0, 0, LAPIC + APIC_VERSION },
	{ "store to the kernel", gprs_over_store32, 0, 0, 0, 0, LAPIC + APIC_EOI },
	{ "movzx from nobody", gprs_over_movzx, R(RBP), 0, 0, 0, NOBODY },
	{ "cr8", gprs_over_cr8, R(RDI), 0, 0, 0, 0 },
	{ "cr4", gprs_over_cr4, R(R8 + 4), 0, 0, 0, 0 },
	{ "dr0", gprs_over_dr, R(R8 + 5), 0, 0, 0, 0 },
	{ "wbinvd", gprs_over_wbinvd, 0, 0, 0, 0, 0 },
	{ "rdtsc", gprs_over_xgetbv, R(RAX) | R(RDX), 0, 0, 0, 0 },
	{ "undefined", gprs_over_ud, 0, 0, 0, 0, 0 },
	{ "hidden", gprs_over_hidden, 0, 0, 0, 0, 0 },
	{ "general protection", gprs_over_gp, 0, 0, 0x1fff, 0, 0 },
	{ "page fault", gprs_over_pf, 0, 0, 0, 0, WINDOW + 0x123456 },
	{ "breakpoint", gprs_over_db, 0, 0, 0, 0, 0 },
	{ "pause", gprs_over_pause, 0, 0, 0, 0, 0 },
	{ "hlt", gprs_over_hlt, 0, 0, 0, 0, 0 },
	{ "spinning", gprs_over_spin, R(R8), 0, 0, 0, 0 },
};

#define FLAGS_TESTED	0xcd5		/* CF PF AF ZF SF DF OF */

static void gprs_fill(struct gprs *gprs, const struct gprs_case *c, u64 seed)
{
	for (unsigned int i = 0; i < 15; i++)
		gprs->r[i] = seed << 56 | 0xc3000000000000ULL | (u64)i << 32 | (0xf0e1d2c3 ^ seed * i);
	gprs->r[RAX] = c->rax ?: gprs->r[RAX];
	gprs->r[RCX] = c->rcx ?: gprs->r[RCX];
	gprs->r[RDX] = c->rdx ?: gprs->r[RDX];
	gprs->r[RSI] = c->rsi ?: gprs->r[RSI];
	gprs->flags = EFLAGS_FIXED | (FLAGS_TESTED & seed * 0x9d);
	gprs->rsp = 0;
}

static void gprs_one(const struct gprs_case *c, u64 seed)
{
	struct gprs want, got;
	bool is_same = true;

	gprs_fill(&want, c, seed);
	apic_write(APIC_LVT_TIMER, 0x50);
	apic_write(APIC_TIMER_INIT, apic_ticks_of_us(200));
	c->fn(&want, &got);
	apic_timer_stop();
	for (unsigned int i = 0; i < 15; i++)
		is_same &= c->changed >> i & 1 || check_eq(got.r[i], want.r[i]);
	if (c->fn != gprs_over_spin)
		is_same &= check_eq(got.flags & FLAGS_TESTED, want.flags & FLAGS_TESTED);
	is_same &= check_eq(got.rsp, 0);
	if (!is_same)
		print("# after %s\n", c->name);
}

/* Taken in turns, with the others in the guest too: an exit of one is not to reach another's. */
static bool turn;

static void gprs_all(void)
{
	apic_write(APIC_TIMER_DIV, DIV_BY_1);
	for (u64 seed = 1; seed < 4; seed++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(gprs_cases); i++) {
			while (__atomic_exchange_n(&turn, true, __ATOMIC_ACQUIRE))
				pause();
			gprs_one(&gprs_cases[i], cpu_index() * 16 + seed * 5);
			__atomic_store_n(&turn, false, __ATOMIC_RELEASE);
		}
	}
}

static void test_gprs(void)
{
	gprs_all();
}

static void test_gprs_of_all_cpus(void)
{
	cpu_start_all(gprs_all);
	gprs_all();
	check(cpu_wait_all_done());
}

/* The upper half of a result: 32 bits clear it, 8 and 16 bits leave the rest. */
static void test_partial_writes(void)
{
	u64 value = ~0ULL;

	asm volatile("inb %w1, %b0" : "+a"(value) : "d"(COM1_SCRATCH) : "memory");
	check_eq(value >> 8, ~0ULL >> 8);
	out8(COM1_SCRATCH, 0x5a);
	value = 0x1122334455667788;
	asm volatile("inb %w1, %b0" : "+a"(value) : "d"(COM1_SCRATCH) : "memory");
	check_eq(value, 0x112233445566775a);
	asm volatile("inw %w1, %w0" : "+a"(value) : "d"(NOBODY_PORT) : "memory");
	check_eq(value, 0x112233445566ffff);
	asm volatile("inl %w1, %k0" : "+a"(value) : "d"(NOBODY_PORT) : "memory");
	check_eq(value, 0xffffffff);
	value = 0x1122334455667788;
	asm volatile("movw (%1), %w0" : "+r"(value) : "r"(NOBODY) : "memory");
	check_eq(value, 0x112233445566ffff);
	asm volatile("movl (%1), %k0" : "+r"(value) : "r"(NOBODY) : "memory");
	check_eq(value, 0xffffffff);
	/* the high byte register */
	asm volatile("mov $0x1122334455667788, %%rbx\n movb (%1), %%bh\n mov %%rbx, %0"
		     : "=a"(value) : "S"(NOBODY) : "rbx", "memory");
	check_eq(value, 0x112233445566ff88);
	/* RDMSR clears both upper halves */
	asm volatile("mov $-1, %%rax\n mov $-1, %%rdx\n mov %1, %%ecx\n rdmsr\n or %%rdx, %%rax\n"
		     "shr $32, %%rax\n mov %%rax, %0" : "=r"(value) : "i"(MSR_APIC_BASE)
		     : "rax", "rcx", "rdx", "memory");
	check_eq(value, 0);
}

/* ---- registers that the guest has for itself while it is loaded ---- */

static const struct {
	u32 index;
	u64 bits;			/* that the pattern may have */
} msrs[] = {
	{ MSR_STAR, ~0ULL }, { MSR_LSTAR, 0x7fffffffffff }, { MSR_CSTAR, 0x7fffffffffff },
	{ MSR_SFMASK, 0xffffffff }, { MSR_FS_BASE, 0x7fffffffffff },
	{ MSR_KERNEL_GS, 0x7fffffffffff }, { 0x174, 0xffffffff }, { 0x175, 0x7fffffffffff },
	{ 0x176, 0x7fffffffffff }, { 0x277, 0 }, { MSR_EFER, 0 },
};

static u64 pattern(unsigned int i, u64 seed)
{
	return seed * (2 * i + 0x100000001) * 0x9e3779b97f4a7c15;
}

static void system_registers(void)
{
	u64 want[ARRAY_SIZE(msrs)], seed = cpu_index() + 77;

	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++) {
		if (msrs[i].bits)
			wrmsr(msrs[i].index, pattern(i, seed) & msrs[i].bits);
		want[i] = rdmsr(msrs[i].index);
		if (msrs[i].bits)
			check_eq(want[i], pattern(i, seed) & msrs[i].bits);
	}
	write_dr0(seed << 12);
	write_dr3(seed << 16);
	write_cr2(seed << 20);
	for (const struct exit_kind *kind = exit_kinds; kind->fn; kind++) {
		bool is_same = true;

		kind->fn();
		for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++)
			is_same &= check_eq(rdmsr(msrs[i].index), want[i]);
		is_same &= check_eq(read_dr0(), seed << 12);
		is_same &= check_eq(read_dr3(), seed << 16);
		is_same &= check_eq(read_cr2(), seed << 20);
		if (!is_same)
			print("# after %s\n", kind->name);
	}
}

static void test_system_registers(void)
{
	system_registers();
}

static void test_system_registers_of_all_cpus(void)
{
	cpu_start_all(system_registers);
	system_registers();
	check(cpu_wait_all_done());
}

const struct test tests[] = {
	TEST(gprs),
	TEST(gprs_of_all_cpus),
	TEST(partial_writes),
	TEST(system_registers),
	TEST(system_registers_of_all_cpus),
	{},
};
