// SPDX-License-Identifier: GPL-2.0-only
#include "config/subst.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/asinfo.h"
#include "util/alloc.h"

/* What stands for @name, to be free()d; or NULL with the reason in *@why. */
typedef char *(*subst_fn)(const char *name, const char **why);

static char *replace_env(const char *name, const char **why)
{
	const char *value = getenv(name);

	*why = "there is no such variable in the environment, export it";
	return value ? xstrdup(value) : NULL;
}

static char *replace_asinfo(const char *name, const char **why, bool want_length)
{
	uint64_t start, length;
	int error = asinfo_find(name, &start, &length);

	*why = error == -EACCES ? "the host hides its addresses from this user, run as root" :
	       "the host has no reserved-memory node and no iomem of that name; see /proc/iomem";
	return error ? NULL : xasprintf("0x%" PRIx64, want_length ? length : start);
}

static char *replace_start(const char *name, const char **why)
{
	return replace_asinfo(name, why, false);
}

static char *replace_length(const char *name, const char **why)
{
	return replace_asinfo(name, why, true);
}

static const struct subst {
	const char *head;
	subst_fn replace;
} substs[] = {
	{ "$env{", replace_env },
	{ "$asinfo_start{", replace_start },
	{ "$asinfo_length{", replace_length },
};

/* Which of them begins at @text, or NULL. */
static const struct subst *subst_at(const char *text)
{
	for (size_t i = 0; i < sizeof(substs) / sizeof(substs[0]); i++)
		if (!strncmp(text, substs[i].head, strlen(substs[i].head)))
			return &substs[i];
	return NULL;
}

bool subst_is_in(const char *text)
{
	for (; (text = strchr(text, '$')); text++)
		if (subst_at(text))
			return true;
	return false;
}

/* The replacement of what begins at *@text, which is moved behind it; NULL after an error. */
static char *subst_one(const struct subst *subst, const char **text, const struct origin *origin)
{
	const char *name = *text + strlen(subst->head), *end = strchr(name, '}'), *why = "";
	char *word, *value;

	if (!end) {
		if (origin)
			log_at(origin, subst->head, "the closing } is missing");
		return NULL;
	}
	word = xasprintf("%.*s", (int)(end - name), name);
	value = subst->replace(word, &why);
	if (!value && origin)
		log_at(origin, NULL, "%s%s}: %s", subst->head, word, why);
	free(word);
	*text = end + 1;
	return value;
}

char *subst_text(const char *text, const struct origin *origin, bool *bad)
{
	char *done = xstrdup(""), *value, *more;
	const struct subst *subst;
	const char *dollar;

	for (; (dollar = strchr(text, '$')); free(value)) {
		const char *start = dollar;

		subst = subst_at(dollar);
		value = subst ? subst_one(subst, &dollar, origin) : NULL;
		*bad |= subst && !value;
		if (dollar == start)
			dollar++;	/* a dollar is a dollar */
		more = xasprintf("%s%.*s%.*s", done, (int)(start - text), text,
				 (int)(value ? strlen(value) : (size_t)(dollar - start)),
				 value ? value : start);
		free(done);
		done = more;
		text = dollar;
	}
	more = xasprintf("%s%s", done, text);
	free(done);
	return more;
}

void subst_node(struct node *node)
{
	bool bad = false;
	char *text;

	if (node->kind != NODE_SCALAR || node->source || !subst_is_in(node->text))
		return;
	text = subst_text(node->text, &node->origin, &bad);
	node->source = node->text;
	node->text = text;
	for (struct node *at = node; bad && at; at = at->parent)
		at->bad = true;
}
