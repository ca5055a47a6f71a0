// SPDX-License-Identifier: GPL-2.0-only
/* A lock that several threads want. */
#include <pthread.h>
#include <time.h>

#include "unit.h"
#include "util/lock.h"

#define THREADS	4
#define ROUNDS	100000

static struct lock lock;
static unsigned long count;		/* under it, and no atomic */

static void *counts(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		lock_take(&lock);
		count++;
		lock_give(&lock);
	}
	return NULL;
}

TEST(one_at_a_time)
{
	pthread_t threads[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, counts, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(count, THREADS * ROUNDS);
	CHECK_EQ(lock.state, 0);
}

TEST(who_sleeps_is_woken)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	pthread_t threads[THREADS];
	unsigned int i;

	count = 0;
	lock_take(&lock);
	for (i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, counts, NULL), 0);
	while (__atomic_load_n(&lock.state, __ATOMIC_RELAXED) != LOCK_WAITED_FOR)
		nanosleep(&ms, NULL);
	nanosleep(&ms, NULL);
	CHECK_EQ(count, 0);
	lock_give(&lock);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(count, THREADS * ROUNDS);
}
