// SPDX-License-Identifier: GPL-2.0-only
/* Ends of a VM from inside and outside, vCPUs on and off, sleep and the interrupts that end it. */
#include <kselftest_harness.h>

#include "vm.h"

#define PSCI_SUCCESS		0
#define PSCI_NOT_SUPPORTED	-1
#define PSCI_INVALID		-2
#define PSCI_ALREADY_ON		-4

FIXTURE(power)
{
	struct machine m;
	struct runner r[VCPUS];
};

FIXTURE_SETUP(power)
{
}

FIXTURE_TEARDOWN(power)
{
	machine_close(&self->m);
}

/* ---- QVM_VM_END ---- */

static bool is_stopped(struct machine *m, unsigned int index)
{
	const struct qvm_run *run = m->run[index];

	return run->exit_reason == QVM_EXIT_SYSTEM && run->system.event == QVM_SYSTEM_STOPPED;
}

static void end_guest(struct __test_metadata *_metadata, struct machine *m, const struct guest *guest)
{
	struct qvm_vm_info info;
	struct runner r[3];
	int i;

	/* vCPUs 1 and 2 are off: their threads wait too */
	machine_start(m, guest, 3);
	for (i = 0; i < 3; i++)
		runner_start(&r[i], m, i);
	EXPECT_TRUE(eventually(vcpu_stats(m->vcpu[0]).entries > 0 && vcpu_stats(m->vcpu[1]).blocks > 0));
	sleep_us(20000);
	EXPECT_EQ(0, call(m->vm, QVM_VM_END, NULL));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r[i]));
		EXPECT_TRUE(is_stopped(m, i));
	}
	EXPECT_EQ(0, vcpu_stats(m->vcpu[1]).entries);
	info = vm_info(m->vm);
	EXPECT_EQ(QVM_VM_ENDED, info.state);
	EXPECT_EQ(QVM_EXIT_SYSTEM, info.end_reason);
	EXPECT_EQ(QVM_SYSTEM_STOPPED, info.end_event);
	EXPECT_EQ(0, call(m->vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
	EXPECT_TRUE(is_stopped(m, 0));
}

TEST_F(power, end_of_a_busy_guest)
{
	end_guest(_metadata, &self->m, &guest_spin);
}

TEST_F(power, end_of_a_sleeping_guest)
{
	end_guest(_metadata, &self->m, &guest_wfi);
}

TEST_F(power, first_end_counts)
{
	machine_start(&self->m, &guest_off, 1);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(QVM_SYSTEM_OFF, self->m.run[0]->system.event);
	EXPECT_EQ(0, self->m.run[0]->system.vcpu);
	EXPECT_EQ(0x84000008, self->m.run[0]->system.detail);
	EXPECT_EQ(0, call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(QVM_SYSTEM_OFF, self->m.run[0]->system.event);
	EXPECT_EQ(QVM_SYSTEM_OFF, vm_info(self->m.vm).end_event);
}

TEST_F(power, end_before_assembly)
{
	machine_build(&self->m, &guest_off, 1);
	EXPECT_EQ(-EAGAIN, call(self->m.vcpu[0], QVM_VCPU_RUN, NULL));
	EXPECT_EQ(QVM_EXIT_NONE, self->m.run[0]->exit_reason);
	EXPECT_EQ(0, call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_stopped(&self->m, 0));
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).entries);
}

static void *end_main(void *arg)
{
	must(call(*(int *)arg, QVM_VM_END, NULL));
	return NULL;
}

/* Whoever is first: guest or caller, all see the same end. */
TEST_F(power, end_from_everywhere)
{
	int i, j;

	for (i = 0; i < 50; i++) {
		struct machine m;
		pthread_t thread[3];
		struct runner r;
		uint32_t event;

		machine_start(&m, &guest_off, 1);
		runner_start(&r, &m, 0);
		for (j = 0; j < 3; j++)
			must(-pthread_create(&thread[j], NULL, end_main, &m.vm));
		for (j = 0; j < 3; j++)
			pthread_join(thread[j], NULL);
		EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
		event = vm_info(m.vm).end_event;
		EXPECT_TRUE(event == QVM_SYSTEM_OFF || event == QVM_SYSTEM_STOPPED);
		EXPECT_EQ(event, m.run[0]->system.event);
		machine_close(&m);
	}
	machine_start(&self->m, &guest_off, 1);
}

static void *create_main(void *arg)
{
	int vm = *(int *)arg, i;

	for (i = 0; i < VCPUS; i++)
		create_vcpu(vm, i);
	return NULL;
}

/* The end kicks every vCPU while they come up. */
TEST_F(power, end_while_vcpus_are_created)
{
	int i;

	for (i = 0; i < 50; i++) {
		struct machine m;
		pthread_t thread;

		machine_build(&m, &guest_off, 0);
		must(-pthread_create(&thread, NULL, create_main, &m.vm));
		sleep_us(i * 10);
		must(call(m.vm, QVM_VM_END, NULL));
		pthread_join(thread, NULL);
		EXPECT_EQ(-EBUSY, create_vcpu(m.vm, 0));
		EXPECT_GE(VCPUS, vm_info(m.vm).vcpu_count);
		machine_close(&m);
	}
	machine_start(&self->m, &guest_off, 1);
}

GUEST(guest_reset, G_PSCI(9) "b .");
GUEST(guest_reset2, "mov x1, #0\n mov x2, #0\n" G_PSCI(0x12) "b .");

TEST_F(power, reset)
{
	machine_start(&self->m, &guest_reset, 1);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(QVM_SYSTEM_RESET, self->m.run[0]->system.event);
	EXPECT_EQ(0x84000009, self->m.run[0]->system.detail);
}

TEST_F(power, reset2)
{
	machine_start(&self->m, &guest_reset2, 1);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(QVM_SYSTEM_RESET, self->m.run[0]->system.event);
	EXPECT_EQ(0x84000012, self->m.run[0]->system.detail);
}

GUEST(guest_reset2_vendor, "mov x1, #0xffff00000000\n movk x1, #0x8000, lsl #16\n" G_PSCI(0x12) "b .");

TEST_F(power, reset2_of_the_vendor)
{
	machine_start(&self->m, &guest_reset2_vendor, 1);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(QVM_SYSTEM_RESET, self->m.run[0]->system.event);
}

GUEST(guest_smc, "mov w0, #0x84000000\n movk w0, #8\n smc #0\n b .");

TEST_F(power, off_by_smc)
{
	machine_start(&self->m, &guest_smc, 1);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_off(self->m.run[0]));
}

/* An exit that waits for its completion, and then there is nothing to complete. */
GUEST(guest_read, G_DEVICE "ldr x0, [x28]\n b .");

TEST_F(power, end_while_an_access_waits)
{
	machine_start(&self->m, &guest_read, 1);
	EXPECT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	must(call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_stopped(&self->m, 0));
}

/* ---- vCPUs on and off ---- */

/*
 * vCPU 0 asks for vCPU 1's state, switches it on at .Lsecond with context 0x55, asks again, and
 * waits for its word; 1 tells its context and the SCTLR it found, switches itself off.
 */
GUEST(guest_smp, G_DEVICE G_SHARED
      "b 2f\n"
      ".Lsecond:\n"
      G_DEVICE G_SHARED
      "str x0, [x28, #0x40]\n mrs x1, sctlr_el1\n str x1, [x28, #0x48]\n mrs x1, currentel\n"
      "str x1, [x28, #0x50]\n mov x1, #1\n str x1, [x27]\n dsb sy\n" G_PSCI(2) "b .\n"
      "2: mov x1, #1\n mov x2, #0\n" G_PSCI(4) "str x0, [x28]\n"			/* AFFINITY_INFO */
      "mov x1, #1\n adr x2, .Lsecond\n mov x3, #0x55\n mov w0, #0xc4000000\n movk w0, #3\n hvc #0\n"
      "str x0, [x28, #8]\n"								/* CPU_ON */
      "3: ldr x1, [x27]\n cbz x1, 3b\n"
      "4: mov x1, #1\n mov x2, #0\n" G_PSCI(4) "cmp w0, #1\n b.ne 4b\n str x0, [x28, #0x10]\n"
      "mov x1, #0\n adr x2, 2b\n mov w0, #0xc4000000\n movk w0, #3\n hvc #0\n str x0, [x28, #0x18]\n"
      "mov x1, #7\n adr x2, 2b\n mov w0, #0xc4000000\n movk w0, #3\n hvc #0\n str x0, [x28, #0x20]\n"
      G_OFF);

struct word {
	unsigned int offset;
	uint64_t value;
};

static void *second_main(void *arg)
{
	struct machine *m = arg;
	static const struct word words[] = { { 0x40, 0x55 }, { 0x48, 0x30d00800 }, { 0x50, 4 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (next_write(m, 1, words[i].offset) != words[i].value)
			return (void *)(i + 1L);
	return run_vcpu(m, 1) == QVM_EXIT_SYSTEM && is_off(m->run[1]) ? NULL : (void *)9L;
}

TEST_F(power, cpu_on_and_off)
{
	struct machine *m = &self->m;
	pthread_t thread;
	void *result;

	machine_start(m, &guest_smp, 2);
	/* what is set before it is switched on does not count: PSCI resets it */
	must(set_reg(m->vcpu[1], SYS_SCTLR, 0x30d00805));
	must(-pthread_create(&thread, NULL, second_main, m));
	EXPECT_EQ(1, next_write(m, 0, 0));					/* off */
	EXPECT_EQ(PSCI_SUCCESS, (int64_t)next_write(m, 0, 8));
	EXPECT_EQ(1, next_write(m, 0, 0x10));					/* off again */
	EXPECT_EQ(PSCI_ALREADY_ON, (int64_t)next_write(m, 0, 0x18));
	EXPECT_EQ(PSCI_INVALID, (int64_t)next_write(m, 0, 0x20));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
	must(-pthread_join(thread, &result));
	EXPECT_EQ(0, (long)result) { TH_LOG("vCPU 1: word %ld is wrong", (long)result); }
}

/* ---- interrupts from user space ---- */

/* Enables the SPI (level), masks nothing; each interrupt is told to the device and its line waited for. */
GUEST(guest_irq, G_DEVICE
      "mov x1, #0x08000000\n mov w2, #0x12\n str w2, [x1]\n"		/* GICD_CTLR: ARE, group 1 */
      "mov w2, #0x100\n str w2, [x1, #0x104]\n"				/* GICD_ISENABLER1: 40 */
      "str wzr, [x1, #0x428]\n"						/* GICD_IPRIORITYR: 40 … 43 */
      "mov x2, #0x6140\n add x1, x1, x2\n str xzr, [x1]\n"		/* GICD_IROUTER40: vCPU 0 */
      "movz x1, #0x080a, lsl #16\n mov w2, #0\n str w2, [x1, #0x14]\n"	/* GICR_WAKER */
      "mov x2, #0xff\n msr s3_0_c4_c6_0, x2\n mov x2, #1\n msr s3_0_c12_c12_7, x2\n isb\n"
      "str xzr, [x28, #0x10]\n"						/* ready */
      "1: wfi\n mrs x3, s3_0_c12_c12_0\n cmp w3, #1020\n b.hs 1b\n"	/* ICC_IAR1_EL1 */
      "str x3, [x28, #0x18]\n msr s3_0_c12_c12_1, x3\n isb\n b 1b\n");	/* ICC_EOIR1_EL1 */

TEST_F(power, interrupt_ends_sleep)
{
	struct machine *m = &self->m;
	int i;

	machine_build(m, &guest_irq, 1);
	machine_add_gic(m);
	machine_assemble(m);
	EXPECT_EQ(0, next_write(m, 0, 0x10));
	for (i = 0; i < 50; i++) {
		struct runner r;
		uint64_t blocks = vcpu_stats(m->vcpu[0]).blocks;

		runner_start(&r, m, 0);
		if (i % 2)
			ASSERT_TRUE(eventually(vcpu_stats(m->vcpu[0]).blocks > blocks));
		ASSERT_EQ(0, set_irq(m->vm, SPI, 1));
		ASSERT_EQ(QVM_EXIT_MMIO, runner_join(&r));
		EXPECT_EQ(DEVICE_GPA + 0x18, m->run[0]->mmio.gpa);
		EXPECT_EQ(SPI, mmio_data(m->run[0]));
		ASSERT_EQ(0, set_irq(m->vm, SPI, 0));
	}
}

/* A line that stays high is taken again after each end of interrupt. */
TEST_F(power, level_stays)
{
	struct machine *m = &self->m;
	int i;

	machine_build(m, &guest_irq, 1);
	machine_add_gic(m);
	machine_assemble(m);
	ASSERT_EQ(0, set_irq(m->vm, SPI, 1));		/* before the guest is there */
	EXPECT_EQ(0, next_write(m, 0, 0x10));
	for (i = 0; i < 20; i++)
		EXPECT_EQ(SPI, next_write(m, 0, 0x18));
	ASSERT_EQ(0, set_irq(m->vm, SPI, 0));
	catch_signal(SIGALRM);
	ualarm(100000, 0);
	while (call(m->vcpu[0], QVM_VCPU_RUN, NULL) == 0)
		ASSERT_GT(25, ++i);
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
