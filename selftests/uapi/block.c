// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU that waits: its thread sleeps in the kernel, and polls before as long as the VM lets it. */
#define _GNU_SOURCE	/* affinity */
#include <sched.h>

#include <kselftest_harness.h>

#include "vm.h"

#define ROUNDS	100

FIXTURE(block)
{
	struct machine m;
};

FIXTURE_SETUP(block)
{
}

FIXTURE_TEARDOWN(block)
{
	if (self->m.vm)
		machine_close(&self->m);
}

/* Deadlines of the virtual timer, 1/(shared word 0) s ahead, each slept for with interrupts masked. */
GUEST(guest_sleeper, G_SHARED
      "ldr x7, [x27]\n mrs x6, cntfrq_el0\n udiv x6, x6, x7\n"
      "mov w0, #2\n movz x1, #0x0800, lsl #16\n str w0, [x1]\n"		/* GICD_CTLR */
      "movz x1, #0x080a, lsl #16\n str wzr, [x1, #0x14]\n"			/* GICR_WAKER */
      "movz x1, #0x080b, lsl #16\n mov w0, #-1\n"
      "str w0, [x1, #0x80]\n str w0, [x1, #0x100]\n"				/* group 1, enabled */
      "mov x0, #0xf0\n msr S3_0_C4_C6_0, x0\n"				/* ICC_PMR_EL1 */
      "mov x0, #1\n msr S3_0_C12_C12_7, x0\n isb\n"				/* ICC_IGRPEN1_EL1 */
      "mov x5, #100\n"
      "1: msr cntv_tval_el0, x6\n mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n"
      "2: wfi\n mrs x1, cntv_ctl_el0\n tbz x1, #2, 2b\n"
      "3: mrs x1, S3_0_C12_C12_0\n cmp x1, #27\n b.ne 3b\n"			/* ICC_IAR1_EL1 */
      "msr cntv_ctl_el0, xzr\n isb\n msr S3_0_C12_C12_1, x1\n isb\n"		/* ICC_EOIR1_EL1 */
      "subs x5, x5, #1\n b.ne 1b\n" G_OFF);

static struct qvm_vcpu_stats sleeper(struct __test_metadata *_metadata, struct machine *m,
				     uint64_t per_second, uint64_t poll_ns)
{
	struct qvm_vcpu_stats stats;

	machine_build(m, &guest_sleeper, 1);
	must(call(m->vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ .poll_ns = poll_ns }));
	machine_add_gic(m);
	machine_assemble(m);
	*shared(m, 0) = per_second;
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
	EXPECT_TRUE(is_off(m->run[0]));
	stats = vcpu_stats(m->vcpu[0]);
	EXPECT_LE(ROUNDS * 9 / 10, stats.blocks);	/* a deadline may pass before the WFI */
	return stats;
}

/* Each sleep is a switch to another thread, after which a return to user space has something to do. */
TEST_F(block, sleeps_without_user_space)
{
	struct qvm_vcpu_stats stats = sleeper(_metadata, &self->m, 1000, 0);

	EXPECT_EQ(0, stats.polls);
	EXPECT_EQ(1, stats.user_exits);
}

TEST_F(block, polls)
{
	struct qvm_vcpu_stats stats = sleeper(_metadata, &self->m, 2000, QVM_POLL_MAX_NS);

	EXPECT_LT(ROUNDS / 2, stats.polls);
	EXPECT_EQ(1, stats.user_exits);
}

/* Sleeps that polling could not meet: it learns that from the first ones. */
TEST_F(block, does_not_poll_in_vain)
{
	struct qvm_vcpu_stats stats = sleeper(_metadata, &self->m, 200, 100000);

	EXPECT_GT(ROUNDS / 4, stats.polls);
}

static atomic_bool stop;

static void *spin(void *arg)
{
	while (!atomic_load(&stop))
		;
	return arg;
}

/* Somebody else has work for the pCPU. */
TEST_F(block, does_not_poll_on_a_shared_cpu)
{
	struct qvm_vcpu_stats stats;
	pthread_t thread;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	must(-pthread_create(&thread, NULL, spin, NULL));	/* inherits it */
	stats = sleeper(_metadata, &self->m, 2000, QVM_POLL_MAX_NS);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	EXPECT_GT(ROUNDS / 4, stats.polls);
}

TEST_F(block, refuses_to_poll_long)
{
	struct qvm_vm_policy policy = { .poll_ns = QVM_POLL_MAX_NS + 1 };

	machine_build(&self->m, &guest_off, 1);
	EXPECT_EQ(-EINVAL, call(self->m.vm, QVM_VM_SET_POLICY, &policy));
	policy.poll_ns--;
	EXPECT_EQ(0, call(self->m.vm, QVM_VM_SET_POLICY, &policy));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
