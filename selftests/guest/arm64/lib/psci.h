/* SPDX-License-Identifier: GPL-2.0-only */
/* PSCI (DEN0022) and SMCCC (DEN0028). */
#ifndef GUEST_PSCI_H
#define GUEST_PSCI_H

#include "guest.h"

#define SMCCC_VERSION		0x80000000
#define SMCCC_ARCH_FEATURES	0x80000001
#define PSCI_VERSION		0x84000000
#define PSCI_CPU_SUSPEND	0x84000001
#define PSCI_CPU_SUSPEND64	0xc4000001
#define PSCI_CPU_OFF		0x84000002
#define PSCI_CPU_ON		0x84000003
#define PSCI_CPU_ON64		0xc4000003
#define PSCI_AFFINITY_INFO	0x84000004
#define PSCI_AFFINITY_INFO64	0xc4000004
#define PSCI_MIGRATE_INFO_TYPE	0x84000006
#define PSCI_SYSTEM_OFF		0x84000008
#define PSCI_SYSTEM_RESET	0x84000009
#define PSCI_FEATURES		0x8400000a
#define PSCI_SYSTEM_RESET2	0x84000012
#define PSCI_SYSTEM_RESET2_64	0xc4000012
#define TRNG_VERSION		0x84000050	/* DEN0098 */
#define TRNG_FEATURES		0x84000051
#define TRNG_GET_UUID		0x84000052
#define TRNG_RND32		0x84000053
#define TRNG_RND64		0xc4000053

#define PSCI_SUCCESS		0
#define PSCI_NOT_SUPPORTED	(-1)
#define PSCI_INVALID_PARAMETERS	(-2)
#define PSCI_ALREADY_ON		(-4)
#define PSCI_INVALID_ADDRESS	(-9)
#define TRNG_INVALID		(-2)
#define TRNG_NO_ENTROPY		(-3)

#define PSCI_IS_ON		0
#define PSCI_IS_OFF		1

s64 psci_hvc(u64 function, u64 a, u64 b, u64 c);
s64 psci_smc(u64 function, u64 a, u64 b, u64 c);

/* Functions of the 32-bit convention give a 32-bit value. */
#define psci32(function, a, b, c) ((s64)(s32)psci_hvc(function, a, b, c))

static inline s64 psci_state(unsigned int cpu)
{
	return psci_hvc(PSCI_AFFINITY_INFO64, cpu_affinity(cpu), 0, 0);
}

extern char secondary_entry[];

#endif /* GUEST_PSCI_H */
