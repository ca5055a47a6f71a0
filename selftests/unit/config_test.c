// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/schema_markdown.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c launcher/util/log.c launcher/util/alloc.c
/* The config: readers, schema, overrides. */
#include "launcher.h"

#include "config/schema_table.h"
#include "config/value.h"

_Thread_local const struct device *device_running;	/* of dev/device_host.c, which is not here */

/* Everything that is said about @yaml must be @want, exactly. */
static void check_said(const char *yaml, const char *want)
{
	struct node *root;

	launcher_listen();
	root = launcher_config(yaml);
	CHECK_STR(launcher_said(), want);
	node_destroy(root);
	launcher_quiet();
}

static const char full[] =
	"system: a\n"
	"memory:\n"
	"  - ram: 512M\n"
	"    at: 0x80000000\n"
	"  - {rom: 64K, at: 0}\n"
	"cpus:\n"
	"  - {sched: 8r, runmask: [0, 63]}\n"
	"  - {}\n"
	"  -\n"
	"load:\n"
	"  - kernel: k\n"
	"  - data: d\n"
	"    at: 010\n"
	"cmdline: console=ttyAMA0 quiet\n"
	"devices:\n"
	"  - pl011: {at: 0x1c090000, irq: gic:37, name: con, hostdev: \"-\"}\n"
	"  - silent:\n"
	"unsupported: {reference: fail}\n"
	"gic: {lines: 64}\n"
	"fdt: {reg: 0, at: 0x80000000}\n"
	"dryrun: no\n";

TEST(all_keys_are_taken)
{
	check_said(full, "");
}

TEST(values)
{
	struct node *root = launcher_config(full);
	const struct node *memory = node_find(root, "memory");

	CHECK_EQ(schema_number(node_at(memory, 0), "memory[].ram"), 512 << 20);
	CHECK_EQ(schema_number(node_at(memory, 1), "memory[].at"), 0);
	CHECK_EQ(schema_number(node_at(node_find(root, "load"), 1), "load[].at"), 10);
	CHECK_EQ(schema_number(node_at(node_find(root, "load"), 0), "load[].at"), UINT64_MAX);
	CHECK_EQ(schema_number(node_find(root, "gic"), "gic.gicd"), 0x2f000000);
	CHECK(!schema_bool(root, "dryrun"));
	CHECK_EQ(schema_choice(node_find(root, "unsupported"), "unsupported.reference"), 1);
	CHECK_EQ(node_count(node_find(root, "cpus")), 3);
	node_destroy(root);
}

TEST(numbers)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t value;
	} rows[] = {
		{ "0", true, 0 }, { "010", true, 10 }, { "0x10", true, 16 }, { "0X1f", true, 31 },
		{ "4k", true, 4096 }, { "4K", true, 4096 }, { "2M", true, 2 << 20 },
		{ "3g", true, 3ULL << 30 }, { "0x1K", true, 1024 },
		{ "18446744073709551615", true, UINT64_MAX }, { "18446744073709551616", false, 0 },
		{ "0xffffffffffffffff", true, UINT64_MAX }, { "0x10000000000000000", false, 0 },
		{ "17179869184G", false, 0 }, { "", false, 0 }, { "0x", false, 0 }, { "K", false, 0 },
		{ "-1", false, 0 }, { "+1", false, 0 }, { " 1", false, 0 }, { "1 ", false, 0 },
		{ "1KB", false, 0 }, { "1.5M", false, 0 }, { "1e3", false, 0 }, { "4\v", false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 0;
		bool good = value_number(rows[i].text, &value);

		if (good != rows[i].good || value != rows[i].value)
			unit_fail("\"%s\" gives %d, %#llx", rows[i].text, good,
				  (unsigned long long)value);
	}
}

TEST(sporadic)
{
	static const struct {
		const char *text;
		uint64_t period, budget;
	} good[] = {
		{ "20,8,5,100ms,30mss", 100000000, 30000000 }, { "20,8,5,100ms,30ms s", 100000000, 30000000 },
		{ "1,1,1,100,20s", 100, 20 }, { "9,8,1,2s,3uss", 2000000000, 3000 },
		{ "9,8,1,7ns,7nss", 7, 7 }, { "9,8,1,2s,1ss", 2000000000, 1000000000 }, { "0,0,0,0,0s", 0, 0 },
	};
	static const char *const bad[] = {
		"", "s", " s", ",,,,s", "8", "8r", "20,8,5,100ms,30ms", "20,8,5,100s", "20,8,5,100,20,1s",
		"20,8,5,100m,20s", "20,8,5,,20s", "20,8,5,100,20  s", "-1,8,5,100,20s", "20,8,5,100,20sr",
		"20,8,5,18446744073709551616,20s", "20,8,5,18446744073709552ms,20s", "20,8,5,0x10,20s",
		"20,8,5,000000000000000000000000000000000000000001,20s",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sporadic s;

		if (!value_sporadic(good[i].text, &s) || s.period != good[i].period ||
		    s.budget != good[i].budget)
			unit_fail("%s: not as it is said", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sporadic s;

		if (value_sporadic(bad[i], &s))
			unit_fail("\"%s\" is no sporadic scheduling", bad[i]);
	}
}

TEST(small_values)
{
	int priority;
	char policy;
	uint32_t irq;
	bool flag;

	CHECK(value_sched("8", &priority, &policy) && priority == 8 && policy == 'r');
	CHECK(value_sched("99f", &priority, &policy) && priority == 99 && policy == 'f');
	CHECK(!value_sched("0r", &priority, &policy));
	CHECK(!value_sched("100", &priority, &policy));
	CHECK(!value_sched("8rr", &priority, &policy));
	CHECK(!value_sched("-8", &priority, &policy));
	CHECK(!value_sched("8x", &priority, &policy));
	CHECK(value_irq("gic:37", &irq) && irq == 37);
	CHECK(value_irq("none", &irq) && irq == 0);
	CHECK(!value_irq("gic:1020", &irq));
	CHECK(!value_irq("pic:4", &irq));
	CHECK(!value_irq("37", &irq));
	CHECK(value_bool("On", &flag) && flag);
	CHECK(value_bool("false", &flag) && !flag);
	CHECK(!value_bool("1", &flag));
}

TEST(bad_configs)
{
	static const struct {
		const char *yaml, *said;
	} rows[] = {
		{ "memroy: 4", "t.yaml:1: memroy: unknown key, did you mean `memory`?\n" },
		{ "cpus: 70", "t.yaml:1: cpus: 70 is out of range, 1 to 64\n" },
		{ "cpus: 0", "t.yaml:1: cpus: 0 is out of range, 1 to 64\n" },
		{ "cpus: many",
		  "t.yaml:1: cpus: \"many\" won't do, write a number or a list\n" },
		{ "\ncpus: {a: b}", "t.yaml:2: cpus: a map won't do, write a number or a list\n" },
		{ "cmdline:", "t.yaml:1: cmdline: there is no value, write text\n" },
		{ "cmdline: a\n\ncmdline: b\n", "t.yaml:3: cmdline: given twice in one map, first at "
		  "t.yaml:1; keep one of them\n" },
		{ "memory:\n  - ram: 12Q\n",
		  "t.yaml:2: memory[0].ram: \"12Q\" won't do, write a size such as 512M\n" },
		{ "memory:\n  - at: 0\n",
		  "t.yaml:2: memory[0]: says nothing, write one of ram|rom\n" },
		{ "memory:\n  - ram: 4K\n    rom: 4K\n", "t.yaml:3: memory[0].rom: only one in an entry "
		  "of the list, and `ram` is there; begin a new one with `- `\n" },
		{ "memory: [{ram: 1}]", "t.yaml:1: memory[0].ram: 1 is out of range, 4K to 1024G\n" },
		{ "devices:\n- pl010: {}\n",
		  "t.yaml:2: devices[0].pl010: unknown device, did you mean `pl011`?\n" },
		{ "devices:\n- pl011: {irq: 37}\n", "t.yaml:2: devices[0].pl011.irq: \"37\" won't do, "
		  "write a line such as gic:37 or ioapic:4, or none\n" },
		{ "devices:\n- pl011: {irc: 37}\n",
		  "t.yaml:2: devices[0].pl011.irc: unknown key, did you mean `irq`?\n" },
		{ "devices: [smmu: {}]", "t.yaml:1: devices[0].smmu: not supported yet by this version "
		  "of qvm: smmu (t.yaml:1); leave them out, or start the rest with --without smmu\n" },
		{ "devices:\n- smmu: {}\n- virtio-net:\n- smmu:\n", "t.yaml:2: devices[0].smmu: not "
		  "supported yet by this version of qvm: smmu (t.yaml:2), virtio-net (t.yaml:3), smmu "
		  "(t.yaml:4); leave them out, or start the rest with --without smmu,virtio-net\n" },
		{ "devices: [{}]", "t.yaml:1: devices[0]: says nothing, write one of the devices\n" },
		{ "devices:\n-\n", "t.yaml:2: devices[0]: says nothing, write one of the devices\n" },
		{ "pass: [{irg: gic:4}]\ndump: /x\n", "t.yaml:1: pass[0].irg: unknown key, did you mean `irq`?\n" },
		{ "unsupported: {reference: maybe}", "t.yaml:1: unsupported.reference: \"maybe\" won't "
		  "do, write one of abort|fail|ignore\n" },
		{ "unsupported: {reference: abort|fail}", "t.yaml:1: unsupported.reference: "
		  "\"abort|fail\" won't do, write one of abort|fail|ignore\n" },
		{ "cpus: [{runmask: [64]}]",
		  "t.yaml:1: cpus[0].runmask[0]: 64 is out of range, 0 to 63\n" },
		{ "system: ''", "t.yaml:1: system: 0 characters, but 1 to 31 are possible\n" },
		{ "system: a b", "t.yaml:1: system: \"a b\" won't do, write a name without blanks, / and "
		  "foreign letters\n" },
		{ "devices: [pl011: {name: a/b}]", "t.yaml:1: devices[0].pl011.name: \"a/b\" won't do, "
		  "write a name without blanks, / and foreign letters\n" },
		{ "'memory[]': {ram: 4K}", "t.yaml:1: memory[]: unknown key, did you mean `memory`?\n" },
		{ "devices: ['*': {}]",
		  "t.yaml:1: devices[0].*: unknown device, did you mean `hpet`?\n" },
		{ "? [a]\n: b\n", "t.yaml:1: ?: a list, a map or nothing can't be a key, write `word: "
		  "value`\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_said(rows[i].yaml, rows[i].said);
}

TEST(bad_yaml)
{
	check_said("a: [1\nb: 2\n", "t.yaml:2: not YAML: while parsing a flow sequence, did not find "
		   "expected ',' or ']'\n");
	check_said("cpus: 1\n---\ncpus: 2\n",
		   "t.yaml:3: a second document in one file, put it into a file of its own\n");
	check_said("cpus: *none\n", "t.yaml:1: not YAML: found undefined alias\n");
}

TEST(anchors)
{
	check_said("memory: [&m {ram: 4K}, *m]\n", "");
}

TEST(alias_bombs)
{
	char yaml[2048] = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
	struct node *root;

	for (int i = 1; i < 10; i++)
		snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml),
			 "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
			 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	launcher_listen();
	root = yaml_read_text(yaml, (struct origin){ "t.yaml", 1 });
	CHECK(!root);
	CHECK_EQ(log_error_count(), 1);
	root = yaml_read_text("a: &a [*a]\n", (struct origin){ "t.yaml", 1 });
	CHECK(!root);
	CHECK_EQ(log_error_count(), 2);
	launcher_quiet();
}

TEST(files_merge)
{
	struct node *root = node_create(NODE_MAP, (struct origin){ "", 0 });
	struct node *a = yaml_read_text("cpus: 1\nmemory: [{ram: 4K}]\ngic: {lines: 64}\n",
					(struct origin){ "a.yaml", 1 });
	struct node *b = yaml_read_text("cpus: 2\nmemory: [{ram: 8K}]\ngic: {gicd: 0}\n",
					(struct origin){ "b.yaml", 1 });
	const struct node *memory;

	node_merge(root, a);
	node_merge(root, b);
	memory = node_find(root, "memory");
	CHECK_STR(node_text(root, "cpus"), "2");
	CHECK_EQ(node_count(memory), 2);
	CHECK_STR(node_text(node_at(memory, 0), "ram"), "4K");
	CHECK_STR(node_text(node_at(memory, 1), "ram"), "8K");
	CHECK_STR(node_at(memory, 1)->origin.file, "b.yaml");
	CHECK_EQ(node_count(node_find(root, "gic")), 2);
	node_destroy(root);
}

static void check_set(const char *assignment, int result, const char *want)
{
	struct node *root = launcher_config(full);

	launcher_listen();
	CHECK_EQ(override_set(root, assignment), result);
	schema_validate(root);
	CHECK_STR(launcher_said(), want);
	launcher_quiet();
	node_destroy(root);
}

TEST(set)
{
	struct node *root = launcher_config("cpus: 3\n");
	struct node *cpus;

	CHECK_EQ(override_set(root, "cpus[2].runmask=[1]"), 0);
	cpus = node_find(root, "cpus");
	CHECK_EQ(node_count(cpus), 3);
	CHECK_EQ(node_count(node_find(node_at(cpus, 2), "runmask")), 1);
	CHECK_EQ(override_set(root, "cpus=4"), 0);
	CHECK_STR(node_text(root, "cpus"), "4");
	CHECK_EQ(override_set(root, "cpus+={}"), 0);
	CHECK_EQ(node_count(node_find(root, "cpus")), 5);
	CHECK_EQ(override_set(root, "devices+={pl011: {hostdev: \"-\"}}"), 0);
	CHECK_EQ(override_set(root, "devices[0].pl011.irq=gic:40"), 0);
	CHECK_EQ(override_set(root, "cmdline=a=b c: d # e"), 0);
	CHECK_STR(node_text(root, "cmdline"), "a=b c: d # e");
	CHECK_EQ(override_set(root, "gic.lines=64"), 0);
	CHECK_STR(node_text(node_find(root, "gic"), "lines"), "64");
	schema_validate(root);
	CHECK(!root->bad);
	node_destroy(root);
}

TEST(bad_sets)
{
	check_set("cpus", -1, "command line: --set: `cpus` won't do, write key=value or key+=value\n");
	check_set("=4", -1, "command line: --set: `=4` won't do, write key=value or key+=value\n");
	check_set("memory[7].at=0", -1, "command line: --set: `memory[7].at`: there is no [7], the list "
		  "has 2 entries; += appends\n");
	check_set("cmdline.a=0", -1, "command line: --set: `cmdline.a`: what holds `a` is no map; an "
		  "entry of a list is [0], [1] and so on\n");
	check_set("cmdline+=a", -1,
		  "command line: --set: `cmdline` is no list, += appends to lists only\n");
	check_set("cpus=many", 0,
		  "command line: cpus: \"many\" won't do, write a number or a list\n");
	for (size_t i = 0; i < 5; i++) {
		static const char *const paths[] = { "a..b=1", "a[=1", "a[-1]=1", "a[1]b=1", "a.=1" };
		struct node *root = launcher_config(full);

		launcher_listen();
		CHECK_EQ(override_set(root, paths[i]), -1);
		launcher_quiet();
		node_destroy(root);
	}
}

TEST(options_replace_or_append)
{
	struct node *root = launcher_config("load: [{initrd: i}]\n");
	const struct node *load = node_find(root, "load");

	override_entry(root, "load", "kernel", "k");
	override_entry(root, "load", "initrd", "j");
	override_entry(root, "memory", "ram", "1G");
	CHECK_EQ(node_count(load), 2);
	CHECK_STR(node_text(node_at(load, 0), "initrd"), "j");
	CHECK_STR(node_text(node_at(load, 1), "kernel"), "k");
	CHECK_STR(node_text(node_at(node_find(root, "memory"), 0), "ram"), "1G");
	node_destroy(root);
}

TEST(paths_are_relative_to_their_file)
{
	struct node *node = node_create_scalar("x", (struct origin){ "dir/a.yaml", 3 });
	struct node *option = node_create_scalar("x", (struct origin){ ORIGIN_COMMAND_LINE, 0 });
	char *path;

	path = node_host_path(node, "img");
	CHECK_STR(path, "dir/img");
	free(path);
	path = node_host_path(node, "/img");
	CHECK_STR(path, "/img");
	free(path);
	path = node_host_path(option, "img");
	CHECK_STR(path, "img");
	free(path);
	node_destroy(node);
	node_destroy(option);
}

TEST(table_is_sound)
{
	for (size_t i = 0; i < schema_key_count; i++) {
		const struct schema_key *row = &schema_keys[i];
		uint64_t number;

		CHECK(schema_find(row->path) == row);
		if (row->types & SCHEMA_LATER)
			continue;
		CHECK(row->doc && *row->doc);
		if (row->types & (SCHEMA_ADDRESS | SCHEMA_SIZE | SCHEMA_NUMBER) && row->fallback)
			CHECK(!strcmp(row->fallback, "auto") || value_number(row->fallback, &number));
		if (row->types & SCHEMA_LIST) {
			char path[128];

			snprintf(path, sizeof(path), "%s[]", row->path);
			CHECK(schema_find(path));
		}
	}
}
