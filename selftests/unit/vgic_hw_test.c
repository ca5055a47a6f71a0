// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual GIC: PPIs with a physical interrupt behind them.
 *
 * LINK: kmod/arch/arm64/vgic.c kmod/arch/arm64/vgic_line.c kmod/arch/arm64/vgic_init.c kmod/arch/arm64/vgic_mmio.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/vgic -Ikmod/arch/arm64 -Wno-unused-function
 */
#include "vgic/cpuif.h"
#include "unit.h"

enum { IGROUP = 0x80, ISEN = 0x100, ICEN = 0x180, ISPEND = 0x200, ICPEND = 0x280, ISACT = 0x300,
       ICACT = 0x380 };

static bool test_hw_level(struct qvm_vcpu *vcpu)
{
	BUG_ON(!irqs_disabled());
	return board.cpu[vcpu->index].hw_line;
}

static bool direct;		/* into a list register at once, where that is possible */
static unsigned int delivered;

/* The host, or the exit, takes the physical interrupt, which stays active. */
static void timer_fires(void)
{
	BUG_ON(board.cpu[0].phys_active);
	board.cpu[0].hw_line = true;
	board.cpu[0].phys_active = true;
	guest_exit(0);
	guest_enter_begin(0);
	if (direct && qvm_vgic_deliver_own(&board.vcpu[0], 27))
		delivered++;
	else
		qvm_vgic_set_own(&board.vcpu[0], 27, true);
	qvm_vgic_flush(&board.vcpu[0]);
	local_irq_enable();
}

/* After an exit and an entry both sides agree on whether the physical one is active. */
static void timer_agrees(bool busy)
{
	guest_exit(0);
	guest_enter(0);
	CHECK_EQ(qvm_vgic_hw_busy(&board.vcpu[0], 27), busy);
	CHECK_EQ(board.cpu[0].phys_active, busy);
}

/* Either way. */
#define BOTH(name)						\
	static void name##_body(void);				\
	TEST(name)						\
	{							\
		for (direct = false;; direct = true) {		\
			name##_body();				\
			if (direct)				\
				break;				\
		}						\
	}							\
	static void name##_body(void)

static void mapped_board(void)
{
	board_create(1, 64, 4);
	CHECK_EQ(qvm_vgic_map_hw(&board.vcpu[0], 32, 27, test_hw_level), -ENXIO);
	CHECK_EQ(qvm_vgic_map_hw(&board.vcpu[0], 27, 27, test_hw_level), 0);
	guest_bit(0, ISEN, 27);
	timer_agrees(false);
}

BOTH(mapped_ppi)
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

BOTH(mapped_ppi_whose_line_falls_unseen)
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
BOTH(mapped_ppi_latched_by_the_guest)
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

/* A vCPU that reads whether its own timer's interrupt is pending learns that it has withdrawn it. */
BOTH(mapped_ppi_read_after_its_line_fell)
{
	mapped_board();
	guest_bit(0, ICEN, 27);
	timer_fires();
	board.vcpu[0].loaded = true;
	CHECK(guest_has_bit(0, ISPEND, 27));
	board.cpu[0].hw_line = false;
	CHECK(!guest_has_bit(0, ISPEND, 27));
	timer_agrees(false);
	board_destroy();
}

/* What is not quiet, or may not be taken, goes by the queue. */
TEST(delivery_at_once_is_for_one_that_is_alone)
{
	direct = true;
	mapped_board();
	delivered = 0;
	timer_fires();
	CHECK_EQ(delivered, 1);
	CHECK(board.cpu[0].lr[0].hw);
	CHECK_EQ(guest_iar(0), 27);
	board.cpu[0].hw_line = false;
	guest_eoir(0, 27);
	timer_agrees(false);
	/* an SGI is pending, too, and comes first */
	guest_prio(0, 27, 0x80);
	guest_bit(0, ISPEND, 1);
	timer_fires();
	CHECK_EQ(delivered, 1);
	CHECK_EQ(guest_take(0), 1);
	CHECK_EQ(guest_iar(0), 27);
	board.cpu[0].hw_line = false;
	guest_eoir(0, 27);
	timer_agrees(false);
	/* disabled */
	guest_bit(0, ICEN, 27);
	timer_fires();
	CHECK_EQ(delivered, 1);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	board.cpu[0].hw_line = false;
	timer_agrees(false);
	guest_bit(0, ISEN, 27);
	/* and alone again; disabled while it is listed */
	timer_fires();
	CHECK_EQ(delivered, 2);
	guest_bit(0, ICEN, 27);
	CHECK_EQ(guest_iar(0), SPURIOUS);
	timer_agrees(true);
	board.cpu[0].hw_line = false;
	timer_agrees(false);
	board_destroy();
}
