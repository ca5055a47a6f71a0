/* SPDX-License-Identifier: GPL-2.0-only */
/* The only place that knows the keys of the config: one const table. */
#ifndef QVM_CONFIG_SCHEMA_H
#define QVM_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/node.h"

/* What a value may be; a bit each, as some keys take two of them. */
enum schema_type {
	SCHEMA_STRING	= 1 << 0,
	SCHEMA_PATH	= 1 << 1,	/* of the host; relative to the file that says it */
	SCHEMA_ADDRESS	= 1 << 2,	/* guest physical */
	SCHEMA_SIZE	= 1 << 3,
	SCHEMA_NUMBER	= 1 << 4,
	SCHEMA_BOOL	= 1 << 5,
	SCHEMA_ENUM	= 1 << 6,
	SCHEMA_IRQ	= 1 << 7,
	SCHEMA_SCHED	= 1 << 8,
	SCHEMA_LIST	= 1 << 9,
	SCHEMA_MAP	= 1 << 10,
	SCHEMA_NAME	= 1 << 11,	/* visible ASCII without /, as it names threads and folders */
	SCHEMA_LATER	= 1 << 12,	/* of the language, but this version can't do it */
	SCHEMA_REPEAT	= 1 << 13,	/* LIST: said again in qvmconf it appends, else the last wins */
	SCHEMA_PORT	= 1 << 14,	/* io:0x3f8 */
};

struct schema_key {
	const char *path;	/* "[]": an entry of a list; "*": the name of a device type */
	unsigned int types;
	const char *unit;
	const char *fallback;	/* the default as one would write it; NULL: none */
	const char *choices;	/* ENUM: its words; MAP: exactly one of these keys must be there */
	uint64_t min, max;	/* numbers and sizes; length of strings; max 0: no limit */
	const char *qvmconf;	/* the qvmconf word; after a blank, its context */
	const char *doc;	/* one line */
	/*
	 * LATER: why, or what to do without it. Else what this host makes of any value but the
	 * default, said as a warning.
	 */
	const char *limit;
};

/*
 * Check a tree against the table: unknown keys (the nearest known one is offered), wrong
 * types, ranges, words. Every error is said by node_error(), which marks what is wrong.
 */
void schema_validate(struct node *root);

/* The row that this node of a tree falls under, or NULL: there is none, or it is the root. */
const struct schema_key *schema_row(const struct node *node);

/* The row that has this qvmconf word in this context (NULL: at the top), or NULL. */
const struct schema_key *schema_find_word(const char *word, const char *context);

/* The row of option @option of a device of type @type: its own or one of all, or NULL. */
const struct schema_key *schema_find_option(const char *type, const char *option);

/* The row's min or max for people, into @text of @size bytes; returns @text. */
const char *schema_limit_text(const struct schema_key *row, uint64_t limit, char *text, size_t size);

/* The row of this path ("memory[].ram"), or NULL. */
const struct schema_key *schema_find(const char *path);

/*
 * A value out of @entry, the map that holds the last word of the schema path @path; where it
 * is absent or bad, the default of the table. Numbers, sizes and addresses: a default of
 * "auto" is UINT64_MAX.
 */
uint64_t schema_number(const struct node *entry, const char *path);
bool schema_bool(const struct node *entry, const char *path);
const char *schema_string(const struct node *entry, const char *path);

/* Index of the value in the row's choices. */
unsigned int schema_choice(const struct node *entry, const char *path);

/* The node that schema_number() and the like look at, or NULL: absent, empty or bad. */
struct node *schema_node(const struct node *entry, const char *path);

/* Write configs/README.md. */
void schema_print_markdown(FILE *out);

/* Write configs/qvm.schema.json. */
void schema_print_json(FILE *out);

/* Write the variables of `set`, with type, default and context: `qvm set ?`. */
void schema_print_variables(FILE *out);

/*
 * Write a script of bash that completes qvm's command line: @commands and @options are lists of
 * words with blanks.
 */
void schema_print_completion(FILE *out, const char *commands, const char *options);

#endif
