// SPDX-License-Identifier: GPL-2.0-only
/*
 * System registers of the guest: those that it keeps state in (one table row each: hardware name,
 * encoding, reset value), and what happens on a trapped access.
 */
#include <linux/preempt.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "el2_regs.h"
#include "nvhe/nvhe.h"
#include "shared_regs.h"

/*
 * State that is in the hardware while the vCPU is loaded: X(name, accessor at EL2 with E2H = 1,
 * encoding that the guest uses, reset value). SCTLR_EL1 resets to its RES1 bits (MMU and caches
 * off, little-endian); most others are UNKNOWN at reset, zero is as good as any.
 */
#define EL1_REGS(X)								\
	X(SCTLR,	SYS_SCTLR_EL12,		SYSREG(3, 0, 1, 0, 0), SCTLR_RESET)	\
	X(CPACR,	SYS_CPACR_EL12,		SYSREG(3, 0, 1, 0, 2), 0)	\
	X(TTBR0,	SYS_TTBR0_EL12,		SYSREG(3, 0, 2, 0, 0), 0)	\
	X(TTBR1,	SYS_TTBR1_EL12,		SYSREG(3, 0, 2, 0, 1), 0)	\
	X(TCR,		SYS_TCR_EL12,		SYSREG(3, 0, 2, 0, 2), 0)	\
	X(ESR,		SYS_ESR_EL12,		SYSREG(3, 0, 5, 2, 0), 0)	\
	X(AFSR0,	SYS_AFSR0_EL12,		SYSREG(3, 0, 5, 1, 0), 0)	\
	X(AFSR1,	SYS_AFSR1_EL12,		SYSREG(3, 0, 5, 1, 1), 0)	\
	X(FAR,		SYS_FAR_EL12,		SYSREG(3, 0, 6, 0, 0), 0)	\
	X(MAIR,		SYS_MAIR_EL12,		SYSREG(3, 0, 10, 2, 0), 0)	\
	X(AMAIR,	SYS_AMAIR_EL12,		SYSREG(3, 0, 10, 3, 0), 0)	\
	X(VBAR,		SYS_VBAR_EL12,		SYSREG(3, 0, 12, 0, 0), 0)	\
	X(CONTEXTIDR,	SYS_CONTEXTIDR_EL12,	SYSREG(3, 0, 13, 0, 1), 0)	\
	X(CNTKCTL,	SYS_CNTKCTL_EL12,	SYSREG(3, 0, 14, 1, 0), 0)	\
	X(ELR,		SYS_ELR_EL12,		SYSREG(3, 0, 4, 0, 1), 0)	\
	X(SPSR,		SYS_SPSR_EL12,		SYSREG(3, 0, 4, 0, 0), 0)	\
	X(SP,		sys_reg(3, 4, 4, 1, 0),	SYSREG(3, 4, 4, 1, 0), 0)	\
	X(TPIDR_EL1,	sys_reg(3, 0, 13, 0, 4), SYSREG(3, 0, 13, 0, 4), 0)

#define LOADED_REGS(X)	EL1_REGS(X) ARM64_SHARED_REGS(X)

#define SCTLR_M		BIT_ULL(0)
#define SCTLR_C		BIT_ULL(2)
#define SCTLR_EE	BIT_ULL(25)

/* RES1 where EIS, EOS, SPAN, nTLSMD, LSMAOE, TSCXT may be absent (Arm ARM, SCTLR_EL1). */
#define SCTLR_RESET	0x30d00800ULL

/* Kept in memory: every access traps. */
#define KEPT_REGS(X)								\
	X(MDSCR,	SYSREG(2, 0, 0, 2, 2))					\
	X(MDCCINT,	SYSREG(2, 0, 0, 2, 0))					\
	X(OSDLR,	SYSREG(2, 0, 1, 3, 4))

static const u32 loaded_encoding[] = {
#define X(name, hw, encoding, reset) [SR_##name] = encoding,
	LOADED_REGS(X)
#undef X
};

static const u64 reset_value[] = {
#define X(name, hw, encoding, reset) [SR_##name] = reset,
	LOADED_REGS(X)
#undef X
};

static_assert(ARRAY_SIZE(loaded_encoding) == SR_LOADED);

static const struct { u32 encoding, index; } kept[] = {
#define X(name, encoding) { encoding, SR_##name },
	KEPT_REGS(X)
#undef X
};

#define X(name, hw, encoding, reset) write_sysreg_s(sys[SR_##name], hw);
void arm64_sys_load(struct qvm_vcpu *vcpu)
{
	const u64 *sys = vcpu->arch.sys;

	EL1_REGS(X)
}
#undef X

#define X(name, hw, encoding, reset) sys[SR_##name] = arm64_hw_get(SR_##name, hw);
void arm64_sys_put(struct qvm_vcpu *vcpu)
{
	u64 *sys = vcpu->arch.sys;

	EL1_REGS(X)
}
#undef X

static u64 hw_read(enum arm64_sysreg reg)
{
	switch (reg) {
#define X(name, hw, encoding, reset) case SR_##name: return arm64_hw_get(SR_##name, hw);
	LOADED_REGS(X)
#undef X
	default:
		return 0;
	}
}

static void hw_write(enum arm64_sysreg reg, u64 value)
{
	switch (reg) {
#define X(name, hw, encoding, reset) case SR_##name: write_sysreg_s(value, hw); break;
	LOADED_REGS(X)
#undef X
	default:
		break;
	}
}

static bool in_hardware(const struct qvm_vcpu *vcpu, enum arm64_sysreg reg)
{
	return vcpu->loaded && reg < SR_LOADED && !arm64_is_nvhe();
}

u64 arm64_sys_read(struct qvm_vcpu *vcpu, enum arm64_sysreg reg)
{
	u64 value;

	preempt_disable();
	value = in_hardware(vcpu, reg) ? hw_read(reg) : vcpu->arch.sys[reg];
	preempt_enable();
	return value;
}

void arm64_sys_write(struct qvm_vcpu *vcpu, enum arm64_sysreg reg, u64 value)
{
	preempt_disable();
	if (in_hardware(vcpu, reg))
		hw_write(reg, value);
	else
		vcpu->arch.sys[reg] = value;
	preempt_enable();
}

void arm64_sys_reset(struct qvm_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < SR_COUNT; i++)
		arm64_sys_write(vcpu, i, i < SR_LOADED ? reset_value[i] : 0);
	vcpu->arch.debug_live = false;
	/* Writes of EL1's translation registers are of interest where memory has to be cleaned. */
	vcpu->arch.hcr = arm64_host.has_fwb && !arm64_has_fix(ARM64_FIX_KEEP_TVM) ? 0 : EL2_HCR_TVM;
}

bool arm64_sys_is_big_endian(struct qvm_vcpu *vcpu)
{
	return arm64_sys_read(vcpu, SR_SCTLR) & SCTLR_EE;
}

void arm64_sys_set_endian(struct qvm_vcpu *vcpu, bool big)
{
	arm64_sys_write(vcpu, SR_SCTLR, big ? SCTLR_RESET | SCTLR_EE : SCTLR_RESET);
}

/* ---- traps ---- */

struct sys_trap {
	u32 encoding;
	/* True: done. @value in and out. */
	bool (*fn)(struct qvm_vcpu *vcpu, bool is_write, u64 *value);
};

static bool trap_razwi(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	*value = 0;
	return true;
}

static bool trap_read_only(bool is_write, u64 *value, u64 constant)
{
	*value = constant;
	return !is_write;
}

/*
 * Without FEAT_S2FWB what the guest writes with its caches off is in memory, and what lines the caches
 * hold of that memory meanwhile is stale: when they go on or off, all of the VM's memory is
 * cleaned and invalidated. Writes of EL1's translation registers trap (TVM) until they are on.
 */
static bool caches_are_on(struct qvm_vcpu *vcpu)
{
	return (arm64_sys_read(vcpu, SR_SCTLR) & (SCTLR_M | SCTLR_C)) == (SCTLR_M | SCTLR_C);
}

static void write_translation_reg(struct qvm_vcpu *vcpu, enum arm64_sysreg reg, u64 value)
{
	bool were_on = caches_are_on(vcpu), are_on;

	arm64_sys_write(vcpu, reg, value);
	if (reg != SR_SCTLR)
		return;
	are_on = caches_are_on(vcpu);
	if (are_on != were_on)
		arm64_cache_clean_for_guest(vcpu->vm);
	if (are_on && !arm64_has_fix(ARM64_FIX_KEEP_TVM))
		vcpu->arch.hcr &= ~EL2_HCR_TVM;
}

/* DC ISW, CSW, CISW reach no other core's caches: by virtual address over all of memory instead. */
static bool trap_set_way(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (!arm64_host.has_fwb && !(vcpu->arch.hcr & EL2_HCR_TVM)) {
		arm64_cache_clean_for_guest(vcpu->vm);
		vcpu->arch.hcr |= EL2_HCR_TVM;	/* the next toggle is seen again */
	}
	return true;
}

/*
 * OSLM = 0b10: the OS lock is implemented; bit 1 OSLK. It is set at a cold reset (Arm ARM D19.3, OSLSR_EL1), but
 * a guest finds it as firmware hands over: unlocked, and some never write OSLAR_EL1.
 */
static bool trap_oslsr(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	return trap_read_only(is_write, value, BIT(3) | (vcpu->arch.sys[SR_OSLSR] & 1) << 1);
}

/* What arms debug makes it live in the hardware (debug.c), unless the OS lock is set (Arm ARM D2.3). */
static void debug_update(struct qvm_vcpu *vcpu)
{
	vcpu->arch.debug_live = !(vcpu->arch.sys[SR_OSLSR] & 1) &&
				vcpu->arch.sys[SR_MDSCR] & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE);
}

static bool trap_oslar(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (is_write)
		vcpu->arch.sys[SR_OSLSR] = *value & 1;
	debug_update(vcpu);
	return is_write;
}

/* Claim tags: eight of them, set here, cleared by the other register. */
static bool trap_dbgclaimset(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (is_write)
		vcpu->arch.sys[SR_DBGCLAIM] |= *value & 0xff;
	*value = 0xff;
	return true;
}

static bool trap_dbgclaimclr(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (is_write)
		vcpu->arch.sys[SR_DBGCLAIM] &= ~(*value & 0xff);
	*value = vcpu->arch.sys[SR_DBGCLAIM];
	return true;
}

static bool trap_sgi1r(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (!is_write || !vcpu->arch.vgic)
		return false;
	qvm_vgic_send_sgi(vcpu, *value, 1);
	return true;
}

/* One security state: ICC_ASGI1R_EL1 and ICC_SGI0R_EL1 both make group 0 SGIs (IHI 0069 12.2.2). */
static bool trap_sgi0r(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (!is_write || !vcpu->arch.vgic)
		return false;
	qvm_vgic_send_sgi(vcpu, *value, 0);
	return true;
}

static bool trap_dir(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (!is_write || !vcpu->arch.vgic)
		return false;
	qvm_vgic_deactivate(vcpu, *value & GENMASK(23, 0));
	return true;
}

/* System registers only: SRE, DFB, DIB read as one, writes are ignored. */
static bool trap_sre(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	*value = 7;
	return vcpu->arch.vgic;
}

/*
 * ---- caches, where the host's cores differ (HCR_EL2.TID2): lines and maintenance that do for all;
 * levels and sizes as the core has them that this is read on
 */

static bool trap_ctr(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	return trap_read_only(is_write, value, read_sanitised_ftr_reg(SYS_CTR_EL0));
}

static bool trap_clidr(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	return trap_read_only(is_write, value, read_sysreg(clidr_el1));
}

/* Of a cache that is not there CCSIDR_EL1 may be UNDEFINED. Ctype: 1 I, 2 D, 3 both, 4 unified. */
static bool cache_exists(u64 csselr)
{
	u64 type = read_sysreg(clidr_el1) >> (csselr >> 1 & 7) * 3 & 7;

	return csselr & 1 ? type & 1 : type >= 2;
}

static bool trap_ccsidr(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	u64 csselr = arm64_sys_read(vcpu, SR_CSSELR) & 15, old;

	if (is_write)
		return false;
	*value = 0;
	preempt_disable();
	if (cache_exists(csselr)) {
		old = read_sysreg(csselr_el1);
		write_sysreg(csselr, csselr_el1);
		isb();
		*value = read_sysreg(ccsidr_el1);
		write_sysreg(old, csselr_el1);
		isb();
	}
	preempt_enable();
	return true;
}

static bool trap_csselr(struct qvm_vcpu *vcpu, bool is_write, u64 *value)
{
	if (is_write)
		arm64_sys_write(vcpu, SR_CSSELR, *value & 15);
	else
		*value = arm64_sys_read(vcpu, SR_CSSELR);
	return true;
}

/* The hot one first. Debug: Arm ARM D19.3; PMU is hidden, hence not here. */
static const struct sys_trap traps[] = {
	{ SYSREG(3, 0, 12, 11, 5), trap_sgi1r },	/* ICC_SGI1R_EL1 */
	{ SYSREG(1, 0, 7, 6, 2), trap_set_way },	/* DC ISW */
	{ SYSREG(1, 0, 7, 10, 2), trap_set_way },	/* DC CSW */
	{ SYSREG(1, 0, 7, 14, 2), trap_set_way },	/* DC CISW */
	{ SYSREG(2, 0, 0, 3, 2), trap_razwi },		/* OSDTRTX_EL1 */
	{ SYSREG(2, 0, 0, 0, 2), trap_razwi },		/* OSDTRRX_EL1 */
	{ SYSREG(2, 0, 0, 6, 2), trap_razwi },		/* OSECCR_EL1 */
	{ SYSREG(2, 0, 1, 0, 0), trap_razwi },		/* MDRAR_EL1 */
	{ SYSREG(2, 0, 1, 0, 4), trap_oslar },
	{ SYSREG(2, 0, 1, 1, 4), trap_oslsr },
	{ SYSREG(2, 0, 1, 4, 4), trap_razwi },		/* DBGPRCR_EL1 */
	{ SYSREG(2, 0, 7, 8, 6), trap_dbgclaimset },
	{ SYSREG(2, 0, 7, 9, 6), trap_dbgclaimclr },
	{ SYSREG(2, 0, 7, 14, 6), trap_razwi },		/* DBGAUTHSTATUS_EL1 */
	{ SYSREG(2, 3, 0, 1, 0), trap_razwi },		/* MDCCSR_EL0 */
	{ SYSREG(2, 3, 0, 4, 0), trap_razwi },		/* DBGDTR_EL0 */
	{ SYSREG(2, 3, 0, 5, 0), trap_razwi },		/* DBGDTRRX_EL0, DBGDTRTX_EL0 */
	{ SYSREG(3, 0, 1, 0, 1), trap_razwi },		/* ACTLR_EL1 */
	{ SYSREG(3, 1, 0, 0, 0), trap_ccsidr },
	{ SYSREG(3, 1, 0, 0, 1), trap_clidr },
	{ SYSREG(3, 2, 0, 0, 0), trap_csselr },
	{ SYSREG(3, 3, 0, 0, 1), trap_ctr },
	{ SYSREG(3, 0, 12, 11, 1), trap_dir },		/* ICC_DIR_EL1 */
	{ SYSREG(3, 0, 12, 11, 6), trap_sgi0r },	/* ICC_ASGI1R_EL1 */
	{ SYSREG(3, 0, 12, 11, 7), trap_sgi0r },	/* ICC_SGI0R_EL1 */
	{ SYSREG(3, 0, 12, 12, 5), trap_sre },		/* ICC_SRE_EL1 */
};

static const struct sys_trap *trap_find(u32 encoding)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(traps); i++)
		if (traps[i].encoding == encoding)
			return &traps[i];
	return NULL;
}

/* op2 of DBGBVR<n>_EL1 is 4, of the other kinds 5 to 7 in the order of SR_DEBUG; n is CRm. */
#define DEBUG_FIRST	SYSREG(2, 0, 0, 0, 4)
#define DEBUG_VARIES	(SYSREG(2, 0, 0, 15, 7) ^ DEBUG_FIRST)

static int kept_index(const struct qvm_vcpu *vcpu, u32 encoding)
{
	unsigned int kind = encoding & 3, n = (encoding >> 3) & 15, i;

	if ((encoding & ~DEBUG_VARIES) == DEBUG_FIRST)
		return n < arm64_idreg_debug_count(vcpu->vm, kind >= 2) ?
		       SR_DEBUG + kind * ARM64_DEBUG_MAX + n : -ENOENT;
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i].encoding == encoding)
			return kept[i].index;
	return -ENOENT;
}

static int sys_index(const struct qvm_vcpu *vcpu, u32 encoding)
{
	unsigned int i;

	for (i = 0; i < SR_LOADED; i++)
		if (loaded_encoding[i] == encoding)
			return i;
	return kept_index(vcpu, encoding);
}

/* Writes keep the bits that exist. */
static void write_kept(struct qvm_vcpu *vcpu, enum arm64_sysreg reg, u64 value)
{
	if (reg == SR_MDSCR)
		value &= MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE;
	vcpu->arch.sys[reg] = value;
	debug_update(vcpu);
}

static bool sys_access(struct qvm_vcpu *vcpu, u32 encoding, bool is_write, u64 *value)
{
	const struct sys_trap *trap;
	int index;

	/* The hot ones first: counter and physical timer, then the table, whose first row is the SGI. */
	if (arm64_vtimer_sys(vcpu, encoding, is_write, value))
		return true;
	trap = trap_find(encoding);
	if (trap)
		return trap->fn(vcpu, is_write, value);
	index = sys_index(vcpu, encoding);
	if (index >= SR_LOADED && is_write)
		write_kept(vcpu, index, *value);
	else if (index >= SR_LOADED)
		*value = vcpu->arch.sys[index];
	else if (index >= 0 && is_write)
		write_translation_reg(vcpu, index, *value);
	if (index >= 0)
		return index >= SR_LOADED || is_write;
	return arm64_idreg_read(vcpu->vm, encoding, value) && !is_write;
}

/*
 * Nobody's register: what the VM's policy says; the first one of a VM is named in the log.
 * True if the access is to be completed with all ones.
 */
static bool sys_unknown(struct qvm_vcpu *vcpu, u64 esr)
{
	u32 encoding = esr_to_sysreg(esr);

	vcpu->stats.unknown_sysreg++;
	if (qvm_vm_log_once(vcpu->vm, VM_LOG_SYSREG))
		pr_info("qvm: %s: vCPU %u: no register op0=%u op1=%u CRn=%u CRm=%u op2=%u at 0x%llx; further ones are counted\n",
			vcpu->vm->name, vcpu->index, encoding >> 14, (encoding >> 11) & 7,
			(encoding >> 7) & 15, (encoding >> 3) & 15, encoding & 7,
			vcpu->arch.regs.pc);
	if (vcpu->vm->policy.sysreg == QVM_POLICY_IGNORE)
		return true;
	if (vcpu->vm->policy.sysreg == QVM_POLICY_ABORT)
		qvm_vm_end_fatal(vcpu, QVM_FATAL_POLICY, esr, 0, 0);
	else
		arm64_inject_undefined(vcpu);
	return false;
}

enum exit_action arm64_sys_exit(struct qvm_vcpu *vcpu, u64 esr)
{
	unsigned int rt = ESR_SYS64_RT(esr);
	bool is_write = !(esr & ESR_SYS64_READ);
	u64 value = is_write ? arm64_x_read(vcpu, rt) : 0;

	if (!sys_access(vcpu, esr_to_sysreg(esr), is_write, &value)) {
		if (!sys_unknown(vcpu, esr))
			return EXIT_RESUME;
		value = ~0ULL;
	}
	if (!is_write)
		arm64_x_write(vcpu, rt, value);
	arm64_skip_instruction(vcpu);
	return EXIT_RESUME;
}

/* ---- UAPI ---- */

int arm64_sys_get(struct qvm_vcpu *vcpu, u32 encoding, u64 *value)
{
	int index = sys_index(vcpu, encoding);

	if (index < 0) {
		if (encoding == SYSREG(3, 0, 0, 0, 0))
			*value = vcpu->arch.midr;
		else if (encoding == SYSREG(3, 0, 0, 0, 5))
			*value = vcpu->arch.mpidr;
		else if (!arm64_idreg_read(vcpu->vm, encoding, value))
			return -ENOENT;
		return 0;
	}
	*value = arm64_sys_read(vcpu, index);
	return 0;
}

int arm64_sys_set(struct qvm_vcpu *vcpu, u32 encoding, u64 value)
{
	int index = sys_index(vcpu, encoding);
	u64 unused;

	if (index < 0)
		return arm64_sys_get(vcpu, encoding, &unused) ?: -EPERM;
	if (index < SR_LOADED)
		arm64_sys_write(vcpu, index, value);
	else
		write_kept(vcpu, index, value);
	return 0;
}
