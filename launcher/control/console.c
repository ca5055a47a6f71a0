// SPDX-License-Identifier: GPL-2.0-only
#include "control/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/loop.h"

#define RING_SIZE	65536u
#define ATTACHED_MAX	8

static struct loop_source guest = { .fd = -1 };	/* our end of the guest's terminal */
static bool is_open;
static uint8_t ring[RING_SIZE];
static uint64_t written;			/* bytes, ever */
static struct loop_source attached[ATTACHED_MAX] = { [0 ... ATTACHED_MAX - 1] = { .fd = -1 } };

static void detach(struct loop_source *source)
{
	loop_remove(source);
	close(source->fd);
	source->fd = -1;
}

/* False: it does not take them, as it stands still or is gone. Nobody waits for it. */
static bool send_all(int fd, const uint8_t *data, size_t size)
{
	return size == 0 || send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

static void keep(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ring[written++ % RING_SIZE] = data[i];
}

static void guest_ready(struct loop_source *source)
{
	uint8_t data[4096];
	ssize_t size = recv(source->fd, data, sizeof(data), MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		loop_enable(source, false);
		return;
	}
	keep(data, (size_t)size);
	for (size_t i = 0; i < ATTACHED_MAX; i++)
		if (attached[i].fd >= 0 && !send_all(attached[i].fd, data, (size_t)size))
			detach(&attached[i]);
}

/* What the guest does not read in time is lost, as on a serial line. */
static void attached_ready(struct loop_source *source)
{
	uint8_t data[256];
	ssize_t size = recv(source->fd, data, sizeof(data), MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0)
		detach(source);
	else
		send_all(guest.fd, data, (size_t)size);
}

static bool send_past(int fd)
{
	size_t size = written < RING_SIZE ? (size_t)written : RING_SIZE;
	size_t from = (size_t)((written - size) % RING_SIZE);
	size_t first = size < RING_SIZE - from ? size : RING_SIZE - from;

	return send_all(fd, ring + from, first) && send_all(fd, ring, size - first);
}

static void refuse(int fd, const char *why)
{
	send_all(fd, (const uint8_t *)why, strlen(why));
	close(fd);
}

void console_attach(int fd)
{
	struct loop_source *source = attached;

	if (!is_open)
		return refuse(fd, "error: its console is where it was started; with --detach it would be here\n");
	while (source < attached + ATTACHED_MAX && source->fd >= 0)
		source++;
	if (source == attached + ATTACHED_MAX)
		return refuse(fd, "error: too many are attached\n");
	*source = (struct loop_source){ .fd = fd, .ready = attached_ready };
	if (!send_all(fd, (const uint8_t *)"ok\n", 3) || !send_past(fd) || loop_add(source)) {
		source->fd = -1;
		close(fd);
		return;
	}
	loop_enable(source, true);
}

int console_create(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return -errno;
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	dup2(fds[0], STDIN_FILENO);
	dup2(fds[0], STDOUT_FILENO);
	close(fds[0]);
	guest.fd = fds[1];
	guest.ready = guest_ready;
	return 0;
}

int console_open(void)
{
	int error;

	if (guest.fd < 0)
		return 0;
	error = loop_add(&guest);
	if (!error) {
		loop_enable(&guest, true);
		is_open = true;
	}
	return error;
}

void console_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	guest_ready(&guest);	/* the guest's last words */
	for (size_t i = 0; i < ATTACHED_MAX; i++)
		if (attached[i].fd >= 0)
			detach(&attached[i]);
	loop_remove(&guest);
}
