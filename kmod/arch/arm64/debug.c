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

#define GUEST_COUNT	2	/* breakpoints, and watchpoints, that idreg.c shows */

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

static noinstr u64 guest_value(const struct qvm_vcpu *vcpu, unsigned int kind, unsigned int n)
{
	static const u8 first[] = {
		[BVR] = SR_DBGBVR, [BCR] = SR_DBGBCR, [WVR] = SR_DBGWVR, [WCR] = SR_DBGWCR,
	};

	return n < GUEST_COUNT ? vcpu->arch.sys[first[kind] + n] : 0;
}

static noinstr void exchange(struct qvm_vcpu *vcpu, bool to_guest)
{
	unsigned int kind, n;

	for (kind = 0; kind < KINDS; kind++) {
		unsigned int count = host_count(kind);

		for (n = 0; n < count; n++) {
			u64 *host = &vcpu->arch.host.dbg[kind][n];

			if (to_guest)
				*host = dbg_read(kind, n);
			dbg_write(kind, n, to_guest ? guest_value(vcpu, kind, n) : *host);
		}
	}
}

noinstr void arm64_debug_enter(struct qvm_vcpu *vcpu)
{
	u64 mdscr = read_sysreg(mdscr_el1);

	vcpu->arch.host.mdscr = mdscr;
	if (!vcpu->arch.debug_live && !(mdscr & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE)))
		return;
	write_sysreg(0, mdscr_el1);
	if (!vcpu->arch.debug_live)
		return;
	exchange(vcpu, true);
	write_sysreg(vcpu->arch.sys[SR_MDSCR], mdscr_el1);
}

noinstr void arm64_debug_leave(struct qvm_vcpu *vcpu)
{
	u64 mdscr = vcpu->arch.host.mdscr;

	if (!vcpu->arch.debug_live && !(mdscr & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE)))
		return;
	write_sysreg(0, mdscr_el1);
	if (vcpu->arch.debug_live)
		exchange(vcpu, false);
	write_sysreg(mdscr, mdscr_el1);
	isb();
}
