// SPDX-License-Identifier: GPL-2.0-only
/* QVM_VCPU_RUN by lseek(): the same, for whom it has been allowed. */
#include <sys/fsuid.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "vm.h"

FIXTURE(seek)
{
	struct machine m;
	int vcpu;
};

GUEST(guest_reads, G_DEVICE "1: ldr w1, [x28]\n b 1b\n");

FIXTURE_SETUP(seek)
{
	machine_start(&self->m, &guest_reads, 1);
	self->vcpu = self->m.vcpu[0];
}

FIXTURE_TEARDOWN(seek)
{
	machine_close(&self->m);
}

/* 0 or -errno. */
static int run_seek(int vcpu)
{
	return lseek(vcpu, QVM_VCPU_RUN, SEEK_SET) < 0 ? -errno : 0;
}

TEST_F(seek, runs)
{
	struct qvm_run *run = self->m.run[0];
	int i;

	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	for (i = 0; i < 100; i++) {
		run->exit_reason = QVM_EXIT_NONE;
		memset(run->mmio.data, i, sizeof(run->mmio.data));
		ASSERT_EQ(0, run_seek(self->vcpu));
		ASSERT_EQ(QVM_EXIT_MMIO, run->exit_reason);
		ASSERT_EQ(i * 0x01010101ULL, get_reg(self->vcpu, QVM_REG_X(1)));
	}
	EXPECT_EQ(101, vcpu_stats(self->vcpu).user_exits);
	run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, run_seek(self->vcpu));
	EXPECT_EQ(QVM_EXIT_INTR, run->exit_reason);
	must(call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(0, run_seek(self->vcpu));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run->exit_reason);
}

TEST_F(seek, other_places_are_none)
{
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	EXPECT_EQ(0, lseek(self->vcpu, 0, SEEK_CUR));
	EXPECT_EQ(0, lseek(self->vcpu, QVM_VCPU_RUN, SEEK_CUR));
	EXPECT_EQ(0, lseek(self->vcpu, QVM_VCPU_RUN, SEEK_END));
	EXPECT_EQ(0, lseek(self->vcpu, QVM_VCPU_RUN + 1, SEEK_SET));
	EXPECT_EQ(0, lseek(self->vcpu, QVM_VCPU_RUN | 1ULL << 32, SEEK_SET));
	EXPECT_EQ(1, vcpu_stats(self->vcpu).user_exits);
}

TEST_F(seek, not_before_an_ioctl)
{
	EXPECT_EQ(-EPERM, run_seek(self->vcpu));
	EXPECT_EQ(0, vcpu_stats(self->vcpu).entries);
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	EXPECT_EQ(0, run_seek(self->vcpu));
}

TEST_F(seek, not_with_other_credentials)
{
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	setfsuid(12345);
	EXPECT_EQ(-EPERM, run_seek(self->vcpu));
	EXPECT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	EXPECT_EQ(0, run_seek(self->vcpu));
	setfsuid(0);
	EXPECT_EQ(-EPERM, run_seek(self->vcpu));
}

TEST_F(seek, not_in_another_process)
{
	int status;

	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	if (fork() == 0)
		_exit(-run_seek(self->vcpu));
	ASSERT_LE(0, wait(&status));
	EXPECT_EQ(EIO, WEXITSTATUS(status));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
