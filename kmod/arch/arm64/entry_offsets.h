/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets into struct arm64_regs for entry.S; switch.c asserts them. */
#ifndef QVM_ARM64_ENTRY_OFFSETS_H
#define QVM_ARM64_ENTRY_OFFSETS_H

#define REGS_X(n)	((n) * 8)
#define REGS_SP_EL0	248
#define REGS_PC		256
#define REGS_PSTATE	264

/* enum arm64_exit */
#define EXIT_CODE_SYNC		0
#define EXIT_CODE_IRQ		1
#define EXIT_CODE_SERROR	2
#define EXIT_CODE_AARCH32	3

#endif /* QVM_ARM64_ENTRY_OFFSETS_H */
