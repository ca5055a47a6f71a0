// SPDX-License-Identifier: GPL-2.0-only
/*
 * The GIC as CPU 0 sees it (IHI 0069): registers, priorities, states. Interrupts stay masked and are
 * polled by acknowledging them, but where a test says so. Other CPUs: see ipi.c.
 */
#include "gic.h"

#define PRIO_BITS	0xf8	/* five bits, the fewest that there may be: tests use no more */
#define MANY		40	/* more than any GIC has list registers */

#define TYPER_NO1N	BIT(25)

/* ---- registers ---- */

static void test_identification(void)
{
	u32 typer = read32(GICD + GICD_TYPER), ctlr = read32(GICD + GICD_CTLR);

	check_eq(read32(GICD + GICD_PIDR2) >> 4 & 15, 3);
	check_eq(read32(GICR(0) + GICD_PIDR2) >> 4 & 15, 3);
	check(read32(GICD + GICD_IIDR) != 0);
	check((typer & 31) >= 1);
	check((typer >> 19 & 31) >= 9);		/* IDbits */
	check_eq(typer >> 17 & 1, 0);		/* no LPIs */
	check_eq(ctlr & (GICD_CTLR_ARE | GICD_CTLR_DS), GICD_CTLR_ARE | GICD_CTLR_DS);
	/* these can't be cleared */
	write32(GICD + GICD_CTLR, GICD_CTLR_GRP1);
	check_eq(read32(GICD + GICD_CTLR), GICD_CTLR_ARE | GICD_CTLR_DS | GICD_CTLR_GRP1);
}

static void test_redistributors(void)
{
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		u64 typer = read64(GICR(cpu) + GICR_TYPER);

		check_eq(typer >> 32, cpu_affinity(cpu));
		check_eq(typer >> 8 & 0xffff, cpu);
		check_eq(typer >> 4 & 1, cpu == cpu_count() - 1);
		check_eq(typer & 1, 0);		/* no LPIs */
		check_eq(read32(GICR(cpu) + GICR_TYPER), (u32)typer);
		check_eq(read32(GICR(cpu) + GICR_TYPER + 4), typer >> 32);
	}
	check_eq(read32(GICR(0) + GICR_WAKER) & 6, 0);
}

static unsigned int spi_end(void)
{
	unsigned int end = ((read32(GICD + GICD_TYPER) & 31) + 1) * 32;

	return end > 1020 ? 1020 : end;
}

static void test_enable_bits(void)
{
	for (unsigned int intid = 32; intid < spi_end(); intid += 37) {
		gic_enable(0, intid);
		check(gic_bit(0, intid, GIC_ISENABLER) && gic_bit(0, intid, GIC_ICENABLER));
		gic_set_bit(0, intid ^ 1, GIC_ICENABLER);
		check(gic_bit(0, intid, GIC_ISENABLER));
		gic_disable(0, intid);
		check(!gic_bit(0, intid, GIC_ISENABLER) && !gic_bit(0, intid, GIC_ICENABLER));
	}
	/* zeros change nothing */
	gic_enable(0, SPI);
	write32(GICD + GIC_ISENABLER + SPI / 8, 0);
	write32(GICD + GIC_ICENABLER + SPI / 8, 0);
	check(gic_bit(0, SPI, GIC_ISENABLER));
	gic_disable(0, SPI);
}

static void test_priority_bytes_and_words(void)
{
	u64 addr = GICD + GIC_IPRIORITYR + SPI;

	write32(addr, 0x40608020);
	check_eq(read32(addr), 0x40608020);
	check_eq(read8(addr), 0x20);
	check_eq(read8(addr + 3), 0x40);
	write8(addr + 1, 0xc8);
	check_eq(read32(addr), 0x4060c820);
	write8(addr, 0xff);
	check_eq(read8(addr) & PRIO_BITS, PRIO_BITS);
	write32(addr, 0);
	check_eq(read32(addr), 0);
	/* a private one, of another CPU than this, too */
	gic_set_priority(0, 20, 0x58);
	check_eq(read8(GICR_SGI(0) + GIC_IPRIORITYR + 20), 0x58);
	gic_set_priority(0, 20, 0xa0);
}

static void test_config_bits(void)
{
	u64 addr = GICD + GIC_ICFGR + SPI / 4;

	write32(addr, 0xaaaaaaaa);
	check_eq(read32(addr), 0xaaaaaaaa);
	write32(addr, 0x00aa0008);
	check_eq(read32(addr), 0x00aa0008);
	write32(addr, 0);
	check_eq(read32(addr), 0);
	/* SGIs are edges for good */
	check_eq(read32(GICR_SGI(0) + GIC_ICFGR), 0xaaaaaaaa);
	write32(GICR_SGI(0) + GIC_ICFGR, 0);
	check_eq(read32(GICR_SGI(0) + GIC_ICFGR), 0xaaaaaaaa);
}

static void test_routes(void)
{
	u64 addr = GICD + GICD_IROUTER + 8 * SPI;

	write64(addr, 1);
	check_eq(read64(addr), 1);
	write64(addr, IROUTER_ANY);
	check_eq(read64(addr) & IROUTER_ANY, read32(GICD + GICD_TYPER) & TYPER_NO1N ? 0 : IROUTER_ANY);
	write64(addr, 0x020103);
	check_eq(read64(addr), 0x020103);
	write32(addr, 5);
	check_eq(read32(addr), 5);
	write32(addr + 4, 0);
	check_eq(read32(addr + 4), 0);
	check_eq(read64(addr), 5);
	write64(addr, 0);
}

static void test_groups(void)
{
	gic_set_group(0, SPI, 1);
	check(gic_bit(0, SPI, GIC_IGROUPR));
	gic_set_group(0, SPI, 0);
	check(!gic_bit(0, SPI, GIC_IGROUPR));
	gic_set_group(0, SPI, 1);
}

/* With affinity routing the private interrupts' part of the distributor is RES0 (IHI 0069, 12.9). */
static void test_no_private_ones_in_the_distributor(void)
{
	static const u16 regs[] = {
		GIC_IGROUPR, GIC_ISENABLER, GIC_ICENABLER, GIC_ISPENDR, GIC_ICPENDR, GIC_ISACTIVER,
		GIC_ICACTIVER, GIC_IPRIORITYR, GIC_IPRIORITYR + 28, GIC_ICFGR, GIC_ICFGR + 4,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		write32(GICD + regs[i], 0xf0f0f0f0);
		if (!check_eq(read32(GICD + regs[i]), 0))
			print("# offset 0x%x\n", regs[i]);
	}
	check(gic_is_quiet());
}

static void test_reserved_read_as_zero(void)
{
	static const u16 regs[] = { 0x0020, 0x0800, 0x083c, 0x0d00, 0x0e00, 0x0f00, 0x0f10, 0x5000, 0xc000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		write32(GICD + regs[i], ~0u);
		if (!check_eq(read32(GICD + regs[i]), 0))
			print("# offset 0x%x\n", regs[i]);
	}
	if (spi_end() < 992) {
		gic_enable(0, 992);
		check_eq(read32(GICD + GIC_ISENABLER + 992 / 8), 0);
		gic_pend(0, 992);
		check(gic_is_quiet());
	}
}

static void test_cpu_interface_registers(void)
{
	check_eq(icc_read(icc_sre) & 1, 1);
	icc_write(0, icc_sre);
	check_eq(icc_read(icc_sre) & 1, 1);
	for (unsigned int pmr = 0; pmr < 0x100; pmr += 8) {
		icc_write(pmr, icc_pmr);
		check_eq(icc_read(icc_pmr), pmr);
	}
	icc_write(0xff, icc_pmr);
	check_eq(icc_read(icc_pmr) & PRIO_BITS, PRIO_BITS);
	check_eq(icc_read(icc_rpr), 0xff);
	check_eq(icc_read(icc_hppir1), INTID_NONE);
	check_eq(icc_read(icc_iar1), INTID_NONE);
	check((icc_read(icc_ctlr) >> 8 & 7) >= 4);	/* PRIbits: five at least */
	for (unsigned int bpr = 4; bpr < 8; bpr++) {
		icc_write(bpr, icc_bpr1);
		check_eq(icc_read(icc_bpr1), bpr);
	}
	icc_write(0, icc_bpr1);
	check(icc_read(icc_bpr1) >= 1 && icc_read(icc_bpr1) <= 3);	/* its least is 1 */
	icc_write(0, icc_igrpen1);
	check_eq(icc_read(icc_igrpen1), 0);
	icc_write(1, icc_igrpen1);
	check_eq(icc_read(icc_igrpen1), 1);
}

/* ---- one interrupt ---- */

static void test_spi(void)
{
	gic_spi_setup(SPI, 0x80);
	check(gic_is_quiet());
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	check_eq(icc_read(icc_rpr), 0x80);
	check(!gic_is_pending(0, SPI) && gic_is_active(0, SPI));
	gic_eoi(SPI);
	check(!gic_is_pending(0, SPI) && !gic_is_active(0, SPI));
	check_eq(icc_read(icc_rpr), 0xff);
	check(gic_is_quiet());
	gic_spi_fini(SPI);
}

static void test_every_spi(void)
{
	for (unsigned int intid = 38; intid < spi_end(); intid += 5) {
		gic_spi_setup(intid, 0x80);
		gic_pend(0, intid);
		check_eq(gic_ack_wait(), intid);
		gic_eoi(intid);
		gic_spi_fini(intid);
	}
	gic_spi_setup(spi_end() - 1, 0x80);
	gic_pend(0, spi_end() - 1);
	check_eq(gic_ack_wait(), spi_end() - 1);
	gic_eoi(spi_end() - 1);
	gic_spi_fini(spi_end() - 1);
}

static void test_every_sgi_to_oneself(void)
{
	for (unsigned int intid = 0; intid < 16; intid++) {
		gic_sgi(0, intid);
		check_eq(gic_ack_wait(), intid);
		gic_eoi(intid);
	}
	check(gic_is_quiet());
}

static void test_ppi_by_register(void)
{
	gic_enable(0, 20);
	gic_pend(0, 20);
	check_eq(gic_ack_wait(), 20);
	check(gic_is_active(0, 20));
	gic_eoi(20);
	check(!gic_is_active(0, 20));
	check(gic_is_quiet());
	gic_disable(0, 20);
}

static void test_unpend(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_pend(0, SPI);
	check(gic_is_pending(0, SPI) && gic_bit(0, SPI, GIC_ICPENDR));
	gic_unpend(0, SPI);
	check(!gic_is_pending(0, SPI));
	check(gic_is_quiet());
	gic_spi_fini(SPI);
}

static void test_disabled_while_pending(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_pend(0, SPI);
	gic_disable(0, SPI);
	check(gic_is_quiet());
	check(gic_is_pending(0, SPI));
	gic_enable(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	gic_spi_fini(SPI);
}

static void test_disabled_while_active(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_disable(0, SPI);
	check(gic_is_active(0, SPI));
	gic_pend(0, SPI);
	gic_eoi(SPI);
	check(!gic_is_active(0, SPI));
	check(gic_is_quiet());
	gic_enable(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	gic_spi_fini(SPI);
}

/* Pending again while active: kept, delivered once, after the EOI. */
static void test_edge_again_while_active(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_pend(0, SPI);
	gic_pend(0, SPI);
	check(gic_is_pending(0, SPI) && gic_is_active(0, SPI));
	check(gic_is_quiet());
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	check(gic_is_quiet());
	gic_spi_fini(SPI);
}

static void test_sgi_again_while_active(void)
{
	gic_sgi(0, 3);
	check_eq(gic_ack_wait(), 3);
	gic_sgi(0, 3);
	check(gic_is_quiet());
	gic_eoi(3);
	check_eq(gic_ack_wait(), 3);
	gic_eoi(3);
	check(gic_is_quiet());
}

/* ---- active state by register ---- */

static void test_set_active(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_set_bit(0, SPI, GIC_ISACTIVER);
	check(gic_is_active(0, SPI) && gic_bit(0, SPI, GIC_ICACTIVER));
	gic_pend(0, SPI);
	check(gic_is_quiet());
	gic_set_bit(0, SPI, GIC_ICACTIVER);
	check(!gic_is_active(0, SPI));
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	gic_spi_fini(SPI);
}

/* Deactivated by register while it is running: the priority stays up until the EOI. */
static void test_clear_active(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_set_bit(0, SPI, GIC_ICACTIVER);
	check(!gic_is_active(0, SPI));
	check_eq(icc_read(icc_rpr), 0x80);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	gic_eoi(SPI);
	check_eq(icc_read(icc_rpr), 0xff);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	check(!gic_is_active(0, SPI));
	gic_spi_fini(SPI);
}

/* ---- EOImode 1 ---- */

static void test_eoimode1(void)
{
	gic_set_eoimode(1);
	check_eq(icc_read(icc_ctlr) & ICC_CTLR_EOIMODE, ICC_CTLR_EOIMODE);
	gic_spi_setup(SPI, 0x80);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	check_eq(icc_read(icc_rpr), 0xff);
	check(gic_is_active(0, SPI));
	gic_pend(0, SPI);
	check(gic_is_quiet());
	gic_dir(SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	gic_dir(SPI);
	check(!gic_is_active(0, SPI));
	check(gic_is_quiet());
	gic_spi_fini(SPI);
	gic_set_eoimode(0);
}

/* Dropped, so another one of the same priority comes in between; ended in any order. */
static void test_eoimode1_out_of_order(void)
{
	gic_set_eoimode(1);
	for (unsigned int i = 0; i < 3; i++)
		gic_spi_setup(SPI + i, 0x80);
	for (unsigned int i = 0; i < 3; i++) {
		gic_pend(0, SPI + i);
		check_eq(gic_ack_wait(), SPI + i);
		gic_eoi(SPI + i);
	}
	gic_dir(SPI + 1);
	check(gic_is_active(0, SPI) && !gic_is_active(0, SPI + 1) && gic_is_active(0, SPI + 2));
	gic_dir(SPI);
	check(!gic_is_active(0, SPI) && !gic_is_active(0, SPI + 1) && gic_is_active(0, SPI + 2));
	gic_dir(SPI + 2);
	check(!gic_is_active(0, SPI + 2));
	for (unsigned int i = 0; i < 3; i++)
		gic_spi_fini(SPI + i);
	gic_set_eoimode(0);
}

static void test_eoimode1_many(void)
{
	gic_set_eoimode(1);
	for (unsigned int i = 0; i < MANY; i++) {
		gic_spi_setup(SPI + i, 0x80);
		gic_pend(0, SPI + i);
	}
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int intid = gic_ack_wait();

		if (!check(intid >= SPI && intid < SPI + MANY))
			break;
		gic_eoi(intid);
	}
	for (unsigned int i = 0; i < MANY; i++)
		check(gic_is_active(0, SPI + i));
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int n = i * 7 % MANY;

		gic_dir(SPI + n);
		check(!gic_is_active(0, SPI + n));
	}
	check(gic_is_quiet());
	for (unsigned int i = 0; i < MANY; i++)
		gic_spi_fini(SPI + i);
	gic_set_eoimode(0);
}

/* ---- priorities ---- */

static void test_order(void)
{
	static const u8 priority[] = { 0x90, 0x20, 0xf0, 0x40, 0x88, 0x00 };
	static const unsigned int order[] = { SPI + 5, SPI + 1, SPI + 3, SPI + 4, SPI + 0, SPI + 2 };

	for (unsigned int i = 0; i < ARRAY_SIZE(priority); i++)
		gic_spi_setup(SPI + i, priority[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(priority); i++)
		gic_pend(0, SPI + i);
	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		check(wait_for(icc_read(icc_hppir1) == order[i], SECOND));
		check_eq(gic_ack_wait(), order[i]);
		check_eq(icc_read(icc_rpr), priority[order[i] - SPI]);
		gic_eoi(order[i]);
	}
	check(gic_is_quiet());
	for (unsigned int i = 0; i < ARRAY_SIZE(priority); i++)
		gic_spi_fini(SPI + i);
}

static void test_mask(void)
{
	gic_spi_setup(SPI, 0x80);
	icc_write(0x80, icc_pmr);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	icc_write(0x40, icc_pmr);
	check(gic_is_quiet());
	icc_write(0x88, icc_pmr);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	icc_write(0, icc_pmr);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	gic_unpend(0, SPI);
	icc_write(0xff, icc_pmr);
	check(gic_is_quiet());
	gic_spi_fini(SPI);
}

static void test_preemption(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_spi_setup(SPI + 1, 0x80);
	gic_spi_setup(SPI + 2, 0x40);
	gic_spi_setup(SPI + 3, 0xc0);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_pend(0, SPI + 1);	/* the same */
	gic_pend(0, SPI + 3);	/* and lower */
	check(gic_is_quiet());
	gic_pend(0, SPI + 2);
	check_eq(gic_ack_wait(), SPI + 2);
	check_eq(icc_read(icc_rpr), 0x40);
	gic_eoi(SPI + 2);
	check_eq(icc_read(icc_rpr), 0x80);
	check(gic_is_quiet());
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	check_eq(gic_ack_wait(), SPI + 3);
	gic_eoi(SPI + 3);
	check(gic_is_quiet());
	for (unsigned int i = 0; i < 4; i++)
		gic_spi_fini(SPI + i);
}

/* Group 1's binary point n: bits below n are no reason to preempt (IHI 0069, 4.8.2). */
static void test_binary_point(void)
{
	gic_spi_setup(SPI, 0x70);
	gic_spi_setup(SPI + 1, 0x40);
	icc_write(6, icc_bpr1);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	check_eq(icc_read(icc_rpr), 0x40);	/* of its preemption group */
	gic_pend(0, SPI + 1);
	check(gic_is_quiet());
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	icc_write(5, icc_bpr1);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	check_eq(icc_read(icc_rpr), 0x60);
	gic_pend(0, SPI + 1);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	gic_eoi(SPI);
	icc_write(0, icc_bpr1);
	gic_spi_fini(SPI);
	gic_spi_fini(SPI + 1);
}

/* Changed while it is pending. */
static void test_priority_moves(void)
{
	gic_spi_setup(SPI, 0xc0);
	gic_spi_setup(SPI + 1, 0x80);
	gic_pend(0, SPI);
	gic_pend(0, SPI + 1);
	gic_set_priority(0, SPI, 0x40);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	check_eq(gic_ack_wait(), SPI + 1);
	gic_eoi(SPI + 1);
	gic_spi_fini(SPI);
	gic_spi_fini(SPI + 1);
}

/* ---- more than there are list registers ---- */

static void test_many_pending(void)
{
	unsigned int last = 0;

	for (unsigned int i = 0; i < MANY; i++)
		gic_spi_setup(SPI + i, (i * 11 % 31) << 3);	/* 31 may be masked for good */
	for (unsigned int i = 0; i < MANY; i++)
		gic_pend(0, SPI + i);
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int intid = gic_ack_wait();

		if (!check(intid >= SPI && intid < SPI + MANY))
			break;
		check(icc_read(icc_rpr) >= last);
		last = icc_read(icc_rpr);
		gic_eoi(intid);
		check(!gic_is_pending(0, intid) && !gic_is_active(0, intid));
	}
	check(gic_is_quiet());
	for (unsigned int i = 0; i < MANY; i++)
		gic_spi_fini(SPI + i);
}

/* All priorities, each preempting the one before: 16 preemption levels, and more in between. */
static void test_many_active(void)
{
	enum { LEVELS = 30 };

	for (unsigned int i = 0; i < LEVELS; i++) {
		gic_spi_setup(SPI + i, 0xf0 - 8 * i);
		gic_pend(0, SPI + i);
		check_eq(gic_ack_wait(), SPI + i);
	}
	for (unsigned int i = 0; i < LEVELS; i++)
		check(gic_is_active(0, SPI + i));
	for (unsigned int i = LEVELS; i-- > 0;) {
		check_eq(icc_read(icc_rpr), 0xf0 - 8 * i);
		gic_eoi(SPI + i);
		check(!gic_is_active(0, SPI + i));
	}
	check_eq(icc_read(icc_rpr), 0xff);
	check(gic_is_quiet());
	for (unsigned int i = 0; i < LEVELS; i++)
		gic_spi_fini(SPI + i);
}

/* ---- levels ---- */

/* A level that was made pending by a write only: taken once. */
static void test_level_by_write(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_set_edge(SPI, false);
	gic_pend(0, SPI);
	check(gic_is_pending(0, SPI));
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	check(gic_is_quiet());
	gic_pend(0, SPI);
	gic_unpend(0, SPI);
	check(gic_is_quiet());
	gic_spi_fini(SPI);
}

/* The UART's: in loopback RTS drives CTS, and a change of CTS raises its interrupt until cleared. */
#define UARTCR		0x30
#define UARTIMSC	0x38
#define UARTICR		0x44
#define CR_ON		(BIT(0) | BIT(7) | BIT(8) | BIT(9))
#define CR_RTS		BIT(11)
#define INT_CTS		BIT(1)

static void line_setup(void)
{
	gic_spi_setup(UART_INTID, 0x80);
	gic_set_edge(UART_INTID, false);
	write32(UART_BASE + UARTCR, CR_ON);
	write32(UART_BASE + UARTICR, INT_CTS);
	write32(UART_BASE + UARTIMSC, INT_CTS);
}

static void line_fini(void)
{
	write32(UART_BASE + UARTIMSC, 0);
	write32(UART_BASE + UARTICR, 0x7ff);
	gic_spi_fini(UART_INTID);
	gic_set_edge(UART_INTID, false);
	uart_init();
}

static void line_up(void)
{
	write32(UART_BASE + UARTCR, CR_ON | CR_RTS);
	write32(UART_BASE + UARTCR, CR_ON);
}

static void line_down(void)
{
	write32(UART_BASE + UARTICR, INT_CTS);
}

static void test_level(void)
{
	line_setup();
	check(gic_is_quiet());
	line_up();
	for (unsigned int i = 0; i < 4; i++) {
		check_eq(gic_ack_wait(), UART_INTID);
		check(gic_is_pending(0, UART_INTID));	/* the line is up, acknowledged or not */
		check(gic_is_active(0, UART_INTID));
		gic_eoi(UART_INTID);
	}
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	check(!gic_is_pending(0, UART_INTID));
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

/* It goes away before it is taken; a write to ICPENDR does not make it go. */
static void test_level_withdrawn(void)
{
	line_setup();
	line_up();
	gic_unpend(0, UART_INTID);
	check(gic_is_pending(0, UART_INTID));
	line_down();
	check(gic_is_quiet());
	check(!gic_is_pending(0, UART_INTID));
	line_up();
	gic_disable(0, UART_INTID);
	check(gic_is_quiet());
	line_down();
	gic_enable(0, UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

/* The line falls and rises while active: again at EOI. */
static void test_level_again_while_active(void)
{
	line_setup();
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	line_up();
	check(gic_is_quiet());
	gic_eoi(UART_INTID);
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

static void test_level_eoimode1(void)
{
	gic_set_eoimode(1);
	line_setup();
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	gic_dir(UART_INTID);
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	line_down();
	gic_dir(UART_INTID);
	check(gic_is_quiet());
	line_fini();
	gic_set_eoimode(0);
}

/* The same line as an edge: each rise once. */
static void test_edge_of_a_line(void)
{
	line_setup();
	gic_set_edge(UART_INTID, true);
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_down();
	check(gic_is_quiet());
	line_up();
	check_eq(gic_ack_wait(), UART_INTID);
	line_down();
	line_up();
	gic_eoi(UART_INTID);
	check_eq(gic_ack_wait(), UART_INTID);
	gic_eoi(UART_INTID);
	check(gic_is_quiet());
	line_fini();
}

/* ---- groups ---- */

static void test_group_off(void)
{
	gic_spi_setup(SPI, 0x80);
	icc_write(0, icc_igrpen1);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	icc_write(1, icc_igrpen1);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE);
	gic_pend(0, SPI);
	check(gic_is_quiet());
	check(gic_is_pending(0, SPI));
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(SPI);
	gic_spi_fini(SPI);
}

static unsigned int fiqs, irqs;

static void take_fiq(void)
{
	unsigned int intid = icc_read(icc_iar0);

	fiqs++;
	icc_write(intid, icc_eoir0);
}

static void take_irq(void)
{
	unsigned int intid = gic_ack();

	irqs++;
	gic_eoi(intid);
}

/* Group 0 comes as FIQ, and is acknowledged by its own registers. */
static void test_group0(void)
{
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1 | GICD_CTLR_GRP0);
	icc_write(1, icc_igrpen0);
	gic_spi_setup(SPI, 0x80);
	gic_set_group(0, SPI, 0);
	gic_spi_setup(SPI + 1, 0x80);
	fiqs = irqs = 0;
	fiq_handler = take_fiq;
	irq_handler = take_irq;
	irqs_enable();
	gic_pend(0, SPI);
	gic_pend(0, SPI + 1);
	check(wait_for(*(volatile unsigned int *)&fiqs && *(volatile unsigned int *)&irqs, SECOND));
	irqs_disable();
	check_eq(fiqs, 1);
	check_eq(irqs, 1);
	gic_set_group(0, 4, 0);
	write_sysreg(4 << 24 | 1, icc_sgi0r);
	isb();
	check(wait_for(icc_read(icc_iar0) == 4, SECOND));
	icc_write(4, icc_eoir0);
	gic_set_group(0, 4, 1);
	fiq_handler = irq_handler = NULL;
	icc_write(0, icc_igrpen0);
	write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	gic_spi_fini(SPI);
	gic_spi_fini(SPI + 1);
}

/* ---- by exceptions, nested ---- */

static struct {
	unsigned int depth, deepest, count;
} nested;

/* Each one pends the next, of a better priority, and lets it in. */
static void take_nested(void)
{
	unsigned int intid = gic_ack();
	u64 elr = read_sysreg(elr_el1), spsr = read_sysreg(spsr_el1);

	if (intid == INTID_NONE)
		return;
	nested.count++;
	if (++nested.depth > nested.deepest)
		nested.deepest = nested.depth;
	if (intid < SPI + 9) {
		gic_pend(0, intid + 1);
		irqs_enable();
		wait_for(nested.count > intid + 1 - SPI, SECOND);
		irqs_disable();
	}
	nested.depth--;
	gic_eoi(intid);
	write_sysreg(elr, elr_el1);
	write_sysreg(spsr, spsr_el1);
}

static void test_nested_interrupts(void)
{
	for (unsigned int i = 0; i < 10; i++)
		gic_spi_setup(SPI + i, 0xe0 - i * 0x10);
	irq_handler = take_nested;
	irqs_enable();
	gic_pend(0, SPI);
	check(wait_for(*(volatile unsigned int *)&nested.count == 10, 5 * SECOND));
	irqs_disable();
	irq_handler = NULL;
	check_eq(nested.deepest, 10);
	check_eq(icc_read(icc_rpr), 0xff);
	for (unsigned int i = 0; i < 10; i++)
		gic_spi_fini(SPI + i);
}

const struct test tests[] = {
	TEST(identification),
	TEST(redistributors),
	TEST(enable_bits),
	TEST(priority_bytes_and_words),
	TEST(config_bits),
	TEST(routes),
	TEST(groups),
	TEST(no_private_ones_in_the_distributor),
	TEST(reserved_read_as_zero),
	TEST(cpu_interface_registers),
	TEST(spi),
	TEST(every_spi),
	TEST(every_sgi_to_oneself),
	TEST(ppi_by_register),
	TEST(unpend),
	TEST(disabled_while_pending),
	TEST(disabled_while_active),
	TEST(edge_again_while_active),
	TEST(sgi_again_while_active),
	TEST(set_active),
	TEST(clear_active),
	TEST(eoimode1),
	TEST(eoimode1_out_of_order),
	TEST(eoimode1_many),
	TEST(order),
	TEST(mask),
	TEST(preemption),
	TEST(binary_point),
	TEST(priority_moves),
	TEST(many_pending),
	TEST(many_active),
	TEST(level_by_write),
	TEST(level),
	TEST(level_withdrawn),
	TEST(level_again_while_active),
	TEST(level_eoimode1),
	TEST(edge_of_a_line),
	TEST(group_off),
	TEST(group0),
	TEST(nested_interrupts),
	{},
};
