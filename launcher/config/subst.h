/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands for another text in a config, in both languages: $env{NAME} for a variable of
 * the environment, $asinfo_start{NAME} and $asinfo_length{NAME} for a stretch of the host's
 * memory (config/asinfo.h).
 */
#ifndef QVM_CONFIG_SUBST_H
#define QVM_CONFIG_SUBST_H

#include <stdbool.h>

#include "config/node.h"

/* Does @text hold one of them? */
bool subst_is_in(const char *text);

/*
 * @text with all of them replaced; free() it. What can't be replaced is said by log_at() as an
 * error of @origin (NULL: not at all), and stays as it is; *@bad is then set.
 */
char *subst_text(const char *text, const struct origin *origin, bool *bad);

/* Replace them in a scalar: node->source keeps the text with them. Marks it bad on an error. */
void subst_node(struct node *node);

#endif
