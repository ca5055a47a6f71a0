// SPDX-License-Identifier: GPL-2.0-only
/* The module removed and loaded again; not while anything of it is in use. */
#include <kselftest_harness.h>

#include <sys/syscall.h>

#include "vm.h"

#define MODULE	"/qvm/qvm.ko"
#define ROUNDS	10

static int module_remove(void)
{
	return syscall(SYS_delete_module, "qvm", O_NONBLOCK) ? -errno : 0;
}

static int module_load(void)
{
	int fd = must(open(MODULE, O_RDONLY | O_CLOEXEC)), ret;

	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	/* devtmpfs makes the node in a thread of its own */
	return ret ?: eventually(!access("/dev/qvm", F_OK)) ? 0 : -ENODEV;
}

TEST(in_use)
{
	struct machine m;
	int sys;

	sys = must(open("/dev/qvm", O_RDWR));
	EXPECT_EQ(-EWOULDBLOCK, module_remove());
	close(sys);

	machine_start(&m, &guest_off, 1);
	close(m.sys);
	EXPECT_EQ(-EWOULDBLOCK, module_remove());
	close(m.vm);
	EXPECT_EQ(-EWOULDBLOCK, module_remove());
	close(m.vcpu[0]);
	EXPECT_EQ(-EWOULDBLOCK, module_remove());	/* the run page is mapped */
	EXPECT_EQ(0, m.run[0]->immediate_exit);
	munmap(m.run[0], PAGE);
	EXPECT_EQ(0, module_remove());
	EXPECT_NE(0, access("/dev/qvm", F_OK));
	EXPECT_NE(0, access("/sys/kernel/debug/qvm", F_OK));
	EXPECT_EQ(0, module_load());
}

TEST(loaded_again)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct machine m;

		ASSERT_EQ(0, module_remove());
		ASSERT_EQ(0, module_load());
		EXPECT_EQ(-EEXIST, module_load());
		machine_build(&m, &guest_off, 1);
		machine_add_gic(&m);
		machine_assemble(&m);
		EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&m, 0));
		machine_close(&m);
		ASSERT_TRUE(module_is_empty());
	}
}

/* The last reference goes while someone waits for it to. */
TEST(removed_behind_a_killed_guest)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();
		int ret;

		if (!pid) {
			struct machine m;

			machine_start(&m, &guest_spin, 1);
			run_vcpu(&m, 0);
			_exit(0);
		}
		sleep_us(20000 + i * 3000);
		kill(pid, SIGKILL);
		do
			ret = module_remove();
		while (ret == -EWOULDBLOCK);
		EXPECT_EQ(0, ret);
		must(waitpid(pid, NULL, 0));
		ASSERT_EQ(0, module_load());
	}
}

TEST_HARNESS_MAIN
