// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID: an allow-list of bits of the host's leaves, one row a leaf and subleaf, made once at
 * load; a few fields follow the vCPU. Leaves are found by index, not by a scan. SDM vol. 2, CPUID.
 */
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "compat.h"
#include "x86.h"

#define BASIC_MAX	0x16
#define HYPERVISOR	0x40000000
#define EXTENDED	0x80000000
#define EXTENDED_MAX	8

#define CACHES		8
#define CACHE_TYPE	GENMASK(4, 0)	/* EAX of leaf 4; 0: no more caches */
#define CACHE_LEVEL(eax) ((eax) >> 5 & 7)
#define CACHE_FLAGS	GENMASK(13, 0)	/* what is above counts threads and cores */

#define XSAVE_FIRST	576U		/* of an XSAVE area: the legacy region and the header */
#define XSTATE_ALIGNED	BIT(1)		/* ECX of a component: by 64 bytes, if compacted */
#define HAS_XSAVEC	BIT(1)		/* EAX of subleaf 1 */

struct row {
	u32 leaf;
	struct x86_cpuid mask;		/* bits of the host's that guests see */
};

#define ALL		(~0U)

/*
 * Leaf 1: no VMX, SMX, EST, TM, MONITOR, PDCM, DCA, DS, PBE; MCE and MCA without banks, for there
 * are kernels that set CR4.MCE unasked. Leaf 7: no SGX, PT, PKU, CET …
 */
#define L1_ECX (BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | \
		BIT(21) | BIT(22) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | \
		BIT(30))
#define L1_EDX (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | \
		BIT(9) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(15) | BIT(16) | BIT(17) | \
		BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26))
/* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID AVX512* RDSEED ADX SMAP CLFLUSHOPT CLWB SHA */
#define L7_EBX (BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(16) | \
		BIT(17) | BIT(18) | BIT(19) | BIT(20) | BIT(21) | BIT(23) | BIT(24) | BIT(28) | \
		BIT(29) | BIT(30) | BIT(31))
/* AVX512_VBMI UMIP AVX512_VBMI2 GFNI VAES VPCLMULQDQ AVX512_VNNI BITALG VPOPCNTDQ RDPID */
#define L7_ECX (BIT(1) | BIT(2) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | \
		BIT(14) | BIT(22))
/* FSRM; speculation controls are not offered */
#define L7_EDX (BIT(4))
#define E1_ECX (BIT(0) | BIT(5) | BIT(8))		/* LAHF LZCNT PREFETCHW */
/* SYSCALL NX 1GB RDTSCP LM */
#define E1_EDX (BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29))

static const struct row rows[] = {
	{ 0, { 0, ALL, ALL, ALL } },
	{ 1, { 0x0fff3fff, 0x0000ff00, L1_ECX, L1_EDX } },
	{ 2, { ALL, ALL, ALL, ALL } },
	{ 6, { BIT(2), 0, 0, 0 } },			/* ARAT: the timer never stops */
	{ 7, { 0, L7_EBX, L7_ECX, L7_EDX } },
	{ 0x16, { 0xffff, 0xffff, 0xffff, 0 } },
	{ EXTENDED, { 0, 0, 0, 0 } },
	{ EXTENDED + 1, { ALL, 0, E1_ECX, E1_EDX } },
	{ EXTENDED + 2, { ALL, ALL, ALL, ALL } },
	{ EXTENDED + 3, { ALL, ALL, ALL, ALL } },
	{ EXTENDED + 4, { ALL, ALL, ALL, ALL } },
	{ EXTENDED + 5, { ALL, ALL, ALL, ALL } },
	{ EXTENDED + 6, { ALL, ALL, ALL, ALL } },
	{ EXTENDED + 7, { 0, 0, 0, BIT(8) } },		/* invariant TSC */
	{ EXTENDED + 8, { 0xffff, 0, 0, 0 } },
};

static struct x86_cpuid basic[BASIC_MAX + 1], extended[EXTENDED_MAX + 1];
static struct x86_cpuid xstate[32];			/* leaf 0xd by subleaf */
static struct x86_cpuid caches[CACHES];			/* leaf 4 by subleaf; zeros: no more, or none */
static u64 xcr0_supported = 1, cr4_supported;
static bool fast_strings;

static struct x86_cpuid *leaf_slot(u32 leaf)
{
	return leaf >= EXTENDED ? &extended[leaf - EXTENDED] : &basic[leaf];
}

static void host_leaf(u32 leaf, u32 subleaf, struct x86_cpuid *out)
{
	cpuid_count(leaf, subleaf, &out->eax, &out->ebx, &out->ecx, &out->edx);
}

static void init_rows(void)
{
	u32 max_basic = cpuid_eax(0), max_extended = cpuid_eax(EXTENDED);
	struct x86_cpuid host;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct x86_cpuid *slot = leaf_slot(row->leaf);

		if (row->leaf > (row->leaf >= EXTENDED ? max_extended : max_basic))
			continue;
		host_leaf(row->leaf, 0, &host);
		slot->eax = host.eax & row->mask.eax;
		slot->ebx = host.ebx & row->mask.ebx;
		slot->ecx = host.ecx & row->mask.ecx;
		slot->edx = host.edx & row->mask.edx;
	}
	basic[0].eax = BASIC_MAX;
	extended[0].eax = EXTENDED + EXTENDED_MAX;
}

static void init_caches(void)
{
	unsigned int i;

	for (i = 0; cpuid_eax(0) >= 4 && i < CACHES; i++) {
		host_leaf(4, i, &caches[i]);
		if (caches[i].eax & CACHE_TYPE)
			continue;
		caches[i] = (struct x86_cpuid){};
		break;
	}
}

u64 x86_xcr0_host(void)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (u64)high << 32 | low;
}

/*
 * Firmware may have switched fast strings off (SDM vol. 1 7.3.9.3, vol. 4 IA32_MISC_ENABLE[0]): ERMS
 * and FSRM go with them, as in the host's own kernel.
 */
static void init_strings(void)
{
	u64 value;

	fast_strings = x86_rdmsr_safe(MSR_IA32_MISC_ENABLE, &value) &&
		       value & MSR_IA32_MISC_ENABLE_FAST_STRING;
	if (fast_strings)
		return;
	basic[7].ebx &= ~BIT(9);
	basic[7].edx &= ~BIT(4);
}

/* Instructions on registers that only XCR0 brings: the state that they need (SDM vol. 1 14.3, 15.3). */
static const struct { u8 state; u32 l1_ecx, l7_ebx, l7_ecx; } instructions[] = {
	/* FMA AVX F16C, AVX2, VAES VPCLMULQDQ */
	{ 0x6, BIT(12) | BIT(28) | BIT(29), BIT(5), BIT(9) | BIT(10) },
	/* AVX512 F DQ IFMA CD BW VL, VBMI VBMI2 VNNI BITALG VPOPCNTDQ */
	{ 0xe6, 0, BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31),
	  BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14) },
};

static void mask_instructions(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (!(instructions[i].state & ~xcr0_supported))
			continue;
		basic[1].ecx &= ~instructions[i].l1_ecx;
		basic[7].ebx &= ~instructions[i].l7_ebx;
		basic[7].ecx &= ~instructions[i].l7_ecx;
	}
}

/* What the host's kernel does not use (it may have found XSAVE broken) the guest can't have. */
static void init_xsave(void)
{
	unsigned int i;

	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		xcr0_supported = x86_xcr0_host() & X86_XCR0_GUEST;
	mask_instructions();
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE)) {
		basic[1].ecx &= ~BIT(26);
		return;
	}
	basic[1].ecx &= ~BIT(27);
	basic[0xd].eax = xcr0_supported;
	for (i = 2; i < ARRAY_SIZE(xstate); i++) {
		if (xcr0_supported & BIT(i))
			host_leaf(0xd, i, &xstate[i]);
		basic[0xd].ecx = max(basic[0xd].ecx, xstate[i].eax + xstate[i].ebx);
	}
	basic[0xd].ecx = max(basic[0xd].ecx, XSAVE_FIRST);
	host_leaf(0xd, 1, &xstate[1]);
	/* no XSAVES */
	xstate[1] = (struct x86_cpuid){ xstate[1].eax & (BIT(0) | HAS_XSAVEC | BIT(2)) };
}

static const struct { u8 leaf, reg, bit; u32 cr4; } cr4_by_feature[] = {
	{ 1, 3, 1, X86_CR4_VME | X86_CR4_PVI }, { 1, 3, 4, X86_CR4_TSD }, { 1, 3, 2, X86_CR4_DE },
	{ 1, 3, 3, X86_CR4_PSE }, { 1, 3, 6, X86_CR4_PAE }, { 1, 3, 7, X86_CR4_MCE },
	{ 1, 3, 13, X86_CR4_PGE },
	{ 1, 3, 24, X86_CR4_OSFXSR }, { 1, 3, 25, X86_CR4_OSXMMEXCPT },
	{ 1, 2, 17, X86_CR4_PCIDE }, { 1, 2, 26, X86_CR4_OSXSAVE },
	{ 7, 1, 0, X86_CR4_FSGSBASE }, { 7, 1, 7, X86_CR4_SMEP }, { 7, 1, 20, X86_CR4_SMAP },
	{ 7, 2, 2, X86_CR4_UMIP },
};

static void init_cr4(void)
{
	unsigned int i;

	cr4_supported = X86_CR4_PCE;		/* RDPMC is #UD or #GP in any case */
	for (i = 0; i < ARRAY_SIZE(cr4_by_feature); i++) {
		const u32 *regs = &basic[cr4_by_feature[i].leaf].eax;

		if (regs[cr4_by_feature[i].reg] & BIT(cr4_by_feature[i].bit))
			cr4_supported |= cr4_by_feature[i].cr4;
	}
}

/*
 * The TSC and the LAPIC timer by numbers: crystal × EBX / EAX. Linux multiplies the crystal's kHz
 * by EBX in 32 bits: of the fractions that survive that, the nearest.
 */
static void init_tsc_ratio(struct x86_cpuid *leaf)
{
	const u64 crystal_khz = X86_CRYSTAL_HZ / 1000;
	u64 best = U64_MAX, numerator, error;
	u32 denominator;

	for (denominator = 1; tsc_khz && best; denominator++) {
		numerator = DIV_ROUND_CLOSEST_ULL((u64)tsc_khz * denominator, crystal_khz);
		if (numerator * crystal_khz > U32_MAX)
			break;
		/* Of the rate, in units that do not depend on the denominator. */
		error = abs((s64)((u64)tsc_khz * denominator - numerator * crystal_khz));
		error = div_u64(error << 20, denominator);
		if (!numerator || error >= best)
			continue;
		best = error;
		leaf->eax = denominator;
		leaf->ebx = numerator;
	}
	leaf->ecx = X86_CRYSTAL_HZ;
}

void x86_cpuid_init(void)
{
	init_rows();
	init_caches();
	basic[1].ecx |= BIT(31) | BIT(21) | BIT(24);	/* hypervisor, x2APIC, TSC deadline: ours */
	basic[1].edx |= BIT(9);				/* APIC */
	basic[6].eax |= BIT(2);
	basic[7].ebx |= BIT(1);				/* TSC_ADJUST: ours too */
	init_tsc_ratio(&basic[0x15]);
	basic[0x16].eax = tsc_khz / 1000;
	init_strings();
	init_xsave();
	init_cr4();
}

bool x86_has_fast_strings(void)
{
	return fast_strings;
}

u64 x86_xcr0_supported(void)
{
	return xcr0_supported;
}

u64 x86_cr4_supported(void)
{
	return cr4_supported;
}

u8 x86_maxphyaddr(void)
{
	return extended[8].eax ? extended[8].eax & 0xff : 36;
}

bool x86_guest_has_long_mode(void)
{
	return extended[1].edx & BIT(29);
}

/* ---- per vCPU ---- */

/* The area for what XCR0 has on now. */
static noinstr u32 standard_size(const struct qvm_vcpu *vcpu)
{
	u32 size = XSAVE_FIRST;
	unsigned int i;

	for (i = 2; i < ARRAY_SIZE(xstate); i++)
		if (vcpu->arch.xcr0 & BIT(i))
			size = max(size, xstate[i].eax + xstate[i].ebx);
	return size;
}

/* The same of XSAVEC: one behind the other (SDM vol. 1 13.4.3). Without XSAVES there is no IA32_XSS. */
static noinstr u32 compacted_size(const struct qvm_vcpu *vcpu)
{
	u32 size = XSAVE_FIRST;
	unsigned int i;

	for (i = 2; i < ARRAY_SIZE(xstate); i++) {
		if (!(vcpu->arch.xcr0 & BIT(i)))
			continue;
		if (xstate[i].ecx & XSTATE_ALIGNED)
			size = round_up(size, 64);
		size += xstate[i].eax;
	}
	return size;
}

static noinstr void leaf_xstate(const struct qvm_vcpu *vcpu, u32 subleaf, struct x86_cpuid *out)
{
	*out = subleaf ? (subleaf < ARRAY_SIZE(xstate) ? xstate[subleaf] : (struct x86_cpuid){}) :
			 basic[0xd];
	if (!subleaf && out->eax)
		out->ebx = standard_size(vcpu);
	else if (subleaf == 1 && out->eax & HAS_XSAVEC)
		out->ebx = compacted_size(vcpu);
}

/* Last level: of all vCPUs; the others: of each its own. IDs there may be: a power of two, less one. */
static noinstr void leaf_caches(const struct qvm_vcpu *vcpu, u32 subleaf, struct x86_cpuid *out)
{
	u32 ids = (1U << fls(vcpu->vm->max_vcpus - 1)) - 1;

	*out = subleaf < CACHES ? caches[subleaf] : (struct x86_cpuid){};
	if (!out->eax)
		return;
	out->eax &= CACHE_FLAGS;
	out->eax |= min(ids, 63U) << 26;
	if (CACHE_LEVEL(out->eax) >= 3)
		out->eax |= min(ids, 4095U) << 14;
}

/* One thread a core, all cores in one package: the id is the vCPU's index. */
static noinstr void leaf_topology(const struct qvm_vcpu *vcpu, u32 subleaf, struct x86_cpuid *out)
{
	static const u8 level_type[] = { 1, 2 };

	memset(out, 0, sizeof(*out));
	out->ecx = subleaf & 0xff;
	out->edx = vcpu->index;
	if (subleaf >= ARRAY_SIZE(level_type))
		return;
	out->ecx |= level_type[subleaf] << 8;
	out->eax = subleaf ? 8 : 0;
	out->ebx = subleaf ? vcpu->vm->max_vcpus : 1;
}

static noinstr void leaf_features(const struct qvm_vcpu *vcpu, struct x86_cpuid *out)
{
	*out = basic[1];
	out->ebx |= vcpu->index << 24 | min(vcpu->vm->max_vcpus, 255U) << 16;
	if (vcpu->vm->max_vcpus > 1)
		out->edx |= BIT(28);		/* HTT: the count above is valid */
	if (vcpu->arch.cr4 & X86_CR4_OSXSAVE)
		out->ecx |= BIT(27);
	if (!vcpu->arch.apic_on)
		out->edx &= ~BIT(9);		/* as if there were none (10.4.3) */
}

static noinstr void leaf_hypervisor(u32 leaf, struct x86_cpuid *out)
{
	memset(out, 0, sizeof(*out));
	if (leaf == HYPERVISOR) {
		out->eax = HYPERVISOR + 1;
		out->ebx = 0x204d5651;		/* "QVM QVM QVM " */
		out->ecx = 0x204d5651;
		out->edx = 0x204d5651;
	} else if (leaf == HYPERVISOR + 1) {
		out->eax = QVM_API_VERSION;
	}
}

noinstr void x86_cpuid(const struct qvm_vcpu *vcpu, u32 leaf, u32 subleaf, struct x86_cpuid *out)
{
	if (leaf == 1)
		leaf_features(vcpu, out);
	else if (leaf == 4)
		leaf_caches(vcpu, subleaf, out);
	else if (leaf == 0xb)
		leaf_topology(vcpu, subleaf, out);
	else if (leaf == 0xd)
		leaf_xstate(vcpu, subleaf, out);
	else if (leaf == 7 && subleaf)
		memset(out, 0, sizeof(*out));
	else if (leaf <= BASIC_MAX)
		*out = basic[leaf];
	else if (leaf >= EXTENDED && leaf <= EXTENDED + EXTENDED_MAX)
		*out = extended[leaf - EXTENDED];
	else if (leaf >= HYPERVISOR && leaf < HYPERVISOR + 0x100)
		leaf_hypervisor(leaf, out);
	else
		*out = basic[BASIC_MAX];	/* as Intel's do past the last leaf */
}
