/* SPDX-License-Identifier: GPL-2.0-only */
/* Exit statuses of qvm: what a supervisor can tell apart without reading the log. */
#ifndef QVM_UTIL_STATUS_H
#define QVM_UTIL_STATUS_H

enum status {
	STATUS_OK		= 0,	/* the guest switched itself off or asked for a restart */
	STATUS_POWER_CUT	= 3,	/* SIGQUIT: stopped without notice to the guest */
	STATUS_WATCHDOG		= 4,	/* a watchdog bit */
	STATUS_POLICY		= 5,	/* unsupported operation, and the policy says abort */
	STATUS_DEVICE		= 6,	/* unexpected error of a device */
	STATUS_UNEXPECTED	= 7,	/* unexpected error */
	STATUS_START		= 64,	/* fatal before the guest started: memory, module … */
	STATUS_CONFIG		= 65,	/* the config or the command line is wrong */
	STATUS_RUN		= 96,	/* fatal after the guest started */
};

/* What it means, in a few words: for env.json and messages. */
const char *status_text(int status);

#endif
