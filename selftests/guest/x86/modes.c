// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real mode, unreal mode, 16-bit and 32-bit protected mode, 32-bit and PAE paging: another CPU goes
 * through them all and leaves what it found, by number, in RESULTS. What has an exit has it in each.
 */
#include "apic.h"

#define RESULTS		0x9000
#define BLOB		0xa000		/* where its code is, a page */
#define DIRECTORY	0xb000		/* 32-bit paging */
#define PDPT		0xc000		/* PAE: this and the next four pages */
#define ALIAS		0x80000000	/* where 0 is once more */
#define DONE		63
#define LAPIC_VERSION	0xfee00030

extern char modes_begin[], modes_end[];

#define A(label)	label " - modes_begin + " STRING(BLOB)
#define R(n)		STRING(RESULTS) " + 4 * " STRING(n)

asm(".pushsection .rodata\n"
    ".code16\n"
    "modes_begin:\n"
    "	cli\n"
    "	cld\n"
    "	xorw	%ax, %ax\n"
    "	movw	%ax, %ds\n"
    "	movw	%ax, %es\n"
    "	movw	%ax, %ss\n"
    "	movw	$" STRING(RESULTS) " + 0xff0, %sp\n"
    /* 0: CPUID */
    "	xorl	%eax, %eax\n"
    "	cpuid\n"
    "	movl	%ebx, " R(0) "\n"
    /* 1, 2: a port, a string */
    "	movw	$" STRING(COM1_SCRATCH) ", %dx\n"
    "	movb	$0xa5, %al\n"
    "	outb	%al, %dx\n"
    "	xorl	%eax, %eax\n"
    "	inb	%dx, %al\n"
    "	movl	%eax, " R(1) "\n"
    "	movw	$" A("modes_bytes") ", %si\n"
    "	movw	$3, %cx\n"
    "	rep outsb\n"
    "	xorl	%eax, %eax\n"
    "	inb	%dx, %al\n"
    "	movl	%eax, " R(2) "\n"
    /* 3: INT, by the vector table */
    "	movl	$" A("real_int") ", 0x60 * 4\n"
    "	xorl	%ebx, %ebx\n"
    "	int	$0x60\n"
    "	movl	%ebx, " R(3) "\n"
    /* 4, 5, 6: #DE, #UD and #GP by exits of ours: no error code here */
    "	movl	$" A("real_skip2") ", 0\n"
    "	movl	$" A("real_skip3") ", 6 * 4\n"
    "	movl	$" A("real_skip2") ", 13 * 4\n"
    "	xorl	%edi, %edi\n"
    "	xorw	%cx, %cx\n"
    "	divw	%cx\n"
    "	movl	%edi, " R(4) "\n"
    "	xorl	%edi, %edi\n"
    "	.byte	0x0f, 0x01, 0xc4\n"		/* VMXOFF */
    "	movl	%edi, " R(5) "\n"
    "	xorl	%edi, %edi\n"
    "	movl	$0x1fff, %ecx\n"
    "	rdmsr\n"
    "	movl	%edi, " R(6) "\n"
    /* 7: A20 is on: ffff:0010 is 0x100000 */
    "	movw	$0xffff, %ax\n"
    "	movw	%ax, %gs\n"
    "	movl	%gs:0x10, %eax\n"
    "	movl	%eax, " R(7) "\n"
    /* 8: a far call */
    "	xorl	%ebx, %ebx\n"
    "	lcall	$0x10, $" A("real_far") " - 0x100\n"
    "	movl	%ebx, " R(8) "\n"
    /* 9: unreal mode: data beyond 64 KiB, and a device there */
    "	lgdtl	" A("modes_gdt_pointer") "\n"
    "	movl	%cr0, %eax\n"
    "	orb	$1, %al\n"
    "	movl	%eax, %cr0\n"
    "	movw	$" STRING(DATA) ", %bx\n"
    "	movw	%bx, %fs\n"
    "	andb	$0xfe, %al\n"
    "	movl	%eax, %cr0\n"
    "	movl	$" STRING(LAPIC_VERSION) ", %ebx\n"
    "	movl	%fs:(%ebx), %eax\n"
    "	movzbl	%al, %eax\n"
    "	movl	%eax, " R(9) "\n"
    /* 10: SMSW; 11: an MSR */
    "	smsww	%ax\n"
    "	movzwl	%ax, %eax\n"
    "	movl	%eax, " R(10) "\n"
    "	movl	$0x1b, %ecx\n"
    "	rdmsr\n"
    "	movl	%eax, " R(11) "\n"
    /* to 32 bits */
    "	lidtl	" A("modes_idt_pointer") "\n"
    "	movl	%cr0, %eax\n"
    "	orb	$1, %al\n"
    "	movl	%eax, %cr0\n"
    "	ljmpl	$" STRING(CODE32) ", $" A("modes_32") "\n"
    "real_int:\n"
    "	movw	$0x1234, %bx\n"
    "	iret\n"
    "real_skip3:\n"
    "	movw	%sp, %bp\n"
    "	incw	(%bp)\n"
    "real_skip2:\n"
    "	movw	%sp, %bp\n"
    "	addw	$2, (%bp)\n"
    "	incw	%di\n"
    "	iret\n"
    "real_far:\n"
    "	movw	%cs, %bx\n"
    "	lret\n"

    ".code32\n"
    "modes_32:\n"
    "	movl	$" STRING(DATA) ", %eax\n"
    "	movl	%eax, %ds\n"
    "	movl	%eax, %es\n"
    "	movl	%eax, %ss\n"
    "	movl	$" STRING(RESULTS) " + 0xff0, %esp\n"
    "	call	exits_32\n"
    "	movl	%edi, " R(12) "\n"
    /* 13: 16-bit protected mode, and back */
    "	xorl	%edi, %edi\n"
    "	ljmp	$" STRING(CODE16) ", $" A("modes_16") "\n"
    "modes_32b:\n"
    "	movl	$" STRING(DATA) ", %eax\n"
    "	movl	%eax, %ss\n"
    "	movl	%edi, " R(13) "\n"
    /* 32-bit paging, 4 MiB each */
    "	movl	$" STRING(DIRECTORY) ", %edi\n"
    "	movl	$0x83, %eax\n"
    "1:	movl	%eax, (%edi)\n"
    "	addl	$4, %edi\n"
    "	addl	$0x400000, %eax\n"
    "	jnc	1b\n"
    "	movl	$0x83, " STRING(DIRECTORY) " + (" STRING(ALIAS) " >> 20)\n"
    "	movl	%cr4, %eax\n"
    "	orl	$0x10, %eax\n"
    "	movl	%eax, %cr4\n"
    "	movl	$" STRING(DIRECTORY) ", %eax\n"
    "	movl	%eax, %cr3\n"
    "	movl	%cr0, %eax\n"
    "	orl	$0x80000000, %eax\n"
    "	movl	%eax, %cr0\n"
    "	jmp	1f\n"
    "1:	movl	" STRING(ALIAS) " + " A("modes_bytes") ", %eax\n"
    "	movl	%eax, " R(14) "\n"
    "	call	exits_32\n"
    "	movl	%edi, " R(15) "\n"
    "	movl	$0, " STRING(DIRECTORY) " + (" STRING(ALIAS) " >> 20)\n"
    "	invlpg	" STRING(ALIAS) "\n"
    "	call	fault_32\n"
    "	movl	%edi, " R(16) "\n"
    "	movl	%cr2, %eax\n"
    "	movl	%eax, " R(17) "\n"
    "	movl	%cr0, %eax\n"
    "	andl	$0x7fffffff, %eax\n"
    "	movl	%eax, %cr0\n"
    /* PAE: the first GiB four times, but the last is itself */
    "	movl	$" STRING(PDPT) " + 0x1000, %edi\n"
    "	movl	$0x83, %eax\n"
    "1:	movl	%eax, (%edi)\n"
    "	movl	$0, 4(%edi)\n"
    "	addl	$8, %edi\n"
    "	addl	$0x200000, %eax\n"
    "	jnc	1b\n"
    "	movl	$" STRING(PDPT) ", %edi\n"
    "	movl	$" STRING(PDPT) " + 0x1001, %eax\n"
    "	movl	$4, %ecx\n"
    "1:	movl	%eax, (%edi)\n"
    "	movl	$0, 4(%edi)\n"
    "	addl	$8, %edi\n"
    "	addl	$0x1000, %eax\n"
    "	loop	1b\n"
    "	movl	$" STRING(PDPT) " + 0x1001, " STRING(PDPT) " + 16\n"
    "	movl	%cr4, %eax\n"
    "	orl	$0x20, %eax\n"
    "	movl	%eax, %cr4\n"
    "	movl	$" STRING(PDPT) ", %eax\n"
    "	movl	%eax, %cr3\n"
    "	movl	%cr0, %eax\n"
    "	orl	$0x80000000, %eax\n"
    "	movl	%eax, %cr0\n"
    "	jmp	1f\n"
    "1:	movl	" STRING(ALIAS) " + " A("modes_bytes") ", %eax\n"
    "	movl	%eax, " R(18) "\n"
    "	call	exits_32\n"
    "	movl	%edi, " R(19) "\n"
    /* 20: a PDPTE's memory is looked at when CR3 is written, and not before */
    "	movl	$0, " STRING(PDPT) " + 16\n"
    "	call	exits_32\n"
    "	invlpg	" STRING(ALIAS) "\n"
    "	movl	" STRING(ALIAS) " + " A("modes_bytes") ", %eax\n"
    "	movl	%eax, " R(20) "\n"
    "	movl	%cr3, %eax\n"
    "	movl	%eax, %cr3\n"
    "	call	fault_32\n"
    "	movl	%edi, " R(21) "\n"
    /* 22: a reserved bit in one is #GP there */
    "	movl	$" STRING(PDPT) " + 0x1003, " STRING(PDPT) " + 16\n"
    "	movl	$3, " A("modes_step") "\n"
    "	movl	$0, " A("modes_vector") "\n"
    "	movl	%cr3, %eax\n"
    "	movl	%eax, %cr3\n"
    "	movl	" A("modes_vector") ", %edi\n"
    "	movl	%edi, " R(22) "\n"
    "	movl	$1, " STRING(RESULTS) " + 4 * " STRING(DONE) "\n"
    "1:	cli\n"
    "	hlt\n"
    "	jmp	1b\n"

    /* Some of each kind; EDI: one bit for each that did what it should. */
    "exits_32:\n"
    "	xorl	%edi, %edi\n"
    "	xorl	%eax, %eax\n"
    "	cpuid\n"
    "	cmpl	" R(0) ", %ebx\n"
    "	jne	1f\n"
    "	orl	$1, %edi\n"
    "1:	movl	$" STRING(COM1_SCRATCH) ", %edx\n"
    "	movl	$" A("modes_bytes") ", %esi\n"
    "	movl	$4, %ecx\n"
    "	rep outsb\n"
    "	inb	%dx, %al\n"
    "	cmpb	$0x44, %al\n"
    "	jne	1f\n"
    "	orl	$2, %edi\n"
    "1:	movl	" STRING(LAPIC_VERSION) ", %eax\n"
    "	cmpb	$0x14, %al\n"
    "	jne	1f\n"
    "	orl	$4, %edi\n"
    "1:	movl	$3, " A("modes_step") "\n"
    "	movl	$0, " A("modes_vector") "\n"
    "	.byte	0x0f, 0x01, 0xc4\n"
    "	cmpl	$6, " A("modes_vector") "\n"
    "	jne	1f\n"
    "	orl	$8, %edi\n"
    "1:	movl	$2, " A("modes_step") "\n"
    "	movl	$0x1fff, %ecx\n"
    "	rdmsr\n"
    "	cmpl	$13, " A("modes_vector") "\n"
    "	jne	1f\n"
    "	orl	$16, %edi\n"
    "1:	movl	$0x1b, %ecx\n"
    "	rdmsr\n"
    "	cmpl	" R(11) ", %eax\n"
    "	jne	1f\n"
    "	orl	$32, %edi\n"
    "1:	ret\n"

    /* A read at ALIAS, where nothing is mapped: vector × 256 + error code. */
    "fault_32:\n"
    "	movl	$2, " A("modes_step") "\n"
    "	movl	$0, " A("modes_vector") "\n"
    "	movl	$" STRING(ALIAS) ", %ebx\n"
    "	movl	(%ebx), %eax\n"
    "	movl	" A("modes_vector") ", %edi\n"
    "	shll	$8, %edi\n"
    "	addl	" A("modes_error") ", %edi\n"
    "	ret\n"

    "gate_ud:\n"
    "	movl	$6, " A("modes_vector") "\n"
    "	jmp	gate_out\n"
    "gate_gp:\n"
    "	popl	" A("modes_error") "\n"
    "	movl	$13, " A("modes_vector") "\n"
    "	jmp	gate_out\n"
    "gate_pf:\n"
    "	popl	" A("modes_error") "\n"
    "	movl	$14, " A("modes_vector") "\n"
    "gate_out:\n"
    "	pushl	%eax\n"
    "	movl	" A("modes_step") ", %eax\n"
    "	addl	%eax, 4(%esp)\n"
    "	popl	%eax\n"
    "	iretl\n"

    ".code16\n"
    "modes_16:\n"
    "	movw	$" STRING(DATA16) ", %ax\n"
    "	movw	%ax, %ss\n"
    "	xorl	%eax, %eax\n"
    "	cpuid\n"
    "	movl	%ebx, %edi\n"
    "	movw	$" STRING(COM1_SCRATCH) ", %dx\n"
    "	inb	%dx, %al\n"
    "	ljmpl	$" STRING(CODE32) ", $" A("modes_32b") "\n"

    "modes_bytes:\n"
    "	.byte	0x11, 0x22, 0x33, 0x44\n"
    "modes_vector: .long 0\n"
    "modes_error: .long 0\n"
    "modes_step: .long 0\n"
    "modes_gdt_pointer:\n"
    "	.word	0x4f\n"
    "	.long	gdt\n"
    "modes_idt_pointer:\n"
    "	.word	15 * 8 - 1\n"
    "	.long	" A("modes_idt") "\n"
    "	.balign	8\n"
    "modes_idt:\n"
    "	.fill	6, 8, 0\n"
    "	.word	" A("gate_ud") ", " STRING(CODE32) ", 0x8e00, 0\n"
    "	.fill	6, 8, 0\n"
    "	.word	" A("gate_gp") ", " STRING(CODE32) ", 0x8e00, 0\n"
    "	.word	" A("gate_pf") ", " STRING(CODE32) ", 0x8e00, 0\n"
    "modes_end:\n"
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
	fill((void *)RESULTS, 0, 4096);
	copy((void *)BLOB, modes_begin, modes_end - modes_begin);
	check(modes_end - modes_begin <= 4096);
	cpu_send_init(1);
	cpu_send_sipi(1, BLOB >> 12);
	is_here = wait_for(result(DONE), 2 * SECOND);
	check(is_here);
}

#define BYTES	0x44332211

static void test_real_mode(void)
{
	go();
	check_eq(result(0), cpuid(0, 0).ebx);
	check_eq(result(1), 0xa5);
	check_eq(result(2), 0x33);
	check_eq(result(3), 0x1234);
	check_eq(result(4), 1);
	check_eq(result(5), 1);
	check_eq(result(6), 1);
	check_eq(result(7), 0x1badb002);
	check_eq(result(8), 0x10);
}

static void test_unreal_mode(void)
{
	go();
	check_eq(result(9), 0x14);
	check_eq(result(10), 0x10);
	check_eq(result(11), LAPIC | APIC_BASE_ON);
}

static void test_protected_32(void)
{
	go();
	check_eq(result(12), 0x3f);
}

static void test_protected_16(void)
{
	go();
	check_eq(result(13), cpuid(0, 0).ebx);
}

static void test_paging_32(void)
{
	go();
	check_eq(result(14), BYTES);
	check_eq(result(15), 0x3f);
	check_eq(result(16), 14 << 8);
	check_eq(result(17), ALIAS);
}

static void test_paging_pae(void)
{
	go();
	check_eq(result(18), BYTES);
	check_eq(result(19), 0x3f);
	check_eq(result(20), BYTES);
	check_eq(result(21), 14 << 8);
	check_eq(result(22), 13);
	check_eq(result(DONE), 1);
}

const struct test tests[] = {
	TEST(real_mode),
	TEST(unreal_mode),
	TEST(protected_32),
	TEST(protected_16),
	TEST(paging_32),
	TEST(paging_pae),
	{},
};
