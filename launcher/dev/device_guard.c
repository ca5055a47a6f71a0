// SPDX-License-Identifier: GPL-2.0-only
/* Whose code runs: so that what a device breaks has its name. */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/device_host.h"
#include "dev/terminal.h"
#include "util/status.h"

static bool guarded;

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

#define FAULT_COUNT	(sizeof(faults) / sizeof(faults[0]))

static struct sigaction before[FAULT_COUNT];

/* Async-signal-safe. */
static void say(const char *text)
{
	ssize_t size = write(STDERR_FILENO, text, strlen(text));

	(void)size;
}

/* The process is past help; what the module holds of the VM goes with it. */
static void end_process(const char *what)
{
	terminal_restore();
	say("qvm: error: ");
	say(device_current()->name);
	say(what);
	say(": the VM is gone\n");
	_exit(STATUS_DEVICE);
}

static const char *fault_name(int number)
{
	switch (number) {
	case SIGSEGV:
		return ": the device crashed (SIGSEGV)";
	case SIGBUS:
		return ": the device crashed (SIGBUS)";
	case SIGFPE:
		return ": the device crashed (SIGFPE)";
	case SIGILL:
		return ": the device crashed (SIGILL)";
	default:
		return ": the device aborted";
	}
}

static void on_fault(int number)
{
	if (device_current())
		end_process(fault_name(number));
	for (size_t i = 0; i < FAULT_COUNT; i++)
		if (faults[i] == number)
			sigaction(number, &before[i], NULL);
	raise(number);		/* the launcher's own: as if nobody had been asked */
}

/* A library that a device uses thinks that the process is its own. */
static void on_exit_called(void)
{
	if (guarded && device_current())
		end_process(": the device called exit()");
}

void device_guard_init(void)
{
	struct sigaction action = { .sa_handler = on_fault };
	static bool registered;

	if (!registered && !atexit(on_exit_called))
		registered = true;
	for (size_t i = 0; i < FAULT_COUNT; i++)
		sigaction(faults[i], &action, &before[i]);
	guarded = true;
}

void device_guard_fini(void)
{
	if (!guarded)
		return;
	guarded = false;
	for (size_t i = 0; i < FAULT_COUNT; i++)
		sigaction(faults[i], &before[i], NULL);
}
