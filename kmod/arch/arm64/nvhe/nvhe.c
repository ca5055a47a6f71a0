// SPDX-License-Identifier: GPL-2.0-only
/*
 * EL2 of an nVHE host: its program, its tables, who holds it.
 *
 * A kernel that was entered at EL2 without VHE leaves a stub there, with EL2's MMU off
 * (Documentation/virt/kvm/arm/hyp-abi.rst). On each pCPU the stub's SOFT_RESTART brings us to EL2;
 * there el2.S switches to stage-1 tables of its own, which map its pages, this pCPU's page and each
 * vCPU's, at their physical address, cacheable as the kernel has them. RESET_VECTORS undoes it.
 */
#include <linux/arm-smccc.h>
#include <linux/bitfield.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/barrier.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "nvhe.h"
#include "vgic_state.h"
#include "vgic_v3.h"

/* el2.h has the layout */
struct nvhe_cpu {
	u64 ttbr0, tcr, mair, sctlr;
	u64 host_vectors, guest_vectors, operand;
	u64 flags, lr_count, apr_count;
	u64 stub[6];
	u64 vcpu, regs, scratch[4];
	u64 x[13], sp_el0, elr, spsr;
	u64 el2[9];
	u64 fault_esr, fault_elr, fault_far;
	u64 sys[SYS_OFFSET_COUNT];
	u64 fine_traps[5];
};

#define CPU_IS(field, offset)	static_assert(offsetof(struct nvhe_cpu, field) == (offset))
CPU_IS(ttbr0, CPU_TTBR0);
CPU_IS(sctlr, CPU_SCTLR);
CPU_IS(host_vectors, CPU_HOST_VECTORS);
CPU_IS(operand, CPU_OPERAND);
CPU_IS(apr_count, CPU_APR_COUNT);
CPU_IS(stub, CPU_STUB_VBAR);
CPU_IS(vcpu, CPU_VCPU);
CPU_IS(x, CPU_X(18));
CPU_IS(sp_el0, CPU_SP_EL0);
CPU_IS(spsr, CPU_SPSR);
CPU_IS(el2, CPU_HCR);
CPU_IS(fault_esr, CPU_FAULT_ESR);
CPU_IS(sys, CPU_SYS);
CPU_IS(fine_traps, CPU_FINE_TRAPS);
static_assert(sizeof(struct nvhe_cpu) == CPU_SIZE);

#define NVHE_IS(field, offset)	static_assert(offsetof(struct arm64_nvhe, field) == (offset))
NVHE_IS(regs, NVHE_REGS);
NVHE_IS(sys, NVHE_SYS);
NVHE_IS(hcr, NVHE_HCR);
NVHE_IS(mdcr, NVHE_MDCR);
NVHE_IS(vttbr, NVHE_VTTBR);
NVHE_IS(vmpidr, NVHE_VMPIDR);
NVHE_IS(esr, NVHE_ESR);
NVHE_IS(hpfar, NVHE_HPFAR);
NVHE_IS(ich_hcr, NVHE_ICH_HCR);
NVHE_IS(lr_used, NVHE_LR_USED);
NVHE_IS(lr, NVHE_LR);
NVHE_IS(ap0r, NVHE_AP0R);
NVHE_IS(ap1r, NVHE_AP1R);
static_assert(sizeof(struct arm64_nvhe) == NVHE_SIZE);

/* el2.S has the registers by these numbers. */
static_assert(SR_SCTLR == 0 && SR_CPACR == 1 && SR_TTBR0 == 2 && SR_TTBR1 == 3 && SR_TCR == 4 &&
	      SR_ESR == 5 && SR_AFSR0 == 6 && SR_AFSR1 == 7 && SR_FAR == 8 && SR_MAIR == 9 &&
	      SR_AMAIR == 10 && SR_VBAR == 11 && SR_CONTEXTIDR == 12 && SR_CNTKCTL == 13 &&
	      SR_PAR == 14 && SR_ELR == 15 && SR_SPSR == 16 && SR_SP == 17 && SR_TPIDR_EL1 == 18 &&
	      SR_TPIDR_EL0 == 19 && SR_TPIDRRO_EL0 == 20 && SR_CSSELR == 21 &&
	      SR_LOADED == SYS_OFFSET_COUNT && SYS_OFFSET_TCR == SR_TCR * sizeof(u64));

DEFINE_STATIC_KEY_FALSE(arm64_nvhe_key);

extern const char qvm_el2_blob[], qvm_el2_blob_end[];

static void *program;				/* el2.S where it runs */
static unsigned int program_order;
static DEFINE_PER_CPU(struct nvhe_cpu *, nvhe_cpu);
static struct cpumask taken;			/* pCPUs whose EL2 is ours */

/* ---- calls ---- */

/* x18 is the shadow call stack's, x19 ... x30 are kept by whoever answers. */
static __always_inline u64 hvc(u64 call, u64 a, u64 b)
{
	register u64 x0 asm("x0") = call;
	register u64 x1 asm("x1") = a;
	register u64 x2 asm("x2") = b;

	asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2) : :
		     "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
		     "x15", "x16", "x17", "cc", "memory");
	return x0;
}

noinstr u64 arm64_nvhe_call(u64 call, u64 x1, u64 x2)
{
	return hvc(EL2_CALL + call, x1, x2);
}

void arm64_nvhe_report(const struct qvm_vcpu *vcpu)
{
	const struct nvhe_cpu *cpu = raw_cpu_read(nvhe_cpu);

	if (vcpu->arch.exit.code == STUB_ERROR)
		pr_err("qvm: %s: EL2 was taken from the module by somebody else\n", vcpu->vm->name);
	else if (vcpu->arch.exit.code == EXIT_CODE_EL2)
		pr_err("qvm: %s: an exception in the module's own EL2 code: esr %llx elr %llx far %llx, its start %llx\n",
		       vcpu->vm->name, cpu->fault_esr, cpu->fault_elr, cpu->fault_far,
		       (u64)virt_to_phys(program));
}

struct call {
	u64 call, x1, x2;
	bool done;
};

static void call_here(void *arg)
{
	struct call *call = arg;

	/* Interrupts are off: it stays so. */
	if (!cpumask_test_cpu(smp_processor_id(), &taken))
		return;
	arm64_nvhe_call(call->call, call->x1, call->x2);
	call->done = true;
}

/* Without any there is nothing to be told: who takes EL2 begins with empty TLBs. */
void arm64_nvhe_call_any(u64 call, u64 x1, u64 x2)
{
	struct call what = { call, x1, x2, false };

	while (!what.done && !cpumask_empty(&taken))
		smp_call_function_any(&taken, call_here, &what, true);
}

/* ---- EL2's stage 1: 4 KiB granule, 48 bits, four levels ---- */

#define TABLE_ENTRIES	512
#define DESC_VALID	BIT_ULL(0)
#define DESC_TABLE	BIT_ULL(1)		/* a page at the last level */
#define DESC_AP1	BIT_ULL(6)		/* RES1: one privilege level */
#define DESC_READ_ONLY	BIT_ULL(7)
#define DESC_SH_INNER	(3ULL << 8)
#define DESC_AF		BIT_ULL(10)
#define DESC_XN		BIT_ULL(54)
#define DESC_ADDRESS	GENMASK_ULL(47, 12)
#define PAGE_BASE	(DESC_VALID | DESC_TABLE | DESC_AP1 | DESC_SH_INNER | DESC_AF)
#define PAGE_DATA	(PAGE_BASE | DESC_XN)
#define PAGE_TEXT	(PAGE_BASE | DESC_READ_ONLY)

/* Arm ARM D19.2: TCR_EL2, MAIR_EL2, SCTLR_EL2 with HCR_EL2.E2H = 0 */
#define TCR_RES1	(BIT_ULL(31) | BIT_ULL(23))
#define TCR_WB_INNER	(3ULL << 12 | 1ULL << 10 | 1ULL << 8)	/* SH0, ORGN0, IRGN0 */
#define TCR_T0SZ_48	16ULL
#define MAIR_WB		0xffULL					/* attribute 0 */
#define SCTLR_RES1	0x30c50830ULL
#define SCTLR_MCI	(BIT_ULL(0) | BIT_ULL(2) | BIT_ULL(12))

static DEFINE_MUTEX(tables_mutex);
static u64 *root;				/* tables_mutex */

/* The entry of the last level for @pa; NULL: no memory. Tables are made on the way, and stay. */
static u64 *entry_find(u64 pa)
{
	u64 *table = root;
	int shift;

	for (shift = 39; shift > PAGE_SHIFT; shift -= 9) {
		u64 *entry = &table[pa >> shift & (TABLE_ENTRIES - 1)];

		if (!*entry) {
			u64 *next = (u64 *)get_zeroed_page(GFP_KERNEL);

			if (!next)
				return NULL;
			smp_wmb();	/* zeroes before who walks can find them */
			WRITE_ONCE(*entry, virt_to_phys(next) | DESC_TABLE | DESC_VALID);
		}
		table = phys_to_virt(*entry & DESC_ADDRESS);
	}
	return &table[pa >> PAGE_SHIFT & (TABLE_ENTRIES - 1)];
}

static void unmap(const void *start, size_t size)
{
	u64 pa, end = virt_to_phys(start) + size;

	mutex_lock(&tables_mutex);
	for (pa = virt_to_phys(start); pa < end; pa += PAGE_SIZE) {
		u64 *entry = entry_find(pa);

		if (!entry || !*entry)
			break;
		WRITE_ONCE(*entry, 0);
		arm64_nvhe_call_any(EL2_TLB_EL2, pa >> PAGE_SHIFT, 0);
	}
	mutex_unlock(&tables_mutex);
}

/* Whole pages of the linear map. An entry becomes valid: no TLB holds what was there (D8.14.1). */
static int map(const void *start, size_t size, u64 attributes)
{
	u64 pa, end = virt_to_phys(start) + size;
	int ret = end > BIT_ULL(48) ? -ERANGE : 0;

	mutex_lock(&tables_mutex);
	for (pa = virt_to_phys(start); !ret && pa < end; pa += PAGE_SIZE) {
		u64 *entry = entry_find(pa);

		if (entry)
			WRITE_ONCE(*entry, pa | attributes);
		else
			ret = -ENOMEM;
	}
	dsb(ishst);
	mutex_unlock(&tables_mutex);
	if (ret == -ENOMEM)
		unmap(start, size);
	return ret;
}

static void table_free(u64 *table, int shift)
{
	unsigned int i;

	for (i = 0; shift > PAGE_SHIFT && i < TABLE_ENTRIES; i++)
		if (table[i])
			table_free(phys_to_virt(table[i] & DESC_ADDRESS), shift - 9);
	free_page((unsigned long)table);
}

/* ---- each pCPU ---- */

static u64 guest_vectors(void)
{
	return virt_to_phys(program) + EL2_GUEST_VECTORS +
	       __this_cpu_read(qvm_arm64_vectors_cpu.kind) * EL2_VECTORS_SIZE;
}

/* What EL2 reads with its MMU and caches off. */
static void cpu_prepare(struct nvhe_cpu *cpu)
{
	u64 ps = min_t(u64, read_sysreg(id_aa64mmfr0_el1) & 15, 5);

	cpu->ttbr0 = virt_to_phys(root);
	cpu->tcr = TCR_RES1 | ps << 16 | TCR_WB_INNER | TCR_T0SZ_48;
	cpu->mair = MAIR_WB;
	cpu->sctlr = SCTLR_RES1 | SCTLR_MCI;
	cpu->host_vectors = virt_to_phys(program) + EL2_HOST_VECTORS;
	cpu->guest_vectors = guest_vectors();
	cpu->operand = __this_cpu_read(qvm_arm64_vectors_cpu.operand);
	cpu->flags = (arm64_host.has_hcx ? BIT(CPU_FLAG_HCX) : 0) |
		     (arm64_host.has_fgt ? BIT(CPU_FLAG_FGT) : 0) |
		     (arm64_host.has_ras ? BIT(CPU_FLAG_RAS) : 0) |
		     (arm64_has_fix(ARM64_FIX_STAGE1_FIRST) ? BIT(CPU_FLAG_WALK) : 0) |
		     (arm64_has_fix(ARM64_FIX_HCR_DSB) ? BIT(CPU_FLAG_HCR_DSB) : 0) |
		     (arm64_has_fix(ARM64_FIX_REPEAT_TLBI) ? BIT(CPU_FLAG_TLBI_TWICE) : 0);
	cpu->lr_count = vgic_nvhe_cpuif.lr_count;
	cpu->apr_count = vgic_v3_apr_count();
	arm64_cache_clean_range(virt_to_phys(cpu), sizeof(*cpu));
	dsb(sy);
}

int arm64_nvhe_cpu_up(void)
{
	struct nvhe_cpu *cpu = __this_cpu_read(nvhe_cpu);
	int id = smp_processor_id();

	if (cpumask_test_cpu(id, &taken))
		return 0;
	if (hvc(STUB_UNKNOWN, 0, 0) != STUB_ERROR)
		return -EBUSY;
	cpu_prepare(cpu);
	if (hvc(STUB_SOFT_RESTART, virt_to_phys(program) + EL2_TAKE, virt_to_phys(cpu)))
		return -ENODEV;
	cpumask_set_cpu(id, &taken);
	return 0;
}

void arm64_nvhe_cpu_down(void)
{
	int id = smp_processor_id();

	if (!cpumask_test_cpu(id, &taken))
		return;
	cpumask_clear_cpu(id, &taken);
	hvc(STUB_RESET_VECTORS, 0, 0);
}

/* ---- each vCPU ---- */

int arm64_nvhe_vcpu_create(struct qvm_vcpu *vcpu)
{
	struct arm64_nvhe *nvhe = &vcpu->arch.nvhe;
	int ret = map(vcpu, PAGE_ALIGN(sizeof(*vcpu)), PAGE_DATA);

	if (ret)
		return ret;
	nvhe->regs = virt_to_phys(&vcpu->arch.regs);
	nvhe->sys = virt_to_phys(vcpu->arch.sys);
	nvhe->vpidr = vcpu->arch.midr;
	nvhe->vmpidr = vcpu->arch.mpidr;
	return 0;
}

void arm64_nvhe_vcpu_destroy(struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.nvhe.regs)
		unmap(vcpu, PAGE_ALIGN(sizeof(*vcpu)));
}

/* ---- the module ---- */

static int program_load(void)
{
	size_t size = qvm_el2_blob_end - qvm_el2_blob;

	program_order = get_order(size);
	program = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, program_order);
	if (!program)
		return -ENOMEM;
	memcpy(program, qvm_el2_blob, size);
	/* EL2 fetches its first instructions with its MMU off: from memory. */
	arm64_cache_clean_range(virt_to_phys(program), PAGE_SIZE << program_order);
	dsb(sy);
	asm volatile("ic ialluis" : : : "memory");
	dsb(ish);
	return map(program, PAGE_SIZE << program_order, PAGE_TEXT);
}

static int cpus_alloc(void)
{
	int cpu, ret;

	for_each_possible_cpu(cpu) {
		void *page = (void *)get_zeroed_page(GFP_KERNEL);

		per_cpu(nvhe_cpu, cpu) = page;
		ret = page ? map(page, PAGE_SIZE, PAGE_DATA) : -ENOMEM;
		if (ret)
			return ret;
	}
	return 0;
}

#define GIC_TYPE_SRE	BIT_ULL(63)

/* EL2 on this pCPU, for as long as it takes to see what GIC it has. */
static int gic_probe(void)
{
	unsigned long flags;
	u64 type = 0;
	int ret;

	local_irq_save(flags);
	ret = arm64_nvhe_cpu_up();
	if (!ret) {
		type = arm64_nvhe_call(EL2_GIC_TYPE, 0, 0);
		arm64_nvhe_cpu_down();
	}
	local_irq_restore(flags);
	if (ret)
		return ret;
	if (!(type & GIC_TYPE_SRE))
		return -ENODEV;
	vgic_v3_setup(type & ~GIC_TYPE_SRE, &vgic_nvhe_cpuif);
	return 0;
}

int arm64_nvhe_init(void)
{
	int ret;

	static_branch_enable(&arm64_nvhe_key);
	qvm_tier0 = false;		/* there is none, and so says the parameter */
	root = (u64 *)get_zeroed_page(GFP_KERNEL);
	ret = root ? program_load() : -ENOMEM;
	if (!ret)
		ret = cpus_alloc();
	if (!ret)
		ret = gic_probe();
	if (ret)
		arm64_nvhe_fini();
	return ret;
}

void arm64_nvhe_fini(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_page((unsigned long)per_cpu(nvhe_cpu, cpu));
		per_cpu(nvhe_cpu, cpu) = NULL;
	}
	free_pages((unsigned long)program, program_order);
	if (root)
		table_free(root, 39);
	root = NULL;
}
