// SPDX-License-Identifier: GPL-2.0-only
#include "config/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema_table.h"
#include "config/value.h"
#include "dev/device.h"
#include "util/alloc.h"

#define SCHEMA_PATH_SIZE	128
#define DEVICES			"devices[]"

const struct schema_key *schema_find(const char *path)
{
	for (size_t i = 0; i < schema_key_count; i++)
		if (!strcmp(schema_keys[i].path, path))
			return &schema_keys[i];
	return NULL;
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

/* Levenshtein's distance. */
static unsigned int word_distance(const char *a, const char *b)
{
	unsigned int row[64], width = strlen(b);

	if (width >= 64)
		return width;
	for (unsigned int j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned int i = 1; *a; a++, i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= width; j++) {
			unsigned int change = diagonal + (*a != b[j - 1]);
			unsigned int least = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;

			diagonal = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[width];
}

struct nearest {
	const char *word;
	unsigned int distance;
};

static void nearest_try(struct nearest *nearest, const char *wanted, const char *word)
{
	unsigned int distance = word_distance(wanted, word);

	if (distance < nearest->distance)
		*nearest = (struct nearest){ word, distance };
}

static void say_unknown(struct node *node, const char *map)
{
	struct nearest nearest = { NULL, UINT32_MAX };
	const char *what = !strcmp(map, DEVICES) ? "unknown device" : "unknown key";

	for (size_t i = 0; i < schema_key_count; i++) {
		const char *word = schema_word_in(&schema_keys[i], map);

		if (word && !(schema_keys[i].types & SCHEMA_LATER))
			nearest_try(&nearest, node->key, word);
	}
	for (size_t i = 0; !strcmp(map, DEVICES) && device_types[i]; i++)
		nearest_try(&nearest, node->key, device_types[i]->name);
	if (nearest.word)
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
		{ SCHEMA_IRQ,     "a line such as gic:37, or none" },
		{ SCHEMA_SCHED,   "a priority 1 to 99 with r, f or o, such as 8r" },
		{ SCHEMA_LIST,    "a list" },
		{ SCHEMA_MAP,     "a map of keys" },
		{ SCHEMA_NAME,    "a name without blanks, / and foreign letters" },
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
		at += at ? 1 : 0;
	}
	return -1;
}

static bool scalar_is_number(const struct schema_key *row, struct node *node, bool *said)
{
	char min[32], max[32];
	uint64_t value;

	if (!value_number(node->text, &value))
		return false;
	if (row->max && (value < row->min || value > row->max)) {
		node_error(node, "%s is out of range, %s to %s", node->text,
			   value_size_text(row->min, min, sizeof(min)),
			   value_size_text(row->max, max, sizeof(max)));
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
	return scalar_is_string(row, node, said);
}

/* Is it of one of the row's types? *@said: it is, but there was something else to complain of. */
static bool scalar_fits(const struct schema_key *row, struct node *node, bool *said)
{
	int priority;
	uint32_t irq;
	bool flag;
	char c;

	if (row->types & (SCHEMA_STRING | SCHEMA_PATH))
		return scalar_is_string(row, node, said);
	if (row->types & SCHEMA_NAME)
		return scalar_is_name(row, node, said);
	if (row->types & (SCHEMA_ADDRESS | SCHEMA_SIZE | SCHEMA_NUMBER))
		return scalar_is_number(row, node, said);
	if (row->types & SCHEMA_BOOL)
		return value_bool(node->text, &flag);
	if (row->types & SCHEMA_ENUM)
		return choice_index(row->choices, node->text) >= 0;
	if (row->types & SCHEMA_IRQ)
		return value_irq(node->text, &irq);
	if (row->types & SCHEMA_SCHED)
		return value_sched(node->text, &priority, &c);
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

static void validate_map(const struct schema_key *row, struct node *map)
{
	const char *path = row ? row->path : "";
	char child_path[SCHEMA_PATH_SIZE];
	const struct schema_key *child_row;

	for (struct node *child = map->child; child; child = child->next) {
		snprintf(child_path, sizeof(child_path), "%s%s%s", path, *path ? "." : "", child->key);
		child_row = strpbrk(child->key, ".[*") ? NULL : schema_find(child_path);
		if (!child_row && !strcmp(path, DEVICES) && device_type_find(child->key))
			child_row = schema_find(DEVICES ".*");
		if (!strcmp(child->key, NODE_NO_KEY))
			continue;	/* the reader has said so */
		if (!child_row)
			say_unknown(child, path);
		else if (child_row->types & SCHEMA_LATER)
			node_error(child, "not supported yet by this version of qvm, leave it out");
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

static void validate_node(const struct schema_key *row, struct node *node)
{
	bool fits = false, said = false;

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
	if (!fits)
		say_wrong_type(row, node);
	else if (node->kind == NODE_MAP || (node->kind == NODE_EMPTY && row->choices))
		validate_map(row, node);
	else if (node->kind == NODE_LIST)
		validate_list(row, node);
}

void schema_validate(struct node *root)
{
	validate_map(NULL, root);
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
