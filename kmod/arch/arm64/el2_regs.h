/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2 register fields (Arm ARM DDI 0487, D19.2) that the kernel's own asm/sysreg.h does not have in
 * all versions that we build for, or has only among KVM's.
 */
#ifndef QVM_ARM64_EL2_REGS_H
#define QVM_ARM64_EL2_REGS_H

#include <linux/bits.h>
#include <asm/sysreg.h>

/* HCR_EL2 */
#define EL2_HCR_VM	BIT_ULL(0)	/* stage 2 on */
#define EL2_HCR_PTW	BIT_ULL(2)	/* a stage 1 walk through device memory faults */
#define EL2_HCR_FMO	BIT_ULL(3)	/* FIQ, IRQ, SError come to EL2, virtual ones are enabled */
#define EL2_HCR_IMO	BIT_ULL(4)
#define EL2_HCR_AMO	BIT_ULL(5)
#define EL2_HCR_FB	BIT_ULL(9)	/* the guest's local TLBI, IC IALLU are broadcast */
#define EL2_HCR_BSU_IS	BIT_ULL(10)	/* its barriers reach the Inner Shareable domain at least */
#define EL2_HCR_TWI	BIT_ULL(13)
#define EL2_HCR_TWE	BIT_ULL(14)
#define EL2_HCR_TID2	BIT_ULL(17)	/* CTR_EL0 and the registers of caches trap */
#define EL2_HCR_TID3	BIT_ULL(18)	/* ID registers trap */
#define EL2_HCR_TSC	BIT_ULL(19)	/* SMC traps */
#define EL2_HCR_TIDCP	BIT_ULL(20)	/* IMPLEMENTATION DEFINED registers trap */
#define EL2_HCR_TACR	BIT_ULL(21)	/* ACTLR_EL1 traps */
#define EL2_HCR_TSW	BIT_ULL(22)	/* cache maintenance by set and way traps */
#define EL2_HCR_TVM	BIT_ULL(26)	/* writes of EL1's translation registers trap */
#define EL2_HCR_TGE	BIT_ULL(27)
#define EL2_HCR_RW	BIT_ULL(31)	/* EL1 is AArch64 */
#define EL2_HCR_E2H	BIT_ULL(34)
#define EL2_HCR_TLOR	BIT_ULL(35)	/* LORegion registers trap */
#define EL2_HCR_TERR	BIT_ULL(36)	/* error record registers trap (FEAT_RAS) */
#define EL2_HCR_TEA	BIT_ULL(37)	/* synchronous external aborts come to EL2 (FEAT_RAS) */
#define EL2_HCR_FWB	BIT_ULL(46)	/* stage 2 decides what is cacheable (FEAT_S2FWB) */
#define EL2_HCR_TID5	BIT_ULL(58)	/* GMID_EL1 traps (FEAT_MTE2) */

/* CPTR_EL2 in its layout with E2H = 1, where CPACR_EL1 names it */
#define CPTR_E2H_FPEN	(3ULL << 20)	/* FP and SIMD do not trap */
#define CPTR_E2H_TTA	BIT_ULL(28)	/* trace registers trap */
#define CPTR_E2H_TAM	BIT_ULL(30)	/* activity monitors trap (FEAT_AMUv1, else RES0) */

/* MDCR_EL2 */
#define MDCR_HPMN	GENMASK_ULL(4, 0)
#define MDCR_TPMCR	BIT_ULL(5)
#define MDCR_TPM	BIT_ULL(6)
#define MDCR_TDA	BIT_ULL(9)	/* debug registers trap */
#define MDCR_TDOSA	BIT_ULL(10)	/* OS lock, double lock, power-down registers trap */
#define MDCR_TDRA	BIT_ULL(11)	/* debug ROM address registers trap */
#define MDCR_TPMS	BIT_ULL(14)	/* statistical profiling registers trap (FEAT_SPE, else RES0) */
#define MDCR_TTRF	BIT_ULL(19)	/* trace filter registers trap (FEAT_TRF, else RES0) */
#define MDCR_TDCC	BIT_ULL(27)	/* debug communication channel traps (FEAT_FGT, else RES0) */

/* MDSCR_EL1 */
#define MDSCR_SS	BIT_ULL(0)
#define MDSCR_TDCC	BIT_ULL(12)
#define MDSCR_KDE	BIT_ULL(13)
#define MDSCR_MDE	BIT_ULL(15)

/* VTCR_EL2 */
#define VTCR_RES1	BIT_ULL(31)
#define VTCR_T0SZ	GENMASK_ULL(5, 0)
#define VTCR_SL0	GENMASK_ULL(7, 6)
#define VTCR_IRGN0_WB	(1ULL << 8)
#define VTCR_ORGN0_WB	(1ULL << 10)
#define VTCR_SH0_INNER	(3ULL << 12)
#define VTCR_PS		GENMASK_ULL(18, 16)
#define VTCR_VS		BIT_ULL(19)	/* 16-bit VMID */

#define VTTBR_VMID	GENMASK_ULL(63, 48)

/* CNTHCTL_EL2 in its layout with E2H = 1 */
#define CNTHCTL_E2H_EL1PCTEN BIT_ULL(10)	/* EL1, EL0 may read CNTPCT_EL0 */
#define CNTHCTL_E2H_EL1PTEN	BIT_ULL(11)	/* EL1, EL0 may use CNTP_* */

/* ESR_EL2.ISS of a data abort: bits that asm/esr.h names differently over time */
#define ISS_FSC_TYPE	GENMASK(5, 2)
#define FSC_TYPE_ADDRESS_SIZE	0x00
#define FSC_TYPE_TRANSLATION	0x04
#define FSC_TYPE_ACCESS_FLAG	0x08
#define FSC_TYPE_PERMISSION	0x0c

/* PSTATE fields as registers: MRS, MSR */
#define PSTATE_REG_PAN	sys_reg(3, 0, 4, 2, 3)
#define PSTATE_REG_DIT	sys_reg(3, 3, 4, 2, 5)
#define PSTATE_REG_SSBS	sys_reg(3, 3, 4, 2, 6)
#define PSTATE_REG_TCO	sys_reg(3, 3, 4, 2, 7)

#define EL2_HCRX	sys_reg(3, 4, 1, 2, 2)
#define EL2_VDISR	sys_reg(3, 4, 12, 1, 1)	/* what EL1's DISR_EL1 is with HCR_EL2.AMO (FEAT_RAS) */
/*
 * Fine-grained traps of EL1 (FEAT_FGT). Of what is not there in the first version, the bits are
 * such that 0 traps it; of the rest 0 does not. So all zero is: what is new is hidden.
 */
#define EL2_HFGRTR	sys_reg(3, 4, 1, 1, 4)
#define EL2_HFGWTR	sys_reg(3, 4, 1, 1, 5)
#define EL2_HFGITR	sys_reg(3, 4, 1, 1, 6)
#define EL2_HDFGRTR	sys_reg(3, 4, 3, 1, 4)
#define EL2_HDFGWTR	sys_reg(3, 4, 3, 1, 5)

/* The second version's (FEAT_FGT2). */
#define EL2_HFGRTR2	sys_reg(3, 4, 3, 1, 2)
#define EL2_HFGWTR2	sys_reg(3, 4, 3, 1, 3)
#define EL2_HFGITR2	sys_reg(3, 4, 3, 1, 7)
#define EL2_HDFGRTR2	sys_reg(3, 4, 3, 1, 0)
#define EL2_HDFGWTR2	sys_reg(3, 4, 3, 1, 1)

/* FEAT_MPAM (Arm ARM D19.7) */
#define EL2_MPAM2	sys_reg(3, 4, 10, 5, 0)
#define MPAM2_TRAP_EL1	(BIT_ULL(48) | BIT_ULL(49))	/* MPAM1_EL1, MPAM0_EL1 */
#define MPAM2_TIDR	BIT_ULL(58)			/* MPAMIDR_EL1 */
#define EL2_MPAMHCR	sys_reg(3, 4, 10, 4, 0)
#define MPAMHCR_TRAP_MPAMIDR BIT_ULL(31)
#define EL1_MPAMIDR	sys_reg(3, 0, 10, 4, 4)
#define MPAMIDR_HAS_HCR	BIT_ULL(17)
#define MPAMIDR_HAS_TIDR BIT_ULL(58)

#define EL0_TPIDR2	sys_reg(3, 3, 13, 0, 5)	/* FEAT_SME */

/* A register's encoding as one number, from its fields or from a trapped access's syndrome. */
#define SYSREG(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static __always_inline u32 esr_to_sysreg(u64 esr)
{
	return SYSREG((esr >> 20) & 3, (esr >> 14) & 7, (esr >> 10) & 15, (esr >> 1) & 15,
		      (esr >> 17) & 7);
}

#define ESR_SYS64_RT(esr)	(((esr) >> 5) & 31)
#define ESR_SYS64_READ		BIT(0)

#endif /* QVM_ARM64_EL2_REGS_H */
