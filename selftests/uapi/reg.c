// SPDX-License-Identifier: GPL-2.0-only
/* QVM_VCPU_GET_REG and QVM_VCPU_SET_REG: every id, and what the guest makes of it. */
#include <kselftest_harness.h>

#include "vm.h"

FIXTURE(reg)
{
	struct machine m;
	int vcpu;
};

GUEST(guest_registers, G_DEVICE
      "str x0, [x28]\n"		/* the test looks at all registers here */
      "add x5, x5, #1\n"
      "mov x6, #3\n msr cpacr_el1, x6\n mov x6, #0x300000\n msr cpacr_el1, x6\n isb\n"
      "mov v1.16b, v0.16b\n mov v31.d[1], v0.d[0]\n"
      "msr tpidr_el1, x5\n mrs x7, mpidr_el1\n mrs x9, midr_el1\n mrs x10, cntvct_el0\n mrs x8, sctlr_el1\n"
      "str x0, [x28]\n"
      G_OFF);

FIXTURE_SETUP(reg)
{
	machine_start(&self->m, &guest_registers, 2);
	self->vcpu = self->m.vcpu[0];
}

FIXTURE_TEARDOWN(reg)
{
	machine_close(&self->m);
}

static int get(int vcpu, uint64_t id)
{
	struct qvm_reg reg = { .id = id, .value = { 0x5555, 0x5555 } };

	return call(vcpu, QVM_VCPU_GET_REG, &reg);
}

static int set128(int vcpu, uint64_t id, uint64_t low, uint64_t high)
{
	struct qvm_reg reg = { .id = id, .value = { low, high } };

	return call(vcpu, QVM_VCPU_SET_REG, &reg);
}

/* What was set is there; the upper half of a narrow register is zero, and has to be. */
TEST_F(reg, general)
{
	unsigned int n;

	for (n = 0; n <= 30; n++)
		EXPECT_EQ(0, set_reg(self->vcpu, QVM_REG_X(n), 0x1122334455667700 + n));
	EXPECT_EQ(0, set_reg(self->vcpu, QVM_REG_SP_EL0, 0x1234));
	EXPECT_EQ(0, set_reg(self->vcpu, QVM_REG_PC, RAM_GPA + 4));
	for (n = 0; n <= 30; n++) {
		struct qvm_reg reg = { .id = QVM_REG_X(n), .value = { -1, -1 } };

		EXPECT_EQ(0, call(self->vcpu, QVM_VCPU_GET_REG, &reg));
		EXPECT_EQ(0x1122334455667700 + n, reg.value[0]);
		EXPECT_EQ(0, reg.value[1]);
		EXPECT_EQ(-EINVAL, set128(self->vcpu, QVM_REG_X(n), 1, 1));
		EXPECT_EQ(0x1122334455667700 + n, get_reg(self->vcpu, QVM_REG_X(n)));
	}
	EXPECT_EQ(0x1234, get_reg(self->vcpu, QVM_REG_SP_EL0));
	EXPECT_EQ(RAM_GPA + 4, get_reg(self->vcpu, QVM_REG_PC));
	EXPECT_EQ(-EINVAL, set128(self->vcpu, QVM_REG_PC, 0, 1));
}

TEST_F(reg, vector)
{
	unsigned int n;

	for (n = 0; n < 32; n++)
		EXPECT_EQ(0, set128(self->vcpu, QVM_REG_Q(n), 0xaaaa0000 + n, 0xbbbb0000ULL << 32 | n));
	for (n = 0; n < 32; n++) {
		struct qvm_reg reg = { .id = QVM_REG_Q(n) };

		EXPECT_EQ(0, call(self->vcpu, QVM_VCPU_GET_REG, &reg));
		EXPECT_EQ(0xaaaa0000 + n, reg.value[0]);
		EXPECT_EQ(0xbbbb0000ULL << 32 | n, reg.value[1]);
	}
	EXPECT_EQ(0, set_reg(self->vcpu, QVM_REG_FPSR, 0x08000001));
	EXPECT_EQ(0, set_reg(self->vcpu, QVM_REG_FPCR, 0x03000000));
	EXPECT_EQ(0x08000001, get_reg(self->vcpu, QVM_REG_FPSR));
	EXPECT_EQ(0x03000000, get_reg(self->vcpu, QVM_REG_FPCR));
	EXPECT_EQ(-EINVAL, set_reg(self->vcpu, QVM_REG_FPSR, 1ULL << 32));
	EXPECT_EQ(-EINVAL, set_reg(self->vcpu, QVM_REG_FPCR, 1ULL << 32));
	EXPECT_EQ(-EINVAL, set128(self->vcpu, QVM_REG_FPCR, 0, 1));
}

static bool pstate_is_good(unsigned int mode)
{
	return mode == 0 || mode == 4 || mode == 5;	/* EL0t, EL1t, EL1h */
}

TEST_F(reg, pstate)
{
	unsigned int mode;

	EXPECT_EQ(0x3c5, get_reg(self->vcpu, QVM_REG_PSTATE));	/* EL1h, DAIF */
	for (mode = 0; mode < 32; mode++) {			/* bit 4: AArch32 */
		EXPECT_EQ(pstate_is_good(mode) ? 0 : -EINVAL,
			  set_reg(self->vcpu, QVM_REG_PSTATE, 0x3c0 | mode)) {
			TH_LOG("mode %#x", mode);
		}
	}
	EXPECT_EQ(0, set_reg(self->vcpu, QVM_REG_PSTATE, 0xf00003c5));
	EXPECT_EQ(0xf00003c5, get_reg(self->vcpu, QVM_REG_PSTATE));
	EXPECT_EQ(-EINVAL, set_reg(self->vcpu, QVM_REG_PSTATE, 1ULL << 63 | 5));
	EXPECT_EQ(-EINVAL, set_reg(self->vcpu, QVM_REG_PSTATE, 1ULL << 32 | 5));
	EXPECT_EQ(0xf00003c5, get_reg(self->vcpu, QVM_REG_PSTATE));
}

TEST_F(reg, no_such)
{
	static const uint64_t bad[] = {
		0, 1, QVM_REG_CORE | 34, QVM_REG_CORE | 255, QVM_REG_CORE | 1ULL << 32, QVM_REG_FP | 34,
		QVM_REG_FP | 1ULL << 32, QVM_REG_TIMER | 1, QVM_REG_TIMER | 1ULL << 39, 0x5000000000000,
		0x8000000000000000, -1ULL, QVM_REG_SYSTEM | 1 << 16, QVM_REG_SYSTEM | 1ULL << 39,
		QVM_REG_CORE | 1ULL << 40, QVM_REG_CORE | 1ULL << 63, QVM_REG_SYSTEM - 1,
		QVM_REG_SYS(3, 4, 1, 1, 0),	/* HCR_EL2: not the guest's */
		QVM_REG_SYS(3, 6, 1, 1, 0),	/* SCR_EL3 */
		QVM_REG_SYS(3, 7, 15, 15, 7),
		QVM_REG_SYS(0, 0, 0, 0, 0),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-ENOENT, get(self->vcpu, bad[i])) { TH_LOG("id %#llx", (long long)bad[i]); }
		EXPECT_EQ(-ENOENT, set_reg(self->vcpu, bad[i], 0)) {
			TH_LOG("id %#llx", (long long)bad[i]);
		}
	}
}

/*
 * Every encoding of the system register space: what can be read keeps its value when it is
 * written back, or is read-only; what can't be read can't be written.
 */
TEST_F(reg, all_system_registers)
{
	unsigned int encoding, known = 0, read_only = 0;

	for (encoding = 0; encoding < 1 << 16; encoding++) {
		struct qvm_reg reg = { .id = QVM_REG_SYSTEM | encoding };
		int got = call(self->vcpu, QVM_VCPU_GET_REG, &reg), set;
		uint64_t value = reg.value[0];

		reg.value[1] = 0;
		set = call(self->vcpu, QVM_VCPU_SET_REG, &reg);
		if (got) {
			ASSERT_EQ(-ENOENT, got);
			ASSERT_EQ(-ENOENT, set);
			continue;
		}
		known++;
		read_only += set == -EPERM;
		ASSERT_TRUE(set == 0 || set == -EPERM);
		ASSERT_EQ(value, get_reg(self->vcpu, reg.id));
		reg.value[1] = 1;
		EXPECT_EQ(-EINVAL, call(self->vcpu, QVM_VCPU_SET_REG, &reg));
	}
	EXPECT_LT(20, known - read_only);
	EXPECT_LT(20, read_only);
}

TEST_F(reg, read_only)
{
	EXPECT_EQ(-EPERM, set_reg(self->vcpu, SYS_MPIDR, 0));
	EXPECT_EQ(-EPERM, set_reg(self->vcpu, QVM_REG_SYS(3, 0, 0, 0, 0), 0));		/* MIDR_EL1 */
	EXPECT_EQ(-EPERM, set_reg(self->vcpu, QVM_REG_SYS(3, 0, 0, 4, 0), 0));		/* ID_AA64PFR0_EL1 */
	EXPECT_EQ(1ULL << 31, get_reg(self->vcpu, SYS_MPIDR));
	EXPECT_EQ(1ULL << 31 | 1, get_reg(self->m.vcpu[1], SYS_MPIDR));
}

/* What is set is what the guest has, and the other way round. */
TEST_F(reg, seen_by_the_guest)
{
	unsigned int n;

	for (n = 0; n < 28; n++)
		must(set_reg(self->vcpu, QVM_REG_X(n), 0x1000 + n));
	must(set128(self->vcpu, QVM_REG_Q(0), 0x1111, 0x2222));
	must(set128(self->vcpu, QVM_REG_Q(31), 0x3333, 0x4444));
	ASSERT_EQ(0x1000, next_write(&self->m, 0, 0));
	for (n = 0; n < 28; n++)
		EXPECT_EQ(0x1000 + n, get_reg(self->vcpu, QVM_REG_X(n)));
	EXPECT_EQ(DEVICE_GPA, get_reg(self->vcpu, QVM_REG_X(28)));
	EXPECT_EQ(RAM_GPA + 4, get_reg(self->vcpu, QVM_REG_PC));

	/* between exits too; the access is completed all the same */
	must(set_reg(self->vcpu, QVM_REG_X(5), 0x77));
	must(set_reg(self->vcpu, QVM_REG_X(0), 0x88));
	ASSERT_EQ(0x88, next_write(&self->m, 0, 0));
	EXPECT_EQ(0x78, get_reg(self->vcpu, QVM_REG_X(5)));
	EXPECT_EQ(0x78, get_reg(self->vcpu, QVM_REG_SYS(3, 0, 13, 0, 4)));	/* TPIDR_EL1 */
	EXPECT_EQ(1ULL << 31, get_reg(self->vcpu, QVM_REG_X(7)));
	EXPECT_EQ(get_reg(self->vcpu, SYS_SCTLR), get_reg(self->vcpu, QVM_REG_X(8)));
	EXPECT_EQ(get_reg(self->vcpu, QVM_REG_SYS(3, 0, 0, 0, 0)), get_reg(self->vcpu, QVM_REG_X(9)));
	{
		struct qvm_reg q1 = { .id = QVM_REG_Q(1) }, q31 = { .id = QVM_REG_Q(31) };

		must(call(self->vcpu, QVM_VCPU_GET_REG, &q1));
		must(call(self->vcpu, QVM_VCPU_GET_REG, &q31));
		EXPECT_EQ(0x1111, q1.value[0]);
		EXPECT_EQ(0x2222, q1.value[1]);
		EXPECT_EQ(0x3333, q31.value[0]);
		EXPECT_EQ(0x1111, q31.value[1]);
	}
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&self->m, 0));
}

/* The counter: the guest's starts near 0, or where it was put; once it runs it stays. */
TEST_F(reg, counter_offset)
{
	uint64_t far = 1ULL << 40, now;

	asm volatile("mrs %0, cntvct_el0" : "=r"(now));
	EXPECT_EQ(0, set_reg(self->vcpu, QVM_REG_CNTVOFF, now - far));
	EXPECT_EQ(now - far, get_reg(self->vcpu, QVM_REG_CNTVOFF));
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	EXPECT_EQ(-EPERM, set_reg(self->vcpu, QVM_REG_CNTVOFF, 0));
	EXPECT_EQ(now - far, get_reg(self->vcpu, QVM_REG_CNTVOFF));
	ASSERT_EQ(QVM_EXIT_MMIO, run_vcpu(&self->m, 0));
	EXPECT_LE(far, get_reg(self->vcpu, QVM_REG_X(10)));
	EXPECT_GT(far + (1ULL << 36), get_reg(self->vcpu, QVM_REG_X(10)));
}

/* GET_REG waits while the vCPU runs, and has its answer when the guest comes out. */
TEST(waits_while_it_runs)
{
	struct machine m;
	struct runner r;
	pid_t pid;

	machine_start(&m, &guest_spin, 1);
	catch_signal(SIGUSR1);
	runner_start(&r, &m, 0);
	EXPECT_TRUE(eventually(vcpu_stats(m.vcpu[0]).entries > 0));
	m.run[0]->immediate_exit = 1;
	pthread_kill(r.thread, SIGUSR1);
	EXPECT_EQ(RAM_GPA, get_reg(m.vcpu[0], QVM_REG_PC));
	m.run[0]->immediate_exit = 0;
	must(call(m.vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));

	/* it can be killed while it waits */
	pid = fork();
	if (!pid) {
		machine_start(&m, &guest_spin, 1);
		runner_start(&r, &m, 0);
		eventually(vcpu_stats(m.vcpu[0]).entries > 0);
		get_reg(m.vcpu[0], QVM_REG_PC);
		_exit(1);
	}
	sleep_us(100000);
	kill(pid, SIGKILL);
	must(waitpid(pid, NULL, 0));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
