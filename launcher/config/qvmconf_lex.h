/* SPDX-License-Identifier: GPL-2.0-only */
/* A qvmconf text cut into words. */
#ifndef QVM_CONFIG_QVMCONF_LEX_H
#define QVM_CONFIG_QVMCONF_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "util/log.h"

struct lexer {
	char *at, *end;			/* what is left of the text, which is written over */
	struct origin origin;		/* of what comes next */
};

struct token {
	char *text;			/* quotes and continuations resolved; free() it */
	struct origin origin;		/* where it begins */
};

/*
 * The next word: true, or false at the end. Blanks and newlines separate; # at the start of a
 * word is a comment to the end of the line; "…" keeps blanks, wherever in a word it stands. In
 * quotes a tab or newline is a blank, a backslash with a newline is nothing, and \" and \\ are " and \.
 * A quote that does not end is an error, said by log_at(), and ends the text: *@bad is set.
 */
bool lexer_next(struct lexer *lexer, struct token *token, bool *bad);

#endif
