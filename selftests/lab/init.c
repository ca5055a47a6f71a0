// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab host's init: mounts, loads modules, runs one command, reports its status, powers off.
 *
 * Two ways lead out of the host and are never mixed:
 *   the console  the kernel's log, read by the lab for splats; this init adds its own "lab: " lines to it
 *   LAB_TTY      a second serial port: the command's output and, where it is interactive, its input
 * A guest that prints "BUG:" on its console is thereby not taken for the host's kernel doing so.
 *
 * Told by files in /lab: `modules` (a path and parameters a line, in order), `argv` (words, each ended
 * by NUL; none: a shell), `env` (NAME=VALUE lines), `tty` ("ROWS COLS": the command is interactive).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ARGS 512

/* One line into the kernel's log, at a level that every console shows. */
__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int fd, n;

	n = snprintf(line, sizeof(line), "<0>lab: ");
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';	/* without it the record stays open for more, and off the console */
	line[n] = '\0';
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, n) != n)
		fprintf(stderr, "%s", line + 3);
	if (fd >= 0)
		close(fd);
}

static void off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* A small file as a string; NULL where there is none. */
static char *slurp(const char *path, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *s = NULL;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && (s = calloc(1, st.st_size + 1))) {
		ssize_t n = read(fd, s, st.st_size);

		if (len)
			*len = n < 0 ? 0 : n;
	}
	close(fd);
	return s;
}

static void mounts(void)
{
	static const struct { const char *dir, *type; } tab[] = {
		{ "/proc", "proc" }, { "/sys", "sysfs" }, { "/dev", "devtmpfs" }, { "/dev/pts", "devpts" },
		{ "/dev/shm", "tmpfs" }, { "/tmp", "tmpfs" }, { "/run", "tmpfs" },
		{ "/sys/kernel/debug", "debugfs" }, { "/sys/kernel/tracing", "tracefs" },
	};

	for (size_t i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		mkdir(tab[i].dir, 0755);
		mount(tab[i].type, tab[i].dir, tab[i].type, 0, NULL);
	}
}

static void loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s >= 0) {
		ioctl(s, SIOCSIFFLAGS, &ifr);
		close(s);
	}
}

/* The host is of no use without a module that was asked for: say why, and power off. */
static void insmod(char *line)
{
	const char *param = "";
	char *space = strchr(line, ' ');
	int fd;

	if (space) {
		*space = '\0';
		param = space + 1;
	}
	fd = open(line, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, param, 0)) {
		say("insmod %s: %s", line, strerror(errno));
		off();
	}
	close(fd);
}

static void insmods(void)
{
	char *list = slurp("/lab/modules", NULL);

	for (char *line = list ? strtok(list, "\n") : NULL; line; line = strtok(NULL, "\n"))
		insmod(line);
	free(list);
}

static void environment(void)
{
	char *list = slurp("/lab/env", NULL);

	putenv("PATH=/qvm/bin:/bin:/sbin:/usr/bin:/usr/sbin");
	putenv("HOME=/root");
	putenv("USER=root");
	putenv("TERM=vt102");
	putenv("PS1=lab:\\w# ");
	for (char *line = list ? strtok(list, "\n") : NULL; line; line = strtok(NULL, "\n"))
		putenv(line);				/* stays in use: never freed */
}

/* Fill in argv: the words of /lab/argv, or a login shell. */
static void command(char **argv)
{
	size_t len = 0;
	char *s = slurp("/lab/argv", &len);
	int n = 0;

	for (char *p = s; p && p < s + len && n < ARGS - 1; p += strlen(p) + 1)
		argv[n++] = p;
	if (!n) {
		argv[n++] = "/bin/sh";
		argv[n++] = "-l";
	}
	argv[n] = NULL;
}

static void tty_setup(int tty, const char *size)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };
	struct termios t;

	tcgetattr(tty, &t);
	t.c_cflag |= CLOCAL;
	if (size) {
		sscanf(size, "%hu %hu", &ws.ws_row, &ws.ws_col);
		ioctl(tty, TIOCSWINSZ, &ws);
	} else {
		cfmakeraw(&t);				/* bytes go out as the command wrote them */
	}
	tcsetattr(tty, TCSANOW, &t);
}

static pid_t spawn(char **argv, int in, int out, int interactive)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	if (interactive)
		ioctl(in, TIOCSCTTY, 1);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	execvp(argv[0], argv);
	dprintf(2, "lab: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* All of buf to the port: it is slower than the command. */
static void put(int tty, const char *buf, ssize_t n)
{
	while (n > 0) {
		ssize_t k = write(tty, buf, n);

		if (k < 0 && errno != EINTR)
			return;
		if (k > 0) {
			buf += k;
			n -= k;
		}
	}
}

/* Copy fd to the port while child lives; what it leaves running is killed, then the rest is copied. */
static int supervise(pid_t child, int fd, int tty)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int status = 0, alive = 1;
	char buf[4096];

	for (;;) {
		pid_t pid;

		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid == child) {
				alive = 0;
				break;
			}
		}
		if (!alive)
			break;
		if (fd < 0) {
			usleep(20000);
			continue;
		}
		if (poll(&p, 1, 20) > 0) {
			ssize_t n = read(fd, buf, sizeof(buf));

			if (n > 0)
				put(tty, buf, n);
			else
				fd = -1;		/* closed its output, and runs on */
		}
	}
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	for (ssize_t n; fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0; )
		put(tty, buf, n);
	tcdrain(tty);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Nothing runs any more: a module that still cannot go has lost a reference. */
static void rmmod(const char *name)
{
	for (int tries = 0; tries < 100; tries++) {
		if (!syscall(SYS_delete_module, name, O_NONBLOCK) || errno == ENOENT)
			return;
		usleep(20000);
	}
	say("rmmod %s: %s", name, strerror(errno));
}

int main(void)
{
	static char *argv[ARGS];
	int tty, pipefd[2], status;
	char *size;

	mounts();
	klogctl(8 /* console level */, NULL, 8);
	loopback();
	environment();
	if (!access("/bin/busybox", X_OK) && !vfork()) {
		execl("/bin/busybox", "busybox", "--install", "-s", "/bin", NULL);
		_exit(127);
	}
	wait(NULL);
	tty = open(getenv("LAB_TTY") ?: "/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0) {
		say("no second serial port: %s", strerror(errno));
		off();
	}
	size = slurp("/lab/tty", NULL);
	tty_setup(tty, size);
	insmods();
	command(argv);
	if (chdir("/qvm"))
		chdir("/");
	say("run");

	if (size) {
		status = supervise(spawn(argv, tty, tty, 1), -1, tty);
	} else {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		pipe2(pipefd, O_CLOEXEC);
		pid_t child = spawn(argv, null, pipefd[1], 0);

		close(pipefd[1]);
		status = supervise(child, pipefd[0], tty);
	}
	rmmod("qvm");
	say("exit %d", status);
	off();
}
