/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole seam between the generic module and an architecture: every arch/ folder defines
 * exactly these, the build picks one. Generic code sees no register, no syndrome, no PTE bit.
 */
#ifndef QVM_ARCH_H
#define QVM_ARCH_H

#include "core.h"
#include "inject.h"

struct seq_file;

/* ---- module ---- */

/*
 * Probe this host and take what the hardware gives once: owner of EL2 or VMX, interrupts,
 * per-CPU enabling by CPU hotplug callbacks. What is missing is named in one log line with
 * its remedy. -ENODEV: hardware can't; -EBUSY: KVM holds it; -EOPNOTSUPP: this kernel's
 * configuration. Nothing is changed on error.
 */
int qvm_arch_init(void);
void qvm_arch_fini(void);

/* What speculation needs around a guest on this host, and why: a line each (debugfs). May sleep. */
void qvm_arch_mitigations_show(struct seq_file *m);

/* Fill arch, features, ipa_bits, block_sizes of QVM_QUERY. */
void qvm_arch_query(struct qvm_query *query);

/* ---- VM ---- */

/* arch part of a zeroed VM; may sleep. -ENOMEM. destroy: also after create failed half-way. */
int qvm_arch_vm_create(struct qvm_vm *vm);
void qvm_arch_vm_destroy(struct qvm_vm *vm);

/* As at QVM_VM_CREATE_VDEV; VM mutex held, BUILDING. */
int qvm_arch_vm_create_vdev(struct qvm_vm *vm, const struct qvm_create_vdev *param);

/* Last step of assembly: VM mutex held. Memory is coherent for a guest with its caches off. */
int qvm_arch_vm_assemble(struct qvm_vm *vm);

/* As at QVM_VM_SET_IRQ; VM assembled. */
int qvm_arch_vm_set_irq(struct qvm_vm *vm, u32 line, bool level);

/*
 * @on: the guest's end of an interrupt of @line (its deactivation on arm64, the EOI at the I/O
 * APIC on x86) puts the line down and calls qvm_irqfd_ended(). VM assembled. -ENXIO: no such
 * line.
 */
int qvm_arch_vm_set_resample(struct qvm_vm *vm, u32 line, bool on);

/* ---- vCPU ---- */

/* Registers at their reset values; vCPU 0 powered on. May sleep. -ENOMEM. */
int qvm_arch_vcpu_create(struct qvm_vcpu *vcpu);
void qvm_arch_vcpu_destroy(struct qvm_vcpu *vcpu);

/*
 * Guest state onto this pCPU / off it; preemption off. load: false if this pCPU is not enabled
 * (on its way down): nothing was loaded. put may run under the rq lock (core.h).
 */
bool qvm_arch_vcpu_load(struct qvm_vcpu *vcpu);
void qvm_arch_vcpu_put(struct qvm_vcpu *vcpu);

/*
 * The thread left for user space or sleep and has put: what the put path may not do under the
 * rq lock. Preemption off.
 */
void qvm_arch_vcpu_settle(struct qvm_vcpu *vcpu);

/*
 * The thread goes to user space and may be back soon: put and settle, but where nothing in the
 * host needs the registers the guest's state may stay in them, until it has to be elsewhere.
 * Preemption off.
 */
void qvm_arch_vcpu_park(struct qvm_vcpu *vcpu);

/*
 * Enter the guest until an exit that tier 0 does not answer. Interrupts on, preemption on, vCPU
 * loaded. Notes where in trail.entry_pc. Owns the interrupts-off stretch: looks at qvm_vcpu_is_wanted(), flushes vdev state, enters,
 * answers at tier 0, syncs, opens interrupts. The exit stays in vcpu->arch.
 * 0; -EAGAIN: did not enter (wanted); -EIO: this pCPU is not enabled (leave and migrate).
 */
int qvm_arch_vcpu_enter(struct qvm_vcpu *vcpu);

/* Tier 1: answer the exit that qvm_arch_vcpu_enter left. Interrupts and preemption on. */
enum exit_action qvm_arch_vcpu_exit(struct qvm_vcpu *vcpu);

/*
 * The answer to @access: take the data of a read, and step over the instruction or make its next
 * access (x86: one may make several).
 */
enum exit_action qvm_arch_complete_access(struct qvm_vcpu *vcpu, const struct qvm_access *access,
					  u64 data);

/* Nobody's address: the exception that real hardware raises, or -EOPNOTSUPP (reads as ones). */
int qvm_arch_inject_unclaimed(struct qvm_vcpu *vcpu, const struct qvm_access *access);

/* True if a blocked vCPU should run: an interrupt to take. Any context without rq lock. */
bool qvm_arch_vcpu_runnable(struct qvm_vcpu *vcpu);

/*
 * A vCPU whose thread was woken or came back from user space waits on nevertheless: what it waits for
 * has not come. vCPU mutex held.
 */
bool qvm_arch_vcpu_waits(struct qvm_vcpu *vcpu);

/* Before sleeping (vCPU put): arm what wakes it (timers). After: disarm. */
void qvm_arch_vcpu_block(struct qvm_vcpu *vcpu);
void qvm_arch_vcpu_unblock(struct qvm_vcpu *vcpu);

/* Around polling (vCPU loaded, preemptible): from here on qvm_arch_vcpu_runnable() tells. */
void qvm_arch_vcpu_poll(struct qvm_vcpu *vcpu);
void qvm_arch_vcpu_unpoll(struct qvm_vcpu *vcpu);

/* The vCPU's own thread met a power-on request (PSCI, INIT-SIPI): take the new state. Put. */
void qvm_arch_vcpu_power_on(struct qvm_vcpu *vcpu);

/* -ENOENT, -EPERM, -EINVAL as at QVM_VCPU_GET_REG. vCPU mutex held, not loaded. */
int qvm_arch_get_reg(struct qvm_vcpu *vcpu, struct qvm_reg *reg);
int qvm_arch_set_reg(struct qvm_vcpu *vcpu, const struct qvm_reg *reg);

/* Where the guest is (register dump, run page). */
u64 qvm_arch_vcpu_pc(const struct qvm_vcpu *vcpu);

/* The last exit becomes this error (inject.h); vCPU as after qvm_arch_vcpu_enter(). */
void qvm_arch_inject_exit(struct qvm_vcpu *vcpu, const struct qvm_injection *how);

/* A register dump into the log, at most once per VM, after a safe state. */
void qvm_arch_vcpu_dump(const struct qvm_vcpu *vcpu);

/* ---- stage 2 ---- */

/* Sizes that one entry can map on this host, bit n for 2^n bytes. */
u64 qvm_arch_s2_block_sizes(void);

/* How memory with these permissions is mapped at first (x86: perhaps not executable yet). */
u32 qvm_arch_s2_prot(u32 prot);

/*
 * What was just mapped in this range is coherent for a guest with its caches off (arm64 without
 * FEAT_S2FWB: cleaned to PoC), and for its fetches. s2_lock held; may sleep.
 */
void qvm_arch_s2_clean(struct qvm_vm *vm, u64 gpa, u64 size);

/* And for all that is mapped. */
void qvm_arch_s2_clean_all(struct qvm_vm *vm);

/* Memory that is not mapped yet, or no more, likewise. May sleep. */
void qvm_arch_s2_clean_hpa(struct qvm_vm *vm, u64 hpa, u64 size);

/* Forget all translations of this VM, in all pCPUs. Process context. */
void qvm_arch_s2_flush_vm(struct qvm_vm *vm);

/* Order table writes before hardware walks. */
void qvm_arch_s2_sync(void);

#endif /* QVM_ARCH_H */
