/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets into struct x86_regs for entry.S; switch.c asserts them. */
#ifndef QVM_X86_VMX_ENTRY_OFFSETS_H
#define QVM_X86_VMX_ENTRY_OFFSETS_H

#define REGS_GPR(n)	((n) * 8)
#define REGS_HOST_RSP	136
#define REGS_SPEC_CTRL	144

#endif /* QVM_X86_VMX_ENTRY_OFFSETS_H */
