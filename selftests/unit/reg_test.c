// SPDX-License-Identifier: GPL-2.0-only
// LINK: kmod/vdev/reg.c
#include <linux/errno.h>
#include <linux/kernel.h>

#include "vdev/reg.h"
#include "unit.h"

struct context {
	u64 off, val;
	unsigned int len, count;
};

static u64 test_read(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	struct context *c = ctx;

	c->off = off;
	c->len = len;
	c->count++;
	return 0x8877665544332211ULL;
}

static void test_write(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
	test_read(ctx, vcpu, off, len);
	((struct context *)ctx)->val = val;
}

enum { CTRL = 0, TYPE = 4, PRIO = 0x400, ROUTE = 0x6000, NOTHING = 0x7000, LAST = 0xfffc };

static const struct qvm_reg_row regs[] = {
	QVM_REG(CTRL, 4, 4, test_read, test_write),
	QVM_REG(TYPE, 4, 4, test_read, qvm_reg_wi),
	QVM_REG(PRIO, 1020, 1 | 4, test_read, test_write),
	QVM_REG(ROUTE, 80, 4 | 8, test_read, test_write),
	QVM_REG_RAZ_WI(NOTHING, 16, 4),		/* a register that does nothing */
	QVM_REG(LAST, 4, 1 | 2 | 4, test_read, test_write),
};
static const struct qvm_reg_table table = QVM_REG_TABLE(regs);

static struct context c;

static void check_read(u64 off, unsigned int len, int ret, u64 want)
{
	u64 val = 77;

	memset(&c, 0, sizeof(c));
	CHECK_EQ(qvm_reg_read(&table, &c, NULL, off, len, &val), ret);
	CHECK_EQ(val, ret ? 77 : want);
}

TEST(rows_are_found)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		CHECK(qvm_reg_find(&table, regs[i].offset) == &regs[i]);
		CHECK(qvm_reg_find(&table, regs[i].offset + regs[i].size - 1) == &regs[i]);
	}
	CHECK(!qvm_reg_find(&table, 8));
	CHECK(!qvm_reg_find(&table, PRIO - 1));
	CHECK(!qvm_reg_find(&table, PRIO + 1020));
	CHECK(!qvm_reg_find(&table, 0x10000));
	CHECK(!qvm_reg_find(&table, 0x100000000ULL));
	CHECK(!qvm_reg_find(&table, ~0ULL));
	CHECK(!qvm_reg_find(&(struct qvm_reg_table){ 0 }, 0));
	CHECK_STR(qvm_reg_find(&table, PRIO + 3)->name, "PRIO");
}

TEST(the_last_row_is_a_hint_and_no_more)
{
	static const u64 offsets[] = { CTRL, LAST, PRIO + 1016, PRIO, 8, TYPE, NOTHING, 0x10000, ROUTE, CTRL };
	const struct qvm_reg_row *last = NULL;
	u64 near, far;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		const struct qvm_reg_row *row = qvm_reg_find(&table, offsets[i]), *before = last;

		CHECK(qvm_reg_find_near(&table, offsets[i], &last) == row);
		CHECK(last == (row ?: before));
		near = far = 77;
		CHECK_EQ(qvm_reg_read_near(&table, &last, &c, NULL, offsets[i], 4, &near),
			 qvm_reg_read(&table, &c, NULL, offsets[i], 4, &far));
		CHECK_EQ(near, far);
	}
	CHECK_EQ(qvm_reg_write_near(&table, &last, &c, NULL, PRIO + 8, 1, 0x1ff), 0);
	CHECK_EQ(c.val, 0xff);
	CHECK_EQ(c.off, 8);
}

TEST(an_offset_counts_from_its_row)
{
	check_read(PRIO + 1019, 1, 0, 0x11);
	CHECK_EQ(c.off, 1019);
	CHECK_EQ(c.len, 1);
	check_read(ROUTE + 8, 8, 0, 0x8877665544332211ULL);
	CHECK_EQ(c.off, 8);
	check_read(ROUTE + 12, 4, 0, 0x44332211);
	check_read(LAST + 2, 2, 0, 0x2211);
}

TEST(no_row_is_enxio)
{
	check_read(8, 4, -ENXIO, 0);
	check_read(0x10000, 4, -ENXIO, 0);
	CHECK_EQ(qvm_reg_write(&table, &c, NULL, PRIO - 4, 4, 1), -ENXIO);
	CHECK_EQ(c.count, 0);
}

TEST(a_size_that_is_not_allowed_is_raz_wi)
{
	static const struct { u64 off; unsigned int len; } bad[] = {
		{ CTRL, 8 }, { CTRL, 1 }, { CTRL + 2, 2 }, { CTRL + 1, 4 }, { PRIO, 2 },
		{ PRIO, 8 }, { PRIO + 1018, 4 }, { ROUTE + 4, 8 },
		{ ROUTE, 12 }, { ROUTE, 0 }, { LAST, 8 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		check_read(bad[i].off, bad[i].len, 0, 0);
		CHECK_EQ(qvm_reg_write(&table, &c, NULL, bad[i].off, bad[i].len, ~0ULL), 0);
		CHECK_EQ(c.count, 0);
	}
	check_read(NOTHING + 4, 4, 0, 0);
	CHECK_EQ(qvm_reg_write(&table, &c, NULL, NOTHING, 4, 1), 0);
}

TEST(a_write_has_no_bits_above_its_size)
{
	CHECK_EQ(qvm_reg_write(&table, &c, NULL, PRIO + 5, 1, 0x1ff), 0);
	CHECK_EQ(c.val, 0xff);
	CHECK_EQ(c.off, 5);
	CHECK_EQ(qvm_reg_write(&table, &c, NULL, ROUTE, 8, ~0ULL), 0);
	CHECK_EQ(c.val, ~0ULL);
	c.count = 0;
	CHECK_EQ(qvm_reg_write(&table, &c, NULL, TYPE, 4, 1), 0);	/* read-only */
	CHECK_EQ(c.count, 0);
}

static bool is_sound(struct qvm_reg_row a, struct qvm_reg_row b)
{
	struct qvm_reg_row two[] = { a, b };
	struct qvm_reg_table t = QVM_REG_TABLE(two);

	return qvm_reg_table_is_sound(&t);
}

#define ROW(_offset, _size, _widths) ((struct qvm_reg_row)QVM_REG_RAZ_WI(_offset, _size, _widths))

TEST(unsound_tables_are_seen)
{
	struct qvm_reg_row good = ROW(8, 8, 4), bad = good;

	CHECK(qvm_reg_table_is_sound(&table));
	CHECK(is_sound(ROW(0, 8, 4), good));
	CHECK(!is_sound(good, ROW(0, 8, 4)));		/* order */
	CHECK(!is_sound(good, good));
	CHECK(!is_sound(ROW(0, 12, 4), good));		/* overlap */
	CHECK(!is_sound(ROW(0xfffffff8, 16, 4), ROW(4, 4, 4)));
	CHECK(!is_sound(ROW(0, 0, 4), good));		/* nothing covered */
	CHECK(!is_sound(ROW(0, 8, 0), good));		/* widths */
	CHECK(!is_sound(ROW(0, 8, 16), good));
	CHECK(!is_sound(ROW(0, 6, 4), good));		/* not a multiple */
	CHECK(!is_sound(ROW(4, 4, 4 | 8), good));	/* 64-bit offsets would be odd */
	bad.read = NULL;
	CHECK(!is_sound(ROW(0, 8, 4), bad));
	bad = good;
	bad.write = NULL;
	CHECK(!is_sound(ROW(0, 8, 4), bad));
	bad = good;
	bad.name = NULL;
	CHECK(!is_sound(ROW(0, 8, 4), bad));
}
