// SPDX-License-Identifier: GPL-2.0-only
/* From the config's tree into a device's state. */
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"
#include "config/value.h"
#include "dev/device_host.h"
#include "machine/machine.h"
#include "util/alloc.h"

/* Which of a row's choices this word is, or -1. */
static int choice_of(const char *choices, const char *word)
{
	size_t length = strlen(word);

	for (int index = 0; choices; index++) {
		if (!strncmp(choices, word, length) && (!choices[length] || choices[length] == '|'))
			return index;
		choices = strchr(choices, '|');
		choices = choices ? choices + 1 : NULL;
	}
	return -1;
}

/* A list of words, or one. */
static unsigned int read_choices(const struct device_option *option, const struct node *list)
{
	const struct node *word = list->kind == NODE_LIST ? list->child : list;
	unsigned int bits = 0;
	int index;

	for (; word; word = list->kind == NODE_LIST ? word->next : NULL) {
		index = word->text ? choice_of(option->choices, word->text) : -1;
		if (index >= 0)
			bits |= 1U << index;
	}
	return bits;
}

/* Of a list that nobody has said: what the fallback says, words with commas. */
static unsigned int fallback_choices(const struct device_option *option)
{
	char *words = xstrdup(option->fallback ? option->fallback : ""), *save = NULL;
	unsigned int bits = 0;
	int index;

	for (char *word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		index = choice_of(option->choices, word);
		if (index >= 0)
			bits |= 1U << index;
	}
	free(words);
	return bits;
}

static void read_strings(struct device_config *config, const struct node *list,
			 struct device_strings *strings)
{
	const char **text = xcalloc(node_count(list) + 1, sizeof(*text));

	for (const struct node *entry = list ? list->child : NULL; entry; entry = entry->next)
		if (entry->text)
			text[strings->count++] = entry->text;
	strings->text = text;
	config->strings = xreallocarray(config->strings, config->strings_count + 1,
					sizeof(*config->strings));
	config->strings[config->strings_count++] = text;
}

/* Of a list; false: @kind is a scalar's. */
static bool read_list(struct device_config *config, const struct device_option *option,
		      const struct node *node, void *to)
{
	if (option->kind == DEVICE_OPTION_STRINGS)
		read_strings(config, node && node->kind == NODE_LIST ? node : NULL, to);
	else if (option->kind == DEVICE_OPTION_CHOICES && node)
		*(unsigned int *)to = read_choices(option, node);
	else if (option->kind == DEVICE_OPTION_CHOICES)
		*(unsigned int *)to = fallback_choices(option);
	else
		return false;
	return true;
}

static void read_scalar(const struct device_option *option, const char *text, void *to)
{
	uint64_t number = 0;
	bool flag = false;
	int index;

	switch (option->kind) {
	case DEVICE_OPTION_STRING:
		*(const char **)to = text;
		break;
	case DEVICE_OPTION_BOOL:
		value_bool(text, &flag);
		*(bool *)to = flag;
		break;
	case DEVICE_OPTION_CHOICE:
		index = choice_of(option->choices, text);
		*(unsigned int *)to = index < 0 ? 0 : (unsigned int)index;
		break;
	default:
		value_number(text, &number);
		*(uint64_t *)to = number;
	}
}

void device_options_read(struct device_config *config, void *state)
{
	const struct device_option *option = config->type->options;

	for (; option && option->name; option++) {
		const struct node *node = node_find(config->node, option->name);
		const char *text = option->fallback;
		void *to = (char *)state + option->offset;

		if (node && (node->bad || node->kind == NODE_EMPTY))
			node = NULL;
		if (read_list(config, option, node, to))
			continue;
		if (node && node->kind == NODE_SCALAR)
			text = node->text;
		if (text)
			read_scalar(option, text, to);
	}
}
