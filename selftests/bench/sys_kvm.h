/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the parts of the seam over /dev/kvm: sys_kvm.c is the same for every architecture,
 * sys_kvm_arm64.c and sys_kvm_x86.c are each linked for theirs.
 */
#ifndef BENCH_SYS_KVM_H
#define BENCH_SYS_KVM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/sys.h"

struct sys {
	int fd;
};

struct sys_vm {
	int fd, gic_fd;			/* gic_fd: arm64 */
	struct sys *sys;
	size_t run_size;
	uint32_t vcpu_max, region_count;
	uint64_t pinned;
	bool ignore_references, assembled;
	struct sys_vcpu *vcpus[QVM_MAX_VCPUS];

	pthread_mutex_t lock;		/* end is written once, under it */
	bool ended;			/* atomic */
	struct qvm_run end;		/* what every vCPU returns from then on */
};

struct kvm_cache;			/* x86: registers that wait for the next entry */

struct sys_vcpu {
	struct sys_vm *vm;
	int fd;
	uint32_t index;
	struct kvm_run *kvm;
	struct qvm_run run;
	bool access_pending;		/* the guest waits for the answer to run.mmio */
	unsigned int io_done;		/* x86: of the accesses of one KVM_EXIT_IO */
	struct kvm_cache *cache;
	pthread_t thread;
	bool has_thread;		/* atomic: thread is set */
	uint64_t user_exits, mmio_user, unclaimed;
};

/* ioctl(), and what it returns or -errno. */
int kvm_call(int fd, unsigned long command, void *arg);
int kvm_call_value(int fd, unsigned long command, unsigned long arg);

/* The VM ends once, for the first reason; all vCPUs leave the guest. */
void kvm_vm_end(struct sys_vm *vm, const struct qvm_run *why);
void kvm_vm_end_fatal(struct sys_vcpu *vcpu, uint32_t cause, uint64_t syndrome);
void kvm_vm_end_system(struct sys_vcpu *vcpu, uint32_t event);

/* ---- what each architecture has ---- */

extern const enum qvm_arch kvm_arch;

/* Address bits of a guest, and what KVM_CREATE_VM wants for @ipa_bits of them (0: the default). */
uint32_t kvm_arch_ipa_bits(struct sys *sys);
unsigned long kvm_arch_vm_type(struct sys *sys, uint32_t ipa_bits);
int kvm_arch_create_vm(struct sys_vm *vm);
void kvm_arch_destroy_vm(struct sys_vm *vm);
int kvm_arch_assemble(struct sys_vm *vm);
struct kvm_irq_level kvm_arch_line(uint32_t line, bool level);
uint32_t kvm_arch_gsi(uint32_t line);	/* what an irqfd calls it */
int kvm_arch_create_vcpu(struct sys_vcpu *vcpu);
void kvm_arch_destroy_vcpu(struct sys_vcpu *vcpu);
uint64_t kvm_arch_pc(struct sys_vcpu *vcpu);

/* Nobody's address, and the policy is not ignore. KVM finishes the access itself. */
void kvm_arch_refuse(struct sys_vcpu *vcpu);

/* Before an entry: what was set of registers gets to KVM. */
int kvm_arch_flush(struct sys_vcpu *vcpu);

/*
 * An exit that is not the same everywhere: fill vcpu->run. False: it is unknown.
 * kvm_arch_complete(): true if it has another access for the launcher before the next entry.
 */
bool kvm_arch_exit(struct sys_vcpu *vcpu);
bool kvm_arch_complete(struct sys_vcpu *vcpu);

#endif
