// SPDX-License-Identifier: GPL-2.0-only
/* What the module knows of its VMs: who there is, in which state since when, what they look for and where they have been. */
#include <kselftest_harness.h>

#include "vm.h"

FIXTURE(states)
{
	struct machine m;
};

FIXTURE_SETUP(states)
{
}

FIXTURE_TEARDOWN(states)
{
	machine_close(&self->m);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* The entry of this name in the list of all VMs; id 0: none. */
static struct qvm_next_vm list_find(int sys, const char *name)
{
	struct qvm_next_vm next = { 0 };

	while (call(sys, QVM_NEXT_VM, &next) == 0) {
		if (!strcmp(next.name, name))
			return next;
		next = (struct qvm_next_vm){ .after = next.id };
	}
	return (struct qvm_next_vm){ 0 };
}

TEST_F(states, list)
{
	struct qvm_next_vm next;
	struct machine other;

	machine_build(&self->m, &guest_off, 2);
	machine_build(&other, &guest_off, 1);
	next = list_find(other.sys, self->m.name);
	EXPECT_EQ(vm_info(self->m.vm).id, next.id);
	EXPECT_EQ(QVM_VM_BUILDING, next.state);
	EXPECT_EQ(2, next.vcpu_count);
	EXPECT_EQ(getpid(), next.pid);
	EXPECT_EQ(RAM_SIZE, next.pinned);
	EXPECT_LT(next.created, now());
	EXPECT_GT(list_find(self->m.sys, other.name).id, next.id);
	machine_close(&other);
	EXPECT_EQ(0, list_find(self->m.sys, other.name).id);
	EXPECT_EQ(-EINVAL, call(self->m.sys, QVM_NEXT_VM, &(struct qvm_next_vm){ .reserved = 1 }));
	EXPECT_EQ(-ENOENT, call(self->m.sys, QVM_NEXT_VM, &(struct qvm_next_vm){ .after = ~0U }));
}

TEST_F(states, times)
{
	uint64_t begun = now();
	struct qvm_vm_info info;

	machine_build(&self->m, &guest_off, 2);
	EXPECT_EQ(0, vm_info(self->m.vm).assembled);
	machine_assemble(&self->m);
	info = vm_info(self->m.vm);
	EXPECT_GT(info.assembled, begun);
	EXPECT_EQ(0, info.started);
	/* vCPU 1 is off: that its thread waits in the module starts nothing */
	self->m.run[1]->immediate_exit = 1;
	EXPECT_EQ(-EINTR, call(self->m.vcpu[1], QVM_VCPU_RUN, NULL));
	EXPECT_EQ(QVM_VM_ASSEMBLED, vm_info(self->m.vm).state);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	info = vm_info(self->m.vm);
	EXPECT_GE(info.started, info.assembled);
	EXPECT_GE(info.ended, info.started);
	EXPECT_LT(info.ended, now());
}

/* ---- what nobody has ---- */

/* x4: how often; five reads of the first address, three writes to the second, a fetch at last. */
GUEST(guest_looks, G_DEVICE
      "mov x20, #0x60000000\n mov x4, #5\n"
      "1: ldr w1, [x20]\n subs x4, x4, #1\n b.ne 1b\n"
      "mov x4, #3\n 2: str w1, [x20, #0x40]\n subs x4, x4, #1\n b.ne 2b\n"
      "str x4, [x28, #0x10]\n"
      "mov x21, #0x61000000\n br x21\n");

TEST_F(states, unclaimed)
{
	struct qvm_unclaimed table;
	int i;

	machine_build(&self->m, &guest_looks, 1);
	must(call(self->m.vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ .reference = QVM_POLICY_IGNORE }));
	machine_assemble(&self->m);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
		self->m.run[0]->mmio.unclaimed = 1;
	}
	EXPECT_EQ(0, next_write(&self->m, 0, 0x10));
	next_write(&self->m, 0, 0);	/* of the vector: the fetch was refused */
	must(call(self->m.vm, QVM_VM_UNCLAIMED, &table));
	EXPECT_EQ(9, table.total);
	ASSERT_EQ(3, table.count);
	EXPECT_EQ(0x60000000, table.row[0].gpa);
	EXPECT_EQ(5, table.row[0].count);
	EXPECT_EQ(RAM_GPA + 12, table.row[0].pc);
	EXPECT_EQ(QVM_UNCLAIMED_READ, table.row[0].flags);
	EXPECT_EQ(0x60000040, table.row[1].gpa);
	EXPECT_EQ(3, table.row[1].count);
	EXPECT_EQ(QVM_UNCLAIMED_WRITE, table.row[1].flags);
	EXPECT_EQ(0x61000000, table.row[2].gpa);
	EXPECT_EQ(0x61000000, table.row[2].pc);
	EXPECT_EQ(QVM_UNCLAIMED_FETCH, table.row[2].flags);
	EXPECT_EQ(0, table.row[0].over);
}

/* The table of its translations is where nobody is: a read of that page, whatever the access was. */
GUEST(guest_no_tables, G_DEVICE
      "mov x0, #0x62000000\n msr ttbr0_el1, x0\n mov x0, #25\n movk x0, #0x80, lsl #16\n msr tcr_el1, x0\n isb\n"
      "mrs x0, sctlr_el1\n orr x0, x0, #1\n msr sctlr_el1, x0\n isb\n b .\n");

TEST_F(states, unclaimed_table)
{
	struct qvm_unclaimed table;

	machine_build(&self->m, &guest_no_tables, 1);
	must(call(self->m.vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ .reference = QVM_POLICY_ABORT }));
	machine_assemble(&self->m);
	EXPECT_EQ(QVM_EXIT_FATAL, run_vcpu(&self->m, 0));
	must(call(self->m.vm, QVM_VM_UNCLAIMED, &table));
	ASSERT_EQ(1, table.count);
	EXPECT_EQ(0x62000000, table.row[0].gpa);
	EXPECT_EQ(QVM_UNCLAIMED_READ, table.row[0].flags);
}

/* One address between a thousand others, each touched once: the table is small and does not lose it. */
GUEST(guest_scans, G_DEVICE
      "mov x20, #0x60000000\n mov x21, #0x61000000\n mov x4, #1000\n"
      "1: ldr w1, [x20]\n ldr w1, [x21]\n add x21, x21, #4\n subs x4, x4, #1\n b.ne 1b\n"
      "str x4, [x28, #0x10]\n" G_OFF);

TEST_F(states, unclaimed_many)
{
	struct qvm_unclaimed table;

	machine_build(&self->m, &guest_scans, 1);
	must(call(self->m.vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ .reference = QVM_POLICY_IGNORE }));
	machine_assemble(&self->m);
	while (run_vcpu(&self->m, 0) == QVM_EXIT_MMIO && self->m.run[0]->mmio.gpa != DEVICE_GPA + 0x10)
		self->m.run[0]->mmio.unclaimed = 1;
	must(call(self->m.vm, QVM_VM_UNCLAIMED, &table));
	EXPECT_EQ(2000, table.total);
	EXPECT_EQ(QVM_UNCLAIMED_ROWS, table.count);
	EXPECT_EQ(0x60000000, table.row[0].gpa);
	EXPECT_EQ(1000, table.row[0].count);
	EXPECT_EQ(0, table.row[0].over);
	EXPECT_GT(table.row[1].over, 0);
}

/* ---- where it has been ---- */

static struct qvm_vcpu_trail trail(int vcpu)
{
	struct qvm_vcpu_trail t;

	must(call(vcpu, QVM_VCPU_TRAIL, &t));
	return t;
}

GUEST(guest_trail, G_DEVICE
      "mov x4, #20\n 1: str x4, [x28]\n subs x4, x4, #1\n b.ne 1b\n"
      "mov w0, #0x84000000\n hvc #0\n" G_OFF);

TEST_F(states, trail)
{
	struct qvm_vcpu_trail t;
	int i;

	machine_start(&self->m, &guest_trail, 2);
	EXPECT_EQ(0, trail(self->m.vcpu[0]).count);
	EXPECT_EQ(1, trail(self->m.vcpu[0]).is_on);
	EXPECT_EQ(0, trail(self->m.vcpu[1]).is_on);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(20 - i, next_write(&self->m, 0, 0));
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	t = trail(self->m.vcpu[0]);
	ASSERT_EQ(QVM_TRAIL_EXITS, t.count);
	EXPECT_EQ(QVM_VCPU_OUTSIDE, t.where);
	EXPECT_EQ(0, t.equal);
	EXPECT_EQ(0, t.kick_wait);
	/* the last one is the HVC itself, not what is behind it */
	EXPECT_EQ(0x16, t.exit[15].reason);
	EXPECT_EQ(RAM_GPA + 8, t.exit[12].pc);
	EXPECT_EQ(0x24, t.exit[12].reason);
	EXPECT_EQ(DEVICE_GPA, t.exit[12].gpa);
}

/* Everything is where it was before: the vector itself can't be fetched. */
GUEST(guest_no_vector, "movz x1, #0x6100, lsl #16\n msr vbar_el1, x1\n isb\n br x1\n");

static int run_stuck(struct machine *m, uint64_t limit)
{
	machine_build(m, &guest_no_vector, 1);
	must(call(m->vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ .equal_exits = limit }));
	machine_assemble(m);
	return run_vcpu(m, 0);
}

TEST_F(states, stuck)
{
	struct qvm_vm_info info;

	EXPECT_EQ(QVM_EXIT_FATAL, run_stuck(&self->m, 1000));
	EXPECT_EQ(QVM_FATAL_STUCK, self->m.run[0]->fatal.cause);
	EXPECT_EQ(0x61000200, self->m.run[0]->fatal.pc);
	EXPECT_EQ(0x61000200, self->m.run[0]->fatal.gpa);
	EXPECT_EQ(1000, trail(self->m.vcpu[0]).equal);
	info = vm_info(self->m.vm);
	EXPECT_EQ(QVM_FATAL_STUCK, info.end_event);
}

/* No limit: it goes on until it is ended from outside. */
TEST_F(states, not_stuck_without_limit)
{
	struct runner r;

	machine_build(&self->m, &guest_no_vector, 1);
	machine_assemble(&self->m);
	runner_start(&r, &self->m, 0);
	EXPECT_TRUE(eventually(trail(self->m.vcpu[0]).equal > 2000));
	must(call(self->m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
}

/* Loops of one exit at one place whose instruction completes: a device that is polled, hypercalls, WFI. */
GUEST(guest_polls, G_DEVICE
      "1: ldr w1, [x28]\n cbz w1, 1b\n"
      "mov w5, #3000\n 2: mov w0, #0x8400ffff\n hvc #0\n subs w5, w5, #1\n b.ne 2b\n"
      "movz x6, #0x0800, lsl #16\n mov w5, #3000\n 3: ldr w1, [x6]\n subs w5, w5, #1\n b.ne 3b\n" G_OFF);

TEST_F(states, polling_is_not_stuck)
{
	int i;

	machine_build(&self->m, &guest_polls, 1);
	must(call(self->m.vm, QVM_VM_SET_POLICY, &(struct qvm_vm_policy){ .equal_exits = 100 }));
	machine_add_gic(&self->m);
	machine_assemble(&self->m);
	for (i = 0; i < 2000; i++) {
		ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
		memset((void *)self->m.run[0]->mmio.data, i == 1999, 4);
	}
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
	EXPECT_TRUE(is_off(self->m.run[0]));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
