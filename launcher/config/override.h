/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line changes in a config. */
#ifndef QVM_CONFIG_OVERRIDE_H
#define QVM_CONFIG_OVERRIDE_H

#include "config/node.h"

/*
 * Apply one "path=value" or "path+=value": a.b[2].c=v puts a value there, a+=v appends to a
 * list. A value that begins with { [ or a quote is YAML, any other is plain text. Maps on the
 * way are made. Errors are said by log_at(). Returns 0 or -1.
 */
int override_set(struct node *root, const char *assignment);

/* The same for `set qvm.PATH VALUE` of a qvmconf file, which says so at @origin. */
int override_put_path(struct node *root, const char *path, const char *value,
		      const struct origin *origin);

/*
 * Take devices out of the config: @names is a list with commas of types or names. A name that
 * fits none is said by log_at(). Returns 0 or -1.
 */
int override_without(struct node *root, const char *names);

/* Make `cpus: 4` four times {}, as when one of them is meant. */
void override_expand(struct node *node);

/* Put a scalar of the command line at a key of the root. */
void override_put(struct node *root, const char *key, const char *text);

/*
 * Put a scalar of the command line at @key of the first entry of list @list that has @key; if
 * there is none, append an entry of that key alone.
 */
void override_entry(struct node *root, const char *list, const char *key, const char *text);

#endif
