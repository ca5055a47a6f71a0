/* SPDX-License-Identifier: GPL-2.0-only */
/* YAML 1.1 (libyaml) to a node tree. */
#ifndef QVM_CONFIG_YAML_H
#define QVM_CONFIG_YAML_H

#include "config/node.h"

/*
 * Read one file of one YAML document, whose root is a map (an empty file is an empty map).
 * @path must outlive the tree. Errors are said by log_at(): bad YAML, a key twice in one map
 * (both lines named), keys that are no words, nesting or aliases without end. NULL if that
 * left no tree to look at, else the tree, perhaps with nodes marked bad.
 */
struct node *yaml_read_file(const char *path);

/* Is it the name of a YAML file: does it end in .yaml, .yml or .json? */
bool yaml_is_name(const char *path);

/*
 * Read YAML text; @origin.line 0: every node gets that origin, else lines count from it. Like
 * yaml_read_file(), but the root may be of any kind.
 */
struct node *yaml_read_text(const char *text, struct origin origin);

#endif
