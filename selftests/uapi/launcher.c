// SPDX-License-Identifier: GPL-2.0-only
/* What the launcher tells others of its VM: sd_notify(3), env.json, and whom it answers at all. */
#include <kselftest_harness.h>

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "vm.h"

#define GUEST_FILE	"/tmp/launcher-spin"
#define ENV		"/run/qvm/told/env.json"
#define CONTROL		"/run/qvm/told/control"
#define NOBODY		65534		/* a user of no rights */
#define MIB		(1ULL << 20)

FIXTURE(launcher)
{
	int fd;				/* a supervisor's */
	pid_t pid;
	char said[256];
};

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	must(f && fwrite(data, size, 1, f) == 1 && !fclose(f) ? 0 : -EIO);
}

FIXTURE_SETUP(launcher)
{
	write_file(GUEST_FILE, guest_spin.code, guest_spin.size);
}

FIXTURE_TEARDOWN(launcher)
{
	if (self->pid) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	if (self->fd)
		close(self->fd);
}

/* @name: as $NOTIFY_SOCKET has it, a path or @ and an abstract one. */
static int supervisor(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	strcpy(address.sun_path, name);
	if (*name == '@')
		address.sun_path[0] = '\0';
	else
		unlink(name);
	must(bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + strlen(name)));
	must(setenv("NOTIFY_SOCKET", name, 1));
	return fd;
}

/* As @uid, which may pin @memlock bytes. */
static pid_t launch_as(uid_t uid, rlim_t memlock, const char *memory)
{
	const struct rlimit limit = { memlock, memlock };
	pid_t pid = must(fork());

	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresuid(uid, uid, uid))
			_exit(126);
		execlp("qvm", "qvm", "run", "-k", GUEST_FILE, "-m", memory, "--set", "system=told", NULL);
		_exit(127);
	}
	return pid;
}

static pid_t launch(const char *memory)
{
	pid_t pid = must(fork());

	if (!pid) {
		execlp("qvm", "qvm", "run", "-k", GUEST_FILE, "-m", memory, "--set", "system=told", NULL);
		_exit(127);
	}
	return pid;
}

/* The next message, as a string; false: none for @ms. */
static bool told(int fd, int ms, char *said, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	ssize_t got;

	if (poll(&poll_fd, 1, ms) != 1)
		return false;
	got = recv(fd, said, size - 1, 0);
	said[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static const char *env(void)
{
	static char text[8192];
	FILE *f = fopen(ENV, "r");
	size_t size = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[size] = '\0';
	if (f)
		fclose(f);
	return text;
}

/* "key": "value" of env.json; empty: null, or it is not there. */
static const char *env_string(const char *key)
{
	static char value[128];
	char form[64];
	const char *at;

	snprintf(form, sizeof(form), "\"%s\": \"", key);
	at = strstr(env(), form);
	value[0] = '\0';
	if (at)
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(form), "\""), at + strlen(form));
	return value;
}

static bool env_has(const char *text)
{
	return strstr(env(), text);
}

static int end(pid_t *pid, int signal)
{
	int status;

	kill(*pid, signal);
	must(waitpid(*pid, &status, 0));
	*pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void supervise(struct __test_metadata *_metadata, FIXTURE_DATA(launcher) *self, const char *name)
{
	char assembled[64], started[64];

	self->fd = supervisor(name);
	self->pid = launch("16M");
	ASSERT_TRUE(told(self->fd, 20000, self->said, sizeof(self->said)));
	EXPECT_EQ(0, strncmp(self->said, "READY=1\n", 8));
	/* who is told finds it so */
	EXPECT_STREQ("started", env_string("state"));
	EXPECT_TRUE(env_has("\"ended\": null") && env_has("\"reason\": null") && env_has("\"status\": null"));
	strcpy(assembled, env_string("assembled"));
	strcpy(started, env_string("started"));
	EXPECT_LT(0, strlen(assembled));
	EXPECT_LE(0, strcmp(started, assembled));
	EXPECT_FALSE(told(self->fd, 300, self->said, sizeof(self->said)));
	EXPECT_EQ(3, end(&self->pid, SIGQUIT));
	ASSERT_TRUE(told(self->fd, 0, self->said, sizeof(self->said)));
	EXPECT_EQ(0, strncmp(self->said, "STOPPING=1", 10));
	EXPECT_STREQ("ended", env_string("state"));
	EXPECT_STREQ("power cut", env_string("reason"));
	EXPECT_TRUE(env_has("\"status\": 3"));
	EXPECT_LE(0, strcmp(env_string("ended"), started));
}

TEST_F(launcher, supervised_by_path)
{
	supervise(_metadata, self, "/tmp/notify");
}

TEST_F(launcher, supervised_by_abstract_name)
{
	supervise(_metadata, self, "@qvm/notify");
}

TEST_F(launcher, never_ready)
{
	self->fd = supervisor("/tmp/notify");
	self->pid = launch("1000G");
	EXPECT_EQ(64, end(&self->pid, 0));
	EXPECT_FALSE(told(self->fd, 0, self->said, sizeof(self->said)));
}

/* Asks for the status as user @uid; true: it is told. */
static bool is_answered(uid_t uid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONTROL };
	char said[4096] = "";
	int status;
	pid_t pid = must(fork());

	if (!pid) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (setresuid(uid, uid, uid) || connect(fd, (struct sockaddr *)&address, sizeof(address)))
			_exit(2);
		if (write(fd, "status\n", 7) != 7 || read(fd, said, sizeof(said) - 1) <= 0)
			_exit(1);
		_exit(!strstr(said, "told: started"));
	}
	must(waitpid(pid, &status, 0));
	return !status;
}

TEST_F(launcher, answers_its_user_alone)
{
	struct stat stat;

	unsetenv("NOTIFY_SOCKET");
	self->pid = launch("16M");
	ASSERT_TRUE(eventually(!strcmp(env_string("state"), "started") && env_has("\"status\": null")));
	ASSERT_EQ(0, lstat("/run/qvm/told", &stat));
	EXPECT_EQ(0700, stat.st_mode & 07777);
	EXPECT_TRUE(is_answered(0));
	EXPECT_FALSE(is_answered(NOBODY));
	/* even where it gets there */
	ASSERT_EQ(0, chmod("/run/qvm", 0755) | chmod("/run/qvm/told", 0755) | chmod(CONTROL, 0666));
	EXPECT_FALSE(is_answered(NOBODY));
	EXPECT_TRUE(is_answered(0));
	EXPECT_EQ(3, end(&self->pid, SIGQUIT));
}

/* Who is not root: as much as it may pin, and a folder of its own. */
TEST_F(launcher, unprivileged)
{
	char path[64] = "/tmp/launcher-XXXXXX";

	unsetenv("NOTIFY_SOCKET");
	must(mkdtemp(path) ? 0 : -1);
	must(chown(path, NOBODY, NOBODY));
	must(chmod("/dev/qvm", 0666));
	must(setenv("XDG_RUNTIME_DIR", path, 1));
	self->pid = launch_as(NOBODY, MIB, "16M");
	EXPECT_EQ(64, end(&self->pid, 0));
	self->pid = launch_as(NOBODY, 17 * MIB, "16M");
	strcat(path, "/qvm/told/control");
	EXPECT_TRUE(eventually(access(path, F_OK) == 0));
	EXPECT_TRUE(eventually(module_count("vcpu_count") == 1));
	sleep_us(300000);
	EXPECT_EQ(3, end(&self->pid, SIGQUIT));
	EXPECT_NE(0, access(path, F_OK));
	must(chmod("/dev/qvm", 0600));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
