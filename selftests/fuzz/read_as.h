/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzers of configs have in common. */
#ifndef FUZZ_READ_AS_H
#define FUZZ_READ_AS_H

#include "config/config.h"
#include "config/qvmconf.h"
#include "config/yaml.h"

/* The tree of @text; NULL: it is no YAML. */
static struct node *read_as(const char *text, bool qvmconf)
{
	struct node *root;
	struct qvmconf *q;

	if (!qvmconf)
		return yaml_read_text(text, (struct origin){ "fuzz", 1 });
	root = node_create(NODE_MAP, (struct origin){ "fuzz", 0 });
	root->qvmconf = true;
	q = qvmconf_create(root);
	qvmconf_read_text(q, text, (struct origin){ "fuzz", 1 });
	qvmconf_destroy(q);
	return root;
}

#endif
