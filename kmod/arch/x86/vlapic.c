// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC: its registers as an xAPIC page and as x2APIC MSRs (SDM vol. 3 11.4 and 11.12),
 * and IA32_APIC_BASE. Version 0x14 with six LVT entries and suppression of EOI broadcasts; ID is
 * read-only in both modes.
 */
#include <linux/bitfield.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/tsc.h>

#include "irqchip.h"
#include "vlapic.h"
#include "vlapic_state.h"

#define LAPIC_PAGE_SIZE		0x1000
#define LAPIC_VERSION		(APIC_LVR_DIRECTED_EOI | (6 - 1) << 16 | 0x14)
#define LAPIC_ID_SHIFT		24
#define SPIV_RESET		0xff
#define SPIV_WRITABLE							\
	(APIC_SPIV_DIRECTED_EOI | APIC_SPIV_FOCUS_DISABLED |		\
	 APIC_SPIV_APIC_ENABLED | APIC_VECTOR_MASK)

#define BASE_BSP		BIT(8)
#define BASE_MODE		(XAPIC_ENABLE | X2APIC_ENABLE)
#define BASE_ADDRESS(bits)	GENMASK_ULL((bits) - 1, 12)

/* Writable bits. Delivery status and remote IRR are read-only. */
#define LVT_PLAIN		(APIC_LVT_MASKED | APIC_VECTOR_MASK)
#define LVT_MODE		(LVT_PLAIN | APIC_MODE_MASK)
#define LVT_PIN			(LVT_MODE | APIC_INPUT_POLARITY | APIC_LVT_LEVEL_TRIGGER)
#define LVT_TIMER		(LVT_PLAIN | APIC_LVT_TIMER_PERIODIC | APIC_LVT_TIMER_TSCDEADLINE)
#define LVT_READONLY		(APIC_SEND_PENDING | APIC_LVT_REMOTE_IRR)
/* Delivery status, bit 12, is no field of x2APIC's. */
#define ICR_WRITABLE		(GENMASK(19, 18) | GENMASK(15, 14) | GENMASK(11, 0))

#define MSR_COUNT		0x40
#define MSR_OFFSET(msr)		(((msr) - APIC_BASE_MSR) << 4)

/* Where the register is. */
#define XAPIC			BIT(0)
#define MSR_READ		BIT(1)
#define MSR_WRITE		BIT(2)
#define ALL			(XAPIC | MSR_READ | MSR_WRITE)
#define ALL_READ		(XAPIC | MSR_READ)

struct lapic_reg {
	u8 access;
	u32 writable;		/* others are reserved: #GP by x2APIC, dropped by xAPIC */
	u32 readonly;		/* but for these */
	u32 (*read)(struct vlapic *lapic, u32 offset);
	void (*write)(struct vlapic *lapic, u32 offset, u32 value);
};

/* ---- what reads and writes do */

static u32 read_page(struct vlapic *lapic, u32 offset)
{
	return vlapic_get(lapic, offset);
}

/* Write-only, or RRD: nothing was read remotely. */
static u32 read_zero(struct vlapic *lapic, u32 offset)
{
	return 0;
}

static u32 read_priority(struct vlapic *lapic, u32 offset)
{
	vlapic_update_ppr(lapic);
	return vlapic_get(lapic, APIC_PROCPRI);
}

static u32 read_arbitration(struct vlapic *lapic, u32 offset)
{
	return vlapic_arbitration_priority(lapic);
}

static u32 read_count(struct vlapic *lapic, u32 offset)
{
	return vlapic_timer_count(lapic);
}

static void write_page(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_set(lapic, offset, value);
}

static void write_nothing(struct vlapic *lapic, u32 offset, u32 value)
{
}

static void write_eoi(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_eoi(lapic);
}

/* It is read-only, but a processor with a virtual-APIC page has written it by then. */
static void write_id(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_set(lapic, offset, lapic->vcpu->index << LAPIC_ID_SHIFT);
}

/* Bits 27:0 are ones; of the models only flat and cluster are defined. */
static void write_dfr(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_set(lapic, offset, value | APIC_DFR_CLUSTER);
}

static void write_lvt(struct vlapic *lapic, u32 offset, u32 value)
{
	u64 kicks = 0;

	if (!vlapic_is_software_enabled(lapic))
		value |= APIC_LVT_MASKED;
	if (offset == APIC_LVTT) {
		vlapic_timer_set_lvt(lapic, value);
		return;
	}
	vlapic_set(lapic, offset, value);
	if (offset == APIC_LVT0 || offset == APIC_LVT1) {
		lapic->lint_writes++;
		vlapic_lint_update(lapic, (offset - APIC_LVT0) >> 4, &kicks);
	}
	vlapic_kick(lapic->vcpu->vm, kicks, lapic->vcpu);
}

static void write_spiv(struct vlapic *lapic, u32 offset, u32 value)
{
	u32 lvt;

	vlapic_set(lapic, offset, value);
	if (value & APIC_SPIV_APIC_ENABLED)
		return;
	for (lvt = APIC_LVTT; lvt <= APIC_LVTERR; lvt += 0x10)
		write_lvt(lapic, lvt, vlapic_get(lapic, lvt));
}

/* A write brings the errors since the last one into view. */
static void write_esr(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_set(lapic, offset, atomic_xchg(&lapic->errors, 0));
}

static void write_icr(struct vlapic *lapic, u32 offset, u32 value)
{
	u32 high = vlapic_get(lapic, APIC_ICR2);

	vlapic_set(lapic, offset, value);
	vlapic_send_ipi(lapic, value, GET_XAPIC_DEST_FIELD(high));
}

static void write_self_ipi(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_send_self(lapic, value);
}

static void write_count(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_timer_set_count(lapic, value);
}

static void write_divide(struct vlapic *lapic, u32 offset, u32 value)
{
	vlapic_timer_set_divide(lapic, value);
}

/* ---- the table */

#define ROW(_access, _writable, _readonly, _read, _write) {			\
	.access = (_access), .writable = (_writable), .readonly = (_readonly),	\
	.read = (_read), .write = (_write),					\
}

#define LVT(_writable)	ROW(ALL, _writable, LVT_READONLY, read_page, write_lvt)
#define VECTORS		ROW(ALL_READ, 0, 0, read_page, write_nothing)

/* x2APIC's ICR is one MSR of 64 bits: msr_write_icr(). No CMCI: the guest has no #MC banks. */
static const struct lapic_reg lapic_regs[MSR_COUNT] = {
	[APIC_ID >> 4]		= ROW(ALL_READ, 0, 0, read_page, write_id),
	[APIC_LVR >> 4]		= ROW(ALL_READ, 0, 0, read_page, write_nothing),
	[APIC_TASKPRI >> 4]	= ROW(ALL, APIC_TPRI_MASK, 0, read_page, write_page),
	[APIC_ARBPRI >> 4]	= ROW(XAPIC, 0, 0, read_arbitration, write_nothing),
	[APIC_PROCPRI >> 4]	= ROW(ALL_READ, 0, 0, read_priority, write_nothing),
	[APIC_EOI >> 4]		= ROW(XAPIC | MSR_WRITE, 0, 0, read_zero, write_eoi),
	[APIC_RRR >> 4]		= ROW(XAPIC, 0, 0, read_zero, write_nothing),
	[APIC_LDR >> 4]		= ROW(ALL_READ, APIC_LDR_MASK, 0, read_page, write_page),
	[APIC_DFR >> 4]		= ROW(XAPIC, GENMASK(31, 28), 0, read_page, write_dfr),
	[APIC_SPIV >> 4]	= ROW(ALL, SPIV_WRITABLE, 0, read_page, write_spiv),
	[APIC_ISR >> 4 ... (APIC_ESR >> 4) - 1] = VECTORS,
	[APIC_ESR >> 4]		= ROW(ALL, 0, 0, read_page, write_esr),
	[APIC_ICR >> 4]		= ROW(ALL, ICR_WRITABLE, 0, read_page, write_icr),
	[APIC_ICR2 >> 4]	= ROW(XAPIC, GENMASK(31, 24), 0, read_page, write_page),
	[APIC_LVTT >> 4]	= LVT(LVT_TIMER),
	[APIC_LVTTHMR >> 4]	= LVT(LVT_MODE),
	[APIC_LVTPC >> 4]	= LVT(LVT_MODE),
	[APIC_LVT0 >> 4]	= LVT(LVT_PIN),
	[APIC_LVT1 >> 4]	= LVT(LVT_PIN),
	[APIC_LVTERR >> 4]	= LVT(LVT_PLAIN),
	[APIC_TMICT >> 4]	= ROW(ALL, U32_MAX, 0, read_page, write_count),
	[APIC_TMCCT >> 4]	= ROW(ALL_READ, 0, 0, read_count, write_nothing),
	[APIC_TDCR >> 4]	= ROW(ALL, 0xb, 0, read_page, write_divide),
	[APIC_SELF_IPI >> 4]	= ROW(MSR_WRITE, APIC_VECTOR_MASK, 0, read_zero, write_self_ipi),
};

/* The row of @offset if it has all of @access, or NULL. */
static const struct lapic_reg *reg_find(u32 offset, u8 access)
{
	const struct lapic_reg *reg;

	if (offset >> 4 >= MSR_COUNT)
		return NULL;
	reg = &lapic_regs[offset >> 4];
	return reg->read && (reg->access & access) == access ? reg : NULL;
}

/* ---- xAPIC page */

static void illegal_register(struct vlapic *lapic)
{
	u64 kicks = 0;

	vlapic_post_error(lapic, APIC_ESR_ILLREGA, &kicks);
	vlapic_kick(lapic->vcpu->vm, kicks, lapic->vcpu);
}

/*
 * Registers are 32 bits at multiples of 16; for other accesses the SDM promises nothing. Here a
 * read of part of a register gives that part, one of the space between them 0; such a write is
 * lost.
 */
u32 vlapic_mmio_read(struct qvm_vcpu *vcpu, u32 offset)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	const struct lapic_reg *reg = reg_find(offset, XAPIC);

	if (!reg) {
		illegal_register(lapic);
		return 0;
	}
	return offset & 0xc ? 0 : reg->read(lapic, offset & ~0xfU) >> (offset & 3) * 8;
}

void vlapic_mmio_write(struct qvm_vcpu *vcpu, u32 offset, u32 value)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	const struct lapic_reg *reg = reg_find(offset, XAPIC);

	if (!reg)
		illegal_register(lapic);
	else if (!(offset & 0xf))
		reg->write(lapic, offset, value & reg->writable);
}

void vlapic_wrote(struct qvm_vcpu *vcpu, u32 offset)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	bool x2apic = vlapic_is_x2apic(lapic);
	const struct lapic_reg *reg = reg_find(offset, x2apic ? MSR_WRITE : XAPIC);
	u32 value;

	if (!reg || offset & 0xf)
		return;
	value = vlapic_get(lapic, offset) & reg->writable;
	if (x2apic && offset == APIC_ICR)
		vlapic_send_ipi(lapic, value, vlapic_get(lapic, APIC_ICR + 4));
	else
		reg->write(lapic, offset, value);
}

bool vlapic_owns(const struct qvm_vcpu *vcpu, u64 gpa)
{
	const struct vlapic *lapic = vcpu->arch.lapic;

	return (lapic->base & BASE_MODE) == XAPIC_ENABLE &&
	       !((gpa ^ lapic->base) & ~(u64)(LAPIC_PAGE_SIZE - 1));
}

/* ---- x2APIC MSRs */

/* ICR's upper half lies where the CPU expects it with APIC-register virtualization. */
static u64 msr_icr(const struct vlapic *lapic)
{
	return (u64)vlapic_get(lapic, APIC_ICR + 4) << 32 | vlapic_get(lapic, APIC_ICR);
}

static int msr_write_icr(struct vlapic *lapic, u64 value)
{
	if ((u32)value & ~ICR_WRITABLE)
		return -EINVAL;
	vlapic_set(lapic, APIC_ICR, value);
	vlapic_set(lapic, APIC_ICR + 4, value >> 32);
	vlapic_send_ipi(lapic, value, value >> 32);
	return 0;
}

int vlapic_msr_read(struct qvm_vcpu *vcpu, u32 msr, u64 *value)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	const struct lapic_reg *reg = reg_find(MSR_OFFSET(msr), MSR_READ);

	if (!vlapic_is_x2apic(lapic) || !reg)
		return -EINVAL;
	if (MSR_OFFSET(msr) == APIC_ICR)
		*value = msr_icr(lapic);
	else
		*value = reg->read(lapic, MSR_OFFSET(msr));
	return 0;
}

int vlapic_msr_write(struct qvm_vcpu *vcpu, u32 msr, u64 value)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	const struct lapic_reg *reg = reg_find(MSR_OFFSET(msr), MSR_WRITE);

	if (!vlapic_is_x2apic(lapic) || !reg)
		return -EINVAL;
	if (MSR_OFFSET(msr) == APIC_ICR)
		return msr_write_icr(lapic, value);
	if (value & ~(u64)(reg->writable | reg->readonly))
		return -EINVAL;
	reg->write(lapic, MSR_OFFSET(msr), value & reg->writable);
	return 0;
}

/* ---- CR8 */

u64 vlapic_get_cr8(const struct qvm_vcpu *vcpu)
{
	return (vlapic_get(vcpu->arch.lapic, APIC_TASKPRI) & APIC_TPRI_MASK) >> 4;
}

void vlapic_set_cr8(struct qvm_vcpu *vcpu, u64 value)
{
	vlapic_set(vcpu->arch.lapic, APIC_TASKPRI, (value & 0xf) << 4);
}

/* ---- reset and mode */

/* ID and, by x2APIC, LDR, as the mode shows them. */
static void registers_identify(struct vlapic *lapic)
{
	u32 id = lapic->vcpu->index;

	if (!vlapic_is_x2apic(lapic)) {
		vlapic_set(lapic, APIC_ID, id << LAPIC_ID_SHIFT);
		return;
	}
	vlapic_set(lapic, APIC_ID, id);
	vlapic_set(lapic, APIC_LDR, id >> 4 << 16 | BIT(id & 0xf));
	vlapic_set(lapic, APIC_ICR + 4, 0);
}

/* SDM 11.4.7.1. What others put into IRR meanwhile stays or goes, both as in hardware. */
static void registers_reset(struct vlapic *lapic)
{
	u32 offset;

	for (offset = 0; offset < MSR_COUNT << 4; offset += sizeof(u32))
		vlapic_set(lapic, offset, 0);
	vlapic_set(lapic, APIC_LVR, LAPIC_VERSION);
	vlapic_set(lapic, APIC_DFR, APIC_DFR_FLAT);
	vlapic_set(lapic, APIC_SPIV, SPIV_RESET);
	for (offset = APIC_LVTT; offset <= APIC_LVTERR; offset += 0x10)
		vlapic_set(lapic, offset, APIC_LVT_MASKED);
	registers_identify(lapic);
	vlapic_timer_reset(lapic);
	vlapic_lint_reset(lapic);
	atomic_set(&lapic->errors, 0);
	lapic->in_service_changed = true;
	atomic_set(&lapic->arrived, 1);
}

/*
 * After power-on and INIT. No firmware runs before the guest: what that leaves to the first CPU is
 * there, its 8259 at LINT0 ("virtual wire mode", MultiProcessor Specification 3.6.2.2).
 */
static void registers_power_on(struct vlapic *lapic)
{
	registers_reset(lapic);
	if (!lapic->vcpu->index)
		vlapic_set(lapic, APIC_LVT0, APIC_DM_EXTINT);
}

void vlapic_reset(struct qvm_vcpu *vcpu)
{
	registers_power_on(vcpu->arch.lapic);
}

u64 vlapic_get_base(const struct qvm_vcpu *vcpu)
{
	return vcpu->arch.lapic->base;
}

/* SDM 11.12.5: out of x2APIC mode only by disabling, into it only from xAPIC mode. */
static bool mode_change_is_legal(u64 from, u64 to)
{
	if (to == X2APIC_ENABLE)
		return false;
	if (from == BASE_MODE)
		return to != XAPIC_ENABLE;
	return to != BASE_MODE || from == XAPIC_ENABLE;
}

int vlapic_set_base(struct qvm_vcpu *vcpu, u64 value)
{
	struct vlapic *lapic = vcpu->arch.lapic;
	u64 from = lapic->base & BASE_MODE, to = value & BASE_MODE;

	if (value & ~(BASE_ADDRESS(vcpu->vm->ipa_bits) | BASE_MODE | BASE_BSP))
		return -EINVAL;
	if (!mode_change_is_legal(from, to))
		return -EINVAL;
	WRITE_ONCE(lapic->base, value);
	vcpu->arch.apic_on = to;
	if (from == to)
		return 0;
	if (!to)
		registers_reset(lapic);
	else
		registers_identify(lapic);
	return 0;
}

void *vlapic_page(struct qvm_vcpu *vcpu)
{
	return vcpu->arch.lapic->page;
}

int vlapic_create(struct qvm_vcpu *vcpu)
{
	struct vlapic *lapic;

	if (!tsc_khz)
		return -ENODEV;
	lapic = kzalloc(sizeof(*lapic), GFP_KERNEL_ACCOUNT);
	if (!lapic)
		return -ENOMEM;
	lapic->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!lapic->page) {
		kfree(lapic);
		return -ENOMEM;
	}
	lapic->vcpu = vcpu;
	lapic->base = APIC_DEFAULT_PHYS_BASE | XAPIC_ENABLE | (vcpu->index ? 0 : BASE_BSP);
	vlapic_timer_init(lapic);
	registers_power_on(lapic);
	vcpu->arch.lapic = lapic;
	vcpu->arch.apic_on = true;
	return 0;
}

void vlapic_destroy(struct qvm_vcpu *vcpu)
{
	struct vlapic *lapic = vcpu->arch.lapic;

	if (!lapic)
		return;
	/* the last that sends by itself; no vCPU runs that could start it again */
	vpit_stop(vcpu->vm);
	cancel_work_sync(&vcpu->vm->arch.late_kick);
	vlapic_timer_fini(lapic);
	free_page((unsigned long)lapic->page);
	kfree(lapic);
	vcpu->arch.lapic = NULL;
}
