/* SPDX-License-Identifier: GPL-2.0-only */
/* The word that a mistyped one was meant to be. */
#ifndef QVM_CONFIG_NEAREST_H
#define QVM_CONFIG_NEAREST_H

#include <stddef.h>

#define NEAREST_SIZE	48

struct nearest {
	const char *wanted;		/* set by the caller, the rest 0 */
	char word[NEAREST_SIZE];	/* the best so far, or "" */
	unsigned int distance;		/* Levenshtein's, of word */
};

/* Take the word, the first @length bytes of @text, if it is nearer than what there is. */
void nearest_try(struct nearest *nearest, const char *text, size_t length);

#endif
