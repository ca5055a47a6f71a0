// SPDX-License-Identifier: GPL-2.0-only
#include "vm/post.h"

#include <pthread.h>

#include "dev/bus.h"
#include "machine/machine.h"
#include "vm/sys.h"
#include "vm/vcpu.h"
#include "vm/vm.h"

/* One that no device takes (its width is wrong, say) is lost, as on a bus that posts. */
static void take_one(const struct bus *bus, const struct qvm_posted_write *write)
{
	if (write->is_port)
		bus_port_write(bus, write->addr, write->len, write->data);
	else
		bus_write(bus, write->addr, write->len, write->data);
}

void post_take(struct vcpu *vcpu)
{
	struct qvm_posted *ring = &sys_vcpu_run_page(vcpu->sys)->posted;

	pthread_mutex_lock(&vcpu->post_lock);
	for (uint32_t tail = ring->tail; tail != __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE); tail++) {
		take_one(&vcpu->vm->bus, &ring->write[tail % QVM_POSTED_WRITES]);
		__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&vcpu->post_lock);
}

/* Also where the ring is empty: who does the last of them may be on it still. */
void post_take_all(struct vm *vm)
{
	for (size_t i = 0; i < vm->machine->cpu_count; i++)
		post_take(&vm->vcpus[i]);
}
