// SPDX-License-Identifier: GPL-2.0-only
/* SMCCC 1.1 (DEN0028), PSCI 1.1 (DEN0022), TRNG 1.0 (DEN0098): firmware calls by HVC, and by SMC, which traps. */
#include <linux/arm-smccc.h>
#include <linux/random.h>
#include <uapi/linux/psci.h>

#include "arm64.h"

struct smccc_call {
	bool tier0;	/* the function touches nothing but this vCPU's registers */
	bool has_64;	/* there is an SMC64 form too */
	enum exit_action (*fn)(struct qvm_vcpu *vcpu, u64 *x);
};

/* A function id: fast call, owner, zeros, number; bit 30 aside, which says SMC64 (DEN0028 2.5). */
#define ID_NUMBER	GENMASK(15, 0)
#define ID_64		BIT(30)
#define ID_OWNER(owner)	(BIT(31) | (owner) << 24)

/* Numbers of the standard services' functions (DEN0022, DEN0098) */
#define PSCI_LAST	0x1f
#define TRNG_FIRST	0x50
#define TRNG_LAST	0x5f

#define TRNG_INVALID_PARAMETERS	(-2)
#define TRNG_NO_ENTROPY		(-3)

static const struct smccc_call *smccc_find(u32 id);	/* FEATURES asks for what the table has */

/* Argument @n: 32 bits of it in an SMC32 call (DEN0028 3.1). */
static __always_inline u64 arg(const u64 *x, unsigned int n)
{
	return x[0] & ID_64 ? x[n] : (u32)x[n];
}

static __always_inline enum exit_action result(u64 *x, s64 value)
{
	x[0] = value;
	return EXIT_RESUME;
}

static noinstr enum exit_action psci_version(struct qvm_vcpu *vcpu, u64 *x)
{
	return result(x, PSCI_VERSION(1, 1));
}

static noinstr enum exit_action smccc_version(struct qvm_vcpu *vcpu, u64 *x)
{
	return result(x, ARM_SMCCC_VERSION_1_1);
}

/* Each service's FEATURES is asked for its own functions, and knows no other's. */
static __always_inline enum exit_action features(u64 *x, bool own)
{
	return result(x, own && smccc_find(x[1]) ? 0 : SMCCC_RET_NOT_SUPPORTED);
}

static __always_inline bool id_is(u32 id, u32 owner, u32 first, u32 last)
{
	return (id & ~(ID_NUMBER | ID_64)) == ID_OWNER(owner) && (id & ID_NUMBER) >= first &&
	       (id & ID_NUMBER) <= last;
}

/* DEN0028 7.3 */
static noinstr enum exit_action arch_features(struct qvm_vcpu *vcpu, u64 *x)
{
	switch ((u32)x[1]) {
	case ARM_SMCCC_ARCH_WORKAROUND_1:
		return result(x, arm64_workarounds.wa1);
	case ARM_SMCCC_ARCH_WORKAROUND_2:
		return result(x, arm64_workarounds.wa2);
	case ARM_SMCCC_ARCH_WORKAROUND_3:
		return result(x, arm64_workarounds.wa3);
	default:
		return features(x, id_is(x[1], ARM_SMCCC_OWNER_ARCH, 0, ID_NUMBER));
	}
}

/* DEN0022, PSCI_FEATURES: and SMCCC_VERSION. No flags: the original StateID format, no OS-initiated mode. */
static noinstr enum exit_action psci_features(struct qvm_vcpu *vcpu, u64 *x)
{
	return features(x, id_is(x[1], ARM_SMCCC_OWNER_STANDARD, 0, PSCI_LAST) ||
			   (u32)x[1] == ARM_SMCCC_VERSION_FUNC_ID);
}

static noinstr enum exit_action trng_features(struct qvm_vcpu *vcpu, u64 *x)
{
	return features(x, id_is(x[1], ARM_SMCCC_OWNER_STANDARD, TRNG_FIRST, TRNG_LAST));
}

/* The step was taken by the exit that brought the call here (mitig.c). No result: x0 is kept. */
static noinstr enum exit_action workaround(struct qvm_vcpu *vcpu, u64 *x)
{
	return EXIT_RESUME;
}

/* Trusted OS: none that would need migration. */
static noinstr enum exit_action migrate_info_type(struct qvm_vcpu *vcpu, u64 *x)
{
	return result(x, PSCI_0_2_TOS_MP);
}

/* Every suspend is a standby state: context is kept, it returns at the next interrupt. */
static enum exit_action cpu_suspend(struct qvm_vcpu *vcpu, u64 *x)
{
	result(x, PSCI_RET_SUCCESS);
	return EXIT_BLOCK;
}

static enum exit_action cpu_off(struct qvm_vcpu *vcpu, u64 *x)
{
	atomic_set(&vcpu->power, VCPU_OFF);
	return EXIT_LOOK;
}

static struct qvm_vcpu *vcpu_by_mpidr(const struct qvm_vm *vm, u64 mpidr)
{
	u32 i;

	for (i = 0; i < vm->max_vcpus; i++) {
		struct qvm_vcpu *vcpu = vm->vcpu[i];

		if (vcpu && ((vcpu->arch.mpidr ^ mpidr) & MPIDR_HWID_BITMASK) == 0)
			return vcpu;
	}
	return NULL;
}

/*
 * x1 target, x2 entry, x3 context. It starts with the caller's endianness (DEN0022, the
 * initial state of a core). Of several callers one wins: power goes OFF → ON_PENDING once,
 * and only the winner may write boot before it kicks. The target takes boot after it saw
 * the release that makes the request visible. To the others it is on: they are never told ON_PENDING,
 * which KVM has not, either, so that no guest knows it there.
 */
static enum exit_action cpu_on(struct qvm_vcpu *vcpu, u64 *x)
{
	u64 mpidr = arg(x, 1);
	struct qvm_vcpu *target = vcpu_by_mpidr(vcpu->vm, mpidr);

	if (!target || mpidr & ~(u64)MPIDR_HWID_BITMASK)
		return result(x, PSCI_RET_INVALID_PARAMS);
	if (atomic_cmpxchg(&target->power, VCPU_OFF, VCPU_STARTING) != VCPU_OFF)
		return result(x, PSCI_RET_ALREADY_ON);
	target->arch.boot.entry = arg(x, 2);
	target->arch.boot.context = arg(x, 3);
	target->arch.boot.big_endian = arm64_sys_is_big_endian(vcpu);
	atomic_set_release(&target->power, VCPU_ON_PENDING);
	qvm_vcpu_kick(target);
	return result(x, PSCI_RET_SUCCESS);
}

/* x1 affinity, x2 lowest affinity level: of those that are the same from there up, is one on? */
static enum exit_action affinity_info(struct qvm_vcpu *vcpu, u64 *x)
{
	u64 mpidr = arg(x, 1), level = arg(x, 2), mask;
	s64 state = PSCI_RET_INVALID_PARAMS;
	u32 i;

	if (level > 3 || mpidr & ~(u64)MPIDR_HWID_BITMASK)
		return result(x, PSCI_RET_INVALID_PARAMS);
	mask = MPIDR_HWID_BITMASK & (~0ULL << level * MPIDR_LEVEL_BITS);
	for (i = 0; i < vcpu->vm->max_vcpus; i++) {
		const struct qvm_vcpu *other = vcpu->vm->vcpu[i];

		if (!other || (other->arch.mpidr ^ mpidr) & mask)
			continue;
		if (atomic_read(&other->power) != VCPU_OFF)
			return result(x, PSCI_0_2_AFFINITY_LEVEL_ON);
		state = PSCI_0_2_AFFINITY_LEVEL_OFF;
	}
	return result(x, state);
}

static enum exit_action system_off(struct qvm_vcpu *vcpu, u64 *x)
{
	qvm_vm_end_system(vcpu->vm, vcpu, QVM_SYSTEM_OFF, (u32)x[0]);
	return EXIT_FATAL;
}

static enum exit_action system_reset(struct qvm_vcpu *vcpu, u64 *x)
{
	qvm_vm_end_system(vcpu->vm, vcpu, QVM_SYSTEM_RESET, (u32)x[0]);
	return EXIT_FATAL;
}

/* x1 type: 0 is the architecture's warm reset, those with bit 31 are the vendor's, and all one here; x2 cookie. */
static enum exit_action system_reset2(struct qvm_vcpu *vcpu, u64 *x)
{
	u32 type = x[1];

	if (type && !(type & BIT(31)))
		return result(x, PSCI_RET_INVALID_PARAMS);
	return system_reset(vcpu, x);
}

static enum exit_action trng_version(struct qvm_vcpu *vcpu, u64 *x)
{
	return result(x, 0x10000);
}

static enum exit_action trng_uuid(struct qvm_vcpu *vcpu, u64 *x)
{
	x[0] = 0x2f7c4e1b;
	x[1] = 0x9ad3465e;
	x[2] = 0x8a41d90c;
	x[3] = 0x63b5f217;
	return EXIT_RESUME;
}

/* x1 bits, three registers of them at most: in x1 (the highest), x2, x3, right-aligned (DEN0098 2.5). */
static enum exit_action trng_random(struct qvm_vcpu *vcpu, u64 *x)
{
	unsigned int width = x[0] & ID_64 ? 64 : 32, left, i;
	u64 bits = width == 64 ? x[1] : (u32)x[1], word[3] = {};

	if (!bits || bits > 3 * width)
		return result(x, TRNG_INVALID_PARAMETERS);
	if (!rng_is_initialized())
		return result(x, TRNG_NO_ENTROPY);
	for (i = 3, left = bits; left; left -= min(left, width)) {
		get_random_bytes(&word[--i], width / 8);
		if (left < width)
			word[i] &= BIT_ULL(left) - 1;
	}
	memcpy(&x[1], word, sizeof(word));
	memzero_explicit(word, sizeof(word));
	return result(x, SMCCC_RET_SUCCESS);
}

#define NUMBER(id)	((id) & ID_NUMBER)
#define TRNG_NUMBER(id)	(NUMBER(id) - NUMBER(ARM_SMCCC_TRNG_VERSION))

static const struct smccc_call arch_calls[] = {
	[NUMBER(ARM_SMCCC_VERSION_FUNC_ID)]	= { true, false, smccc_version },
	[NUMBER(ARM_SMCCC_ARCH_FEATURES_FUNC_ID)] = { true, false, arch_features },
};

static const struct smccc_call workaround_call = { true, false, workaround };

static const struct smccc_call psci_calls[] = {
	[NUMBER(PSCI_0_2_FN_PSCI_VERSION)]	= { true, false, psci_version },
	[NUMBER(PSCI_0_2_FN_CPU_SUSPEND)]	= { false, true, cpu_suspend },
	[NUMBER(PSCI_0_2_FN_CPU_OFF)]		= { false, false, cpu_off },
	[NUMBER(PSCI_0_2_FN_CPU_ON)]		= { false, true, cpu_on },
	[NUMBER(PSCI_0_2_FN_AFFINITY_INFO)]	= { false, true, affinity_info },
	[NUMBER(PSCI_0_2_FN_MIGRATE_INFO_TYPE)]	= { true, false, migrate_info_type },
	[NUMBER(PSCI_0_2_FN_SYSTEM_OFF)]	= { false, false, system_off },
	[NUMBER(PSCI_0_2_FN_SYSTEM_RESET)]	= { false, false, system_reset },
	[NUMBER(PSCI_1_0_FN_PSCI_FEATURES)]	= { true, false, psci_features },
	[NUMBER(PSCI_1_1_FN_SYSTEM_RESET2)]	= { false, true, system_reset2 },
};

static const struct smccc_call trng_calls[] = {
	[TRNG_NUMBER(ARM_SMCCC_TRNG_VERSION)]	= { false, false, trng_version },
	[TRNG_NUMBER(ARM_SMCCC_TRNG_FEATURES)]	= { true, false, trng_features },
	[TRNG_NUMBER(ARM_SMCCC_TRNG_GET_UUID)]	= { false, false, trng_uuid },
	[TRNG_NUMBER(ARM_SMCCC_TRNG_RND32)]	= { false, true, trng_random },
};

static noinstr const struct smccc_call *smccc_find(u32 id)
{
	u32 owner = id & ~(ID_NUMBER | ID_64), number = id & ID_NUMBER;
	const struct smccc_call *call;

	if (owner == ID_OWNER(ARM_SMCCC_OWNER_STANDARD) && number < ARRAY_SIZE(psci_calls))
		call = &psci_calls[number];
	else if (owner == ID_OWNER(ARM_SMCCC_OWNER_STANDARD) && TRNG_NUMBER(number) < ARRAY_SIZE(trng_calls))
		call = &trng_calls[TRNG_NUMBER(number)];
	else if (owner == ID_OWNER(ARM_SMCCC_OWNER_ARCH) && number < ARRAY_SIZE(arch_calls))
		call = &arch_calls[number];
	else if (id == ARM_SMCCC_ARCH_WORKAROUND_1 || id == ARM_SMCCC_ARCH_WORKAROUND_2 ||
		 id == ARM_SMCCC_ARCH_WORKAROUND_3)
		call = &workaround_call;
	else
		return NULL;
	return call->fn && (!(id & ID_64) || call->has_64) ? call : NULL;
}

noinstr bool arm64_smccc_tier0(struct qvm_vcpu *vcpu)
{
	u64 *x = vcpu->arch.regs.x;
	const struct smccc_call *call = smccc_find(x[0]);

	if (!call)
		result(x, SMCCC_RET_NOT_SUPPORTED);
	else if (call->tier0)
		call->fn(vcpu, x);
	else
		return false;
	return true;
}

enum exit_action arm64_smccc(struct qvm_vcpu *vcpu)
{
	u64 *x = vcpu->arch.regs.x;
	const struct smccc_call *call = smccc_find(x[0]);

	return call ? call->fn(vcpu, x) : result(x, SMCCC_RET_NOT_SUPPORTED);
}
