// SPDX-License-Identifier: GPL-2.0-only
/*
 * The GIC as CPU 0 sees it (IHI 0069): registers, and the states of one interrupt. Interrupts stay
 * masked and are polled by acknowledging them. See gic_prio.c, gic_line.c; other CPUs: ipi.c.
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

/* Of interrupts that do not exist: nothing ends by it. */
static void test_eoi_of_nothing(void)
{
	gic_spi_setup(SPI, 0x80);
	gic_pend(0, SPI);
	check_eq(gic_ack_wait(), SPI);
	gic_eoi(INTID_NONE);
	gic_eoi(INTID_NONE - 1);
	check(gic_is_active(0, SPI));
	check_eq(icc_read(icc_rpr), 0x80);
	gic_eoi(SPI);
	check(!gic_is_active(0, SPI));
	check_eq(icc_read(icc_rpr), 0xff);
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
	TEST(eoi_of_nothing),
	TEST(eoimode1),
	TEST(eoimode1_out_of_order),
	TEST(eoimode1_many),
	{},
};
