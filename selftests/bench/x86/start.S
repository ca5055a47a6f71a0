/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bench guest's entry (multiboot 0.6.96: 32-bit, flat, no paging), its way into long mode, the
 * other vCPU's from real mode, and vectors.
 */
#define STACK		16384
#define TRAMPOLINE	0x8000
#define MAGIC		0x1badb002
#define FLAGS		0x00010000		/* the header has addresses */

	.section .text.start, "ax"
	.code32
	.globl	_start
	.align	4
header:
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long	header, image, 0, 0, _start

_start:
	cli
	movl	%ebx, %esi
	/* 1 PML4, 1 PDPT, 4 directories: the first 4 GiB to themselves; no caches from 3 GiB on */
	movl	$tables, %edi
	leal	0x1003(%edi), %eax
	movl	%eax, (%edi)
	movl	$4, %ecx
	leal	0x2003(%edi), %eax
	leal	0x1000(%edi), %edx
1:	movl	%eax, (%edx)
	addl	$0x1000, %eax
	addl	$8, %edx
	loop	1b
	movl	$2048, %ecx
	movl	$0x83, %eax
	leal	0x2000(%edi), %edx
2:	movl	%eax, (%edx)
	cmpl	$0xc0000000, %eax
	jb	3f
	orl	$0x18, (%edx)
3:	addl	$0x200000, %eax
	addl	$8, %edx
	loop	2b
	lgdt	gdt_pointer
	movl	$main, %ebp
	movl	$stacks + STACK, %edi
	jmp	long_mode

/* To ebp in 64-bit mode, with edi as the stack and esi as its argument. SDM vol. 3 10.8.5. */
long_mode:
	movl	$tables, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$1 << 5, %eax			/* PAE */
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl	$1 << 8, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$~(1 << 30 | 1 << 29), %eax	/* CD, NW: caches on */
	orl	$1 << 31 | 1, %eax
	movl	%eax, %cr0
	ljmp	$0x08, $1f
	.code64
1:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%edi, %esp
	movl	%esi, %edi
	lidt	idt_pointer
	jmp	*%rbp

main:
	call	make_idt
	call	guest_main
	jmp	.

secondary:
	call	guest_secondary
	jmp	.

/* 16-byte gates, SDM vol. 3 6.14.1, to stubs of 16 bytes each. */
make_idt:
	movl	$idt, %eax
	movl	$stubs, %edx
	movl	$256, %ecx
1:	movw	%dx, (%rax)
	movw	$0x08, 2(%rax)
	movw	$0x8e00, 4(%rax)
	movl	%edx, %r8d
	shrl	$16, %r8d
	movw	%r8w, 6(%rax)
	movq	$0, 8(%rax)
	addl	$16, %eax
	addl	$16, %edx
	loop	1b
	ret

/* void spin(u64 n): 2 instructions each. */
	.globl	spin
	.align	16
spin:
1:	decq	%rdi
	jnz	1b
	ret

/* ---- the other vCPU, from real mode at TRAMPOLINE ---- */

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
	ljmpl	$0x18, $protected
gdt_copy:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.code32
protected:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$secondary, %ebp
	movl	$stacks + 2 * STACK, %edi
	jmp	long_mode

	.align	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff		/* 0x08: 64-bit code */
	.quad	0x00cf93000000ffff		/* 0x10: data */
	.quad	0x00cf9b000000ffff		/* 0x18: 32-bit code */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
	.align	8
idt_pointer:
	.word	256 * 16 - 1
	.quad	idt

/* ---- vectors ---- */

	.code64
	.align	16
stubs:
	.set	vector, 0
	.rept	256
	.align	16
	.if	vector < 32
	/* these push an error code */
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
	pushq	$0
	.endif
	pushq	$vector
	jmp	fault
	.else
	pushq	%rax
	pushq	%rdx
	rdtsc					/* when: as early as it can be */
	pushq	%rsi
	movl	$vector, %esi
	jmp	interrupt
	.endif
	.set	vector, vector + 1
	.endr

fault:
	popq	%rdi
	popq	%rsi
	movq	(%rsp), %rdx
	movq	%cr2, %rcx
	andq	$~15, %rsp
	call	guest_fault

interrupt:
	pushq	%rdi
	pushq	%rcx
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	shlq	$32, %rdx
	movl	%eax, %edi
	orq	%rdx, %rdi
	call	guest_interrupt
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rcx
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rax
	iretq

	.bss
	.globl	idt
	.align	16
idt:	.skip	256 * 16
