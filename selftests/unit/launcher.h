/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of the launcher's pure parts: device types that do nothing, messages as text. */
#ifndef UNIT_LAUNCHER_H
#define UNIT_LAUNCHER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/override.h"
#include "config/schema.h"
#include "config/yaml.h"
#include "dev/device_host.h"
#include "machine/machine.h"
#include "unit.h"
#include "util/log.h"

static const struct device_option fake_options[] = {
	{ .name = "action", .kind = DEVICE_OPTION_CHOICES, .choices = "dump|terminate" },
	{ .name = "frequency", .kind = DEVICE_OPTION_NUMBER, .offset = 8 },
	{ 0 },
};
static const struct device_option fake_reg[] = {
	{ .name = "reg", .kind = DEVICE_OPTION_STRINGS },
	{ 0 },
};
static const struct device_type fake_pl011 = {
	.name = "pl011", .compatible = "arm,pl011\0arm,primecell\0", .size = 0x1000,
	.arch = MACHINE_ARM64, .flags = DEVICE_F_HOSTDEV,
};
static const struct device_type fake_ns16550 = {
	.name = "ns16550", .compatible = "ns16550a\0", .size = 8, .flags = DEVICE_F_HOSTDEV,
};
#define FAKE_X86(_name, _size, _flags) { .name = _name, .size = _size, .arch = MACHINE_X86, \
					 .flags = DEVICE_F_ONCE | (_flags) }
static const struct device_type fake_x86[] = {
	FAKE_X86("ioapic", 0x1000, DEVICE_F_IN_KERNEL),
	FAKE_X86("8259", 2, DEVICE_F_IN_KERNEL | DEVICE_F_PORT),
	FAKE_X86("timer8254", 4, DEVICE_F_IN_KERNEL | DEVICE_F_PORT),
	{ .name = "mc146818", .size = 2, .arch = MACHINE_X86, .acpi_id = "PNP0B00",
	  .state_size = sizeof(struct device_strings), .options = fake_reg,
	  .flags = DEVICE_F_ONCE | DEVICE_F_PORT },
	FAKE_X86("pckeyboard", 5, DEVICE_F_PORT | DEVICE_F_NO_IRQ),
	FAKE_X86("acpi-pm", 16, DEVICE_F_PORT),
	FAKE_X86("debug-exit", 4, DEVICE_F_PORT | DEVICE_F_NO_IRQ),
};
static const struct device_type fake_ser8250 = {
	.name = "ser8250", .size = 8, .acpi_id = "PNP0501", .flags = DEVICE_F_PORT | DEVICE_F_HOSTDEV,
};
static const struct device_option fake_lists[] = {
	{ .name = "create", .kind = DEVICE_OPTION_STRINGS },
	{ .name = "allow", .kind = DEVICE_OPTION_STRINGS, .offset = sizeof(struct device_strings) },
	{ 0 },
};
static const struct device_type fake_shmem = {
	.name = "shmem", .size = 0x1000, .state_size = 2 * sizeof(struct device_strings), .options = fake_lists,
};
static const struct device_type fake_silent = { .name = "silent", .size = 0x20000 };
static const struct device_type fake_sp805 = {
	.name = "sp805", .size = 0x1000, .arch = MACHINE_ARM64, .state_size = 16, .options = fake_options,
};
const struct device_type *const device_types[] = {
	&fake_pl011, &fake_ns16550, &fake_ser8250, &fake_silent, &fake_shmem, &fake_x86[0], &fake_x86[1],
	&fake_x86[2], &fake_x86[3], &fake_x86[4], &fake_x86[5], &fake_x86[6], &fake_sp805, NULL,
};

const struct device_type *device_type_find(const char *name)
{
	for (size_t i = 0; device_types[i]; i++)
		if (!strcmp(device_types[i]->name, name))
			return device_types[i];
	return NULL;
}

/* What was said since launcher_listen(). */
static char *launcher_text;
static size_t launcher_text_size;
static FILE *launcher_stream;

__attribute__((unused))
static void launcher_listen(void)
{
	launcher_stream = open_memstream(&launcher_text, &launcher_text_size);
	log_reset(launcher_stream);
}

/* The text; valid until launcher_quiet(). */
__attribute__((unused))
static const char *launcher_said(void)
{
	fflush(launcher_stream);
	return launcher_text;
}

__attribute__((unused))
static void launcher_quiet(void)
{
	log_reset(NULL);
	fclose(launcher_stream);
	free(launcher_text);
}

/* A YAML text as "t.yaml" that went through the schema, or NULL after a syntax error. */
__attribute__((unused))
static struct node *launcher_config(const char *yaml)
{
	struct node *root = yaml_read_text(yaml, (struct origin){ "t.yaml", 1 });

	/* The same whatever runs the test. */
	if (root && root->kind == NODE_MAP && !node_find(root, "arch"))
		node_add(root, node_create_scalar("arm64", (struct origin){ "t.yaml", 1 }), "arch");
	if (root)
		schema_validate(root);
	return root;
}

/* A file of these bytes; free() the path after unlink(). */
__attribute__((unused))
static char *launcher_file(const void *data, size_t size)
{
	char *path = strdup("/tmp/qvm-unit-XXXXXX");
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	return path;
}

#endif
