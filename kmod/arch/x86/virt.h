/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What arch/x86 asks of the virtualization extension (vmx/ now), by names that know neither VMX
 * nor SVM. The vCPU's own thread; where nothing else is said, interrupts and preemption on.
 */
#ifndef QVM_X86_VIRT_H
#define QVM_X86_VIRT_H

#include "core.h"

#define X86_XCPT_DB	1
#define X86_XCPT_NMI	2
#define X86_XCPT_UD	6
#define X86_XCPT_NM	7
#define X86_XCPT_DF	8
#define X86_XCPT_SS	12
#define X86_XCPT_GP	13
#define X86_XCPT_PF	14
#define X86_XCPT_AC	17

u64 x86_get_rip(struct qvm_vcpu *vcpu);
u64 x86_get_rflags(struct qvm_vcpu *vcpu);
void x86_set_rflags(struct qvm_vcpu *vcpu, u64 rflags);
bool x86_nmis_are_blocked(struct qvm_vcpu *vcpu);	/* amid one, until its IRET */
u64 x86_get_cr3(struct qvm_vcpu *vcpu);
void x86_get_segment(struct qvm_vcpu *vcpu, enum x86_seg seg, struct x86_segment *out);

/* cr0, cr4 as the guest sees them are in vcpu->arch; EFER is vcpu->arch.msr.efer. */

/* 2, 4 or 8: default size of the code segment; 8 is 64-bit mode. */
unsigned int x86_code_mode(struct qvm_vcpu *vcpu);

/* Current privilege level: SS.DPL, 3 in virtual-8086 mode, 0 in real mode. */
unsigned int x86_cpl(struct qvm_vcpu *vcpu);

/* Go on at @rip: the instruction before it is done (STI and MOV SS shadows end, TF traps). */
void x86_skip_to(struct qvm_vcpu *vcpu, u64 rip);

/* Step over the instruction that exited, whose length the hardware gave. */
void x86_skip(struct qvm_vcpu *vcpu);

/*
 * A fault for the guest at its next entry, RIP unchanged. error < 0: no error code. A second one
 * on top of one not yet delivered becomes #DF, a third is a triple fault (SDM vol. 3 6.15).
 */
void x86_inject_exception(struct qvm_vcpu *vcpu, unsigned int vector, int error);
void x86_inject_page_fault(struct qvm_vcpu *vcpu, u64 address, u32 error);

#endif /* QVM_X86_VIRT_H */
