// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU whose thread is in user space: its registers may still be in a pCPU (arm64, VHE). Wherever it is
 * run next, by whomever, and whatever happens to that pCPU, nothing of it is lost, and nothing of it is
 * the host's.
 */
#define _GNU_SOURCE	/* affinity */
#include <sched.h>

#include <kselftest_harness.h>

#include "vm.h"

#define SYS_TPIDR_EL0	QVM_REG_SYS(3, 3, 13, 0, 2)
#define SYS_TPIDR_EL1	QVM_REG_SYS(3, 0, 13, 0, 4)
#define SYS_FAR		QVM_REG_SYS(3, 0, 6, 0, 0)
#define ROUNDS		300

FIXTURE(park)
{
	struct machine m, n;
	int cpus;
};

FIXTURE_SETUP(park)
{
	self->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
}

FIXTURE_TEARDOWN(park)
{
	if (self->m.vm)
		machine_close(&self->m);
	if (self->n.vm)
		machine_close(&self->n);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set) ? -errno : 0);
}

/*
 * Registers of each kind count up from the vCPU's number, together; at each round the device is told, first
 * how many are not what they were left at.
 */
#define COUNTED(reg)	"mrs x3, " reg "\n cmp x3, x2\n cinc x4, x4, ne\n add x3, x2, #1\n msr " reg ", x3\n"

GUEST(guest_counts, G_DEVICE
      "mrs x2, mpidr_el1\n and x2, x2, #15\n lsl x2, x2, #32\n"
      "msr tpidr_el1, x2\n msr tpidr_el0, x2\n msr tpidrro_el0, x2\n msr far_el1, x2\n msr sp_el0, x2\n"
      "msr elr_el1, x2\n"
      "1: mov x4, #0\n"
      COUNTED("tpidr_el1") COUNTED("tpidr_el0") COUNTED("tpidrro_el0") COUNTED("far_el1")
      COUNTED("sp_el0") COUNTED("elr_el1")
      "add x2, x2, #1\n str x4, [x28]\n b 1b\n");

static uint64_t round_of(struct __test_metadata *_metadata, struct machine *m, unsigned int vcpu)
{
	EXPECT_EQ(QVM_EXIT_MMIO, run_vcpu(m, vcpu));
	return mmio_data(m->run[vcpu]);
}

TEST_F(park, stays_itself_on_one_cpu)
{
	int i;

	machine_start(&self->m, &guest_counts, 1);
	for (i = 0; i < ROUNDS; i++)
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
}

TEST_F(park, follows_its_thread)
{
	int i;

	machine_start(&self->m, &guest_counts, 1);
	for (i = 0; i < ROUNDS; i++) {
		pin(i % self->cpus);
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
	}
}

/* Two vCPUs take each other's place. */
TEST_F(park, makes_room)
{
	int i;

	machine_start(&self->m, &guest_counts, 1);
	machine_start(&self->n, &guest_counts, 1);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
		ASSERT_EQ(0, round_of(_metadata, &self->n, 0));
		if (i % 3 == 0)
			pin(i / 3 % self->cpus);
	}
}

TEST_F(park, is_read_and_written)
{
	int i;

	machine_start(&self->m, &guest_counts, 1);
	for (i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
		pin(i % self->cpus);
		ASSERT_EQ(i, get_reg(self->m.vcpu[0], SYS_TPIDR_EL1));
		ASSERT_EQ(i, get_reg(self->m.vcpu[0], SYS_TPIDR_EL0));
	}
	must(set_reg(self->m.vcpu[0], SYS_TPIDR_EL0, 5));
	must(set_reg(self->m.vcpu[0], SYS_FAR, 5));
	EXPECT_EQ(2, round_of(_metadata, &self->m, 0));
	EXPECT_EQ(0, round_of(_metadata, &self->m, 0));
}

/* Its timer, armed and then left alone, fires while it is parked, or moved. */
GUEST(guest_timer, G_DEVICE
      "mov w0, #2\n movz x1, #0x0800, lsl #16\n str w0, [x1]\n"		/* GICD_CTLR */
      "movz x1, #0x080a, lsl #16\n str wzr, [x1, #0x14]\n"			/* GICR_WAKER */
      "movz x1, #0x080b, lsl #16\n mov w0, #-1\n"
      "str w0, [x1, #0x80]\n str w0, [x1, #0x100]\n"				/* group 1, enabled */
      "mov x0, #0xf0\n msr S3_0_C4_C6_0, x0\n"				/* ICC_PMR_EL1 */
      "mov x0, #1\n msr S3_0_C12_C12_7, x0\n isb\n"				/* ICC_IGRPEN1_EL1 */
      "1: mrs x6, cntfrq_el0\n mov x7, #500\n udiv x6, x6, x7\n msr cntv_tval_el0, x6\n"
      "mov x0, #1\n msr cntv_ctl_el0, x0\n isb\n str x0, [x28]\n"		/* out, for longer */
      "2: mrs x1, S3_0_C12_C12_0\n cmp x1, #27\n b.ne 2b\n"			/* ICC_IAR1_EL1 */
      "msr cntv_ctl_el0, xzr\n isb\n msr S3_0_C12_C12_1, x1\n isb\n"		/* ICC_EOIR1_EL1 */
      "str x1, [x28]\n b 1b\n");

TEST_F(park, its_timer_fires)
{
	int i;

	machine_build(&self->m, &guest_timer, 1);
	machine_add_gic(&self->m);
	machine_assemble(&self->m);
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(1, round_of(_metadata, &self->m, 0));
		sleep_us(4000);
		if (i & 1)
			pin(i / 2 % self->cpus);
		ASSERT_EQ(27, round_of(_metadata, &self->m, 0));
	}
}

/* By another thread, on another pCPU, while the thread that ran it is here. */
static void *close_it(void *machine)
{
	struct machine *m = machine;

	pin((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
	machine_close(m);
	m->vm = 0;
	return NULL;
}

TEST_F(park, is_closed)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 20; i++) {
		pin(0);
		machine_start(&self->m, &guest_counts, 1);
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
		must(-pthread_create(&thread, NULL, close_it, &self->m));
		pthread_join(thread, NULL);
		/* what is loaded now finds nobody there */
		machine_start(&self->n, &guest_counts, 1);
		ASSERT_EQ(0, round_of(_metadata, &self->n, 0));
		machine_close(&self->n);
		self->n.vm = 0;
	}
}

static bool switch_cpu(int cpu, bool on)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ret = (int)write(fd, on ? "1" : "0", 1);
	close(fd);
	return ret == 1;
}

/* The pCPU goes, and what was parked there has gone before. */
TEST_F(park, outlives_its_cpu)
{
	int i;

	if (self->cpus < 2)
		SKIP(return, "needs two CPUs");
	machine_start(&self->m, &guest_counts, 1);
	for (i = 0; i < 4; i++) {
		pin(1);
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
		pin(0);
		ASSERT_TRUE(switch_cpu(1, false));
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
		ASSERT_TRUE(switch_cpu(1, true));
		ASSERT_EQ(0, round_of(_metadata, &self->m, 0));
	}
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
