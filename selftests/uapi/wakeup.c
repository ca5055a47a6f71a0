// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SCHED_FIFO thread on the pCPU of a guest whose every instruction is an exit that is answered at tier 0: it wakes up
 * as if nobody were there. In the lab with --icount, where a nanosecond is an instruction.
 */
#include <kselftest_harness.h>

#include <sched.h>

#include "vm.h"

#define ROUNDS		200
#define PERIOD_NS	1037000		/* no multiple of the host's tick */
#define LATER_NS	1000000		/* allowed beyond an idle pCPU's worst */

GUEST(guest_hypercalls, "1: mov w0, #0xffff\n movk w0, #0x8600, lsl #16\n hvc #0\n b 1b");
GUEST(guest_id_reads, "1: mrs x0, id_aa64mmfr0_el1\n mrs x1, cntpct_el0\n b 1b");
/* tier 0b: a device in the kernel, read and written; an interrupt to oneself that is masked */
GUEST(guest_device, "mov x1, #0x08000000\n mov w2, #1\n 1: ldr w0, [x1, #8]\n str w2, [x1, #0x204]\n str w2, [x1, #0x284]\n b 1b");
GUEST(guest_sgis, "mov x2, #1\n msr s3_0_c12_c12_7, x2\n isb\n mov x0, #1\n movk x0, #0x100, lsl #16\n 1: msr s3_0_c12_c11_5, x0\n b 1b");

static int64_t ns_of(const struct timespec *t)
{
	return t->tv_sec * 1000000000LL + t->tv_nsec;
}

/* The latest wake-up of all rounds. */
static int64_t latest(void)
{
	struct timespec next, now;
	int64_t worst = 0, late;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int i = 0; i < ROUNDS; i++) {
		next.tv_nsec += PERIOD_NS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		late = ns_of(&now) - ns_of(&next);
		worst = late > worst ? late : worst;
	}
	return worst;
}

static void become_realtime(void)
{
	struct sched_param param = { .sched_priority = 50 };

	must(sched_setscheduler(0, SCHED_FIFO, &param));
}

FIXTURE(wakeup)
{
	int64_t idle;
};

FIXTURE_SETUP(wakeup)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	must(sched_setaffinity(0, sizeof(cpus), &cpus));
	self->idle = latest();
}

FIXTURE_TEARDOWN(wakeup)
{
}

static void storm(struct __test_metadata *_metadata, int64_t idle, const struct guest *guest)
{
	struct qvm_vcpu_stats before, after;
	struct machine m;
	struct runner r;
	int64_t busy;

	machine_build(&m, guest, 1);
	machine_add_gic(&m);
	machine_assemble(&m);
	runner_start(&r, &m, 0);
	become_realtime();
	before = vcpu_stats(m.vcpu[0]);
	busy = latest();
	after = vcpu_stats(m.vcpu[0]);
	must(call(m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
	machine_close(&m);
	TH_LOG("latest wake-up: idle %lld ns, storm %lld ns; %llu exits, %llu of them at tier 0", (long long)idle,
	       (long long)busy, after.exits - before.exits, after.tier0 - before.tier0);
	EXPECT_LT(1000 * ROUNDS / 100, after.exits - before.exits);
	/* without VHE there is no tier 0 */
	if (after.tier0)
		EXPECT_LT((after.exits - before.exits) * 9 / 10, after.tier0 - before.tier0);
	EXPECT_LT(busy, idle + LATER_NS);
}

TEST_F(wakeup, among_hypercalls)
{
	storm(_metadata, self->idle, &guest_hypercalls);
}

TEST_F(wakeup, among_register_reads)
{
	storm(_metadata, self->idle, &guest_id_reads);
}

TEST_F(wakeup, among_device_accesses)
{
	storm(_metadata, self->idle, &guest_device);
}

TEST_F(wakeup, among_sgis)
{
	storm(_metadata, self->idle, &guest_sgis);
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
