// SPDX-License-Identifier: GPL-2.0-only
#include "boot/mptable.h"

#include <string.h>

#include "dev/device.h"
#include "machine/machine.h"

#define POINTER_SIZE	16		/* 4.1 */
#define HEADER_SIZE	44		/* 4.2 */
#define REVISION	4		/* 1.4 */
#define LAPIC_BASE	0xfee00000
#define LAPIC_VERSION	0x14
#define IOAPIC_VERSION	0x20		/* as its register says */
#define ISA_IRQS	16
#define CASCADE		2
#define TIMER_PIN	2
#define ALL_CPUS	0xff

enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_INTERRUPT, ENTRY_LOCAL };	/* table 4-3, in their order */
enum { KIND_INT = 0, KIND_NMI = 1, KIND_EXTINT = 3 };				/* table 4-11 */
enum { AS_THE_BUS = 0, LEVEL_HIGH = 0xd };					/* table 4-10 */
enum {
	CPU_ENABLED = 1 << 0, CPU_BOOTS = 1 << 1,
	CPU_FAMILY_6 = 6 << 8, CPU_FPU = 1 << 0, CPU_APIC = 1 << 9,	/* the rest CPUID says */
};

/* Entries are written one after the other. */
struct writer {
	uint8_t *table;
	size_t size;
	unsigned int count;
};

static void put(uint8_t *bytes, size_t at, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static uint8_t checksum(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	return (uint8_t)-sum;
}

static const struct device_config *find_device(const struct machine *m, const char *name)
{
	for (size_t i = 0; i < m->device_count; i++)
		if (!strcmp(m->device[i].type->name, name))
			return &m->device[i];
	return NULL;
}

static uint8_t *add(struct writer *w, uint8_t type, size_t size)
{
	uint8_t *entry = w->table + w->size;

	entry[0] = type;
	w->size += size;
	w->count++;
	return entry;
}

static void add_cpus(struct writer *w, const struct machine *m)
{
	for (size_t i = 0; i < m->cpu_count; i++) {
		uint8_t *entry = add(w, ENTRY_CPU, 20);

		entry[1] = (uint8_t)i;
		entry[2] = LAPIC_VERSION;
		entry[3] = CPU_ENABLED | (i ? 0 : CPU_BOOTS);
		put(entry, 4, CPU_FAMILY_6, 4);
		put(entry, 8, CPU_FPU | CPU_APIC, 4);
	}
}

static void add_ioapic(struct writer *w, const struct device_config *ioapic)
{
	uint8_t *entry = add(w, ENTRY_IOAPIC, 8);

	entry[2] = IOAPIC_VERSION;		/* its id is 0, as its register says */
	entry[3] = 1;				/* enabled */
	put(entry, 4, ioapic->gpa, 4);
}

/* Of the ISA bus, which is bus 0. @apic and @pin: where it comes to. */
static void add_interrupt(struct writer *w, uint8_t type, uint8_t kind, uint16_t flags, uint8_t irq,
			  uint8_t apic, uint8_t pin)
{
	uint8_t *entry = add(w, type, 8);

	entry[1] = kind;
	put(entry, 2, flags, 2);
	entry[5] = irq;
	entry[6] = apic;
	entry[7] = pin;
}

static void add_interrupts(struct writer *w, const struct machine *m)
{
	const struct device_config *pm = find_device(m, "acpi-pm");
	bool timer = find_device(m, "timer8254");

	for (uint8_t irq = 0; irq < ISA_IRQS; irq++) {
		bool is_sci = pm && irq && pm->irq == irq;

		if (!timer || irq != CASCADE)
			add_interrupt(w, ENTRY_INTERRUPT, KIND_INT, is_sci ? LEVEL_HIGH : AS_THE_BUS, irq, 0,
				      timer && !irq ? TIMER_PIN : irq);
	}
	if (find_device(m, "8259"))
		add_interrupt(w, ENTRY_LOCAL, KIND_EXTINT, AS_THE_BUS, 0, 0, 0);
	add_interrupt(w, ENTRY_LOCAL, KIND_NMI, AS_THE_BUS, 0, ALL_CPUS, 1);
}

static void finish_table(const struct writer *w)
{
	memcpy(w->table, "PCMP", 4);
	put(w->table, 4, w->size, 2);
	w->table[6] = REVISION;
	memcpy(w->table + 8, "QVM     QVMBOARD    ", 20);
	put(w->table, 34, w->count, 2);
	put(w->table, 36, LAPIC_BASE, 4);
	w->table[7] = checksum(w->table, w->size);
}

/* Interrupts come as in a PC/AT at first, through the 8259: "virtual wire", no IMCR. */
static void write_pointer(uint8_t *pointer, uint64_t table)
{
	memcpy(pointer, "_MP_", 4);
	put(pointer, 4, table, 4);
	pointer[8] = POINTER_SIZE / 16;
	pointer[9] = REVISION;
	pointer[10] = checksum(pointer, POINTER_SIZE);
}

size_t mptable_build(const struct machine *m, uint8_t *area, uint64_t gpa)
{
	const struct device_config *ioapic = find_device(m, "ioapic");
	struct writer w = { area + POINTER_SIZE, HEADER_SIZE, 0 };

	if (!ioapic)
		return 0;
	add_cpus(&w, m);
	memcpy(add(&w, ENTRY_BUS, 8) + 2, "ISA   ", 6);
	add_ioapic(&w, ioapic);
	add_interrupts(&w, m);
	finish_table(&w);
	write_pointer(area, gpa + POINTER_SIZE);
	return POINTER_SIZE + w.size;
}
