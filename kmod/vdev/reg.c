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
	const struct qvm_reg_row *reg = t->reg;
	unsigned int left = t->count;

	if (!left)
		return NULL;
	/* the last row that starts at or before @off is one of @left from @reg on, if there is one */
	while (left > 1) {
		unsigned int half = left / 2;

		reg = reg[half].offset <= off ? reg + half : reg;	/* no branch to mispredict */
		left -= half;
	}
	/* of the first row @off may be before it, and the difference huge */
	return off - reg->offset < reg->size ? reg : NULL;
}

static bool is_natural(u64 off, unsigned int len)
{
	return len && !((off | len) & (len - 1));
}

int qvm_reg_read(const struct qvm_reg_table *t, void *ctx, struct qvm_vcpu *vcpu, u64 off,
		 unsigned int len, u64 *val)
{
	const struct qvm_reg_row *reg = qvm_reg_find(t, off);

	if (reg && is_natural(off, len))
		return qvm_reg_read_near(t, &reg, ctx, vcpu, off, len, val);
	if (reg)
		*val = 0;
	return reg ? 0 : -ENXIO;
}

int qvm_reg_write(const struct qvm_reg_table *t, void *ctx, struct qvm_vcpu *vcpu, u64 off,
		  unsigned int len, u64 val)
{
	const struct qvm_reg_row *reg = qvm_reg_find(t, off);

	if (reg && is_natural(off, len))
		return qvm_reg_write_near(t, &reg, ctx, vcpu, off, len, val);
	return reg ? 0 : -ENXIO;
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
