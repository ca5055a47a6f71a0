// SPDX-License-Identifier: GPL-2.0-only
/*
 * The GICv3 virtual CPU interface of this pCPU (IHI 0069, 12.4: ICH_*_EL2). Nothing of a guest
 * is in it while no vCPU is loaded, and ICH_HCR_EL2 is 0 whenever no guest runs: then the
 * interface signals nothing, a maintenance interrupt least of all.
 *
 * CPUs whose errata ask for ICC_* of a guest to be trapped (ICH_HCR_EL2.TALLn, TC) are refused
 * (errata.c). Where ICC_DIR_EL1 can't be trapped (ICH_VTR_EL2.TDS = 0) a guest that ends interrupts out
 * of order by it, more of them than there are list registers, may see another one ended.
 *
 * A write is seen by the guest without an ISB: the exception return synchronizes. The one in sync
 * keeps a maintenance interrupt that was just withdrawn from the host.
 */
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <asm/barrier.h>
#include <asm/sysreg.h>

#include "core.h"
#include "vgic.h"
#include "vgic_state.h"
#include "vgic_v3.h"
#include "nvhe/nvhe.h"

/* Named as in IHI 0069; kernels differ in what they call these, if they have them. */
#define HCR_EN			BIT_ULL(0)
#define HCR_LRENPIE		BIT_ULL(2)
#define HCR_NPIE		BIT_ULL(3)
#define HCR_VGRP0EIE		BIT_ULL(4)
#define HCR_VGRP1EIE		BIT_ULL(6)
#define HCR_TDIR		BIT_ULL(14)
#define VMCR_VEOIM		BIT_ULL(9)
#define HCR_EOICOUNT		GENMASK_ULL(31, 27)
#define VTR_LISTREGS		GENMASK_ULL(4, 0)
#define VTR_TDS			BIT_ULL(19)
#define VTR_A3V			BIT_ULL(21)
#define VTR_PREBITS		GENMASK_ULL(28, 26)
#define VMCR_VENG0		BIT_ULL(0)
#define VMCR_VENG1		BIT_ULL(1)
#define VMCR_VCBPR		BIT_ULL(4)
#define VMCR_VBPR1		GENMASK_ULL(20, 18)
#define VMCR_VBPR0		GENMASK_ULL(23, 21)
#define VMCR_VPMR		GENMASK_ULL(31, 24)
#define LR_VINTID		GENMASK_ULL(31, 0)
#define LR_PINTID		GENMASK_ULL(44, 32)
#define LR_EOI			BIT_ULL(41)	/* of pINTID, without HW */
#define LR_PRIORITY		GENMASK_ULL(55, 48)
#define LR_GROUP1		BIT_ULL(60)
#define LR_HW			BIT_ULL(61)
#define LR_STATE		GENMASK_ULL(63, 62)
#define SRE_SRE			BIT_ULL(0)
#define SRE_ENABLE		BIT_ULL(3)	/* ICC_SRE_EL2 */
#define PFR0_GIC		GENMASK_ULL(27, 24)
#define PRIO_IDLE		0x100

static_assert(VGIC_LR_PENDING == 1 && VGIC_LR_ACTIVE == 2);	/* as LR_STATE */
static_assert(VGIC_GROUP0 == VMCR_VENG0 && VGIC_GROUP1 == VMCR_VENG1);

static unsigned int v3_lr_count;	/* 1 ... 16 */
static unsigned int v3_apr_count;	/* of each group: 1, 2, 4 */
static unsigned int v3_prebits;
static u64 v3_unlisted_hcr;		/* ICH_HCR_EL2 for VGIC_EXIT_UNLISTED */

#define READ_CASE(_n, _reg)		case _n: return read_sysreg_s(SYS_##_reg)
#define WRITE_CASE(_n, _reg, _val)	case _n: write_sysreg_s(_val, SYS_##_reg); break

static u64 lr_read(unsigned int n)
{
	switch (n) {
	READ_CASE(0, ICH_LR0_EL2);
	READ_CASE(1, ICH_LR1_EL2);
	READ_CASE(2, ICH_LR2_EL2);
	READ_CASE(3, ICH_LR3_EL2);
	READ_CASE(4, ICH_LR4_EL2);
	READ_CASE(5, ICH_LR5_EL2);
	READ_CASE(6, ICH_LR6_EL2);
	READ_CASE(7, ICH_LR7_EL2);
	READ_CASE(8, ICH_LR8_EL2);
	READ_CASE(9, ICH_LR9_EL2);
	READ_CASE(10, ICH_LR10_EL2);
	READ_CASE(11, ICH_LR11_EL2);
	READ_CASE(12, ICH_LR12_EL2);
	READ_CASE(13, ICH_LR13_EL2);
	READ_CASE(14, ICH_LR14_EL2);
	READ_CASE(15, ICH_LR15_EL2);
	}
	return 0;
}

static void lr_write(unsigned int n, u64 val)
{
	switch (n) {
	WRITE_CASE(0, ICH_LR0_EL2, val);
	WRITE_CASE(1, ICH_LR1_EL2, val);
	WRITE_CASE(2, ICH_LR2_EL2, val);
	WRITE_CASE(3, ICH_LR3_EL2, val);
	WRITE_CASE(4, ICH_LR4_EL2, val);
	WRITE_CASE(5, ICH_LR5_EL2, val);
	WRITE_CASE(6, ICH_LR6_EL2, val);
	WRITE_CASE(7, ICH_LR7_EL2, val);
	WRITE_CASE(8, ICH_LR8_EL2, val);
	WRITE_CASE(9, ICH_LR9_EL2, val);
	WRITE_CASE(10, ICH_LR10_EL2, val);
	WRITE_CASE(11, ICH_LR11_EL2, val);
	WRITE_CASE(12, ICH_LR12_EL2, val);
	WRITE_CASE(13, ICH_LR13_EL2, val);
	WRITE_CASE(14, ICH_LR14_EL2, val);
	WRITE_CASE(15, ICH_LR15_EL2, val);
	}
}

static void apr_write(const struct vgic_cpu *cpu)
{
	write_sysreg_s(cpu->ap0r[0], SYS_ICH_AP0R0_EL2);
	write_sysreg_s(cpu->ap1r[0], SYS_ICH_AP1R0_EL2);
	if (v3_apr_count > 1) {
		write_sysreg_s(cpu->ap0r[1], SYS_ICH_AP0R1_EL2);
		write_sysreg_s(cpu->ap1r[1], SYS_ICH_AP1R1_EL2);
	}
	if (v3_apr_count > 2) {
		write_sysreg_s(cpu->ap0r[2], SYS_ICH_AP0R2_EL2);
		write_sysreg_s(cpu->ap1r[2], SYS_ICH_AP1R2_EL2);
		write_sysreg_s(cpu->ap0r[3], SYS_ICH_AP0R3_EL2);
		write_sysreg_s(cpu->ap1r[3], SYS_ICH_AP1R3_EL2);
	}
}

static void apr_read(struct vgic_cpu *cpu)
{
	cpu->ap0r[0] = read_sysreg_s(SYS_ICH_AP0R0_EL2);
	cpu->ap1r[0] = read_sysreg_s(SYS_ICH_AP1R0_EL2);
	if (v3_apr_count > 1) {
		cpu->ap0r[1] = read_sysreg_s(SYS_ICH_AP0R1_EL2);
		cpu->ap1r[1] = read_sysreg_s(SYS_ICH_AP1R1_EL2);
	}
	if (v3_apr_count > 2) {
		cpu->ap0r[2] = read_sysreg_s(SYS_ICH_AP0R2_EL2);
		cpu->ap1r[2] = read_sysreg_s(SYS_ICH_AP1R2_EL2);
		cpu->ap0r[3] = read_sysreg_s(SYS_ICH_AP0R3_EL2);
		cpu->ap1r[3] = read_sysreg_s(SYS_ICH_AP1R3_EL2);
	}
}

/* The priority of the best active priority group, which a further interrupt has to preempt. */
static unsigned int running_prio(const struct vgic_cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < v3_apr_count; i++) {
		u32 active = cpu->ap0r[i] | cpu->ap1r[i];

		if (active)
			return (i * 32 + __ffs(active)) << (8 - v3_prebits);
	}
	return PRIO_IDLE;
}

/*
 * Priorities below this one would interrupt the guest now: the group is enabled, the mask is
 * passed, and so is the running priority by the bits that the binary point leaves (IHI 0069, 4.8.2:
 * group 0 has bits [7:n + 1], group 1 bits [7:n]).
 */
static u16 group_limit(const struct vgic_cpu *cpu, unsigned int group)
{
	unsigned int pmr = FIELD_GET(VMCR_VPMR, cpu->vmcr);
	unsigned int ignored;

	if (!(cpu->vmcr & BIT(group)))
		return 0;
	if (group == 1 && !(cpu->vmcr & VMCR_VCBPR))
		ignored = FIELD_GET(VMCR_VBPR1, cpu->vmcr);
	else
		ignored = FIELD_GET(VMCR_VBPR0, cpu->vmcr) + 1;
	return min_t(unsigned int, pmr, round_up(running_prio(cpu), 1U << ignored));
}

/*
 * ICC_SRE_EL2.Enable = 0: the guest's ICC_SRE_EL1 traps, so that it can't turn its system
 * registers off. List registers are cleared, whatever is in them since the pCPU's reset.
 */
static void v3_load(struct vgic_cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < v3_lr_count; i++)
		lr_write(i, 0);
	write_sysreg_s(cpu->vmcr, SYS_ICH_VMCR_EL2);
	apr_write(cpu);
	write_sysreg_s(read_sysreg_s(SYS_ICC_SRE_EL2) & ~SRE_ENABLE, SYS_ICC_SRE_EL2);
}

void vgic_v3_set_limits(struct vgic_cpu *cpu)
{
	WRITE_ONCE(cpu->limit[0], group_limit(cpu, 0));
	WRITE_ONCE(cpu->limit[1], group_limit(cpu, 1));
}

static void v3_look(struct vgic_cpu *cpu)
{
	cpu->vmcr = read_sysreg_s(SYS_ICH_VMCR_EL2);
	apr_read(cpu);
	vgic_v3_set_limits(cpu);
}

static void v3_put(struct vgic_cpu *cpu)
{
	v3_look(cpu);
	write_sysreg_s(read_sysreg_s(SYS_ICC_SRE_EL2) | SRE_ENABLE, SYS_ICC_SRE_EL2);
}

u64 vgic_v3_lr_encode(const struct vgic_lr *lr)
{
	u64 val = FIELD_PREP(LR_VINTID, lr->intid) | FIELD_PREP(LR_PRIORITY, lr->prio) |
		  FIELD_PREP(LR_STATE, lr->written);

	if (lr->group1)
		val |= LR_GROUP1;
	if (lr->hw)
		val |= LR_HW | FIELD_PREP(LR_PINTID, lr->hwirq);
	else if (lr->eoi)
		val |= LR_EOI;
	return val;
}

u64 vgic_v3_hcr_encode(const struct vgic_cpu *cpu)
{
	u64 hcr = HCR_EN;

	if (cpu->exits & VGIC_EXIT_NO_PENDING)
		hcr |= HCR_NPIE;
	if (cpu->exits & VGIC_EXIT_UNLISTED)
		hcr |= v3_unlisted_hcr;
	if (cpu->exits & VGIC_EXIT_GROUP0)
		hcr |= HCR_VGRP0EIE;
	if (cpu->exits & VGIC_EXIT_GROUP1)
		hcr |= HCR_VGRP1EIE;
	return hcr;
}

static void v3_flush(struct vgic_cpu *cpu)
{
	u64 first = cpu->used ? vgic_v3_lr_encode(&cpu->lr[0]) : 0;
	unsigned int i;

	write_sysreg_s(first, SYS_ICH_LR0_EL2);		/* is often the only one */
	for (i = 1; i < cpu->used; i++)
		lr_write(i, vgic_v3_lr_encode(&cpu->lr[i]));
	write_sysreg_s(vgic_v3_hcr_encode(cpu), SYS_ICH_HCR_EL2);
	if (cpu->used == 1 && cpu->lr[0].hw && cpu->lr[0].written == VGIC_LR_PENDING && !cpu->exits)
		cpu->again = first;
}

noinstr bool vgic_v3_is_done(const struct vgic_cpu *cpu)
{
	return !(read_sysreg_s(SYS_ICH_LR0_EL2) & LR_STATE);
}

noinstr void vgic_v3_again(const struct vgic_cpu *cpu)
{
	write_sysreg_s(cpu->again, SYS_ICH_LR0_EL2);
}

/*
 * With EOImode 1 an EOI deactivates nothing, and ICC_DIR_EL1 traps (IHI 0069,
 * ICH_HCR_EL2.EOIcount): QEMU counts it nevertheless.
 */
u32 vgic_v3_unlisted(u64 hcr, u64 vmcr)
{
	return hcr & HCR_TDIR && vmcr & VMCR_VEOIM ? 0 : FIELD_GET(HCR_EOICOUNT, hcr);
}

u8 vgic_v3_lr_state(u64 lr)
{
	return FIELD_GET(LR_STATE, lr);
}

static void v3_sync(struct vgic_cpu *cpu)
{
	u64 hcr = read_sysreg_s(SYS_ICH_HCR_EL2);
	unsigned int i;

	write_sysreg_s(0, SYS_ICH_HCR_EL2);
	cpu->again = 0;
	cpu->unlisted = vgic_v3_unlisted(hcr, hcr & HCR_TDIR ? read_sysreg_s(SYS_ICH_VMCR_EL2) : 0);
	cpu->lr[0].state = vgic_v3_lr_state(read_sysreg_s(SYS_ICH_LR0_EL2));
	write_sysreg_s(0, SYS_ICH_LR0_EL2);
	for (i = 1; i < cpu->used; i++) {
		cpu->lr[i].state = vgic_v3_lr_state(lr_read(i));
		lr_write(i, 0);
	}
	isb();
}

static u32 v3_groups(struct vgic_cpu *cpu)
{
	return read_sysreg_s(SYS_ICH_VMCR_EL2) & VGIC_GROUPS;
}

/* The host runs with ICC_CTLR_EL1.EOImode = 1 at EL2: this is apart from the priority drop. */
void vgic_v3_deactivate(unsigned int hwirq)
{
	write_sysreg_s(hwirq, SYS_ICC_DIR_EL1);
	isb();
}

static struct vgic_cpuif v3_cpuif = {
	.load = v3_load,
	.put = v3_put,
	.look = v3_look,
	.flush = v3_flush,
	.sync = v3_sync,
	.groups = v3_groups,
	.deactivate = vgic_v3_deactivate,
};

void vgic_v3_setup(u64 vtr, struct vgic_cpuif *cpuif)
{
	v3_lr_count = min_t(unsigned int, FIELD_GET(VTR_LISTREGS, vtr) + 1, VGIC_MAX_LRS);
	v3_prebits = FIELD_GET(VTR_PREBITS, vtr) + 1;
	v3_apr_count = v3_prebits > 6 ? 4 : v3_prebits > 5 ? 2 : 1;
	/* without FEAT_GICv3_TDIR a write to ICC_DIR_EL1 is counted only, and taken as an EOI */
	v3_unlisted_hcr = HCR_LRENPIE | (vtr & VTR_TDS ? HCR_TDIR : 0);
	cpuif->lr_count = v3_lr_count;
	cpuif->aff3 = vtr & VTR_A3V;
	vgic_host_cpuif = cpuif;
}

unsigned int vgic_v3_apr_count(void)
{
	return v3_apr_count;
}

int qvm_vgic_probe(void)
{
	/* in this order: each makes the next one's register accessible */
	if (!FIELD_GET(PFR0_GIC, read_sysreg_s(SYS_ID_AA64PFR0_EL1)) ||
	    !(read_sysreg_s(SYS_ICC_SRE_EL2) & SRE_SRE) ||
	    !(read_sysreg_s(SYS_ICC_SRE_EL1) & SRE_SRE))
		return -ENODEV;
	vgic_v3_setup(read_sysreg_s(SYS_ICH_VTR_EL2), &v3_cpuif);
	return 0;
}
