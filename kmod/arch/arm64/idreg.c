// SPDX-License-Identifier: GPL-2.0-only
/*
 * ID registers: an allow-list. A field that has no row reads as zero, or as the row's value where
 * zero would not mean "absent". What a guest sees is this list's, never the host's by default.
 */
#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "el2_regs.h"

#define ID_INDEX(crm, op2)	((crm) << 3 | (op2))

enum id_rule {
	ID_FIXED,	/* this value */
	ID_HOST,	/* the host's (sanitised: what all its CPUs have), at most this value */
	ID_SIGNED,	/* the host's, a signed field: 0xf is absent, at most this value */
};

struct id_field {
	u8 crm, op2;	/* op0 = 3, op1 = 0, CRn = 0 */
	u8 shift;
	u8 rule;	/* enum id_rule */
	u8 value;
};

/* Arm ARM D19.2, each register. Fields are 4 bits wide. */
static const struct id_field id_fields[] = {
	/* ID_AA64PFR0_EL1: no AArch32, no EL2, EL3, RAS, SVE, AMU, MPAM */
	{ 4, 0, 0, ID_FIXED, 1 },		/* EL0: AArch64 */
	{ 4, 0, 4, ID_FIXED, 1 },		/* EL1: AArch64 */
	{ 4, 0, 16, ID_SIGNED, 1 },		/* FP */
	{ 4, 0, 20, ID_SIGNED, 1 },		/* AdvSIMD */
	{ 4, 0, 48, ID_HOST, 1 },		/* DIT */
	{ 4, 0, 56, ID_HOST, 1 },		/* CSV2; 2 would bring SCXTNUM_ELx */
	{ 4, 0, 60, ID_HOST, 15 },		/* CSV3 */
	/* ID_AA64PFR1_EL1: no MTE, SME, NMI */
	{ 4, 1, 0, ID_HOST, 1 },		/* BT */
	{ 4, 1, 4, ID_HOST, 2 },		/* SSBS */
	/* ID_AA64DFR0_EL1: no PMU, SPE, trace; CTX_CMPs 0: of breakpoints the last one is context-aware */
	{ 5, 0, 0, ID_FIXED, 6 },		/* DebugVer: Armv8.0 */
	{ 5, 0, 12, ID_HOST, 15 },		/* BRPs */
	{ 5, 0, 20, ID_HOST, 15 },		/* WRPs */
	/* ID_AA64ISAR0_EL1: no TME */
	{ 6, 0, 4, ID_HOST, 15 },		/* AES */
	{ 6, 0, 8, ID_HOST, 15 },		/* SHA1 */
	{ 6, 0, 12, ID_HOST, 15 },		/* SHA2 */
	{ 6, 0, 16, ID_HOST, 15 },		/* CRC32 */
	{ 6, 0, 20, ID_HOST, 2 },		/* Atomic */
	{ 6, 0, 28, ID_HOST, 15 },		/* RDM */
	{ 6, 0, 32, ID_HOST, 15 },		/* SHA3 */
	{ 6, 0, 36, ID_HOST, 15 },		/* SM3 */
	{ 6, 0, 40, ID_HOST, 15 },		/* SM4 */
	{ 6, 0, 44, ID_HOST, 15 },		/* DP */
	{ 6, 0, 48, ID_HOST, 15 },		/* FHM */
	{ 6, 0, 52, ID_HOST, 2 },		/* TS */
	{ 6, 0, 56, ID_HOST, 2 },		/* TLB */
	{ 6, 0, 60, ID_HOST, 1 },		/* RNDR */
	/* ID_AA64ISAR1_EL1: no pointer authentication (its keys stay the host's), SPECRES, XS, LS64 */
	{ 6, 1, 0, ID_HOST, 2 },		/* DPB */
	{ 6, 1, 12, ID_HOST, 15 },		/* JSCVT */
	{ 6, 1, 16, ID_HOST, 15 },		/* FCMA */
	{ 6, 1, 20, ID_HOST, 2 },		/* LRCPC */
	{ 6, 1, 32, ID_HOST, 15 },		/* FRINTTS */
	{ 6, 1, 36, ID_HOST, 15 },		/* SB */
	{ 6, 1, 44, ID_HOST, 15 },		/* BF16 */
	{ 6, 1, 48, ID_HOST, 15 },		/* DGH */
	{ 6, 1, 52, ID_HOST, 15 },		/* I8MM */
	/* ID_AA64ISAR2_EL1: no WFxT, MOPS, PAC */
	{ 6, 2, 4, ID_HOST, 1 },		/* RPRES */
	{ 6, 2, 20, ID_HOST, 1 },		/* BC */
	{ 6, 2, 28, ID_HOST, 1 },		/* CLRBHB */
	/* ID_AA64MMFR0_EL1: PARange is set by arm64_idreg_init(); no ECV, FGT, ExS */
	{ 7, 0, 4, ID_HOST, 2 },		/* ASIDBits */
	{ 7, 0, 8, ID_HOST, 1 },		/* BigEnd */
	{ 7, 0, 12, ID_HOST, 1 },		/* SNSMem */
	{ 7, 0, 16, ID_HOST, 1 },		/* BigEndEL0 */
	{ 7, 0, 20, ID_HOST, 1 },		/* TGran16 */
	{ 7, 0, 24, ID_SIGNED, 0 },		/* TGran64 */
	{ 7, 0, 28, ID_SIGNED, 0 },		/* TGran4 */
	/* ID_AA64MMFR1_EL1: no virtualization, LORegions, XNX, HCX, AFP, TIDCP1 */
	{ 7, 1, 0, ID_HOST, 2 },		/* HAFDBS */
	{ 7, 1, 12, ID_HOST, 2 },		/* HPDS */
	{ 7, 1, 20, ID_HOST, 3 },		/* PAN */
	{ 7, 1, 36, ID_HOST, 1 },		/* ETS */
	{ 7, 1, 60, ID_HOST, 1 },		/* ECBHB */
	/* ID_AA64MMFR2_EL1: no IESB, NV, FWB, EVT */
	{ 7, 2, 0, ID_HOST, 1 },		/* CnP */
	{ 7, 2, 4, ID_HOST, 1 },		/* UAO */
	{ 7, 2, 8, ID_HOST, 1 },		/* LSM */
	{ 7, 2, 16, ID_HOST, 1 },		/* VARange */
	{ 7, 2, 20, ID_HOST, 1 },		/* CCIDX */
	{ 7, 2, 28, ID_HOST, 1 },		/* ST */
	{ 7, 2, 32, ID_HOST, 1 },		/* AT */
	{ 7, 2, 36, ID_HOST, 1 },		/* IDS */
	{ 7, 2, 48, ID_HOST, 1 },		/* TTL */
	{ 7, 2, 52, ID_HOST, 2 },		/* BBM */
	{ 7, 2, 60, ID_HOST, 1 },		/* E0PD */
};

static u64 field_value(const struct id_field *field)
{
	u64 host;

	if (field->rule == ID_FIXED)
		return field->value;
	host = read_sanitised_ftr_reg(sys_reg(3, 0, 0, field->crm, field->op2)) >> field->shift & 15;
	if (field->rule == ID_SIGNED && host == 15)
		return 15;
	return min_t(u64, host, field->value);
}

/* Size of the guest physical address space as PARange says it: what the guest may use at least. */
static u64 pa_range(unsigned int ipa_bits)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48 };
	unsigned int i = ARRAY_SIZE(bits) - 1;

	while (i && bits[i] > ipa_bits)
		i--;
	return i;
}

void arm64_idreg_init(struct qvm_vm *vm)
{
	u64 *regs = vm->arch.id_regs;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(id_fields); i++) {
		const struct id_field *field = &id_fields[i];

		regs[ID_INDEX(field->crm, field->op2)] |= field_value(field) << field->shift;
	}
	regs[ID_INDEX(7, 0)] |= pa_range(vm->ipa_bits);
}

void arm64_idreg_set_gic(struct qvm_vm *vm)
{
	vm->arch.id_regs[ID_INDEX(4, 0)] |= 1ULL << 24;	/* ID_AA64PFR0_EL1.GIC: v3, v4 */
}

unsigned int arm64_idreg_debug_count(const struct qvm_vm *vm, bool watchpoints)
{
	return ((vm->arch.id_regs[ID_INDEX(5, 0)] >> (watchpoints ? 20 : 12)) & 15) + 1;
}

noinstr bool arm64_idreg_read(const struct qvm_vm *vm, u32 encoding, u64 *value)
{
	u32 crm = (encoding >> 3) & 15;

	/* CRm = 0 is MIDR_EL1 and the like: they don't trap. */
	if ((encoding & ~SYSREG(0, 0, 0, 15, 7)) != SYSREG(3, 0, 0, 0, 0) || !crm || crm > 7)
		return false;
	*value = vm->arch.id_regs[ID_INDEX(crm, encoding & 7)];
	return true;
}
