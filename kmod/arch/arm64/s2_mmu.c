// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 registers, VMIDs, TLB maintenance.
 *
 * A VMID belongs to a VM for one generation. When they run out the generation goes up: VMs that
 * are loaded on some pCPU keep theirs, everything else is flushed from all TLBs, and a VM takes
 * a new one at its next load. So a VMID never has two owners between two flushes.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <asm/barrier.h>
#include <asm/sysreg.h>
#include <asm/tlbflush.h>

#include "arm64.h"
#include "el2_regs.h"
#include "nvhe/nvhe.h"
#include "s2pte.h"

#define VMID_BITS_MAX	16

static DEFINE_RAW_SPINLOCK(vmid_lock);
static DECLARE_BITMAP(vmids_used, 1 << VMID_BITS_MAX);	/* vmid_lock; of this generation */
static u64 vmid_generation = 1;				/* vmid_lock to write */
static unsigned int vmid_bits;
/* The VM whose VMID this pCPU has loaded: written there, read under vmid_lock. */
static DEFINE_PER_CPU(struct arm64_vmid *, vmid_active);

void arm64_s2_probe(unsigned int bits)
{
	vmid_bits = bits;
}

/* A broadcast TLBI and its completion, on some CPUs twice (errata.c). */
#define tlbi_broadcast(op)						\
	do {								\
		__tlbi(op);						\
		dsb(ish);						\
		if (arm64_has_fix(ARM64_FIX_REPEAT_TLBI)) {		\
			__tlbi(op);					\
			dsb(ish);					\
		}							\
	} while (0)

/*
 * TLBI ALLE1IS needs no context: it takes all VMIDs of the EL1&0 regime (Arm ARM D8.13.5). Table
 * writes before, completion after.
 */
static void vmid_roll_over(void)
{
	int cpu;

	bitmap_zero(vmids_used, 1 << vmid_bits);
	vmid_generation++;
	for_each_possible_cpu(cpu) {
		struct arm64_vmid *active = READ_ONCE(per_cpu(vmid_active, cpu));

		if (active) {
			__set_bit(active->vmid, vmids_used);
			WRITE_ONCE(active->generation, vmid_generation);
		}
	}
	if (arm64_is_nvhe()) {
		arm64_nvhe_call(EL2_TLB_ALL, 0, 0);
		return;
	}
	dsb(ishst);
	tlbi_broadcast(alle1is);
}

/*
 * VMID 0 is the host's by custom: a VTTBR_EL2 of zero never carries a guest's tag. After a roll-over there is a
 * free one, since there are more than pCPUs (cpu.c).
 */
static void vmid_take(struct arm64_vmid *vmid)
{
	unsigned long n = find_next_zero_bit(vmids_used, 1 << vmid_bits, 1);

	if (n >= 1 << vmid_bits) {
		vmid_roll_over();
		if (vmid->generation == vmid_generation)
			return;		/* it was loaded elsewhere and kept its VMID */
		n = find_next_zero_bit(vmids_used, 1 << vmid_bits, 1);
	}
	__set_bit(n, vmids_used);
	WRITE_ONCE(vmid->vmid, n);
	WRITE_ONCE(vmid->generation, vmid_generation);
}

/* Preemption off: from here on this pCPU holds the VMID. */
static void vmid_hold(struct arm64_vmid *vmid)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vmid_lock, flags);
	if (vmid->generation != vmid_generation) {
		vmid_take(vmid);
		/* No walk before it is seen: see qvm_arch_s2_flush_vm(). */
		dsb(ish);
	}
	__this_cpu_write(vmid_active, vmid);
	raw_spin_unlock_irqrestore(&vmid_lock, flags);
}

static u64 vttbr(const struct qvm_vm *vm)
{
	return vm->arch.vttbr_baddr | FIELD_PREP(VTTBR_VMID, READ_ONCE(vm->arch.vmid.vmid));
}

/*
 * Run @op with the guest's regime: stage 2 is loaded and synchronized before TGE is cleared
 * (erratum 1165522). All of DAIF is masked: an exception would be taken by a host without its TGE,
 * and AmpereOne may take it to EL1 (AC03_CPU_36).
 */
static void with_guest_regime(void (*op)(void))
{
	u64 hcr = read_sysreg(hcr_el2), daif = arm64_daif_mask();

	isb();
	arm64_hcr_write(hcr & ~EL2_HCR_TGE);
	isb();
	op();
	arm64_hcr_write(hcr);
	isb();
	arm64_daif_restore(daif);
}

/* This VMID on all pCPUs, stage 1 and 2. A DSB is behind the writes of the tables. */
static void op_flush_vmid(void)
{
	tlbi_broadcast(vmalls12e1is);
	isb();
}

/* This VMID's stage 1 on this pCPU; the I-cache too, which may be tagged by VMID (VPIPT). */
static void op_flush_local(void)
{
	__tlbi(vmalle1);
	arm64_ic_iallu();
	dsb(nsh);
	isb();
}

/* As op_flush_local() for the VM that is being loaded. */
static void flush_local(struct qvm_vm *vm)
{
	unsigned long flags;

	local_irq_save(flags);
	if (arm64_is_nvhe())
		arm64_nvhe_call(EL2_TLB_VM_LOCAL, vttbr(vm), vm->arch.vtcr);
	else
		with_guest_regime(op_flush_local);
	local_irq_restore(flags);
}

void arm64_s2_flush_local_all(void)
{
	if (arm64_is_nvhe()) {
		arm64_nvhe_call(EL2_TLB_ALL_LOCAL, 0, 0);
		return;
	}
	dsb(nshst);
	__tlbi(alle1);
	dsb(nsh);
	isb();
}

void arm64_s2_load(struct qvm_vcpu *vcpu)
{
	struct qvm_vm *vm = vcpu->vm;
	int *last = this_cpu_ptr(vm->arch.last_vcpu);

	vmid_hold(&vm->arch.vmid);
	if (arm64_is_nvhe()) {
		vcpu->arch.nvhe.vtcr = vm->arch.vtcr;
		vcpu->arch.nvhe.vttbr = vttbr(vm);
	} else {
		vcpu->arch.host.vttbr = read_sysreg(vttbr_el2);
		vcpu->arch.host.vtcr = read_sysreg(vtcr_el2);
		write_sysreg(vm->arch.vtcr, vtcr_el2);
		write_sysreg(vttbr(vm), vttbr_el2);
		isb();
	}
	/*
	 * Two vCPUs of a VM may use one ASID for different tables, and the guest's local TLBI
	 * of one would have to reach what the other left here (Arm ARM D8.13.3).
	 */
	if (*last == vcpu->index + 1)
		return;
	if (*last)
		flush_local(vm);
	*last = vcpu->index + 1;
}

void arm64_s2_put(struct qvm_vcpu *vcpu)
{
	if (!arm64_is_nvhe()) {
		write_sysreg(vcpu->arch.host.vttbr, vttbr_el2);
		write_sysreg(vcpu->arch.host.vtcr, vtcr_el2);
	}
	__this_cpu_write(vmid_active, NULL);
}

/*
 * Errata 1165522 and 1530923: with another VM's tables at stage 2, what EL1's registers hold now
 * may be walked by speculation and leave TLB entries of the wrong VMID. Walks are off
 * (TCR_EL1.{EPD0,EPD1}), and with the MMU on nothing is walked at stage 2 alone.
 */
struct stage1 {
	u64 tcr, sctlr;
};

#define TCR_EPD0	BIT_ULL(7)
#define TCR_EPD1	BIT_ULL(23)
#define SCTLR_M		BIT_ULL(0)

static void stage1_stop(struct stage1 *old)
{
	if (!arm64_has_fix(ARM64_FIX_SPECULATIVE_AT))
		return;
	old->tcr = read_sysreg_s(SYS_TCR_EL12);
	old->sctlr = read_sysreg_s(SYS_SCTLR_EL12);
	write_sysreg_s(old->tcr | TCR_EPD0 | TCR_EPD1, SYS_TCR_EL12);
	isb();
	write_sysreg_s(old->sctlr | SCTLR_M, SYS_SCTLR_EL12);
	isb();
}

static void stage1_restore(const struct stage1 *old)
{
	if (!arm64_has_fix(ARM64_FIX_SPECULATIVE_AT))
		return;
	write_sysreg_s(old->sctlr, SYS_SCTLR_EL12);
	isb();
	write_sysreg_s(old->tcr, SYS_TCR_EL12);
	isb();
}

void qvm_arch_s2_flush_vm(struct qvm_vm *vm)
{
	struct stage1 old_stage1;
	unsigned long flags;
	u64 old_vttbr, old_vtcr;

	/*
	 * The tables are as they shall be before it is asked which VMID the VM has: one that it takes
	 * after this, at its first load or because another's roll-over flushed all, never saw the old.
	 */
	dsb(ishst);
	if (!READ_ONCE(vm->arch.vmid.generation))
		return;			/* never loaded: no TLB has heard of it */
	if (arm64_is_nvhe()) {
		arm64_nvhe_call_any(EL2_TLB_VM, vttbr(vm), vm->arch.vtcr);
		return;
	}
	local_irq_save(flags);
	old_vttbr = read_sysreg(vttbr_el2);
	old_vtcr = read_sysreg(vtcr_el2);
	stage1_stop(&old_stage1);
	write_sysreg(vm->arch.vtcr, vtcr_el2);
	write_sysreg(vttbr(vm), vttbr_el2);
	with_guest_regime(op_flush_vmid);
	write_sysreg(old_vttbr, vttbr_el2);
	write_sysreg(old_vtcr, vtcr_el2);
	isb();
	stage1_restore(&old_stage1);
	local_irq_restore(flags);
}

void qvm_arch_s2_sync(void)
{
	dsb(ishst);
}

u32 qvm_arch_s2_prot(u32 prot)
{
	return arm64_host.has_fwb ? prot | S2_FORCE_WB : prot;
}

u64 qvm_arch_s2_block_sizes(void)
{
	return BIT_ULL(12) | BIT_ULL(21) | BIT_ULL(30);
}

/* VTCR_EL2.PS and T0SZ, SL0: Arm ARM D19.2.152; SL0 counts down from level 2 = 0. */
static u64 vtcr_value(const struct s2_table *s2)
{
	static const u8 sl0[] = { 2, 1, 0 };	/* by start level, 4 KiB granule */
	u64 ps = min_t(u64, read_sysreg(id_aa64mmfr0_el1) & 15, 5);

	return VTCR_RES1 | FIELD_PREP(VTCR_PS, ps) | VTCR_SH0_INNER | VTCR_ORGN0_WB | VTCR_IRGN0_WB |
	       FIELD_PREP(VTCR_SL0, sl0[s2->root_level]) | FIELD_PREP(VTCR_T0SZ, 64 - s2->ipa_bits) |
	       (vmid_bits > 8 ? VTCR_VS : 0);
}

int qvm_arch_vm_create(struct qvm_vm *vm)
{
	vm->arch.last_vcpu = alloc_percpu_gfp(int, GFP_KERNEL_ACCOUNT);
	if (!vm->arch.last_vcpu)
		return -ENOMEM;
	vm->arch.vttbr_baddr = vm->s2.ops->virt_to_hpa(vm->s2.root);
	vm->arch.vtcr = vtcr_value(&vm->s2);
	vm->arch.cntvoff = arm64_counter();
	arm64_idreg_init(vm);
	return 0;
}

void qvm_arch_vm_destroy(struct qvm_vm *vm)
{
	qvm_vgic_destroy(vm);
	free_percpu(vm->arch.last_vcpu);
	/* A roll-over that found this VM loaded a moment ago is done with it after this. */
	raw_spin_lock_irq(&vmid_lock);
	raw_spin_unlock_irq(&vmid_lock);
}
