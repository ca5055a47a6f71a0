/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of machine_build(), in the order in which it calls them. Each makes its part of the
 * model out of its part of the tree, leaves out what is marked bad, and says errors by log_at().
 */
#ifndef QVM_MACHINE_BUILD_H
#define QVM_MACHINE_BUILD_H

#include <stdint.h>

#include "config/node.h"

struct machine;

#define IRQ_AUTO	UINT32_MAX	/* a line that assign_devices() chooses */

/* Where a list should be there may be anything: the schema has said so. */
static inline struct node *node_first(const struct node *list)
{
	return list && list->kind == NODE_LIST ? list->child : NULL;
}

/* `devices`: what is said of each; addresses, lines and names that are not said stay open. */
void build_devices(struct machine *m, const struct node *list);
void build_reserved(struct machine *m, const struct node *list);
/* `pass`; says that none of it can be had. */
void build_pass(struct machine *m, struct node *list);
void build_loggers(struct machine *m, const struct node *list);

/* The line that a value says; @unsaid where there is none, or "auto"; 0 after an error. */
uint32_t build_line(const struct machine *m, struct node *said, uint32_t unsaid);

/* Give addresses and lines to the devices that have none. After all of the above, and the GIC. */
void assign_devices(struct machine *m);
/* Names, then each device's own options and its check of them. */
void finish_devices(struct machine *m);
/* Places for the windows of devices, after all of the above. */
void assign_windows(struct machine *m);

/* The kinds of messages that a word of `logger` means, bits of enum log_kind; 0: no such word. */
unsigned int logger_kind(const char *text);
/* The enum log_target that a word of `logger` means; -1: no such word. */
int logger_target(const char *text);

#endif
