// SPDX-License-Identifier: GPL-2.0-only
#include "vm/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dev/terminal.h"
#include "machine/machine.h"
#include "util/log.h"
#include "util/loop.h"
#include "vm/report.h"
#include "vm/sys.h"
#include "vm/vcpu.h"
#include "vm/vm.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static struct vm *signals_vm;
static sigset_t mask_before;
static void signal_ready(struct loop_source *source);
static struct loop_source source = { .fd = -1, .ready = signal_ready };

/* Whoever asks twice means it: the process goes, even if a thread is stuck in the host. */
static void on_power_cut(struct vm *vm, const char *name)
{
	if (__atomic_load_n(&vm->leaving, __ATOMIC_SEQ_CST)) {
		terminal_restore();
		_exit(STATUS_POWER_CUT);
	}
	log_info("%s: power cut", name);
	vm_stop(vm, STATUS_POWER_CUT);
}

/*
 * The power button, where the board has one and the guest listens: x86 with acpi-pm. On arm64
 * there is none that guests agree on. Else, and when it is pressed again, the power is cut.
 */
static void on_power_button(struct vm *vm, const char *name)
{
	if (vm_press_power_button(vm))
		log_info("%s: power button; the same again cuts the power", name);
	else
		on_power_cut(vm, name);
}

void vm_say_status(struct vm *vm)
{
	static const char *const states[] = {
		[QVM_VM_BUILDING] = "building", [QVM_VM_ASSEMBLED] = "assembled",
		[QVM_VM_RUNNING] = "running", [QVM_VM_ENDED] = "ended",
	};
	struct qvm_vm_info info;

	log_info("%s: %s", vm->machine->name, vm_state_text(vm));
	if (sys_vm_info(vm->sys_vm, &info) == 0)
		log_info("VM %u: %s, vCPUs %u, regions %u, pinned %llu MiB, table pages %llu",
			 info.id, info.state < COUNT(states) ? states[info.state] : "?",
			 info.vcpu_count, info.region_count,
			 (unsigned long long)info.pinned >> 20,
			 (unsigned long long)info.table_pages);
	vcpus_status(vm);
	bus_status(&vm->bus);
	report_unclaimed(vm);
}

static void on_status(struct vm *vm, const char *name)
{
	(void)name;
	vm_say_status(vm);
}

static void on_dump(struct vm *vm, const char *name)
{
	vm_dump(vm, name);
}

static const struct {
	int number;
	const char *name;
	void (*act)(struct vm *vm, const char *name);
} signals[] = {
	{ SIGTERM, "SIGTERM", on_power_button },
	{ SIGINT,  "SIGINT",  on_power_button },
	{ SIGHUP,  "SIGHUP",  on_power_cut },
	{ SIGQUIT, "SIGQUIT", on_power_cut },
	{ SIGUSR1, "SIGUSR1", on_status },
	{ SIGUSR2, "SIGUSR2", on_dump },
};

static void signal_ready(struct loop_source *ready)
{
	struct signalfd_siginfo info;

	if (read(ready->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	for (size_t i = 0; i < COUNT(signals); i++) {
		if (signals[i].number == (int)info.ssi_signo)
			signals[i].act(signals_vm, signals[i].name);
	}
}

/* Started by nohup(1): then the end of the terminal isn't the end of the VM. */
static bool is_nohup(int number)
{
	struct sigaction action;

	return number == SIGHUP && sigaction(number, NULL, &action) == 0 &&
	       action.sa_handler == SIG_IGN;
}

int signals_init(struct vm *vm)
{
	int error = loop_init();
	sigset_t set;

	if (error)
		goto fail;
	signals_vm = vm;
	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(signals); i++) {
		if (!is_nohup(signals[i].number))
			sigaddset(&set, signals[i].number);
	}
	sigaddset(&set, SIGPIPE);	/* a reader that left is an error of write() */
	source.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	error = source.fd < 0 ? -errno : loop_add(&source);
	if (error)
		goto fail;
	loop_enable(&source, true);
	sigaddset(&set, sys_kick_signal());
	pthread_sigmask(SIG_BLOCK, &set, &mask_before);
	return 0;
fail:
	log_error("can't wait for signals: %s", strerror(-error));
	return error;
}

void signals_fini(void)
{
	struct signalfd_siginfo late;

	if (source.fd < 0) {
		loop_fini();
		return;
	}
	/* What came too late must not take its default action now: the exit status is settled. */
	while (read(source.fd, &late, sizeof(late)) > 0)
		;
	loop_remove(&source);
	close(source.fd);
	source.fd = -1;
	loop_fini();
	pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}
