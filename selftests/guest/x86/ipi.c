// SPDX-License-Identifier: GPL-2.0-only
/* IPIs: each destination and shorthand, in both modes of the APIC; NMIs, INIT, SIPI. */
#include "apic.h"

#define VECTOR		0x51
#define ROUNDS		200

static bool stop, to_x2;
static struct gate gate;

/* The others: interrupts on until it is over. */
static void listen(void)
{
	if (to_x2)
		apic_to_x2();
	gate_pass(&gate, cpu_count());
	irqs_enable();
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		asm volatile("hlt" : : : "memory");
	irqs_disable();
	if (to_x2)
		apic_to_xapic();
}

static u32 count_of(unsigned int cpu, unsigned int vector)
{
	return __atomic_load_n(&cpus[cpu].irqs[vector], __ATOMIC_RELAXED);
}

static void begin(bool x2)
{
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	to_x2 = x2;
	if (x2)
		apic_to_x2();
	cpu_start_all(listen);
	check(gate_pass(&gate, cpu_count()));
	irqs_enable();
}

static void end(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	apic_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR);
	check(cpu_wait_all_done());
	irqs_disable();
	if (to_x2)
		apic_to_xapic();
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		fill(cpus[cpu].irqs, 0, sizeof(cpus[cpu].irqs));
}

/* Send; every CPU of @targets has one more, no other any. */
static void expect(u32 dest, u32 icr, u64 targets)
{
	unsigned int vector = (icr & 0x700) == ICR_NMI ? NMI : VECTOR;
	u32 before[CPU_MAX];
	bool is_good = true;

	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		before[cpu] = count_of(cpu, vector);
	apic_send(dest, icr | ICR_ASSERT | (vector == NMI ? 0 : VECTOR));
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		if (targets >> cpu & 1)
			is_good &= check(wait_for(count_of(cpu, vector) == before[cpu] + 1, SECOND));
	delay_us(20);
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		if (!(targets >> cpu & 1))
			is_good &= check_eq(count_of(cpu, vector), before[cpu]);
	if (!is_good)
		print("# to 0x%x, ICR 0x%x\n", dest, icr);
}

static u64 all(void)
{
	return (1ULL << cpu_count()) - 1;
}

static void shorthands(void)
{
	expect(0, ICR_SELF, 1);
	expect(0, ICR_ALL, all());
	expect(0, ICR_OTHERS, all() & ~1ULL);
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		expect(cpu, ICR_FIXED, BIT(cpu));
	expect(cpu_count(), ICR_FIXED, 0);		/* nobody */
	expect(0, ICR_OTHERS | ICR_NMI, all() & ~1ULL);
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		expect(cpu, ICR_NMI, BIT(cpu));
	/* level triggered ones are sent as edges */
	expect(1, ICR_FIXED | ICR_LEVEL, 2);
}

static void test_xapic(void)
{
	begin(false);
	shorthands();
	expect(0xff, ICR_FIXED, all());
	end();
}

static void test_x2apic(void)
{
	begin(true);
	shorthands();
	expect(0xffffffff, ICR_FIXED, all());
	expect(0xff, ICR_FIXED, 0);
	/* logical: cluster in the upper half, a bit a CPU in the lower */
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		expect((cpu >> 4) << 16 | 1u << (cpu & 15), ICR_LOGICAL, BIT(cpu));
	expect(3, ICR_LOGICAL, 3);
	expect(0xffff, ICR_LOGICAL, all() & 0xffff);
	expect(0x10001, ICR_LOGICAL, all() & BIT(16));
	expect(0xffffffff, ICR_LOGICAL, all());
	end();
}

static u32 own_ldr;
static void listen_logical(void)
{
	apic_write(APIC_DFR, own_ldr);
	/* flat: a bit a CPU; cluster: two CPUs in each */
	if (own_ldr == 0xffffffff)
		apic_write(APIC_LDR, 1u << (24 + cpu_index() % 8));
	else
		apic_write(APIC_LDR, (cpu_index() / 2) << 28 | 1u << (24 + cpu_index() % 2));
	listen();
}

static void begin_logical(u32 dfr)
{
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	to_x2 = false;
	own_ldr = dfr;
	apic_write(APIC_DFR, dfr);
	apic_write(APIC_LDR, 1 << 24);
	cpu_start_all(listen_logical);
	check(gate_pass(&gate, cpu_count()));
	irqs_enable();
}

static void test_flat(void)
{
	if (cpu_count() > 8) {
		test_skip("more than 8 CPUs");
		return;
	}
	begin_logical(0xffffffff);
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++)
		expect(1u << cpu, ICR_LOGICAL, BIT(cpu));
	expect(3, ICR_LOGICAL, 3);
	expect(0xff, ICR_LOGICAL, all());
	expect(0, ICR_LOGICAL, 0);
	end();
	apic_write(APIC_LDR, 0);
}

static void test_cluster(void)
{
	begin_logical(0x0fffffff);
	expect(0x01, ICR_LOGICAL, 1);
	expect(0x03, ICR_LOGICAL, 3);
	if (cpu_count() >= 4) {
		expect(0x11, ICR_LOGICAL, 4);
		expect(0x13, ICR_LOGICAL, 12);
	}
	expect(0x71, ICR_LOGICAL, cpu_count() > 14 ? BIT(14) : 0);
	end();
	apic_write(APIC_DFR, 0xffffffff);
	apic_write(APIC_LDR, 0);
}

static u32 count_of_others(void)
{
	u32 sum = 0;

	for (unsigned int cpu = 1; cpu < cpu_count(); cpu++)
		sum += count_of(cpu, VECTOR);
	return sum;
}

/* Of those that are named, one: the one whose priority is lowest. */
static void test_lowest_priority(void)
{
	u32 own;

	if (cpu_count() > 8) {
		test_skip("more than 8 CPUs");
		return;
	}
	begin_logical(0xffffffff);
	apic_write(APIC_TPR, 0xf0);
	own = count_of(0, VECTOR);
	for (unsigned int i = 0; i < 20; i++)
		apic_send(0xff, ICR_LOWEST | ICR_LOGICAL | ICR_ASSERT | VECTOR);
	check(wait_for(count_of_others(), SECOND));
	delay_us(2000);
	check_eq(count_of(0, VECTOR), own);
	check(!apic_bit(APIC_IRR, VECTOR));
	check(count_of_others() <= 20);
	apic_write(APIC_TPR, 0);
	end();
	apic_write(APIC_LDR, 0);
}

/* None is lost: each waits for its answer. */
static void test_ping_pong(void)
{
	u32 before;

	begin(true);
	before = count_of(1, VECTOR);
	for (unsigned int i = 1; i <= ROUNDS; i++) {
		apic_send(1, ICR_ASSERT | VECTOR);
		if (!check(wait_for(count_of(1, VECTOR) == before + i, SECOND)))
			break;
	}
	end();
}

/* Everybody to everybody. */
static u32 sent_to[CPU_MAX];
static void storm(void)
{
	irqs_enable();
	gate_pass(&gate, cpu_count());
	for (unsigned int i = 0; i < ROUNDS; i++) {
		apic_send((cpu_index() + 1) % cpu_count(), ICR_ASSERT | VECTOR);
		apic_send((cpu_index() + i) % cpu_count(), ICR_ASSERT | (VECTOR + 1 + i % 16));
	}
	__atomic_fetch_add(&sent_to[0], 1, __ATOMIC_ACQ_REL);
	wait_for(__atomic_load_n(&sent_to[0], __ATOMIC_ACQUIRE) == cpu_count(), 10 * SECOND);
	delay_us(200);
	irqs_disable();
}

static void test_storm(void)
{
	sent_to[0] = 0;
	cpu_start_all(storm);
	storm();
	check(cpu_wait_all_done());
	for (unsigned int cpu = 0; cpu < cpu_count(); cpu++) {
		check(count_of(cpu, VECTOR) >= 1);
		check(count_of(cpu, VECTOR) <= ROUNDS);
		fill(cpus[cpu].irqs, 0, sizeof(cpus[cpu].irqs));
	}
}

/* ---- NMIs ---- */

static u32 nmis, nmi_depth, nmi_deepest;

static void nmi_again(struct frame *frame)
{
	(void)frame;
	nmi_depth++;
	nmi_deepest = nmi_depth > nmi_deepest ? nmi_depth : nmi_deepest;
	if (++nmis == 1) {
		/* two more: they wait, as one, for IRET */
		apic_send(0, ICR_NMI | ICR_ASSERT);
		apic_send(0, ICR_NMI | ICR_ASSERT);
		delay_us(50);
		check_eq(nmis, 1);
	}
	nmi_depth--;
}

static void test_nmi_is_blocked(void)
{
	nmis = nmi_depth = nmi_deepest = 0;
	handlers[NMI] = nmi_again;
	apic_send(0, ICR_NMI | ICR_ASSERT);
	check(wait_for(nmis == 2, SECOND));
	delay_us(100);
	handlers[NMI] = NULL;
	check_eq(nmis, 2);
	check_eq(nmi_deepest, 1);
}

/* Interrupts off does not keep it, and it ends HLT. */
static void nmi_count(struct frame *frame)
{
	(void)frame;
	nmis++;
}

static u32 nmi_rounds;

static void spin_for_nmis(void)
{
	while (nmi_rounds)
		pause();
}

/* Two that come before the first is begun are two: a processor would have begun it. */
static void test_nmis_at_once(void)
{
	if (cpu_count() < 2) {
		test_skip("one CPU");
		return;
	}
	handlers[NMI] = nmi_count;
	nmi_rounds = 20;
	cpu_start(1, spin_for_nmis);
	while (nmi_rounds) {
		nmis = 0;
		apic_send(1, ICR_NMI | ICR_ASSERT);
		apic_send(1, ICR_NMI | ICR_ASSERT);
		check(wait_for(nmis == 2, SECOND));
		nmi_rounds--;
	}
	check(cpu_wait_done(1));
	check_eq(nmis, 2);
	handlers[NMI] = NULL;
}

static void send_nmi_later(void)
{
	delay_us(500);
	apic_send(0, ICR_NMI | ICR_ASSERT);
}

static void test_nmi_ends_hlt(void)
{
	if (cpu_count() < 2) {
		test_skip("one CPU");
		return;
	}
	nmis = 0;
	handlers[NMI] = nmi_count;
	for (unsigned int i = 0; i < 5; i++) {
		cpu_start(1, send_nmi_later);
		while (nmis == i)
			asm volatile("hlt" : : : "memory");
		check(cpu_wait_done(1));
	}
	handlers[NMI] = NULL;
	check_eq(nmis, 5);
}

/* Amid an NMI another one waits for IRET, and a HLT there for an interrupt; the handler's IRET lets that NMI in. */
static u32 irqs_at_second;

static void nmi_halts(struct frame *frame)
{
	u32 before = irqs_of(VECTOR);

	(void)frame;
	if (++nmis == 2) {
		irqs_at_second = before;
		return;
	}
	apic_send(0, ICR_NMI | ICR_ASSERT);
	apic_write(APIC_TIMER_DIV, DIV_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR);
	apic_write(APIC_TIMER_INIT, apic_ticks_of_us(3000));
	hlt_enabled();
	check_eq(irqs_of(VECTOR), before + 1);
	apic_timer_stop();
}

static void test_hlt_amid_nmi(void)
{
	u32 before = irqs_of(VECTOR);

	nmis = 0;
	handlers[NMI] = nmi_halts;
	apic_send(0, ICR_NMI | ICR_ASSERT);
	check(wait_for(nmis == 2, SECOND));
	check_eq(irqs_at_second, before + 1);
	handlers[NMI] = NULL;
}

const struct test tests[] = {
	TEST(xapic),
	TEST(flat),
	TEST(cluster),
	TEST(lowest_priority),
	TEST(storm),
	TEST(nmi_is_blocked),
	TEST(nmis_at_once),
	TEST(nmi_ends_hlt),
	TEST(hlt_amid_nmi),
	/* from here on no page of the APIC is the processor's any more */
	TEST(ping_pong),
	TEST(x2apic),
	{},
};
