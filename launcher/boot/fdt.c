// SPDX-License-Identifier: GPL-2.0-only
#include "boot/fdt.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "dev/device_node.h"
#include "machine/board.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define FDT_FIRST_SIZE	0x4000
#define FDT_MAX_SIZE	0x400000

/* Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml of Linux */
#define GIC_SPI		0
#define GIC_PPI		1
#define GIC_SPI_BASE	32
#define GIC_PPI_BASE	16
#define IRQ_LEVEL_HIGH	4

/* The first error stays, and later calls do nothing: one look at the end is enough. */
struct writer {
	const struct machine *m;
	void *fdt;
	int error;
	uint32_t device;	/* whose node it is, by its place in m->device */
	bool has_phandle;	/* that node */
	uint32_t clock_hz;	/* of a clock of its own; 0: it has none */
};

static void begin(struct writer *w, const char *name)
{
	if (!w->error)
		w->error = fdt_begin_node(w->fdt, name);
}

static void begin_at(struct writer *w, const char *name, uint64_t address)
{
	char text[64];

	snprintf(text, sizeof(text), "%s@%" PRIx64, name, address);
	begin(w, text);
}

static void end(struct writer *w)
{
	if (!w->error)
		w->error = fdt_end_node(w->fdt);
}

static void put_bytes(struct writer *w, const char *name, const void *data, size_t size)
{
	if (!w->error)
		w->error = fdt_property(w->fdt, name, data, size);
}

static void put_flag(struct writer *w, const char *name)
{
	put_bytes(w, name, NULL, 0);
}

static void put_string(struct writer *w, const char *name, const char *text)
{
	put_bytes(w, name, text, strlen(text) + 1);
}

static void put_cells(struct writer *w, const char *name, const uint32_t *cells, size_t count)
{
	fdt32_t big[16];

	for (size_t i = 0; i < count; i++)
		big[i] = cpu_to_fdt32(cells[i]);
	put_bytes(w, name, big, count * sizeof(big[0]));
}

static void put_u32(struct writer *w, const char *name, uint32_t value)
{
	put_cells(w, name, &value, 1);
}

static void put_u64(struct writer *w, const char *name, uint64_t value)
{
	put_cells(w, name, (uint32_t[]){ value >> 32, value }, 2);
}

/* "reg" of one address and size; the root has two cells for each. */
static void put_reg(struct writer *w, uint64_t gpa, uint64_t size)
{
	put_cells(w, "reg", (uint32_t[]){ gpa >> 32, gpa, size >> 32, size }, 4);
}

/* Registers, and the window if it has one. */
static void put_device_reg(struct writer *w, const struct device_config *device)
{
	const uint32_t cells[] = {
		device->gpa >> 32, device->gpa, device->size >> 32, device->size,
		device->window >> 32, device->window, device->window_size >> 32, device->window_size,
	};

	put_cells(w, "reg", cells, device->window_size ? 8 : 4);
}

/* Bytes of a NUL-separated list that ends with an empty string. */
static size_t list_size(const char *list)
{
	const char *at = list;

	while (*at)
		at += strlen(at) + 1;
	return at - list;
}

static const struct device_config *find_console(const struct machine *m)
{
	for (size_t i = 0; i < m->device_count; i++) {
		const struct board_device *row = board_find(&board_arm64, m->device[i].type->name);

		if (row && row->tty && m->device[i].type->compatible)
			return &m->device[i];
	}
	return NULL;
}

static const char *node_name(const struct device_config *device)
{
	const struct board_device *row = board_find(&board_arm64, device->type->name);

	return row && row->tty ? "serial" : device->type->name;
}

static void write_initrd(struct writer *w)
{
	for (size_t i = 0; i < w->m->image_count; i++) {
		const struct image *image = &w->m->image[i];

		if (image->kind != IMAGE_INITRD)
			continue;
		put_u64(w, "linux,initrd-start", image->gpa);
		put_u64(w, "linux,initrd-end", image->gpa + image->size);
		return;
	}
}

static void write_chosen(struct writer *w)
{
	const struct device_config *console = find_console(w->m);
	char path[64];

	begin(w, "chosen");
	put_string(w, "bootargs", w->m->cmdline);
	write_initrd(w);
	if (console) {
		snprintf(path, sizeof(path), "/%s@%" PRIx64, node_name(console), console->gpa);
		put_string(w, "stdout-path", path);
	}
	end(w);
}

static void write_memory(struct writer *w)
{
	for (size_t i = 0; i < w->m->memory_count; i++) {
		const struct memory *memory = &w->m->memory[i];

		if (memory->kind != MEMORY_RAM)
			continue;
		begin_at(w, "memory", memory->gpa);
		put_string(w, "device_type", "memory");
		put_reg(w, memory->gpa, memory->size);
		end(w);
	}
}

/*
 * MPIDR_EL1 of vCPU n: 16 in a row, as a GICv3 can send an SGI to 16 at once (Arm IHI 0069,
 * 12.2.21, ICC_SGI1R_EL1.TargetList).
 */
static uint32_t cpu_mpidr(size_t index)
{
	return (index / 16) << 8 | index % 16;
}

static void write_cpus(struct writer *w)
{
	begin(w, "cpus");
	put_u32(w, "#address-cells", 1);
	put_u32(w, "#size-cells", 0);
	for (size_t i = 0; i < w->m->cpu_count; i++) {
		begin_at(w, "cpu", cpu_mpidr(i));
		put_string(w, "device_type", "cpu");
		put_string(w, "compatible", "arm,armv8");
		put_u32(w, "reg", cpu_mpidr(i));
		put_string(w, "enable-method", "psci");
		end(w);
	}
	end(w);
}

static void write_psci(struct writer *w)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	begin(w, "psci");
	put_bytes(w, "compatible", compatible, sizeof(compatible));
	put_string(w, "method", "hvc");
	end(w);
}

static void write_gic(struct writer *w)
{
	const struct gic_config *gic = &w->m->gic;
	uint64_t gicr_size = board_arm64.gicr_size * w->m->cpu_count;
	uint32_t reg[] = {
		gic->gicd >> 32, gic->gicd, board_arm64.gicd_size >> 32, board_arm64.gicd_size,
		gic->gicr >> 32, gic->gicr, gicr_size >> 32, gicr_size,
	};

	begin_at(w, "interrupt-controller", gic->gicd);
	put_string(w, "compatible", "arm,gic-v3");
	put_cells(w, "reg", reg, sizeof(reg) / sizeof(reg[0]));
	put_flag(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 3);
	put_u32(w, "#address-cells", 0);
	put_u32(w, "phandle", FDT_PHANDLE_GIC);
	end(w);
}

/* Secure and non-secure physical, virtual, hypervisor: the lines of Arm's BSA, table 7. */
static void write_timer(struct writer *w)
{
	static const uint32_t interrupts[] = {
		GIC_PPI, 29 - GIC_PPI_BASE, IRQ_LEVEL_HIGH,
		GIC_PPI, 30 - GIC_PPI_BASE, IRQ_LEVEL_HIGH,
		GIC_PPI, 27 - GIC_PPI_BASE, IRQ_LEVEL_HIGH,
		GIC_PPI, 26 - GIC_PPI_BASE, IRQ_LEVEL_HIGH,
	};

	begin(w, "timer");
	put_string(w, "compatible", "arm,armv8-timer");
	put_cells(w, "interrupts", interrupts, sizeof(interrupts) / sizeof(interrupts[0]));
	put_flag(w, "always-on");	/* it goes on, and wakes, in every idle state of this board */
	end(w);
}

static void write_clock(struct writer *w)
{
	begin(w, "apb-pclk");
	put_string(w, "compatible", "fixed-clock");
	put_u32(w, "#clock-cells", 0);
	put_u32(w, "clock-frequency", FDT_CLOCK_HZ);
	put_string(w, "clock-output-names", "clk24mhz");
	put_u32(w, "phandle", FDT_PHANDLE_CLOCK);
	end(w);
}

/* ---- what a device says of itself ---- */

static void node_u32s(void *out, const char *name, const uint32_t *values, size_t count)
{
	struct writer *w = out;

	/* One by one: any number of cells. */
	if (!w->error) {
		fdt32_t *big;

		w->error = fdt_property_placeholder(w->fdt, name, (int)(count * sizeof(*big)),
						    (void **)&big);
		for (size_t i = 0; i < count && !w->error; i++)
			big[i] = cpu_to_fdt32(values[i]);
	}
}

static void node_string(void *out, const char *name, const char *text)
{
	put_string(out, name, text);
}

static void node_flag(void *out, const char *name)
{
	put_flag(out, name);
}

static void node_clocks(void *out, const char *names, uint32_t hz)
{
	struct writer *w = out;
	uint32_t clocks[8], clock = FDT_PHANDLE_CLOCK;
	size_t count = 0;

	if (hz && hz != FDT_CLOCK_HZ) {
		w->clock_hz = hz;
		clock = FDT_PHANDLE_OWN_CLOCK + w->device;
	}

	for (const char *name = names; *name && count < 8; name += strlen(name) + 1)
		clocks[count++] = clock;
	put_cells(w, "clocks", clocks, count);
	put_bytes(w, "clock-names", names, list_size(names));
}

/* Written at the first time that somebody asks. */
static uint32_t node_phandle(void *out)
{
	struct writer *w = out;

	if (!w->has_phandle)
		put_u32(w, "phandle", FDT_PHANDLE_DEVICE + w->device);
	w->has_phandle = true;
	return FDT_PHANDLE_DEVICE + w->device;
}

static void node_begin(void *out, const char *name)
{
	begin(out, name);
}

static void node_end(void *out)
{
	end(out);
}

static const struct device_node_ops node_ops = {
	.u32s = node_u32s, .string = node_string, .flag = node_flag, .clocks = node_clocks,
	.phandle = node_phandle, .begin = node_begin, .end = node_end,
};

static void write_own_clock(struct writer *w, const struct device_config *device)
{
	char name[64];

	snprintf(name, sizeof(name), "clock-%" PRIx64, device->gpa);
	begin(w, name);
	put_string(w, "compatible", "fixed-clock");
	put_u32(w, "#clock-cells", 0);
	put_u32(w, "clock-frequency", w->clock_hz);
	put_u32(w, "phandle", FDT_PHANDLE_OWN_CLOCK + w->device);
	end(w);
}

static void write_device(struct writer *w, const struct device_config *device)
{
	struct device_node node = { .ops = &node_ops, .out = w };

	if (!device->type->compatible)
		return;
	w->device = (uint32_t)(device - w->m->device);
	w->has_phandle = false;
	w->clock_hz = 0;
	begin_at(w, node_name(device), device->gpa);
	put_bytes(w, "compatible", device->type->compatible, list_size(device->type->compatible));
	put_device_reg(w, device);
	if (device->irq)
		put_cells(w, "interrupts",
			  (uint32_t[]){ GIC_SPI, device->irq - GIC_SPI_BASE, IRQ_LEVEL_HIGH }, 3);
	device_describe(device, &node);
	if (!node.closed)
		end(w);
	if (w->clock_hz)
		write_own_clock(w, device);
}

static void write_root(struct writer *w)
{
	begin(w, "");
	put_u32(w, "#address-cells", 2);
	put_u32(w, "#size-cells", 2);
	put_u32(w, "interrupt-parent", FDT_PHANDLE_GIC);
	put_string(w, "compatible", "linux,dummy-virt");
	put_string(w, "model", "QVM-v8A");
	write_chosen(w);
	write_memory(w);
	write_cpus(w);
	write_psci(w);
	write_gic(w);
	write_timer(w);
	write_clock(w);
	for (size_t i = 0; i < w->m->device_count; i++)
		write_device(w, &w->m->device[i]);
	end(w);
}

static int write_all(const struct machine *m, void *blob, size_t size)
{
	struct writer w = { .m = m, .fdt = blob, .error = fdt_create(blob, size) };

	if (!w.error)
		w.error = fdt_finish_reservemap(blob);
	write_root(&w);
	if (!w.error)
		w.error = fdt_finish(blob);
	return w.error;
}

int fdt_build(const struct machine *m, uint8_t **blob, size_t *size)
{
	int error = -FDT_ERR_NOSPACE;

	*blob = NULL;
	for (*size = FDT_FIRST_SIZE; error == -FDT_ERR_NOSPACE && *size <= FDT_MAX_SIZE; *size *= 2) {
		free(*blob);
		*blob = xcalloc(*size, 1);
		error = write_all(m, *blob, *size);
	}
	if (error) {
		log_error("the FDT can't be written: %s", fdt_strerror(error));
		free(*blob);
		*blob = NULL;
		return -1;
	}
	*size = fdt_totalsize(*blob);
	return 0;
}
