// SPDX-License-Identifier: GPL-2.0-only
/* Values of qvmconf words. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/override.h"
#include "config/qvmconf_read.h"
#include "config/subst.h"
#include "config/value.h"
#include "util/alloc.h"

char *piece_cut(char **rest)
{
	char *piece = *rest, *at = piece;
	unsigned int depth = 0;

	for (; *at && (*at != ',' || depth); at++)
		depth += (*at == '{') - (*at == '}' && depth);
	*rest = *at ? at + 1 : NULL;
	*at = '\0';
	return piece;
}

static bool has_prefix(const char *text, char letter)
{
	return text[0] == '0' && (text[1] | 0x20) == letter;
}

static bool has_multiplier(const char *text)
{
	size_t length = strlen(text);

	return length && strchr("KMGkmg", text[length - 1]);
}

/*
 * 0d1 is 1, and a hexadecimal 1 is 0x1; what is no number stays. With K, M or G an address is
 * decimal too, as in `ram 4096M,2048M`. The same is done to the text before substitution.
 */
static void number_normalise(struct node *node, bool is_address)
{
	const char *text = node->text, *prefix = "";
	size_t drop = 0;
	uint64_t number;
	char *changed, *source;

	if (has_prefix(text, 'd') && isdigit((unsigned char)text[2]))
		drop = 2;
	else if (is_address && !has_prefix(text, 'x') && !has_multiplier(text))
		prefix = "0x";
	changed = xasprintf("%s%s", prefix, text + drop);
	if (value_number(changed, &number) && strcmp(changed, text)) {
		node_set_text(node, changed);
		source = node->source;
		node->source = NULL;
		if (source)
			node->source = xasprintf("%s%s", prefix, source + (has_prefix(source, 'd') ? 2 : 0));
		free(source);
	}
	free(changed);
}

/* QNX's other words for a bool. */
static void bool_normalise(struct node *node)
{
	if (!strcmp(node->text, "1"))
		node_set_text(node, "true");
	else if (!strcmp(node->text, "0"))
		node_set_text(node, "false");
}

struct node *value_create(const char *text, unsigned int types, const struct origin *origin)
{
	struct node *node = node_create_scalar(text, *origin);

	node->qvmconf = true;
	node->types = types;
	return node;
}

/* A number alone as YAML would say it, to be free()d; a substitution stays. */
static char *number_text(const char *text, bool is_address)
{
	struct node *node = node_create_scalar(text, (struct origin){ "", 0 });
	char *changed;

	number_normalise(node, is_address);
	changed = xstrdup(node->text);
	node_destroy(node);
	return changed;
}

struct node *value_create_place(const char *text, const struct origin *origin)
{
	size_t prefix = value_place_prefix(text);
	char *copy = xstrdup(text + prefix), *rest = copy, *host = strchr(copy, '=');
	char *address, *length, *said_length, *place;
	struct node *node;

	if (!strncmp(text, "pci:", 4)) {
		free(copy);
		return value_create(text, SCHEMA_STRING, origin);
	}
	if (host)
		*host++ = '\0';
	address = number_text(piece_cut(&rest), true);
	said_length = rest ? piece_cut(&rest) : NULL;
	length = number_text(said_length ? said_length : "", false);
	host = host ? number_text(host, true) : NULL;
	place = xasprintf("%.*s%s%s%s%s%s%s%s", (int)prefix, text, address, said_length ? "," : "", length,
			  rest ? "," : "", rest ? rest : "", host ? "=" : "", host ? host : "");
	node = value_create(place, SCHEMA_STRING, origin);
	free(copy);
	free(address);
	free(length);
	free(host);
	free(place);
	return node;
}

/* After the node has its parent, which errors are marked at. */
static void value_settle(struct node *node)
{
	if (node->kind != NODE_SCALAR)
		return;
	subst_node(node);
	if (node->types & (SCHEMA_ADDRESS | SCHEMA_SIZE | SCHEMA_NUMBER))
		number_normalise(node, node->types & SCHEMA_ADDRESS);
	if (node->types & SCHEMA_BOOL)
		bool_normalise(node);
}

void value_put(struct node *map, const char *key, struct node *value)
{
	struct node *old = node_find(map, key);

	if (old)
		node_replace(old, value);
	else
		node_add(map, value, key);
	value_settle(value);
}

void value_append(struct node *list, struct node *value)
{
	node_add(list, value, NULL);
	value_settle(value);
}

/* What was said once becomes the first entry of a list. */
static void make_list(struct node *scalar)
{
	struct node *first;

	if (!scalar || scalar->kind != NODE_SCALAR)
		return;
	first = node_create_scalar(scalar->source ? scalar->source : scalar->text, scalar->origin);
	first->qvmconf = true;
	first->types = scalar->types;
	node_clear(scalar, NODE_LIST);
	value_append(scalar, first);
}

static void put_list(struct node *map, const char *key, const struct schema_key *row, char *text,
		     const struct origin *origin)
{
	unsigned int types = row->types & ~(unsigned int)SCHEMA_LIST;
	struct node *list;

	if (row->types & SCHEMA_REPEAT && row->types & SCHEMA_STRING && !node_find(map, key)) {
		value_put(map, key, value_create(text, types, origin));
		return;
	}
	if (row->types & SCHEMA_REPEAT) {
		make_list(node_find(map, key));
		list = value_section(map, key, NODE_LIST, origin);
		value_append(list, value_create(text, types, origin));
		return;
	}
	list = node_create(NODE_LIST, *origin);
	value_put(map, key, list);
	while (text)
		value_append(list, value_create(piece_cut(&text), types, origin));
}

void option_put(struct node *map, const struct schema_key *row, char *text,
		const struct origin *origin)
{
	const char *dot = strrchr(row->path, '.');
	const char *key = dot ? dot + 1 : row->path;

	if (row->types & SCHEMA_LIST)
		put_list(map, key, row, text, origin);
	else
		value_put(map, key, value_create(text, row->types, origin));
}

struct node *value_section(struct node *map, const char *key, enum node_kind kind,
			   const struct origin *origin)
{
	struct node *section = node_find(map, key);

	if (section && section->kind == NODE_SCALAR)
		override_expand(section);
	if (section && section->kind == kind)
		return section;
	section = node_create(kind, *origin);
	section->qvmconf = true;
	value_put(map, key, section);
	return section;
}
