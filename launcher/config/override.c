// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* strsep */
#include "config/override.h"

#include <stdlib.h>
#include <string.h>

#include "config/schema.h"
#include "config/subst.h"
#include "config/value.h"
#include "config/yaml.h"
#include "util/alloc.h"

static const struct origin command_line = { ORIGIN_COMMAND_LINE, 0 };

/* Who asks for a change, for messages and as the origin of what is made. */
struct asker {
	struct origin origin;
	const char *word;
};

static const struct asker option_set = { { ORIGIN_COMMAND_LINE, 0 }, "--set" };

/* "a" or "[3]" at the head of a path; @end is behind it and behind a dot. */
struct step {
	char *key;
	size_t index;
	const char *end;
};

static int step_error(const struct asker *asker, const char *path, const char *what)
{
	log_at(&asker->origin, asker->word, "`%s` is no path: %s; write for example devices[0].pl011.irq",
	       path, what);
	return -1;
}

static int step_parse(const struct asker *asker, const char *path, const char *at,
		      struct step *step)
{
	size_t length = strcspn(at, ".[]");
	char *end;

	*step = (struct step){ NULL, 0, at + length };
	if (*at == '[') {
		step->index = strtoul(at + 1, &end, 10);
		if (end == at + 1 || *end != ']' || at[1] < '0' || at[1] > '9')
			return step_error(asker, path, "an index is a number in []");
		step->end = end + 1;
	} else if (!length) {
		return step_error(asker, path, "a key is missing");
	}
	if (*step->end == '.' && step->end[1] && step->end[1] != '[')
		step->end++;
	else if (*step->end && *step->end != '[')
		return step_error(asker, path, "expected . or [ or the end");
	if (*at != '[') {
		step->key = xcalloc(1, length + 1);
		memcpy(step->key, at, length);
	}
	return 0;
}

void override_expand(struct node *node)
{
	const struct schema_key *row = node->key ? schema_find(node->key) : NULL;
	uint64_t count;

	if (!row || !(row->types & SCHEMA_NUMBER) || !(row->types & SCHEMA_LIST))
		return;
	if (!value_number(node->text, &count) || count > row->max)
		return;
	node_clear(node, NODE_LIST);
	while (count--)
		node_add(node, node_create(NODE_MAP, node->origin), NULL);
}

static struct node *step_index(const struct asker *asker, struct node *node, const char *path,
			       size_t index)
{
	struct node *child;

	if (node->kind == NODE_SCALAR)
		override_expand(node);
	child = node_at(node, index);
	if (!child)
		log_at(&asker->origin, asker->word, "`%s`: there is no [%zu], the list has %zu entries; "
		       "+= appends", path, index, node_count(node));
	return child;
}

static struct node *step_key(const struct asker *asker, struct node *node, const char *path,
			     const char *key)
{
	struct node *child;

	if (node->kind == NODE_EMPTY)
		node->kind = NODE_MAP;
	if (node->kind != NODE_MAP) {
		log_at(&asker->origin, asker->word, "`%s`: what holds `%s` is no map; an entry of a list "
		       "is [0], [1] and so on", path, key);
		return NULL;
	}
	child = node_find(node, key);
	if (!child) {
		child = node_create(NODE_EMPTY, asker->origin);
		node_add(node, child, key);
	}
	return child;
}

/* The node at @path, made if it is an entry of a map and not there; NULL after an error. */
static struct node *walk(const struct asker *asker, struct node *node, const char *path)
{
	const char *at = path;
	struct step step;

	do {
		if (step_parse(asker, path, at, &step))
			return NULL;
		node = step.key ? step_key(asker, node, path, step.key) :
				  step_index(asker, node, path, step.index);
		free(step.key);
		at = step.end;
	} while (node && *at);
	return node;
}

static struct node *parse_value(const struct asker *asker, const char *text)
{
	if (*text && strchr("{[\"'", *text))
		return yaml_read_text(text, asker->origin);
	return node_create_scalar(text, asker->origin);
}

static int append(struct node *list, const char *path, struct node *value)
{
	if (list->kind == NODE_EMPTY)
		list->kind = NODE_LIST;
	if (list->kind == NODE_SCALAR)
		override_expand(list);
	if (list->kind != NODE_LIST) {
		log_at(&command_line, "--set", "`%s` is no list, += appends to lists only", path);
		node_destroy(value);
		return -1;
	}
	node_add(list, value, NULL);
	return 0;
}

int override_set(struct node *root, const char *assignment)
{
	const char *equal = strchr(assignment, '=');
	struct node *node, *value;
	bool add;
	char *path;
	int ret = -1;

	if (!equal || equal == assignment) {
		log_at(&command_line, "--set", "`%s` won't do, write key=value or key+=value",
		       assignment);
		return -1;
	}
	add = equal[-1] == '+';
	path = xasprintf("%.*s", (int)(equal - assignment - add), assignment);
	node = walk(&option_set, root, path);
	value = node ? parse_value(&option_set, equal + 1) : NULL;
	if (value && add) {
		ret = append(node, path, value);
	} else if (value) {
		node_replace(node, value);
		ret = 0;
	}
	free(path);
	return ret;
}

int override_put_path(struct node *root, const char *path, const char *value,
		      const struct origin *origin)
{
	const struct asker asker = { *origin, "set" };
	struct node *node = walk(&asker, root, path);
	struct node *tree = node ? parse_value(&asker, value) : NULL;

	if (!tree || !node->parent) {
		node_destroy(tree);
		return -1;
	}
	node_replace(node, tree);
	subst_node(tree);
	return 0;
}

/* The name that a device of the list goes by: as said, or its type. */
static bool device_is_called(const struct node *entry, const char *name)
{
	const struct node *device = entry->kind == NODE_MAP ? entry->child : NULL;
	const char *said = node_text(device, "name");

	return device && (!strcmp(device->key, name) || (said && !strcmp(said, name)));
}

static int remove_devices(struct node *list, const char *name)
{
	struct node *next;
	unsigned int count = 0;

	for (struct node *entry = list ? list->child : NULL; entry; entry = next) {
		next = entry->next;
		if (!device_is_called(entry, name))
			continue;
		node_remove(entry);
		count++;
	}
	if (!count)
		log_at(&command_line, "--without", "no device has the type or the name %s", name);
	return count ? 0 : -1;
}

int override_without(struct node *root, const char *names)
{
	char *copy = xstrdup(names), *rest = copy, *name;
	int ret = 0;

	while ((name = strsep(&rest, ","))) {
		if (!strcmp(name, "pass") && node_find(root, name))
			node_remove(node_find(root, name));
		else if (remove_devices(node_find(root, "devices"), name))
			ret = -1;
	}
	free(copy);
	return ret;
}

void override_put(struct node *root, const char *key, const char *text)
{
	struct node *value = node_create_scalar(text, command_line);
	struct node *old = node_find(root, key);

	if (old)
		node_replace(old, value);
	else
		node_add(root, value, key);
}

void override_entry(struct node *root, const char *list_key, const char *key, const char *text)
{
	struct node *list = node_find(root, list_key), *entry;

	if (!list) {
		list = node_create(NODE_LIST, command_line);
		node_add(root, list, list_key);
	}
	if (list->kind == NODE_EMPTY)
		list->kind = NODE_LIST;
	if (list->kind != NODE_LIST)
		return;		/* the schema complains of it */
	for (entry = list->child; entry; entry = entry->next) {
		if (node_find(entry, key)) {
			override_put(entry, key, text);
			return;
		}
	}
	entry = node_create(NODE_MAP, command_line);
	node_add(list, entry, NULL);
	override_put(entry, key, text);
}
