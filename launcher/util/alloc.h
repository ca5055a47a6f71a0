/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocation that cannot fail: a launcher that has no memory for its own model says so and
 * ends with STATUS_START. Free with free(). Not for guest memory.
 */
#ifndef QVM_UTIL_ALLOC_H
#define QVM_UTIL_ALLOC_H

#include <stddef.h>

/* Zeroed array of @count elements of @size bytes. */
void *xcalloc(size_t count, size_t size);
/* @array grown or shrunk to @count elements of @size bytes; new bytes are undefined. */
void *xreallocarray(void *array, size_t count, size_t size);
/* Copy of @text; NULL gives NULL. */
char *xstrdup(const char *text);
/* sprintf() into a string of its own. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
