// SPDX-License-Identifier: GPL-2.0-only
#include "config/yaml.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
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

	if (key->type != YAML_SCALAR_NODE || !key->data.scalar.length ||
	    strlen((char *)key->data.scalar.value) != key->data.scalar.length) {
		node_add(map, node, NODE_NO_KEY);
		node_error(node, "a list, a map or nothing can't be a key, write `word: value`");
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

static void yaml_syntax_error(struct yaml_reader *reader, const yaml_parser_t *parser)
{
	struct origin origin = yaml_origin(reader, parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "out of memory";

	if (parser->context)
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

/* fopen() that refuses folders; errno says why. */
static FILE *yaml_open(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat status;

	if (file && !fstat(fileno(file), &status) && S_ISDIR(status.st_mode)) {
		fclose(file);
		errno = EISDIR;
		return NULL;
	}
	return file;
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

struct node *yaml_read_file(const char *path)
{
	struct yaml_reader reader = { .origin = { path, 1 } };
	struct origin whole = { path, 0 };
	yaml_parser_t parser;
	struct node *root;
	FILE *file;

	file = yaml_open(path);
	if (!file) {
		log_at(&whole, NULL, "can't be read: %s", strerror(errno));
		return NULL;
	}
	if (!yaml_parser_initialize(&parser)) {
		log_at(&whole, NULL, "can't be read: out of memory");
		fclose(file);
		return NULL;
	}
	yaml_parser_set_input_file(&parser, file);
	root = yaml_read_document(&reader, &parser);
	yaml_parser_delete(&parser);
	fclose(file);
	if (root && root->kind == NODE_EMPTY)
		root->kind = NODE_MAP;
	if (root && root->kind != NODE_MAP) {
		log_at(&reader.origin, NULL, "not a config, write `key: value` lines");
		node_destroy(root);
		return NULL;
	}
	return root;
}

struct node *yaml_read_text(const char *text, struct origin origin)
{
	struct yaml_reader reader = { .origin = origin };
	yaml_parser_t parser;
	struct node *root;

	if (!yaml_parser_initialize(&parser)) {
		log_at(&origin, NULL, "can't be read: out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	root = yaml_read_document(&reader, &parser);
	yaml_parser_delete(&parser);
	return root;
}
