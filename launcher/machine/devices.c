// SPDX-License-Identifier: GPL-2.0-only
/* The devices of the model: what the config says of each. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"
#include "config/value.h"
#include "dev/device_host.h"
#include "machine/board.h"
#include "machine/build.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define DEVICES_MAX	512	/* far more than a board needs, and placed in no time */

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

static void check_hostdev(const struct device_config *device)
{
	static const char *const keys[] = { "hostdev", "delayed", "batch" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct node *said = node_find(device->node, keys[i]);

		if (said && !(device->type->flags & DEVICE_F_HOSTDEV))
			node_warn(said, "no effect, as this device has no input and no output");
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

/* "gic:37", of the controller that this board has. */
uint32_t build_line(const struct machine *m, struct node *said, uint32_t unsaid)
{
	const char *prefix = m->board->irq_prefix;
	size_t length = strlen(prefix);
	uint32_t line = unsaid;

	if (!said || !value_irq(said->text, &line) || !strchr(said->text, ':'))
		return line;	/* "none", and "auto" */
	if (!strncmp(said->text, prefix, length) && said->text[length] == ':')
		return line;
	node_error(said, "\"%s\" is of another kind of board, here it is %s:LINE", said->text, prefix);
	return 0;
}

static void build_device(struct machine *m, struct node *options)
{
	struct device_config *device = &m->device[m->device_count++];
	struct node *irq;

	*device = (struct device_config){
		.type = device_type_find(options->key),
		.name = xstrdup(schema_string(options, "devices[].*.name")),
		.node = options,
		.show = schema_bool(options, "devices[].*.debug"),
		.batch_us = schema_number(options, "devices[].*.batch"),
		.origin = options->origin,
	};
	device->size = device->type->size;
	build_location(device, m->board);
	build_hostdevs(device);
	check_hostdev(device);
	build_delayed(device);
	build_logs(device);
	irq = schema_node(options, "devices[].*.irq");
	device->irq = build_line(m, irq, IRQ_AUTO);
	device->is_line_0 = !device->irq && !irq->bad && strcmp(irq->text, "none") &&
			    !(device->type->flags & DEVICE_F_IN_KERNEL);
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
static void check_loc(const struct machine *m, struct node *options)
{
	bool is_pci = !strncmp(options->key, "virtio-", 7) || !strcmp(options->key, "shmem");

	if (is_pci && schema_row(options) && options->qvmconf && !node_find(options, "at") &&
	    !node_find(options, "pci"))
		node_error(options, "without `loc` it would be a PCI device, and this board has no PCI "
			   "yet; write loc and intr, such as loc 0x%" PRIx64 " intr %s:%u",
			   m->board->device, m->board->irq_prefix, m->board->irq);
}

/* QNX has a word for each of the pair of 8259s, here one is both: is this the second? */
static bool is_second_8259(const struct machine *m, const struct node *options)
{
	uint32_t port;

	if (strcmp(options->key, "8259") ||
	    !value_port(schema_string(options, "devices[].*.at"), &port))
		return false;
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].type == device_type_find("8259") && m->device[i].port &&
		    m->device[i].gpa + X86_SECOND_8259 == port)
			return true;
	return false;
}

void build_devices(struct machine *m, const struct node *list)
{
	struct node *second = NULL;
	char place[512];
	size_t count = 0;

	m->devices_incomplete = list && list->bad;
	m->device = xcalloc(node_count(list), sizeof(*m->device));
	for (struct node *entry = node_first(list); entry; entry = entry->next) {
		if (++count > DEVICES_MAX) {
			node_error(entry, "one too many, a board has %d at most", DEVICES_MAX);
			m->devices_incomplete = true;
			return;
		}
		if (entry->kind == NODE_MAP && entry->child)
			check_loc(m, entry->child);
		if (entry->bad || !entry->child)
			continue;
		if (!is_second_8259(m, entry->child)) {
			build_device(m, entry->child);
			continue;
		}
		if (second)
			node_error(entry->child, "the second one of the pair is there already (%s)",
				   origin_name(&second->origin, place, sizeof(place)));
		second = second ? second : entry->child;
	}
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

void finish_devices(struct machine *m)
{
	name_devices(m);
	for (size_t i = 0; i < m->device_count; i++)
		build_options(&m->device[i]);
}
