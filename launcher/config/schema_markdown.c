// SPDX-License-Identifier: GPL-2.0-only
/* configs/README.md out of the table. */
#include <stdbool.h>
#include <string.h>

#include "config/schema.h"
#include "config/schema_table.h"
#include "config/value.h"
#include "dev/device_host.h"

static const char head[] =
"<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
"<!-- Written by `qvm schema --markdown`; do not edit. -->\n"
"# Configs\n"
"\n"
"A config describes one VM as a board: memory, CPUs, devices, and what is loaded. `qvm run FILE`\n"
"runs it, `qvm check FILE` checks it and shows the board, with every automatic address. Start from\n"
"one of the files here.\n"
"\n"
"- **Several files** are parts of one VM, left to right: a later scalar replaces an earlier one,\n"
"  lists are appended.\n"
"- **`--set KEY=VALUE`** changes one value (`--set cpus=4`,\n"
"  `--set devices[0].pl011.irq=gic:40`), **`--set KEY+=VALUE`** appends to a list\n"
"  (`--set 'devices+={ns16550: {hostdev: /dev/pts/3}}'`).\n"
"- **QNX's language**: a file NAME.qvmconf (or .conf) says the same in the words of QNX's qvm, the\n"
"  column \"qvmconf\"; `qvm convert FILE` writes each language out of the other. `qvm @FILE words…`\n"
"  is QNX's own call. In it addresses are hexadecimal and sizes decimal if nothing tells otherwise,\n"
"  and paths are looked for in the working directory first.\n"
"- **`$env{NAME}`** stands for a variable of the environment, **`$asinfo_start{NAME}`** and\n"
"  **`$asinfo_length{NAME}`** for a reserved-memory node or an iomem name of the host.\n"
"- **Numbers** are decimal or `0x…`, with a binary `K`, `M` or `G` behind them; never octal.\n"
"- **Paths** are relative to the file that says them, on the command line to the working directory.\n"
"- **Errors** come all at once, `file:line: key: what, and what would be right`; exit status 65.\n"
"\n"
"## Keys\n"
"\n"
"`[]` is an entry of a list, `*` the type of a device (see below). \"auto\" is what the board map\n"
"gives.\n"
"\n"
"| key | qvmconf | type | unit | default | meaning |\n"
"|---|---|---|---|---|---|\n";

static void print_types(FILE *out, const struct schema_key *row)
{
	static const char *const names[] = {
		"text", "path", "address", "size", "number", "bool", "", "line", "priority", "list",
		"map", "name",
	};
	const char *between = "";

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(row->types & 1u << i))
			continue;
		fputs(between, out);
		if (1u << i == SCHEMA_ENUM) {
			for (const char *c = row->choices; *c; c++)
				fputs(*c == '|' ? ", " : (char[]){ *c, '\0' }, out);
		} else {
			fputs(names[i], out);
		}
		between = " or ";
	}
}

static void print_range(FILE *out, const struct schema_key *row)
{
	char min[32], max[32];

	if (row->max && !(row->types & (SCHEMA_STRING | SCHEMA_NAME)))
		fprintf(out, ", %s to %s", schema_limit_text(row, row->min, min, sizeof(min)),
			schema_limit_text(row, row->max, max, sizeof(max)));
}

/* "sched cpu" is `cpu … sched`: the context comes first. */
static void print_word(FILE *out, const char *qvmconf)
{
	const char *blank = qvmconf ? strchr(qvmconf, ' ') : NULL;

	if (blank && (!strcmp(blank, " load") || !strcmp(blank, " set-vdev")))
		fprintf(out, strcmp(blank, " load") ? "`vdev … set %.*s`" : "`%.*s load`",
			(int)(blank - qvmconf), qvmconf);
	else if (blank && (!strcmp(blank, " set") || !strcmp(blank, " unsupported")))
		fprintf(out, "`%s %.*s`", blank + 1, (int)(blank - qvmconf), qvmconf);
	else if (blank)
		fprintf(out, "`%s%s … %.*s`", !strcmp(blank, " gic") ? "vdev " : "", blank + 1,
			(int)(blank - qvmconf), qvmconf);
	else if (qvmconf)
		fprintf(out, "`%s`", qvmconf);
}

static void print_row(FILE *out, const struct schema_key *row)
{
	const char *fallback = row->fallback;

	fprintf(out, "| `%s` | ", row->path);
	print_word(out, row->qvmconf);
	fputs(" | ", out);
	print_types(out, row);
	print_range(out, row);
	fprintf(out, " | %s | ", row->unit ? row->unit : "");
	if (fallback && *fallback)
		fprintf(out, "`%s`", fallback);
	else if (fallback)
		fputs("empty", out);
	fprintf(out, " | %s%s%s |\n", row->doc, row->limit ? "; for now: " : "",
		row->limit ? row->limit : "");
}

/* An option of a device that is missing itself? */
static bool is_of_missing(const char *path)
{
	const char *name = strchr(path, '.');

	return !strncmp(path, "devices[].", 10) && path[10] != '*' && strchr(name + 1, '.');
}

static void print_missing(FILE *out)
{
	const char *between = "";

	for (size_t i = 0; schema_key_at(i); i++) {
		const struct schema_key *row = schema_key_at(i);

		if (!(row->types & SCHEMA_LATER) || is_of_missing(row->path))
			continue;
		fprintf(out, "%s `%s`", between, row->path);
		if (row->limit)
			fprintf(out, " (%s)", row->limit);
		between = ",";
	}
}

void schema_print_markdown(FILE *out)
{
	fputs(head, out);
	for (size_t i = 0; schema_key_at(i); i++)
		if (!(schema_key_at(i)->types & SCHEMA_LATER))
			print_row(out, schema_key_at(i));
	fputs("\n## Devices\n\n", out);
	for (size_t i = 0; device_types[i]; i++)
		fprintf(out, "- `%s`\n", device_types[i]->name);
	fputs("\n## Not yet\n\nWords of the language that this version refuses:", out);
	print_missing(out);
	fputs(".\n", out);
}
