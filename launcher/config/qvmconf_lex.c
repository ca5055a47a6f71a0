// SPDX-License-Identifier: GPL-2.0-only
#include "config/qvmconf_lex.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_continuation(const struct lexer *lexer)
{
	size_t left = lexer->end - lexer->at;

	return (left >= 2 && !memcmp(lexer->at, "\\\n", 2)) ||
	       (left >= 3 && !memcmp(lexer->at, "\\\r\n", 3));
}

static char take(struct lexer *lexer)
{
	if (*lexer->at == '\n')
		lexer->origin.line++;
	return *lexer->at++;
}

static void take_line(struct lexer *lexer)
{
	while (lexer->at < lexer->end && take(lexer) != '\n')
		;
}

/* Blanks, comments, continuations. */
static void skip_space(struct lexer *lexer)
{
	while (lexer->at < lexer->end) {
		if (is_continuation(lexer) || *lexer->at == '#')
			take_line(lexer);
		else if (is_blank(*lexer->at))
			take(lexer);
		else
			return;
	}
}

/* One character inside quotes into @to; how many that gave. */
static size_t take_quoted(struct lexer *lexer, char *to)
{
	char c;

	if (is_continuation(lexer)) {
		take_line(lexer);
		return 0;
	}
	c = take(lexer);
	if (c == '\\' && lexer->at < lexer->end && (*lexer->at == '"' || *lexer->at == '\\'))
		c = take(lexer);
	else if (c == '\r' && lexer->at < lexer->end && *lexer->at == '\n')
		return 0;
	*to = is_blank(c) ? ' ' : c;
	return 1;
}

/* From behind the opening quote to behind the closing one; false: there is none. */
static bool take_quotes(struct lexer *lexer, char *word, size_t *length)
{
	struct origin begin = lexer->origin;

	while (lexer->at < lexer->end && *lexer->at != '"')
		*length += take_quoted(lexer, word + *length);
	if (lexer->at < lexer->end) {
		take(lexer);
		return true;
	}
	log_at(&begin, NULL, "the quote that begins here never ends, write another \"");
	return false;
}

/* Does the { behind @word begin the name of a substitution, in which blanks may be? */
static bool is_substitution(const char *word, size_t length)
{
	while (length && (word[length - 1] == '_' || (word[length - 1] >= 'a' && word[length - 1] <= 'z')))
		length--;
	return length && word[length - 1] == '$';
}

bool lexer_next(struct lexer *lexer, struct token *token, bool *bad)
{
	bool inside = false;		/* of $asinfo_start{System RAM} */
	size_t length = 0;
	char *word;

	skip_space(lexer);
	if (lexer->at == lexer->end)
		return false;
	token->origin = lexer->origin;
	word = lexer->at;		/* in place: what comes out is never longer */
	while (lexer->at < lexer->end && !is_continuation(lexer) &&
	       (!is_blank(*lexer->at) || (inside && *lexer->at == ' '))) {
		char c = take(lexer);

		inside = c == '{' ? is_substitution(word, length) : inside && c != '}';
		if (c != '"') {
			word[length++] = c;
		} else if (!take_quotes(lexer, word, &length)) {
			*bad = true;
			return false;
		}
	}
	token->text = xasprintf("%.*s", (int)length, word);
	return true;
}
