// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/util/log.c launcher/util/alloc.c
// LINK: launcher/boot/boot.c launcher/boot/x86.c launcher/boot/acpi.c launcher/boot/aml.c launcher/boot/mptable.c launcher/boot/bzimage.c launcher/boot/multiboot.c launcher/boot/parts.c launcher/boot/place.c launcher/boot/image_arm64.c launcher/boot/elf.c launcher/boot/raw.c launcher/boot/unpack.c launcher/boot/fdt.c launcher/boot/fdt_merge.c
/* Device trees of the user, merged into the board's: sound ones, foolish ones, hostile ones. */
#include "launcher.h"

#include <libfdt.h>

#include "boot/boot.h"

#define USER_SIZE	4096

struct user {
	uint8_t blob[USER_SIZE];
};

static void user_begin(struct user *user)
{
	fdt_create(user->blob, USER_SIZE);
	fdt_finish_reservemap(user->blob);
	fdt_begin_node(user->blob, "");
}

static void user_end(struct user *user)
{
	fdt_end_node(user->blob);
	CHECK(!fdt_finish(user->blob));
}

/* A node that stands for a generated one. */
static void put_helper(struct user *user, const char *node, const char *device, uint32_t phandle)
{
	fdt_begin_node(user->blob, node);
	fdt_property_string(user->blob, "qvm,vdev", device);
	fdt_property_u32(user->blob, "phandle", phandle);
	fdt_property_string(user->blob, "status", "okay");
	fdt_end_node(user->blob);
}

struct merged {
	struct node *root;
	struct machine m;
	char *path, *kernel;
};

/* Merge it into a board with a pl011 called con, as `load` of QNX or as `fdt`. */
static int merge(struct merged *merged, const struct user *user, size_t size, const char *key)
{
	char yaml[512];
	int ret;

	merged->path = launcher_file(user->blob, size);
	merged->kernel = launcher_file("\0\0\0\x14", 4);
	snprintf(yaml, sizeof(yaml), "memory: [{ram: 64M}]\nload: [{kernel: %s}, {%s: %s}]\n"
		 "devices: [pl011: {name: con}]\n", merged->kernel, key, merged->path);
	merged->root = launcher_config(yaml);
	machine_build(&merged->m, merged->root);
	ret = boot_prepare(&merged->m);
	if (!ret)
		ret = machine_validate(&merged->m);
	return ret;
}

static void merged_fini(struct merged *merged)
{
	machine_fini(&merged->m);
	node_destroy(merged->root);
	unlink(merged->path);
	unlink(merged->kernel);
	free(merged->path);
	free(merged->kernel);
}

static void check_said(const struct user *user, size_t size, const char *key, const char *want)
{
	struct merged merged;
	char text[512];

	launcher_listen();
	CHECK(merge(&merged, user, size, key) || !*want);
	snprintf(text, sizeof(text), want, merged.path);
	CHECK_STR(launcher_said(), text);
	merged_fini(&merged);
	launcher_quiet();
}

static void build_plain(struct user *user)
{
	user_begin(user);
	fdt_property_u32(user->blob, "interrupt-parent", 1);
	put_helper(user, "irq-of-the-board", "gic", 1);
	put_helper(user, "serial-of-the-board", "con", 2);
	fdt_begin_node(user->blob, "camera@17c00000");
	fdt_property_string(user->blob, "compatible", "acme,camera");
	fdt_property_u32(user->blob, "console", 2);
	fdt_end_node(user->blob);
	fdt_begin_node(user->blob, "chosen");
	fdt_property_string(user->blob, "acme,mode", "fast");
	fdt_end_node(user->blob);
	user_end(user);
}

static uint32_t get_u32(const void *fdt, const char *path, const char *name)
{
	const fdt32_t *value = fdt_getprop(fdt, fdt_path_offset(fdt, path), name, NULL);

	return value ? fdt32_to_cpu(*value) : 0;
}

static const char *get_text(const void *fdt, const char *path, const char *name)
{
	const char *value = fdt_getprop(fdt, fdt_path_offset(fdt, path), name, NULL);

	return value ? value : "(none)";
}

static void check_plain(const struct user *user, size_t size, const char *key)
{
	struct merged merged;
	const void *fdt;

	CHECK(!merge(&merged, user, size, key));
	fdt = merged.m.fdt_blob;
	REQUIRE(fdt);
	CHECK_EQ(fdt_totalsize(fdt), merged.m.fdt_size);
	CHECK_STR(get_text(fdt, "/camera@17c00000", "compatible"), "acme,camera");
	CHECK_STR(get_text(fdt, "/chosen", "acme,mode"), "fast");
	CHECK(strcmp(get_text(fdt, "/chosen", "stdout-path"), "(none)"));
	CHECK_EQ(get_u32(fdt, "/", "interrupt-parent"), 1);
	CHECK_EQ(fdt_node_offset_by_phandle(fdt, 1), fdt_path_offset(fdt, "/interrupt-controller@2f000000"));
	CHECK_EQ(fdt_node_offset_by_phandle(fdt, 2), fdt_path_offset(fdt, "/serial@1c090000"));
	CHECK_STR(get_text(fdt, "/serial@1c090000", "status"), "okay");
	CHECK(fdt_path_offset(fdt, "/irq-of-the-board") < 0);
	merged_fini(&merged);
}

TEST(plain_tree)
{
	struct user user;

	build_plain(&user);
	check_plain(&user, fdt_totalsize(user.blob), "fdt");
	check_plain(&user, fdt_totalsize(user.blob), "file");
}

TEST(overlay)
{
	struct merged merged;
	struct user user;

	user_begin(&user);
	fdt_begin_node(user.blob, "fragment@0");
	fdt_property_string(user.blob, "target-path", "/chosen");
	fdt_begin_node(user.blob, "__overlay__");
	fdt_property_string(user.blob, "acme,mode", "slow");
	fdt_end_node(user.blob);
	fdt_end_node(user.blob);
	user_end(&user);
	CHECK(!merge(&merged, &user, fdt_totalsize(user.blob), "fdt"));
	REQUIRE(merged.m.fdt_blob);
	CHECK_STR(get_text(merged.m.fdt_blob, "/chosen", "acme,mode"), "slow");
	merged_fini(&merged);
}

TEST(refused)
{
	struct user user;

	user_begin(&user);
	put_helper(&user, "x", "nobody", 1);
	user_end(&user);
	check_said(&user, fdt_totalsize(user.blob), "fdt", "t.yaml:2: fdt: %s has a node with qvm,vdev = "
		   "\"nobody\", and there is no such device\n");
	check_said(&user, 60, "fdt", "t.yaml:2: fdt: %s is no device tree, or a broken one; dtc makes "
		   "them\n");
	user_begin(&user);
	fdt_begin_node(user.blob, "fragment@0");
	fdt_property_string(user.blob, "target-path", "/nowhere");
	fdt_begin_node(user.blob, "__overlay__");
	fdt_end_node(user.blob);
	fdt_end_node(user.blob);
	user_end(&user);
	check_said(&user, fdt_totalsize(user.blob), "fdt", "t.yaml:2: fdt: %s can't be merged into the "
		   "board's tree: FDT_ERR_NOTFOUND; fragments need target-path, as the board's tree has "
		   "no labels\n");
}

TEST(mutants)
{
	uint32_t state = 7;
	struct user user;

	for (unsigned int round = 0; round < 500; round++) {
		struct merged merged;
		size_t size;

		build_plain(&user);
		size = fdt_totalsize(user.blob);
		for (unsigned int n = 1 + round % 4; n; n--) {
			state = state * 1664525 + 1013904223;
			user.blob[(state >> 8) % size] = state >> 24;
		}
		launcher_listen();
		merge(&merged, &user, size, "fdt");
		merged_fini(&merged);
		launcher_quiet();
	}
}
