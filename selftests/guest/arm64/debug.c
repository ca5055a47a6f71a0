// SPDX-License-Identifier: GPL-2.0-only
/*
 * Self-hosted debug (Arm ARM D2): breakpoints, watchpoints and software step of EL1 fire where they are
 * armed, once, and nowhere else: not over exits, not for the other CPUs, on however few pCPUs these are.
 */
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define MDSCR_SS	BIT(0)
#define MDSCR_KDE	BIT(13)
#define MDSCR_MDE	BIT(15)
#define MDSCR_ARMED	(MDSCR_KDE | MDSCR_MDE)
#define SPSR_D		BIT(9)
#define SPSR_SS		BIT(21)

/* E, PMC or PAC of EL1 */
#define CONTROL_EL1	(BIT(0) | BIT(1))
#define BCR_A64		(CONTROL_EL1 | 0xf << 5)
#define WCR_LOADS	BIT(3)
#define WCR_STORES	BIT(4)
#define WCR(kinds, bytes)	(CONTROL_EL1 | (kinds) | (u64)(bytes) << 5)

#define ROUNDS		150

/* ---- what is hit: x0 + 1 + 2 + 4, each by one instruction ---- */

asm(".pushsection .text\n"
    "add_seven:\n"
    "	add	x0, x0, #1\n"
    "add_two:	add	x0, x0, #2\n"
    "add_four:	add	x0, x0, #4\n"
    "	ret\n"
    ".popsection\n");
u64 add_seven(u64 value);
extern const char add_two[], add_four[];

static volatile u64 words[CPU_MAX][8] __attribute__((aligned(64)));

static void arm(u64 mdscr)
{
	write_sysreg(mdscr, mdscr_el1);
	asm volatile("msr daifclr, #8" : : : "memory");
	isb();
}

static void disarm(void)
{
	asm volatile("msr daifset, #8" : : : "memory");
	write_sysreg(0, mdscr_el1);
	write_sysreg(0, dbgbcr0_el1);
	write_sysreg(0, dbgbcr1_el1);
	write_sysreg(0, dbgwcr0_el1);
	write_sysreg(0, dbgwcr1_el1);
	isb();
}

static void unlock(void)
{
	write_sysreg(0, oslar_el1);
	isb();
}

static void break_at(const char *place)
{
	write_sysreg((u64)place, dbgbvr0_el1);
	write_sysreg(BCR_A64, dbgbcr0_el1);
	isb();
}

static void watch(volatile u64 *word, u64 control)
{
	write_sysreg((u64)word, dbgwvr0_el1);
	write_sysreg(control, dbgwcr0_el1);
	isb();
}

/* What fired is skipped: the sum lacks it. */
static void check_break(const char *place, u64 sum)
{
	struct fault fault;
	u64 got;

	fault_expect();
	got = add_seven(0);
	fault = fault_taken();
	check_eq(got, sum);
	check_eq(fault.count, place ? 1 : 0);
	if (!place || !fault.count)
		return;
	check_eq(ESR_EC(fault.esr), EC_BREAKPOINT);
	check_eq(fault.elr, place);
	check_eq(fault.vector, 4);
}

/* ---- breakpoints ---- */

/* The first test: nobody has written OSLAR_EL1. */
static void test_breakpoint(void)
{
	check_eq(read_sysreg(oslsr_el1) & BIT(1), 0);
	break_at(add_two);
	check_break(NULL, 7);			/* nothing arms it */
	arm(MDSCR_KDE);
	check_break(NULL, 7);
	arm(MDSCR_MDE);				/* EL0's alone */
	check_break(NULL, 7);
	arm(MDSCR_ARMED);
	check_break(add_two, 5);
	asm volatile("msr daifset, #8" : : : "memory");
	check_break(NULL, 7);
	arm(MDSCR_ARMED);
	break_at(add_four);
	check_break(add_four, 3);
	write_sysreg(0, dbgbcr0_el1);
	isb();
	check_break(NULL, 7);
	write_sysreg((u64)add_two, dbgbvr1_el1);
	write_sysreg(BCR_A64, dbgbcr1_el1);
	isb();
	check_break(add_two, 5);
	disarm();
	check_break(NULL, 7);
}

/* ---- watchpoints ---- */

static void check_watch(struct fault fault, volatile void *far, bool is_store)
{
	check_eq(fault.count, far ? 1 : 0);
	if (!far || !fault.count)
		return;
	check_eq(ESR_EC(fault.esr), EC_WATCHPOINT);
	check_eq(fault.far, far);
	check_eq(!!(fault.esr & ESR_WNR), is_store);
}

#define LOAD(word)	fault_of("ldr x9, [%0]" : : "r"(word) : "x9", "memory")
#define STORE(word)	fault_of("str %1, [%0]" : : "r"(word), "r"(0x5555UL) : "memory")
#define LOAD_BYTE(at)	fault_of("ldrb w9, [%0]" : : "r"(at) : "x9", "memory")

static void test_watchpoint(void)
{
	volatile u64 *word = &words[0][1];

	unlock();
	*word = 1;
	watch(word, WCR(WCR_STORES, 0xff));
	arm(MDSCR_ARMED);
	check_watch(LOAD(word), NULL, false);
	check_watch(STORE(word - 1), NULL, true);
	check_watch(STORE(word + 1), NULL, true);
	check_watch(STORE(word), word, true);
	check_eq(*word, 1);			/* before the store, which was skipped */
	watch(word, WCR(WCR_LOADS, 0xff));
	check_watch(STORE(word), NULL, true);
	check_watch(LOAD(word), word, false);
	/* one byte */
	watch(word, WCR(WCR_LOADS | WCR_STORES, 0x10));
	check_watch(LOAD_BYTE((volatile char *)word + 3), NULL, false);
	check_watch(LOAD_BYTE((volatile char *)word + 4), (volatile char *)word + 4, false);
	disarm();
	check_watch(LOAD(word), NULL, false);
}

/* ---- as many as ID_AA64DFR0_EL1 says, and not one more ---- */

/* DBG{BVR, BCR, WVR, WCR}<n>_EL1 by their encoding, op2 4 to 7; in fault_of(), so that one that is not there is seen. */
static struct fault debug_write(unsigned int op2, unsigned int n, u64 value)
{
#define ONE(m, op) case (op) * 16 + (m): return fault_of("msr S2_0_C0_C" #m "_" #op ", %0" : : "r"(value))
#define ALL(op)									\
	ONE(0, op); ONE(1, op); ONE(2, op); ONE(3, op); ONE(4, op); ONE(5, op); ONE(6, op); ONE(7, op);	\
	ONE(8, op); ONE(9, op); ONE(10, op); ONE(11, op); ONE(12, op); ONE(13, op); ONE(14, op); ONE(15, op)
	switch (op2 * 16 + n) {
	ALL(4);
	ALL(5);
	ALL(6);
	ALL(7);
	}
#undef ALL
#undef ONE
	return (struct fault){ 0 };
}

static void debug_write_all(unsigned int op2, unsigned int count)
{
	for (unsigned int n = 0; n < 16; n++) {
		struct fault fault = debug_write(op2, n, 0);

		check(n < count ? !fault.count : is_undefined(fault));
	}
}

static void test_each(void)
{
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);
	unsigned int breakpoints = (dfr0 >> 12 & 15) + 1, watchpoints = (dfr0 >> 20 & 15) + 1;
	volatile u64 *word = &words[0][1];

	print("# %u breakpoints, %u watchpoints\n", breakpoints, watchpoints);
	unlock();
	for (unsigned int op2 = 4; op2 < 8; op2++)
		debug_write_all(op2, op2 < 6 ? breakpoints : watchpoints);
	arm(MDSCR_ARMED);
	for (unsigned int n = 0; n < breakpoints; n++) {
		debug_write(4, n, (u64)add_two);
		debug_write(5, n, BCR_A64);
		isb();
		check_break(add_two, 5);
		debug_write(5, n, 0);
		isb();
		check_break(NULL, 7);
	}
	for (unsigned int n = 0; n < watchpoints; n++) {
		debug_write(6, n, (u64)word);
		debug_write(7, n, WCR(WCR_STORES, 0xff));
		isb();
		check_watch(STORE(word), word, true);
		debug_write(7, n, 0);
		isb();
		check_watch(STORE(word), NULL, true);
	}
	disarm();
}

/* ---- software step ---- */

#define STEPS_MAX	32
#define STEP_BEGIN	1
#define STEP_END	2

static struct steps {
	unsigned int count;
	u64 elr[STEPS_MAX];
	u64 esr;
} steps[CPU_MAX];

static void step_svc(struct frame *frame)
{
	if ((read_sysreg(esr_el1) & 0xffff) == STEP_BEGIN) {
		steps[cpu_index()].count = 0;
		write_sysreg(MDSCR_SS | MDSCR_KDE, mdscr_el1);
		frame->spsr = (frame->spsr & ~SPSR_D) | SPSR_SS;
	} else {
		write_sysreg(0, mdscr_el1);
		frame->spsr = (frame->spsr & ~SPSR_SS) | SPSR_D;
	}
	isb();
}

static void step_taken(struct frame *frame)
{
	struct steps *s = &steps[cpu_index()];

	s->esr = read_sysreg(esr_el1);
	if (s->count < STEPS_MAX)
		s->elr[s->count] = frame->elr;
	s->count++;
	frame->spsr |= SPSR_SS;
}

/* @insn is one instruction: a step behind it, and before it; x0 to x4, x9 may change, x6 is @x6. */
#define STEP_OVER(insn, value, name) do {						\
	register u64 x0 asm("x0") = PSCI_VERSION;					\
	register u64 x6 asm("x6") = (value);						\
	u64 begin_;									\
	asm volatile("adr %0, 1f\n svc #1\n1: nop\n " insn "\n nop\n svc #2"		\
		     : "=&r"(begin_), "+r"(x0) : "r"(x6)				\
		     : "x1", "x2", "x3", "x4", "x9", "memory");			\
	step_check(begin_, name);							\
} while (0)

static void step_check(u64 begin, const char *over)
{
	const struct steps *s = &steps[cpu_index()];
	bool good = check_eq(s->count, 3) && check_eq(ESR_EC(s->esr), EC_STEP);

	for (unsigned int i = 0; i < 3 && good; i++)
		good &= check_eq(s->elr[i], begin + 4 * (i + 1));
	if (!good)
		print("# over %s\n", over);
}

static void step_over_all(void)
{
	STEP_OVER("add x9, x9, #1", 0, "add");
	STEP_OVER("mrs x9, id_aa64mmfr0_el1", 0, "an ID register");
	STEP_OVER("mrs x9, cntpct_el0", 0, "the physical counter");
	STEP_OVER("mrs x9, oslsr_el1", 0, "a register that traps");
	STEP_OVER("hvc #0", 0, "hvc");
	STEP_OVER("smc #0", 0, "smc");
	STEP_OVER("ldr w9, [x6]", UART_BASE + 0x18, "a load from the launcher");
	STEP_OVER("ldr w9, [x6]", GICD + GICD_TYPER, "a load from the kernel");
	STEP_OVER("str w9, [x6]", GICD + GICD_TYPER, "a store");
	STEP_OVER("msr S3_0_C12_C11_5, x6", BIT(16) * 0xff, "an SGI");
	STEP_OVER("wfe", 0, "wfe");
	STEP_OVER(".arch_extension fp\n fmov d0, x6", 0, "FP");
	timer_start(TIMER_VIRT, 200);
	STEP_OVER("wfi", 0, "wfi");
	timer_stop(TIMER_VIRT);
}

static void step_begin(void)
{
	unlock();
	svc_handler = step_svc;
	step_handler = step_taken;
	gic_enable(cpu_index(), timer_intid(TIMER_VIRT));
}

static void test_step(void)
{
	step_begin();
	step_over_all();
	svc_handler = NULL;
	step_handler = NULL;
}

/* ---- the OS lock: nothing fires ---- */

static void test_locked(void)
{
	unlock();
	break_at(add_two);
	arm(MDSCR_ARMED);
	check_break(add_two, 5);
	write_sysreg(1, oslar_el1);
	isb();
	check_break(NULL, 7);
	unlock();
	check_break(add_two, 5);
	disarm();
}

/* ---- several CPUs ---- */

static unsigned int busy;

/* Each exit may be the one at which another takes the pCPU. */
static void leave(unsigned int round)
{
	switch (round % 4) {
	case 0:
		read32(UART_BASE + 0x18);
		break;
	case 1:
		timer_start(TIMER_VIRT, 100);
		wfi();
		timer_stop(TIMER_VIRT);
		break;
	case 2:
		delay_us(300);
		break;
	default:
		read_sysreg(id_aa64mmfr0_el1);
	}
}

/* Its own place and word each round; what others have armed does not fire here. */
static void armed_rounds(void)
{
	unsigned int cpu = cpu_index();
	volatile u64 *mine = &words[cpu][0];

	check_eq(read_sysreg(oslsr_el1) & BIT(1), 0);
	gic_enable(cpu, timer_intid(TIMER_VIRT));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		bool two = (i ^ cpu) & 1;

		break_at(two ? add_two : add_four);
		watch(mine + i % 8, WCR(WCR_STORES, 0xff));
		arm(MDSCR_ARMED);
		leave(i);
		check_break(two ? add_two : add_four, two ? 5 : 3);
		for (unsigned int k = 0; k < 8; k++)
			check_watch(STORE(mine + k), k == i % 8 ? mine + k : NULL, true);
		leave(i + 1);
		check_watch(LOAD(mine + i % 8), NULL, false);
		disarm();
		if (i % 8 == 0)
			step_over_all();
	}
	__atomic_sub_fetch(&busy, 1, __ATOMIC_RELEASE);
}

/* One that arms nothing, in the same places: an exception that nobody expects ends the test. */
static void bare_rounds(void)
{
	while (__atomic_load_n(&busy, __ATOMIC_ACQUIRE)) {
		if (add_seven(0) != 7)
			check(!"a breakpoint of another CPU");
		for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
			(void)words[cpu][0];
		read_sysreg(id_aa64mmfr0_el1);
	}
}

static void one_of_many(void)
{
	if (cpu_index() == cpu_count() - 1)
		bare_rounds();
	else
		armed_rounds();
}

static void test_every_cpu_its_own(void)
{
	step_begin();
	busy = cpu_count() - 1;
	cpu_start_all(one_of_many);
	armed_rounds();
	check(cpu_wait_all_off());
	check_eq(busy, 0);
	svc_handler = NULL;
	step_handler = NULL;
}

const struct test tests[] = {
	TEST(breakpoint),
	TEST(watchpoint),
	TEST(each),
	TEST(step),
	TEST(locked),
	TEST(every_cpu_its_own),
	{},
};
