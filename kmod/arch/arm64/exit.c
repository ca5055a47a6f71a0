// SPDX-License-Identifier: GPL-2.0-only
/* Tier 1: exits by their reason, in full host context. Syndromes end in this file. */
#include <linux/bitfield.h>
#include <linux/sched.h>
#include <linux/swab.h>
#include <asm/esr.h>
#include <asm/ptrace.h>

#include "arm64.h"
#include "el2_regs.h"
#include "nvhe/nvhe.h"
#include "trace.h"

#define ISS_WFX_WFE	BIT(0)
#define ISS_WNR		BIT(6)		/* data abort: a write */
#define ISS_S1PTW	BIT(7)		/* on the stage 1 walk of the access */
#define ISS_CM		BIT(8)		/* by cache maintenance or address translation */
#define ISS_SF		BIT(15)
#define ISS_SRT		GENMASK(20, 16)
#define ISS_SSE		BIT(21)
#define ISS_SAS		GENMASK(23, 22)
#define ISS_ISV		BIT(24)

#define HPFAR_FIPA	GENMASK_ULL(47, 4)
#define HPFAR_NONE	BIT_ULL(0)	/* switch.c: the guest's own walk failed meanwhile */

#define SCTLR_E0E	BIT_ULL(24)
#define SCTLR_EE	BIT_ULL(25)

typedef enum exit_action (*exit_handler)(struct qvm_vcpu *vcpu, u64 esr);

static enum exit_action fatal(struct qvm_vcpu *vcpu, u32 cause)
{
	u64 gpa = (vcpu->arch.exit.hpfar & HPFAR_FIPA) << 8;

	qvm_vm_end_fatal(vcpu, cause, vcpu->arch.exit.esr, vcpu->arch.exit.far, gpa);
	return EXIT_FATAL;
}

static enum exit_action handle_unknown(struct qvm_vcpu *vcpu, u64 esr)
{
	return fatal(vcpu, QVM_FATAL_EXIT);
}

static enum exit_action handle_wfx(struct qvm_vcpu *vcpu, u64 esr)
{
	arm64_skip_instruction(vcpu);
	if (!(esr & ISS_WFX_WFE))
		return EXIT_BLOCK;
	yield();		/* the event it waits for may be another vCPU's, not running now */
	return EXIT_RESUME;
}

/* The preferred return address of an HVC is behind it, that of a trapped SMC is the SMC. */
static enum exit_action handle_hvc(struct qvm_vcpu *vcpu, u64 esr)
{
	return arm64_smccc(vcpu);
}

static enum exit_action handle_smc(struct qvm_vcpu *vcpu, u64 esr)
{
	arm64_skip_instruction(vcpu);
	return arm64_smccc(vcpu);
}

static enum exit_action handle_fp(struct qvm_vcpu *vcpu, u64 esr)
{
	vcpu->arch.exit.fp_trap = true;
	return EXIT_RESUME;
}

/* An instruction that the ID registers say is not there. */
static enum exit_action handle_hidden(struct qvm_vcpu *vcpu, u64 esr)
{
	switch (vcpu->vm->policy.instruction) {
	case QVM_POLICY_ABORT:
		return fatal(vcpu, QVM_FATAL_POLICY);
	case QVM_POLICY_IGNORE:
		arm64_skip_instruction(vcpu);
		return EXIT_RESUME;
	default:
		arm64_inject_undefined(vcpu);
		return EXIT_RESUME;
	}
}

/* ---- aborts ---- */

static u64 fault_gpa(const struct qvm_vcpu *vcpu)
{
	return (vcpu->arch.exit.hpfar & HPFAR_FIPA) << 8 | (vcpu->arch.exit.far & GENMASK(11, 0));
}

/* Not a stage 2 fault but an error of the memory system: nobody knows what was lost. */
static bool is_external_abort(u64 esr)
{
	u64 type = esr & ISS_FSC_TYPE;

	return type != FSC_TYPE_TRANSLATION && type != FSC_TYPE_ACCESS_FLAG &&
	       type != FSC_TYPE_PERMISSION && type != FSC_TYPE_ADDRESS_SIZE;
}

static enum exit_action abort_unclaimed(struct qvm_vcpu *vcpu, u64 esr, bool fetch)
{
	u32 access = esr & ISS_WNR ? QVM_UNCLAIMED_WRITE : fetch ? QVM_UNCLAIMED_FETCH : QVM_UNCLAIMED_READ;
	u64 gpa = fault_gpa(vcpu);

	/* Of a table that the walk wanted to read only the page is known: the rest of FAR is the access's own. */
	if (esr & ISS_S1PTW) {
		access = QVM_UNCLAIMED_READ;
		gpa &= PAGE_MASK;
	}
	qvm_unclaimed_add(vcpu, gpa, access);
	if (vcpu->vm->policy.reference == QVM_POLICY_ABORT)
		return fatal(vcpu, QVM_FATAL_POLICY);
	arm64_inject_abort(vcpu, fetch);
	return EXIT_RESUME;
}

/* As it was at the exit. */
static bool guest_is_big_endian(const struct qvm_vcpu *vcpu)
{
	u64 sctlr = vcpu->arch.exit.sctlr;
	bool el0;

	if (likely(!(sctlr & (SCTLR_E0E | SCTLR_EE))))
		return false;
	el0 = (vcpu->arch.regs.pstate & PSR_MODE_MASK) == PSR_MODE_EL0t;
	return sctlr & (el0 ? SCTLR_E0E : SCTLR_EE);
}

static u64 swab_len(u64 data, unsigned int len)
{
	return swab64(data) >> (64 - 8 * len);
}

static u64 mask_len(u64 data, unsigned int len)
{
	return len == 8 ? data : data & (BIT_ULL(8 * len) - 1);
}

/* What a store wrote, as a number. */
static u64 written_data(struct qvm_vcpu *vcpu, unsigned int reg, unsigned int len)
{
	u64 data = mask_len(arm64_x_read(vcpu, reg), len);

	return guest_is_big_endian(vcpu) ? swab_len(data, len) : data;
}

/* Into where user space's completion would look for it: there is one access at a time. */
static __always_inline const struct qvm_access *decode_access(struct qvm_vcpu *vcpu, u64 esr)
{
	struct qvm_access *access = &vcpu->mmio;

	access->gpa = fault_gpa(vcpu);
	access->len = 1 << FIELD_GET(ISS_SAS, esr);
	access->reg = FIELD_GET(ISS_SRT, esr);
	access->is_write = esr & ISS_WNR;
	access->sign_extend = esr & ISS_SSE;
	access->reg64 = esr & ISS_SF;
	access->is_port = false;
	access->data = access->is_write ? written_data(vcpu, access->reg, access->len) : 0;
	return access;
}

static __always_inline void put_data(struct qvm_vcpu *vcpu, const struct qvm_access *access, u64 data)
{
	unsigned int unused = 64 - 8 * access->len;	/* bits */
	bool big = guest_is_big_endian(vcpu);

	if (likely(!big && !access->sign_extend)) {
		arm64_x_write(vcpu, access->reg, data & ~0ULL >> unused);
		return;
	}
	if (big)
		data = swab64(data << unused);
	data <<= unused;
	data = access->sign_extend ? (u64)((s64)data >> unused) : data >> unused;
	arm64_x_write(vcpu, access->reg, access->reg64 ? data : (u32)data);
}

enum exit_action qvm_arch_complete_access(struct qvm_vcpu *vcpu, const struct qvm_access *access,
					  u64 data)
{
	if (!access->is_write)
		put_data(vcpu, access, data);
	arm64_skip_instruction(vcpu);
	return EXIT_RESUME;
}

int qvm_arch_inject_unclaimed(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	arm64_inject_abort(vcpu, false);
	return 0;
}

/* RAM is all there but for what is lazy or was discarded. Another fault than of translation is ours. */
static enum exit_action ram_fault(struct qvm_vcpu *vcpu, u64 esr)
{
	if ((esr & ISS_FSC_TYPE) != FSC_TYPE_TRANSLATION ||
	    qvm_region_fault(vcpu->vm, fault_gpa(vcpu)))
		return fatal(vcpu, QVM_FATAL_MEMORY);
	return EXIT_RESUME;
}

/* A translation fault that the syndrome describes: the way of every access to a device. */
static bool is_decoded(u64 esr)
{
	return (esr & (ISS_ISV | ISS_S1PTW | ISS_CM | ISS_FSC_TYPE)) == (ISS_ISV | FSC_TYPE_TRANSLATION);
}

/*
 * An access to the vdev that took the last one, as nearly all of them are: the syndrome describes it,
 * and so nothing of it is written down. False: nothing was done; not that, or the vdev wants
 * interrupts on, or has no such register. Tier 0b and 1.
 */
static __always_inline bool access_again(struct qvm_vcpu *vcpu, u64 esr, u64 gpa)
{
	unsigned int reg = FIELD_GET(ISS_SRT, esr), len = 1 << FIELD_GET(ISS_SAS, esr);
	struct qvm_vdev *vdev = vcpu->last_vdev;
	u64 offset;

	if (!vdev || !qvm_vdev_takes(vdev, gpa, len) || esr & ISS_SSE || guest_is_big_endian(vcpu))
		return false;
	offset = gpa - vdev->base;
	if (esr & ISS_WNR) {
		if (vdev->ops->write(vdev, vcpu, offset, len, mask_len(arm64_x_read(vcpu, reg), len)))
			return false;
	} else {
		if (vdev->ops->read(vdev, vcpu, offset, len, &vcpu->arch.exit.data))
			return false;
		arm64_x_write(vcpu, reg, vcpu->arch.exit.data);
	}
	arm64_skip_instruction(vcpu);
	vcpu->stats.mmio_kernel++;
	if (trace_mmio_enabled())
		trace_mmio(vcpu->vm->id, vcpu->index, gpa, len, esr & ISS_WNR, false);
	return true;
}

static enum exit_action handle_data_abort(struct qvm_vcpu *vcpu, u64 esr)
{
	const struct qvm_access *access = NULL;
	const struct qvm_mem *mem;

	if (is_external_abort(esr))
		return fatal(vcpu, QVM_FATAL_SERROR);
	if (vcpu->arch.exit.hpfar & HPFAR_NONE)
		return EXIT_RESUME;
	if (vcpu->arch.exit.decoded == ARM64_DECODED)
		access = &vcpu->mmio;
	mem = qvm_region_find(vcpu->vm, fault_gpa(vcpu));
	if (mem && mem->kind == QVM_REGION_RAM)
		return ram_fault(vcpu, esr);
	if (esr & ISS_CM && !mem) {
		arm64_skip_instruction(vcpu);	/* nothing is cached of what is not memory */
		return EXIT_RESUME;
	}
	/* What the syndrome does not describe is decoded by nobody here. */
	if (!(esr & ISS_ISV) || esr & ISS_S1PTW)
		return abort_unclaimed(vcpu, esr, false);
	return qvm_exit_access(vcpu, access ?: decode_access(vcpu, esr));
}

static enum exit_action handle_fetch_abort(struct qvm_vcpu *vcpu, u64 esr)
{
	const struct qvm_mem *mem;

	if (is_external_abort(esr))
		return fatal(vcpu, QVM_FATAL_SERROR);
	if (vcpu->arch.exit.hpfar & HPFAR_NONE)
		return EXIT_RESUME;
	mem = qvm_region_find(vcpu->vm, fault_gpa(vcpu));
	if (mem && mem->kind == QVM_REGION_RAM)
		return ram_fault(vcpu, esr);
	return abort_unclaimed(vcpu, esr, true);
}

/* ---- tier 0b: the twins of handle_data_abort() for vdevs, and of arm64_sys_exit() for an SGI ---- */

/* As qvm_exit_is_users(), of the syndrome alone. */
static __always_inline bool is_users(const struct qvm_vcpu *vcpu, u64 esr, u64 gpa)
{
	const struct qvm_access access = { .gpa = gpa, .len = 1 << FIELD_GET(ISS_SAS, esr) };

	return qvm_exit_is_users(vcpu, &access);
}

/* What was decoded of it stays for tier 1. */
static noinline bool tier0b_access(struct qvm_vcpu *vcpu, u64 esr)
{
	const struct qvm_access *access = decode_access(vcpu, esr);

	if (!qvm_exit_doorbell_0b(vcpu, access) &&
	    !qvm_exit_vdev_0b(vcpu, access, &vcpu->arch.exit.data)) {
		vcpu->arch.exit.decoded = ARM64_DECODED;
		return false;
	}
	if (!access->is_write)
		put_data(vcpu, access, vcpu->arch.exit.data);
	arm64_skip_instruction(vcpu);
	return true;
}

static __always_inline bool tier0b_data_abort(struct qvm_vcpu *vcpu, u64 esr)
{
	u64 gpa = fault_gpa(vcpu);

	if (!is_decoded(esr))
		return false;
	if (access_again(vcpu, esr, gpa))
		return true;
	if (!is_users(vcpu, esr, gpa))
		return tier0b_access(vcpu, esr);
	vcpu->arch.exit.decoded = ARM64_USERS;
	return false;
}

/* A broadcast may wake many: with interrupts on. */
static bool tier0b_sys64(struct qvm_vcpu *vcpu, u64 esr)
{
	u64 value = arm64_x_read(vcpu, ESR_SYS64_RT(esr));

	if (esr & ESR_SYS64_READ || esr_to_sysreg(esr) != SYSREG(3, 0, 12, 11, 5) ||
	    !qvm_vgic_sgi_is_short(vcpu, value))
		return false;
	qvm_vgic_send_sgi(vcpu, value, 1);
	arm64_skip_instruction(vcpu);
	return true;
}

bool arm64_exit_tier0b(struct qvm_vcpu *vcpu)
{
	u64 esr = vcpu->arch.exit.esr;
	u32 ec = ESR_ELx_EC(esr);
	bool answered = false;

	if (ec == ESR_ELx_EC_DABT_LOW) {
		answered = tier0b_data_abort(vcpu, esr);
		vcpu->stats.reason_tier0[ESR_ELx_EC_DABT_LOW] += answered;
	} else if (ec == ESR_ELx_EC_SYS64) {
		answered = tier0b_sys64(vcpu, esr);
		vcpu->stats.reason_tier0[ESR_ELx_EC_SYS64] += answered;
	}
	if (answered && trace_exit_enabled())
		trace_exit(vcpu->vm->id, vcpu->index, ARM64_EXIT_SYNC, ec, esr, vcpu->arch.regs.pc);
	return answered;
}

static __always_inline bool is_abort(u32 ec)
{
	return (ec & ~4U) == ESR_ELx_EC_IABT_LOW;	/* or DABT_LOW */
}

static const exit_handler handlers[ESR_ELx_EC_MAX + 1] = {
	[0 ... ESR_ELx_EC_MAX]	= handle_unknown,
	[ESR_ELx_EC_UNKNOWN]	= handle_hidden,
	[ESR_ELx_EC_WFx]	= handle_wfx,
	[ESR_ELx_EC_FP_ASIMD]	= handle_fp,
	[ESR_ELx_EC_PAC]	= handle_hidden,
	[0x0a]			= handle_hidden,	/* LD64B, ST64B, and others by ISS */
	[0x14]			= handle_hidden,	/* 128-bit system instructions */
	[ESR_ELx_EC_HVC64]	= handle_hvc,
	[ESR_ELx_EC_SMC64]	= handle_smc,
	[ESR_ELx_EC_SYS64]	= arm64_sys_exit,
	[ESR_ELx_EC_SVE]	= handle_hidden,
	[ESR_ELx_EC_ERET]	= handle_hidden,
	[0x1d]			= handle_hidden,	/* SME */
	[ESR_ELx_EC_IABT_LOW]	= handle_fetch_abort,
};

static_assert(ARRAY_SIZE(handlers) <= QVM_STATS_REASONS);

/* Interrupts and a first use of FP are not the guest's doing. @gpa: of an abort, else 0. */
static __always_inline void trail(struct qvm_vcpu *vcpu, u32 code, u32 ec, u64 esr, u64 gpa)
{
	struct qvm_exit_record *exit;

	if (code == ARM64_EXIT_IRQ || ec == ESR_ELx_EC_FP_ASIMD)
		return;
	exit = qvm_trail_next(&vcpu->trail);
	/* the preferred return address of an HVC is behind it */
	exit->pc = vcpu->arch.regs.pc - (ec == ESR_ELx_EC_HVC64 ? 4 : 0);
	exit->syndrome = esr;
	exit->gva = is_abort(ec) ? vcpu->arch.exit.far : 0;
	exit->gpa = gpa;
	exit->code = code;
	exit->reason = ec;
	if (unlikely(exit->pc == vcpu->trail.entry_pc))
		qvm_trail_same(vcpu, exit);
}

void qvm_arch_inject_exit(struct qvm_vcpu *vcpu, const struct qvm_injection *how)
{
	u64 gpa = vcpu->vm->region[0].gpa;

	vcpu->arch.exit.code = ARM64_EXIT_SYNC;
	vcpu->arch.exit.decoded = 0;
	vcpu->arch.exit.hpfar = gpa >> 8;
	switch (how->cause) {
	case QVM_INJECT_ENTRY:		/* an illegal exception return */
		vcpu->arch.exit.esr = ESR_ELx_EC_ILL << ESR_ELx_EC_SHIFT;
		break;
	case QVM_INJECT_SERROR:
		vcpu->arch.exit.code = ARM64_EXIT_SERROR;
		break;
	case QVM_INJECT_MEMORY:		/* a fault that no entry of ours can make */
		vcpu->arch.exit.esr = (u64)ESR_ELx_EC_DABT_LOW << ESR_ELx_EC_SHIFT | ISS_ISV | FSC_TYPE_ACCESS_FLAG;
		break;
	default:
		vcpu->arch.exit.esr = (u64)ESR_ELx_EC_MAX << ESR_ELx_EC_SHIFT;
	}
}

static noinline enum exit_action exit_async(struct qvm_vcpu *vcpu, u32 code)
{
	vcpu->stats.exits += code != ARM64_EXIT_ANSWERED;
	switch (code) {
	case ARM64_EXIT_IRQ:
		vcpu->stats.irqs++;
		return EXIT_RESUME;
	case ARM64_EXIT_ANSWERED:
		return EXIT_RESUME;
	case ARM64_EXIT_SERROR:
		return fatal(vcpu, QVM_FATAL_SERROR);
	default:
		if (arm64_is_nvhe())
			arm64_nvhe_report(vcpu);
		return fatal(vcpu, QVM_FATAL_STATE);
	}
}

static __always_inline void exit_begin(struct qvm_vcpu *vcpu, u32 code, u32 ec, u64 esr, u64 gpa)
{
	if (trace_exit_enabled())
		trace_exit(vcpu->vm->id, vcpu->index, code, ec, esr, vcpu->arch.regs.pc);
	trail(vcpu, code, ec, esr, gpa);
	if (likely(code == ARM64_EXIT_SYNC))
		vcpu->stats.reason[ec]++;
}

/* Nothing but user space can answer it, says tier 0b. */
static noinline enum exit_action exit_users(struct qvm_vcpu *vcpu)
{
	u64 esr = vcpu->arch.exit.esr;

	exit_begin(vcpu, ARM64_EXIT_SYNC, ESR_ELx_EC_DABT_LOW, esr, decode_access(vcpu, esr)->gpa);
	return qvm_exit_user(vcpu, vcpu->arch.regs.pc);
}

/* A function for the most frequent reason, where nothing asks for it any more. */
static __always_inline enum exit_action exit_data_abort(struct qvm_vcpu *vcpu, u64 esr)
{
	u64 gpa = fault_gpa(vcpu);

	exit_begin(vcpu, ARM64_EXIT_SYNC, ESR_ELx_EC_DABT_LOW, esr, gpa);
	if (is_decoded(esr) && access_again(vcpu, esr, gpa))
		return EXIT_RESUME;
	return handle_data_abort(vcpu, esr);
}

static __always_inline enum exit_action exit_others(struct qvm_vcpu *vcpu, u32 code, u64 esr)
{
	u32 ec = code == ARM64_EXIT_SYNC ? ESR_ELx_EC(esr) : 0;

	exit_begin(vcpu, code, ec, esr, ec == ESR_ELx_EC_IABT_LOW ? fault_gpa(vcpu) : 0);
	return likely(code == ARM64_EXIT_SYNC) ? handlers[ec](vcpu, esr) : exit_async(vcpu, code);
}

enum exit_action qvm_arch_vcpu_exit(struct qvm_vcpu *vcpu)
{
	u64 esr = vcpu->arch.exit.esr;
	u32 code = vcpu->arch.exit.code;

	if (vcpu->arch.exit.decoded == ARM64_USERS)
		return exit_users(vcpu);
	if (code == ARM64_EXIT_SYNC && ESR_ELx_EC(esr) == ESR_ELx_EC_DABT_LOW)
		return exit_data_abort(vcpu, esr);
	return exit_others(vcpu, code, esr);
}
