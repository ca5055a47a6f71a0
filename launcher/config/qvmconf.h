/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The config language of QNX's qvm to a node tree, the same tree as of YAML. Words follow each
 * other without regard to lines; `cpu`, `vdev`, `pass` and `reserve` open a context, to which
 * the options behind them belong; of one option said twice the last wins.
 */
#ifndef QVM_CONFIG_QVMCONF_H
#define QVM_CONFIG_QVMCONF_H

#include "config/node.h"

struct qvmconf;

/* A reader that adds to @root, a map, which must outlive it. */
struct qvmconf *qvmconf_create(struct node *root);
void qvmconf_destroy(struct qvmconf *q);

/*
 * Read on from a file, from a text, or from words of the command line, where @FILE reads a file
 * (of YAML by its name). @path, @text's origin.file and the words must outlive the tree. Errors
 * are said by log_at(), all of them; what they leave out is marked bad in the tree. Returns 0,
 * or -1: a file can't be read, and there is nothing to look at.
 */
int qvmconf_read_file(struct qvmconf *q, const char *path);
int qvmconf_read_text(struct qvmconf *q, const char *text, struct origin origin);
int qvmconf_read_words(struct qvmconf *q, int count, char **words);

/* Close the context: what follows is another part of the config. */
void qvmconf_end_part(struct qvmconf *q);

/* Is @word one that can begin a config? */
bool qvmconf_is_word(const char *word);

/* The device type that a word behind `vdev` names: "vdev-wdt-sp805.so" is "sp805". free() it. */
char *qvmconf_device_type(const char *word);

/* QNX's word for a device type; the type itself if it has no other. */
const char *qvmconf_device_word(const char *type);

#endif
