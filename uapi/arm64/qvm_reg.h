/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * qvm, arm64: register ids of QVM_VCPU_GET_REG and QVM_VCPU_SET_REG.
 *
 * System registers are named by their encoding: any register that a guest can keep state in,
 * for instance SCTLR_EL1 = QVM_REG_SYS(3, 0, 1, 0, 0).
 */
#ifndef _UAPI_ARM64_QVM_REG_H
#define _UAPI_ARM64_QVM_REG_H

#define QVM_REG_CORE		0x1000000000000ULL
#define QVM_REG_FP		0x2000000000000ULL
#define QVM_REG_SYSTEM		0x3000000000000ULL
#define QVM_REG_TIMER		0x4000000000000ULL

#define QVM_REG_X(n)		(QVM_REG_CORE | (n))	/* n: 0 … 30 */
#define QVM_REG_SP_EL0		(QVM_REG_CORE | 31)
#define QVM_REG_PC		(QVM_REG_CORE | 32)
#define QVM_REG_PSTATE		(QVM_REG_CORE | 33)	/* as in SPSR_EL2 */

#define QVM_REG_Q(n)		(QVM_REG_FP | (n))	/* n: 0 … 31; 128 bits */
#define QVM_REG_FPSR		(QVM_REG_FP | 32)
#define QVM_REG_FPCR		(QVM_REG_FP | 33)

#define QVM_REG_SYS(op0, op1, crn, crm, op2)				\
	(QVM_REG_SYSTEM | ((__u64)(op0) << 14) | ((__u64)(op1) << 11) |	\
	 ((__u64)(crn) << 7) | ((__u64)(crm) << 3) | (op2))

/* The virtual counter: host counter minus this. Fixed once the VM runs. */
#define QVM_REG_CNTVOFF		(QVM_REG_TIMER | 0)

#endif /* _UAPI_ARM64_QVM_REG_H */
