// SPDX-License-Identifier: GPL-2.0-only
/* configs/qvm.schema.json out of the table: for editors that check YAML while one types. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "config/schema.h"
#include "config/schema_table.h"
#include "dev/device_host.h"

#define PATH_SIZE	128
#define ANY_DEVICE	"devices[].*"
#define NUMBER		"^(0[xX][0-9a-fA-F]+|[0-9]+)[KMGkmg]?$|\\\\$"	/* or a substitution */

struct json {
	FILE *out;
	int depth;
	bool first;	/* nothing yet in the innermost braces */
};

static void new_line(struct json *json)
{
	fprintf(json->out, "%s\n%*s", json->first ? "" : ",", 2 * json->depth, "");
	json->first = false;
}

static void put_text(struct json *json, const char *text)
{
	fputc('"', json->out);
	for (; *text; text++)
		fprintf(json->out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	fputc('"', json->out);
}

static void open_object(struct json *json, const char *key)
{
	if (key) {
		new_line(json);
		put_text(json, key);
		fputs(": ", json->out);
	}
	fputc('{', json->out);
	json->depth++;
	json->first = true;
}

static void close_object(struct json *json)
{
	json->depth--;
	fprintf(json->out, "\n%*s}", 2 * json->depth, "");
	json->first = false;	/* of what is around it */
}

static void put_member(struct json *json, const char *key, const char *text)
{
	new_line(json);
	fprintf(json->out, "\"%s\": ", key);
	put_text(json, text);
}

static void put_raw(struct json *json, const char *key, const char *value)
{
	new_line(json);
	fprintf(json->out, "\"%s\": %s", key, value);
}

/* "a|b" as a list of texts, or of objects that require one of them each. */
static void put_choices(struct json *json, const char *key, const char *choices, bool required)
{
	const char *between = "";

	new_line(json);
	fprintf(json->out, "\"%s\": [", key);
	while (*choices) {
		size_t length = strcspn(choices, "|");

		fprintf(json->out, required ? "%s{\"required\": [\"%.*s\"]}" : "%s\"%.*s\"", between,
			(int)length, choices);
		choices += length + (choices[length] == '|');
		between = ", ";
	}
	fputc(']', json->out);
}

static void put_scalar(struct json *json, const struct schema_key *row)
{
	char text[32];

	if (row->types & SCHEMA_ENUM) {
		put_choices(json, "enum", row->choices, false);
	} else if (row->types & SCHEMA_BOOL) {
		put_raw(json, "type", "[\"boolean\", \"string\"]");
	} else if (row->types & (SCHEMA_ADDRESS | SCHEMA_SIZE | SCHEMA_NUMBER)) {
		put_raw(json, "type", "[\"integer\", \"string\"]");
		put_raw(json, "pattern", "\"" NUMBER "\"");
		snprintf(text, sizeof(text), "%" PRIu64, row->min);
		put_raw(json, "minimum", text);
		snprintf(text, sizeof(text), "%" PRIu64, row->max);
		if (row->max)
			put_raw(json, "maximum", text);
	} else if (row->types & SCHEMA_IRQ) {
		put_raw(json, "type", "\"string\"");
		put_raw(json, "pattern", "\"^(gic:[0-9a-fA-Fx]+|none)$|\\\\$\"");
	} else {
		put_raw(json, "type", "[\"string\", \"integer\", \"boolean\"]");
	}
}

static void put_row(struct json *json, const struct schema_key *row);

static const char *word_below(const char *path, const char *map)
{
	size_t length = strlen(map);

	if (strncmp(path, map, length) || (length && path[length] != '.'))
		return NULL;
	path += length + (length != 0);
	return strpbrk(path, ".[*") ? NULL : path;
}

static void put_properties(struct json *json, const char *map)
{
	for (size_t i = 0; schema_key_at(i); i++) {
		const char *word = word_below(schema_key_at(i)->path, map);

		if (!word || schema_key_at(i)->types & SCHEMA_LATER)
			continue;
		open_object(json, word);
		put_row(json, schema_key_at(i));
		close_object(json);
	}
}

static void put_devices(struct json *json)
{
	char path[PATH_SIZE];

	for (size_t i = 0; device_types[i]; i++) {
		open_object(json, device_types[i]->name);
		put_raw(json, "type", "[\"object\", \"null\"]");
		open_object(json, "properties");
		put_properties(json, ANY_DEVICE);
		snprintf(path, sizeof(path), "devices[].%s", device_types[i]->name);
		put_properties(json, path);
		close_object(json);
		put_raw(json, "additionalProperties", "false");
		close_object(json);
	}
}

static void put_map(struct json *json, const struct schema_key *row)
{
	bool any = row->choices && !strcmp(row->choices, "*");

	put_raw(json, "type", "[\"object\", \"null\"]");
	open_object(json, "properties");
	if (any)
		put_devices(json);
	else
		put_properties(json, row->path);
	close_object(json);
	put_raw(json, "additionalProperties", "false");
	if (any)
		put_raw(json, "minProperties", "1");
	if (any)
		put_raw(json, "maxProperties", "1");
	else if (row->choices)
		put_choices(json, "oneOf", row->choices, true);
}

static void put_list(struct json *json, const struct schema_key *row)
{
	const struct schema_key *entry;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s[]", row->path);
	entry = schema_find(path);
	put_raw(json, "type", "[\"array\", \"null\"]");
	if (!entry)
		return;
	open_object(json, "items");
	put_row(json, entry);
	close_object(json);
}

static void put_row(struct json *json, const struct schema_key *row)
{
	put_member(json, "description", row->doc ? row->doc : "");
	if (row->types & SCHEMA_LIST && row->types & SCHEMA_NUMBER) {
		put_raw(json, "anyOf", "[");
		json->first = true;
		open_object(json, NULL);
		put_scalar(json, row);
		close_object(json);
		fputs(", ", json->out);
		open_object(json, NULL);
		put_list(json, row);
		close_object(json);
		fputc(']', json->out);
		json->first = false;
	} else if (row->types & SCHEMA_LIST) {
		put_list(json, row);
	} else if (row->types & SCHEMA_MAP) {
		put_map(json, row);
	} else {
		put_scalar(json, row);
	}
}

void schema_print_json(FILE *out)
{
	struct json json = { .out = out };

	open_object(&json, NULL);
	put_member(&json, "$schema", "http://json-schema.org/draft-07/schema#");
	put_member(&json, "$comment", "Written by `qvm schema --json`; do not edit.");
	put_member(&json, "title", "A config of qvm");
	put_raw(&json, "type", "\"object\"");
	open_object(&json, "properties");
	put_properties(&json, "");
	close_object(&json);
	put_raw(&json, "additionalProperties", "false");
	close_object(&json);
	fputc('\n', out);
}
