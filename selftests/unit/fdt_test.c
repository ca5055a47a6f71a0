// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/boot/fdt.c launcher/util/log.c launcher/util/alloc.c
/* The FDT, read back by libfdt. */
#include "launcher.h"

#include <libfdt.h>

#include "boot/fdt.h"

struct board {
	struct node *root;
	struct machine m;
	uint8_t *fdt;
	size_t size;
};

static void board_build(struct board *b, const char *yaml)
{
	b->root = launcher_config(yaml);
	if (!b->root)
		abort();
	machine_build(&b->m, b->root);
	if (fdt_build(&b->m, &b->fdt, &b->size) || fdt_check_full(b->fdt, b->size))
		abort();
}

static void board_destroy(struct board *b)
{
	free(b->fdt);
	machine_fini(&b->m);
	node_destroy(b->root);
}

/* The property @name of the node @path must be these cells. */
static void check_cells(const struct board *b, const char *path, const char *name,
			const uint32_t *want, int count)
{
	int node = fdt_path_offset(b->fdt, path), size = 0;
	const fdt32_t *cells = node < 0 ? NULL : fdt_getprop(b->fdt, node, name, &size);

	if (!cells || size != count * 4) {
		unit_fail("%s:%s is not there or has %d bytes, not %d", path, name, size, count * 4);
		return;
	}
	for (int i = 0; i < count; i++)
		if (fdt32_to_cpu(cells[i]) != want[i])
			unit_fail("%s:%s cell %d is %#x, not %#x", path, name, i,
				  fdt32_to_cpu(cells[i]), want[i]);
}

#define CHECK_CELLS(board, path, name, ...) do {				\
	const uint32_t want[] = { __VA_ARGS__ };				\
										\
	check_cells(board, path, name, want, sizeof(want) / sizeof(want[0]));	\
} while (0)

static void check_bytes(const struct board *b, const char *path, const char *name, const void *want,
			int want_size)
{
	int node = fdt_path_offset(b->fdt, path), size = 0;
	const void *data = node < 0 ? NULL : fdt_getprop(b->fdt, node, name, &size);

	if (!data || size != want_size || memcmp(data, want, size))
		unit_fail("%s:%s is \"%s\" of %d bytes, not \"%s\"", path, name,
			  data ? (const char *)data : "absent", size, (const char *)want);
}

/* For a string literal, perhaps with NULs inside. */
#define CHECK_TEXT(board, path, name, text) check_bytes(board, path, name, text, sizeof(text))

static const char board[] =
	"memory: [{ram: 512M}, {rom: 64K, at: 0}, {ram: 1G, at: 8G}]\n"
	"cpus: 18\n"
	"load: [{initrd: i}]\n"
	"cmdline: console=ttyAMA0 quiet\n"
	"devices: [silent: {}, ns16550: {irq: none}, pl011: {}, ns16550: {}]\n";

TEST(root_and_chosen)
{
	struct board b;

	board_build(&b, board);
	CHECK_TEXT(&b, "/", "compatible", "linux,dummy-virt");
	CHECK_TEXT(&b, "/", "model", "QVM-v8A");
	CHECK_CELLS(&b, "/", "interrupt-parent", FDT_PHANDLE_GIC);
	CHECK_CELLS(&b, "/", "#address-cells", 2);
	CHECK_CELLS(&b, "/", "#size-cells", 2);
	CHECK_TEXT(&b, "/chosen", "bootargs", "console=ttyAMA0 quiet");
	CHECK_TEXT(&b, "/chosen", "stdout-path", "/serial@1c0a0000");
	CHECK_EQ(fdt_path_offset(b.fdt, "/chosen/none"), -FDT_ERR_NOTFOUND);
	board_destroy(&b);
}

TEST(initrd)
{
	struct board b;
	uint8_t *fdt;
	size_t size;

	board_build(&b, board);
	b.m.image[0].kind = IMAGE_INITRD;
	b.m.image[0].gpa = 0x240001000;
	b.m.image[0].size = 0x1234;
	CHECK_EQ(fdt_build(&b.m, &fdt, &size), 0);
	free(b.fdt);
	b.fdt = fdt;
	CHECK_CELLS(&b, "/chosen", "linux,initrd-start", 2, 0x40001000);
	CHECK_CELLS(&b, "/chosen", "linux,initrd-end", 2, 0x40002234);
	board_destroy(&b);
}

TEST(rom_is_not_told)
{
	struct board b;

	board_build(&b, board);
	CHECK_TEXT(&b, "/memory@40000000", "device_type", "memory");
	CHECK_CELLS(&b, "/memory@40000000", "reg", 0, 0x40000000, 0, 0x20000000);
	CHECK_CELLS(&b, "/memory@200000000", "reg", 2, 0, 0, 0x40000000);
	CHECK_EQ(fdt_path_offset(b.fdt, "/memory@0"), -FDT_ERR_NOTFOUND);
	board_destroy(&b);
}

TEST(cpus_by_affinity)
{
	struct board b;
	int count = 0, node, cpus;

	board_build(&b, board);
	CHECK_CELLS(&b, "/cpus", "#address-cells", 1);
	CHECK_CELLS(&b, "/cpus", "#size-cells", 0);
	CHECK_CELLS(&b, "/cpus/cpu@0", "reg", 0);
	CHECK_CELLS(&b, "/cpus/cpu@f", "reg", 15);
	CHECK_CELLS(&b, "/cpus/cpu@100", "reg", 0x100);
	CHECK_CELLS(&b, "/cpus/cpu@101", "reg", 0x101);
	CHECK_TEXT(&b, "/cpus/cpu@101", "enable-method", "psci");
	CHECK_TEXT(&b, "/psci", "compatible", "arm,psci-1.0\0arm,psci-0.2");
	CHECK_TEXT(&b, "/psci", "method", "hvc");
	cpus = fdt_path_offset(b.fdt, "/cpus");
	fdt_for_each_subnode(node, b.fdt, cpus)
		count++;
	CHECK_EQ(count, 18);
	board_destroy(&b);
}

TEST(gic_and_timer)
{
	struct board b;
	const char *gic = "/interrupt-controller@2f000000";

	board_build(&b, board);
	CHECK_TEXT(&b, gic, "compatible", "arm,gic-v3");
	CHECK_CELLS(&b, gic, "reg", 0, 0x2f000000, 0, 0x10000, 0, 0x2f100000, 0, 18 * 0x20000);
	CHECK_CELLS(&b, gic, "#interrupt-cells", 3);
	CHECK_CELLS(&b, gic, "phandle", FDT_PHANDLE_GIC);
	CHECK_CELLS(&b, "/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	CHECK(fdt_getprop(b.fdt, fdt_path_offset(b.fdt, "/timer"), "always-on", NULL));
	CHECK_EQ(fdt_node_offset_by_phandle(b.fdt, FDT_PHANDLE_GIC), fdt_path_offset(b.fdt, gic));
	CHECK_EQ(fdt_node_offset_by_phandle(b.fdt, FDT_PHANDLE_CLOCK),
		 fdt_path_offset(b.fdt, "/apb-pclk"));
	board_destroy(&b);
}

TEST(devices)
{
	struct board b;
	int size;

	board_build(&b, board);
	CHECK_TEXT(&b, "/serial@1c090000", "compatible", "arm,pl011\0arm,primecell");
	CHECK_CELLS(&b, "/serial@1c090000", "reg", 0, 0x1c090000, 0, 0x1000);
	CHECK_CELLS(&b, "/serial@1c090000", "interrupts", 0, 5, 4);
	CHECK_CELLS(&b, "/serial@1c0a0000", "reg", 0, 0x1c0a0000, 0, 8);
	CHECK(!fdt_getprop(b.fdt, fdt_path_offset(b.fdt, "/serial@1c0a0000"), "interrupts", &size));
	CHECK_EQ(fdt_path_offset(b.fdt, "/silent@1c200000"), -FDT_ERR_NOTFOUND);
	board_destroy(&b);
}

TEST(size_does_not_depend_on_addresses)
{
	struct board b;
	uint8_t *fdt;
	size_t size;

	board_build(&b, board);
	b.m.fdt_gpa = 0x12345678;
	CHECK_EQ(fdt_build(&b.m, &fdt, &size), 0);
	CHECK_EQ(size, b.size);
	free(fdt);
	board_destroy(&b);
}

TEST(largest_board)
{
	char yaml[4096];
	struct board b;

	snprintf(yaml, sizeof(yaml), "memory: [{ram: 1G}]\ncpus: 64\ncmdline: %02000d\n", 7);
	board_build(&b, yaml);
	CHECK_CELLS(&b, "/cpus/cpu@30f", "reg", 0x30f);
	CHECK(b.size < 0x10000);
	board_destroy(&b);
}
