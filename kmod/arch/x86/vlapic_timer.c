// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer (SDM vol. 3 11.5.4).
 *
 * It counts at 1 GHz, the crystal of CPUID leaf 15h: a tick at divisor 1 is a nanosecond, taken
 * from the host's TSC. Nothing counts: a count is the time to its end. While the vCPU runs, its
 * thread asks at each entry (vlapic_timer_deadline()), asleep an hrtimer stands in.
 *
 * Periods that pass while nobody looks are one interrupt, as they are in hardware while the
 * vector stays in IRR, and the phase is kept. A period below MIN_PERIOD_NS lasts that long.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <asm/tsc.h>

#include "compat.h"
#include "vlapic.h"
#include "vlapic_state.h"

#define TIMER_MODE		(APIC_LVT_TIMER_PERIODIC | APIC_LVT_TIMER_TSCDEADLINE)
#define KHZ_PER_GHZ		1000000
#define MIN_PERIOD_NS		20000
#define MAX_SLEEP_SECONDS	3600

/* ---- time; mul_u64_u32_div() faults when the result has more than 64 bits */

/* What the host's TSC lost over suspends: firmware starts it anew, guests see it go on. */
u64 x86_tsc_lost;
static u64 tsc_at_suspend;

void x86_tsc_suspend(void)
{
	tsc_at_suspend = rdtsc();
}

void x86_tsc_resume(void)
{
	u64 now = rdtsc();

	if (now < tsc_at_suspend)
		WRITE_ONCE(x86_tsc_lost, x86_tsc_lost + tsc_at_suspend - now);
}

/* Of it, what was lost since the VM was made. */
static u64 tsc_lost(const struct qvm_vm *vm)
{
	return READ_ONCE(x86_tsc_lost) - vm->arch.tsc_lost;
}

static u64 timer_tsc_lost(const struct vlapic_timer *timer)
{
	return tsc_lost(container_of(timer, struct vlapic, timer)->vcpu->vm);
}

/* As if it had never begun anew. */
static u64 host_tsc(const struct vlapic_timer *timer)
{
	u64 tsc = rdtsc() + timer_tsc_lost(timer);

	/* not before its start, should pCPUs differ a little */
	return (s64)(tsc - timer->epoch) < 0 ? timer->epoch : tsc;
}

/* @cycles since the timer was made, or a sleep: of years at most */
static u64 cycles_to_ns(u64 cycles)
{
	return mul_u64_u32_div(cycles, KHZ_PER_GHZ, tsc_khz);
}

static u64 now_ns(const struct vlapic_timer *timer)
{
	return cycles_to_ns(host_tsc(timer) - timer->epoch);
}

/* The first TSC at which now_ns() is @ns or more; 0: that was before it began anew. */
static u64 ns_to_host_tsc(const struct vlapic_timer *timer, u64 ns)
{
	u64 cycles = mul_u64_u32_div(ns, tsc_khz, KHZ_PER_GHZ);
	u64 tsc = timer->epoch + cycles + (cycles_to_ns(cycles) < ns), lost = timer_tsc_lost(timer);

	return tsc > lost ? tsc - lost : 0;
}

u64 x86_tsc_offset(const struct qvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->arch.tsc_offset) + READ_ONCE(vcpu->arch.tsc_adjust) + tsc_lost(vcpu->vm);
}

static u64 guest_tsc(const struct vlapic *lapic)
{
	return rdtsc() + x86_tsc_offset(lapic->vcpu);
}

/* ---- state */

static bool is_deadline_mode(const struct vlapic_timer *timer)
{
	return (timer->lvt & TIMER_MODE) == APIC_LVT_TIMER_TSCDEADLINE;
}

/* One-shot or periodic; the fourth value of the field is reserved, and does nothing. */
static bool counts(u32 lvt)
{
	return !(lvt & APIC_LVT_TIMER_TSCDEADLINE);
}

static u64 count_to_ns(const struct vlapic_timer *timer, u32 count)
{
	return (u64)count << timer->divide_shift;
}

static u64 timer_period(const struct vlapic *lapic)
{
	u64 ns = count_to_ns(&lapic->timer, vlapic_get(lapic, APIC_TMICT));

	return max_t(u64, ns, MIN_PERIOD_NS);
}

/* True if it ran out since the last time. */
static bool timer_advance(struct vlapic *lapic)
{
	struct vlapic_timer *timer = &lapic->timer;
	u64 now;

	if (is_deadline_mode(timer)) {
		if (!timer->tsc_deadline || guest_tsc(lapic) < timer->tsc_deadline)
			return false;
		timer->tsc_deadline = 0;
		return true;
	}
	if (!timer->expiry)
		return false;
	now = now_ns(timer);
	if (now < timer->expiry)
		return false;
	if (timer->lvt & APIC_LVT_TIMER_PERIODIC) {
		u64 period = timer_period(lapic);

		timer->expiry += ((now - timer->expiry) / period + 1) * period;
	} else {
		timer->expiry = 0;
	}
	return true;
}

/* Interrupt by the entry in effect when it ran out, before anything of it changes. */
static bool timer_sync(struct vlapic *lapic, u64 *kicks)
{
	if (!timer_advance(lapic))
		return false;
	/* bits 10:8 are reserved here, the mode is fixed */
	vlapic_post_lvt(lapic, lapic->timer.lvt & ~APIC_MODE_MASK, kicks);
	return true;
}

static void sync_self(struct vlapic *lapic)
{
	u64 kicks = 0;

	/* nobody to kick: it is the vCPU's own thread */
	timer_sync(lapic, &kicks);
}

/* The host's TSC at the guest's deadline; what lies beyond its range is never, or long ago. */
static u64 deadline_to_host(const struct vlapic *lapic)
{
	u64 guest = lapic->timer.tsc_deadline;
	s64 offset = x86_tsc_offset(lapic->vcpu);
	u64 host = guest - offset;

	if (offset < 0)
		return host < guest ? U64_MAX : host;
	return host > guest ? 0 : host;
}

/* Host TSC of the next interrupt, or U64_MAX. */
static u64 timer_next(const struct vlapic *lapic)
{
	const struct vlapic_timer *timer = &lapic->timer;

	if (timer->lvt & APIC_LVT_MASKED)
		return U64_MAX;
	if (!is_deadline_mode(timer))
		return timer->expiry ? ns_to_host_tsc(timer, timer->expiry) : U64_MAX;
	return timer->tsc_deadline ? deadline_to_host(lapic) : U64_MAX;
}

/* ---- registers */

void vlapic_timer_set_lvt(struct vlapic *lapic, u32 lvt)
{
	struct vlapic_timer *timer = &lapic->timer;

	sync_self(lapic);
	if ((timer->lvt ^ lvt) & APIC_LVT_TIMER_TSCDEADLINE) {
		timer->expiry = 0;
		timer->tsc_deadline = 0;
		vlapic_set(lapic, APIC_TMICT, 0);
	}
	timer->lvt = lvt;
	vlapic_set(lapic, APIC_LVTT, lvt);
}

void vlapic_timer_set_count(struct vlapic *lapic, u32 count)
{
	struct vlapic_timer *timer = &lapic->timer;

	sync_self(lapic);
	if (!counts(timer->lvt))
		count = 0;
	vlapic_set(lapic, APIC_TMICT, count);
	timer->expiry = count ? now_ns(timer) + count_to_ns(timer, count) : 0;
}

/* What is left of the count goes on at the new rate. */
void vlapic_timer_set_divide(struct vlapic *lapic, u32 divide)
{
	struct vlapic_timer *timer = &lapic->timer;
	u32 count = vlapic_timer_count(lapic);
	/* bits 3, 1, 0: 0 … 6 divide by 2 … 128, 7 by 1 */
	u32 code = (divide & 3) | (divide >> 1 & 4);

	timer->divide_shift = code == 7 ? 0 : code + 1;
	vlapic_set(lapic, APIC_TDCR, divide);
	if (timer->expiry)
		timer->expiry = now_ns(timer) + count_to_ns(timer, count);
}

u32 vlapic_timer_count(struct vlapic *lapic)
{
	struct vlapic_timer *timer = &lapic->timer;
	u64 now, left;

	sync_self(lapic);
	if (!timer->expiry)
		return 0;
	now = now_ns(timer);
	left = now < timer->expiry ? timer->expiry - now : 1;
	left = (left + (1ULL << timer->divide_shift) - 1) >> timer->divide_shift;
	return min_t(u64, left, vlapic_get(lapic, APIC_TMICT));
}

u64 vlapic_get_tsc_deadline(const struct qvm_vcpu *vcpu)
{
	const struct vlapic *lapic = vcpu->arch.lapic;
	u64 deadline = lapic->timer.tsc_deadline;

	return deadline > guest_tsc(lapic) ? deadline : 0;
}

void vlapic_set_tsc_deadline(struct qvm_vcpu *vcpu, u64 value)
{
	struct vlapic *lapic = vcpu->arch.lapic;

	if (!is_deadline_mode(&lapic->timer))
		return;
	sync_self(lapic);
	lapic->timer.tsc_deadline = value;
}

/* ---- while it runs */

u64 vlapic_timer_deadline(struct qvm_vcpu *vcpu)
{
	return timer_next(vcpu->arch.lapic);
}

void vlapic_timer_expired(struct qvm_vcpu *vcpu)
{
	sync_self(vcpu->arch.lapic);
}

/* ---- while it sleeps */

/* At least 1: an hrtimer that fires at once could fire forever. */
static u64 sleep_ns(const struct vlapic *lapic, u64 deadline)
{
	u64 now = rdtsc();
	u64 cycles = deadline > now ? deadline - now : 0;

	return cycles_to_ns(min_t(u64, cycles, (u64)tsc_khz * 1000 * MAX_SLEEP_SECONDS)) + 1;
}

void vlapic_block(struct qvm_vcpu *vcpu)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	u64 deadline;

	sync_self(lapic);
	deadline = timer_next(lapic);
	if (deadline != U64_MAX)
		hrtimer_start(&lapic->timer.hrtimer, ns_to_ktime(sleep_ns(lapic, deadline)),
			      HRTIMER_MODE_REL_HARD);
}

void vlapic_unblock(struct qvm_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->arch.lapic->timer.hrtimer);
}

/*
 * One interrupt a sleep: if it wakes the vCPU, the next sleep has its own; if it does not, because
 * the vector is pending and held back, or the entry is bad, another would not either.
 */
static enum hrtimer_restart sleep_is_over(struct hrtimer *hrtimer)
{
	struct vlapic *lapic = container_of(hrtimer, struct vlapic, timer.hrtimer);
	u64 kicks = 0;

	if (timer_sync(lapic, &kicks)) {
		vlapic_kick(lapic->vcpu->vm, kicks, NULL);
		return HRTIMER_NORESTART;
	}
	/* The host's clock and the TSC disagree by a little, or the deadline was very far. */
	hrtimer_forward_now(hrtimer, ns_to_ktime(sleep_ns(lapic, timer_next(lapic))));
	return HRTIMER_RESTART;
}

/* ---- life */

void vlapic_timer_reset(struct vlapic *lapic)
{
	struct vlapic_timer *timer = &lapic->timer;

	timer->expiry = 0;
	timer->tsc_deadline = 0;
	timer->lvt = APIC_LVT_MASKED;
	timer->divide_shift = 1;
}

void vlapic_timer_init(struct vlapic *lapic)
{
	lapic->timer.epoch = rdtsc() + timer_tsc_lost(&lapic->timer);
	qvm_hrtimer_setup(&lapic->timer.hrtimer, sleep_is_over, HRTIMER_MODE_REL_HARD);
	vlapic_timer_reset(lapic);
}

void vlapic_timer_fini(struct vlapic *lapic)
{
	hrtimer_cancel(&lapic->timer.hrtimer);
}
