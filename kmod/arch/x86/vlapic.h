/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC of a vCPU (SDM vol. 3 ch. 11): registers, priorities, IPIs, timer. All state is in
 * one page laid out as the architecture's register page, so that VMX's virtual-APIC page can be it.
 */
#ifndef QVM_X86_VLAPIC_H
#define QVM_X86_VLAPIC_H

#include <linux/types.h>

struct qvm_vm;
struct qvm_vcpu;
struct vlapic;

/* What is added to the host's TSC for this vCPU: the VM's, what its guest has changed, what suspends took. */
u64 x86_tsc_offset(const struct qvm_vcpu *vcpu);

/* Cycles. It grows at a resume alone: no guest runs then, and each looks before its next entry. */
extern u64 x86_tsc_lost;
/* The last pCPU goes to sleep, has woken up. Interrupts off. */
void x86_tsc_suspend(void);
void x86_tsc_resume(void);

/*
 * -ENOMEM, -ENODEV (the host's TSC rate is unknown). Sets vcpu->arch.lapic; reset values, xAPIC
 * mode, enabled; id = vCPU index.
 */
int vlapic_create(struct qvm_vcpu *vcpu);
void vlapic_destroy(struct qvm_vcpu *vcpu);	/* also after a failed create; cancels the timer */

/* INIT (keeps the id), SDM 11.4.7.3. The vCPU's own thread. */
void vlapic_reset(struct qvm_vcpu *vcpu);

/* The register page: for the virtual-APIC page and for tests. */
void *vlapic_page(struct qvm_vcpu *vcpu);

/* IA32_APIC_BASE. set: -EINVAL for a reserved bit or an illegal mode change (SDM 11.12.5): #GP. */
u64 vlapic_get_base(const struct qvm_vcpu *vcpu);
int vlapic_set_base(struct qvm_vcpu *vcpu, u64 value);

/* xAPIC page access at @offset in it; the gpa is in the page at APIC_BASE and the mode is xAPIC. */
u32 vlapic_mmio_read(struct qvm_vcpu *vcpu, u32 offset);
void vlapic_mmio_write(struct qvm_vcpu *vcpu, u32 offset, u32 value);

/* True if @gpa is in this vCPU's xAPIC page now. */
bool vlapic_owns(const struct qvm_vcpu *vcpu, u64 gpa);

/* x2APIC MSRs 0x800 … 0x8ff. -EINVAL: not in x2APIC mode, no such register, reserved bit: #GP. */
int vlapic_msr_read(struct qvm_vcpu *vcpu, u32 msr, u64 *value);
int vlapic_msr_write(struct qvm_vcpu *vcpu, u32 msr, u64 value);

/* IA32_TSC_DEADLINE; guest TSC. */
u64 vlapic_get_tsc_deadline(const struct qvm_vcpu *vcpu);
void vlapic_set_tsc_deadline(struct qvm_vcpu *vcpu, u64 value);

/* CR8: task priority class, 0 … 15. */
u64 vlapic_get_cr8(const struct qvm_vcpu *vcpu);
void vlapic_set_cr8(struct qvm_vcpu *vcpu, u64 value);

/* APIC write trap of APIC-register virtualization (exit 56): register @offset was written. */
void vlapic_wrote(struct qvm_vcpu *vcpu, u32 offset);
/* EOI-induced exit (45), and the EOI of interrupts that virtual-interrupt delivery retires. */
void vlapic_eoi_vector(struct qvm_vcpu *vcpu, u8 vector);

/*
 * Make @vector pending in IRR (TMR by @level), and kick the vCPU. Any context, interrupts on or
 * off, any thread. False: the APIC is disabled, or the vector is below 16.
 */
bool vlapic_accept(struct qvm_vcpu *vcpu, u8 vector, bool level);

/*
 * Send an interrupt message as an I/O APIC or MSI does (SDM 11.11): destination, logical or
 * physical, delivery mode 0 … 7, vector, level-triggered or not. Resolves lowest priority. Any
 * context. False: nobody took it.
 */
bool vlapic_deliver(struct qvm_vm *vm, u32 dest, bool logical, u8 mode, u8 vector, bool level);

/*
 * What is written to ICR, or to the lower half of an xAPIC's, is for two vCPUs at most, unless the guest
 * has given several the same logical id: it may be sent with interrupts off.
 */
bool vlapic_icr_is_short(const struct qvm_vcpu *vcpu, u64 icr);

/* Of a VM, before it has vCPUs. */
void vlapic_vm_init(struct qvm_vm *vm);

/*
 * The vCPU's own thread, before entry: the vector that the guest takes next (highest IRR whose
 * class is above PPR), or -1. take: it is being injected: IRR to ISR, PPR.
 */
int vlapic_pending_vector(struct qvm_vcpu *vcpu);
void vlapic_take(struct qvm_vcpu *vcpu, u8 vector);

/*
 * Virtual-interrupt delivery: from now on the processor takes the vectors out of IRR, and ends them.
 * The vCPU's own thread, before an entry.
 */
void vlapic_set_hardware(struct qvm_vcpu *vcpu, bool on);
/*
 * Before each entry: true if something came since the last time; then *request and *service are the
 * highest of IRR and of ISR, or 0; *service is -1 where it is what the processor has.
 */
bool vlapic_hardware_is_due(const struct qvm_vcpu *vcpu);	/* it might be */
bool vlapic_hardware_sync(struct qvm_vcpu *vcpu, int *request, int *service);
/* Vectors (4 × u64) whose EOI has to be seen, beyond those of I/O APICs: level-triggered LINT pins. */
void vlapic_eoi_exits(const struct qvm_vcpu *vcpu, u64 bitmap[4]);
/* Changes whenever these may. */
u32 vlapic_routes(const struct qvm_vcpu *vcpu);

/*
 * TPR threshold (24.6.8): the class of the highest IRR that TPR alone holds back, else 0: the guest
 * exits when TPR goes below it.
 */
u8 vlapic_tpr_threshold(const struct qvm_vcpu *vcpu);

/*
 * LVT0 passes the 8259's output through (ExtINT, unmasked), or the APIC is disabled. The pair is
 * wired to vCPU 0: false on others. Any context.
 */
bool vlapic_accepts_extint(const struct qvm_vcpu *vcpu);

/*
 * Timer: next deadline as host TSC, or U64_MAX: for the preemption timer. It may have passed: then
 * vlapic_timer_expired() makes the interrupt pending, which otherwise does nothing. Asked before
 * vlapic_pending_vector(), it saves an entry that ends at once.
 */
u64 vlapic_timer_deadline(struct qvm_vcpu *vcpu);
void vlapic_timer_expired(struct qvm_vcpu *vcpu);

/* The vCPU sleeps / wakes: between them an hrtimer stands in for the preemption timer. */
void vlapic_block(struct qvm_vcpu *vcpu);
void vlapic_unblock(struct qvm_vcpu *vcpu);

/* Anything that ends HLT: a deliverable vector. Any context. */
bool vlapic_has_pending(struct qvm_vcpu *vcpu);

#endif /* QVM_X86_VLAPIC_H */
