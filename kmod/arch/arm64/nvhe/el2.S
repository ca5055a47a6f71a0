/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2 of a host whose kernel is at EL1 (nVHE): calls of that kernel, into the guest and out again.
 * Everything else is C at EL1.
 *
 * This is a program of its own: assembled apart, checked to have no relocation (check-reloc),
 * copied into contiguous pages and run at their physical address, under stage-1 tables that have
 * these pages, one for each pCPU, and those of each vCPU, mapped as they are. So it may name
 * nothing but its own labels, PC-relative, and uses no ADRP (erratum 843419).
 *
 * SP_EL2 is no stack: it points to this pCPU's struct nvhe_cpu. All of DAIF is masked throughout.
 * VBAR_EL2 says who runs below: host_vectors or one of the guest tables.
 */
#include <asm/sysreg.h>
#include "../entry_offsets.h"
#include "el2.h"

#define HCR_E2H_BIT	34
#define SCTLR_M		1
#define ICC_SRE_ENABLE	(1 << 3)
#define CNTHCTL_EL1	3				/* EL1PCTEN, EL1PCEN */
#define EC_HVC64	0x16
#define EC_IABT_LOW	0x20				/* and data aborts with bit 2 */
#define SERROR_ESR	(0x2f << 26 | 1 << 25)		/* EC, IL */
#define ISS_MASK	0x1ffffff
#define ISS_S1PTW_BIT	7
#define FSC_TYPE	0x3c
#define FSC_PERMISSION	0x0c
#define REG_HCRX	sys_reg(3, 4, 1, 2, 2)
#define REG_VDISR	sys_reg(3, 4, 12, 1, 1)
#define REG_HFGRTR	sys_reg(3, 4, 1, 1, 4)
#define REG_HFGWTR	sys_reg(3, 4, 1, 1, 5)
#define REG_HFGITR	sys_reg(3, 4, 1, 1, 6)
#define REG_HDFGRTR	sys_reg(3, 4, 3, 1, 4)
#define REG_HDFGWTR	sys_reg(3, 4, 3, 1, 5)
#define REG_LR(n)	sys_reg(3, 4, 12, 12 + n / 8, n % 8)	/* ICH_LR<n>_EL2 */
#define REG_AP0R(n)	sys_reg(3, 4, 12, 8, n)		/* ICH_AP0R<n>_EL2 */
#define REG_AP1R(n)	sys_reg(3, 4, 12, 9, n)

	.text

	/* Back to where ELR_EL2 says, and not further by speculation. */
	.macro	return
	eret
	dsb	nsh
	isb
	.endm

	/* Fine-grained traps: zero for a guest (el2_regs.h), the kernel's own for the host. */
	.macro	fine_trap_stop reg, n, a
	mrs_s	\a, \reg
	str	\a, [sp, #CPU_FINE_TRAPS + 8 * \n]
	msr_s	\reg, xzr
	.endm

	.macro	fine_trap_start reg, n, a
	ldr	\a, [sp, #CPU_FINE_TRAPS + 8 * \n]
	msr_s	\reg, \a
	.endm

	.macro	fine_traps what, a
	fine_trap_\what REG_HFGRTR, 0, \a
	fine_trap_\what REG_HFGWTR, 1, \a
	fine_trap_\what REG_HFGITR, 2, \a
	fine_trap_\what REG_HDFGRTR, 3, \a
	fine_trap_\what REG_HDFGWTR, 4, \a
	.endm

	/* EL1 registers by pairs, ordered as enum arm64_sysreg; PAR_EL1 is the guest's alone. */
	.macro	el1_save base, a, b
	mrs	\a, sctlr_el1
	mrs	\b, cpacr_el1
	stp	\a, \b, [\base]
	mrs	\a, ttbr0_el1
	mrs	\b, ttbr1_el1
	stp	\a, \b, [\base, #16]
	mrs	\a, tcr_el1
	mrs	\b, esr_el1
	stp	\a, \b, [\base, #32]
	mrs	\a, afsr0_el1
	mrs	\b, afsr1_el1
	stp	\a, \b, [\base, #48]
	mrs	\a, far_el1
	mrs	\b, mair_el1
	stp	\a, \b, [\base, #64]
	mrs	\a, amair_el1
	mrs	\b, vbar_el1
	stp	\a, \b, [\base, #80]
	mrs	\a, contextidr_el1
	mrs	\b, cntkctl_el1
	stp	\a, \b, [\base, #96]
	mrs	\b, elr_el1
	str	\b, [\base, #120]
	mrs	\a, spsr_el1
	mrs	\b, sp_el1
	stp	\a, \b, [\base, #128]
	mrs	\a, tpidr_el1
	mrs	\b, tpidr_el0
	stp	\a, \b, [\base, #144]
	mrs	\a, tpidrro_el0
	mrs	\b, csselr_el1
	stp	\a, \b, [\base, #160]
	.endm

	/* All but SCTLR_EL1 and TCR_EL1, whose order counts: see stage1_stop. */
	.macro	el1_load base, a, b
	ldr	\b, [\base, #8]
	msr	cpacr_el1, \b
	ldp	\a, \b, [\base, #16]
	msr	ttbr0_el1, \a
	msr	ttbr1_el1, \b
	ldr	\b, [\base, #40]
	msr	esr_el1, \b
	ldp	\a, \b, [\base, #48]
	msr	afsr0_el1, \a
	msr	afsr1_el1, \b
	ldp	\a, \b, [\base, #64]
	msr	far_el1, \a
	msr	mair_el1, \b
	ldp	\a, \b, [\base, #80]
	msr	amair_el1, \a
	msr	vbar_el1, \b
	ldp	\a, \b, [\base, #96]
	msr	contextidr_el1, \a
	msr	cntkctl_el1, \b
	ldr	\b, [\base, #120]
	msr	elr_el1, \b
	ldp	\a, \b, [\base, #128]
	msr	spsr_el1, \a
	msr	sp_el1, \b
	ldp	\a, \b, [\base, #144]
	msr	tpidr_el1, \a
	msr	tpidr_el0, \b
	ldp	\a, \b, [\base, #160]
	msr	tpidrro_el0, \a
	msr	csselr_el1, \b
	.endm

	/*
	 * Errata 1319367, 1319537 (Cortex-A57, A72) and their kin: a speculative walk may mix what is
	 * the host's and what a guest's, and leave its result in the TLBs. While that changes, no
	 * walk is made: TCR_EL1.EPDn first, then SCTLR_EL1.M, for with the MMU off all would go by
	 * stage 2 alone; and back in the opposite order. The caller has the true values.
	 */
	.macro	stage1_stop a
	mrs	\a, tcr_el1
	orr	\a, \a, #(1 << 7)
	orr	\a, \a, #(1 << 23)
	msr	tcr_el1, \a
	isb
	mrs	\a, sctlr_el1
	orr	\a, \a, #SCTLR_M
	msr	sctlr_el1, \a
	isb
	.endm

	/* As arm64_hcr_write(); an ISB follows. */
	.macro	hcr_write value, a
	ldr	\a, [sp, #CPU_FLAGS]
	tbz	\a, #CPU_FLAG_HCR_DSB, 1f
	dsb	nsh
1:	msr	hcr_el2, \value
	.endm

	/* SCTLR_EL1, TCR_EL1 as in the table; the exception return is the last barrier. */
	.macro	stage1_start base, a
	isb
	ldr	\a, [\base]
	msr	sctlr_el1, \a
	isb
	ldr	\a, [\base, #SYS_OFFSET_TCR]
	msr	tcr_el1, \a
	.endm

	/* x1 = vCPU, x4 = how many list registers, x5 lost: branch so that as many are moved. */
	.macro	lr_branch step
	adr	x5, 9f
	sub	x5, x5, x4, lsl #\step
	br	x5
	.endm

/* ======== vectors ======== */

	/* Lost: no memory of ours may be touched as if nothing had happened. */
	.macro	vector_own
	.align	7
	b	own_fault
	.endm

	.macro	vector_spin
	.align	7
	b	.
	.endm

start:
	b	take
	.align	11			/* of the whole: vector tables are at multiples of it */
	.org	start + EL2_HOST_VECTORS
host_vectors:
	.rept	8
	vector_own
	.endr
	.align	7
	/* The host calls. Nothing of its traps: whatever else comes is taken for an unknown call. */
	stp	x1, x2, [sp, #CPU_SCRATCH]
	mrs	x1, esr_el2
	ubfx	x1, x1, #26, #6
	cmp	x1, #EC_HVC64
	b.ne	call_unknown
	mov	x1, #(EL2_CALL & 0xffff0000)
	sub	x1, x0, x1
	cmp	x1, #EL2_CALLS
	b.hs	call_stub
	adr	x2, calls
	add	x2, x2, x1, lsl #2
	mov	x0, x2
	ldp	x1, x2, [sp, #CPU_SCRATCH]
	br	x0
	/* Never routed here while the host runs: HCR_EL2.{IMO,FMO,AMO} are clear. */
	.rept	7
	vector_spin
	.endr
	.align	7

	.macro	step_none
	.endm

	/* Branch CPU_OPERAND times: the branch history is full of these (mitig.c). */
	.macro	step_loop
	ldr	x0, [sp, #CPU_OPERAND]
1:	b	. + 4
	subs	x0, x0, #1
	b.ne	1b
	dsb	nsh
	isb
	.endm

	.macro	step_clrbhb
	hint	#22				/* CLRBHB, where there is none a NOP */
	isb
	.endm

	/* The firmware's function CPU_OPERAND; SMCCC 1.1: x0 to x3 are lost. */
	.macro	step_firmware
	stp	x2, x3, [sp, #CPU_SCRATCH + 16]
	ldr	x0, [sp, #CPU_OPERAND]
	smc	#0
	ldp	x2, x3, [sp, #CPU_SCRATCH + 16]
	.endm

	.macro	vector_guest code, step
	.align	7
	stp	x0, x1, [sp, #CPU_SCRATCH]
	hint	#16			/* ESB (FEAT_RAS, else a NOP): SErrors of the guest's accesses end here */
	step_\step
	mov	x1, #\code
	b	guest_exit
	.endm

	/* In the order of enum mitig_kind, EL2_VECTORS_SIZE apart. */
	.macro	vectors step
	.align	11
	.rept	8
	vector_own
	.endr
	vector_guest EXIT_CODE_SYNC, \step
	vector_guest EXIT_CODE_IRQ, \step
	vector_guest EXIT_CODE_IRQ, \step	/* FIQ: some GICs signal group 0 so */
	vector_guest EXIT_CODE_SERROR, \step
	.rept	4
	vector_guest EXIT_CODE_AARCH32, \step
	.endr
	.align	7
	.endm

	.org	start + EL2_GUEST_VECTORS
	vectors	none
	vectors	loop
	vectors	clrbhb
	vectors	firmware

/* ======== taking EL2, and giving it back ======== */

/*
 * By the stub's SOFT_RESTART, MMU off: x0 = this pCPU's struct nvhe_cpu, cleaned to the point of
 * coherency. Returns from that HVC with x0 = 0, or with the CurrentEL's registers as they were and
 * STUB_ERROR if EL2 is not as the stub has it.
 */
take:
	mrs	x1, hcr_el2
	tbnz	x1, #HCR_E2H_BIT, 1f
	mrs	x4, sctlr_el2
	tbnz	x4, #0, 1f
	mrs	x3, vbar_el2
	mrs	x5, tcr_el2
	mrs	x6, mair_el2
	mrs	x7, ttbr0_el2
	mov	x8, sp
	ldp	x9, x10, [x0, #CPU_TTBR0]
	ldp	x11, x12, [x0, #CPU_MAIR]
	ldr	x13, [x0, #CPU_HOST_VECTORS]
	msr	ttbr0_el2, x9
	msr	tcr_el2, x10
	msr	mair_el2, x11
	isb
	tlbi	alle2
	dsb	nsh
	isb
	msr	sctlr_el2, x12
	isb
	mov	sp, x0
	stp	x3, x4, [sp, #CPU_STUB_VBAR]
	stp	x5, x6, [sp, #CPU_STUB_TCR]
	stp	x7, x8, [sp, #CPU_STUB_TTBR0]
	str	xzr, [sp, #CPU_VCPU]
	msr	vbar_el2, x13
	mov	x0, #0
	return
1:	mov	x0, #(STUB_ERROR & 0xffff)
	movk	x0, #(STUB_ERROR >> 16), lsl #16
	return

	/* EL2 as the stub had it. x5 ... x10 are lost, as the ABI allows. */
	.macro	give_back
	ldp	x5, x6, [sp, #CPU_STUB_VBAR]
	ldp	x7, x8, [sp, #CPU_STUB_TCR]
	ldp	x9, x10, [sp, #CPU_STUB_TTBR0]
	msr	sctlr_el2, x6
	isb
	msr	vbar_el2, x5
	msr	tcr_el2, x7
	msr	mair_el2, x8
	msr	ttbr0_el2, x9
	mov	sp, x10
	isb
	tlbi	alle2
	dsb	nsh
	isb
	.endm

/*
 * The stub's own calls, for a kernel that has to go: kexec, hibernation (hyp-abi.rst). Whatever it
 * wants then, it wants it with the MMU off.
 */
call_stub:
	ldp	x1, x2, [sp, #CPU_SCRATCH]
	cmp	x0, #STUB_SOFT_RESTART
	b.eq	1f
	cmp	x0, #STUB_RESET_VECTORS
	b.hi	call_unknown
	b.eq	2f
	give_back				/* SET_VECTORS */
	msr	vbar_el2, x1
	mov	x0, #0
	return
1:	give_back				/* SOFT_RESTART: x1 with x2, x3, x4 as x0, x1, x2 */
	mov	x0, x2
	mov	x2, x4
	mov	x4, x1
	mov	x1, x3
	br	x4
2:	give_back				/* RESET_VECTORS */
	mov	x0, #0
	return

call_unknown:
	ldp	x1, x2, [sp, #CPU_SCRATCH]
	mov	x0, #(STUB_ERROR & 0xffff)
	movk	x0, #(STUB_ERROR >> 16), lsl #16
	return

/* ======== calls ======== */

calls:
	b	call_run
	b	call_tlb_vm
	b	call_tlb_vm_local
	b	call_tlb_all
	b	call_tlb_all_local
	b	call_tlb_el2
	b	call_cntvoff
	b	call_gic_load
	b	call_gic_put
	b	call_gic_type

	/* VTTBR_EL2, VTCR_EL2 of x1, x2 for an operation; the host's in x5 ... x8 meanwhile. */
	.macro	vm_begin
	mrs	x5, tcr_el1
	mrs	x6, sctlr_el1
	mrs	x7, vttbr_el2
	mrs	x8, vtcr_el2
	stage1_stop x3
	msr	vtcr_el2, x2
	msr	vttbr_el2, x1
	isb
	.endm

	.macro	vm_end
	msr	vttbr_el2, x7
	msr	vtcr_el2, x8
	isb
	msr	sctlr_el1, x6
	isb
	msr	tcr_el1, x5
	.endm

	/* Writes of tables before, completion on all pCPUs after; x3 is lost. */
	.macro	broadcast op:vararg
	dsb	ishst
	tlbi	\op
	dsb	ish
	ldr	x3, [sp, #CPU_FLAGS]
	tbz	x3, #CPU_FLAG_TLBI_TWICE, 1f
	tlbi	\op
	dsb	ish
1:
	.endm

call_tlb_vm:
	vm_begin
	broadcast vmalls12e1is
	isb
	vm_end
	return

call_tlb_vm_local:
	vm_begin
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	vm_end
	return

call_tlb_all:
	broadcast alle1is
	return

call_tlb_all_local:
	dsb	nshst
	tlbi	alle1
	dsb	nsh
	return

call_tlb_el2:
	broadcast vae2is, x1
	return

call_cntvoff:
	msr	cntvoff_el2, x1
	return

	.macro	apr_load n
	ldr	x4, [x1, #NVHE_AP0R + 8 * \n]
	ldr	x5, [x1, #NVHE_AP1R + 8 * \n]
	msr_s	REG_AP0R(\n), x4
	msr_s	REG_AP1R(\n), x5
	.endm

	.macro	apr_save n
	mrs_s	x4, REG_AP0R(\n)
	mrs_s	x5, REG_AP1R(\n)
	str	x4, [x1, #NVHE_AP0R + 8 * \n]
	str	x5, [x1, #NVHE_AP1R + 8 * \n]
	.endm

	/* A group has 1, 2 or 4 active priority registers (IHI 0069, ICH_VTR_EL2.PREbits). */
	.macro	apr_all what
	ldr	x2, [sp, #CPU_APR_COUNT]
	apr_\what 0
	cmp	x2, #2
	b.lo	1f
	apr_\what 1
	b.eq	1f
	apr_\what 2
	apr_\what 3
1:
	.endm

	/* The guest's ICC_SRE_EL1 traps; list registers are empty, whatever reset left in them. */
call_gic_load:
	ldr	x4, [sp, #CPU_LR_COUNT]
	lr_branch 2
	.irp	n, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
	msr_s	REG_LR(\n), xzr
	.endr
9:	ldr	x4, [x1, #NVHE_ICH_VMCR]
	msr_s	SYS_ICH_VMCR_EL2, x4
	apr_all	load
	mrs_s	x4, SYS_ICC_SRE_EL2
	bic	x4, x4, #ICC_SRE_ENABLE
	msr_s	SYS_ICC_SRE_EL2, x4
	return

call_gic_put:
	mrs_s	x4, SYS_ICH_VMCR_EL2
	str	x4, [x1, #NVHE_ICH_VMCR]
	apr_all	save
	mrs_s	x4, SYS_ICC_SRE_EL2
	orr	x4, x4, #ICC_SRE_ENABLE
	msr_s	SYS_ICC_SRE_EL2, x4
	return

call_gic_type:
	mrs_s	x1, SYS_ICC_SRE_EL2
	tbz	x1, #0, 1f			/* without SRE there is no ICH_* to read */
	mrs_s	x0, SYS_ICH_VTR_EL2
	orr	x0, x0, #(1 << 63)
	return
1:	mov	x0, #0
	return

/* ======== into the guest ======== */

	/* x1 = vCPU. What pends for the host is the host's, as at qvm_arm64_enter(). */
call_run:
	ldr	x4, [sp, #CPU_FLAGS]
	tbz	x4, #CPU_FLAG_RAS, 1f
	dsb	nshst
	isb
1:	mrs	x4, isr_el1
	cbz	x4, 1f
	mov	x0, #EXIT_CODE_IRQ
	return

1:	stp	x18, x19, [sp, #CPU_X(18)]
	stp	x20, x21, [sp, #CPU_X(20)]
	stp	x22, x23, [sp, #CPU_X(22)]
	stp	x24, x25, [sp, #CPU_X(24)]
	stp	x26, x27, [sp, #CPU_X(26)]
	stp	x28, x29, [sp, #CPU_X(28)]
	mrs	x4, sp_el0
	stp	x30, x4, [sp, #CPU_X(30)]
	mrs	x4, elr_el2
	mrs	x5, spsr_el2
	stp	x4, x5, [sp, #CPU_ELR]
	ldp	x2, x3, [x1, #NVHE_REGS]	/* from here on: x2 GPRs, x3 EL1 registers */

	mrs	x4, hcr_el2
	mrs	x5, vttbr_el2
	stp	x4, x5, [sp, #CPU_HCR]
	mrs	x4, vtcr_el2
	mrs	x5, cptr_el2
	stp	x4, x5, [sp, #CPU_VTCR]
	mrs	x6, mdcr_el2
	mrs	x7, cnthctl_el2
	stp	x6, x7, [sp, #CPU_MDCR]
	mrs	x4, vpidr_el2
	mrs	x5, vmpidr_el2
	stp	x4, x5, [sp, #CPU_VPIDR]
	ldr	x4, [sp, #CPU_FLAGS]
	tbz	x4, #CPU_FLAG_HCX, 1f
	mrs_s	x5, REG_HCRX
	str	x5, [sp, #CPU_HCRX]
	msr_s	REG_HCRX, xzr
1:	tbz	x4, #CPU_FLAG_FGT, 1f
	fine_traps stop, x5
	/* EL1's DISR_EL1: hidden, so that nothing is to be kept; nor is another guest's to be seen */
1:	tbz	x4, #CPU_FLAG_RAS, 1f
	msr_s	REG_VDISR, xzr
1:
	add	x4, sp, #CPU_SYS
	el1_save x4, x5, x8
	stp	x1, x2, [sp, #CPU_VCPU]		/* own_fault can give the host its world back */

	stage1_stop x4
	el1_load x3, x4, x5
	ldr	x4, [x3, #112]
	msr	par_el1, x4
	ldr	x4, [x1, #NVHE_VTCR]
	ldr	x5, [x1, #NVHE_VTTBR]
	msr	vtcr_el2, x4
	msr	vttbr_el2, x5
	isb
	ldp	x4, x5, [x1, #NVHE_HCR]
	hcr_write x4, x8
	msr	cptr_el2, x5
	stage1_start x3, x4

	ldr	x4, [x1, #NVHE_MDCR]
	and	x6, x6, #0x1f			/* HPMN stays the host's */
	orr	x6, x6, x4
	msr	mdcr_el2, x6
	bic	x7, x7, #CNTHCTL_EL1		/* CNTP is the host's tick */
	msr	cnthctl_el2, x7
	ldp	x4, x5, [x1, #NVHE_VPIDR]
	msr	vpidr_el2, x4
	msr	vmpidr_el2, x5

	ldr	x6, [x1, #NVHE_ICH_HCR]
	ldr	x4, [x1, #NVHE_LR_USED]
	lr_branch 3
	.irp	n, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
	ldr	x5, [x1, #NVHE_LR + 8 * \n]
	msr_s	REG_LR(\n), x5
	.endr
9:	msr_s	SYS_ICH_HCR_EL2, x6

	ldr	x4, [sp, #CPU_GUEST_VECTORS]
	ldr	x5, [x2, #REGS_SP_EL0]
	ldp	x6, x7, [x2, #REGS_PC]
	msr	vbar_el2, x4
	msr	sp_el0, x5
	msr	elr_el2, x6
	msr	spsr_el2, x7
	mov	x0, x2
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
	return

/* ======== out of the guest ======== */

	/* From a vector: x0, x1 of the guest in CPU_SCRATCH, x1 = exit code */
guest_exit:
	ldr	x0, [sp, #CPU_REGS]
	stp	x2, x3, [x0, #REGS_X(2)]
	stp	x4, x5, [x0, #REGS_X(4)]
	stp	x6, x7, [x0, #REGS_X(6)]
	stp	x8, x9, [x0, #REGS_X(8)]
	stp	x10, x11, [x0, #REGS_X(10)]
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
	ldp	x2, x3, [sp, #CPU_SCRATCH]
	stp	x2, x3, [x0, #REGS_X(0)]
	mrs	x2, sp_el0
	str	x2, [x0, #REGS_SP_EL0]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x0, #REGS_PC]
	mov	x0, x1				/* from here on: x0 exit code, x1 vCPU */
	ldr	x1, [sp, #CPU_VCPU]
	ldr	x3, [x1, #NVHE_SYS]

	/* The guest's PAR_EL1, before a walk of ours takes it; DMB: erratum 1508412 */
	dmb	sy
	mrs	x4, par_el1
	dmb	sy
	str	x4, [x3, #112]
	mrs	x4, esr_el2
	ldr	x7, [sp, #CPU_FLAGS]
	tbz	x7, #CPU_FLAG_RAS, 1f
	mrs_s	x5, SYS_DISR_EL1
	cbz	x5, 1f
	/* The vector's ESB found an SError that the guest left: that is how this exit is reported. */
	msr_s	SYS_DISR_EL1, xzr
	and	x5, x5, #ISS_MASK
	mov	x4, #SERROR_ESR
	orr	x4, x4, x5
	mov	x0, #EXIT_CODE_SERROR
1:	str	x4, [x1, #NVHE_ESR]
	cbnz	x0, 5f

	ubfx	x5, x4, #26, #6
	bic	x5, x5, #4
	cmp	x5, #EC_IABT_LOW
	b.ne	5f
	mrs	x5, far_el2
	mrs	x6, hpfar_el2
	str	x5, [x1, #NVHE_FAR]
	tbnz	x4, #ISS_S1PTW_BIT, 4f
	tbnz	x7, #CPU_FLAG_WALK, 3f
	and	x4, x4, #FSC_TYPE
	cmp	x4, #FSC_PERMISSION
	b.ne	4f
	/*
	 * Permission faults do not fill HPFAR_EL2 (Arm ARM D19.2.65): ask the translation itself. A
	 * failed walk leaves bit 0 set alone: the guest runs the access again. An external abort of
	 * the walk is an exception instead (Arm ARM, AT instructions): see own_fault.
	 */
3:walk:	at	s1e1r, x5
	isb
	mrs	x4, par_el1
	mov	x6, #1
	tbnz	x4, #0, 4f
	ubfx	x6, x4, #12, #36
	lsl	x6, x6, #4
walk_failed:
4:	str	x6, [x1, #NVHE_HPFAR]
5:
	mrs_s	x4, SYS_ICH_VMCR_EL2
	str	x4, [x1, #NVHE_ICH_VMCR]
	ldr	x4, [x1, #NVHE_ICH_HCR]
	cbz	x4, 6f
	mrs_s	x4, SYS_ICH_HCR_EL2
	str	x4, [x1, #NVHE_ICH_HCR]
	msr_s	SYS_ICH_HCR_EL2, xzr
	ldr	x4, [x1, #NVHE_LR_USED]
	adr	x5, 6f
	sub	x5, x5, x4, lsl #3
	sub	x5, x5, x4, lsl #2
	br	x5
	.irp	n, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
	mrs_s	x5, REG_LR(\n)
	str	x5, [x1, #NVHE_LR + 8 * \n]
	msr_s	REG_LR(\n), xzr
	.endr
6:
	el1_save x3, x4, x5

	/* The host's world; x0 = exit code. Also from own_fault. */
host_back:
	str	xzr, [sp, #CPU_VCPU]
	stage1_stop x4
	ldp	x4, x5, [sp, #CPU_HCR]
	ldp	x6, x7, [sp, #CPU_VTCR]
	ldp	x8, x9, [sp, #CPU_MDCR]
	ldp	x10, x11, [sp, #CPU_VPIDR]
	hcr_write x4, x12
	msr	vttbr_el2, x5
	msr	vtcr_el2, x6
	msr	cptr_el2, x7
	msr	mdcr_el2, x8
	msr	cnthctl_el2, x9
	msr	vpidr_el2, x10
	msr	vmpidr_el2, x11
	ldr	x4, [sp, #CPU_FLAGS]
	tbz	x4, #CPU_FLAG_HCX, 1f
	ldr	x5, [sp, #CPU_HCRX]
	msr_s	REG_HCRX, x5
1:	tbz	x4, #CPU_FLAG_FGT, 1f
	fine_traps start, x5
1:	isb
	add	x3, sp, #CPU_SYS
	el1_load x3, x4, x5
	stage1_start x3, x4

	ldr	x4, [sp, #CPU_HOST_VECTORS]
	msr	vbar_el2, x4
	ldp	x4, x5, [sp, #CPU_ELR]
	msr	elr_el2, x4
	msr	spsr_el2, x5
	ldp	x30, x4, [sp, #CPU_X(30)]
	msr	sp_el0, x4
	ldp	x18, x19, [sp, #CPU_X(18)]
	ldp	x20, x21, [sp, #CPU_X(20)]
	ldp	x22, x23, [sp, #CPU_X(22)]
	ldp	x24, x25, [sp, #CPU_X(24)]
	ldp	x26, x27, [sp, #CPU_X(26)]
	ldp	x28, x29, [sp, #CPU_X(28)]
	return

/*
 * An exception from EL2 itself: ours is wrong. The host gets its world back if a guest's was there,
 * and that VM ends; in any other call nothing can be said to anyone.
 */
own_fault:
	mrs	x5, elr_el2
	adr	x6, walk
	cmp	x5, x6
	mov	x6, #1
	b.eq	walk_failed
	mrs	x4, esr_el2
	mrs	x6, far_el2
	stp	x4, x5, [sp, #CPU_FAULT_ESR]
	str	x6, [sp, #CPU_FAULT_FAR]
	ldr	x4, [sp, #CPU_VCPU]
	cbz	x4, .
	msr_s	SYS_ICH_HCR_EL2, xzr
	mov	x0, #EXIT_CODE_EL2
	b	host_back
