// SPDX-License-Identifier: GPL-2.0-only
/* Timers and threads of devices. */
#define _GNU_SOURCE	/* pthread_setname_np */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "dev/device_host.h"
#include "machine/machine.h"
#include "util/loop.h"
#include "vm/vm.h"

/* ---- timers ---- */

struct device_timer {
	struct loop_source source;	/* first */
	struct device *dev;
	void (*expired)(struct device *dev, void *arg);
	void *arg;
};

static void timer_ready(struct loop_source *source)
{
	struct device_timer *timer = (struct device_timer *)source;
	const struct device *before = device_enter(timer->dev);

	loop_timer_ack(source);
	timer->expired(timer->dev, timer->arg);
	device_enter(before);
}

int device_timer_create(struct device *dev, void (*expired)(struct device *dev, void *arg),
			void *arg, struct device_timer **out)
{
	struct device_timer *timer = calloc(1, sizeof(*timer));
	int error;

	*out = NULL;
	if (!timer)
		return -ENOMEM;
	timer->dev = dev;
	timer->expired = expired;
	timer->arg = arg;
	error = loop_timer_init(&timer->source, timer_ready);
	if (error)
		free(timer);
	else
		*out = timer;
	return error;
}

void device_timer_set(struct device_timer *timer, uint64_t ns)
{
	loop_timer_set(&timer->source, ns);
}

void device_timer_destroy(struct device_timer *timer)
{
	if (!timer)
		return;
	loop_timer_fini(&timer->source);
	free(timer);
}

/* ---- threads ---- */

struct device_thread {
	struct device *dev;
	void (*body)(struct device_thread *thread, void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;		/* below */
	pthread_cond_t woken;
	bool wake, stop;
};

/* pthread_setname_np() takes 15 characters; names of VM and device share them. */
static void thread_set_name(const struct device_thread *thread)
{
	const struct vm *vm = device_host(thread->dev)->vm;
	char name[16];

	snprintf(name, sizeof(name), "%.7s-%.7s", vm ? vm->machine->name : "qvm", thread->dev->name);
	pthread_setname_np(pthread_self(), name);
}

static void *thread_main(void *arg)
{
	struct device_thread *thread = arg;

	thread_set_name(thread);
	device_guard_thread();
	device_enter(thread->dev);
	thread->body(thread, thread->arg);
	device_enter(NULL);
	return NULL;
}

int device_thread_create(struct device *dev, void (*body)(struct device_thread *thread, void *arg),
			 void *arg, struct device_thread **out)
{
	struct device_thread *thread = calloc(1, sizeof(*thread));
	sigset_t all, before;
	int error;

	*out = NULL;
	if (!thread)
		return -ENOMEM;
	*thread = (struct device_thread){ .dev = dev, .body = body, .arg = arg };
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->woken, NULL);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread->thread, NULL, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		free(thread);
	else
		*out = thread;
	return -error;
}

bool device_thread_wait(struct device_thread *thread)
{
	bool stop;

	pthread_mutex_lock(&thread->lock);
	while (!thread->wake && !thread->stop)
		pthread_cond_wait(&thread->woken, &thread->lock);
	thread->wake = false;
	stop = thread->stop;
	pthread_mutex_unlock(&thread->lock);
	return !stop;
}

void device_thread_wake(struct device_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->wake = true;
	pthread_cond_signal(&thread->woken);
	pthread_mutex_unlock(&thread->lock);
}

void device_thread_destroy(struct device_thread *thread)
{
	if (!thread)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_cond_signal(&thread->woken);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	pthread_cond_destroy(&thread->woken);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
}
