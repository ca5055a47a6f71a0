// SPDX-License-Identifier: GPL-2.0-only
#include "vm/exit.h"

#include <endian.h>
#include <string.h>

#include "machine/machine.h"
#include "util/log.h"
#include "vm/post.h"
#include "vm/sys.h"
#include "vm/vcpu.h"
#include "vm/vm.h"

typedef enum exit_action (*exit_handler)(struct vcpu *vcpu, struct qvm_run *run);

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static __attribute__((__cold__, __noinline__)) enum exit_action exit_unexpected(struct vcpu *vcpu, struct qvm_run *run)
{
	if (vm_settle(vcpu->vm, STATUS_UNEXPECTED))
		log_error("vCPU %u left the guest for a reason that this launcher doesn't know: %u",
			  vcpu->index, run->exit_reason);
	vm_stop(vcpu->vm, STATUS_UNEXPECTED);
	return EXIT_LEAVE;
}

/* Posted writes have been taken by now. */
static enum exit_action exit_intr(struct vcpu *vcpu, struct qvm_run *run)
{
	(void)vcpu;
	(void)run;
	return EXIT_RESUME;
}

/* The run page holds bytes in the guest's order, a device takes a value: little-endian. */
static uint64_t value_of(const uint8_t *data, unsigned int len)
{
	uint64_t value;

	memcpy(&value, data, sizeof(value));	/* all that the page has of it */
	return le64toh(value) & UINT64_MAX >> (64 - 8 * len);
}

static void value_put(uint8_t *data, uint64_t value)
{
	value = htole64(value);
	memcpy(data, &value, sizeof(value));	/* of which the module takes as many bytes as it asked for */
}

/* What other vCPUs have posted to this device comes before. */
static inline void settle_posted(struct vm *vm, const struct qvm_run *run, bool port)
{
	if (vm->posts && vm->machine->cpu_count > 1 &&
	    bus_posts(&vm->bus, run->mmio.gpa, port, run->mmio.len))
		post_take_all(vm);
}

static bool mmio_read(const struct bus *bus, struct qvm_run *run, unsigned int len)
{
	uint64_t value = 0;
	bool claimed = bus_read(bus, run->mmio.gpa, len, &value);

	value_put(run->mmio.data, value);
	return claimed;
}

static enum exit_action exit_mmio(struct vcpu *vcpu, struct qvm_run *run)
{
	const struct bus *bus = &vcpu->vm->bus;
	unsigned int len = run->mmio.len;
	bool claimed;

	if (len == 0 || len > sizeof(run->mmio.data))
		return exit_unexpected(vcpu, run);
	settle_posted(vcpu->vm, run, false);
	if (run->mmio.is_write)
		claimed = bus_write(bus, run->mmio.gpa, len, value_of(run->mmio.data, len));
	else
		claimed = mmio_read(bus, run, len);
	run->mmio.unclaimed = !claimed;
	return EXIT_RESUME;
}

/* As on a PC: where nothing is, all ones are read, and nothing is amiss. */
static bool port_read(const struct bus *bus, struct qvm_run *run, unsigned int len)
{
	uint64_t value = UINT64_MAX;
	bool claimed = bus_port_read(bus, run->mmio.gpa, len, &value);

	value_put(run->mmio.data, value);
	return claimed;
}

static enum exit_action exit_pio(struct vcpu *vcpu, struct qvm_run *run)
{
	const struct bus *bus = &vcpu->vm->bus;
	unsigned int len = run->mmio.len;
	bool claimed;

	if (len == 0 || len > 4)
		return exit_unexpected(vcpu, run);
	settle_posted(vcpu->vm, run, true);
	if (run->mmio.is_write)
		claimed = bus_port_write(bus, run->mmio.gpa, len, value_of(run->mmio.data, len));
	else
		claimed = port_read(bus, run, len);
	run->mmio.unclaimed = !claimed;		/* counted; the module has all ones for it too */
	return EXIT_RESUME;
}

/* The VM ended in order; every vCPU thread gets here with the same event. */
static enum exit_action exit_system(struct vcpu *vcpu, struct qvm_run *run)
{
	switch (run->system.event) {
	case QVM_SYSTEM_RESET:
		/* What an x86 machine is asked to do by its devices comes another way. */
		if (vm_settle_power(vcpu->vm, true) && vcpu->vm->machine->arch == MACHINE_X86)
			log_info("triple fault of vCPU %u: reset", run->system.vcpu);
		return EXIT_LEAVE;
	case QVM_SYSTEM_OFF:
		vm_settle_power(vcpu->vm, false);
		return EXIT_LEAVE;
	case QVM_SYSTEM_STOPPED:
		vm_settle(vcpu->vm, STATUS_POWER_CUT);
		return EXIT_LEAVE;
	default:
		return exit_unexpected(vcpu, run);
	}
}

static const char *const fatal_causes[] = {
	[0]			= "unknown cause",
	[QVM_FATAL_ENTRY]	= "the hardware refused to enter the guest",
	[QVM_FATAL_EXIT]	= "an exit that the module doesn't know",
	[QVM_FATAL_SERROR]	= "an asynchronous external abort of the hardware",
	[QVM_FATAL_POLICY]	= "an access that nobody claims, and the policy is abort",
	[QVM_FATAL_STATE]	= "the guest is in a state that the VM can't offer",
	[QVM_FATAL_MEMORY]	= "guest memory can't be reached",
	[QVM_FATAL_STUCK]	= "a vCPU is stuck: it leaves the guest again and again, and nothing changes",
};

static enum exit_action exit_fatal(struct vcpu *vcpu, struct qvm_run *run)
{
	uint32_t cause = run->fatal.cause;

	if (!vm_settle(vcpu->vm, cause == QVM_FATAL_POLICY ? STATUS_POLICY : STATUS_RUN))
		return EXIT_LEAVE;
	log_error("the VM was stopped in a safe state: %s (%u)",
		  fatal_causes[cause < COUNT(fatal_causes) ? cause : 0], cause);
	log_error("vCPU %u: pc %#llx, syndrome %#llx, gva %#llx, gpa %#llx", run->fatal.vcpu,
		  (unsigned long long)run->fatal.pc, (unsigned long long)run->fatal.syndrome,
		  (unsigned long long)run->fatal.gva, (unsigned long long)run->fatal.gpa);
	return EXIT_LEAVE;
}

/* Every slot is filled: what this version doesn't expect is an error, never silence. */
static const exit_handler handlers[] = {
	[QVM_EXIT_NONE]		= exit_unexpected,
	[QVM_EXIT_INTR]		= exit_intr,
	[QVM_EXIT_MMIO]		= exit_mmio,
	[QVM_EXIT_SYSTEM]	= exit_system,
	[QVM_EXIT_FATAL]	= exit_fatal,
	[QVM_EXIT_PIO]		= exit_pio,
	[QVM_EXIT_DEBUG]	= exit_unexpected,
	[QVM_EXIT_POSTED]	= exit_intr,
};

_Static_assert(COUNT(handlers) == QVM_EXIT_POSTED + 1, "a handler for every exit reason");

enum exit_action exit_handle(struct vcpu *vcpu, struct qvm_run *run)
{
	uint32_t reason = run->exit_reason;

	return reason < COUNT(handlers) ? handlers[reason](vcpu, run) : exit_unexpected(vcpu, run);
}
