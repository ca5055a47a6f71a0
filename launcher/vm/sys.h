/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam to the hypervisor: every call that leaves the launcher for the kernel module, one
 * thin function each. sys.c speaks to /dev/qvm; selftests/bench/sys_kvm.c stands in for it
 * over /dev/kvm, so that the same launcher boots the same config on both. What crosses the
 * seam is the vocabulary of uapi/qvm.h; the objects are opaque.
 *
 * All functions return 0 or a negative errno as uapi/qvm.h lists them for the command, if
 * nothing else is said. None prints.
 */
#ifndef QVM_VM_SYS_H
#define QVM_VM_SYS_H

#include <stdbool.h>
#include <stdint.h>

#include "qvm.h"
#include "qvm_run.h"

struct sys;		/* the system */
struct sys_vm;		/* one VM */
struct sys_vcpu;	/* one vCPU; its thread alone calls sys_vcpu_run() */

/* The file that sys_open() opens, and what to type where it is missing: for messages. */
extern const char sys_path[];
extern const char sys_remedy[];

/* Open the hypervisor. Errors: those of open(2). */
int sys_open(struct sys **out);
/* Close it; its VMs live on. NULL is fine. */
void sys_close(struct sys *sys);
/* QVM_QUERY. */
int sys_query(struct sys *sys, struct qvm_query *query);
/* QVM_STAT. */
int sys_stat(struct sys *sys, struct qvm_stat *stat);

/* QVM_NEXT_VM. */
int sys_next_vm(struct sys *sys, struct qvm_next_vm *next);

/* QVM_CREATE_VM. */
int sys_create_vm(struct sys *sys, struct qvm_create_vm *create, struct sys_vm **out);
/* Close the VM; its vCPUs are destroyed before. NULL is fine. */
void sys_destroy_vm(struct sys_vm *vm);
/* QVM_VM_ADD_REGION. */
int sys_add_region(struct sys_vm *vm, struct qvm_region *region);
/* QVM_VM_CREATE_VDEV. */
int sys_create_vdev(struct sys_vm *vm, const struct qvm_create_vdev *vdev);
/* QVM_VM_SET_POLICY. */
int sys_set_policy(struct sys_vm *vm, const struct qvm_vm_policy *policy);
/* QVM_VM_ASSEMBLE. */
int sys_assemble(struct sys_vm *vm);
/* QVM_VM_SET_IRQ; any thread. */
int sys_set_irq(struct sys_vm *vm, uint32_t line, bool level);
/* QVM_VM_SHARE, QVM_VM_DOORBELL, QVM_VM_IRQFD; any thread. */
int sys_set_share(struct sys_vm *vm, const struct qvm_share *share);
int sys_set_doorbell(struct sys_vm *vm, const struct qvm_doorbell *doorbell);
int sys_set_irqfd(struct sys_vm *vm, const struct qvm_irqfd *irqfd);
/* QVM_VM_INFO; any thread. */
int sys_vm_info(struct sys_vm *vm, struct qvm_vm_info *info);
/* QVM_VM_UNCLAIMED; any thread. */
int sys_vm_unclaimed(struct sys_vm *vm, struct qvm_unclaimed *unclaimed);
/* QVM_VM_END; any thread. */
int sys_vm_end(struct sys_vm *vm);

/* QVM_VM_CREATE_VCPU, and map its run page. */
int sys_create_vcpu(struct sys_vm *vm, uint32_t index, struct sys_vcpu **out);
/* Unmap and close; the vCPU's thread has ended. NULL is fine. */
void sys_destroy_vcpu(struct sys_vcpu *vcpu);
/* The run page, as sys_vcpu_run() leaves it. */
struct qvm_run *sys_vcpu_run_page(struct sys_vcpu *vcpu);
/* QVM_VCPU_RUN. */
int sys_vcpu_run(struct sys_vcpu *vcpu);
/* Set or clear immediate_exit; any thread. */
void sys_vcpu_set_immediate_exit(struct sys_vcpu *vcpu, bool on);
/* QVM_VCPU_GET_REG: value[0] alone. */
int sys_get_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t *value);
/* QVM_VCPU_GET_REG of both words. */
int sys_get_reg_pair(struct sys_vcpu *vcpu, uint64_t id, uint64_t value[2]);
/* QVM_VCPU_SET_REG: value[0] alone, value[1] zero. */
int sys_set_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t value);
/* QVM_VCPU_SET_REG of both words: x86's segments and tables. */
int sys_set_reg_pair(struct sys_vcpu *vcpu, uint64_t id, uint64_t low, uint64_t high);
/* QVM_VCPU_STATS; any thread. */
int sys_vcpu_stats(struct sys_vcpu *vcpu, struct qvm_vcpu_stats *stats);
/* QVM_VCPU_TRAIL; any thread. */
int sys_vcpu_trail(struct sys_vcpu *vcpu, struct qvm_vcpu_trail *trail);

/*
 * The signal that makes a thread leave sys_vcpu_run(). vm/vcpu.c installs a handler for it
 * (without SA_RESTART) and unblocks it in vCPU threads only.
 */
int sys_kick_signal(void);

#endif
