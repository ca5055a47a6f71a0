// SPDX-License-Identifier: GPL-2.0-only
/* Control and debug registers that exit: guest writes are checked as the SDM has it (2.5). */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "guestmem.h"
#include "x86.h"

#define CR0_VALID	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)

static enum exit_action gp(struct qvm_vcpu *vcpu)
{
	x86_inject_exception(vcpu, X86_XCPT_GP, 0);
	return EXIT_RESUME;
}

static enum exit_action done(struct qvm_vcpu *vcpu)
{
	virt_update_mode(vcpu);
	x86_skip(vcpu);
	return EXIT_RESUME;
}

static bool is_pae_paging(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.cr0 & X86_CR0_PG && vcpu->arch.cr4 & X86_CR4_PAE &&
	       !(vcpu->arch.msr.efer & EFER_LMA);
}

/* PAE paging keeps the four PDPTEs in registers: they are read when it begins (4.4.1). */
static bool load_pdptes(struct qvm_vcpu *vcpu)
{
	u64 pdpte[4];
	unsigned int i;

	if (!is_pae_paging(vcpu))
		return true;
	if (qvm_guest_read(vcpu->vm, x86_get_cr3(vcpu) & 0xffffffe0, pdpte, sizeof(pdpte)))
		return false;
	for (i = 0; i < 4; i++)
		if (pdpte[i] & 1 && (pdpte[i] & 0x1e6 || pdpte[i] >> x86_maxphyaddr()))
			return false;
	virt_set_pdptes(vcpu, pdpte);
	return true;
}

bool x86_load_cr3(struct qvm_vcpu *vcpu, u32 cr3)
{
	u64 old = x86_get_cr3(vcpu);

	virt_set_cr3(vcpu, cr3);
	if (!load_pdptes(vcpu)) {
		virt_set_cr3(vcpu, old);
		return false;
	}
	virt_flush_guest_tlb(vcpu);
	return true;
}

/*
 * LMA follows LME and PG; long mode needs PAE and a code segment that is not 64-bit yet (9.8.5), nor
 * can paging end in 64-bit code (SDM vol. 2, MOV to control registers).
 */
static bool update_lma(struct qvm_vcpu *vcpu, u64 cr0)
{
	struct x86_segment cs;
	u64 *efer = &vcpu->arch.msr.efer;

	if (!(cr0 & X86_CR0_PG)) {
		if (x86_code_mode(vcpu) == 8)
			return false;
		*efer &= ~(u64)EFER_LMA;
		return true;
	}
	if (!(*efer & EFER_LME) || *efer & EFER_LMA)
		return true;
	x86_get_segment(vcpu, SEG_CS, &cs);
	if (!(vcpu->arch.cr4 & X86_CR4_PAE) || cs.rights & BIT(13))
		return false;
	*efer |= EFER_LMA;
	return true;
}

static bool set_cr0(struct qvm_vcpu *vcpu, u64 value)
{
	u64 old = vcpu->arch.cr0, efer = vcpu->arch.msr.efer;

	if (value >> 32 || (value & X86_CR0_PG && !(value & X86_CR0_PE)) ||
	    (value & X86_CR0_NW && !(value & X86_CR0_CD)))
		return false;
	if (!(value & X86_CR0_PG) && vcpu->arch.cr4 & X86_CR4_PCIDE)
		return false;
	if ((old ^ value) & X86_CR0_PG && !update_lma(vcpu, value))
		return false;
	vcpu->arch.cr0 = (value & CR0_VALID) | X86_CR0_ET;
	if ((old ^ value) & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW) && !load_pdptes(vcpu)) {
		vcpu->arch.cr0 = old;
		vcpu->arch.msr.efer = efer;
		return false;
	}
	if ((old ^ value) & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE))
		virt_flush_guest_tlb(vcpu);
	return true;
}

static bool set_cr4(struct qvm_vcpu *vcpu, u64 value)
{
	const u64 paging = X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | X86_CR4_SMEP |
			   X86_CR4_SMAP;
	u64 old = vcpu->arch.cr4;
	bool lma = vcpu->arch.msr.efer & EFER_LMA;

	if (value & ~x86_cr4_supported() || (lma && !(value & X86_CR4_PAE)))
		return false;
	if (value & ~old & X86_CR4_PCIDE && (!lma || x86_get_cr3(vcpu) & 0xfff))
		return false;
	vcpu->arch.cr4 = value;
	if ((old ^ value) & paging && !load_pdptes(vcpu)) {
		vcpu->arch.cr4 = old;
		return false;
	}
	if ((old ^ value) & paging)
		virt_flush_guest_tlb(vcpu);
	return true;
}

static bool cr_write(struct qvm_vcpu *vcpu, unsigned int cr, u64 value)
{
	/* Outside 64-bit mode the register is 32 bits wide. */
	if (x86_code_mode(vcpu) != 8)
		value = (u32)value;
	switch (cr) {
	case 0:
		return set_cr0(vcpu, value);
	case 4:
		return set_cr4(vcpu, value);
	case 8:
		if (value > 15)
			return false;
		vlapic_set_cr8(vcpu, value);
		return true;
	default:
		return false;
	}
}

static u64 cr_read(struct qvm_vcpu *vcpu, unsigned int cr)
{
	switch (cr) {
	case 0:
		return vcpu->arch.cr0;
	case 3:
		return x86_get_cr3(vcpu);
	case 4:
		return vcpu->arch.cr4;
	default:
		return vlapic_get_cr8(vcpu);
	}
}

enum exit_action x86_cr_exit(struct qvm_vcpu *vcpu, unsigned int cr, bool is_write,
			     unsigned int gpr)
{
	if (!is_write)
		x86_gpr_write(vcpu, gpr, cr_read(vcpu, cr));
	else if (!cr_write(vcpu, cr, x86_gpr_read(vcpu, gpr)))
		return gp(vcpu);
	return done(vcpu);
}

enum exit_action x86_clts(struct qvm_vcpu *vcpu)
{
	vcpu->arch.cr0 &= ~(u64)X86_CR0_TS;
	return done(vcpu);
}

/* PE can be set but not cleared (LMSW, SDM vol. 2). */
enum exit_action x86_lmsw(struct qvm_vcpu *vcpu, u16 value)
{
	u64 cr0 = (vcpu->arch.cr0 & ~0xeULL) | (value & 0xf);

	return set_cr0(vcpu, cr0) ? done(vcpu) : gp(vcpu);
}

/* ---- debug registers: DR4 and DR5 are DR6 and DR7 unless CR4.DE ---- */

static u64 *dr_field(struct qvm_vcpu *vcpu, unsigned int dr)
{
	if (dr < 4)
		return &vcpu->arch.dr[dr];
	return dr & 1 ? &vcpu->arch.dr7 : &vcpu->arch.dr6;
}

#define DR6_BD		BIT_ULL(13)
#define DR7_GD		BIT_ULL(13)

/*
 * The exit comes before the faults of the instruction (25.1.3): they are looked for here, in the order
 * of their vectors' priority (SDM vol. 2, MOV to debug registers). True: one is on its way.
 */
static bool dr_faults(struct qvm_vcpu *vcpu, unsigned int dr)
{
	if ((dr == 4 || dr == 5) && vcpu->arch.cr4 & X86_CR4_DE) {
		x86_inject_exception(vcpu, X86_XCPT_UD, -1);
	} else if (x86_cpl(vcpu)) {
		x86_inject_exception(vcpu, X86_XCPT_GP, 0);
	} else if (vcpu->arch.dr7 & DR7_GD) {
		vcpu->arch.dr6 |= DR6_BD;
		vcpu->arch.dr7 &= ~DR7_GD;
		virt_update_mode(vcpu);
		x86_inject_exception(vcpu, X86_XCPT_DB, -1);
	} else {
		return false;
	}
	return true;
}

enum exit_action x86_dr_exit(struct qvm_vcpu *vcpu, unsigned int dr, bool is_write,
			     unsigned int gpr)
{
	u64 *field = dr_field(vcpu, dr), value = x86_gpr_read(vcpu, gpr);

	if (dr_faults(vcpu, dr))
		return EXIT_RESUME;
	if (!is_write) {
		x86_gpr_write(vcpu, gpr, *field);
		return done(vcpu);
	}
	/* Outside 64-bit mode the register is 32 bits wide. */
	if (x86_code_mode(vcpu) != 8)
		value = (u32)value;
	if (dr >= 4 && value >> 32)
		return gp(vcpu);
	if (field == &vcpu->arch.dr6)
		value = (value & 0xe00f) | 0xffff0ff0;
	else if (field == &vcpu->arch.dr7)
		value = (value & 0xffff2bff) | 0x400;
	*field = value;
	return done(vcpu);
}

/* Faults as the SDM has them: x87 always, AVX only with SSE, AVX-512 all of it or nothing. */
enum exit_action x86_xsetbv(struct qvm_vcpu *vcpu)
{
	u64 value = vcpu->arch.regs.gpr[GPR_RDX] << 32 | (u32)vcpu->arch.regs.gpr[GPR_RAX];
	u64 avx512 = value & 0xe0;

	if ((u32)vcpu->arch.regs.gpr[GPR_RCX] || value & ~x86_xcr0_supported() || !(value & 1) ||
	    (value & 6) == 4 || (avx512 && (avx512 != 0xe0 || (value & 6) != 6)) || x86_cpl(vcpu))
		return gp(vcpu);
	vcpu->arch.xcr0 = value;
	return done(vcpu);
}
