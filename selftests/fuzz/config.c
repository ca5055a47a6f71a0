// SPDX-License-Identifier: GPL-2.0-only
// CFLAGS: -fsanitize=fuzzer
// LINK: launcher/config/*.c launcher/machine/*.c launcher/boot/*.c launcher/dev/*.c launcher/util/*.c launcher/vm/*.c launcher/control/*.c -lyaml -lfdt -lz -lpthread
/* libFuzzer (clang): any text as a config of each language, up to the checked model and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/write.h"
#include "machine/dump.h"
#include "machine/machine.h"
#include "read_as.h"

static char *dump(struct node *root)
{
	struct machine m;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_set_defaults(root);
	schema_validate(root);
	machine_build(&m, root);
	m.fdt_wanted = false;
	machine_validate(&m);
	machine_dump(&m, out);
	machine_fini(&m);
	fclose(out);
	return text;
}

static char *write_as(struct node *root, bool qvmconf)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_set_defaults(root);
	(qvmconf ? config_write_qvmconf : config_write_yaml)(out, root);
	fclose(out);
	return text;
}

/* Whatever is valid is the same machine in the other language. */
static void try_text(const char *text, bool qvmconf, FILE *log)
{
	struct node *root = read_as(text, qvmconf), *other;
	char *said, *other_said, *written;

	log_reset(log);
	if (!root || root->kind != NODE_MAP || root->bad) {
		node_destroy(root);
		return;
	}
	written = write_as(root, !qvmconf);
	said = dump(root);
	if (!log_error_count()) {
		other = read_as(written, !qvmconf);
		other_said = other ? dump(other) : strdup("");
		if (strcmp(said, other_said)) {
			fprintf(stderr, "%s\n---- is not\n%s\n---- in\n%s\n", said, other_said, written);
			abort();
		}
		free(other_said);
		node_destroy(other);
	}
	free(said);
	free(written);
	node_destroy(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *log;
	char *text = calloc(1, size + 1);

	if (!log)
		log = fopen("/dev/null", "w");
	log_reset(log);
	memcpy(text, data, size);
	try_text(text, true, log);
	try_text(text, false, log);
	free(text);
	return 0;
}
