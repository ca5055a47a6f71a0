// SPDX-License-Identifier: GPL-2.0-only
#include "util/log.h"

#include <stdatomic.h>

static FILE *log_stream;
static int log_verbose;
static atomic_uint error_count;

/* One fputs() a message, so that lines of several threads do not mix. */
static void log_put(const char *prefix, const char *format, va_list args)
{
	char text[2048];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(log_stream ? log_stream : stderr, "%s%s\n", prefix, text);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_put("qvm: error: ", format, args);
	va_end(args);
	error_count++;
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_put("qvm: warning: ", format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_put("qvm: ", format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (!log_verbose)
		return;
	va_start(args, format);
	log_put("qvm: debug: ", format, args);
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

void log_vat(const struct origin *origin, const char *key, const char *format, va_list args)
{
	char prefix[1024], place[512];

	origin_name(origin, place, sizeof(place));
	if (key && *key)
		snprintf(prefix, sizeof(prefix), "%s: %s: ", place, key);
	else
		snprintf(prefix, sizeof(prefix), "%s: ", place);
	log_put(prefix, format, args);
	error_count++;
}

void log_at(const struct origin *origin, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vat(origin, key, format, args);
	va_end(args);
}

unsigned int log_error_count(void)
{
	return error_count;
}

void log_reset(FILE *stream)
{
	log_stream = stream;
	error_count = 0;
}

void log_set_verbose(int verbose)
{
	log_verbose = verbose;
}
