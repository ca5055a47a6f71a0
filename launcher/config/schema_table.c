// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every key of the config. The order is the one of configs/README.md. Parents stand before
 * their children.
 */
#include "config/schema_table.h"

#define POLICIES	"abort|fail|ignore"
#define REPEAT		(SCHEMA_LIST | SCHEMA_REPEAT)

#define HOST_GIC	"no effect, as the host's kernel knows where its GIC is"
#define NO_MESSAGES	"no effect, as no device of qvm sends messages to servers"
#define NO_CHOICE	"no effect, as the module decides by what the CPU can do"

/* A variable of QNX that nothing here depends on. */
#define SET_IGNORED(_name, _types, _limit) \
	{ .path = "set." _name, .types = _types, .qvmconf = _name " set", \
	  .doc = "known, without effect", .limit = _limit }

#define GIC_IGNORED(_name) \
	{ .path = "gic." _name, .types = SCHEMA_ADDRESS, .qvmconf = _name " gic", \
	  .doc = "known, without effect", .limit = HOST_GIC }

#define GIC_LATER(_name, _limit) \
	{ .path = "gic." _name, .types = SCHEMA_LATER, .qvmconf = _name " gic", .limit = _limit }

#define LATER(_path, _limit) { .path = _path, .types = SCHEMA_LATER, .limit = _limit }

/* A device that is known and missing, and an option of it. */
#define DEVICE(_name) { .path = "devices[]." _name, .types = SCHEMA_LATER }
#define OPTION(_device, _name, _types) \
	{ .path = "devices[]." _device "." _name, .types = SCHEMA_LATER | (_types), \
	  .qvmconf = _name " " _device }

const struct schema_key schema_keys[] = {
	{ .path = "system", .types = SCHEMA_NAME, .fallback = "qvm-PID", .min = 1, .max = 31,
	  .qvmconf = "system",
	  .doc = "name of the VM, in logs, thread names and `qvm list`; no two VMs share one" },

	{ .path = "arch", .types = SCHEMA_ENUM, .choices = "arm64|x86",
	  .doc = "what kind of machine it is; without: that of its devices, else that of the host" },

	{ .path = "memory", .types = SCHEMA_LIST,
	  .doc = "what guest memory there is, in order" },
	{ .path = "memory[]", .types = SCHEMA_MAP, .choices = "ram|rom",
	  .doc = "one stretch of memory: either `ram` or `rom`" },
	{ .path = "memory[].ram", .types = SCHEMA_SIZE, .unit = "bytes", .min = 4096,
	  .max = 1ULL << 40, .qvmconf = "ram",
	  .doc = "memory that the guest may write; a multiple of 4K" },
	{ .path = "memory[].rom", .types = SCHEMA_SIZE, .unit = "bytes", .min = 4096,
	  .max = 1ULL << 40, .qvmconf = "rom",
	  .doc = "memory that the guest can't write and is not told of; a multiple of 4K" },
	{ .path = "memory[].at", .types = SCHEMA_ADDRESS, .unit = "gpa", .fallback = "auto",
	  	  .doc = "where it begins; auto: after the highest so far, the first at 0x40000000 "
		 "(x86: 0, and RAM goes around 640K to 1M and below 4G as in a PC)" },

	{ .path = "memory[].lazy", .types = SCHEMA_BOOL, .fallback = "false", .qvmconf = "lazy ram",
	  .doc = "of RAM: the host gives it page by page, when the guest first touches it, and not at "
		 "the start; what it can't give by then ends the VM (status 96)" },

	{ .path = "cpus", .types = SCHEMA_NUMBER | SCHEMA_LIST, .fallback = "1", .min = 1, .max = 64,
	  .doc = "number of vCPUs, or a list with what is special to each" },
	{ .path = "cpus[]", .types = SCHEMA_MAP, .qvmconf = "cpu",
	  .doc = "one vCPU; `{}` if nothing is special" },
	{ .path = "cpus[].sched", .types = SCHEMA_SCHED, .qvmconf = "sched cpu",
	  .doc = "host priority 1 to 99 and policy of its thread: r or o (round robin), f (FIFO); "
		 "or `HIGH,LOW,MAXREPL,PERIOD,BUDGETs`, such as `20,8,5,100ms,30mss`: SCHED_DEADLINE, that "
		 "runs for BUDGET (ns without a unit) of every PERIOD and waits for the next one, without "
		 "`runmask`; needs `set.host-rt`" },
	{ .path = "cpus[].runmask", .types = SCHEMA_LIST, .qvmconf = "runmask cpu",
	  .doc = "host CPUs that it may run on; without: on all" },
	{ .path = "cpus[].runmask[]", .types = SCHEMA_NUMBER, .min = 0, .max = 63,
	  .doc = "a host CPU" },
	{ .path = "cpus[].partition", .types = SCHEMA_STRING, .min = 1, .max = 2047,
	  .qvmconf = "partition cpu",
	  .doc = "cgroup (v2) of its thread, below /sys/fs/cgroup if no / is at its beginning: a "
		 "threaded one, below the one that qvm is in; without: that" },
	{ .path = "cpus[].cluster", .types = SCHEMA_LATER, .qvmconf = "cluster cpu",
	  .limit = "Linux has no clusters; list the host's CPUs by runmask" },

	{ .path = "load", .types = SCHEMA_LIST,
	  .doc = "files that are copied into guest memory; the first that has an entry starts" },
	{ .path = "load[]", .types = SCHEMA_MAP, .choices = "kernel|elf|initrd|data|fdt|acpi|file",
	  .doc = "one file" },
	{ .path = "load[].kernel", .types = SCHEMA_PATH, .qvmconf = "load",
	  .doc = "what to start: arm64 Linux `Image`, plain or gzip, an ELF, else a raw image that "
		 "starts at its first byte; x86: Linux `bzImage`, ELF (PVH or multiboot), else raw, in "
		 "real mode" },
	{ .path = "load[].elf", .types = SCHEMA_PATH,
	  .doc = "an ELF, placed by its physical addresses" },
	{ .path = "load[].initrd", .types = SCHEMA_PATH, .qvmconf = "initrd load",
	  .doc = "RAM disk, which the kernel is told of; several are modules of a multiboot or PVH "
		 "kernel, in their order" },
	{ .path = "load[].data", .types = SCHEMA_PATH, .qvmconf = "data load",
	  .doc = "bytes, copied as they are; into ROM too" },
	{ .path = "load[].fdt", .types = SCHEMA_PATH, .qvmconf = "fdt load",
	  .doc = "device tree (.dtb, or .dtbo overlay) that is merged into the one of the board" },
	{ .path = "load[].acpi", .types = SCHEMA_PATH, .qvmconf = "acpi load",
	  .doc = "x86: an ACPI table (.aml of iasl) beside those of the board" },
	{ .path = "load[].file", .types = SCHEMA_PATH,
	  .doc = "what its content says: the first kernel or ELF starts, a device tree is merged; "
		 "the first of no known kind starts if nothing else does, later ones are data" },
	{ .path = "load[].at", .types = SCHEMA_ADDRESS, .unit = "gpa", .fallback = "auto",
	  .doc = "where it goes; auto: the first free place in RAM that fits" },

	{ .path = "cmdline", .types = SCHEMA_STRING, .fallback = "", .min = 0, .max = 2047,
	  .qvmconf = "cmdline", .doc = "command line of the guest kernel" },

	{ .path = "devices", .types = SCHEMA_LIST,
	  .doc = "devices that the launcher emulates, in order" },
	{ .path = "devices[]", .types = SCHEMA_MAP, .choices = "*",
	  .doc = "one device: the word of its type, and below that word its options" },
	{ .path = "devices[].*", .types = SCHEMA_MAP, .qvmconf = "vdev",
	  .doc = "a device of this type" },
	{ .path = "devices[].*.at", .types = SCHEMA_ADDRESS | SCHEMA_PORT, .unit = "gpa",
	  .fallback = "auto", .qvmconf = "loc vdev",
	  .doc = "where its registers begin, on x86 also a port, `io:0x3f8`; auto: its place on the board, else the next free one" },
	{ .path = "devices[].*.irq", .types = SCHEMA_IRQ, .unit = "INTID", .fallback = "auto",
	  .qvmconf = "intr vdev",
	  .doc = "its interrupt line, `gic:37`, on x86 `ioapic:4`, or `none`; auto: as for `at`" },
	{ .path = "devices[].*.name", .types = SCHEMA_NAME, .min = 1, .max = 63,
	  .qvmconf = "name vdev", .doc = "its name in messages; no two devices share one" },
	{ .path = "devices[].*.hostdev", .types = SCHEMA_STRING | REPEAT, .min = 1, .max = 4095,
	  .qvmconf = "hostdev vdev",
	  .doc = "what of the host is behind it: `-` terminal, a path, `|command`; `<` before it is "
		 "input only, `>` output only, and a list has one for each" },
	{ .path = "devices[].*.hostdev[]", .types = SCHEMA_STRING, .min = 1, .max = 4095,
	  .doc = "one of them" },
	{ .path = "devices[].*.delayed", .types = SCHEMA_STRING, .qvmconf = "delayed vdev",
	  .doc = "open `hostdev` when the guest first asks for the device, and if it is not there try "
		 "again for so many seconds, or `forever`" },
	{ .path = "devices[].*.batch", .types = SCHEMA_NUMBER, .unit = "µs", .fallback = "0",
	  .min = 0, .max = 10000000, .qvmconf = "batch vdev",
	  .doc = "collect output until a pause of this length; 0: until a newline, or 2 ms" },
	{ .path = "devices[].*.sched", .types = SCHEMA_SCHED, .qvmconf = "sched vdev",
	  .doc = "host priority of its threads",
	  .limit = "devices run with the host's normal policy" },
	{ .path = "devices[].*.log", .types = SCHEMA_STRING | REPEAT, .qvmconf = "log vdev",
	  .doc = "where its messages of some kinds go, `error,warn stderr`, in the place of `logger`" },
	{ .path = "devices[].*.log[]", .types = SCHEMA_STRING, .doc = "kinds, and a place" },
	{ .path = "devices[].*.debug", .types = SCHEMA_BOOL, .fallback = "on",
	  .qvmconf = "debug set-vdev", .doc = "show it when the state of the VM is asked for" },
	{ .path = "devices[].*.vdev-message-block-timeout", .types = SCHEMA_NUMBER,
	  .qvmconf = "vdev-message-block-timeout set-vdev", .doc = "known, without effect",
	  .limit = NO_MESSAGES },
	{ .path = "devices[].*.pci", .types = SCHEMA_LATER, .qvmconf = "pci vdev",
	  .limit = "this board has no PCI yet" },
	{ .path = "devices[].*.hostvector", .types = SCHEMA_LATER, .qvmconf = "hostvector vdev",
	  .limit = "only pass-through needs it, which is not there yet" },

	{ .path = "gic", .types = SCHEMA_MAP,
	  .doc = "the interrupt controller, a GICv3" },
	{ .path = "gic.version", .types = SCHEMA_NUMBER, .fallback = "3", .min = 2, .max = 3,
	  .qvmconf = "version gic", .doc = "3; a GICv2 is not there yet" },
	{ .path = "gic.gicd", .types = SCHEMA_ADDRESS, .unit = "gpa", .fallback = "0x2f000000",
	  .qvmconf = "gicd gic",
	  .doc = "its distributor, 64K, a multiple of 64K" },
	{ .path = "gic.gicr", .types = SCHEMA_ADDRESS, .unit = "gpa", .fallback = "0x2f100000",
	  .qvmconf = "gicr gic",
	  .doc = "its redistributors, 128K for each vCPU, a multiple of 64K" },
	{ .path = "gic.lines", .types = SCHEMA_NUMBER, .unit = "INTIDs", .fallback = "256",
	  .min = 64, .max = 1020,
	  .doc = "highest INTID + 1; a multiple of 32, or 1020" },

	{ .path = "fdt", .types = SCHEMA_MAP,
	  .doc = "the description of the board that the guest gets" },
	{ .path = "fdt.at", .types = SCHEMA_ADDRESS, .unit = "gpa", .fallback = "auto",
	  .doc = "where it goes, a multiple of 8; auto: behind the kernel, or at the start of RAM if "
		 "that is an ELF that leaves room there" },
	{ .path = "fdt.reg", .types = SCHEMA_NUMBER, .fallback = "0", .min = 0, .max = 30,
	  .doc = "number of the register (x0 … x30) that holds its address at entry" },
	{ .path = "fdt.dump", .types = SCHEMA_PATH, .qvmconf = "fdt-dump-file set",
	  .doc = "file of the host that gets a copy when the VM starts" },

	{ .path = "unsupported", .types = SCHEMA_MAP, .qvmconf = "unsupported",
	  .doc = "what the guest gets for what this board does not have: `abort` ends the VM "
		 "(status 5), `fail` gives the CPU exception of real hardware, `ignore` reads all "
		 "ones and drops writes" },
	{ .path = "unsupported.instruction", .types = SCHEMA_ENUM, .choices = POLICIES,
	  .qvmconf = "instruction unsupported",
	  .fallback = "fail", .doc = "instructions" },
	{ .path = "unsupported.reference", .types = SCHEMA_ENUM, .choices = POLICIES,
	  .qvmconf = "reference unsupported",
	  .fallback = "fail",
	  .doc = "memory that is nobody's; in qvmconf and on x86 the default is ignore, as it is "
		 "always for ports" },
	{ .path = "unsupported.register", .types = SCHEMA_ENUM, .choices = POLICIES,
	  .qvmconf = "register unsupported",
	  .fallback = "fail", .doc = "system registers" },

	{ .path = "dryrun", .types = SCHEMA_BOOL, .fallback = "false", .qvmconf = "dryrun",
	  .doc = "do everything but start" },

	{ .path = "dump", .types = SCHEMA_STRING, .min = 1, .max = 4095, .qvmconf = "dump",
	  .doc = "folder of the host for dumps of the guest, or `|command`" },
	{ .path = "reset", .types = SCHEMA_STRING, .fallback = "exit", .min = 1, .max = 15,
	  .doc = "what a reset does that the guest asks for: `exit` ends qvm with status 0, "
		 "`exit=STATUS` with another, `restart` assembles the machine anew, from its files too" },
	{ .path = "debug", .types = SCHEMA_BOOL, .fallback = "false", .qvmconf = "debug",
	  .doc = "say more, as `--verbose`" },
	{ .path = "safety", .types = SCHEMA_ENUM, .choices = "none|warn|required", .fallback = "none",
	  .qvmconf = "safety", .doc = "what to do about parts without a safety certificate" },
	{ .path = "logger", .types = SCHEMA_LIST, .qvmconf = "logger",
	  .doc = "where messages go once the config is read; without: fatal, internal, error, warn "
		 "and info to stderr" },
	{ .path = "logger[]", .types = SCHEMA_MAP, .choices = "filter", .doc = "one destination" },
	{ .path = "logger[].filter", .types = SCHEMA_LIST,
	  .doc = "the kinds of messages that go there, each to be listed" },
	{ .path = "logger[].filter[]", .types = SCHEMA_ENUM,
	  .choices = "fatal|internal|error|warn|warning|info|debug|verbose", .doc = "a kind" },
	{ .path = "logger[].to", .types = SCHEMA_ENUM, .choices = "stderr|stdout|slog|none",
	  .fallback = "stderr", .doc = "slog: the host's syslog; none: nowhere" },
	{ .path = "reserve", .types = SCHEMA_LIST, .qvmconf = "reserve",
	  .doc = "places that automatic assignment leaves free; what is said itself may use them" },
	{ .path = "reserve[]", .types = SCHEMA_MAP, .choices = "at|irq|io|pci", .doc = "one place" },
	{ .path = "reserve[].at", .types = SCHEMA_ADDRESS, .unit = "gpa", .qvmconf = "loc reserve",
	  .doc = "where it begins" },
	{ .path = "reserve[].size", .types = SCHEMA_SIZE, .unit = "bytes", .min = 1, .max = 1ULL << 40,
	  .doc = "how long it is, with `at`" },
	{ .path = "reserve[].irq", .types = SCHEMA_IRQ, .qvmconf = "intr reserve",
	  .doc = "an interrupt line" },
	{ .path = "reserve[].io", .types = SCHEMA_STRING,
	  .doc = "x86 ports, `PORT` or `PORT,COUNT`" },
	{ .path = "reserve[].pci", .types = SCHEMA_STRING, .doc = "a PCI slot, `BUS:DEVICE.FUNCTION`",
	  .limit = "no effect, as this board has no PCI yet" },

	{ .path = "set", .types = SCHEMA_MAP, .doc = "variables, `qvm set ?` lists them" },
	{ .path = "set.host-rt", .types = SCHEMA_BOOL, .fallback = "off", .qvmconf = "host-rt set",
	  .doc = "let `cpus[].sched` give the host's real-time policies; needs RLIMIT_RTPRIO, "
		 "SCHED_DEADLINE needs root (CAP_SYS_NICE)" },
	{ .path = "set.stuck-exits", .types = SCHEMA_NUMBER, .fallback = "1000000",
	  .qvmconf = "stuck-exits set",
	  .doc = "end the VM (status 96) after so many equal exits of a vCPU in a row: it left from the "
		 "instruction that it was entered at, and no register changed. Loops that poll a device or "
		 "make hypercalls are none; 0: never" },
	{ .path = "set.stuck-kick", .types = SCHEMA_NUMBER, .unit = "ms", .fallback = "5000",
	  .qvmconf = "stuck-kick set",
	  .doc = "end the VM (status 96) if a vCPU does not leave the guest for so long when it has to; "
		 "0: never" },
	{ .path = "set.poll", .types = SCHEMA_NUMBER, .unit = "us", .max = 10000,
	  .qvmconf = "poll set",
	  .doc = "so long at most a vCPU polls for what it waits for before its thread sleeps, while no other "
		 "thread wants its host CPU; how long, it learns from its waits. 0: never; without: 200 where "
		 "`cpus[].runmask` gives each vCPU one host CPU of its own, else 0" },
	{ .path = "set.counter-offset", .types = SCHEMA_NUMBER, .fallback = "0xffffffffffffffff",
	  .qvmconf = "counter-offset set",
	  .doc = "of the guest's counter from the host's; all ones: the guest's starts at 0",
	  .limit = "the guest's counter starts at 0" },
	{ .path = "set.exit-on-halt", .types = SCHEMA_BOOL, .fallback = "on",
	  .qvmconf = "exit-on-halt set", .doc = "WFI gives the CPU back to the host",
	  .limit = "WFI always gives the CPU back to the host" },
	{ .path = "set.gic-hwassist", .types = SCHEMA_BOOL, .fallback = "on",
	  .qvmconf = "gic-hwassist set", .doc = "use the GIC's virtual interface",
	  .limit = "the GIC's virtual interface is always used" },
	SET_IGNORED("host-paddr-gicd", SCHEMA_ADDRESS, HOST_GIC),
	SET_IGNORED("host-paddr-gich", SCHEMA_ADDRESS, HOST_GIC),
	SET_IGNORED("host-paddr-gicr", SCHEMA_ADDRESS, HOST_GIC),
	SET_IGNORED("host-paddr-gicv", SCHEMA_ADDRESS, HOST_GIC),
	SET_IGNORED("grow-heap", SCHEMA_SIZE, "no effect, as the launcher's heap grows by itself"),
	SET_IGNORED("slog-buffer", SCHEMA_SIZE, "no effect, as the host's syslog has its own size"),
	SET_IGNORED("message-block-timeout", SCHEMA_NUMBER, NO_MESSAGES),
	SET_IGNORED("legacy-free", SCHEMA_BOOL, "no effect, as a board has the devices that are listed"),
	SET_IGNORED("posted-interrupts", SCHEMA_STRING, NO_CHOICE),
	SET_IGNORED("virtual-interrupts", SCHEMA_STRING, NO_CHOICE),

	{ .path = "pass", .types = SCHEMA_LIST, .qvmconf = "pass",
	  .doc = "what of the host's devices the guest is to have",
	  .limit = "checked against the rest of the board, then refused, as this module has no hold "
		   "on devices of the host" },
	{ .path = "pass[]", .types = SCHEMA_MAP, .doc = "places and lines of one device" },
	{ .path = "pass[].loc", .types = SCHEMA_STRING | REPEAT, .qvmconf = "loc pass",
	  .doc = "`mem:ADDRESS,LENGTH,FLAGS=HOST` (without `mem:` too), `io:PORT,COUNT=HOST`, "
		 "`pci:BUS:DEVICE.FUNCTION=HOST` or `pci:VENDOR/DEVICE`; without HOST: the same there" },
	{ .path = "pass[].loc[]", .types = SCHEMA_STRING, .doc = "one of them" },
	{ .path = "pass[].irq", .types = SCHEMA_STRING | REPEAT, .qvmconf = "intr pass",
	  .doc = "`LINE=VECTOR`, such as `gic:44=150`; without VECTOR: the same on the host" },
	{ .path = "pass[].irq[]", .types = SCHEMA_STRING, .doc = "one of them" },
	{ .path = "pass[].blob", .types = SCHEMA_ENUM, .choices = "acpi|data|fdt|initrd|guest",
	  .doc = "the places hold data of this kind, in the place of `load`" },
	{ .path = "load[].guest", .types = SCHEMA_LATER, .qvmconf = "guest load",
	  .limit = "use load, which recognises what the file is" },

	GIC_LATER("gicc", "this GICv3 has no such frame"),
	GIC_LATER("its", "no LPIs and no ITS yet"),
	GIC_LATER("its-prealloc", "no LPIs and no ITS yet"),
	GIC_LATER("num-lpis", "no LPIs and no ITS yet"),
	GIC_LATER("msi", "no message interrupts yet"),
	GIC_IGNORED("host-gicd"),
	GIC_IGNORED("host-gich"),
	GIC_IGNORED("host-gicr"),
	GIC_IGNORED("host-gicv"),

	DEVICE("virtio-blk"), OPTION("virtio-blk", "dio", 0), OPTION("virtio-blk", "legacy", SCHEMA_BOOL),
	DEVICE("virtio-net"), OPTION("virtio-net", "mac", 0), OPTION("virtio-net", "peer", 0),
	OPTION("virtio-net", "peerfeats", 0), OPTION("virtio-net", "tapdev", 0),
	OPTION("virtio-net", "legacy", SCHEMA_BOOL),
	DEVICE("virtio-console"), OPTION("virtio-console", "legacy", SCHEMA_BOOL),
	DEVICE("virtio-entropy"),
	DEVICE("virtio-fs"), OPTION("virtio-fs", "host_path", 0), OPTION("virtio-fs", "tag", 0),
	OPTION("virtio-fs", "num_req_queues", 0), OPTION("virtio-fs", "directio", 0),
	OPTION("virtio-fs", "fuse_launcher", 0),
	DEVICE("virtio-input"), OPTION("virtio-input", "screen", 0), OPTION("virtio-input", "display", 0),
	OPTION("virtio-input", "window", 0), OPTION("virtio-input", "size", 0),
	OPTION("virtio-input", "offset", 0), OPTION("virtio-input", "options", 0),
	OPTION("virtio-input", "protocol", 0), OPTION("virtio-input", "pipeline", 0),
	OPTION("virtio-input", "zorder", 0), OPTION("virtio-input", "global_alpha", 0),
	OPTION("virtio-input", "force_dev_presence", SCHEMA_BOOL),
	DEVICE("virtio-gpu"), DEVICE("virtio-snd"), DEVICE("virtio-vsock"), DEVICE("virtio-video"),
	DEVICE("pci-dummy"), OPTION("pci-dummy", "clone", 0), OPTION("pci-dummy", "reg", REPEAT),
	DEVICE("hpet"), OPTION("hpet", "frequency", 0), OPTION("hpet", "legacy-free", SCHEMA_BOOL),
	DEVICE("smmu"), DEVICE("trace"), DEVICE("vgpu-gvtg"),
};

const size_t schema_key_count = sizeof(schema_keys) / sizeof(schema_keys[0]);
