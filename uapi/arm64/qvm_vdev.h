/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* qvm, arm64: in-kernel vdev types and the meaning of qvm_create_vdev.param[]. */
#ifndef _UAPI_ARM64_QVM_VDEV_H
#define _UAPI_ARM64_QVM_VDEV_H

/*
 * GICv3: distributor and redistributors. Once per VM. Redistributor n (128 KiB) is at
 * GICR + n * 0x20000, for each n below max_vcpus.
 */
#define QVM_VDEV_ARM64_GICV3		1
/* param: gpa of the distributor, 64 KiB aligned, 64 KiB long */
#define QVM_GICV3_GICD			0
/* param: gpa of redistributor 0, 64 KiB aligned */
#define QVM_GICV3_GICR			1
/* param: highest INTID + 1: 64 … 1020, multiple of 32; 1020 allowed */
#define QVM_GICV3_LINES			2

/*
 * The generic timer's interrupt lines (PPIs). Needs a GICv3. Once per VM; without it the
 * timers count but raise no interrupt.
 */
#define QVM_VDEV_ARM64_TIMER		2
/* param: INTID of the EL1 virtual timer: 16 … 31, usually 27 */
#define QVM_TIMER_VIRT			0
/* param: INTID of the EL1 physical timer: 16 … 31, usually 30 */
#define QVM_TIMER_PHYS			1

#endif /* _UAPI_ARM64_QVM_VDEV_H */
