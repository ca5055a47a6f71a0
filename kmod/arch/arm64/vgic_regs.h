/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets and bits of the frames of distributor and redistributor (IHI 0069, 12.9 and 12.11). */
#ifndef QVM_ARM64_VGIC_REGS_H
#define QVM_ARM64_VGIC_REGS_H

#include <linux/bits.h>

#define GICD_CTLR		0x0000
#define GICD_TYPER		0x0004
#define GICD_IIDR		0x0008
#define GICD_TYPER2		0x000c
#define GICD_STATUSR		0x0010
#define GICD_SETSPI_NSR		0x0040
#define GICD_CLRSPI_NSR		0x0048
#define GICD_SETSPI_SR		0x0050
#define GICD_CLRSPI_SR		0x0058
#define GICD_IGROUPR		0x0080
#define GICD_ISENABLER		0x0100
#define GICD_ICENABLER		0x0180
#define GICD_ISPENDR		0x0200
#define GICD_ICPENDR		0x0280
#define GICD_ISACTIVER		0x0300
#define GICD_ICACTIVER		0x0380
#define GICD_IPRIORITYR		0x0400
#define GICD_ITARGETSR		0x0800
#define GICD_ICFGR		0x0c00
#define GICD_IGRPMODR		0x0d00
#define GICD_NSACR		0x0e00
#define GICD_SGIR		0x0f00
#define GICD_CPENDSGIR		0x0f10
#define GICD_SPENDSGIR		0x0f20
#define GICD_IROUTER		0x6000
#define GICD_IDREGS		0xffd0

#define GICD_CTLR_ARE		BIT(4)
#define GICD_CTLR_DS		BIT(6)
#define GICD_TYPER_A3V		BIT(24)
#define GICD_TYPER_IDBITS(n)	(((n) - 1) << 19)

#define GICR_CTLR		0x0000
#define GICR_IIDR		0x0004
#define GICR_TYPER		0x0008
#define GICR_STATUSR		0x0010
#define GICR_WAKER		0x0014
#define GICR_SETLPIR		0x0040
#define GICR_CLRLPIR		0x0048
#define GICR_PROPBASER		0x0070
#define GICR_PENDBASER		0x0078
#define GICR_INVLPIR		0x00a0
#define GICR_INVALLR		0x00b0
#define GICR_SYNCR		0x00c0
#define GICR_IDREGS		0xffd0
#define GICR_SGI		0x10000		/* the second frame */
#define GICR_IGROUPR0		(GICR_SGI + 0x0080)
#define GICR_ISENABLER0		(GICR_SGI + 0x0100)
#define GICR_ICENABLER0		(GICR_SGI + 0x0180)
#define GICR_ISPENDR0		(GICR_SGI + 0x0200)
#define GICR_ICPENDR0		(GICR_SGI + 0x0280)
#define GICR_ISACTIVER0		(GICR_SGI + 0x0300)
#define GICR_ICACTIVER0		(GICR_SGI + 0x0380)
#define GICR_IPRIORITYR		(GICR_SGI + 0x0400)
#define GICR_ICFGR		(GICR_SGI + 0x0c00)
#define GICR_IGRPMODR0		(GICR_SGI + 0x0d00)
#define GICR_NSACR		(GICR_SGI + 0x0e00)

#define GICR_TYPER_LAST		BIT_ULL(4)
#define GICR_WAKER_SLEEP	BIT(1)		/* ProcessorSleep */
#define GICR_WAKER_ASLEEP	BIT(2)		/* ChildrenAsleep */

/* ProductID 'Q', an Arm design (JEP106 4, 0x3b): what the identification registers say, too. */
#define GIC_IIDR		0x5100043bU
#define GICR_FRAME_SIZE		0x20000ULL
#define GICD_SIZE		0x10000ULL
#define IROUTER_AFF_ANY		(GENMASK_ULL(23, 0) | BIT_ULL(31))
#define IROUTER_AFF3		GENMASK_ULL(39, 32)

#endif /* QVM_ARM64_VGIC_REGS_H */
