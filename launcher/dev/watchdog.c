// SPDX-License-Identifier: GPL-2.0-only
#include "dev/watchdog.h"

#include <errno.h>
#include <string.h>

#include "util/status.h"

void watchdog_check(struct device *dev, unsigned int actions)
{
	bool interrupt = actions & (WATCHDOG_INTERRUPT | WATCHDOG_FIQ);

	if (interrupt && actions & WATCHDOG_TERMINATE)
		device_config_error(dev, "action", "terminate and interrupt, but the VM has ended after "
				    "the one; write one of them");
}

void watchdog_bite(struct device *dev, unsigned int actions)
{
	int error;

	device_log(dev, DEVICE_WARN, "the watchdog bites");
	if (actions & WATCHDOG_DUMP) {
		error = device_dump(dev, "watchdog");
		if (error == -ENOENT)
			device_log(dev, DEVICE_WARN, "no dump, as the config has no `dump`");
		else if (error)
			device_log(dev, DEVICE_WARN, "no dump: %s", strerror(-error));
	}
	if (actions & WATCHDOG_TERMINATE)
		device_end(dev, STATUS_WATCHDOG, "the guest did not feed it in time");
}
