// SPDX-License-Identifier: GPL-2.0-only
#include "dev/device.h"

#include "machine/machine.h"
#include "vm/vm.h"

void device_set_irq(struct device *dev, bool level)
{
	if (dev->irq_level == level)
		return;		/* most register accesses change nothing: spare the call */
	dev->irq_level = level;
	if (dev->vm && dev->config->irq)
		vm_set_irq(dev->vm, dev->config->irq, level);
}
