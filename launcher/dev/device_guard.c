// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose code runs, so that what a device breaks has its name, and what becomes of the VM then.
 *
 * A thread that broke is never resumed, and a signal handler may do next to nothing. So the thread
 * hands over to another one that has waited for this, the undertaker: it ends the VM as any error
 * does (log, registers, dump, env.json), and then the process. But what the dead thread has locked
 * stays locked: if the undertaker gets stuck in that, the dead one, which waits, ends the process.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/device_host.h"
#include "dev/terminal.h"
#include "util/status.h"

#define PATIENCE_S	10		/* of the dead thread */
#define STACK_SIZE	32768		/* of a handler, where the thread's own may be used up */

static const struct {
	int number;
	const char *what;
} faults[] = {
	{ SIGSEGV, "the device crashed (SIGSEGV)" },
	{ SIGBUS,  "the device crashed (SIGBUS)" },
	{ SIGFPE,  "the device crashed (SIGFPE)" },
	{ SIGILL,  "the device crashed (SIGILL)" },
	{ SIGABRT, "the device aborted" },
};

#define FAULT_COUNT	(sizeof(faults) / sizeof(faults[0]))

static struct {
	struct device_wreck wreck;	/* of the first thread that broke */
	atomic_bool is_filled;
	atomic_bool is_settled;		/* the undertaker will come to an end */
	sem_t filled;			/* or guard.stop */
	bool has_undertaker, stop;
	void (*bury)(void *arg, const struct device_wreck *wreck);
	void *arg;
	pthread_t undertaker;
	struct sigaction before[FAULT_COUNT];
} guard;

static _Thread_local bool is_undertaker;
static _Thread_local char stack[STACK_SIZE];

/* ---- in the thread that broke: async-signal-safe ---- */

static void say(const char *text)
{
	ssize_t size = write(STDERR_FILENO, text, strlen(text));

	(void)size;
}

static void end_process(const struct device_wreck *wreck)
{
	terminal_restore();
	say("qvm: error: ");
	say(wreck->device);
	say(": ");
	say(wreck->what);
	say(": that is the end of the VM\n");
	_exit(wreck->status);
}

/* Does not return. */
static void hand_over(const char *device, const char *what, int status)
{
	const struct device_wreck wreck = { device, what, status };

	if (is_undertaker)
		end_process(&guard.wreck);
	if (!guard.has_undertaker)
		end_process(&wreck);
	if (!atomic_exchange(&guard.is_filled, true)) {
		guard.wreck = wreck;
		sem_post(&guard.filled);
		for (int s = 0; s < PATIENCE_S || atomic_load(&guard.is_settled); s++)
			sleep(1);
		end_process(&guard.wreck);
	}
	for (;;)
		pause();
}

/* Of the host, whoever touched it; the launcher itself has no other reason for a SIGBUS. */
static bool is_failed_memory(const siginfo_t *info, const struct device *dev)
{
	return info->si_signo == SIGBUS &&
	       (!dev || info->si_code == BUS_MCEERR_AR || info->si_code == BUS_MCEERR_AO);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	const struct device *dev = device_current();
	size_t i = 0;

	(void)context;
	while (i < FAULT_COUNT - 1 && faults[i].number != number)
		i++;
	if (is_failed_memory(info, dev))
		hand_over(dev ? dev->name : "memory", "the host's memory has failed", STATUS_RUN);
	if (dev || is_undertaker)
		hand_over(dev ? dev->name : "", faults[i].what, STATUS_DEVICE);
	/* the launcher's own: as if nobody had been asked */
	terminal_restore();
	sigaction(number, &guard.before[i], NULL);
	raise(number);
}

/* A library that a device uses thinks that the process is its own. */
static void on_exit_called(void)
{
	if (device_current())
		hand_over(device_current()->name, "the device called exit()", STATUS_DEVICE);
}

/* ---- the undertaker ---- */

static void *undertaker_main(void *arg)
{
	(void)arg;
	is_undertaker = true;
	device_guard_thread();
	while (sem_wait(&guard.filled) && errno == EINTR)
		;
	if (!guard.stop) {
		guard.bury(guard.arg, &guard.wreck);
		_exit(guard.wreck.status);
	}
	return NULL;
}

void device_guard_settled(void)
{
	atomic_store(&guard.is_settled, true);
}

static int undertaker_start(void)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&guard.undertaker, NULL, undertaker_main, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

/* ---- life ---- */

void device_guard_thread(void)
{
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	sigset_t set;

	sigaltstack(&alternative, NULL);
	sigemptyset(&set);
	for (size_t i = 0; i < FAULT_COUNT; i++)
		sigaddset(&set, faults[i].number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void device_guard_init(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	/* one at a time: the handler stays in it */
	sigfillset(&action.sa_mask);
	device_guard_thread();
	for (size_t i = 0; i < FAULT_COUNT; i++)
		sigaction(faults[i].number, &action, &guard.before[i]);
	atexit(on_exit_called);
}

int device_guard_begin(void (*bury)(void *arg, const struct device_wreck *wreck), void *arg)
{
	int error;

	guard.bury = bury;
	guard.arg = arg;
	guard.stop = false;
	sem_init(&guard.filled, 0, 0);
	error = undertaker_start();
	if (error)
		sem_destroy(&guard.filled);
	guard.has_undertaker = !error;
	return error;
}

void device_guard_hold(void)
{
	while (atomic_load(&guard.is_filled))
		pause();
}

void device_guard_end(void)
{
	device_guard_hold();
	if (!guard.has_undertaker)
		return;
	guard.has_undertaker = false;
	guard.stop = true;
	sem_post(&guard.filled);
	pthread_join(guard.undertaker, NULL);
	sem_destroy(&guard.filled);
}
