// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs of a guest: one table says what there is. What is not in it is #GP and counted; values that
 * the hardware would refuse at a VM entry (26.3.1) are refused here.
 */
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/tsc.h>

#include "x86.h"

/* ---- rows ---- */

struct msr_row {
	u32 first, last;
	int (*read)(struct qvm_vcpu *vcpu, u32 index, u64 *value);
	int (*write)(struct qvm_vcpu *vcpu, u32 index, u64 value);
};

static int read_zero(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = 0;
	return 0;
}

/* Locked with nothing on: a guest that finds it unlocked locks it, and that is #GP here. */
static int read_locked(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = 1;
	return 0;
}

static int write_ignore(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	return 0;
}

static int write_gp(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	return -EINVAL;
}

static bool is_canonical(u64 value)
{
	return (u64)((s64)(value << 16) >> 16) == value;
}

static u64 *switched_field(struct qvm_vcpu *vcpu, u32 index)
{
	struct x86_msrs *msr = &vcpu->arch.msr;

	switch (index) {
	case MSR_STAR:		return &msr->star;
	case MSR_LSTAR:		return &msr->lstar;
	case MSR_CSTAR:		return &msr->cstar;
	case MSR_SYSCALL_MASK:	return &msr->sfmask;
	default:		return &msr->tsc_aux;
	}
}

static int read_switched(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = *switched_field(vcpu, index);
	return 0;
}

static int write_switched(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	if ((index == MSR_LSTAR || index == MSR_CSTAR) && !is_canonical(value))
		return -EINVAL;
	if ((index == MSR_TSC_AUX || index == MSR_SYSCALL_MASK) && value >> 32)
		return -EINVAL;
	x86_msr_switched_set(vcpu, switched_field(vcpu, index), value);
	return 0;
}

static int read_kernel_gs(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = x86_kernel_gs_get(vcpu);
	return 0;
}

static int write_kernel_gs(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	if (!is_canonical(value))
		return -EINVAL;
	x86_kernel_gs_set(vcpu, value);
	return 0;
}

static int read_efer(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vcpu->arch.msr.efer;
	return 0;
}

/* LME can't change while paging is on; LMA is the CPU's. */
static int write_efer(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	u64 old = vcpu->arch.msr.efer;
	u64 valid = EFER_SCE | EFER_NX | (x86_guest_has_long_mode() ? EFER_LME | EFER_LMA : 0);

	if (value & ~valid || ((old ^ value) & EFER_LME && vcpu->arch.cr0 & X86_CR0_PG))
		return -EINVAL;
	x86_msr_switched_set(vcpu, &vcpu->arch.msr.efer, (value & ~(u64)EFER_LMA) | (old & EFER_LMA));
	virt_update_mode(vcpu);
	if ((old ^ value) & EFER_NX)
		virt_flush_guest_tlb(vcpu);
	return 0;
}

static int read_pat(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vcpu->arch.msr.pat;
	return 0;
}

static int write_pat(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	unsigned int i;

	for (i = 0; i < 64; i += 8) {
		u8 type = value >> i;

		if (type > 7 || type == 2 || type == 3)
			return -EINVAL;
	}
	vcpu->arch.msr.pat = value;
	virt_update_mode(vcpu);
	return 0;
}

static u64 *sysenter_field(struct qvm_vcpu *vcpu, u32 index)
{
	return index == MSR_IA32_SYSENTER_CS ? &vcpu->arch.msr.sysenter_cs :
	       index == MSR_IA32_SYSENTER_ESP ? &vcpu->arch.msr.sysenter_esp :
						&vcpu->arch.msr.sysenter_eip;
}

static int read_sysenter(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = *sysenter_field(vcpu, index);
	return 0;
}

static int write_sysenter(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	if (index != MSR_IA32_SYSENTER_CS && !is_canonical(value))
		return -EINVAL;
	*sysenter_field(vcpu, index) = value;
	virt_update_mode(vcpu);
	return 0;
}

static int read_base(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = virt_get_msr(vcpu, index);
	return 0;
}

static int write_base(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	if (!is_canonical(value))
		return -EINVAL;
	virt_set_msr(vcpu, index, value);
	return 0;
}

static int read_apic_base(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vlapic_get_base(vcpu);
	return 0;
}

static int write_apic_base(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	int ret = vlapic_set_base(vcpu, value);

	if (!ret)
		virt_apic_base_changed(vcpu, value);
	return ret;
}

static int read_deadline(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vlapic_get_tsc_deadline(vcpu);
	return 0;
}

static int write_deadline(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	vlapic_set_tsc_deadline(vcpu, value);
	return 0;
}

static int read_tsc(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = rdtsc() + x86_tsc_offset(vcpu);
	return 0;
}

/* A deadline is of the TSC as it is now (10.5.4.1): looked at anew. */
static void set_tsc_adjust(struct qvm_vcpu *vcpu, u64 value)
{
	WRITE_ONCE(vcpu->arch.tsc_adjust, value);
	virt_update_tsc(vcpu);
	vlapic_set_tsc_deadline(vcpu, vlapic_get_tsc_deadline(vcpu));
}

/* Both change by as much (17.17.3). */
static int write_tsc(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	u64 now;

	read_tsc(vcpu, index, &now);
	set_tsc_adjust(vcpu, vcpu->arch.tsc_adjust + value - now);
	return 0;
}

static int read_tsc_adjust(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vcpu->arch.tsc_adjust;
	return 0;
}

static int write_tsc_adjust(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	set_tsc_adjust(vcpu, value);
	return 0;
}

/* Bits that a guest may write; of branch traces and PEBS it says that there are none. */
#define MISC_WRITABLE	(BIT_ULL(0) | BIT_ULL(3) | BIT_ULL(7) | BIT_ULL(16) | BIT_ULL(18) | \
			 BIT_ULL(22) | BIT_ULL(23) | BIT_ULL(34))
#define MISC_FIXED	(BIT_ULL(11) | BIT_ULL(12))

/* Fast strings as the host has them. */
static int read_misc_enable(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = vcpu->arch.msr.misc_enable;
	return 0;
}

static int write_misc_enable(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	vcpu->arch.msr.misc_enable = (value & MISC_WRITABLE) | MISC_FIXED;
	return 0;
}

/* Microcode: a revision for who waits for one; signing and loading do nothing. */
static int read_ucode(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = 1ULL << 32;
	return 0;
}

#define MTRR_ON		BIT_ULL(11)
#define MTRR_FIXED_ON	BIT_ULL(10)
#define MTRR_WRITE_BACK	6

/* MTRRs: kept and given back; memory types come from EPT and the guest's PAT. */
static int read_mtrr_cap(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = ARRAY_SIZE(vcpu->arch.msr.mtrr_base) | BIT_ULL(8) | BIT_ULL(10);
	return 0;
}

static u64 *mtrr_field(struct qvm_vcpu *vcpu, u32 index)
{
	struct x86_msrs *msr = &vcpu->arch.msr;

	if (index == MSR_MTRRdefType)
		return &msr->mtrr_def_type;
	if (index == MSR_MTRRfix64K_00000)
		return &msr->mtrr_fixed[0];
	if (index == MSR_MTRRfix16K_80000 || index == MSR_MTRRfix16K_A0000)
		return &msr->mtrr_fixed[1 + index - MSR_MTRRfix16K_80000];
	if (index >= MSR_MTRRfix4K_C0000)
		return &msr->mtrr_fixed[3 + index - MSR_MTRRfix4K_C0000];
	return index & 1 ? &msr->mtrr_mask[(index - 0x200) / 2] :
			   &msr->mtrr_base[(index - 0x200) / 2];
}

static int read_mtrr(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	*value = *mtrr_field(vcpu, index);
	return 0;
}

static bool is_mtrr_type(u8 type)
{
	return type < 7 && type != 2 && type != 3;
}

/* By register (11.11.2): a type and flags; eight types; base and type; mask and flag. */
static bool mtrr_is_valid(u32 index, u64 value)
{
	unsigned int i;

	if (index == MSR_MTRRdefType)
		return !(value & ~0xcffULL) && is_mtrr_type(value);
	if (index < 0x210)
		return !(value >> x86_maxphyaddr()) &&
		       (index & 1 ? !(value & 0x7ff) : !(value & 0xf00) && is_mtrr_type(value));
	for (i = 0; i < 64; i += 8)
		if (!is_mtrr_type(value >> i))
			return false;
	return true;
}

static int write_mtrr(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	if (!mtrr_is_valid(index, value))
		return -EINVAL;
	*mtrr_field(vcpu, index) = value;
	return 0;
}

static int read_x2apic(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	return vlapic_msr_read(vcpu, index, value);
}

static int write_x2apic(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	return vlapic_msr_write(vcpu, index, value);
}

/* Ascending. Machine-check banks, performance counters, power: none (CPUID says so). */
static const struct msr_row rows[] = {
	{ 0x10, 0x10, read_tsc, write_tsc },
	{ 0x17, 0x17, read_zero, write_gp },			/* PLATFORM_ID */
	{ 0x1b, 0x1b, read_apic_base, write_apic_base },
	{ 0x3a, 0x3a, read_locked, write_gp },			/* FEATURE_CONTROL */
	{ MSR_IA32_TSC_ADJUST, MSR_IA32_TSC_ADJUST, read_tsc_adjust, write_tsc_adjust },
	{ 0x79, 0x79, read_zero, write_ignore },		/* microcode load */
	{ 0x8b, 0x8b, read_ucode, write_ignore },
	{ MSR_MTRRcap, MSR_MTRRcap, read_mtrr_cap, write_gp },
	{ MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP, read_sysenter, write_sysenter },
	{ 0x179, 0x179, read_zero, write_gp },			/* MCG_CAP: no banks */
	{ 0x17a, 0x17a, read_zero, write_ignore },		/* MCG_STATUS */
	{ MSR_IA32_MISC_ENABLE, MSR_IA32_MISC_ENABLE, read_misc_enable, write_misc_enable },
	{ MSR_IA32_DEBUGCTLMSR, MSR_IA32_DEBUGCTLMSR, read_zero, write_ignore },
	{ 0x200, 0x20f, read_mtrr, write_mtrr },		/* 8 variable ranges */
	{ MSR_MTRRfix64K_00000, MSR_MTRRfix64K_00000, read_mtrr, write_mtrr },
	{ MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000, read_mtrr, write_mtrr },
	{ MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_F8000, read_mtrr, write_mtrr },
	{ MSR_IA32_CR_PAT, MSR_IA32_CR_PAT, read_pat, write_pat },
	{ MSR_MTRRdefType, MSR_MTRRdefType, read_mtrr, write_mtrr },
	{ MSR_IA32_TSC_DEADLINE, MSR_IA32_TSC_DEADLINE, read_deadline, write_deadline },
	{ 0x800, 0x8ff, read_x2apic, write_x2apic },
	{ MSR_EFER, MSR_EFER, read_efer, write_efer },
	{ MSR_STAR, MSR_SYSCALL_MASK, read_switched, write_switched },
	{ MSR_FS_BASE, MSR_GS_BASE, read_base, write_base },
	{ MSR_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE, read_kernel_gs, write_kernel_gs },
	{ MSR_TSC_AUX, MSR_TSC_AUX, read_switched, write_switched },
};

static const struct msr_row *row_find(u32 index)
{
	unsigned int low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (index < rows[mid].first)
			high = mid;
		else if (index > rows[mid].last)
			low = mid + 1;
		else
			return &rows[mid];
	}
	return NULL;
}

int x86_msr_read(struct qvm_vcpu *vcpu, u32 index, u64 *value)
{
	const struct msr_row *row = row_find(index);

	return row ? row->read(vcpu, index, value) : -EINVAL;
}

int x86_msr_write(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	const struct msr_row *row = row_find(index);

	return row ? row->write(vcpu, index, value) : -EINVAL;
}

void x86_msr_power_on(struct qvm_vcpu *vcpu)
{
	struct x86_msrs *msr = &vcpu->arch.msr;

	msr->mtrr_def_type = MTRR_ON | MTRR_FIXED_ON | MTRR_WRITE_BACK;
	memset(msr->mtrr_fixed, MTRR_WRITE_BACK, sizeof(msr->mtrr_fixed));
}

void x86_msr_reset(struct qvm_vcpu *vcpu)
{
	struct x86_msrs *msr = &vcpu->arch.msr;

	x86_msr_switched_set(vcpu, &msr->star, 0);
	x86_msr_switched_set(vcpu, &msr->lstar, 0);
	x86_msr_switched_set(vcpu, &msr->cstar, 0);
	x86_msr_switched_set(vcpu, &msr->sfmask, 0);
	x86_kernel_gs_set(vcpu, 0);
	vcpu->arch.msr.efer = 0;
	vcpu->arch.msr.pat = 0x0007040600070406ULL;
	vcpu->arch.msr.misc_enable = MISC_FIXED | (x86_has_fast_strings() ? MSR_IA32_MISC_ENABLE_FAST_STRING : 0);
	vcpu->arch.msr.sysenter_cs = 0;
	vcpu->arch.msr.sysenter_esp = 0;
	vcpu->arch.msr.sysenter_eip = 0;
}
