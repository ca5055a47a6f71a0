/* SPDX-License-Identifier: GPL-2.0-only */
/* GICv3 (IHI 0069): affinity routing, one security state. */
#ifndef GUEST_GIC_H
#define GUEST_GIC_H

#include "guest.h"

#define GICD			0x2f000000ULL
#define GICR(cpu)		(0x2f100000ULL + (cpu) * 0x20000ULL)
#define GICR_SGI(cpu)		(GICR(cpu) + 0x10000)

#define GICD_CTLR		0x0000
#define GICD_TYPER		0x0004
#define GICD_IIDR		0x0008
#define GICD_PIDR2		0xffe8
/* of the distributor, and of a redistributor's second frame */
#define GIC_IGROUPR		0x0080
#define GIC_ISENABLER		0x0100
#define GIC_ICENABLER		0x0180
#define GIC_ISPENDR		0x0200
#define GIC_ICPENDR		0x0280
#define GIC_ISACTIVER		0x0300
#define GIC_ICACTIVER		0x0380
#define GIC_IPRIORITYR		0x0400
#define GIC_ICFGR		0x0c00
#define GICD_IROUTER		0x6000
#define GICR_IIDR		0x0004
#define GICR_TYPER		0x0008
#define GICR_WAKER		0x0014

#define GICD_CTLR_GRP0		BIT(0)
#define GICD_CTLR_GRP1		BIT(1)
#define GICD_CTLR_ARE		BIT(4)
#define GICD_CTLR_DS		BIT(6)
#define GICD_CTLR_RWP		BIT(31)
#define GICR_TYPER_LAST		BIT(4)
#define IROUTER_ANY		BIT(31)
#define SGI_ALL_BUT_SELF	BIT(40)

#define icc_pmr		S3_0_C4_C6_0
#define icc_iar0	S3_0_C12_C8_0
#define icc_eoir0	S3_0_C12_C8_1
#define icc_hppir0	S3_0_C12_C8_2
#define icc_bpr0	S3_0_C12_C8_3
#define icc_ap1r0	S3_0_C12_C9_0
#define icc_dir		S3_0_C12_C11_1
#define icc_rpr		S3_0_C12_C11_3
#define icc_sgi1r	S3_0_C12_C11_5
#define icc_sgi0r	S3_0_C12_C11_7
#define icc_iar1	S3_0_C12_C12_0
#define icc_eoir1	S3_0_C12_C12_1
#define icc_hppir1	S3_0_C12_C12_2
#define icc_bpr1	S3_0_C12_C12_3
#define icc_ctlr	S3_0_C12_C12_4
#define icc_sre		S3_0_C12_C12_5
#define icc_igrpen0	S3_0_C12_C12_6
#define icc_igrpen1	S3_0_C12_C12_7
#define icc_read(reg)		read_sysreg(reg)
#define icc_write(value, reg)	do { write_sysreg(value, reg); isb(); } while (0)

#define ICC_CTLR_EOIMODE	BIT(1)
#define ICC_CTLR_RSS		BIT(18)		/* Aff0 of 16 and more in SGIs */
#define INTID_NONE		1023
#define SPI			64	/* a shared interrupt that no device of the board has */

void gic_init(void);		/* distributor, and gic_cpu_init() */
/* This CPU: awake, group 1 on, all priorities pass, private interrupts group 1 at priority 0xa0. */
void gic_cpu_init(void);

/* One interrupt's registers; private ones are those of @cpu. */
u64 gic_bank(unsigned int cpu, unsigned int intid);
bool gic_bit(unsigned int cpu, unsigned int intid, unsigned int reg);
void gic_set_bit(unsigned int cpu, unsigned int intid, unsigned int reg);
void gic_set_priority(unsigned int cpu, unsigned int intid, u8 priority);
void gic_set_edge(unsigned int intid, bool edge);
void gic_set_group(unsigned int cpu, unsigned int intid, unsigned int group);
void gic_route(unsigned int intid, u64 route);
static inline void gic_route_cpu(unsigned int intid, unsigned int cpu)
{
	gic_route(intid, cpu_affinity(cpu));
}

/* Enabled, edge, routed to CPU 0, not pending, not active. */
void gic_spi_setup(unsigned int intid, u8 priority);
void gic_spi_fini(unsigned int intid);
void gic_enable(unsigned int cpu, unsigned int intid);
void gic_disable(unsigned int cpu, unsigned int intid);
void gic_pend(unsigned int cpu, unsigned int intid);
void gic_unpend(unsigned int cpu, unsigned int intid);
bool gic_is_pending(unsigned int cpu, unsigned int intid);
bool gic_is_active(unsigned int cpu, unsigned int intid);

void gic_sgi(unsigned int cpu, unsigned int intid);
void gic_sgi_value(u64 value);

/* The CPU interface. */
static inline unsigned int gic_ack(void)
{
	unsigned int intid = icc_read(icc_iar1) & 0xffffff;

	dsb();
	return intid;
}

/* What comes within a second. For use with interrupts masked. */
unsigned int gic_ack_wait(void);
/* Nothing comes in five milliseconds. */
bool gic_is_quiet(void);

static inline void gic_eoi(unsigned int intid)
{
	icc_write(intid, icc_eoir1);
}

static inline void gic_dir(unsigned int intid)
{
	icc_write(intid, icc_dir);
}

void gic_set_eoimode(unsigned int mode);

#endif /* GUEST_GIC_H */
