// SPDX-License-Identifier: GPL-2.0-only
/*
 * QVM_VM_DOORBELL and QVM_VM_IRQFD on x86, by port and by memory: a guest in real mode whose data segment
 * reaches all of 4 GiB. eventfd.c is the same on arm64, at greater length.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <qvm.h>
#include <qvm_run.h>
#include <x86/qvm_reg.h>
#include <x86/qvm_vdev.h>

#define CODE		0x1000		/* offset in RAM, and gpa */
#define COUNT		0x800		/* the guest's count of interrupts */
#define READY		0x804
#define RAM_SIZE	0x10000
#define BELL_PORT	0x500
#define BELL_GPA	0xd0000000u
#define GSI		9
#define VECTOR		0x39

/*
 * Rings each doorbell; then takes vector 0x39 from I/O APIC pin 9 (level) and counts.
 * Two writes to port 0x501, then a read of it, which ends the round; 0: once more.
 */
asm(".pushsection .rodata\n"
    ".code16\n"
    "guest_begin:\n"
    "mov $0x500, %dx\n mov $0x1234, %ax\n out %al, %dx\n out %ax, %dx\n"
    "mov $0x12345678, %eax\n out %eax, %dx\n"
    "mov $0xd0000000, %ebx\n mov %al, (%ebx)\n mov %ax, (%ebx)\n mov %eax, (%ebx)\n"
    "mov $0x501, %dx\n out %al, %dx\n out %al, %dx\n in %dx, %al\n test %al, %al\n jz guest_begin\n"
    /* IVT, LAPIC on, pin 9: level, vector 0x39, not masked */
    "movw $(handler - guest_begin + 0x1000), (0x39 * 4)\n movw $0, (0x39 * 4 + 2)\n"
    "mov $0xfee00000, %ebx\n movl $0x1ff, 0xf0(%ebx)\n"
    "mov $0xfec00000, %esi\n movl $0x23, (%esi)\n movl $0, 0x10(%esi)\n"
    "movl $0x22, (%esi)\n movl $0x8039, 0x10(%esi)\n"
    "movl $1, (0x804)\n"
    "1: sti\n hlt\n jmp 1b\n"
    "handler: incl (0x800)\n movl $0, 0xb0(%ebx)\n iretw\n"
    "guest_end:\n"
    ".code64\n"
    ".popsection\n");
extern const char guest_begin[], guest_end[];

static int tests, vm, vcpu;
static struct qvm_run *run;
static volatile char *ram;

static void check(int good, const char *what)
{
	printf("%s %d %s\n", good ? "ok" : "not ok", ++tests, what);
	fflush(stdout);
}

static int call(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		errx(1, "%s: %s", what, strerror(-ret));
	return ret;
}

static int doorbell(uint64_t addr, uint32_t len, int fd, uint32_t flags, uint64_t datamatch)
{
	struct qvm_doorbell param = { .addr = addr, .len = len, .eventfd = fd, .flags = flags,
				      .datamatch = datamatch };

	return call(vm, QVM_VM_DOORBELL, &param);
}

static int irqfd(uint32_t line, int fd, uint32_t flags, int resample)
{
	struct qvm_irqfd param = { .line = line, .eventfd = fd, .flags = flags, .resample = resample };

	return call(vm, QVM_VM_IRQFD, &param);
}

static uint64_t take(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, 8) == 8 ? count : 0;
}

static int signal_and_wait(int fd, int resample)
{
	struct pollfd p = { .fd = resample, .events = POLLIN };
	uint64_t one = 1;

	return write(fd, &one, 8) == 8 && poll(&p, 1, 20000) == 1 && take(resample) == 1;
}

static void set_reg(uint64_t id, uint64_t low, uint64_t high)
{
	struct qvm_reg reg = { .id = id, .value = { low, high } };

	must(call(vcpu, QVM_VCPU_SET_REG, &reg), "QVM_VCPU_SET_REG");
}

static void add_vdev(int type, uint64_t base)
{
	struct qvm_create_vdev vdev = { .type = type, .param = { base } };

	must(call(vm, QVM_VM_CREATE_VDEV, &vdev), "QVM_VM_CREATE_VDEV");
}

static void build(void)
{
	struct qvm_create_vm create = { .name = "eventfd", .max_vcpus = 1 };
	struct qvm_create_vcpu create_vcpu = { .index = 0 };
	struct qvm_region region = { .size = RAM_SIZE, .kind = QVM_REGION_RAM };
	int sys = open("/dev/qvm", O_RDWR | O_CLOEXEC);

	if (sys < 0)
		err(1, "/dev/qvm");
	vm = must(call(sys, QVM_CREATE_VM, &create), "QVM_CREATE_VM");
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy((char *)ram + CODE, guest_begin, guest_end - guest_begin);
	region.hva = (uintptr_t)ram;
	must(call(vm, QVM_VM_ADD_REGION, &region), "QVM_VM_ADD_REGION");
	add_vdev(QVM_VDEV_X86_IOAPIC, 0xfec00000);
	vcpu = must(call(vm, QVM_VM_CREATE_VCPU, &create_vcpu), "QVM_VM_CREATE_VCPU");
	run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	set_reg(QVM_REG_SEG(1), 0, QVM_SEG_ATTR(0, 0x9b, 0xffff));
	set_reg(QVM_REG_SEG(3), 0, QVM_SEG_ATTR(0, 0x8093, 0xffffffff));	/* DS: 4 GiB */
	set_reg(QVM_REG_RIP, CODE, 0);
}

/* To the next exit, whatever interrupts the thread. */
static void run_vcpu(void)
{
	int ret;

	do
		ret = call(vcpu, QVM_VCPU_RUN, NULL);
	while (ret == -EINTR);
	must(ret, "QVM_VCPU_RUN");
}

static int late_bell = -1;		/* becomes a doorbell between the two writes */
static unsigned int late_exits;

static void late_write(void)
{
	if (!late_exits++ && late_bell >= 0)
		must(doorbell(BELL_PORT + 1, 1, late_bell, QVM_DOORBELL_F_PORT, 0), "a doorbell");
}

/* The exits that come to user space until the guest's mark, by length: ports in bits 0 … 3, memory above. */
static unsigned int ring(void)
{
	unsigned int seen = 0;

	run->mmio.data[0] = 0;
	late_exits = 0;
	for (;;) {
		run_vcpu();
		if (run->exit_reason == QVM_EXIT_PIO && run->mmio.gpa == BELL_PORT + 1) {
			if (!run->mmio.is_write)
				return seen;
			late_write();
		} else if (run->exit_reason == QVM_EXIT_PIO && run->mmio.gpa == BELL_PORT)
			seen |= run->mmio.len;
		else if (run->exit_reason == QVM_EXIT_MMIO && run->mmio.gpa == BELL_GPA)
			seen |= run->mmio.len << 4;
		else
			errx(1, "exit reason %u at 0x%llx", run->exit_reason, run->mmio.gpa);
	}
}

static void *runner(void *arg)
{
	(void)arg;
	run->mmio.data[0] = 1;
	run_vcpu();
	return NULL;
}

static void test_doorbells(int fd)
{
	const uint32_t port = QVM_DOORBELL_F_PORT, match = QVM_DOORBELL_F_DATAMATCH, remove = QVM_DOORBELL_F_REMOVE;

	check(ring() == 0x77, "without doorbells all writes come to user space");
	check(!doorbell(BELL_PORT, 0, fd, port, 0) && ring() == 0x70 && take(fd) == 3, "a port, any width");
	check(doorbell(BELL_PORT, 1, fd, port, 0) == -EEXIST && doorbell(BELL_PORT, 8, fd, port, 0) == -EINVAL &&
	      doorbell(0xffff, 2, fd, port, 0) == -ERANGE && doorbell(BELL_PORT, 1, fd, port | remove, 0) == -ENOENT,
	      "what is refused of ports");
	check(!doorbell(BELL_PORT, 0, -1, port | remove, 0) && ring() == 0x77 && !take(fd), "removed");
	late_bell = fd;
	check(ring() == 0x77 && late_exits == 1 && take(fd) == 1, "where user space had the last write");
	late_bell = -1;
	check(!doorbell(BELL_PORT + 1, 1, -1, port | remove, 0) && ring() == 0x77 && late_exits == 2 && !take(fd),
	      "and had it again");
	check(!doorbell(BELL_PORT, 2, fd, port | match, 0x1234) && !doorbell(BELL_PORT, 4, fd, port | match, 1) &&
	      ring() == 0x75 && take(fd) == 1, "a port, of one value");
	check(!doorbell(BELL_GPA, 4, fd, match, 0x12345678) && !doorbell(BELL_GPA, 1, fd, match, 0x77) &&
	      ring() == 0x35 && take(fd) == 2, "memory, of one value");
	check(doorbell(0xfec00010, 4, fd, 0, 0) == -EEXIST && doorbell(CODE, 4, fd, 0, 0) == -EEXIST,
	      "not where a vdev or a region is");
}

static void test_irqfds(int fd)
{
	const uint32_t resample = QVM_IRQFD_F_RESAMPLE;
	int again = eventfd(0, EFD_NONBLOCK), i, good = 1;
	pthread_t thread;

	check(irqfd(24, fd, 0, 0) == -ENXIO && irqfd(24, fd, resample, again) == -ENXIO, "no such line");
	pthread_create(&thread, NULL, runner, NULL);
	for (i = 0; i < 20000 && !*(volatile uint32_t *)(ram + READY); i++)
		usleep(1000);
	check(!irqfd(GSI, fd, resample, again), "a level with resample");
	for (i = 1; i <= 50 && good; i++)
		good = signal_and_wait(fd, again) && *(volatile uint32_t *)(ram + COUNT) == (uint32_t)i;
	check(good, "each signal is one interrupt, and its end is told");
	check(irqfd(GSI, fd, 0, 0) == -EEXIST && !irqfd(GSI, fd, QVM_IRQFD_F_REMOVE, 0) &&
	      irqfd(GSI, fd, QVM_IRQFD_F_REMOVE, 0) == -ENOENT, "removed");
	must(call(vm, QVM_VM_END, NULL), "QVM_VM_END");
	pthread_join(thread, NULL);
	check(run->exit_reason == QVM_EXIT_SYSTEM, "and the machine ends");
}

int main(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	printf("TAP version 13\n1..15\n");
	build();
	check(doorbell(BELL_PORT, 1, fd, QVM_DOORBELL_F_PORT, 0) == -EAGAIN && irqfd(GSI, fd, 0, 0) == -EAGAIN,
	      "not before assembly");
	must(call(vm, QVM_VM_ASSEMBLE, NULL), "QVM_VM_ASSEMBLE");
	test_doorbells(fd);
	test_irqfds(fd);
	return 0;
}
