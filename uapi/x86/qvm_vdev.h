/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * qvm, x86: in-kernel vdev types and the meaning of qvm_create_vdev.param[].
 *
 * Each vCPU has a local APIC (base 0xfee00000 at reset, id = vCPU index); the rest of the board
 * is made of these. QVM_VM_SET_IRQ: @line is a GSI: pin GSI - GSI_BASE of the I/O APIC that has
 * it and, below 16, input GSI of the 8259 pair, where these exist.
 */
#ifndef _UAPI_X86_QVM_VDEV_H
#define _UAPI_X86_QVM_VDEV_H

/* I/O APIC, 24 pins. Once per VM. */
#define QVM_VDEV_X86_IOAPIC		1
#define QVM_IOAPIC_BASE			0	/* param: gpa, 4 KiB aligned, 4 KiB long */
#define QVM_IOAPIC_ID			1	/* param: APIC id, 0 … 15 */
#define QVM_IOAPIC_GSI_BASE		2	/* param: 0 */

/*
 * A pair of 8259A at their two ports each, the slave on the master's input 2. Once per VM. They begin as
 * a PC's firmware leaves them, vectors 08h and 70h, with all inputs open; vCPU 0 has them at LINT0.
 */
#define QVM_VDEV_X86_PIC		2
#define QVM_PIC_MASTER			0	/* param: port, usually 0x20 */
#define QVM_PIC_SLAVE			1	/* param: port, usually 0xa0 */
#define QVM_PIC_ELCR			2	/* param: port, usually 0x4d0; 0: none */

/* 8254 timer, four ports, and the port that gates its channel 2. Once per VM. */
#define QVM_VDEV_X86_PIT		3
#define QVM_PIT_BASE			0	/* param: port, usually 0x40 */
#define QVM_PIT_CONTROL			1	/* param: port, usually 0x61; 0: none */
#define QVM_PIT_PIC_LINE		2	/* param: input of the 8259, usually 0 */
#define QVM_PIT_IOAPIC_LINE		3	/* param: pin of the I/O APIC, usually 2 */

#endif /* _UAPI_X86_QVM_VDEV_H */
