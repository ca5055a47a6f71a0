// SPDX-License-Identifier: GPL-2.0-only
/* The types of devices that are linked into qvm. */
#include <stddef.h>
#include <string.h>

#include "dev/acpi_pm.h"
#include "dev/debug_exit.h"
#include "dev/device_host.h"
#include "dev/fw_cfg.h"
#include "dev/in_kernel.h"
#include "dev/load.h"
#include "dev/mc146818.h"
#include "dev/ns16550.h"
#include "dev/pckeyboard.h"
#include "dev/pl011.h"
#include "dev/pl031.h"
#include "dev/pl061.h"
#include "dev/progress.h"
#include "dev/shmem.h"
#include "dev/test_devices.h"
#include "dev/watchdog.h"

const struct device_type *const device_types[] = {
	&pl011_type,
	&ns16550_type,
	&ser8250_type,
	&pl031_type,
	&pl061_type,
	&sp805_type,
	&progress_type,
	&shmem_type,
	&mc146818_type,
	&ib700_type,
	&acpi_pm_type,
	&pckeyboard_type,
	&debug_exit_type,
	&fw_cfg_type,
	&test_lines_type,
	&test_ports_type,
	&test_memory_type,
	&test_bell_type,
	&test_bell_port_type,
	&ioapic_type,
	&i8259_type,
	&timer8254_type,
	NULL,
};

const struct device_type *device_type_find(const char *name)
{
	for (const struct device_type *const *type = device_types; *type; type++)
		if (!strcmp((*type)->name, name))
			return *type;
	return device_loaded_find(name);
}
