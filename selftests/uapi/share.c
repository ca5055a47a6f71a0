// SPDX-License-Identifier: GPL-2.0-only
/* QVM_REGION_SHARED and QVM_VM_SHARE, and lines that an irqfd holds up (QVM_IRQFD_F_HOLD). */
#define _GNU_SOURCE	/* memfd_create */
#include <kselftest_harness.h>

#include <poll.h>
#include <sys/eventfd.h>

#include "vm.h"

#define SHARED_KIND	QVM_REGION_SHARED
#define REMOVE		QVM_SHARE_F_REMOVE
#define WINDOW		0x50000000ULL
#define WINDOW_SIZE	0x400000ULL
#define SHARE_SIZE	(4 * PAGE)

FIXTURE(share)
{
	struct machine m, other;
	int fd;
	char *memory;			/* of fd */
};

FIXTURE_SETUP(share)
{
	self->fd = must(memfd_create("share", MFD_CLOEXEC));
	must(ftruncate(self->fd, WINDOW_SIZE));
	self->memory = mmap(NULL, WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	must(self->memory == MAP_FAILED ? -1 : 0);
}

FIXTURE_TEARDOWN(share)
{
	if (self->m.vm)
		machine_close(&self->m);
	if (self->other.vm)
		machine_close(&self->other);
	munmap(self->memory, WINDOW_SIZE);
	close(self->fd);
}

static int share(int vm, uint64_t gpa, uint64_t size, const void *hva, uint32_t flags)
{
	struct qvm_share param = { .gpa = gpa, .size = size, .hva = (uintptr_t)hva, .flags = flags };

	return call(vm, QVM_VM_SHARE, &param);
}

static void start(struct machine *m, const struct guest *guest)
{
	machine_build(m, guest, 1);
	machine_add_gic(m);
	must(add_region(m->vm, WINDOW, NULL, WINDOW_SIZE, SHARED_KIND));
	machine_assemble(m);
}

#define G_WINDOW	"mov x27, #0x50000000\n"

/* Adds 1 to the window's first word and gives the device the sum and the word on the next page, for ever. */
GUEST(guest_add, G_WINDOW G_DEVICE "1: ldr x1, [x27]\n add x1, x1, #1\n str x1, [x27]\n str x1, [x28]\n"
      "ldr x2, [x27, #4096]\n str x2, [x28, #8]\n b 1b");

TEST_F(share, window)
{
	int sys = must(open("/dev/qvm", O_RDWR)), vm = must(create_vm(sys, "window", 1));
	char *ram = map_memory(PAGE);

	EXPECT_EQ(-EINVAL, add_region(vm, WINDOW, ram, PAGE, SHARED_KIND));
	EXPECT_EQ(-EINVAL, add_region(vm, WINDOW, NULL, PAGE + 1, SHARED_KIND));
	EXPECT_EQ(-EINVAL, add_region(vm, WINDOW, NULL, PAGE, SHARED_KIND + 1));
	EXPECT_EQ(-ERANGE, add_region(vm, 1ULL << 40, NULL, PAGE, SHARED_KIND));
	EXPECT_EQ(0, add_region(vm, WINDOW, NULL, WINDOW_SIZE, SHARED_KIND));
	EXPECT_EQ(-EEXIST, add_region(vm, WINDOW + PAGE, ram, PAGE, QVM_REGION_RAM));
	EXPECT_EQ(0, vm_info(vm).pinned);
	EXPECT_EQ(-EAGAIN, share(vm, WINDOW, PAGE, ram, 0));
	close(vm);
	close(sys);
}

TEST_F(share, refuses)
{
	struct machine *m = &self->m;
	char *p = self->memory;
	unsigned int i;

	start(m, &guest_add);
	EXPECT_EQ(-EINVAL, share(m->vm, WINDOW + 8, PAGE, p, 0));
	EXPECT_EQ(-EINVAL, share(m->vm, WINDOW, PAGE + 8, p, 0));
	EXPECT_EQ(-EINVAL, share(m->vm, WINDOW, PAGE, p + 8, 0));
	EXPECT_EQ(-EINVAL, share(m->vm, WINDOW, 0, p, 0));
	for (i = 1; i < 32; i++)
		EXPECT_EQ(-EINVAL, share(m->vm, WINDOW, PAGE, p, 1U << i));
	EXPECT_EQ(-ENXIO, share(m->vm, RAM_GPA, PAGE, p, 0));
	EXPECT_EQ(-ENXIO, share(m->vm, WINDOW - PAGE, 2 * PAGE, p, 0));
	EXPECT_EQ(-ENXIO, share(m->vm, WINDOW + WINDOW_SIZE - PAGE, 2 * PAGE, p, 0));
	EXPECT_EQ(-ENXIO, share(m->vm, WINDOW, -PAGE, p, 0));
	EXPECT_EQ(-EFAULT, share(m->vm, WINDOW, PAGE, NULL, 0));
	EXPECT_EQ(-EFAULT, share(m->vm, WINDOW, PAGE, (void *)-PAGE, 0));
	EXPECT_EQ(-ENOENT, share(m->vm, WINDOW, PAGE, p, REMOVE));
	EXPECT_EQ(RAM_SIZE, vm_info(m->vm).pinned);
	EXPECT_EQ(RAM_SIZE / PAGE, module_count("pinned_pages"));
	ASSERT_EQ(0, share(m->vm, WINDOW + PAGE, 2 * PAGE, p, 0));
	EXPECT_EQ(RAM_SIZE + 2 * PAGE, vm_info(m->vm).pinned);
	EXPECT_EQ(-EEXIST, share(m->vm, WINDOW, 2 * PAGE, p, 0));
	EXPECT_EQ(-EEXIST, share(m->vm, WINDOW + 2 * PAGE, 2 * PAGE, p, 0));
	EXPECT_EQ(-ENOENT, share(m->vm, WINDOW + PAGE, PAGE, p, REMOVE));
	EXPECT_EQ(0, share(m->vm, WINDOW + PAGE, 2 * PAGE, NULL, REMOVE));
	for (i = 0; i < QVM_MAX_SHARES; i++)
		ASSERT_EQ(0, share(m->vm, WINDOW + 2 * i * PAGE, PAGE, p, 0));
	EXPECT_EQ(-ENOSPC, share(m->vm, WINDOW + 2 * i * PAGE, PAGE, p, 0));
	must(call(m->vm, QVM_VM_END, NULL));
	EXPECT_EQ(-ESHUTDOWN, share(m->vm, WINDOW + 2 * i * PAGE, PAGE, p, 0));
	EXPECT_EQ(0, share(m->vm, WINDOW, PAGE, p, REMOVE));
}

/* A hole in the middle: what was pinned before it is given back. */
TEST_F(share, hole)
{
	struct machine *m = &self->m;

	start(m, &guest_add);
	must(munmap(self->memory + WINDOW_SIZE / 2, PAGE));
	EXPECT_EQ(-EFAULT, share(m->vm, WINDOW, WINDOW_SIZE, self->memory, 0));
	EXPECT_EQ(RAM_SIZE / PAGE, module_count("pinned_pages"));
	EXPECT_EQ(0, share(m->vm, WINDOW, WINDOW_SIZE / 2, self->memory, 0));
}

/* Where nothing is shared, user space answers; what is shared, all see; and it goes again. */
TEST_F(share, guest_and_host)
{
	struct machine *m = &self->m;
	volatile uint64_t *word = (uint64_t *)self->memory;
	struct qvm_run *run;

	start(m, &guest_add);
	run = m->run[0];
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(m, 0));
	EXPECT_EQ(WINDOW, run->mmio.gpa);
	EXPECT_FALSE(run->mmio.is_write);
	*word = 41;
	word[512] = 7;
	ASSERT_EQ(0, share(m->vm, WINDOW, SHARE_SIZE, self->memory, 0));
	/* the read that was on its way ends as it began */
	memset((void *)run->mmio.data, 0, 8);
	EXPECT_EQ(1, next_write(m, 0, 0));
	EXPECT_EQ(1, *word);
	EXPECT_EQ(7, next_write(m, 0, 8));
	*word = 99;
	EXPECT_EQ(100, next_write(m, 0, 0));
	ASSERT_EQ(0, share(m->vm, WINDOW, SHARE_SIZE, NULL, REMOVE));
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(m, 0));
	EXPECT_EQ(WINDOW + PAGE, run->mmio.gpa);
	EXPECT_EQ(100, *word);
	EXPECT_EQ(RAM_SIZE / PAGE, module_count("pinned_pages"));
}

TEST_F(share, two_machines)
{
	volatile uint64_t *word = (uint64_t *)self->memory;
	int i;

	start(&self->m, &guest_add);
	start(&self->other, &guest_add);
	/* each by a mapping of its own */
	void *second = mmap(NULL, SHARE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, second);
	ASSERT_EQ(0, share(self->m.vm, WINDOW, SHARE_SIZE, self->memory, 0));
	ASSERT_EQ(0, share(self->other.vm, WINDOW, SHARE_SIZE, second, 0));
	must(munmap(second, SHARE_SIZE));		/* it is pinned */
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(2 * i + 1, next_write(&self->m, 0, 0));
		EXPECT_EQ(0, next_write(&self->m, 0, 8));
		EXPECT_EQ(2 * i + 2, next_write(&self->other, 0, 0));
		EXPECT_EQ(0, next_write(&self->other, 0, 8));
	}
	/* the end of one is nothing to the other */
	machine_close(&self->other);
	self->other.vm = 0;
	EXPECT_EQ(21, next_write(&self->m, 0, 0));
	EXPECT_EQ(21, *word);
}

/* Nothing is executed there: a prefetch abort, IFSC a permission fault or an external abort. */
GUEST(guest_fetch, G_WINDOW "br x27");

TEST_F(share, no_code)
{
	static const uint32_t off[] = { 0xd503201f, 0x14000000 };	/* nop; b . */

	start(&self->m, &guest_fetch);
	memcpy(self->memory, off, sizeof(off));
	ASSERT_EQ(0, share(self->m.vm, WINDOW, SHARE_SIZE, self->memory, 0));
	EXPECT_EQ(0x21, next_write(&self->m, 0, 0) >> 26);
}

/* Comes and goes under a guest that runs: when it is gone, nobody writes to it. */
GUEST(guest_count, G_WINDOW G_SHARED "mov x26, #0x50000000\n 1: ldr x1, [x26]\n add x1, x1, #1\n"
      "str x1, [x26]\n ldr x2, [x27]\n cbz x2, 1b\n" G_OFF);

TEST_F_TIMEOUT(share, comes_and_goes, 120)
{
	volatile uint64_t *word = (uint64_t *)self->memory;
	struct machine *m = &self->m;
	struct runner r;
	int i, ran = 0;

	start(m, &guest_count);
	ASSERT_EQ(0, share(m->vm, WINDOW, SHARE_SIZE, self->memory, 0));
	for (i = 0; i < 100; i++) {
		uint64_t before = *word, after;

		runner_start(&r, m, 0);
		eventually(*word != before);
		ASSERT_EQ(0, share(m->vm, WINDOW, SHARE_SIZE, NULL, REMOVE));
		after = *word;
		ran += after != before;
		/* it stands at an access that is user space's now */
		ASSERT_EQ(QVM_EXIT_MMIO, runner_join(&r));
		EXPECT_EQ(WINDOW, m->run[0]->mmio.gpa);
		EXPECT_EQ(after, *word);
		ASSERT_EQ(0, share(m->vm, WINDOW, SHARE_SIZE, self->memory, 0));
	}
	EXPECT_EQ(100, ran);
}

/* ---- memory that fails ---- */

/* It is every VM's that has it, whichever mapping the kernel is told of. */
TEST_F(share, failed)
{
	struct machine *m[] = { &self->m, &self->other, NULL };
	void *second = mmap(NULL, SHARE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	volatile uint64_t *word = (uint64_t *)self->memory;
	struct runner r[2];
	int i;

	ASSERT_NE(MAP_FAILED, second);
	for (i = 0; m[i]; i++) {
		start(m[i], &guest_count);
		ASSERT_EQ(0, share(m[i]->vm, WINDOW, SHARE_SIZE, i ? second : self->memory, 0));
		runner_start(&r[i], m[i], 0);
	}
	EXPECT_TRUE(eventually(*word > 1000));
	catch_signal(SIGBUS);
	if (madvise(self->memory + 2 * PAGE, PAGE, MADV_HWPOISON) && errno != EBUSY) {
		for (i = 0; m[i]; i++) {
			must(call(m[i]->vm, QVM_VM_END, NULL));
			runner_join(&r[i]);
		}
		SKIP(return, "no way to have memory fail here");
	}
	for (i = 0; m[i]; i++) {
		EXPECT_EQ(QVM_EXIT_FATAL, runner_join(&r[i]));
		EXPECT_EQ(QVM_FATAL_MEMORY, m[i]->run[0]->fatal.cause);
		EXPECT_EQ(WINDOW + 2 * PAGE, m[i]->run[0]->fatal.gpa);
	}
	/* what has failed is shared no more */
	machine_close(&self->other);
	start(&self->other, &guest_count);
	EXPECT_EQ(-EFAULT, share(self->other.vm, WINDOW, SHARE_SIZE, second, 0));
	EXPECT_EQ(0, share(self->other.vm, WINDOW, PAGE, second, 0));
}

/* ---- a held line ---- */

static int irqfd(int vm, int fd, uint32_t flags)
{
	struct qvm_irqfd param = { .line = SPI, .eventfd = fd, .flags = flags };

	return call(vm, QVM_VM_IRQFD, &param);
}

static uint64_t take(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, 8) == 8 ? count : 0;
}

static void signal_eventfd(int fd)
{
	uint64_t one = 1;

	must(write(fd, &one, 8) == 8 ? 0 : -EIO);
}

/* Gives the device GICD_ISPENDR1: a level that is up is pending (Arm IHI 0069, 12.9.26). */
GUEST(guest_pending, "mov x27, #0x08000000\n" G_DEVICE "1: ldr w1, [x27, #0x204]\n str x1, [x28]\n b 1b");

TEST_F(share, held_line)
{
	int a = must(eventfd(0, EFD_NONBLOCK)), b = must(eventfd(0, EFD_NONBLOCK));
	struct machine *m = &self->m;
	const uint64_t up = 1 << (SPI - 32);

	start(m, &guest_pending);
	EXPECT_EQ(-EINVAL, irqfd(m->vm, a, QVM_IRQFD_F_HOLD | QVM_IRQFD_F_RESAMPLE));
	EXPECT_EQ(0, irqfd(m->vm, a, QVM_IRQFD_F_HOLD));
	EXPECT_EQ(-EBUSY, irqfd(m->vm, b, 0));
	EXPECT_EQ(0, irqfd(m->vm, b, QVM_IRQFD_F_HOLD));
	EXPECT_EQ(0, next_write(m, 0, 0));
	signal_eventfd(a);
	signal_eventfd(a);
	EXPECT_EQ(up, next_write(m, 0, 0));
	signal_eventfd(b);
	EXPECT_EQ(up, next_write(m, 0, 0));
	/* the counts are there for who puts it down */
	EXPECT_EQ(2, take(a));
	EXPECT_EQ(1, take(b));
	EXPECT_EQ(up, next_write(m, 0, 0));
	must(set_irq(m->vm, SPI, 0));
	EXPECT_EQ(0, next_write(m, 0, 0));
	signal_eventfd(b);
	EXPECT_EQ(up, next_write(m, 0, 0));
	EXPECT_EQ(0, irqfd(m->vm, b, QVM_IRQFD_F_REMOVE));
	must(set_irq(m->vm, SPI, 0));
	signal_eventfd(b);
	EXPECT_EQ(0, next_write(m, 0, 0));
	/* signalled before it is armed */
	signal_eventfd(b);
	EXPECT_EQ(0, irqfd(m->vm, b, QVM_IRQFD_F_HOLD));
	EXPECT_EQ(up, next_write(m, 0, 0));
	EXPECT_LT(0, take(b));
	close(a);
	close(b);
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
