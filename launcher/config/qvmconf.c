// SPDX-License-Identifier: GPL-2.0-only
#include "config/qvmconf.h"

#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"
#include "config/qvmconf_read.h"
#include "config/schema_table.h"
#include "config/text.h"
#include "config/yaml.h"
#include "dev/device_host.h"
#include "util/alloc.h"

#define WORDS_MAX	20000
#define BYTE_ORDER_MARK	"\xef\xbb\xbf"		/* that some editors put before UTF-8 */

/* What words come from: a text, or those of the command line. */
struct source {
	struct lexer lexer;
	char **word;			/* NULL: the lexer */
	int count;
	bool bad;			/* ended by an error that was said */
};

static bool source_next(struct source *source, struct token *token)
{
	if (!source->word)
		return lexer_next(&source->lexer, token, &source->bad);
	if (!source->count)
		return false;
	source->count--;
	*token = (struct token){ xstrdup(*source->word++), { ORIGIN_COMMAND_LINE, 0 } };
	return true;
}

/* ---- contexts ---- */

const char *context_name(const struct qvmconf *q)
{
	static const char *const names[] = {
		[CONTEXT_CPU] = "cpu", [CONTEXT_VDEV] = "vdev", [CONTEXT_GIC] = "gic",
		[CONTEXT_PASS] = "pass", [CONTEXT_RESERVE] = "reserve",
	};

	return names[q->context];
}

/* What the schema's rows call the device of the context: "switch" of "./vdev-switch.so" too. */
static const char *device_word(const struct qvmconf *q)
{
	const struct device_type *type = device_type_find(q->node->key);

	return type ? type->name : q->node->key;
}

const struct schema_key *context_find(const struct qvmconf *q, const char *option)
{
	const struct schema_key *row = NULL;

	if (q->context == CONTEXT_VDEV)
		row = schema_find_word(option, device_word(q));
	if (!row && q->context != CONTEXT_NONE)
		row = schema_find_word(option, context_name(q));
	return row;
}

/* ---- words that are wrong ---- */

/* What was left out may have been memory, images or devices: nobody is to miss them. */
static void mark_incomplete(struct qvmconf *q, const struct origin *origin)
{
	static const char *const keys[] = { "memory", "load", "devices" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		value_section(q->root, keys[i], NODE_LIST, origin)->bad = true;
	q->root->bad = true;
}

static void try_rows(struct nearest *nearest, const char *context)
{
	for (size_t i = 0; schema_key_at(i); i++) {
		const char *text = schema_key_at(i)->qvmconf;
		size_t length = text ? strcspn(text, " ") : 0;

		if (text && (context ? text[length] && !strcmp(text + length + 1, context) :
			     !text[length]))
			nearest_try(nearest, text, length);
	}
}

static void say_unknown(struct qvmconf *q, const struct token *token)
{
	struct nearest nearest = { .wanted = token->text };

	if (q->context != CONTEXT_NONE)
		try_rows(&nearest, context_name(q));
	if (q->context == CONTEXT_VDEV)
		try_rows(&nearest, device_word(q));
	try_rows(&nearest, NULL);
	for (const struct word *word = words; word->word; word++)
		nearest_try(&nearest, word->word, strlen(word->word));
	log_at(&token->origin, token->text, "unknown word, did you mean `%s`?", nearest.word);
}

/* The row of an option of another context, or NULL. */
static const struct schema_key *find_elsewhere(const char *option)
{
	size_t length = strlen(option);

	for (size_t i = 0; schema_key_at(i); i++) {
		const char *text = schema_key_at(i)->qvmconf;

		if (text && length && !strncmp(text, option, length) && text[length] == ' ' &&
		    strcmp(text + length, " set") && strcmp(text + length, " set-vdev"))
			return schema_key_at(i);
	}
	return NULL;
}

static void say_elsewhere(struct qvmconf *q, const struct token *token,
			  const struct schema_key *row)
{
	const char *context = strchr(row->qvmconf, ' ') + 1;
	bool is_open = !strcmp(context, "vdev") || !strcmp(context, "cpu") ||
		       !strcmp(context, "pass") || !strcmp(context, "reserve");

	log_at(&token->origin, token->text, "no option here, it belongs behind `%s%s`",
	       is_open ? "" : "vdev ", context);
	q->root->bad = true;
}

/* ---- words ---- */

/* False: the text ended before. */
static bool take_arguments(struct qvmconf *q, struct source *source, const struct token *token,
			   struct token *arg, unsigned int count, const char *example)
{
	for (unsigned int i = 0; i < count; i++) {
		if (source_next(source, &arg[i]))
			continue;
		while (i--)
			free(arg[i].text);
		if (!source->bad)
			log_at(&token->origin, token->text, "its argument is missing%s%s",
			       example ? ", write " : "", example ? example : "");
		mark_incomplete(q, &token->origin);
		return false;
	}
	return true;
}

static void read_special(struct qvmconf *q, struct source *source, const struct token *token,
			 const struct word *word)
{
	struct token arg[WORD_MAX_ARGUMENTS];

	if (!take_arguments(q, source, token, arg, word->arguments, word->example))
		return;
	word->read(q, token, arg);
	for (unsigned int i = 0; i < word->arguments; i++)
		free(arg[i].text);
}

/* @map NULL: the option is taken and dropped. */
static void read_option(struct qvmconf *q, struct source *source, const struct token *token,
			const struct schema_key *row, struct node *map)
{
	struct token arg;
	char yes[] = "true";

	if (row->types & SCHEMA_BOOL) {
		if (map)
			option_put(map, row, yes, &token->origin);
		return;
	}
	if (!take_arguments(q, source, token, &arg, 1, NULL))
		return;
	if (map)
		option_put(map, row, arg.text, &token->origin);
	free(arg.text);
}

static void check_blob(struct qvmconf *q, const struct token *token)
{
	if (!q->blob || !strcmp(token->text, "load") || !strcmp(token->text, "pass"))
		return;
	log_at(&token->origin, q->blob, "`load` or `pass` must follow, such as %s load FILE", q->blob);
	q->root->bad = true;
	free(q->blob);
	q->blob = NULL;
}

static void read_unknown(struct qvmconf *q, struct source *source, const struct token *token)
{
	const struct schema_key *row = find_elsewhere(token->text);

	if (q->unknown_device)
		return;
	if (row) {
		say_elsewhere(q, token, row);
		read_option(q, source, token, row, NULL);
		return;
	}
	if (token->text[0] == '@')
		log_at(&token->origin, token->text, "only the command line takes files, write qvm @ONE @OTHER");
	else
		say_unknown(q, token);
	mark_incomplete(q, &token->origin);
	q->skipping = true;
}

static void read_word(struct qvmconf *q, struct source *source, const struct token *token)
{
	const struct word *word = word_find(token->text);
	const struct schema_key *row;

	if (q->skipping && !(word && word->opens))
		return;
	q->skipping = false;
	check_blob(q, token);
	row = word ? NULL : context_find(q, token->text);
	if (word)
		read_special(q, source, token, word);
	else if (row)
		read_option(q, source, token, row, q->node);
	else if ((row = schema_find_word(token->text, NULL)))
		read_option(q, source, token, row, q->root);
	else
		read_unknown(q, source, token);
}

static void read_end(struct qvmconf *q, const struct origin *origin)
{
	if (!q->blob)
		return;
	log_at(origin, q->blob, "`load` or `pass` must follow, such as %s load FILE", q->blob);
	q->root->bad = true;
	free(q->blob);
	q->blob = NULL;
}

static void read_all(struct qvmconf *q, struct source *source)
{
	struct token token;

	while (!source->bad && source_next(source, &token)) {
		source->bad = ++q->word_count > WORDS_MAX;
		if (source->bad)
			log_at(&token.origin, NULL, "more than %d words, this is no config", WORDS_MAX);
		else
			read_word(q, source, &token);
		free(token.text);
	}
	if (source->bad)
		mark_incomplete(q, &source->lexer.origin);
	read_end(q, &source->lexer.origin);
}

/* ---- files ---- */

int qvmconf_read_file(struct qvmconf *q, const char *path)
{
	struct origin whole = { path, 0 };
	size_t size;
	char *text = text_read_file(path, &size);
	int ret = -1;

	if (text && strlen(text) != size)
		log_at(&whole, NULL, "a NUL character inside, write plain text");
	else if (text)
		ret = qvmconf_read_text(q, text + (strncmp(text, BYTE_ORDER_MARK, 3) ? 0 : 3),
					(struct origin){ path, 1 });
	free(text);
	return ret;
}

/* The line that @at is in. */
static struct origin origin_of(const char *text, const char *at, struct origin origin)
{
	for (; text < at; text++)
		origin.line += *text == '\n';
	return origin;
}

int qvmconf_read_text(struct qvmconf *q, const char *text, struct origin origin)
{
	const char *bad = text_find_bad(text);
	struct origin place = origin_of(text, bad ? bad : text, origin);
	char *copy;

	if (bad) {
		log_at(&place, NULL, "no text in UTF-8, or a control character, write plain text");
		mark_incomplete(q, &place);
		return -1;
	}
	copy = xstrdup(text);
	read_all(q, &(struct source){
		.lexer = { .at = copy, .end = copy + strlen(copy), .origin = origin } });
	free(copy);
	return 0;
}

void qvmconf_end_part(struct qvmconf *q)
{
	q->context = CONTEXT_NONE;
	q->node = NULL;
	q->skipping = q->unknown_device = false;
}

static int read_part(struct qvmconf *q, const char *path)
{
	struct node *part;

	if (!yaml_is_name(path))
		return qvmconf_read_file(q, path);
	part = yaml_read_file(path);
	if (!part)
		return -1;
	node_merge(q->root, part);
	qvmconf_end_part(q);		/* what its context pointed to may be gone */
	return 0;
}

int qvmconf_read_words(struct qvmconf *q, int count, char **word)
{
	int ret = 0, run;

	while (count) {
		if (**word == '@') {
			if (read_part(q, *word + 1)) {
				ret = -1;
				q->skipping = true;	/* the words may depend on it */
			}
			word++;
			count--;
			continue;
		}
		for (run = 1; run < count && word[run][0] != '@'; run++)
			;
		read_all(q, &(struct source){
			.lexer.origin = { ORIGIN_COMMAND_LINE, 0 }, .word = word, .count = run });
		word += run;
		count -= run;
	}
	return ret;
}

struct qvmconf *qvmconf_create(struct node *root)
{
	struct qvmconf *q = xcalloc(1, sizeof(*q));

	q->root = root;
	q->gic = xstrdup("gic");
	return q;
}

void qvmconf_destroy(struct qvmconf *q)
{
	free(q->gic);
	for (size_t i = 0; i < q->pic_count; i++)
		free(q->pics[i].name);
	free(q->pics);
	free(q->blob);
	free(q);
}

bool qvmconf_is_word(const char *word)
{
	return *word == '@' || word_find(word) || schema_find_word(word, NULL);
}
