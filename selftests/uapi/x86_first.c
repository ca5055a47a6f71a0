/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The whole life of a VM on x86, on uapi/ alone: a VM, a page of RAM, one vCPU in real mode, a few
 * instructions, and the exits that they cause. first.c is the same on arm64.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <qvm.h>
#include <qvm_run.h>
#include <x86/qvm_reg.h>

#define CODE_GPA	0x1000

static const unsigned char code[] = {
	0x66, 0xb8, 0x00, 0x00, 0x00, 0x40,	/* mov eax, 0x40000000 */
	0x0f, 0xa2,				/* cpuid: answered by the module */
	0x66, 0x89, 0xd8,			/* mov eax, ebx */
	0x66, 0xe7, 0x80,			/* out 0x80, eax */
	0xe4, 0x81,				/* in al, 0x81 */
	0xe6, 0x82,				/* out 0x82, al */
	0x2e, 0x0f, 0x01, 0x1e, 0x00, 0x18,	/* lidt cs:[0x1800]: zeroes there, no interrupt table */
	0xcc,					/* int3, hence a triple fault */
};

static int tests;

static void check(int good, const char *what)
{
	printf("%s %d %s\n", good ? "ok" : "not ok", ++tests, what);
}

static int call(int fd, unsigned long cmd, void *arg, const char *name)
{
	int ret = ioctl(fd, cmd, arg);

	if (ret < 0)
		err(1, "%s", name);
	return ret;
}

static void set_reg(int vcpu, __u64 id, __u64 low, __u64 high)
{
	struct qvm_reg reg = { .id = id, .value = { low, high } };

	call(vcpu, QVM_VCPU_SET_REG, &reg, "QVM_VCPU_SET_REG");
}

/* Whoever is interrupted calls again. */
static void run_vcpu(int vcpu)
{
	int ret;

	do
		ret = ioctl(vcpu, QVM_VCPU_RUN);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		err(1, "QVM_VCPU_RUN");
}

/* The next exit is an access to @port; true if it is as told. */
static int port_exit(int vcpu, struct qvm_run *run, __u64 port, unsigned int len, int is_write)
{
	run_vcpu(vcpu);
	return run->exit_reason == QVM_EXIT_PIO && run->mmio.gpa == port && run->mmio.len == len &&
	       run->mmio.is_write == is_write;
}

int main(void)
{
	struct qvm_create_vm create = { .name = "first", .max_vcpus = 1 };
	struct qvm_region region = { .gpa = CODE_GPA, .size = 0x1000, .kind = QVM_REGION_RAM };
	struct qvm_create_vcpu create_vcpu = { .index = 0 };
	struct qvm_run *run;
	void *ram;
	int system, vm, vcpu;

	printf("TAP version 13\n1..4\n");
	system = open("/dev/qvm", O_RDWR | O_CLOEXEC);
	if (system < 0)
		err(1, "/dev/qvm");
	vm = call(system, QVM_CREATE_VM, &create, "QVM_CREATE_VM");

	ram = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		err(1, "mmap");
	memcpy(ram, code, sizeof(code));
	region.hva = (__u64)(unsigned long)ram;
	call(vm, QVM_VM_ADD_REGION, &region, "QVM_VM_ADD_REGION");

	vcpu = call(vm, QVM_VM_CREATE_VCPU, &create_vcpu, "QVM_VM_CREATE_VCPU");
	run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		err(1, "mmap of the run page");
	/* Real mode: a segment's base is what counts; CS 0, code at offset 0x1000. */
	set_reg(vcpu, QVM_REG_SEG(1), 0, QVM_SEG_ATTR(0, 0x9b, 0xffff));
	set_reg(vcpu, QVM_REG_RIP, CODE_GPA, 0);
	call(vm, QVM_VM_ASSEMBLE, NULL, "QVM_VM_ASSEMBLE");

	check(port_exit(vcpu, run, 0x80, 4, 1) && !memcmp(run->mmio.data, "QVM ", 4),
	      "out: the hypervisor's signature from CPUID");
	check(port_exit(vcpu, run, 0x81, 1, 0), "in: user space is asked");
	run->mmio.data[0] = 0x5a;
	check(port_exit(vcpu, run, 0x82, 1, 1) && run->mmio.data[0] == 0x5a, "and its answer arrives");

	run_vcpu(vcpu);
	check(run->exit_reason == QVM_EXIT_SYSTEM && run->system.event == QVM_SYSTEM_RESET,
	      "a triple fault resets the machine");
	return 0;
}
