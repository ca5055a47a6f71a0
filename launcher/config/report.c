// SPDX-License-Identifier: GPL-2.0-only
#include "config/report.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

struct lines {
	const struct node **node;
	size_t count;
};

static void collect(struct lines *lines, const struct node *node)
{
	if (node->origin.line) {
		lines->node = xreallocarray(lines->node, lines->count + 1, sizeof(*lines->node));
		lines->node[lines->count++] = node;
	}
	for (const struct node *child = node->child; child; child = child->next)
		collect(lines, child);
}

static int compare(const void *a, const void *b)
{
	const struct node *left = *(const struct node *const *)a;
	const struct node *right = *(const struct node *const *)b;
	int files = strcmp(left->origin.file, right->origin.file);

	if (files || left->origin.line != right->origin.line)
		return files ? files : left->origin.line < right->origin.line ? -1 : 1;
	return (left > right) - (left < right);		/* any order, but an order */
}

static bool is_same_line(const struct node *a, const struct node *b)
{
	return a->origin.line == b->origin.line && !strcmp(a->origin.file, b->origin.file);
}

static void print_node(FILE *out, const struct node *node)
{
	char place[512], path[256];

	fprintf(out, "%s: %s: %s: %s\n", origin_name(&node->origin, place, sizeof(place)),
		node->verdict == VERDICT_MISSING ? "missing" : "approximated",
		node_path(node, path, sizeof(path)), node->why);
}

/* All nodes of one line from @at on; the index behind them. */
static size_t print_line(FILE *out, const struct lines *lines, size_t at, unsigned int *counts)
{
	enum node_verdict worst = VERDICT_EXACT;
	const struct node *first = lines->node[at];
	char place[512];

	for (; at < lines->count && is_same_line(first, lines->node[at]); at++) {
		const struct node *node = lines->node[at];

		if (node->verdict != VERDICT_EXACT)
			print_node(out, node);
		worst = node->verdict > worst ? node->verdict : worst;
	}
	if (worst == VERDICT_EXACT)
		fprintf(out, "%s: exact\n", origin_name(&first->origin, place, sizeof(place)));
	counts[worst]++;
	return at;
}

void config_report(FILE *out, const struct node *root)
{
	unsigned int counts[VERDICT_MISSING + 1] = { 0 };
	struct lines lines = { NULL, 0 };

	collect(&lines, root);
	if (lines.count)
		qsort(lines.node, lines.count, sizeof(*lines.node), compare);
	for (size_t i = 0; i < lines.count; )
		i = print_line(out, &lines, i, counts);
	fprintf(out, "%u lines exact, %u approximated, %u missing\n", counts[VERDICT_EXACT],
		counts[VERDICT_APPROXIMATED], counts[VERDICT_MISSING]);
	free(lines.node);
}
