/* SPDX-License-Identifier: GPL-2.0-only */
/* One of each kind of exit, for tests of what is kept over them. */
#ifndef GUEST_EXITS_H
#define GUEST_EXITS_H

#include "guest.h"

struct exit_kind {
	const char *name;
	void (*fn)(void);
};

/* None uses an FP register. Interrupts are off; HLT is ended by the LAPIC's timer. */
extern const struct exit_kind exit_kinds[];

#endif /* GUEST_EXITS_H */
