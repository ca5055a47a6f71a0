// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* pipe2 */
#include "control/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/console.h"
#include "control/runtime.h"
#include "machine/machine.h"
#include "util/log.h"
#include "util/status.h"
#include "vm/vm.h"

static int started_fd = -1;

static void wait_for(pid_t child, int fd)
{
	int status = 0;
	char byte = 0;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
	if (waitpid(child, &status, WNOHANG) == 0 && byte == 's')
		_exit(STATUS_OK);
	waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void detach_begin(void)
{
	int fds[2] = { -1, -1 }, error;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) || (child = fork()) < 0) {
		log_error("--detach: %s", strerror(errno));
		exit(STATUS_START);
	}
	if (child) {
		close(fds[1]);
		wait_for(child, fds[0]);
	}
	close(fds[0]);
	started_fd = fds[1];
	setsid();
	error = console_create();
	if (error) {
		log_error("--detach: %s", strerror(-error));
		exit(STATUS_START);
	}
}

void detach_end(const struct vm *vm)
{
	char path[108];
	int fd = -1;

	if (started_fd < 0)
		return;
	if (vm->has_folder && runtime_path(path, sizeof(path), vm->machine->name, "log"))
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(fd, STDERR_FILENO);
	close(fd);
	if (write(started_fd, "s", 1) != 1)
		log_debug("who started the VM has gone");
	close(started_fd);
	started_fd = -1;
}
