// SPDX-License-Identifier: GPL-2.0-only
#include "util/status.h"

#include <stddef.h>

static const struct {
	enum status status;
	const char *text;
} texts[] = {
	{ STATUS_OK, "the guest switched off or asked for a reset" },
	{ STATUS_POWER_CUT, "power cut" },
	{ STATUS_WATCHDOG, "watchdog" },
	{ STATUS_POLICY, "unsupported operation" },
	{ STATUS_DEVICE, "device error" },
	{ STATUS_UNEXPECTED, "unexpected error" },
	{ STATUS_START, "not started" },
	{ STATUS_CONFIG, "config" },
	{ STATUS_RUN, "safe state" },
};

const char *status_text(int status)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if ((int)texts[i].status == status)
			return texts[i].text;
	return "as the guest chose";
}
