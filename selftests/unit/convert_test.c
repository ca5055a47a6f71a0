// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/asinfo.c launcher/config/config.c launcher/config/nearest.c launcher/config/node.c launcher/config/override.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c launcher/config/report.c
// LINK: launcher/config/schema.c launcher/config/schema_json.c launcher/config/schema_markdown.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/schema_words.c launcher/config/subst.c launcher/config/text.c launcher/config/value.c launcher/config/write_qvmconf.c launcher/config/write_yaml.c launcher/config/yaml.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/util/log.c launcher/util/alloc.c
/* From one language to the other and back, the report, and what is written out of the schema. */
#include "launcher.h"

#include <glob.h>

#include "config/asinfo.h"
#include "config/config.h"
#include "config/qvmconf.h"
#include "config/report.h"
#include "config/write.h"
#include "machine/dump.h"
#include "machine/limits.h"

/* The tree of a text as if it were the file @name, with the defaults of its language. */
static struct node *read_as(const char *text, const char *name, bool qvmconf)
{
	struct node *root = node_create(NODE_MAP, (struct origin){ name, 0 });
	struct qvmconf *q = qvmconf_create(root);
	struct node *part = NULL;

	root->qvmconf = qvmconf;
	if (qvmconf)
		qvmconf_read_text(q, text, (struct origin){ name, 1 });
	else
		part = yaml_read_text(text, (struct origin){ name, 1 });
	if (part)
		node_merge(root, part);
	qvmconf_destroy(q);
	config_set_defaults(root);
	return root;
}

static char *write_as(struct node *root, bool qvmconf)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(qvmconf ? config_write_qvmconf : config_write_yaml)(out, root);
	fclose(out);
	return text;
}

/* Without the images: the files are not there, so nobody can say what they are. */
static char *dump(struct node *root)
{
	struct machine m;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	schema_validate(root);
	machine_build(&m, root);
	for (size_t i = 0; i < m.image_count; i++)
		free(m.image[i].path);
	m.image_count = 0;
	machine_dump(&m, out);
	machine_fini(&m);
	fclose(out);
	return text;
}

/* a, convert(a) and convert(convert(a)) are one model; and say the same when written alike. */
static void check_round_trip(const char *text, const char *name, bool qvmconf)
{
	struct node *a = read_as(text, name, qvmconf), *b, *c;
	char *a_text, *b_text, *c_text, *a_dump, *b_dump, *c_dump;

	launcher_listen();
	b_text = write_as(a, !qvmconf);
	b = read_as(b_text, name, !qvmconf);
	c_text = write_as(b, qvmconf);
	c = read_as(c_text, name, qvmconf);
	a_text = write_as(c, !qvmconf);
	CHECK_STR(a_text, b_text);
	CHECK_STR(launcher_said(), "");		/* by the readers */
	a_dump = dump(a);
	b_dump = dump(b);
	c_dump = dump(c);
	CHECK_STR(b_dump, a_dump);
	CHECK_STR(c_dump, a_dump);
	launcher_quiet();
	free(a_text);
	free(b_text);
	free(c_text);
	free(a_dump);
	free(b_dump);
	free(c_dump);
	node_destroy(a);
	node_destroy(b);
	node_destroy(c);
}

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 65536);

	if (!file || !fread(text, 1, 65535, file))
		abort();
	fclose(file);
	return text;
}

/* Of every config there is. An iomem stands in for the host's, to have the names they use. */
static void check_files(const char *pattern, bool qvmconf)
{
	glob_t found;

	CHECK(!glob(pattern, 0, NULL, &found));
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *text = read_whole(found.gl_pathv[i]);

		printf("# %s\n", found.gl_pathv[i]);
		check_round_trip(text, found.gl_pathv[i], qvmconf);
		free(text);
	}
	globfree(&found);
}

TEST(files_there_and_back)
{
	static const char iomem[] = "100000000-17fffffff : car_sysram\n";
	char folder[] = "/tmp/qvm-unit-XXXXXX", path[64];
	FILE *file;

	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/iomem", folder);
	file = fopen(path, "w");
	fputs(iomem, file);
	fclose(file);
	asinfo_set_folder(folder);
	setenv("CAR_CONSOLE", "/dev/pts/9", 1);
	check_files("selftests/config/*.qvmconf", true);
	check_files("configs/*.yaml", false);
	asinfo_set_folder("/proc");
	unlink(path);
	rmdir(folder);
}

TEST(yaml_there_and_back)
{
	static const char *const rows[] = {
		"{}", "system: a b", "cpus: 3", "cpus: [{}, {runmask: [0, 3], sched: 8f}]",
		"cpus: [{sched: '20,8,5,100ms,30mss'}, {sched: '9,8,1,10000,20 s'}]\nset: {host-rt: on}",
		"cpus: [{partition: ui}, {partition: '/cg/a b', sched: 8r}]",
		"memory: [{ram: 4096, at: 10, lazy: on}, {rom: 0x1000, at: 0}, {ram: 1G}]",
		"load: [{elf: a}, {kernel: b}, {file: c}, {data: 'x y', at: 4096}, {fdt: d}, {initrd: e}]",
		"cmdline: \"a \\\"b\\\" c\\\\ # d\"", "cmdline: ''", "cmdline: '{x}'",
		"devices: [pl011: ~, ns16550: {irq: none, name: x}, silent: {}]",
		"devices: [ser8250: {at: 000}, ser8250: {at: 0x3f8}, ser8250: {at: 4096}]",
		"devices: [pl011: {name: 'a\\'}, pl011: {name: 'b\\\\c'}]",
		"devices: [sp805: {action: dump}, shmem: {at: 0x1c050000, irq: gic:38, create: ['a,4K', 'b,4K']}]",
		"gic: {lines: 64, gicd: 0x2f000000}\nfdt: {at: 0x48000000, reg: 3, dump: /x}",
		"unsupported: {instruction: abort}\ndryrun: yes\ndebug: no\nsafety: none\ndump: /d",
		"reserve: [{at: 0, size: 4K}, {irq: gic:40}, {io: '0x60,4'}, {pci: '0:1.0'}]",
		"logger: [{filter: [error, info], to: stdout}, {filter: [debug]}]",
		"set: {host-rt: on, exit-on-halt: off, counter-offset: 0}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_round_trip(rows[i], "t", false);
}

static void check_converted(const char *text, bool qvmconf, const char *want)
{
	struct node *root = read_as(text, "t", qvmconf);
	char *written = write_as(root, !qvmconf);

	CHECK_STR(written, want);
	free(written);
	node_destroy(root);
}

/* A list of nothing has no word: `runmask ""` is no number. */
TEST(empty_list)
{
	check_converted("cpus: [{runmask: []}, {}]\n", false, "cpu\ncpu\nunsupported reference ignore\n");
}

TEST(the_same_machine_twice)
{
	setenv("QVM_TEST_DEV", "/dev/x", 1);
	setenv("QVM_TEST_AT", "80000000", 1);
	check_converted("system a ram $env{QVM_TEST_AT},512M cpu sched 8r cpu load k initrd load 1000,i\n"
			"vdev pl011 hostdev $env{QVM_TEST_DEV} set debug off\n"
			"vdev wdt-sp805 action dump,terminate cmdline \"console=ttyAMA0 quiet\"\n"
			"logger error,warn slog set qvm.gic.lines 64", true,
			"system: a\n"
			"memory:\n"
			"  - {ram: 512M, at: \"0x$env{QVM_TEST_AT}\"}\n"
			"cpus:\n"
			"  - sched: 8r\n"
			"  - {}\n"
			"load:\n"
			"  - kernel: k\n"
			"  - {initrd: i, at: 0x1000}\n"
			"cmdline: \"console=ttyAMA0 quiet\"\n"
			"devices:\n"
			"  - pl011: {hostdev: \"$env{QVM_TEST_DEV}\", debug: off}\n"
			"  - sp805: {action: [dump, terminate]}\n"
			"gic: {lines: 64}\n"
			"unsupported: {reference: ignore}\n"
			"logger:\n"
			"  - {filter: [error, warn], to: slog}\n");
	check_converted("cpus: 2\nmemory: [{ram: 64K, at: 16}]\nfdt: {reg: 1}\ndevices: [pl011: {irq: none}]",
			false, "ram 0d16,64K\ncpu\ncpu\nvdev pl011 intr none\nunsupported reference fail\n"
			"set qvm.fdt.reg 1\n");
}

/* What `--report` says of this qvmconf text. */
static void check_report(const char *config, const char *want)
{
	struct node *root = read_as(config, "t", true);
	struct machine m;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	launcher_listen();
	schema_validate(root);
	machine_build(&m, root);
	machine_fini(&m);
	launcher_quiet();
	config_report(out, root);
	fclose(out);
	CHECK_STR(text, want);
	free(text);
	node_destroy(root);
}

TEST(report)
{
	check_report("ram 4K\nvdev pl011 sched 5\nhostdev -\nvdev smmu\npass intr gic:40\npass loc 0,4K",
		     "t:1: exact\nt:2: approximated: devices[0].pl011.sched: devices run with the "
		     "host's normal policy\nt:3: exact\n"
		     "t:4: missing: devices[1].smmu: this device is not supported yet\n"
		     "t:5: missing: pass: not supported yet by this version of qvm: gic:40 (t:5), 0x0,4K (t:6); this module "
		     "has no hold on devices of the host. Leave them out, or start the rest with --without pass\n"
		     "t:5: missing: pass[0]: no device of the host can be passed through yet\n"
		     "t:6: missing: pass[1]: no device of the host can be passed through yet\n"
		     "2 lines exact, 1 approximated, 3 missing\n");
}

/* What stands for a thing of QNX says how; without host-rt the warning does. */
TEST(report_of_cpus)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "set host-rt on\ncpu sched 8r\ncpu sched 20,8,5,100ms,30mss", "t:1: exact\nt:2: exact\n"
		  "t:3: approximated: cpus[1].sched: SCHED_DEADLINE, BUDGET of every PERIOD; HIGH, LOW and "
		  "MAXREPL do nothing, as it comes before all priorities, and without budget it waits\n"
		  "2 lines exact, 1 approximated, 0 missing\n" },
		{ "cpu partition ui", "t:1: approximated: cpus[0].partition: a cgroup: its cpu.max and "
		  "cpu.weight say what it may have, and not a budget of adaptive partitions\n"
		  "0 lines exact, 1 approximated, 0 missing\n" },
		{ "cpu sched 20,8,5,100ms,30mss", "t:1: approximated: cpus[0].sched: needs `set.host-rt: on` "
		  "(qvmconf: set host-rt on), till then every vCPU runs with the host's normal policy\n"
		  "0 lines exact, 1 approximated, 0 missing\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_report(rows[i].text, rows[i].said);
}

TEST(limits)
{
	static const struct limits plenty = { UINT64_MAX, UINT64_MAX, 64, 99, true };
	static const struct limits little = { 1 << 20, 8 << 20, 2, 7, false };
	struct node *root = launcher_config("memory: [{ram: 16M}]\n"
					    "cpus: [{runmask: [1, 2]}, {sched: 7f}, {sched: 8r},\n"
					    "{sched: '20,8,5,100ms,30mss'}]\n"
					    "set: {host-rt: on}\n");
	struct machine m;

	machine_build(&m, root);
	launcher_listen();
	CHECK(!limits_check(&plenty, &m));
	CHECK(limits_check(&little, &m));
	CHECK_STR(launcher_said(), "qvm: error: the VM's memory is 16 MiB and the host has 1 MiB left: "
		  "give it less (ram), or end something\nqvm: error: the VM's memory is 16 MiB and this "
		  "user may pin 8 MiB (RLIMIT_MEMLOCK): run as root, or type 'ulimit -l unlimited' first "
		  "(needs 'memlock' in /etc/security/limits.conf)\nt.yaml:2: runmask: the host has no CPU "
		  "2, its CPUs are 0 to 1\nt.yaml:2: sched: real-time priority 8, and this user may have 7 "
		  "at most (RLIMIT_RTPRIO): run as root, or type 'ulimit -r 8' first (needs 'rtprio' in "
		  "/etc/security/limits.conf)\nt.yaml:3: sched: sporadic scheduling is SCHED_DEADLINE, which "
		  "no limit gives this user: run as root, or write a priority such as 8r\n");
	launcher_quiet();
	m.cpu[1].partition = strdup("/nowhere");
	launcher_listen();
	CHECK(limits_check(&plenty, &m));
	CHECK_STR(launcher_said(), "t.yaml:2: partition: there is no cgroup (v2) /nowhere: type 'mkdir "
		  "/nowhere; echo threaded > /nowhere/cgroup.type'; where cgroups are not mounted yet, first "
		  "'mount -t cgroup2 none /sys/fs/cgroup'\n");
	launcher_quiet();
	free(m.cpu[1].partition);
	m.cpu[1].partition = NULL;
	m.dump = strdup("/nowhere");
	launcher_listen();
	CHECK(limits_check(&plenty, &m));
	CHECK_STR(launcher_said(), "qvm: error: dump: /nowhere: No such file or directory; type 'mkdir -p "
		  "/nowhere', or name a folder that this user may write to\n");
	launcher_quiet();
	machine_fini(&m);
	node_destroy(root);
}

TEST(without)
{
	struct node *root = launcher_config("devices: [pl011: {name: con}, pl011: {}, ns16550: {}]\n");

	launcher_listen();
	CHECK(!override_without(root, "con,ns16550"));
	CHECK_EQ(node_count(node_find(root, "devices")), 1);
	CHECK(override_without(root, "con,pl011"));
	CHECK_STR(launcher_said(), "command line: --without: no device has the type or the name con\n");
	CHECK_EQ(node_count(node_find(root, "devices")), 0);
	launcher_quiet();
	node_destroy(root);
}
