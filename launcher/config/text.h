/* SPDX-License-Identifier: GPL-2.0-only */
/* What characters a config may have. */
#ifndef QVM_CONFIG_TEXT_H
#define QVM_CONFIG_TEXT_H

/*
 * The first character of @text that is none of a plain text: bytes that are no UTF-8, control
 * characters but tabs and ends of lines, Unicode's other ends of lines. NULL: all are.
 */
const char *text_find_bad(const char *text);

/* Make tabs and ends of lines in @text blanks, and take blanks off its end if one was made there. */
void text_flatten(char *text);

#endif
