// SPDX-License-Identifier: GPL-2.0-only
/* Checks of a VM entry: guest state (27.3.1). */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "check.h"

enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

#define RIGHTS_TYPE	GENMASK(3, 0)
#define RIGHTS_S	BIT(4)
#define RIGHTS_P	BIT(7)
#define RIGHTS_L	BIT(13)
#define RIGHTS_DB	BIT(14)
#define RIGHTS_G	BIT(15)
#define RIGHTS_UNUSABLE	BIT(16)
#define RIGHTS_RESERVED	(GENMASK(31, 17) | GENMASK(11, 8))
#define TYPE_ACCESSED	1
#define TYPE_READABLE	2		/* of code */
#define TYPE_CODE	8
#define TYPE_DATA	3		/* read and write, accessed */

static u32 rights_of(const struct vmx_checked *v, unsigned int seg)
{
	return v->read(GUEST_ES_AR_BYTES + 2 * seg);
}

static unsigned int type_of(const struct vmx_checked *v, unsigned int seg)
{
	return rights_of(v, seg) & RIGHTS_TYPE;
}

static unsigned int dpl_of(const struct vmx_checked *v, unsigned int seg)
{
	return rights_of(v, seg) >> 5 & 3;
}

static unsigned int rpl_of(const struct vmx_checked *v, unsigned int seg)
{
	return v->read(GUEST_ES_SELECTOR + 2 * seg) & 3;
}

static bool is_unusable(const struct vmx_checked *v, unsigned int seg)
{
	return seg != CS && seg != TR && rights_of(v, seg) & RIGHTS_UNUSABLE;
}

static bool is_v86(const struct vmx_checked *v)
{
	return v->read(GUEST_RFLAGS) & X86_EFLAGS_VM;
}

/* Of code and data segments, outside of virtual-8086 mode, which has rules of its own. */
static bool has_rights(const struct vmx_checked *v, unsigned int seg)
{
	return !is_v86(v) && !is_unusable(v, seg);
}

static bool is_long(const struct vmx_checked *v)
{
	return v->read(VM_ENTRY_CONTROLS) & VM_ENTRY_IA32E_MODE;
}

static bool is_unrestricted(const struct vmx_checked *v)
{
	return vmx_check_get(v, SECONDARY_VM_EXEC_CONTROL) & SECONDARY_EXEC_UNRESTRICTED_GUEST;
}

/* Type of the event that this entry delivers, -1: none. */
static int event_type(const struct vmx_checked *v)
{
	u64 info = v->read(VM_ENTRY_INTR_INFO_FIELD);

	return info & INTR_INFO_VALID_MASK ? (int)(info >> 8 & 7) : -1;
}

static u64 value_of(const struct vmx_checked *v, const struct vmx_check *check, unsigned int seg)
{
	return v->read(check->field + 2 * seg);
}

/* ---- control registers and MSRs ---- */

static VMX_HOLDS(cr0_fixed)
{
	u64 free = X86_CR0_NW | X86_CR0_CD | (is_unrestricted(v) ? X86_CR0_PE | X86_CR0_PG : 0);
	u64 cr0 = value_of(v, check, seg);

	return !(v->caps->cr0_fixed0 & ~cr0 & ~free) && !(cr0 & ~v->caps->cr0_fixed1 & ~free);
}

static VMX_HOLDS(cr0_paging)
{
	u64 cr0 = value_of(v, check, seg);

	return !(cr0 & X86_CR0_PG) || cr0 & X86_CR0_PE;
}

static VMX_HOLDS(no_pcid)
{
	return is_long(v) || !(value_of(v, check, seg) & X86_CR4_PCIDE);
}

static VMX_HOLDS(efer_lma)
{
	return !(value_of(v, check, seg) & EFER_LMA) == !is_long(v);
}

static VMX_HOLDS(efer_lme)
{
	u64 efer = value_of(v, check, seg);

	return !(v->read(GUEST_CR0) & X86_CR0_PG) || !(efer & EFER_LMA) == !(efer & EFER_LME);
}

/* ---- segments ---- */

/* Clear, where the segment is usable. */
static VMX_HOLDS(usable_clear)
{
	return is_unusable(v, seg) || !(value_of(v, check, seg) & check->arg);
}

static VMX_HOLDS(usable_set)
{
	return is_unusable(v, seg) || (value_of(v, check, seg) & check->arg) == check->arg;
}

static VMX_HOLDS(usable_canonical)
{
	return is_unusable(v, seg) || vmx_is_canonical(v, value_of(v, check, seg));
}

static VMX_HOLDS(ss_rpl)
{
	return is_v86(v) || is_unrestricted(v) || rpl_of(v, SS) == rpl_of(v, CS);
}

static VMX_HOLDS(v86_base)
{
	return !is_v86(v) || value_of(v, check, seg) == v->read(GUEST_ES_SELECTOR + 2 * seg) << 4;
}

/* Virtual-8086 mode: arg, no more, no less. */
static VMX_HOLDS(v86_is)
{
	return !is_v86(v) || value_of(v, check, seg) == check->arg;
}

static VMX_HOLDS(code_type)
{
	unsigned int type = type_of(v, seg);

	return is_v86(v) || (type & TYPE_CODE && type & TYPE_ACCESSED) ||
	       (type == TYPE_DATA && is_unrestricted(v));
}

static VMX_HOLDS(stack_type)
{
	unsigned int type = type_of(v, seg);

	return !has_rights(v, seg) || type == TYPE_DATA || type == (TYPE_DATA | 4);
}

static VMX_HOLDS(data_type)
{
	unsigned int type = type_of(v, seg);

	return !has_rights(v, seg) ||
	       (type & TYPE_ACCESSED && (!(type & TYPE_CODE) || type & TYPE_READABLE));
}

static VMX_HOLDS(rights_set)
{
	return !has_rights(v, seg) || (rights_of(v, seg) & check->arg) == check->arg;
}

static VMX_HOLDS(rights_clear)
{
	return !has_rights(v, seg) || !(rights_of(v, seg) & check->arg);
}

/* Conforming code may be of a higher level, other code is of SS's; data as code is real mode's. */
static VMX_HOLDS(code_dpl)
{
	unsigned int dpl = dpl_of(v, CS);

	if (is_v86(v))
		return true;
	if (type_of(v, CS) == TYPE_DATA)
		return !dpl;
	return type_of(v, CS) & 4 ? dpl <= dpl_of(v, SS) : dpl == dpl_of(v, SS);
}

static VMX_HOLDS(stack_dpl)
{
	return is_v86(v) || is_unrestricted(v) || dpl_of(v, SS) == rpl_of(v, SS);
}

static VMX_HOLDS(stack_dpl_real)
{
	return is_v86(v) || (type_of(v, CS) != TYPE_DATA && v->read(GUEST_CR0) & X86_CR0_PE) ||
	       !dpl_of(v, SS);
}

static VMX_HOLDS(data_dpl)
{
	return !has_rights(v, seg) || is_unrestricted(v) || type_of(v, seg) > 11 ||
	       dpl_of(v, seg) >= rpl_of(v, seg);
}

static VMX_HOLDS(code_size)
{
	u32 rights = rights_of(v, seg);

	return is_v86(v) || !is_long(v) || !(rights & RIGHTS_L) || !(rights & RIGHTS_DB);
}

static VMX_HOLDS(granularity)
{
	u32 limit = value_of(v, check, seg);
	bool pages = rights_of(v, seg) & RIGHTS_G;

	if (is_unusable(v, seg) || (seg < LDTR && is_v86(v)))
		return true;
	return (!pages || (limit & 0xfff) == 0xfff) && (pages || !(limit >> 20));
}

static VMX_HOLDS(ldt_type)
{
	return is_unusable(v, LDTR) || type_of(v, LDTR) == 2;
}

/* Busy, of 32 or (outside IA-32e mode) 16 bits. */
static VMX_HOLDS(tss_type)
{
	return type_of(v, TR) == 11 || (type_of(v, TR) == 3 && !is_long(v));
}

/* ---- the rest ---- */

static VMX_HOLDS(rip)
{
	u64 rip = value_of(v, check, seg);
	unsigned int bits = v->caps->linear_bits;

	if (!is_long(v) || !(rights_of(v, CS) & RIGHTS_L))
		return !(rip >> 32);
	return bits == 64 || !(rip >> bits) || !(~rip >> bits);
}

static VMX_HOLDS(flags_v86)
{
	return !is_v86(v) || (!is_long(v) && v->read(GUEST_CR0) & X86_CR0_PE);
}

static VMX_HOLDS(flags_if)
{
	return event_type(v) || value_of(v, check, seg) & X86_EFLAGS_IF;
}

/* IA32_VMX_MISC has a bit for each state but the active one. */
static VMX_HOLDS(activity)
{
	u64 state = value_of(v, check, seg);

	return !state || (state < 4 && v->caps->misc >> (5 + state) & 1);
}

static VMX_HOLDS(activity_hlt)
{
	return value_of(v, check, seg) != GUEST_ACTIVITY_HLT || !dpl_of(v, SS);
}

#define SHADOWS	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

static VMX_HOLDS(activity_shadow)
{
	return !value_of(v, check, seg) || !(v->read(GUEST_INTERRUPTIBILITY_INFO) & SHADOWS);
}

static VMX_HOLDS(one_shadow)
{
	return (value_of(v, check, seg) & SHADOWS) != SHADOWS;
}

static VMX_HOLDS(sti_shadow)
{
	return v->read(GUEST_RFLAGS) & X86_EFLAGS_IF || !(value_of(v, check, seg) & GUEST_INTR_STATE_STI);
}

static VMX_HOLDS(interrupt_open)
{
	return event_type(v) || !(value_of(v, check, seg) & SHADOWS);
}

/* Of STI's shadow some processors make this check too. */
static VMX_HOLDS(nmi_open)
{
	return event_type(v) != 2 || !(value_of(v, check, seg) & SHADOWS);
}

static VMX_HOLDS(nmi_unblocked)
{
	return event_type(v) != 2 || !(v->read(PIN_BASED_VM_EXEC_CONTROL) & PIN_BASED_VIRTUAL_NMIS) ||
	       !(value_of(v, check, seg) & GUEST_INTR_STATE_NMI);
}

/* BS is pending behind a shadow (or HLT) where TF steps; DEBUGCTL.BTF has it step over branches. */
static VMX_HOLDS(pending_step)
{
	bool held = v->read(GUEST_INTERRUPTIBILITY_INFO) & SHADOWS ||
		    v->read(GUEST_ACTIVITY_STATE) == GUEST_ACTIVITY_HLT;
	bool steps = v->read(GUEST_RFLAGS) & X86_EFLAGS_TF && !(v->read(GUEST_IA32_DEBUGCTL) & BIT(1));

	return !held || !(value_of(v, check, seg) & BIT(14)) == !steps;
}

static VMX_HOLDS(no_shadow_vmcs)
{
	return value_of(v, check, seg) == ~0ULL;
}

/* 4.4.1: of present ones bits 2:1, 8:5 and those beyond the address width are reserved. */
static VMX_HOLDS(pdptes)
{
	const u64 paging = X86_CR0_PG, reserved = GENMASK_ULL(8, 5) | GENMASK_ULL(2, 1);
	unsigned int i;
	u64 pdpte;

	if (is_long(v) || !(v->read(GUEST_CR0) & paging) || !(v->read(GUEST_CR4) & X86_CR4_PAE))
		return true;
	for (i = 0; i < 4; i++) {
		pdpte = v->read(check->field + 2 * i);
		if (pdpte & 1 && (pdpte & reserved || pdpte >> v->caps->phys_bits))
			return false;
	}
	return true;
}

#define PROC2(bit)	{ SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_##bit }
#define ENTRY(bit)	{ VM_ENTRY_CONTROLS, VM_ENTRY_##bit }
#define LONG		ENTRY(IA32E_MODE)

#define ONLY(seg)	.segments = BIT(seg)
#define CODE_DATA	.segments = GENMASK(GS, ES)
#define DATA		.segments = GENMASK(GS, ES) & ~(BIT(CS) | BIT(SS))
#define ALL		.segments = GENMASK(TR, ES)

#define UPPER32		GENMASK_ULL(63, 32)

#define CRS		"27.3.1.1"
#define SEG		"27.3.1.2"
#define TABLE		"27.3.1.3"
#define FLOW		"27.3.1.4"
#define OTHER		"27.3.1.5"

static const struct vmx_check rows[] = {
	{ CRS, "CR0 as IA32_VMX_CR0_FIXED0 and 1 have it", cr0_fixed, GUEST_CR0 },
	{ CRS, "CR0.PG needs PE", cr0_paging, GUEST_CR0 },
	{ CRS, "CR4 as IA32_VMX_CR4_FIXED0 and 1 have it", vmx_holds_fixed_cr4, GUEST_CR4 },
	{ CRS, "DEBUGCTL's reserved bits are 0", vmx_holds_clear, GUEST_IA32_DEBUGCTL,
	  GENMASK_ULL(63, 16) | GENMASK_ULL(5, 3), ENTRY(LOAD_DEBUG_CONTROLS) },
	{ CRS, "IA-32e mode needs CR0.PG", vmx_holds_set, GUEST_CR0, X86_CR0_PG, LONG },
	{ CRS, "IA-32e mode needs CR4.PAE", vmx_holds_set, GUEST_CR4, X86_CR4_PAE, LONG },
	{ CRS, "CR4.PCIDE needs IA-32e mode", no_pcid, GUEST_CR4 },
	{ CRS, "CR3 within the physical address width", vmx_holds_address, GUEST_CR3 },
	{ CRS, "DR7's upper half is 0", vmx_holds_clear, GUEST_DR7, UPPER32,
	  ENTRY(LOAD_DEBUG_CONTROLS) },
	{ CRS, "SYSENTER_ESP canonical", vmx_holds_canonical, GUEST_SYSENTER_ESP },
	{ CRS, "SYSENTER_EIP canonical", vmx_holds_canonical, GUEST_SYSENTER_EIP },
	{ CRS, "PAT of memory types", vmx_holds_pat, GUEST_IA32_PAT, 0, ENTRY(LOAD_IA32_PAT) },
	{ CRS, "EFER's reserved bits are 0", vmx_holds_clear, GUEST_IA32_EFER,
	  ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX), ENTRY(LOAD_IA32_EFER) },
	{ CRS, "EFER.LMA as IA-32e mode", efer_lma, GUEST_IA32_EFER, 0, ENTRY(LOAD_IA32_EFER) },
	{ CRS, "EFER.LMA as LME where CR0.PG is set", efer_lme, GUEST_IA32_EFER, 0,
	  ENTRY(LOAD_IA32_EFER) },

	{ SEG, "selector's TI is 0", usable_clear, GUEST_ES_SELECTOR, BIT(2),
	  .segments = BIT(TR) | BIT(LDTR) },
	{ SEG, "RPL is that of CS", ss_rpl, GUEST_ES_SELECTOR, ONLY(SS) },
	{ SEG, "base is the selector's in virtual-8086 mode", v86_base, GUEST_ES_BASE, CODE_DATA },
	{ SEG, "base canonical", usable_canonical, GUEST_ES_BASE,
	  .segments = BIT(TR) | BIT(LDTR) },
	{ SEG, "base canonical", vmx_holds_canonical, GUEST_ES_BASE,
	  .segments = BIT(FS) | BIT(GS) },
	{ SEG, "base has 32 bits", usable_clear, GUEST_ES_BASE, UPPER32,
	  .segments = BIT(CS) | BIT(SS) | BIT(DS) | BIT(ES) },
	{ SEG, "limit is 0xffff in virtual-8086 mode", v86_is, GUEST_ES_LIMIT, 0xffff, CODE_DATA },
	{ SEG, "rights are 0xf3 in virtual-8086 mode", v86_is, GUEST_ES_AR_BYTES, 0xf3, CODE_DATA },
	{ SEG, "type is accessed code (or real mode's data)", code_type, GUEST_ES_AR_BYTES,
	  ONLY(CS) },
	{ SEG, "type is accessed data for writing", stack_type, GUEST_ES_AR_BYTES, ONLY(SS) },
	{ SEG, "type is accessed, and readable", data_type, GUEST_ES_AR_BYTES, DATA },
	{ SEG, "is code or data", rights_set, GUEST_ES_AR_BYTES, RIGHTS_S, CODE_DATA },
	{ SEG, "DPL agrees with SS", code_dpl, GUEST_ES_AR_BYTES, ONLY(CS) },
	{ SEG, "DPL is the RPL", stack_dpl, GUEST_ES_AR_BYTES, ONLY(SS) },
	{ SEG, "DPL is 0 in real mode", stack_dpl_real, GUEST_ES_AR_BYTES, ONLY(SS) },
	{ SEG, "DPL is not below the RPL", data_dpl, GUEST_ES_AR_BYTES, DATA },
	{ SEG, "is present", rights_set, GUEST_ES_AR_BYTES, RIGHTS_P, CODE_DATA },
	{ SEG, "reserved bits of rights are 0", rights_clear, GUEST_ES_AR_BYTES, RIGHTS_RESERVED,
	  CODE_DATA },
	{ SEG, "64-bit code has D clear", code_size, GUEST_ES_AR_BYTES, ONLY(CS) },
	{ SEG, "limit agrees with G", granularity, GUEST_ES_LIMIT, ALL },
	{ SEG, "is a busy TSS", tss_type, GUEST_ES_AR_BYTES, ONLY(TR) },
	{ SEG, "is a system segment", vmx_holds_clear, GUEST_ES_AR_BYTES, RIGHTS_S, ONLY(TR) },
	{ SEG, "is present", vmx_holds_set, GUEST_ES_AR_BYTES, RIGHTS_P, ONLY(TR) },
	{ SEG, "reserved bits of rights are 0", vmx_holds_clear, GUEST_ES_AR_BYTES,
	  RIGHTS_RESERVED, ONLY(TR) },
	{ SEG, "is usable", vmx_holds_clear, GUEST_ES_AR_BYTES, RIGHTS_UNUSABLE, ONLY(TR) },
	{ SEG, "is an LDT", ldt_type, GUEST_ES_AR_BYTES, ONLY(LDTR) },
	{ SEG, "is a system segment", usable_clear, GUEST_ES_AR_BYTES, RIGHTS_S, ONLY(LDTR) },
	{ SEG, "is present", usable_set, GUEST_ES_AR_BYTES, RIGHTS_P, ONLY(LDTR) },
	{ SEG, "reserved bits of rights are 0", usable_clear, GUEST_ES_AR_BYTES, RIGHTS_RESERVED,
	  ONLY(LDTR) },

	{ TABLE, "GDTR base canonical", vmx_holds_canonical, GUEST_GDTR_BASE },
	{ TABLE, "IDTR base canonical", vmx_holds_canonical, GUEST_IDTR_BASE },
	{ TABLE, "GDTR limit has 16 bits", vmx_holds_clear, GUEST_GDTR_LIMIT, GENMASK(31, 16) },
	{ TABLE, "IDTR limit has 16 bits", vmx_holds_clear, GUEST_IDTR_LIMIT, GENMASK(31, 16) },

	{ FLOW, "RIP within 32 bits, or the linear address width in 64-bit mode", rip, GUEST_RIP },
	{ FLOW, "RFLAGS' reserved bits are 0", vmx_holds_clear, GUEST_RFLAGS,
	  GENMASK_ULL(63, 22) | BIT(15) | BIT(5) | BIT(3) },
	{ FLOW, "RFLAGS bit 1 is 1", vmx_holds_set, GUEST_RFLAGS, BIT(1) },
	{ FLOW, "RFLAGS.VM in protected mode alone", flags_v86, GUEST_RFLAGS },
	{ FLOW, "RFLAGS.IF for an interrupt", flags_if, GUEST_RFLAGS },

	{ OTHER, "activity state is there", activity, GUEST_ACTIVITY_STATE },
	{ OTHER, "HLT at level 0 alone", activity_hlt, GUEST_ACTIVITY_STATE },
	{ OTHER, "active in a shadow of STI or MOV SS", activity_shadow, GUEST_ACTIVITY_STATE },
	{ OTHER, "interruptibility's reserved bits are 0", vmx_holds_clear,
	  GUEST_INTERRUPTIBILITY_INFO,
	  GENMASK(31, 5) },
	{ OTHER, "a shadow of STI or of MOV SS, not both", one_shadow,
	  GUEST_INTERRUPTIBILITY_INFO },
	{ OTHER, "a shadow of STI needs RFLAGS.IF", sti_shadow, GUEST_INTERRUPTIBILITY_INFO },
	{ OTHER, "no interrupt in a shadow", interrupt_open, GUEST_INTERRUPTIBILITY_INFO },
	{ OTHER, "no NMI in a shadow", nmi_open, GUEST_INTERRUPTIBILITY_INFO },
	{ OTHER, "no blocking by SMI outside of SMM", vmx_holds_clear, GUEST_INTERRUPTIBILITY_INFO,
	  GUEST_INTR_STATE_SMI },
	{ OTHER, "no NMI while NMIs are blocked", nmi_unblocked, GUEST_INTERRUPTIBILITY_INFO },
	{ OTHER, "pending debug exceptions' reserved bits are 0", vmx_holds_clear,
	  GUEST_PENDING_DBG_EXCEPTIONS, GENMASK_ULL(63, 17) | BIT(15) | BIT(13) | GENMASK(11, 4) },
	{ OTHER, "pending debug exceptions' BS as a step in a shadow has it", pending_step,
	  GUEST_PENDING_DBG_EXCEPTIONS },
	{ OTHER, "VMCS link pointer is none", no_shadow_vmcs, VMCS_LINK_POINTER },

	{ "27.3.1.6", "PDPTEs' reserved bits are 0", pdptes, GUEST_PDPTR0, 0, PROC2(ENABLE_EPT) },
};

const struct vmx_check_table vmx_guest_checks = { rows, ARRAY_SIZE(rows) };
