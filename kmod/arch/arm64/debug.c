// SPDX-License-Identifier: GPL-2.0-only
/*
 * Self-hosted debug (Arm ARM D2). The guest's debug registers trap and are kept in memory; they are
 * in the hardware only inside the guest, and only while its MDSCR_EL1 arms something. A host that
 * debugs (breakpoints in user space, kgdb) has its own off meanwhile: MDSCR_EL1.MDE gates them all.
 */
#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "el2_regs.h"
#include "nvhe/nvhe.h"

/* op2 - 4 of the encoding; macros, for the assembler computes it */
#define BVR	0
#define BCR	1
#define WVR	2
#define WCR	3
#define KINDS	4

/* DBGBVR<n>_EL1 … DBGWCR<n>_EL1: n is part of the encoding, so each has its instruction. */
static noinstr u64 dbg_read(unsigned int kind, unsigned int n)
{
	switch (kind * 16 + n) {
#define X(k, m) case (k) * 16 + (m): return read_sysreg_s(sys_reg(2, 0, 0, m, 4 + (k)))
#define ROW(k)									\
	X(k, 0); X(k, 1); X(k, 2); X(k, 3); X(k, 4); X(k, 5); X(k, 6); X(k, 7);	\
	X(k, 8); X(k, 9); X(k, 10); X(k, 11); X(k, 12); X(k, 13); X(k, 14); X(k, 15)
	ROW(BVR);
	ROW(BCR);
	ROW(WVR);
	ROW(WCR);
#undef X
	}
	return 0;
}

static noinstr void dbg_write(unsigned int kind, unsigned int n, u64 value)
{
	switch (kind * 16 + n) {
#define X(k, m) case (k) * 16 + (m): write_sysreg_s(value, sys_reg(2, 0, 0, m, 4 + (k))); break
	ROW(BVR);
	ROW(BCR);
	ROW(WVR);
	ROW(WCR);
#undef X
	}
}

/* ID_AA64DFR0_EL1.{BRPs, WRPs} + 1 of this pCPU. */
static noinstr unsigned int host_count(unsigned int kind)
{
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);

	return ((dfr0 >> (kind < WVR ? 12 : 20)) & 15) + 1;
}

static noinstr void exchange(struct qvm_vcpu *vcpu, bool to_guest)
{
	unsigned int kind, n;

	for (kind = 0; kind < KINDS; kind++) {
		const u64 *guest = &vcpu->arch.sys[SR_DEBUG + kind * ARM64_DEBUG_MAX];
		unsigned int count = host_count(kind);

		/* Those that this pCPU has and the guest has not are 0 in it: nobody could write them. */
		for (n = 0; n < count; n++) {
			u64 *host = &vcpu->arch.host.dbg[kind][n];

			if (to_guest)
				*host = dbg_read(kind, n);
			dbg_write(kind, n, to_guest ? guest[n] : *host);
		}
	}
}

noinstr void arm64_debug_enter(struct qvm_vcpu *vcpu)
{
	u64 mdscr = read_sysreg(mdscr_el1);

	vcpu->arch.host.mdscr = mdscr;
	write_sysreg(0, mdscr_el1);
	if (!vcpu->arch.debug_live)
		return;
	exchange(vcpu, true);
	write_sysreg(vcpu->arch.sys[SR_MDSCR], mdscr_el1);
}

noinstr void arm64_debug_leave(struct qvm_vcpu *vcpu)
{
	u64 mdscr = vcpu->arch.host.mdscr;

	write_sysreg(0, mdscr_el1);
	if (vcpu->arch.debug_live)
		exchange(vcpu, false);
	write_sysreg(mdscr, mdscr_el1);
	isb();
}

/*
 * ---- statistical profiling (FEAT_SPE) and trace (FEAT_TRBE) of the host ----
 *
 * Their buffers are EL2's (MDCR_EL2.E2PB, E2TB = 0), but whether EL1 and EL0 are profiled or
 * traced is up to PMSCR_EL1 and TRFCR_EL1, which no VHE kernel sets and which reset to UNKNOWN
 * (Arm ARM D14, StatisticalProfilingEnabled(); D5, SelfHostedTraceEnabled()): zero for a guest.
 * Where the host itself uses them, it is stopped, and what is under way is drained, before the
 * guest's world (PSB CSYNC, TSB CSYNC: Arm ARM D14.9, D6.6). TRBLIMITR_EL1 is left alone (errata
 * 2038923, 2064142).
 *
 * The branch records (FEAT_BRBE) of EL1 and EL0 are made where BRBCR_EL1 says so, which is the guest's
 * level on a VHE host and the host's own on another: zero in a guest. Its accesses trap (HDFGRTR_EL2).
 */
#define PMSCR_EL2	sys_reg(3, 4, 9, 9, 0)
#define PMSCR_EL12	sys_reg(3, 5, 9, 9, 0)
#define PMSCR_EL1	sys_reg(3, 0, 9, 9, 0)
#define PMSCR_ENABLES	3			/* E2SPE, E0HSPE */
#define PMBIDR_EL1	sys_reg(3, 0, 9, 10, 7)
#define TRFCR_EL2	sys_reg(3, 4, 1, 2, 1)
#define TRFCR_EL12	sys_reg(3, 5, 1, 2, 1)
#define TRFCR_EL1	sys_reg(3, 0, 1, 2, 1)
#define TRBLIMITR_EL1	sys_reg(3, 0, 9, 11, 0)
#define TRBLIMITR_E	BIT(0)
#define TRBIDR_EL1	sys_reg(3, 0, 9, 11, 7)
#define BRBCR_EL12	sys_reg(2, 5, 9, 0, 0)
#define BRBCR_EL1	sys_reg(2, 1, 9, 0, 0)
#define BUFFER_IS_EL3S	BIT(4)			/* PMBIDR_EL1.P, TRBIDR_EL1.P */

/* The host's own, of the level that its kernel runs at */
#define host_get(reg)								\
	(arm64_is_nvhe() ? read_sysreg_s(reg##_EL1) : read_sysreg_s(reg##_EL2))
#define host_set(reg, value)							\
	do {									\
		if (arm64_is_nvhe())						\
			write_sysreg_s(value, reg##_EL1);			\
		else								\
			write_sysreg_s(value, reg##_EL2);			\
	} while (0)

struct trace_unit {
	bool spe, trf, trbe, brbe;
};

static DEFINE_PER_CPU(struct trace_unit, trace_unit);

void arm64_trace_cpu_up(void)
{
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);
	struct trace_unit unit = {
		.spe = (dfr0 >> 32) & 15 && !(read_sysreg_s(PMBIDR_EL1) & BUFFER_IS_EL3S),
		.trf = (dfr0 >> 40) & 15,
		.brbe = (dfr0 >> 52) & 15,
		.trbe = (dfr0 >> 44) & 15 && !(read_sysreg_s(TRBIDR_EL1) & BUFFER_IS_EL3S),
	};

	*this_cpu_ptr(&trace_unit) = unit;
	__this_cpu_write(qvm_arm64_vectors_cpu.trace,
			 unit.spe || unit.trbe || (arm64_is_nvhe() && (unit.trf || unit.brbe)));
}

noinstr void arm64_trace_enter(struct qvm_vcpu *vcpu)
{
	const struct trace_unit *unit = this_cpu_ptr(&trace_unit);
	struct arm64_host *host = &vcpu->arch.host;

	host->pmscr = 0;
	host->trfcr = 0;
	host->brbcr = 0;
	if (unit->spe) {
		host->pmscr = host_get(PMSCR);
		if (host->pmscr & PMSCR_ENABLES) {
			host_set(PMSCR, 0);
			isb();
			psb_csync();
			dsb(nsh);
		}
	}
	/* At EL1 the host's filter is the guest's as well, wherever its trace goes. */
	if ((unit->trbe && read_sysreg_s(TRBLIMITR_EL1) & TRBLIMITR_E) ||
	    (arm64_is_nvhe() && unit->trf)) {
		host->trfcr = host_get(TRFCR);
		host_set(TRFCR, 0);
		isb();
		/* twice: errata 2054223, 2067961 */
		asm volatile("hint #18\n hint #18" : : : "memory");
		dsb(nsh);
	}
	if (arm64_is_nvhe() && unit->brbe) {
		host->brbcr = read_sysreg_s(BRBCR_EL1);
		write_sysreg_s(0, BRBCR_EL1);
		isb();
	}
}

noinstr void arm64_trace_leave(struct qvm_vcpu *vcpu)
{
	const struct arm64_host *host = &vcpu->arch.host;

	if (!(host->pmscr & PMSCR_ENABLES) && !host->trfcr && !host->brbcr)
		return;
	if (host->brbcr)
		write_sysreg_s(host->brbcr, BRBCR_EL1);
	if (host->pmscr & PMSCR_ENABLES)
		host_set(PMSCR, host->pmscr);
	if (host->trfcr)
		host_set(TRFCR, host->trfcr);
	isb();
}

void arm64_trace_load(struct qvm_vcpu *vcpu)
{
	const struct trace_unit *unit = this_cpu_ptr(&trace_unit);

	if (unit->spe) {
		vcpu->arch.host.pmscr_el1 = read_sysreg_s(PMSCR_EL12);
		write_sysreg_s(0, PMSCR_EL12);
	}
	if (unit->trf) {
		vcpu->arch.host.trfcr_el1 = read_sysreg_s(TRFCR_EL12);
		write_sysreg_s(0, TRFCR_EL12);
	}
	if (unit->brbe) {
		vcpu->arch.host.brbcr_el1 = read_sysreg_s(BRBCR_EL12);
		write_sysreg_s(0, BRBCR_EL12);
	}
}

void arm64_trace_put(struct qvm_vcpu *vcpu)
{
	const struct trace_unit *unit = this_cpu_ptr(&trace_unit);

	if (unit->spe)
		write_sysreg_s(vcpu->arch.host.pmscr_el1, PMSCR_EL12);
	if (unit->trf)
		write_sysreg_s(vcpu->arch.host.trfcr_el1, TRFCR_EL12);
	if (unit->brbe)
		write_sysreg_s(vcpu->arch.host.brbcr_el1, BRBCR_EL12);
}
