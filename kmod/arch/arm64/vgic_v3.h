/* SPDX-License-Identifier: GPL-2.0-only */
/* GICv3's formats of ICH_*_EL2 (IHI 0069, 12.4), for whoever writes them. */
#ifndef QVM_ARM64_VGIC_V3_H
#define QVM_ARM64_VGIC_V3_H

#include <linux/types.h>

struct vgic_cpu;
struct vgic_cpuif;
struct vgic_lr;

/* Take this host's ICH_VTR_EL2, and @cpuif for the interface that new GICs get. Module load. */
void vgic_v3_setup(u64 vtr, struct vgic_cpuif *cpuif);

/* Active priority registers of each group: 1, 2, 4; 0 before setup. */
unsigned int vgic_v3_apr_count(void);

u64 vgic_v3_lr_encode(const struct vgic_lr *lr);
u8 vgic_v3_lr_state(u64 lr);				/* VGIC_LR_* */
u64 vgic_v3_hcr_encode(const struct vgic_cpu *cpu);	/* by its exits */
u32 vgic_v3_unlisted(u64 hcr, u64 vmcr);		/* deactivations of what was not listed */
void vgic_v3_set_limits(struct vgic_cpu *cpu);		/* by its vmcr, ap0r, ap1r */

/*
 * cpu->again: the guest has ended that interrupt; it is pending once more. Between flush and sync, VHE,
 * noinstr. The exception return makes the guest see it.
 */
bool vgic_v3_is_done(const struct vgic_cpu *cpu);
void vgic_v3_again(const struct vgic_cpu *cpu);

/* A physical PPI of this pCPU: the host runs with ICC_CTLR_EL1.EOImode = 1, at either level. */
void vgic_v3_deactivate(unsigned int hwirq);

#endif /* QVM_ARM64_VGIC_V3_H */
