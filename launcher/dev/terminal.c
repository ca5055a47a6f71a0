// SPDX-License-Identifier: GPL-2.0-only
#include "dev/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define TERMINALS_MAX	8

/* Fixed places: a signal handler reads them. */
static struct {
	int fd;
	struct termios saved;
} terminals[TERMINALS_MAX];
static volatile sig_atomic_t terminal_count;

static void restore_and_die(int signal)
{
	(void)signal;
	terminal_restore();
	/* SA_RESETHAND: the default action follows when the cause repeats. */
}

/* A crash of the launcher must not leave the user with a dumb shell. Who guards devices does it, too. */
static void catch_fatal_signals(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction action = { .sa_handler = restore_and_die, .sa_flags = (int)SA_RESETHAND };
	struct sigaction now;

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		if (!sigaction(fatal[i], NULL, &now) && now.sa_handler == SIG_DFL)
			sigaction(fatal[i], &action, NULL);
}

static void make_raw(struct termios *t)
{
	t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t->c_cflag = (t->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

int terminal_raw(int fd)
{
	struct termios t;
	int slot = terminal_count;

	if (tcgetattr(fd, &t))
		return errno == EINVAL ? -ENOTTY : -errno;
	if (slot == TERMINALS_MAX)
		return -ENOSPC;
	if (slot == 0) {
		atexit(terminal_restore);
		catch_fatal_signals();
	}
	/* Our own: the owner may close its fd before the settings are given back. */
	terminals[slot].fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (terminals[slot].fd < 0)
		return -errno;
	terminals[slot].saved = t;
	terminal_count = slot + 1;	/* before the change, not after: a crash between them */
	make_raw(&t);
	return tcsetattr(fd, TCSANOW, &t) ? -errno : 0;
}

void terminal_restore(void)
{
	sigset_t ttou, before;
	int error = errno;

	/* Once in the background, the change would stop the process instead of being made. */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &before);
	while (terminal_count > 0) {
		int slot = terminal_count - 1;

		tcsetattr(terminals[slot].fd, TCSANOW, &terminals[slot].saved);
		close(terminals[slot].fd);
		terminal_count = slot;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
}
