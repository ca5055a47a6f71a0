// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC: from a message to the processor, and its end (SDM vol. 3 11.5 and 11.8).
 *
 * TMR is written before IRR, and IRR before the kick: who sees the request sees its trigger mode,
 * and a vCPU that was kicked sees the request. A request that is in IRR already needs no kick: who
 * put it there sends one.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>

#include "irqchip.h"
#include "vlapic.h"
#include "vlapic_state.h"

#define VECTOR_WORDS		8
#define VECTOR_STRIDE		0x10
#define VECTOR_FIRST		16	/* 0 … 15 are not for interrupts */
#define LVT_MODE_SHIFT		8
#define LVT_MODE_MASK		7

/* In vlapic->pins. */
#define LINT_LEVEL(pin)		BIT(pin)
#define LINT_REMOTE_IRR(pin)	BIT(8 + (pin))

/* ---- 256 bits in eight registers */

static unsigned long *vector_word(const struct vlapic *lapic, u32 reg, u8 vector)
{
	return lapic->page + reg + vector / 32 * VECTOR_STRIDE;
}

static bool vector_test(const struct vlapic *lapic, u32 reg, u8 vector)
{
	return test_bit(vector % 32, vector_word(lapic, reg, vector));
}

static void vector_clear(const struct vlapic *lapic, u32 reg, u8 vector)
{
	clear_bit(vector % 32, vector_word(lapic, reg, vector));
}

static int vector_highest(const struct vlapic *lapic, u32 reg)
{
	int i;

	for (i = VECTOR_WORDS - 1; i >= 0; i--) {
		u32 word = vlapic_get(lapic, reg + i * VECTOR_STRIDE);

		if (word)
			return i * 32 + fls(word) - 1;
	}
	return -1;
}

/* ---- acceptance */

bool vlapic_post_vector(struct vlapic *lapic, u8 vector, bool level, u64 *kicks)
{
	unsigned long *tmr = vector_word(lapic, APIC_TMR, vector);

	if (!vlapic_is_on(lapic) || !vlapic_is_software_enabled(lapic))
		return false;
	if (vector < VECTOR_FIRST) {
		vlapic_post_error(lapic, APIC_ESR_RECVILL, kicks);
		return false;
	}
	if (level && !test_bit(vector % 32, tmr))
		set_bit(vector % 32, tmr);
	else if (!level && test_bit(vector % 32, tmr))
		clear_bit(vector % 32, tmr);
	if (READ_ONCE(lapic->hardware) ? test_and_set_bit(vector, lapic->posted) :
					 test_and_set_bit(vector % 32, vector_word(lapic, APIC_IRR, vector)))
		return true;
	/* After the bit, which was set by a full barrier; see take_arrived(). */
	atomic_set(&lapic->arrived, 1);
	*kicks |= BIT_ULL(lapic->vcpu->index);
	return true;
}

static bool post_event(struct vlapic *lapic, enum x86_event event, u64 *kicks)
{
	atomic_long_or(BIT(event), &lapic->vcpu->arch.events);
	*kicks |= BIT_ULL(lapic->vcpu->index);
	return true;
}

/*
 * A processor that has begun one NMI remembers another. One that is to begin the first does so
 * before the second can reach it; a vCPU may not run that soon.
 */
static bool post_nmi(struct vlapic *lapic, u64 *kicks)
{
	long events = atomic_long_fetch_or(BIT(EVENT_NMI), &lapic->vcpu->arch.events);

	return post_event(lapic, events & BIT(EVENT_NMI) ? EVENT_NMI_AGAIN : EVENT_NMI, kicks);
}

/* A vCPU that is off waits for SIPI already: INIT would change nothing, and must not come after. */
static bool post_init(struct vlapic *lapic, u64 *kicks)
{
	if (atomic_read(&lapic->vcpu->power) == VCPU_OFF)
		return true;
	atomic_long_andnot(BIT(EVENT_SIPI), &lapic->vcpu->arch.events);
	return post_event(lapic, EVENT_INIT, kicks);
}

/*
 * One that has not yet taken its INIT finds the SIPI when it has; whichever of the two comes to
 * VCPU_OFF first, one switches it on.
 */
static bool post_startup(struct vlapic *lapic, u8 vector, u64 *kicks)
{
	struct qvm_vcpu *vcpu = lapic->vcpu;
	bool init = atomic_long_read(&vcpu->arch.events) & BIT(EVENT_INIT);

	if (!init && atomic_read(&vcpu->power) != VCPU_OFF)
		return false;
	WRITE_ONCE(vcpu->arch.sipi_vector, vector);
	if (init)
		post_event(lapic, EVENT_SIPI, kicks);
	if (atomic_cmpxchg(&vcpu->power, VCPU_OFF, VCPU_ON_PENDING) == VCPU_OFF)
		*kicks |= BIT_ULL(vcpu->index);
	return true;
}

bool vlapic_post_one(struct vlapic *lapic, const struct vlapic_msg *msg, u64 *kicks)
{
	if (!vlapic_is_on(lapic))
		return false;
	switch (msg->mode) {
	case LAPIC_FIXED:
	case LAPIC_LOWEST:
		return vlapic_post_vector(lapic, msg->vector, msg->level, kicks);
	case LAPIC_NMI:
		return post_nmi(lapic, kicks);
	case LAPIC_INIT:
		return post_init(lapic, kicks);
	case LAPIC_STARTUP:
		return post_startup(lapic, msg->vector, kicks);
	default:
		/*
		 * SMI: a vCPU has no SMM. Remote read: gone since the P6. ExtINT: the 8259 pair is
		 * wired to LINT0, no I/O APIC passes its output on.
		 */
		return false;
	}
}

bool vlapic_accept(struct qvm_vcpu *vcpu, u8 vector, bool level)
{
	u64 kicks = 0;
	bool taken = vlapic_post_vector(vcpu->arch.lapic, vector, level, &kicks);

	vlapic_kick(vcpu->vm, kicks, NULL);
	return taken;
}

/* ---- local sources */

void vlapic_post_error(struct vlapic *lapic, u32 error, u64 *kicks)
{
	/* It ends here: the error that an illegal vector in LVTERR makes is not a new one. */
	if (!(atomic_fetch_or(error, &lapic->errors) & error))
		vlapic_post_lvt(lapic, vlapic_get(lapic, APIC_LVTERR), kicks);
}

void vlapic_post_lvt(struct vlapic *lapic, u32 lvt, u64 *kicks)
{
	struct vlapic_msg msg = {
		.mode = lvt >> LVT_MODE_SHIFT & LVT_MODE_MASK,
		.vector = lvt,
	};

	/* those are the modes that an LVT entry may have */
	if (!(lvt & APIC_LVT_MASKED) &&
	    (msg.mode == LAPIC_FIXED || msg.mode == LAPIC_NMI || msg.mode == LAPIC_INIT))
		vlapic_post_one(lapic, &msg, kicks);
}

static void lint_assert(struct vlapic *lapic, unsigned int pin, bool rising, u64 *kicks)
{
	u32 lvt = vlapic_get(lapic, APIC_LVT0 + pin * VECTOR_STRIDE);
	u8 mode = lvt >> LVT_MODE_SHIFT & LVT_MODE_MASK;

	if (mode == LAPIC_EXTINT) {
		if (pin == 0 && vlapic_accepts_extint(lapic->vcpu))
			*kicks |= BIT_ULL(lapic->vcpu->index);
	} else if (mode == LAPIC_FIXED && lvt & APIC_LVT_LEVEL_TRIGGER) {
		if (!(lvt & APIC_LVT_MASKED) &&
		    !(atomic_fetch_or(LINT_REMOTE_IRR(pin), &lapic->pins) & LINT_REMOTE_IRR(pin)))
			vlapic_post_vector(lapic, lvt, true, kicks);
	} else if (rising) {
		vlapic_post_lvt(lapic, lvt, kicks);
	}
}

void vlapic_set_lint(struct qvm_vcpu *vcpu, unsigned int pin, bool level, u64 *kicks)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	bool was;

	if (!level) {
		atomic_andnot(LINT_LEVEL(pin), &lapic->pins);
		return;
	}
	was = atomic_fetch_or(LINT_LEVEL(pin), &lapic->pins) & LINT_LEVEL(pin);
	if (!vlapic_is_on(lapic)) {
		/* the pin is the processor's INTR, or NMI */
		if (pin == 0)
			*kicks |= BIT_ULL(vcpu->index);
		else if (!was)
			post_nmi(lapic, kicks);
		return;
	}
	lint_assert(lapic, pin, !was, kicks);
}

void vlapic_lint_update(struct vlapic *lapic, unsigned int pin, u64 *kicks)
{
	if (atomic_read(&lapic->pins) & LINT_LEVEL(pin))
		lint_assert(lapic, pin, false, kicks);
}

void vlapic_lint_reset(struct vlapic *lapic)
{
	/* the levels are the pins' own */
	atomic_and(LINT_LEVEL(0) | LINT_LEVEL(1), &lapic->pins);
}

bool vlapic_accepts_extint(const struct qvm_vcpu *vcpu)
{
	const struct vlapic *lapic = vcpu->arch.lapic;
	u32 lvt0;

	if (vcpu->index)
		return false;
	if (!vlapic_is_on(lapic))
		return true;
	lvt0 = vlapic_get(lapic, APIC_LVT0);
	return !(lvt0 & APIC_LVT_MASKED) && (lvt0 & APIC_MODE_MASK) == APIC_DM_EXTINT;
}

/* ---- priorities */

static u32 processor_priority(const struct vlapic *lapic)
{
	u32 tpr = vlapic_get(lapic, APIC_TASKPRI) & APIC_TPRI_MASK;
	int isrv = vector_highest(lapic, APIC_ISR);

	return isrv < 0 || tpr >> 4 >= (u32)isrv >> 4 ? tpr : (u32)isrv & 0xf0;
}

unsigned int vlapic_priority_class(const struct vlapic *lapic)
{
	return processor_priority(lapic) >> 4;
}

void vlapic_update_ppr(struct vlapic *lapic)
{
	vlapic_set(lapic, APIC_PROCPRI, processor_priority(lapic));
}

u32 vlapic_arbitration_priority(const struct vlapic *lapic)
{
	u32 tpr = vlapic_get(lapic, APIC_TASKPRI) & APIC_TPRI_MASK;
	u32 irrv = max(vector_highest(lapic, APIC_IRR), 0);
	u32 isrv = max(vector_highest(lapic, APIC_ISR), 0);

	if (tpr >> 4 >= irrv >> 4 && tpr >> 4 > isrv >> 4)
		return tpr;
	return max(tpr & isrv & 0xf0, irrv & 0xf0);
}

static int highest_posted(const struct vlapic *lapic)
{
	unsigned int last = find_last_bit(lapic->posted, 256);

	return last < 256 ? (int)last : -1;
}

/* False: nothing has come since the last time, and then there is nothing in posted. */
static bool take_arrived(struct vlapic *lapic)
{
	unsigned int vector;

	if (!atomic_read(&lapic->arrived))
		return false;
	/* A full barrier: a bit that is set after the look below finds 0 here and sets it anew. */
	atomic_xchg(&lapic->arrived, 0);
	for_each_set_bit(vector, lapic->posted, 256)
		if (test_and_clear_bit(vector, lapic->posted))
			set_bit(vector % 32, vector_word(lapic, APIC_IRR, vector));
	return true;
}

void vlapic_set_hardware(struct qvm_vcpu *vcpu, bool on)
{
	struct vlapic *lapic = vcpu->arch.lapic;

	WRITE_ONCE(lapic->hardware, on);
	lapic->in_service_changed = true;
	atomic_set(&lapic->arrived, 1);
}

bool vlapic_hardware_is_due(const struct qvm_vcpu *vcpu)
{
	const struct vlapic *lapic = vcpu->arch.lapic;

	return atomic_read(&lapic->arrived) || lapic->in_service_changed;
}

bool vlapic_hardware_sync(struct qvm_vcpu *vcpu, int *request, int *service)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	bool arrived = take_arrived(lapic);

	if (!arrived && !lapic->in_service_changed)
		return false;
	*request = max(vector_highest(lapic, APIC_IRR), 0);
	*service = lapic->in_service_changed ? max(vector_highest(lapic, APIC_ISR), 0) : -1;
	lapic->in_service_changed = false;
	return true;
}

void vlapic_eoi_exits(const struct qvm_vcpu *vcpu, u64 bitmap[4])
{
	unsigned int pin;

	for (pin = 0; pin < LAPIC_LINT_PINS; pin++) {
		u32 lvt = vlapic_get(vcpu->arch.lapic, APIC_LVT0 + pin * VECTOR_STRIDE);

		if (lvt & APIC_LVT_LEVEL_TRIGGER && !(lvt & APIC_MODE_MASK))
			bitmap[(lvt & APIC_VECTOR_MASK) / 64] |= BIT_ULL(lvt % 64);
	}
}

u32 vlapic_routes(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.lapic->lint_writes;
}

u8 vlapic_tpr_threshold(const struct qvm_vcpu *vcpu)
{
	const struct vlapic *lapic = vcpu->arch.lapic;
	u32 tpr = vlapic_get(lapic, APIC_TASKPRI) & APIC_TPRI_MASK;
	int irrv;

	if (tpr < 0x10)
		return 0;
	irrv = vlapic_is_on(lapic) ? vector_highest(lapic, APIC_IRR) : -1;
	return irrv >= 0 && (u32)irrv >> 4 <= tpr >> 4 ? irrv >> 4 : 0;
}

static int deliverable(const struct vlapic *lapic)
{
	int irrv = vlapic_is_on(lapic) ? max(vector_highest(lapic, APIC_IRR), highest_posted(lapic)) : -1;

	return irrv >= 0 && irrv >> 4 > (int)vlapic_priority_class(lapic) ? irrv : -1;
}

int vlapic_pending_vector(struct qvm_vcpu *vcpu)
{
	struct vlapic *lapic = vcpu->arch.lapic;

	if (!take_arrived(lapic) && lapic->irr_is_empty)
		return -1;
	lapic->irr_is_empty = vector_highest(lapic, APIC_IRR) < 0;
	return deliverable(lapic);
}

bool vlapic_has_pending(struct qvm_vcpu *vcpu)
{
	return deliverable(vcpu->arch.lapic) >= 0;
}

void vlapic_take(struct qvm_vcpu *vcpu, u8 vector)
{
	struct vlapic *lapic = vcpu->arch.lapic;

	vector_clear(lapic, APIC_IRR, vector);
	set_bit(vector % 32, vector_word(lapic, APIC_ISR, vector));
	vlapic_update_ppr(lapic);
}

/* ---- end of interrupt */

static void lint_eoi(struct vlapic *lapic, u8 vector)
{
	unsigned int pin;
	u64 kicks = 0;

	for (pin = 0; pin < LAPIC_LINT_PINS; pin++) {
		if (!(atomic_read(&lapic->pins) & LINT_REMOTE_IRR(pin)) ||
		    (u8)vlapic_get(lapic, APIC_LVT0 + pin * VECTOR_STRIDE) != vector)
			continue;
		atomic_andnot(LINT_REMOTE_IRR(pin), &lapic->pins);
		vlapic_lint_update(lapic, pin, &kicks);
	}
	vlapic_kick(lapic->vcpu->vm, kicks, lapic->vcpu);
}

void vlapic_eoi_vector(struct qvm_vcpu *vcpu, u8 vector)
{
	struct vlapic *lapic = vcpu->arch.lapic;

	lint_eoi(lapic, vector);
	if (!(vlapic_get(lapic, APIC_SPIV) & APIC_SPIV_DIRECTED_EOI))
		vioapic_eoi(vcpu->vm, vector);
}

void vlapic_eoi(struct vlapic *lapic)
{
	int vector = vector_highest(lapic, APIC_ISR);

	if (vector < 0)
		return;
	vector_clear(lapic, APIC_ISR, vector);
	lapic->in_service_changed = true;
	vlapic_update_ppr(lapic);
	if (vector_test(lapic, APIC_TMR, vector))
		vlapic_eoi_vector(lapic->vcpu, vector);
}
