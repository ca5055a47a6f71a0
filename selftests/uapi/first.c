// SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note
/*
 * A virtual machine in one page of C, on the ioctl interface alone: a VM with one region of
 * memory and one vCPU, a guest of nine instructions, and the loop that answers its exits.
 *
 * The guest stores 42 to a device that we play, loads a word from it, stores that plus one, and
 * switches itself off. Start here; uapi/qvm.h says what else each call can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <qvm.h>
#include <qvm_run.h>
#include <arm64/qvm_reg.h>

#define RAM_GPA		0x40000000
#define RAM_SIZE	0x10000
#define DEVICE_GPA	0x09000000	/* no region is there: an access comes to us */

static const __u32 guest_code[] = {
	0xd2a12001,	/* mov  x1, #0x09000000		the device */
	0x52800540,	/* mov  w0, #42 */
	0xb9000020,	/* str  w0, [x1]		exit: a write of 42 */
	0xb9400422,	/* ldr  w2, [x1, #4]		exit: a read; we say what */
	0x11000442,	/* add  w2, w2, #1 */
	0xb9000022,	/* str  w2, [x1]		exit: a write of that plus one */
	0x52b08000,	/* mov  w0, #0x84000000 */
	0x72800100,	/* movk w0, #8			PSCI SYSTEM_OFF */
	0xd4000002,	/* hvc  #0			exit: the machine is off */
};

/* KTAP: one line for each thing that holds, or does not. */
static int test_count, failure_count;

static void check(int good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++test_count, what);
	failure_count += !good;
}

/* A call that everything after it needs. */
static int must(int ret, const char *what)
{
	if (ret < 0) {
		printf("Bail out! %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return ret;
}

/* Run the vCPU until it wants something. A signal is no answer: nothing is lost, go on. */
static __u32 run_vcpu(int vcpu, const struct qvm_run *run)
{
	int ret;

	do
		ret = ioctl(vcpu, QVM_VCPU_RUN);
	while (ret < 0 && errno == EINTR);
	must(ret, "QVM_VCPU_RUN");
	return run->exit_reason;
}

/* The device's side of a write: what did the guest store? */
static int wrote(const struct qvm_run *run, __u64 gpa, __u32 value)
{
	__u32 data;

	memcpy(&data, run->mmio.data, sizeof(data));
	return run->mmio.is_write && run->mmio.gpa == gpa && run->mmio.len == 4 && data == value;
}

int main(void)
{
	struct qvm_create_vm vm_param = { .name = "first", .max_vcpus = 1 };
	struct qvm_region region = { .gpa = RAM_GPA, .size = RAM_SIZE, .kind = QVM_REGION_RAM };
	struct qvm_create_vcpu vcpu_param = { .index = 0 };
	struct qvm_reg pc = { .id = QVM_REG_PC, .value = { RAM_GPA } };
	struct qvm_query query = { 0 };
	const __u32 answer = 0x1234;
	struct qvm_run *run;
	int sys, vm, vcpu;
	void *ram;

	printf("TAP version 13\n1..6\n");

	/* The module, and what it can do. */
	sys = must(open("/dev/qvm", O_RDWR | O_CLOEXEC), "/dev/qvm");
	must(ioctl(sys, QVM_QUERY, &query), "QVM_QUERY");
	check(query.api_version == QVM_API_VERSION, "the module speaks our version");

	/* A machine: memory of ours at a guest physical address, with a program in it. */
	vm = must(ioctl(sys, QVM_CREATE_VM, &vm_param), "QVM_CREATE_VM");
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(ram == MAP_FAILED ? -1 : 0, "mmap");
	memcpy(ram, guest_code, sizeof(guest_code));
	region.hva = (__u64)ram;
	must(ioctl(vm, QVM_VM_ADD_REGION, &region), "QVM_VM_ADD_REGION");

	/* Its CPU, and the page through which RUN tells why it came back. */
	vcpu = must(ioctl(vm, QVM_VM_CREATE_VCPU, &vcpu_param), "QVM_VM_CREATE_VCPU");
	run = mmap(NULL, query.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	must(run == MAP_FAILED ? -1 : 0, "mmap of the run page");
	must(ioctl(vcpu, QVM_VCPU_SET_REG, &pc), "QVM_VCPU_SET_REG");

	/* The board is complete. */
	must(ioctl(vm, QVM_VM_ASSEMBLE), "QVM_VM_ASSEMBLE");

	check(run_vcpu(vcpu, run) == QVM_EXIT_MMIO && wrote(run, DEVICE_GPA, 42),
	      "the guest stored 42 to the device");

	check(run_vcpu(vcpu, run) == QVM_EXIT_MMIO && !run->mmio.is_write &&
	      run->mmio.gpa == DEVICE_GPA + 4 && run->mmio.len == 4, "it loads from the device");
	memcpy(run->mmio.data, &answer, sizeof(answer));	/* the next RUN completes the load */

	check(run_vcpu(vcpu, run) == QVM_EXIT_MMIO && wrote(run, DEVICE_GPA, answer + 1),
	      "it stored what it got, plus one");

	check(run_vcpu(vcpu, run) == QVM_EXIT_SYSTEM && run->system.event == QVM_SYSTEM_OFF,
	      "it switched the machine off");
	check(run_vcpu(vcpu, run) == QVM_EXIT_SYSTEM && run->system.event == QVM_SYSTEM_OFF,
	      "a machine that is off stays off");

	/* The last close destroys the VM; exit closes for us. */
	return failure_count != 0;
}
