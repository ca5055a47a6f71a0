/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX instructions (SDM vol. 3 ch. 30). Each has an exception-table entry: where VMX is off
 * (a CPU going down, a reboot) it does nothing instead of an oops. Field widths are checked at
 * compile time: bits 14:13 of an encoding are the width (24.11.2).
 */
#ifndef QVM_X86_VMX_VMCS_H
#define QVM_X86_VMX_VMCS_H

#include <linux/build_bug.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/vmx.h>

#define VMCS_WIDTH_16	0
#define VMCS_WIDTH_64	1
#define VMCS_WIDTH_32	2
#define VMCS_WIDTH_NAT	3
#define VMCS_WIDTH(field) (((field) >> 13) & 3)

/* A field that this VMCS does not have reads as 0; vmx_write_failed() tells of writes. */
static __always_inline u64 vmcs_read_any(unsigned long field)
{
	u64 value;

	asm volatile goto("1: vmread %1, %0\n\t"
			  "jna %l[failed]\n"
			  _ASM_EXTABLE(1b, %l[failed])
			  : "=r"(value) : "r"(field) : "cc" : failed);
	/* gcc before 12.4 takes the two ways for one without something between them (bug 113921). */
	asm volatile("");
	return value;
failed:
	return 0;
}

void vmx_write_failed(unsigned long field, u64 value);

static __always_inline void vmcs_write_any(unsigned long field, u64 value)
{
	asm goto("1: vmwrite %1, %0\n\t"
			  "jna %l[failed]\n"
			  _ASM_EXTABLE(1b, %l[failed])
			  : : "r"(field), "r"(value) : "cc" : failed);
	return;
failed:
	vmx_write_failed(field, value);
}

#define vmcs_read(field) ({						\
	BUILD_BUG_ON((field) & 1 && VMCS_WIDTH(field) == VMCS_WIDTH_64);	\
	vmcs_read_any(field);						\
})
#define vmcs_write16(field, value) ({ BUILD_BUG_ON(VMCS_WIDTH(field) != VMCS_WIDTH_16);	\
				      vmcs_write_any(field, (u16)(value)); })
#define vmcs_write32(field, value) ({ BUILD_BUG_ON(VMCS_WIDTH(field) != VMCS_WIDTH_32);	\
				      vmcs_write_any(field, (u32)(value)); })
#define vmcs_write64(field, value) ({ BUILD_BUG_ON(VMCS_WIDTH(field) != VMCS_WIDTH_64);	\
				      vmcs_write_any(field, value); })
#define vmcs_write(field, value)   ({ BUILD_BUG_ON(VMCS_WIDTH(field) != VMCS_WIDTH_NAT);	\
				      vmcs_write_any(field, value); })

/* True: worked. */
static __always_inline bool vmx_on(u64 hpa)
{
	asm goto("1: vmxon %0\n\t"
			  "jna %l[failed]\n"
			  _ASM_EXTABLE(1b, %l[failed])
			  : : "m"(hpa) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static __always_inline void vmx_off(void)
{
	asm volatile("1: vmxoff\n2:\n" _ASM_EXTABLE(1b, 2b) : : : "cc", "memory");
}

static __always_inline bool vmcs_load(u64 hpa)
{
	asm goto("1: vmptrld %0\n\t"
			  "jna %l[failed]\n"
			  _ASM_EXTABLE(1b, %l[failed])
			  : : "m"(hpa) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static __always_inline void vmcs_clear(u64 hpa)
{
	asm volatile("1: vmclear %0\n2:\n" _ASM_EXTABLE(1b, 2b) : : "m"(hpa) : "cc", "memory");
}

/* 30.3 INVEPT, INVVPID: descriptor of two quadwords. */
struct vmx_inv { u64 first, address; };

static __always_inline void vmx_invept(unsigned long type, u64 eptp)
{
	struct vmx_inv desc = { eptp, 0 };

	asm volatile("1: invept %0, %1\n2:\n" _ASM_EXTABLE(1b, 2b) : : "m"(desc), "r"(type)
		     : "cc", "memory");
}

static __always_inline void vmx_invvpid(unsigned long type, u16 vpid)
{
	struct vmx_inv desc = { vpid, 0 };

	asm volatile("1: invvpid %0, %1\n2:\n" _ASM_EXTABLE(1b, 2b) : : "m"(desc), "r"(type)
		     : "cc", "memory");
}

#endif /* QVM_X86_VMX_VMCS_H */
