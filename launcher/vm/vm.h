/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of the VM in this process: built out of the model, run, torn down. */
#ifndef QVM_VM_VM_H
#define QVM_VM_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/bus.h"
#include "util/loop.h"
#include "util/status.h"

struct machine;
struct sys;
struct sys_vm;
struct vcpu;

enum vm_state { VM_STATE_BUILDING, VM_STATE_ASSEMBLED, VM_STATE_STARTED, VM_STATE_ENDED };

/* What the guest asked for, where it ended the machine in order. */
enum vm_event { VM_EVENT_NONE, VM_EVENT_OFF, VM_EVENT_RESET };

struct vm {
	struct machine *machine;
	struct sys *sys;
	struct sys_vm *sys_vm;
	struct vcpu *vcpus;		/* machine->cpu_count of them; vm/vcpu.h */
	struct bus bus;
	bool posts;			/* a device of it has posted writes (vm/post.h) */
	bool leaving;			/* atomic: vCPU threads don't enter the guest again */
	bool paused;			/* atomic: nor now; pause_lock is held meanwhile (vm/pause.h) */
	pthread_mutex_t pause_lock;
	bool button_pressed;		/* of the loop's thread alone */
	int status;			/* atomic: enum status, or VM_RUNS; the first one counts */
	unsigned int running;		/* atomic: vCPU threads that have not ended */
	enum vm_state state;		/* the thread that brings it there */
	enum vm_event event;		/* of who has settled the status; read once the threads have ended */
	bool has_folder;		/* control/runtime.h */
	struct loop_source watch;	/* vm/watch.h, the loop's */
	bool is_stuck;
	unsigned int stuck_ticks;
};

#define VM_RUNS		(-1)

/*
 * Run the machine until it ends; boot_prepare() and machine_validate() have passed. Prints why
 * where the result is not STATUS_OK. Returns enum status; memory, devices, threads and the
 * terminal are as before. *@restart: it was reset, and is to be assembled anew.
 */
int vm_run(struct machine *machine, bool *restart);

/*
 * End the VM from outside with this status, unless it ends already. Returns at once; any thread.
 */
void vm_stop(struct vm *vm, enum status status);

/* Settle the exit status if nobody has; true: it was this call. Any thread. */
bool vm_settle(struct vm *vm, enum status status);

/* The same for a guest that has ended the machine in order. */
bool vm_settle_power(struct vm *vm, bool reset);

/* Words for people: the state; why it ended, once it has. */
const char *vm_state_text(const struct vm *vm);
const char *vm_end_text(const struct vm *vm);

/* Say all there is to say about the VM by log_info(). In the loop's thread. */
void vm_say_status(struct vm *vm);

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

/*
 * Write a dump of the guest to where the config says; @why is for the log. The guest waits
 * meanwhile. 0 or -errno; -ENOENT: the config names no place. Any thread but a vCPU's under a lock.
 */
int vm_dump(struct vm *vm, const char *why);

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
/* Let writes of any width to a gpa or port signal @eventfd. The VM is assembled. As sys_set_doorbell(). */
int vm_add_doorbell(struct vm *vm, uint64_t addr, bool port, int eventfd);

#endif
