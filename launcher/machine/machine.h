/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model of one machine: what the config says, made whole. Readers of the config
 * (config/) produce a node tree, machine_build() turns it into this, machine_validate() is
 * the one place that checks it, boot/ and vm/ act on it and change nothing.
 */
#ifndef QVM_MACHINE_H
#define QVM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/log.h"	/* struct origin: where in which file a thing was said */

struct node;		/* config/node.h: a config value with the file and line it came from */
struct device_type;	/* dev/device.h */

/* The numbers of enum qvm_arch. */
enum machine_arch { MACHINE_ARM64 = 1, MACHINE_X86 = 2 };

struct board;			/* machine/board.h */

#define MACHINE_AUTO	UINT64_MAX	/* address or line that the board map assigns */

enum memory_kind { MEMORY_RAM, MEMORY_ROM };

struct memory {
	enum memory_kind kind;
	uint64_t gpa, size;		/* bytes */
	bool lazy;			/* taken from the host at the first touch */
	void *hva;			/* set by vm/mem.c */
	struct origin origin;
};

/* One image: recognised and measured by boot/, copied by boot_load(). */
enum image_kind {
	IMAGE_UNKNOWN, IMAGE_LINUX_ARM64, IMAGE_ELF, IMAGE_RAW, IMAGE_INITRD, IMAGE_FDT,
	IMAGE_LINUX_X86, IMAGE_MULTIBOOT, IMAGE_ACPI,
};

struct image {
	enum image_kind kind;
	const char *key;		/* word of the config: "kernel", "initrd", "data", "elf" */
	char *path;			/* as the host opens it */
	uint64_t gpa;			/* MACHINE_AUTO: boot/ chooses */
	uint64_t size;			/* bytes in guest memory, bss included */
	uint64_t entry;			/* gpa; kernels and ELF */
	enum machine_arch arch;		/* of the machine that it is for */
	unsigned int page_kib;		/* that an arm64 Linux is built for; 0: it does not say */
	uint64_t align, align_offset;	/* if boot/ chooses gpa: a multiple of align + align_offset */
	uint8_t *data;			/* the file, unpacked; owned */
	size_t data_size;
	bool bad;			/* what is wrong with it was said */
	struct origin origin;
};

struct cpu {
	uint64_t runmask;		/* pCPUs by bit; 0: all */
	int sched_priority;		/* 0: not given */
	char sched_policy;		/* 'r' 'f' 'o', or 's', which has no priority; 0: not given */
	uint64_t sched_period, sched_budget;	/* ns, of 's' */
	char *partition;		/* folder of its cgroup; NULL: the launcher's */
	struct origin origin;
};

#define HOSTDEV_MAX	2		/* one for each direction */

/* A word of hostdev, taken apart. */
struct hostdev_word {
	bool in, out;			/* directions, seen from the guest */
	const char *path;		/* "-", "|command", or a path */
};

/* A device that the launcher emulates. */
struct device_config {
	const struct device_type *type;
	char *name;
	uint64_t gpa, size;		/* bytes; gpa MACHINE_AUTO until assigned */
	bool port;			/* gpa is an I/O port */
	uint64_t window, window_size;	/* gpa and bytes of its second range; size 0: none */
	const uint16_t *ports;		/* x86: of a byte, elsewhere on the board, ended by 0; or NULL */
	uint32_t irq;			/* INTID, x86: GSI; 0: none */
	bool is_line_0;			/* … but said, as gic:0 */
	char *hostdev[HOSTDEV_MAX];	/* "-" stdio, ">-" stdout, a path, "|command"; NULL: none */
	bool is_delayed;		/* hostdev is opened when the guest asks for it */
	uint64_t delayed;		/* … tried again for so many seconds; UINT64_MAX: for ever */
	uint64_t batch_us;		/* output is collected till a pause of this length; 0: lines */
	bool has_log, show;		/* log; it is among what `status` shows */
	struct log_routes log;		/* of its messages */
	struct node *node;		/* device's own options */
	void *state;			/* type->state_size bytes with the options in it */
	const char ***strings;		size_t strings_count;	/* what the state points to */
	struct origin origin;
};

/* A place that automatic assignment leaves free. */
struct reserved {
	uint64_t gpa, size;		/* bytes; size 0: a line */
	bool port;			/* gpa is an I/O port */
	uint32_t irq;			/* INTID; 0: a stretch of addresses or ports */
	struct origin origin;
};

enum pass_kind { PASS_MEMORY, PASS_PORTS, PASS_PCI, PASS_LINE };

/* One place of a device of the host that the guest is to have. */
struct pass {
	enum pass_kind kind;
	uint64_t gpa, size;		/* bytes or ports */
	uint64_t host;			/* where the host has it; a line: its number there */
	uint32_t irq, slot;		/* of the guest; slot: device and function, or PASS_ANY_SLOT */
	const char *text;		/* as it is said */
	const char *flags, *device;	/* in it: attributes of memory; what the host calls a PCI device */
	struct origin origin;
};

#define PASS_ANY_SLOT	UINT32_MAX

/* Where messages of some kinds go. */
struct logger_config {
	unsigned int kinds;		/* bits of enum log_kind */
	enum log_target target;
};

enum policy { POLICY_DEFAULT, POLICY_FAIL, POLICY_IGNORE, POLICY_ABORT };

struct gic_config {
	uint64_t gicd, gicr;		/* gpa */
	uint32_t lines;			/* highest INTID + 1 */
	unsigned int version;		/* of the architecture: 2 or 3 */
	struct origin origin;
};

/*
 * How vCPU 0 of an x86 machine starts: in long mode as the 64-bit boot protocol of Linux has it
 * (RSI: zero page); in flat 32-bit mode by Linux's 32-bit protocol (ESI: zero page), PVH (EBX: start
 * info) or multiboot (EAX: magic, EBX: info); in real mode with CS:IP at the entry.
 */
enum x86_start {
	X86_START_REAL, X86_START_LINUX64, X86_START_LINUX32, X86_START_PVH, X86_START_MULTIBOOT,
};

struct x86_config {
	enum x86_start start;		/* set by boot_prepare() */
	uint64_t info;			/* set by boot_prepare(): gpa of what the kernel is handed */
	uint64_t rsdp;			/* set by boot_prepare(): gpa, or 0 without ACPI tables */
};

/* Bytes that boot/ writes itself and that go into guest memory beside the images. */
struct blob {
	const char *name;		/* for messages */
	uint64_t gpa, size;		/* bytes */
	uint8_t *data;			/* owned */
};

struct machine {
	enum machine_arch arch;
	const struct board *board;
	char *name;
	bool is_named;			/* the config says the name */
	bool qvmconf;			/* hints are to be in QNX's language */
	struct origin origin;		/* of the whole: the first file */
	struct memory *memory;		size_t memory_count;
	struct cpu *cpu;		size_t cpu_count;
	struct image *image;		size_t image_count;	/* in the order of the config */
	struct device_config *device;	size_t device_count;
	struct reserved *reserved;	size_t reserved_count;
	struct pass *pass;		size_t pass_count;
	struct logger_config *logger;	size_t logger_count;	/* none: the default */
	struct gic_config gic;		/* arm64 */
	struct x86_config x86;
	char *cmdline;
	struct origin cmdline_origin;
	uint64_t fdt_gpa;		/* MACHINE_AUTO: boot/ chooses */
	int fdt_reg;			/* register that holds fdt_gpa at entry; default 0 (x0) */
	struct origin fdt_origin;
	enum policy policy_instruction, policy_reference, policy_register;
	char *fdt_dump_file;		/* or NULL */
	char *dump;			/* folder, or "|command"; NULL: no dump */
	bool reset_restart;		/* a reset assembles the machine anew … */
	int reset_status;		/* … or ends qvm with this status */
	uint64_t stuck_exits;		/* equal exits in a row that end the VM; 0: none do */
	uint64_t poll_us;		/* a vCPU polls so long at most before it sleeps */
	uint64_t stuck_kick_ms;		/* how long a vCPU may leave a kick unanswered; 0: for ever */
	bool host_rt;			/* cpu[].sched may use the host's real-time policies */
	bool exit_on_halt;
	uint64_t counter_offset;	/* UINT64_MAX: the guest's counter starts at 0 */
	bool dryrun, debug;
	/* Entries were left out because of errors: do not report what only follows from that. */
	bool memory_incomplete, images_incomplete, devices_incomplete;

	/* set by boot_prepare() */
	uint64_t entry;			/* gpa of the first instruction of vCPU 0 */
	bool fdt_wanted;
	uint8_t *fdt_blob;		/* the FDT as the guest finds it at fdt_gpa */
	uint64_t fdt_size;		/* bytes */
	struct blob *blob;		size_t blob_count;
};

#define MACHINE_MAX_CPUS	64

/*
 * Make the model out of a config that went through schema_validate(), with every default and
 * every automatic address and line assigned. Entries marked bad are left out. Devices keep
 * pointers into the tree, which must outlive the model. Errors are said by log_at().
 */
void machine_build(struct machine *m, struct node *root);

/*
 * The one pass that checks the model, after boot_prepare(): overlaps, alignment, lines, images
 * in memory. Every error is said by log_at(). Returns 0, or -1 after any error.
 */
int machine_validate(const struct machine *m);

/* Free what the model owns. */
void machine_fini(struct machine *m);

/* The board in a few lines, for `qvm check`. */
void machine_print(const struct machine *m, FILE *out);

/* The RAM or ROM that holds all of @gpa … @gpa + @size - 1, or NULL. */
const struct memory *machine_find_memory(const struct machine *m, uint64_t gpa, uint64_t size);

/* Is any of this left free by `reserve`? Its end if so, else 0. */
uint64_t machine_reserved_until(const struct machine *m, uint64_t gpa, uint64_t size);

/* "<PATH": into the guest only, ">PATH" or "|COMMAND": out of it only, else both. */
struct hostdev_word hostdev_parse(const char *text);

/*
 * Launcher's address of the guest's bytes @gpa … @gpa + @size - 1, or NULL where they are not
 * all in one RAM or ROM. After vm/mem.c has set memory[].hva.
 */
void *machine_hva(const struct machine *m, uint64_t gpa, uint64_t size);

#endif
