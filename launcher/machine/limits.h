/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host can give, against what a model wants: told before anything is taken. */
#ifndef QVM_MACHINE_LIMITS_H
#define QVM_MACHINE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

struct limits {
	uint64_t available;	/* bytes of memory that can be had without swapping */
	uint64_t memlock;	/* bytes that this user may pin */
	unsigned int cpus;	/* of the host; 1 … */
	unsigned int rtprio;	/* highest real-time priority that this user may have; 0: none */
	bool deadline;		/* this user may have SCHED_DEADLINE */
};

/* As they are now; what the host does not tell is without limit. */
void limits_read(struct limits *limits);

/* 0, or -1: the host has less than the model wants, which was said with the remedy. */
int limits_check(const struct limits *limits, const struct machine *m);

#endif
