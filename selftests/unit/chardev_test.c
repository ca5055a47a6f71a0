// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/chardev.c launcher/dev/device.c launcher/dev/device_host.c launcher/config/node.c launcher/util/alloc.c launcher/dev/terminal.c launcher/util/loop.c launcher/util/log.c
/* The host's side of a console: files, FIFOs, terminals, and the loop that serves them. */
#define _GNU_SOURCE	/* posix_openpt, pthread_timedjoin_np */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "dev/chardev.h"
#include "dev/device_host.h"
#include "dev/terminal.h"
#include "no_vm.h"
#include "unit.h"
#include "util/log.h"
#include "util/loop.h"

#define PATIENCE_MS	5000

static const struct device_type type = { .name = "desk", .size = 4 };

struct hostdev_word hostdev_parse(const char *text)
{
	return (struct hostdev_word){ *text != '>' && *text != '|', *text != '<',
				      text + (*text == '<' || *text == '>') };
}

/* A device that has room for @room bytes until take() empties it. */
static struct desk {
	pthread_mutex_t lock;
	struct chardev *chardev;
	size_t room, waiting;
	char got[1 << 16];
	size_t got_size;
} desk = { .lock = PTHREAD_MUTEX_INITIALIZER };

static pthread_t loop_thread;
static char folder[] = "/tmp/chardev_test.XXXXXX";
static char path[64];

static size_t desk_room(void *arg)
{
	size_t room;

	(void)arg;
	pthread_mutex_lock(&desk.lock);
	room = desk.room - desk.waiting;
	pthread_mutex_unlock(&desk.lock);
	return room;
}

static void desk_receive(void *arg, const uint8_t *data, size_t size)
{
	(void)arg;
	pthread_mutex_lock(&desk.lock);
	if (size > desk.room - desk.waiting)
		abort();
	memcpy(desk.got + desk.got_size, data, size);
	desk.got_size += size;
	desk.waiting += size;
	pthread_mutex_unlock(&desk.lock);
}

static const struct chardev_client client = { .room = desk_room, .receive = desk_receive };

static void *run_loop(void *arg)
{
	(void)arg;
	return loop_run() ? "failed" : NULL;
}

/* What the config of a device on the desk says; the rest of it stays. */
static struct device_config config = { .type = &type, .name = "desk" };
static struct device_host host;

static int desk_create(const char *hostdev, struct chardev **out)
{
	config.hostdev[0] = (char *)hostdev;
	host = (struct device_host){ .dev = { .type = &type, .name = "desk" }, .config = &config };
	return chardev_create(&host.dev, &client, &desk, out);
}

static int desk_open(const char *hostdev, size_t room)
{
	int error;

	desk.room = room;
	desk.waiting = desk.got_size = 0;
	if (loop_init())
		abort();
	error = desk_create(hostdev, &desk.chardev);
	pthread_create(&loop_thread, NULL, run_loop, NULL);
	return error;
}

static void desk_close(void)
{
	void *failed;

	loop_stop();
	pthread_join(loop_thread, &failed);
	CHECK(!failed);
	chardev_destroy(desk.chardev);
	terminal_restore();
	loop_fini();
}

/* Empty the device as a guest would; true once it has had @size bytes in all. */
static bool desk_wait(size_t size)
{
	for (int i = 0; i < PATIENCE_MS; i++) {
		size_t got;

		pthread_mutex_lock(&desk.lock);
		desk.waiting = 0;
		got = desk.got_size;
		pthread_mutex_unlock(&desk.lock);
		chardev_resume(desk.chardev);
		if (got >= size)
			return true;
		usleep(1000);
	}
	return false;
}

static void say(const char *text)
{
	while (*text)
		chardev_write(desk.chardev, (uint8_t)*text++);
}

static void make_path(const char *name)
{
	if (strstr(folder, "XXXXXX") && !mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/%s", folder, name);
}

static size_t file_read(const char *name, char *text, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);

	text[length > 0 ? length : 0] = '\0';
	close(fd);
	return length > 0 ? (size_t)length : 0;
}

/* Master side of a new terminal; its name goes to path. */
static int terminal_open(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) || unlockpt(master))
		abort();
	snprintf(path, sizeof(path), "%s", ptsname(master));
	return master;
}

static tcflag_t local_flags(void)
{
	struct termios t = { 0 };
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	tcgetattr(fd, &t);
	close(fd);
	return t.c_lflag;
}

TEST(nothing)
{
	CHECK_EQ(desk_open(NULL, 1), 0);
	CHECK(desk.chardev == NULL);
	say("gone\n");
	chardev_resume(desk.chardev);
	desk_close();
}

TEST(no_such_file)
{
	FILE *sink = fopen("/dev/null", "we");

	log_reset(sink);
	CHECK_EQ(desk_open("/nonexistent/file", 1), -ENOENT);
	CHECK(desk.chardev == NULL);
	CHECK_EQ(log_error_count(), 1);
	desk_close();
	log_reset(NULL);
	fclose(sink);
}

TEST(line_is_written_at_once_and_prompt_soon)
{
	char hostdev[80], text[64];

	make_path("out");
	snprintf(hostdev, sizeof(hostdev), ">%s", path);
	CHECK_EQ(desk_open(hostdev, 1), 0);
	say("line\n");
	file_read(path, text, sizeof(text));
	CHECK_STR(text, "line\n");
	say("login: ");
	for (int i = 0; i < PATIENCE_MS && file_read(path, text, sizeof(text)) < 12; i++)
		usleep(1000);
	CHECK_STR(text, "line\nlogin: ");
	say("end");
	desk_close();
	file_read(path, text, sizeof(text));
	CHECK_STR(text, "line\nlogin: end");
	unlink(path);
}

TEST(file_comes_in_whole_through_a_small_device)
{
	char hostdev[80], data[1000];
	int fd;

	make_path("in");
	snprintf(hostdev, sizeof(hostdev), "<%s", path);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 % 251);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_EQ(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	CHECK_EQ(desk_open(hostdev, 3), 0);
	CHECK(desk_wait(sizeof(data)));
	CHECK_EQ(desk.got_size, sizeof(data));
	CHECK(memcmp(desk.got, data, sizeof(data)) == 0);
	desk_close();
	unlink(path);
}

TEST(nothing_is_read_without_room)
{
	char left[8] = "";
	int fd;

	make_path("fifo");
	REQUIRE(mkfifo(path, 0600) == 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(desk_open(path, 0), 0);
	chardev_resume(desk.chardev);
	usleep(20000);
	CHECK_EQ(desk.got_size, 0);
	desk_close();
	CHECK_EQ(read(fd, left, sizeof(left)), 3);
	CHECK_STR(left, "abc");
	close(fd);
	unlink(path);
}

TEST(terminal_is_raw_and_given_back)
{
	int master = terminal_open();
	tcflag_t before = local_flags();
	const tcflag_t cooked = ICANON | ECHO | ISIG;

	CHECK_EQ(before & cooked, cooked);
	CHECK_EQ(desk_open(path, 16), 0);
	CHECK_EQ(local_flags() & cooked, 0);
	CHECK_EQ(write(master, "\x03\x1d\r", 3), 3);
	CHECK(desk_wait(3));
	CHECK(memcmp(desk.got, "\x03\x1d\r", 3) == 0);
	desk_close();
	CHECK_EQ(local_flags(), before);
	close(master);
}

TEST(peer_that_hangs_up_ends_the_input)
{
	int master = terminal_open();

	CHECK_EQ(desk_open(path, 16), 0);
	chardev_resume(desk.chardev);
	close(master);
	usleep(20000);
	CHECK_EQ(desk.got_size, 0);
	desk_close();
}

/* On the launcher's own terminal Ctrl-] is for the launcher: as if SIGQUIT had come. */
TEST(leave_key_on_stdin)
{
	int master = terminal_open(), slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	int stdin_before = dup(STDIN_FILENO);
	const struct timespec patience = { .tv_sec = PATIENCE_MS / 1000 };
	FILE *sink = fopen("/dev/null", "we");
	sigset_t quit, before;

	sigemptyset(&quit);
	sigaddset(&quit, SIGQUIT);
	pthread_sigmask(SIG_BLOCK, &quit, &before);
	dup2(slave, STDIN_FILENO);
	log_reset(sink);
	CHECK_EQ(desk_open("<-", 16), 0);
	CHECK_EQ(write(master, "a", 1), 1);
	CHECK(desk_wait(1));
	CHECK_EQ(write(master, "\x1d", 1), 1);
	CHECK_EQ(sigtimedwait(&quit, NULL, &patience), SIGQUIT);
	CHECK_EQ(desk.got_size, 1);
	desk_close();
	log_reset(NULL);
	fclose(sink);
	dup2(stdin_before, STDIN_FILENO);
	close(stdin_before);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(slave);
	close(master);
}

TEST(stdin_belongs_to_one)
{
	struct chardev *second;
	FILE *sink = fopen("/dev/null", "we");

	log_reset(sink);
	CHECK_EQ(desk_open("-", 1), 0);
	CHECK_EQ(desk_create("<-", &second), -EBUSY);
	CHECK_EQ(desk_create(">-", &second), 0);
	chardev_destroy(second);
	desk_close();
	CHECK_EQ(desk_open("-", 1), 0);
	desk_close();
	log_reset(NULL);
	fclose(sink);
}

static void *say_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < 40000; i++)
		say("0123456789\n");
	return NULL;
}

/* Last: what is abandoned stays so. A reader that reads nothing must not hold up the end. */
TEST(stalled_reader_does_not_hold_up_the_end)
{
	struct timespec until;
	pthread_t writer;
	int fd;

	make_path("stalled");
	REQUIRE(mkfifo(path, 0600) == 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	CHECK_EQ(desk_open(path, 0), 0);
	pthread_create(&writer, NULL, say_much, NULL);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 200000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	CHECK_EQ(pthread_timedjoin_np(writer, NULL, &until), ETIMEDOUT);
	chardev_abandon();
	until.tv_sec += PATIENCE_MS / 1000;
	CHECK_EQ(pthread_timedjoin_np(writer, NULL, &until), 0);
	desk_close();
	close(fd);
	unlink(path);
	rmdir(folder);
}
