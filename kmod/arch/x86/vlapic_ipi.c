// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC: who a message is for (SDM vol. 3 11.6.2 and 11.12.10), and the messages that the
 * guest sends by ICR.
 *
 * The id of a LAPIC is its vCPU's index and cannot be written. An I/O APIC and an xAPIC have 8 bits
 * for a destination: all ones is everybody, and in logical mode an x2APIC understands them as the
 * first 8 members of cluster 0.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/workqueue.h>

#include "vlapic.h"
#include "vlapic_state.h"

#define BROADCAST		0xff
#define WIDE_BROADCAST		U32_MAX
#define LDR_SHIFT		24

#define ICR_VECTOR		GENMASK(7, 0)
#define ICR_MODE		GENMASK(10, 8)
#define ICR_SHORTHAND		GENMASK(19, 18)

enum icr_shorthand { TO_DEST, TO_SELF, TO_ALL, TO_OTHERS };

/* ---- destinations */

static bool matches_x2apic(u32 ldr, u32 dest)
{
	return ldr >> 16 == dest >> 16 && (ldr & dest & 0xffff);
}

static bool matches_xapic(const struct vlapic *lapic, u32 dest)
{
	u8 ldr = vlapic_get(lapic, APIC_LDR) >> LDR_SHIFT;

	if (dest > BROADCAST)
		return false;
	if (vlapic_get(lapic, APIC_DFR) == APIC_DFR_FLAT)
		return ldr & dest;
	return ldr >> 4 == dest >> 4 && (ldr & dest & 0xf);
}

static bool matches(const struct vlapic *lapic, const struct vlapic_msg *msg)
{
	if (!vlapic_is_on(lapic))
		return false;
	if (msg->dest == (msg->wide ? WIDE_BROADCAST : BROADCAST))
		return true;
	if (!msg->logical)
		return msg->dest == lapic->vcpu->index;
	if (vlapic_is_x2apic(lapic))
		return matches_x2apic(vlapic_get(lapic, APIC_LDR), msg->dest);
	return matches_xapic(lapic, msg->dest);
}

static struct vlapic *lapic_of(const struct qvm_vm *vm, unsigned int index)
{
	struct qvm_vcpu *vcpu = index < vm->max_vcpus ? READ_ONCE(vm->vcpu[index]) : NULL;

	return vcpu ? vcpu->arch.lapic : NULL;
}

/* The vCPUs, by index, that @msg is for; more than one, or none. */
static u64 find_targets(const struct qvm_vm *vm, const struct vlapic_msg *msg)
{
	unsigned int i = 0, end = vm->max_vcpus;
	const struct vlapic *lapic;
	u64 targets = 0;

	if (!msg->logical && msg->dest < BROADCAST) {
		i = msg->dest;
		end = min(end, i + 1);
	}
	for (; i < end; i++) {
		lapic = lapic_of(vm, i);
		if (lapic && matches(lapic, msg))
			targets |= BIT_ULL(i);
	}
	return targets;
}

/*
 * Lowest priority: of those that run at the lowest class, one that the vector chooses, so that
 * a source of interrupts stays where it is and several are spread. Software-disabled ones do not
 * take part.
 */
static u64 arbitrate(const struct qvm_vm *vm, u64 targets, u8 vector)
{
	unsigned int class, best = 16;
	u64 left, candidates = 0;
	unsigned int skip;

	for (left = targets; left; left &= left - 1) {
		const struct vlapic *lapic = lapic_of(vm, __ffs(left));

		class = vlapic_priority_class(lapic);
		if (!vlapic_is_software_enabled(lapic) || class > best)
			continue;
		if (class < best)
			candidates = 0;
		best = class;
		candidates |= left & -left;
	}
	if (!candidates)
		return 0;
	for (skip = vector % hweight64(candidates); skip; skip--)
		candidates &= candidates - 1;
	return candidates & -candidates;
}

static bool post_to(struct qvm_vm *vm, const struct vlapic_msg *msg, u64 targets, u64 *kicks)
{
	bool taken = false;

	if (msg->mode == LAPIC_LOWEST)
		targets = arbitrate(vm, targets, msg->vector);
	for (; targets; targets &= targets - 1)
		taken |= vlapic_post_one(lapic_of(vm, __ffs(targets)), msg, kicks);
	return taken;
}

bool vlapic_post(struct qvm_vm *vm, const struct vlapic_msg *msg, u64 *kicks)
{
	return post_to(vm, msg, find_targets(vm, msg), kicks);
}

static void kick_all(struct qvm_vm *vm, u64 kicks)
{
	for (; kicks; kicks &= kicks - 1)
		qvm_vcpu_kick(vm->vcpu[__ffs(kicks)]);
}

static void late_kick(struct work_struct *work)
{
	struct qvm_vm *vm = container_of(work, struct qvm_vm, arch.late_kick);

	kick_all(vm, atomic64_xchg(&vm->arch.late_kicks, 0));
}

void vlapic_vm_init(struct qvm_vm *vm)
{
	INIT_WORK(&vm->arch.late_kick, late_kick);
}

/* More than two of a mask; those but the lowest two. */
static u64 beyond_two(u64 mask)
{
	mask &= mask - 1;
	return mask & (mask - 1);
}

void vlapic_kick(struct qvm_vm *vm, u64 kicks, const struct qvm_vcpu *self)
{
	u64 late;

	if (self)
		kicks &= ~BIT_ULL(self->index);
	late = beyond_two(kicks);
	if (unlikely(late) && irqs_disabled()) {
		atomic64_or(late, &vm->arch.late_kicks);
		queue_work(system_highpri_wq, &vm->arch.late_kick);
		kicks &= ~late;
	}
	kick_all(vm, kicks);
}

bool vlapic_deliver(struct qvm_vm *vm, u32 dest, bool logical, u8 mode, u8 vector, bool level)
{
	const struct vlapic_msg msg = {
		.dest = dest, .logical = logical, .mode = mode, .vector = vector, .level = level,
		.wide = dest > BROADCAST,
	};
	u64 kicks = 0;
	bool taken = vlapic_post(vm, &msg, &kicks);

	vlapic_kick(vm, kicks, NULL);
	return taken;
}

/* ---- what the guest sends */

/* SDM table 11-3: to itself a processor sends nothing but vectors. */
static bool icr_is_valid(u32 mode, u32 shorthand)
{
	return mode == LAPIC_FIXED || shorthand == TO_DEST || shorthand == TO_OTHERS;
}

static void send_checked(struct vlapic *lapic, const struct vlapic_msg *msg, u32 shorthand)
{
	struct qvm_vm *vm = lapic->vcpu->vm;
	u64 self = BIT_ULL(lapic->vcpu->index);
	u64 targets, kicks = 0;

	if (shorthand == TO_SELF)
		targets = self;
	else
		targets = find_targets(vm, msg);
	if (shorthand == TO_OTHERS)
		targets &= ~self;
	post_to(vm, msg, targets, &kicks);
	vlapic_kick(vm, kicks, lapic->vcpu);
}

static void send_error(struct vlapic *lapic, u32 error)
{
	u64 kicks = 0;

	vlapic_post_error(lapic, error, &kicks);
	vlapic_kick(lapic->vcpu->vm, kicks, lapic->vcpu);
}

bool vlapic_icr_is_short(const struct qvm_vcpu *vcpu, u64 icr)
{
	const struct vlapic *lapic = vcpu->arch.lapic;
	u32 shorthand = FIELD_GET(ICR_SHORTHAND, icr);
	u32 dest = vlapic_is_x2apic(lapic) ? icr >> 32 : GET_XAPIC_DEST_FIELD(vlapic_get(lapic, APIC_ICR2));

	if (shorthand != TO_DEST)
		return shorthand == TO_SELF;
	return icr & APIC_DEST_LOGICAL ? !beyond_two(dest & 0xffff) : (dest & BROADCAST) != BROADCAST;
}

/* Vectors are sent as edges, whatever the ICR says: a level has no end that a LAPIC would send. */
void vlapic_send_ipi(struct vlapic *lapic, u32 icr, u32 dest)
{
	u32 shorthand = FIELD_GET(ICR_SHORTHAND, icr);
	struct vlapic_msg msg = {
		.dest = dest,
		.mode = FIELD_GET(ICR_MODE, icr),
		.vector = FIELD_GET(ICR_VECTOR, icr),
		.logical = icr & APIC_DEST_LOGICAL,
		.wide = vlapic_is_x2apic(lapic),
	};

	if (msg.mode == LAPIC_INIT && icr & APIC_INT_LEVELTRIG && !(icr & APIC_INT_ASSERT))
		return;		/* level de-assert */
	if (!icr_is_valid(msg.mode, shorthand))
		return;
	if (msg.mode <= LAPIC_LOWEST && msg.vector < 16) {
		send_error(lapic, APIC_ESR_SENDILL);
		return;
	}
	if (shorthand == TO_ALL || shorthand == TO_OTHERS) {
		msg.dest = msg.wide ? WIDE_BROADCAST : BROADCAST;
		msg.logical = false;
	}
	send_checked(lapic, &msg, shorthand);
}

void vlapic_send_self(struct vlapic *lapic, u8 vector)
{
	u64 kicks = 0;

	if (vector < 16)
		send_error(lapic, APIC_ESR_SENDILL);
	else
		vlapic_post_vector(lapic, vector, false, &kicks);
}
