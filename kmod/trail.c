// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's last exits, and whether they are all the same. */
#include <linux/bitops.h>
#include <linux/jiffies.h>
#include <linux/string.h>

#include "arch.h"
#include "trail.h"

static u64 registers_sum(const struct qvm_vcpu *vcpu)
{
	const u64 *word = (const u64 *)&vcpu->arch.regs;
	u64 sum = 0;
	size_t i;

	BUILD_BUG_ON(sizeof(vcpu->arch.regs) % sizeof(u64));
	for (i = 0; i < sizeof(vcpu->arch.regs) / sizeof(u64); i++)
		sum = rol64(sum, 7) * 0x9e3779b97f4a7c15ULL + word[i];
	return sum;
}

void qvm_trail_same(struct qvm_vcpu *vcpu, const struct qvm_exit_record *exit)
{
	struct qvm_trail *trail = &vcpu->trail;
	const struct qvm_exit_record *last = &trail->exit[(trail->count - 2) % QVM_TRAIL_EXITS];
	u64 limit = vcpu->vm->policy.equal_exits, sum = registers_sum(vcpu);
	bool equal = sum == trail->sum && !memcmp(exit, last, sizeof(*exit));

	trail->equal = equal ? trail->equal + 1 : 0;
	trail->equal_at = trail->count;
	trail->sum = sum;
	if (limit && trail->equal >= limit)
		qvm_vm_end_fatal(vcpu, QVM_FATAL_STUCK, exit->syndrome, exit->gva, exit->gpa);
}

/* What a kick of the guest has been waiting for: only a vCPU that is in the guest owes an answer. */
static u64 kick_wait_ns(const struct qvm_vcpu *vcpu)
{
	unsigned long since = READ_ONCE(vcpu->kick_since);

	if (!atomic_read(&vcpu->kicked) || atomic_read(&vcpu->mode) != VCPU_IN_GUEST)
		return 0;
	return jiffies_to_nsecs(jiffies - since);
}

static const u32 where[] = {
	[VCPU_OUTSIDE] = QVM_VCPU_OUTSIDE,
	[VCPU_IN_GUEST] = QVM_VCPU_IN_GUEST,
	[VCPU_BLOCKED] = QVM_VCPU_BLOCKED,
};

void qvm_trail_get(const struct qvm_vcpu *vcpu, struct qvm_vcpu_trail *out)
{
	const struct qvm_trail *trail = &vcpu->trail;
	u32 end = READ_ONCE(trail->count), i;

	memset(out, 0, sizeof(*out));
	out->where = where[atomic_read(&vcpu->mode)];
	out->is_on = atomic_read(&vcpu->power) == VCPU_ON;
	out->kick_wait = kick_wait_ns(vcpu);
	out->equal = READ_ONCE(trail->equal_at) == end ? READ_ONCE(trail->equal) : 0;
	out->count = min_t(u32, end, QVM_TRAIL_EXITS);
	for (i = 0; i < out->count; i++)
		out->exit[i] = trail->exit[(end - out->count + i) % QVM_TRAIL_EXITS];
}
