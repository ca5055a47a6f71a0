/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* qvm, x86: register ids of QVM_VCPU_GET_REG and QVM_VCPU_SET_REG. */
#ifndef _UAPI_X86_QVM_REG_H
#define _UAPI_X86_QVM_REG_H

#define QVM_REG_CORE		0x1000000000000ULL
#define QVM_REG_FP		0x2000000000000ULL
#define QVM_REG_SYSTEM		0x3000000000000ULL
#define QVM_REG_SEGMENT		0x4000000000000ULL
#define QVM_REG_MSR		0x5000000000000ULL

/* As instructions number them: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, 5 RBP, 6 RSI, 7 RDI, 8 … 15 */
#define QVM_REG_GPR(n)		(QVM_REG_CORE | (n))
/* SET_REG of it ends a HLT, too, which else nothing but the board does: not the thread's return. */
#define QVM_REG_RIP		(QVM_REG_CORE | 16)
#define QVM_REG_RFLAGS		(QVM_REG_CORE | 17)

#define QVM_REG_XMM(n)		(QVM_REG_FP | (n))	/* n: 0 … 15; 128 bits */
#define QVM_REG_MXCSR		(QVM_REG_FP | 32)
#define QVM_REG_FCW		(QVM_REG_FP | 33)

#define QVM_REG_CR(n)		(QVM_REG_SYSTEM | (n))	/* n: 0, 2, 3, 4, 8 */
#define QVM_REG_DR(n)		(QVM_REG_SYSTEM | 32 | (n)) /* n: 0 … 3, 6, 7 */
#define QVM_REG_XCR0		(QVM_REG_SYSTEM | 64)
#define QVM_REG_TSC_OFFSET	(QVM_REG_SYSTEM | 65)	/* guest TSC = host TSC + this */

/*
 * Segments: 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS, 6 LDTR, 7 TR. value[0]: base; value[1]: selector
 * (bits 15:0), access rights as in the VMCS (bits 31:16; QVM_SEG_UNUSABLE is one of their reserved
 * bits), limit in bytes (bits 63:32).
 */
#define QVM_REG_SEG(n)		(QVM_REG_SEGMENT | (n))
#define QVM_SEG_ATTR(selector, rights, limit) \
	((__u64)(limit) << 32 | (__u64)(rights) << 16 | (selector))
#define QVM_SEG_UNUSABLE	0x0100		/* in rights */
/* value[0]: base; value[1]: limit */
#define QVM_REG_GDTR		(QVM_REG_SEGMENT | 8)
#define QVM_REG_IDTR		(QVM_REG_SEGMENT | 9)

/* An MSR that the guest has, by its number: EFER 0xc0000080, … */
#define QVM_REG_MSR_ID(index)	(QVM_REG_MSR | (index))

#endif /* _UAPI_X86_QVM_REG_H */
