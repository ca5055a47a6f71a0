// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"
#include "config/schema_table.h"
#include "config/write.h"
#include "util/alloc.h"

/* ---- paths ---- */

/* Where in the text a path of the host begins, or NULL if there is none. */
static const char *find_path(const struct node *node)
{
	const struct schema_key *row = schema_row(node);
	const char *path = node->text;

	if (!row)
		return NULL;
	if (row->types & SCHEMA_PATH || !strcmp(row->path, "dump"))
		return *path == '|' ? NULL : path;
	if (strcmp(row->path, "devices[].*.hostdev") && strcmp(row->path, "devices[].*.hostdev[]"))
		return NULL;
	path += strspn(path, "<>");
	return !*path || *path == '|' || !strcmp(path, "-") ? NULL : path;
}

static void settle_path(struct node *node, bool qvmconf)
{
	const char *path = find_path(node);
	char *now, *then, *absolute, *text;

	if (!path)
		return;
	now = node_host_path(node, path);
	node->qvmconf = qvmconf;
	then = node_host_path(node, path);
	absolute = strcmp(now, then) ? realpath(now, NULL) : NULL;
	if (absolute) {
		text = xasprintf("%.*s%s", (int)(path - node->text), node->text, absolute);
		node_set_text(node, text);
		free(node->source);
		node->source = NULL;
		free(text);
	}
	free(absolute);
	free(now);
	free(then);
}

void config_settle_paths(struct node *root, bool qvmconf)
{
	if (root->kind == NODE_SCALAR)
		settle_path(root, qvmconf);
	for (struct node *child = root->child; child; child = child->next)
		config_settle_paths(child, qvmconf);
}

/* ---- YAML ---- */

/* Without quotes only what no reader of YAML takes for anything else than text or a number. */
static bool is_plain(const char *text)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
	size_t length = strlen(text);

	if (!length || !strchr(word, text[0]) || text[length - 1] == ':' || !strcmp(text, "null"))
		return false;
	for (; *text; text++)
		if (!strchr(word, *text) && !strchr(":=+-@%", *text))
			return false;
	return true;
}

static void write_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void write_text(FILE *out, const char *text)
{
	if (is_plain(text))
		fputs(text, out);
	else
		write_quoted(out, text);
}

static void write_scalar(FILE *out, const struct node *node)
{
	write_text(out, node->source ? node->source : node->text);
}

static void write_entries(FILE *out, const struct node *node)
{
	const char *between = "";

	for (const struct node *child = node->child; child; child = child->next) {
		fputs(between, out);
		if (child->key) {
			write_text(out, child->key);
			fputs(": ", out);
		}
		config_write_flow(out, child);
		between = ", ";
	}
}

void config_write_flow(FILE *out, const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		write_scalar(out, node);
		break;
	case NODE_LIST:
		fputc('[', out);
		write_entries(out, node);
		fputc(']', out);
		break;
	default:	/* nothing where a map may be is an empty one */
		fputc('{', out);
		write_entries(out, node);
		fputc('}', out);
	}
}

/* One entry a line; a map of one key needs no braces. */
static void write_block(FILE *out, const struct node *list)
{
	for (const struct node *entry = list->child; entry; entry = entry->next) {
		fputs("  - ", out);
		if (entry->kind == NODE_MAP && entry->child && !entry->child->next)
			write_entries(out, entry);
		else
			config_write_flow(out, entry);
		fputc('\n', out);
	}
}

static void write_section(FILE *out, const struct node *node)
{
	write_text(out, node->key);
	if (node->kind == NODE_LIST && node->child) {
		fputs(":\n", out);
		write_block(out, node);
		return;
	}
	fputs(": ", out);
	config_write_flow(out, node);
	fputc('\n', out);
}

void config_write_yaml(FILE *out, const struct node *root)
{
	for (size_t i = 0; schema_key_at(i); i++) {
		const struct node *node = node_find(root, schema_key_at(i)->path);

		if (node)
			write_section(out, node);
	}
	for (const struct node *node = root->child; node; node = node->next)
		if (!schema_find(node->key))
			write_section(out, node);
}
