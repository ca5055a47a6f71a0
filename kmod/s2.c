// SPDX-License-Identifier: GPL-2.0-only
/* Stage-2 tables of a VM: where their pages come from, how the TLBs are told. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "arch.h"

static struct qvm_vm *s2_to_vm(struct s2_table *s2)
{
	return container_of(s2, struct qvm_vm, s2);
}

static void *table_alloc(struct s2_table *s2, unsigned int order)
{
	return (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, order);
}

static void table_free(struct s2_table *s2, void *table, unsigned int order)
{
	free_pages((unsigned long)table, order);
}

static u64 table_virt_to_hpa(const void *table)
{
	return virt_to_phys((void *)table);
}

static void *table_hpa_to_virt(u64 hpa)
{
	return phys_to_virt(hpa);
}

/*
 * The whole VM is forgotten, whatever the range: ranges change while a VM is built or destroyed,
 * when nothing of it is worth keeping, and where memory is discarded, which is rare.
 */
static void table_flush(struct s2_table *s2, u64 gpa, u64 size)
{
	qvm_arch_s2_flush_vm(s2_to_vm(s2));
}

static void table_sync(struct s2_table *s2)
{
	qvm_arch_s2_sync();
}

static const struct s2_ops table_ops = {
	.alloc = table_alloc,
	.free = table_free,
	.virt_to_hpa = table_virt_to_hpa,
	.hpa_to_virt = table_hpa_to_virt,
	.flush = table_flush,
	.sync = table_sync,
};

int qvm_s2_init(struct qvm_vm *vm)
{
	return s2_init(&vm->s2, &table_ops, vm->ipa_bits, qvm_arch_s2_block_sizes());
}

void qvm_s2_destroy(struct qvm_vm *vm)
{
	if (!vm->s2.root)
		return;
	qvm_arch_s2_flush_vm(vm);
	s2_destroy(&vm->s2);
}
