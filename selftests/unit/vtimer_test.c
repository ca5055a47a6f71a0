// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's timer on pCPUs whose GIC may signal an interrupt for a while after its line has fallen, and on a
 * host whose counter may lose its value over a suspend (kmod/arch/arm64/vtimer.c): an emulator's does neither.
 *
 * CFLAGS: -Iselftests/unit/fake/vtimer -Iuapi/arm64 -Ikmod/arch/arm64 -Wno-unused-function
 */
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include <errno.h>
#include <string.h>

#include "unit.h"

#define FREQUENCY	100000000ULL
#define PPI		27
#define VIRQ		5

/* ---- pCPUs: a counter for all, CNTV and one PPI for each */

enum reg { REG_cntv_ctl, REG_cntv_cval, REG_cntvoff_el2, REG_cnthctl_el2, REG_cntpct_el0, REG_cntfrq_el0, REGS };

static struct pcpu {
	u64 regs[REGS];
	bool signalled;			/* the GIC shows it to the CPU: it need not be up any more */
	bool active, enabled;
} pcpus[FAKE_CPUS];
static u64 now;

static struct pcpu *here(void)
{
	return &pcpus[fake_cpu];
}

static bool line(void)
{
	return (here()->regs[REG_cntv_ctl] & 3) == 1 &&
	       now - here()->regs[REG_cntvoff_el2] >= here()->regs[REG_cntv_cval];
}

static u64 reg_read(enum reg reg)
{
	if (reg == REG_cntpct_el0)
		return now;
	if (reg == REG_cntfrq_el0)
		return FREQUENCY;
	return here()->regs[reg] | (reg == REG_cntv_ctl && line() ? 4 : 0);
}

/* ---- the kernel's words for it */

#define read_sysreg(name)		reg_read(REG_##name)
#define write_sysreg(value, name)	(here()->regs[REG_##name] = (value))
#define read_sysreg_s(reg)		reg_read(reg)
#define write_sysreg_s(value, reg)	(here()->regs[reg] = (value))
#define SYS_CNTV_CTL_EL02		REG_cntv_ctl
#define SYS_CNTV_CVAL_EL02		REG_cntv_cval
#define REG_cntv_ctl_el0		REG_cntv_ctl
#define REG_cntv_cval_el0		REG_cntv_cval
#define isb()				do { } while (0)
#define preempt_disable()		do { } while (0)
#define preempt_enable()		do { } while (0)

typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *dev);
enum { IRQ_HANDLED = 1, IRQ_TYPE_NONE = 0 };
enum irqchip_irq_state { IRQCHIP_STATE_ACTIVE };

struct irq_data {
	struct irq_data *parent_data;
	u32 hwirq;
};

static struct irq_data vtimer_data = { .hwirq = PPI };
static irq_handler_t handler;		/* of the timer's */
static unsigned int slow;		/* accesses to a redistributor */

static struct irq_data *irq_get_irq_data(unsigned int virq)
{
	return &vtimer_data;
}

static int irq_set_irqchip_state(unsigned int virq, enum irqchip_irq_state which, bool on)
{
	CHECK_EQ(virq, VIRQ);
	here()->active = on;
	slow++;
	return 0;
}

static int irq_get_irqchip_state(unsigned int virq, enum irqchip_irq_state which, bool *on)
{
	*on = here()->active;
	return 0;
}

static int irq_set_vcpu_affinity(unsigned int virq, void *info)
{
	return 0;
}

static bool irq_percpu_is_enabled(unsigned int virq)
{
	return false;
}

static int request_percpu_irq(unsigned int virq, irq_handler_t fn, const char *name, void *dev)
{
	if (virq == VIRQ)
		handler = fn;
	return 0;
}

static void free_percpu_irq(unsigned int virq, void *dev)
{
}

static void enable_percpu_irq(unsigned int virq, unsigned int type)
{
	here()->enabled |= virq == VIRQ;
}

static void disable_percpu_irq(unsigned int virq)
{
	here()->enabled &= virq != VIRQ;
}

/* ---- what of the module vtimer.c needs */

#define QVM_ARM64_ARM64_H
#define QVM_ARM64_NVHE_NVHE_H
#define QVM_COMPAT_H

#include "el2_regs.h"

#define SYSREG(op0, op1, crn, crm, op2)	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define arm64_is_nvhe()			false
#define arm64_nvhe_call(call, a, b)	do { } while (0)
#define arch_timer_read_counter()	now
#define arm64_ppi_vtimer()		VIRQ
#define arm64_ppi_maintenance()		(VIRQ + 1)
#define arm64_ack_init(data)		do { } while (0)

static void qvm_hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*fn)(struct hrtimer *),
			      enum hrtimer_mode mode)
{
	*timer = (struct hrtimer){ .function = fn, .mode = mode };
}

struct arm64_timer {
	u64 ctl, cval;
	u32 intid;
};

struct qvm_vm {
	struct {
		u64 cntvoff;
		u32 timer_intid[2];
	} arch;
};

struct qvm_vcpu {
	struct qvm_vm *vm;
	struct {
		struct arm64_timer vtimer, ptimer;
		struct hrtimer wake_timer, ptimer_timer;
		struct {
			u64 cnthctl;
		} host;
	} arch;
	bool busy;			/* the vCPU's interrupt is pending or active, with HW = 1 */
};

static void qvm_vgic_set_own(struct qvm_vcpu *vcpu, u32 intid, bool level)
{
	CHECK_EQ(intid, PPI);
	vcpu->busy = level;
}

static void qvm_vgic_set_irq(struct qvm_vm *vm, struct qvm_vcpu *vcpu, u32 intid, bool level)
{
	qvm_vgic_set_own(vcpu, intid, level);
}

static bool qvm_vgic_hw_busy(struct qvm_vcpu *vcpu, u32 intid)
{
	return vcpu->busy;
}

static int qvm_vgic_map_hw(struct qvm_vcpu *vcpu, u32 intid, u32 hwirq, bool (*level)(struct qvm_vcpu *vcpu))
{
	return 0;
}

extern u64 arm64_counter_lost;
u64 arm64_counter(void);

static u64 arm64_guest_counter(const struct qvm_vcpu *vcpu)
{
	return arm64_counter() - vcpu->vm->arch.cntvoff;
}

bool arm64_vtimer_level(struct qvm_vcpu *vcpu);
int arm64_vtimer_init(void);
void arm64_vtimer_fini(void);
void arm64_vtimer_suspend(void);
void arm64_vtimer_resume(void);
void arm64_vtimer_cpu_up(void);
void arm64_vtimer_cpu_wakes(void);
void arm64_vtimer_cpu_down(void);
void arm64_vtimer_load(struct qvm_vcpu *vcpu);
void arm64_vtimer_put(struct qvm_vcpu *vcpu);
void arm64_vtimer_settle(struct qvm_vcpu *vcpu);
void arm64_vtimer_block(struct qvm_vcpu *vcpu);
void arm64_vtimer_unblock(struct qvm_vcpu *vcpu);
bool arm64_vtimer_sys(struct qvm_vcpu *vcpu, u32 encoding, bool is_write, u64 *value);
void arm64_vtimer_vcpu_init(struct qvm_vcpu *vcpu);
void arm64_vtimer_reset(struct qvm_vcpu *vcpu);
void arm64_vtimer_vcpu_fini(struct qvm_vcpu *vcpu);
int arm64_vtimer_assemble(struct qvm_vcpu *vcpu);

#include "vtimer.c"

/* ---- two vCPUs on them */

static struct qvm_vm vm;
static struct qvm_vcpu vcpu[2];

static void machine(void)
{
	memset(pcpus, 0, sizeof(pcpus));
	memset(loaded_vcpu, 0, sizeof(loaded_vcpu));
	now = 1000 * FREQUENCY;
	arm64_counter_lost = 0;
	vm = (struct qvm_vm){ .arch = { .cntvoff = now, .timer_intid = { PPI, 30 } } };
	CHECK_EQ(arm64_vtimer_init(), 0);
	for (fake_cpu = FAKE_CPUS - 1; fake_cpu; fake_cpu--)
		arm64_vtimer_cpu_up();
	arm64_vtimer_cpu_up();
	for (int i = 0; i < 2; i++) {
		vcpu[i] = (struct qvm_vcpu){ .vm = &vm };
		arm64_vtimer_vcpu_init(&vcpu[i]);
		CHECK_EQ(arm64_vtimer_assemble(&vcpu[i]), 0);
	}
}

/* The GIC sees the line, unless the interrupt is active. */
static void gic_looks(void)
{
	here()->signalled = line() && here()->enabled && !here()->active;
}

/* Interrupts are open: what is signalled is taken. It is forwarded, so it stays active. */
static bool host_takes(void)
{
	if (!here()->signalled)
		return false;
	here()->signalled = false;
	here()->active = true;
	CHECK_EQ(handler(VIRQ, &loaded_vcpu[fake_cpu]), IRQ_HANDLED);
	return true;
}

/* The guest's end of it: its list register has HW = 1. */
static void guest_ends(struct qvm_vcpu *v)
{
	here()->regs[REG_cntv_ctl] = 0;
	v->busy = false;
	here()->active = false;
	gic_looks();
}

static void guest_arms(u64 in)
{
	here()->regs[REG_cntv_cval] = now - here()->regs[REG_cntvoff_el2] + in;
	here()->regs[REG_cntv_ctl] = 1;
	gic_looks();
}

static void time_passes(u64 ticks)
{
	now += ticks;
	gic_looks();
}

/* A guest's timer that is armed here reaches it. */
static void check_ticks(struct qvm_vcpu *v)
{
	arm64_vtimer_load(v);
	guest_arms(10);
	CHECK(!host_takes());
	time_passes(10);
	CHECK(host_takes());
	CHECK(v->busy);
	guest_ends(v);
	arm64_vtimer_put(v);
}

TEST(ticks)
{
	unsigned int before;

	machine();
	check_ticks(&vcpu[0]);
	before = slow;
	check_ticks(&vcpu[0]);
	check_ticks(&vcpu[1]);
	CHECK_EQ(slow, before);		/* seldom needed */
}

/* Preempted with its interrupt active: another's here is not, and its own elsewhere is. */
TEST(busy_one_moves)
{
	machine();
	arm64_vtimer_load(&vcpu[0]);
	guest_arms(0);
	CHECK(host_takes());
	arm64_vtimer_put(&vcpu[0]);
	check_ticks(&vcpu[1]);
	fake_cpu = 1;
	arm64_vtimer_load(&vcpu[0]);
	gic_looks();
	CHECK(here()->active);
	CHECK(!host_takes());
	guest_ends(&vcpu[0]);
	arm64_vtimer_put(&vcpu[0]);
	check_ticks(&vcpu[0]);
	fake_cpu = 0;
	check_ticks(&vcpu[0]);
}

/* Signalled before the vCPU was put, taken after it: nobody's, and the next one's fires all the same. */
TEST(late_interrupt)
{
	int settles;

	for (settles = 0; settles < 2; settles++) {
		machine();
		arm64_vtimer_load(&vcpu[0]);
		guest_arms(0);
		CHECK(here()->signalled);
		arm64_vtimer_put(&vcpu[0]);
		CHECK(host_takes());		/* has not been retired */
		CHECK(!vcpu[0].busy);
		if (settles) {
			arm64_vtimer_settle(&vcpu[0]);
			CHECK(!here()->active);
		}
		check_ticks(&vcpu[1]);
		arm64_vtimer_load(&vcpu[0]);
		gic_looks();
		CHECK(host_takes());
		CHECK(vcpu[0].busy);
		guest_ends(&vcpu[0]);
		arm64_vtimer_put(&vcpu[0]);
	}
}

/* No line for it on this board: it never fires, and does for others. */
TEST(board_without_timer)
{
	machine();
	vcpu[0].arch.vtimer.intid = 0;
	arm64_vtimer_load(&vcpu[0]);
	guest_arms(0);
	CHECK(!host_takes());
	arm64_vtimer_put(&vcpu[0]);
	check_ticks(&vcpu[1]);
}

/* ---- a suspend */

static u64 guest_time(void)
{
	u64 time = arm64_guest_counter(&vcpu[0]);

	arm64_vtimer_load(&vcpu[0]);
	CHECK_EQ(now - here()->regs[REG_cntvoff_el2], time);	/* what CNTVCT_EL0 is */
	arm64_vtimer_put(&vcpu[0]);
	return time;
}

TEST(counter_that_goes_on)
{
	machine();
	now += 500;
	arm64_vtimer_suspend();
	now += 3 * FREQUENCY;
	arm64_vtimer_resume();
	CHECK_EQ(arm64_counter_lost, 0);
	CHECK_EQ(guest_time(), 500 + 3 * FREQUENCY);
}

/* It starts anew, once and again, and the guest's time goes on from where it was. */
TEST(counter_that_starts_anew)
{
	machine();
	now += 500;
	arm64_vtimer_suspend();
	now = 70;
	arm64_vtimer_resume();
	CHECK_EQ(guest_time(), 500);
	now += 30;
	CHECK_EQ(guest_time(), 530);
	arm64_vtimer_suspend();
	now = 7;
	arm64_vtimer_resume();
	CHECK_EQ(guest_time(), 530);
	now += 70;
	CHECK_EQ(guest_time(), 600);
	/* beyond what it had lost: nothing more is */
	arm64_vtimer_suspend();
	now += FREQUENCY;
	arm64_vtimer_resume();
	CHECK_EQ(guest_time(), 600 + FREQUENCY);
	check_ticks(&vcpu[0]);
}

/* A deadline over a suspend comes when the guest's own counter says so. */
TEST(deadline_over_a_suspend)
{
	machine();
	arm64_vtimer_load(&vcpu[0]);
	guest_arms(1000);
	time_passes(400);
	CHECK(!host_takes());
	arm64_vtimer_put(&vcpu[0]);
	arm64_vtimer_suspend();
	now = 3;
	arm64_vtimer_resume();
	arm64_vtimer_load(&vcpu[0]);
	time_passes(599);
	CHECK(!host_takes());
	time_passes(1);
	CHECK(host_takes());
}
