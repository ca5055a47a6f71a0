// SPDX-License-Identifier: GPL-2.0-only
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/runtime.h"
#include "dev/terminal.h"
#include "util/log.h"
#include "util/status.h"
#include "vm/sys.h"

#define PATIENCE_S	10	/* with a launcher that runs */
#define KEY_LEAVE	0x1d	/* Ctrl-] */

int client_list(void)
{
	static const char *const states[] = {
		[QVM_VM_BUILDING] = "building", [QVM_VM_ASSEMBLED] = "assembled",
		[QVM_VM_RUNNING] = "running", [QVM_VM_ENDED] = "ended",
	};
	struct qvm_next_vm vm = { 0 };
	struct sys *sys;
	int error = sys_open(&sys);

	if (error) {
		log_error("%s: %s; %s", sys_path, strerror(-error), sys_remedy);
		return STATUS_START;
	}
	printf("%4s  %-31s  %-9s  %5s  %8s  %7s\n", "ID", "NAME", "STATE", "VCPUS", "MEMORY", "PID");
	while ((error = sys_next_vm(sys, &vm)) == 0) {
		printf("%4u  %-31s  %-9s  %5u  %7lluM  %7d\n", vm.id, vm.name,
		       vm.state < sizeof(states) / sizeof(states[0]) ? states[vm.state] : "?",
		       vm.vcpu_count, (unsigned long long)vm.pinned >> 20, vm.pid);
		vm = (struct qvm_next_vm){ .after = vm.id };
	}
	sys_close(sys);
	if (error != -ENOENT)
		log_error("%s: %s", sys_path, strerror(-error));
	return error == -ENOENT ? STATUS_OK : STATUS_START;
}

/* The VM's socket, or -1; says why. */
static int open_control(const char *name)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = -1;

	if (!runtime_path(address.sun_path, sizeof(address.sun_path), name, "control")) {
		log_error("%s: no VM can have this name, or $XDG_RUNTIME_DIR is not set", name);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		log_error("%s: no such VM runs here; `qvm list` shows who does", name);
	else
		log_error("%s: %s: %s", name, address.sun_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Who is refused can't send, and is told why: the answer is read in any case. */
static void send_line(int fd, const char *command)
{
	char line[64];
	int size = snprintf(line, sizeof(line), "%s\n", command);

	send(fd, line, (size_t)size, MSG_NOSIGNAL);
}

/* One line of an answer; only the last one, "ok" or "error: …", is not for the user. */
static int take_line(const char *line)
{
	if (!strcmp(line, "ok\n"))
		return STATUS_OK;
	if (strncmp(line, "error: ", 7))
		return fputs(line, stdout) < 0 ? STATUS_UNEXPECTED : STATUS_START;
	fprintf(stderr, "qvm: %s", line);
	return STATUS_START;
}

static void say_silent(const char *name)
{
	log_error("%s: its launcher gave no answer; `qvm list` has its PID, and kill -9 is the end of that VM alone",
		  name);
}

int client_ask(const char *command, const char *name)
{
	int fd = open_control(name), status = STATUS_UNEXPECTED;
	char line[4096];
	FILE *in;

	if (fd < 0)
		return STATUS_START;
	in = fdopen(fd, "r");
	if (!in) {
		close(fd);
		return STATUS_UNEXPECTED;
	}
	send_line(fd, command);
	while (fgets(line, sizeof(line), in))
		status = take_line(line);
	if (status == STATUS_UNEXPECTED)
		say_silent(name);
	fclose(in);
	return status == STATUS_UNEXPECTED ? STATUS_START : status;
}

/* ---- console ---- */

static bool copy_out(int fd)
{
	char data[4096];
	ssize_t size = read(fd, data, sizeof(data));

	return size > 0 && write(STDOUT_FILENO, data, (size_t)size) == size;
}

/* False: the user has left. *@open: there is more to come from here. */
static bool copy_in(int fd, bool *open)
{
	char data[256];
	ssize_t size = read(STDIN_FILENO, data, sizeof(data));

	*open = size > 0;
	if (size > 0 && isatty(STDIN_FILENO) && memchr(data, KEY_LEAVE, (size_t)size))
		return false;
	return size <= 0 || send(fd, data, (size_t)size, MSG_NOSIGNAL) == size;
}

static void copy(int fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	bool open = true;

	while (poll(fds, 2, -1) > 0 || errno == EINTR) {
		if (fds[0].revents && !copy_out(fd))
			return;
		if (fds[1].revents && !copy_in(fd, &open))
			return;
		if (!open)
			fds[1].fd = -1;		/* what the guest says still comes */
	}
}

/* "ok\n", byte by byte: what follows is the guest's. */
static bool accepted(int fd, const char *name)
{
	char answer[256] = "";

	for (size_t i = 0; i < sizeof(answer) - 1 && read(fd, answer + i, 1) == 1; i++)
		if (answer[i] == '\n')
			break;
	if (!answer[0])
		say_silent(name);
	return take_line(answer) == STATUS_OK;
}

int client_console(const char *name)
{
	int fd = open_control(name);

	if (fd < 0)
		return STATUS_START;
	send_line(fd, "console");
	if (!accepted(fd, name)) {
		close(fd);
		return STATUS_START;
	}
	if (isatty(STDIN_FILENO)) {
		fprintf(stderr, "qvm: Ctrl-] leaves the console; the VM goes on\n");
		terminal_raw(STDIN_FILENO);
	}
	copy(fd);
	terminal_restore();
	close(fd);
	return STATUS_OK;
}
