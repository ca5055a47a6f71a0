// SPDX-License-Identifier: GPL-2.0-only
/* QVM_VCPU_RUN and its page: exits, their completion, interruption, and a user space that cheats. */
#include <kselftest_harness.h>

#include "vm.h"

FIXTURE(run)
{
	struct machine m;
};

FIXTURE_SETUP(run)
{
}

FIXTURE_TEARDOWN(run)
{
	if (self->m.vm)
		machine_close(&self->m);
}

/* ---- MMIO ---- */

GUEST(guest_widths, G_DEVICE
      "mov x1, #0x8877\n movk x1, #0x6655, lsl #16\n movk x1, #0x4433, lsl #32\n movk x1, #0x2211, lsl #48\n"
      "strb w1, [x28]\n strh w1, [x28, #2]\n str w1, [x28, #4]\n str x1, [x28, #8]\n"
      "ldrb w2, [x28, #1]\n ldrh w3, [x28, #2]\n ldr w4, [x28, #4]\n ldr x5, [x28, #8]\n"
      "ldrsb x6, [x28, #1]\n ldrsh w7, [x28, #2]\n ldrsw x8, [x28, #4]\n ldrsb w9, [x28, #1]\n"
      "ldr wzr, [x28]\n str xzr, [x28]\n"
      G_OFF);

TEST_F(run, writes_of_each_width)
{
	static const uint64_t value = 0x2211443366558877;
	struct qvm_run *run;
	unsigned int len;

	machine_start(&self->m, &guest_widths, 1);
	run = self->m.run[0];
	for (len = 1; len <= 8; len *= 2) {
		char zero[8] = { 0 };

		memset(run->mmio.data, 0x5a, 8);
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
		EXPECT_TRUE(run->mmio.is_write);
		EXPECT_EQ(len, run->mmio.len);
		EXPECT_EQ(DEVICE_GPA + (len == 1 ? 0 : len), run->mmio.gpa);
		EXPECT_EQ(0, memcmp(run->mmio.data, &value, len));
		EXPECT_EQ(0, memcmp(run->mmio.data + len, zero, 8 - len));
		EXPECT_EQ(0, run->mmio.unclaimed);
		EXPECT_EQ(run->mmio.pc, get_reg(self->m.vcpu[0], QVM_REG_PC));
	}
}

TEST_F(run, reads_of_each_width)
{
	static const struct { unsigned int len, reg; uint64_t result; } reads[] = {
		{ 1, 2, 0xf8 }, { 2, 3, 0xf7f8 }, { 4, 4, 0xf5f6f7f8 }, { 8, 5, 0xf1f2f3f4f5f6f7f8 },
		/* with sign: to 64 or to 32 bits */
		{ 1, 6, 0xfffffffffffffff8 }, { 2, 7, 0xfffff7f8 }, { 4, 8, 0xfffffffff5f6f7f8 },
		{ 1, 9, 0xfffffff8 },
	};
	uint64_t data = 0xf1f2f3f4f5f6f7f8;
	unsigned int i;

	machine_start(&self->m, &guest_widths, 1);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	for (i = 2; i < 10; i++)
		must(set_reg(self->m.vcpu[0], QVM_REG_X(i), -1ULL));
	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
		EXPECT_FALSE(self->m.run[0]->mmio.is_write);
		EXPECT_EQ(reads[i].len, self->m.run[0]->mmio.len);
		memcpy(self->m.run[0]->mmio.data, &data, 8);
	}
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));	/* into XZR: nothing is written */
	for (i = 0; i < ARRAY_SIZE(reads); i++)
		EXPECT_EQ(reads[i].result, get_reg(self->m.vcpu[0], QVM_REG_X(reads[i].reg)));
	memcpy(self->m.run[0]->mmio.data, &data, 8);
	EXPECT_EQ(0, next_write(&self->m, 0, 0));		/* from XZR */
	EXPECT_EQ(8, self->m.run[0]->mmio.len);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_off(self->m.run[0]));
}

GUEST(guest_read, G_DEVICE "mov x1, #1\n mov x2, #2\n ldr w1, [x28]\n str x1, [x28]\n str x2, [x28, #8]\n" G_OFF);

/* Of what user space writes only the data counts: length, direction, address are the module's own. */
TEST_F(run, completion_uses_its_own_copy)
{
	struct qvm_run *run;

	machine_start(&self->m, &guest_read, 1);
	run = self->m.run[0];
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	memset(run->mmio.data, 0x77, 8);
	run->mmio.gpa = RAM_GPA;
	run->mmio.len = 8;
	run->mmio.is_write = 1;
	run->mmio.pc = 0;
	run->exit_reason = QVM_EXIT_SYSTEM;
	EXPECT_EQ(0x77777777, next_write(&self->m, 0, 0));
	run->mmio.len = 0xffffffff;
	run->mmio.is_write = 0;
	run->mmio.gpa = -1;
	memset(run->mmio.data, 0x77, 8);
	EXPECT_EQ(2, next_write(&self->m, 0, 8));
	EXPECT_EQ(0x77777777, get_reg(self->m.vcpu[0], QVM_REG_X(1)));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
}

/* An access is completed once, however often and how RUN is called. */
TEST_F(run, completion_survives_interruption)
{
	struct qvm_run *run;
	uint32_t data = 0x1234;

	machine_start(&self->m, &guest_read, 1);
	run = self->m.run[0];
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	memcpy(run->mmio.data, &data, 4);
	run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, call(self->m.vcpu[0], QVM_VCPU_RUN, NULL));
	EXPECT_EQ(QVM_EXIT_INTR, run->exit_reason);
	memset(run->mmio.data, 0, 8);
	EXPECT_EQ(-EINTR, call(self->m.vcpu[0], QVM_VCPU_RUN, NULL));
	run->immediate_exit = 0;
	EXPECT_EQ(0x1234, next_write(&self->m, 0, 0));
	EXPECT_EQ(2, next_write(&self->m, 0, 8));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
}

GUEST(guest_abort, G_DEVICE "mov x1, #5\n ldr w1, [x28, #16]\n str x1, [x28, #24]\n" G_OFF);

/* Refused: an external abort in the guest, as from a bus where no one answers. */
TEST_F(run, unclaimed)
{
	struct qvm_run *run;
	uint64_t esr;

	machine_start(&self->m, &guest_abort, 1);
	run = self->m.run[0];
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	EXPECT_EQ(DEVICE_GPA + 16, run->mmio.gpa);
	run->mmio.unclaimed = 1;
	esr = next_write(&self->m, 0, 0);			/* of the guest's handler */
	EXPECT_EQ(0x25, esr >> 26);				/* data abort, same EL */
	EXPECT_EQ(0x10, esr & 0x3f);				/* external */
	EXPECT_EQ(0, run->mmio.unclaimed);
	EXPECT_EQ(RAM_GPA + 8, next_write(&self->m, 0, 8));	/* ELR: the load */
	EXPECT_EQ(DEVICE_GPA + 16, get_reg(self->m.vcpu[0], QVM_REG_SYS(3, 0, 6, 0, 0)));
	EXPECT_EQ(5, next_write(&self->m, 0, 24));		/* it loaded nothing */
	EXPECT_EQ(1, vcpu_stats(self->m.vcpu[0]).unclaimed);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
}

/* ---- interruption ---- */

TEST_F(run, immediate_exit_is_sticky)
{
	struct qvm_run *run;
	int i;

	machine_start(&self->m, &guest_read, 1);
	run = self->m.run[0];
	run->immediate_exit = 1;
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(-EINTR, call(self->m.vcpu[0], QVM_VCPU_RUN, NULL));
		EXPECT_EQ(QVM_EXIT_INTR, run->exit_reason);
		EXPECT_EQ(1, run->immediate_exit);
	}
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).entries);
	run->immediate_exit = 0x80;
	EXPECT_EQ(-EINTR, call(self->m.vcpu[0], QVM_VCPU_RUN, NULL));
	run->immediate_exit = 0;
	EXPECT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	/* an ended VM says so, whatever is asked */
	must(call(self->m.vm, QVM_VM_END, NULL));
	run->immediate_exit = 1;
	EXPECT_EQ(0, call(self->m.vcpu[0], QVM_VCPU_RUN, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run->exit_reason);
}

static void interrupted(struct __test_metadata *_metadata, struct machine *m)
{
	long begin = milliseconds();

	catch_signal(SIGALRM);
	ualarm(50000, 0);
	while (milliseconds() < begin + 45)		/* what comes before is not the alarm */
		EXPECT_EQ(-EINTR, call(m->vcpu[0], QVM_VCPU_RUN, NULL));
	EXPECT_EQ(QVM_EXIT_INTR, m->run[0]->exit_reason);
	EXPECT_GT(5000, milliseconds() - begin);
}

TEST_F(run, signal_to_a_busy_guest)
{
	machine_start(&self->m, &guest_spin, 1);
	interrupted(_metadata, &self->m);
}

TEST_F(run, signal_to_a_sleeping_guest)
{
	machine_start(&self->m, &guest_wfi, 1);
	interrupted(_metadata, &self->m);
	EXPECT_LT(0, vcpu_stats(self->m.vcpu[0]).blocks);
}

TEST_F(run, signal_to_a_vcpu_that_is_off)
{
	machine_start(&self->m, &guest_off, 2);
	self->m.vcpu[0] = self->m.vcpu[1];
	self->m.run[0] = self->m.run[1];
	self->m.run[1] = NULL;
	interrupted(_metadata, &self->m);
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).entries);
}

TEST_F(run, pending_signal)
{
	sigset_t set;

	machine_start(&self->m, &guest_spin, 1);
	catch_signal(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	/* blocked: it does not count, a later one that is not blocked does */
	interrupted(_metadata, &self->m);
}

/* ---- the mapping ---- */

TEST_F(run, mmap_rules)
{
	int rw = PROT_READ | PROT_WRITE, vcpu;
	struct qvm_run *run;

	machine_start(&self->m, &guest_off, 1);
	vcpu = self->m.vcpu[0];
#define MMAP(size, prot, flags, fd, offset)					\
	({ void *p_ = mmap(NULL, size, prot, flags, fd, offset);		\
	   p_ == MAP_FAILED ? -errno : (munmap(p_, size), 0); })
	EXPECT_EQ(0, MMAP(PAGE, rw, MAP_SHARED, vcpu, 0));
	EXPECT_EQ(0, MMAP(PAGE, PROT_READ, MAP_SHARED, vcpu, 0));
	EXPECT_EQ(-EINVAL, MMAP(PAGE, rw, MAP_SHARED, vcpu, PAGE));
	EXPECT_EQ(-EINVAL, MMAP(PAGE, rw, MAP_SHARED, vcpu, 1ULL << 40));
	EXPECT_EQ(-EINVAL, MMAP(2 * PAGE, rw, MAP_SHARED, vcpu, 0));
	EXPECT_EQ(-EINVAL, MMAP(1UL << 30, rw, MAP_SHARED, vcpu, 0));
	EXPECT_EQ(-EINVAL, MMAP(PAGE, rw, MAP_PRIVATE, vcpu, 0));
	EXPECT_EQ(-EPERM, MMAP(PAGE, rw | PROT_EXEC, MAP_SHARED, vcpu, 0));
	EXPECT_EQ(-ENODEV, MMAP(PAGE, rw, MAP_SHARED, self->m.vm, 0));
	EXPECT_EQ(-ENODEV, MMAP(PAGE, rw, MAP_SHARED, self->m.sys, 0));
	run = self->m.run[0];
	EXPECT_EQ(-1, mprotect(run, PAGE, rw | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
}

TEST_F_SIGNAL(run, no_page_behind_the_page, SIGBUS)
{
	char *p;

	machine_start(&self->m, &guest_off, 1);
	p = mremap(self->m.run[0], PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		raise(SIGBUS);		/* refused: as good */
	((volatile char *)p)[PAGE] = 1;
}

TEST_F(run, without_a_mapping)
{
	machine_start(&self->m, &guest_read, 1);
	must(munmap(self->m.run[0], PAGE));
	while (call(self->m.vcpu[0], QVM_VCPU_RUN, NULL) == -EINTR)
		;
	self->m.run[0] = map_run(self->m.vcpu[0]);
	EXPECT_EQ(QVM_EXIT_MMIO, self->m.run[0]->exit_reason);
	EXPECT_EQ(DEVICE_GPA, self->m.run[0]->mmio.gpa);
}

TEST_F(run, munmap_while_running)
{
	struct runner r;

	machine_start(&self->m, &guest_spin, 1);
	runner_start(&r, &self->m, 0);
	EXPECT_TRUE(eventually(vcpu_stats(self->m.vcpu[0]).entries > 0));
	must(munmap(self->m.run[0], PAGE));
	sleep_us(10000);
	self->m.run[0] = map_run(self->m.vcpu[0]);
	must(call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
	EXPECT_EQ(QVM_SYSTEM_STOPPED, self->m.run[0]->system.event);
}

/* The VM lives as long as anything of it is open or mapped, in whatever order that ends. */
TEST_F(run, closing_in_any_order)
{
	static const char orders[][4] = { "smv", "svm", "msv", "mvs", "vsm", "vms" };
	unsigned int i, j, mapped;

	for (i = 0; i < ARRAY_SIZE(orders); i++)
		for (mapped = 0; mapped < 2; mapped++) {
			struct machine m;

			machine_start(&m, &guest_read, 1);
			ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&m, 0));
			if (!mapped)
				munmap(m.run[0], PAGE);
			for (j = 0; j < 3; j++) {
				/* gone with the mapping, the VM's fd and the vCPU's */
				bool alive = mapped || strcmp(orders[i] + j, "s");

				EXPECT_EQ(alive, module_count("vm_count"));
				close(orders[i][j] == 's' ? m.sys : orders[i][j] == 'm' ? m.vm : m.vcpu[0]);
			}
			if (mapped) {
				EXPECT_EQ(1, module_count("vm_count"));
				EXPECT_EQ(QVM_EXIT_MMIO, m.run[0]->exit_reason);
				m.run[0]->immediate_exit = 1;
				munmap(m.run[0], PAGE);
			}
			munmap(m.ram, RAM_SIZE);
			EXPECT_TRUE(module_is_empty());
		}
}

/* The launcher's mapping of guest memory may go: the pages stay the guest's. */
TEST_F(run, ram_unmapped_under_the_guest)
{
	struct machine *m = &self->m;

	machine_start(m, &guest_read, 1);
	must(munmap(m->ram, RAM_SIZE));
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(m, 0));
	m->ram = map_memory(RAM_SIZE);
	EXPECT_EQ(0, next_write(m, 0, 0));
	EXPECT_EQ(2, next_write(m, 0, 8));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
}

/* ---- counters ---- */

GUEST(guest_counted, G_DEVICE
      "str w0, [x28]\n ldr w1, [x28]\n str w0, [x28]\n"
      G_PSCI(0) G_PSCI(0) "mrs x3, id_aa64pfr0_el1\n wfi\n" G_OFF);

/* By parameter; a host whose kernel is at EL1 has none. */
static bool has_tier0(void)
{
	FILE *file = fopen("/sys/module/qvm/parameters/tier0", "re");
	int value = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	return value == 'Y';
}

TEST_F(run, counters)
{
	struct qvm_vcpu_stats stats;
	uint64_t reasons = 0;
	int i, pending;

	machine_build(&self->m, &guest_counted, 1);
	machine_add_gic(&self->m);
	machine_assemble(&self->m);
	stats = vcpu_stats(self->m.vcpu[0]);
	for (i = 0; i < (int)(sizeof(stats) / 8); i++)
		EXPECT_EQ(0, ((uint64_t *)&stats)[i]);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	stats = vcpu_stats(self->m.vcpu[0]);
	EXPECT_EQ(3, stats.mmio_user);
	EXPECT_EQ(3, stats.reason[0x24]);		/* data aborts from a lower EL */
	EXPECT_LE(3, stats.user_exits);
	EXPECT_LE(stats.exits, stats.entries);
	pending = vcpu_stats(self->m.vcpu[0]).user_exits;
	self->m.run[0]->immediate_exit = 1;
	EXPECT_EQ(-EINTR, call(self->m.vcpu[0], QVM_VCPU_RUN, NULL));
	self->m.run[0]->immediate_exit = 0;
	EXPECT_EQ(pending + 1, vcpu_stats(self->m.vcpu[0]).user_exits);

	/* nothing wakes its WFI but a kick: the line of an interrupt that no one enabled is none */
	catch_signal(SIGALRM);
	ualarm(100000, 0);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	stats = vcpu_stats(self->m.vcpu[0]);
	EXPECT_EQ(3, stats.reason[0x16]);		/* HVC: twice the version, once off */
	EXPECT_EQ(1, stats.reason[0x18]);		/* MRS */
	EXPECT_EQ(1, stats.reason[0x01]);		/* WFI */
	EXPECT_EQ(1, stats.blocks);
	EXPECT_EQ(has_tier0() ? 3 : 0, stats.tier0);
	EXPECT_EQ(has_tier0() ? 2 : 0, stats.reason_tier0[0x16]);
	EXPECT_EQ(has_tier0() ? 1 : 0, stats.reason_tier0[0x18]);
	EXPECT_EQ(0, stats.reason_tier0[0x01] + stats.reason_tier0[0x24]);
	for (i = 0; i < QVM_STATS_REASONS; i++)
		reasons += stats.reason[i];
	EXPECT_EQ(stats.exits, reasons + stats.irqs);
	EXPECT_EQ(0, stats.undefined);
	EXPECT_EQ(0, stats.unclaimed);
	EXPECT_EQ(0, stats.mmio_kernel);
	EXPECT_EQ(stats.exits, stats.entries);
	for (i = 0; i < (int)(sizeof(stats.reserved) / 8); i++)
		EXPECT_EQ(0, stats.reserved[i]);
}

GUEST(guest_gicd, "mov x1, #0x08000000\n ldr w2, [x1, #8]\n str w2, [x1, #0x100]\n ldr w3, [x1, #0xc]\n" G_OFF);

TEST_F(run, counters_of_a_vdev)
{
	machine_build(&self->m, &guest_gicd, 1);
	machine_add_gic(&self->m);
	machine_assemble(&self->m);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_LE(2, vcpu_stats(self->m.vcpu[0]).mmio_kernel);
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).mmio_user);
}

/* ---- two threads ---- */

GUEST(guest_count, G_DEVICE "1: add x1, x1, #1\n str x1, [x28]\n b 1b");

struct counter {
	struct machine *m;
	unsigned int rounds;
};

static void *count_main(void *arg)
{
	struct counter *c = arg;
	unsigned int i;

	for (i = 0; i < c->rounds; i++)
		run_vcpu(c->m, 0);
	return NULL;
}

/*
 * Of two threads in RUN of one vCPU one waits: the guest makes one step for each call. What the run
 * page says to one may be the other's by the time it is read: only the sums are looked at.
 */
TEST_F(run, two_threads)
{
	struct counter c[2];
	pthread_t thread[2];
	int i;

	machine_start(&self->m, &guest_count, 1);
	for (i = 0; i < 2; i++) {
		c[i] = (struct counter){ &self->m, 1000 };
		must(-pthread_create(&thread[i], NULL, count_main, &c[i]));
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(2000, get_reg(self->m.vcpu[0], QVM_REG_X(1)));
	EXPECT_EQ(2000, vcpu_stats(self->m.vcpu[0]).mmio_user);
}

/* One waits for the other's guest, and both see its end. */
TEST_F(run, two_threads_end)
{
	struct runner r[2];

	machine_start(&self->m, &guest_spin, 1);
	runner_start(&r[0], &self->m, 0);
	runner_start(&r[1], &self->m, 0);
	EXPECT_TRUE(eventually(vcpu_stats(self->m.vcpu[0]).entries > 0));
	must(call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r[0]));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r[1]));
}

struct flipper {
	volatile unsigned char *page;
	atomic_bool stop;
};

/* Everything but immediate_exit, or the guest would not get on. */
static void *flipper_main(void *arg)
{
	struct flipper *f = arg;
	unsigned int seed = 1, i;

	while (!atomic_load(&f->stop)) {
		for (i = 1; i < PAGE; i++)
			f->page[i] = seed = seed * 1103515245 + 12345;
		for (i = 8; i < 64; i++)
			f->page[i] = i & 1 ? 0xff : 0;
	}
	return NULL;
}

GUEST(guest_stores, G_DEVICE "mov x3, #2000\n"
      "1: ldr w1, [x28]\n strb w3, [x28, #1]\n ldr x2, [x28, #8]\n add x5, x5, #1\n subs x3, x3, #1\n b.ne 1b\n"
      G_OFF);

/* Whatever stands in the page, the module does what the guest asked, no more: no loop is lost. */
TEST_F(run, page_flipped_all_the_time)
{
	struct flipper f = { 0 };
	pthread_t thread;
	int i, ret = 0;

	machine_build(&self->m, &guest_stores, 1);
	/* `unclaimed` is flipped too: then reads are ones, and the guest goes on */
	must(call(self->m.vm, QVM_VM_SET_POLICY,
		  &(struct qvm_vm_policy){ .reference = QVM_POLICY_IGNORE }));
	machine_assemble(&self->m);
	f.page = (volatile unsigned char *)self->m.run[0];
	must(-pthread_create(&thread, NULL, flipper_main, &f));
	for (i = 0; i < 6000; i++) {
		do
			ret = call(self->m.vcpu[0], QVM_VCPU_RUN, NULL);
		while (ret == -EINTR);
		ASSERT_EQ(0, ret);
	}
	EXPECT_EQ(QVM_VM_RUNNING, vm_info(self->m.vm).state);
	EXPECT_EQ(6000, vcpu_stats(self->m.vcpu[0]).mmio_user);
	EXPECT_EQ(1999, get_reg(self->m.vcpu[0], QVM_REG_X(5)));
	while (call(self->m.vcpu[0], QVM_VCPU_RUN, NULL) == -EINTR)
		;
	EXPECT_EQ(QVM_VM_ENDED, vm_info(self->m.vm).state);
	EXPECT_EQ(QVM_SYSTEM_OFF, vm_info(self->m.vm).end_event);
	EXPECT_EQ(2000, get_reg(self->m.vcpu[0], QVM_REG_X(5)));
	atomic_store(&f.stop, true);
	pthread_join(thread, NULL);
}

GUEST(guest_writes_page, G_DEVICE "mov x4, #0x50000000\n mov x3, #300\n mov x6, #-1\n"
      "1: stp x6, x6, [x4, #8]\n stp x6, x3, [x4, #24]\n stp x6, x3, [x4, #40]\n"
      "ldr w1, [x28]\n str w3, [x28]\n subs x3, x3, #1\n b.ne 1b\n" G_OFF);

/* The same by the guest itself: its run page is its RAM. */
TEST_F(run, page_is_guest_ram)
{
	struct machine *m = &self->m;
	int i;

	machine_build(m, &guest_writes_page, 1);
	must(add_region(m->vm, 0x50000000, m->run[0], PAGE, QVM_REGION_RAM));
	machine_assemble(m);
	for (i = 300; i > 0; i--) {
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(m, 0));
		EXPECT_FALSE(m->run[0]->mmio.is_write);
		EXPECT_EQ(i, next_write(m, 0, 0));
	}
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
}

/* ---- what no guest is told of ---- */

/* TPIDR2_EL0 (SME): the second one reads it. It may be UNDEFINED, which the vectors tell. */
GUEST(guest_tpidr2_write, G_DEVICE "mov x1, #0x777\n msr s3_3_c13_c0_5, x1\n str x1, [x28]\n b .");
GUEST(guest_tpidr2_read, G_DEVICE "mov x1, #0\n mrs x1, s3_3_c13_c0_5\n str x1, [x28]\n b .");

TEST_F(run, thread_register_of_sme_is_no_others)
{
	struct machine writer, reader;

	machine_start(&writer, &guest_tpidr2_write, 1);
	machine_start(&reader, &guest_tpidr2_read, 1);
	EXPECT_EQ(QVM_EXIT_MMIO, run_vcpu(&writer, 0));
	EXPECT_NE(0x777, next_write(&reader, 0, 0));
	machine_close(&writer);
	machine_close(&reader);
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
