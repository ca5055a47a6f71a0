// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/qvmconf.h"
#include "config/schema.h"
#include "config/schema_table.h"
#include "config/value.h"
#include "config/write.h"
#include "util/alloc.h"

#define MAX_CPUS	64

static void write_word(FILE *out, const char *text)
{
	bool continues = *text && text[strlen(text) - 1] == '\\';	/* with the end of the line */

	if (*text && *text != '#' && !continues && !strpbrk(text, " \t\r\n\f\v\"")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++)
		fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	fputc('"', out);
}

static const char *source_of(const struct node *node)
{
	return node->source ? node->source : node->text;
}

static bool is_decimal(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* The value as a word, to be free()d; a decimal address must say that it is one, and one that is no port. */
static char *scalar_text(const struct node *node, unsigned int types)
{
	bool marked = types & SCHEMA_ADDRESS && is_decimal(node->text);
	uint64_t number;
	bool low = types & SCHEMA_PORT && value_number(node->text, &number) && number <= 0xffff;

	return xasprintf("%s%s%s", low ? "mem:" : "", marked ? "0d" : "", source_of(node));
}

static void write_scalar(FILE *out, const struct node *node, unsigned int types)
{
	char *text = scalar_text(node, types);

	write_word(out, text);
	free(text);
}

/* "a,b" of a list of scalars. */
static char *join(const struct node *list)
{
	char *text = xstrdup(""), *longer;

	for (const struct node *child = list ? list->child : NULL; child; child = child->next) {
		longer = xasprintf("%s%s%s", text, *text ? "," : "",
				   child->kind == NODE_SCALAR ? source_of(child) : "");
		free(text);
		text = longer;
	}
	return text;
}

/* "word value", with @value free()d. */
static void write_pair(FILE *out, const char *word, char *value)
{
	fprintf(out, "%s ", word);
	write_word(out, value);
	free(value);
}

/* ---- options of a context ---- */

static void write_list(FILE *out, const char *word, const struct node *node, unsigned int types)
{
	if (!node->child)
		return;
	if (!(types & SCHEMA_REPEAT)) {
		fputc(' ', out);
		write_pair(out, word, join(node));
		return;
	}
	for (const struct node *child = node->child; child; child = child->next) {
		if (child->kind != NODE_SCALAR)
			continue;
		fputc(' ', out);
		write_pair(out, word, xstrdup(source_of(child)));
	}
}

/* "error,warn stderr" was two arguments. */
static void write_log(FILE *out, const struct node *node)
{
	const struct node *said = node->kind == NODE_LIST ? node->child : node;

	for (; said && said->kind == NODE_SCALAR; said = node->kind == NODE_LIST ? said->next : NULL) {
		const char *text = source_of(said), *blank = strchr(text, ' ');

		fprintf(out, " log %.*s %s", (int)(blank ? blank - text : (ptrdiff_t)strlen(text)),
			text, blank ? blank + 1 : "stderr");
	}
}

/* Is there a word for it in a context, so that it can be written there? */
static const char *context_word(const struct node *node, const struct schema_key **row, char *word,
				size_t size)
{
	*row = schema_row(node);
	if (!*row || !(*row)->qvmconf || (node->kind != NODE_SCALAR && node->kind != NODE_LIST))
		return NULL;
	snprintf(word, size, "%.*s", (int)strcspn((*row)->qvmconf, " "), (*row)->qvmconf);
	return word;
}

static void write_option(FILE *out, const struct node *node)
{
	const struct schema_key *row;
	char buffer[64];
	const char *word = context_word(node, &row, buffer, sizeof(buffer));
	bool flag;

	if (!word)
		return;
	if (strstr(row->qvmconf, " set-vdev"))
		fputs(" set", out);
	if (!strcmp(word, "log")) {
		write_log(out, node);
	} else if (!strcmp(word, "pci")) {
		fprintf(out, " loc pci:%s", source_of(node));
	} else if (node->kind == NODE_LIST) {
		write_list(out, word, node, row->types);
	} else if (row->types & SCHEMA_BOOL && !strstr(row->qvmconf, " set-vdev")) {
		if (value_bool(node->text, &flag) && flag)
			fprintf(out, " %s", word);
	} else {
		fprintf(out, " %s ", word);
		write_scalar(out, node, row->types);
	}
}

static void write_options(FILE *out, const struct node *map)
{
	for (const struct node *child = map->child; child; child = child->next)
		write_option(out, child);
	fputc('\n', out);
}

/* ---- sections ---- */

static void write_top(FILE *out, const struct node *node)
{
	const struct schema_key *row = schema_row(node);
	bool flag;

	if (node->kind != NODE_SCALAR)
		return;
	if (row->types & SCHEMA_BOOL) {
		if (value_bool(node->text, &flag) && flag)
			fprintf(out, "%s\n", row->qvmconf);
		return;
	}
	fprintf(out, "%s ", row->qvmconf);
	write_scalar(out, node, row->types);
	fputc('\n', out);
}

/* "word [ADDRESS,]VALUE" */
static void write_placed(FILE *out, const char *word, const struct node *value,
			 const struct node *at)
{
	char *address = at && at->kind == NODE_SCALAR ? scalar_text(at, SCHEMA_ADDRESS) : NULL;

	write_pair(out, word, xasprintf("%s%s%s", address ? address : "", address ? "," : "",
					source_of(value)));
	free(address);
}

static void write_memory(FILE *out, const struct node *entry)
{
	static const char *const keys[] = { "ram", "rom" };

	const struct node *lazy = node_find(entry, "lazy");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct node *size = node_find(entry, keys[i]);

		if (!size || size->kind != NODE_SCALAR)
			continue;
		write_placed(out, keys[i], size, node_find(entry, "at"));
		if (lazy)
			write_option(out, lazy);
		fputc('\n', out);
	}
}

static void write_load(FILE *out, const struct node *entry)
{
	static const struct {
		const char *key, *word;
	} keys[] = {
		{ "kernel", "load" }, { "elf", "load" }, { "file", "load" }, { "initrd", "initrd load" },
		{ "data", "data load" }, { "fdt", "fdt load" }, { "acpi", "acpi load" },
		{ "guest", "guest load" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct node *path = node_find(entry, keys[i].key);

		if (path && path->kind == NODE_SCALAR) {
			write_placed(out, keys[i].word, path, node_find(entry, "at"));
			fputc('\n', out);
		}
	}
}

static void write_cpu(FILE *out, const struct node *entry)
{
	fputs("cpu", out);
	write_options(out, entry);
}

static void write_device(FILE *out, const struct node *entry)
{
	const struct node *device = entry->kind == NODE_MAP ? entry->child : NULL, *port;

	if (!device)
		return;
	fputs("vdev ", out);
	write_word(out, qvmconf_device_word(device->key));
	port = node_find(device, "io");
	if (port && port->kind == NODE_SCALAR)
		fprintf(out, " loc io:%s", source_of(port));
	write_options(out, device);
}

/* A decimal address in it must say that it is one: first of all, and behind =. */
static char *place_text(const char *text)
{
	size_t prefix = value_place_prefix(text);
	const char *address = text + prefix, *host = strchr(text, '=');
	size_t length = strspn(address, "0123456789");
	bool marked = length && strchr(",=", address[length]) && strncmp(text, "pci:", 4);

	host = host && strncmp(text, "pci:", 4) ? host : NULL;
	return xasprintf("%.*s%s%.*s%s%s", (int)prefix, text, marked ? "0d" : "",
			 (int)(host ? host + 1 - address : (ptrdiff_t)strlen(address)), address,
			 host && is_decimal(host + 1) ? "0d" : "", host ? host + 1 : "");
}

static void write_places(FILE *out, const struct node *said)
{
	const struct node *place = said && said->kind == NODE_LIST ? said->child : said;

	for (; place; place = said->kind == NODE_LIST ? place->next : NULL) {
		if (place->kind != NODE_SCALAR)
			continue;
		fputc(' ', out);
		write_pair(out, "loc", place_text(source_of(place)));
	}
}

static void write_pass(FILE *out, const struct node *entry)
{
	const struct node *blob = node_find(entry, "blob"), *said = node_find(entry, "irq");
	const struct node *line = said && said->kind == NODE_LIST ? said->child : said;

	fprintf(out, "%s%spass", blob ? source_of(blob) : "", blob ? " " : "");
	write_places(out, node_find(entry, "loc"));
	for (; line; line = said->kind == NODE_LIST ? line->next : NULL)
		if (line->kind == NODE_SCALAR)
			fprintf(out, " intr %s", source_of(line));
	fputc('\n', out);
}

static void write_reserve(FILE *out, const struct node *entry)
{
	static const struct {
		const char *key, *word;
	} keys[] = { { "irq", "intr " }, { "io", "loc io:" }, { "pci", "loc pci:" } };
	const struct node *at = node_find(entry, "at"), *size = node_find(entry, "size");

	fputs("reserve ", out);
	if (at && size && size->kind == NODE_SCALAR) {
		write_placed(out, "loc", size, at);
		fputc('\n', out);
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct node *place = node_find(entry, keys[i].key);

		if (place && place->kind == NODE_SCALAR)
			fprintf(out, "%s%s\n", keys[i].word, source_of(place));
	}
}

static void write_logger(FILE *out, const struct node *entry)
{
	const char *target = node_text(entry, "to");

	write_pair(out, "logger", join(node_find(entry, "filter")));
	fprintf(out, " %s\n", target ? target : "stderr");
}

static void write_cpu_count(FILE *out, const struct node *node)
{
	uint64_t count;

	if (value_number(node->text, &count) && count <= MAX_CPUS)
		while (count--)
			fputs("cpu\n", out);
}

static void write_gic(FILE *out, const struct node *map)
{
	const struct schema_key *row;
	bool any = false;
	char word[64];

	for (const struct node *child = map->child; child; child = child->next)
		any |= context_word(child, &row, word, sizeof(word)) != NULL;
	if (!any)
		return;
	fputs("vdev gic", out);
	write_options(out, map);
}

/* `set NAME VALUE` and `unsupported NAME VALUE`. */
static void write_pairs(FILE *out, const struct node *map)
{
	for (const struct node *child = map->child; child; child = child->next) {
		const struct schema_key *row = schema_row(child);
		const char *blank = row && row->qvmconf ? strchr(row->qvmconf, ' ') : NULL;

		if (!blank || child->kind != NODE_SCALAR)
			continue;
		fprintf(out, "%s %.*s ", blank + 1, (int)(blank - row->qvmconf), row->qvmconf);
		write_scalar(out, child, row->types);
		fputc('\n', out);
	}
}

/* In the order that QNX wants: the name, memory, what others refer to, the rest. */
static const struct section {
	const char *key;
	void (*entry)(FILE *out, const struct node *entry);	/* of a list */
	void (*whole)(FILE *out, const struct node *node);	/* of anything else */
} sections[] = {
	{ "system", NULL, write_top },
	{ "debug", NULL, write_top },
	{ "logger", write_logger, NULL },
	{ "memory", write_memory, NULL },
	{ "reserve", write_reserve, NULL },
	{ "cpus", write_cpu, write_cpu_count },
	{ "load", write_load, NULL },
	{ "cmdline", NULL, write_top },
	{ "gic", NULL, write_gic },
	{ "devices", write_device, NULL },
	{ "pass", write_pass, NULL },
	{ "unsupported", NULL, write_pairs },
	{ "set", NULL, write_pairs },
	{ "fdt", NULL, write_pairs },
	{ "dump", NULL, write_top },
	{ "safety", NULL, write_top },
	{ "dryrun", NULL, write_top },
};

static void write_section(FILE *out, const struct section *section, const struct node *node)
{
	bool wants_map = section->whole && section->whole != write_top &&
			 section->whole != write_cpu_count;

	if (node->kind == NODE_LIST && section->entry)
		for (const struct node *entry = node->child; entry; entry = entry->next)
			section->entry(out, entry);
	else if (section->whole && (node->kind == NODE_SCALAR) != wants_map)
		section->whole(out, node);
}

/* ---- what has no word ---- */

static bool has_word(const struct node *node)
{
	static const char *const paths[] = {
		"memory[].at", "load[].at", "load[].elf", "load[].file", "reserve[].size",
		"reserve[].io", "reserve[].pci", "logger[].filter", "logger[].filter[]", "logger[].to",
		"cpus[].runmask[]", "cpus", "devices[].*.io",
	};
	const struct schema_key *row = schema_row(node), *list = schema_row(node->parent);

	if ((row && row->qvmconf) || (!node->key && list && list->qvmconf && strchr(list->qvmconf, ' ')))
		return true;
	for (size_t i = 0; row && i < sizeof(paths) / sizeof(paths[0]); i++)
		if (!strcmp(row->path, paths[i]))
			return true;
	return false;
}

static void write_set(FILE *out, const struct node *node)
{
	char path[256], *text;
	size_t size;
	FILE *value;

	fprintf(out, "set qvm.%s ", node_path(node, path, sizeof(path)));
	if (node->kind == NODE_SCALAR && !strchr("{[\"'", *source_of(node))) {
		write_word(out, source_of(node));
	} else {
		value = open_memstream(&text, &size);
		config_write_flow(value, node);
		fclose(value);
		write_word(out, text);
		free(text);
	}
	fputc('\n', out);
}

static void write_rest(FILE *out, const struct node *node)
{
	const struct schema_key *row = schema_row(node);
	bool is_pass = row && !strcmp(row->path, "pass");

	if (is_pass || (node->kind != NODE_MAP && node->kind != NODE_LIST && has_word(node)))
		return;
	if (node->kind == NODE_SCALAR)
		write_set(out, node);
	else if (node->key && !node->child && (!row || !row->qvmconf) && node->kind == NODE_LIST)
		return;
	if (node->kind == NODE_LIST && row && row->types & SCHEMA_LATER)
		return;		/* of a missing device: written there */
	for (const struct node *child = node->child; child; child = child->next)
		write_rest(out, child);
}

void config_write_qvmconf(FILE *out, const struct node *root)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct node *node = node_find(root, sections[i].key);

		if (node)
			write_section(out, &sections[i], node);
	}
	for (const struct node *node = root->child; node; node = node->next)
		write_rest(out, node);
}
