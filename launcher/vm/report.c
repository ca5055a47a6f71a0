// SPDX-License-Identifier: GPL-2.0-only
#include "vm/report.h"

#include "machine/machine.h"
#include "util/log.h"
#include "vm/arm64.h"
#include "vm/sys.h"
#include "vm/vcpu.h"
#include "vm/vm.h"
#include "vm/x86.h"

#define UNCLAIMED_SAID	10

void report_trail(const struct vm *vm, size_t index)
{
	struct qvm_vcpu_trail trail;

	if (sys_vcpu_trail(vm->vcpus[index].sys, &trail))
		return;
	for (uint32_t i = 0; i < trail.count; i++) {
		const struct qvm_exit_record *exit = &trail.exit[i];

		log_error("vCPU %zu: exit -%u: pc %#llx, reason %#x (code %u), syndrome %#llx, gva %#llx, gpa %#llx",
			  index, trail.count - i, (unsigned long long)exit->pc, exit->reason, exit->code,
			  (unsigned long long)exit->syndrome, (unsigned long long)exit->gva,
			  (unsigned long long)exit->gpa);
	}
}

void report_vcpus(const struct vm *vm)
{
	for (size_t i = 0; i < vm->machine->cpu_count; i++) {
		struct qvm_vcpu_trail trail;

		if (sys_vcpu_trail(vm->vcpus[i].sys, &trail) || !trail.is_on)
			continue;
		if (vm->machine->arch == MACHINE_X86)
			x86_say_registers(vm->vcpus[i].sys, (unsigned int)i);
		else
			arm64_say_registers(vm->vcpus[i].sys, (unsigned int)i);
		report_trail(vm, i);
	}
}

void report_unclaimed(const struct vm *vm)
{
	struct qvm_unclaimed unclaimed;

	if (sys_vm_unclaimed(vm->sys_vm, &unclaimed) || !unclaimed.total)
		return;
	log_info("%llu accesses to what nobody has; the most touched, and who began:",
		 (unsigned long long)unclaimed.total);
	for (uint32_t i = 0; i < unclaimed.count && i < UNCLAIMED_SAID; i++) {
		const struct qvm_unclaimed_row *row = &unclaimed.row[i];

		log_info("%s0x%llx:%s%s%s %llu times, first by vCPU %u at pc %#llx",
			 row->flags & QVM_UNCLAIMED_PORT ? "port " : "", (unsigned long long)row->gpa,
			 row->flags & QVM_UNCLAIMED_READ ? " read" : "",
			 row->flags & QVM_UNCLAIMED_WRITE ? " write" : "",
			 row->flags & QVM_UNCLAIMED_FETCH ? " fetch" : "", (unsigned long long)row->count,
			 row->vcpu, (unsigned long long)row->pc);
	}
}
