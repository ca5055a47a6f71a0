/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first instructions of a guest (multiboot 0.6.96: 32-bit, flat, no paging), its way into long
 * mode, the other CPUs' from real mode, and vectors.
 */
#include "layout.h"

#define MAGIC		0x1badb002
#define FLAGS		0x00010000		/* the header has addresses */

	.section .head, "ax"
	.code32
	.align	4
header:
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long	header, image_start, image_data_end, image_end, start

	.globl	start
start:
	cli
	movl	%esp, boot_stack
	movl	%eax, %ebp
	movl	%ebx, %esi
	/* 1 PML4, 1 PDPT, 4 directories: the first 4 GiB to themselves; no caches from 3 GiB on */
	movl	$tables, %edi
	leal	0x1007(%edi), %eax
	movl	%eax, (%edi)
	movl	$4, %ecx
	leal	0x2007(%edi), %eax
	leal	0x1000(%edi), %edx
1:	movl	%eax, (%edx)
	addl	$0x1000, %eax
	addl	$8, %edx
	loop	1b
	movl	$2048, %ecx
	movl	$0x87, %eax
	leal	0x2000(%edi), %edx
2:	movl	%eax, (%edx)
	cmpl	$0xc0000000, %eax
	jb	3f
	orl	$0x18, (%edx)
3:	addl	$0x200000, %eax
	addl	$8, %edx
	loop	2b
	lgdt	gdt_pointer
	movl	$primary, %ebx
	movl	$stacks + STACK_SIZE, %esp
	jmp	long_mode

/* To ebx in 64-bit mode. SDM vol. 3 9.8.5. */
long_mode:
	movl	$tables, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$1 << 5 | 1 << 9 | 1 << 10, %eax	/* PAE, OSFXSR, OSXMMEXCPT */
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx		/* EFER.LME, NXE, SCE */
	rdmsr
	orl	$1 << 8 | 1 << 11 | 1, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$~(1 << 30 | 1 << 29 | 1 << 2), %eax	/* CD, NW: caches on; EM */
	orl	$1 << 31 | 1 << 16 | 1 << 5 | 1 << 1 | 1, %eax
	movl	%eax, %cr0
	ljmp	$CODE64, $1f
	.code64
1:	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	lidt	idt_pointer
	jmp	*%rbx

primary:
	movl	%ebp, boot_magic
	movl	%esi, boot_info
	xorl	%edi, %edi
	call	cpu_setup
	call	guest_main
1:	jmp	1b

/* Without a stack: which CPU is it? The initial APIC id. */
secondary:
	movl	$1, %eax
	cpuid
	shrl	$24, %ebx
	movl	%ebx, %edi
	movl	%ebx, %esp
	shlq	$14, %rsp
	leaq	stacks + STACK_SIZE(%rsp), %rsp
	call	cpu_setup
	call	secondary_main
1:	cli
	hlt
	jmp	1b

/* ---- another CPU, from real mode at TRAMPOLINE ---- */

	.globl	trampoline, trampoline_end
	.code16
trampoline:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	gdt_copy - trampoline + TRAMPOLINE
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $protected
gdt_copy:
	.word	GDT_SIZE - 1
	.long	gdt
trampoline_end:

	.code32
protected:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$secondary, %ebx
	jmp	long_mode

	.data
	.align	16
	.globl	gdt
gdt:
	.quad	0
	.quad	0x00af9b000000ffff		/* CODE64 */
	.quad	0x00cf93000000ffff		/* DATA */
	.quad	0x00cf9b000000ffff		/* CODE32 */
	.quad	0x00cff3000000ffff		/* USER_DATA */
	.quad	0x00affb000000ffff		/* USER_CODE64 */
	.quad	0x00009b000000ffff		/* CODE16 */
	.quad	0x000093000000ffff		/* DATA16 */
	.quad	0x00cffb000000ffff		/* USER_CODE32 */
	.quad	0
	.skip	GDT_SIZE - TSS_FIRST
	.globl	gdt_pointer, idt_pointer
gdt_pointer:
	.word	GDT_SIZE - 1
	.quad	gdt
	.align	8
idt_pointer:
	.word	256 * 16 - 1
	.quad	idt

/* ---- vectors: stubs of 16 bytes ---- */

	.text
	.code64
	.globl	stubs
	.align	16
stubs:
	.set	vector, 0
	.rept	256
	.align	16
	/* these push an error code */
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
	pushq	$0
	.endif
	pushq	$vector
	jmp	entry
	.set	vector, vector + 1
	.endr

	.macro	regs op
	.irp	reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	\op	%\reg
	.endr
	.endm

entry:
	.irp	reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	pushq	%\reg
	.endr
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbx
	andq	$~15, %rsp
	call	exception
	movq	%rbx, %rsp
	.irp	reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	popq	%\reg
	.endr
	addq	$16, %rsp
	iretq

/* void user_enter(void (*fn)(void), u64 stack) */
	.globl	user_enter
user_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movq	%rsp, %gs:CPU_KERNEL_RSP
	subq	$8, %rsi
	movq	$user_return, (%rsi)
	pushq	$USER_DATA | 3
	pushq	%rsi
	pushfq
	pushq	$USER_CODE64 | 3
	pushq	%rdi
	iretq
user_return:
	int	$VECTOR_USER_END

/* The gate of VECTOR_USER_END. */
	.globl	user_leave
user_leave:
	movq	%gs:CPU_KERNEL_RSP, %rsp
	movl	$DATA, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.bss
	.globl	tables, idt, stacks
	.align	4096
tables:	.skip	6 * 4096
idt:	.skip	256 * 16
	.align	4096
stacks:	.skip	CPU_MAX * STACK_SIZE
