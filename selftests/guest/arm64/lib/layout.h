/* SPDX-License-Identifier: GPL-2.0-only */
/* What assembly and C of the guests have to agree on. */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define CPU_MAX		64
#define STACK_SIZE	0x4000
#define FRAME_SIZE	(34 * 8)	/* struct frame */

#endif /* GUEST_LAYOUT_H */
