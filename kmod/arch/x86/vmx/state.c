// SPDX-License-Identifier: GPL-2.0-only
/* Guest state between struct vmx_state and the VMCS, by groups; and virt.h's view of it. */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "vmcs.h"
#include "vmx.h"

/* Selector, limit, rights and base fields have a regular layout: + 2 for each next segment. */
#define SEG_STEP(seg)	((seg) * 2)
#define RIGHTS_UNUSABLE	BIT(16)

static_assert(SEG_STEP(SEG_TR) == GUEST_TR_SELECTOR - GUEST_ES_SELECTOR);
static_assert(SEG_STEP(SEG_TR) == GUEST_TR_LIMIT - GUEST_ES_LIMIT);
static_assert(SEG_STEP(SEG_TR) == GUEST_TR_AR_BYTES - GUEST_ES_AR_BYTES);
static_assert(SEG_STEP(SEG_TR) == GUEST_TR_BASE - GUEST_ES_BASE);

/* CR4 bits that the guest changes without an exit: none of them needs our help. */
#define CR4_GUEST_OWNED	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PGE | \
			 X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_FSGSBASE)

static void segment_write(unsigned int i, const struct x86_segment *seg)
{
	vmcs_write_any(GUEST_ES_SELECTOR + SEG_STEP(i), seg->selector);
	vmcs_write_any(GUEST_ES_LIMIT + SEG_STEP(i), seg->limit);
	vmcs_write_any(GUEST_ES_AR_BYTES + SEG_STEP(i),
		       seg->unusable ? RIGHTS_UNUSABLE : seg->rights);
	vmcs_write_any(GUEST_ES_BASE + SEG_STEP(i), seg->base);
}

static void segment_read(unsigned int i, struct x86_segment *seg)
{
	u32 rights = vmcs_read_any(GUEST_ES_AR_BYTES + SEG_STEP(i));

	seg->selector = vmcs_read_any(GUEST_ES_SELECTOR + SEG_STEP(i));
	seg->limit = vmcs_read_any(GUEST_ES_LIMIT + SEG_STEP(i));
	seg->base = vmcs_read_any(GUEST_ES_BASE + SEG_STEP(i));
	seg->rights = rights;
	seg->unusable = rights & RIGHTS_UNUSABLE;
}

/* ---- into the VMCS ---- */

/*
 * CR0 and CR4 are all ours (but CR4_GUEST_OWNED): the guest reads the shadow. TS is set while the
 * guest's FP is not loaded. Fixed bits: 26.3.1.1; unrestricted guest frees PE and PG. CR4.MCE is
 * the host's: where it is clear a machine check shuts the processor down, and is no exit (6.15).
 */
void vmx_write_cr0(struct qvm_vcpu *vcpu, bool fp)
{
	u64 cr0 = vcpu->arch.cr0 | (vmx_config.cr0_fixed0 & ~(u64)(X86_CR0_PE | X86_CR0_PG));

	vmx_of(vcpu)->fp_in_cr0 = fp;
	if (!fp)
		cr0 |= X86_CR0_TS;
	vmcs_write(GUEST_CR0, cr0 & vmx_config.cr0_fixed1);
}

static void mode_write(struct qvm_vcpu *vcpu)
{
	u64 cr4 = (vcpu->arch.cr4 & ~(u64)X86_CR4_MCE) | (__read_cr4() & X86_CR4_MCE) |
		  vmx_config.cr4_fixed0;
	u64 efer = vcpu->arch.msr.efer;
	u32 entry = vmx_config.entry;

	if (efer & EFER_LMA)
		entry |= VM_ENTRY_IA32E_MODE;
	vmcs_write32(VM_ENTRY_CONTROLS, entry);
	vmcs_write64(GUEST_IA32_EFER, efer);
	vmcs_write64(GUEST_IA32_PAT, vcpu->arch.msr.pat);
	vmx_write_cr0(vcpu, vmx_of(vcpu)->fp_in_cr0);
	vmcs_write(CR0_READ_SHADOW, vcpu->arch.cr0);
	vmcs_write(CR0_GUEST_HOST_MASK, ~0ULL);
	vmcs_write(GUEST_CR4, cr4);
	vmcs_write(CR4_READ_SHADOW, vcpu->arch.cr4);
	vmcs_write(CR4_GUEST_HOST_MASK, ~(u64)CR4_GUEST_OWNED | ~x86_cr4_supported());
	vmcs_write(GUEST_DR7, vcpu->arch.dr7);
}

static void cr3_write(const struct vmx_state *state)
{
	unsigned int i;

	vmcs_write(GUEST_CR3, state->cr3);
	for (i = 0; i < 4; i++)
		vmcs_write_any(GUEST_PDPTR0 + 2 * i, state->pdpte[i]);
}

static void tables_write(const struct vmx_state *state)
{
	vmcs_write(GUEST_GDTR_BASE, state->gdt.base);
	vmcs_write32(GUEST_GDTR_LIMIT, state->gdt.limit);
	vmcs_write(GUEST_IDTR_BASE, state->idt.base);
	vmcs_write32(GUEST_IDTR_LIMIT, state->idt.limit);
}

static void sysenter_write(const struct x86_msrs *msr)
{
	vmcs_write32(GUEST_SYSENTER_CS, msr->sysenter_cs);
	vmcs_write(GUEST_SYSENTER_ESP, msr->sysenter_esp);
	vmcs_write(GUEST_SYSENTER_EIP, msr->sysenter_eip);
	vmcs_write64(GUEST_IA32_DEBUGCTL, 0);
}

static noinline void flush_more(struct qvm_vcpu *vcpu, u32 dirty)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_state *state = &vmx->state;
	unsigned int i;

	if (dirty & VMX_G_RSP || vmx->rsp != vcpu->arch.regs.gpr[GPR_RSP]) {
		vmx->rsp = vcpu->arch.regs.gpr[GPR_RSP];
		vmcs_write(GUEST_RSP, vmx->rsp);
	}
	if (dirty & VMX_G_RFLAGS)
		vmcs_write(GUEST_RFLAGS, state->rflags | X86_EFLAGS_FIXED);
	if (dirty & VMX_G_SHADOW) {
		vmcs_write32(GUEST_INTERRUPTIBILITY_INFO, state->interruptibility);
		vmcs_write(GUEST_PENDING_DBG_EXCEPTIONS, state->pending_debug);
	}
	if (dirty & VMX_G_MODE)
		mode_write(vcpu);
	if (dirty & VMX_G_CR3)
		cr3_write(state);
	if (dirty & VMX_G_TABLES)
		tables_write(state);
	if (dirty & VMX_G_SYSENTER)
		sysenter_write(&vcpu->arch.msr);
	if (dirty & VMX_G_SEGMENTS)
		for (i = 0; i < SEG_COUNT; i++)
			segment_write(i, &state->seg[i]);
}

void vmx_state_flush(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_state *state = &vmx->state;
	u32 dirty = state->dirty;

	/* What the guest changes by itself is known again when it is read back. */
	state->valid = 0;
	state->dirty = 0;
	if (dirty & VMX_G_RIP)
		vmcs_write(GUEST_RIP, state->rip);
	if (unlikely(dirty & ~VMX_G_RIP || vmx->rsp != vcpu->arch.regs.gpr[GPR_RSP]))
		flush_more(vcpu, dirty);
}

/* ---- out of it ---- */

static void cr3_read(struct vmx_state *state)
{
	unsigned int i;

	state->cr3 = vmcs_read(GUEST_CR3);
	for (i = 0; i < 4; i++)
		state->pdpte[i] = vmcs_read_any(GUEST_PDPTR0 + 2 * i);
}

static void tables_read(struct vmx_state *state)
{
	state->gdt.base = vmcs_read(GUEST_GDTR_BASE);
	state->gdt.limit = vmcs_read(GUEST_GDTR_LIMIT);
	state->idt.base = vmcs_read(GUEST_IDTR_BASE);
	state->idt.limit = vmcs_read(GUEST_IDTR_LIMIT);
}

static void mode_read(struct qvm_vcpu *vcpu)
{
	u64 owned = CR4_GUEST_OWNED & x86_cr4_supported();

	vcpu->arch.cr4 = (vcpu->arch.cr4 & ~owned) | (vmcs_read(GUEST_CR4) & owned);
}

static void sysenter_read(struct x86_msrs *msr)
{
	msr->sysenter_cs = vmcs_read(GUEST_SYSENTER_CS);
	msr->sysenter_esp = vmcs_read(GUEST_SYSENTER_ESP);
	msr->sysenter_eip = vmcs_read(GUEST_SYSENTER_EIP);
}

static void code_read(struct vmx_state *state)
{
	state->seg[SEG_CS].rights = vmcs_read_any(GUEST_CS_AR_BYTES);
	state->seg[SEG_SS].rights = vmcs_read_any(GUEST_SS_AR_BYTES);
}

/* What the VMCS says of the exit (24.9). */
static void exit_read(struct vmx_vcpu *vmx, u32 wanted)
{
	if (wanted & VMX_X_REASON)
		vmx->exit.qualification = vmcs_read(EXIT_QUALIFICATION);
	if (wanted & VMX_X_LENGTH)
		vmx->exit.length = vmcs_read(VM_EXIT_INSTRUCTION_LEN);
	if (wanted & VMX_X_EVENT) {
		vmx->exit.intr_info = vmcs_read(VM_EXIT_INTR_INFO);
		vmx->exit.intr_error = vmcs_read(VM_EXIT_INTR_ERROR_CODE);
	}
	if (wanted & VMX_X_ADDRESS) {
		vmx->exit.gpa = vmcs_read_any(GUEST_PHYSICAL_ADDRESS);
		vmx->exit.gva = vmcs_read(GUEST_LINEAR_ADDRESS);
	}
}

#define RARE	(VMX_G_MODE | VMX_G_CR3 | VMX_G_TABLES | VMX_G_SYSENTER | VMX_G_SEGMENTS)

static void rare_read(struct qvm_vcpu *vcpu, u32 wanted)
{
	struct vmx_state *state = &vmx_of(vcpu)->state;
	unsigned int i;

	if (wanted & VMX_G_MODE)
		mode_read(vcpu);
	if (wanted & VMX_G_CR3)
		cr3_read(state);
	if (wanted & VMX_G_TABLES)
		tables_read(state);
	if (wanted & VMX_G_SYSENTER)
		sysenter_read(&vcpu->arch.msr);
	if (wanted & VMX_G_SEGMENTS)
		for (i = 0; i < SEG_COUNT; i++)
			segment_read(i, &state->seg[i]);
}

void vmx_state_sync(struct qvm_vcpu *vcpu, u32 groups)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_state *state = &vmx->state;
	u32 wanted = groups & ~state->valid;

	state->valid |= groups;
	if (wanted & VMX_G_RIP)
		state->rip = vmcs_read(GUEST_RIP);
	if (wanted & VMX_G_RSP) {
		vmx->rsp = vmcs_read(GUEST_RSP);
		vcpu->arch.regs.gpr[GPR_RSP] = vmx->rsp;
	}
	if (wanted & VMX_G_RFLAGS)
		state->rflags = vmcs_read(GUEST_RFLAGS);
	if (wanted & VMX_G_SHADOW) {
		state->interruptibility = vmcs_read(GUEST_INTERRUPTIBILITY_INFO);
		state->pending_debug = vmcs_read(GUEST_PENDING_DBG_EXCEPTIONS);
	}
	if (wanted & VMX_G_CODE)
		code_read(state);
	exit_read(vmx, wanted);
	if (wanted & RARE)
		rare_read(vcpu, wanted);
}

/* ---- virt.h ---- */

static const struct vmx_state *state_for_look(struct qvm_vcpu *vcpu, u32 group)
{
	vmx_need(vcpu, group);
	return &vmx_of(vcpu)->state;
}

/* Changing what was not read back would lose the rest of its group. */
static struct vmx_state *state_for_change(struct qvm_vcpu *vcpu, u32 group)
{
	vmx_need(vcpu, group);
	vmx_of(vcpu)->state.dirty |= group;
	return &vmx_of(vcpu)->state;
}

u64 x86_get_rip(struct qvm_vcpu *vcpu)
{
	return state_for_look(vcpu, VMX_G_RIP)->rip;
}

bool x86_nmis_are_blocked(struct qvm_vcpu *vcpu)
{
	return state_for_look(vcpu, VMX_G_SHADOW)->interruptibility & GUEST_INTR_STATE_NMI;
}

u64 x86_get_rflags(struct qvm_vcpu *vcpu)
{
	return state_for_look(vcpu, VMX_G_RFLAGS)->rflags;
}

void x86_set_rflags(struct qvm_vcpu *vcpu, u64 rflags)
{
	state_for_change(vcpu, VMX_G_RFLAGS)->rflags = rflags;
}

u64 x86_get_cr3(struct qvm_vcpu *vcpu)
{
	return state_for_look(vcpu, VMX_G_CR3)->cr3;
}

void virt_set_cr3(struct qvm_vcpu *vcpu, u64 cr3)
{
	state_for_change(vcpu, VMX_G_CR3)->cr3 = cr3;
}

void virt_set_pdptes(struct qvm_vcpu *vcpu, const u64 pdpte[4])
{
	memcpy(state_for_change(vcpu, VMX_G_CR3)->pdpte, pdpte, 4 * sizeof(*pdpte));
}

void virt_set_rip(struct qvm_vcpu *vcpu, u64 rip)
{
	state_for_change(vcpu, VMX_G_RIP)->rip = rip;
}

void x86_get_segment(struct qvm_vcpu *vcpu, enum x86_seg seg, struct x86_segment *out)
{
	*out = state_for_look(vcpu, VMX_G_SEGMENTS)->seg[seg];
}

void virt_set_segment(struct qvm_vcpu *vcpu, enum x86_seg seg, const struct x86_segment *in)
{
	state_for_change(vcpu, VMX_G_SEGMENTS)->seg[seg] = *in;
}

void virt_get_table(struct qvm_vcpu *vcpu, bool idt, u64 *base, u32 *limit)
{
	const struct vmx_state *state = state_for_look(vcpu, VMX_G_TABLES);
	const struct vmx_table *table = idt ? &state->idt : &state->gdt;

	*base = table->base;
	*limit = table->limit;
}

void virt_set_table(struct qvm_vcpu *vcpu, bool idt, u64 base, u32 limit)
{
	struct vmx_state *state = state_for_change(vcpu, VMX_G_TABLES);
	struct vmx_table *table = idt ? &state->idt : &state->gdt;

	table->base = base;
	table->limit = limit;
}

u64 virt_get_msr(struct qvm_vcpu *vcpu, u32 index)
{
	return state_for_look(vcpu, VMX_G_SEGMENTS)->seg[index == MSR_FS_BASE ? SEG_FS : SEG_GS].base;
}

void virt_set_msr(struct qvm_vcpu *vcpu, u32 index, u64 value)
{
	enum x86_seg seg = index == MSR_FS_BASE ? SEG_FS : SEG_GS;

	state_for_change(vcpu, VMX_G_SEGMENTS)->seg[seg].base = value;
}

void virt_update_tsc(struct qvm_vcpu *vcpu)
{
	vmx_of(vcpu)->is_set_up = false;
}

/*
 * EFER, CR0, CR4, PAT, DR7, SYSENTER in vcpu->arch were changed: of CR4 and SYSENTER by who had read
 * them before, for the guest has a part in these.
 */
void virt_update_mode(struct qvm_vcpu *vcpu)
{
	vmx_need(vcpu, VMX_G_MODE | VMX_G_SYSENTER);
	vmx_of(vcpu)->state.dirty |= VMX_G_MODE | VMX_G_SYSENTER;
}

#define RIGHTS_L	BIT(13)
#define RIGHTS_DB	BIT(14)
#define RIGHTS_DPL(r)	(((r) >> 5) & 3)

unsigned int x86_code_mode(struct qvm_vcpu *vcpu)
{
	const struct x86_segment *cs = &state_for_look(vcpu, VMX_G_CODE)->seg[SEG_CS];

	if (vcpu->arch.msr.efer & EFER_LMA && cs->rights & RIGHTS_L)
		return 8;
	return cs->rights & RIGHTS_DB ? 4 : 2;
}

unsigned int x86_cpl(struct qvm_vcpu *vcpu)
{
	const struct vmx_state *state;

	if (!(vcpu->arch.cr0 & X86_CR0_PE))
		return 0;
	state = state_for_look(vcpu, VMX_G_CODE | VMX_G_RFLAGS);
	return state->rflags & X86_EFLAGS_VM ? 3 : RIGHTS_DPL(state->seg[SEG_SS].rights);
}

/* An instruction is done: its shadow and RF end, and TF traps after it (26.7.3, pending debug BS). */
static noinline void skip_to(struct qvm_vcpu *vcpu, u64 rip)
{
	const u32 shadows = GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS;
	struct vmx_state *state = state_for_change(vcpu, VMX_G_RIP);

	state->rip = rip >> 32 && x86_code_mode(vcpu) != 8 ? (u32)rip : rip;
	vmx_need(vcpu, VMX_G_SKIP);
	if (unlikely(state->rflags & X86_EFLAGS_RF))
		x86_set_rflags(vcpu, state->rflags & ~(u64)X86_EFLAGS_RF);
	if (likely(!(state->interruptibility & shadows || state->rflags & X86_EFLAGS_TF)))
		return;
	state->dirty |= VMX_G_SHADOW;
	state->interruptibility &= ~shadows;
	if (state->rflags & X86_EFLAGS_TF)
		state->pending_debug |= PENDING_DEBUG_BS;
}

void x86_skip_to(struct qvm_vcpu *vcpu, u64 rip)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	/* Tier 0b has looked for all of that, and nobody has changed anything since. */
	if (unlikely(vmx->exit.answer != FAST_USER || vmx->state.dirty))
		return skip_to(vcpu, rip);
	vmx->state.rip = rip;
	vmx->state.dirty = VMX_G_RIP;
}

void x86_skip(struct qvm_vcpu *vcpu)
{
	vmx_need(vcpu, VMX_G_SKIP);
	x86_skip_to(vcpu, vmx_of(vcpu)->state.rip + vmx_of(vcpu)->exit.length);
}
