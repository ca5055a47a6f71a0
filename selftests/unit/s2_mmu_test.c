// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMIDs and TLB maintenance of arm64 (kmod/arch/arm64/s2_mmu.c) over pCPUs whose TLBs keep all
 * that was ever walked until it is invalidated by its tag, and whose registers take effect at an
 * ISB. An emulator drops its TLB where a VMID changes, and sees none of this.
 *
 * CFLAGS: -Ikmod/arch/arm64 -Wno-unused-function
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <errno.h>
#include <string.h>

#include "unit.h"

#define VMS		12	/* more than 3 bits of VMID are for */
#define VCPUS		3
#define TLB_SIZE	4096

/* ---- pCPUs */

enum reg { REG_vttbr_el2, REG_vtcr_el2, REG_hcr_el2, REG_id_aa64mmfr0_el1, REG_tcr, REG_sctlr, REGS };

struct tlb_entry {
	bool valid;
	u16 vmid;
	int vm, vcpu;			/* whose walk it was */
	unsigned int epoch;		/* of the VM's tables */
};

static struct pcpu {
	u64 written[REGS], synced[REGS];
	bool store_open;		/* a table was written, and no barrier since */
	bool tlbi_open;			/* not completed */
	const char *last_broadcast;
	bool dsb_since;
	unsigned int count;
	struct tlb_entry tlb[TLB_SIZE];
	struct qvm_vcpu *vcpu;		/* loaded */
} pcpus[FAKE_CPUS];

static struct { bool has_fwb; } arm64_host;
static bool fix_repeat, fix_speculative;
static u32 rng_state;

static u32 rng(u32 below)
{
	rng_state = rng_state * 1664525 + 1013904223;
	return (u64)(rng_state >> 8) * below >> 24;
}

static struct pcpu *here(void)
{
	return &pcpus[fake_cpu];
}

static void check_speculation(const struct pcpu *cpu);

static void cpu_isb(void)
{
	memcpy(here()->synced, here()->written, sizeof(here()->synced));
	check_speculation(here());
}

/* A barrier for loads and stores completes TLBIs; one for stores orders what was written. */
static void cpu_dsb(bool stores_only)
{
	here()->store_open = false;
	here()->dsb_since = true;
	if (!stores_only)
		here()->tlbi_open = false;
}

static void tlb_drop(struct pcpu *cpu, int vmid)
{
	unsigned int i;

	for (i = 0; i < cpu->count; i++) {
		if (vmid < 0 || cpu->tlb[i].vmid == vmid)
			cpu->tlb[i].valid = false;
	}
}

static void cpu_tlbi(const char *op)
{
	bool broadcast = strlen(op) > 2 && !strcmp(op + strlen(op) - 2, "is");
	bool by_vmid = !strncmp(op, "vmall", 5);
	int vmid = by_vmid ? (int)(here()->synced[REG_vttbr_el2] >> 48) : -1;
	bool again = here()->last_broadcast && !strcmp(here()->last_broadcast, op) && here()->dsb_since;
	unsigned int i;

	CHECK(!by_vmid || irqs_disabled());
	/* with TGE set it is the host's regime that is invalidated */
	CHECK(!by_vmid || !(here()->synced[REG_hcr_el2] & BIT_ULL(27)));
	CHECK(strncmp(op, "vmalls12", 8) && strcmp(op, "alle1is") ? true : !here()->store_open);
	here()->tlbi_open = true;
	here()->dsb_since = false;
	if (!broadcast) {
		tlb_drop(here(), vmid);
		return;
	}
	here()->last_broadcast = op;
	for (i = 0; i < FAKE_CPUS; i++) {
		if (!fix_repeat || again)
			tlb_drop(&pcpus[i], vmid);
	}
}

/* ---- the kernel's words for it */

#define read_sysreg(name)		(here()->written[REG_##name])
#define write_sysreg(value, name)	(here()->written[REG_##name] = (value))
#define read_sysreg_s(reg)		(here()->written[reg])
#define write_sysreg_s(value, reg)	(here()->written[reg] = (value))
#define SYS_TCR_EL12			REG_tcr
#define SYS_SCTLR_EL12			REG_sctlr
#define isb()				cpu_isb()
#define dsb(domain)			cpu_dsb(sizeof(#domain) > 5)	/* ishst, nshst */
#define __tlbi(op)			cpu_tlbi(#op)

/* ---- what of the module s2_mmu.c needs */

#define QVM_ARM64_ARM64_H
#define QVM_ARM64_NVHE_NVHE_H

#include "el2_regs.h"
#include "pgtable.h"

struct arm64_vmid {
	u64 generation;
	u32 vmid;
};

struct qvm_vm {
	struct s2_table s2;
	struct {
		struct arm64_vmid vmid;
		u64 vttbr_baddr, vtcr, cntvoff;
		int *last_vcpu;
	} arch;
	/* the test's own */
	int number;
	unsigned int epoch;
};

struct qvm_vcpu {
	struct qvm_vm *vm;
	u32 index;
	struct {
		struct {
			u64 vttbr, vtcr;
		} host, nvhe;
	} arch;
	int cpu;			/* the test's own: where it is loaded, or -1 */
};

#define ARM64_FIX_REPEAT_TLBI		BIT(0)
#define ARM64_FIX_SPECULATIVE_AT	BIT(1)
#define arm64_has_fix(fix)		((fix) == ARM64_FIX_REPEAT_TLBI ? fix_repeat : fix_speculative)
#define arm64_hcr_write(hcr)		write_sysreg(hcr, hcr_el2)
#define arm64_ic_iallu()		do { } while (0)
#define arm64_daif_mask()		0
#define arm64_daif_restore(daif)	((void)(daif))
#define arm64_is_nvhe()			false
#define arm64_nvhe_call(call, a, b)	do { } while (0)
#define arm64_nvhe_call_any(call, a, b)	do { } while (0)
#define arm64_counter()			0
#define arm64_idreg_init(vm)		do { } while (0)
#define qvm_vgic_destroy(vm)		do { } while (0)

void arm64_s2_probe(unsigned int bits);
void arm64_s2_flush_local_all(void);
void arm64_s2_load(struct qvm_vcpu *vcpu);
void arm64_s2_put(struct qvm_vcpu *vcpu);
void qvm_arch_s2_flush_vm(struct qvm_vm *vm);
void qvm_arch_s2_sync(void);
u32 qvm_arch_s2_prot(u32 prot);
u64 qvm_arch_s2_block_sizes(void);
int qvm_arch_vm_create(struct qvm_vm *vm);
void qvm_arch_vm_destroy(struct qvm_vm *vm);

#include "s2_mmu.c"

/* ---- VMs on them */

static struct qvm_vm vms[VMS];
static struct qvm_vcpu vcpus[VMS][VCPUS];

static u64 root_of(const void *root)
{
	return (u64)(unsigned long)root & GENMASK_ULL(47, 12);
}

static const struct s2_ops ops = { .virt_to_hpa = root_of };

/* Foreign tables at stage 2 while EL1's registers are somebody's: no walk may start (1165522). */
static void check_speculation(const struct pcpu *cpu)
{
	u64 loaded = cpu->vcpu ? vttbr(cpu->vcpu->vm) : 0;

	if (!fix_speculative || cpu->synced[REG_hcr_el2] & EL2_HCR_TGE ||
	    cpu->synced[REG_vttbr_el2] == loaded)
		return;
	CHECK((cpu->synced[REG_tcr] & (TCR_EPD0 | TCR_EPD1)) == (TCR_EPD0 | TCR_EPD1));
	CHECK(cpu->synced[REG_sctlr] & SCTLR_M);
}

static void vm_create(int n)
{
	vms[n] = (struct qvm_vm){ .number = n };
	vms[n].s2.ops = &ops;
	vms[n].s2.ipa_bits = 40;
	vms[n].s2.root_level = 1;
	vms[n].s2.root = (void *)((n + 1UL) << 13);
	CHECK_EQ(qvm_arch_vm_create(&vms[n]), 0);
	for (int i = 0; i < VCPUS; i++)
		vcpus[n][i] = (struct qvm_vcpu){ .vm = &vms[n], .index = i, .cpu = -1 };
}

static void machine_create(unsigned int bits, bool repeat, bool speculative)
{
	memset(pcpus, 0, sizeof(pcpus));
	memset(vmid_active, 0, sizeof(vmid_active));
	bitmap_zero(vmids_used, 1 << VMID_BITS_MAX);
	vmid_generation = 1;
	fix_repeat = repeat;
	fix_speculative = speculative;
	arm64_s2_probe(bits);
	for (fake_cpu = 0; fake_cpu < FAKE_CPUS; fake_cpu++) {
		write_sysreg(EL2_HCR_TGE | EL2_HCR_E2H, hcr_el2);
		isb();
	}
	fake_cpu = 0;
	for (int n = 0; n < VMS; n++)
		vm_create(n);
}

/* What a function of the module leaves behind. */
static void settle(void)
{
	CHECK(!here()->tlbi_open);
	CHECK(!irqs_disabled());
	here()->last_broadcast = NULL;
}

static void vcpu_put(void)
{
	arm64_s2_put(here()->vcpu);
	here()->vcpu->cpu = -1;
	here()->vcpu = NULL;
	isb();
	CHECK_EQ(here()->synced[REG_vttbr_el2], 0);
	settle();
}

static void vcpu_load(struct qvm_vcpu *vcpu)
{
	here()->store_open = true;	/* somebody's tables, long ago */
	here()->vcpu = vcpu;
	vcpu->cpu = fake_cpu;
	arm64_s2_load(vcpu);
	isb();
	settle();
}

/* The guest touches an address: what the TLB has for its tag has to be its own. */
static void guest_runs(void)
{
	struct qvm_vcpu *vcpu = here()->vcpu;
	u16 vmid = here()->synced[REG_vttbr_el2] >> 48;
	unsigned int i, free = TLB_SIZE;

	CHECK(vmid != 0);
	CHECK_EQ(here()->synced[REG_vttbr_el2] & GENMASK_ULL(47, 12), vcpu->vm->arch.vttbr_baddr);
	for (i = 0; i < FAKE_CPUS; i++) {
		if (pcpus[i].vcpu && pcpus[i].vcpu->vm != vcpu->vm)
			CHECK(pcpus[i].synced[REG_vttbr_el2] >> 48 != vmid);
	}
	for (i = 0; i < here()->count; i++) {
		const struct tlb_entry *entry = &here()->tlb[i];

		if (!entry->valid)
			free = i;
		if (!entry->valid || entry->vmid != vmid)
			continue;
		CHECK_EQ(entry->vm, vcpu->vm->number);
		CHECK_EQ(entry->vcpu, vcpu->index);
		CHECK_EQ(entry->epoch, vcpu->vm->epoch);
	}
	if (free == TLB_SIZE)
		free = here()->count++;
	REQUIRE(free < TLB_SIZE);
	here()->tlb[free] = (struct tlb_entry){ true, vmid, vcpu->vm->number, vcpu->index, vcpu->vm->epoch };
}

/* Tables change, then nobody may see what they were. */
static void flush(struct qvm_vm *vm)
{
	u64 before[REGS];

	memcpy(before, here()->synced, sizeof(before));
	here()->store_open = true;
	qvm_arch_s2_flush_vm(vm);
	vm->epoch++;
	settle();
	CHECK(!memcmp(before, here()->synced, sizeof(before)));
}

/* The pCPU lost power: its TLB has anything, and then the module is told. */
static void comes_back(void)
{
	unsigned int i;

	if (here()->vcpu)
		vcpu_put();
	for (i = 0; i < 20; i++)
		here()->tlb[i] = (struct tlb_entry){ true, rng(8), rng(VMS), rng(VCPUS), rng(100) };
	here()->count = max(here()->count, 20U);
	arm64_s2_flush_local_all();
	settle();
}

static void machine_runs(unsigned int steps)
{
	while (steps-- && !unit_failures) {
		struct qvm_vcpu *vcpu = &vcpus[rng(VMS)][rng(VCPUS)];
		u32 what = rng(32);

		fake_cpu = rng(FAKE_CPUS);
		if (what == 0) {
			comes_back();
		} else if (what < 4) {
			flush(vcpu->vm);
		} else if (what < 10 && here()->vcpu) {
			vcpu_put();
		} else if (vcpu->cpu < 0) {
			if (here()->vcpu)
				vcpu_put();
			vcpu_load(vcpu);
		}
		if (here()->vcpu)
			guest_runs();
	}
	for (fake_cpu = 0; fake_cpu < FAKE_CPUS; fake_cpu++)
		if (here()->vcpu)
			vcpu_put();
	fake_cpu = 0;
	for (int n = 0; n < VMS; n++)
		qvm_arch_vm_destroy(&vms[n]);
	CHECK_EQ(fake_slab_count, 0);
}

TEST(vmids_that_are_enough)
{
	machine_create(8, false, false);
	machine_runs(20000);
}

TEST(vmids_that_run_out)
{
	machine_create(3, false, false);
	machine_runs(40000);
}

TEST(broadcasts_that_have_to_be_repeated)
{
	machine_create(3, true, false);
	machine_runs(20000);
}

TEST(walks_that_have_to_be_stopped)
{
	machine_create(3, false, true);
	machine_runs(20000);
}

/* ---- what memory is to a guest */

TEST(cacheable_by_stage_2)
{
	CHECK_EQ(qvm_arch_s2_prot(7), 7);
	arm64_host.has_fwb = true;
	CHECK_EQ(qvm_arch_s2_prot(7), 7 | S2_FORCE_WB);
	arm64_host.has_fwb = false;
}
