// SPDX-License-Identifier: GPL-2.0-only
#include "machine/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/machine.h"
#include "util/alloc.h"

#define MIB		((uint64_t)1 << 20)
#define CAP_IPC_LOCK	14	/* capabilities(7) */
#define CAP_SYS_NICE	23
#define RTPRIO_MAX	99	/* sched(7) */

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

static bool may(unsigned int capability)
{
	uint64_t capabilities = read_number("/proc/self/status", "CapEff: %llx");

	return capabilities == UINT64_MAX || capabilities >> capability & 1;
}

void limits_read(struct limits *limits)
{
	struct rlimit memlock = { .rlim_cur = RLIM_INFINITY }, rtprio = { 0 };
	uint64_t kib = read_number("/proc/meminfo", "MemAvailable: %llu kB");
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	getrlimit(RLIMIT_MEMLOCK, &memlock);
	getrlimit(RLIMIT_RTPRIO, &rtprio);
	*limits = (struct limits){
		.available = kib == UINT64_MAX ? UINT64_MAX : kib * 1024,
		.memlock = memlock.rlim_cur == RLIM_INFINITY || may(CAP_IPC_LOCK) ? UINT64_MAX :
			   memlock.rlim_cur,
		.cpus = cpus > 0 ? cpus : UINT32_MAX,
		.rtprio = rtprio.rlim_cur >= RTPRIO_MAX || may(CAP_SYS_NICE) ? RTPRIO_MAX :
			  rtprio.rlim_cur,
		.deadline = may(CAP_SYS_NICE),
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

static void check_sched(const struct limits *limits, const struct machine *m)
{
	for (size_t i = 0; i < m->cpu_count; i++) {
		const struct cpu *cpu = &m->cpu[i];

		if (cpu->sched_priority > (int)limits->rtprio)
			log_at(&cpu->origin, "sched", "real-time priority %d, and this user may have %u at "
			       "most (RLIMIT_RTPRIO): run as root, or type 'ulimit -r %d' first (needs "
			       "'rtprio' in /etc/security/limits.conf)", cpu->sched_priority,
			       limits->rtprio, cpu->sched_priority);
		if (cpu->sched_policy == 's' && !limits->deadline)
			log_at(&cpu->origin, "sched", "sporadic scheduling is SCHED_DEADLINE, which no limit "
			       "gives this user: run as root, or write a priority such as 8r");
	}
}

/* That it is threaded, and of the launcher's domain, the kernel says when a thread enters it. */
static void check_partitions(const struct machine *m)
{
	for (size_t i = 0; i < m->cpu_count; i++) {
		const struct cpu *cpu = &m->cpu[i];
		char *threads = cpu->partition ? xasprintf("%s/cgroup.threads", cpu->partition) : NULL;

		if (threads && access(threads, F_OK))
			log_at(&cpu->origin, "partition", "there is no cgroup (v2) %s: type 'mkdir %s; echo "
			       "threaded > %s/cgroup.type'; where cgroups are not mounted yet, first 'mount -t "
			       "cgroup2 none /sys/fs/cgroup'", cpu->partition, cpu->partition, cpu->partition);
		else if (threads && access(threads, W_OK))
			log_at(&cpu->origin, "partition", "%s: %s; run as root, or have this user given that "
			       "cgroup and the one above it", threads, strerror(errno));
		free(threads);
	}
}

/* Where it is wanted it is too late to look for another place. */
static void check_dump(const struct machine *m)
{
	struct stat status;
	bool is_file;

	if (!m->dump || m->dump[0] == '|')
		return;
	is_file = !stat(m->dump, &status) && !S_ISDIR(status.st_mode);
	if (is_file)
		errno = ENOTDIR;
	if (is_file || access(m->dump, W_OK | X_OK))
		log_error("dump: %s: %s; type 'mkdir -p %s', or name a folder that this user may write to",
			  m->dump, strerror(errno), m->dump);
}

int limits_check(const struct limits *limits, const struct machine *m)
{
	unsigned int before = log_error_count();

	check_memory(limits, m);
	check_cpus(limits, m);
	check_sched(limits, m);
	check_partitions(m);
	check_dump(m);
	return log_error_count() == before ? 0 : -1;
}
