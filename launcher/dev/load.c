// SPDX-License-Identifier: GPL-2.0-only
#include "dev/load.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/node.h"
#include "config/schema_table.h"
#include "dev/device_host.h"
#include "util/alloc.h"

#ifndef QVM_LIBDIR
#define QVM_LIBDIR	"/usr/local/lib/qvm"	/* the Makefile says where it installs */
#endif

#define TYPES_SYMBOL	"qvm_device_types"

/* What a config called it, and what that is. Kept to the end, as devices of it are. */
static struct loaded {
	char *key;
	const struct device_type *type;
} *loaded;
static size_t loaded_count;

const struct device_type *device_loaded_find(const char *key)
{
	for (size_t i = 0; i < loaded_count; i++)
		if (!strcmp(loaded[i].key, key))
			return loaded[i].type;
	return NULL;
}

static void remember(const char *key, const struct device_type *type)
{
	if (device_type_find(key))
		return;
	loaded = xreallocarray(loaded, loaded_count + 1, sizeof(*loaded));
	loaded[loaded_count++] = (struct loaded){ xstrdup(key), type };
}

/* ---- what is in it ---- */

static bool is_sound(struct node *device, const char *path, const struct device_type *type)
{
	const char *wrong = NULL;

	if (type->abi != DEVICE_ABI) {
		node_error(device, "%s is built for version %u of the device API, and this qvm has %u: "
			   "build it with this qvm's device.h", path, type->abi, DEVICE_ABI);
		return false;
	}
	if (!type->name || !*type->name || strpbrk(type->name, ".[*/ "))
		wrong = "a type without a name, or with one that is no word";
	else if (!type->size || type->size > 1ULL << 32)
		wrong = "a type whose size is 0 or beyond 4G";
	else if (type->flags & DEVICE_F_IN_KERNEL)
		wrong = "a type that says it is in the kernel";
	else if (type->arch > DEVICE_X86)
		wrong = "a type of an architecture that is none";
	if (wrong)
		node_error(device, "%s brings %s", path, wrong);
	return !wrong;
}

/* All types, or none if one of them is wrong. */
static bool add_types(struct node *device, const char *path, const struct device_type *const *types)
{
	size_t count = 0;

	for (; types[count]; count++) {
		if (!is_sound(device, path, types[count]))
			return false;
		if (device_type_find(types[count]->name) &&
		    device_type_find(types[count]->name) != types[count]) {
			node_error(device, "%s brings a type %s, which there is already", path,
				   types[count]->name);
			return false;
		}
	}
	if (!count) {
		node_error(device, "%s brings no type: its " TYPES_SYMBOL " is empty", path);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (device_type_find(types[i]->name))
			continue;
		remember(types[i]->name, types[i]);
		schema_add_device(types[i]);
	}
	remember(device->key, types[0]);
	return true;
}

static bool open_object(struct node *device, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct device_type *const *types;

	if (!handle) {
		node_error(device, "can't be loaded: %s", dlerror());
		return false;
	}
	types = dlsym(handle, TYPES_SYMBOL);
	if (types)
		return add_types(device, path, types);
	node_error(device, "%s is no vdev: it has no " TYPES_SYMBOL, path);
	return false;
}

/* ---- where it is ---- */

/* In a folder of LD_LIBRARY_PATH, or in qvm's own; free() it. NULL: in neither. */
static char *find_object(const char *name)
{
	const char *libdir = getenv("QVM_LIBDIR"), *linker = getenv("LD_LIBRARY_PATH");
	char *folders = xasprintf("%s:%s", linker ? linker : "", libdir ? libdir : QVM_LIBDIR);
	char *save = NULL, *path = NULL;

	for (char *folder = strtok_r(folders, ":", &save); folder && !path;
	     folder = strtok_r(NULL, ":", &save)) {
		path = xasprintf("%s/vdev-%s.so", folder, name);
		if (access(path, F_OK)) {
			free(path);
			path = NULL;
		}
	}
	free(folders);
	return path;
}

/* Where else the dynamic linker looks: only it knows. */
static bool is_in_cache(const char *name)
{
	char *file = xasprintf("vdev-%s.so", name);
	void *handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL);

	free(file);
	return handle;		/* stays open: it is going to be used */
}

static bool load_path(struct node *device)
{
	char *path = node_host_path(device, device->key);
	bool done;

	/* YAML's are relative to the file, where this may be meant from the working directory. */
	if (access(path, F_OK) && !access(device->key, F_OK)) {
		free(path);
		path = realpath(device->key, NULL);
	}
	done = path && open_object(device, path);
	free(path);
	return done;
}

static bool load_name(struct node *device)
{
	char *path = find_object(device->key);
	bool done = false;

	if (!path && is_in_cache(device->key))
		path = xasprintf("vdev-%s.so", device->key);
	if (path)
		done = open_object(device, path);
	free(path);
	return done;
}

bool device_load(struct node *device)
{
	const struct device loading = { .name = device->key };
	const struct device *before;
	bool done;

	if (device_type_find(device->key))
		return true;
	if (device->bad || !strcmp(device->key, NODE_NO_KEY))
		return false;
	before = device_enter(&loading);	/* code of its own runs as soon as it is opened */
	done = strchr(device->key, '/') ? load_path(device) : load_name(device);
	device_enter(before);
	return done;
}
