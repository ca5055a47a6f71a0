// SPDX-License-Identifier: GPL-2.0-only
/* QVM_VM_DOORBELL: a guest's write signals an eventfd. */
#include <kselftest_harness.h>

#include "eventfd.h"

FIXTURE(doorbell)
{
	struct machine m;
};

FIXTURE_SETUP(doorbell)
{
}

FIXTURE_TEARDOWN(doorbell)
{
	if (self->m.vm)
		machine_close(&self->m);
}

/* Each width once at the doorbell, a value each, and a read; then the machine is off. */
GUEST(guest_ring, G_DEVICE "mov x1, #0x77\n movk x1, #0x5, lsl #16\n"
      "strb w1, [x28, #0x40]\n strh w1, [x28, #0x40]\n str w1, [x28, #0x40]\n str x1, [x28, #0x40]\n"
      "str w1, [x28, #0x44]\n ldr w2, [x28, #0x40]\n" G_OFF);

/* The accesses of guest_ring that come to user space: a bit for each, by its order. */
static unsigned int ring(struct machine *m)
{
	static const struct { unsigned int offset, len, write; } accesses[] = {
		{ 0x40, 1, 1 }, { 0x40, 2, 1 }, { 0x40, 4, 1 }, { 0x40, 8, 1 }, { 0x44, 4, 1 }, { 0x40, 4, 0 },
	};
	unsigned int seen = 0, i;

	must(set_reg(m->vcpu[0], QVM_REG_PC, RAM_GPA));
	for (;;) {
		struct qvm_run *run = m->run[0];

		if (run_vcpu(m, 0) != QVM_EXIT_MMIO)
			return ~0U;
		for (i = 0; i < ARRAY_SIZE(accesses); i++)
			if (run->mmio.gpa == DEVICE_GPA + accesses[i].offset && run->mmio.len == accesses[i].len &&
			    run->mmio.is_write == accesses[i].write)
				seen |= 1 << i;
		if (!run->mmio.is_write)
			return seen;
	}
}

TEST_F(doorbell, widths)
{
	struct machine *m = &self->m;
	int fd = make_eventfd();
	unsigned int i;

	machine_start(m, &guest_ring, 1);
	EXPECT_EQ(0x3f, ring(m));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 0, fd, 0, 0));
	EXPECT_EQ(0x30, ring(m));			/* reads, and the address behind, are as before */
	EXPECT_EQ(4, take(fd));
	EXPECT_EQ(4, vcpu_stats(m->vcpu[0]).doorbells);
	ASSERT_EQ(0, doorbell(m->vm, BELL, 0, -1, REMOVE, 0));
	EXPECT_EQ(0x3f, ring(m));
	EXPECT_EQ(0, take(fd));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, doorbell(m->vm, BELL, 1 << i, fd, 0, 0));
		EXPECT_EQ(0x3f & ~(1 << i), ring(m));
		EXPECT_EQ(1, take(fd));
		ASSERT_EQ(0, doorbell(m->vm, BELL, 1 << i, -1, REMOVE, 0));
	}
}

TEST_F(doorbell, datamatch)
{
	struct machine *m = &self->m;
	int fd = make_eventfd(), other = make_eventfd();

	machine_start(m, &guest_ring, 1);
	ASSERT_EQ(0, doorbell(m->vm, BELL, 1, fd, MATCH, 0x77));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 1, other, MATCH, 0x78));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 2, other, MATCH, 0x78));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 4, fd, MATCH, 0x50077));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 4, other, MATCH, 0x77));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 8, fd, MATCH, 0x50077));
	ASSERT_EQ(0, doorbell(m->vm, BELL, 8, other, MATCH, 0x100050077));
	EXPECT_EQ(0x32, ring(m));
	EXPECT_EQ(3, take(fd));
	EXPECT_EQ(0, take(other));
}

TEST_F(doorbell, refuses)
{
	struct machine *m = &self->m;
	int fd = make_eventfd(), null = must(open("/dev/null", O_RDWR)), vm;
	uint64_t end;

	machine_build(m, &guest_ring, 1);
	machine_add_gic(m);
	machine_assemble(m);
	vm = m->vm;
	end = 1ULL << 40;
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 3, fd, 0, 0));
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 16, fd, 0, 0));
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 4, fd, 8, 0));
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 4, fd, 0, 1));
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 0, fd, MATCH, 1));
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 1, fd, MATCH, 0x100));
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 4, fd, MATCH, 1ULL << 32));
	EXPECT_EQ(-EINVAL, doorbell(vm, BELL, 4, null, 0, 0));
	EXPECT_EQ(-EBADF, doorbell(vm, BELL, 4, -1, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, doorbell(vm, 0x80, 1, fd, QVM_DOORBELL_F_PORT, 0));
	EXPECT_EQ(-ERANGE, doorbell(vm, end, 1, fd, 0, 0));
	EXPECT_EQ(-ERANGE, doorbell(vm, end - 4, 8, fd, 0, 0));
	EXPECT_EQ(-ERANGE, doorbell(vm, -1ULL, 0, fd, 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(vm, RAM_GPA, 4, fd, 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(vm, RAM_GPA - 4, 8, fd, 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(vm, RAM_GPA + RAM_SIZE - 1, 0, fd, 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(vm, GICD_GPA + 0x100, 4, fd, 0, 0));
	EXPECT_EQ(-ENOENT, doorbell(vm, BELL, 4, fd, REMOVE, 0));
	EXPECT_EQ(0, doorbell(vm, end - 8, 8, fd, 0, 0));
	EXPECT_EQ(0, doorbell(vm, BELL, 4, fd, 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(vm, BELL, 4, make_eventfd(), 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(vm, BELL, 0, fd, 0, 0));
	EXPECT_EQ(-EEXIST, doorbell(vm, BELL, 4, fd, MATCH, 7));
	EXPECT_EQ(-ENOENT, doorbell(vm, BELL, 8, fd, REMOVE, 0));
	EXPECT_EQ(-ENOENT, doorbell(vm, BELL, 4, fd, REMOVE | MATCH, 0));
	must(call(vm, QVM_VM_END, NULL));
	EXPECT_EQ(0, doorbell(vm, BELL, 4, fd, REMOVE, 0));
	EXPECT_EQ(-ENOENT, doorbell(vm, BELL, 4, fd, REMOVE, 0));
}

TEST_F(doorbell, limit)
{
	int fd = make_eventfd();
	unsigned int i;

	machine_start(&self->m, &guest_ring, 1);
	for (i = 0; i < QVM_MAX_DOORBELLS; i++)
		ASSERT_EQ(0, doorbell(self->m.vm, BELL, 4, fd, MATCH, 0x50077 - i));
	EXPECT_EQ(-ENOSPC, doorbell(self->m.vm, BELL, 4, fd, MATCH, 0x60077));
	EXPECT_EQ(0x3b, ring(&self->m));
	EXPECT_EQ(1, take(fd));
}

/* It stays when its eventfd is closed; a copy of it shows that it rings. */
TEST_F(doorbell, closed_eventfd)
{
	int fd = make_eventfd(), copy = must(dup(fd));

	machine_start(&self->m, &guest_ring, 1);
	ASSERT_EQ(0, doorbell(self->m.vm, BELL, 4, fd, 0, 0));
	must(close(fd));
	EXPECT_EQ(0x3b, ring(&self->m));
	EXPECT_EQ(1, take(copy));
	must(close(copy));
	EXPECT_EQ(0x3b, ring(&self->m));
	EXPECT_EQ(0, doorbell(self->m.vm, BELL, 4, -1, REMOVE, 0));
	EXPECT_EQ(0x3f, ring(&self->m));
}

GUEST(guest_ring_forever, G_DEVICE "1: str wzr, [x28, #0x40]\n b 1b");

/* Added and removed under a guest that rings all the time: after REMOVE no signal comes. */
TEST_F(doorbell, removal_waits)
{
	struct machine *m = &self->m;
	int fd = make_eventfd(), i;
	struct runner r;

	machine_start(m, &guest_ring_forever, 1);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, doorbell(m->vm, BELL, 4, fd, 0, 0));
		runner_start(&r, m, 0);
		ASSERT_TRUE(wait_for(fd));
		ASSERT_EQ(0, doorbell(m->vm, BELL, 4, fd, REMOVE, 0));
		take(fd);
		/* the next write comes to user space */
		EXPECT_EQ(QVM_EXIT_MMIO, runner_join(&r));
		EXPECT_EQ(0, take(fd));
	}
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
