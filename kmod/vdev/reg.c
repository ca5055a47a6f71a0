// SPDX-License-Identifier: GPL-2.0-only
/* Register tables: look-up and the rule for accesses that a register does not allow. */
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "reg.h"

u64 qvm_reg_raz(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len)
{
	return 0;
}

void qvm_reg_wi(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len, u64 val)
{
}

const struct qvm_reg_row *qvm_reg_find(const struct qvm_reg_table *t, u64 off)
{
	unsigned int low = 0, high = t->count;

	/* the first row that starts past @off is at [low, high] */
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (t->reg[mid].offset <= off)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || off - t->reg[low - 1].offset >= t->reg[low - 1].size)
		return NULL;
	return &t->reg[low - 1];
}

/* @off: of the vdev. */
static bool reg_allows(const struct qvm_reg_row *reg, u64 off, unsigned int len)
{
	return (len == 1 || len == 2 || len == 4 || len == 8) && (reg->widths & len) &&
	       off % len == 0 && off - reg->offset + len <= reg->size;
}

static u64 low_bytes(u64 val, unsigned int len)
{
	return val & GENMASK_ULL(8 * len - 1, 0);
}

int qvm_reg_read(const struct qvm_reg_table *t, void *ctx, struct qvm_vcpu *vcpu, u64 off,
		 unsigned int len, u64 *val)
{
	const struct qvm_reg_row *reg = qvm_reg_find(t, off);

	if (!reg)
		return -ENXIO;
	if (reg_allows(reg, off, len))
		*val = low_bytes(reg->read(ctx, vcpu, off - reg->offset, len), len);
	else
		*val = 0;
	return 0;
}

int qvm_reg_write(const struct qvm_reg_table *t, void *ctx, struct qvm_vcpu *vcpu, u64 off,
		  unsigned int len, u64 val)
{
	const struct qvm_reg_row *reg = qvm_reg_find(t, off);

	if (!reg)
		return -ENXIO;
	if (reg_allows(reg, off, len))
		reg->write(ctx, vcpu, off - reg->offset, len, low_bytes(val, len));
	return 0;
}

static bool reg_is_sound(const struct qvm_reg_row *reg)
{
	unsigned int smallest = reg->widths & -reg->widths;

	if (!reg->read || !reg->write || !reg->name || !reg->size)
		return false;
	if (reg->widths == 0 || reg->widths > (1 | 2 | 4 | 8))
		return false;
	/* the largest width: offsets that its functions see are then multiples of any width */
	return reg->size % smallest == 0 && reg->offset % (1U << (fls(reg->widths) - 1)) == 0;
}

bool qvm_reg_table_is_sound(const struct qvm_reg_table *t)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < t->count; i++) {
		if (!reg_is_sound(&t->reg[i]) || t->reg[i].offset < end)
			return false;
		end = (u64)t->reg[i].offset + t->reg[i].size;
	}
	return true;
}
