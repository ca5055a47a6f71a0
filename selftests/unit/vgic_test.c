// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual GIC over a model of the virtual CPU interface.
 *
 * LINK: kmod/arch/arm64/vgic.c kmod/arch/arm64/vgic_init.c kmod/arch/arm64/vgic_mmio.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/vgic -Ikmod/arch/arm64
 */
#include "vgic/cpuif.h"
#include "unit.h"

enum { IGROUP = 0x80, ISEN = 0x100, ICEN = 0x180, ISPEND = 0x200, ICPEND = 0x280, ISACT = 0x300,
       ICACT = 0x380 };

static u32 rng_state = 1;

static u32 rng(u32 below)
{
	rng_state = rng_state * 1664525 + 1013904223;
	return (u64)(rng_state >> 8) * below >> 24;
}

static void enable_edge(unsigned int intid, u8 prio)
{
	guest_edge(0, intid);
	guest_prio(0, intid, prio);
	guest_bit(0, ISEN, intid);
}

/* ---- tables and life */

TEST(register_tables_are_sound)
{
	CHECK(qvm_reg_table_is_sound(&vgic_gicd_table));
	CHECK(qvm_reg_table_is_sound(&vgic_gicr_table));
}

TEST(create_refuses)
{
	struct qvm_vm *vm = &board.vm;

	board_create(1, 64, 4);
	CHECK_EQ(qvm_vgic_create(vm, 0, 0x100000, 64), -EEXIST);
	board_destroy();
	vm->bus.count = 0;
	CHECK_EQ(qvm_vgic_create(vm, 0x1000, 0x100000, 64), -EINVAL);
	CHECK_EQ(qvm_vgic_create(vm, 0, 0x100000, 32), -EINVAL);
	CHECK_EQ(qvm_vgic_create(vm, 0, 0x100000, 1024), -EINVAL);
	CHECK_EQ(qvm_vgic_create(vm, 0, 0x100000, 65), -EINVAL);
	CHECK_EQ(qvm_vgic_create(vm, 0, BIT_ULL(40) - 0x10000, 64), -ERANGE);
	CHECK_EQ(qvm_vgic_create(vm, -0x10000ULL, 0, 64), -ERANGE);
	CHECK_EQ(qvm_vgic_create(vm, 0x110000, 0x100000, 64), -EEXIST);
	vm->region[0] = (struct qvm_mem){ .gpa = 0x11f000, .size = 0x1000 };
	vm->region_count = 1;
	CHECK_EQ(qvm_vgic_create(vm, 0, 0x100000, 64), -EEXIST);
	CHECK_EQ(vm->bus.count, 0);
	vm->region_count = 0;
	CHECK_EQ(qvm_vgic_create(vm, 0, 0x100000, 1020), 0);
	qvm_vgic_destroy(vm);
}

TEST(allocation_failures_leave_nothing)
{
	unsigned int n;
	int err = -ENOMEM;

	for (n = 1; err && n < 20; n++) {
		board_create(2, 64, 4);
		board_destroy();
		board.vm.bus.count = 0;
		fake_slab_fail_at = n;
		err = qvm_vgic_create(&board.vm, BOARD_GICD, BOARD_GICR, 64);
		err = err ?: qvm_vgic_assemble(&board.vm);
		fake_slab_fail_at = 0;
		qvm_vgic_destroy(&board.vm);
		CHECK_EQ(fake_slab_count, 0);
	}
	CHECK_EQ(err, 0);
	CHECK(n > 5);
}

TEST(identification)
{
	unsigned int v;

	board_create(20, 1020, 4);
	CHECK_EQ(guest_read(0, BOARD_GICD, 4), 0x53);
	CHECK_EQ(guest_read(0, BOARD_GICD + 4, 4), 31 | 9 << 19);
	CHECK_EQ(guest_read(0, BOARD_GICD + 0xffe8, 4), 0x3b);
	CHECK_EQ(guest_read(0, BOARD_GICD + 0x3000, 4), 0);	/* reserved */
	CHECK_EQ(guest_read(0, BOARD_GICD + 0x100, 8), 0);	/* no such width */
	for (v = 0; v < 20; v++) {
		u64 typer = guest_read(0, gicr(v, 8), 8);

		CHECK_EQ(typer >> 32, (v / 16) << 8 | v % 16);
		CHECK_EQ(typer >> 8 & 0xffff, v);
		CHECK_EQ(typer >> 4 & 1, v == 19);
		CHECK_EQ(guest_read(0, gicr(v, 12), 4), typer >> 32);
		CHECK_EQ(guest_read(0, gicr(v, 0xffe8), 4), 0x3b);
		CHECK_EQ(guest_read(0, gicr(v, 0x14), 4), 6);
		guest_write(0, gicr(v, 0x14), 4, 0);
		CHECK_EQ(guest_read(0, gicr(v, 0x14), 4), 0);
	}
	board_destroy();
}

/* ---- delivery */

TEST(pending_needs_enable_group_and_mask)
{
	board_create(1, 64, 4);
	guest_edge(0, 40);
	guest_prio(0, 40, 0xa0);
	board_edge(40);
	CHECK(guest_has_bit(0, ISPEND, 40));
	CHECK_EQ(guest_iar(0), SPURIOUS);
	guest_bit(0, ISEN, 40);
	guest_write(0, BOARD_GICD, 4, 1);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	CHECK(!guest_would_wake(0));
	guest_enter(0);
	guest_write(0, BOARD_GICD, 4, 3);
	board.cpu[0].pmr = 0xa0;
	CHECK(!guest_would_wake(0));
	guest_enter(0);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	board.cpu[0].pmr = 0xa8;
	CHECK(guest_would_wake(0));
	guest_enter(0);
	CHECK_EQ(guest_take(0), 40);
	CHECK(!guest_would_wake(0));
	guest_enter(0);
	CHECK(!guest_has_bit(0, ISPEND, 40));
	CHECK_EQ(guest_take(0), SPURIOUS);
	board_destroy();
}

TEST(group_that_the_guest_enables_without_an_exit)
{
	board_create(1, 64, 4);
	board.cpu[0].group[1] = false;
	guest_exit(0);
	guest_enter(0);
	enable_edge(40, 0);
	board_edge(40);
	CHECK(!guest_would_wake(0));
	guest_enter(0);
	board.cpu[0].group[1] = true;
	fake_maintain(0);
	CHECK_EQ(guest_take(0), 40);
	/* the other group, and it does not hide group 1 */
	guest_write(0, bit_reg(0, IGROUP, 41), 4, ~BIT(41 % 32));
	enable_edge(41, 0);
	enable_edge(42, 0x80);
	board_edge(41);
	board_edge(42);
	CHECK_EQ(guest_take(0), 42);
	board.cpu[0].group[0] = true;
	fake_maintain(0);
	CHECK_EQ(guest_take(0), 41);
	board_destroy();
}

TEST(priority_order_beyond_the_list_registers)
{
	unsigned int lrs, i;

	for (lrs = 1; lrs <= 16; lrs = lrs * 2 + (lrs == 2)) {
		board_create(1, 256, lrs);
		for (i = 0; i < 40; i++)
			enable_edge(100 + i, (i * 7 % 32) << 3);
		for (i = 0; i < 40; i++)
			board_edge(100 + i);
		for (i = 0; i < 40; i++) {
			static u8 last;
			unsigned int intid = guest_take(0);

			REQUIRE(intid >= 100 && intid < 140);
			if (i)
				CHECK(((intid - 100) * 7 % 32) << 3 >= last);
			last = ((intid - 100) * 7 % 32) << 3;
		}
		CHECK_EQ(guest_take(0), SPURIOUS);
		board_destroy();
	}
}

TEST(level_pends_again_while_the_line_is_up)
{
	board_create(1, 64, 4);
	guest_bit(0, ISEN, 50);
	board_level(50, true);
	CHECK_EQ(guest_take(0), 50);
	CHECK_EQ(guest_iar(0), 50);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	CHECK(guest_has_bit(0, ISPEND, 50));
	CHECK(guest_has_bit(0, ISACT, 50));
	board_level(50, false);
	CHECK(!guest_has_bit(0, ISPEND, 50));
	guest_eoir(0, 50);
	CHECK_EQ(guest_take(0), SPURIOUS);
	/* rises while the first is active */
	board_level(50, true);
	CHECK_EQ(guest_iar(0), 50);
	board_level(50, false);
	board_level(50, true);
	guest_eoir(0, 50);
	CHECK_EQ(guest_iar(0), 50);
	board_level(50, false);
	guest_eoir(0, 50);
	/* falls before it is taken */
	board_level(50, true);
	board_level(50, false);
	CHECK_EQ(guest_take(0), SPURIOUS);
	/* a latched level is taken once; the line can't be cleared by ICPENDR */
	guest_bit(0, ISPEND, 50);
	CHECK_EQ(guest_take(0), 50);
	CHECK_EQ(guest_take(0), SPURIOUS);
	board_level(50, true);
	guest_bit(0, ICPEND, 50);
	CHECK_EQ(guest_take(0), 50);
	board_destroy();
}

static void expect_ended(unsigned int count)
{
	CHECK_EQ(fake_ended.count, count);
	CHECK_EQ(fake_ended.line, 50);
}

/* The guest's deactivation, in whatever way, puts the line down and is told once. */
TEST(resample_at_deactivation)
{
	board_create(2, 64, 4);
	fake_ended.count = 0;
	CHECK_EQ(qvm_vgic_set_resample(&board.vm, 31, true), -ENXIO);
	CHECK_EQ(qvm_vgic_set_resample(&board.vm, 64, true), -ENXIO);
	CHECK_EQ(qvm_vgic_set_resample(&board.vm, 50, true), 0);
	guest_bit(0, ISEN, 50);
	/* taken and ended in one list register */
	board_level(50, true);
	CHECK_EQ(guest_take(0), 50);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	expect_ended(1);
	/* with exits between */
	board_level(50, true);
	CHECK_EQ(guest_iar(0), 50);
	guest_exit(0);
	guest_enter(0);
	expect_ended(1);
	guest_eoir(0, 50);
	expect_ended(2);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	/* by a write to the distributor */
	board_level(50, true);
	CHECK_EQ(guest_iar(0), 50);
	guest_bit(0, ICACT, 50);
	expect_ended(3);
	guest_eoir(0, 50);
	/* withdrawn before it is taken: nothing ended */
	board_level(50, true);
	board_level(50, false);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	expect_ended(3);
	/* and without it the line is the device's */
	CHECK_EQ(qvm_vgic_set_resample(&board.vm, 50, false), 0);
	board_level(50, true);
	CHECK_EQ(guest_take(0), 50);
	CHECK_EQ(guest_iar(0), 50);
	guest_eoir(0, 50);
	expect_ended(3);
	board_destroy();
}

/* More of them than list registers, in every order of ends: each is told once. */
TEST(resample_with_few_list_registers)
{
	unsigned int intid;

	board_create(1, 128, 2);
	fake_ended.count = 0;
	for (intid = 40; intid < 60; intid++) {
		CHECK_EQ(qvm_vgic_set_resample(&board.vm, intid, true), 0);
		guest_prio(0, intid, 0xa0 - (intid - 40) * 8);
		guest_bit(0, ISEN, intid);
		board_level(intid, true);
		CHECK_EQ(guest_iar(0), intid);
	}
	while (intid-- > 40)
		guest_eoir(0, intid);
	CHECK_EQ(fake_ended.count, 20);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	board_destroy();
}

TEST(edge_while_active_comes_once_more)
{
	board_create(1, 64, 4);
	enable_edge(50, 0);
	board_edge(50);
	board_edge(50);
	CHECK_EQ(guest_iar(0), 50);
	CHECK(!guest_has_bit(0, ISPEND, 50));
	board_edge(50);
	board_edge(50);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	CHECK(guest_has_bit(0, ISPEND, 50));
	guest_eoir(0, 50);
	CHECK_EQ(guest_take(0), 50);
	CHECK_EQ(guest_take(0), SPURIOUS);
	board_edge(50);
	guest_bit(0, ICPEND, 50);
	CHECK_EQ(guest_take(0), SPURIOUS);
	board_destroy();
}

/* ---- active */

TEST(nested_actives_beyond_the_list_registers)
{
	unsigned int lrs, mode, i;

	for (lrs = 1; lrs <= 4; lrs++) {
		for (mode = 0; mode < 2; mode++) {
			board_create(1, 64, lrs);
			board.cpu[0].eoimode1 = mode;
			for (i = 0; i < 12; i++)
				enable_edge(40 + i, 0xf0 - i * 8);
			for (i = 0; i < 12; i++) {
				board_edge(40 + i);
				CHECK_EQ(guest_iar(0), 40 + i);
			}
			CHECK_EQ(guest_read(0, BOARD_GICD + ISACT + 4, 4), 0xfff00);
			for (i = 12; i-- > 0;) {
				guest_eoir(0, 40 + i);
				CHECK_EQ(guest_has_bit(0, ISACT, 40 + i), mode);
			}
			/* deactivated in no order */
			for (i = 0; mode && i < 12; i++)
				guest_dir(0, 40 + i * 5 % 12);
			CHECK_EQ(guest_read(0, BOARD_GICD + ISACT + 4, 4), 0);
			for (i = 0; i < 12; i++) {
				board_edge(40 + i);
				CHECK_EQ(guest_take(0), 40 + i);
			}
			board_destroy();
		}
	}
}

TEST(dropped_actives_do_not_keep_others_out)
{
	unsigned int i;

	board_create(1, 64, 4);
	board.cpu[0].eoimode1 = true;
	for (i = 0; i < 16; i++) {
		enable_edge(40 + i, 0x80);
		board_edge(40 + i);
	}
	for (i = 0; i < 16; i++) {
		CHECK_EQ(guest_iar(0), 40 + i);
		guest_eoir(0, 40 + i);
	}
	for (i = 0; i < 16; i++)
		guest_dir(0, 40 + i);
	CHECK_EQ(guest_read(0, BOARD_GICD + ISACT + 4, 4), 0);
	board_destroy();
}

TEST(active_registers)
{
	board_create(2, 64, 4);
	enable_edge(50, 0);
	guest_bit(0, ISACT, 50);
	board_edge(50);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	guest_bit(0, ICACT, 50);
	CHECK_EQ(guest_iar(0), 50);
	/* another vCPU sees it, and ends it under the first one's eyes */
	CHECK(guest_has_bit(1, ISACT, 50));
	guest_bit(1, ICACT, 50);
	CHECK(!guest_has_bit(1, ISACT, 50));
	board.cpu[0].depth = 0;
	board_edge(50);
	CHECK_EQ(guest_take(0), 50);
	CHECK(!guest_has_bit(1, ISACT, 50));
	/* private ones of another vCPU */
	guest_write(0, gicr(1, 0x10000 + ISACT), 4, BIT(20));
	CHECK(guest_has_bit(1, ISACT, 20));
	CHECK(!guest_has_bit(0, ISACT, 20));
	board_destroy();
}

/* Linux: disable, change the route, wait for inactive. */
TEST(writes_from_another_vcpu_reach_list_registers)
{
	board_create(2, 64, 4);
	enable_edge(50, 0);
	board_edge(50);
	CHECK_EQ(board.cpu[0].used, 1);
	guest_bit(1, ICEN, 50);
	CHECK_EQ(board.cpu[0].used, 0);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	guest_bit(1, ISEN, 50);
	CHECK_EQ(board.cpu[0].used, 1);
	guest_bit(1, ICPEND, 50);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	CHECK(!guest_has_bit(1, ISPEND, 50));
	board_edge(50);
	guest_prio(1, 50, 0x88);
	CHECK_EQ(board.cpu[0].lr[0].prio, 0x88);
	guest_write(1, BOARD_GICD, 4, 0);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	guest_write(1, BOARD_GICD, 4, 3);
	CHECK_EQ(guest_take(0), 50);
	board_destroy();
}

/* ---- routes */

TEST(route_changes_while_pending_and_while_active)
{
	board_create(20, 64, 4);
	enable_edge(50, 0);
	board_edge(50);
	guest_route(2, 50, 0x103);
	CHECK_EQ(guest_read(0, BOARD_GICD + 0x6000 + 50 * 8, 8), 0x103);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	CHECK_EQ(guest_iar(19), 50);
	/* active: it ends where it was taken, and goes elsewhere then */
	guest_route(2, 50, 1);
	board_edge(50);
	CHECK_EQ(guest_iar(1), SPURIOUS);
	guest_eoir(19, 50);
	CHECK_EQ(guest_iar(19), SPURIOUS);
	CHECK_EQ(guest_take(1), 50);
	/* nobody, by halves; then any */
	guest_write(0, BOARD_GICD + 0x6000 + 50 * 8, 4, 0xff);
	board_edge(50);
	guest_write(0, BOARD_GICD + 0x6004 + 50 * 8, 4, ~0U);
	CHECK_EQ(guest_read(0, BOARD_GICD + 0x6000 + 50 * 8, 8), 0xff);
	CHECK(guest_has_bit(0, ISPEND, 50));
	guest_write(3, gicr(3, 0x14), 4, 0);
	guest_route(0, 50, BIT_ULL(31));
	CHECK_EQ(guest_iar(0), SPURIOUS);
	CHECK_EQ(guest_take(3), 50);
	board_edge(50);
	guest_write(3, gicr(3, 0x14), 4, 2);	/* and back to sleep with it pending */
	CHECK_EQ(guest_iar(3), SPURIOUS);
	CHECK_EQ(guest_take(0), 50);
	board_destroy();
}

/* ---- SGIs */

TEST(sgi_forms)
{
	unsigned int v;

	board_create(20, 64, 4);
	guest_sgi(0, 5ULL << 24 | 0x8001, 1);
	CHECK_EQ(guest_take(0), 5);
	CHECK_EQ(guest_take(15), 5);
	CHECK_EQ(guest_take(1), SPURIOUS);
	guest_sgi(3, 6ULL << 24 | 1ULL << 16 | 0xffff, 1);
	for (v = 0; v < 20; v++)
		CHECK_EQ(guest_take(v), v >= 16 ? 6 : SPURIOUS);
	guest_sgi(18, 7ULL << 24 | BIT_ULL(40), 1);
	for (v = 0; v < 20; v++)
		CHECK_EQ(guest_take(v), v == 18 ? SPURIOUS : 7);
	/* no such vCPU: Aff3, Aff2, Aff1, range */
	guest_sgi(0, 1ULL << 48 | 0xffff, 1);
	guest_sgi(0, 1ULL << 32 | 0xffff, 1);
	guest_sgi(0, 9ULL << 16 | 0xffff, 1);
	guest_sgi(0, 1ULL << 44 | 0xffff, 1);
	for (v = 0; v < 20; v++)
		CHECK_EQ(guest_take(v), SPURIOUS);
	/* to oneself, twice: pending is one bit */
	guest_sgi(2, 1ULL << 24 | 4, 1);
	guest_sgi(2, 1ULL << 24 | 4, 1);
	CHECK_EQ(guest_iar(2), 1);
	guest_sgi(2, 1ULL << 24 | 4, 1);
	CHECK_EQ(guest_iar(2), SPURIOUS);
	guest_eoir(2, 1);
	CHECK_EQ(guest_take(2), 1);
	CHECK_EQ(guest_take(2), SPURIOUS);
	CHECK_EQ(guest_read(0, gicr(0, 0x10c00), 4), 0xaaaaaaaa);
	guest_write(0, gicr(0, 0x10c00), 4, 0);
	CHECK_EQ(guest_read(0, gicr(0, 0x10c00), 4), 0xaaaaaaaa);
	board_destroy();
}

TEST(sgi_groups)
{
	board_create(2, 64, 4);
	guest_sgi(0, 3ULL << 24 | 2, 0);
	CHECK(!guest_has_bit(1, ISPEND, 3));
	guest_write(1, gicr(1, 0x10000 + IGROUP), 4, ~BIT(3));
	board.cpu[1].group[0] = true;
	guest_sgi(0, 3ULL << 24 | 2, 0);
	CHECK_EQ(guest_take(1), 3);
	guest_sgi(0, 3ULL << 24 | 2, 1);
	CHECK_EQ(guest_take(1), 3);
	board_destroy();
}

/* ---- PPIs with hardware behind them */

static bool test_hw_level(struct qvm_vcpu *vcpu)
{
	BUG_ON(!irqs_disabled());
	return board.cpu[vcpu->index].hw_line;
}

/* The host takes the physical interrupt, which it leaves active. */
static void timer_fires(void)
{
	BUG_ON(board.cpu[0].phys_active);
	board.cpu[0].hw_line = true;
	board.cpu[0].phys_active = true;
	guest_exit(0);
	qvm_vgic_set_own(&board.vcpu[0], 27, true);
	guest_enter(0);
}

/* After an exit and an entry both sides agree on whether the physical one is active. */
static void timer_agrees(bool busy)
{
	guest_exit(0);
	guest_enter(0);
	CHECK_EQ(qvm_vgic_hw_busy(&board.vcpu[0], 27), busy);
	CHECK_EQ(board.cpu[0].phys_active, busy);
}

static void mapped_board(void)
{
	board_create(1, 64, 4);
	CHECK_EQ(qvm_vgic_map_hw(&board.vcpu[0], 32, 27, test_hw_level), -ENXIO);
	CHECK_EQ(qvm_vgic_map_hw(&board.vcpu[0], 27, 27, test_hw_level), 0);
	guest_bit(0, ISEN, 27);
	timer_agrees(false);
}

TEST(mapped_ppi)
{
	struct fake_cpu *c = &board.cpu[0];

	mapped_board();
	timer_fires();
	CHECK(c->lr[0].hw);
	timer_agrees(true);
	CHECK_EQ(guest_iar(0), 27);
	timer_agrees(true);
	CHECK_EQ(c->lr[0].state, VGIC_LR_ACTIVE);
	c->hw_line = false;
	guest_eoir(0, 27);
	timer_agrees(false);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	/* still up at the deactivation: it fires again at once */
	timer_fires();
	CHECK_EQ(guest_take(0), 27);
	timer_fires();
	timer_agrees(true);
	CHECK_EQ(guest_iar(0), 27);
	c->hw_line = false;
	guest_eoir(0, 27);
	timer_agrees(false);
	board_destroy();
}

TEST(mapped_ppi_whose_line_falls_unseen)
{
	struct fake_cpu *c = &board.cpu[0];

	mapped_board();
	/* before it is taken */
	timer_fires();
	c->hw_line = false;
	timer_agrees(false);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	/* deactivated by a register: line up, then down */
	timer_fires();
	CHECK_EQ(guest_iar(0), 27);
	guest_bit(0, ICACT, 27);
	c->depth = 0;
	timer_agrees(true);
	CHECK_EQ(guest_iar(0), 27);
	c->hw_line = false;
	guest_bit(0, ICACT, 27);
	c->depth = 0;
	timer_agrees(false);
	/* disabled while it is pending */
	timer_fires();
	guest_bit(0, ICEN, 27);
	timer_agrees(true);
	c->hw_line = false;
	timer_agrees(false);
	board_destroy();
}

/* No physical interrupt behind this one: its end leaves the real one alone. */
TEST(mapped_ppi_latched_by_the_guest)
{
	mapped_board();
	guest_bit(0, ISPEND, 27);
	CHECK(!board.cpu[0].lr[0].hw);
	CHECK_EQ(guest_take(0), 27);
	guest_bit(0, ISPEND, 27);
	CHECK_EQ(guest_iar(0), 27);
	timer_fires();
	board.cpu[0].hw_line = false;
	guest_eoir(0, 27);
	timer_agrees(false);
	board_destroy();
}

TEST(lines_that_do_not_exist)
{
	board_create(1, 64, 4);
	CHECK_EQ(qvm_vgic_set_irq(&board.vm, NULL, 64, true), -ENXIO);
	CHECK_EQ(qvm_vgic_set_irq(&board.vm, NULL, 31, true), -ENXIO);
	CHECK_EQ(qvm_vgic_set_irq(&board.vm, &board.vcpu[0], 15, true), -ENXIO);
	CHECK_EQ(qvm_vgic_set_irq(&board.vm, &board.vcpu[0], 32, true), -ENXIO);
	CHECK_EQ(qvm_vgic_set_irq(&board.vm, &board.vcpu[0], 31, true), 0);
	CHECK_EQ(guest_read(0, BOARD_GICD + ISEN + 8, 4), 0);
	guest_write(0, BOARD_GICD + ISEN + 8, 4, ~0U);
	CHECK_EQ(guest_read(0, BOARD_GICD + ISEN + 8, 4), 0);
	board_destroy();
}

/* ---- random */

/* Registers against plain arrays of bits; nothing is delivered. */
TEST(bitmap_registers_against_a_model)
{
	static const unsigned int set_of[] = { ISEN, ISPEND, ISACT };
	u32 bits[3][8] = {}, group[8];
	u8 prio[256] = {};
	unsigned int n, k, w, i;
	u32 val;

	board_create(1, 256, 4);
	board.cpu[0].pmr = 0;
	bits[0][0] = 0xffff;
	memset(group, 0xff, sizeof(group));
	for (n = 0; n < 20000; n++) {
		k = rng(3);
		w = rng(8);
		val = rng(1 << 16) << 16 | rng(1 << 16);
		switch (rng(4)) {
		case 0:
			guest_write(0, bit_reg(0, set_of[k], w * 32), 4, val);
			bits[k][w] |= val;
			break;
		case 1:
			guest_write(0, bit_reg(0, set_of[k] + 0x80, w * 32), 4, val);
			bits[k][w] &= ~val;
			break;
		case 2:
			guest_write(0, bit_reg(0, IGROUP, w * 32), 4, val);
			group[w] = val;
			break;
		default:
			i = rng(256);
			guest_prio(0, i, val);
			prio[i] = val & 0xf8;
		}
		k = rng(3);
		w = rng(8);
		val = guest_read(0, bit_reg(0, set_of[k] + 0x80 * rng(2), w * 32), 4);
		CHECK_EQ(val, bits[k][w]);
		CHECK_EQ(guest_read(0, bit_reg(0, IGROUP, w * 32), 4), group[w]);
		i = 32 + rng(56) * 4;
		CHECK_EQ(guest_read(0, BOARD_GICD + 0x400 + i, 4),
			 prio[i] | prio[i + 1] << 8 | prio[i + 2] << 16 | (u32)prio[i + 3] << 24);
	}
	board_destroy();
}

#define STORM_FIRST	32
#define STORM_COUNT	200
#define STORM_VCPUS	3

/* A GIC without list registers: what each vCPU may take next. */
struct model {
	struct {
		bool pending, active, enabled;
		u8 prio;
		unsigned int target;
	} irq[STORM_COUNT];
	struct {
		unsigned int depth, dropped;
		unsigned int stack[64];		/* taken, not yet ended */
		unsigned int drop[STORM_COUNT];	/* ended, not yet deactivated */
	} cpu[STORM_VCPUS];
};

static unsigned int model_best(const struct model *m, unsigned int v)
{
	unsigned int i, best = 0x100;

	for (i = 0; i < STORM_COUNT; i++) {
		if (m->irq[i].pending && m->irq[i].enabled && !m->irq[i].active &&
		    m->irq[i].target == v && m->irq[i].prio < best)
			best = m->irq[i].prio;
	}
	return best < board.cpu[v].pmr && best < fake_running(&board.cpu[v]) ? best : 0x100;
}

static void model_take(struct model *m, unsigned int v)
{
	unsigned int best = model_best(m, v), intid = guest_iar(v), i = intid - STORM_FIRST;

	if (best == 0x100) {
		CHECK_EQ(intid, SPURIOUS);
		return;
	}
	REQUIRE(i < STORM_COUNT);
	CHECK(m->irq[i].pending && m->irq[i].enabled && !m->irq[i].active);
	CHECK_EQ(m->irq[i].target, v);
	CHECK_EQ(m->irq[i].prio, best);
	m->irq[i].pending = false;
	m->irq[i].active = true;
	m->cpu[v].stack[m->cpu[v].depth++] = i;
}

static void model_end(struct model *m, unsigned int v)
{
	unsigned int i;

	if (!m->cpu[v].depth)
		return;
	i = m->cpu[v].stack[--m->cpu[v].depth];
	guest_eoir(v, STORM_FIRST + i);
	if (board.cpu[v].eoimode1)
		m->cpu[v].drop[m->cpu[v].dropped++] = i;
	else
		m->irq[i].active = false;
}

static void model_deactivate(struct model *m, unsigned int v, unsigned int n)
{
	unsigned int i;

	if (n >= m->cpu[v].dropped)
		return;
	i = m->cpu[v].drop[n];
	m->cpu[v].drop[n] = m->cpu[v].drop[--m->cpu[v].dropped];
	guest_dir(v, STORM_FIRST + i);
	m->irq[i].active = false;
}

static void model_write(struct model *m, unsigned int v, unsigned int i)
{
	unsigned int on = rng(2);

	switch (rng(4)) {
	case 0:
		guest_bit(v, on ? ISEN : ICEN, STORM_FIRST + i);
		m->irq[i].enabled = on;
		break;
	case 1:
		guest_bit(v, on ? ISPEND : ICPEND, STORM_FIRST + i);
		m->irq[i].pending = on;
		break;
	case 2:
		if (m->irq[i].active)
			break;		/* which EOI is meant would not be defined */
		m->irq[i].prio = rng(32) << 3;
		guest_prio(v, STORM_FIRST + i, m->irq[i].prio);
		break;
	default:
		m->irq[i].target = rng(STORM_VCPUS);
		guest_route(v, STORM_FIRST + i, m->irq[i].target);
	}
}

static void model_step(struct model *m)
{
	unsigned int v = rng(STORM_VCPUS), i = rng(STORM_COUNT);

	switch (rng(10)) {
	case 0 ... 3:
		board_edge(STORM_FIRST + i);
		m->irq[i].pending = true;
		break;
	case 4 ... 5:
		model_take(m, v);
		break;
	case 6:
		model_end(m, v);
		break;
	case 7:
		model_deactivate(m, v, rng(m->cpu[v].dropped + 1));
		break;
	case 8:
		model_write(m, v, i);
		break;
	default:
		board.cpu[v].pmr = rng(4) ? 0xff : rng(32) << 3;
		CHECK_EQ(guest_has_bit(v, ISACT, STORM_FIRST + i), m->irq[i].active);
		CHECK_EQ(guest_has_bit(v, ISPEND, STORM_FIRST + i), m->irq[i].pending);
	}
}

static void model_drain(struct model *m)
{
	unsigned int v, i;

	for (i = 0; i < STORM_COUNT; i++) {
		m->irq[i].enabled = true;
		guest_bit(0, ISEN, STORM_FIRST + i);
	}
	for (v = 0; v < STORM_VCPUS; v++) {
		board.cpu[v].pmr = 0xff;
		do {
			while (m->cpu[v].depth)
				model_end(m, v);
			while (m->cpu[v].dropped)
				model_deactivate(m, v, 0);
			model_take(m, v);
		} while (m->cpu[v].depth);
	}
	for (i = 0; i < STORM_COUNT; i++) {
		CHECK(!m->irq[i].pending && !m->irq[i].active);
		CHECK(!guest_has_bit(0, ISPEND, STORM_FIRST + i));
		CHECK(!guest_has_bit(0, ISACT, STORM_FIRST + i));
	}
}

/* Edges, routes, priorities, nesting: each taken is the best there is, and none is lost. */
TEST(storm_against_a_model)
{
	static struct model m;
	unsigned int lrs, n, i;

	for (lrs = 1; lrs <= 16; lrs++) {
		fake_np_counts_both = lrs & 2;
		board_create(STORM_VCPUS, 256, lrs);
		memset(&m, 0, sizeof(m));
		for (i = 0; i < STORM_VCPUS; i++)
			board.cpu[i].eoimode1 = (lrs + i) % 2;
		for (i = 0; i < STORM_COUNT; i++) {
			enable_edge(STORM_FIRST + i, rng(32) << 3);
			m.irq[i].enabled = true;
			m.irq[i].prio = guest_read(0, BOARD_GICD + 0x400 + STORM_FIRST + i, 1);
		}
		for (n = 0; n < 8000; n++)
			model_step(&m);
		model_drain(&m);
		board_destroy();
	}
}
