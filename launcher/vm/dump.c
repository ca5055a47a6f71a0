// SPDX-License-Identifier: GPL-2.0-only
/* A dump of the guest: the vCPUs stand still, one file is written, they go on. */
#define _GNU_SOURCE	/* pipe2 */
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine/machine.h"
#include "util/alloc.h"
#include "util/log.h"
#include "vm/arm64.h"
#include "vm/core.h"
#include "vm/pause.h"
#include "vm/sys.h"
#include "vm/vcpu.h"
#include "vm/walk.h"
#include "vm/x86.h"

extern char **environ;

#define NAMES_MAX	10	/* the name itself, and -1 … -9 */

static const void *guest_memory(void *arg, uint64_t gpa, uint64_t size)
{
	return machine_hva(arg, gpa, size);
}

/* ---- what goes into it ---- */

static int read_cpu(const struct vm *vm, size_t index, struct core_cpu *cpu)
{
	if (vm->machine->arch == MACHINE_X86)
		return x86_read_core(vm->vcpus[index].sys, cpu);
	return arm64_read_core(vm->vcpus[index].sys, cpu);
}

/* The kernel's half of the address space, as vCPU 0 has it; none where paging is off. */
static size_t read_segments(const struct vm *vm, struct core_segment *segments)
{
	struct walk walk = { .memory = guest_memory, .arg = vm->machine };
	bool paging = vm->machine->arch == MACHINE_X86 ? x86_read_paging(vm->vcpus[0].sys, &walk) :
							 arm64_read_paging(vm->vcpus[0].sys, &walk);

	return paging ? walk_tables(&walk, segments, CORE_SEGMENTS_MAX) : 0;
}

static int dump_to(const struct vm *vm, const char *why, int fd, bool sparse)
{
	const struct machine *machine = vm->machine;
	struct core_cpu *cpus = xcalloc(machine->cpu_count, sizeof(*cpus));
	struct core_memory *memory = xcalloc(machine->memory_count, sizeof(*memory));
	struct core_segment *segments = xcalloc(CORE_SEGMENTS_MAX, sizeof(*segments));
	char *note = xasprintf("%s: %s", machine->name, why);
	struct core core = {
		.machine = machine->arch == MACHINE_X86 ? CORE_X86 : CORE_ARM64, .why = note,
		.cpu = cpus, .cpu_count = machine->cpu_count,
		.memory = memory, .memory_count = machine->memory_count, .segment = segments,
	};
	int error = 0;

	for (size_t i = 0; i < machine->memory_count; i++)
		memory[i] = (struct core_memory){ machine->memory[i].gpa, machine->memory[i].size,
						  machine->memory[i].hva };
	for (size_t i = 0; !error && i < machine->cpu_count; i++)
		error = read_cpu(vm, i, &cpus[i]);
	core.segment_count = read_segments(vm, segments);
	if (!error)
		error = core_write(&core, fd, sparse);
	for (size_t i = 0; i < machine->cpu_count; i++)
		free(cpus[i].system);
	free(cpus);
	free(memory);
	free(segments);
	free(note);
	return error;
}

/* ---- where it goes ---- */

/* DIR/PREFIX-YYYYMMDD-hhmmss.gcore, or the next free -1 … -9 of it. The fd, or -errno; @path says which. */
static int open_file(const struct machine *machine, char *path, size_t size)
{
	const char *prefix = machine->is_named ? machine->name : "qvm-guest";
	time_t now = time(NULL);
	struct tm tm;
	char date[32];
	int fd = -1;

	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	for (int i = 0; i < NAMES_MAX && fd < 0 && (i == 0 || errno == EEXIST); i++) {
		char suffix[16] = "";

		if (i)
			snprintf(suffix, sizeof(suffix), "-%d", i);
		snprintf(path, size, "%s/%s-%s%s.gcore", machine->dump, prefix, date, suffix);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	return fd < 0 ? -errno : fd;
}

static int dump_to_file(const struct vm *vm, const char *why)
{
	char path[4096];
	int fd = open_file(vm->machine, path, sizeof(path)), error;

	if (fd < 0) {
		log_error("dump: %s: %s", path, strerror(-fd));
		return fd;
	}
	error = dump_to(vm, why, fd, true);
	if (close(fd) && !error)
		error = -errno;
	if (error) {
		log_error("dump: %s: %s; what there was of it is removed", path, strerror(-error));
		unlink(path);
		return error;
	}
	log_info("dump: %s", path);
	return 0;
}

/* sh -c @command with @input as its standard input, and signals as every program expects them. */
static int spawn_shell(const char *command, int input, pid_t *pid)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int error;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	error = posix_spawn(pid, "/bin/sh", &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -error;
}

static int dump_to_command(const struct vm *vm, const char *why)
{
	const char *command = vm->machine->dump + 1;
	int fds[2], status = 0, error;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	error = spawn_shell(command, fds[0], &pid);
	close(fds[0]);
	if (!error) {
		error = dump_to(vm, why, fds[1], false);
		close(fds[1]);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	} else {
		close(fds[1]);
	}
	if (error || status) {
		log_error("dump: |%s: %s", command, status ? "the command failed" : strerror(-error));
		return error ? error : -EIO;
	}
	log_info("dump: |%s: written", command);
	return 0;
}

int vm_dump(struct vm *vm, const char *why)
{
	int error;

	if (!vm->machine->dump) {
		log_info("%s: no dump, as the config has no `dump`", why);
		return -ENOENT;
	}
	error = vm_pause(vm);
	if (!error)
		error = vm->machine->dump[0] == '|' ? dump_to_command(vm, why) : dump_to_file(vm, why);
	vm_resume(vm);
	return error;
}
