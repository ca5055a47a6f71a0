// SPDX-License-Identifier: GPL-2.0-only
#include "machine/limits.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "machine/machine.h"

#define MIB		((uint64_t)1 << 20)
#define CAP_IPC_LOCK	14	/* capabilities(7) */

/* The number that the first fitting line of a file of /proc has; UINT64_MAX: no line fits. */
__attribute__((format(scanf, 2, 0)))
static uint64_t read_number(const char *path, const char *format)
{
	unsigned long long number;
	char line[256];
	FILE *file = fopen(path, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, format, &number) == 1;
	if (file)
		fclose(file);
	return found ? number : UINT64_MAX;
}

static bool may_pin_all(void)
{
	uint64_t capabilities = read_number("/proc/self/status", "CapEff: %llx");

	return capabilities == UINT64_MAX || capabilities >> CAP_IPC_LOCK & 1;
}

void limits_read(struct limits *limits)
{
	struct rlimit memlock = { .rlim_cur = RLIM_INFINITY };
	uint64_t kib = read_number("/proc/meminfo", "MemAvailable: %llu kB");
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	getrlimit(RLIMIT_MEMLOCK, &memlock);
	*limits = (struct limits){
		.available = kib == UINT64_MAX ? UINT64_MAX : kib * 1024,
		.memlock = memlock.rlim_cur == RLIM_INFINITY || may_pin_all() ? UINT64_MAX :
			   memlock.rlim_cur,
		.cpus = cpus > 0 ? cpus : UINT32_MAX,
	};
}

static void check_memory(const struct limits *limits, const struct machine *m)
{
	uint64_t wanted = 0;

	for (size_t i = 0; i < m->memory_count; i++)
		wanted += m->memory[i].size;
	if (wanted > limits->available)
		log_error("the VM's memory is %" PRIu64 " MiB and the host has %" PRIu64 " MiB left: "
			  "give it less (ram), or end something", wanted / MIB,
			  limits->available / MIB);
	if (wanted > limits->memlock)
		log_error("the VM's memory is %" PRIu64 " MiB and this user may pin %" PRIu64 " MiB "
			  "(RLIMIT_MEMLOCK): run as root, or type 'ulimit -l unlimited' first (needs "
			  "'memlock' in /etc/security/limits.conf)", wanted / MIB,
			  limits->memlock / MIB);
}

static void check_cpus(const struct limits *limits, const struct machine *m)
{
	for (size_t i = 0; i < m->cpu_count; i++) {
		uint64_t mask = m->cpu[i].runmask;
		unsigned int highest = mask ? 63 - __builtin_clzll(mask) : 0;

		if (highest >= limits->cpus)
			log_at(&m->cpu[i].origin, "runmask", "the host has no CPU %u, its CPUs are 0 to "
			       "%u", highest, limits->cpus - 1);
	}
}

int limits_check(const struct limits *limits, const struct machine *m)
{
	unsigned int before = log_error_count();

	check_memory(limits, m);
	check_cpus(limits, m);
	return log_error_count() == before ? 0 : -1;
}
