// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device tree of the user, merged into the generated one: an overlay (nodes fragment@N with
 * __overlay__) by libfdt, any other node by node, where the user's properties win. A node with
 * qvm,vdev = "NAME" stands for the generated node of that device: phandles that lead to it lead
 * there.
 */
#include "boot/fdt.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "boot/format.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define MERGE_MAX_DEPTH	32
#define MERGE_MAX_USER	0x100000
#define HELPER		"qvm,vdev"

struct merge {
	const struct machine *m;
	const struct image *image;
	void *base;
	const void *user;
};

static bool is_overlay(const void *fdt)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0)
		if (fdt_subnode_offset(fdt, node, "__overlay__") >= 0)
			return true;
	return false;
}

/* libfdt writes into both trees while it works. */
static int apply_overlay(void *base, const struct image *image)
{
	void *copy = xcalloc(image->data_size, 1);
	int error;

	memcpy(copy, image->data, image->data_size);
	error = fdt_overlay_apply(base, copy);
	free(copy);
	return error;
}

static bool is_for_all(const char *name, int depth)
{
	return strcmp(name, HELPER) &&
	       (depth || (strcmp(name, "#address-cells") && strcmp(name, "#size-cells")));
}

static int merge_properties(const struct merge *merge, int node, int user, int depth)
{
	int property, error = 0;

	fdt_for_each_property_offset(property, merge->user, user) {
		const char *name;
		int size;
		const void *value = fdt_getprop_by_offset(merge->user, property, &name, &size);

		if (!value)
			return size;
		if (is_for_all(name, depth))
			error = fdt_setprop(merge->base, node, name, value, size);
		if (error)
			return error;
	}
	return 0;
}

static int merge_node(const struct merge *merge, int node, int user, int depth)
{
	int error = merge_properties(merge, node, user, depth), child;

	if (!error && depth >= MERGE_MAX_DEPTH)
		return -FDT_ERR_BADSTRUCTURE;
	fdt_for_each_subnode(child, merge->user, user) {
		const char *name = fdt_get_name(merge->user, child, NULL);
		int into;

		if (error)
			return error;
		if (fdt_getprop(merge->user, child, HELPER, NULL))
			continue;
		into = fdt_subnode_offset(merge->base, node, name);
		if (into == -FDT_ERR_NOTFOUND)
			into = fdt_add_subnode(merge->base, node, name);
		error = into < 0 ? into : merge_node(merge, into, child, depth + 1);
	}
	return error;
}

/* The generated node of the device @name in the base, or a negative error of libfdt. */
static int find_device(const struct merge *merge, const char *name, bool *is_gic)
{
	uint64_t gpa = merge->m->gic.gicd;
	char tail[32];
	int node;

	*is_gic = !strcmp(name, "gic");
	for (size_t i = 0; i < merge->m->device_count && !*is_gic; i++)
		if (!strcmp(merge->m->device[i].name, name))
			gpa = merge->m->device[i].gpa;
	if (!*is_gic && gpa == merge->m->gic.gicd)
		return -FDT_ERR_NOTFOUND;
	snprintf(tail, sizeof(tail), "@%" PRIx64, gpa);
	fdt_for_each_subnode(node, merge->base, 0) {
		const char *at = strchr(fdt_get_name(merge->base, node, NULL), '@');

		if (at && !strcmp(at, tail))
			return node;
	}
	return -FDT_ERR_NOTFOUND;
}

/*
 * The device takes over the helper's phandle, and so everything that the user's tree lets lead
 * there. The generated tree refers to the interrupt controller in one place.
 */
static int redirect(const struct merge *merge, int user)
{
	const char *name = fdt_stringlist_get(merge->user, user, HELPER, 0, NULL);
	uint32_t phandle = fdt_get_phandle(merge->user, user);
	bool is_gic;
	int node = name ? find_device(merge, name, &is_gic) : -FDT_ERR_BADVALUE, error;

	if (node < 0 && name)
		image_error(merge->image, "has a node with " HELPER " = \"%s\", and there is no such "
			    "device", name);
	if (node < 0)
		return node;
	error = merge_properties(merge, node, user, 1);
	if (!error && phandle)
		error = fdt_setprop_u32(merge->base, node, "phandle", phandle);
	if (!error && phandle && is_gic)
		error = fdt_setprop_u32(merge->base, 0, "interrupt-parent", phandle);
	return error;
}

static int redirect_all(const struct merge *merge)
{
	int error = 0;

	for (int user = fdt_next_node(merge->user, -1, NULL); user >= 0 && !error;
	     user = fdt_next_node(merge->user, user, NULL))
		if (fdt_getprop(merge->user, user, HELPER, NULL))
			error = redirect(merge, user);
	return error;
}

static int merge_tree(const struct merge *merge)
{
	int error = merge_node(merge, 0, 0, 0);

	return error ? error : redirect_all(merge);
}

int fdt_check_user(const struct image *image)
{
	if (image->data_size <= MERGE_MAX_USER && !fdt_check_full(image->data, image->data_size))
		return 0;
	image_error(image, "is no device tree, or a broken one; dtc makes them");
	return -1;
}

int fdt_merge(const struct machine *m, const struct image *image, uint8_t **blob, size_t *size)
{
	size_t room = *size + 2 * image->data_size + 0x1000;
	struct merge merge = { m, image, xcalloc(room, 1), image->data };
	unsigned int before = log_error_count();
	int error = fdt_open_into(*blob, merge.base, room);

	if (!error)
		error = is_overlay(merge.user) ? apply_overlay(merge.base, image) : merge_tree(&merge);
	if (!error)
		error = fdt_pack(merge.base);
	if (error && log_error_count() == before)
		image_error(image, "can't be merged into the board's tree: %s%s", fdt_strerror(error),
			    is_overlay(merge.user) ? "; fragments need target-path, as the board's tree "
			    "has no labels" : "");
	free(error ? merge.base : *blob);
	if (error)
		return -1;
	*blob = merge.base;
	*size = fdt_totalsize(merge.base);
	return 0;
}
