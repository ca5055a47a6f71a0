// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two private interrupts that the module takes (arm64): however a vCPU with a timer is moved, the host sees no
 * more of them than there are ticks and moves, and the guest misses none of its ticks.
 */
#define _GNU_SOURCE	/* affinity */
#include <sched.h>

#include <kselftest_harness.h>

#include "pin.h"
#include "vm.h"

#define STORM_MS	2500
#define SLACK		1000

/* How often the host has taken it, on all of its CPUs. */
static unsigned long taken(const char *name)
{
	FILE *f = fopen("/proc/interrupts", "r");
	unsigned long sum = 0;
	char line[512];

	must(f ? 0 : -errno);
	while (fgets(line, sizeof(line), f)) {
		char *at = strchr(line, ':'), *end;

		if (!strstr(line, name) || !at)
			continue;
		for (at++;; at = end) {
			unsigned long n = strtoul(at, &end, 10);

			if (end == at)
				break;
			sum += n;
		}
	}
	fclose(f);
	return sum;
}

#define G_GIC									\
	"mov w0, #2\n movz x1, #0x0800, lsl #16\n str w0, [x1]\n"		/* GICD_CTLR */ \
	"movz x1, #0x080a, lsl #16\n str wzr, [x1, #0x14]\n"			/* GICR_WAKER */ \
	"movz x1, #0x080b, lsl #16\n mov w0, #-1\n"				\
	"str w0, [x1, #0x80]\n str w0, [x1, #0x100]\n"				/* group 1, enabled */ \
	"mov x0, #0xf0\n msr S3_0_C4_C6_0, x0\n"				/* ICC_PMR_EL1 */ \
	"mov x0, #1\n msr S3_0_C12_C12_7, x0\n isb\n"				/* ICC_IGRPEN1_EL1 */
#define G_IN_MS		"mrs x6, cntfrq_el0\n mov x7, #1000\n udiv x6, x6, x7\n"

/* A tick each millisecond, counted at [x27] when it is taken. */
GUEST(guest_ticks, G_DEVICE G_SHARED G_GIC G_IN_MS
      "1: msr cntv_tval_el0, x6\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
      "2: mrs x1, S3_0_C12_C12_0\n cmp w1, #27\n b.ne 2b\n"			/* ICC_IAR1_EL1 */
      "ldr x2, [x27]\n add x2, x2, #1\n str x2, [x27]\n"
      "msr cntv_ctl_el0, xzr\n isb\n msr S3_0_C12_C12_1, x1\n isb\n b 1b\n");	/* ICC_EOIR1_EL1 */

/* One that expired, and that the guest never takes: [x27] counts its own rounds. */
GUEST(guest_ignores, G_DEVICE G_SHARED G_GIC
      "msr cntv_tval_el0, xzr\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
      "1: ldr x2, [x27]\n add x2, x2, #1\n str x2, [x27]\n b 1b\n");

/* Taken and never ended, its line up. */
GUEST(guest_holds, G_DEVICE G_SHARED G_GIC
      "msr cntv_tval_el0, xzr\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
      "2: mrs x1, S3_0_C12_C12_0\n cmp w1, #27\n b.ne 2b\n"
      "1: ldr x2, [x27]\n add x2, x2, #1\n str x2, [x27]\n b 1b\n");

FIXTURE(ppi)
{
	struct machine m[2];
	struct runner r[2];
	unsigned long timer, maintenance, moves;	/* while moved() */
	uint64_t rounds[2];
};

FIXTURE_SETUP(ppi)
{
	self->moves = 0;
}

FIXTURE_TEARDOWN(ppi)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		call(self->m[i].vm, QVM_VM_END, NULL);
		runner_join(&self->r[i]);
		machine_close(&self->m[i]);
	}
}

/* A vCPU on its way between pCPUs all the time, or where another one is that ticks. */
static void storm(struct __test_metadata *_metadata, FIXTURE_DATA(ppi) *self, const struct guest *guest, bool moves)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), end;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		machine_build(&self->m[i], i ? &guest_ticks : guest, 1);
		machine_add_gic(&self->m[i]);
		machine_assemble(&self->m[i]);
		runner_start(&self->r[i], &self->m[i], 0);
		pin_thread(self->r[i].thread, 0);
		EXPECT_TRUE(eventually(*shared(&self->m[i], 0)));
		self->rounds[i] = *shared(&self->m[i], 0);
	}
	self->timer = taken("qvm virtual timer");
	self->maintenance = taken("qvm maintenance");
	for (end = milliseconds() + STORM_MS; milliseconds() < end; self->moves++) {
		if (moves)
			pin_thread(self->r[0].thread, (unsigned int)(self->moves % (unsigned long)cpus));
		sleep_us(1000);
	}
	self->timer = taken("qvm virtual timer") - self->timer;
	self->maintenance = taken("qvm maintenance") - self->maintenance;
	for (i = 0; i < 2; i++) {
		uint64_t before = *shared(&self->m[i], 0);

		self->rounds[i] = before - self->rounds[i];
		EXPECT_TRUE(eventually(*shared(&self->m[i], 0) > before)) { TH_LOG("guest %u stands", i); }
		EXPECT_FALSE(atomic_load(&self->r[i].done));
	}
	TH_LOG("timer %lu, maintenance %lu; moves %lu, rounds %llu and %llu", self->timer, self->maintenance,
	       self->moves, (unsigned long long)self->rounds[0], (unsigned long long)self->rounds[1]);
	/* the other's ticks; what a load, or a preemption, may bring up again */
	EXPECT_GT(self->rounds[1] + (guest == &guest_ticks ? self->rounds[0] : 0) + 4 * self->moves + SLACK,
		  self->timer);
	EXPECT_GT(4 * self->moves + SLACK, self->maintenance);
	EXPECT_LT(50, self->rounds[1]);
	EXPECT_LT(50, self->rounds[0]);
}

TEST_F(ppi, ticks_are_moved)
{
	storm(_metadata, self, &guest_ticks, true);
}

TEST_F(ppi, ticks_on_one_cpu)
{
	storm(_metadata, self, &guest_ticks, false);
}

TEST_F(ppi, ignored_is_moved)
{
	storm(_metadata, self, &guest_ignores, true);
}

TEST_F(ppi, held_is_moved)
{
	storm(_metadata, self, &guest_holds, true);
}

TEST_F(ppi, held_on_one_cpu)
{
	storm(_metadata, self, &guest_holds, false);
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
