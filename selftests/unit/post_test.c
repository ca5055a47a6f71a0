// SPDX-License-Identifier: GPL-2.0-only
/* Posted writes (kmod/post.c): the ring, its timer, and user space that lies about its tail. */
#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/hrtimer.h>
#include <linux/types.h>

#include <qvm.h>
#include <qvm_run.h>

#include "unit.h"

#define QVM_CORE_H
#define QVM_COMPAT_H

#include "../../kmod/post.h"

struct qvm_access {
	u64 gpa, data;
	u8 len;
	bool is_port;
};

struct qvm_vcpu {
	struct qvm_run *run;
	struct qvm_post post;
	struct qvm_vcpu_stats stats;
};

static unsigned int kicks;

static bool post(u64 data, u8 len);
static bool posts_in_timer;

/* The vCPU's thread is on another CPU, and may be this fast. */
static void qvm_vcpu_kick(struct qvm_vcpu *vcpu)
{
	kicks++;
	if (posts_in_timer) {
		CHECK(qvm_post_is_due(vcpu));
		vcpu->run->posted.tail = vcpu->run->posted.head;
		posts_in_timer = false;
		local_irq_enable();
		CHECK(post(7, 4));
		local_irq_disable();
	}
}

static void qvm_hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*fn)(struct hrtimer *),
			      enum hrtimer_mode mode)
{
	*timer = (struct hrtimer){ .function = fn, .mode = mode };
}

#include "../../kmod/post.c"

static struct qvm_run run;
static struct qvm_vcpu vcpu;

/* @head: of as many writes before. */
static void start(u32 head)
{
	memset(&run, 0, sizeof(run));
	vcpu = (struct qvm_vcpu){ .run = &run, .post.head = head };
	run.posted.head = run.posted.tail = head;
	qvm_post_init(&vcpu);
	kicks = 0;
}

static bool post(u64 data, u8 len)
{
	const struct qvm_access access = { .gpa = 0x1000 + len, .data = data, .len = len, .is_port = len == 2 };

	return qvm_post_write(&vcpu, &access);
}

TEST(what_is_in_the_ring)
{
	start(0);
	CHECK(!qvm_post_is_waiting(&vcpu));
	CHECK(post(0x1122334455667788, 8));
	CHECK(post(0x1122334455667788, 2));
	CHECK(qvm_post_is_waiting(&vcpu));
	CHECK_EQ(run.posted.head, 2);
	CHECK_EQ(run.posted.write[0].addr, 0x1008);
	CHECK_EQ(run.posted.write[0].data, 0x1122334455667788);
	CHECK_EQ(run.posted.write[0].len, 8);
	CHECK_EQ(run.posted.write[0].is_port, 0);
	CHECK_EQ(run.posted.write[1].data, 0x7788);
	CHECK_EQ(run.posted.write[1].len, 2);
	CHECK_EQ(run.posted.write[1].is_port, 1);
	CHECK_EQ(vcpu.stats.posted, 2);
	qvm_post_fini(&vcpu);
}

/* Full, taken, and over the end of 32 bits. */
TEST(full_and_around)
{
	u32 i, begin = 0u - QVM_POSTED_WRITES / 2;

	start(begin);
	for (i = 0; i < QVM_POSTED_WRITES; i++)
		CHECK(post(i, 4));
	CHECK(!post(i, 4));
	CHECK_EQ(run.posted.head, begin + QVM_POSTED_WRITES);
	for (i = 0; i < QVM_POSTED_WRITES; i++)
		CHECK_EQ(run.posted.write[(begin + i) % QVM_POSTED_WRITES].data, i);
	run.posted.tail++;
	CHECK(post(99, 4));
	CHECK(!post(100, 4));
	run.posted.tail = run.posted.head;
	CHECK(!qvm_post_is_waiting(&vcpu));
	qvm_post_fini(&vcpu);
}

/* Neither a tail before the head by more than the ring nor one behind it, nor another head. */
TEST(a_tail_that_makes_no_sense)
{
	static const u32 tails[] = { 1, 0x80000000, 0xffffffff - QVM_POSTED_WRITES };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		start(0);
		run.posted.tail = tails[i];
		CHECK(!post(1, 4));
		CHECK_EQ(run.posted.head, 0);
		run.posted.tail = 0;
		run.posted.head = 0x12345678;
		CHECK(post(2, 4));
		CHECK_EQ(run.posted.head, 1);
		CHECK_EQ(run.posted.write[0].data, 2);
		qvm_post_fini(&vcpu);
	}
}

TEST(the_time_of_the_oldest)
{
	start(0);
	CHECK(!qvm_post_is_due(&vcpu));
	CHECK(post(1, 1));
	fake_time_pass(QVM_POSTED_NS - 1);
	CHECK(post(2, 1));
	CHECK_EQ(kicks, 0);
	fake_time_pass(1);
	CHECK_EQ(kicks, 1);
	CHECK(qvm_post_is_due(&vcpu));
	CHECK(!qvm_post_is_due(&vcpu));		/* once */
	/* taken before the time has come: nothing is due then */
	CHECK(post(3, 1));
	run.posted.tail = run.posted.head;
	fake_time_pass(QVM_POSTED_NS);
	CHECK(!qvm_post_is_due(&vcpu));
	qvm_post_fini(&vcpu);
}

/* A write that is posted while the timer still says that those before are due has its own time. */
TEST(posted_while_it_fires)
{
	start(0);
	CHECK(post(1, 1));
	posts_in_timer = true;
	fake_time_pass(QVM_POSTED_NS);
	CHECK_EQ(kicks, 1);
	CHECK(qvm_post_is_waiting(&vcpu));
	CHECK(!qvm_post_is_due(&vcpu));
	fake_time_pass(QVM_POSTED_NS);
	CHECK_EQ(kicks, 2);
	CHECK(qvm_post_is_due(&vcpu));
	qvm_post_fini(&vcpu);
}

/* Tier 0b arms no timer; where one runs it posts. */
TEST(interrupts_off)
{
	start(0);
	local_irq_disable();
	CHECK(!post(1, 4));
	local_irq_enable();
	CHECK(post(1, 4));
	local_irq_disable();
	CHECK(post(2, 4));
	local_irq_enable();
	fake_time_pass(QVM_POSTED_NS);
	local_irq_disable();
	CHECK(!post(3, 4));
	local_irq_enable();
	CHECK_EQ(run.posted.head, 2);
	qvm_post_fini(&vcpu);
}
