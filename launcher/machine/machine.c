// SPDX-License-Identifier: GPL-2.0-only
/* From the node tree to the model: defaults, automatic addresses and lines. */
#include "machine/machine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"
#include "dev/device_host.h"
#include "machine/board.h"
#include "util/alloc.h"

#define IRQ_AUTO	UINT32_MAX

static const struct origin board_default = { ORIGIN_BOARD, 0 };

const struct board_device *board_find(const struct board *board, const char *name)
{
	for (const struct board_device *device = board->devices; device->name; device++)
		if (!strcmp(device->name, name))
			return device;
	return NULL;
}

const struct board_device *board_find_next(const struct board_device *row)
{
	for (const struct board_device *next = row + 1; next->name; next++)
		if (!strcmp(next->name, row->name))
			return next;
	return NULL;
}

uint32_t board_irq_end(const struct machine *m)
{
	return m->arch == MACHINE_X86 ? 24 : m->gic.lines;
}

static char *copy_string(const struct node *entry, const char *path)
{
	return xstrdup(schema_string(entry, path));
}

static struct origin origin_of(const struct node *node)
{
	return node ? node->origin : board_default;
}

/* Where a list should be there may be anything: the schema has said so. */
static const struct node *first_entry(const struct node *list)
{
	return list && list->kind == NODE_LIST ? list->child : NULL;
}

static void build_memory(struct machine *m, const struct node *list)
{
	uint64_t highest = 0;

	m->memory_incomplete = list && list->bad;
	m->memory = xcalloc(3 * node_count(list) + 1, sizeof(*m->memory));
	for (const struct node *entry = first_entry(list); entry; entry = entry->next) {
		struct memory *memory = &m->memory[m->memory_count];
		const struct node *rom = node_find(entry, "rom");
		bool around;	/* what a PC has there */

		if (entry->bad)
			continue;	/* else exactly one of ram and rom is there */
		*memory = (struct memory){
			.kind = rom ? MEMORY_ROM : MEMORY_RAM,
			.gpa = schema_number(entry, "memory[].at"),
			.size = schema_number(entry, rom ? "memory[].rom" : "memory[].ram"),
			.origin = (rom ? rom : node_find(entry, "ram"))->origin,
		};
		if (memory->gpa == MACHINE_AUTO && m->memory_incomplete)
			continue;	/* after what? */
		around = memory->gpa == MACHINE_AUTO && !rom && m->arch == MACHINE_X86;
		if (memory->gpa == MACHINE_AUTO)
			memory->gpa = highest ? highest : m->board->ram;
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
	const struct node *mask = schema_node(entry, "cpus[].runmask");
	uint64_t pcpu;

	cpu->origin = entry->origin;
	if (sched)
		value_sched(sched, &cpu->sched_priority, &cpu->sched_policy);
	for (const struct node *bit = mask ? mask->child : NULL; bit; bit = bit->next)
		if (value_number(bit->text, &pcpu))
			cpu->runmask |= 1ULL << pcpu;
}

/* One warning for all of them: without host-rt they would only seem to have a priority. */
static void check_sched(struct machine *m, const struct node *list)
{
	bool said = false;

	for (const struct node *cpu = first_entry(list); cpu && !m->host_rt; cpu = cpu->next) {
		struct node *sched = schema_node(cpu, "cpus[].sched");

		if (sched && !said)
			node_warn(sched, "needs `set.host-rt: on` (qvmconf: set host-rt on), till then "
				  "every vCPU runs with the host's normal policy");
		said |= sched != NULL;
	}
	for (size_t i = 0; i < m->cpu_count && !m->host_rt; i++)
		m->cpu[i].sched_priority = 0;
}

static void build_cpus(struct machine *m, struct node *root)
{
	const struct node *node = schema_node(root, "cpus");
	const struct node *entry;

	if (node && node->kind == NODE_LIST) {
		m->cpu_count = node_count(node);
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
	static const char *const keys[] = { "kernel", "elf", "initrd", "data", "fdt", "file" };

	m->images_incomplete = list && list->bad;
	m->image = xcalloc(node_count(list), sizeof(*m->image));
	for (const struct node *entry = first_entry(list); entry; entry = entry->next) {
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

struct hostdev_word hostdev_parse(const char *text)
{
	struct hostdev_word word = { .in = *text != '>' && *text != '|', .out = *text != '<' };

	word.path = text + (*text == '<' || *text == '>');
	return word;
}

/* [<|>]PATH, where PATH is relative to its file; - and a command are no paths. */
static char *build_hostdev(const struct node *node)
{
	const char *path = hostdev_parse(node->text).path;
	char *host_path, *hostdev;

	if (!*path || !strcmp(path, "-") || *path == '|')
		return xstrdup(node->text);
	host_path = node_host_path(node, path);
	hostdev = xasprintf("%.*s%s", (int)(path - node->text), node->text, host_path);
	free(host_path);
	return hostdev;
}

/* One after the other; each direction has one at most. */
static void build_hostdevs(struct device_config *device)
{
	struct node *node = schema_node(device->node, "devices[].*.hostdev"), *entry;
	bool in = false, out = false;
	size_t count = 0;

	entry = node && node->kind == NODE_LIST ? node->child : node;
	for (; entry && entry->text; entry = node->kind == NODE_LIST ? entry->next : NULL) {
		struct hostdev_word word = hostdev_parse(entry->text);

		if (!*word.path || !strcmp(word.path, "|")) {
			node_error(entry, "\"%s\" names nothing, write a path, - or |COMMAND",
				   entry->text);
		} else if ((in && word.in) || (out && word.out)) {
			node_error(entry, "\"%s\" is a second one for the same direction, write one "
				   "with < and one with >", entry->text);
		} else {
			device->hostdev[count++] = build_hostdev(entry);
		}
		in |= word.in;
		out |= word.out;
	}
}

/* SECONDS or forever. */
static void build_delayed(struct device_config *device)
{
	struct node *node = schema_node(device->node, "devices[].*.delayed");

	device->is_delayed = node;
	if (node && !strcmp(node->text, "forever"))
		device->delayed = UINT64_MAX;
	else if (node && !value_number(node->text, &device->delayed))
		node_error(node, "\"%s\" won't do, write seconds, or forever", node->text);
}

/* A port, an address, or auto: then it is what the board has for the type. */
static void build_location(struct device_config *device, const struct board *board)
{
	const char *at = schema_string(device->node, "devices[].*.at");
	const struct board_device *row = board_find(board, device->type->name);
	uint32_t port;

	device->gpa = schema_number(device->node, "devices[].*.at");
	if (value_port(at, &port)) {
		device->gpa = port;
		device->port = true;
	} else if (device->gpa == MACHINE_AUTO && row) {
		device->port = row->port;
	}
}

static unsigned int logger_kind(const char *word);
static int logger_target(const char *word);

/* "error,warn slog" */
static void build_log(struct device_config *device, struct node *said)
{
	char *text = xstrdup(said->text), *target = strchr(text, ' '), *save = NULL;
	unsigned int kinds = 0;
	bool good = target;

	if (target)
		*target++ = '\0';
	for (char *word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		good &= logger_kind(word) != 0;
		kinds |= logger_kind(word);
	}
	good = good && kinds && logger_target(target) >= 0;
	if (good)
		log_routes_set(&device->log, kinds, (enum log_target)logger_target(target));
	else
		node_error(said, "\"%s\" won't do, write kinds and a place as in `logger`, such as "
			   "error,warn stderr", said->text);
	device->has_log |= good;
	free(text);
}

static void build_logs(struct device_config *device)
{
	struct node *list = schema_node(device->node, "devices[].*.log");
	struct node *said = list && list->kind == NODE_LIST ? list->child : list;

	for (; said && said->text; said = list->kind == NODE_LIST ? said->next : NULL)
		build_log(device, said);
}

static void build_device(struct machine *m, struct node *options)
{
	const char *irq = schema_string(options, "devices[].*.irq");
	struct device_config *device = &m->device[m->device_count++];

	*device = (struct device_config){
		.type = device_type_find(options->key),
		.name = copy_string(options, "devices[].*.name"),
		.irq = IRQ_AUTO,
		.node = options,
		.show = schema_bool(options, "devices[].*.debug"),
		.batch_us = schema_number(options, "devices[].*.batch"),
		.origin = options->origin,
	};
	device->size = device->type->size;
	build_location(device, m->board);
	build_hostdevs(device);
	build_delayed(device);
	build_logs(device);
	value_irq(irq, &device->irq);	/* "auto" is no line: it stays IRQ_AUTO */
}

/* Options of its own; the name is there by now. */
static void build_options(struct device_config *device)
{
	struct device_host host;
	const struct device *before;

	device->state = xcalloc(1, device->type->state_size + 1);
	device_options_read(device, device->state);
	if (!device->type->check || device->node->bad || device_host_init(&host, device, NULL))
		return;
	before = device_enter(&host.dev);
	device->type->check(&host.dev);
	device_enter(before);
	device_host_fini(&host);
}

/* QNX gives them a PCI slot if there is no `loc`. */
static void check_loc(const struct node *options)
{
	bool is_pci = !strncmp(options->key, "virtio-", 7) || !strcmp(options->key, "shmem");

	if (is_pci && options->qvmconf && !node_find(options, "at"))
		node_error((struct node *)options, "without `loc` it would be a PCI device, and this "
			   "board has no PCI yet; write loc and intr, such as loc 0x1c0d0000 intr gic:41");
}

static void build_devices(struct machine *m, const struct node *list)
{
	m->devices_incomplete = list && list->bad;
	m->device = xcalloc(node_count(list), sizeof(*m->device));
	for (const struct node *entry = first_entry(list); entry; entry = entry->next) {
		if (entry->kind == NODE_MAP && entry->child)
			check_loc(entry->child);
		if (!entry->bad && entry->child)
			build_device(m, entry->child);
	}
}

static void build_reserved(struct machine *m, const struct node *list)
{
	m->reserved = xcalloc(node_count(list), sizeof(*m->reserved));
	for (const struct node *entry = first_entry(list); entry; entry = entry->next) {
		struct reserved *reserved = &m->reserved[m->reserved_count];
		const struct node *at = schema_node(entry, "reserve[].at");
		const char *irq = schema_string(entry, "reserve[].irq");

		if (entry->bad)
			continue;
		*reserved = (struct reserved){ .origin = entry->origin };
		if (irq)
			value_irq(irq, &reserved->irq);
		if (at && !node_find(entry, "size"))
			node_error((struct node *)entry, "`at` needs `size`, such as size: 64K");
		if (at) {
			reserved->gpa = schema_number(entry, "reserve[].at");
			reserved->size = schema_number(entry, "reserve[].size");
		}
		m->reserved_count += reserved->irq || at;
	}
}

static bool ranges_meet(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

uint64_t machine_reserved_until(const struct machine *m, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->reserved_count; i++) {
		const struct reserved *reserved = &m->reserved[i];
		uint64_t end;

		if (__builtin_add_overflow(reserved->gpa, reserved->size, &end))
			end = UINT64_MAX;
		if (reserved->size && gpa < end && reserved->gpa < gpa + size)
			return end;
	}
	return 0;
}

static bool device_is_at(const struct machine *m, bool port, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].gpa != MACHINE_AUTO && m->device[i].port == port &&
		    ranges_meet(gpa, size, m->device[i].gpa, m->device[i].size))
			return true;
	return false;
}

static bool gpa_is_free(const struct machine *m, uint64_t gpa, uint64_t size)
{
	if (device_is_at(m, false, gpa, size))
		return false;
	if (machine_reserved_until(m, gpa, size))
		return false;
	for (size_t i = 0; i < m->memory_count; i++)
		if (ranges_meet(gpa, size, m->memory[i].gpa, m->memory[i].size))
			return false;
	return !ranges_meet(gpa, size, m->gic.gicd, m->board->gicd_size) &&
	       !ranges_meet(gpa, size, m->gic.gicr, m->board->gicr_size * m->cpu_count);
}

static bool irq_is_free(const struct machine *m, uint32_t irq)
{
	for (size_t i = 0; i < m->reserved_count; i++)
		if (m->reserved[i].irq == irq)
			return false;
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].irq == irq)
			return false;
	return irq < board_irq_end(m);
}

/* Where the board has it, if that is free. */
static bool assign_row(const struct machine *m, struct device_config *device)
{
	const struct board_device *row = board_find(m->board, device->type->name);

	for (; row; row = board_find_next(row)) {
		if (row->port ? !device_is_at(m, true, row->gpa, device->size) :
				gpa_is_free(m, row->gpa, device->size)) {
			device->gpa = row->gpa;
			device->port = row->port;
			return true;
		}
	}
	return false;
}

static void assign_gpa(const struct machine *m, struct device_config *device)
{
	uint64_t gpa;

	if (assign_row(m, device))
		return;
	device->port = false;
	for (gpa = m->board->device; !(device->type->flags & DEVICE_F_IN_KERNEL) &&
	     gpa + device->size <= m->board->device_end; gpa += m->board->device_step) {
		if (gpa_is_free(m, gpa, device->size)) {
			device->gpa = gpa;
			return;
		}
	}
	log_at(&device->origin, device->type->name, "no free address is left, say one by `at`");
}

static void assign_irq(const struct machine *m, struct device_config *device)
{
	const struct board_device *row = board_find(m->board, device->type->name);
	uint32_t irq;

	/* The row of its place, else the first of its type. */
	for (const struct board_device *next = row; next; next = board_find_next(next))
		if (next->gpa == device->gpa && next->port == device->port)
			row = next;
	irq = row ? row->irq : m->board->irq;
	device->irq = 0;
	if ((row && !irq) || device->type->flags & DEVICE_F_NO_IRQ)
		return;
	if (!irq_is_free(m, irq))
		for (irq = m->board->irq; irq < board_irq_end(m) && !irq_is_free(m, irq); irq++)
			;
	if (irq_is_free(m, irq))
		device->irq = irq;
	else
		log_at(&device->origin, device->type->name, "no free line is left%s",
		       m->arch == MACHINE_ARM64 ? ", raise gic.lines" : "");
}

/* What the config says itself is settled before: it comes first, wherever it stands. */
static void assign_devices(struct machine *m)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].gpa == MACHINE_AUTO)
			assign_gpa(m, &m->device[i]);
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].irq == IRQ_AUTO)
			assign_irq(m, &m->device[i]);
}

/* "pl011-1": the type, and which of this type from the second on. */
static void name_devices(struct machine *m)
{
	for (size_t i = 0; i < m->device_count; i++) {
		struct device_config *device = &m->device[i];
		unsigned int before = 0;

		for (size_t j = 0; j < i; j++)
			before += m->device[j].type == device->type;
		if (!device->name && before)
			device->name = xasprintf("%s-%u", device->type->name, before);
		else if (!device->name)
			device->name = xstrdup(device->type->name);
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

/* The kinds of messages that a word of `logger` means, or 0. */
static unsigned int logger_kind(const char *text)
{
	static const struct {
		const char *word;
		unsigned int kinds;
	} words[] = {
		{ "fatal", LOG_KIND_ERROR }, { "internal", LOG_KIND_ERROR },
		{ "error", LOG_KIND_ERROR }, { "warn", LOG_KIND_WARN }, { "warning", LOG_KIND_WARN },
		{ "info", LOG_KIND_INFO }, { "debug", LOG_KIND_DEBUG }, { "verbose", LOG_KIND_DEBUG },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i].word))
			return words[i].kinds;
	return 0;
}

/* What it calls a place; -1: none. */
static int logger_target(const char *text)
{
	static const struct {
		const char *word;
		enum log_target target;
	} words[] = {
		{ "stderr", LOG_STDERR }, { "stdout", LOG_STDOUT }, { "slog", LOG_SYSLOG },
		{ "none", LOG_NOWHERE },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i].word))
			return (int)words[i].target;
	return -1;
}

static unsigned int logger_kinds(const struct node *list)
{
	unsigned int kinds = 0;

	for (const struct node *word = first_entry(list); word; word = word->next)
		kinds |= word->text ? logger_kind(word->text) : 0;
	return kinds;
}

static void build_loggers(struct machine *m, const struct node *list)
{
	m->logger = xcalloc(node_count(list), sizeof(*m->logger));
	for (const struct node *entry = first_entry(list); entry; entry = entry->next) {
		int target = logger_target(schema_string(entry, "logger[].to"));

		if (entry->bad || target < 0)
			continue;
		m->logger[m->logger_count++] = (struct logger_config){
			.kinds = logger_kinds(node_find(entry, "filter")),
			.target = (enum log_target)target,
		};
	}
}

static void build_variables(struct machine *m, const struct node *set)
{
	m->host_rt = schema_bool(set, "set.host-rt");
	m->exit_on_halt = schema_bool(set, "set.exit-on-halt");
	m->counter_offset = schema_number(set, "set.counter-offset");
	m->stuck_exits = schema_number(set, "set.stuck-exits");
	m->stuck_kick_ms = schema_number(set, "set.stuck-kick");
}

/* `|command`, or a folder that may be relative. */
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

static void build_rest(struct machine *m, struct node *root)
{
	const struct node *gic = node_find(root, "gic"), *fdt = node_find(root, "fdt");
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
	m->cmdline = copy_string(root, "cmdline");
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
	build_images(m, node_find(root, "load"));
	build_devices(m, node_find(root, "devices"));
	build_reserved(m, node_find(root, "reserve"));
	build_loggers(m, node_find(root, "logger"));
	build_rest(m, root);
	assign_devices(m);
	name_devices(m);
	for (size_t i = 0; i < m->device_count; i++)
		build_options(&m->device[i]);
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
	free(m->cpu);
	free(m->image);
	free(m->device);
	free(m->reserved);
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
