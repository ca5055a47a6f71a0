// SPDX-License-Identifier: GPL-2.0-only
/* QVM_DOORBELL_F_POST: a guest's writes wait in the ring of the run page. */
#define _GNU_SOURCE	/* affinity */
#include <sched.h>

#include <kselftest_harness.h>

#include "eventfd.h"
#include "pin.h"

#define POST	QVM_DOORBELL_F_POST

FIXTURE(post)
{
	struct machine m;
};

FIXTURE_SETUP(post)
{
}

FIXTURE_TEARDOWN(post)
{
	if (self->m.vm)
		machine_close(&self->m);
}

/* x20 writes to BELL, 1 and up; then x21: sleeps, x22: spins; a write to +8 ends a round. */
GUEST(guest_post, G_DEVICE
      "0: mov x1, #0\n"
      "1: cmp x1, x20\n b.hs 2f\n add x1, x1, #1\n str w1, [x28, #0x40]\n b 1b\n"
      "2: cbz x21, 3f\n wfi\n"
      "3: cbnz x22, 3b\n"
      "str w1, [x28, #8]\n b 0b\n");

static void start(struct machine *m, uint64_t writes, bool sleeps, bool spins)
{
	machine_build(m, &guest_post, 1);
	if (sleeps)
		machine_add_gic(m);
	must(set_reg(m->vcpu[0], QVM_REG_X(20), writes));
	must(set_reg(m->vcpu[0], QVM_REG_X(21), sleeps));
	must(set_reg(m->vcpu[0], QVM_REG_X(22), spins));
	machine_assemble(m);
	must(doorbell(m->vm, BELL, 0, -1, POST, 0));
}

/* The oldest write, or 0: there is none. */
static uint64_t take_posted(struct qvm_run *run)
{
	struct qvm_posted *ring = &run->posted;
	uint32_t tail = ring->tail;
	const struct qvm_posted_write *write = &ring->write[tail % QVM_POSTED_WRITES];
	uint64_t data;

	if (__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) == tail)
		return 0;
	must(write->addr == BELL && write->len == 4 && !write->is_port ? 0 : -EPROTO);
	data = write->data;
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	return data;
}

TEST_F(post, refuses)
{
	struct machine *m = &self->m;
	struct qvm_query query = { 0 };
	int fd = make_eventfd();

	start(m, 0, false, false);
	must(call(m->sys, QVM_QUERY, &query));
	EXPECT_TRUE(query.features & QVM_FEATURE_POST);
	EXPECT_EQ(-EINVAL, doorbell(m->vm, BELL + 8, 0, fd, POST, 0));
	EXPECT_EQ(-EINVAL, doorbell(m->vm, BELL + 8, 0, 0, POST, 0));
	EXPECT_EQ(-EEXIST, doorbell(m->vm, BELL, 4, -1, POST, 0));
	EXPECT_EQ(-EEXIST, doorbell(m->vm, BELL, 4, fd, 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(m->vm, RAM_GPA, 4, -1, POST, 0));
	/* of the other kind */
	EXPECT_EQ(-ENOENT, doorbell(m->vm, BELL, 0, -1, REMOVE, 0));
	ASSERT_EQ(0, doorbell(m->vm, BELL + 8, 0, fd, 0, 0));
	EXPECT_EQ(-ENOENT, doorbell(m->vm, BELL + 8, 0, -1, REMOVE | POST, 0));
	EXPECT_EQ(0, doorbell(m->vm, BELL, 0, -1, REMOVE | POST, 0));
	EXPECT_EQ(-ENOENT, doorbell(m->vm, BELL, 0, -1, REMOVE | POST, 0));
}

/* All that was posted is there when the next exit is, and no exit was made for it. */
TEST_F(post, in_order)
{
	struct machine *m = &self->m;
	uint64_t i;
	int reason;

	start(m, 50, false, false);
	/* a slow host may find some of them late enough to be an exit's only reason */
	while ((reason = run_vcpu(m, 0)) == QVM_EXIT_POSTED)
		;
	ASSERT_EQ(QVM_EXIT_MMIO, reason);
	EXPECT_EQ(DEVICE_GPA + 8, m->run[0]->mmio.gpa);
	for (i = 1; i <= 50; i++)
		EXPECT_EQ(i, take_posted(m->run[0]));
	EXPECT_EQ(0, take_posted(m->run[0]));
	EXPECT_EQ(50, vcpu_stats(m->vcpu[0]).posted);
	EXPECT_EQ(1, vcpu_stats(m->vcpu[0]).mmio_user);
	EXPECT_EQ(0, vcpu_stats(m->vcpu[0]).doorbells);
	/* removed: they come as ever */
	ASSERT_EQ(0, doorbell(m->vm, BELL, 0, -1, REMOVE | POST, 0));
	for (i = 1; i <= 50; i++)
		EXPECT_EQ(i, next_write(m, 0, 0x40));
	EXPECT_EQ(0, take_posted(m->run[0]));
}

/* What finds the ring full comes by itself, once, and what is behind it is posted again. */
TEST_F(post, full)
{
	struct machine *m = &self->m;
	uint64_t i, next = 1, by_exit = 0;
	int reason;

	start(m, 1000, false, false);
	while ((reason = run_vcpu(m, 0)) != QVM_EXIT_MMIO || m->run[0]->mmio.gpa == BELL) {
		while ((i = take_posted(m->run[0])))
			EXPECT_EQ(next++, i);
		ASSERT_TRUE(reason == QVM_EXIT_MMIO || reason == QVM_EXIT_POSTED);
		if (reason == QVM_EXIT_MMIO) {
			EXPECT_EQ(next++, mmio_data(m->run[0]));
			by_exit++;
		}
	}
	while ((i = take_posted(m->run[0])))
		EXPECT_EQ(next++, i);
	EXPECT_EQ(1001, next);
	EXPECT_EQ(1000, vcpu_stats(m->vcpu[0]).posted + by_exit);
}

/* A guest that makes no exit of its own keeps nobody waiting, nor does one that sleeps. */
TEST_F(post, in_time)
{
	struct machine *m = &self->m;
	long begin;

	start(m, 3, false, true);
	begin = milliseconds();
	EXPECT_EQ(QVM_EXIT_POSTED, run_vcpu(m, 0));
	EXPECT_LT(milliseconds() - begin, 2000);
	EXPECT_EQ(1, take_posted(m->run[0]));
}

/*
 * The timer may be another CPU's: its kick is no interrupt of the guest's. It often is where the vCPU's CPU
 * has no tick (nohz_full=1), as nothing else brings the guest out there.
 */
TEST_F(post, in_time_by_another_cpu)
{
	struct runner r;
	int i, lost = 0;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU only");
	for (i = 0; i < 20 && !lost; i++) {
		long end = milliseconds() + 3000;

		start(&self->m, 3, false, true);
		must(-pin_thread(pthread_self(), 1));
		runner_start(&r, &self->m, 0);		/* it stays there */
		must(-pin_thread(pthread_self(), 0));
		while (!atomic_load(&r.done) && milliseconds() < end)
			sleep_us(1000);
		lost += !atomic_load(&r.done);
		if (lost)
			must(call(self->m.vm, QVM_VM_END, NULL));
		EXPECT_EQ(QVM_EXIT_POSTED, runner_join(&r));
		machine_close(&self->m);
		self->m.vm = 0;
	}
	EXPECT_EQ(0, lost) { TH_LOG("round %d", i); }
}

TEST_F(post, asleep)
{
	struct machine *m = &self->m;
	struct runner r;

	start(m, 2, true, false);
	EXPECT_EQ(QVM_EXIT_POSTED, run_vcpu(m, 0));
	EXPECT_EQ(1, take_posted(m->run[0]));
	take_posted(m->run[0]);
	runner_start(&r, m, 0);
	sleep_us(20000);
	must(call(m->vm, QVM_VM_END, NULL));
	runner_join(&r);
}

/* Whatever user space has as its tail: no write is lost in the module, and nothing worse happens. */
TEST_F(post, nonsense)
{
	static const uint32_t tails[] = { 1, 65, 0x7fffffff, 0x80000000, 0xffffffff };
	struct machine *m = &self->m;
	unsigned int i, j;

	start(m, 3, false, false);
	for (i = 0; i < ARRAY_SIZE(tails); i++) {
		uint64_t next = 1, seen;
		uint32_t head = m->run[0]->posted.head;

		m->run[0]->posted.tail = head + tails[i];
		m->run[0]->posted.head = i;
		for (j = 0; j < 200; j++) {
			int reason = run_vcpu(m, 0);

			if (reason == QVM_EXIT_POSTED)
				continue;
			ASSERT_EQ(QVM_EXIT_MMIO, reason);
			if (m->run[0]->mmio.gpa != BELL)
				break;
			EXPECT_EQ(next++, mmio_data(m->run[0]));
		}
		if (tails[i] != 0xffffffff) {
			EXPECT_EQ(4, next);
			m->run[0]->posted.tail = m->run[0]->posted.head = head;
			continue;
		}
		/* one waits, it says: so there is room for them */
		EXPECT_EQ(1, next);
		m->run[0]->posted.tail = head;
		while ((seen = take_posted(m->run[0])))
			EXPECT_EQ(next++, seen);
		EXPECT_EQ(4, next);
	}
}

struct taker {
	struct qvm_run *run;
	atomic_bool stop;
	uint64_t next;
	bool bad;
	pthread_t thread;
};

static void *taker_main(void *arg)
{
	struct taker *t = arg;
	uint64_t value;

	for (;;) {
		bool stop = atomic_load(&t->stop);

		value = take_posted(t->run);
		if (!value && stop)
			return NULL;
		if (value && value != __atomic_fetch_add(&t->next, 1, __ATOMIC_ACQ_REL))
			t->bad = true;
	}
}

#define MANY	100000

/* Another thread takes them while the guest runs: each once, in order. */
TEST_F(post, taken_meanwhile)
{
	struct machine *m = &self->m;
	struct taker t = { .next = 1 };
	uint64_t by_exit = 0;
	int reason;

	start(m, MANY, false, false);
	t.run = m->run[0];
	must(-pthread_create(&t.thread, NULL, taker_main, &t));
	while ((reason = run_vcpu(m, 0)) == QVM_EXIT_POSTED || m->run[0]->mmio.gpa == BELL) {
		ASSERT_TRUE(reason == QVM_EXIT_POSTED || reason == QVM_EXIT_MMIO);
		if (reason == QVM_EXIT_POSTED)
			continue;
		/* the ring was full: when it is empty, this one's turn has come */
		while (__atomic_load_n(&t.next, __ATOMIC_ACQUIRE) != mmio_data(m->run[0]))
			sched_yield();
		__atomic_store_n(&t.next, mmio_data(m->run[0]) + 1, __ATOMIC_RELEASE);
		by_exit++;
	}
	atomic_store(&t.stop, true);
	must(-pthread_join(t.thread, NULL));
	EXPECT_FALSE(t.bad);
	EXPECT_EQ(MANY + 1, t.next);
	EXPECT_EQ(MANY, vcpu_stats(m->vcpu[0]).posted + by_exit);
}

/* The module's timer and the VM's end. */
TEST_F(post, closed_while_they_wait)
{
	int i;

	for (i = 0; i < 50; i++) {
		start(&self->m, 1, false, true);
		self->m.run[0]->immediate_exit = i % 2;
		call(self->m.vcpu[0], QVM_VCPU_RUN, NULL);
		machine_close(&self->m);
	}
	self->m.vm = 0;
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
