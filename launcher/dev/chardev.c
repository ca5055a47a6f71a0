// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* pipe2 */
#include "dev/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev/device_host.h"
#include "dev/terminal.h"
#include "machine/machine.h"
#include "util/log.h"
#include "util/loop.h"

#define KEY_LEAVE	0x1d		/* Ctrl-] */
#define OUT_SIZE	4096		/* PIPE_BUF: a pipe that polls writable takes it whole */
#define IN_SIZE		64
#define FLUSH_NS	2000000		/* a prompt shows up this long after its last byte */
#define RETRY_NS	20000000
#define STALL_MS	100
#define REOPEN_NS	100000000ULL	/* a host device that is not there yet is tried again */

extern char **environ;

struct chardev {
	struct device *dev;
	const struct chardev_client *client;
	void *arg;
	int in_fd, out_fd;		/* -1: not this direction, or (is_late) not yet */
	pid_t child[HOSTDEV_MAX];	/* commands; 0: none */
	bool leave_key;
	uint64_t pause_ns;		/* output waits so long for more of it */
	bool batch;			/* … whatever it is, newlines too */

	bool is_late;			/* atomic: the host's device is to be opened when asked for */
	bool asked;			/* atomic: the guest did */
	uint64_t tries;			/* left, after the first; of the loop's thread */
	struct loop_source opener;

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
	device_log(chardev->dev, DEVICE_WARN, "output is lost from here on: %s", strerror(errno));
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
	chardev->flush_armed = chardev->out_fd >= 0 && !flush_locked(chardev, false);
	if (chardev->flush_armed)
		loop_timer_set(source, RETRY_NS);
	pthread_mutex_unlock(&chardev->out_lock);
}

/* The guest asks for a host device that is not open: let the loop open it. */
static bool ask_late(struct chardev *chardev)
{
	if (!__atomic_load_n(&chardev->is_late, __ATOMIC_ACQUIRE))
		return false;
	if (!__atomic_exchange_n(&chardev->asked, true, __ATOMIC_RELAXED))
		loop_timer_set(&chardev->opener, 1);
	return true;
}

/* (out_lock held) */
static void collect(struct chardev *chardev, uint8_t byte, bool late)
{
	if (chardev->out_size == OUT_SIZE)
		chardev->out_size = 0;	/* abandoned, or not open for long: the host took none */
	chardev->out[chardev->out_size++] = byte;
	if (late)
		return;
	if ((byte == '\n' && !chardev->batch) || chardev->out_size == OUT_SIZE) {
		flush_locked(chardev, true);
	} else if (!chardev->flush_armed || chardev->batch) {
		chardev->flush_armed = true;
		loop_timer_set(&chardev->flush, chardev->pause_ns);
	}
}

void chardev_write(struct chardev *chardev, uint8_t byte)
{
	bool late = chardev && ask_late(chardev);

	if (!chardev || (chardev->out_fd < 0 && !late))
		return;
	pthread_mutex_lock(&chardev->out_lock);
	if (!chardev->out_failed)
		collect(chardev, byte, late);
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
	if (chardev && !ask_late(chardev) && chardev->in_fd >= 0)
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

/* ---- the host's side ---- */

static int open_file(const struct chardev *chardev, const char *path, int flags)
{
	struct stat status;

	bool empty = flags & O_TRUNC;
	int fd;

	/* Both ends of a FIFO: neither wait for a peer now nor take its leaving for the end. */
	if (stat(path, &status) == 0 && S_ISFIFO(status.st_mode))
		flags = O_RDWR;
	fd = open(path, (flags & ~O_TRUNC) | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0 || fstat(fd, &status))
		return fd;
	/* Two writers, or two readers, of one file or terminal: neither would have what it wants. */
	if ((S_ISREG(status.st_mode) || isatty(fd)) && flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		errno = EBUSY;
		return -1;
	}
	if (empty && S_ISREG(status.st_mode) && ftruncate(fd, 0))
		device_log(chardev->dev, DEVICE_WARN, "%s can't be emptied: %s", path, strerror(errno));
	return fd;
}

/* A shell's stdin (@out: what we write), or its stdout. The end that is ours, or -errno. */
static int open_command(const char *command, bool out, pid_t *child)
{
	char *const argv[] = { "sh", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], error;
	posix_spawnattr_t attributes;
	sigset_t none;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[!out], out ? STDIN_FILENO : STDOUT_FILENO);
	error = posix_spawn(child, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(ends[!out]);
	if (!error)
		return ends[out];
	close(ends[out]);
	return -error;
}

/* stdin and stdout. */
static int open_standard(struct chardev *chardev, bool in, bool out)
{
	if (in && stdin_used)
		return -EBUSY;
	stdin_used |= in;
	chardev->in_fd = in ? STDIN_FILENO : chardev->in_fd;
	chardev->out_fd = out ? STDOUT_FILENO : chardev->out_fd;
	return 0;
}

/* Fill in_fd and out_fd from one of the config's words. 0 or -errno. */
static int open_hostdev(struct chardev *chardev, const char *hostdev, pid_t *child)
{
	struct hostdev_word word = hostdev_parse(hostdev);
	int fd;

	if (!strcmp(word.path, "-"))
		return open_standard(chardev, word.in, word.out);
	if (word.path[0] == '|')
		fd = open_command(word.path + 1, word.out, child);
	else
		fd = open_file(chardev, word.path, word.in && word.out ? O_RDWR : word.in ?
			       O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return word.path[0] == '|' ? fd : -errno;
	chardev->in_fd = word.in ? fd : chardev->in_fd;
	chardev->out_fd = word.out ? fd : chardev->out_fd;
	return 0;
}

static void close_hostdevs(struct chardev *chardev)
{
	if (chardev->in_fd == STDIN_FILENO)
		stdin_used = false;
	if (chardev->in_fd > STDERR_FILENO)
		close(chardev->in_fd);
	if (chardev->out_fd > STDERR_FILENO && chardev->out_fd != chardev->in_fd)
		close(chardev->out_fd);
	chardev->in_fd = chardev->out_fd = -1;
	for (size_t i = 0; i < HOSTDEV_MAX; i++) {
		if (chardev->child[i])
			waitpid(chardev->child[i], NULL, 0);
		chardev->child[i] = 0;
	}
}

/* @failed: the word that an error is about. */
static int open_hostdevs(struct chardev *chardev, const char **failed)
{
	const struct device_config *config = device_host(chardev->dev)->config;
	int error = 0;

	for (size_t i = 0; i < HOSTDEV_MAX && config->hostdev[i] && !error; i++) {
		*failed = config->hostdev[i];
		error = open_hostdev(chardev, config->hostdev[i], &chardev->child[i]);
	}
	if (error)
		close_hostdevs(chardev);
	return error;
}

static void say_hostdev(const struct chardev *chardev, const char *hostdev, int error)
{
	device_log(chardev->dev, DEVICE_ERROR, "hostdev %s: %s", hostdev,
		   error == -EBUSY ? "it is in use by another; end that, or name another hostdev" :
		   strerror(-error));
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

/* ---- late ---- */

static void late_done(struct chardev *chardev)
{
	if (chardev->in_fd >= 0 && input_init(chardev))
		chardev->in_fd = -1;
	__atomic_store_n(&chardev->is_late, false, __ATOMIC_RELEASE);
	chardev_resume(chardev);
	pthread_mutex_lock(&chardev->out_lock);
	if (chardev->out_size) {
		chardev->flush_armed = true;
		loop_timer_set(&chardev->flush, chardev->pause_ns);
	}
	pthread_mutex_unlock(&chardev->out_lock);
}

static void opener_ready(struct loop_source *source)
{
	struct chardev *chardev =
		(struct chardev *)((char *)source - offsetof(struct chardev, opener));
	const char *failed = "";
	int error;

	loop_timer_ack(source);
	error = open_hostdevs(chardev, &failed);
	if (!error) {
		late_done(chardev);
	} else if (chardev->tries) {
		chardev->tries -= chardev->tries != UINT64_MAX;
		loop_timer_set(source, REOPEN_NS);
	} else {
		device_log(chardev->dev, DEVICE_WARN, "hostdev %s: %s; the device goes on without it",
			   failed, strerror(-error));
		__atomic_store_n(&chardev->is_late, false, __ATOMIC_RELEASE);
	}
}

static int late_init(struct chardev *chardev, uint64_t seconds)
{
	chardev->tries = seconds > UINT64_MAX / 10 ? UINT64_MAX : seconds * 10;
	chardev->is_late = true;
	return loop_timer_init(&chardev->opener, opener_ready);
}

/* ---- life ---- */

static int chardev_init(struct chardev *chardev, const struct device_config *config)
{
	const char *failed = NULL;
	int error = loop_timer_init(&chardev->flush, flush_ready);

	if (!error && config->is_delayed)
		return late_init(chardev, config->delayed);
	if (!error)
		error = open_hostdevs(chardev, &failed);
	if (!error && chardev->in_fd >= 0)
		error = input_init(chardev);
	if (!error)
		return 0;
	say_hostdev(chardev, failed ? failed : config->hostdev[0], error);
	loop_timer_fini(&chardev->flush);
	close_hostdevs(chardev);
	return error;
}

int chardev_create(struct device *dev, const struct chardev_client *client, void *arg,
		   struct chardev **out)
{
	const struct device_config *config = device_host(dev)->config;
	struct chardev *chardev;
	int error;

	*out = NULL;
	if (!config->hostdev[0])
		return 0;
	chardev = calloc(1, sizeof(*chardev));
	if (!chardev)
		return -ENOMEM;
	chardev->dev = dev;
	chardev->client = client;
	chardev->arg = arg;
	chardev->batch = config->batch_us;
	chardev->pause_ns = config->batch_us ? config->batch_us * 1000 : FLUSH_NS;
	chardev->in_fd = chardev->out_fd = chardev->flush.fd = chardev->opener.fd = -1;
	pthread_mutex_init(&chardev->in_lock, NULL);
	pthread_mutex_init(&chardev->out_lock, NULL);
	error = chardev_init(chardev, config);
	if (error)
		free(chardev);
	else
		*out = chardev;
	return error;
}

void chardev_destroy(struct chardev *chardev)
{
	if (!chardev)
		return;
	if (chardev->out_fd >= 0)
		flush_locked(chardev, true);
	loop_timer_fini(&chardev->flush);
	loop_timer_fini(&chardev->opener);
	if (chardev->in_fd >= 0)
		loop_remove(&chardev->input);
	close_hostdevs(chardev);
	pthread_mutex_destroy(&chardev->in_lock);
	pthread_mutex_destroy(&chardev->out_lock);
	free(chardev);
}
