// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory that comes and goes: lazy, discarded, failed, without its owner. */
#include <kselftest_harness.h>

#include <sys/socket.h>

#include "vm.h"

#define BIG_GPA		0x80000000ULL
#define BIG_SIZE	0x400000ULL		/* two blocks */
#define M2		0x200000ULL
#define STORM_MS	1500

FIXTURE(memory)
{
	struct machine m;
	char *big;
};

FIXTURE_SETUP(memory)
{
	char *p = map_memory(BIG_SIZE + M2);

	self->big = (char *)(((uintptr_t)p + M2 - 1) & ~(M2 - 1));
}

FIXTURE_TEARDOWN(memory)
{
	machine_close(&self->m);
	EXPECT_TRUE(module_is_empty());
}

/* Tell what is at [x1], then put x2 there and tell that it is done. */
GUEST(guest_peek, G_DEVICE "1: ldr x3, [x1]\n str x3, [x28]\n str x2, [x1]\n str x3, [x28, #8]\n b 1b");
/* Count in each page from x1 to x2, for ever. */
GUEST(guest_count, "1: mov x3, x1\n2: ldr x4, [x3]\n add x4, x4, #1\n str x4, [x3]\n"
		   "add x3, x3, #0x1000\n cmp x3, x2\n b.lo 2b\n b 1b");

static int add_big(struct machine *m, char *hva, uint32_t flags, uint64_t blocks[3])
{
	struct qvm_region region = {
		.gpa = BIG_GPA, .size = BIG_SIZE, .hva = (uintptr_t)hva,
		.kind = QVM_REGION_RAM, .flags = flags,
	};
	int ret = call(m->vm, QVM_VM_ADD_REGION, &region);

	memcpy(blocks, region.blocks, sizeof(region.blocks));
	return ret;
}

static void start_big(struct machine *m, const struct guest *guest, char *hva, uint32_t flags)
{
	uint64_t blocks[3];

	machine_build(m, guest, 1);
	must(add_big(m, hva, flags, blocks));
	machine_assemble(m);
}

static int discard(struct machine *m, uint64_t gpa, uint64_t size)
{
	struct qvm_discard param = { .gpa = gpa, .size = size };

	return call(m->vm, QVM_VM_REGION_DISCARD, &param);
}

/* What the guest found at @gpa, where it put @value then; or ~reason of another exit. */
static uint64_t peek_poke(struct machine *m, uint64_t gpa, uint64_t value)
{
	uint64_t found;

	/* the access that ended it last is completed first: either way the loop begins anew */
	must(set_reg(m->vcpu[0], QVM_REG_PC, RAM_GPA));
	must(set_reg(m->vcpu[0], QVM_REG_X(1), gpa));
	must(set_reg(m->vcpu[0], QVM_REG_X(2), value));
	if (run_vcpu(m, 0) != QVM_EXIT_MMIO)
		return ~(uint64_t)m->run[0]->exit_reason;
	found = mmio_data(m->run[0]);
	if (run_vcpu(m, 0) != QVM_EXIT_MMIO)
		return ~(uint64_t)m->run[0]->exit_reason;
	return found;
}

static volatile uint64_t *word(char *big, uint64_t offset)
{
	return (volatile uint64_t *)(big + offset);
}

TEST_F(memory, discarded_and_given_back)
{
	uint64_t at = M2 + 5 * PAGE;

	start_big(&self->m, &guest_peek, self->big, 0);
	*word(self->big, at) = 0x1111;
	*word(self->big, at + PAGE) = 0x2222;
	ASSERT_EQ(0x1111, peek_poke(&self->m, BIG_GPA + at, 0x3333));
	/* what the owner gives back alone the guest keeps */
	ASSERT_EQ(0, madvise(self->big + at, PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, *word(self->big, at));
	ASSERT_EQ(0, discard(&self->m, BIG_GPA + at, PAGE));
	EXPECT_EQ(0, peek_poke(&self->m, BIG_GPA + at, 0x4444));
	EXPECT_EQ(0x4444, *word(self->big, at));
	/* its neighbours in the block are as they were */
	EXPECT_EQ(0x2222, peek_poke(&self->m, BIG_GPA + at + PAGE, 1));
	EXPECT_EQ(1, *word(self->big, at + PAGE));
}

TEST_F(memory, discarded_and_kept)
{
	start_big(&self->m, &guest_peek, self->big, 0);
	*word(self->big, PAGE) = 0x1111;
	ASSERT_EQ(0x1111, peek_poke(&self->m, BIG_GPA + PAGE, 0x2222));
	ASSERT_EQ(0, discard(&self->m, BIG_GPA, BIG_SIZE));
	ASSERT_EQ(0, discard(&self->m, BIG_GPA, BIG_SIZE));
	EXPECT_EQ(0x2222, peek_poke(&self->m, BIG_GPA + PAGE, 0));
}

TEST_F(memory, discard_unpins)
{
	long pinned;

	start_big(&self->m, &guest_peek, self->big, 0);
	pinned = module_count("pinned_pages");
	ASSERT_EQ(0, discard(&self->m, BIG_GPA + PAGE, BIG_SIZE - 2 * PAGE));
	EXPECT_EQ(pinned - (long)(BIG_SIZE / PAGE) + 2, module_count("pinned_pages"));
	/* the charge stays */
	EXPECT_EQ(RAM_SIZE + BIG_SIZE, vm_info(self->m.vm).pinned);
}

TEST_F(memory, discard_of_code)
{
	start_big(&self->m, &guest_peek, self->big, 0);
	ASSERT_EQ(0, discard(&self->m, RAM_GPA, PAGE));
	EXPECT_EQ(0, peek_poke(&self->m, BIG_GPA, 0));
}

TEST_F(memory, discard_refused)
{
	struct qvm_discard param = { .gpa = BIG_GPA, .size = PAGE };
	uint64_t blocks[3];
	char *rom = map_memory(PAGE);

	machine_build(&self->m, &guest_peek, 1);
	must(add_big(&self->m, self->big, 0, blocks));
	must(add_region(self->m.vm, 0, rom, PAGE, QVM_REGION_ROM));
	EXPECT_EQ(-EAGAIN, discard(&self->m, BIG_GPA, PAGE));
	machine_assemble(&self->m);
	EXPECT_EQ(-EINVAL, discard(&self->m, BIG_GPA, 0));
	EXPECT_EQ(-EINVAL, discard(&self->m, BIG_GPA + 8, PAGE));
	EXPECT_EQ(-EINVAL, discard(&self->m, BIG_GPA, PAGE + 8));
	EXPECT_EQ(-ENOENT, discard(&self->m, BIG_GPA, BIG_SIZE + PAGE));
	EXPECT_EQ(-ENOENT, discard(&self->m, BIG_GPA + PAGE, -PAGE));
	EXPECT_EQ(-ENOENT, discard(&self->m, BIG_GPA - PAGE, PAGE));
	EXPECT_EQ(-ENOENT, discard(&self->m, 0, PAGE));		/* ROM */
	param.flags = 1;
	EXPECT_EQ(-EINVAL, call(self->m.vm, QVM_VM_REGION_DISCARD, &param));
	param = (struct qvm_discard){ .gpa = BIG_GPA, .size = PAGE, .reserved = 1 };
	EXPECT_EQ(-EINVAL, call(self->m.vm, QVM_VM_REGION_DISCARD, &param));
	must(call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(-ESHUTDOWN, discard(&self->m, BIG_GPA, PAGE));
}

TEST_F(memory, lazy)
{
	struct qvm_region rom = {
		.gpa = 0, .size = PAGE, .hva = (uintptr_t)self->big, .kind = QVM_REGION_ROM,
		.flags = QVM_REGION_F_LAZY,
	};
	uint64_t blocks[3];
	long pinned, more;

	machine_build(&self->m, &guest_peek, 1);
	EXPECT_EQ(-EINVAL, call(self->m.vm, QVM_VM_ADD_REGION, &rom));
	pinned = module_count("pinned_pages");
	ASSERT_EQ(0, add_big(&self->m, self->big, QVM_REGION_F_LAZY, blocks));
	EXPECT_EQ(0, blocks[0] + blocks[1] + blocks[2]);
	EXPECT_EQ(pinned, module_count("pinned_pages"));
	EXPECT_EQ(RAM_SIZE + BIG_SIZE, vm_info(self->m.vm).pinned);
	machine_assemble(&self->m);
	*word(self->big, 3 * PAGE) = 0x1234;
	EXPECT_EQ(0x1234, peek_poke(&self->m, BIG_GPA + 3 * PAGE, 5));
	EXPECT_EQ(5, *word(self->big, 3 * PAGE));
	more = module_count("pinned_pages") - pinned;
	EXPECT_TRUE(more >= 1 && more <= (long)(M2 / PAGE));
	EXPECT_EQ(0, peek_poke(&self->m, BIG_GPA + BIG_SIZE - 8, 6));
	EXPECT_EQ(6, *word(self->big, BIG_SIZE - 8));
}

/* The owner has nothing at one page: the pages beside it are there, this one is a safe state. */
TEST_F(memory, lazy_without_memory)
{
	ASSERT_EQ(0, mprotect(self->big + PAGE, PAGE, PROT_NONE));
	start_big(&self->m, &guest_peek, self->big, QVM_REGION_F_LAZY);
	EXPECT_EQ(0, peek_poke(&self->m, BIG_GPA, 1));
	EXPECT_EQ(0, peek_poke(&self->m, BIG_GPA + 2 * PAGE, 1));
	EXPECT_EQ(~(uint64_t)QVM_EXIT_FATAL, peek_poke(&self->m, BIG_GPA + PAGE, 1));
	EXPECT_EQ(QVM_FATAL_MEMORY, self->m.run[0]->fatal.cause);
	EXPECT_EQ(BIG_GPA + PAGE, self->m.run[0]->fatal.gpa);
}

TEST_F(memory, discarded_under_a_running_guest)
{
	struct runner r;
	long end = milliseconds() + STORM_MS;
	unsigned int n = 0;

	start_big(&self->m, &guest_count, self->big, 0);
	must(set_reg(self->m.vcpu[0], QVM_REG_X(1), BIG_GPA));
	must(set_reg(self->m.vcpu[0], QVM_REG_X(2), BIG_GPA + 16 * PAGE));
	runner_start(&r, &self->m, 0);
	while (milliseconds() < end) {
		uint64_t at = n++ % 16 * PAGE;

		ASSERT_EQ(0, discard(&self->m, BIG_GPA + at, (1 + n % 3) * PAGE));
	}
	EXPECT_GT(n, 10);
	must(call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
	/* nothing that it counted was lost: a page that was discarded is the same page when it is back */
	for (n = 1; n < 16; n++) {
		EXPECT_GE(*word(self->big, 0), *word(self->big, n * PAGE));
		EXPECT_LE(*word(self->big, 0), *word(self->big, n * PAGE) + 1);
	}
}

/* The kernel finds a broken page: the guest does not go on, and the log names the reason. */
/* To be told of it is enough: ignored, it would be the end of this process on 6.12. */
static void on_bus_error(int signal)
{
	(void)signal;
}

TEST_F(memory, failed)
{
	struct runner r;

	ASSERT_EQ(0, madvise(self->big, BIG_SIZE, MADV_NOHUGEPAGE));
	start_big(&self->m, &guest_count, self->big, 0);
	must(set_reg(self->m.vcpu[0], QVM_REG_X(1), BIG_GPA));
	must(set_reg(self->m.vcpu[0], QVM_REG_X(2), BIG_GPA + PAGE));
	runner_start(&r, &self->m, 0);
	EXPECT_TRUE(eventually(*word(self->big, 0) > 0));
	signal(SIGBUS, on_bus_error);
	if (madvise(self->big + 7 * PAGE, PAGE, MADV_HWPOISON) && errno != EBUSY) {
		must(call(self->m.vm, QVM_VM_END, NULL));
		runner_join(&r);
		SKIP(return, "no way to have memory fail here");
	}
	EXPECT_EQ(QVM_EXIT_FATAL, runner_join(&r));
	EXPECT_EQ(QVM_FATAL_MEMORY, self->m.run[0]->fatal.cause);
	EXPECT_EQ(BIG_GPA + 7 * PAGE, self->m.run[0]->fatal.gpa);
}

/* ---- the owner is gone, its fd is not ---- */

static void send_fd(int socket, int fd)
{
	char data = 0, control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { &data, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	must(sendmsg(socket, &msg, 0));
}

static int receive_fd(int socket)
{
	char data, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &data, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	must(recvmsg(socket, &msg, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST(owner_is_gone)
{
	int pair[2], vm, status;
	struct machine m;
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = must(fork());
	if (!child) {
		machine_start(&m, &guest_off, 1);
		send_fd(pair[1], m.vm);
		_exit(0);
	}
	vm = receive_fd(pair[0]);
	must(waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(eventually(module_count("pinned_pages") == 0));
	EXPECT_EQ(1, module_count("vm_count"));
	EXPECT_EQ(-EIO, call(vm, QVM_VM_END, NULL));
	close(vm);
	EXPECT_TRUE(module_is_empty());
}

TEST_HARNESS_MAIN
