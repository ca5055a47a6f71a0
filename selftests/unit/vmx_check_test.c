// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of a VM entry: VMCSs that all hold for, then one field of one spoilt, and which check says so.
 * Each row of the tables has to be met by one at least.
 *
 * LINK: kmod/arch/x86/vmx/check.c kmod/arch/x86/vmx/check_guest.c
 * CFLAGS: -Ikmod/arch/x86/vmx -Wno-unused-parameter -Wno-missing-field-initializers
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "check.h"
#include "unit.h"

#define FIELDS		0x8000
#define UNUSABLE	0x10000

enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

static u64 vmcs[FIELDS];

static u64 read_field(u32 field)
{
	return vmcs[field];
}

/* Nothing must be 1 but what is set below; all that is known may be. */
static const struct vmx_capabilities caps = {
	.pin = 0x0000007f00000001, .proc = 0xfff9fffe00000002, .proc2 = 0x000fffff00000000,
	.exit = 0x01ffffff00000200, .entry = 0x0003ffff00000000,
	.misc = 0x40401e0, .ept_vpid = 0x0000f0106734141,
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff, .cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x3727ff,
	.phys_bits = 40, .linear_bits = 48,
};

static const struct vmx_checked view = { &caps, read_field, 0x50 };

static void segment(unsigned int n, u16 selector, u64 base, u32 limit, u32 rights)
{
	vmcs[GUEST_ES_SELECTOR + 2 * n] = selector;
	vmcs[GUEST_ES_BASE + 2 * n] = base;
	vmcs[GUEST_ES_LIMIT + 2 * n] = limit;
	vmcs[GUEST_ES_AR_BYTES + 2 * n] = rights;
}

static void set_all(const u32 *fields, unsigned int count, u64 value)
{
	while (count--)
		vmcs[fields[count]] = value;
}

static void base_common(void)
{
	static const u32 pages[] = {
		IO_BITMAP_A, IO_BITMAP_B, MSR_BITMAP, VIRTUAL_APIC_PAGE_ADDR, APIC_ACCESS_ADDR,
		VM_EXIT_MSR_STORE_ADDR, VM_EXIT_MSR_LOAD_ADDR, VM_ENTRY_MSR_LOAD_ADDR,
	};
	static const u32 pats[] = { HOST_IA32_PAT, GUEST_IA32_PAT };
	static const u32 addresses[] = {
		HOST_FS_BASE, HOST_GS_BASE, HOST_TR_BASE, HOST_GDTR_BASE, HOST_IDTR_BASE, HOST_RIP,
		HOST_IA32_SYSENTER_ESP, HOST_IA32_SYSENTER_EIP,
	};

	memset(vmcs, 0, sizeof(vmcs));
	set_all(pages, ARRAY_SIZE(pages), 0x123000);
	set_all(pats, ARRAY_SIZE(pats), 0x0007040600070406);
	set_all(addresses, ARRAY_SIZE(addresses), 0xffff888000001000);
	vmcs[PIN_BASED_VM_EXEC_CONTROL] = 0x69;
	vmcs[CPU_BASED_VM_EXEC_CONTROL] = BIT(1) | BIT(21) | BIT(25) | BIT(28) | BIT(31);
	vmcs[SECONDARY_VM_EXEC_CONTROL] = BIT(0) | BIT(1) | BIT(5) | BIT(7);
	vmcs[VM_EXIT_CONTROLS] = BIT(9) | BIT(19) | BIT(21) | BIT(22);
	vmcs[VM_ENTRY_CONTROLS] = BIT(2) | BIT(14) | BIT(15);
	vmcs[VIRTUAL_PROCESSOR_ID] = 1;
	vmcs[EPT_POINTER] = 0x12305e;
	vmcs[TPR_THRESHOLD] = 5;
	vmcs[HOST_CR0] = 0x80050033;
	vmcs[HOST_CR3] = 0x100000;
	vmcs[HOST_CR4] = 0x20a0;
	vmcs[HOST_IA32_EFER] = 0xd01;
	vmcs[HOST_CS_SELECTOR] = 0x10;
	vmcs[HOST_TR_SELECTOR] = 0x40;
	vmcs[GUEST_CR4] = 0x2000;
	vmcs[GUEST_RFLAGS] = 0x202;
	vmcs[GUEST_DR7] = 0x400;
	vmcs[VMCS_LINK_POINTER] = ~0ULL;
	segment(LDTR, 0, 0, 0, UNUSABLE);
	segment(TR, 0x40, 0xffff888000002000, 0x67, 0x8b);
}

static void base_long(void)
{
	unsigned int n;

	base_common();
	vmcs[VM_ENTRY_CONTROLS] |= VM_ENTRY_IA32E_MODE;
	vmcs[GUEST_IA32_EFER] = EFER_LME | EFER_LMA;
	vmcs[GUEST_CR0] = 0x80000031;
	vmcs[GUEST_CR4] = 0x20a0;
	vmcs[GUEST_RIP] = 0xffffffff81000000;
	for (n = ES; n <= GS; n++)
		segment(n, 0x18, 0, ~0U, 0xc093);
	segment(CS, 0x10, 0, ~0U, 0xa09b);
	segment(LDTR, 0x48, 0xffff888000003000, 0xffff, 0x82);
}

/* Real mode, as unrestricted guest. */
static void base_real(void)
{
	unsigned int n;

	base_common();
	vmcs[GUEST_CR0] = 0x30;
	for (n = ES; n <= GS; n++)
		segment(n, 0, 0, 0xffff, 0x93);
}

/* Protected mode with PAE paging, without the unrestricted guest. */
static void base_paged(void)
{
	unsigned int n;

	base_common();
	vmcs[SECONDARY_VM_EXEC_CONTROL] &= ~SECONDARY_EXEC_UNRESTRICTED_GUEST;
	vmcs[GUEST_CR0] = 0x80000031;
	vmcs[GUEST_CR4] = 0x2020;
	vmcs[GUEST_PDPTR0] = 0x1001;
	for (n = ES; n <= GS; n++)
		segment(n, 0x18, 0, ~0U, 0xc093);
	segment(CS, 0x10, 0, ~0U, 0xc09b);
}

static void base_v86(void)
{
	unsigned int n;

	base_paged();
	vmcs[GUEST_RFLAGS] |= BIT(17);
	for (n = ES; n <= GS; n++)
		segment(n, 0x1000, 0x10000, 0xffff, 0xf3);
}

/* x2APIC mode with virtual interrupts, no APIC accesses. */
static void base_apicv(void)
{
	base_long();
	vmcs[SECONDARY_VM_EXEC_CONTROL] = BIT(1) | BIT(4) | BIT(5) | BIT(7) | BIT(8) | BIT(9);
	vmcs[TPR_THRESHOLD] = 0x70;
}

static void (*const bases[])(void) = {
	base_long, base_real, base_paged, base_v86, base_apicv,
};

TEST(good_ones_hold)
{
	unsigned int i, area;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		bases[i]();
		for (area = VMX_CHECK_CONTROLS; area <= VMX_CHECK_GUEST; area++) {
			struct vmx_check_result result = vmx_check_find(&view, area);

			if (result.check)
				unit_fail("base %u: %s %s", i, result.segment ?: "", result.check->says);
		}
	}
}

#define SEG_SEL(n)	(GUEST_ES_SELECTOR + 2 * (n))
#define SEG_BASE(n)	(GUEST_ES_BASE + 2 * (n))
#define SEG_LIMIT(n)	(GUEST_ES_LIMIT + 2 * (n))
#define SEG_AR(n)	(GUEST_ES_AR_BYTES + 2 * (n))
#define BAD_ADDRESS	0x800000000000
#define EVENT		VM_ENTRY_INTR_INFO_FIELD
#define ON		0x80000000
#define PROC2		SECONDARY_VM_EXEC_CONTROL

static const struct {
	enum vmx_check_area area;
	void (*base)(void);
	struct { u32 field; u64 value; } set[2];
	const char *says;		/* how the check begins, the segment before it */
} rows[] = {
#define C VMX_CHECK_CONTROLS
	{ C, base_long, { { PIN_BASED_VM_EXEC_CONTROL, 0x68 } }, "pin-based controls" },
	{ C, base_long, { { PIN_BASED_VM_EXEC_CONTROL, 0xe9 } }, "pin-based controls" },
	{ C, base_long, { { CPU_BASED_VM_EXEC_CONTROL, 0x80000000 } }, "processor-based controls" },
	{ C, base_long, { { PROC2, BIT(20) } }, "secondary processor-based" },
	{ C, base_long, { { CR3_TARGET_COUNT, 5 } }, "no more CR3 targets" },
	{ C, base_long, { { IO_BITMAP_A, 0x123001 } }, "I/O bitmap A" },
	{ C, base_long, { { IO_BITMAP_B, BIT_ULL(40) } }, "I/O bitmap B" },
	{ C, base_long, { { MSR_BITMAP, 0x123800 } }, "MSR bitmap" },
	{ C, base_long, { { VIRTUAL_APIC_PAGE_ADDR, 1 } }, "virtual-APIC page" },
	{ C, base_long, { { TPR_THRESHOLD, 0x15 } }, "TPR threshold has" },
	{ C, base_long, { { TPR_THRESHOLD, 6 }, { PROC2, 0xa2 } }, "TPR threshold is" },
	{ C, base_apicv, { { CPU_BASED_VM_EXEC_CONTROL, ON | 2 } }, "x2APIC mode needs" },
	{ C, base_apicv, { { CPU_BASED_VM_EXEC_CONTROL, ON | 2 }, { PROC2, 0x3a2 } }, "APIC-register" },
	{ C, base_apicv, { { CPU_BASED_VM_EXEC_CONTROL, ON | 2 }, { PROC2, 0x2a2 } },
	  "virtual-interrupt delivery needs the" },
	{ C, base_long, { { PIN_BASED_VM_EXEC_CONTROL, 0x61 } }, "virtual NMIs" },
	{ C, base_long, { { PIN_BASED_VM_EXEC_CONTROL, 0x49 }, { CPU_BASED_VM_EXEC_CONTROL, ON | BIT(22) | 2 } },
	  "NMI-window exiting" },
	{ C, base_long, { { APIC_ACCESS_ADDR, 0x10 } }, "APIC-access page" },
	{ C, base_apicv, { { PROC2, 0x3b3 } }, "x2APIC mode excludes" },
	{ C, base_apicv, { { PIN_BASED_VM_EXEC_CONTROL, 0x69 & ~1 } }, "pin-based controls" },
	{ C, base_long, { { VIRTUAL_PROCESSOR_ID, 0 } }, "VPID" },
	{ C, base_long, { { EPT_POINTER, 0x12305c } }, "EPT memory type" },
	{ C, base_long, { { EPT_POINTER, 0x123066 } }, "EPT has four levels" },
	{ C, base_long, { { EPT_POINTER, 0x12309e } }, "EPT pointer's" },
	{ C, base_long, { { EPT_POINTER, 0x1000000012305e } }, "EPT pointer's" },
	{ C, base_long, { { PROC2, BIT(7) | BIT(5) } }, "unrestricted guest" },
	{ C, base_long, { { VM_EXIT_CONTROLS, 0 } }, "VM-exit controls" },
	{ C, base_long, { { PIN_BASED_VM_EXEC_CONTROL, 0x29 } }, "the preemption timer" },
	{ C, base_long, { { VM_EXIT_MSR_STORE_COUNT, 1 }, { VM_EXIT_MSR_STORE_ADDR, 8 } }, "MSR-store area" },
	{ C, base_long, { { VM_EXIT_MSR_LOAD_COUNT, 2 }, { VM_EXIT_MSR_LOAD_ADDR, 0xfffffffff0 } },
	  "MSR-load area of exits" },
	{ C, base_long, { { VM_ENTRY_CONTROLS, 0xc204 | BIT(18) } }, "VM-entry controls" },
	{ C, base_long, { { VM_ENTRY_CONTROLS, 0xc204 | BIT(10) } }, "no entry to SMM" },
	{ C, base_long, { { EVENT, ON | 1 << 8 | 0x30 } }, "the event's type" },
	{ C, base_long, { { EVENT, ON | 2 << 8 | 3 } }, "the event's vector" },
	{ C, base_long, { { EVENT, ON | 3 << 8 | 32 } }, "the event's vector" },
	{ C, base_long, { { EVENT, ON | 3 << 8 | 14 } }, "the event has" },
	{ C, base_long, { { EVENT, ON | BIT(11) | 3 << 8 | 6 } }, "the event has" },
	{ C, base_real, { { EVENT, ON | BIT(11) | 3 << 8 | 13 } }, "the event has" },
	{ C, base_long, { { EVENT, ON | BIT(12) | 0x30 } }, "the event's reserved" },
	{ C, base_long, { { EVENT, ON | BIT(11) | 3 << 8 | 14 }, { VM_ENTRY_EXCEPTION_ERROR_CODE, BIT(16) } },
	  "the event's error" },
	{ C, base_long, { { EVENT, ON | 4 << 8 | 0x80 }, { VM_ENTRY_INSTRUCTION_LEN, 16 } }, "the software event" },
	{ C, base_long, { { EVENT, ON | 4 << 8 | 0x80 } }, "the software event" },
	{ C, base_long, { { VM_ENTRY_MSR_LOAD_COUNT, 1 }, { VM_ENTRY_MSR_LOAD_ADDR, 1 } }, "MSR-load area of ent" },
#define H VMX_CHECK_HOST
	{ H, base_long, { { HOST_CR0, 0x80050013 } }, "CR0 as" },
	{ H, base_long, { { HOST_CR4, 0xa0 } }, "CR4 as" },
	{ H, base_long, { { HOST_CR4, 0x20a0 | BIT(30) } }, "CR4 as" },
	{ H, base_long, { { HOST_CR3, BIT_ULL(63) } }, "CR3 within" },
	{ H, base_long, { { HOST_IA32_SYSENTER_ESP, BAD_ADDRESS } }, "SYSENTER_ESP" },
	{ H, base_long, { { HOST_IA32_SYSENTER_EIP, BAD_ADDRESS } }, "SYSENTER_EIP" },
	{ H, base_long, { { HOST_IA32_PAT, 2 } }, "PAT" },
	{ H, base_long, { { HOST_IA32_EFER, 0xd03 } }, "EFER's" },
	{ H, base_long, { { HOST_IA32_EFER, 0x901 } }, "EFER.LMA" },
	{ H, base_long, { { HOST_ES_SELECTOR, 1 } }, "ES: RPL" }, { H, base_long, { { HOST_CS_SELECTOR, 0x13 } }, "CS: RPL" },
	{ H, base_long, { { HOST_SS_SELECTOR, 4 } }, "SS: RPL" }, { H, base_long, { { HOST_DS_SELECTOR, 2 } }, "DS: RPL" },
	{ H, base_long, { { HOST_FS_SELECTOR, 1 } }, "FS: RPL" }, { H, base_long, { { HOST_GS_SELECTOR, 7 } }, "GS: RPL" },
	{ H, base_long, { { HOST_TR_SELECTOR, 0x44 } }, "TR: RPL" },
	{ H, base_long, { { HOST_CS_SELECTOR, 0 } }, "CS is not 0" },
	{ H, base_long, { { HOST_TR_SELECTOR, 0 } }, "TR is not 0" },
	{ H, base_long, { { HOST_FS_BASE, BAD_ADDRESS } }, "FS base" },
	{ H, base_long, { { HOST_GS_BASE, BAD_ADDRESS } }, "GS base" },
	{ H, base_long, { { HOST_GDTR_BASE, BAD_ADDRESS } }, "GDTR base" },
	{ H, base_long, { { HOST_IDTR_BASE, BAD_ADDRESS } }, "IDTR base" },
	{ H, base_long, { { HOST_TR_BASE, BAD_ADDRESS } }, "TR base" },
	{ H, base_long, { { VM_EXIT_CONTROLS, 0 } }, "a 64-bit host" },
	{ H, base_long, { { HOST_CR4, 0x2080 } }, "CR4.PAE" },
	{ H, base_long, { { HOST_RIP, BAD_ADDRESS } }, "RIP" },
#define G VMX_CHECK_GUEST
	{ G, base_long, { { GUEST_CR0, 0x80000011 } }, "CR0 as" },
	{ G, base_real, { { GUEST_CR0, 0x10 } }, "CR0 as" },
	{ G, base_real, { { GUEST_CR0, 0x80000030 } }, "CR0.PG" },
	{ G, base_long, { { GUEST_CR4, 0xa0 } }, "CR4 as" },
	{ G, base_long, { { GUEST_IA32_DEBUGCTL, BIT(3) } }, "DEBUGCTL" },
	{ G, base_long, { { GUEST_CR0, 0x31 } }, "IA-32e mode needs CR0" },
	{ G, base_long, { { GUEST_CR4, 0x2080 } }, "IA-32e mode needs CR4" },
	{ G, base_paged, { { GUEST_CR4, 0x22020 } }, "CR4.PCIDE" },
	{ G, base_long, { { GUEST_CR3, BIT_ULL(40) } }, "CR3 within" },
	{ G, base_long, { { GUEST_DR7, BIT_ULL(32) } }, "DR7" },
	{ G, base_long, { { GUEST_SYSENTER_ESP, BAD_ADDRESS } }, "SYSENTER_ESP" },
	{ G, base_long, { { GUEST_SYSENTER_EIP, BAD_ADDRESS } }, "SYSENTER_EIP" },
	{ G, base_long, { { GUEST_IA32_PAT, 8ULL << 56 } }, "PAT" },
	{ G, base_long, { { GUEST_IA32_EFER, 0x502 } }, "EFER's" },
	{ G, base_long, { { GUEST_IA32_EFER, 0x100 } }, "EFER.LMA as IA-32e" },
	{ G, base_real, { { GUEST_IA32_EFER, 0x400 } }, "EFER.LMA as IA-32e" },
	{ G, base_long, { { GUEST_IA32_EFER, 0x400 } }, "EFER.LMA as LME" },
	{ G, base_long, { { SEG_SEL(TR), 0x44 } }, "TR: selector's TI" },
	{ G, base_long, { { SEG_SEL(LDTR), 0x4c } }, "LDTR: selector's TI" },
	{ G, base_paged, { { SEG_SEL(SS), 0x1b } }, "SS: RPL" },
	{ G, base_v86, { { SEG_BASE(FS), 0x10010 } }, "FS: base is" },
	{ G, base_long, { { SEG_BASE(TR), BAD_ADDRESS } }, "TR: base canonical" },
	{ G, base_long, { { SEG_BASE(LDTR), BAD_ADDRESS } }, "LDTR: base canonical" },
	{ G, base_long, { { SEG_BASE(GS), BAD_ADDRESS } }, "GS: base canonical" },
	{ G, base_long, { { SEG_BASE(CS), BIT_ULL(32) } }, "CS: base has" },
	{ G, base_long, { { SEG_BASE(DS), BIT_ULL(32) } }, "DS: base has" },
	{ G, base_v86, { { SEG_LIMIT(CS), 0xfffff } }, "CS: limit is" },
	{ G, base_v86, { { SEG_AR(SS), 0x93 } }, "SS: rights are" },
	{ G, base_long, { { SEG_AR(CS), 0xa098 } }, "CS: type" },
	{ G, base_paged, { { SEG_AR(CS), 0xc093 } }, "CS: type" },
	{ G, base_long, { { SEG_AR(SS), 0xc091 } }, "SS: type" },
	{ G, base_long, { { SEG_AR(DS), 0xc092 } }, "DS: type" },
	{ G, base_long, { { SEG_AR(ES), 0xc099 } }, "ES: type" },
	{ G, base_long, { { SEG_AR(FS), 0xc083 } }, "FS: is code" },
	{ G, base_long, { { SEG_AR(CS), 0xa0fb } }, "CS: DPL agrees" },
	{ G, base_real, { { SEG_AR(CS), 0xb3 } }, "CS: DPL agrees" },
	{ G, base_paged, { { SEG_AR(SS), 0xc0f3 }, { SEG_AR(CS), 0xc0fb } }, "SS: DPL is the" },
	{ G, base_real, { { SEG_AR(SS), 0xf3 } }, "SS: DPL is 0" },
	{ G, base_paged, { { SEG_SEL(DS), 0x1b } }, "DS: DPL is not" },
	{ G, base_long, { { SEG_AR(GS), 0xc013 } }, "GS: is present" },
	{ G, base_long, { { SEG_AR(CS), 0xa19b } }, "CS: reserved" },
	{ G, base_long, { { SEG_AR(CS), 0xe09b } }, "CS: 64-bit" },
	{ G, base_long, { { SEG_LIMIT(ES), 0x100000 } }, "ES: limit agrees" },
	{ G, base_long, { { SEG_LIMIT(TR), 0x100000 } }, "TR: limit agrees" },
	{ G, base_long, { { SEG_AR(TR), 0x89 } }, "TR: is a busy" },
	{ G, base_long, { { SEG_AR(TR), 0x83 } }, "TR: is a busy" },
	{ G, base_long, { { SEG_AR(TR), 0x9b } }, "TR: is a system" },
	{ G, base_long, { { SEG_AR(TR), 0x0b } }, "TR: is present" },
	{ G, base_long, { { SEG_AR(TR), 0x18b } }, "TR: reserved" },
	{ G, base_long, { { SEG_AR(TR), 0x1008b } }, "TR: is usable" },
	{ G, base_long, { { SEG_AR(LDTR), 0x83 } }, "LDTR: is an LDT" },
	{ G, base_long, { { SEG_AR(LDTR), 0x92 } }, "LDTR: is a system" },
	{ G, base_long, { { SEG_AR(LDTR), 0x02 } }, "LDTR: is present" },
	{ G, base_long, { { SEG_AR(LDTR), 0x282 } }, "LDTR: reserved" },
	{ G, base_long, { { GUEST_GDTR_BASE, BAD_ADDRESS } }, "GDTR base" },
	{ G, base_long, { { GUEST_IDTR_BASE, BAD_ADDRESS } }, "IDTR base" },
	{ G, base_long, { { GUEST_GDTR_LIMIT, 0x10000 } }, "GDTR limit" },
	{ G, base_long, { { GUEST_IDTR_LIMIT, 0x10000 } }, "IDTR limit" },
	{ G, base_real, { { GUEST_RIP, BIT_ULL(32) } }, "RIP" },
	{ G, base_long, { { GUEST_RIP, 0x1800000000000 } }, "RIP" },
	{ G, base_long, { { GUEST_RFLAGS, 0x20a } }, "RFLAGS' reserved" },
	{ G, base_long, { { GUEST_RFLAGS, 0x200 } }, "RFLAGS bit 1" },
	{ G, base_v86, { { GUEST_CR0, 0x30 }, { PROC2, 0xa2 } }, "RFLAGS.VM" },
	{ G, base_long, { { GUEST_RFLAGS, 2 }, { EVENT, ON | 0x30 } }, "RFLAGS.IF" },
	{ G, base_long, { { GUEST_ACTIVITY_STATE, 4 } }, "activity state" },
	{ G, base_paged, { { GUEST_ACTIVITY_STATE, 1 }, { SEG_AR(SS), 0xc0f3 } }, "CS: DPL agrees" },
	{ G, base_v86, { { GUEST_ACTIVITY_STATE, 1 } }, "HLT at level 0" },
	{ G, base_long, { { GUEST_ACTIVITY_STATE, 1 }, { GUEST_INTERRUPTIBILITY_INFO, 1 } }, "active in" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, BIT(5) } }, "interruptibility's" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 3 } }, "a shadow of STI or" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 1 }, { GUEST_RFLAGS, 2 } }, "a shadow of STI needs" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 2 }, { EVENT, ON | 0x30 } }, "no interrupt" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 2 }, { EVENT, ON | 0x202 } }, "no NMI in" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 4 } }, "no blocking by SMI" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 8 }, { EVENT, ON | 0x202 } }, "no NMI while" },
	{ G, base_long, { { GUEST_PENDING_DBG_EXCEPTIONS, BIT(13) } }, "pending debug exceptions' res" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 1 }, { GUEST_RFLAGS, 0x302 } },
	  "pending debug exceptions' BS" },
	{ G, base_long, { { GUEST_INTERRUPTIBILITY_INFO, 1 }, { GUEST_PENDING_DBG_EXCEPTIONS, BIT(14) } },
	  "pending debug exceptions' BS" },
	{ G, base_long, { { VMCS_LINK_POINTER, 0x123000 } }, "VMCS link" },
	{ G, base_paged, { { GUEST_PDPTR0 + 6, 0x1003 } }, "PDPTEs" },
};

/* These can't be spoilt with the capabilities above. */
static const char *const spoilt_elsewhere[] = {
	"EPT accessed and dirty flags", "virtual-interrupt delivery needs external",
};

#define ROWS_MAX	128

static bool met[VMX_CHECK_GUEST + 1][ROWS_MAX];

static void note(enum vmx_check_area area, const struct vmx_check *check)
{
	if (check)
		met[area][check - vmx_checks[area]->rows] = true;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

TEST(a_spoilt_field_is_named)
{
	struct vmx_check_result result;
	unsigned int i, k;
	char said[256];

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		rows[i].base();
		for (k = 0; k < 2 && (!k || rows[i].set[k].field); k++)
			vmcs[rows[i].set[k].field] = rows[i].set[k].value;
		result = vmx_check_find(&view, rows[i].area);
		snprintf(said, sizeof(said), "%s%s%s", result.segment ?: "", result.segment ? ": " : "",
			 result.check ? result.check->says : "nothing");
		if (!begins(said, rows[i].says))
			unit_fail("row %u: \"%s\", not \"%s\"", i, said, rows[i].says);
		note(rows[i].area, result.check);
	}
}

static const char *spoil(const struct vmx_capabilities *other, u32 field, u64 value)
{
	struct vmx_checked v = { other, read_field, 0x50 };
	struct vmx_check_result result;

	vmcs[field] = value;
	result = vmx_check_find(&v, VMX_CHECK_CONTROLS);
	note(VMX_CHECK_CONTROLS, result.check);
	return result.check ? result.check->says : "nothing";
}

TEST(with_other_capabilities)
{
	struct vmx_capabilities other = caps;

	other.ept_vpid &= ~BIT_ULL(21);
	base_long();
	CHECK(begins(spoil(&other, EPT_POINTER, 0x12305e), spoilt_elsewhere[0]));
	other = caps;
	other.pin &= ~1ULL;
	base_apicv();
	CHECK(begins(spoil(&other, PIN_BASED_VM_EXEC_CONTROL, 0x68), spoilt_elsewhere[1]));
}

TEST(each_check_was_met)
{
	unsigned int area, i;

	for (area = VMX_CHECK_CONTROLS; area <= VMX_CHECK_GUEST; area++) {
		REQUIRE(vmx_checks[area]->count <= ROWS_MAX);
		for (i = 0; i < vmx_checks[area]->count; i++)
			if (!met[area][i])
				unit_fail("%u: %s", area, vmx_checks[area]->rows[i].says);
	}
}
