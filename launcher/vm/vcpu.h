/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread per vCPU: it enters the guest, answers exits, and ends with the VM. */
#ifndef QVM_VM_VCPU_H
#define QVM_VM_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_vcpu;
struct vm;

struct vcpu {
	struct vm *vm;
	uint32_t index;
	struct sys_vcpu *sys;
	pthread_t thread;
	pid_t tid;		/* of thread, for what takes no pthread_t */
	bool started;
	pthread_mutex_t post_lock;	/* who takes its posted writes; vm/post.h */
	bool inside;		/* atomic: in sys_vcpu_run(), see vm/pause.h */
};

/* Create the machine's vCPUs (vm->vcpus), not their threads. 0 or -errno, message printed. */
int vcpus_create(struct vm *vm);
/* Destroy them; their threads have been joined. Fine without vcpus_create(). */
void vcpus_destroy(struct vm *vm);

/*
 * Start all threads, or none: no vCPU enters the guest before each has its thread, name and
 * pCPUs. 0 or -errno, message printed. The last thread that ends stops the loop.
 */
int vcpus_start(struct vm *vm);
/* Wait for the threads that run. */
void vcpus_join(struct vm *vm);

/*
 * Make every vCPU thread leave the guest, or the system call that it waits in. It then looks at
 * vm->leaving, which the caller may have set before. No kick is lost. Any thread.
 */
void vcpus_kick(struct vm *vm);

/* Say each vCPU's counters by log_info(). */
void vcpus_status(struct vm *vm);

#endif
