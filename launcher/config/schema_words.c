// SPDX-License-Identifier: GPL-2.0-only
/* `qvm set ?` and shell completion out of the table. */
#include <string.h>

#include "config/qvmconf.h"
#include "config/schema.h"
#include "config/schema_table.h"
#include "dev/device_host.h"

static const char *type_name(const struct schema_key *row)
{
	static const struct {
		unsigned int type;
		const char *name;
	} names[] = {
		{ SCHEMA_BOOL, "boolean" }, { SCHEMA_ADDRESS | SCHEMA_SIZE, "address" },
		{ SCHEMA_NUMBER, "number" }, { SCHEMA_STRING | SCHEMA_PATH, "string" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (row->types & names[i].type)
			return names[i].name;
	return "string";
}

void schema_print_variables(FILE *out)
{
	fprintf(out, "%-28s %-7s %-8s %-19s %s\n", "variable", "context", "type", "default", "meaning");
	for (size_t i = 0; schema_key_at(i); i++) {
		const struct schema_key *row = schema_key_at(i);
		const char *blank = row->qvmconf ? strchr(row->qvmconf, ' ') : NULL;

		if (!blank || (strcmp(blank, " set") && strcmp(blank, " set-vdev")))
			continue;
		fprintf(out, "%-28.*s %-7s %-8s %-19s %s%s%s\n", (int)(blank - row->qvmconf),
			row->qvmconf, strcmp(blank, " set") ? "vdev" : "global", type_name(row),
			row->fallback ? row->fallback : "", row->doc, row->limit ? "; for now: " : "",
			row->limit ? row->limit : "");
	}
	fputs("qvm.PATH                     global                               any key of "
	      "configs/README.md, such as qvm.gic.lines\n", out);
}

/* Words that open a config or stand at its top, once each. */
static void print_top_words(FILE *out)
{
	for (size_t i = 0; schema_key_at(i); i++) {
		const char *word = schema_key_at(i)->qvmconf;

		if (word && !strchr(word, ' '))
			fprintf(out, " %s", word);
	}
	fputs(" initrd data fdt set", out);
}

static void print_paths(FILE *out)
{
	for (size_t i = 0; schema_key_at(i); i++)
		if (!(schema_key_at(i)->types & (SCHEMA_LATER | SCHEMA_LIST | SCHEMA_MAP)) &&
		    !strpbrk(schema_key_at(i)->path, "[*"))
			fprintf(out, " %s=", schema_key_at(i)->path);
}

void schema_print_completion(FILE *out, const char *commands, const char *options)
{
	fprintf(out, "# bash completion for qvm; written by `qvm completion bash`\n"
		"_qvm()\n{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		"\tcase $prev in\n"
		"\t--set) COMPREPLY=($(compgen -W \"");
	print_paths(out);
	fputs("\" -- \"$cur\")); compopt -o nospace; return;;\n"
	      "\t--without|vdev) COMPREPLY=($(compgen -W \"", out);
	for (size_t i = 0; device_types[i]; i++)
		fprintf(out, " %s", device_types[i]->name);
	fprintf(out, "\" -- \"$cur\")); return;;\n"
		"\tesac\n"
		"\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"%s", commands);
	print_top_words(out);
	fprintf(out, "\" -- \"$cur\"))\n"
		"\telif [[ $cur == -* ]]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"%s\" -- \"$cur\"))\n"
		"\tfi\n"
		"\t[ ${#COMPREPLY[@]} = 0 ] && COMPREPLY=($(compgen -f -- \"$cur\"))\n"
		"}\n"
		"complete -o filenames -F _qvm qvm\n", options);
}
