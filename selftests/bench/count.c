// SPDX-License-Identifier: GPL-2.0-only
/*
 * count NAME COMMAND…: virtual time that a command takes, as "bench: NAME INSTRUCTIONS". In the lab
 * the counter of the CPU counts instructions: on arm64 with --icount 16 a tick, on x86 one. Elsewhere
 * the unit is not that.
 * Exits with COMMAND's status.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __aarch64__
static uint64_t counter(void)
{
	uint64_t ticks;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks * 16;
}
#else /* x86 */
static uint64_t counter(void)
{
	return __builtin_ia32_rdtsc();
}
#endif

int main(int argc, char **argv)
{
	uint64_t begin;
	int status;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: count NAME COMMAND [ARGUMENT]...\n", stderr);
		return 64;
	}
	begin = counter();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "count: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("count");
		return 71;
	}
	begin = counter() - begin;
	printf("bench: %s %llu\n", argv[1], (unsigned long long)begin);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
