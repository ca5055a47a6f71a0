// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole model as text, for comparing two configs: nothing of where things were said, every
 * automatic address and line, paths as the host resolves them.
 */
#include "machine/dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/node.h"
#include "dev/device.h"
#include "machine/machine.h"

static void dump_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s: ", key);
	for (; text && *text; text++)
		fputc(*text == '\n' ? ' ' : *text, out);
	fputc('\n', out);
}

/* Through links and .. where it is there; what is not stays as said. */
static void dump_path(FILE *out, const char *path)
{
	char *real = path ? realpath(path, NULL) : NULL;

	fputs(real ? real : path ? path : "none", out);
	free(real);
}

static void dump_gpa(FILE *out, uint64_t gpa)
{
	if (gpa == MACHINE_AUTO)
		fputs("auto", out);
	else
		fprintf(out, "0x%" PRIx64, gpa);
}

static void dump_cpu(FILE *out, const struct cpu *cpu)
{
	fputs("cpu:", out);
	if (cpu->sched_priority)
		fprintf(out, " sched %d%c", cpu->sched_priority, cpu->sched_policy);
	if (cpu->sched_policy == 's')
		fprintf(out, " sched %" PRIu64 " of %" PRIu64 " ns", cpu->sched_budget, cpu->sched_period);
	if (cpu->partition)
		fprintf(out, " partition %s", cpu->partition);
	if (cpu->runmask)
		fprintf(out, " runmask 0x%" PRIx64, cpu->runmask);
	fputc('\n', out);
}

/* What it was called in the config matters no more. */
static const char *image_name(const struct image *image)
{
	static const char *const names[] = {
		[IMAGE_LINUX_ARM64] = "arm64 Linux", [IMAGE_ELF] = "ELF", [IMAGE_RAW] = "raw",
		[IMAGE_INITRD] = "initrd", [IMAGE_FDT] = "fdt",
		[IMAGE_LINUX_X86] = "x86 Linux", [IMAGE_MULTIBOOT] = "multiboot", [IMAGE_ACPI] = "acpi",
	};

	return image->kind == IMAGE_UNKNOWN ? image->key : names[image->kind];
}

static void dump_image(FILE *out, const struct image *image)
{
	fprintf(out, "image: %s at ", image_name(image));
	dump_gpa(out, image->gpa);
	fprintf(out, " size 0x%" PRIx64 " from ", image->size);
	dump_path(out, image->path);
	fputc('\n', out);
}

/* The prefix of direction, then perhaps a path. */
static void dump_hostdev(FILE *out, const char *hostdev)
{
	size_t prefix = strspn(hostdev, "<>");

	fprintf(out, " hostdev %.*s", (int)prefix, hostdev);
	dump_path(out, hostdev + prefix);
}

/* What the model does not know by name: the device's own options, as said. */
static void dump_options(FILE *out, const struct node *node)
{
	static const char *const known[] = { "at", "irq", "name", "hostdev" };

	for (const struct node *option = node->child; option; option = option->next) {
		bool is_known = option->kind == NODE_EMPTY || option->kind == NODE_MAP;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= !strcmp(option->key, known[i]);
		if (is_known)
			continue;
		fprintf(out, " %s", option->key);
		if (option->kind == NODE_SCALAR)
			fprintf(out, " \"%s\"", option->text);
		for (const struct node *entry = option->child; entry; entry = entry->next)
			fprintf(out, " \"%s\"", entry->text ? entry->text : "");
	}
}

static void dump_device(FILE *out, const struct device_config *device)
{
	fprintf(out, "device: %s name %s at ", device->type->name, device->name);
	dump_gpa(out, device->gpa);
	fprintf(out, " irq %u", device->irq);
	if (device->window_size)
		fprintf(out, " window 0x%" PRIx64 " size 0x%" PRIx64, device->window,
			device->window_size);
	for (size_t i = 0; i < HOSTDEV_MAX && device->hostdev[i]; i++)
		dump_hostdev(out, device->hostdev[i]);
	if (device->node)
		dump_options(out, device->node);
	fputc('\n', out);
}

static void dump_lists(const struct machine *m, FILE *out)
{
	for (size_t i = 0; i < m->memory_count; i++)
		fprintf(out, "%s: 0x%" PRIx64 " size 0x%" PRIx64 "%s\n",
			m->memory[i].kind == MEMORY_ROM ? "rom" : "ram", m->memory[i].gpa,
			m->memory[i].size, m->memory[i].lazy ? " lazy" : "");
	for (size_t i = 0; i < m->reserved_count; i++)
		fprintf(out, "reserve: 0x%" PRIx64 " size 0x%" PRIx64 " irq %u\n", m->reserved[i].gpa,
			m->reserved[i].size, m->reserved[i].irq);
	for (size_t i = 0; i < m->cpu_count; i++)
		dump_cpu(out, &m->cpu[i]);
	for (size_t i = 0; i < m->image_count; i++)
		dump_image(out, &m->image[i]);
	for (size_t i = 0; i < m->device_count; i++)
		dump_device(out, &m->device[i]);
	for (size_t i = 0; i < m->logger_count; i++)
		fprintf(out, "logger: kinds 0x%x target %d\n", m->logger[i].kinds, m->logger[i].target);
}

void machine_dump(const struct machine *m, FILE *out)
{
	static const char *const policies[] = {
		[POLICY_DEFAULT] = "default", [POLICY_FAIL] = "fail", [POLICY_IGNORE] = "ignore",
		[POLICY_ABORT] = "abort",
	};

	dump_text(out, "system", m->is_named ? m->name : "(of the process)");
	dump_lists(m, out);
	dump_text(out, "cmdline", m->cmdline);
	fprintf(out, "gic: version %u gicd 0x%" PRIx64 " gicr 0x%" PRIx64 " lines %u\n", m->gic.version,
		m->gic.gicd, m->gic.gicr, m->gic.lines);
	fputs("fdt: at ", out);
	dump_gpa(out, m->fdt_gpa);
	fprintf(out, " reg %d dump ", m->fdt_reg);
	dump_path(out, m->fdt_dump_file);
	fprintf(out, "\nentry: ");
	dump_gpa(out, m->entry);
	fprintf(out, "\nunsupported: instruction %s reference %s register %s\n",
		policies[m->policy_instruction], policies[m->policy_reference],
		policies[m->policy_register]);
	fprintf(out, "set: host-rt %d exit-on-halt %d counter-offset 0x%" PRIx64 " poll %" PRIu64 " us\n",
		m->host_rt, m->exit_on_halt, m->counter_offset, m->poll_us);
	fprintf(out, "reset: %s status %d, stuck after %" PRIu64 " exits, %" PRIu64 " ms\n",
		m->reset_restart ? "restart" : "exit", m->reset_status, m->stuck_exits,
		m->stuck_kick_ms);
	fprintf(out, "dump: ");
	dump_path(out, m->dump);
	fprintf(out, "\ndebug: %d\ndryrun: %d\n", m->debug, m->dryrun);
}
