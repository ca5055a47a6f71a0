/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the parts of the qvmconf reader: qvmconf.c finds words, qvmconf_words.c knows what
 * those mean that are more than an option and its value, qvmconf_value.c makes values.
 */
#ifndef QVM_CONFIG_QVMCONF_READ_H
#define QVM_CONFIG_QVMCONF_READ_H

#include <stdbool.h>

#include "config/node.h"
#include "config/qvmconf_lex.h"
#include "config/schema.h"

#define WORD_MAX_ARGUMENTS	2

enum context { CONTEXT_NONE, CONTEXT_CPU, CONTEXT_VDEV, CONTEXT_GIC, CONTEXT_PASS, CONTEXT_RESERVE };

struct qvmconf {
	struct node *root;
	enum context context;
	struct node *node;		/* the map that options of the context go to; of `reserve`: NULL */
	bool skipping;			/* after an unknown word, until a context opens */
	bool unknown_device;		/* of the context: so its options are unknown too */
	char *gic;			/* what the config calls the interrupt controller */
	struct pic *pics;		/* … and those of x86 */
	size_t pic_count;
	char *blob;			/* "initrd" and such, while `load` or `pass` must follow */
	bool loaded;			/* there was a plain `load` of no device tree */
	unsigned int word_count;	/* so far */
};

/* An interrupt controller of x86 that has a name. */
struct pic {
	char *name;
	unsigned int first;		/* what its line 0 is on the board */
};

/* A word that is more than one option with one value. */
struct word {
	const char *word;
	unsigned int arguments;
	bool opens;			/* a context */
	/* @arg: its arguments, whose text the function may cut into pieces. */
	void (*read)(struct qvmconf *q, const struct token *word, struct token *arg);
	const char *example;
};

/* The word of this name, or NULL. */
const struct word *word_find(const char *name);

/* All of them, ended by a NULL word. */
extern const struct word words[];

/* As the schema's rows call the context; NULL: none is open. */
const char *context_name(const struct qvmconf *q);

/* The row of the schema for an option of the context that is open, or NULL. */
const struct schema_key *context_find(const struct qvmconf *q, const char *option);

/*
 * The first piece of a list with commas; *rest is moved behind it, to NULL after the last.
 * Commas in ${} do not count.
 */
char *piece_cut(char **rest);

/*
 * A scalar that was said in qvmconf, as YAML would say it: a number of @types ADDRESS is
 * hexadecimal if nothing tells otherwise. Substitutions wait for value_settle().
 */
struct node *value_create(const char *text, unsigned int types, const struct origin *origin);

/* … of `loc` of `pass`: each of its numbers so. */
struct node *value_create_place(const char *text, const struct origin *origin);

/* Put @value at @key of @map, in the place of what is there, and do its substitutions. */
void value_put(struct node *map, const char *key, struct node *value);

/* Append @value to @list and do its substitutions. */
void value_append(struct node *list, struct node *value);

/* Put an option's value where its row says; @text may be written over. */
void option_put(struct node *map, const struct schema_key *row, char *text,
		const struct origin *origin);

/* The map or list @key of @map; made if there is none, or none of this kind. */
struct node *value_section(struct node *map, const char *key, enum node_kind kind,
			   const struct origin *origin);

#endif
