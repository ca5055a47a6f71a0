// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT beyond the shared walker: the ITLB_MULTIHIT rule. On affected CPUs a guest that fetches from
 * a large page while it changes that page's size can stop the whole host by a machine check
 * (CVE-2018-12207). So no large page is executable: the first fetch from 2 MiB splits them.
 */
#include <linux/cpu.h>
#include <linux/sizes.h>
#include <asm/cpufeature.h>

#include <linux/printk.h>

#include "s2pte.h"
#include "x86.h"

bool x86_nx_blocks(void)
{
	return boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off();
}

u32 qvm_arch_s2_prot(u32 prot)
{
	return x86_nx_blocks() ? prot & ~(u32)S2_EXEC : prot;
}

/* Memory is write-back for guest and host (EPT says so), and instruction fetches are coherent. */
void qvm_arch_s2_clean(struct qvm_vm *vm, u64 gpa, u64 size)
{
}

void qvm_arch_s2_clean_hpa(struct qvm_vm *vm, u64 hpa, u64 size)
{
}

void qvm_arch_s2_clean_all(struct qvm_vm *vm)
{
}

/* One page of it first, which splits whatever large page is there; then the rest, in small ones. */
static bool make_executable(struct qvm_vm *vm, const struct qvm_mem *mem, u64 gpa, u32 prot)
{
	u64 first = max(ALIGN_DOWN(gpa, SZ_2M), mem->gpa);
	u64 end = min(ALIGN_DOWN(gpa, SZ_2M) + SZ_2M, mem->gpa + mem->size);

	return !s2_protect(&vm->s2, ALIGN_DOWN(gpa, SZ_4K), SZ_4K, prot) &&
	       !s2_protect(&vm->s2, first, end - first, prot);
}

/* Of the entries on the way to @gpa each that is wrong. The tables may change meanwhile: it only reads. */
void x86_s2_explain(struct qvm_vcpu *vcpu, u64 gpa)
{
	const struct s2_table *s2 = &vcpu->vm->s2;
	const u64 *table = s2->root;
	unsigned int level, index;
	const char *wrong;
	u64 pte;

	down_read(&vcpu->vm->s2_lock);
	for (level = s2->root_level; table; level++) {
		index = gpa >> S2_LEVEL_SHIFT(level) & (BIT(S2_TABLE_SHIFT) - 1);
		pte = READ_ONCE(table[index]);
		wrong = s2pte_misconfigured(pte, level, boot_cpu_data.x86_phys_bits);
		pr_err("qvm: %s: vCPU %u: EPT of %llx, level %u: %llx%s%s\n", vcpu->vm->name, vcpu->index,
		       gpa, level, pte, wrong ? ": " : "", wrong ?: "");
		table = s2pte_is_table(pte, level) ? s2->ops->hpa_to_virt(s2pte_hpa(pte, level)) : NULL;
	}
	up_read(&vcpu->vm->s2_lock);
}

bool x86_s2_fault(struct qvm_vcpu *vcpu, u64 gpa, bool fetch)
{
	struct qvm_vm *vm = vcpu->vm;
	struct s2_leaf leaf;
	bool found, ok = false;

	down_write(&vm->s2_lock);
	found = s2_lookup(&vm->s2, gpa, &leaf);
	if (found) {
		/* Another vCPU may have been faster, or have had the page apart for a moment. */
		if (fetch && !(leaf.prot & S2_EXEC))
			ok = x86_nx_blocks() && make_executable(vm, qvm_region_find(vm, gpa), gpa,
								leaf.prot | S2_EXEC);
		else
			ok = true;
	}
	qvm_s2_write_done(vm);
	/* Lazy or discarded: first it comes, then perhaps it is fetched from. */
	return found ? ok : !qvm_region_fault(vm, gpa);
}
