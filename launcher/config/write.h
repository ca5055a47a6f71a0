/* SPDX-License-Identifier: GPL-2.0-only */
/* A node tree as a config in either language. */
#ifndef QVM_CONFIG_WRITE_H
#define QVM_CONFIG_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#include "config/node.h"

/*
 * Make every relative path of the tree mean the same once its file, in its place, is of QNX's
 * language (@qvmconf) or of YAML; before config_write_*() writes that.
 */
void config_settle_paths(struct node *root, bool qvmconf);

/* Write the tree, with the texts as they were before substitution. */
void config_write_yaml(FILE *out, const struct node *root);

/* The same; what the language has no word for becomes `set qvm.PATH VALUE`. */
void config_write_qvmconf(FILE *out, const struct node *root);

/* A scalar, list or map on one line of YAML. */
void config_write_flow(FILE *out, const struct node *node);

#endif
