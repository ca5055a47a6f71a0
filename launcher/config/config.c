// SPDX-License-Identifier: GPL-2.0-only
#include "config/config.h"

#include <string.h>
#include <sys/utsname.h>

#include "config/qvmconf.h"
#include "config/yaml.h"
#include "dev/device_host.h"
#include "machine/machine.h"

static bool is_qvmconf_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (!strcmp(dot, ".qvmconf") || !strcmp(dot, ".conf"));
}

static int read_yaml(struct node *root, const char *path)
{
	struct node *part = yaml_read_file(path);

	if (!part)
		return -1;
	node_merge(root, part);
	return 0;
}

static struct node *create_root(const char *name, bool qvmconf)
{
	struct node *root = node_create(NODE_MAP, (struct origin){ name, 0 });

	root->qvmconf = qvmconf;
	return root;
}

/* @root, or NULL if a part is missing. */
static struct node *finish(struct node *root, int broken)
{
	if (!broken)
		return root;
	node_destroy(root);
	return NULL;
}

struct node *config_read_files(int count, char **files)
{
	struct node *root = create_root(files[0], is_qvmconf_name(files[0]));
	struct qvmconf *q = qvmconf_create(root);
	int broken = 0;

	for (int i = 0; i < count; i++) {
		if (is_qvmconf_name(files[i]))
			broken |= qvmconf_read_file(q, files[i]);
		else
			broken |= read_yaml(root, files[i]);
		qvmconf_end_part(q);
	}
	qvmconf_destroy(q);
	return finish(root, broken);
}

struct node *config_read_words(int count, char **words)
{
	bool is_file = words[0][0] == '@';
	struct node *root = create_root(is_file ? words[0] + 1 : ORIGIN_COMMAND_LINE,
					!is_file || !yaml_is_name(words[0]));
	struct qvmconf *q = qvmconf_create(root);
	int broken = qvmconf_read_words(q, count, words);

	qvmconf_destroy(q);
	return finish(root, broken);
}

static const char *devices_arch(const struct node *list)
{
	const struct node *entry = list && list->kind == NODE_LIST ? list->child : NULL;

	for (; entry; entry = entry->next) {
		const struct node *device = entry->kind == NODE_MAP ? entry->child : NULL;
		const struct device_type *type = device ? device_type_find(device->key) : NULL;

		if (type && type->arch)
			return type->arch == MACHINE_X86 ? "x86" : "arm64";
	}
	return NULL;
}

const char *config_arch(const struct node *root)
{
	const char *arch = node_text(root, "arch");
	struct utsname uts;

	arch = arch ? arch : devices_arch(node_find(root, "devices"));
	if (arch || node_find(root, "gic"))
		return arch ? arch : "arm64";
	uname(&uts);
	return strcmp(uts.machine, "x86_64") ? "arm64" : "x86";
}

void config_set_defaults(struct node *root)
{
	const struct origin board = { ORIGIN_BOARD, 0 };
	struct node *map = node_find(root, "unsupported");
	bool ignore;

	if (!map) {
		map = node_create(NODE_MAP, board);
		node_add(root, map, "unsupported");
	}
	if (map->kind == NODE_EMPTY)
		map->kind = NODE_MAP;
	if (map->kind != NODE_MAP || node_find(map, "reference"))
		return;
	/* A PC reads all ones where nothing is, and its kernels look around. */
	ignore = root->qvmconf || !strcmp(config_arch(root), "x86");
	node_add(map, node_create_scalar(ignore ? "ignore" : "fail", board), "reference");
}
