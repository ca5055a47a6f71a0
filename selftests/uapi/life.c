// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs over time: many, one after another and at once, on CPUs that change and go away, kicked
 * at every moment. With QVM_LONG=SECONDS in the environment each loop is longer, at most that long.
 */
#include <kselftest_harness.h>

#include <sched.h>
#include <sys/time.h>

#include "pin.h"
#include "vm.h"

#define MIB		0x100000UL
#define LIMIT		3000	/* seconds for a long test */

FIXTURE(life)
{
	bool is_long;
	unsigned int seed;
	time_t end;		/* no round begins later */
};

FIXTURE_SETUP(life)
{
	self->is_long = long_seconds();
	self->end = time(NULL) + (long_seconds() ?: LIMIT);
	self->seed = 1;
}

FIXTURE_TEARDOWN(life)
{
}

static unsigned int random_below(unsigned int *seed, unsigned int limit)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % limit;
}

/* ---- one after another ---- */

static long meminfo(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name) + 1);
	if (f)
		fclose(f);
	return kib;
}

/* KiB: and what each CPU keeps of free pages for itself, which may be 10 MiB */
static long free_kib(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long kib = meminfo("MemFree:"), pages;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &pages) == 1)
			kib += pages * (sysconf(_SC_PAGESIZE) / 1024);
	if (f)
		fclose(f);
	return kib;
}

static bool one_life(unsigned int vcpus)
{
	struct machine m;
	bool good;

	machine_build(&m, &guest_off, vcpus);
	machine_add_gic(&m);
	machine_assemble(&m);
	good = run_vcpu(&m, 0) == QVM_EXIT_SYSTEM;
	machine_close(&m);
	return good;
}

TEST_F_TIMEOUT(life, two_hundred_vms, LIMIT)
{
	int rounds = self->is_long ? 5000 : 200, i;
	long free_before = 0, slab_before = 0, free_lost, slab_grown;

	for (i = -50; i < rounds && time(NULL) < self->end; i++) {
		if (i == 0) {
			sleep_us(200000);	/* what RCU frees */
			free_before = free_kib();
			slab_before = meminfo("SUnreclaim:");
		}
		ASSERT_TRUE(one_life(VCPUS));
	}
	EXPECT_TRUE(module_is_empty());
	/* what RCU frees comes when the machine has time for it */
	eventually((free_lost = free_before - free_kib()) < 4096);
	eventually((slab_grown = meminfo("SUnreclaim:") - slab_before) < i);
	/* a VM of eight vCPUs is more than 100 KiB: a leak of one object a round is seen */
	EXPECT_GT(4096, free_lost) { TH_LOG("%ld KiB less are free", free_lost); }
	EXPECT_GT(i, slab_grown) { TH_LOG("slabs have grown by %ld KiB", slab_grown); }
}

/* ---- guests that look at their own registers ---- */

/*
 * Patterns in x0 … x15, all of v0 … v31 and the thread registers, a moment, and all of them looked at.
 * A word of shared memory counts the rounds; every 64th tells the device. A mistake is at
 * offset 8 of the device.
 */
#define EACH(regs, text) ".irp reg," regs "\n" text "\n.endr\n"
#define X_REGS "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define V_REGS X_REGS ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"

GUEST(guest_patterns, G_DEVICE G_SHARED
      "mov x0, #0x300000\n msr cpacr_el1, x0\n isb\n mov x20, #0\n"
      "1: add x20, x20, #1\n"
      EACH(X_REGS, "add x\\reg, x20, #\\reg")
      EACH(V_REGS, "add x22, x20, #\\reg\n dup v\\reg\\().2d, x22")
      "msr tpidr_el1, x20\n msr tpidr_el0, x20\n"
      "mov x21, #1000\n 2: subs x21, x21, #1\n b.ne 2b\n"
      EACH(X_REGS, "sub x22, x\\reg, x20\n cmp x22, #\\reg\n b.ne 9f")
      EACH(V_REGS, "umov x22, v\\reg\\().d[0]\n umov x23, v\\reg\\().d[1]\n cmp x22, x23\n b.ne 9f\n"
		   "sub x22, x22, x20\n cmp x22, #\\reg\n b.ne 9f")
      "mrs x22, tpidr_el1\n cmp x22, x20\n b.ne 9f\n mrs x22, tpidr_el0\n cmp x22, x20\n b.ne 9f\n"
      "str x20, [x27]\n tst x20, #63\n b.ne 1b\n str x20, [x28]\n b 1b\n"
      "9: str x22, [x28, #8]\n b .");

struct patterns {
	struct machine m;
	pthread_t thread;
	atomic_uint mistakes, exits;
};

static void *patterns_main(void *arg)
{
	struct patterns *p = arg;

	for (;;) {
		uint64_t expected = 64 * (atomic_load(&p->exits) + 1);

		if (run_vcpu(&p->m, 0) != QVM_EXIT_MMIO)
			return NULL;
		if (p->m.run[0]->mmio.gpa != DEVICE_GPA || mmio_data(p->m.run[0]) != expected)
			atomic_fetch_add(&p->mistakes, 1);
		atomic_fetch_add(&p->exits, 1);
	}
}

static void patterns_start(struct patterns *p)
{
	machine_start(&p->m, &guest_patterns, 1);
	atomic_store(&p->mistakes, 0);
	atomic_store(&p->exits, 0);
	must(-pthread_create(&p->thread, NULL, patterns_main, p));
}

/* Ends it; says whether it got on and all was well. */
static bool patterns_end(struct patterns *p)
{
	uint64_t rounds = *shared(&p->m, 0);
	bool good, moves = eventually(*shared(&p->m, 0) > rounds);

	must(call(p->m.vm, QVM_VM_END, NULL));
	must(-pthread_join(p->thread, NULL));
	good = moves && rounds && !atomic_load(&p->mistakes);
	if (!good)
		fprintf(stderr, "# rounds %llu, exits %u, mistakes %u, %s\n", (unsigned long long)rounds,
			atomic_load(&p->exits), atomic_load(&p->mistakes), moves ? "moves" : "stands");
	machine_close(&p->m);
	return good;
}

/* More vCPUs than CPUs, each moved every millisecond. */
TEST_F_TIMEOUT(life, hopping, LIMIT)
{
	long end = milliseconds() + (self->is_long ? 60000 : 3000);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct patterns p[3];
	unsigned int i, hop = 0;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		patterns_start(&p[i]);
	while (milliseconds() < end) {
		for (i = 0; i < ARRAY_SIZE(p); i++)
			pin_thread(p[i].thread, (hop + i) % cpus);
		hop++;
		sleep_us(1000);
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		EXPECT_TRUE(patterns_end(&p[i]));
}

/* A signal every millisecond, to whichever thread. */
TEST_F_TIMEOUT(life, signals, LIMIT)
{
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	long end = milliseconds() + (self->is_long ? 60000 : 2000);
	struct patterns p[2];
	unsigned int i;

	catch_signal(SIGALRM);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		patterns_start(&p[i]);
	must(setitimer(ITIMER_REAL, &timer, NULL));
	while (milliseconds() < end)
		sleep_us(1000);
	must(setitimer(ITIMER_REAL, &off, NULL));
	for (i = 0; i < ARRAY_SIZE(p); i++)
		EXPECT_TRUE(patterns_end(&p[i]));
}

static int cpu_online(unsigned int cpu, bool online)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	fd = open(path, O_WRONLY);
	ret = fd < 0 ? -errno : write(fd, online ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

/* A CPU goes and comes back under guests that run there, one of them bound to it. */
TEST_F_TIMEOUT(life, cpu_goes_away, LIMIT)
{
	int rounds = self->is_long ? 200 : 15, i;
	struct patterns p[3];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU only");
	for (i = 0; i < 3; i++)
		patterns_start(&p[i]);
	for (i = 0; i < rounds && time(NULL) < self->end; i++) {
		uint64_t before;

		pin_thread(p[0].thread, 1);
		sleep_us(random_below(&self->seed, 5000));
		ASSERT_EQ(0, cpu_online(1, false)) { cpu_online(1, true); }
		before = *shared(&p[0].m, 0);
		EXPECT_TRUE(eventually(*shared(&p[0].m, 0) > before));
		ASSERT_EQ(0, cpu_online(1, true));
	}
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(patterns_end(&p[i]));
}

/* A VM that is there but not in RUN does not hold a CPU, nor does one that sleeps. */
TEST_F_TIMEOUT(life, cpu_goes_away_under_a_sleeper, LIMIT)
{
	struct machine idle, asleep;
	struct runner r;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU only");
	machine_start(&idle, &guest_off, 1);
	machine_start(&asleep, &guest_wfi, 1);
	runner_start(&r, &asleep, 0);
	pin_thread(r.thread, 1);
	EXPECT_TRUE(eventually(vcpu_stats(asleep.vcpu[0]).blocks > 0));
	ASSERT_EQ(0, cpu_online(1, false));
	ASSERT_EQ(0, cpu_online(1, true));
	must(call(asleep.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&idle, 0));
}

/* ---- at once ---- */

GUEST(guest_count, G_DEVICE "1: add x1, x1, #1\n str x1, [x28]\n b 1b");

struct counted {
	struct machine m;
	pthread_t thread;
	unsigned int wrong;
};

static void *counted_main(void *arg)
{
	struct counted *c = arg;
	unsigned int i;

	for (i = 1; i <= 300; i++)
		c->wrong += next_write(&c->m, 0, 0) != i;
	return NULL;
}

TEST_F_TIMEOUT(life, ten_vms_at_once, LIMIT)
{
	struct counted c[10] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(c); i++)
		machine_start(&c[i].m, &guest_count, 1);
	EXPECT_EQ(ARRAY_SIZE(c), module_count("vm_count"));
	EXPECT_EQ(ARRAY_SIZE(c), module_count("vcpu_count"));
	EXPECT_EQ(ARRAY_SIZE(c) * RAM_SIZE / PAGE, module_count("pinned_pages"));
	for (i = 0; i < ARRAY_SIZE(c); i++)
		must(-pthread_create(&c[i].thread, NULL, counted_main, &c[i]));
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(0, c[i].wrong);
		machine_close(&c[i].m);
	}
	EXPECT_TRUE(module_is_empty());
}

/* ---- memory ---- */

GUEST(guest_echo, G_DEVICE G_SHARED "1: ldr x1, [x27]\n str x1, [x28]\n b 1b");

/* After a fork the pages are the parent's: guest and launcher still share them. */
TEST_F(life, fork_under_a_guest)
{
	struct machine m;
	pid_t child;
	int i;

	machine_start(&m, &guest_echo, 1);
	EXPECT_EQ(0, next_write(&m, 0, 0));
	for (i = 1; i < 20; i++) {
		child = fork();
		if (!child)
			for (;;)
				pause();
		*shared(&m, 0) = i;
		EXPECT_EQ(i, next_write(&m, 0, 0));
		kill(child, SIGKILL);
		must(waitpid(child, NULL, 0));
		*shared(&m, 0) = 100 + i;
		EXPECT_EQ(100 + i, next_write(&m, 0, 0));
	}
}

/* ---- kicks ---- */

struct hammer {
	struct machine m;
	pthread_t thread;
	atomic_uint seen;	/* interruptions that the vCPU's thread has answered */
	atomic_bool stop;
};

static void *hammer_main(void *arg)
{
	struct hammer *h = arg;
	volatile struct qvm_run *run = h->m.run[0];

	while (!atomic_load(&h->stop)) {
		int ret = call(h->m.vcpu[0], QVM_VCPU_RUN, NULL);

		if (ret != -EINTR)
			break;
		if (run->immediate_exit) {
			run->immediate_exit = 0;
			atomic_fetch_add(&h->seen, 1);
		}
	}
	return NULL;
}

/*
 * immediate_exit and a signal at every moment of RUN: each is answered. One that was lost is found
 * by the guest's next exit, if there is one: the host's tick. So the slowest round tells too.
 */
static void hammer(struct __test_metadata *_metadata, const struct guest *guest, unsigned int rounds, time_t end)
{
	struct hammer h = { 0 };
	unsigned int i, seed = 1, slow = 0;

	catch_signal(SIGUSR1);
	machine_start(&h.m, guest, 1);
	must(-pthread_create(&h.thread, NULL, hammer_main, &h));
	for (i = 1; i <= rounds && time(NULL) < end; i++) {
		volatile unsigned int delay = random_below(&seed, 2000);
		long begin = milliseconds();

		while (delay)
			delay--;
		((volatile struct qvm_run *)h.m.run[0])->immediate_exit = 1;
		pthread_kill(h.thread, SIGUSR1);
		while (atomic_load(&h.seen) != i)
			if (milliseconds() > begin + 20000)
				break;
		ASSERT_EQ(i, atomic_load(&h.seen)) { TH_LOG("round %u is lost", i); }
		slow += milliseconds() - begin >= 3;
	}
	TH_LOG("%u rounds, %u of them of 3 ms or more", i - 1, slow);
	atomic_store(&h.stop, true);
	must(call(h.m.vm, QVM_VM_END, NULL));
	pthread_join(h.thread, NULL);
	machine_close(&h.m);
}

TEST_F_TIMEOUT(life, kicks_of_a_busy_guest, LIMIT)
{
	hammer(_metadata, &guest_spin, self->is_long ? 1000000 : 10000, self->end);
}

TEST_F_TIMEOUT(life, kicks_of_a_sleeping_guest, LIMIT)
{
	hammer(_metadata, &guest_wfi, self->is_long ? 300000 : 3000, self->end);
}

/* The end of a VM meets its vCPU anywhere between RUN's begin and sleep. */
TEST_F_TIMEOUT(life, ends, LIMIT)
{
	int rounds = self->is_long ? 10000 : 300, i;

	for (i = 0; i < rounds && time(NULL) < self->end; i++) {
		struct machine m;
		struct runner r;

		machine_start(&m, i & 1 ? &guest_spin : &guest_wfi, 1);
		runner_start(&r, &m, 0);
		sleep_us(random_below(&self->seed, 500));
		must(call(m.vm, QVM_VM_END, NULL));
		ASSERT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
		machine_close(&m);
	}
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
