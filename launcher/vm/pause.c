// SPDX-License-Identifier: GPL-2.0-only
#include "vm/pause.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "machine/machine.h"
#include "util/log.h"
#include "vm/vcpu.h"
#include "vm/vm.h"

#define WAIT_US		200
#define WAIT_MAX	(5000000 / WAIT_US)

static bool paused(const struct vm *vm)
{
	return __atomic_load_n(&vm->paused, __ATOMIC_SEQ_CST);
}

void pause_leave(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->inside, false, __ATOMIC_RELEASE);
}

void pause_enter(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	for (;;) {
		/* Either we see the pause, or vm_pause() sees us inside: both are in one order. */
		__atomic_store_n(&vcpu->inside, true, __ATOMIC_SEQ_CST);
		if (!paused(vm))
			return;
		pause_leave(vcpu);
		pthread_mutex_lock(&vm->pause_lock);	/* held for as long as the pause is */
		pthread_mutex_unlock(&vm->pause_lock);
	}
}

static bool wait_outside(const struct vcpu *vcpu)
{
	for (unsigned int i = 0; i < WAIT_MAX; i++) {
		if (!__atomic_load_n(&vcpu->inside, __ATOMIC_SEQ_CST))
			return true;
		usleep(WAIT_US);
	}
	return false;
}

int vm_pause(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	__atomic_store_n(&vm->paused, true, __ATOMIC_SEQ_CST);
	vcpus_kick(vm);
	for (size_t i = 0; i < vm->machine->cpu_count; i++) {
		if (wait_outside(&vm->vcpus[i]))
			continue;
		log_error("vCPU %zu does not leave the guest", i);
		return -ETIMEDOUT;
	}
	return 0;
}

void vm_resume(struct vm *vm)
{
	__atomic_store_n(&vm->paused, false, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&vm->pause_lock);
}
