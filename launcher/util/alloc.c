// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* vasprintf */
#include "util/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/status.h"

static void *checked(void *memory)
{
	if (!memory) {
		log_error("out of memory");
		exit(STATUS_START);
	}
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size));
}

void *xreallocarray(void *array, size_t count, size_t size)
{
	return checked(reallocarray(array, count ? count : 1, size));
}

char *xstrdup(const char *text)
{
	return text ? checked(strdup(text)) : NULL;
}

char *xasprintf(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return checked(text);
}
