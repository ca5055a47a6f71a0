// SPDX-License-Identifier: GPL-2.0-only
#include <linux/string.h>

#include "arch.h"
#include "unclaimed.h"

static struct qvm_unclaimed_row *row_find(struct qvm_unclaimed_table *table, u64 gpa, u32 flags)
{
	u32 i;

	for (i = 0; i < table->used; i++)
		if (table->row[i].gpa == gpa &&
		    !((table->row[i].flags ^ flags) & QVM_UNCLAIMED_PORT))
			return &table->row[i];
	return NULL;
}

/* A free slot, or that of the least touched address: its count stays, as what is not known. */
static struct qvm_unclaimed_row *row_take(struct qvm_unclaimed_table *table)
{
	struct qvm_unclaimed_row *least = &table->row[0];
	u32 i;

	if (table->used < QVM_UNCLAIMED_SLOTS)
		return &table->row[table->used++];
	for (i = 1; i < QVM_UNCLAIMED_SLOTS; i++)
		if (table->row[i].count < least->count)
			least = &table->row[i];
	return least;
}

void qvm_unclaimed_add(struct qvm_vcpu *vcpu, u64 gpa, u32 flags)
{
	struct qvm_unclaimed_table *table = &vcpu->vm->unclaimed;
	struct qvm_unclaimed_row *row;

	vcpu->stats.unclaimed++;
	spin_lock(&table->lock);
	table->total++;
	row = row_find(table, gpa, flags);
	if (!row) {
		row = row_take(table);
		row->gpa = gpa;
		row->pc = qvm_arch_vcpu_pc(vcpu);
		row->over = row->count;
		row->vcpu = vcpu->index;
		row->flags = 0;
	}
	row->flags |= flags;
	row->count++;
	spin_unlock(&table->lock);
}

/* Keeps the rows of @out in order. */
static void insert(struct qvm_unclaimed *out, const struct qvm_unclaimed_row *row)
{
	u32 at = out->count;

	while (at && out->row[at - 1].count < row->count)
		at--;
	if (at == QVM_UNCLAIMED_ROWS)
		return;
	if (out->count < QVM_UNCLAIMED_ROWS)
		out->count++;
	memmove(&out->row[at + 1], &out->row[at], (out->count - 1 - at) * sizeof(*row));
	out->row[at] = *row;
}

void qvm_unclaimed_get(struct qvm_vm *vm, struct qvm_unclaimed *out)
{
	struct qvm_unclaimed_table *table = &vm->unclaimed;
	u32 i;

	memset(out, 0, sizeof(*out));
	spin_lock(&table->lock);
	out->total = table->total;
	for (i = 0; i < table->used; i++)
		insert(out, &table->row[i]);
	spin_unlock(&table->lock);
}
