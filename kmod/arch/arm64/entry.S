/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into the guest and out again, at EL2 with HCR_EL2.{E2H,TGE} = {1,0}, all of DAIF masked.
 *
 * On a VHE host TPIDR_EL2 is the kernel's per-CPU offset, so that no register is free at the
 * vector: the pointer to the guest's registers waits on the kernel stack, which is SP_EL2
 * at ERET and at the exception alike.
 *
 * VBAR_EL2 is ours between the entry and the exit below and the host's in all C code: a fault
 * or WARN there goes to the host's vectors. No ISB follows the write at the exit: an exception
 * that still finds our current-EL vectors is sent back to the instruction (see forward).
 */
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/assembler.h>
#include <asm/esr.h>
#include <asm/sysreg.h>
#include "entry_offsets.h"

#define FRAME_SIZE	144
#define FRAME_X(n)	((n) - 19) * 8	/* x19 … x30 */
#define FRAME_REGS	96
#define FRAME_SP_EL0	104
#define FRAME_X18	112
#define FRAME_VBAR	120
#define FRAME_OPERAND	128		/* of the vectors' step: see vectors */

	.pushsection .noinstr.text, "ax"

/*
 * u64 qvm_arm64_enter(struct arm64_regs *regs, u64 host_vbar, u64 vectors, u64 operand): enter
 * the guest, return an enum arm64_exit. vectors: one of the tables below, operand: of its step.
 * AAPCS64 callee-saved registers, x18 (shadow call stack) and SP_EL0 (current) of the host are
 * kept; everything else of the guest is in *regs afterwards.
 */
SYM_FUNC_START(qvm_arm64_enter)
	/*
	 * What pends for the host is the host's: an interrupt would end the guest at once, and an SError
	 * would be taken for the guest's. Those of the host's stores pend after the DSB.
	 */
alternative_if ARM64_HAS_RAS_EXTN
	dsb	nshst
	isb
alternative_else_nop_endif
	mrs	x4, isr_el1
	cbnz	x4, 1f

	sub	sp, sp, #FRAME_SIZE
	stp	x19, x20, [sp, #FRAME_X(19)]
	stp	x21, x22, [sp, #FRAME_X(21)]
	stp	x23, x24, [sp, #FRAME_X(23)]
	stp	x25, x26, [sp, #FRAME_X(25)]
	stp	x27, x28, [sp, #FRAME_X(27)]
	stp	x29, x30, [sp, #FRAME_X(29)]
	mrs	x4, sp_el0
	stp	x0, x4, [sp, #FRAME_REGS]
	stp	x18, x1, [sp, #FRAME_X18]
	str	x3, [sp, #FRAME_OPERAND]

	msr	vbar_el2, x2
	ldr	x4, [x0, #REGS_SP_EL0]
	ldp	x5, x6, [x0, #REGS_PC]
	msr	sp_el0, x4
	msr	elr_el2, x5
	msr	spsr_el2, x6

	ldp	x2, x3, [x0, #REGS_X(2)]
	ldp	x4, x5, [x0, #REGS_X(4)]
	ldp	x6, x7, [x0, #REGS_X(6)]
	ldp	x8, x9, [x0, #REGS_X(8)]
	ldp	x10, x11, [x0, #REGS_X(10)]
	ldp	x12, x13, [x0, #REGS_X(12)]
	ldp	x14, x15, [x0, #REGS_X(14)]
	ldp	x16, x17, [x0, #REGS_X(16)]
	ldp	x18, x19, [x0, #REGS_X(18)]
	ldp	x20, x21, [x0, #REGS_X(20)]
	ldp	x22, x23, [x0, #REGS_X(22)]
	ldp	x24, x25, [x0, #REGS_X(24)]
	ldp	x26, x27, [x0, #REGS_X(26)]
	ldp	x28, x29, [x0, #REGS_X(28)]
	ldr	x30, [x0, #REGS_X(30)]
	ldp	x0, x1, [x0, #REGS_X(0)]
	eret					/* context synchronization event: VBAR_EL2 is ours */
	sb					/* no speculation past ERET */

1:	mov	x0, #EXIT_CODE_IRQ
	ret
SYM_FUNC_END(qvm_arm64_enter)

/* From a vector: guest x0, x1 pushed, x1 = exit code; the exception masked DAIF. */
SYM_CODE_START_LOCAL(guest_exit)
	ldr	x0, [sp, #16 + FRAME_REGS]
	stp	x2, x3, [x0, #REGS_X(2)]
	stp	x4, x5, [x0, #REGS_X(4)]
	stp	x6, x7, [x0, #REGS_X(6)]
	ldp	x2, x3, [sp], #16
	stp	x8, x9, [x0, #REGS_X(8)]
	ldr	x7, [sp, #FRAME_VBAR]
	stp	x10, x11, [x0, #REGS_X(10)]
	msr	vbar_el2, x7
	stp	x2, x3, [x0, #REGS_X(0)]
	stp	x12, x13, [x0, #REGS_X(12)]
	stp	x14, x15, [x0, #REGS_X(14)]
	stp	x16, x17, [x0, #REGS_X(16)]
	stp	x18, x19, [x0, #REGS_X(18)]
	stp	x20, x21, [x0, #REGS_X(20)]
	stp	x22, x23, [x0, #REGS_X(22)]
	stp	x24, x25, [x0, #REGS_X(24)]
	stp	x26, x27, [x0, #REGS_X(26)]
	stp	x28, x29, [x0, #REGS_X(28)]
	str	x30, [x0, #REGS_X(30)]
	mrs	x4, sp_el0
	mrs	x5, elr_el2
	mrs	x6, spsr_el2
	str	x4, [x0, #REGS_SP_EL0]
	stp	x5, x6, [x0, #REGS_PC]

	ldp	x18, x7, [sp, #FRAME_X18]
	ldr	x2, [sp, #FRAME_SP_EL0]
	msr	sp_el0, x2
	mov	x0, x1
	ldp	x19, x20, [sp, #FRAME_X(19)]
	ldp	x21, x22, [sp, #FRAME_X(21)]
	ldp	x23, x24, [sp, #FRAME_X(23)]
	ldp	x25, x26, [sp, #FRAME_X(25)]
	ldp	x27, x28, [sp, #FRAME_X(27)]
	ldp	x29, x30, [sp, #FRAME_X(29)]
	add	sp, sp, #FRAME_SIZE
alternative_if ARM64_HAS_RAS_EXTN
	mrs_s	x2, SYS_DISR_EL1
	cbnz	x2, 1f
alternative_else_nop_endif
	ret

	/* The vector's ESB found an SError that the guest left: that is how this exit is reported. */
1:	msr_s	SYS_DISR_EL1, xzr
	and	x2, x2, #ESR_ELx_ISS_MASK
	mov	x0, #(ESR_ELx_EC_SERROR << ESR_ELx_EC_SHIFT | ESR_ELx_IL)
	orr	x2, x2, x0
	msr	esr_el2, x2
	isb
	mov	x0, #EXIT_CODE_SERROR
	ret
SYM_CODE_END(guest_exit)

/*
 * u64 qvm_arm64_walk(u64 gva, u64 host_vbar, u64 vectors): PAR_EL1 as AT S1E1R leaves it. An external
 * abort of the walk is an exception instead (Arm ARM, AT instructions), which the host would not
 * live through: it is ours here, and a walk that failed.
 */
SYM_FUNC_START(qvm_arm64_walk)
	msr	vbar_el2, x2
	isb
walk:	at	s1e1r, x0
	isb
	dmb	sy				/* erratum 1508412 */
	mrs	x0, par_el1
	dmb	sy
1:	msr	vbar_el2, x1
	isb
	ret
walk_failed:
	mov	x0, #1
	b	1b
SYM_FUNC_END(qvm_arm64_walk)

/*
 * An exception from EL2 found our vectors: host code just after the exit, before its write of
 * VBAR_EL2 took effect. Make it take effect and go back: the instruction runs again and takes
 * its exception in the host's vectors. Interrupts stay masked: SPSR_EL2 is untouched.
 */
SYM_CODE_START_LOCAL(forward)
	stp	x0, x1, [sp, #-16]!
	mrs	x0, elr_el2
	adr	x1, walk
	cmp	x0, x1
	b.ne	1f
	adr	x0, walk_failed
	msr	elr_el2, x0
1:	ldr	x0, =qvm_arm64_host_vbar
	mrs	x1, tpidr_el2
	ldr	x0, [x0, x1]
	msr	vbar_el2, x0
	isb
	ldp	x0, x1, [sp], #16
	eret
	sb
SYM_CODE_END(forward)
	.ltorg

	.macro	vector_host
	.align	7
	b	forward
	.endm

	.macro	step_none
	.endm

	/* Branch FRAME_OPERAND times: the branch history is full of these (mitig.c). */
	.macro	step_loop
	ldr	x0, [sp, #16 + FRAME_OPERAND]
1:	b	. + 4
	subs	x0, x0, #1
	b.ne	1b
	sb
	.endm

	.macro	step_clrbhb
	hint	#22				/* CLRBHB, where there is none a NOP */
	isb
	.endm

	/* The firmware's function FRAME_OPERAND; SMCCC 1.1: x0 to x3 are lost. */
	.macro	step_firmware
	ldr	x0, [sp, #16 + FRAME_OPERAND]
	stp	x2, x3, [sp, #-16]!
	smc	#0
	ldp	x2, x3, [sp], #16
	.endm

	.macro	vector_guest code, step
	.align	7
	stp	x0, x1, [sp, #-16]!
	esb				/* FEAT_RAS, else a NOP: SErrors of the guest's accesses end here */
	step_\step
	mov	x1, #\code
	b	guest_exit
	.endm

	/* Arm ARM D1.4.1: current EL with SP_EL0, with SP_ELx, lower EL AArch64, AArch32. */
	.macro	vectors name, step
	.align	11
SYM_CODE_START(\name)
	.rept	8
	vector_host
	.endr
	vector_guest EXIT_CODE_SYNC, \step
	vector_guest EXIT_CODE_IRQ, \step
	vector_guest EXIT_CODE_IRQ, \step	/* FIQ: some GICs signal group 0 so */
	vector_guest EXIT_CODE_SERROR, \step
	.rept	4
	vector_guest EXIT_CODE_AARCH32, \step
	.endr
	.align	7
SYM_CODE_END(\name)
	.endm

	vectors	qvm_arm64_vectors, none
	vectors	qvm_arm64_vectors_loop, loop
	vectors	qvm_arm64_vectors_clrbhb, clrbhb
	vectors	qvm_arm64_vectors_firmware, firmware

	.popsection
