/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that a guest's CPU could not finish by itself: those that touch device memory, and
 * port I/O. One may make several accesses (read and write, both sides of a page boundary, two
 * operands); between them the vCPU may go to user space and come back through
 * qvm_arch_complete_access(), which emulate.c defines.
 *
 * Everything that may fault is translated before the first access, registers and flags change
 * after the last one. A string with REP does one element, then the guest goes on at the same
 * RIP: interrupts are taken between elements, and elements in RAM are not ours at all.
 *
 * What LOCK and XCHG promise holds for devices as far as nobody else accesses the same register
 * between the read and the write: the two reach it one after the other.
 */
#ifndef QVM_X86_EMULATE_H
#define QVM_X86_EMULATE_H

#include "core.h"

/* A data access that stage 2 refused. */
struct x86_mmio {
	u64 gpa;
	u64 gva;		/* linear address that the CPU translated to gpa */
	bool has_gva;		/* false: none, or it was walking page tables */
	bool is_write;		/* the page may be written at gva, as far as the guest goes */
};

/* A port access. Of a string instruction the rest is read from its bytes. */
struct x86_io {
	u16 port;
	u8 len;			/* bytes: 1, 2, 4 */
	bool in, string;
	u64 next_rip;
};

/* vcpu->arch.insn. -ENOMEM. destroy: fine when there is none. */
int x86_emulate_create(struct qvm_vcpu *vcpu);
void x86_emulate_destroy(struct qvm_vcpu *vcpu);

/*
 * Do the instruction at RIP, which the hardware stopped at. The vCPU's own thread at tier 1; GPRs
 * are in vcpu->arch.regs. Faults that it raises are injected. An instruction that the decoder does
 * not know is #UD or what the VM's policy says, and the vCPU's first one is logged with its bytes.
 */
enum exit_action x86_emulate_mmio(struct qvm_vcpu *vcpu, const struct x86_mmio *mmio);
enum exit_action x86_emulate_io(struct qvm_vcpu *vcpu, const struct x86_io *io);

#endif /* QVM_X86_EMULATE_H */
