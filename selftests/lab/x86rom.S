/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Bochs machine's video ROM, which knows nothing of video: it starts a Linux that lies in RAM.
 *
 * x86.py writes one file with all that has to be in RAM (the kernel, its real-mode part, command line,
 * initramfs), and Bochs reads it to address 0 before the first instruction. That takes no time, where a CD or
 * a disk is read word by word through emulated ports. Three things are left to do, at three times:
 *
 * As a ROM, the first that the BIOS calls: touch all of it in order. Bochs gives RAM to the machine block by
 * block, in the order of first use, but has read the file as if all blocks had been given out in ascending order.
 *
 * As the boot loader, by int 19h: by then the BIOS has made its tables. Enter the kernel's real-mode part, as
 * Documentation/arch/x86/boot.rst has it.
 *
 * In place of the decompressor, which the real-mode part calls (x86.py has decompressed the kernel already): enter
 * the kernel in long mode, with the page tables that x86.py has left.
 */
	.code16
	.text
	.globl _start
_start:
	.byte	0x55, 0xaa
	.byte	1			/* x 512 bytes */
	jmp	rom
	.org	8
	/* x86.py fills these in, and the last byte: the sum of all is 0 */
end_of_ram_file:
	.long	0
page_tables:
	.long	0
kernel:
	.long	0

rom:
	pushfl
	pushal
	pushw	%ds
	pushw	%fs
	cli
	inb	$0x92, %al
	orb	$2, %al			/* A20 */
	outb	%al, $0x92

	lgdtl	%cs:gdtr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$8, %bx
	movw	%bx, %fs		/* keeps its limit of 4 GiB in real mode */
	andb	$~1, %al
	movl	%eax, %cr0

	xorl	%ebx, %ebx
	movl	%cs:end_of_ram_file, %ecx
1:	movb	%fs:(%ebx), %al
	addl	$0x1000, %ebx
	cmpl	%ecx, %ebx
	jb	1b

	xorw	%ax, %ax
	movw	%ax, %ds
	movw	$boot, 0x19 * 4
	movw	%cs, 0x19 * 4 + 2
	popw	%fs
	popw	%ds
	popal
	popfl
	lretw

boot:
	cli
	movw	$0x1000, %ax		/* the real-mode part is at 0x10000 */
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movw	$0xfff0, %sp
	ljmpw	$0x1020, $0

	.code32
	.org	0x100
decompressed:				/* flat segments; %esi: boot_params */
	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	0xc0000 + page_tables, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER */
	rdmsr
	orl	$0x100, %eax		/* LME */
	wrmsr
	lgdtl	0xc0000 + gdtr
	movl	%cr0, %eax
	orl	$0x80000000, %eax	/* PG */
	movl	%eax, %cr0
	movl	0xc0000 + kernel, %edi
	ljmpl	$16, $0xc0000 + 1f
	.code64
1:	movl	$8, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%edi, %edi
	jmpq	*%rdi

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf92000000ffff	/* 8: data, 4 GiB */
	.quad	0x00af9a000000ffff	/* 16: code, long mode */
gdtr:
	.word	. - gdt - 1
	.long	0xc0000 + gdt
	.org	512
