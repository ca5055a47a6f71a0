/* SPDX-License-Identifier: GPL-2.0-only */
/* What traps while a guest runs, for both kinds of host. */
#ifndef QVM_ARM64_TRAPS_H
#define QVM_ARM64_TRAPS_H

#include "arm64.h"
#include "el2_regs.h"

#define GUEST_HCR								\
	(EL2_HCR_E2H | EL2_HCR_RW | EL2_HCR_VM | EL2_HCR_IMO | EL2_HCR_FMO |	\
	 EL2_HCR_AMO | EL2_HCR_TWI | EL2_HCR_TWE | EL2_HCR_TSC | EL2_HCR_TID3 |	\
	 EL2_HCR_TACR | EL2_HCR_TIDCP | EL2_HCR_TSW | EL2_HCR_FB |		\
	 EL2_HCR_BSU_IS | EL2_HCR_PTW | EL2_HCR_TLOR | EL2_HCR_TID5)

/*
 * Where there is RAS to hide, error records and external aborts come here. Of unlike caches guests are
 * told what holds for all.
 */
static inline u64 arm64_guest_hcr(void)
{
	return GUEST_HCR | (arm64_host.has_ras ? EL2_HCR_TERR | EL2_HCR_TEA : 0) |
	       (arm64_host.has_fwb ? EL2_HCR_FWB : 0) |
	       (arm64_host.unlike_caches ? EL2_HCR_TID2 : 0);
}

/*
 * Everything of debug, trace, PMU and statistical profiling traps; the profiling and trace buffers
 * are not the guest's (E2PB, E2TB = 0). HPMN stays the host's: it splits the counters.
 */
#define GUEST_MDCR	(MDCR_TPM | MDCR_TPMCR | MDCR_TDRA | MDCR_TDOSA | MDCR_TDA | MDCR_TPMS | \
			 MDCR_TTRF | MDCR_TDCC)

/* A board without GIC: ICC_* trap, to be UNDEFINED (IHI 0069, ICH_HCR_EL2.{TC,TALL0,TALL1}). */
#define ICH_HCR_TRAP_ALL	(BIT(10) | BIT(11) | BIT(12))

#endif /* QVM_ARM64_TRAPS_H */
