// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_calls (over /dev/qvm), vm_calls-kvm (over /dev/kvm): the life of small VMs, and more than one on a
 * pCPU, as "bench: NAME INSTRUCTIONS" (in the lab with --icount the counter has 16 of them in a tick).
 *   vm_start    a VM with 2 MiB, a GIC, timers and a vCPU: from nothing to the exit of its first
 *               instruction in the launcher
 *   vm_stop     its end: all closed
 *   vm_again    one more exit to the launcher of the VM that ran last on this pCPU
 *   vm_switch   the same of a VM after another one's
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arm64/qvm_reg.h"
#include "arm64/qvm_vdev.h"
#include "qvm_run.h"
#include "vm/sys.h"

#define TICK		16
#define ROUNDS		60
#define LENGTH		50
#define RAM		0x40000000UL
#define RAM_SIZE	0x200000UL
#define DEVICE		0x1c090000UL

/* x1: the device */
static const uint32_t code[] = {
	0xb9400020,	/* 0: ldr w0, [x1] */
	0x17ffffff,	/* b 0b */
};

struct machine {
	struct sys_vm *vm;
	struct sys_vcpu *vcpu;
	void *ram;
};

static uint64_t counter(void)
{
	uint64_t ticks;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks * TICK;
}

static void must(int error, const char *what)
{
	if (error) {
		printf("vm_calls: %s: %s\n", what, strerror(-error));
		exit(1);
	}
}

static void start(struct sys *sys, struct machine *m, const char *name)
{
	struct qvm_create_vm create = { .max_vcpus = 1 };
	struct qvm_region region = { .gpa = RAM, .size = RAM_SIZE, .kind = QVM_REGION_RAM };
	const struct qvm_create_vdev gic = {
		.type = QVM_VDEV_ARM64_GICV3,
		.param = { [QVM_GICV3_GICD] = 0x2f000000, [QVM_GICV3_GICR] = 0x2f100000,
			   [QVM_GICV3_LINES] = 64 },
	};
	const struct qvm_create_vdev timer = {
		.type = QVM_VDEV_ARM64_TIMER,
		.param = { [QVM_TIMER_VIRT] = 27, [QVM_TIMER_PHYS] = 30 },
	};

	strcpy(create.name, name);
	m->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(m->ram == MAP_FAILED ? -errno : 0, "memory");
	memcpy(m->ram, code, sizeof(code));
	region.hva = (uintptr_t)m->ram;
	must(sys_create_vm(sys, &create, &m->vm), "create");
	must(sys_add_region(m->vm, &region), "region");
	must(sys_create_vdev(m->vm, &gic), "GIC");
	must(sys_create_vdev(m->vm, &timer), "timer");
	must(sys_create_vcpu(m->vm, 0, &m->vcpu), "vCPU");
	must(sys_assemble(m->vm), "assemble");
	must(sys_set_reg(m->vcpu, QVM_REG_PC, RAM), "pc");
	must(sys_set_reg(m->vcpu, QVM_REG_X(1), DEVICE), "x1");
}

static void run(struct machine *m)
{
	const struct qvm_run *page = sys_vcpu_run_page(m->vcpu);
	int error;

	do
		error = sys_vcpu_run(m->vcpu);
	while (error == -EINTR);
	must(error, "run");
	if (page->exit_reason != QVM_EXIT_MMIO || page->mmio.gpa != DEVICE) {
		printf("vm_calls: not the exit that was due: %u\n", page->exit_reason);
		exit(1);
	}
}

static void stop(struct machine *m)
{
	sys_vm_end(m->vm);
	sys_destroy_vcpu(m->vcpu);
	sys_destroy_vm(m->vm);
	munmap(m->ram, RAM_SIZE);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void row(const char *name, uint64_t value)
{
	printf("bench: %s %llu\n", name, (unsigned long long)value);
}

static void lives(struct sys *sys)
{
	uint64_t begun[ROUNDS], ended[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct machine m;
		uint64_t begin = counter(), started;

		start(sys, &m, "a");
		run(&m);
		started = counter();
		stop(&m);
		ended[i] = counter() - started;
		begun[i] = started - begin;
	}
	qsort(begun, ROUNDS, sizeof(begun[0]), compare);
	qsort(ended, ROUNDS, sizeof(ended[0]), compare);
	row("vm_start", begun[ROUNDS / 2]);
	row("vm_stop", ended[ROUNDS / 2]);
}

/* The best chunk, of one run each of @a and @b in turns. */
static uint64_t turns(struct machine *a, struct machine *b)
{
	uint64_t best = UINT64_MAX;

	for (int chunk = 0; chunk < ROUNDS; chunk++) {
		uint64_t begin = counter();

		for (int i = 0; i < LENGTH; i++) {
			run(a);
			run(b);
		}
		begin = counter() - begin;
		if (begin < best)
			best = begin;
	}
	return best / (2 * LENGTH);
}

int main(void)
{
	struct machine m[2];
	struct sys *sys;

	signal(sys_kick_signal(), SIG_IGN);	/* by which the end of a VM on KVM stops its threads */
	must(sys_open(&sys), sys_path);
	lives(sys);
	start(sys, &m[0], "a");
	start(sys, &m[1], "b");
	row("vm_again", turns(&m[0], &m[0]));
	row("vm_switch", turns(&m[0], &m[1]));
	stop(&m[0]);
	stop(&m[1]);
	sys_close(sys);
	return 0;
}
