// SPDX-License-Identifier: GPL-2.0-only
#include "config/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"
#include "config/schema_table.h"
#include "config/value.h"
#include "dev/device_host.h"
#include "dev/load.h"
#include "util/alloc.h"

#define SCHEMA_PATH_SIZE	128
#define DEVICES			"devices[]"
#define ANY_DEVICE		"devices[].*"

const struct schema_key *schema_find(const char *path)
{
	for (size_t i = 0; schema_key_at(i); i++)
		if (!strcmp(schema_key_at(i)->path, path))
			return schema_key_at(i);
	return NULL;
}

const struct schema_key *schema_find_word(const char *word, const char *context)
{
	size_t length = strlen(word);

	for (size_t i = 0; schema_key_at(i); i++) {
		const char *text = schema_key_at(i)->qvmconf;

		if (!text || strncmp(text, word, length))
			continue;
		if (context ? text[length] == ' ' && !strcmp(text + length + 1, context) : !text[length])
			return schema_key_at(i);
	}
	return NULL;
}

const struct schema_key *schema_find_option(const char *type, const char *option)
{
	const struct device_type *known = device_type_find(type);
	const struct schema_key *row;
	char path[SCHEMA_PATH_SIZE];

	snprintf(path, sizeof(path), DEVICES ".%s.%s", known ? known->name : type, option);
	row = schema_find(path);
	if (row)
		return row;
	snprintf(path, sizeof(path), ANY_DEVICE ".%s", option);
	return schema_find(path);
}

/* The word of @row if it stands directly in the map of path @map ("" is the root), else NULL. */
static const char *schema_word_in(const struct schema_key *row, const char *map)
{
	size_t length = strlen(map);
	const char *word = row->path;

	if (length) {
		if (strncmp(word, map, length) || word[length] != '.')
			return NULL;
		word += length + 1;
	}
	return strpbrk(word, ".[*") ? NULL : word;
}

/* "devices[].*", and the type's own options of the map of a device. */
static bool row_stands_in(const struct schema_key *row, const struct node *map, const char *path)
{
	char own[SCHEMA_PATH_SIZE];

	if (row->types & SCHEMA_LATER && strcmp(path, DEVICES))
		return false;
	if (schema_word_in(row, path))
		return true;
	snprintf(own, sizeof(own), DEVICES ".%s", map->key ? map->key : "");
	return !strcmp(path, ANY_DEVICE) && schema_word_in(row, own);
}

static void say_unknown(struct node *node, const char *map)
{
	struct nearest nearest = { .wanted = node->key };
	const char *what = !strcmp(map, DEVICES) ? "unknown device" : "unknown key";

	for (size_t i = 0; schema_key_at(i); i++) {
		const char *dot = strrchr(schema_key_at(i)->path, '.');
		const char *word = dot ? dot + 1 : schema_key_at(i)->path;

		if (row_stands_in(schema_key_at(i), node->parent, map))
			nearest_try(&nearest, word, strlen(word));
	}
	for (size_t i = 0; !strcmp(map, DEVICES) && device_types[i]; i++)
		nearest_try(&nearest, device_types[i]->name, strlen(device_types[i]->name));
	if (nearest.word[0])
		node_error(node, "%s, did you mean `%s`?", what, nearest.word);
	else
		node_error(node, "%s, nothing is known here", what);
}

/* What would be right, for messages. */
static const char *schema_want(const struct schema_key *row, char *text, size_t size)
{
	static const struct {
		enum schema_type type;
		const char *text;
	} wants[] = {
		{ SCHEMA_STRING,  "text" },
		{ SCHEMA_PATH,    "a path" },
		{ SCHEMA_ADDRESS, "an address such as 0x40000000" },
		{ SCHEMA_SIZE,    "a size such as 512M" },
		{ SCHEMA_NUMBER,  "a number" },
		{ SCHEMA_BOOL,    "true or false" },
		{ SCHEMA_ENUM,    "one of " },
		{ SCHEMA_IRQ,     "a line such as gic:37 or ioapic:4, or none" },
		{ SCHEMA_SCHED,   "a priority 1 to 99 with r, f or o, such as 8r, or "
				  "HIGH,LOW,MAXREPL,PERIOD,BUDGETs, such as 20,8,5,100ms,30mss" },
		{ SCHEMA_LIST,    "a list" },
		{ SCHEMA_MAP,     "a map of keys" },
		{ SCHEMA_NAME,    "a name without blanks, / and foreign letters" },
		{ SCHEMA_PORT,    "a port such as io:0x3f8" },
	};
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		if (!(row->types & wants[i].type))
			continue;
		snprintf(text + length, size - length, "%s%s%s", length ? " or " : "", wants[i].text,
			 wants[i].type == SCHEMA_ENUM ? row->choices : "");
		length = strlen(text);
	}
	return text;
}

static int choice_index(const char *choices, const char *word)
{
	size_t length = strchr(word, '|') ? 0 : strlen(word);
	int index = 0;

	for (const char *at = choices; length && at; index++) {
		if (!strncmp(at, word, length) && (!at[length] || at[length] == '|'))
			return index;
		at = strchr(at, '|');
		at = at ? at + 1 : NULL;
	}
	return -1;
}

const char *schema_limit_text(const struct schema_key *row, uint64_t limit, char *text, size_t size)
{
	if (!(row->types & SCHEMA_NUMBER))
		return value_size_text(limit, text, size);
	snprintf(text, size, "%" PRIu64, limit);
	return text;
}

static bool scalar_is_number(const struct schema_key *row, struct node *node, bool *said)
{
	char min[32], max[32];
	uint64_t value;

	if (!value_number(node->text, &value))
		return false;
	if (row->max && (value < row->min || value > row->max)) {
		node_error(node, "%s is out of range, %s to %s", node->text,
			   schema_limit_text(row, row->min, min, sizeof(min)),
			   schema_limit_text(row, row->max, max, sizeof(max)));
		*said = true;
	}
	return true;
}

static bool scalar_is_string(const struct schema_key *row, struct node *node, bool *said)
{
	if (row->max && (strlen(node->text) < row->min || strlen(node->text) > row->max)) {
		node_error(node, "%zu characters, but %" PRIu64 " to %" PRIu64 " are possible",
			   strlen(node->text), row->min, row->max);
		*said = true;
	}
	return true;
}

static bool scalar_is_name(const struct schema_key *row, struct node *node, bool *said)
{
	for (const char *c = node->text; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/')
			return false;
	if (node->text[0] == '.' && !strcmp(row->path, "system")) {
		node_error(node, "\"%s\" begins with a dot, and names a folder; write another name",
			   node->text);
		*said = true;
		return true;
	}
	return scalar_is_string(row, node, said);
}

/* SCHED_DEADLINE takes no affinity, and no budget above the period. */
static bool is_sporadic(struct node *node, bool *said)
{
	struct sporadic s;

	if (!value_sporadic(node->text, &s))
		return false;
	*said = true;
	if (!s.high || !s.low || !s.replacements || !s.period || !s.budget)
		node_error(node, "a zero in it, which leaves nothing to run; write such as "
			   "20,8,5,100ms,30mss");
	else if (s.low > s.high)
		node_error(node, "LOW is %" PRIu64 ", above HIGH, which is %" PRIu64 "; swap them", s.low,
			   s.high);
	else if (s.budget > s.period)
		node_error(node, "the budget is %" PRIu64 " ns, more than its period of %" PRIu64
			   " ns has; the period comes first, such as 20,8,5,100ms,30mss", s.budget, s.period);
	else if (node_find(node->parent, "runmask"))
		node_error(node, "sporadic scheduling is SCHED_DEADLINE here, which can't be bound to "
			   "CPUs; leave out runmask or write a priority such as 8r");
	else
		*said = false;
	return true;
}

/* Is it of one of the row's types? *@said: it is, but there was something else to complain of. */
static bool scalar_fits(const struct schema_key *row, struct node *node, bool *said)
{
	int priority;
	uint32_t irq, port;
	bool flag;
	char c;

	if (row->types & SCHEMA_PATH && !node->text[0])
		return false;
	if (row->types & (SCHEMA_STRING | SCHEMA_PATH))
		return scalar_is_string(row, node, said);
	if (row->types & SCHEMA_NAME)
		return scalar_is_name(row, node, said);
	if (row->types & SCHEMA_PORT && value_port(node->text, &port))
		return true;
	if (row->types & (SCHEMA_ADDRESS | SCHEMA_SIZE | SCHEMA_NUMBER))
		return scalar_is_number(row, node, said);
	if (row->types & SCHEMA_BOOL)
		return value_bool(node->text, &flag);
	if (row->types & SCHEMA_ENUM)
		return choice_index(row->choices, node->text) >= 0;
	if (row->types & SCHEMA_IRQ)
		return value_irq(node->text, &irq);
	if (row->types & SCHEMA_SCHED)
		return value_sched(node->text, &priority, &c) || is_sporadic(node, said);
	return false;
}

static void say_wrong_type(const struct schema_key *row, struct node *node)
{
	char want[160];

	schema_want(row, want, sizeof(want));
	if (node->kind == NODE_SCALAR)
		node_error(node, "\"%s\" won't do, write %s", node->text, want);
	else if (node->kind == NODE_EMPTY)
		node_error(node, "there is no value, write %s", want);
	else
		node_error(node, "a %s won't do, write %s",
			   node->kind == NODE_LIST ? "list" : "map", want);
}

static void validate_node(const struct schema_key *row, struct node *node);

/* The rule of a map with choices: exactly one of them; "*": exactly one entry of any name. */
static void validate_choice(const struct schema_key *row, struct node *map)
{
	bool any = !strcmp(row->choices, "*");
	struct node *first = NULL, *child;

	for (child = map->child; child; child = child->next) {
		if (!any && choice_index(row->choices, child->key) < 0)
			continue;
		if (first) {
			node_error(child, "only one in an entry of the list, and `%s` is there; "
				   "begin a new one with `- `", first->key);
			return;
		}
		first = child;
	}
	if (!first && !map->bad)
		node_error(map, "says nothing, write one of %s", any ? "the devices" : row->choices);
}

static const struct schema_key *find_child(const struct node *map, const char *path,
					   const char *word)
{
	char child_path[SCHEMA_PATH_SIZE];

	if (!strcmp(path, DEVICES) && device_type_find(word))
		return schema_find(ANY_DEVICE);
	if (strpbrk(word, ".[*"))
		return NULL;
	if (!strcmp(path, ANY_DEVICE))
		return schema_find_option(map->key, word);
	if (!strncmp(path, DEVICES ".", strlen(DEVICES ".")) && map->key)
		return schema_find_option(map->key, word);	/* of a missing device */
	snprintf(child_path, sizeof(child_path), "%s%s%s", path, *path ? "." : "", word);
	return schema_find(child_path);
}

const struct schema_key *schema_row(const struct node *node)
{
	const struct schema_key *parent = node->parent ? schema_row(node->parent) : NULL;
	char path[SCHEMA_PATH_SIZE];

	if (!node->parent || (node->parent->parent && !parent))
		return NULL;
	if (node->key)
		return find_child(node->parent, parent ? parent->path : "", node->key);
	if (!parent)
		return NULL;
	snprintf(path, sizeof(path), "%s[]", parent->path);
	return schema_find(path);
}

static void say_later(const struct schema_key *row, struct node *node)
{
	if (!strncmp(row->path, DEVICES ".", strlen(DEVICES ".")) && !strchr(row->path, '*'))
		return;		/* say_missing_devices() names them all at once */
	node_error(node, "not supported yet by this version of qvm: %s", row->limit);
	for (struct node *entry = node->child; entry && row->limit; entry = entry->next)
		node_judge(entry, VERDICT_MISSING, row->limit);
}

static void validate_map(const struct schema_key *row, struct node *map)
{
	const char *path = row ? row->path : "";

	for (struct node *child = map->child; child; child = child->next) {
		const struct schema_key *child_row = find_child(map, path, child->key);

		if (child->bad && !strcmp(child->key, NODE_NO_KEY))
			continue;	/* the reader has said so; or somebody writes a ? */
		if (!child_row && child->verdict == VERDICT_MISSING && !strcmp(path, DEVICES))
			continue;	/* can't be loaded, which was said */
		if (!child_row)
			say_unknown(child, path);
		else if (child_row->types & SCHEMA_LATER)
			say_later(child_row, child);
		else
			validate_node(child_row, child);
	}
	if (row && row->choices)
		validate_choice(row, map);
}

static void validate_list(const struct schema_key *row, struct node *list)
{
	char path[SCHEMA_PATH_SIZE];
	const struct schema_key *child_row;

	snprintf(path, sizeof(path), "%s[]", row->path);
	child_row = schema_find(path);
	for (struct node *child = list->child; child; child = child->next)
		validate_node(child_row, child);
}

static bool is_default(const struct schema_key *row, const char *text)
{
	uint64_t number, usual;
	bool flag, usually;

	if (!row->fallback)
		return false;
	if (row->types & SCHEMA_BOOL)
		return value_bool(text, &flag) && value_bool(row->fallback, &usually) && flag == usually;
	if (value_number(text, &number) && value_number(row->fallback, &usual))
		return number == usual;
	return !strcmp(text, row->fallback);
}

static void validate_node(const struct schema_key *row, struct node *node)
{
	bool fits = false, said = false;

	if (node->bad && node->kind == NODE_SCALAR)
		return;		/* its text won't do or stands for nothing, which was said */
	switch (node->kind) {
	case NODE_SCALAR:
		fits = scalar_fits(row, node, &said);
		break;
	case NODE_EMPTY:
		fits = row->types & (SCHEMA_MAP | SCHEMA_LIST);
		break;
	case NODE_LIST:
		fits = row->types & SCHEMA_LIST;
		break;
	case NODE_MAP:
		fits = row->types & SCHEMA_MAP;
		break;
	}
	if (fits && row->limit && node->kind == NODE_SCALAR && !is_default(row, node->text))
		node_warn(node, "%s", row->limit);
	if (!fits)
		say_wrong_type(row, node);
	else if (node->kind == NODE_MAP || (node->kind == NODE_EMPTY && row->choices))
		validate_map(row, node);
	else if (node->kind == NODE_LIST)
		validate_list(row, node);
}

/* The device of this entry if it is one that is known and missing, else NULL. */
static struct node *missing_device(const struct node *entry)
{
	struct node *device = entry->kind == NODE_MAP ? entry->child : NULL;
	const struct schema_key *row = device ? find_child(entry, DEVICES, device->key) : NULL;

	return row && row->types & SCHEMA_LATER ? device : NULL;
}

static bool is_named_before(const struct node *list, const struct node *device)
{
	for (const struct node *entry = list->child; entry != device->parent; entry = entry->next)
		if (missing_device(entry) && !strcmp(missing_device(entry)->key, device->key))
			return true;
	return false;
}

/* One message for all of them, that can be pasted into --without. */
static void say_missing_devices(struct node *list)
{
	char names[1024] = "", places[1024] = "", place[512];
	struct node *device, *first = NULL;
	size_t n = 0, p = 0;

	for (struct node *entry = list ? list->child : NULL; entry; entry = entry->next) {
		device = missing_device(entry);
		if (!device)
			continue;
		entry->bad = device->bad = true;
		node_judge(device, VERDICT_MISSING, "this device is not supported yet");
		p += snprintf(places + p, sizeof(places) - p, "%s%s (%s)", first ? ", " : "",
			      device->key, origin_name(&device->origin, place, sizeof(place)));
		p = p < sizeof(places) ? p : sizeof(places) - 1;
		if (!is_named_before(list, device))
			n += snprintf(names + n, sizeof(names) - n, "%s%s", first ? "," : "", device->key);
		n = n < sizeof(names) ? n : sizeof(names) - 1;
		first = first ? first : device;
	}
	if (first)
		node_error(first, "not supported yet by this version of qvm: %s; leave them out, or "
			   "start the rest with --without %s", places, names);
}

/* Types that are neither linked in nor known and missing may be in shared objects. */
static void load_devices(const struct node *list)
{
	const struct node *entry = list && list->kind == NODE_LIST ? list->child : NULL;

	for (; entry; entry = entry->next)
		if (entry->kind == NODE_MAP && entry->child && !missing_device(entry))
			device_load(entry->child);
}

void schema_validate(struct node *root)
{
	struct node *devices = node_find(root, "devices");

	load_devices(devices);
	validate_map(NULL, root);
	if (devices && devices->kind == NODE_LIST)
		say_missing_devices(devices);
}

struct node *schema_node(const struct node *entry, const char *path)
{
	const char *dot = strrchr(path, '.');
	struct node *node = node_find(entry, dot ? dot + 1 : path);

	return node && !node->bad && node->kind != NODE_EMPTY ? node : NULL;
}

const char *schema_string(const struct node *entry, const char *path)
{
	struct node *node = schema_node(entry, path);

	return node && node->kind == NODE_SCALAR ? node->text : schema_find(path)->fallback;
}

uint64_t schema_number(const struct node *entry, const char *path)
{
	const char *text = schema_string(entry, path);
	uint64_t number;

	return text && value_number(text, &number) ? number : UINT64_MAX;
}

bool schema_bool(const struct node *entry, const char *path)
{
	const char *text = schema_string(entry, path);
	bool value;

	return text && value_bool(text, &value) && value;
}

unsigned int schema_choice(const struct node *entry, const char *path)
{
	int index = choice_index(schema_find(path)->choices, schema_string(entry, path));

	return index < 0 ? 0 : index;
}
