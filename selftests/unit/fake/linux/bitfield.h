/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a value that does not fit its field stops the test. */
#ifndef FAKE_LINUX_BITFIELD_H
#define FAKE_LINUX_BITFIELD_H

#include <linux/bits.h>
#include <linux/bug.h>

#define FIELD_MAX(mask)		((typeof(mask))((mask) / ((mask) & -(mask))))
#define FIELD_FIT(mask, val)	((u64)(val) <= FIELD_MAX(mask))
#define FIELD_GET(mask, reg)	((typeof(mask))(((reg) & (mask)) / ((mask) & -(mask))))
#define FIELD_PREP(mask, val) ({					\
	u64 fp_val = (val);						\
	BUG_ON(fp_val > FIELD_MAX(mask));				\
	(typeof(mask))(fp_val * ((mask) & -(mask)));			\
})

#endif
