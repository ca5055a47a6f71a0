// SPDX-License-Identifier: GPL-2.0-only
#include "vm/watch.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "dev/terminal.h"
#include "machine/machine.h"
#include "util/log.h"
#include "vm/report.h"
#include "vm/sys.h"
#include "vm/vcpu.h"
#include "vm/vm.h"

#define PERIOD_NS	1000000000ull
#define NS_PER_MS	1000000ull
#define LAST_TICKS	10	/* for an end that does not come */

void watch_stuck(struct vm *vm, size_t index, uint64_t wait_ns)
{
	if (vm_settle(vm, STATUS_RUN)) {
		log_error("the VM was stopped in a safe state: vCPU %zu is stuck: it has not answered a kick for %llu ms",
			  index, (unsigned long long)(wait_ns / NS_PER_MS));
		report_trail(vm, index);
	}
	vm_stop(vm, STATUS_RUN);
	__atomic_store_n(&vm->is_stuck, true, __ATOMIC_RELAXED);
}

static void look(struct vm *vm)
{
	for (size_t i = 0; i < vm->machine->cpu_count; i++) {
		struct qvm_vcpu_trail trail;

		if (sys_vcpu_trail(vm->vcpus[i].sys, &trail) == 0 &&
		    trail.kick_wait > vm->machine->stuck_kick_ms * NS_PER_MS)
			watch_stuck(vm, i, trail.kick_wait);
	}
}

static void watch_ready(struct loop_source *source)
{
	struct vm *vm = (struct vm *)((char *)source - offsetof(struct vm, watch));

	loop_timer_ack(source);
	if (!vm->is_stuck && vm->machine->stuck_kick_ms) {
		look(vm);
	} else if (vm->is_stuck && ++vm->stuck_ticks == LAST_TICKS) {
		log_error("a vCPU can't be stopped: the process ends without it");
		terminal_restore();
		_exit(STATUS_RUN);
	}
	loop_timer_set(source, PERIOD_NS);
}

int watch_begin(struct vm *vm)
{
	int error = loop_timer_init(&vm->watch, watch_ready);

	if (error)
		log_error("can't watch the vCPUs: %s", strerror(-error));
	else
		loop_timer_set(&vm->watch, PERIOD_NS);
	return error;
}

void watch_end(struct vm *vm)
{
	loop_timer_fini(&vm->watch);
}
