/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vdev's registers as a const table: one row a register, or a run of registers of one kind.
 * A row never has NULL in it: what is not implemented is a RAZ/WI row with its reason in a
 * comment beside it, so that "no row" only ever means "no register".
 *
 *	static const struct qvm_reg_row gicd_regs[] = {
 *		QVM_REG(GICD_CTLR, 4, 4, gicd_read_ctlr, gicd_write_ctlr),
 *		QVM_REG(GICD_TYPER, 4, 4, gicd_read_typer, qvm_reg_wi),
 *		QVM_REG_RAZ_WI(GICD_STATUSR, 4, 4),	(and why: optional, reports nothing)
 *		QVM_REG(GICD_IPRIORITYR, 1020, 1 | 4, gic_read_prio, gic_write_prio),
 *	};
 *	static const struct qvm_reg_table gicd_table = QVM_REG_TABLE(gicd_regs);
 *
 * Rows ascend by offset and do not overlap: qvm_reg_table_is_sound(), asked by a unit test of
 * each table. Nothing here locks or keeps state; what the functions of a row may do is their
 * vdev's affair.
 */
#ifndef QVM_VDEV_REG_H
#define QVM_VDEV_REG_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>

struct qvm_vcpu;

/*
 * @off counts from the start of the row, in bytes, and is a multiple of @len; @len is one of
 * the row's widths and does not reach past the row. Only the low @len bytes of what a read
 * returns are used; above them a write's @val is zero.
 */
typedef u64 qvm_reg_read_fn(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len);
typedef void qvm_reg_write_fn(void *ctx, struct qvm_vcpu *vcpu, u64 off, unsigned int len,
			      u64 val);

struct qvm_reg_row {
	u32 offset;			/* of the vdev, bytes */
	u32 size;			/* bytes covered */
	u8 widths;			/* access sizes allowed: sum of 1, 2, 4, 8 */
	qvm_reg_read_fn *read;
	qvm_reg_write_fn *write;
	const char *name;
};

struct qvm_reg_table {
	const struct qvm_reg_row *reg;	/* by offset */
	unsigned int count;
};

#define QVM_REG(_offset, _size, _widths, _read, _write) {		\
	.offset = (_offset), .size = (_size), .widths = (_widths),	\
	.read = (_read), .write = (_write), .name = #_offset,		\
}

#define QVM_REG_RAZ_WI(_offset, _size, _widths)				\
	QVM_REG(_offset, _size, _widths, qvm_reg_raz, qvm_reg_wi)

#define QVM_REG_TABLE(_reg) { .reg = (_reg), .count = ARRAY_SIZE(_reg) }

/* Read as zero, write ignored. */
qvm_reg_read_fn qvm_reg_raz;
qvm_reg_write_fn qvm_reg_wi;

/* The row that covers @off, or NULL. */
const struct qvm_reg_row *qvm_reg_find(const struct qvm_reg_table *t, u64 off);

/* The same; **last, of the same table or NULL, and the caller's, is looked at first. */
static __always_inline const struct qvm_reg_row *qvm_reg_find_near(const struct qvm_reg_table *t, u64 off,
							  const struct qvm_reg_row **last)
{
	const struct qvm_reg_row *reg = *last;

	/* of an @off below the row the difference is huge */
	if (!reg || off - reg->offset >= reg->size) {
		reg = qvm_reg_find(t, off);
		if (reg)
			*last = reg;
	}
	return reg;
}

/*
 * One access at @off of the vdev. 0: done; -ENXIO: no register there. A size that the row does
 * not allow, or an access that is misaligned or reaches out of its row, is RAZ/WI: the register
 * is there, so real hardware decodes the address, and of what IHI 0069 (12.1) leaves open for
 * an unsupported size, RAZ/WI changes no state, invents no value and kills no guest.
 * *val is zero-extended from @len bytes on a read and unchanged on an error.
 */
int qvm_reg_read(const struct qvm_reg_table *t, void *ctx, struct qvm_vcpu *vcpu, u64 off,
		 unsigned int len, u64 *val);
int qvm_reg_write(const struct qvm_reg_table *t, void *ctx, struct qvm_vcpu *vcpu, u64 off,
		  unsigned int len, u64 val);

/*
 * True if every row is filled, has possible widths, starts at a multiple of the largest and
 * is a multiple of the smallest long, and rows ascend without overlap.
 */
bool qvm_reg_table_is_sound(const struct qvm_reg_table *t);

/*
 * ---- the same by qvm_reg_find_near(), for vdevs that are accessed often: @len is 1, 2, 4 or 8, and @off of
 * the vdev a multiple of it, as the bus has them ----
 */

static __always_inline bool qvm_reg_allows(const struct qvm_reg_row *reg, u64 off, unsigned int len)
{
	return (reg->widths & len) && off - reg->offset + len <= reg->size;
}

static __always_inline u64 qvm_reg_bytes(u64 val, unsigned int len)
{
	return len == 4 ? (u32)val : val & (~0ULL >> (64 - 8 * len));
}

static __always_inline int qvm_reg_read_near(const struct qvm_reg_table *t,
					     const struct qvm_reg_row **last, void *ctx,
					     struct qvm_vcpu *vcpu, u64 off, unsigned int len,
					     u64 *val)
{
	const struct qvm_reg_row *reg = qvm_reg_find_near(t, off, last);

	if (!reg)
		return -ENXIO;
	if (qvm_reg_allows(reg, off, len))
		*val = qvm_reg_bytes(reg->read(ctx, vcpu, off - reg->offset, len), len);
	else
		*val = 0;
	return 0;
}

static __always_inline int qvm_reg_write_near(const struct qvm_reg_table *t,
					      const struct qvm_reg_row **last, void *ctx,
					      struct qvm_vcpu *vcpu, u64 off, unsigned int len,
					      u64 val)
{
	const struct qvm_reg_row *reg = qvm_reg_find_near(t, off, last);

	if (!reg)
		return -ENXIO;
	if (qvm_reg_allows(reg, off, len))
		reg->write(ctx, vcpu, off - reg->offset, len, qvm_reg_bytes(val, len));
	return 0;
}

#endif /* QVM_VDEV_REG_H */
