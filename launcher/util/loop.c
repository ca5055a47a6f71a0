// SPDX-License-Identifier: GPL-2.0-only
/* The event loop of the process over epoll(7). */
#include "util/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_SECOND	1000000000u

static int epoll_fd = -1;
static bool stopped;

static void stop_ready(struct loop_source *source)
{
	(void)source;
	__atomic_store_n(&stopped, true, __ATOMIC_RELAXED);
}

static struct loop_source stop_source = { .fd = -1, .ready = stop_ready };

int loop_init(void)
{
	int error;

	stopped = false;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		return -errno;
	stop_source.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = stop_source.fd < 0 ? -errno : loop_add(&stop_source);
	if (error) {
		loop_fini();
		return error;
	}
	loop_enable(&stop_source, true);
	return 0;
}

void loop_fini(void)
{
	if (epoll_fd < 0)
		return;
	if (stop_source.fd >= 0)
		close(stop_source.fd);
	stop_source.fd = -1;
	close(epoll_fd);
	epoll_fd = -1;
}

static int watch(struct loop_source *source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, source->watched_fd, &event) ? -errno : 0;
}

/* A disabled source leaves the set: epoll reports a hang-up even where no event is wanted. */
static void unwatch(struct loop_source *source)
{
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, source->watched_fd, NULL);
}

int loop_add(struct loop_source *source)
{
	int error;

	source->enabled = false;
	source->watched_fd = source->fd;
	error = watch(source);
	if (error == -EPERM) {
		/* Can't be polled, so never blocks: an eventfd that nobody reads stands for it. */
		source->watched_fd = eventfd(1, EFD_CLOEXEC);
		return source->watched_fd < 0 ? -errno : 0;
	}
	if (!error)
		unwatch(source);
	return error;
}

void loop_remove(struct loop_source *source)
{
	loop_enable(source, false);
	if (source->watched_fd != source->fd)
		close(source->watched_fd);
	source->watched_fd = source->fd;
}

void loop_enable(struct loop_source *source, bool enable)
{
	if (source->enabled == enable)
		return;
	source->enabled = enable;
	if (enable)
		watch(source);
	else
		unwatch(source);
}

int loop_timer_init(struct loop_source *source, void (*ready)(struct loop_source *source))
{
	int error;

	source->ready = ready;
	source->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (source->fd < 0)
		return -errno;
	error = loop_add(source);
	if (error) {
		close(source->fd);
		source->fd = -1;
		return error;
	}
	loop_enable(source, true);
	return 0;
}

void loop_timer_set(struct loop_source *source, uint64_t ns)
{
	struct itimerspec when = {
		.it_value = {
			.tv_sec = (time_t)(ns / NS_PER_SECOND),
			.tv_nsec = (long)(ns % NS_PER_SECOND),
		},
	};

	timerfd_settime(source->fd, 0, &when, NULL);
}

void loop_timer_ack(struct loop_source *source)
{
	uint64_t count;
	ssize_t size = read(source->fd, &count, sizeof(count));

	(void)size;	/* EAGAIN: set anew meanwhile, and will fire again */
}

void loop_timer_fini(struct loop_source *source)
{
	if (source->fd < 0)
		return;
	loop_remove(source);
	close(source->fd);
	source->fd = -1;
}

int loop_run(void)
{
	while (!__atomic_load_n(&stopped, __ATOMIC_RELAXED)) {
		struct epoll_event event;
		/* One at a time, so that no callback meets a source that the last one removed. */
		int count = epoll_wait(epoll_fd, &event, 1, -1);

		if (count < 0 && errno != EINTR)
			return -errno;
		if (count > 0) {
			struct loop_source *source = event.data.ptr;

			source->ready(source);
		}
	}
	return 0;
}

void loop_stop(void)
{
	uint64_t one = 1;
	ssize_t size = write(stop_source.fd, &one, sizeof(one));

	(void)size;	/* can fail only when it is readable anyway */
}
