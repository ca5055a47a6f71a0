// SPDX-License-Identifier: GPL-2.0-only
/* `logger`: where messages of which kinds go. */
#include <string.h>

#include "config/schema.h"
#include "machine/build.h"
#include "machine/machine.h"
#include "util/alloc.h"

unsigned int logger_kind(const char *text)
{
	static const struct {
		const char *word;
		unsigned int kinds;
	} words[] = {
		{ "fatal", LOG_KIND_ERROR }, { "internal", LOG_KIND_ERROR },
		{ "error", LOG_KIND_ERROR }, { "warn", LOG_KIND_WARN }, { "warning", LOG_KIND_WARN },
		{ "info", LOG_KIND_INFO }, { "debug", LOG_KIND_DEBUG }, { "verbose", LOG_KIND_DEBUG },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i].word))
			return words[i].kinds;
	return 0;
}

int logger_target(const char *text)
{
	static const struct {
		const char *word;
		enum log_target target;
	} words[] = {
		{ "stderr", LOG_STDERR }, { "stdout", LOG_STDOUT }, { "slog", LOG_SYSLOG },
		{ "none", LOG_NOWHERE },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i].word))
			return (int)words[i].target;
	return -1;
}

static unsigned int logger_kinds(const struct node *list)
{
	unsigned int kinds = 0;

	for (const struct node *word = node_first(list); word; word = word->next)
		kinds |= word->text ? logger_kind(word->text) : 0;
	return kinds;
}

void build_loggers(struct machine *m, const struct node *list)
{
	m->logger = xcalloc(node_count(list), sizeof(*m->logger));
	for (const struct node *entry = node_first(list); entry; entry = entry->next) {
		int target = logger_target(schema_string(entry, "logger[].to"));
		struct node *filter = node_find(entry, "filter");

		if (entry->bad || target < 0 || !filter || filter->bad)
			continue;
		if (!node_count(filter))
			node_error(filter, "of no kind, write some, such as error,warn");
		m->logger[m->logger_count++] = (struct logger_config){
			.kinds = logger_kinds(filter),
			.target = (enum log_target)target,
		};
	}
}
