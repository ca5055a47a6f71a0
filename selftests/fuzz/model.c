// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/*.c launcher/machine/*.c launcher/boot/*.c launcher/dev/*.c launcher/util/*.c launcher/vm/*.c launcher/control/*.c -lyaml -lfdt -lz -lpthread
/*
 * model SECONDS [SEED]: random boards. Each is valid by the way it is made: it has to be taken without a word, its
 * FDT and tables are written, and it is the same model in the other language. Then its text is broken at random
 * places: whatever comes out is refused, or is a model that the other language has too; and nothing crashes.
 */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "boot/boot.h"
#include "config/config.h"
#include "config/schema.h"
#include "config/write.h"
#include "machine/dump.h"
#include "machine/machine.h"
#include "read_as.h"

#define MUTANTS		20		/* of each board, in each language */
#define DEVICES_MAX	12
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static uint64_t state;

/* xorshift64*: the same board from the same seed everywhere */
static uint64_t random_below(uint64_t limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 16) % limit;
}

static bool chance(unsigned int percent)
{
	return random_below(100) < percent;
}

static const char *pick(const char *const *words, size_t count)
{
	return words[random_below(count)];
}
#define PICK(...) \
	pick((const char *const []){ __VA_ARGS__ }, ARRAY_SIZE(((const char *const []){ __VA_ARGS__ })))

/* ---- boards ---- */

static void put_memory(FILE *out, bool x86)
{
	static const char *const rom[] = { "64K", "4K", "1M" };
	unsigned int count = 1 + random_below(3);

	fprintf(out, "memory:\n  - ram: %uM\n", 32 + (unsigned int)random_below(4096));
	for (unsigned int i = 1; i < count; i++)
		fprintf(out, "  - ram: %s\n", PICK("4K", "1M", "0x123000", "3G", "100M"));
	if (chance(40))
		fprintf(out, "  - {rom: %s, at: 0x%llx}\n", pick(rom, ARRAY_SIZE(rom)),
			(0x8000000000ULL + (random_below(64) << 28)));
	if (chance(20))
		fprintf(out, "  - {ram: 64M, at: 0x%llx}\n", 0xc000000000ULL + (random_below(16) << 28));
	if (!x86 && chance(20))
		fputs("  - {rom: 1M, at: 0}\n", out);
}

static void put_cpus(FILE *out)
{
	unsigned int count = 1 + random_below(chance(10) ? 64 : 4);

	if (chance(60)) {
		fprintf(out, "cpus: %u\n", count);
		return;
	}
	fputs("cpus:\n", out);
	while (count--)
		fprintf(out, "  - {%s}\n", PICK("", "runmask: [0, 1]", "sched: 8f", "sched: 7"));
}

static void put_images(FILE *out, bool x86)
{
	const char *kernel = x86 ? PICK("bzImage", "k") : PICK("Image", "k");

	if (chance(20))
		fprintf(out, "load:\n  - file: %s\n", kernel);
	else
		fprintf(out, "load:\n  - kernel: %s\n", kernel);
	if (chance(50))
		fputs("  - initrd: i\n", out);
	if (chance(30))
		fputs("  - data: i\n", out);
	if (!x86 && chance(30))
		fputs("  - fdt: tree\n", out);
	if (x86 && chance(30))
		fputs("  - acpi: table\n", out);
}

/* Each has an address and a line of its own, if they are said. */
static void put_device(FILE *out, unsigned int index, bool x86)
{
	static const char *const arm64[] = {
		"pl011", "ns16550", "ser8250", "pl031", "pl061", "sp805", "progress",
	};
	static const char *const pc[] = { "ser8250", "ns16550", "progress", "ib700" };
	const char *type = x86 ? pick(pc, ARRAY_SIZE(pc) - !!index) : pick(arm64, ARRAY_SIZE(arm64));
	const char *comma = "";

	fprintf(out, "  - %s: {", type);
#define OPTION(...) do { fputs(comma, out); fprintf(out, __VA_ARGS__); comma = ", "; } while (0)
	if (chance(40) && strcmp(type, "ib700"))
		OPTION("at: 0x%x", (x86 ? 0xd8000000 : 0x10000000) + index * 0x10000);
	if (chance(30) && strcmp(type, "progress") && strcmp(type, "ib700"))
		OPTION("irq: %s:%u", x86 ? "ioapic" : "gic", (x86 ? 10 : 100) + index);
	if (chance(50))
		OPTION("name: %sd%u", PICK("", "con.", "x:"), index);
	if (strstr(type, "16550") || strstr(type, "8250") || !strcmp(type, "pl011")) {
		if (chance(50))
			OPTION("hostdev: %s", PICK("'>/dev/null'", "'|cat >/dev/null'", "['</dev/null', '>out']",
						   "'>-'", "'>\"a b\"'"));
		if (chance(20))
			OPTION("delayed: %s", PICK("5", "forever", "0"));
		if (chance(20))
			OPTION("batch: %u", (unsigned int)random_below(10000));
	}
	if (chance(20))
		OPTION("log: %s", PICK("'error,warn stderr'", "['info none', 'error,fatal slog']"));
	if (chance(10))
		OPTION("debug: %s", PICK("off", "on", "true", "no"));
	if (!strcmp(type, "sp805") && chance(50))
		OPTION("action: %s", PICK("dump", "[dump, terminate]", "interrupt", "terminate"));
	fputs("}\n", out);
}

static void put_devices(FILE *out, bool x86)
{
	unsigned int count = random_below(x86 ? 5 : DEVICES_MAX);

	fputs("devices:\n", out);
	if (x86)
		fputs("  - 8259:\n  - ioapic:\n", out);
	if (x86 && chance(70))
		fputs("  - timer8254:\n  - mc146818: {reg: ['0x0b,0x02']}\n", out);
	if (x86 && chance(50))
		fputs("  - pckeyboard:\n  - acpi-pm:\n  - fw-cfg: {}\n  - debug-exit:\n", out);
	if (!x86)
		fputs("  - pl011: {}\n", out);
	for (unsigned int i = 0; i < count; i++)
		put_device(out, i, x86);
}

static void put_rest(FILE *out, bool x86)
{
	if (chance(50))
		fprintf(out, "system: %s\n", PICK("a", "guest-1", "\"2\"", "on", "\"null\"", "0x10"));
	if (chance(50))
		fprintf(out, "cmdline: %s\n", PICK("quiet", "\"a \\\"b\\\" # c\"", "'it''s'", "\"a\\\\b  $ {c\"",
						   "\"\"", "\"# no comment\"", "\"console=tty0 x=1,2\""));
	if (!x86 && chance(30))
		fprintf(out, "gic: {%s}\n", PICK("lines: 256", "lines: 1020", "gicd: 0x30000000, gicr: 0x31000000",
						  "lines: 0x100, version: 3"));
	if (!x86 && chance(20))
		fprintf(out, "fdt: {reg: %u}\n", (unsigned int)random_below(31));
	if (chance(30))
		fprintf(out, "unsupported: {%s: %s}\n", PICK("instruction", "register", "reference"),
			PICK("fail", "ignore", "abort"));
	if (chance(30))
		fprintf(out, "reset: %s\n", PICK("exit", "exit=7", "restart"));
	if (chance(30))
		fprintf(out, "dump: %s\n", PICK(".", "'|gzip > x'", "/tmp"));
	if (chance(20))
		fprintf(out, "dryrun: %s\n", PICK("on", "off", "yes", "false"));
	if (chance(20))
		fprintf(out, "logger:\n  - {filter: [%s], to: %s}\n", PICK("error", "info, warn", "debug, fatal"),
			PICK("stderr", "stdout", "slog", "none"));
	if (chance(20))
		fprintf(out, "reserve:\n  - %s\n  - {irq: %s}\n", PICK("{at: 0x1c200000, size: 1M}",
			"{at: 0, size: 4K}"), x86 ? "ioapic:11" : "gic:48");
	if (x86 && chance(20))
		fputs("set: {stuck-exits: 0, stuck-kick: 100}\n", out);
}

static char *make_board(void)
{
	bool x86 = chance(40);
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "arch: %s\n", x86 ? "x86" : "arm64");
	put_memory(out, x86);
	put_cpus(out);
	put_images(out, x86);
	put_devices(out, x86);
	put_rest(out, x86);
	fclose(out);
	return text;
}

/* ---- what becomes of a text ---- */

static char *write_as(struct node *root, bool qvmconf)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_set_defaults(root);
	config_settle_paths(root, qvmconf);
	(qvmconf ? config_write_qvmconf : config_write_yaml)(out, root);
	fclose(out);
	return text;
}

/* The model, and what the guest is handed, as text; used up is @root. */
static char *assemble(struct node *root)
{
	uint64_t sum = 0;
	struct machine m;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_set_defaults(root);
	schema_validate(root);
	machine_build(&m, root);
	boot_prepare(&m);
	machine_validate(&m);
	machine_dump(&m, out);
	machine_print(&m, out);
	for (uint64_t i = 0; i < m.fdt_size; i++)
		sum = sum * 31 + m.fdt_blob[i];
	for (size_t i = 0; i < m.blob_count; i++)
		for (uint64_t j = 0; j < m.blob[i].size; j++)
			sum = sum * 31 + m.blob[i].data[j];
	fprintf(out, "handed over: %llx\n", (unsigned long long)sum);
	fclose(out);
	machine_fini(&m);
	node_destroy(root);
	return text;
}

static void fail(const char *what, const char *text)
{
	fprintf(stderr, "%s:\n%s\n", what, text);
	abort();
}

/* machine_print() says the process's own name where there is none, so both are of this one. */
static void expect_same(const char *text, const char *said, const char *written, bool qvmconf)
{
	struct node *root = read_as(written, qvmconf);
	char *other = root ? assemble(root) : strdup("");

	if (strcmp(said, other)) {
		fprintf(stderr, "---- is\n%s---- and in the other language\n%s---- written as\n%s", said, other,
			written);
		fail("two models", text);
	}
	free(other);
}

/* Read, checked, and if it is valid also by the other language. True: it is valid. */
static bool try_text(const char *text, bool qvmconf, FILE *log)
{
	struct node *root, *copy;
	char *said, *written;
	bool valid;

	log_reset(log);
	root = read_as(text, qvmconf);
	copy = read_as(text, qvmconf);
	if (!root || root->kind != NODE_MAP || root->bad || log_error_count()) {
		node_destroy(root);
		node_destroy(copy);
		return false;
	}
	said = assemble(root);
	valid = !log_error_count();
	if (valid) {
		written = write_as(copy, !qvmconf);
		expect_same(text, said, written, !qvmconf);
		free(written);
	}
	node_destroy(copy);
	free(said);
	return valid;
}

/* ---- mutants ---- */

static const char *const spices[] = {
	"0", "-1", "0xffffffffffffffff", "18446744073709551615", "1024G", "4095", "0x8000000", "io:0x3f8", "io:0xffff",
	"gic:31", "gic:1019", "ioapic:23", "none", "auto", "on", "[", "]", "{", "}", ": ", ", ", "- ", "\n", "\"", "'",
	"#", "\\", "$", "$env{HOME}", "$asinfo_start{x}", "*", "&a", "|", ">", "pl011", "vdev", "ram", "loc", "intr",
	"set", "reserve", "acpi", "load", "k", "Image", "bzImage", "at", "\xc3\xa4", "\x01", "~", "!!",
	"pass", "mem:0x1000,4K,rw=0", "pci:0:1.0", "<<",
};

static void splice(char *text, size_t at, size_t drop, const char *with, size_t size)
{
	size_t length = strlen(text), add = strlen(with);

	if (length - drop + add >= size)
		return;
	memmove(text + at + add, text + at + drop, length - at - drop + 1);
	memcpy(text + at, with, add);
}

/* A word or some bytes go, come, or come twice. */
static void mutate(char *text, size_t size)
{
	size_t length = strlen(text), at = random_below(length + 1), drop;
	char again[64] = "";

	if (chance(60))
		while (at && !strchr(" \n,:[{", text[at - 1]))
			at--;
	drop = chance(60) ? strcspn(text + at, " \n,:]}") : random_below(8);
	drop = drop > length - at ? length - at : drop;
	switch (random_below(4)) {
	case 0:
		splice(text, at, drop, "", size);
		break;
	case 1:
		splice(text, at, drop, spices[random_below(ARRAY_SIZE(spices))], size);
		break;
	case 2:
		splice(text, at, 0, spices[random_below(ARRAY_SIZE(spices))], size);
		break;
	default:
		snprintf(again, sizeof(again), "%s", text + random_below(length + 1));
		splice(text, at, 0, again, size);
	}
}

static unsigned int try_mutants(const char *text, bool qvmconf, FILE *log)
{
	unsigned int valid = 0;
	char mutant[16384];

	for (unsigned int i = 0; i < MUTANTS; i++) {
		snprintf(mutant, sizeof(mutant), "%s", text);
		for (unsigned int n = 1 + random_below(3); n; n--)
			mutate(mutant, sizeof(mutant));
		valid += try_text(mutant, qvmconf, log);
	}
	return valid;
}

/* ---- files ---- */

static void save(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "w");

	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		abort();
}

/* Headers, with what boot.rst of Linux asks for. */
static void make_files(void)
{
	static uint8_t image[4096], bz[0x3000], tree[1024], table[36] = "SSDT\x24", sum;

	save("k", tree, 64);
	save("i", tree, 1000);
	memcpy(image + 56, "ARM\x64", 4);
	image[18] = 1;					/* 64K of memory */
	save("Image", image, sizeof(image));
	bz[0x1f1] = 4;
	memcpy(bz + 0x202, "HdrS\x0f\x02", 6);
	bz[0x22f] = 0x7f;
	bz[0x232] = 0x20;				/* a multiple of 2M */
	bz[0x234] = bz[0x236] = 1;
	bz[0x239] = 8;
	bz[0x25b] = 1;					/* at 16M */
	bz[0x262] = 1;
	save("bzImage", bz, sizeof(bz));
	if (fdt_create_empty_tree(tree, sizeof(tree)))
		abort();
	save("tree", tree, sizeof(tree));
	for (size_t i = 0; i < sizeof(table); i++)
		sum += table[i];
	table[9] = (uint8_t)-sum;
	save("table", table, sizeof(table));
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	unsigned int boards = 0, mutants = 0, valid = 0;
	char folder[] = "/tmp/qvm-model-XXXXXX", *text, *other;
	FILE *log = fopen("/dev/null", "w");
	struct node *root;

	if (!log || !mkdtemp(folder) || chdir(folder))
		return 1;
	make_files();
	for (; time(NULL) < end; boards++, seed++) {
		size_t size;
		char *errors;
		FILE *said = open_memstream(&errors, &size);

		state = seed * 0x9e3779b97f4a7c15ULL | 1;
		text = make_board();
		if (!try_text(text, false, said)) {
			fflush(said);
			fprintf(stderr, "seed %llu: %s", (unsigned long long)seed, errors);
			fail("a valid board is refused", text);
		}
		root = read_as(text, false);
		other = write_as(root, true);
		node_destroy(root);
		if (!try_text(other, true, log))
			fail("what was written is refused", other);
		valid += try_mutants(text, false, log) + try_mutants(other, true, log);
		mutants += 2 * MUTANTS;
		log_reset(NULL);
		fclose(said);
		free(errors);
		free(other);
		free(text);
	}
	printf("%u boards, %u mutants, %u of them valid\n", boards, mutants, valid);
	return 0;
}
