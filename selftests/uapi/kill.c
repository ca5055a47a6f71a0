// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL at every point of a VM's life: whatever the process did last, the module has nothing
 * of it left a moment later.
 */
#include <kselftest_harness.h>

#include <sys/prctl.h>

#include "vm.h"

#define RANDOM_KILLS	200
#define LIMIT		100	/* seconds */

FIXTURE(kill)
{
	char unused;
};

FIXTURE_SETUP(kill)
{
}

FIXTURE_TEARDOWN(kill)
{
}

GUEST(guest_kicks, G_DEVICE "1: str x0, [x28]\n b 1b");

/* ---- after the k-th call of a complete life ---- */

struct life {
	int sys, vm, vcpu[2], dead;
	struct qvm_run *run;
	char *ram;
};

static int life_open(struct life *l) { return l->sys = open("/dev/qvm", O_RDWR); }
static int life_query(struct life *l) { return call(l->sys, QVM_QUERY, &(struct qvm_query){ 0 }); }
static int life_create(struct life *l) { return l->vm = create_vm(l->sys, "kill", 2); }
static int life_policy(struct life *l)
{
	return call(l->vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ 0 });
}
static int life_memory(struct life *l)
{
	l->ram = map_memory(0x800000);
	memcpy(l->ram, guest_kicks.code, guest_kicks.size);
	return add_region(l->vm, RAM_GPA, l->ram, 0x800000, QVM_REGION_RAM);
}
static int life_rom(struct life *l)
{
	return add_region(l->vm, 0, l->ram, PAGE, QVM_REGION_ROM);
}
static int life_bad_region(struct life *l)
{
	return add_region(l->vm, 0x80000000, (void *)PAGE, PAGE, QVM_REGION_RAM) == -EFAULT ? 0 : -1;
}
static int life_gic(struct life *l)
{
	return create_vdev(l->vm, QVM_VDEV_ARM64_GICV3, GICD_GPA, GICR_GPA, 64);
}
static int life_timer(struct life *l)
{
	return create_vdev(l->vm, QVM_VDEV_ARM64_TIMER, 27, 30, 0);
}
static int life_vcpu0(struct life *l) { return l->vcpu[0] = create_vcpu(l->vm, 0); }
static int life_vcpu1(struct life *l) { return l->vcpu[1] = create_vcpu(l->vm, 1); }
static int life_map(struct life *l) { l->run = map_run(l->vcpu[0]); return 0; }
static int life_pc(struct life *l) { return set_reg(l->vcpu[0], QVM_REG_PC, RAM_GPA); }
static int life_assemble(struct life *l) { return call(l->vm, QVM_VM_ASSEMBLE, NULL); }
static int life_run(struct life *l)
{
	int ret;

	do
		ret = call(l->vcpu[0], QVM_VCPU_RUN, NULL);
	while (ret == -EINTR);
	return ret ?: l->run->exit_reason == QVM_EXIT_MMIO ? 0 : -1;
}
static int life_irq(struct life *l) { return set_irq(l->vm, SPI, 1); }
static int life_stats(struct life *l)
{
	struct qvm_vcpu_stats stats;

	return call(l->vcpu[0], QVM_VCPU_STATS, &stats);
}
static int life_close_vm(struct life *l) { return close(l->vm); }
static int life_unmap(struct life *l) { return munmap(l->run, PAGE); }
static int life_close_vcpu(struct life *l) { return close(l->vcpu[0]); }

static int (* const lives[])(struct life *) = {
	life_open, life_query, life_create, life_policy, life_memory, life_rom, life_bad_region, life_gic,
	life_timer, life_vcpu0, life_vcpu1, life_map, life_pc, life_assemble, life_run, life_run, life_irq,
	life_run, life_stats, life_close_vm, life_run, life_unmap, life_close_vcpu,
};

/* A child that does something, says so, and is killed while it waits. */
static pid_t spawn(void (*fn)(unsigned int arg), unsigned int arg)
{
	int ready[2];
	pid_t pid;
	char byte;

	must(pipe(ready));
	pid = must(fork());
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(arg);
		must(write(ready[1], "", 1));
		for (;;)
			pause();
	}
	close(ready[1]);
	must(read(ready[0], &byte, 1) == 1 ? 0 : -EPIPE);
	close(ready[0]);
	return pid;
}

static void reap(pid_t pid)
{
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
}

static void live(unsigned int calls)
{
	struct life l;
	unsigned int i;

	for (i = 0; i < calls; i++)
		must(lives[i](&l));
}

TEST_F_TIMEOUT(kill, after_each_call, LIMIT)
{
	unsigned int calls;

	for (calls = 0; calls <= ARRAY_SIZE(lives); calls++) {
		reap(spawn(live, calls));
		ASSERT_TRUE(module_is_empty()) { TH_LOG("after call %u", calls); }
	}
}

/* ---- while guests run ---- */

static void *run_forever(void *arg)
{
	struct runner *r = arg;

	for (;;)
		run_vcpu(r->m, r->index);
	return NULL;
}

/* vCPU 0 switches vCPU 1 on, then both do what follows. */
#define G_BOTH(text)								\
	G_DEVICE "mrs x1, mpidr_el1\n tst x1, #1\n b.ne 1f\n mov x1, #1\n"	\
	"mov x2, #0x40000000\n mov w0, #0xc4000000\n movk w0, #3\n hvc #0\n 1:\n" text

GUEST(guest_busy, G_BOTH("b ."));
GUEST(guest_asleep, G_BOTH("2: wfi\n b 2b"));
GUEST(guest_exits, G_BOTH("2: str x0, [x28]\n b 2b"));
/* a timer that fires often, armed while it sleeps and while it runs */
GUEST(guest_timer, G_BOTH("2: mov x1, #1000\n msr cntv_tval_el0, x1\n mov x1, #1\n msr cntv_ctl_el0, x1\n"
			  "isb\n wfi\n mov x1, #2000\n 3: subs x1, x1, #1\n b.ne 3b\n b 2b"));

static const struct guest *const guests[] = { &guest_busy, &guest_asleep, &guest_exits, &guest_timer };

static void run_two(unsigned int guest)
{
	static struct machine m;
	static struct runner r[2];
	int i;

	machine_build(&m, guests[guest], 2);
	machine_add_gic(&m);
	machine_assemble(&m);
	for (i = 0; i < 2; i++) {
		r[i].m = &m;
		r[i].index = i;
		must(-pthread_create(&r[i].thread, NULL, run_forever, &r[i]));
	}
}

static void kill_many(struct __test_metadata *_metadata, unsigned int guest)
{
	unsigned int i, seed = 12345 + guest;

	for (i = 0; i < RANDOM_KILLS / ARRAY_SIZE(guests); i++) {
		pid_t pid = spawn(run_two, guest);
		unsigned int us;

		seed = seed * 1103515245 + 12345;
		us = (seed >> 16) % (i & 1 ? 1000 : 20000);
		sleep_us(us);
		reap(pid);
		ASSERT_TRUE(module_is_empty()) { TH_LOG("round %u, after %u us", i, us); }
	}
}

TEST_F_TIMEOUT(kill, busy_guest, LIMIT)
{
	kill_many(_metadata, 0);
}

TEST_F_TIMEOUT(kill, sleeping_guest, LIMIT)
{
	kill_many(_metadata, 1);
}

TEST_F_TIMEOUT(kill, guest_of_exits, LIMIT)
{
	kill_many(_metadata, 2);
}

TEST_F_TIMEOUT(kill, guest_of_timers, LIMIT)
{
	kill_many(_metadata, 3);
}

/* ---- in the middle of a call ---- */

static char *much;
#define MUCH	(256UL << 20)

static void *add_much(void *arg)
{
	int vm = (long)arg;

	add_region(vm, RAM_GPA, much, MUCH, QVM_REGION_RAM);
	create_vcpu(vm, 0);
	call(vm, QVM_VM_ASSEMBLE, NULL);
	return NULL;
}

static void pin_much(unsigned int unused)
{
	int sys = must(open("/dev/qvm", O_RDWR)), vm = must(create_vm(sys, "much", 1));
	pthread_t thread;

	(void)unused;
	much = map_memory(MUCH);
	must(-pthread_create(&thread, NULL, add_much, (void *)(long)vm));
}

TEST_F_TIMEOUT(kill, while_memory_is_pinned, LIMIT)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		pid_t pid = spawn(pin_much, 0);

		sleep_us(i * 5000);
		reap(pid);
		ASSERT_TRUE(module_is_empty()) { TH_LOG("round %u", i); }
	}
}

/* The killed one's memory is gone, another's machine goes on. */
TEST_F_TIMEOUT(kill, the_other_vm_goes_on, LIMIT)
{
	struct machine m;
	pid_t pid;
	int i;

	machine_start(&m, &guest_kicks, 1);
	for (i = 0; i < 10; i++) {
		pid = spawn(run_two, i % ARRAY_SIZE(guests));
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&m, 0));
		reap(pid);
		EXPECT_TRUE(eventually(module_count("vm_count") == 1));
		EXPECT_TRUE(eventually(module_count("pinned_pages") == RAM_SIZE / PAGE));
	}
	machine_close(&m);
	EXPECT_TRUE(module_is_empty());
}

TEST_HARNESS_MAIN
