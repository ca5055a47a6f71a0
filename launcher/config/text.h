/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of a config: its file, and what characters it may have. */
#ifndef QVM_CONFIG_TEXT_H
#define QVM_CONFIG_TEXT_H

#include <stddef.h>

/*
 * The first character of @text that is none of a plain text: bytes that are no UTF-8, control
 * characters but tabs and ends of lines, Unicode's other ends of lines. NULL: all are.
 */
const char *text_find_bad(const char *text);

/* Make tabs and ends of lines in @text blanks, and take blanks off its end if one was made there. */
void text_flatten(char *text);

/* A whole file of @size bytes and a NUL behind them, to be free()d; NULL after an error, which was said. */
char *text_read_file(const char *path, size_t *size);

#endif
