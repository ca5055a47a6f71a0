// SPDX-License-Identifier: GPL-2.0-only
#include "config/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"

struct node *node_create(enum node_kind kind, struct origin origin)
{
	struct node *node = xcalloc(1, sizeof(*node));

	node->kind = kind;
	node->origin = origin;
	return node;
}

struct node *node_create_scalar(const char *text, struct origin origin)
{
	struct node *node = node_create(NODE_SCALAR, origin);

	node->text = xstrdup(text);
	return node;
}

void node_set_text(struct node *node, const char *text)
{
	char *copy = xstrdup(text);

	free(node->text);
	node->text = copy;
}

void node_clear(struct node *node, enum node_kind kind)
{
	struct node *child = node->child;

	while (child) {
		struct node *next = child->next;

		child->parent = NULL;
		node_destroy(child);
		child = next;
	}
	free(node->text);
	free(node->source);
	node->text = NULL;
	node->source = NULL;
	node->child = NULL;
	node->kind = kind;
}

void node_destroy(struct node *node)
{
	if (!node)
		return;
	node_clear(node, NODE_EMPTY);
	free(node->key);
	free(node->why);
	free(node);
}

void node_add(struct node *parent, struct node *child, const char *key)
{
	struct node **end = &parent->child;

	while (*end)
		end = &(*end)->next;
	*end = child;
	child->parent = parent;
	child->key = xstrdup(key);
}

static void node_unlink(struct node *node)
{
	struct node **link = &node->parent->child;

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	node->parent = NULL;
	node->next = NULL;
}

void node_remove(struct node *node)
{
	node_unlink(node);
	node_destroy(node);
}

void node_replace(struct node *old, struct node *node)
{
	struct node **link = &old->parent->child;

	while (*link != old)
		link = &(*link)->next;
	*link = node;
	node->next = old->next;
	node->parent = old->parent;
	free(node->key);
	node->key = old->key;
	old->key = NULL;
	node_destroy(old);
}

struct node *node_find(const struct node *map, const char *key)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (struct node *child = map->child; child; child = child->next)
		if (!strcmp(child->key, key))
			return child;
	return NULL;
}

struct node *node_at(const struct node *list, size_t index)
{
	struct node *child;

	if (!list || list->kind != NODE_LIST)
		return NULL;
	for (child = list->child; child && index; child = child->next)
		index--;
	return child;
}

size_t node_count(const struct node *node)
{
	size_t count = 0;

	for (const struct node *child = node ? node->child : NULL; child; child = child->next)
		count++;
	return count;
}

const char *node_text(const struct node *map, const char *key)
{
	const struct node *node = node_find(map, key);

	return node && node->kind == NODE_SCALAR ? node->text : NULL;
}

void node_merge(struct node *into, struct node *from)
{
	into->bad |= from->bad;
	while (from->child) {
		struct node *child = from->child;
		struct node *old = child->key ? node_find(into, child->key) : NULL;
		char *key;

		node_unlink(child);
		if (!old) {
			key = child->key;
			node_add(into, child, key);
			free(key);
		} else if (old->kind == child->kind &&
			   (old->kind == NODE_MAP || old->kind == NODE_LIST)) {
			node_merge(old, child);
		} else {
			node_replace(old, child);
		}
	}
	node_destroy(from);
}

static size_t node_index(const struct node *node)
{
	const struct node *sibling = node->parent->child;
	size_t index = 0;

	for (; sibling != node; sibling = sibling->next)
		index++;
	return index;
}

const char *node_path(const struct node *node, char *text, size_t size)
{
	size_t length;

	text[0] = '\0';
	if (!node->parent)
		return text;
	node_path(node->parent, text, size);
	length = strlen(text);
	if (node->key)
		snprintf(text + length, size - length, "%s%s", length ? "." : "", node->key);
	else
		snprintf(text + length, size - length, "[%zu]", node_index(node));
	return text;
}

void node_judge(struct node *node, enum node_verdict verdict, const char *why)
{
	if (verdict <= node->verdict)
		return;
	free(node->why);
	node->why = xstrdup(why);
	node->verdict = verdict;
}

void node_error(struct node *node, const char *format, ...)
{
	char path[256], text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_at(&node->origin, node_path(node, path, sizeof(path)), "%s", text);
	node_judge(node, VERDICT_MISSING, text);
	for (; node; node = node->parent)
		node->bad = true;
}

void node_warn(struct node *node, const char *format, ...)
{
	char path[256], text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_warn_at(&node->origin, node_path(node, path, sizeof(path)), "%s", text);
	node_judge(node, VERDICT_APPROXIMATED, text);
}

char *node_host_path(const struct node *node, const char *path)
{
	const char *file = node->origin.file;
	const char *slash = node->origin.line ? strrchr(file, '/') : NULL;
	char *beside;

	if (path[0] == '/' || !slash)
		return xstrdup(path);
	beside = xasprintf("%.*s/%s", (int)(slash - file), file, path);
	if (!node->qvmconf || (access(path, F_OK) && !access(beside, F_OK)))
		return beside;
	free(beside);
	return xstrdup(path);
}
