/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's C at EL1 and el2.S agree on: calls, and offsets into the two structures that both
 * see. nvhe.c asserts the offsets. Addresses are physical: EL2 has them mapped as they are.
 */
#ifndef QVM_ARM64_NVHE_EL2_H
#define QVM_ARM64_NVHE_EL2_H

/* ---- calls: x0, by HVC #0 ---- */

/* The stub's (Documentation/virt/kvm/arm/hyp-abi.rst), which a kernel may make at any time */
#define STUB_SET_VECTORS	0
#define STUB_SOFT_RESTART	1
#define STUB_RESET_VECTORS	2
#define STUB_UNKNOWN		0x777	/* a call that nobody has */
#define STUB_ERROR		0xbadca11

/* Ours, up to x1, x2; x3 ... x17 are lost */
#define EL2_CALL		0x51560000
#define EL2_RUN			0	/* vCPU: into the guest; enum arm64_exit */
#define EL2_TLB_VM		1	/* VTTBR_EL2, VTCR_EL2: this VMID, on all pCPUs */
#define EL2_TLB_VM_LOCAL	2	/* the same: its stage 1 and the I-cache, on this pCPU */
#define EL2_TLB_ALL		3	/* all of EL1&0, on all pCPUs */
#define EL2_TLB_ALL_LOCAL	4	/* and on this one */
#define EL2_TLB_EL2		5	/* page number: of EL2's own, on all pCPUs */
#define EL2_CNTVOFF		6	/* value */
#define EL2_GIC_LOAD		7	/* vCPU: its virtual CPU interface */
#define EL2_GIC_PUT		8
#define EL2_GIC_TYPE		9	/* ICH_VTR_EL2, bit 63: ICC_SRE_EL2.SRE */
#define EL2_CALLS		10

/* Where in the program: entry of its own, vector tables (see el2.S: take, host_vectors, vectors) */
#define EL2_TAKE		0
#define EL2_HOST_VECTORS	0x800
#define EL2_GUEST_VECTORS	0x1000
#define EL2_VECTORS_SIZE	0x800

/* ---- exit codes beyond entry_offsets.h ---- */
#define EXIT_CODE_EL2		5	/* an exception in el2.S itself */

/* ---- struct nvhe_cpu: one per pCPU, SP_EL2 points to it ---- */

/* what EL2 is to run with; read with its MMU off */
#define CPU_TTBR0		0
#define CPU_TCR			8
#define CPU_MAIR		16
#define CPU_SCTLR		24
#define CPU_HOST_VECTORS	32
#define CPU_GUEST_VECTORS	40
#define CPU_OPERAND		48	/* of their step */
#define CPU_FLAGS		56
#define CPU_LR_COUNT		64
#define CPU_APR_COUNT		72	/* of each group */
/* the stub's */
#define CPU_STUB_VBAR		80
#define CPU_STUB_SCTLR		88
#define CPU_STUB_TCR		96
#define CPU_STUB_MAIR		104
#define CPU_STUB_TTBR0		112
#define CPU_STUB_SP		120
/* while a guest runs */
#define CPU_VCPU		128	/* 0: none */
#define CPU_REGS		136	/* its struct arm64_regs */
#define CPU_SCRATCH		144	/* four */
#define CPU_X(n)		(176 + ((n) - 18) * 8)	/* x18 ... x30 of the host, and SP_EL0 */
#define CPU_SP_EL0		280
#define CPU_ELR			288
#define CPU_SPSR		296
#define CPU_HCR			304
#define CPU_VTTBR		312
#define CPU_VTCR		320
#define CPU_CPTR		328
#define CPU_MDCR		336
#define CPU_CNTHCTL		344
#define CPU_VPIDR		352
#define CPU_VMPIDR		360
#define CPU_HCRX		368
/* the last EXIT_CODE_EL2 */
#define CPU_FAULT_ESR		376
#define CPU_FAULT_ELR		384
#define CPU_FAULT_FAR		392
#define CPU_SYS			400	/* EL1 registers of the host, by enum arm64_sysreg */
#define CPU_FINE_TRAPS		576	/* five */
#define CPU_SIZE		616

#define CPU_FLAG_HCX		0	/* bit: HCRX_EL2 exists */
#define CPU_FLAG_WALK		1	/* bit: ask stage 1 at each abort (erratum 834220) */
#define CPU_FLAG_HCR_DSB	2	/* bit: barriers around writes of HCR_EL2 (AC04_CPU_23) */
#define CPU_FLAG_TLBI_TWICE	3	/* bit: broadcast TLBI, and DSB, twice (1286807 …) */
#define CPU_FLAG_FGT		4	/* bit: HFGRTR_EL2 and the like exist */
#define CPU_FLAG_RAS		5	/* bit: VDISR_EL2 exists */

/* ---- struct arm64_nvhe: one per vCPU ---- */
#define NVHE_REGS		0	/* addresses of qvm_vcpu_arch.regs, .sys */
#define NVHE_SYS		8
#define NVHE_HCR		16
#define NVHE_CPTR		24
#define NVHE_MDCR		32	/* without HPMN */
#define NVHE_VTTBR		40
#define NVHE_VTCR		48
#define NVHE_VPIDR		56
#define NVHE_VMPIDR		64
#define NVHE_ESR		72
#define NVHE_FAR		80
#define NVHE_HPFAR		88
#define NVHE_ICH_HCR		96
#define NVHE_ICH_VMCR		104
#define NVHE_LR_USED		112
#define NVHE_LR			120	/* sixteen */
#define NVHE_AP0R		248	/* four */
#define NVHE_AP1R		280
#define NVHE_SIZE		312

/* EL1 registers by enum arm64_sysreg; el2.S has them in this order, too */
#define SYS_OFFSET_TCR		32
#define SYS_OFFSET_COUNT	22

#endif /* QVM_ARM64_NVHE_EL2_H */
