/* SPDX-License-Identifier: GPL-2.0-only */
/* The first instructions of a guest (Linux: Documentation/arch/arm64/booting.rst), and its vectors. */
#include "layout.h"

	.section .head, "ax"
	.global image_head
image_head:
	b	primary
	nop
	.quad	0			/* text_offset */
	.quad	image_size
	.quad	0xa			/* little-endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
primary:
	mov	x19, x0
	ldr	x0, =bss_start
	ldr	x1, =image_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b
2:	mov	x20, xzr
	bl	cpu_setup
	mov	x0, x19
	bl	guest_main
	b	.

	/* PSCI CPU_ON starts here, the context in x0. */
	.global secondary_entry
secondary_entry:
	mov	x19, x0
	bl	cpu_setup
	mov	x0, x19
	bl	secondary_main
	b	.

	/* Stack by affinity, vectors, FP open. */
cpu_setup:
	mrs	x0, mpidr_el1
	ubfx	x1, x0, #8, #8
	and	x0, x0, #0xff
	add	x0, x0, x1, lsl #4	/* 16 CPUs a cluster */
	ldr	x1, =stacks + STACK_SIZE
	mov	x2, #STACK_SIZE
	madd	x0, x0, x2, x1
	msr	spsel, #1
	mov	sp, x0
	ldr	x0, =vectors
	msr	vbar_el1, x0
	mov	x0, #3 << 20		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x0
	isb
	ret

	.global psci_hvc, psci_smc
psci_hvc:
	hvc	#0
	ret
psci_smc:
	smc	#0
	ret

	/* x2 to x29 of a frame */
	.macro	frame_regs op
	\op	x2, x3, [sp, #8 * 2]
	\op	x4, x5, [sp, #8 * 4]
	\op	x6, x7, [sp, #8 * 6]
	\op	x8, x9, [sp, #8 * 8]
	\op	x10, x11, [sp, #8 * 10]
	\op	x12, x13, [sp, #8 * 12]
	\op	x14, x15, [sp, #8 * 14]
	\op	x16, x17, [sp, #8 * 16]
	\op	x18, x19, [sp, #8 * 18]
	\op	x20, x21, [sp, #8 * 20]
	\op	x22, x23, [sp, #8 * 22]
	\op	x24, x25, [sp, #8 * 24]
	\op	x26, x27, [sp, #8 * 26]
	\op	x28, x29, [sp, #8 * 28]
	.endm

	.macro	vector
	.align	7
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x0, #(. - vectors) / 128
	b	exception_entry
	.endm

	.align	11
	.global vectors
vectors:
	.rept	16
	vector
	.endr

exception_entry:
	frame_regs stp
	mrs	x1, elr_el1
	mrs	x2, spsr_el1
	str	x30, [sp, #8 * 30]
	stp	x1, x2, [sp, #8 * 31]
	mov	x1, sp
	bl	exception
	ldp	x1, x2, [sp, #8 * 31]
	ldr	x30, [sp, #8 * 30]
	msr	elr_el1, x1
	msr	spsr_el1, x2
	frame_regs ldp
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

	.bss
	.align	12
stacks:
	.skip	CPU_MAX * STACK_SIZE
