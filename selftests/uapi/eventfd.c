// SPDX-License-Identifier: GPL-2.0-only
/* QVM_VM_IRQFD: a signal of an eventfd interrupts a guest; and doorbells that are such eventfds. */
#include <kselftest_harness.h>

#include <sys/resource.h>

#include "count.h"

#define PINGS		3000		/* rounds, or as many as fit in PING_TIME; 10^6 in QVM_LONG's */
#define LONG_PINGS	1000000
#define PING_TIME	15		/* seconds: a round is two switches of a loaded machine's CPUs */
#define LEAST_PINGS	100
#define LONG_LIMIT	3600		/* seconds */

FIXTURE(eventfd)
{
	struct machine m;
};

FIXTURE_SETUP(eventfd)
{
}

FIXTURE_TEARDOWN(eventfd)
{
	if (self->m.vm)
		machine_close(&self->m);
}

static void expect_edges(struct __test_metadata *_metadata, struct machine *m, bool sleeps)
{
	int fd = make_eventfd(), i;
	struct runner r;

	count_start(m, &r, EDGE, sleeps, false);
	ASSERT_EQ(0, irqfd(m->vm, SPI, fd, 0, 0));
	for (i = 1; i <= 50; i++) {
		signal_eventfd(fd);
		ASSERT_TRUE(eventually(count(m) == (uint64_t)i));
	}
	EXPECT_EQ(0, take(fd));				/* read by it */
	EXPECT_EQ(-EEXIST, irqfd(m->vm, SPI, fd, 0, 0));
	EXPECT_EQ(-EEXIST, irqfd(m->vm, SPI + 1, fd, 0, 0));
	ASSERT_EQ(0, irqfd(m->vm, SPI, fd, REMOVE, 0));
	signal_eventfd(fd);
	sleep_us(20000);
	EXPECT_EQ(50, count(m));
	/* signalled already: at once */
	ASSERT_EQ(0, irqfd(m->vm, SPI, fd, 0, 0));
	EXPECT_TRUE(eventually(count(m) == 51));
	EXPECT_EQ(0, vcpu_stats(m->vcpu[0]).mmio_user);
	count_stop(m, &r);
	EXPECT_EQ(-ESHUTDOWN, irqfd(m->vm, SPI, make_eventfd(), 0, 0));
	EXPECT_EQ(0, irqfd(m->vm, SPI, fd, REMOVE, 0));
}

TEST_F(eventfd, edge_to_a_busy_guest)
{
	expect_edges(_metadata, &self->m, false);
}

TEST_F(eventfd, edge_to_a_sleeping_guest)
{
	expect_edges(_metadata, &self->m, true);
	EXPECT_LT(25, vcpu_stats(self->m.vcpu[0]).blocks);
}

TEST_F(eventfd, irqfd_refuses)
{
	int fd = make_eventfd(), null = must(open("/dev/null", O_RDWR)), resample = make_eventfd(), vm;
	struct machine bare;

	machine_build(&self->m, &guest_count, 1);
	vm = self->m.vm;
	machine_add_gic(&self->m);
	EXPECT_EQ(-EAGAIN, irqfd(vm, SPI, fd, 0, 0));
	EXPECT_EQ(-EAGAIN, irqfd(vm, SPI, fd, REMOVE, 0));
	machine_assemble(&self->m);
	EXPECT_EQ(-EINVAL, irqfd(vm, SPI, fd, 8, 0));
	EXPECT_EQ(-EINVAL, irqfd(vm, SPI, fd, 0, resample));
	EXPECT_EQ(-EINVAL, irqfd(vm, SPI, null, 0, 0));
	EXPECT_EQ(-EINVAL, irqfd(vm, SPI, fd, RESAMPLE, null));
	EXPECT_EQ(-EBADF, irqfd(vm, SPI, -1, 0, 0));
	EXPECT_EQ(-EBADF, irqfd(vm, SPI, fd, RESAMPLE, -1));
	EXPECT_EQ(-EBADF, irqfd(vm, SPI, -1, REMOVE, 0));
	EXPECT_EQ(-ENXIO, irqfd(vm, 27, fd, 0, 0));
	EXPECT_EQ(-ENXIO, irqfd(vm, 96, fd, 0, 0));
	EXPECT_EQ(-ENXIO, irqfd(vm, 96, fd, RESAMPLE, resample));
	EXPECT_EQ(-ENXIO, irqfd(vm, ~0U, fd, 0, 0));
	EXPECT_EQ(-ENOENT, irqfd(vm, SPI, fd, REMOVE, 0));
	EXPECT_EQ(0, irqfd(vm, SPI, fd, 0, 0));
	EXPECT_EQ(-EEXIST, irqfd(vm, SPI, fd, 0, 0));
	EXPECT_EQ(-EBUSY, irqfd(vm, SPI, make_eventfd(), RESAMPLE, resample));
	EXPECT_EQ(0, irqfd(vm, SPI, make_eventfd(), 0, 0));
	EXPECT_EQ(-ENOENT, irqfd(vm, SPI + 1, fd, REMOVE, 0));
	EXPECT_EQ(0, irqfd(vm, SPI, fd, REMOVE, 0));
	EXPECT_EQ(0, irqfd(vm, SPI + 2, fd, RESAMPLE, resample));
	EXPECT_EQ(-EBUSY, irqfd(vm, SPI + 2, make_eventfd(), 0, 0));
	machine_start(&bare, &guest_off, 1);
	EXPECT_EQ(-ENXIO, irqfd(bare.vm, SPI, make_eventfd(), 0, 0));
	machine_close(&bare);
}

/* Those that are closed make room. */
TEST_F(eventfd, irqfd_limit)
{
	struct rlimit files = { QVM_MAX_IRQFDS + 64, QVM_MAX_IRQFDS + 64 };
	int fd[QVM_MAX_IRQFDS];
	unsigned int i, vm;

	must(setrlimit(RLIMIT_NOFILE, &files));
	machine_build(&self->m, &guest_count, 1);
	machine_add_gic(&self->m);
	machine_assemble(&self->m);
	vm = self->m.vm;
	for (i = 0; i < QVM_MAX_IRQFDS; i++) {
		fd[i] = make_eventfd();
		ASSERT_EQ(0, irqfd(vm, SPI, fd[i], 0, 0));
	}
	EXPECT_EQ(-ENOSPC, irqfd(vm, SPI, make_eventfd(), 0, 0));
	for (i = 0; i < QVM_MAX_IRQFDS; i += 2)
		must(close(fd[i]));
	for (i = 0; i < QVM_MAX_IRQFDS; i += 2)
		ASSERT_EQ(0, irqfd(vm, SPI, make_eventfd(), 0, 0));
	EXPECT_EQ(-ENOSPC, irqfd(vm, SPI, make_eventfd(), 0, 0));
	EXPECT_EQ(0, irqfd(vm, SPI, fd[1], REMOVE, 0));
	EXPECT_EQ(0, irqfd(vm, SPI, fd[1], 0, 0));
}

/* Closed first: the last descriptor disarms it, and the line can be had in the other kind. */
TEST_F(eventfd, irqfd_closed_eventfd)
{
	int fd = make_eventfd(), copy = must(dup(fd)), i;
	struct runner r;

	count_start(&self->m, &r, EDGE, true, false);
	ASSERT_EQ(0, irqfd(self->m.vm, SPI, fd, 0, 0));
	must(close(fd));
	signal_eventfd(copy);
	EXPECT_TRUE(eventually(count(&self->m) == 1));
	must(close(copy));
	for (i = 0; i < 20; i++) {
		fd = make_eventfd();
		ASSERT_EQ(0, irqfd(self->m.vm, SPI, fd, i % 2 ? RESAMPLE : 0, i % 2 ? fd : 0));
		must(close(fd));
	}
	count_stop(&self->m, &r);
}

static void expect_levels(struct __test_metadata *_metadata, struct machine *m, bool sleeps)
{
	int fd = make_eventfd(), resample = make_eventfd(), i;
	struct runner r;

	count_start(m, &r, 0, sleeps, false);
	ASSERT_EQ(0, irqfd(m->vm, SPI, fd, RESAMPLE, resample));
	for (i = 1; i <= 50; i++) {
		EXPECT_EQ(0, take(resample));
		signal_eventfd(fd);
		ASSERT_TRUE(wait_for(resample));
		EXPECT_EQ(1, take(resample));
		/* one interrupt, though nobody put the line down but the guest's end of it */
		EXPECT_EQ((uint64_t)i, count(m));
	}
	sleep_us(20000);
	EXPECT_EQ(50, count(m));
	ASSERT_EQ(0, irqfd(m->vm, SPI, fd, REMOVE, 0));
	/* the line is the caller's again */
	ASSERT_EQ(0, set_irq(m->vm, SPI, 1));
	EXPECT_TRUE(eventually(count(m) > 60));
	EXPECT_EQ(0, take(resample));
	ASSERT_EQ(0, set_irq(m->vm, SPI, 0));
	count_stop(m, &r);
}

TEST_F(eventfd, level_to_a_busy_guest)
{
	expect_levels(_metadata, &self->m, false);
}

TEST_F(eventfd, level_to_a_sleeping_guest)
{
	expect_levels(_metadata, &self->m, true);
}

/* Two devices on a line: each is asked at each end; the removal of the last one puts it down. */
TEST_F(eventfd, level_shared)
{
	int fd[2] = { make_eventfd(), make_eventfd() }, resample[2] = { make_eventfd(), make_eventfd() }, i;
	struct machine *m = &self->m;
	struct runner r;

	count_start(m, &r, 0, true, false);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, irqfd(m->vm, SPI, fd[i], RESAMPLE, resample[i]));
	for (i = 0; i < 20; i++) {
		signal_eventfd(fd[i % 2]);
		ASSERT_TRUE(wait_for(resample[0]));
		ASSERT_TRUE(wait_for(resample[1]));
		EXPECT_EQ(1, take(resample[0]));
		EXPECT_EQ(1, take(resample[1]));
	}
	ASSERT_EQ(0, irqfd(m->vm, SPI, fd[0], REMOVE, 0));
	signal_eventfd(fd[1]);
	ASSERT_TRUE(wait_for(resample[1]));
	EXPECT_EQ(0, take(resample[0]));
	EXPECT_EQ(21, count(m));
	count_stop(m, &r);
}

/* A device that puts its line up again whenever it is asked: as many interrupts as it wants. */
TEST_F(eventfd, level_insists)
{
	int fd = make_eventfd(), resample = make_eventfd(), i;
	struct runner r;

	count_start(&self->m, &r, 0, true, false);
	ASSERT_EQ(0, irqfd(self->m.vm, SPI, fd, RESAMPLE, resample));
	for (i = 0; i < 200; i++) {
		signal_eventfd(fd);
		ASSERT_TRUE(wait_for(resample));
		take(resample);
	}
	EXPECT_EQ(200, count(&self->m));
	count_stop(&self->m, &r);
}

/* A child has the eventfds, not the VM. */
TEST_F(eventfd, fork)
{
	int fd = make_eventfd(), status;
	struct runner r;
	pid_t pid;

	count_start(&self->m, &r, EDGE, true, false);
	ASSERT_EQ(0, irqfd(self->m.vm, SPI, fd, 0, 0));
	pid = must(fork());
	if (!pid) {
		bool good = doorbell(self->m.vm, BELL, 4, fd, 0, 0) == -EIO &&
			    irqfd(self->m.vm, SPI, make_eventfd(), 0, 0) == -EIO &&
			    irqfd(self->m.vm, SPI, fd, REMOVE, 0) == -EIO;

		signal_eventfd(fd);
		_exit(!good);
	}
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(eventually(count(&self->m) == 1));
	count_stop(&self->m, &r);
}

/* ---- both at once, and races ---- */

struct hammer {
	struct machine *m;
	struct runner *runner;
	atomic_bool stop;
	pthread_t thread;
};

/* Makes RUN return all the time, by the flag and by signals. */
static void *hammer_main(void *arg)
{
	struct hammer *h = arg;
	unsigned int i;

	for (i = 0; !atomic_load(&h->stop); i++) {
		h->m->run[0]->immediate_exit = i % 2;
		if (i % 8 == 0)
			pthread_kill(h->runner->thread, SIGUSR1);
		if (i % 64 == 0)
			sleep_us(100);
	}
	h->m->run[0]->immediate_exit = 0;
	return NULL;
}

/*
 * The guest answers each interrupt at the doorbell, and does so in spite of a thread that makes RUN return
 * at every moment: no interrupt is lost, be the guest asleep, in its loop or on its way.
 */
static void ping(struct __test_metadata *_metadata, struct machine *m, bool sleeps)
{
	int fd = make_eventfd(), bell = make_eventfd();
	int seconds = long_seconds();
	unsigned int rounds = seconds ? LONG_PINGS : PINGS, i;
	time_t end = time(NULL) + (seconds ?: PING_TIME);
	struct runner r;
	struct hammer h = { .m = m, .runner = &r };

	catch_signal(SIGUSR1);
	count_start(m, &r, EDGE, sleeps, true);
	ASSERT_EQ(0, irqfd(m->vm, SPI, fd, 0, 0));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 4, bell, 0, 0));
	must(-pthread_create(&h.thread, NULL, hammer_main, &h));
	for (i = 1; i <= rounds && (i <= LEAST_PINGS || time(NULL) < end); i++) {
		signal_eventfd(fd);
		ASSERT_TRUE(wait_for(bell)) { TH_LOG("round %u", i); }
		ASSERT_EQ(1, take(bell));
		ASSERT_EQ(i, count(m));
	}
	TH_LOG("%u rounds", i - 1);
	atomic_store(&h.stop, true);
	must(-pthread_join(h.thread, NULL));
	count_stop(m, &r);
}

TEST_F_TIMEOUT(eventfd, ping_asleep, LONG_LIMIT)
{
	ping(_metadata, &self->m, true);
}

TEST_F_TIMEOUT(eventfd, ping_awake, LONG_LIMIT)
{
	ping(_metadata, &self->m, false);
}

/* No thread but the guest's own: its write to the doorbell is its interrupt. */
GUEST(guest_self, G_DEVICE G_SHARED
      "mov x1, #0x08000000\n mov w2, #0x12\n str w2, [x1]\n mov w2, #0x20000\n str w2, [x1, #0xc08]\n"
      "mov w2, #0x100\n str w2, [x1, #0x104]\n str wzr, [x1, #0x428]\n"
      "mov x2, #0x6140\n add x1, x1, x2\n str xzr, [x1]\n"
      "movz x1, #0x080a, lsl #16\n mov w2, #0\n str w2, [x1, #0x14]\n"
      "mov x2, #0xff\n msr s3_0_c4_c6_0, x2\n mov x2, #1\n msr s3_0_c12_c12_7, x2\n isb\n"
      "mov x6, #1000\n"
      "1: str w6, [x28, #0x40]\n mrs x3, s3_0_c12_c12_0\n cmp w3, #40\n b.ne 3f\n"
      "msr s3_0_c12_c12_1, x3\n isb\n"
      "subs x6, x6, #1\n b.ne 1b\n"
      "3: str x6, [x28, #8]\n");

TEST_F(eventfd, doorbell_is_irqfd)
{
	int fd = make_eventfd();

	machine_build(&self->m, &guest_self, 1);
	machine_add_gic(&self->m);
	machine_assemble(&self->m);
	ASSERT_EQ(0, irqfd(self->m.vm, SPI, fd, 0, 0));
	ASSERT_EQ(0, doorbell(self->m.vm, BELL, 0, fd, 0, 0));
	EXPECT_EQ(0, next_write(&self->m, 0, 8));
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).blocks);
}

struct shooter {
	int fd[2];
	atomic_bool stop;
	pthread_t thread;
};

static void *shooter_main(void *arg)
{
	struct shooter *s = arg;

	while (!atomic_load(&s->stop)) {
		signal_eventfd(s->fd[0]);
		signal_eventfd(s->fd[1]);
		take(s->fd[1]);
	}
	return NULL;
}

/* VMs that end and go while their irqfds are signalled, armed and disarmed. */
TEST_F_TIMEOUT(eventfd, destroy_while_signalled, 120)
{
	struct shooter s = { .fd = { make_eventfd(), make_eventfd() } };
	int round;

	must(-pthread_create(&s.thread, NULL, shooter_main, &s));
	for (round = 0; round < 30; round++) {
		struct runner r;
		int i;

		count_start(&self->m, &r, round % 2 ? EDGE : 0, round % 3 == 0, true);
		/* first: the guest rings at each interrupt */
		ASSERT_EQ(0, doorbell(self->m.vm, BELL, 4, s.fd[1], 0, 0));
		ASSERT_EQ(0, irqfd(self->m.vm, SPI, s.fd[0], 0, 0));
		ASSERT_EQ(0, irqfd(self->m.vm, SPI + 1, s.fd[1], RESAMPLE, s.fd[0]));
		for (i = 0; i < round % 4; i++) {
			ASSERT_EQ(0, irqfd(self->m.vm, SPI, s.fd[0], REMOVE, 0));
			ASSERT_EQ(0, irqfd(self->m.vm, SPI, s.fd[0], 0, 0));
		}
		count_stop(&self->m, &r);
		machine_close(&self->m);
		self->m.vm = 0;
	}
	atomic_store(&s.stop, true);
	must(-pthread_join(s.thread, NULL));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
