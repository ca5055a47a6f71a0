// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/util/log.c launcher/util/alloc.c
/* The model of x86 machines: RAM around the holes, ports, lines, and what is refused. */
#include "config/config.h"
#include "launcher.h"

#define X86	"arch: x86\n"
#define RAM	X86 "memory: [{ram: 512M}]\n"
#define KERNEL	"load: [{kernel: k}]\n"
#define PIC	"- 8259:\n"

struct board {
	struct node *root;
	struct machine m;
};

static void board_build(struct board *b, const char *yaml)
{
	b->root = launcher_config(yaml);
	if (!b->root)
		abort();
	machine_build(&b->m, b->root);
}

static void board_destroy(struct board *b)
{
	machine_fini(&b->m);
	node_destroy(b->root);
}

static void check_valid(const char *yaml, const char *want)
{
	struct board b;

	launcher_listen();
	board_build(&b, yaml);
	CHECK(!machine_validate(&b.m) || *want);
	CHECK_STR(launcher_said(), want);
	board_destroy(&b);
	launcher_quiet();
}

struct stretch {
	uint64_t gpa, size;
};

/* RAM as it is laid out; the firmware's ROM is the last where it is added. */
static void check_memory(const char *yaml, const struct stretch *want, size_t count, bool firmware)
{
	struct board b;

	board_build(&b, yaml);
	CHECK_EQ(b.m.memory_count, count + firmware);
	for (size_t i = 0; i < count && i < b.m.memory_count; i++) {
		CHECK_EQ(b.m.memory[i].gpa, want[i].gpa);
		CHECK_EQ(b.m.memory[i].size, want[i].size);
	}
	if (firmware && b.m.memory_count > count) {
		CHECK_EQ(b.m.memory[count].gpa, 0xc0000);
		CHECK_EQ(b.m.memory[count].kind, MEMORY_ROM);
	}
	board_destroy(&b);
}

#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)

TEST(ram_goes_around_the_holes)
{
	static const struct stretch small[] = { { 0, 640 << 10 }, { MIB, 511 * MIB } };
	static const struct stretch exact[] = { { 0, 640 << 10 }, { MIB, 3 * GIB - MIB } };
	static const struct stretch large[] = {
		{ 0, 640 << 10 }, { MIB, 3 * GIB - MIB }, { 4 * GIB, 3 * GIB },
	};
	static const struct stretch tiny[] = { { 0, 512 << 10 } };
	static const struct stretch more[] = {
		{ 0, 640 << 10 }, { MIB, 3 * GIB - MIB }, { 4 * GIB, GIB }, { 5 * GIB, GIB },
	};

	check_memory(RAM, small, 2, true);
	check_memory(X86 "memory: [ram: 3G]\n", exact, 2, true);
	check_memory(X86 "memory: [ram: 6G]\n", large, 3, true);
	check_memory(X86 "memory: [ram: 512K]\n", tiny, 1, true);
	check_memory(X86 "memory: [ram: 4G, ram: 1G]\n", more, 4, true);
}

TEST(ram_as_qnx_says_it)
{
	static const struct stretch want[] = {
		{ 0, 0xa0000 }, { 0xc0000, 0x40000 }, { MIB, GIB },
	};

	check_memory(X86 "memory: [{ram: 0xa0000}, {rom: 0x40000, at: 0xc0000}, {ram: 1024M}]\n", want, 3,
		     false);
}

TEST(reserved_ports_are_left_free)
{
	struct board b;

	board_build(&b, RAM KERNEL "reserve: [{io: '0x3f8,8'}, {io: 0x2ff}, {at: 0x3e8, size: 8}]\n"
		    "devices:\n- ser8250:\n- ser8250: {at: io:0x3f8}\n");
	CHECK_EQ(b.m.device[0].gpa, 0x3e8);
	CHECK_EQ(b.m.device[0].port, true);
	CHECK_EQ(b.m.device[1].gpa, 0x3f8);
	board_destroy(&b);
}

TEST(devices_are_where_a_pc_has_them)
{
	static const struct {
		uint64_t gpa;
		uint32_t irq;
	} want[] = {
		{ 0x20, 0 }, { 0xfec00000, 0 }, { 0x40, 0 }, { 0x70, 8 }, { 0x600, 9 }, { 0xf4, 0 },
		{ 0x60, 0 }, { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 5 }, { 0x2e8, 7 },
	};
	struct board b;

	board_build(&b, RAM "devices: [8259: {}, ioapic: {}, timer8254: {}, mc146818: {}, acpi-pm: {}, "
		    "debug-exit: {}, pckeyboard: {}, ser8250: {}, ns16550: {}, ser8250: {}, ser8250: {}]\n");
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		CHECK_EQ(b.m.device[i].gpa, want[i].gpa);
		CHECK_EQ(b.m.device[i].irq, want[i].irq);
		CHECK_EQ(b.m.device[i].port, want[i].gpa < 0x10000);
	}
	board_destroy(&b);
}

TEST(ports_are_said_with_io)
{
	struct board b;

	board_build(&b, RAM "devices:\n" PIC "- ser8250: {at: io:0x2f8}\n- ser8250:\n"
		    "- ns16550: {at: 0xd0000000, irq: ioapic:11}\n");
	CHECK(b.m.device[1].port);
	CHECK_EQ(b.m.device[1].irq, 3);
	CHECK_EQ(b.m.device[2].gpa, 0x3f8);
	CHECK(!b.m.device[3].port);
	CHECK_EQ(b.m.device[3].irq, 11);
	board_destroy(&b);
	/* The same number as an address is not in its way. */
	check_valid(RAM KERNEL "devices:\n" PIC "- ioapic: {at: 0xf8000000}\n- ser8250: {at: io:0x3f8}\n", "");
}

TEST(mistakes)
{
	check_valid(RAM KERNEL "devices:\n- ser8250:\n", "t.yaml:5: ser8250: has line 4, and the board "
		    "neither an ioapic nor an 8259; add one, or write irq: none\n");
	check_valid(RAM KERNEL "devices:\n" PIC "- ns16550: {at: 0xd0000000, irq: ioapic:17}\n", "t.yaml:6: "
		    "ns16550: has line 17, and without an ioapic there are 16\n");
	check_valid(RAM KERNEL "devices:\n" PIC "- ser8250: {at: io:0x3f8}\n- ns16550: {at: io:0x3ff, "
		    "irq: none}\n", "t.yaml:7: ns16550: 0x3ff to 0x406 overlaps ser8250 at 0x3f8 to 0x3ff "
		    "(t.yaml:6), move one of them\n");
	check_valid(RAM KERNEL "devices:\n" PIC "- ser8250: {irq: ioapic:24}\n", "t.yaml:6: ser8250: has "
		    "line 24, and without an ioapic there are 16\nt.yaml:6: ser8250: ioapic:24 is no line "
		    "for a device, ioapic:1 to ioapic:23 are\n");
	check_valid(RAM KERNEL "devices:\n" PIC "- 8259: {at: io:0x90, name: more}\n", "t.yaml:6: more: a "
		    "board has one at most, and it is there (t.yaml:5)\n");
	check_valid(RAM KERNEL "devices:\n- pl011:\n", "t.yaml:5: pl011: there is no such device on "
		    "x86\n");
	check_valid(X86 "memory: [{ram: 4G, at: 0}]\n" KERNEL, "t.yaml:2: ram: 0x0 to 0xffffffff overlaps the "
		    "local APICs at 0xfee00000 to 0xfeefffff (board default), move one of them\n");
	check_valid("arch: arm64\nmemory: [ram: 64M]\n" KERNEL "devices:\n- ns16550: {at: io:0x3f8}\n",
		    "t.yaml:5: ns16550: an arm64 board has no ports, write an address of memory\n");
}

static void check_arch(const char *yaml, const char *want)
{
	struct node *root = yaml_read_text(yaml, (struct origin){ "t.yaml", 1 });

	CHECK_STR(config_arch(root), want);
	config_set_defaults(root);
	CHECK_STR(node_text(node_find(root, "unsupported"), "reference"),
		  strcmp(want, "x86") ? "fail" : "ignore");
	node_destroy(root);
}

TEST(arch_is_said_or_seen)
{
	check_arch("arch: x86", "x86");
	check_arch("arch: arm64", "arm64");
	check_arch("devices: [ns16550: {}, pl011: {}]", "arm64");
	check_arch("devices: [ns16550: {}, 8259: {}]", "x86");
	check_arch("gic: {version: 3}", "arm64");
}
