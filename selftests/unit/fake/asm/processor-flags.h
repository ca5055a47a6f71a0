/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: what the tested files name. */
#ifndef FAKE_ASM_PROCESSOR_FLAGS_H
#define FAKE_ASM_PROCESSOR_FLAGS_H

#define X86_EFLAGS_ZF		(1UL << 6)
#define X86_EFLAGS_TF		(1UL << 8)
#define X86_EFLAGS_IF		(1UL << 9)
#define X86_EFLAGS_DF		(1UL << 10)
#define X86_EFLAGS_RF		(1UL << 16)
#define X86_EFLAGS_VM		(1UL << 17)
#define X86_EFLAGS_AC		(1UL << 18)

#define X86_CR0_PE		(1UL << 0)
#define X86_CR0_WP		(1UL << 16)
#define X86_CR0_NW		(1UL << 29)
#define X86_CR0_CD		(1UL << 30)
#define X86_CR0_PG		(1UL << 31)

#define X86_CR4_PSE		(1UL << 4)
#define X86_CR4_PAE		(1UL << 5)
#define X86_CR4_LA57		(1UL << 12)
#define X86_CR4_PCIDE		(1UL << 17)
#define X86_CR4_SMEP		(1UL << 20)
#define X86_CR4_SMAP		(1UL << 21)

#endif
