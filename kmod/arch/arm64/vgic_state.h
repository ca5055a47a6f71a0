/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the virtual GIC's own files share. Letters behind a field: [C] constant after assembly,
 * [l] vgic->lock, [t] the vCPU's thread with interrupts off or its vCPU mutex held; "r" behind
 * the letter: read without it, by READ_ONCE().
 */
#ifndef QVM_ARM64_VGIC_STATE_H
#define QVM_ARM64_VGIC_STATE_H

#include <linux/bits.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "vdev/bus.h"
#include "vgic.h"

#define VGIC_MAX_VCPUS		64	/* as many as a set of vCPUs, a u64, has bits */
#define VGIC_PRIVATE		32	/* SGIs 0 ... 15, PPIs 16 ... 31 */
#define VGIC_SGIS		16
#define VGIC_MAX_LINES		1020	/* 1020 ... 1023 are special INTIDs */
#define VGIC_MAX_LRS		16

/*
 * Five bits of priority, the fewest that a virtual CPU interface may have (IHI 0069, 4.8): a
 * guest finds out by writing ones. A queue has a bucket per priority and group.
 */
#define VGIC_PRIO_MASK		0xf8
#define VGIC_PRIO_SHIFT		3
#define VGIC_BUCKETS		64
#define VGIC_GROUP0		BIT(0)
#define VGIC_GROUP1		BIT(1)
#define VGIC_GROUPS		(VGIC_GROUP0 | VGIC_GROUP1)

struct qvm_reg_row;
struct qvm_reg_table;
struct vgic_vcpu;

enum vgic_queue_id {
	VGIC_QUEUE_NONE,
	VGIC_QUEUE_READY,	/* pending, enabled and not active */
	VGIC_QUEUE_ACTIVE,	/* active, perhaps pending again */
};

struct vgic_irq {
	struct vgic_vcpu *home;		/* [l] whose queue it is in */
	struct vgic_vcpu *target;	/* [l] where it goes when pending; NULL: nowhere */
	u64 route;			/* [l] SPI: GICD_IROUTER */
	bool (*hw_level)(struct qvm_vcpu *vcpu);	/* [l] */
	u16 intid;			/* [C] */
	u16 hwirq;			/* [l] physical INTID, if hw */
	u8 prio;			/* [l] */
	u8 taken_prio;			/* [l] prio when it became active, while it is */
	u8 queue;			/* [l] enum vgic_queue_id */
	u8 bucket;			/* [l] of that queue */
	bool group1;			/* [l] */
	bool enabled;			/* [l] */
	bool edge;			/* [l] */
	bool hw;			/* [l, r] a physical interrupt stands behind it */
	bool line;			/* [l, r] */
	bool resample;			/* [l] its end puts the line down, and is told */
	bool latch;			/* [l] pending by an edge, or by a write to ISPENDR */
	bool active;			/* [l] */

	/* while it is in a list register of its home, from flush to sync: */
	bool listed;			/* [l] */
	bool repend;			/* [l] latched again meanwhile */
	bool active_set;		/* [l] active was written meanwhile, and holds */
};

/*
 * Interrupts by (priority, group, INTID), the best first. Insertion, removal and next take
 * constant time, whatever a guest has pended: three levels of bitmaps.
 */
struct vgic_queue {
	u64 buckets;			/* [l, r] buckets with a member */
	u16 words[VGIC_BUCKETS];	/* [l] words of the bucket with a member */
	u64 *bits;			/* [l] [VGIC_BUCKETS][vgic->words], bit: INTID */
};

#define VGIC_LR_PENDING		BIT(0)
#define VGIC_LR_ACTIVE		BIT(1)

/* A list register, in no interface's own format. */
struct vgic_lr {
	struct vgic_irq *irq;
	u16 intid, hwirq;
	u8 prio;
	u8 written;			/* VGIC_LR_* at flush */
	u8 state;			/* VGIC_LR_* after sync */
	bool group1;
	bool hw;			/* deactivation deactivates hwirq, too */
	bool eoi;			/* exit at deactivation; never with hw */
};

/* What shall make the guest exit. */
#define VGIC_EXIT_NO_PENDING	BIT(0)	/* no list register is pending any more */
#define VGIC_EXIT_UNLISTED	BIT(1)	/* deactivation of an interrupt in no list register */
#define VGIC_EXIT_GROUP0	BIT(2)	/* the guest enables group 0, 1 */
#define VGIC_EXIT_GROUP1	BIT(3)

/* A vCPU's CPU interface. All [t]. */
struct vgic_cpu {
	unsigned int used;		/* list registers in use */
	struct vgic_lr lr[VGIC_MAX_LRS];
	u32 exits;			/* VGIC_EXIT_* */
	/*
	 * lr[0] in the interface's own format, where it is all that was written, pending and with hw, and no
	 * exit is asked for: ended by the guest, it may be made pending once more without a sync. Else 0.
	 */
	u64 again;
	u32 unlisted;			/* sync: deactivations that met no list register */
	u16 limit[2];			/* by group: takes priorities below; valid while put, r */
	u64 vmcr;			/* the rest is the interface's own */
	u32 ap0r[4], ap1r[4];
};

/*
 * What carries the state into a CPU interface. All are called with preemption off on the pCPU
 * of the vCPU; flush, sync and groups with interrupts off, between load and put.
 */
struct vgic_cpuif {
	unsigned int lr_count;
	bool aff3;			/* takes affinity level 3 */
	void (*load)(struct vgic_cpu *cpu);
	void (*put)(struct vgic_cpu *cpu);	/* fills limit[] */
	void (*look)(struct vgic_cpu *cpu);	/* the same, and it stays loaded */
	void (*flush)(struct vgic_cpu *cpu);	/* lr[0 ... used), exits */
	void (*sync)(struct vgic_cpu *cpu);	/* fills lr[].state, unlisted */
	u32 (*groups)(struct vgic_cpu *cpu);	/* VGIC_GROUPn: enabled by the guest */
	void (*deactivate)(unsigned int hwirq);	/* a physical PPI of this pCPU */
};

/* A frame of registers and the interrupts that it shows. */
struct vgic_bank {
	struct vgic *vgic;		/* [C] */
	struct vgic_vcpu *owner;	/* [C] redistributor's; NULL: distributor, no vCPU */
	unsigned int index;		/* [C] redistributor's number */
};

struct vgic_vcpu {
	struct vgic *vgic;		/* [C] */
	struct qvm_vcpu *vcpu;		/* [C] */
	unsigned int index;		/* [C] of the vCPU */
	struct vgic_queue ready, active;
	u32 hw_up;			/* [l, r] PPIs with hw whose line is up */
	u32 visit;			/* [l, r] odd while something of it is in hardware */
	bool asleep;			/* [l, r] GICR_WAKER.ProcessorSleep */
	bool again;			/* [t] its access has to be made with interrupts on */
	const struct qvm_reg_row *gicd_last, *gicr_last;	/* [t] what it accessed last */
	struct vgic_cpu cpu;
	struct vgic_irq irq[VGIC_PRIVATE];
};

struct vgic {
	raw_spinlock_t lock;
	const struct vgic_cpuif *cpuif;	/* [C] */
	unsigned int lines;		/* [C] highest INTID + 1 */
	unsigned int words;		/* [C] u64 that hold a bit per line */
	unsigned int vcpu_end;		/* [C] highest vCPU index + 1 */
	u8 groups;			/* [l, r] VGIC_GROUPn: GICD_CTLR.EnableGrpn */
	unsigned int visits;		/* [l] vCPUs with something in hardware */
	struct vgic_irq *spi;		/* [C] INTID 32 is the first */
	struct vgic_vcpu *any;		/* [l] who takes the SPIs that any vCPU may take */
	struct vgic_vcpu *vcpu[VGIC_MAX_VCPUS];	/* [C] by index, NULL where none */
	struct vgic_bank dist;		/* [C] */
	struct vgic_bank redist[VGIC_MAX_VCPUS];	/* [C] */
	struct qvm_vdev gicd, gicr;
};

/* vCPUs, by index, that a change concerns; gathered under the lock, acted upon after it. */
struct vgic_kicks {
	u64 wake;			/* something to take */
	u64 evict;			/* its list registers are out of date */
};

/* The interface of this host, set by qvm_vgic_probe(). */
extern const struct vgic_cpuif *vgic_host_cpuif;

/*
 * For the world switch, no lock: qvm_vgic_flush(), qvm_vgic_sync() would find something to do. NULL: no
 * GIC.
 */
static inline bool vgic_has_work(const struct vgic_vcpu *vgv)
{
	return vgv && (READ_ONCE(vgv->ready.buckets) | READ_ONCE(vgv->active.buckets) |
		       READ_ONCE(vgv->hw_up));
}

static inline bool vgic_is_listed(const struct vgic_vcpu *vgv)
{
	return vgv && vgv->visit & 1;
}

/* vgic.c ---------------------------------------------------------------------------------- */

/* Pending by its line or by its latch. Lock held. */
static inline bool vgic_irq_is_pending(const struct vgic_irq *irq)
{
	return irq->latch || (!irq->edge && irq->line);
}

/* The interrupt as @owner sees it (NULL: SPIs only), or NULL. */
struct vgic_irq *vgic_find_irq(struct vgic *vgic, struct vgic_vcpu *owner, unsigned int intid);

/* A field of @irq has changed: put it where it belongs now. Lock held. */
void vgic_irq_update(struct vgic_irq *irq, struct vgic_kicks *kicks);

/* The level of the wire alone, which nothing follows from. Lock held. */
void vgic_irq_write_line(struct vgic_irq *irq, bool level);

/* Writes by the guest or an edge, with all that follows but vgic_irq_update(). Lock held. */
void vgic_irq_set_latch(struct vgic_irq *irq, bool latch);
void vgic_irq_set_active(struct vgic_irq *irq, bool active);

/* GICD_IROUTER, or the same again when a vCPU fell asleep or woke up. Lock held. */
void vgic_irq_set_route(struct vgic_irq *irq, u64 route, struct vgic *vgic);

/* The vCPU at affinity 0.0.@aff1.@aff0, or NULL. */
struct vgic_vcpu *vgic_affine_target(struct vgic *vgic, u64 aff1, u64 aff0);

/* Choose vgic->any: the first that is awake, or just the first. Lock held. */
void vgic_find_any(struct vgic *vgic);

/*
 * After the lock: kick whom @kicks names, @self aside (it is out of the guest). Where interrupts
 * are on, also wait until each vCPU of kicks->evict has left the guest once, so that a guest
 * that reads back its own write finds it done. Not in the run of the vCPU's own put.
 */
void vgic_kick(struct vgic *vgic, struct vgic_vcpu *self, const struct vgic_kicks *kicks);

/* Put down those lines of mapped PPIs that have fallen unseen. Lock held, its vCPU loaded here. */
void vgic_ask_lines(struct vgic_vcpu *vgv, struct vgic_kicks *kicks);

/* vgic_line.c ----------------------------------------------------------------------------- */

/* The wire of @irq. Lock held. */
void vgic_irq_set_line(struct vgic_irq *irq, bool level, struct vgic_kicks *kicks);

/* vgic_mmio.c ----------------------------------------------------------------------------- */

extern const struct qvm_reg_table vgic_gicd_table, vgic_gicr_table;

/* Put distributor and redistributors on @vm's bus; errors as qvm_bus_register(). */
int vgic_mmio_register(struct qvm_vm *vm, struct vgic *vgic, u64 gicd, u64 gicr);

#endif /* QVM_ARM64_VGIC_STATE_H */
