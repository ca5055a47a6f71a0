// SPDX-License-Identifier: GPL-2.0-only
/* Checks of a VM entry: VMX controls and host state (27.2). */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "check.h"

u64 vmx_check_get(const struct vmx_checked *v, u32 field)
{
	if (field == SECONDARY_VM_EXEC_CONTROL &&
	    !(v->read(CPU_BASED_VM_EXEC_CONTROL) & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS))
		return 0;
	return v->read(field);
}

static u64 value_of(const struct vmx_checked *v, const struct vmx_check *check, unsigned int seg)
{
	return vmx_check_get(v, check->field + 2 * seg);
}

/* ---- what rows hold ---- */

VMX_HOLDS(vmx_holds_set)
{
	return (value_of(v, check, seg) & check->arg) == check->arg;
}

VMX_HOLDS(vmx_holds_clear)
{
	return !(value_of(v, check, seg) & check->arg);
}

VMX_HOLDS(vmx_holds_canonical)
{
	return vmx_is_canonical(v, value_of(v, check, seg));
}

VMX_HOLDS(vmx_holds_address)
{
	u64 value = value_of(v, check, seg);

	return !(value & check->arg) && !(value >> v->caps->phys_bits);
}

VMX_HOLDS(vmx_holds_pat)
{
	u64 value = value_of(v, check, seg);
	unsigned int i, type;

	for (i = 0; i < 8; i++) {
		type = value >> 8 * i & 0xff;
		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

VMX_HOLDS(vmx_holds_fixed_cr4)
{
	u64 value = value_of(v, check, seg);

	return !(v->caps->cr4_fixed0 & ~value) && !(value & ~v->caps->cr4_fixed1);
}

/* arg: where the control's capabilities are. */
static VMX_HOLDS(allowed)
{
	u64 caps = *(const u64 *)((const char *)v->caps + check->arg);
	u32 value = value_of(v, check, seg);

	return !((u32)caps & ~value) && !(value & ~(u32)(caps >> 32));
}

static VMX_HOLDS(some)
{
	return value_of(v, check, seg);
}

/* ---- controls ---- */

static bool has_virtual_interrupts(const struct vmx_checked *v)
{
	return vmx_check_get(v, SECONDARY_VM_EXEC_CONTROL) & SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY;
}

static VMX_HOLDS(cr3_targets)
{
	return value_of(v, check, seg) <= (v->caps->misc >> 16 & 0x1ff);
}

static VMX_HOLDS(tpr_threshold)
{
	return has_virtual_interrupts(v) || !(value_of(v, check, seg) >> 4);
}

static VMX_HOLDS(tpr_threshold_low)
{
	return has_virtual_interrupts(v) ||
	       vmx_check_get(v,
	  SECONDARY_VM_EXEC_CONTROL) & SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES ||
	       (value_of(v, check, seg) & 15) <= v->vtpr >> 4;
}

/* Appendix A.10: bit 8 uncacheable, 14 write-back, 6 four levels, 21 accessed and dirty flags. */
static VMX_HOLDS(eptp_type)
{
	unsigned int type = value_of(v, check, seg) & 7;

	return (type == 0 && v->caps->ept_vpid & BIT_ULL(8)) ||
	       (type == 6 && v->caps->ept_vpid & BIT_ULL(14));
}

static VMX_HOLDS(eptp_levels)
{
	return (value_of(v, check, seg) >> 3 & 7) == 3 && v->caps->ept_vpid & BIT_ULL(6);
}

static VMX_HOLDS(eptp_flags)
{
	return !(value_of(v, check, seg) & BIT_ULL(6)) || v->caps->ept_vpid & BIT_ULL(21);
}

/* arg: the count of what is at the address, 16 bytes each. */
static VMX_HOLDS(msr_area)
{
	u64 address = value_of(v, check, seg), count = v->read(check->arg);

	return !count || (!(address & 15) && !((address + 16 * count - 1) >> v->caps->phys_bits));
}

/* ---- the event that the entry delivers (24.8.3) ---- */

#define EVENT_TYPE(info)	((info) >> 8 & 7)
#define EVENT_VECTOR(info)	((info) & 0xff)

static u64 event(const struct vmx_checked *v)
{
	u64 info = v->read(VM_ENTRY_INTR_INFO_FIELD);

	return info & INTR_INFO_VALID_MASK ? info : 0;
}

static VMX_HOLDS(event_type)
{
	unsigned int type = EVENT_TYPE(event(v));

	/* 7 is the monitor trap, which this module never asks for */
	return type != 1 && type != 7;
}

static VMX_HOLDS(event_vector)
{
	u64 info = event(v);

	return !info || (EVENT_TYPE(info) == 2 ? EVENT_VECTOR(info) == 2 :
			 EVENT_TYPE(info) != 3 || EVENT_VECTOR(info) < 32);
}

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC have one, outside of real mode. */
static VMX_HOLDS(event_error)
{
	static const u32 with_error = BIT(8) | GENMASK(14, 10) | BIT(17);
	u64 info = event(v);
	bool has = info & INTR_INFO_DELIVER_CODE_MASK;
	bool real = vmx_check_get(v, SECONDARY_VM_EXEC_CONTROL) & SECONDARY_EXEC_UNRESTRICTED_GUEST &&
		    !(v->read(GUEST_CR0) & X86_CR0_PE);

	return !info || has == (!real && EVENT_TYPE(info) == 3 &&
				with_error >> (EVENT_VECTOR(info) & 31) & 1);
}

static VMX_HOLDS(event_reserved)
{
	return !(event(v) & GENMASK_ULL(30, 12));
}

static VMX_HOLDS(event_error_code)
{
	return !(event(v) & INTR_INFO_DELIVER_CODE_MASK) || !(value_of(v, check, seg) >> 16);
}

static VMX_HOLDS(event_length)
{
	u64 length = value_of(v, check, seg);

	return EVENT_TYPE(event(v)) < 4 || (length < 16 && (length || v->caps->misc & BIT_ULL(30)));
}

#define CAPS(name)	offsetof(struct vmx_capabilities, name)
#define PIN(bit)	{ PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_##bit }
#define PROC(bit)	{ CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_##bit }
#define PROC2(bit)	{ SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_##bit }
#define EXIT(bit)	{ VM_EXIT_CONTROLS, VM_EXIT_##bit }

#define VM	"27.2.1.1"
#define ENTRY	"27.2.1.3"
#define PAGE	0xfff

static const struct vmx_check control_checks[] = {
	{ VM, "pin-based controls as IA32_VMX_TRUE_PINBASED_CTLS has them",
	  allowed, PIN_BASED_VM_EXEC_CONTROL, CAPS(pin) },
	{ VM, "processor-based controls as IA32_VMX_TRUE_PROCBASED_CTLS has them",
	  allowed, CPU_BASED_VM_EXEC_CONTROL, CAPS(proc) },
	{ VM, "secondary processor-based controls as IA32_VMX_PROCBASED_CTLS2 has them",
	  allowed, SECONDARY_VM_EXEC_CONTROL, CAPS(proc2), PROC(ACTIVATE_SECONDARY_CONTROLS) },
	{ VM, "no more CR3 targets than IA32_VMX_MISC says", cr3_targets, CR3_TARGET_COUNT },
	{ VM, "I/O bitmap A is a page", vmx_holds_address, IO_BITMAP_A, PAGE,
	  PROC(USE_IO_BITMAPS) },
	{ VM, "I/O bitmap B is a page", vmx_holds_address, IO_BITMAP_B, PAGE,
	  PROC(USE_IO_BITMAPS) },
	{ VM, "MSR bitmap is a page", vmx_holds_address, MSR_BITMAP, PAGE, PROC(USE_MSR_BITMAPS) },
	{ VM, "virtual-APIC page is a page",
	  vmx_holds_address, VIRTUAL_APIC_PAGE_ADDR, PAGE, PROC(TPR_SHADOW) },
	{ VM, "TPR threshold has four bits", tpr_threshold, TPR_THRESHOLD, 0, PROC(TPR_SHADOW) },
	{ VM, "TPR threshold is not above VTPR", tpr_threshold_low, TPR_THRESHOLD, 0,
	  PROC(TPR_SHADOW) },
	{ VM, "x2APIC mode needs the TPR shadow", vmx_holds_set, CPU_BASED_VM_EXEC_CONTROL,
	  CPU_BASED_TPR_SHADOW, PROC2(VIRTUALIZE_X2APIC_MODE) },
	{ VM, "APIC-register virtualization needs the TPR shadow", vmx_holds_set,
	  CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_TPR_SHADOW, PROC2(APIC_REGISTER_VIRT) },
	{ VM, "virtual-interrupt delivery needs the TPR shadow", vmx_holds_set,
	  CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_TPR_SHADOW, PROC2(VIRTUAL_INTR_DELIVERY) },
	{ VM, "virtual NMIs need NMI exiting", vmx_holds_set, PIN_BASED_VM_EXEC_CONTROL,
	  PIN_BASED_NMI_EXITING, PIN(VIRTUAL_NMIS) },
	{ VM, "NMI-window exiting needs virtual NMIs", vmx_holds_set, PIN_BASED_VM_EXEC_CONTROL,
	  PIN_BASED_VIRTUAL_NMIS, PROC(NMI_WINDOW_EXITING) },
	{ VM, "APIC-access page is a page",
	  vmx_holds_address, APIC_ACCESS_ADDR, PAGE, PROC2(VIRTUALIZE_APIC_ACCESSES) },
	{ VM, "x2APIC mode excludes APIC accesses", vmx_holds_clear, SECONDARY_VM_EXEC_CONTROL,
	  SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES, PROC2(VIRTUALIZE_X2APIC_MODE) },
	{ VM, "virtual-interrupt delivery needs external-interrupt exiting", vmx_holds_set,
	  PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_EXT_INTR_MASK, PROC2(VIRTUAL_INTR_DELIVERY) },
	{ VM, "VPID is not 0", some, VIRTUAL_PROCESSOR_ID, 0, PROC2(ENABLE_VPID) },
	{ VM, "EPT memory type is there", eptp_type, EPT_POINTER, 0, PROC2(ENABLE_EPT) },
	{ VM, "EPT has four levels", eptp_levels, EPT_POINTER, 0, PROC2(ENABLE_EPT) },
	{ VM, "EPT accessed and dirty flags are there", eptp_flags, EPT_POINTER, 0,
	  PROC2(ENABLE_EPT) },
	{ VM, "EPT pointer's reserved bits are 0",
	  vmx_holds_address, EPT_POINTER, GENMASK_ULL(11, 7), PROC2(ENABLE_EPT) },
	{ VM, "unrestricted guest needs EPT", vmx_holds_set, SECONDARY_VM_EXEC_CONTROL,
	  SECONDARY_EXEC_ENABLE_EPT, PROC2(UNRESTRICTED_GUEST) },
	{ "27.2.1.2", "VM-exit controls as IA32_VMX_TRUE_EXIT_CTLS has them",
	  allowed, VM_EXIT_CONTROLS, CAPS(exit) },
	{ "27.2.1.2", "the preemption timer is saved only where it is used", vmx_holds_set,
	  PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_VMX_PREEMPTION_TIMER,
	  EXIT(SAVE_VMX_PREEMPTION_TIMER) },
	{ "27.2.1.2", "MSR-store area of exits", msr_area, VM_EXIT_MSR_STORE_ADDR,
	  VM_EXIT_MSR_STORE_COUNT },
	{ "27.2.1.2", "MSR-load area of exits", msr_area, VM_EXIT_MSR_LOAD_ADDR,
	  VM_EXIT_MSR_LOAD_COUNT },
	{ ENTRY, "VM-entry controls as IA32_VMX_TRUE_ENTRY_CTLS has them",
	  allowed, VM_ENTRY_CONTROLS, CAPS(entry) },
	{ ENTRY, "no entry to SMM from outside of it", vmx_holds_clear, VM_ENTRY_CONTROLS,
	  VM_ENTRY_SMM | VM_ENTRY_DEACT_DUAL_MONITOR },
	{ ENTRY, "the event's type is one", event_type, VM_ENTRY_INTR_INFO_FIELD },
	{ ENTRY, "the event's vector is one of its type", event_vector, VM_ENTRY_INTR_INFO_FIELD },
	{ ENTRY, "the event has an error code where it has one", event_error,
	  VM_ENTRY_INTR_INFO_FIELD },
	{ ENTRY, "the event's reserved bits are 0", event_reserved, VM_ENTRY_INTR_INFO_FIELD },
	{ ENTRY, "the event's error code has 16 bits", event_error_code,
	  VM_ENTRY_EXCEPTION_ERROR_CODE },
	{ ENTRY, "the software event's instruction has a length", event_length,
	  VM_ENTRY_INSTRUCTION_LEN },
	{ ENTRY, "MSR-load area of entries", msr_area, VM_ENTRY_MSR_LOAD_ADDR,
	  VM_ENTRY_MSR_LOAD_COUNT },
};

/* ---- host state ---- */

static VMX_HOLDS(fixed_cr0)
{
	u64 value = value_of(v, check, seg);

	return !(v->caps->cr0_fixed0 & ~value) && !(value & ~v->caps->cr0_fixed1);
}

#define EFER_KNOWN	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)
#define SELECTOR_RPL_TI	7

#define HOST	"27.2.2"
#define SEGMENT	"27.2.3"
#define SIZE	"27.2.4"
#define LONG	EXIT(HOST_ADDR_SPACE_SIZE)

/* This kernel is a 64-bit one. */
static const struct vmx_check host_checks[] = {
	{ HOST, "CR0 as IA32_VMX_CR0_FIXED0 and 1 have it", fixed_cr0, HOST_CR0 },
	{ HOST, "CR4 as IA32_VMX_CR4_FIXED0 and 1 have it", vmx_holds_fixed_cr4, HOST_CR4 },
	{ HOST, "CR3 within the physical address width", vmx_holds_address, HOST_CR3 },
	{ HOST, "SYSENTER_ESP canonical", vmx_holds_canonical, HOST_IA32_SYSENTER_ESP },
	{ HOST, "SYSENTER_EIP canonical", vmx_holds_canonical, HOST_IA32_SYSENTER_EIP },
	{ HOST, "PAT of memory types", vmx_holds_pat, HOST_IA32_PAT, 0, EXIT(LOAD_IA32_PAT) },
	{ HOST, "EFER's reserved bits are 0", vmx_holds_clear, HOST_IA32_EFER, ~(u64)EFER_KNOWN,
	  EXIT(LOAD_IA32_EFER) },
	{ HOST, "EFER.LMA and LME for a 64-bit host", vmx_holds_set, HOST_IA32_EFER,
	  EFER_LMA | EFER_LME,
	  EXIT(LOAD_IA32_EFER) },
	{ SEGMENT, "ES: RPL and TI are 0", vmx_holds_clear, HOST_ES_SELECTOR, SELECTOR_RPL_TI },
	{ SEGMENT, "CS: RPL and TI are 0", vmx_holds_clear, HOST_CS_SELECTOR, SELECTOR_RPL_TI },
	{ SEGMENT, "SS: RPL and TI are 0", vmx_holds_clear, HOST_SS_SELECTOR, SELECTOR_RPL_TI },
	{ SEGMENT, "DS: RPL and TI are 0", vmx_holds_clear, HOST_DS_SELECTOR, SELECTOR_RPL_TI },
	{ SEGMENT, "FS: RPL and TI are 0", vmx_holds_clear, HOST_FS_SELECTOR, SELECTOR_RPL_TI },
	{ SEGMENT, "GS: RPL and TI are 0", vmx_holds_clear, HOST_GS_SELECTOR, SELECTOR_RPL_TI },
	{ SEGMENT, "TR: RPL and TI are 0", vmx_holds_clear, HOST_TR_SELECTOR, SELECTOR_RPL_TI },
	{ SEGMENT, "CS is not 0", some, HOST_CS_SELECTOR },
	{ SEGMENT, "TR is not 0", some, HOST_TR_SELECTOR },
	{ SEGMENT, "FS base canonical", vmx_holds_canonical, HOST_FS_BASE },
	{ SEGMENT, "GS base canonical", vmx_holds_canonical, HOST_GS_BASE },
	{ SEGMENT, "GDTR base canonical", vmx_holds_canonical, HOST_GDTR_BASE },
	{ SEGMENT, "IDTR base canonical", vmx_holds_canonical, HOST_IDTR_BASE },
	{ SEGMENT, "TR base canonical", vmx_holds_canonical, HOST_TR_BASE },
	{ SIZE, "a 64-bit host stays one", vmx_holds_set, VM_EXIT_CONTROLS,
	  VM_EXIT_HOST_ADDR_SPACE_SIZE },
	{ SIZE, "CR4.PAE for a 64-bit host", vmx_holds_set, HOST_CR4, X86_CR4_PAE, LONG },
	{ SIZE, "RIP canonical", vmx_holds_canonical, HOST_RIP, 0, LONG },
};

/* ---- looking ---- */

static const struct vmx_check_table controls = { control_checks, ARRAY_SIZE(control_checks) };
static const struct vmx_check_table host = { host_checks, ARRAY_SIZE(host_checks) };

const struct vmx_check_table *const vmx_checks[] = {
	[VMX_CHECK_CONTROLS] = &controls,
	[VMX_CHECK_HOST] = &host,
	[VMX_CHECK_GUEST] = &vmx_guest_checks,
};

static const char * const segment_names[] = { "ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR" };

static bool fails(const struct vmx_checked *v, const struct vmx_check *check,
		  struct vmx_check_result *result)
{
	unsigned int seg, segments = check->segments ?: 1;

	if (check->when.bits && !(vmx_check_get(v, check->when.field) & check->when.bits))
		return false;
	for (seg = 0; segments >> seg; seg++) {
		if (!(segments >> seg & 1) || check->holds(v, check, seg))
			continue;
		result->check = check;
		result->segment = check->segments ? segment_names[seg] : NULL;
		result->field = check->field + 2 * seg;
		result->value = v->read(result->field);
		return true;
	}
	return false;
}

struct vmx_check_result vmx_check_find(const struct vmx_checked *v, enum vmx_check_area area)
{
	const struct vmx_check_table *table = vmx_checks[area];
	struct vmx_check_result result = {};
	unsigned int i;

	for (i = 0; i < table->count && !fails(v, &table->rows[i], &result); i++)
		;
	return result;
}
