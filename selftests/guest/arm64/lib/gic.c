// SPDX-License-Identifier: GPL-2.0-only
#include "gic.h"

u64 gic_bank(unsigned int cpu, unsigned int intid)
{
	return intid < 32 ? GICR_SGI(cpu) : GICD;
}

bool gic_bit(unsigned int cpu, unsigned int intid, unsigned int reg)
{
	return read32(gic_bank(cpu, intid) + reg + intid / 32 * 4) >> intid % 32 & 1;
}

void gic_set_bit(unsigned int cpu, unsigned int intid, unsigned int reg)
{
	write32(gic_bank(cpu, intid) + reg + intid / 32 * 4, BIT(intid % 32));
}

void gic_set_priority(unsigned int cpu, unsigned int intid, u8 priority)
{
	write8(gic_bank(cpu, intid) + GIC_IPRIORITYR + intid, priority);
}

static void update32(u64 addr, u32 clear, u32 set)
{
	write32(addr, (read32(addr) & ~clear) | set);
}

void gic_set_edge(unsigned int intid, bool edge)
{
	update32(gic_bank(0, intid) + GIC_ICFGR + intid / 16 * 4, 2u << intid % 16 * 2,
		 edge ? 2u << intid % 16 * 2 : 0);
}

void gic_set_group(unsigned int cpu, unsigned int intid, unsigned int group)
{
	update32(gic_bank(cpu, intid) + GIC_IGROUPR + intid / 32 * 4, BIT(intid % 32),
		 group ? BIT(intid % 32) : 0);
}

void gic_route(unsigned int intid, u64 route)
{
	write64(GICD + GICD_IROUTER + 8 * intid, route);
}

void gic_enable(unsigned int cpu, unsigned int intid)
{
	gic_set_bit(cpu, intid, GIC_ISENABLER);
}

void gic_disable(unsigned int cpu, unsigned int intid)
{
	gic_set_bit(cpu, intid, GIC_ICENABLER);
}

void gic_pend(unsigned int cpu, unsigned int intid)
{
	gic_set_bit(cpu, intid, GIC_ISPENDR);
}

void gic_unpend(unsigned int cpu, unsigned int intid)
{
	gic_set_bit(cpu, intid, GIC_ICPENDR);
}

bool gic_is_pending(unsigned int cpu, unsigned int intid)
{
	return gic_bit(cpu, intid, GIC_ISPENDR);
}

bool gic_is_active(unsigned int cpu, unsigned int intid)
{
	return gic_bit(cpu, intid, GIC_ISACTIVER);
}

void gic_spi_setup(unsigned int intid, u8 priority)
{
	gic_spi_fini(intid);
	gic_set_group(0, intid, 1);
	gic_set_edge(intid, true);
	gic_set_priority(0, intid, priority);
	gic_route_cpu(intid, 0);
	gic_enable(0, intid);
}

void gic_spi_fini(unsigned int intid)
{
	gic_disable(0, intid);
	gic_unpend(0, intid);
	gic_set_bit(0, intid, GIC_ICACTIVER);
}

void gic_cpu_init(void)
{
	unsigned int cpu = cpu_index();

	update32(GICR(cpu) + GICR_WAKER, BIT(1), 0);
	wait_for(!(read32(GICR(cpu) + GICR_WAKER) & BIT(2)), SECOND);
	write32(GICR_SGI(cpu) + GIC_IGROUPR, ~0u);
	for (unsigned int i = 0; i < 32; i += 4)
		write32(GICR_SGI(cpu) + GIC_IPRIORITYR + i, 0xa0a0a0a0);
	write32(GICR_SGI(cpu) + GIC_ISENABLER, 0xffff);
	icc_write(1, icc_sre);
	icc_write(0xff, icc_pmr);
	icc_write(0, icc_bpr1);
	icc_write(0, icc_ctlr);
	icc_write(1, icc_igrpen1);
}

void gic_init(void)
{
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	wait_for(!(read32(GICD + GICD_CTLR) & GICD_CTLR_RWP), SECOND);
	gic_cpu_init();
}

void gic_sgi_value(u64 value)
{
	dsb();
	icc_write(value, icc_sgi1r);
}

void gic_sgi(unsigned int cpu, unsigned int intid)
{
	gic_sgi_value((u64)(cpu / 16) << 16 | (u64)intid << 24 | BIT(cpu % 16));
}

unsigned int gic_ack_wait(void)
{
	unsigned int intid;

	wait_for((intid = gic_ack()) != INTID_NONE, SECOND);
	return intid;
}

bool gic_is_quiet(void)
{
	unsigned int intid;

	if (!wait_for((intid = gic_ack()) != INTID_NONE, 5000))
		return true;
	/* what comes next is not to find it active */
	print("# INTID %u came\n", intid);
	gic_eoi(intid);
	if (icc_read(icc_ctlr) & ICC_CTLR_EOIMODE)
		gic_dir(intid);
	return false;
}

void gic_set_eoimode(unsigned int mode)
{
	icc_write(mode ? ICC_CTLR_EOIMODE : 0, icc_ctlr);
}
