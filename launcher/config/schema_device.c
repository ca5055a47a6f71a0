// SPDX-License-Identifier: GPL-2.0-only
/* Rows of the schema that device types bring, behind those of the table. */
#include <stdlib.h>
#include <string.h>

#include "config/schema_table.h"
#include "dev/device_host.h"
#include "util/alloc.h"

static const struct schema_key **rows;
static size_t row_count;
static bool is_filled;

static void add_row(struct schema_key row)
{
	struct schema_key *copy = xcalloc(1, sizeof(*copy));

	*copy = row;
	rows = xreallocarray(rows, row_count + 1, sizeof(*rows));
	rows[row_count++] = copy;
}

static unsigned int option_types(const struct device_option *option)
{
	static const unsigned int types[] = {
		[DEVICE_OPTION_STRING] = SCHEMA_STRING, [DEVICE_OPTION_NUMBER] = SCHEMA_NUMBER,
		[DEVICE_OPTION_SIZE] = SCHEMA_SIZE, [DEVICE_OPTION_ADDRESS] = SCHEMA_ADDRESS,
		[DEVICE_OPTION_BOOL] = SCHEMA_BOOL, [DEVICE_OPTION_CHOICE] = SCHEMA_ENUM,
		[DEVICE_OPTION_CHOICES] = SCHEMA_LIST | SCHEMA_ENUM,
		[DEVICE_OPTION_STRINGS] = SCHEMA_LIST | SCHEMA_REPEAT,
	};

	return types[option->kind];
}

static const char *option_unit(const struct device_option *option)
{
	if (option->kind == DEVICE_OPTION_SIZE)
		return "bytes";
	return option->kind == DEVICE_OPTION_ADDRESS ? "gpa" : NULL;
}

static void add_option(const char *type, const struct device_option *option)
{
	char *path = xasprintf("devices[].%s.%s", type, option->name);
	struct schema_key row = {
		.path = path,
		.types = option_types(option),
		.unit = option_unit(option),
		.fallback = option->fallback,
		.min = option->min,
		.max = option->max,
		.qvmconf = xasprintf("%s %s", option->name, type),
		.doc = option->doc,
	};

	if (row.types & SCHEMA_ENUM)
		row.choices = option->choices;
	add_row(row);
	if (row.types & SCHEMA_LIST)
		add_row((struct schema_key){
			.path = xasprintf("%s[]", path),
			.types = option->choices ? SCHEMA_ENUM : SCHEMA_STRING,
			.choices = option->choices,
			.min = option->min,
			.max = option->max,
			.doc = option->choices ? "a word" : "an entry",
		});
}

void schema_add_device(const struct device_type *type)
{
	for (const struct device_option *option = type->options; option && option->name; option++)
		add_option(type->name, option);
}

const struct schema_key *schema_key_at(size_t index)
{
	if (index < schema_key_count)
		return &schema_keys[index];
	if (!is_filled) {
		is_filled = true;
		for (size_t i = 0; device_types[i]; i++)
			schema_add_device(device_types[i]);
	}
	return index - schema_key_count < row_count ? rows[index - schema_key_count] : NULL;
}
