// SPDX-License-Identifier: GPL-2.0-only
#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "config/subst.h"
#include "config/text.h"
#include "util/alloc.h"

/* A few aliases of aliases grow without bound; no config of a machine comes near these. */
#define YAML_MAX_NODES	20000
#define YAML_MAX_DEPTH	32

struct yaml_reader {
	yaml_document_t document;
	struct origin origin;	/* of the first line */
	const char *text;	/* all of it */
	unsigned int count;	/* nodes made so far */
	bool overflow;
};

static struct origin yaml_origin(const struct yaml_reader *reader, yaml_mark_t mark)
{
	struct origin origin = reader->origin;

	if (origin.line)
		origin.line += mark.line;
	return origin;
}

static bool yaml_is_null(const yaml_node_t *source)
{
	const char *text = (const char *)source->data.scalar.value;

	if (source->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	return !*text || !strcmp(text, "~") || !strcmp(text, "null");
}

static void yaml_fill(struct yaml_reader *reader, struct node *node, yaml_node_t *source,
		      unsigned int depth);

/* What has none is text, a list or a map to the reader. */
static void check_tag(struct node *node, const char *tag)
{
	static const char *const usual[] = { YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG };
	static const char yaml[] = "tag:yaml.org,2002:";
	bool is_yaml = !strncmp(tag, yaml, strlen(yaml));

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (!strcmp(tag, usual[i]))
			return;
	node_error(node, "the tag %s%s means nothing here, leave it out", is_yaml ? "!!" : "",
		   tag + (is_yaml ? strlen(yaml) : 0));
}

static void yaml_fill_list(struct yaml_reader *reader, struct node *list, yaml_node_t *source,
			   unsigned int depth)
{
	yaml_node_item_t *item;

	for (item = source->data.sequence.items.start; item < source->data.sequence.items.top;
	     item++) {
		yaml_node_t *value = yaml_document_get_node(&reader->document, *item);
		struct node *node = node_create(NODE_EMPTY, yaml_origin(reader, value->start_mark));

		node_add(list, node, NULL);
		yaml_fill(reader, node, value, depth);
	}
}

static void yaml_fill_entry(struct yaml_reader *reader, struct node *map, yaml_node_pair_t *pair,
			    unsigned int depth)
{
	yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
	yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
	struct node *node = node_create(NODE_EMPTY, yaml_origin(reader, key->start_mark));
	struct node *first;
	const char *word;
	char place[512];

	if (key->type == YAML_SCALAR_NODE && !strcmp((char *)key->data.scalar.value, "<<")) {
		node_add(map, node, NODE_NO_KEY);
		node_error(node, "`<<` does not merge here, write out the keys; `*name` alone is known");
		return;
	}
	if (key->type != YAML_SCALAR_NODE || !key->data.scalar.length ||
	    strlen((char *)key->data.scalar.value) != key->data.scalar.length) {
		node_add(map, node, NODE_NO_KEY);
		node_error(node, "a list, a map or nothing can't be a key, write `word: value`");
		return;
	}
	if (text_find_bad((const char *)key->data.scalar.value)) {
		node_add(map, node, NODE_NO_KEY);
		node_error(node, "a control character in a key, write plain text");
		return;
	}
	word = (const char *)key->data.scalar.value;
	first = node_find(map, word);
	node_add(map, node, word);
	if (first)
		node_error(node, "given twice in one map, first at %s; keep one of them",
			   origin_name(&first->origin, place, sizeof(place)));
	yaml_fill(reader, node, value, depth);
}

static void yaml_fill(struct yaml_reader *reader, struct node *node, yaml_node_t *source,
		      unsigned int depth)
{
	yaml_node_pair_t *pair;

	if (reader->overflow)
		return;
	if (++reader->count > YAML_MAX_NODES || depth > YAML_MAX_DEPTH) {
		reader->overflow = true;
		node_error(node, "too much, or an alias (*name) of something around it; "
			   "at most %u values, nested %u deep", YAML_MAX_NODES, YAML_MAX_DEPTH);
		return;
	}
	check_tag(node, (const char *)source->tag);
	switch (source->type) {
	case YAML_SCALAR_NODE:
		if (yaml_is_null(source))
			break;
		if (strlen((char *)source->data.scalar.value) != source->data.scalar.length)
			node_error(node, "a NUL character inside, write plain text");
		node->kind = NODE_SCALAR;
		node->text = xstrdup((char *)source->data.scalar.value);
		if (text_find_bad(node->text))
			node_error(node, "a control character inside, write plain text");
		text_flatten(node->text);
		subst_node(node);
		break;
	case YAML_SEQUENCE_NODE:
		node->kind = NODE_LIST;
		yaml_fill_list(reader, node, source, depth + 1);
		break;
	case YAML_MAPPING_NODE:
		node->kind = NODE_MAP;
		for (pair = source->data.mapping.pairs.start; pair < source->data.mapping.pairs.top;
		     pair++)
			yaml_fill_entry(reader, node, pair, depth + 1);
		break;
	default:
		break;
	}
}

/* A byte that can't be read has no mark, but an offset: the lines before it. */
static unsigned int lines_before(const char *text, size_t offset)
{
	unsigned int lines = 0;

	for (; *text && offset; offset--)
		lines += *text++ == '\n';
	return lines;
}

/* Is the first thing in this line a tab? */
static bool begins_with_tab(const char *text, size_t line)
{
	while (*text && line)
		line -= *text++ == '\n';
	return text[strspn(text, " ")] == '\t';
}

static void yaml_syntax_error(struct yaml_reader *reader, const yaml_parser_t *parser)
{
	struct origin origin = yaml_origin(reader, parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "out of memory";

	if (parser->error == YAML_READER_ERROR)
		origin.line += lines_before(reader->text, parser->problem_offset);
	if (parser->error == YAML_SCANNER_ERROR && begins_with_tab(reader->text, parser->problem_mark.line))
		log_at(&origin, NULL, "not YAML: a tab, which does not indent; write blanks");
	else if (parser->context)
		log_at(&origin, NULL, "not YAML: %s, %s", parser->context, problem);
	else
		log_at(&origin, NULL, "not YAML: %s", problem);
}

/* One document and then the end; the root node, or NULL after an error. */
static struct node *yaml_read_document(struct yaml_reader *reader, yaml_parser_t *parser)
{
	struct node *root = node_create(NODE_EMPTY, reader->origin);
	yaml_node_t *source, *more;
	struct origin origin;

	if (!yaml_parser_load(parser, &reader->document))
		goto bad;
	source = yaml_document_get_root_node(&reader->document);
	if (source)
		yaml_fill(reader, root, source, 0);
	yaml_document_delete(&reader->document);
	if (reader->overflow) {
		node_destroy(root);
		return NULL;
	}
	if (!source)
		return root;
	if (!yaml_parser_load(parser, &reader->document))
		goto bad;
	more = yaml_document_get_root_node(&reader->document);
	if (more) {
		origin = yaml_origin(reader, more->start_mark);
		log_at(&origin, NULL, "a second document in one file, put it into a file of its own");
		root->bad = true;
	}
	yaml_document_delete(&reader->document);
	return root;
bad:
	yaml_syntax_error(reader, parser);
	node_destroy(root);
	return NULL;
}

bool yaml_is_name(const char *path)
{
	static const char *const ends[] = { ".yaml", ".yml", ".json" };
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcmp(dot, ends[i]))
			return true;
	return false;
}

/* Before the parser takes it, which needs far too long for what is nested deeply. Message printed. */
static bool is_shallow(const struct yaml_reader *reader, size_t size)
{
	unsigned int depth = 0;
	yaml_parser_t parser;
	yaml_event_t event;
	struct origin origin;
	bool more = yaml_parser_initialize(&parser);

	yaml_parser_set_input_string(&parser, (const unsigned char *)reader->text, size);
	while (more && depth <= YAML_MAX_DEPTH + 1 && yaml_parser_parse(&parser, &event)) {
		origin = yaml_origin(reader, event.start_mark);
		depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
		depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (depth <= YAML_MAX_DEPTH + 1)
		return true;
	log_at(&origin, NULL, "nested more than %u deep, this is no config", YAML_MAX_DEPTH);
	return false;
}

static struct node *yaml_read(struct yaml_reader *reader, size_t size)
{
	yaml_parser_t parser;
	struct node *root;

	if (!is_shallow(reader, size))
		return NULL;
	if (!yaml_parser_initialize(&parser)) {
		log_at(&reader->origin, NULL, "can't be read: out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)reader->text, size);
	root = yaml_read_document(reader, &parser);
	yaml_parser_delete(&parser);
	return root;
}

struct node *yaml_read_text(const char *text, struct origin origin)
{
	struct yaml_reader reader = { .origin = origin, .text = text };

	return yaml_read(&reader, strlen(text));
}

struct node *yaml_read_file(const char *path)
{
	struct yaml_reader reader = { .origin = { path, 1 } };
	size_t size;
	char *text = text_read_file(path, &size);
	struct node *root;

	if (!text)
		return NULL;
	reader.text = text;
	root = yaml_read(&reader, size);
	free(text);
	if (root && root->kind == NODE_EMPTY)
		root->kind = NODE_MAP;
	if (root && root->kind != NODE_MAP) {
		log_at(&reader.origin, NULL, "not a config, write `key: value` lines");
		node_destroy(root);
		return NULL;
	}
	return root;
}
