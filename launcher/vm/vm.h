/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of the VM in this process: built out of the model, run, torn down. */
#ifndef QVM_VM_VM_H
#define QVM_VM_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/bus.h"
#include "util/status.h"

struct machine;
struct sys;
struct sys_vm;
struct vcpu;

struct vm {
	struct machine *machine;
	struct sys *sys;
	struct sys_vm *sys_vm;
	struct vcpu *vcpus;		/* machine->cpu_count of them; vm/vcpu.h */
	struct bus bus;
	bool leaving;			/* atomic: vCPU threads don't enter the guest again */
	bool paused;			/* atomic: nor now; pause_lock is held meanwhile (vm/pause.h) */
	pthread_mutex_t pause_lock;
	bool button_pressed;		/* of the loop's thread alone */
	int status;			/* atomic: enum status, or VM_RUNS; the first one counts */
	unsigned int running;		/* atomic: vCPU threads that have not ended */
};

#define VM_RUNS		(-1)

/*
 * Run the machine until it ends; boot_prepare() and machine_validate() have passed. Prints why
 * where the result is not STATUS_OK. Returns enum status; memory, devices, threads and the
 * terminal are as before.
 */
int vm_run(struct machine *machine);

/*
 * End the VM from outside with this status, unless it ends already. Returns at once; any thread.
 */
void vm_stop(struct vm *vm, enum status status);

/* Settle the exit status if nobody has; true: it was this call. Any thread. */
bool vm_settle(struct vm *vm, enum status status);

/*
 * The guest has ended the machine through a device, in order: the VM ends with status 0 if
 * @reset or not, which only the log tells apart. Returns at once; any thread.
 */
void vm_power_event(struct vm *vm, bool reset);

/* The guest has ended the machine and chosen the exit status of qvm, 0 … 255. As above. */
void vm_guest_exit(struct vm *vm, int status);

/*
 * A device of this name can't go on: the VM ends in a safe state with STATUS_DEVICE, and the log
 * says @what. Returns at once; any thread.
 */
void vm_device_error(struct vm *vm, const char *device, const char *what);

/* vCPU 0 is about to enter the guest for the first time: in its thread. */
void vm_started(struct vm *vm);

/*
 * Write a dump of the guest to where the config's `dump` says; @why stands in it and in the log.
 * The vCPUs stand still meanwhile. Any thread but under a lock that a vCPU may wait for in a device
 * (they are outside the guest then, and count as standing still). 0 or -errno, message printed;
 * -ENOENT: the config has none.
 */
int vm_dump(struct vm *vm, const char *why);

/*
 * Press the machine's power button. False: it has none, the guest does not listen, or it was
 * pressed before. In the loop's thread.
 */
bool vm_press_power_button(struct vm *vm);

/* Drive an input line of the board's interrupt controller. Any thread. */
void vm_set_irq(struct vm *vm, uint32_t line, bool level);

#endif
