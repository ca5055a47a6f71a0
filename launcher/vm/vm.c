// SPDX-License-Identifier: GPL-2.0-only
#include "vm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot/boot.h"
#include "control/console.h"
#include "control/detach.h"
#include "control/runtime.h"
#include "control/server.h"
#include "dev/chardev.h"
#include "dev/terminal.h"
#include "machine/board.h"
#include "machine/machine.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/notify.h"
#include "vm/arm64.h"
#include "vm/mem.h"
#include "vm/pause.h"
#include "vm/report.h"
#include "vm/signals.h"
#include "vm/sys.h"
#include "vm/vcpu.h"
#include "vm/watch.h"
#include "vm/x86.h"

#define IPA_BITS_DEFAULT	40	/* what 0 means to QVM_CREATE_VM */

/* ---- end ---- */

bool vm_settle(struct vm *vm, enum status status)
{
	int runs = VM_RUNS;

	return __atomic_compare_exchange_n(&vm->status, &runs, (int)status, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

bool vm_settle_power(struct vm *vm, bool reset)
{
	bool first = vm_settle(vm, reset ? (enum status)vm->machine->reset_status : STATUS_OK);

	if (first)
		vm->event = reset ? VM_EVENT_RESET : VM_EVENT_OFF;
	return first;
}

const char *vm_state_text(const struct vm *vm)
{
	static const char *const texts[] = { "building", "assembled", "started", "ended" };

	return texts[vm->state];
}

const char *vm_end_text(const struct vm *vm)
{
	static const char *const texts[] = { NULL, "off", "reset" };

	return vm->event ? texts[vm->event] : status_text(__atomic_load_n(&vm->status, __ATOMIC_SEQ_CST));
}

static void vm_end(struct vm *vm)
{
	sys_vm_end(vm->sys_vm);
	/* Beside the module's own way: a thread may be in the launcher, waiting for the host. */
	__atomic_store_n(&vm->leaving, true, __ATOMIC_SEQ_CST);
	vcpus_kick(vm);
}

void vm_stop(struct vm *vm, enum status status)
{
	vm_settle(vm, status);
	chardev_abandon();
	vm_end(vm);
}

void vm_power_event(struct vm *vm, bool reset)
{
	if (vm_settle_power(vm, reset))
		log_debug("the guest %s", reset ? "asked for a reset" : "switched the machine off");
	vm_end(vm);
}

void vm_guest_exit(struct vm *vm, int status)
{
	vm_settle(vm, (enum status)status);
	vm_end(vm);
}

void vm_device_error(struct vm *vm, const char *device, const char *what)
{
	if (vm_settle(vm, STATUS_DEVICE))
		log_error("%s: %s: the VM was stopped in a safe state", device, what);
	vm_stop(vm, STATUS_DEVICE);
}

bool vm_press_power_button(struct vm *vm)
{
	bool before = vm->button_pressed;

	vm->button_pressed = true;
	return !before && bus_button(&vm->bus);
}

void vm_started(struct vm *vm)
{
	bus_state(&vm->bus, DEVICE_VM_STARTED);
	vm->state = VM_STATE_STARTED;
	runtime_write_env(vm);
	notify("READY=1\nSTATUS=the guest runs");
	detach_end(vm);
}

void vm_set_irq(struct vm *vm, uint32_t line, bool level)
{
	/* The one failure that a valid board leaves is that the VM has ended: nobody listens. */
	sys_set_irq(vm->sys_vm, line, level);
}

int vm_add_doorbell(struct vm *vm, uint64_t addr, bool port, int eventfd)
{
	const struct qvm_doorbell doorbell = {
		.addr = addr, .eventfd = eventfd, .flags = port ? QVM_DOORBELL_F_PORT : 0,
	};

	return sys_set_doorbell(vm->sys_vm, &doorbell);
}

static bool is_failure(int status)
{
	return status == STATUS_POLICY || status == STATUS_DEVICE || status == STATUS_UNEXPECTED ||
	       status == STATUS_RUN;
}

/* No vCPU runs any more, and all of the VM is still there. */
static void report_end(struct vm *vm)
{
	int status = __atomic_load_n(&vm->status, __ATOMIC_SEQ_CST);

	vm->state = VM_STATE_ENDED;
	notify("STOPPING=1");
	if (is_failure(status)) {
		report_vcpus(vm);
		if (vm->machine->dump)
			vm_dump(vm, status_text(status));
	}
	report_unclaimed(vm);
	runtime_write_env(vm);
}

static void vm_ended(struct vm *vm)
{
	if (vm->state < VM_STATE_ASSEMBLED)
		return;
	bus_state(&vm->bus, DEVICE_VM_ENDED);
	report_end(vm);
}

/*
 * What a device broke: all that the end of a VM has but what calls devices or waits for threads. No
 * other thread takes the VM to its end meanwhile (device_guard_hold()).
 */
static void vm_bury(void *arg, const struct device_wreck *wreck)
{
	struct vm *vm = arg;
	int error;

	log_error("%s: %s: the VM was stopped in a safe state", wreck->device, wreck->what);
	__atomic_store_n(&vm->status, wreck->status, __ATOMIC_SEQ_CST);
	vm->event = VM_EVENT_NONE;
	chardev_abandon();
	vm_end(vm);
	/* vCPUs that wait for the broken device do so outside the guest: that will do. */
	error = vm_pause(vm);
	vm_resume(vm);
	device_guard_settled();
	if (!error && vm->state >= VM_STATE_ASSEMBLED)
		report_end(vm);
	if (vm->has_folder)
		runtime_close(vm);
	terminal_restore();
}

/* ---- build: each step prints its error ---- */

static int open_system(struct vm *vm)
{
	int error = sys_open(&vm->sys);

	if (error == -ENOENT || error == -ENXIO || error == -ENODEV)
		log_error("%s is missing; %s", sys_path, sys_remedy);
	else if (error == -EACCES || error == -EPERM)
		log_error("%s: %s: run as root, or let your group open it", sys_path, strerror(-error));
	else if (error)
		log_error("%s: %s", sys_path, strerror(-error));
	return error;
}

/* Address bits that this machine's memory needs. */
static uint32_t ipa_bits(const struct machine *machine)
{
	uint64_t end = mem_end(machine);
	uint32_t bits = IPA_BITS_DEFAULT;

	while (bits < 64 && end > 1ull << bits)
		bits++;
	return bits;
}

static int check_query(const struct vm *vm, const struct qvm_query *query)
{
	const struct machine *machine = vm->machine;

	if (query->api_version != QVM_API_VERSION) {
		log_error("the module speaks version %u of the interface, this launcher %u: build and load both from one tree",
			  query->api_version, QVM_API_VERSION);
		return -EPROTO;
	}
	if (query->arch != (uint32_t)machine->arch) {
		log_error("the config is for %s, and this host runs %s VMs: choose another config",
			  machine->board->name,
			  query->arch == QVM_ARCH_X86 ? "x86" : "arm64");
		return -ENOEXEC;
	}
	if (machine->cpu_count > query->max_vcpus) {
		log_error("cpus: %zu, and this host offers %u vCPUs", machine->cpu_count,
			  query->max_vcpus);
		return -EINVAL;
	}
	/* Below 40 bits the module's default is the host's own width. */
	if (mem_end(machine) > 1ull << (query->ipa_bits < 63 ? query->ipa_bits : 63)) {
		log_error("memory ends at %#llx, and a VM on this host has %u address bits",
			  (unsigned long long)mem_end(machine), query->ipa_bits);
		return -ERANGE;
	}
	return 0;
}

static int create_vm(struct vm *vm)
{
	struct qvm_create_vm create = { .max_vcpus = (uint32_t)vm->machine->cpu_count };
	struct qvm_query query;
	int error = sys_query(vm->sys, &query);

	if (!error)
		error = check_query(vm, &query);
	else
		log_error("%s: query: %s", sys_path, strerror(-error));
	if (error)
		return error;
	create.ipa_bits = ipa_bits(vm->machine) > IPA_BITS_DEFAULT ? ipa_bits(vm->machine) : 0;
	snprintf(create.name, sizeof(create.name), "%s", vm->machine->name);
	error = sys_create_vm(vm->sys, &create, &vm->sys_vm);
	if (error == -EEXIST)
		log_error("a VM with the name %s runs already: choose another one (--set system=NAME)",
			  create.name);
	else if (error)
		log_error("can't create the VM %s: %s", create.name, strerror(-error));
	return error;
}

static int create_memory(struct vm *vm)
{
	return mem_create(vm->machine);
}

static int load_images(struct vm *vm)
{
	return boot_load(vm->machine) ? -EIO : 0;
}

static int map_memory(struct vm *vm)
{
	return mem_map(vm->machine, vm->sys_vm);
}

static int create_vdevs(struct vm *vm)
{
	if (vm->machine->arch == MACHINE_X86)
		return x86_create_vdevs(vm->machine, vm->sys_vm);
	return arm64_create_vdevs(vm->machine, vm->sys_vm);
}

static int set_entry(struct vm *vm)
{
	if (vm->machine->arch == MACHINE_X86)
		return x86_set_entry(vm->machine, vm->vcpus[0].sys);
	return arm64_set_entry(vm->machine, vm->vcpus[0].sys);
}

static int set_policy(struct vm *vm)
{
	static const uint32_t policies[] = {
		[POLICY_DEFAULT] = QVM_POLICY_DEFAULT,
		[POLICY_FAIL] = QVM_POLICY_FAIL,
		[POLICY_IGNORE] = QVM_POLICY_IGNORE,
		[POLICY_ABORT] = QVM_POLICY_ABORT,
	};
	const struct qvm_vm_policy policy = {
		.instruction = policies[vm->machine->policy_instruction],
		.reference = policies[vm->machine->policy_reference],
		.sysreg = policies[vm->machine->policy_register],
		.equal_exits = vm->machine->stuck_exits,
		.poll_ns = vm->machine->poll_us * 1000,
	};
	int error = sys_set_policy(vm->sys_vm, &policy);

	if (error)
		log_error("unsupported: the module refuses these policies: %s", strerror(-error));
	return error;
}

static int assemble(struct vm *vm)
{
	int error = sys_assemble(vm->sys_vm);

	if (error)
		log_error("can't assemble the VM: %s", strerror(-error));
	return error;
}

static int create_devices(struct vm *vm)
{
	int error = device_guard_begin(vm_bury, vm);

	if (error) {
		log_error("no thread that looks after devices: %s", strerror(-error));
		return error;
	}
	error = bus_create(&vm->bus, vm, vm->machine);
	if (error)
		return error;
	vm->state = VM_STATE_ASSEMBLED;
	bus_state(&vm->bus, DEVICE_VM_ASSEMBLED);
	runtime_write_env(vm);
	return 0;
}

/* Who can't be asked runs nevertheless. */
static int open_control(struct vm *vm)
{
	int error = runtime_open(vm->machine->name);

	vm->has_folder = !error;
	if (!error)
		error = server_open(vm);
	if (error)
		log_warn("%s can't be asked by `qvm status` and the like: %s", vm->machine->name,
			 strerror(-error));
	return console_open();
}

/* In this order; vm_destroy() takes back what was done, wherever it ended. */
static int (*const steps[])(struct vm *vm) = {
	signals_init,
	open_system,
	create_vm,
	open_control,	/* the name is ours now */
	create_memory,
	load_images,	/* first touch, so huge pages where the host has them; then pinned */
	map_memory,
	create_vdevs,
	vcpus_create,
	set_entry,
	set_policy,
	assemble,
	create_devices,	/* late: it changes the terminal */
	watch_begin,
	vcpus_start,
};

static void vm_destroy(struct vm *vm)
{
	device_guard_hold();
	vcpus_join(vm);
	watch_end(vm);
	vm_ended(vm);
	bus_destroy(&vm->bus);
	device_guard_end();
	terminal_restore();
	vcpus_destroy(vm);
	server_close();
	console_close();
	if (vm->has_folder)
		runtime_close(vm);
	sys_destroy_vm(vm->sys_vm);
	sys_close(vm->sys);
	mem_destroy(vm->machine);
	signals_fini();
}

int vm_run(struct machine *machine, bool *restart)
{
	struct vm vm = {
		.machine = machine, .status = VM_RUNS, .pause_lock = PTHREAD_MUTEX_INITIALIZER,
		.watch = { .fd = -1 },
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(steps) / sizeof(steps[0]); i++)
		error = steps[i](&vm);
	if (error) {
		vm_settle(&vm, STATUS_START);
	} else {
		error = loop_run();
		if (error) {
			log_error("can't wait for events: %s", strerror(-error));
			vm_stop(&vm, STATUS_UNEXPECTED);
		}
	}
	vm_destroy(&vm);
	*restart = vm.event == VM_EVENT_RESET && machine->reset_restart;
	return __atomic_load_n(&vm.status, __ATOMIC_SEQ_CST);
}
