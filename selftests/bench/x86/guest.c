// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench guest for x86: bare metal, 64-bit, paging on. Prints a line for each row,
 *
 *   bench: NAME VALUE
 *
 * VALUE in ticks of the TSC (in the lab one is an instruction), or as the name says. A row of the
 * kind `each` is a loop: the best of CHUNKS chunks, less what the same loop around nothing costs. A
 * row of the kind `wait` measures itself; the median of CHUNKS rounds (the best may be one where the
 * other vCPU happened to be on its way into the guest).
 *
 * "rows=a,b" on the command line selects, "repeat=N" repeats them, "samples" shows each chunk and round,
 * as samples NAME OPERATIONS TICKS...; without rows, all.
 */
#include "guest.h"

#define SPIN		10000
/* A chunk is short enough to fit between two ticks of the host, 80,000 instructions apart. */
#define CHUNK_LENGTH	20
#define TOUCH_EXIT	100	/* a store that took longer went to the host */

/* ---- printing ---- */

static void print_char(char c)
{
	out8((u8)c, COM1);
}

#include "../report.h"

static void power_off(void)
{
	out16(PM1_OFF, PM1_CONTROL);
	for (;;)
		;
}

void guest_fault(u64 vector, u64 error, u64 pc, u64 address)
{
	print("bench: exception ");
	print_number(vector, 10);
	print(": error 0x");
	print_number(error, 16);
	print(" pc 0x");
	print_number(pc, 16);
	print(" cr2 0x");
	print_number(address, 16);
	print("\n");
	power_off();
}

/* ---- the machine ---- */

/* From xAPIC, as it is at reset, to x2APIC. */
static void apic_init_cpu(void)
{
	wrmsr(rdmsr(MSR_APIC_BASE) | APIC_BASE_X2, MSR_APIC_BASE);
	wrmsr(0x100 | VECTOR_SPURIOUS, X2_SVR);
	wrmsr(LVT_DEADLINE | VECTOR_TIMER, X2_LVT_TIMER);
}

static void pic_off(void)
{
	out8(0xff, 0x21);
	out8(0xff, 0xa1);
}

static volatile u64 irq_when;		/* TSC in the first instructions of the handler */
static volatile u32 irq_count;

void guest_interrupt(u64 when, u64 vector)
{
	if (vector == VECTOR_SPURIOUS)
		return;
	wrmsr(0, X2_EOI);
	irq_when = when;
	irq_count++;
}

/* ---- rows of the kind each ---- */

static __attribute__((noipa)) void nothing(void)
{
}

static void cpuid(void)
{
	u32 a = 0, c = 0;

	asm volatile("cpuid" : "+a"(a), "+c"(c) : : "ebx", "edx", "memory");
}

static void hypercall(void)
{
	u64 number = 0x7fff;		/* nobody has it */

	asm volatile("vmcall" : "+a"(number) : : "memory");
}

static void msr_read(void)
{
	rdmsr(MSR_APIC_BASE);
}

static void lapic_read(void)
{
	read32(LAPIC + 0x30);		/* version; before x2APIC is on */
}

static void ioapic_read(void)
{
	read32(IOAPIC + 0x10);		/* of the register that is selected */
}

static void pio_doorbell(void)
{
	out8(0x55, BELL_PORT);
}

static void mmio_doorbell(void)
{
	write32(0x55, BELL);
}

static void posted_write(void)
{
	write32(0x55, POSTED);
}

static void pio_user_write(void)
{
	out8(0x55, COM1 + SCRATCH);
}

static void mmio_user_write(void)
{
	write8(0x55, UART + SCRATCH);
}

static void mmio_user_read(void)
{
	read8(UART + SCRATCH);
}

static void eoi(void)
{
	wrmsr(0, X2_EOI);
}

/* Sent, handled, ended. */
static void self_ipi(void)
{
	u32 before = irq_count;

	wrmsr(VECTOR_IPI, X2_SELF_IPI);
	irq_on();
	while (irq_count == before)
		;
	irq_off();
}

/* ---- rows of the kind wait: ticks of one round ---- */

/* Far enough for the vCPU to spin or sleep long before. */
#define TIMER_AHEAD	20000		/* 1 ms of the lab's time */

/* A deadline, to the handler; the vCPU spins. */
static u64 timer_latency(void)
{
	u32 before = irq_count;
	u64 deadline = counter() + TIMER_AHEAD;

	wrmsr(deadline, MSR_TSC_DEADLINE);
	irq_on();
	while (irq_count == before)
		;
	irq_off();
	return irq_when - deadline;
}

/* A deadline, to the handler; HLT till then. */
static u64 sleep_till(u64 deadline)
{
	u32 before = irq_count;

	wrmsr(deadline, MSR_TSC_DEADLINE);
	while (irq_count == before)
		asm volatile("sti; hlt; cli" : : : "memory");
	return irq_when - deadline;
}

/* Short enough for a host that polls before it blocks, as KVM does. */
static u64 hlt_short(void)
{
	return sleep_till(counter() + TIMER_AHEAD / 5);
}

static u64 hlt(void)
{
	return sleep_till(counter() + 5 * TIMER_AHEAD);
}

/* What a million instructions of this guest take beside themselves: ticks of the host, above all. */
static u64 stolen(void)
{
	u64 begin;

	irq_on();
	begin = counter();
	spin(500000);
	return counter() - begin - 1000000;
}

enum { PEER_STARTS, PEER_SPINS, PEER_SLEEPS };
static volatile u32 peer_state, peer_wanted;

void guest_secondary(void)
{
	apic_init_cpu();
	irq_on();
	for (;;) {
		u32 wanted = peer_wanted;	/* once: it must not sleep when it has said that it does not */

		peer_state = wanted;
		if (wanted == PEER_SLEEPS)
			asm volatile("hlt" : : : "memory");
	}
}

static void send_ipi(void)
{
	wrmsr(1ul << 32 | VECTOR_IPI, X2_ICR);
}

static bool peer_is(u32 wanted)
{
	static bool there;

	irq_on();
	if (!there) {
		peer_wanted = PEER_SPINS;
		for (u64 i = 0; i < (u64)(trampoline_end - trampoline); i++)
			write8((u8)trampoline[i], TRAMPOLINE + i);
		wrmsr(1ul << 32 | ICR_INIT, X2_ICR);
		spin(100000);
		wrmsr(1ul << 32 | ICR_STARTUP | TRAMPOLINE >> 12, X2_ICR);
		there = true;
	}
	peer_wanted = wanted;
	while (peer_state != wanted) {
		/* asleep as it was told before: an interrupt makes it look again */
		if (peer_state == PEER_SLEEPS)
			send_ipi();
		spin(1000);
	}
	return true;
}

/*
 * An IPI to the other vCPU, to the moment when this one sees that it was handled there. With
 * interrupts on: in Bochs a host's own wait while its guest was entered with RFLAGS.IF clear, and
 * where the guest spins so, KVM's CPU never hears of anything again.
 */
static u64 ipi(void)
{
	u32 before;
	u64 begin;

	/* let it get to sleep, and the host to rest */
	for (begin = counter(); counter() < begin + 2 * TIMER_AHEAD;)
		;
	before = irq_count;
	begin = counter();
	send_ipi();
	while (irq_count == before)
		;
	return counter() - begin;
}

/* ---- rows ---- */

static u64 repeat = 1;

/* noipa: the same code around every operation, a call each, nothing inlined */
static __attribute__((noipa)) u64 best_chunk(void (*once)(void))
{
	u64 best = ~0ul;

	for (u64 chunk = 0; chunk < CHUNKS; chunk++) {
		u64 begin = counter();

		for (u64 i = 0; i < CHUNK_LENGTH; i++)
			once();
		begin = counter() - begin;
		taken[chunk] = begin;
		if (begin < best)
			best = begin;
	}
	return best * 10 / CHUNK_LENGTH;
}

struct each_row {
	const char *name;
	void (*once)(void);
};

/* In xAPIC mode. */
static const struct each_row early_rows[] = {
	{ "lapic_read", lapic_read },
	{ 0, 0 },
};

static const struct each_row each_rows[] = {
	{ "cpuid", cpuid },
	{ "hypercall", hypercall },
	{ "msr_read", msr_read },
	{ "ioapic_read", ioapic_read },
	{ "pio_doorbell", pio_doorbell },
	{ "mmio_doorbell", mmio_doorbell },
	{ "posted_write", posted_write },
	{ "pio_user_write", pio_user_write },
	{ "mmio_user_write", mmio_user_write },
	{ "mmio_user_read", mmio_user_read },
	{ "eoi", eoi },
	{ "self_ipi", self_ipi },
	{ 0, 0 },
};

static const struct wait_row {
	const char *name;
	u64 (*once)(void);
	u32 peer;		/* what the other vCPU does meanwhile, or PEER_STARTS: none needed */
} wait_rows[] = {
	{ "timer_latency", timer_latency, PEER_STARTS },
	{ "hlt_short", hlt_short, PEER_STARTS },
	{ "hlt", hlt, PEER_STARTS },
	{ "stolen", stolen, PEER_STARTS },
	{ "ipi_running", ipi, PEER_SPINS },
	{ "ipi_blocked", ipi, PEER_SLEEPS },
	{ 0, 0, 0 },
};

static u64 median(u64 *values, u64 count)
{
	for (u64 i = 1; i < count; i++)
		for (u64 j = i; j > 0 && values[j - 1] > values[j]; j--) {
			u64 value = values[j];

			values[j] = values[j - 1];
			values[j - 1] = value;
		}
	return values[count / 2];
}

static void run_wait(const struct wait_row *row)
{
	if (row->peer != PEER_STARTS && !peer_is(row->peer))
		return;
	for (u64 i = 0; i < CHUNKS; i++)
		taken[i] = row->once();
	irq_off();
	print_samples(row->name, 1);
	print_row(row->name, median(taken, CHUNKS) * 10);
}

/* A store to each page of RAM that was never touched. */
static void run_first_touch(void)
{
	u64 exits = 0, all = counter();

	for (u64 at = RAM_FRESH; at < RAM_FRESH + RAM_FRESH_SIZE; at += 4096) {
		u64 begin = counter();

		write32(1, at);
		if (counter() - begin > TOUCH_EXIT)
			exits++;
	}
	all = counter() - all;
	print_row("ram_first_touch_exits_per_mib", exits * 10 / (RAM_FRESH_SIZE >> 20));
	print_row("ram_first_touch_instructions", all * 10 / (RAM_FRESH_SIZE / 4096));
}

/* What a tick is worth, by a loop of 2 instructions a round. */
static void run_counter(void)
{
	u64 best = ~0ul;

	for (u64 i = 0; i < 20; i++) {
		u64 begin = counter();

		spin(SPIN);
		begin = counter() - begin;
		if (begin < best)
			best = begin;
	}
	print_row("instructions_per_tick", (2 * SPIN * 10 + best / 2) / best);
}

/* ---- the command line ---- */

static const char *rows;

static bool same(const char *text, const char *word)
{
	while (*word)
		if (*text++ != *word++)
			return false;
	return true;
}

/* Multiboot 3.3: flags, then at 16 the command line if bit 2 is set. */
static void command_line(const u8 *multiboot)
{
	const char *c;

	if (!(read32((u64)multiboot) & 1 << 2))
		return;
	for (c = (const char *)(u64)read32((u64)multiboot + 16); *c; c++) {
		if (same(c, "rows="))
			rows = c + 5;
		samples |= same(c, " samples");
		if (same(c, "repeat=")) {
			repeat = 0;
			for (c += 7; *c >= '0' && *c <= '9'; c++)
				repeat = repeat * 10 + (u64)(*c - '0');
			c--;
		}
	}
}

static bool wanted(const char *name)
{
	u64 length = 0;

	if (!rows)
		return true;
	while (name[length])
		length++;
	for (const char *at = rows; *at && *at != ' '; at++) {
		if (same(at, name) && (!at[length] || at[length] == ',' || at[length] == ' '))
			return true;
		while (*at && *at != ',' && *at != ' ')
			at++;
		if (*at != ',')
			return false;
	}
	return false;
}

static void run_each(const struct each_row *row)
{
	u64 empty = best_chunk(nothing);

	for (; row->name; row++) {
		if (!wanted(row->name))
			continue;
		print_row(row->name, best_chunk(row->once) - empty);
		print_samples(row->name, CHUNK_LENGTH);
	}
}

void guest_main(const u8 *multiboot)
{
	command_line(multiboot);
	pic_off();
	write32(1, IOAPIC);			/* selects its version */
	run_counter();

	if (wanted("ram_first_touch"))
		run_first_touch();
	run_each(early_rows);
	apic_init_cpu();
	while (repeat-- > 0) {
		run_each(each_rows);
		for (const struct wait_row *row = wait_rows; row->name; row++)
			if (wanted(row->name))
				run_wait(row);
	}
	print("bench: end\n");
	power_off();
}
