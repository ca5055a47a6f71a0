/* SPDX-License-Identifier: GPL-2.0-only */
/* What assembly and C of the guests have to agree on. */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define CPU_MAX		64
#define STACK_SIZE	0x4000
#define TRAMPOLINE	0x8000		/* where a SIPI sends a CPU */
#define FIRST_PAGE	0x9000		/* free below it for code in real mode, from 0x1000 on */

/* Selectors. */
#define CODE64		0x08
#define DATA		0x10
#define CODE32		0x18
#define USER_DATA	0x20		/* | 3 */
#define USER_CODE64	0x28		/* | 3 */
#define CODE16		0x30
#define DATA16		0x38
#define USER_CODE32	0x40		/* | 3 */
#define TSS_FIRST	0x50		/* 16 bytes a CPU */
#define GDT_SIZE	(TSS_FIRST + 16 * CPU_MAX)

/* struct cpu, at GS */
#define CPU_INDEX	0
#define CPU_FIXUP	8
#define CPU_KERNEL_RSP	16

#define VECTOR_USER_END	0x81		/* INT of user mode: back to who called user_call() */

#endif /* GUEST_LAYOUT_H */
