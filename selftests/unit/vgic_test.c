// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual GIC over a model of the virtual CPU interface.
 *
 * LINK: kmod/arch/arm64/vgic.c kmod/arch/arm64/vgic_line.c kmod/arch/arm64/vgic_init.c kmod/arch/arm64/vgic_mmio.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/vgic -Ikmod/arch/arm64 -Wno-unused-function
 */
#include "vgic/cpuif.h"
#include "unit.h"

enum { IGROUP = 0x80, ISEN = 0x100, ICEN = 0x180, ISPEND = 0x200, ICPEND = 0x280, ISACT = 0x300,
       ICACT = 0x380 };

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

/* Its end drops the priority with which it was taken, whatever it has been given since. */
TEST(priority_moves_while_active)
{
	board_create(1, 64, 4);
	enable_edge(40, 0x80);
	enable_edge(41, 0x60);
	guest_bit(0, ISPEND, 40);
	CHECK_EQ(guest_iar(0), 40);
	guest_prio(0, 40, 0xc0);
	guest_exit(0);
	guest_enter(0);
	CHECK_EQ(board.cpu[0].lr[0].prio, 0x80);
	guest_bit(0, ISPEND, 41);
	CHECK_EQ(guest_take(0), 41);
	guest_eoir(0, 40);
	CHECK(!guest_has_bit(0, ISACT, 40));
	/* the next time it has the new one */
	guest_bit(0, ISPEND, 40);
	guest_exit(0);
	guest_enter(0);
	CHECK_EQ(board.cpu[0].lr[0].prio, 0xc0);
	CHECK_EQ(guest_take(0), 40);
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
