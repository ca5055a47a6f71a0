/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's decoded instructions: moves between a register and memory, in 64-bit mode, that have
 * been emulated before (emulate.c). Each stands for what a walk of the guest's tables and a decoding
 * of the bytes there would give now: it remembers where the entries were that led to its code and
 * what they and the code were, and holds while all of them read the same. A guest that changes a
 * mapping, or code, need not tell anybody.
 *
 * It reads by pointers into the VM's memory, as a TLB does, and they are taken away as a TLB's
 * entries are: the table of stage 2 has a generation, which goes up at each flush of it before
 * that waits for the vCPUs that are in the guest (x86_s2_generation()).
 */
#ifndef QVM_X86_INSN_CACHE_H
#define QVM_X86_INSN_CACHE_H

#include "decode.h"

struct qvm_vcpu;

int x86_insn_cache_create(struct qvm_vcpu *vcpu);	/* -ENOMEM */
void x86_insn_cache_destroy(struct qvm_vcpu *vcpu);	/* fine when there is none */

/*
 * The instruction at @rip with the guest's tables at @cr3, or NULL: not one of these, or not known
 * (any more). 64-bit mode; interrupts off, mode VCPU_IN_GUEST. Neither its operands nor its address
 * need RSP.
 */
const struct insn *x86_insn_cache_find(const struct qvm_vcpu *vcpu, u64 rip, u64 cr3);

/*
 * @insn has just been decoded from @bytes at @rip. The vCPU's own thread at tier 1, 64-bit mode.
 * What cannot be kept is not.
 */
void x86_insn_cache_add(struct qvm_vcpu *vcpu, u64 rip, const u8 *bytes, const struct insn *insn);

#endif /* QVM_X86_INSN_CACHE_H */
