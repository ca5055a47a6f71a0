// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stat.h"
#include "util/log.h"
#include "util/status.h"
#include "vm/sys.h"

#define SECONDS_MAX	86400

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	{ "entries", offsetof(struct qvm_vcpu_stats, entries) },
	{ "exits", offsetof(struct qvm_vcpu_stats, exits) },
	{ "tier0", offsetof(struct qvm_vcpu_stats, tier0) },
	{ "user", offsetof(struct qvm_vcpu_stats, user_exits) },
	{ "irqs", offsetof(struct qvm_vcpu_stats, irqs) },
	{ "blocks", offsetof(struct qvm_vcpu_stats, blocks) },
	{ "polls", offsetof(struct qvm_vcpu_stats, polls) },
	{ "kicks", offsetof(struct qvm_vcpu_stats, kicks) },
	{ "mmio_kernel", offsetof(struct qvm_vcpu_stats, mmio_kernel) },
	{ "mmio_user", offsetof(struct qvm_vcpu_stats, mmio_user) },
	{ "doorbells", offsetof(struct qvm_vcpu_stats, doorbells) },
	{ "posted", offsetof(struct qvm_vcpu_stats, posted) },
	{ "unclaimed", offsetof(struct qvm_vcpu_stats, unclaimed) },
	{ "unknown_sysreg", offsetof(struct qvm_vcpu_stats, unknown_sysreg) },
	{ "undefined", offsetof(struct qvm_vcpu_stats, undefined) },
};

/* Arm ARM D17.2.37, ESR_EL2.EC. */
static const char * const arm64_reasons[QVM_STATS_REASONS] = {
	[0x00] = "unknown", [0x01] = "wfx", [0x07] = "fp", [0x09] = "pac", [0x16] = "hvc", [0x17] = "smc",
	[0x18] = "sysreg", [0x19] = "sve", [0x1a] = "eret", [0x20] = "fetch_abort", [0x24] = "data_abort",
	[0x30] = "breakpoint", [0x32] = "step", [0x34] = "watchpoint",
};

/* Intel SDM, volume 3D, appendix C: basic exit reasons. */
static const char * const x86_reasons[QVM_STATS_REASONS] = {
	[0] = "exception", [1] = "interrupt", [2] = "triple_fault", [3] = "init", [4] = "sipi",
	[7] = "interrupt_window", [8] = "nmi_window", [9] = "task_switch", [10] = "cpuid", [12] = "hlt",
	[13] = "invd", [14] = "invlpg", [15] = "rdpmc", [16] = "rdtsc", [18] = "vmcall", [28] = "cr",
	[29] = "dr", [30] = "io", [31] = "rdmsr", [32] = "wrmsr", [36] = "mwait", [37] = "mtf",
	[39] = "monitor", [40] = "pause", [43] = "tpr", [44] = "apic_access", [45] = "eoi",
	[46] = "gdtr_idtr", [47] = "ldtr_tr", [48] = "ept_violation", [49] = "ept_misconfiguration",
	[51] = "rdtscp", [52] = "preemption_timer", [54] = "wbinvd", [55] = "xsetbv", [56] = "apic_write",
	[58] = "invpcid", [63] = "xsaves",
};

/* Of all vCPUs of a VM at one time. */
struct sample {
	uint64_t time;			/* ns */
	unsigned int vcpus;
	struct qvm_vcpu_stats sum;
};

static void sample_add(struct sample *sample, const struct qvm_vcpu_stats *stats)
{
	uint64_t *sum = (uint64_t *)&sample->sum;
	const uint64_t *add = (const uint64_t *)stats;

	for (size_t i = 0; i < sizeof(*stats) / sizeof(*add); i++)
		sum[i] += add[i];
	sample->vcpus++;
}

/* 0 or a negative errno. */
static int sample_take(struct sample *sample, struct sys *sys, const char *name)
{
	struct qvm_stat stat = { 0 };

	*sample = (struct sample){ 0 };
	for (uint32_t i = 0; i < QVM_MAX_VCPUS; i++) {
		int error;

		snprintf(stat.name, sizeof(stat.name), "%s", name);
		stat.vcpu = i;
		error = sys_stat(sys, &stat);
		if (error == -ENXIO)
			continue;
		if (error)
			return error;
		sample->time = stat.time;
		sample_add(sample, &stat.stats);
	}
	return sample->vcpus ? 0 : -ENXIO;
}

/* @tier0: of these, 0 is not said. */
static void row_print(const char *name, uint64_t count, double seconds, uint64_t tier0)
{
	printf("%-20s %14llu", name, (unsigned long long)count);
	if (seconds > 0)
		printf(" %12.0f/s", count / seconds);
	if (tier0)
		printf("  tier0 %llu", (unsigned long long)tier0);
	putchar('\n');
}

static void reasons_print(const struct sample *s, const struct sample *before, uint32_t arch, double seconds)
{
	const char * const *names = arch == QVM_ARCH_ARM64 ? arm64_reasons : x86_reasons;

	for (unsigned int i = 0; i < QVM_STATS_REASONS; i++) {
		uint64_t count = s->sum.reason[i] - before->sum.reason[i];
		uint64_t tier0 = s->sum.reason_tier0[i] - before->sum.reason_tier0[i];
		char name[32];

		if (!count)
			continue;
		if (names[i])
			snprintf(name, sizeof(name), "exit %s", names[i]);
		else
			snprintf(name, sizeof(name), "exit 0x%02x", i);
		row_print(name, count, seconds, tier0);
	}
}

/* @before is all zero if nothing was waited for. */
static void stat_print(const struct sample *s, const struct sample *before, uint32_t arch)
{
	double seconds = before->time ? (s->time - before->time) / 1e9 : 0;

	row_print("vcpus", s->vcpus, 0, 0);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		size_t offset = counters[i].offset;
		uint64_t now = *(const uint64_t *)((const char *)&s->sum + offset);
		uint64_t then = *(const uint64_t *)((const char *)&before->sum + offset);

		row_print(counters[i].name, now - then, seconds, 0);
	}
	reasons_print(s, before, arch, seconds);
}

/* How long exits took, where the module was told to note it: kmod/histogram.h has the file's form. */
static void histograms_print(const char *vm, uint32_t arch)
{
	const char * const *names = arch == QVM_ARCH_ARM64 ? arm64_reasons : x86_reasons;
	FILE *f = fopen("/sys/kernel/debug/qvm/histograms", "re");
	unsigned long long count, least, median, p99, most;
	char line[256], name[QVM_NAME_SIZE];
	unsigned int reason;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%31[^\t]\t%u %llu %llu %llu %llu %llu", name, &reason, &count, &least, &median, &p99,
			   &most) != 7 || strcmp(name, vm) || reason >= QVM_STATS_REASONS)
			continue;
		printf("cycles %-13s min %llu median %llu p99 %llu max %llu\n",
		       names[reason] ? names[reason] : "other", least, median, p99, most);
	}
	if (f)
		fclose(f);
}

static int stat_fail(const char *name, int error)
{
	switch (error) {
	case -ENOENT:
		log_error("stat: no VM is called `%s`", name);
		break;
	case -EPERM:
		log_error("stat: `%s` is another process's VM: that takes CAP_PERFMON", name);
		break;
	default:
		log_error("stat: `%s`: %s", name, strerror(-error));
	}
	return STATUS_START;
}

static int stat_run(struct sys *sys, const char *name, unsigned long seconds)
{
	struct sample before = { 0 }, now;
	struct qvm_query query;
	int error = sys_query(sys, &query);

	if (!error && seconds) {
		struct timespec wait = { .tv_sec = seconds };

		error = sample_take(&before, sys, name);
		if (!error)
			nanosleep(&wait, NULL);
	}
	if (!error)
		error = sample_take(&now, sys, name);
	if (error)
		return stat_fail(name, error);
	stat_print(&now, &before, query.arch);
	histograms_print(name, query.arch);
	return 0;
}

int stat_command(int argc, char **argv)
{
	unsigned long seconds = 0;
	char *end = "";
	struct sys *sys;
	int status;

	if (argc == 3)
		seconds = strtoul(argv[2], &end, 10);
	if (argc < 2 || argc > 3 || *end || seconds > SECONDS_MAX || strlen(argv[1]) >= QVM_NAME_SIZE) {
		log_error("stat: usage: qvm stat NAME [SECONDS], with 1 to %d seconds", SECONDS_MAX);
		return STATUS_CONFIG;
	}
	status = sys_open(&sys);
	if (status) {
		log_error("stat: %s: %s; %s", sys_path, strerror(-status), sys_remedy);
		return STATUS_START;
	}
	status = stat_run(sys, argv[1], seconds);
	sys_close(sys);
	return status;
}
