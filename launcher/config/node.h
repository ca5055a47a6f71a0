/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree that every reader of a config produces: scalars, maps and lists, each with the
 * file and line it came from. It knows nothing of what the keys mean (config/schema.h does).
 */
#ifndef QVM_CONFIG_NODE_H
#define QVM_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/log.h"

#define NODE_NO_KEY	"?"	/* stands for a key that was no word; an error was said */

enum node_kind {
	NODE_EMPTY,	/* a key without a value */
	NODE_SCALAR,
	NODE_MAP,
	NODE_LIST,
};

/* How much of what a node says is done. */
enum node_verdict { VERDICT_EXACT, VERDICT_APPROXIMATED, VERDICT_MISSING };

struct node {
	enum node_kind kind;
	bool bad;		/* an error was said about it or something below it */
	struct origin origin;
	char *key;		/* in a map, else NULL */
	char *text;		/* of a scalar */
	char *source;		/* the text before substitution (config/subst.h), or NULL: the same */
	unsigned int types;	/* enum schema_type that its reader took it for, or 0 */
	bool qvmconf;		/* said in QNX's language, where relative paths mean another thing */
	enum node_verdict verdict;
	char *why;		/* the first message about it of that verdict, or NULL */
	struct node *parent;
	struct node *child;	/* first of a map or list */
	struct node *next;
};

/* A node of its own, without parent. origin.file must outlive the tree. */
struct node *node_create(enum node_kind kind, struct origin origin);
/* A scalar with a copy of @text. */
struct node *node_create_scalar(const char *text, struct origin origin);
/* Free the node and all below it; it must have no parent. NULL is fine. */
void node_destroy(struct node *node);

/* Put a copy of @text where the scalar's value is: what it was is gone. */
void node_set_text(struct node *node, const char *text);
/* Append @child to @parent, as entry @key of a map (copied) or, @key NULL, to a list. */
void node_add(struct node *parent, struct node *child, const char *key);
/* Put @node (without parent) where @old is, under its key; @old is destroyed. */
void node_replace(struct node *old, struct node *node);
/* Take the node out of its parent and destroy it. */
void node_remove(struct node *node);
/* Make the node an empty one of @kind; what was below it is destroyed. */
void node_clear(struct node *node, enum node_kind kind);

/* The entry of a map, or NULL: no such entry, or @map is no map (NULL is fine). */
struct node *node_find(const struct node *map, const char *key);
/* The entry of a list, or NULL. */
struct node *node_at(const struct node *list, size_t index);
/* Number of children. */
size_t node_count(const struct node *node);
/* Text of this scalar entry of a map, or NULL: not there, or no scalar. */
const char *node_text(const struct node *map, const char *key);

/*
 * Add the tree @from to @into, as a later file adds to an earlier one: maps key by key, lists
 * by appending, all else replaces. @from is used up.
 */
void node_merge(struct node *into, struct node *from);

/* "devices[1].pl011.irq" into @text of @size bytes, cut if too long; returns @text. */
const char *node_path(const struct node *node, char *text, size_t size);

/*
 * Say an error about this node by log_at(), under its path, and mark it and its parents bad.
 * Its verdict is that it is missing.
 */
void node_error(struct node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Say by log_warn_at(), under its path, that the node is not done to the letter, and how. Its
 * verdict is that it is approximated.
 */
void node_warn(struct node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Mark a node by a verdict that is worse than its own, without a word. */
void node_judge(struct node *node, enum node_verdict verdict, const char *why);

/*
 * The path @path of the host, which was said in this node: relative ones start at the folder
 * of the file that says them, those of the command line at the working directory. Said in a
 * qvmconf file: at the working directory, and if nothing is there at the file's folder. free()
 * it.
 */
char *node_host_path(const struct node *node, const char *path);

#endif
