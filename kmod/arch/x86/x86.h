/* SPDX-License-Identifier: GPL-2.0-only */
/* What the x86 files share among themselves. Knows no VMX; see virt.h for that seam. */
#ifndef QVM_X86_X86_H
#define QVM_X86_X86_H

#include "arch.h"
#include "irqchip.h"
#include "virt.h"
#include "vlapic.h"

/* LAPIC timer and CPUID 15h crystal: the guest is told so, and it makes tick and ns the same. */
#define X86_CRYSTAL_HZ		1000000000ULL

/* x87, SSE, AVX, AVX-512; no PKRU, AMX, MPX */
#define X86_XCR0_GUEST		(0x7ULL | 0xe0ULL)

/* ---- cpuid.c ---- */
/* Fill the table of what all guests see from this host's CPU. At load. */
void x86_cpuid_init(void);
/* What @vcpu sees. noinstr: tier 0. */
void x86_cpuid(const struct qvm_vcpu *vcpu, u32 leaf, u32 subleaf, struct x86_cpuid *out);
/* XCR0 now, outside of the guest: the same on every pCPU, always. The kernel has XSAVE. */
u64 x86_xcr0_host(void);
/* IA32_MISC_ENABLE[0] of the host at load: the guest's starts with it. */
bool x86_has_fast_strings(void);
/* Guest's XCR0 may have these. */
u64 x86_xcr0_supported(void);
/* Bits of CR4 that this guest may set. */
u64 x86_cr4_supported(void);
u8 x86_maxphyaddr(void);
bool x86_guest_has_long_mode(void);

/* ---- msr.c: 0, or -EINVAL: #GP ---- */
int x86_msr_read(struct qvm_vcpu *vcpu, u32 index, u64 *value);
int x86_msr_write(struct qvm_vcpu *vcpu, u32 index, u64 value);
/*
 * Before the first reset: what INIT leaves (SDM vol. 3 table 9-1). No firmware runs before the guest: what that
 * leaves is there, MTRRs on and all memory write-back (11.11.2.1). Linux up to 6.2 goes without PAT where it
 * finds them off.
 */
void x86_msr_power_on(struct qvm_vcpu *vcpu);
void x86_msr_reset(struct qvm_vcpu *vcpu);

/* ---- msr_switch.c: those that the guest uses by itself while it is loaded. Preemption off ---- */
void x86_msr_load(struct qvm_vcpu *vcpu);
void x86_msr_put(struct qvm_vcpu *vcpu);
void x86_msr_cpu_init(void);			/* this pCPU has come up: its own values */
/* Any time, own thread: EFER, STAR, LSTAR, SFMASK, CSTAR or TSC_AUX in vcpu->arch.msr. */
void x86_msr_switched_set(struct qvm_vcpu *vcpu, u64 *field, u64 value);
u64 x86_kernel_gs_get(struct qvm_vcpu *vcpu);
void x86_kernel_gs_set(struct qvm_vcpu *vcpu, u64 value);

/* ---- cr.c ---- */
enum exit_action x86_cr_exit(struct qvm_vcpu *vcpu, unsigned int cr, bool is_write,
			     unsigned int gpr);
/* CR3 outside of IA-32e mode, with PDPTEs where the mode has them. False: these are bad, all is as it was. */
bool x86_load_cr3(struct qvm_vcpu *vcpu, u32 cr3);
enum exit_action x86_clts(struct qvm_vcpu *vcpu);
enum exit_action x86_lmsw(struct qvm_vcpu *vcpu, u16 value);
enum exit_action x86_dr_exit(struct qvm_vcpu *vcpu, unsigned int dr, bool is_write,
			     unsigned int gpr);
enum exit_action x86_xsetbv(struct qvm_vcpu *vcpu);

/* ---- exit.c: the same on VMX and SVM ---- */
enum exit_action x86_handle_cpuid(struct qvm_vcpu *vcpu);
enum exit_action x86_handle_hypercall(struct qvm_vcpu *vcpu);
enum exit_action x86_handle_rdmsr(struct qvm_vcpu *vcpu);
enum exit_action x86_handle_wrmsr(struct qvm_vcpu *vcpu);
enum exit_action x86_handle_hlt(struct qvm_vcpu *vcpu);
enum exit_action x86_handle_rdpmc(struct qvm_vcpu *vcpu);
enum exit_action x86_handle_hidden(struct qvm_vcpu *vcpu);	/* an instruction it doesn't have */
enum exit_action x86_fatal(struct qvm_vcpu *vcpu, u32 cause, u64 syndrome, u64 gva, u64 gpa);

/* CPUID: its registers in and out. noinstr: tier 0. */
void x86_cpuid_to_gprs(struct qvm_vcpu *vcpu);
/* Null hypercall and the like: RAX in, RAX out. noinstr: tier 0. */
void x86_hypercall(struct qvm_vcpu *vcpu);

/* ---- s2_mmu.c ---- */

/* Another one after each qvm_arch_s2_flush_vm(), which then waits for vCPUs in the guest; never 0. */
static inline u64 x86_s2_generation(const struct qvm_vm *vm)
{
	return atomic64_read(&vm->arch.s2_generation) + 1;
}

bool x86_nx_blocks(void);		/* the ITLB_MULTIHIT rule is in force */
/* A fault on memory that has a region: true if the table allows it now: it is tried again. */
bool x86_s2_fault(struct qvm_vcpu *vcpu, u64 gpa, bool fetch);
/* The processor can't make sense of the table at @gpa: the log says of what in it. */
void x86_s2_explain(struct qvm_vcpu *vcpu, u64 gpa);

/* ---- reg.c ---- */
void x86_vcpu_reset(struct qvm_vcpu *vcpu);		/* real mode, at the reset vector */
void x86_vcpu_sipi(struct qvm_vcpu *vcpu, u8 vector);	/* INIT state, then CS:IP = vector */

static inline bool x86_event_is_set(const struct qvm_vcpu *vcpu, enum x86_event event)
{
	return atomic_long_read(&vcpu->arch.events) & BIT(event);
}

static inline bool x86_nmi_is_pending(const struct qvm_vcpu *vcpu)
{
	return atomic_long_read(&vcpu->arch.events) & EVENT_NMIS;
}

/* INIT and SIPI that wait for this vCPU. True: it is off now, or starts anew. Own thread. */
bool x86_power_events(struct qvm_vcpu *vcpu);

/* ---- beyond virt.h: what the rest of arch/x86 needs of vmx/ ---- */
int virt_init(void);
void virt_fini(void);
int virt_vm_create(struct qvm_vm *vm);
int virt_vm_assemble(struct qvm_vm *vm);
void virt_vm_destroy(struct qvm_vm *vm);
int virt_vcpu_create(struct qvm_vcpu *vcpu);
void virt_vcpu_destroy(struct qvm_vcpu *vcpu);
u64 virt_block_sizes(void);

/* Hardware state follows vcpu->arch.{cr0,cr4,msr.efer} at the next entry. */
void virt_update_mode(struct qvm_vcpu *vcpu);
void virt_set_cr3(struct qvm_vcpu *vcpu, u64 cr3);
void virt_set_pdptes(struct qvm_vcpu *vcpu, const u64 pdpte[4]);
int virt_fetch_state(struct qvm_vcpu *vcpu);	/* for the UAPI: all state can be read; -EIO */
void virt_reset(struct qvm_vcpu *vcpu);		/* nothing pending, nothing in shadow */
void virt_set_rip(struct qvm_vcpu *vcpu, u64 rip);
void virt_set_segment(struct qvm_vcpu *vcpu, enum x86_seg seg, const struct x86_segment *in);
void virt_get_table(struct qvm_vcpu *vcpu, bool idt, u64 *base, u32 *limit);
void virt_set_table(struct qvm_vcpu *vcpu, bool idt, u64 base, u32 limit);
void virt_apic_base_changed(struct qvm_vcpu *vcpu, u64 base);	/* IA32_APIC_BASE; may sleep */
void virt_update_tsc(struct qvm_vcpu *vcpu);		/* x86_tsc_offset() is another now */
void virt_flush_guest_tlb(struct qvm_vcpu *vcpu);	/* this vCPU's linear translations */
u64 virt_get_msr(struct qvm_vcpu *vcpu, u32 index);	/* FS_BASE, GS_BASE: VMCS or VMCB */
void virt_set_msr(struct qvm_vcpu *vcpu, u32 index, u64 value);

static __always_inline u64 x86_rdmsr(u32 index)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
	return (u64)high << 32 | low;
}

static __always_inline void x86_wrmsr(u32 index, u64 value)
{
	asm volatile("wrmsr" : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

/* MSRs that may not be there: true and *value, or false. */
bool x86_rdmsr_safe(u32 index, u64 *value);

static inline u64 x86_gpr_read(const struct qvm_vcpu *vcpu, unsigned int n)
{
	return vcpu->arch.regs.gpr[n];
}

static inline void x86_gpr_write(struct qvm_vcpu *vcpu, unsigned int n, u64 value)
{
	vcpu->arch.regs.gpr[n] = value;
}

#endif /* QVM_X86_X86_H */
