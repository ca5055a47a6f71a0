/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual GICv3 (Arm IHI 0069): distributor, redistributors, SGI/PPI/SPI state
 * (vgic.c), their registers (vgic_mmio.c), and what carries them into the CPU interface of
 * this pCPU (vgic_v3.c: ICH_* registers). vgic.c and vgic_mmio.c know no ICH register: they
 * speak to struct vgic_cpuif_ops, so that another interface can stand behind it.
 */
#ifndef QVM_ARM64_VGIC_H
#define QVM_ARM64_VGIC_H

#include <linux/types.h>

struct qvm_vm;
struct qvm_vcpu;
struct vgic;		/* per VM: vm->arch.vgic, NULL on a board without GIC */
struct vgic_vcpu;	/* per vCPU: vcpu->arch.vgic, NULL likewise */

/*
 * Once per module load of a VHE host, on one CPU: number of list registers, priority bits.
 * -ENODEV: no GICv3 virtual CPU interface by system registers (ID_AA64PFR0_EL1.GIC,
 * ICC_SRE_EL1.SRE).
 */
int qvm_vgic_probe(void);

/*
 * Create the GIC of @vm (QVM_VDEV_ARM64_GICV3) and put it on the bus. VM mutex held, BUILDING.
 * -EEXIST, -EINVAL, -ERANGE, -ENOMEM as at QVM_VM_CREATE_VDEV.
 */
int qvm_vgic_create(struct qvm_vm *vm, u64 gicd, u64 gicr, u64 lines);

/*
 * Private interrupts and redistributor of each vCPU, whose arch.mpidr is set; at assembly, VM mutex
 * held. -ENOMEM. 0 on a board without GIC.
 */
int qvm_vgic_assemble(struct qvm_vm *vm);

/* Free everything, also after a half-way failure. No vCPU runs, no interrupt can come in. */
void qvm_vgic_destroy(struct qvm_vm *vm);

/*
 * The vCPU's CPU interface as at power-on (PSCI CPU_ON of one that was off): masked, nothing
 * active. Its interrupts keep their state. Own thread or nobody in the vCPU, put.
 */
void qvm_vgic_reset(struct qvm_vcpu *vcpu);

/*
 * vCPU comes onto this pCPU / leaves it: virtual interface control state (ICH_VMCR, active
 * priorities, ICC_SRE). Preemption off; put may run under the scheduler's rq lock: it takes no
 * lock and wakes nobody. List registers hold nothing then (sync has run).
 */
void qvm_vgic_load(struct qvm_vcpu *vcpu);
void qvm_vgic_put(struct qvm_vcpu *vcpu);

/*
 * Interrupts off, vCPU loaded. flush: choose what goes into the list registers and write
 * them, ICH_HCR_EL2.En last. sync: after an exit ICH_HCR_EL2 = 0 first (so that no maintenance
 * interrupt reaches the host), then what the guest did with them goes back into the
 * state. Both cost a few instructions when there is nothing in them. A flush must be followed by a
 * sync before interrupts open, also where the guest was not entered after all.
 */
void qvm_vgic_flush(struct qvm_vcpu *vcpu);
void qvm_vgic_sync(struct qvm_vcpu *vcpu);

/*
 * True if the guest would take an interrupt now, its PSTATE.I aside (WFI wakes). Any context,
 * no lock. Exact once the vCPU is put: mask and running priority are those of the last put, or of
 * the last qvm_vgic_look(), which a loaded vCPU's thread does with preemption off.
 */
void qvm_vgic_look(struct qvm_vcpu *vcpu);
bool qvm_vgic_has_pending(struct qvm_vcpu *vcpu);

/*
 * Drive a line. @vcpu for a PPI (16 … 31), NULL for an SPI. Level lines follow @level, edge
 * lines pend at a rise. Kicks the target after its locks are dropped. Any context, interrupts
 * on or off. -ENXIO: no such line.
 */
int qvm_vgic_set_irq(struct qvm_vm *vm, struct qvm_vcpu *vcpu, u32 intid, bool level);

/* As at qvm_arch_vm_set_resample(), an SPI. */
int qvm_vgic_set_resample(struct qvm_vm *vm, u32 intid, bool on);

/*
 * As qvm_vgic_set_irq() for a PPI of the vCPU whose thread this is, out of the guest and synced: no
 * kick, since its next flush comes before its next entry. Nothing happens if there is no such line.
 */
void qvm_vgic_set_own(struct qvm_vcpu *vcpu, u32 intid, bool level);

/*
 * The line of a mapped PPI has risen, interrupts off, between an exit and the next entry: where
 * nothing else is pending or active it goes into a list register at once, as by a flush. False:
 * nothing was done, qvm_vgic_set_own() is the way.
 */
bool qvm_vgic_deliver_own(struct qvm_vcpu *vcpu, u32 intid);

/*
 * Tie PPI @intid of @vcpu to physical interrupt @hwirq: its list register gets HW=1, the guest's
 * deactivation deactivates the physical one, and so does flush when the line falls without
 * it. @level tells the state of the line: asked at sync when the guest has deactivated it, and at
 * each flush while it is up and not active (vCPU loaded, interrupts off, GIC lock held: it reads,
 * no more). -ENXIO as above.
 */
int qvm_vgic_map_hw(struct qvm_vcpu *vcpu, u32 intid, u32 hwirq,
		    bool (*level)(struct qvm_vcpu *vcpu));

/*
 * The physical interrupt behind PPI @intid must stay active: the guest has it pending by its
 * line, or active and taken from it. No lock; of the last flush and sync.
 */
bool qvm_vgic_hw_busy(struct qvm_vcpu *vcpu, u32 intid);

/*
 * The guest wrote ICC_SGI1R_EL1 (group 1), ICC_ASGI1R_EL1 or ICC_SGI0R_EL1 (group 0): IRM,
 * Aff3.2.1, RS and the target list as in IHI 0069 12.2. Interrupts on or off.
 */
void qvm_vgic_send_sgi(struct qvm_vcpu *vcpu, u64 value, unsigned int group);

/* So few targets that they can be woken with interrupts off. */
bool qvm_vgic_sgi_is_short(const struct qvm_vcpu *vcpu, u64 value);

/* The guest wrote ICC_DIR_EL1 and it was trapped (an active interrupt is in no list register). */
void qvm_vgic_deactivate(struct qvm_vcpu *vcpu, u32 intid);

/* ICH_VMCR_EL2 (PMR, groups, EOImode …) of a vCPU that is put. */
u64 qvm_vgic_get_vmcr(struct qvm_vcpu *vcpu);

#endif /* QVM_ARM64_VGIC_H */
