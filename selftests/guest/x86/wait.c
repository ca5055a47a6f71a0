// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting and its windows: HLT, STI's shadow, MOV SS, PAUSE; caches; code that changes itself, and
 * another CPU's.
 */
#include "apic.h"

#define VECTOR		0x51

static void self(void)
{
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR);
}

/* ---- where an interrupt comes in ---- */

static u64 taken_at;
static void note(struct frame *frame)
{
	taken_at = frame->rip;
	apic_eoi();
}

#define TAKEN_AT(what, where, ...) ({						\
	u64 want_;								\
	handlers[VECTOR] = note;						\
	taken_at = 0;								\
	self();									\
	asm volatile(what "\n mov $" where ", %0" : "=r"(want_) : __VA_ARGS__);	\
	handlers[VECTOR] = NULL;						\
	check_eq(taken_at, want_); })

static void test_sti_shadow(void)
{
	/* behind the instruction that follows STI */
	TAKEN_AT("sti\n nop\n1: nop\n cli", "1b", "i"(0) : "memory");
	TAKEN_AT("sti\n cli\n nop\n sti\n nop\n1: nop\n cli", "1b", "i"(0) : "memory");
	/* a second STI has no shadow of its own */
	TAKEN_AT("sti\n sti\n1: nop\n cli", "1b", "i"(0) : "memory");
	/* over instructions that exit */
	TAKEN_AT("sti\n cpuid\n1: nop\n cli", "1b", "a"(0), "c"(0) : "rbx", "rdx", "memory");
	TAKEN_AT("sti\n inb %%dx, %%al\n1: nop\n cli", "1b", "d"(COM1_SCRATCH) : "rax", "memory");
	TAKEN_AT("sti\n movl (%2), %%eax\n1: nop\n cli", "1b", "i"(0), "r"(NOBODY) : "rax", "memory");
	/* MOV SS in STI's shadow has one of its own */
	TAKEN_AT("cli\n nop\n sti\n mov %1, %%ss\n nop\n1: nop\n cli", "1b", "r"(DATA) : "memory");
	TAKEN_AT("pushfq\n orl $0x200, (%%rsp)\n popfq\n1: nop\n cli", "1b", "i"(0) : "memory", "cc");
}

/* STI; HLT with one pending: it is taken behind HLT, which therefore ends. */
static void test_sti_hlt(void)
{
	for (unsigned int i = 0; i < 10; i++)
		TAKEN_AT("sti\n hlt\n1: cli", "1b", "i"(0) : "memory");
}

/* ---- HLT with interrupts off: an NMI alone ends it (ipi.c); here the timer comes when it may ---- */

static void test_hlt_wakes_late(void)
{
	u32 before = irqs_of(VECTOR);

	apic_write(APIC_TIMER_DIV, DIV_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR);
	apic_write(APIC_TIMER_INIT, apic_ticks_of_us(100));
	delay_us(300);
	check_eq(irqs_of(VECTOR), before);
	hlt_enabled();
	check_eq(irqs_of(VECTOR), before + 1);
	apic_timer_stop();
}

/* Many sleepers: each woken by the one before it. */
static u32 turns;
static void wake_next(struct frame *frame)
{
	(void)frame;
	__atomic_fetch_add(&turns, 1, __ATOMIC_ACQ_REL);
	if (turns < 60)
		apic_send((cpu_index() + 1) % cpu_count(), ICR_ASSERT | VECTOR);
	apic_eoi();
}

static void sleep_until_over(void)
{
	while (__atomic_load_n(&turns, __ATOMIC_ACQUIRE) < 60)
		hlt_enabled();
}

static void test_round_of_sleepers(void)
{
	if (cpu_count() < 2) {
		test_skip("one CPU");
		return;
	}
	turns = 0;
	handlers[VECTOR] = wake_next;
	cpu_start_all(sleep_until_over);
	apic_send(1, ICR_ASSERT | VECTOR);
	irqs_enable();
	check(wait_for(turns >= 60, 10 * SECOND));
	irqs_disable();
	handlers[VECTOR] = NULL;
	apic_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR);
	check(cpu_wait_all_done());
	check_eq(turns, 60);
}

/* A lock that is handed round by spinners that PAUSE. */
static u32 ticket, serving, inside, worst;
static void spin_lock_rounds(void)
{
	for (unsigned int i = 0; i < 100; i++) {
		u32 mine = __atomic_fetch_add(&ticket, 1, __ATOMIC_ACQ_REL);

		while (__atomic_load_n(&serving, __ATOMIC_ACQUIRE) != mine)
			pause();
		if (__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED) > 1)
			worst++;
		__atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&serving, mine + 1, __ATOMIC_RELEASE);
	}
}

static void test_pause(void)
{
	cpu_start_all(spin_lock_rounds);
	spin_lock_rounds();
	check(cpu_wait_all_done());
	check_eq(serving, 100 * cpu_count());
	check_eq(worst, 0);
	for (unsigned int i = 0; i < 10000; i++)
		pause();
}

/* ---- caches: memory keeps what it has ---- */

static void test_caches(void)
{
	static u64 line[8] __attribute__((aligned(64)));

	for (unsigned int i = 0; i < 8; i++)
		line[i] = i + 1;
	asm volatile("wbinvd" : : : "memory");
	check_eq(line[7], 8);
	asm volatile("invd" : : : "memory");
	check_eq(line[7], 8);
	asm volatile("clflush (%0); mfence" : : "r"(line) : "memory");
	check_eq(line[3], 4);
}

/* ---- code that changes ---- */

/* mov $imm32, %eax; ret */
static u8 code[4096] __attribute__((aligned(4096)));

static u32 call_code(u8 *at)
{
	u32 value;

	asm volatile("call *%1" : "=a"(value) : "r"(at) : "memory");
	return value;
}

static void write_code(u8 *at, u32 value)
{
	at[0] = 0xb8;
	*(volatile u8 *)(at + 1) = value;
	at[2] = value >> 8;
	at[3] = value >> 16;
	at[4] = value >> 24;
	at[5] = 0xc3;
}

static void test_self_modifying(void)
{
	u8 *alias = (u8 *)(WINDOW + 0xa00000);

	for (u32 i = 0; i < 200; i++) {
		write_code(code, i * 0x01010101);
		check_eq(call_code(code), i * 0x01010101);
	}
	/* through another address */
	*page_entry((u64)alias) = (u64)code | PTE_P | PTE_W;
	page_flush((u64)alias);
	for (u32 i = 0; i < 200; i++) {
		write_code(alias, i * 0x11);
		cpuid(0, 0);
		check_eq(call_code(code), i * 0x11);
	}
	/* the next instruction, from the code itself: it jumps there, which is enough */
	for (u32 i = 0; i < 50; i++) {
		u32 got;

		asm volatile("movl %k1, 1f+1(%%rip)\n jmp 1f\n1: .byte 0xb8, 0, 0, 0, 0\n"
			     : "=a"(got) : "r"(i + 5) : "memory");
		check_eq(got, i + 5);
	}
	*page_entry((u64)alias) = 0;
}

/* ---- another CPU's code: told by a flag, it serializes and runs the new one ---- */

static u32 version, ran, bad;
static void run_versions(void)
{
	for (u32 i = 1; i <= 100; i++) {
		if (!wait_for(__atomic_load_n(&version, __ATOMIC_ACQUIRE) == i, 5 * SECOND))
			return;
		cpuid(0, 0);
		if (call_code(code + 64) != i * 7)
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&ran, 1, __ATOMIC_ACQ_REL);
	}
}

static void test_cross_modifying(void)
{
	unsigned int others = cpu_count() - 1;

	if (!others) {
		test_skip("one CPU");
		return;
	}
	cpu_start_all(run_versions);
	for (u32 i = 1; i <= 100; i++) {
		write_code(code + 64, i * 7);
		__atomic_store_n(&version, i, __ATOMIC_RELEASE);
		if (!check(wait_for(__atomic_load_n(&ran, __ATOMIC_ACQUIRE) == i * others, 5 * SECOND)))
			break;
	}
	check(cpu_wait_all_done());
	check_eq(bad, 0);
}

/* Code whose page another CPU maps anew: page table walks and fetches see one memory. */
static void test_remapped_code(void)
{
	u64 va = WINDOW + 0xb00000;
	u8 *pages[2] = { page_alloc(), page_alloc() };

	write_code(pages[0], 111);
	write_code(pages[1], 222);
	for (unsigned int i = 0; i < 20; i++) {
		*page_entry(va) = (u64)pages[i & 1] | PTE_P | PTE_W;
		page_flush(va);
		check_eq(call_code((u8 *)va), i & 1 ? 222 : 111);
	}
	*page_entry(va) = 0;
	page_flush(va);
}

const struct test tests[] = {
	TEST(sti_shadow),
	TEST(sti_hlt),
	TEST(hlt_wakes_late),
	TEST(round_of_sleepers),
	TEST(pause),
	TEST(caches),
	TEST(self_modifying),
	TEST(cross_modifying),
	TEST(remapped_code),
	{},
};
