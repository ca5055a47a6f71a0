/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: what the tested files name. */
#ifndef FAKE_ASM_MSR_INDEX_H
#define FAKE_ASM_MSR_INDEX_H

#define EFER_SCE		(1 << 0)
#define EFER_LME		(1 << 8)
#define EFER_LMA		(1 << 10)
#define EFER_NX			(1 << 11)

#endif
