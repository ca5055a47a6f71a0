// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual GIC against models of it, at random.
 *
 * LINK: kmod/arch/arm64/vgic.c kmod/arch/arm64/vgic_line.c kmod/arch/arm64/vgic_init.c kmod/arch/arm64/vgic_mmio.c
 * LINK: kmod/vdev/reg.c kmod/vdev/bus.c
 * CFLAGS: -iquote selftests/unit/fake/vgic -Ikmod/arch/arm64 -Wno-unused-function
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
