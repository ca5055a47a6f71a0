// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kicks of a guest that nothing else brings out, on a CPU of its own. Without a tick there (nohz_full=1) one
 * that is lost is lost for good, which a delay before each entry makes likely (kmod/inject.h: entry_delay).
 */
#include <kselftest_harness.h>

#include "count.h"
#include "pin.h"

#define ROUNDS		3000		/* 10^6 with QVM_LONG set */
#define LONG_ROUNDS	1000000
#define LIMIT		3600		/* seconds */

FIXTURE(kick)
{
	struct machine m;
	struct runner r;
	unsigned int rounds, i;
};

FIXTURE_SETUP(kick)
{
	self->rounds = long_seconds() ? LONG_ROUNDS : ROUNDS;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU only");
	must(-pin_thread(pthread_self(), 0));
	count_start(&self->m, &self->r, EDGE, false, true);
	must(-pin_thread(self->r.thread, 1));
}

FIXTURE_TEARDOWN(kick)
{
	if (self->m.vm)
		machine_close(&self->m);
}

/* An interrupt; the guest answers at a doorbell, which is no exit to user space. */
TEST_F_TIMEOUT(kick, interrupt, LIMIT)
{
	int fd = make_eventfd(), bell = make_eventfd();

	ASSERT_EQ(0, irqfd(self->m.vm, SPI, fd, 0, 0));
	ASSERT_EQ(0, doorbell(self->m.vm, BELL, 4, bell, 0, 0));
	for (self->i = 1; self->i <= self->rounds; self->i++) {
		signal_eventfd(fd);
		ASSERT_TRUE(wait_for(bell)) { TH_LOG("round %u", self->i); }
		ASSERT_EQ(1, take(bell));
	}
	EXPECT_EQ(self->rounds, count(&self->m));
	count_stop(&self->m, &self->r);
}

/* The end of the VM, at any moment of an entry. */
TEST_F_TIMEOUT(kick, end, LIMIT)
{
	count_stop(&self->m, &self->r);
	machine_close(&self->m);
	for (self->i = 1; self->i <= self->rounds / 20; self->i++) {
		count_start(&self->m, &self->r, EDGE, false, false);
		must(-pin_thread(self->r.thread, 1));
		sleep_us(self->i * 7 % 300);
		count_stop(&self->m, &self->r);
		machine_close(&self->m);
	}
	self->m.vm = 0;
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
