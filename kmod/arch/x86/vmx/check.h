/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which check of a VM entry fails: SDM vol. 3 ch. 27 "VM entries" (ch. 26 in editions before 2022),
 * as const tables over a VMCS that is read by field. Pure. The checks are those of what this module
 * ever turns on.
 */
#ifndef QVM_X86_VMX_CHECK_H
#define QVM_X86_VMX_CHECK_H

#include <linux/types.h>

/* In the order in which a processor makes them; the first two are VM-instruction errors 7 and 8. */
enum vmx_check_area { VMX_CHECK_CONTROLS, VMX_CHECK_HOST, VMX_CHECK_GUEST };

/* Capability MSRs (appendix A) as they are; of controls: low half must be 1, high half may be 1. */
struct vmx_capabilities {
	u64 pin, proc, proc2, exit, entry;
	u64 misc, ept_vpid;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u8 phys_bits, linear_bits;
};

struct vmx_checked {
	const struct vmx_capabilities *caps;
	u64 (*read)(u32 field);		/* 0 if this VMCS has no such field */
	u8 vtpr;			/* of the virtual-APIC page */
};

struct vmx_check {
	const char *section, *says;	/* where it stands, what has to hold */
	bool (*holds)(const struct vmx_checked *v, const struct vmx_check *check, unsigned int seg);
	u32 field;			/* what it looks at; of segments: that of ES */
	u64 arg;
	struct {
		u32 field, bits;
	} when;				/* made only where one of these controls is on */
	u16 segments;			/* made for each of these */
};

struct vmx_check_result {
	const struct vmx_check *check;	/* the first one that fails; NULL: none of those known here */
	const char *segment;		/* of which it fails, or NULL */
	u32 field;
	u64 value;			/* of it */
};

struct vmx_check_table {
	const struct vmx_check *rows;
	unsigned int count;
};

struct vmx_check_result vmx_check_find(const struct vmx_checked *v, enum vmx_check_area area);

/* ---- between the tables ---- */

extern const struct vmx_check_table vmx_guest_checks;
extern const struct vmx_check_table *const vmx_checks[];	/* by area */

/* The field's value; controls that are not activated are 0. */
u64 vmx_check_get(const struct vmx_checked *v, u32 field);

/* What rows hold: of the field, by their arg. */
#define VMX_HOLDS(name) \
	bool name(const struct vmx_checked *v, const struct vmx_check *check, unsigned int seg)
VMX_HOLDS(vmx_holds_set);			/* all bits of arg */
VMX_HOLDS(vmx_holds_clear);		/* none of them */
VMX_HOLDS(vmx_holds_canonical);
VMX_HOLDS(vmx_holds_address);		/* bits of arg clear, and none beyond the physical address width */
VMX_HOLDS(vmx_holds_pat);			/* eight memory types */
VMX_HOLDS(vmx_holds_fixed_cr4);		/* as IA32_VMX_CR4_FIXED0 and 1 have it */

static inline bool vmx_is_canonical(const struct vmx_checked *v, u64 address)
{
	unsigned int unused = 64 - v->caps->linear_bits;

	return (u64)((s64)(address << unused) >> unused) == address;
}

#endif /* QVM_X86_VMX_CHECK_H */
