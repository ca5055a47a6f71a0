// SPDX-License-Identifier: GPL-2.0-only
/* From the node tree to the model: defaults, automatic addresses and lines. */
#include "machine/machine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"
#include "machine/board.h"
#include "machine/build.h"
#include "util/alloc.h"

#define POLL_US		200	/* as README of configs says, where every vCPU has its own pCPU */
#define PAGE	4096ULL
#define CGROUPS	"/sys/fs/cgroup/"

static const struct origin board_default = { ORIGIN_BOARD, 0 };

static struct origin origin_of(const struct node *node)
{
	return node ? node->origin : board_default;
}

static void build_memory(struct machine *m, const struct node *list)
{
	uint64_t highest = 0;

	m->memory_incomplete = list && list->bad;
	m->memory = xcalloc(3 * node_count(list) + 1, sizeof(*m->memory));
	for (const struct node *entry = node_first(list); entry; entry = entry->next) {
		struct memory *memory = &m->memory[m->memory_count];
		const struct node *rom = node_find(entry, "rom");
		bool around;	/* what a PC has there */

		if (entry->bad)
			continue;	/* else exactly one of ram and rom is there */
		*memory = (struct memory){
			.kind = rom ? MEMORY_ROM : MEMORY_RAM,
			.gpa = schema_number(entry, "memory[].at"),
			.size = schema_number(entry, rom ? "memory[].rom" : "memory[].ram"),
			.lazy = schema_bool(entry, "memory[].lazy"),
			.origin = (rom ? rom : node_find(entry, "ram"))->origin,
		};
		if (memory->gpa == MACHINE_AUTO && m->memory_incomplete)
			continue;	/* after what? */
		around = memory->gpa == MACHINE_AUTO && !rom && m->arch == MACHINE_X86;
		if (memory->gpa == MACHINE_AUTO)
			memory->gpa = highest ? (highest + PAGE - 1) & -PAGE : m->board->ram;
		if (memory->gpa + memory->size > highest)
			highest = memory->gpa + memory->size;
		m->memory_count++;
		if (around)
			highest = x86_split_ram(m);
	}
	if (m->arch == MACHINE_X86)
		x86_add_firmware(m);
}

static void build_cpu(struct cpu *cpu, const struct node *entry)
{
	const char *sched = schema_string(entry, "cpus[].sched");
	struct node *mask = schema_node(entry, "cpus[].runmask");
	struct node *partition = schema_node(entry, "cpus[].partition");
	struct sporadic sporadic;
	uint64_t pcpu;

	cpu->origin = entry->origin;
	if (sched && value_sporadic(sched, &sporadic)) {
		cpu->sched_policy = 's';
		cpu->sched_period = sporadic.period;
		cpu->sched_budget = sporadic.budget;
	} else if (sched) {
		value_sched(sched, &cpu->sched_priority, &cpu->sched_policy);
	}
	if (partition) {
		cpu->partition = xasprintf("%s%s", partition->text[0] == '/' ? "" : CGROUPS, partition->text);
		node_judge(partition, VERDICT_APPROXIMATED, "a cgroup: its cpu.max and cpu.weight say what "
			   "it may have, and not a budget of adaptive partitions");
	}
	if (mask && !mask->child)
		node_error(mask, "of no CPU, write some, such as [0, 1], or leave it out");
	for (const struct node *bit = mask ? mask->child : NULL; bit; bit = bit->next)
		if (value_number(bit->text, &pcpu))
			cpu->runmask |= 1ULL << pcpu;
}

/* One warning for all of them: without host-rt they would only seem to have a priority. */
static void check_sched(struct machine *m, const struct node *list)
{
	const struct node *entry = node_first(list);
	bool said = false;

	for (size_t i = 0; i < m->cpu_count; i++, entry = entry->next) {
		struct node *sched = schema_node(entry, "cpus[].sched");
		struct cpu *cpu = &m->cpu[i];

		if (m->host_rt && cpu->sched_policy == 's')
			node_judge(sched, VERDICT_APPROXIMATED, "SCHED_DEADLINE, BUDGET of every PERIOD; "
				   "HIGH, LOW and MAXREPL do nothing, as it comes before all priorities, and "
				   "without budget it waits");
		else if (sched && !m->host_rt && !said)
			node_warn(sched, "needs `set.host-rt: on` (qvmconf: set host-rt on), till then "
				  "every vCPU runs with the host's normal policy");
		said |= sched != NULL;
		if (!m->host_rt) {
			cpu->sched_priority = 0;
			cpu->sched_policy = 0;
		}
	}
}

static void build_cpus(struct machine *m, struct node *root)
{
	struct node *node = schema_node(root, "cpus");
	const struct node *entry;

	if (node && node->kind == NODE_LIST) {
		m->cpu_count = node_count(node);
		if (!m->cpu_count)
			node_error(node, "an empty list, write `- {}` for each vCPU, or their number");
		m->cpu = xcalloc(m->cpu_count, sizeof(*m->cpu));
		entry = node->child;
		for (size_t i = 0; i < m->cpu_count; i++, entry = entry->next)
			build_cpu(&m->cpu[i], entry);
		check_sched(m, node);
		return;
	}
	m->cpu_count = schema_number(root, "cpus");
	m->cpu = xcalloc(m->cpu_count, sizeof(*m->cpu));
	for (size_t i = 0; i < m->cpu_count; i++)
		m->cpu[i].origin = origin_of(node);
}

/*
 * A relative path of qvmconf that is nowhere is said here, where both places are known; false
 * then.
 */
static bool check_path(struct node *node)
{
	char *path = node_host_path(node, node->text);
	const char *file = node->origin.file, *slash = strrchr(file, '/');
	bool found = !node->qvmconf || path[0] == '/' || !slash || !node->origin.line ||
		     !access(path, F_OK);

	if (!found)
		node_error(node, "there is neither %s (in the working directory) nor %.*s/%s (beside "
			   "the config)", path, (int)(slash - file), file, node->text);
	free(path);
	return found;
}

static void build_images(struct machine *m, const struct node *list)
{
	static const char *const keys[] = { "kernel", "elf", "initrd", "data", "fdt", "acpi", "file" };

	m->images_incomplete = list && list->bad;
	m->image = xcalloc(node_count(list), sizeof(*m->image));
	for (const struct node *entry = node_first(list); entry; entry = entry->next) {
		for (size_t i = 0; !entry->bad && i < sizeof(keys) / sizeof(keys[0]); i++) {
			struct node *path = node_find(entry, keys[i]);

			if (!path)
				continue;
			if (!check_path(path)) {
				m->images_incomplete = true;
				continue;
			}
			m->image[m->image_count++] = (struct image){
				.key = keys[i],
				.path = node_host_path(path, path->text),
				.gpa = schema_number(entry, "load[].at"),
				.arch = m->arch,
				.origin = path->origin,
			};
		}
	}
}

static enum policy build_policy(const struct node *map, const char *path)
{
	/* in the order of the schema's choices */
	static const enum policy policies[] = { POLICY_ABORT, POLICY_FAIL, POLICY_IGNORE };

	return policies[schema_choice(map, path)];
}

/* Unlike a default, an address that was said wrongly must not be compared with others. */
static uint64_t gic_number(const struct node *gic, const char *path, uint64_t unknown)
{
	const struct node *node = node_find(gic, strchr(path, '.') + 1);

	if (gic && gic->bad && (gic->kind != NODE_MAP || (node && node->bad)))
		return unknown;
	return schema_number(gic, path);
}

static void build_variables(struct machine *m, const struct node *set)
{
	m->host_rt = schema_bool(set, "set.host-rt");
	m->exit_on_halt = schema_bool(set, "set.exit-on-halt");
	m->counter_offset = schema_number(set, "set.counter-offset");
	m->stuck_exits = schema_number(set, "set.stuck-exits");
	m->stuck_kick_ms = schema_number(set, "set.stuck-kick");
	m->poll_us = schema_number(set, "set.poll");
}

/* Polling takes a host CPU from nobody where each vCPU has one for itself. */
static bool vcpus_have_own_pcpus(const struct machine *m)
{
	uint64_t taken = 0;

	for (size_t i = 0; i < m->cpu_count; i++) {
		uint64_t mask = m->cpu[i].runmask;

		if (!mask || mask & (mask - 1) || mask & taken)
			return false;
		taken |= mask;
	}
	return true;
}

static void build_poll(struct machine *m)
{
	if (m->poll_us == UINT64_MAX)
		m->poll_us = vcpus_have_own_pcpus(m) ? POLL_US : 0;
}

/* exit, exit=STATUS, restart */
static void build_reset(struct machine *m, const struct node *node)
{
	const char *text = node ? node->text : "exit";
	char *end = NULL;
	long status = 0;

	m->reset_restart = !strcmp(text, "restart");
	if (m->reset_restart || !strcmp(text, "exit"))
		return;
	if (!strncmp(text, "exit=", 5) && text[5] >= '0' && text[5] <= '9')
		status = strtol(text + 5, &end, 10);
	if (!end || *end || status > 255)
		log_at(&node->origin, "reset", "`%s` is none of `restart`, `exit` and `exit=STATUS`, 0 to 255",
		       text);
	else
		m->reset_status = (int)status;
}

/* `|command`, or a folder that may be relative. */
static char *build_dump(const struct node *node)
{
	if (!node || node->text[0] == '|')
		return node ? xstrdup(node->text) : NULL;
	return node_host_path(node, node->text);
}

static void check_safety(struct node *root)
{
	struct node *safety = schema_node(root, "safety");

	if (safety && !strcmp(safety->text, "required"))
		node_error(safety, "no part of qvm has a safety certificate, write none or warn");
	else if (safety && !strcmp(safety->text, "warn"))
		node_warn(safety, "no part of qvm has a safety certificate");
}

/* What only an arm64 board has. */
static void check_of_board(const struct machine *m, struct node *gic, struct node *fdt)
{
	if (m->arch == MACHINE_ARM64)
		return;
	if (gic && gic->kind == NODE_MAP)
		node_error(gic, "there is no such device on %s", m->board->name);
	for (struct node *key = fdt && fdt->kind == NODE_MAP ? fdt->child : NULL; key; key = key->next)
		node_warn(key, "no effect, as the guest of an %s board gets ACPI tables and no FDT", m->board->name);
}

static void build_rest(struct machine *m, struct node *root)
{
	struct node *gic = node_find(root, "gic"), *fdt = node_find(root, "fdt");
	const struct node *unsupported = node_find(root, "unsupported");
	const struct node *dump = schema_node(fdt, "fdt.dump");

	m->gic.gicd = gic_number(gic, "gic.gicd", MACHINE_AUTO);
	m->gic.gicr = gic_number(gic, "gic.gicr", MACHINE_AUTO);
	m->gic.lines = gic_number(gic, "gic.lines", 1020);
	m->gic.version = gic_number(gic, "gic.version", 3);
	m->gic.origin = origin_of(gic);
	m->fdt_gpa = schema_number(fdt, "fdt.at");
	m->fdt_reg = schema_number(fdt, "fdt.reg");
	m->fdt_dump_file = dump ? node_host_path(dump, dump->text) : NULL;
	m->fdt_origin = origin_of(fdt);
	m->fdt_wanted = m->arch == MACHINE_ARM64;
	m->policy_instruction = build_policy(unsupported, "unsupported.instruction");
	m->policy_reference = build_policy(unsupported, "unsupported.reference");
	m->policy_register = build_policy(unsupported, "unsupported.register");
	check_safety(root);
	check_of_board(m, gic, fdt);
	m->cmdline = xstrdup(schema_string(root, "cmdline"));
	m->cmdline_origin = origin_of(node_find(root, "cmdline"));
	m->dryrun = schema_bool(root, "dryrun");
	m->debug = schema_bool(root, "debug");
	m->dump = build_dump(schema_node(root, "dump"));
	build_reset(m, schema_node(root, "reset"));
}

static enum machine_arch build_arch(const struct node *root)
{
	return !strcmp(config_arch(root), "x86") ? MACHINE_X86 : MACHINE_ARM64;
}

void machine_build(struct machine *m, struct node *root)
{
	struct node *name = schema_node(root, "system");

	memset(m, 0, sizeof(*m));
	m->origin = (struct origin){ root->origin.file, 0 };
	m->arch = build_arch(root);
	m->board = m->arch == MACHINE_X86 ? &board_x86 : &board_arm64;
	m->name = name ? xstrdup(name->text) : xasprintf("qvm-%d", getpid());
	m->is_named = name;
	m->qvmconf = root->qvmconf;
	build_variables(m, node_find(root, "set"));
	build_memory(m, node_find(root, "memory"));
	build_cpus(m, root);
	build_poll(m);
	build_images(m, node_find(root, "load"));
	build_devices(m, node_find(root, "devices"));
	build_reserved(m, node_find(root, "reserve"));
	build_pass(m, node_find(root, "pass"));
	build_loggers(m, node_find(root, "logger"));
	build_rest(m, root);
	assign_devices(m);
	finish_devices(m);
	assign_windows(m);
	if (m->arch == MACHINE_X86)
		x86_assign_ports(m);
}

void machine_fini(struct machine *m)
{
	for (size_t i = 0; i < m->image_count; i++) {
		free(m->image[i].path);
		free(m->image[i].data);
	}
	for (size_t i = 0; i < m->device_count; i++) {
		free(m->device[i].name);
		for (size_t j = 0; j < HOSTDEV_MAX; j++)
			free(m->device[i].hostdev[j]);
		for (size_t j = 0; j < m->device[i].strings_count; j++)
			free(m->device[i].strings[j]);
		free(m->device[i].strings);
		free(m->device[i].state);
	}
	for (size_t i = 0; i < m->blob_count; i++)
		free(m->blob[i].data);
	free(m->blob);
	free(m->name);
	free(m->memory);
	for (size_t i = 0; i < m->cpu_count; i++)
		free(m->cpu[i].partition);
	free(m->cpu);
	free(m->image);
	free(m->device);
	free(m->reserved);
	free(m->pass);
	free(m->logger);
	free(m->dump);
	free(m->cmdline);
	free(m->fdt_dump_file);
	free(m->fdt_blob);
	memset(m, 0, sizeof(*m));
}

const struct memory *machine_find_memory(const struct machine *m, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->memory_count; i++) {
		const struct memory *memory = &m->memory[i];

		if (gpa >= memory->gpa && gpa - memory->gpa < memory->size &&
		    size <= memory->size - (gpa - memory->gpa))
			return memory;
	}
	return NULL;
}

void *machine_hva(const struct machine *m, uint64_t gpa, uint64_t size)
{
	const struct memory *memory = machine_find_memory(m, gpa, size);

	return memory && memory->hva ? (uint8_t *)memory->hva + (gpa - memory->gpa) : NULL;
}
