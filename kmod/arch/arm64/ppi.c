// SPDX-License-Identifier: GPL-2.0-only
/* The two private interrupts that this module takes, as the host's firmware describes them: by DT or ACPI. */
#include <linux/acpi.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/of.h>
#include <linux/of_irq.h>

#include "arm64.h"

static unsigned int dt_irq(const char *compatible, const char *name, int index)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, compatible);
	int named = node ? of_property_match_string(node, "interrupt-names", name) : -EINVAL;
	unsigned int virq = node ? irq_of_parse_and_map(node, named >= 0 ? named : index) : 0;

	of_node_put(node);
	return virq;
}

#ifdef CONFIG_ACPI
static unsigned int acpi_vtimer_irq(void)
{
	struct acpi_table_gtdt *gtdt;
	unsigned int flags;
	int virq;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_GTDT, 0, (struct acpi_table_header **)&gtdt)))
		return 0;
	flags = gtdt->virtual_timer_flags;
	virq = acpi_register_gsi(NULL, gtdt->virtual_timer_interrupt,
				 flags & ACPI_GTDT_INTERRUPT_MODE ? ACPI_EDGE_SENSITIVE :
								    ACPI_LEVEL_SENSITIVE,
				 flags & ACPI_GTDT_INTERRUPT_POLARITY ? ACPI_ACTIVE_LOW : ACPI_ACTIVE_HIGH);
	acpi_put_table(&gtdt->header);
	return virq > 0 ? virq : 0;
}

/* The first GICC entry of the MADT: the interrupt has one number on all pCPUs. */
static unsigned int acpi_maint_irq(void)
{
	struct acpi_table_madt *madt;
	void *p, *end;
	int virq = 0;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, (struct acpi_table_header **)&madt)))
		return 0;
	end = (void *)madt + madt->header.length;
	for (p = madt + 1; p + sizeof(struct acpi_subtable_header) <= end;) {
		struct acpi_subtable_header *entry = p;
		struct acpi_madt_generic_interrupt *gicc = p;

		if (entry->type == ACPI_MADT_TYPE_GENERIC_INTERRUPT && gicc->vgic_interrupt) {
			virq = acpi_register_gsi(NULL, gicc->vgic_interrupt,
						 gicc->flags & ACPI_MADT_VGIC_IRQ_MODE ?
						 ACPI_EDGE_SENSITIVE : ACPI_LEVEL_SENSITIVE,
						 ACPI_ACTIVE_HIGH);
			break;
		}
		if (!entry->length)
			break;
		p += entry->length;
	}
	acpi_put_table(&madt->header);
	return virq > 0 ? virq : 0;
}
#else
static unsigned int acpi_vtimer_irq(void) { return 0; }
static unsigned int acpi_maint_irq(void) { return 0; }
#endif

unsigned int arm64_ppi_vtimer(void)
{
	return acpi_disabled ? dt_irq("arm,armv8-timer", "virt", 2) : acpi_vtimer_irq();
}

unsigned int arm64_ppi_maintenance(void)
{
	return acpi_disabled ? dt_irq("arm,gic-v3", "maintenance", 0) : acpi_maint_irq();
}
