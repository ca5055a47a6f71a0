// SPDX-License-Identifier: GPL-2.0-only
#include "boot/acpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/aml.h"
#include "dev/acpi_pm.h"
#include "dev/device_node.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define HEADER_SIZE	36		/* 5.2.6 */
#define CHECKSUM	9		/* in a header */
#define RSDP_SIZE	36
#define FADT_SIZE	276
#define FACS_SIZE	64
#define REST_MAX	0x600		/* FADT, MADT of 64 processors, heads of the roots */
#define ALIGN		64		/* the FACS asks for it */
#define LAPIC_BASE	0xfee00000
#define ANY_PROCESSOR	0xff
#define ISA_IRQS	16		/* an IRQ descriptor names no others */

/* Tables are written one after the other into the area. */
struct writer {
	const struct machine *m;
	uint8_t *area;
	uint64_t gpa;
	struct aml out;			/* a stream of bytes over the area */
	size_t table;			/* offset of the one that is being written */
};

/* ---- tables ---- */

static void checksum(uint8_t *bytes, size_t size, size_t at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	bytes[at] = (uint8_t)-sum;
}

static void put(uint8_t *bytes, size_t at, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[at + i] = (uint8_t)(value >> 8 * i);
}

/* To the next multiple of ALIGN; returns its gpa. */
static uint64_t start(struct writer *w)
{
	while (w->out.size % ALIGN)
		aml_byte(&w->out, 0);
	w->table = w->out.size;
	return w->gpa + w->table;
}

static uint64_t begin(struct writer *w, const char *signature, uint8_t revision)
{
	uint64_t gpa = start(w);

	aml_bytes(&w->out, signature, 4);
	aml_number(&w->out, 0, 4);		/* length */
	aml_byte(&w->out, revision);
	aml_byte(&w->out, 0);			/* checksum */
	aml_bytes(&w->out, "QVM   ", 6);
	aml_bytes(&w->out, "QVMBOARD", 8);
	aml_number(&w->out, 1, 4);
	aml_bytes(&w->out, "QVM ", 4);
	aml_number(&w->out, 1, 4);
	return gpa;
}

static void end(struct writer *w)
{
	uint8_t *table = w->area + w->table;
	size_t size = w->out.size - w->table;

	if (w->out.size > w->out.room)
		return;			/* it has no end here, and nobody will see it */
	put(table, 4, size, 4);
	checksum(table, size, CHECKSUM);
}

/* ---- what is on the board ---- */

static const struct device_config *find_device(const struct machine *m, const char *name)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (!strcmp(m->device[i].type->name, name))
			return &m->device[i];
	return NULL;
}

static bool has_device(const struct machine *m, const char *name)
{
	return find_device(m, name);
}

/* ---- DSDT ---- */

/* What a device says of itself: entries of a package of _DSD. */
struct properties {
	struct aml *out;
	uint8_t count;
};

static struct aml_scope begin_property(struct properties *properties, const char *name)
{
	struct aml_scope scope = aml_begin_package(properties->out);

	aml_string(properties->out, name);
	properties->count++;
	return scope;
}

static void put_u32s(void *arg, const char *name, const uint32_t *values, size_t count)
{
	struct properties *properties = arg;
	struct aml_scope scope = begin_property(properties, name), list;

	if (count == 1) {
		aml_integer(properties->out, values[0]);
	} else {
		list = aml_begin_package(properties->out);
		for (size_t i = 0; i < count; i++)
			aml_integer(properties->out, values[i]);
		aml_end_package(properties->out, list, (uint8_t)count);
	}
	aml_end_package(properties->out, scope, 2);
}

static void put_string(void *arg, const char *name, const char *text)
{
	struct properties *properties = arg;
	struct aml_scope scope = begin_property(properties, name);

	aml_string(properties->out, text);
	aml_end_package(properties->out, scope, 2);
}

/* A property that is there is true. */
static void put_flag(void *arg, const char *name)
{
	put_u32s(arg, name, (const uint32_t[]){ 1 }, 1);
}

static const struct device_node_ops node_ops = {
	.u32s = put_u32s, .string = put_string, .flag = put_flag,
};

static void put_compatible(struct properties *properties, const char *list)
{
	struct aml_scope scope = begin_property(properties, "compatible"), all;
	uint8_t count = 0;

	all = aml_begin_package(properties->out);
	for (; *list; list += strlen(list) + 1, count++)
		aml_string(properties->out, list);
	aml_end_package(properties->out, all, count);
	aml_end_package(properties->out, scope, 2);
}

/* Device Properties UUID, of the UEFI forum's _DSD guide. */
static void write_properties(struct aml *out, const struct device_config *device)
{
	static const uint8_t uuid[16] = {
		0x14, 0xd8, 0xff, 0xda, 0xba, 0x6e, 0x8c, 0x4d,
		0x8a, 0x91, 0xbc, 0x9b, 0xbf, 0x4a, 0xa3, 0x01,
	};
	struct properties properties = { out, 0 };
	struct device_node node = { .ops = &node_ops, .out = &properties };
	struct aml_scope dsd, list;

	aml_name(out, "_DSD");
	dsd = aml_begin_package(out);
	aml_buffer(out, uuid, sizeof(uuid));
	list = aml_begin_package(out);
	put_compatible(&properties, device->type->compatible);
	device_describe(device, &node);
	aml_end_package(out, list, properties.count);
	aml_end_package(out, dsd, 2);
}

/* As a PC has it: on a port, and its line one of the 16 whose edges count. */
static bool is_legacy(const struct device_config *device)
{
	return device->type->acpi_id && device->port && device->irq < ISA_IRQS;
}

static void write_device(struct writer *w, const struct device_config *device, const char *name,
			 unsigned int uid)
{
	const char *id = device->type->acpi_id;
	struct aml_scope scope = aml_begin_device(&w->out, name);

	aml_name(&w->out, "_HID");
	if (id && strlen(id) == 7)
		aml_eisa_id(&w->out, id);
	else
		aml_string(&w->out, id ? id : "PRP0001");
	aml_name(&w->out, "_UID");
	aml_integer(&w->out, uid);
	aml_name(&w->out, "_CRS");
	if (is_legacy(device))
		aml_resources(&w->out, (uint16_t)device->gpa, (uint8_t)device->size, device->irq);
	else
		aml_resources_level(&w->out, device->port, device->gpa, device->size, device->irq);
	if (!id)
		write_properties(&w->out, device);
	aml_end(&w->out, scope);
}

bool acpi_is_uart(const struct device_config *device)
{
	return device->type->acpi_id && !strcmp(device->type->acpi_id, "PNP0501");
}

static void write_devices(struct writer *w)
{
	unsigned int uarts = 0, others = 0;
	char name[8];

	for (size_t i = 0; i < w->m->device_count; i++) {
		const struct device_config *device = &w->m->device[i];

		if (!device->type->acpi_id && !device->type->compatible)
			continue;
		if (acpi_is_uart(device))
			snprintf(name, sizeof(name), uarts < 9 ? "COM%u" : "CO%02u", uarts + 1);
		else
			snprintf(name, sizeof(name), "D%03u", others);
		write_device(w, device, name, acpi_is_uart(device) ? ++uarts : others++);
	}
}

static uint64_t write_dsdt(struct writer *w)
{
	static const uint8_t s5[] = { ACPI_S5, ACPI_S5, 0, 0 };
	uint64_t gpa = begin(w, "DSDT", 2);
	struct aml_scope scope;

	if (has_device(w->m, "acpi-pm")) {
		aml_name(&w->out, "_S5_");
		aml_package(&w->out, s5, sizeof(s5));
	}
	scope = aml_begin_scope(&w->out, "\\_SB_");
	write_devices(w);
	aml_end(&w->out, scope);
	end(w);
	return gpa;
}

/* ---- FADT: 5.2.9 ---- */

enum {
	FADT_FACS = 36, FADT_DSDT = 40, FADT_SCI = 46, FADT_PM1A_EVENT = 56, FADT_PM1A_CONTROL = 64,
	FADT_TIMER = 76, FADT_EVENT_LENGTH = 88, FADT_CONTROL_LENGTH = 89, FADT_TIMER_LENGTH = 91,
	FADT_C2_LATENCY = 96, FADT_C3_LATENCY = 98, FADT_CENTURY = 108, FADT_BOOT_FLAGS = 109,
	FADT_FLAGS = 112, FADT_RESET = 116, FADT_RESET_VALUE = 128, FADT_MINOR = 131,
	FADT_X_DSDT = 140, FADT_X_EVENT = 148, FADT_X_CONTROL = 172, FADT_X_TIMER = 208,

	FLAG_WBINVD = 1 << 0, FLAG_C1 = 1 << 2, FLAG_NO_POWER_BUTTON = 1 << 4,
	FLAG_NO_SLEEP_BUTTON = 1 << 5, FLAG_NO_FIXED_RTC = 1 << 6, FLAG_TIMER_32 = 1 << 8,
	FLAG_RESET = 1 << 10, FLAG_REDUCED = 1 << 20,

	BOOT_LEGACY = 1 << 0, BOOT_8042 = 1 << 1, BOOT_NO_VGA = 1 << 2, BOOT_NO_MSI = 1 << 3,
	BOOT_NO_RTC = 1 << 5,

	NO_C2 = 101, NO_C3 = 1001,	/* latencies that say so */
	CENTURY = 0x32,			/* of the RTC's memory */
};

/* Generic address: a port of @bits, read and written at once. */
static void put_port(uint8_t *fadt, size_t at, uint64_t port, uint8_t bits)
{
	fadt[at] = 1;			/* system I/O */
	fadt[at + 1] = bits;
	fadt[at + 3] = bits == 8 ? 1 : bits == 16 ? 2 : 3;
	put(fadt, at + 4, port, 8);
}

static void fadt_put_pm(uint8_t *fadt, const struct device_config *pm)
{
	put(fadt, FADT_SCI, pm->irq, 2);
	put(fadt, FADT_PM1A_EVENT, pm->gpa + ACPI_PM1_EVENT, 4);
	put(fadt, FADT_PM1A_CONTROL, pm->gpa + ACPI_PM1_CONTROL, 4);
	put(fadt, FADT_TIMER, pm->gpa + ACPI_PM_TIMER, 4);
	fadt[FADT_EVENT_LENGTH] = 4;
	fadt[FADT_CONTROL_LENGTH] = 2;
	fadt[FADT_TIMER_LENGTH] = 4;
	put_port(fadt, FADT_X_EVENT, pm->gpa + ACPI_PM1_EVENT, 32);
	put_port(fadt, FADT_X_CONTROL, pm->gpa + ACPI_PM1_CONTROL, 16);
	put_port(fadt, FADT_X_TIMER, pm->gpa + ACPI_PM_TIMER, 32);
	put_port(fadt, FADT_RESET, pm->gpa + ACPI_PM_RESET, 8);
	fadt[FADT_RESET_VALUE] = ACPI_RESET_VALUE;
}

/* Said truly, so that the guest looks for nothing that isn't there. */
static uint16_t boot_flags(const struct machine *m)
{
	uint16_t flags = BOOT_NO_VGA | BOOT_NO_MSI;

	for (size_t i = 0; i < m->device_count; i++)
		flags |= acpi_is_uart(&m->device[i]) ? BOOT_LEGACY : 0;
	flags |= has_device(m, "pckeyboard") ? BOOT_LEGACY | BOOT_8042 : 0;
	flags |= has_device(m, "mc146818") ? 0 : BOOT_NO_RTC;
	return flags;
}

static uint32_t fadt_flags(const struct machine *m)
{
	uint32_t flags = FLAG_WBINVD | FLAG_C1 | FLAG_NO_SLEEP_BUTTON | FLAG_NO_FIXED_RTC;

	if (has_device(m, "acpi-pm"))
		return flags | FLAG_TIMER_32 | FLAG_RESET;
	/* Without the fixed registers; but "reduced" takes 8259 and 8254 from Linux too. */
	return flags | FLAG_NO_POWER_BUTTON | (has_device(m, "8259") ? 0 : FLAG_REDUCED);
}

static uint64_t write_fadt(struct writer *w, uint64_t facs, uint64_t dsdt)
{
	const struct device_config *pm = find_device(w->m, "acpi-pm");
	uint64_t gpa = begin(w, "FACP", 6);
	uint8_t *fadt = w->area + w->table;

	while (w->out.size - w->table < FADT_SIZE)
		aml_byte(&w->out, 0);
	put(fadt, FADT_FACS, facs, 4);
	put(fadt, FADT_DSDT, dsdt, 4);
	put(fadt, FADT_X_DSDT, dsdt, 8);
	put(fadt, FADT_C2_LATENCY, NO_C2, 2);
	put(fadt, FADT_C3_LATENCY, NO_C3, 2);
	put(fadt, FADT_BOOT_FLAGS, boot_flags(w->m), 2);
	put(fadt, FADT_FLAGS, fadt_flags(w->m), 4);
	fadt[FADT_MINOR] = 5;
	if (has_device(w->m, "mc146818"))
		fadt[FADT_CENTURY] = CENTURY;
	if (pm)
		fadt_put_pm(fadt, pm);
	end(w);
	return gpa;
}

/* It has no checksum and no common header (5.2.10). */
static uint64_t write_facs(struct writer *w)
{
	uint64_t gpa = start(w);

	aml_bytes(&w->out, "FACS", 4);
	aml_number(&w->out, FACS_SIZE, 4);
	while (w->out.size - w->table < FACS_SIZE)
		aml_byte(&w->out, 0);
	w->area[w->table + 32] = 2;		/* version */
	return gpa;
}

/* ---- MADT: 5.2.12 ---- */

enum {
	MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4,
	MADT_PCAT = 1, LAPIC_ENABLED = 1,
	LEVEL_HIGH = 0xd, AS_THE_BUS = 0,
};

static void write_override(struct writer *w, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	const uint8_t head[] = { MADT_OVERRIDE, 10, 0, irq };

	aml_bytes(&w->out, head, sizeof(head));
	aml_number(&w->out, gsi, 4);
	aml_number(&w->out, flags, 2);
}

static void write_ioapic(struct writer *w, const struct device_config *ioapic)
{
	const struct device_config *pm = find_device(w->m, "acpi-pm");
	const uint8_t head[] = { MADT_IOAPIC, 12, 0, 0 };

	aml_bytes(&w->out, head, sizeof(head));
	aml_number(&w->out, ioapic->gpa, 4);
	aml_number(&w->out, 0, 4);		/* its first GSI */
	if (has_device(w->m, "timer8254"))
		write_override(w, 0, 2, AS_THE_BUS);
	if (pm && pm->irq < ISA_IRQS)
		write_override(w, (uint8_t)pm->irq, pm->irq, LEVEL_HIGH);
}

static uint64_t write_madt(struct writer *w)
{
	static const uint8_t nmi[] = { MADT_LAPIC_NMI, 6, ANY_PROCESSOR, 0, 0, 1 };	/* LINT1 */
	const struct device_config *ioapic = find_device(w->m, "ioapic");
	uint64_t gpa = begin(w, "APIC", 5);

	aml_number(&w->out, LAPIC_BASE, 4);
	aml_number(&w->out, has_device(w->m, "8259") ? MADT_PCAT : 0, 4);
	for (size_t i = 0; i < w->m->cpu_count; i++) {
		const uint8_t lapic[] = { MADT_LAPIC, 8, (uint8_t)i, (uint8_t)i };

		aml_bytes(&w->out, lapic, sizeof(lapic));
		aml_number(&w->out, LAPIC_ENABLED, 4);
	}
	if (ioapic)
		write_ioapic(w, ioapic);
	aml_bytes(&w->out, nmi, sizeof(nmi));
	end(w);
	return gpa;
}

/* ---- roots ---- */

struct roots {
	uint64_t *table;		/* gpa of each; owned */
	size_t count;
};

/* What the config brings: a header, and what nobody here looks at. */
static void write_user_tables(struct writer *w, struct roots *roots)
{
	for (size_t i = 0; i < w->m->image_count; i++) {
		const struct image *image = &w->m->image[i];
		uint64_t gpa = image->gpa;

		if (image->kind != IMAGE_ACPI || image->bad)
			continue;
		if (gpa == MACHINE_AUTO) {
			gpa = start(w);
			aml_bytes(&w->out, image->data, image->data_size);
		}
		roots->table[roots->count++] = gpa;
	}
}

static uint64_t write_root(struct writer *w, const char *signature, unsigned int width,
			   const struct roots *roots)
{
	uint64_t gpa = begin(w, signature, 1);

	for (size_t i = 0; i < roots->count; i++)
		aml_number(&w->out, roots->table[i], width);
	end(w);
	return gpa;
}

static void write_rsdp(struct writer *w, uint64_t rsdt, uint64_t xsdt)
{
	memcpy(w->area, "RSD PTR ", 8);
	memcpy(w->area + 9, "QVM   ", 6);
	w->area[15] = 2;			/* revision */
	put(w->area, 16, rsdt, 4);
	put(w->area, 20, RSDP_SIZE, 4);
	put(w->area, 24, xsdt, 8);
	checksum(w->area, 20, 8);		/* of the part that ACPI 1.0 knows */
	checksum(w->area, RSDP_SIZE, 32);
}

size_t acpi_build(const struct machine *m, uint8_t *area, uint64_t gpa)
{
	struct writer w = { m, area, gpa, { area, RSDP_SIZE, ACPI_SIZE_MAX }, 0 };
	struct roots roots = { xcalloc(2 + m->image_count, sizeof(*roots.table)), 2 };
	uint64_t facs, dsdt, rsdt, xsdt;
	size_t rest;

	facs = write_facs(&w);
	dsdt = write_dsdt(&w);
	write_user_tables(&w, &roots);
	rest = REST_MAX + 3 * sizeof(uint32_t) * roots.count;	/* two roots: 4 and 8 bytes a table */
	if (w.out.size + rest <= w.out.room) {
		roots.table[0] = write_fadt(&w, facs, dsdt);
		roots.table[1] = write_madt(&w);
		rsdt = write_root(&w, "RSDT", 4, &roots);
		xsdt = write_root(&w, "XSDT", 8, &roots);
		write_rsdp(&w, rsdt, xsdt);
		rest = 0;
	}
	free(roots.table);
	return w.out.size + rest;
}
