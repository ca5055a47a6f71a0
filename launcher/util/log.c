// SPDX-License-Identifier: GPL-2.0-only
#include "util/log.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <syslog.h>

static FILE *log_stream;		/* in place of standard error */
static bool log_is_routed;
static unsigned int log_kinds[LOG_TARGET_COUNT] = {
	[LOG_STDERR] = LOG_KIND_ERROR | LOG_KIND_WARN | LOG_KIND_INFO,
};
static atomic_uint error_count;
static _Thread_local FILE *diverted;

static void put_stderr(int priority, const char *text)
{
	(void)priority;
	fputs(text, log_stream ? log_stream : stderr);
}

static void put_stdout(int priority, const char *text)
{
	(void)priority;
	fputs(text, stdout);
	fflush(stdout);
}

static void put_syslog(int priority, const char *text)
{
	syslog(LOG_DAEMON | priority, "%s", text);
}

static void put_nowhere(int priority, const char *text)
{
	(void)priority;
	(void)text;
}

static void (*const log_targets[])(int priority, const char *text) = {
	[LOG_STDERR] = put_stderr,
	[LOG_STDOUT] = put_stdout,
	[LOG_SYSLOG] = put_syslog,
	[LOG_NOWHERE] = put_nowhere,
};

static int log_priority(enum log_kind kind)
{
	switch (kind) {
	case LOG_KIND_ERROR:
		return LOG_ERR;
	case LOG_KIND_WARN:
		return LOG_WARNING;
	case LOG_KIND_INFO:
		return LOG_INFO;
	default:
		return LOG_DEBUG;
	}
}

/* One fputs() a message, so that lines of several threads do not mix. */
static void log_put_to(const unsigned int *kinds, enum log_kind kind, const char *prefix,
		       const char *format, va_list args)
{
	char text[2048], line[4096];

	vsnprintf(text, sizeof(text), format, args);
	snprintf(line, sizeof(line), "%s%s\n", prefix, text);
	for (unsigned int i = 0; i < LOG_TARGET_COUNT; i++)
		if (kinds[i] & kind)
			log_targets[i](log_priority(kind), line);
}

static void log_put(enum log_kind kind, const char *prefix, const char *format, va_list args)
{
	log_put_to(log_kinds, kind, prefix, format, args);
}

static const char *log_prefix(enum log_kind kind)
{
	switch (kind) {
	case LOG_KIND_ERROR:
		return "qvm: error: ";
	case LOG_KIND_WARN:
		return "qvm: warning: ";
	case LOG_KIND_INFO:
		return "qvm: ";
	default:
		return "qvm: debug: ";
	}
}

void log_routes_set(struct log_routes *routes, unsigned int kinds, enum log_target target)
{
	for (unsigned int i = 0; i < LOG_TARGET_COUNT; i++)
		routes->kinds[i] &= ~kinds;
	routes->said |= kinds;
	routes->kinds[target] |= kinds;
}

void log_to(const struct log_routes *routes, enum log_kind kind, const char *format, ...)
{
	bool elsewhere = routes && routes->said & kind;
	va_list args;

	va_start(args, format);
	if (diverted && kind == LOG_KIND_INFO) {
		vfprintf(diverted, format, args);
		fputc('\n', diverted);
		va_end(args);
		return;
	}
	log_put_to(elsewhere ? routes->kinds : log_kinds, kind, log_prefix(kind), format, args);
	va_end(args);
	error_count += kind == LOG_KIND_ERROR;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_put(LOG_KIND_ERROR, log_prefix(LOG_KIND_ERROR), format, args);
	va_end(args);
	error_count++;
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_put(LOG_KIND_WARN, log_prefix(LOG_KIND_WARN), format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (diverted) {
		vfprintf(diverted, format, args);
		fputc('\n', diverted);
	} else {
		log_put(LOG_KIND_INFO, log_prefix(LOG_KIND_INFO), format, args);
	}
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_put(LOG_KIND_DEBUG, log_prefix(LOG_KIND_DEBUG), format, args);
	va_end(args);
}

const char *origin_name(const struct origin *origin, char *text, size_t size)
{
	if (origin->line)
		snprintf(text, size, "%s:%u", origin->file, origin->line);
	else
		snprintf(text, size, "%s", origin->file ? origin->file : ORIGIN_BOARD);
	return text;
}

static void put_at(enum log_kind kind, const struct origin *origin, const char *key,
		   const char *format, va_list args)
{
	char prefix[1024], place[512];
	const char *warning = kind == LOG_KIND_WARN ? "warning: " : "";

	origin_name(origin, place, sizeof(place));
	if (key && *key)
		snprintf(prefix, sizeof(prefix), "%s: %s: %s", place, key, warning);
	else
		snprintf(prefix, sizeof(prefix), "%s: %s", place, warning);
	log_put(kind, prefix, format, args);
}

void log_vat(const struct origin *origin, const char *key, const char *format, va_list args)
{
	put_at(LOG_KIND_ERROR, origin, key, format, args);
	error_count++;
}

void log_at(const struct origin *origin, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vat(origin, key, format, args);
	va_end(args);
}

void log_warn_at(const struct origin *origin, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_at(LOG_KIND_WARN, origin, key, format, args);
	va_end(args);
}

unsigned int log_error_count(void)
{
	return error_count;
}

void log_divert(FILE *stream)
{
	diverted = stream;
}

void log_reset(FILE *stream)
{
	log_stream = stream;
	log_is_routed = false;
	for (unsigned int i = 0; i < LOG_TARGET_COUNT; i++)
		log_kinds[i] = 0;
	log_kinds[LOG_STDERR] = LOG_KIND_ERROR | LOG_KIND_WARN | LOG_KIND_INFO;
	error_count = 0;
}

void log_set_verbose(int verbose)
{
	if (verbose)
		log_kinds[LOG_STDERR] |= LOG_KIND_DEBUG;
	else
		log_kinds[LOG_STDERR] &= ~LOG_KIND_DEBUG;
}

void log_route(unsigned int kinds, enum log_target target)
{
	unsigned int debug = log_kinds[LOG_STDERR] & LOG_KIND_DEBUG;

	if (!log_is_routed)
		log_kinds[LOG_STDERR] = debug;	/* --verbose stays */
	log_is_routed = true;
	for (unsigned int i = 0; target == LOG_NOWHERE && i < LOG_TARGET_COUNT; i++)
		log_kinds[i] &= ~kinds;
	log_kinds[target] |= kinds;
}
