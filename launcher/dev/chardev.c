// SPDX-License-Identifier: GPL-2.0-only
#include "dev/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dev/terminal.h"
#include "util/log.h"
#include "util/loop.h"

#define KEY_LEAVE	0x1d		/* Ctrl-] */
#define OUT_SIZE	4096		/* PIPE_BUF: a pipe that polls writable takes it whole */
#define IN_SIZE		64
#define FLUSH_NS	2000000		/* a prompt shows up this long after its last byte */
#define RETRY_NS	20000000
#define STALL_MS	100

struct chardev {
	const char *name;
	const struct chardev_client *client;
	void *arg;
	int in_fd, out_fd;		/* -1: not this direction */
	bool leave_key;

	pthread_mutex_t in_lock;	/* held briefly; nothing is taken under it */
	struct loop_source input;	/* in_lock: enable state */
	bool in_open;			/* in_lock */

	pthread_mutex_t out_lock;	/* held while the host's reader makes us wait */
	struct loop_source flush;
	bool flush_armed;		/* out_lock */
	bool out_failed;		/* out_lock */
	uint8_t out[OUT_SIZE];		/* out_lock */
	size_t out_size;		/* out_lock */
};

static bool abandoned;
static bool stdin_used;

void chardev_abandon(void)
{
	__atomic_store_n(&abandoned, true, __ATOMIC_RELAXED);
}

/* ---- output ---- */

/* True if out_fd takes bytes now; if @wait, stay until it does or the VM ends. */
static bool out_ready(const struct chardev *chardev, bool wait)
{
	struct pollfd poll_fd = { .fd = chardev->out_fd, .events = POLLOUT };

	for (;;) {
		bool last = !wait || __atomic_load_n(&abandoned, __ATOMIC_RELAXED);

		if (poll(&poll_fd, 1, last ? 0 : STALL_MS) > 0)
			return true;
		if (last)
			return false;
	}
}

static void out_fail(struct chardev *chardev)
{
	log_warn("%s: output is lost from here on: %s", chardev->name, strerror(errno));
	chardev->out_failed = true;
	chardev->out_size = 0;
}

/* Write the buffer; false: the host takes no more now and the rest stays (out_lock held). */
static bool flush_locked(struct chardev *chardev, bool wait)
{
	size_t done = 0;

	while (done < chardev->out_size) {
		ssize_t size;

		if (!out_ready(chardev, wait))
			break;
		size = write(chardev->out_fd, chardev->out + done, chardev->out_size - done);
		if (size >= 0)
			done += (size_t)size;
		else if (errno != EINTR && errno != EAGAIN)
			out_fail(chardev);
	}
	if (done < chardev->out_size)
		memmove(chardev->out, chardev->out + done, chardev->out_size - done);
	chardev->out_size -= done < chardev->out_size ? done : chardev->out_size;
	return chardev->out_size == 0;
}

static struct chardev *chardev_of_flush(struct loop_source *source)
{
	return (struct chardev *)((char *)source - offsetof(struct chardev, flush));
}

/* The loop never waits for a reader: signals are served by the same thread. */
static void flush_ready(struct loop_source *source)
{
	struct chardev *chardev = chardev_of_flush(source);

	loop_timer_ack(source);
	if (pthread_mutex_trylock(&chardev->out_lock)) {
		loop_timer_set(source, RETRY_NS);
		return;
	}
	chardev->flush_armed = !flush_locked(chardev, false);
	if (chardev->flush_armed)
		loop_timer_set(source, RETRY_NS);
	pthread_mutex_unlock(&chardev->out_lock);
}

void chardev_write(struct chardev *chardev, uint8_t byte)
{
	if (!chardev || chardev->out_fd < 0)
		return;
	pthread_mutex_lock(&chardev->out_lock);
	if (!chardev->out_failed) {
		if (chardev->out_size == OUT_SIZE)
			chardev->out_size = 0;	/* abandoned: the host took none of it */
		chardev->out[chardev->out_size++] = byte;
		if (byte == '\n' || chardev->out_size == OUT_SIZE) {
			flush_locked(chardev, true);
		} else if (!chardev->flush_armed) {
			chardev->flush_armed = true;
			loop_timer_set(&chardev->flush, FLUSH_NS);
		}
	}
	pthread_mutex_unlock(&chardev->out_lock);
}

/* ---- input ---- */

static void input_enable(struct chardev *chardev, bool enable)
{
	pthread_mutex_lock(&chardev->in_lock);
	if (chardev->in_open)
		loop_enable(&chardev->input, enable);
	pthread_mutex_unlock(&chardev->in_lock);
}

void chardev_resume(struct chardev *chardev)
{
	if (chardev && chardev->in_fd >= 0)
		input_enable(chardev, true);
}

static void input_close(struct chardev *chardev)
{
	pthread_mutex_lock(&chardev->in_lock);
	loop_enable(&chardev->input, false);
	chardev->in_open = false;
	pthread_mutex_unlock(&chardev->in_lock);
}

static size_t input_room(struct chardev *chardev)
{
	size_t room = chardev->client->room(chardev->arg);

	if (room == 0) {
		input_enable(chardev, false);
		/* Asked again: the guest may have made room just before the line above. */
		room = chardev->client->room(chardev->arg);
		if (room > 0)
			input_enable(chardev, true);
	}
	return room < IN_SIZE ? room : IN_SIZE;
}

static void input_ready(struct loop_source *source)
{
	struct chardev *chardev =
		(struct chardev *)((char *)source - offsetof(struct chardev, input));
	uint8_t data[IN_SIZE];
	size_t room = input_room(chardev);
	ssize_t size;

	if (room == 0)
		return;
	size = read(chardev->in_fd, data, room);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		input_close(chardev);
		return;
	}
	if (chardev->leave_key && memchr(data, KEY_LEAVE, (size_t)size))
		kill(getpid(), SIGQUIT);	/* what it means is settled in one place: vm.c */
	else
		chardev->client->receive(chardev->arg, data, (size_t)size);
}

/* ---- life ---- */

static int open_file(const char *path, int flags)
{
	struct stat status;

	/* Both ends of a FIFO: neither wait for a peer now nor take its leaving for the end. */
	if (stat(path, &status) == 0 && S_ISFIFO(status.st_mode))
		flags = O_RDWR;
	return open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
}

/* Fill in_fd and out_fd from the config's word. 0 or -errno. */
static int open_hostdev(struct chardev *chardev, const char *hostdev)
{
	bool in = hostdev[0] != '>', out = hostdev[0] != '<';
	const char *path = in && out ? hostdev : hostdev + 1;
	int fd;

	if (strcmp(path, "-") == 0) {
		if (in && stdin_used)
			return -EBUSY;
		stdin_used |= in;
		chardev->in_fd = in ? STDIN_FILENO : -1;
		chardev->out_fd = out ? STDOUT_FILENO : -1;
		return 0;
	}
	fd = open_file(path, in && out ? O_RDWR : in ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return -errno;
	chardev->in_fd = in ? fd : -1;
	chardev->out_fd = out ? fd : -1;
	return 0;
}

static void close_hostdev(struct chardev *chardev)
{
	if (chardev->in_fd > STDERR_FILENO)
		close(chardev->in_fd);
	else if (chardev->out_fd > STDERR_FILENO)
		close(chardev->out_fd);
	if (chardev->in_fd == STDIN_FILENO)
		stdin_used = false;
}

static int input_init(struct chardev *chardev)
{
	int error;

	chardev->input.fd = chardev->in_fd;
	chardev->input.ready = input_ready;
	error = loop_add(&chardev->input);
	if (error)
		return error;
	chardev->in_open = true;
	error = terminal_raw(chardev->in_fd);
	if (error == 0 && chardev->in_fd == STDIN_FILENO) {
		chardev->leave_key = true;
		log_info("Ctrl-] ends the VM");
	}
	return 0;
}

static int chardev_init(struct chardev *chardev, const char *hostdev)
{
	int error = open_hostdev(chardev, hostdev);

	if (error)
		return error;
	if (chardev->out_fd >= 0)
		error = loop_timer_init(&chardev->flush, flush_ready);
	if (!error && chardev->in_fd >= 0)
		error = input_init(chardev);
	if (error) {
		loop_timer_fini(&chardev->flush);
		close_hostdev(chardev);
	}
	return error;
}

int chardev_create(const char *hostdev, const char *name, const struct chardev_client *client,
		   void *arg, struct chardev **out)
{
	struct chardev *chardev;
	int error;

	*out = NULL;
	if (!hostdev)
		return 0;
	chardev = calloc(1, sizeof(*chardev));
	if (!chardev)
		return -ENOMEM;
	chardev->name = name;
	chardev->client = client;
	chardev->arg = arg;
	chardev->in_fd = chardev->out_fd = chardev->flush.fd = -1;
	pthread_mutex_init(&chardev->in_lock, NULL);
	pthread_mutex_init(&chardev->out_lock, NULL);
	error = chardev_init(chardev, hostdev);
	if (error) {
		log_error("%s: hostdev %s: %s", name, hostdev,
			  error == -EBUSY ? "stdin belongs to another device" : strerror(-error));
		free(chardev);
		return error;
	}
	*out = chardev;
	return 0;
}

void chardev_destroy(struct chardev *chardev)
{
	if (!chardev)
		return;
	flush_locked(chardev, true);
	loop_timer_fini(&chardev->flush);
	if (chardev->in_fd >= 0)
		loop_remove(&chardev->input);
	close_hostdev(chardev);
	pthread_mutex_destroy(&chardev->in_lock);
	pthread_mutex_destroy(&chardev->out_lock);
	free(chardev);
}
