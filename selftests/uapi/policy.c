// SPDX-License-Identifier: GPL-2.0-only
/* What a guest gets that asks for what is not there: the three policies, each with its values. */
#include <kselftest_harness.h>

#include <sys/auxv.h>

#include "vm.h"

#ifndef HWCAP_SVE
#define HWCAP_SVE (1 << 22)
#endif

FIXTURE(policy)
{
	struct machine m;
};

FIXTURE_SETUP(policy)
{
}

FIXTURE_TEARDOWN(policy)
{
	machine_close(&self->m);
}

#define HOLE	0x60000000ULL

static void start(struct machine *m, const struct guest *guest, uint32_t instruction, uint32_t reference,
		  uint32_t sysreg)
{
	struct qvm_vm_policy policy = {
		.instruction = instruction, .reference = reference, .sysreg = sysreg,
	};

	machine_build(m, guest, 1);
	must(call(m->vm, QVM_VM_SET_POLICY, &policy));
	machine_add_gic(m);
	machine_assemble(m);
}

static bool is_fatal(struct machine *m, uint32_t cause)
{
	const struct qvm_run *run = m->run[0];
	struct qvm_vm_info info = vm_info(m->vm);

	return run_vcpu(m, 0) == QVM_EXIT_FATAL && run->fatal.cause == cause && run->fatal.vcpu == 0 &&
	       info.state == QVM_VM_ENDED && info.end_reason == QVM_EXIT_FATAL && info.end_event == cause;
}

/* ---- memory and devices ---- */

/* x1: a read of the hole; then what a vdev has no register for; then it says so. */
GUEST(guest_reference, G_DEVICE
      "mov x20, #0x60000000\n mov x1, #5\n"
      "ldr w1, [x20]\n"
      "str x1, [x28, #0x10]\n"
      "str x1, [x20, #8]\n"
      "str x1, [x28, #0x18]\n" G_OFF);

/* The hole's access comes to user space, which refuses it. */
static void refuse(struct __test_metadata *_metadata, struct machine *m, bool is_write)
{
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(m, 0));
	ASSERT_EQ(is_write, m->run[0]->mmio.is_write);
	ASSERT_EQ(HOLE + 8 * is_write, m->run[0]->mmio.gpa);
	m->run[0]->mmio.unclaimed = 1;
}

static void expect_abort(struct __test_metadata *_metadata, struct machine *m)
{
	uint64_t esr = next_write(m, 0, 0);

	EXPECT_EQ(0x25, esr >> 26);
	EXPECT_EQ(0x10, esr & 0x3f);
	next_write(m, 0, 8);
}

static void reference_faults(struct __test_metadata *_metadata, struct machine *m, uint32_t policy)
{
	start(m, &guest_reference, 0, policy, 0);
	refuse(_metadata, m, false);
	expect_abort(_metadata, m);
	EXPECT_EQ(5, next_write(m, 0, 0x10));
	refuse(_metadata, m, true);
	expect_abort(_metadata, m);
	EXPECT_EQ(5, next_write(m, 0, 0x18));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
	EXPECT_EQ(2, vcpu_stats(m->vcpu[0]).unclaimed);
}

TEST_F(policy, reference_default)
{
	reference_faults(_metadata, &self->m, QVM_POLICY_DEFAULT);
}

TEST_F(policy, reference_fail)
{
	reference_faults(_metadata, &self->m, QVM_POLICY_FAIL);
}

TEST_F(policy, reference_ignore)
{
	start(&self->m, &guest_reference, 0, QVM_POLICY_IGNORE, 0);
	refuse(_metadata, &self->m, false);
	EXPECT_EQ(0xffffffff, next_write(&self->m, 0, 0x10));
	refuse(_metadata, &self->m, true);
	EXPECT_EQ(0xffffffff, next_write(&self->m, 0, 0x18));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(2, vcpu_stats(self->m.vcpu[0]).unclaimed);
}

TEST_F(policy, reference_abort)
{
	start(&self->m, &guest_reference, 0, QVM_POLICY_ABORT, 0);
	refuse(_metadata, &self->m, false);
	run_vcpu(&self->m, 0);
	EXPECT_TRUE(is_fatal(&self->m, QVM_FATAL_POLICY));
	EXPECT_EQ(HOLE, self->m.run[0]->fatal.gpa);
	EXPECT_EQ(RAM_GPA + 12, self->m.run[0]->fatal.pc);
	EXPECT_EQ(1, vcpu_stats(self->m.vcpu[0]).unclaimed);
}

/* ROM: reads and fetches as RAM, a write is a fault by the policy; the memory stays as it was. */
GUEST(guest_rom, G_DEVICE
      "mov x20, #0x70000000\n mov x1, #5\n ldr w2, [x20]\n str x2, [x28, #0x10]\n"
      "str w1, [x20]\n"
      "ldr w2, [x20]\n str x2, [x28, #0x18]\n"
      "blr x20\n" G_OFF);
GUEST(rom_code, "ret");

static void start_rom(struct machine *m, uint32_t policy)
{
	char *rom = map_memory(PAGE);

	memcpy(rom, rom_code.code, rom_code.size);
	machine_build(m, &guest_rom, 1);
	must(add_region(m->vm, 0x70000000, rom, PAGE, QVM_REGION_ROM));
	must(call(m->vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ .reference = policy }));
	machine_assemble(m);
}

TEST_F(policy, rom_default)
{
	start_rom(&self->m, QVM_POLICY_DEFAULT);
	EXPECT_EQ(0xd65f03c0, next_write(&self->m, 0, 0x10));
	expect_abort(_metadata, &self->m);
	EXPECT_EQ(0xd65f03c0, next_write(&self->m, 0, 0x18));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
}

TEST_F(policy, rom_ignore)
{
	start_rom(&self->m, QVM_POLICY_IGNORE);
	EXPECT_EQ(0xd65f03c0, next_write(&self->m, 0, 0x10));
	EXPECT_EQ(0xd65f03c0, next_write(&self->m, 0, 0x18));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(1, vcpu_stats(self->m.vcpu[0]).unclaimed);
}

TEST_F(policy, rom_abort)
{
	start_rom(&self->m, QVM_POLICY_ABORT);
	EXPECT_EQ(0xd65f03c0, next_write(&self->m, 0, 0x10));
	EXPECT_EQ(QVM_EXIT_FATAL, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_fatal(&self->m, QVM_FATAL_POLICY));
	EXPECT_EQ(0x70000000, self->m.run[0]->fatal.gpa);
}

/* A vdev's hole, here the redistributor of a vCPU that was not created, is nobody's as well. */
GUEST(guest_hole_of_vdev, G_DEVICE
      "movz x20, #0x080c, lsl #16\n mov x1, #5\n ldr w1, [x20]\n str x1, [x28, #0x10]\n" G_OFF);

TEST_F(policy, hole_of_a_vdev)
{
	start(&self->m, &guest_hole_of_vdev, 0, QVM_POLICY_IGNORE, 0);
	EXPECT_EQ(0xffffffff, next_write(&self->m, 0, 0x10));
	EXPECT_EQ(1, vcpu_stats(self->m.vcpu[0]).unclaimed);
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).mmio_kernel);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
}

/* A fetch from nowhere can't be answered with ones: a fault, or the end. */
GUEST(guest_jump, G_DEVICE "mov x20, #0x60000000\n adr x21, 1f\n br x20\n 1:" G_OFF);

TEST_F(policy, fetch_from_nowhere)
{
	uint64_t esr;

	start(&self->m, &guest_jump, 0, QVM_POLICY_DEFAULT, 0);
	esr = next_write(&self->m, 0, 0);
	EXPECT_EQ(0x21, esr >> 26);		/* instruction abort, same EL */
	EXPECT_EQ(0x10, esr & 0x3f);
	EXPECT_EQ(HOLE, next_write(&self->m, 0, 8));
	EXPECT_EQ(1, vcpu_stats(self->m.vcpu[0]).unclaimed);
}

TEST_F(policy, fetch_from_nowhere_abort)
{
	start(&self->m, &guest_jump, 0, QVM_POLICY_ABORT, 0);
	EXPECT_EQ(QVM_EXIT_FATAL, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_fatal(&self->m, QVM_FATAL_POLICY));
	EXPECT_EQ(HOLE, self->m.run[0]->fatal.gpa);
	EXPECT_EQ(HOLE, self->m.run[0]->fatal.pc);
}

/* ---- system registers ---- */

/* PMU registers, which no guest has. */
GUEST(guest_sysreg, G_DEVICE
      "mov x1, #5\n mrs x1, pmcr_el0\n str x1, [x28, #0x10]\n"
      "msr pmcr_el0, x1\n str x28, [x28, #0x18]\n" G_OFF);

static void sysreg_faults(struct __test_metadata *_metadata, struct machine *m, uint32_t policy)
{
	start(m, &guest_sysreg, 0, 0, policy);
	EXPECT_EQ(0, next_write(m, 0, 0) >> 26);		/* undefined */
	EXPECT_EQ(RAM_GPA + 8, next_write(m, 0, 8));
	EXPECT_EQ(5, next_write(m, 0, 0x10));
	EXPECT_EQ(0, next_write(m, 0, 0) >> 26);
	EXPECT_EQ(RAM_GPA + 16, next_write(m, 0, 8));
	EXPECT_EQ(DEVICE_GPA, next_write(m, 0, 0x18));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
	EXPECT_EQ(2, vcpu_stats(m->vcpu[0]).unknown_sysreg);
	EXPECT_EQ(2, vcpu_stats(m->vcpu[0]).undefined);
}

TEST_F(policy, sysreg_default)
{
	sysreg_faults(_metadata, &self->m, QVM_POLICY_DEFAULT);
}

TEST_F(policy, sysreg_fail)
{
	sysreg_faults(_metadata, &self->m, QVM_POLICY_FAIL);
}

TEST_F(policy, sysreg_ignore)
{
	start(&self->m, &guest_sysreg, 0, 0, QVM_POLICY_IGNORE);
	EXPECT_EQ(~0ULL, next_write(&self->m, 0, 0x10));
	EXPECT_EQ(DEVICE_GPA, next_write(&self->m, 0, 0x18));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(2, vcpu_stats(self->m.vcpu[0]).unknown_sysreg);
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).undefined);
}

TEST_F(policy, sysreg_abort)
{
	start(&self->m, &guest_sysreg, 0, 0, QVM_POLICY_ABORT);
	EXPECT_EQ(QVM_EXIT_FATAL, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_fatal(&self->m, QVM_FATAL_POLICY));
	EXPECT_EQ(0x18, self->m.run[0]->fatal.syndrome >> 26);
	EXPECT_EQ(RAM_GPA + 8, self->m.run[0]->fatal.pc);
	EXPECT_EQ(1, vcpu_stats(self->m.vcpu[0]).unknown_sysreg);
}

/* ---- instructions that the ID registers hide: SVE's, on a host that has it ---- */

#define CNTB_X1	".inst 0x0420e3e1\n"

GUEST(guest_instruction, G_DEVICE
      "mov x2, #0x330000\n msr cpacr_el1, x2\n isb\n mov x1, #5\n" CNTB_X1
      "str x1, [x28, #0x10]\n" G_OFF);

static void instruction_faults(struct __test_metadata *_metadata, struct machine *m, uint32_t policy)
{
	start(m, &guest_instruction, policy, 0, 0);
	EXPECT_EQ(0, next_write(m, 0, 0) >> 26);
	EXPECT_EQ(RAM_GPA + 20, next_write(m, 0, 8));
	EXPECT_EQ(5, next_write(m, 0, 0x10));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(m, 0));
}

TEST_F(policy, instruction_default)
{
	instruction_faults(_metadata, &self->m, QVM_POLICY_DEFAULT);
}

TEST_F(policy, instruction_fail)
{
	instruction_faults(_metadata, &self->m, QVM_POLICY_FAIL);
}

TEST_F(policy, instruction_ignore)
{
	bool sve = getauxval(AT_HWCAP) & HWCAP_SVE;

	start(&self->m, &guest_instruction, QVM_POLICY_IGNORE, 0, 0);
	if (!sve)		/* undefined by the hardware, at the guest's own level: no one asks us */
		EXPECT_EQ(RAM_GPA + 20, (next_write(&self->m, 0, 0), next_write(&self->m, 0, 8)));
	EXPECT_EQ(5, next_write(&self->m, 0, 0x10));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_EQ(0, vcpu_stats(self->m.vcpu[0]).undefined);
}

TEST_F(policy, instruction_abort)
{
	bool sve = getauxval(AT_HWCAP) & HWCAP_SVE;

	start(&self->m, &guest_instruction, QVM_POLICY_ABORT, 0, 0);
	if (sve) {
		EXPECT_EQ(QVM_EXIT_FATAL, run_vcpu(&self->m, 0));
		EXPECT_TRUE(is_fatal(&self->m, QVM_FATAL_POLICY));
		EXPECT_EQ(RAM_GPA + 20, self->m.run[0]->fatal.pc);
	} else {
		EXPECT_EQ(0, next_write(&self->m, 0, 0) >> 26);
	}
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
