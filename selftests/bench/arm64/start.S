/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bench guest's entry, vectors, and the loop that needs an exact length.
 * C code is compiled with -ffixed-x18: x18 takes the time of an interrupt, first thing.
 */
#define STACK	16384

	.section .text.start, "ax"
	.globl	_start
_start:
	adrp	x1, stacks
	add	x1, x1, #STACK
	mov	sp, x1
	mov	x19, x0
	bl	mmu_tables
	bl	mmu_on
	mov	x0, x19
	bl	guest_main
	b	.

	.globl	secondary
secondary:
	adrp	x1, stacks
	add	x1, x1, #(2 * STACK) & ~0xfff
	mov	sp, x1
	bl	mmu_on
	bl	guest_secondary
	b	.

/* Arm ARM D8.2: 4K granule, 39 bits of VA (starts at level 1), write-back tables, no TTBR1. */
mmu_on:
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	adrp	x1, level1
	add	x1, x1, :lo12:level1
	msr	ttbr0_el1, x1
	ldr	x1, =0xff04			/* attribute 0 device nGnRE, 1 normal write-back */
	msr	mair_el1, x1
	ldr	x1, =(25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32)
	msr	tcr_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	mrs	x1, sctlr_el1
	mov	x2, #(1 << 0 | 1 << 2)		/* M, C */
	orr	x2, x2, #(1 << 12)		/* I */
	orr	x1, x1, x2
	msr	sctlr_el1, x1
	isb
	ret

/* void spin(u64 n): 2 instructions each. */
	.globl	spin
	.align	4
spin:
1:	subs	x0, x0, #1
	b.ne	1b
	ret

	.macro	fault
	.align	7
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	b	guest_fault
	.endm

	.align	11
vectors:
	.rept	5
	fault
	.endr
	.align	7
	mrs	x18, cntvct_el0
	b	interrupt
	.rept	10
	fault
	.endr

interrupt:
	stp	x0, x1, [sp, #-176]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x29, x30, [sp, #144]
	mov	x0, x18
	bl	guest_interrupt
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x29, x30, [sp, #144]
	ldp	x0, x1, [sp], #176
	eret
