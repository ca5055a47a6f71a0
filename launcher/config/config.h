/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole config out of its parts, in whichever language each is. */
#ifndef QVM_CONFIG_CONFIG_H
#define QVM_CONFIG_CONFIG_H

#include "config/node.h"

/*
 * Read FILEs, parts of one VM, left to right: names that end in .qvmconf or .conf are of QNX's
 * language, others YAML. Errors are said by log_at(), all of them. NULL: a file left nothing to
 * look at. The names must outlive the tree.
 */
struct node *config_read_files(int count, char **files);

/* Read the words of QNX's own call: @FILE and what a file may hold. Like config_read_files(). */
struct node *config_read_words(int count, char **words);

/*
 * The architecture that the config says, "arm64" or "x86"; else that of the first device that only
 * one has; else this host's.
 */
const char *config_arch(const struct node *root);

/*
 * Add the defaults that differ between the languages; that of the first part counts. After
 * all that may change the config.
 */
void config_set_defaults(struct node *root);

#endif
