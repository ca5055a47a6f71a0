/* SPDX-License-Identifier: GPL-2.0-only */
/* What qvm says to its user: one line a message, on standard error if nothing else is said. */
#ifndef QVM_UTIL_LOG_H
#define QVM_UTIL_LOG_H

#include <stdarg.h>
#include <stdio.h>

/* Where in which file a thing was said; line 0: the name says it all ("command line"). */
struct origin {
	const char *file;
	unsigned int line;
};

#define ORIGIN_COMMAND_LINE	"command line"
#define ORIGIN_BOARD		"board default"

/*
 * One message, "qvm: error: …"; the newline is added. log_error() counts, see
 * log_error_count(). log_debug() prints only after log_set_verbose(true) or log_route(). Any thread.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * An error in the config: "file:line: key: what, and what would be right". It counts as an
 * error. @key NULL: left out.
 */
void log_at(const struct origin *origin, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_vat(const struct origin *origin, const char *key, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* "file:line: key: warning: …", which counts not as an error. @key NULL: left out. */
void log_warn_at(const struct origin *origin, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "file:line", or "file" where there is no line, into @text of @size bytes; returns @text. */
const char *origin_name(const struct origin *origin, char *text, size_t size);

/* Errors said so far by log_error() and log_at(). */
unsigned int log_error_count(void);

/*
 * Let log_info() of the calling thread write to @stream alone, without prefix (NULL: as ever). It
 * makes an answer of what would be said.
 */
void log_divert(FILE *stream);

/*
 * Start counting anew, forget every route, and write to @stream what goes to standard error
 * (NULL: that itself). For tests.
 */
void log_reset(FILE *stream);

/* Let log_debug() speak: on standard error, or where log_route() sends it. */
void log_set_verbose(int verbose);

/* The kinds of messages, a bit each. */
enum log_kind {
	LOG_KIND_ERROR	= 1 << 0,
	LOG_KIND_WARN	= 1 << 1,
	LOG_KIND_INFO	= 1 << 2,
	LOG_KIND_DEBUG	= 1 << 3,
};

enum log_target { LOG_STDERR, LOG_STDOUT, LOG_SYSLOG, LOG_NOWHERE, LOG_TARGET_COUNT };

/* Other places for what one device says. */
struct log_routes {
	unsigned int said;		/* kinds that have a place here; the rest goes where all goes */
	unsigned int kinds[LOG_TARGET_COUNT];
};

/* Send messages of these kinds to @target; it takes the place of what was said of them before. */
void log_routes_set(struct log_routes *routes, unsigned int kinds, enum log_target target);

/* A message of @kind as by log_error() and the like, but where @routes says; NULL: nothing. */
void log_to(const struct log_routes *routes, enum log_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Send messages of these kinds (bits of enum log_kind) to @target, beside where earlier calls
 * send them; LOG_NOWHERE takes them away from everywhere. The first call ends the default,
 * which is all but LOG_KIND_DEBUG to LOG_STDERR. Before threads are started.
 */
void log_route(unsigned int kinds, enum log_target target);

#endif
