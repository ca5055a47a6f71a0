/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the local APIC's own files share, and what the I/O APIC sends with. Letters behind a field:
 * [C] constant after creation; [v] the vCPU's own thread; "r" behind it: others read it, too, by
 * READ_ONCE(); [a] atomic.
 *
 * There is no lock. The register page is [v, r], but IRR and TMR, which are [a]: bits set there
 * make up a message. Whoever sets one notes the vCPU in a set of vCPUs to kick, and kicks when it
 * holds no lock any more.
 */
#ifndef QVM_X86_VLAPIC_STATE_H
#define QVM_X86_VLAPIC_STATE_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/hrtimer.h>
#include <linux/types.h>
#include <asm/apicdef.h>

#include "core.h"

#define LAPIC_LINT_PINS		2

/* Delivery modes, as LVT, ICR and redirection entries have them in bits 10:8. */
enum vlapic_mode {
	LAPIC_FIXED,
	LAPIC_LOWEST,
	LAPIC_SMI,
	LAPIC_REMOTE_READ,
	LAPIC_NMI,
	LAPIC_INIT,
	LAPIC_STARTUP,
	LAPIC_EXTINT,
};

/* All [v]; but while the vCPU sleeps they are the hrtimer's. */
struct vlapic_timer {
	struct hrtimer hrtimer;
	u64 epoch;		/* [C] host TSC where its nanoseconds start */
	u64 expiry;		/* ns: when the current count reaches 0; 0: stopped */
	u64 tsc_deadline;	/* guest TSC; 0: not armed */
	u32 lvt;		/* the LVT entry that is in effect */
	u8 divide_shift;
};

struct vlapic {
	struct qvm_vcpu *vcpu;		/* [C] */
	void *page;			/* [C] registers at their xAPIC offsets */
	u64 base;			/* [v, r] IA32_APIC_BASE */
	atomic_t errors;		/* [a] ESR bits since the guest last wrote ESR */
	atomic_t pins;			/* [a] LINT_LEVEL, LINT_REMOTE_IRR */
	u32 lint_writes;		/* [v] of LVT0 and LVT1 */
	struct vlapic_timer timer;
	/*
	 * Virtual-interrupt delivery: the processor has the page while the guest runs, and nobody may
	 * write to IRR then (24.11.4). What comes meanwhile waits here for the vCPU's own thread.
	 */
	bool hardware;			/* [v, r] that is on */
	bool in_service_changed;	/* [v] ISR is another than the processor left */
	unsigned long posted[256 / BITS_PER_LONG];	/* [a] */
	atomic_t arrived;		/* [a] IRR or posted may have more than at the last look */
	bool irr_is_empty;		/* [v] at the last look */
};

/* An interrupt message on its way. */
struct vlapic_msg {
	u32 dest;
	u8 mode;		/* enum vlapic_mode */
	u8 vector;
	bool logical;
	bool level;
	bool wide;		/* x2APIC's destination of 32 bits, else 8 */
};

static inline u32 vlapic_get(const struct vlapic *lapic, u32 offset)
{
	return READ_ONCE(*(const u32 *)(lapic->page + offset));
}

static inline void vlapic_set(struct vlapic *lapic, u32 offset, u32 value)
{
	WRITE_ONCE(*(u32 *)(lapic->page + offset), value);
}

static inline bool vlapic_is_on(const struct vlapic *lapic)
{
	return READ_ONCE(lapic->base) & XAPIC_ENABLE;
}

static inline bool vlapic_is_x2apic(const struct vlapic *lapic)
{
	return READ_ONCE(lapic->base) & X2APIC_ENABLE;
}

static inline bool vlapic_is_software_enabled(const struct vlapic *lapic)
{
	return vlapic_get(lapic, APIC_SPIV) & APIC_SPIV_APIC_ENABLED;
}

/* vlapic_irq.c ---------------------------------------------------------------------------- */

/* @vector into IRR. Any context. False: not accepted. */
bool vlapic_post_vector(struct vlapic *lapic, u8 vector, bool level, u64 *kicks);

/* NMI, INIT, SIPI, or a vector. Any context. False: not accepted. */
bool vlapic_post_one(struct vlapic *lapic, const struct vlapic_msg *msg, u64 *kicks);

/* A local source of interrupts asserts: what its LVT entry @lvt says. Any context. */
void vlapic_post_lvt(struct vlapic *lapic, u32 lvt, u64 *kicks);

/* An error of ESR, and its interrupt if it is new. Any context. */
void vlapic_post_error(struct vlapic *lapic, u32 error, u64 *kicks);

/* LINT0 or LINT1 of @vcpu has this level now. Any context, any locks. */
void vlapic_set_lint(struct qvm_vcpu *vcpu, unsigned int pin, bool level, u64 *kicks);

/* LVT0 or LVT1 was written, or its interrupt ended: a level that is high asserts again. */
void vlapic_lint_update(struct vlapic *lapic, unsigned int pin, u64 *kicks);

void vlapic_lint_reset(struct vlapic *lapic);

/* The guest writes EOI. */
void vlapic_eoi(struct vlapic *lapic);

/* Compute PPR into the page. The vCPU's own thread. */
void vlapic_update_ppr(struct vlapic *lapic);
u32 vlapic_arbitration_priority(const struct vlapic *lapic);

/* Class of what the processor does now, 0 … 15. Any context. */
unsigned int vlapic_priority_class(const struct vlapic *lapic);

/* vlapic_ipi.c ---------------------------------------------------------------------------- */

/* Put @msg into the LAPICs it is for. Any context, any locks. False: nobody accepted it. */
bool vlapic_post(struct qvm_vm *vm, const struct vlapic_msg *msg, u64 *kicks);

/*
 * Kick the vCPUs of @kicks, but not @self: it is outside of the guest. No locks held. With interrupts off
 * two are woken here, more by a worker: each takes the scheduler 1,500 instructions.
 */
void vlapic_kick(struct qvm_vm *vm, u64 kicks, const struct qvm_vcpu *self);

/* The guest wrote ICR, or x2APIC's SELF IPI. */
void vlapic_send_ipi(struct vlapic *lapic, u32 icr, u32 dest);
void vlapic_send_self(struct vlapic *lapic, u8 vector);

/* vlapic_timer.c -------------------------------------------------------------------------- */

void vlapic_timer_init(struct vlapic *lapic);
void vlapic_timer_fini(struct vlapic *lapic);
void vlapic_timer_reset(struct vlapic *lapic);

/* The guest wrote the register. */
void vlapic_timer_set_lvt(struct vlapic *lapic, u32 lvt);
void vlapic_timer_set_count(struct vlapic *lapic, u32 count);
void vlapic_timer_set_divide(struct vlapic *lapic, u32 divide);
u32 vlapic_timer_count(struct vlapic *lapic);

#endif /* QVM_X86_VLAPIC_STATE_H */
