// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/util/log.c launcher/util/alloc.c
/* QNX's config language: words, contexts, numbers, substitutions, and what is said of mistakes. */
#include "launcher.h"

#include <sys/stat.h>
#include <time.h>

#include "config/asinfo.h"
#include "config/config.h"
#include "config/qvmconf.h"

/* The tree of a text that is "t.qvmconf". */
static struct node *read_tree(const char *text)
{
	struct node *root = node_create(NODE_MAP, (struct origin){ "t.qvmconf", 0 });
	struct qvmconf *q = qvmconf_create(root);

	root->qvmconf = true;
	qvmconf_read_text(q, text, (struct origin){ "t.qvmconf", 1 });
	qvmconf_destroy(q);
	return root;
}

/* {key: value, …} of a tree, on one line. */
static void write_tree(FILE *out, const struct node *node)
{
	const char *between = "";

	if (node->kind == NODE_SCALAR) {
		fputs(node->text, out);
		return;
	}
	fputc(node->kind == NODE_LIST ? '[' : '{', out);
	for (const struct node *child = node->child; child; child = child->next) {
		fputs(between, out);
		if (child->key)
			fprintf(out, "%s: ", child->key);
		write_tree(out, child);
		between = ", ";
	}
	fputc(node->kind == NODE_LIST ? ']' : '}', out);
}

static void check_tree(const char *text, const char *want)
{
	struct node *root;
	char *tree;
	size_t size;
	FILE *out = open_memstream(&tree, &size);

	launcher_listen();
	root = read_tree(text);
	write_tree(out, root);
	fclose(out);
	CHECK_STR(tree, want);
	CHECK_STR(launcher_said(), "");
	launcher_quiet();
	free(tree);
	node_destroy(root);
}

static const struct {
	const char *text, *tree;
} words[] = {
	{ "", "{}" },
	{ "# all\n  # comment", "{}" },
	{ "system a # b\nsystem c", "{system: c}" },
	{ "ram 0x80000000,512M", "{memory: [{ram: 512M, at: 0x80000000}]}" },
	{ "ram 0xa0000 rom 0xc0000,0x40000 ram 1m,1023m",
	  "{memory: [{ram: 0xa0000}, {rom: 0x40000, at: 0xc0000}, {ram: 1023m, at: 1m}]}" },
	{ "ram 4096M,2048M", "{memory: [{ram: 2048M, at: 4096M}]}" },
	{ "ram 80000000,0d4096", "{memory: [{ram: 4096, at: 0x80000000}]}" },
	{ "ram 0d4096,4096", "{memory: [{ram: 4096, at: 4096}]}" },
	{ "ram 4K lazy rom 4K ram 8K", "{memory: [{ram: 4K, lazy: true}, {rom: 4K}, {ram: 8K}]}" },
	{ "cpu ram 4K lazy sched 8", "{cpus: [{sched: 8}], memory: [{ram: 4K, lazy: true}]}" },
	{ "cpu sched 8 cpu sched 6", "{cpus: [{sched: 8}, {sched: 6}]}" },
	{ "cpu sched 8 sched 6r", "{cpus: [{sched: 6r}]}" },
	{ "cpu runmask 0,2 ram 32m sched 8",
	  "{cpus: [{runmask: [0, 2], sched: 8}], memory: [{ram: 32m}]}" },
	{ "cpu runmask 0,2 runmask 1", "{cpus: [{runmask: [1]}]}" },
	{ "load a load b initrd load 80000000,c data load d",
	  "{load: [{kernel: a}, {file: b}, {initrd: c, at: 0x80000000}, {data: d}]}" },
	{ "load x.dtb load Image", "{load: [{file: x.dtb}, {kernel: Image}]}" },
	{ "load 0x80000000,linux.img", "{load: [{kernel: linux.img, at: 0x80000000}]}" },
	{ "load dir,name", "{load: [{kernel: dir,name}]}" },
	{ "cmdline \"console=ttyAMA0 \\\n  root=/dev/vda\"",
	  "{cmdline: console=ttyAMA0   root=/dev/vda}" },
	{ "cmdline \"a\nb \\\"c\\\" \\\\ \\n\"", "{cmdline: a b \"c\" \\ \\n}" },
	{ "cmdline a\"b c\"d", "{cmdline: ab cd}" },
	{ "cmdline \"\"", "{cmdline: }" },
	{ "vdev pl011 loc 0x1c090000 intr\n   gic:37 hostdev >- name con",
	  "{devices: [{pl011: {at: 0x1c090000, irq: gic:37, hostdev: >-, name: con}}]}" },
	{ "vdev pl011 loc mem:1c090000", "{devices: [{pl011: {at: 0x1c090000}}]}" },
	{ "vdev vdev-pl011.so vdev vdev-wdt-sp805 action dump,terminate",
	  "{devices: [{pl011: {}}, {sp805: {action: [dump, terminate]}}]}" },
	{ "vdev virtio-net peer /p peerfeats 0x7fc3 loc pci:0:1 name a legacy mac 02:0:0:0:0:1",
	  "{devices: [{virtio-net: {peer: /p, peerfeats: 0x7fc3, pci: 0:1, name: a, "
	  "legacy: true, mac: 02:0:0:0:0:1}}]}" },
	{ "vdev shmem create a,4K create b,4K allow *",
	  "{devices: [{shmem: {create: [a,4K, b,4K], allow: [*]}}]}" },
	{ "vdev hpet loc 0xf8008000 intr myioapic:0,myioapic:8",
	  "{devices: [{hpet: {at: 0xf8008000, irq: myioapic:0,myioapic:8}}]}" },
	{ "vdev pl011 hostdev >\"|gzip >x\" delayed forever batch 100 log error,warn stdout",
	  "{devices: [{pl011: {hostdev: >|gzip >x, delayed: forever, batch: 100, "
	  "log: error,warn stdout}}]}" },
	{ "vdev gic name foo gicd 2f000000 version 3 vdev pl011 intr foo:37",
	  "{gic: {gicd: 0x2f000000, version: 3}, devices: [{pl011: {irq: gic:37}}]}" },
	{ "vdev gic its 2f200000 num-lpis 64 msi 0x30000000,0x50,0x100",
	  "{gic: {its: 2f200000, num-lpis: 64, msi: 0x30000000,0x50,0x100}}" },
	{ "vdev zork a b c cpu", "{devices: [{zork: {}}], cpus: [{}]}" },
	{ "pass loc mem:1000,0d4096,r=2000 intr gic:44=150 acpi pass loc 0d8192,4K=0 loc io:3f8 loc pci:0:1=pci:0:2.0",
	  "{pass: [{loc: [mem:0x1000,4096,r=0x2000], irq: [gic:44=150]}, {blob: acpi, loc: [8192,4K=0x0, "
	  "io:0x3f8, pci:0:1=pci:0:2.0]}]}" },
	{ "reserve loc 0xa0000,0x20000 intr gic:40 reserve loc io:0x60,4 loc pci:0:1.0",
	  "{reserve: [{at: 0xa0000, size: 0x20000}, {irq: gic:40}, {io: 0x60,4}, {pci: 0:1.0}]}" },
	{ "logger error,warn stderr logger debug slog",
	  "{logger: [{filter: [error, warn], to: stderr}, {filter: [debug], to: slog}]}" },
	{ "unsupported reference fail unsupported register abort",
	  "{unsupported: {reference: fail, register: abort}}" },
	{ "set fdt-dump-file /x set exit-on-halt 1 set counter-offset 0",
	  "{fdt: {dump: /x}, set: {exit-on-halt: true, counter-offset: 0}}" },
	{ "vdev pl011 set debug off", "{devices: [{pl011: {debug: off}}]}" },
	{ "set qvm.gic.lines 64 vdev pl011 set qvm.devices[0].pl011.irq none cpu",
	  "{gic: {lines: 64}, devices: [{pl011: {irq: none}}], cpus: [{}]}" },
	{ "debug safety warn dump \"|gzip >x\" dryrun",
	  "{debug: true, safety: warn, dump: |gzip >x, dryrun: true}" },
};

TEST(words_make_trees)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		check_tree(words[i].text, words[i].tree);
}

/* All that is said of a text, by the reader, the schema and the model. */
static void check_said(const char *text, const char *want)
{
	struct node *root;
	struct machine m;

	launcher_listen();
	root = read_tree(text);
	config_set_defaults(root);
	schema_validate(root);
	machine_build(&m, root);
	m.fdt_wanted = false;
	machine_validate(&m);
	CHECK_STR(launcher_said(), want);
	machine_fini(&m);
	node_destroy(root);
	launcher_quiet();
}

#define OK	"ram 512M load /k "

static const struct {
	const char *text, *said;
} mistakes[] = {
	{ OK, "" },
	{ OK "lod x", "t.qvmconf:1: lod: unknown word, did you mean `load`?\n" },
	{ "lod x\nram 4K\nvdev pl011\nhotsdev -\nload x\ncpu shed 4",
	  "t.qvmconf:1: lod: unknown word, did you mean `load`?\n"
	  "t.qvmconf:4: hotsdev: unknown word, did you mean `hostdev`?\n"
	  "t.qvmconf:6: shed: unknown word, did you mean `sched`?\n" },
	{ OK "sched 4", "t.qvmconf:1: sched: no option here, it belongs behind `cpu`\n" },
	{ OK "loc 4\n\nintr gic:40", "t.qvmconf:1: loc: no option here, it belongs behind `vdev`, "
	  "`pass` or `reserve`\nt.qvmconf:3: intr: no option here, it belongs behind `vdev`, "
	  "`pass` or `reserve`\n" },
	{ OK "vdev pl011 peer x hostdev -",
	  "t.qvmconf:1: peer: no option here, it belongs behind `vdev virtio-net`\n" },
	{ OK "cpu hostdev -", "t.qvmconf:1: hostdev: no option here, it belongs behind `vdev`\n" },
	{ OK "ram", "t.qvmconf:1: ram: its argument is missing, write ram 512M or ram "
	  "0x40000000,512M\n" },
	{ OK "vdev", "t.qvmconf:1: vdev: its argument is missing, write vdev pl011\n" },
	{ OK "vdev pl011 hostdev", "t.qvmconf:1: hostdev: its argument is missing\n" },
	{ OK "unsupported reference", "t.qvmconf:1: unsupported: its argument is missing, write "
	  "unsupported reference fail\n" },
	{ OK "\ncmdline \"a\nb", "t.qvmconf:2: the quote that begins here never ends, write "
	  "another \"\n" },
	{ OK "\ncmdline \"\xff\"", "t.qvmconf:2: no text in UTF-8, or a control character, write "
	  "plain text\n" },
	{ OK "initrd cpu", "t.qvmconf:1: initrd: `load` or `pass` must follow, such as initrd load "
	  "FILE\n" },
	{ OK "initrd", "t.qvmconf:1: initrd: `load` or `pass` must follow, such as initrd load "
	  "FILE\n" },
	{ OK "unsupported things fail", "t.qvmconf:1: unsupported: \"things\" won't do, write "
	  "instruction, reference or register\n" },
	{ OK "unsupported register maybe", "t.qvmconf:1: unsupported.register: \"maybe\" won't do, "
	  "write one of abort|fail|ignore\n" },
	{ OK "ram 12Q", "t.qvmconf:1: memory[1].ram: \"12Q\" won't do, write a size such as 512M\n" },
	{ OK "cpu sched 200", "t.qvmconf:1: cpus[0].sched: \"200\" won't do, write a priority 1 to "
	  "99 with r, f or o, such as 8r, or HIGH,LOW,MAXREPL,PERIOD,BUDGETs, such as "
	  "20,8,5,100ms,30mss\n" },
	{ OK "set host-rt on cpu sched 20,10,5,100,20s", "" },
	{ OK "cpu sched 20,10,5,20,100s", "t.qvmconf:1: cpus[0].sched: the budget is 100 ns, more than "
	  "its period of 20 ns has; the period comes first, such as 20,8,5,100ms,30mss\n" },
	{ OK "cpu sched 10,20,5,100,20s", "t.qvmconf:1: cpus[0].sched: LOW is 20, above HIGH, which is "
	  "10; swap them\n" },
	{ OK "cpu sched 20,10,5,100,0s", "t.qvmconf:1: cpus[0].sched: a zero in it, which leaves nothing "
	  "to run; write such as 20,8,5,100ms,30mss\n" },
	{ OK "cpu runmask 0 sched 20,10,5,100,20s", "t.qvmconf:1: cpus[0].sched: sporadic "
	  "scheduling is SCHED_DEADLINE here, which can't be bound to CPUs; leave out runmask or "
	  "write a priority such as 8r\n" },
	{ OK "cpu sched 8", "t.qvmconf:1: cpus[0].sched: warning: needs `set.host-rt: on` (qvmconf: "
	  "set host-rt on), till then every vCPU runs with the host's normal policy\n" },
	{ OK "cpu partition \"\"", "t.qvmconf:1: cpus[0].partition: 0 characters, but 1 to 2047 are "
	  "possible\n" },
	{ OK "cpu partition p cluster c", "t.qvmconf:1: cpus[0].cluster: not supported yet by this version of qvm: Linux has no "
	  "clusters; list the host's CPUs by runmask\n" },
	{ OK "vdev pl010", "t.qvmconf:1: devices[0].pl010: unknown device, did you mean `pl011`?\n" },
	{ OK "vdev shmem\nvdev pl011\nvdev virtio-blk hostdev x", "t.qvmconf:3: devices[2].virtio-blk: "
	  "not supported yet by this version of qvm: virtio-blk (t.qvmconf:3); leave them out, or "
	  "start the rest with --without virtio-blk\n"
	  "t.qvmconf:1: devices[0].shmem: without `loc` it would be a PCI device, and this board has "
	  "no PCI yet; write loc and intr, such as loc 0x1c200000 intr gic:48\n"
	  "t.qvmconf:3: devices[2].virtio-blk: without `loc` it would be a PCI device, and this board "
	  "has no PCI yet; write loc and intr, such as loc 0x1c200000 intr gic:48\n" },
	{ OK "vdev pl011 intr myioapic:4", "t.qvmconf:1: devices[0].pl011.irq: \"myioapic:4\" won't "
	  "do, write a line such as gic:37 or ioapic:4, or none\n" },
	{ OK "vdev pl011 loc io:0x3f8", "t.qvmconf:1: pl011: an arm64 board has no ports, write an "
	  "address of memory\n" },
	{ OK "vdev pl011 loc pci:0:1.0", "t.qvmconf:1: devices[0].pl011.pci: not supported yet by "
	  "this version of qvm: this board has no PCI yet\n" },
	{ OK "vdev pl011 loc 0x1c090000,8", "t.qvmconf:1: devices[0].pl011.at: warning: its length "
	  "is 0x1000, not 8\n" },
	{ OK "vdev pl011 sched 10", "t.qvmconf:1: devices[0].pl011.sched: warning: devices run with "
	  "the host's normal policy\n" },
	{ OK "vdev gic version 2", "t.qvmconf:1: gic.version: a GICv2 is not supported yet, write 3 "
	  "if the guest can use a GICv3, as Linux can\n" },
	{ OK "vdev gic its 0x2f200000", "t.qvmconf:1: gic.its: not supported yet by this version of "
	  "qvm: no LPIs and no ITS yet\n" },
	{ OK "reserve loc 0x1000", "t.qvmconf:1: reserve[0]: a place needs its length, write loc "
	  "0x1000,LENGTH\n" },
	{ OK "set qvm.arch arm64 reserve loc io:60,4", "t.qvmconf:1: reserve[0].io: warning: no effect, as this "
	  "board has no ports\n" },
	{ OK "logger errors stderr", "t.qvmconf:1: logger[0].filter[0]: \"errors\" won't do, write "
	  "one of fatal|internal|error|warn|warning|info|debug|verbose\n" },
	{ OK "logger error file", "t.qvmconf:1: logger[0].to: \"file\" won't do, write one of "
	  "stderr|stdout|slog|none\n" },
	{ OK "set exit-on-hat off", "t.qvmconf:1: set: there is no variable exit-on-hat, did you "
	  "mean `exit-on-halt`? `qvm set ?` lists them\n" },
	{ OK "set debug off", "t.qvmconf:1: set: debug is a variable of one device, it belongs "
	  "behind its `vdev`\n" },
	{ OK "set exit-on-halt off set grow-heap 1M", "t.qvmconf:1: set.exit-on-halt: warning: WFI "
	  "always gives the CPU back to the host\nt.qvmconf:1: set.grow-heap: warning: no effect, "
	  "as the launcher's heap grows by itself\n" },
	{ OK "set exit-on-halt on set counter-offset 0xffffffffffffffff", "" },
	{ OK "set qvm.gic.line 64", "t.qvmconf:1: gic.line: unknown key, did you mean `lines`?\n" },
	{ OK "set qvm.cpus[3].sched 4", "t.qvmconf:1: set: `cpus[3].sched`: there is no [3], the "
	  "list has 0 entries; += appends\n" },
	{ OK "dump /x set qvm.reset restart set stuck-exits 0 set stuck-kick 100", "" },
	{ OK "set qvm.reset no", "t.qvmconf:1: reset: `no` is none of `restart`, `exit` and `exit=STATUS`, 0 to 255\n" },
	{ OK "safety required", "t.qvmconf:1: safety: no part of qvm has a safety certificate, "
	  "write none or warn\n" },
	{ OK "pass loc f0000000,4K", "t.qvmconf:1: pass: not supported yet by this version of qvm: "
	  "0xf0000000,4K (t.qvmconf:1); this module has no hold on devices of the host. Leave them out, or "
	  "start the rest with --without pass\n" },
	{ OK "cmdline $env{QVM_NO_SUCH}", "t.qvmconf:1: $env{QVM_NO_SUCH}: there is no such variable "
	  "in the environment, export it\n" },
	{ OK "cmdline $env{", "t.qvmconf:1: $env{: the closing } is missing\n" },
	{ "ram 4K", "t.qvmconf: load: there is nothing to start, write `load FILE`\n" },
	{ "load /k", "t.qvmconf: memory: there is no RAM, write `ram 512M`\n" },
	{ OK "set qvm.arch arm64 cmdline console=ttyAMA0", "t.qvmconf:1: cmdline: console=ttyAMA0, and the board has 0 "
	  "`pl011`; add one, or name another console\n" },
	{ OK "cmdline \"console=ttyAMA1 console=tty0 console=ttyS0,115200\"\nvdev pl011",
	  "t.qvmconf:1: cmdline: console=ttyAMA1, and the board has 1 `pl011`; add one, or name "
	  "another console\nt.qvmconf:1: cmdline: console=ttyS0, and the board has 0 `ser8250`; add "
	  "one, or name another console\n" },
	{ OK "cmdline earlycon=pl011,mmio32,0x9000000 vdev pl011", "t.qvmconf:1: cmdline: "
	  "earlycon=pl011,mmio32,0x9000000, and no device is at 0x9000000\n" },
	{ OK "cmdline earlycon=pl011,0x1c090000 vdev pl011", "" },
};

TEST(mistakes)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		check_said(mistakes[i].text, mistakes[i].said);
}

TEST(defaults_of_the_language)
{
	struct node *root = read_tree(OK);
	struct machine m;

	config_set_defaults(root);
	machine_build(&m, root);
	CHECK_EQ(m.policy_instruction, POLICY_FAIL);
	CHECK_EQ(m.policy_reference, POLICY_IGNORE);
	CHECK_EQ(m.policy_register, POLICY_FAIL);
	machine_fini(&m);
	node_destroy(root);
	root = launcher_config("cpus: 1\n");
	config_set_defaults(root);
	machine_build(&m, root);
	CHECK_EQ(m.policy_reference, POLICY_FAIL);
	machine_fini(&m);
	node_destroy(root);
}

TEST(reserve_is_respected)
{
	struct node *root = read_tree(OK "reserve loc 0x1c090000,4K intr gic:48 vdev pl011 vdev silent "
				      "vdev pl011 loc 0x1c090000 intr gic:49");
	struct machine m;

	schema_validate(root);
	machine_build(&m, root);
	CHECK_EQ(m.device[0].gpa, 0x1c200000);
	CHECK_EQ(m.device[0].irq, 37);
	CHECK_EQ(m.device[1].irq, 50);
	CHECK_EQ(m.device[2].gpa, 0x1c090000);
	CHECK_EQ(machine_reserved_until(&m, 0x1c08f000, 0x2000), 0x1c091000);
	CHECK_EQ(machine_reserved_until(&m, 0x1c08f000, 0x1000), 0);
	machine_fini(&m);
	node_destroy(root);
}

TEST(loggers)
{
	struct node *root = read_tree("logger fatal,warn stdout logger debug,info slog logger info none");
	struct machine m;

	schema_validate(root);
	machine_build(&m, root);
	CHECK_EQ(m.logger_count, 3);
	CHECK_EQ(m.logger[0].kinds, LOG_KIND_ERROR | LOG_KIND_WARN);
	CHECK_EQ(m.logger[0].target, LOG_STDOUT);
	CHECK_EQ(m.logger[1].kinds, LOG_KIND_DEBUG | LOG_KIND_INFO);
	CHECK_EQ(m.logger[1].target, LOG_SYSLOG);
	CHECK_EQ(m.logger[2].target, LOG_NOWHERE);
	machine_fini(&m);
	node_destroy(root);
}

TEST(routes)
{
	launcher_listen();
	log_route(LOG_KIND_WARN | LOG_KIND_INFO, LOG_STDERR);
	log_error("a");
	log_warn("b");
	log_info("c");
	log_route(LOG_KIND_INFO, LOG_NOWHERE);
	log_info("d");
	log_debug("e");
	log_route(LOG_KIND_DEBUG, LOG_STDERR);
	log_debug("f");
	CHECK_STR(launcher_said(), "qvm: warning: b\nqvm: c\nqvm: debug: f\n");
	CHECK_EQ(log_error_count(), 1);
	launcher_quiet();
}

static void write_file(const char *folder, const char *name, const void *data, size_t size)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (!file || fwrite(data, 1, size, file) != size)
		abort();
	fclose(file);
}

TEST(substitution)
{
	static const char iomem[] = "00000000-00000fff : Reserved\n40000000-5fffffff : System RAM\n"
				    "  40080000-40ffffff : Kernel code\n";
	static const char reg[] = "\0\0\0\0\xb0\0\0\0\0\0\0\0\0\x10\0\0";
	char folder[] = "/tmp/qvm-unit-XXXXXX", path[256];

	if (!mkdtemp(folder))
		abort();
	asinfo_set_folder(folder);
	write_file(folder, "iomem", iomem, strlen(iomem));
	snprintf(path, sizeof(path), "mkdir -p %s/device-tree/reserved-memory/shm@b0000000", folder);
	CHECK(!system(path));
	write_file(folder, "device-tree/reserved-memory/shm@b0000000/reg", reg, sizeof(reg) - 1);
	setenv("QVM_TEST_DEV", "/dev/x", 1);
	setenv("QVM_TEST_RAM", "80000000,4K", 1);
	setenv("QVM_TEST_HEX", "90000000", 1);
	check_tree("vdev ser8250 hostdev $env{QVM_TEST_DEV}", "{devices: [{ser8250: {hostdev: /dev/x}}]}");
	check_tree("ram $env{QVM_TEST_HEX},4K", "{memory: [{ram: 4K, at: 0x90000000}]}");
	check_tree("ram $env{QVM_TEST_RAM}", "{memory: [{ram: 4K, at: 0x80000000}]}");
	check_tree("ram $asinfo_start{shm},$asinfo_length{shm}",
		   "{memory: [{ram: 0x100000, at: 0xb0000000}]}");
	check_tree("ram \"$asinfo_start{System RAM},$asinfo_length{Kernel code}\"",
		   "{memory: [{ram: 0xf80000, at: 0x40000000}]}");
	check_tree("cmdline \"a $b ${c} $ $env{QVM_TEST_DEV}$\"", "{cmdline: a $b ${c} $ /dev/x$}");
	check_said(OK "reserve loc $asinfo_start{nope},4K", "t.qvmconf:1: $asinfo_start{nope}: the host "
		   "has no reserved-memory node and no iomem of that name; see /proc/iomem\n");
	asinfo_set_folder("/proc");
	snprintf(path, sizeof(path), "rm -r %s", folder);
	CHECK(!system(path));
}

TEST(words_of_the_command_line)
{
	char *file = launcher_file("system f ram 4K cpu", 19);
	char *at = malloc(strlen(file) + 2);
	char system[] = "system", x[] = "x", sched[] = "sched", eight[] = "8", cmdline[] = "cmdline";
	char text[] = "a b # c", *words[] = { system, x, at, sched, eight, cmdline, text };
	struct node *root;

	sprintf(at, "@%s", file);
	launcher_listen();
	root = config_read_words(7, words);
	REQUIRE(root);
	CHECK_STR(launcher_said(), "");
	CHECK_STR(node_text(root, "system"), "f");
	CHECK_STR(node_text(node_at(node_find(root, "cpus"), 0), "sched"), "8");
	CHECK_STR(node_text(root, "cmdline"), "a b # c");
	CHECK(root->qvmconf);
	node_destroy(root);
	strcpy(at, "@/nowhere");
	CHECK(!config_read_words(7, words));
	CHECK_STR(launcher_said(), "/nowhere: can't be read: No such file or directory\n");
	launcher_quiet();
	unlink(file);
	free(file);
	free(at);
}

TEST(paths)
{
	char folder[] = "/tmp/qvm-unit-XXXXXX", path[256], want[1024];
	struct node *root;
	struct machine m;
	struct qvmconf *q;

	if (!mkdtemp(folder))
		abort();
	write_file(folder, "k", "k", 1);
	write_file(folder, "a.qvmconf", "load k data load no", 19);
	snprintf(path, sizeof(path), "%s/a.qvmconf", folder);
	root = node_create(NODE_MAP, (struct origin){ path, 0 });
	q = qvmconf_create(root);
	launcher_listen();
	CHECK(!qvmconf_read_file(q, path));
	machine_build(&m, root);
	REQUIRE(m.image_count == 1);
	snprintf(want, sizeof(want), "%s/k", folder);
	CHECK_STR(m.image[0].path, want);
	snprintf(want, sizeof(want), "%s:1: load[1].data: there is neither no (in the working "
		 "directory) nor %s/no (beside the config)\n", path, folder);
	CHECK_STR(launcher_said(), want);
	launcher_quiet();
	machine_fini(&m);
	node_destroy(root);
	qvmconf_destroy(q);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	CHECK(!system(path));
}

/* ---- mutants ---- */

static uint32_t random_state = 1;

static uint32_t random_number(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static void build_mutant(const char *text, bool qvmconf)
{
	struct node *root;
	struct machine m;

	launcher_listen();
	root = qvmconf ? read_tree(text) : yaml_read_text(text, (struct origin){ "t.yaml", 1 });
	if (root && root->kind == NODE_EMPTY)
		root->kind = NODE_MAP;
	if (root && root->kind == NODE_MAP) {
		config_set_defaults(root);
		schema_validate(root);
		machine_build(&m, root);
		m.fdt_wanted = false;
		machine_validate(&m);
		machine_fini(&m);
	}
	node_destroy(root);
	launcher_quiet();
}

static size_t mutate(char *text, size_t length)
{
	static const char bytes[] = " \n\t\"\\#,:${}[].=@-09xXKvqa'&*|>?\xff";
	size_t at = random_number(length - 1), span = random_number(length - at);

	switch (random_number(3)) {
	case 0:
		text[at] = bytes[random_number(sizeof(bytes) - 1)];
		return length;
	case 1:		/* take some out */
		span %= 12;
		memmove(text + at, text + at + span, length - at - span);
		return length - span;
	default:	/* copy some over some */
		memmove(text + at, text + random_number(length - span), span % 16);
		text[length - 1] = '\0';
		return length;
	}
}

/* 2000 rounds, or as long as QVM_FUZZ_SECONDS says; of the same start, the same mutants. */
static bool goes_on(unsigned int round, time_t begin)
{
	const char *seconds = getenv("QVM_FUZZ_SECONDS");

	if (!seconds)
		return round < 2000;
	return time(NULL) - begin < atoi(seconds) / 2;
}

static void run_mutants(const char *seed, bool qvmconf)
{
	time_t begin = time(NULL);
	unsigned int round;
	char *text = NULL;

	for (round = 0; goes_on(round, begin); round++) {
		size_t length = strlen(seed) + 1;

		free(text);
		text = malloc(length);
		memcpy(text, seed, length);
		for (unsigned int n = 1 + random_number(6); n; n--)
			length = mutate(text, length);
		build_mutant(text, qvmconf);
	}
	free(text);
	printf("# %u mutants\n", round);
}

/* Nothing crashes, whatever stands where. */
TEST(mutants)
{
	run_mutants("system a ram 0x80000000,512M rom 0,64K cpu sched 8r runmask 0,1 cpu load /k initrd load "
		"80000000,/i cmdline \"a \\\nb\" vdev gic version 3 name foo vdev pl011 loc 0x1c090000,8 intr "
		"foo:37 hostdev >- vdev shmem create a,4 allow b set debug on unsupported reference fail "
		"logger error,warn stderr set qvm.gic.lines 64 set fdt-dump-file /x reserve loc 0,4K intr "
		"gic:40 pass loc mem:0x1000,4K,rw=0x1000 $env{HOME} dump /x safety warn # x\ndryrun", true);
}

TEST(mutants_of_yaml)
{
	run_mutants("system: a\nmemory:\n  - {ram: 512M, at: 0x80000000}\n  - rom: 64K\ncpus: [{sched: 8r, "
		"runmask: [0, 1]}, {}]\nload:\n  - kernel: /k\n  - {data: /d, at: 4K}\ncmdline: \"a $env{HOME}\"\n"
		"devices:\n  - pl011: {at: 0x1c090000, irq: gic:37, hostdev: \"-\"}\n  - shmem: &x {create: "
		"[a]}\n  - silent: *x\ngic: {lines: 64}\nfdt: {at: 0x48000000, reg: 1}\nreserve: [{at: 0, size: "
		"4K}, {irq: gic:40}]\nlogger: [{filter: [error], to: slog}]\nset: {host-rt: on}\n"
		"unsupported: {reference: fail}\ndryrun: no\n", false);
}
