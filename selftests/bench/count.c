// SPDX-License-Identifier: GPL-2.0-only
/*
 * count NAME COMMAND…: virtual time that a command takes, as "bench: NAME INSTRUCTIONS". In the lab
 * the counter of the CPU counts instructions: on arm64 with --icount 16 a tick, on x86 one. Elsewhere
 * the unit is not that: `count rates` says how many are a second, and how many cycles of this CPU.
 * Exits with COMMAND's status.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CYCLES	20000000

#ifdef __aarch64__
#define STEP	"sub %0, %0, #1"

static uint64_t counter(void)
{
	uint64_t ticks;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks * 16;
}
#else /* x86 */
#define STEP	"dec %0"

static uint64_t counter(void)
{
	return __builtin_ia32_rdtsc();
}
#endif

static uint64_t ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A round is a cycle: a subtraction that needs the last one, and a branch. */
static int rates(void)
{
	uint64_t best = UINT64_MAX, time = ns(), ticks = counter();

	for (int i = 0; i < 10; i++) {
		uint64_t rounds = CYCLES, begin = ns();

		while (rounds)
			asm volatile(STEP : "+r"(rounds) : : "cc");
		begin = ns() - begin;
		best = begin < best ? begin : best;
	}
	ticks = counter() - ticks;
	printf("bench: host_counter_hz %.0f\n", ticks * 1e9 / (ns() - time));
	printf("bench: host_core_hz %.0f\n", CYCLES * 1e9 / best);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t begin;
	int status;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "rates"))
		return rates();
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
