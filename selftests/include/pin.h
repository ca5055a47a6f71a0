/* SPDX-License-Identifier: GPL-2.0-only */
/* Who includes this defines _GNU_SOURCE first. */
#ifndef SELFTESTS_PIN_H
#define SELFTESTS_PIN_H

#include <pthread.h>
#include <sched.h>

/* 0, or an errno */
static inline int pin_thread(pthread_t thread, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return pthread_setaffinity_np(thread, sizeof(set), &set);
}

#endif /* SELFTESTS_PIN_H */
