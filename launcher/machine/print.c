// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "config/value.h"
#include "dev/device.h"
#include "machine/board.h"
#include "machine/machine.h"

static void print_range(FILE *out, const char *what, uint64_t gpa, uint64_t size)
{
	char text[32];

	fprintf(out, "  %-12s 0x%010" PRIx64 "  %s", what, gpa,
		value_size_text(size, text, sizeof(text)));
}

void machine_print(const struct machine *m, FILE *out)
{
	static const char *const starts[] = {
		[X86_START_REAL] = ", real mode",
		[X86_START_LINUX64] = ", Linux's 64-bit protocol",
		[X86_START_LINUX32] = ", Linux's 32-bit protocol",
		[X86_START_PVH] = ", PVH",
		[X86_START_MULTIBOOT] = ", multiboot",
	};

	fprintf(out, "  %-12s %s\n", "arch", m->board->name);
	fprintf(out, "  %-12s %s\n", "system", m->name);
	fprintf(out, "  %-12s %zu\n", "cpus", m->cpu_count);
	for (size_t i = 0; i < m->memory_count; i++) {
		print_range(out, m->memory[i].kind == MEMORY_ROM ? "rom" : "ram", m->memory[i].gpa,
			    m->memory[i].size);
		fputs(m->memory[i].lazy ? "  lazy\n" : "\n", out);
	}
	for (size_t i = 0; i < m->image_count; i++) {
		print_range(out, m->image[i].key, m->image[i].gpa, m->image[i].size);
		fprintf(out, "  %s\n", m->image[i].path);
	}
	if (m->fdt_wanted) {
		print_range(out, "fdt", m->fdt_gpa, m->fdt_size);
		fprintf(out, "  in x%d\n", m->fdt_reg);
	}
	for (size_t i = 0; i < m->blob_count; i++) {
		print_range(out, m->blob[i].name, m->blob[i].gpa, m->blob[i].size);
		fputc('\n', out);
	}
	fprintf(out, "  %-12s 0x%010" PRIx64 "%s\n", "entry", m->entry,
		m->arch == MACHINE_X86 ? starts[m->x86.start] : "");
	if (m->arch == MACHINE_ARM64)
		fprintf(out, "  %-12s 0x%010" PRIx64 ", redistributors 0x%010" PRIx64 ", %u lines\n",
			"gic", m->gic.gicd, m->gic.gicr, m->gic.lines);
	for (size_t i = 0; i < m->device_count; i++) {
		const struct device_config *device = &m->device[i];

		if (device->port)
			fprintf(out, "  %-12s io:%#06" PRIx64 "     %" PRIu64, device->name, device->gpa,
				device->size);
		else
			print_range(out, device->name, device->gpa, device->size);
		if (device->irq)
			fprintf(out, "  %s:%u", m->board->irq_prefix, device->irq);
		if (strcmp(device->name, device->type->name))
			fprintf(out, "  %s", device->type->name);
		for (size_t j = 0; j < HOSTDEV_MAX && device->hostdev[j]; j++)
			fprintf(out, "  hostdev %s", device->hostdev[j]);
		fputc('\n', out);
		if (device->window_size) {
			print_range(out, "  its window", device->window, device->window_size);
			fputc('\n', out);
		}
		for (const uint16_t *port = device->ports; port && *port; port++)
			if (!x86_is_taken(m, *port))
				fprintf(out, "  %-12s io:%#06x     1\n", "  its port", *port);
	}
	if (*m->cmdline)
		fprintf(out, "  %-12s %s\n", "cmdline", m->cmdline);
}
