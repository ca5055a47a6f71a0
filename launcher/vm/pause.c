// SPDX-License-Identifier: GPL-2.0-only
#include "vm/pause.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "machine/machine.h"
#include "vm/sys.h"
#include "vm/watch.h"

#define WAIT_US		200
#define WAIT_MAX	(60 * 1000000 / WAIT_US)	/* of a host that has no time for the thread */
#define KICK_MS		5000

void pause_wait(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	do {
		pause_leave(vcpu);
		pthread_mutex_lock(&vm->pause_lock);	/* held for as long as the pause is */
		pthread_mutex_unlock(&vm->pause_lock);
		__atomic_store_n(&vcpu->inside, true, __ATOMIC_SEQ_CST);	/* as in pause_enter() */
	} while (__atomic_load_n(&vm->paused, __ATOMIC_SEQ_CST));
}

static bool is_in_guest(const struct vcpu *vcpu)
{
	struct qvm_vcpu_trail trail;

	return sys_vcpu_trail(vcpu->sys, &trail) == 0 && trail.where == QVM_VCPU_IN_GUEST;
}

static bool wait_outside(const struct vcpu *vcpu)
{
	uint64_t ms = vcpu->vm->machine->stuck_kick_ms ? vcpu->vm->machine->stuck_kick_ms : KICK_MS;
	unsigned int limit = (unsigned int)(ms * 1000 / WAIT_US);

	for (unsigned int i = 0; i < WAIT_MAX; i++) {
		if (!__atomic_load_n(&vcpu->inside, __ATOMIC_SEQ_CST))
			return true;
		if (i >= limit && is_in_guest(vcpu))
			break;
		usleep(WAIT_US);
	}
	watch_stuck(vcpu->vm, vcpu->index, ms * 1000000);
	return false;
}

int vm_pause(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	__atomic_store_n(&vm->paused, true, __ATOMIC_SEQ_CST);
	vcpus_kick(vm);
	for (size_t i = 0; i < vm->machine->cpu_count; i++) {
		if (!wait_outside(&vm->vcpus[i]))
			return -ETIMEDOUT;
	}
	return 0;
}

void vm_resume(struct vm *vm)
{
	__atomic_store_n(&vm->paused, false, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&vm->pause_lock);
}
