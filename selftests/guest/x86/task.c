// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware tasks: another CPU switches by CALL, IRET, JMP, INT and a fault, and leaves what each task
 * found, by number, in RESULTS.
 */
#include "apic.h"

#define RESULTS		0x9000
#define BLOB		0xa000
#define DONE		63
/* Selectors of the blob's own GDT. */
#define TASK_A		0x18
#define TASK_B		0x20
#define TASK_C		0x28
#define TASK_D		0x30

extern char tasks_begin[], tasks_end[];

#define A(label)	label " - tasks_begin + " STRING(BLOB)
#define R(n)		STRING(RESULTS) " + 4 * " STRING(n)

/* EIP, flags; ESP; segments: code 8, data 16. */
#define TSS(name, eip, esp)						\
	#name ":\n"							\
	"	.fill	8, 4, 0\n"					\
	"	.long	" eip ", 2, 0, 0x111, 0, 0, " esp ", 0, 0, 0\n"	\
	"	.long	16, 8, 16, 16, 16, 16, 0\n"			\
	"	.word	0, 104\n"
#define TSS_DESC(name)	"	.word	103, " A(#name) ", 0x8900, 0\n"

asm(".pushsection .rodata\n"
    ".code16\n"
    "tasks_begin:\n"
    "	cli\n"
    "	xorw	%ax, %ax\n"
    "	movw	%ax, %ds\n"
    "	lgdtl	" A("tasks_gdt_pointer") "\n"
    "	lidtl	" A("tasks_idt_pointer") "\n"
    "	movl	%cr0, %eax\n"
    "	orb	$1, %al\n"
    "	movl	%eax, %cr0\n"
    "	ljmpl	$8, $" A("tasks_32") "\n"
    ".code32\n"
    "tasks_32:\n"
    "	movl	$16, %eax\n"
    "	movl	%eax, %ds\n"
    "	movl	%eax, %es\n"
    "	movl	%eax, %ss\n"
    "	movl	%eax, %fs\n"
    "	movl	%eax, %gs\n"
    "	movl	$" STRING(RESULTS) " + 0xff0, %esp\n"
    "	movl	$" STRING(TASK_A) ", %eax\n"
    "	ltr	%ax\n"
    /* 0 … 5: CALL, and back by IRET */
    "	clts\n"
    "	movl	$0x5555, %ebx\n"
    "	movl	$0x6666, %esi\n"
    "	stc\n"
    "	lcall	$" STRING(TASK_B) ", $0\n"
    "	setc	" R(0) "\n"
    "	movl	%ebx, " R(1) "\n"
    "	movl	%esi, " R(2) "\n"
    "	movl	%cr0, %eax\n"
    "	movl	%eax, " R(3) "\n"
    "	movb	" A("tasks_gdt") " + " STRING(TASK_A) " + 5, %al\n"
    "	movb	%al, " R(4) "\n"
    "	movb	" A("tasks_gdt") " + " STRING(TASK_B) " + 5, %al\n"
    "	movb	%al, " R(5) "\n"
    "	movl	" R(20) ", %eax\n"
    "	movl	%eax, " R(6) "\n"
    /* 7: INT by a task gate: B goes on behind its IRET */
    "	int	$14\n"
    "	movl	" R(20) ", %eax\n"
    "	movl	%eax, " R(7) "\n"
    /* 8: a fault with an error code: D takes it from its stack, and lets A go on */
    "	movl	$0x1fff, %ecx\n"
    "	rdmsr\n"
    "	movl	" R(30) ", %eax\n"
    "	movl	%eax, " R(8) "\n"
    /* 9: JMP to C, which comes back by JMP */
    "	ljmp	$" STRING(TASK_C) ", $0\n"
    "	movl	$1, " R(9) "\n"
    "	movb	" A("tasks_gdt") " + " STRING(TASK_C) " + 5, %al\n"
    "	movb	%al, " R(10) "\n"
    /* 11: to one that is busy: #GP with its selector, still here */
    "	ljmp	$" STRING(TASK_A) ", $0\n"
    "	movl	" R(31) ", %eax\n"
    "	movl	%eax, " R(11) "\n"
    "	movl	$1, " STRING(RESULTS) " + 4 * " STRING(DONE) "\n"
    "1:	cli\n"
    "	hlt\n"
    "	jmp	1b\n"

    "task_b:\n"
    "	incl	" R(20) "\n"
    "	movzwl	" A("tss_b") ", %eax\n"
    "	movl	%eax, " R(21) "\n"
    "	pushfl\n"
    "	popl	" R(22) "\n"
    "	movl	%esp, " R(23) "\n"
    "	movl	%ecx, " R(24) "\n"
    "	xorl	%ebx, %ebx\n"
    "	movl	%cr0, %eax\n"
    "	movl	%eax, " R(25) "\n"
    "	iretl\n"
    "	jmp	task_b\n"

    /* Of each fault the code; A goes on behind the instruction: RDMSR has 2 bytes, LJMP 7. */
    "task_d:\n"
    "	popl	" R(30) "\n"
    "	addl	$2, " A("tss_a") " + 32\n"
    "	iretl\n"
    "	popl	" R(31) "\n"
    "	addl	$7, " A("tss_a") " + 32\n"
    "	iretl\n"

    "task_c:\n"
    "	movl	$1, " R(40) "\n"
    "	ljmp	$" STRING(TASK_A) ", $0\n"

    "	.balign	16\n"
    TSS(tss_a, "0", "0")
    TSS(tss_b, A("task_b"), STRING(RESULTS) " + 0xe00")
    TSS(tss_c, A("task_c"), STRING(RESULTS) " + 0xd00")
    TSS(tss_d, A("task_d"), STRING(RESULTS) " + 0xc00")
    "tasks_gdt:\n"
    "	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
    TSS_DESC(tss_a)
    TSS_DESC(tss_b)
    TSS_DESC(tss_c)
    TSS_DESC(tss_d)
    "tasks_idt:\n"
    "	.fill	13, 8, 0\n"
    "	.word	0, " STRING(TASK_D) ", 0x8500, 0\n"
    "	.word	0, " STRING(TASK_B) ", 0x8500, 0\n"
    "tasks_gdt_pointer:\n"
    "	.word	55\n"
    "	.long	" A("tasks_gdt") "\n"
    "tasks_idt_pointer:\n"
    "	.word	15 * 8 - 1\n"
    "	.long	" A("tasks_idt") "\n"
    "tasks_end:\n"
    ".code64\n"
    ".popsection\n");

static u32 result(unsigned int n)
{
	return read32(RESULTS + 4 * n);
}

static bool is_here;
static void go(void)
{
	if (is_here)
		return;
	check(tasks_end - tasks_begin <= 4096);
	fill((void *)RESULTS, 0, 4096);
	copy((void *)BLOB, tasks_begin, tasks_end - tasks_begin);
	cpu_send_init(1);
	cpu_send_sipi(1, BLOB >> 12);
	is_here = wait_for(result(DONE), 2 * SECOND);
	check(is_here);
}

#define EFLAGS_NT	BIT(14)
#define BUSY		0x8b
#define AVAILABLE	0x89

static void test_call(void)
{
	go();
	check_eq(result(0), 1);
	check_eq(result(1), 0x5555);
	check_eq(result(2), 0x6666);
	check(result(3) & CR0_TS);
	check_eq(result(4), BUSY);
	check_eq(result(5), AVAILABLE);
	check_eq(result(6), 1);
}

static void test_new_task(void)
{
	go();
	check_eq(result(21), TASK_A);
	check(result(22) & EFLAGS_NT);
	check_eq(result(23), RESULTS + 0xe00);
	check_eq(result(24), 0x111);
	check(result(25) & CR0_TS);
}

static void test_interrupt(void)
{
	go();
	check_eq(result(7), 2);
}

static void test_fault(void)
{
	go();
	check_eq(result(8), 0);
	check_eq(result(30), 0);
}

static void test_jump(void)
{
	go();
	check_eq(result(40), 1);
	check_eq(result(9), 1);
	check_eq(result(10), AVAILABLE);
}

static void test_busy(void)
{
	go();
	check_eq(result(11), TASK_A);
	check_eq(result(DONE), 1);
}

const struct test tests[] = {
	TEST(call),
	TEST(new_task),
	TEST(interrupt),
	TEST(fault),
	TEST(jump),
	TEST(busy),
	{},
};
