// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/util/log.c launcher/util/alloc.c
/* The model: defaults, automatic addresses, and what the validate pass refuses. */
#include "launcher.h"

#define KERNEL	"load: [{kernel: k}]\n"
#define RAM	"memory: [{ram: 512M}]\n"

struct board {
	struct node *root;
	struct machine m;
};

/* boot/ stays out: images are given sizes by the test. */
static void board_build(struct board *b, const char *yaml)
{
	b->root = launcher_config(yaml);
	if (!b->root)
		abort();
	machine_build(&b->m, b->root);
	b->m.fdt_wanted = false;
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

TEST(defaults)
{
	struct board b;

	board_build(&b, RAM KERNEL "devices: [pl011: {}]\n");
	CHECK_EQ(b.m.memory[0].gpa, 0x40000000);
	CHECK_EQ(b.m.memory[0].size, 512 << 20);
	CHECK_EQ(b.m.cpu_count, 1);
	CHECK_EQ(b.m.gic.gicd, 0x2f000000);
	CHECK_EQ(b.m.gic.gicr, 0x2f100000);
	CHECK_EQ(b.m.gic.lines, 256);
	CHECK_EQ(b.m.device[0].gpa, 0x1c090000);
	CHECK_EQ(b.m.device[0].irq, 37);
	CHECK_STR(b.m.device[0].name, "pl011");
	CHECK_EQ(b.m.fdt_gpa, MACHINE_AUTO);
	CHECK_EQ(b.m.fdt_reg, 0);
	CHECK_EQ(b.m.policy_reference, POLICY_FAIL);
	CHECK(!strncmp(b.m.name, "qvm-", 4));
	board_destroy(&b);
}

TEST(memory_follows_the_highest)
{
	struct board b;

	board_build(&b, "memory: [{ram: 16M, at: 0x80000000}, {rom: 64K, at: 0}, {ram: 4K}]\n");
	CHECK_EQ(b.m.memory[2].gpa, 0x81000000);
	CHECK_EQ(b.m.memory[1].kind, MEMORY_ROM);
	board_destroy(&b);
}

TEST(devices_get_free_places)
{
	struct board b;

	board_build(&b, RAM "devices:\n- pl011:\n- pl011:\n- silent: {irq: none}\n- silent:\n"
		    "- ns16550: {at: 0x1c090000, irq: gic:37}\n- ns16550:\n");
	CHECK_EQ(b.m.device[0].gpa, 0x1c200000);	/* 0x1c090000 is said elsewhere */
	CHECK_EQ(b.m.device[0].irq, 48);
	CHECK_EQ(b.m.device[1].gpa, 0x1c210000);
	CHECK_EQ(b.m.device[1].irq, 49);
	CHECK_STR(b.m.device[1].name, "pl011-1");
	CHECK_EQ(b.m.device[2].gpa, 0x1c220000);
	CHECK_EQ(b.m.device[2].irq, 0);
	CHECK_EQ(b.m.device[3].gpa, 0x1c240000);	/* 128K each */
	CHECK_EQ(b.m.device[3].irq, 50);
	CHECK_EQ(b.m.device[5].gpa, 0x1c0a0000);
	CHECK_EQ(b.m.device[5].irq, 38);
	board_destroy(&b);
}

TEST(cpus)
{
	struct board b;

	board_build(&b, "cpus: [{sched: 8f, runmask: [0, 63]}, {}]\nset: {host-rt: on}\n");
	CHECK_EQ(b.m.cpu_count, 2);
	CHECK_EQ(b.m.cpu[0].runmask, 1ULL << 63 | 1);
	CHECK_EQ(b.m.cpu[0].sched_priority, 8);
	CHECK_EQ(b.m.cpu[0].sched_policy, 'f');
	CHECK_EQ(b.m.cpu[1].runmask, 0);
	board_destroy(&b);
	board_build(&b, "cpus: [{sched: \"9,8,1,100us,7uss\"}]\nset: {host-rt: on}\n");
	CHECK_EQ(b.m.cpu[0].sched_policy, 's');
	CHECK_EQ(b.m.cpu[0].sched_priority, 0);
	CHECK_EQ(b.m.cpu[0].sched_period, 100000);
	CHECK_EQ(b.m.cpu[0].sched_budget, 7000);
	board_destroy(&b);
	board_build(&b, "cpus: [{sched: \"9,8,1,100us,7uss\"}]\n");
	CHECK_EQ(b.m.cpu[0].sched_policy, 0);
	board_destroy(&b);
	board_build(&b, "cpus: [{partition: ui/a}, {partition: /cg/b}, {}]\n");
	CHECK_STR(b.m.cpu[0].partition, "/sys/fs/cgroup/ui/a");
	CHECK_STR(b.m.cpu[1].partition, "/cg/b");
	CHECK(!b.m.cpu[2].partition);
	board_destroy(&b);
	board_build(&b, "cpus: 64\n");
	CHECK_EQ(b.m.cpu_count, 64);
	board_destroy(&b);
}

TEST(hostdev)
{
	static const struct {
		const char *said, *meant;
	} rows[] = {
		{ "-", "-" }, { ">-", ">-" }, { "<-", "<-" }, { "/dev/x", "/dev/x" },
		{ ">/dev/x", ">/dev/x" }, { ">out", ">d/out" }, { "pipe", "d/pipe" },
		{ ">|cat", ">|cat" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *root;
		struct machine m;
		char yaml[128];

		snprintf(yaml, sizeof(yaml), "devices: [pl011: {hostdev: '%s'}]", rows[i].said);
		root = yaml_read_text(yaml, (struct origin){ "d/a.yaml", 1 });
		machine_build(&m, root);
		CHECK_STR(m.device[0].hostdev[0], rows[i].meant);
		machine_fini(&m);
		node_destroy(root);
	}
}

TEST(good_boards)
{
	check_valid(RAM KERNEL, "");
	check_valid(RAM KERNEL "cpus: 64\ndevices: [pl011: {}, pl011: {}, ns16550: {}]\n", "");
	check_valid("memory: [{ram: 4K}, {rom: 4K}, {ram: 1G, at: 4G}]\n" KERNEL, "");
	check_valid("memory: [{ram: 512M, at: 0x80000000}]\n" KERNEL, "");
	check_valid(RAM KERNEL "gic: {gicd: 0x08100000, gicr: 0x08110000, lines: 1020}\n", "");
}

TEST(bad_boards)
{
	static const struct {
		const char *yaml, *said;
	} rows[] = {
		{ KERNEL, "t.yaml: memory: there is no RAM, write `memory: [{ram: 512M}]`\n" },
		{ RAM, "t.yaml: load: there is nothing to start, write `load: [{kernel: PATH}]`\n" },
		{ KERNEL "memory:\n- ram: 4097\n",
		  "t.yaml:3: ram: 0x1001 bytes are no multiple of 4K, write 0x2000\n" },
		{ KERNEL "memory:\n- {ram: 4K, at: 0x40000800}\n",
		  "t.yaml:3: ram: 0x40000800 is no multiple of 4K, write 0x40000000\n" },
		{ KERNEL "memory:\n- {ram: 1M, at: 0x40000000}\n- {rom: 4K, at: 0x400ff000}\n",
		  "t.yaml:4: rom: 0x400ff000 to 0x400fffff overlaps ram at 0x40000000 to 0x400fffff "
		  "(t.yaml:3), move one of them\n" },
		{ KERNEL "memory:\n- {ram: 4K, at: 0xfffffffffffff000}\n",
		  "t.yaml:3: ram: 0xfffffffffffff000 and 0x1000 bytes end beyond the guest's 40 address "
		  "bits, go below 0x10000000000\n" },
		{ KERNEL "memory:\n- {ram: 8K, at: 0xfffffff000}\n",
		  "t.yaml:3: ram: 0xfffffff000 and 0x2000 bytes end beyond the guest's 40 address "
		  "bits, go below 0x10000000000\n" },
		{ KERNEL "memory:\n- {ram: 512M, at: 0x20000000}\n",
		  "t.yaml:3: ram: 0x20000000 to 0x3fffffff overlaps gic.gicd at 0x2f000000 to "
		  "0x2f00ffff (board default), move one of them\n"
		  "t.yaml:3: ram: 0x20000000 to 0x3fffffff overlaps gic.gicr at 0x2f100000 to "
		  "0x2f11ffff (board default), move one of them\n" },
		{ KERNEL "memory:\n- {ram: 1M, at: 0x08000000}\n",
		  "t.yaml:3: ram: 0x8000000 to 0x80fffff overlaps the window for message interrupts at "
		  "0x8000000 to 0x80fffff (board default), move one of them\n" },
		{ RAM KERNEL "devices:\n- pl011: {irq: gic:40}\n- ns16550: {irq: gic:40}\n",
		  "t.yaml:5: ns16550: gic:40 is the line of pl011 already (t.yaml:4), choose another\n" },
		{ RAM KERNEL "devices:\n- pl011: {irq: gic:31}\n",
		  "t.yaml:4: pl011: gic:31 is no line for a device, gic:32 to gic:255 are\n" },
		{ RAM KERNEL "devices:\n- pl011: {irq: gic:256}\n",
		  "t.yaml:4: pl011: gic:256 is no line for a device, gic:32 to gic:255 are\n" },
		{ RAM KERNEL "devices:\n- pl011: {at: 0x40000000}\n",
		  "t.yaml:4: pl011: 0x40000000 to 0x40000fff overlaps ram at 0x40000000 to 0x5fffffff "
		  "(t.yaml:1), move one of them\n" },
		{ RAM KERNEL "devices:\n- pl011: {at: 0x1c090800}\n",
		  "t.yaml:4: pl011: 0x1c090800 is no multiple of 4K\n" },
		{ RAM KERNEL "devices:\n- pl011: {name: a}\n- pl011: {name: a}\n",
		  "t.yaml:5: a: this name is taken already (t.yaml:4), choose another\n" },
		{ RAM KERNEL "gic: {gicd: 0x2f001000}\n",
		  "t.yaml:3: gic.gicd: 0x2f001000 is no multiple of 64K\n" },
		{ RAM KERNEL "gic: {lines: 100}\n",
		  "t.yaml:3: gic.lines: 100 is no multiple of 32, write 128\n" },
		{ RAM "load:\n- kernel: a\n- kernel: b\n",
		  "t.yaml:4: kernel: a second one, first at t.yaml:3; keep one of them\n" },
		{ RAM KERNEL "cpus: []\n",
		  "t.yaml:3: cpus: an empty list, write `- {}` for each vCPU, or their number\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_valid(rows[i].yaml, rows[i].said);
}

TEST(one_error_is_one_line)
{
	check_valid("memory: [{ram: 12Q}]\n" KERNEL,
		    "t.yaml:1: memory[0].ram: \"12Q\" won't do, write a size such as 512M\n");
	check_valid(RAM "load: [{kernle: k}]\n",
		    "t.yaml:2: load[0].kernle: unknown key, did you mean `kernel`?\n");
	check_valid(RAM KERNEL "gic: {gicd: x}\n", "t.yaml:3: gic.gicd: \"x\" won't do, write an "
		    "address such as 0x40000000\n");
	check_valid(RAM KERNEL "gic: {lines: x}\ndevices: [pl011: {irq: gic:300}]\n",
		    "t.yaml:3: gic.lines: \"x\" won't do, write a number\n");
}

TEST(sections_of_the_wrong_kind)
{
	static const char *const keys[] = {
		"system", "memory", "cpus", "load", "cmdline", "devices", "gic", "fdt", "unsupported",
		"dryrun",
	};
	static const char *const values[] = {
		"x", "", "{x: y}", "{ram: {}}", "[]", "[x]", "[[x]]", "[{ram: {}}]", "[{pl011: x}]",
		"[{kernel: []}]", "[{kernel: }]", "[{runmask: x}]",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			char yaml[64];
			struct board b;

			snprintf(yaml, sizeof(yaml), "%s: %s", keys[i], values[j]);
			launcher_listen();
			board_build(&b, yaml);
			machine_validate(&b.m);
			CHECK(log_error_count() > 0);
			board_destroy(&b);
			launcher_quiet();
		}
	}
}

/* Images with these places and sizes. */
static void check_images(uint64_t kernel, uint64_t kernel_size, uint64_t initrd, uint64_t initrd_size,
			 const char *want)
{
	struct board b;

	launcher_listen();
	board_build(&b, "memory:\n- ram: 1M\n- ram: 1M\nload:\n- kernel: k\n- initrd: i\n");
	b.m.image[0].gpa = kernel;
	b.m.image[0].size = kernel_size;
	b.m.image[1].gpa = initrd;
	b.m.image[1].size = initrd_size;
	machine_validate(&b.m);
	CHECK_STR(launcher_said(), want);
	board_destroy(&b);
	launcher_quiet();
}

TEST(images)
{
	check_images(0x40000000, 0x1000, 0x40001000, 0x1000, "");
	check_images(0x40000000, 0x100000, 0x40100000, 0x100000, "");
	check_images(0x40000000, 0x1001, 0x40001000, 0x1000, "t.yaml:6: initrd: 0x40001000 to "
		     "0x40001fff overlaps kernel at 0x40000000 to 0x40001000 (t.yaml:5), move one of "
		     "them\n");
	check_images(0x40000000, 0x1000, 0x401ff000, 0x1001, "t.yaml:6: initrd: 0x401ff000 and 0x1001 "
		     "bytes are not all in one RAM or ROM of the config; give more by `ram`, or another address\n");
	check_images(0x3ffff000, 0x2000, 0x40080000, 0x1000, "t.yaml:5: kernel: 0x3ffff000 and 0x2000 "
		     "bytes are not all in one RAM or ROM of the config; give more by `ram`, or another address\n");
	check_images(0xfffffffffffff000, 0x2000, 0x40080000, 0x1000, "t.yaml:5: kernel: "
		     "0xfffffffffffff000 and 0x2000 bytes end beyond the guest's 40 address bits, go "
		     "below 0x10000000000\n");
}

TEST(hva)
{
	uint8_t ram[0x2000];
	struct memory memory = { .gpa = 0x1000, .size = 0x2000, .hva = ram };
	struct machine m = { .memory = &memory, .memory_count = 1 };

	CHECK(machine_hva(&m, 0x1000, 0x2000) == ram);
	CHECK(machine_hva(&m, 0x2fff, 1) == ram + 0x1fff);
	CHECK(!machine_hva(&m, 0x1000, 0x2001));
	CHECK(!machine_hva(&m, 0xfff, 2));
	CHECK(!machine_hva(&m, 0x3000, 0));
	CHECK(!machine_hva(&m, 0x2000, UINT64_MAX));
	CHECK(!machine_hva(&m, UINT64_MAX, 2));
}
