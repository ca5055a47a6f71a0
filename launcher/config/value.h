/* SPDX-License-Identifier: GPL-2.0-only */
/* Scalars of the config as numbers and such. */
#ifndef QVM_CONFIG_VALUE_H
#define QVM_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decimal or 0x…, with a binary K, M or G behind it; never octal. False: no number, or it
 * does not fit in 64 bits.
 */
bool value_number(const char *text, uint64_t *number);

/* true false yes no on off, in any case. */
bool value_bool(const char *text, bool *value);

/*
 * "gic:37", "ioapic:4", or "none", which is 0. False: none of them, or no line below 1020. Which
 * of them the board has is not asked.
 */
bool value_irq(const char *text, uint32_t *irq);

/* "io:0x3f8", an I/O port. False: it is not that. */
bool value_port(const char *text, uint32_t *port);

/* How much of a place's text only says what it is a place of: "mem:" or "io:"; 0 where neither does. */
size_t value_place_prefix(const char *text);

/* "0x3f8,8" or "0x3f8", which is one port. False: it is not that, or beyond the last port. */
bool value_ports(const char *text, uint32_t *port, uint32_t *count);

/* "0:3.1", a PCI slot: its bus, and device and function as one number. False: it is not that. */
bool value_slot(const char *text, unsigned int *bus, uint32_t *slot);

/* PRIO and one of r f o, which is r if left out; priority 1 … 99. */
bool value_sched(const char *text, int *priority, char *policy);

/* Words of sporadic scheduling. */
struct sporadic {
	uint64_t high, low, replacements;
	uint64_t period, budget;	/* ns */
};

/* "HIGH,LOW,MAXREPL,PERIOD,BUDGETs", times in ns, us, ms or s; no unit: ns. Nothing is compared. */
bool value_sporadic(const char *text, struct sporadic *sporadic);

/* "512M", "0x1234": the shortest way to write a size, into @text of @size bytes. */
const char *value_size_text(uint64_t number, char *text, unsigned int size);

#endif
