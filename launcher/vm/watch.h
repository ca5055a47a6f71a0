/* SPDX-License-Identifier: GPL-2.0-only */
/* Does every vCPU still answer? */
#ifndef QVM_VM_WATCH_H
#define QVM_VM_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct vm;

/*
 * Look once a second, in the loop: a vCPU that has a kick waiting in the guest for longer than
 * machine->stuck_kick_ms ends the VM in a safe state; if it does not even end then, the process
 * goes without it. 0 or -errno, message printed.
 */
int watch_begin(struct vm *vm);
/* End the VM, as vCPU @index has had a kick waiting for this long. Any thread. */
void watch_stuck(struct vm *vm, size_t index, uint64_t wait_ns);
/* Fine without watch_begin(). */
void watch_end(struct vm *vm);

#endif
