// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench guest for arm64: bare metal at EL1, MMU and caches on. Prints a line for each row,
 *
 *   bench: NAME VALUE
 *
 * VALUE in instructions (in the lab with --icount one tick of the counter is 16 of them), or as
 * the name says. A row of the kind `each` is a loop: the best of CHUNKS chunks, less what the same
 * loop around nothing costs. A row of the kind `wait` measures itself; the median of CHUNKS rounds
 * (the best may be one where the other vCPU happened to be on its way into the guest).
 *
 * "rows=a,b" on the command line selects, "repeat=N" repeats them, "samples" shows each chunk and round,
 * as samples NAME OPERATIONS TICKS...; without rows, all.
 */
#include "guest.h"

#define TICK		16	/* instructions */
#define SPIN		10000
#define CHUNK_LENGTH	2000
/* Where each operation is long, a chunk is short enough to fit between two ticks of the host. */
#define CHUNK_SHORT	100

u64 level1[512] __attribute__((aligned(4096)));

/* ---- printing ---- */

static void print_char(char c)
{
	write32((u32)c, UART);
}

#include "../report.h"

static void power_off(void)
{
	hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		;
}

void guest_fault(u64 esr, u64 pc, u64 address)
{
	print("bench: exception: esr 0x");
	print_number(esr, 16);
	print(" pc 0x");
	print_number(pc, 16);
	print(" far 0x");
	print_number(address, 16);
	print("\n");
	power_off();
}

/* ---- the machine ---- */

/* 1 GiB blocks: devices below RAM, then RAM. Arm ARM D8.3. */
void mmu_tables(void)
{
	level1[0] = 0ul | 1 | 0 << 2 | 1 << 10 | 3ul << 53;
	level1[1] = 0x40000000ul | 1 | 1 << 2 | 3 << 8 | 1 << 10;
}

static void gic_init_cpu(u64 cpu)
{
	u64 rd = GICR + cpu * GICR_STRIDE, sgi = rd + 0x10000;

	write32(0, rd + 0x14);				/* GICR_WAKER */
	write32(~0u, sgi + 0x80);			/* IGROUPR0 */
	write32(1u << INTID_SGI | 1u << INTID_TIMER, sgi + 0x100);	/* ISENABLER0 */
	write_icc(1, ICC_SRE);
	isb();
	write_icc(0xff, ICC_PMR);
	write_icc(1, ICC_IGRPEN1);
	isb();
}

static void gic_init(void)
{
	write32(1u << 4 | 1u << 1, GICD);		/* GICD_CTLR: ARE, group 1 */
	write32(~0u, GICD + 0x80 + INTID_BELL / 32 * 4);	/* IGROUPR */
	write32(2u << INTID_BELL % 16 * 2, GICD + 0xc00 + INTID_BELL / 16 * 4);	/* ICFGR: an edge */
	write64(0, GICD + 0x6000 + INTID_BELL * 8);	/* IROUTER: this CPU */
	gic_init_cpu(0);
}

static volatile u64 irq_when;		/* counter at the first instruction of the handler */
static volatile u32 irq_count;

void guest_interrupt(u64 when)
{
	u64 intid = read_icc(ICC_IAR1);

	if (intid == INTID_NONE)
		return;
	if (intid == INTID_TIMER)
		write_sysreg(0, cntv_ctl_el0);
	write_icc(intid, ICC_EOIR1);
	irq_when = when;
	irq_count++;
}

/* ---- rows of the kind each ---- */

static __attribute__((noipa)) void nothing(void)
{
}

static void null_hypercall(void)
{
	hvc(UNKNOWN_ID, 0, 0, 0);
}

static void id_reg_read(void)
{
	read_sysreg(id_aa64mmfr0_el1);
}

static void cntpct_read(void)
{
	read_sysreg(cntpct_el0);
}

static void gicd_read(void)
{
	read32(GICD + 0x8);		/* IIDR */
}

static void gicd_write(void)
{
	write32(1u << 20, GICD + 0x204);	/* ISPENDR1, of a line that is not enabled */
}

static void user_mmio_read(void)
{
	read32(UART + 0x18);		/* UARTFR */
}

static void user_mmio_write(void)
{
	write32(0, UART + 0x38);	/* UARTIMSC */
}

static void doorbell(void)
{
	write32(0, BELL);
}

static void posted_write(void)
{
	write32(0, POSTED);
}

static void eoi(void)
{
	write_icc(INTID_NONE, ICC_EOIR1);
}

/* With interrupts masked: sent, acknowledged, ended. */
static void self_sgi(void)
{
	u64 intid;

	write_icc((u64)INTID_SGI << 24 | 1, ICC_SGI1R);
	isb();
	do
		intid = read_icc(ICC_IAR1);
	while (intid == INTID_NONE);
	write_icc(intid, ICC_EOIR1);
}

/* ---- rows of the kind wait: ticks of one round ---- */

/* CVAL far enough for the vCPU to spin or sleep long before. */
#define TIMER_AHEAD	6250		/* 100 us */

/* A deadline, to the first instruction of the handler; the vCPU spins. */
static u64 timer_latency(void)
{
	u64 deadline = counter() + TIMER_AHEAD;
	u32 before = irq_count;

	write_sysreg(deadline, cntv_cval_el0);
	write_sysreg(1, cntv_ctl_el0);
	isb();
	irq_on();
	while (irq_count == before)
		;
	irq_off();
	return irq_when - deadline;
}

/* The same, to the moment when the loop that waits knows: handler, acknowledge and EOI done. */
static u64 timer_seen(void)
{
	u64 deadline = counter() + TIMER_AHEAD;
	u32 before = irq_count;

	write_sysreg(deadline, cntv_cval_el0);
	write_sysreg(1, cntv_ctl_el0);
	isb();
	irq_on();
	while (irq_count == before)
		;
	deadline = counter() - deadline;
	irq_off();
	return deadline;
}

/* A deadline, to the first instruction after the WFI that slept till then. */
static u64 sleep_till(u64 deadline)
{
	u64 now;

	write_sysreg(deadline, cntv_cval_el0);
	write_sysreg(1, cntv_ctl_el0);
	isb();
	do {
		asm volatile("wfi" : : : "memory");
		now = read_sysreg(cntvct_el0);
	} while (now < deadline);
	irq_on();
	isb();
	irq_off();
	return now - deadline;
}

/* Short enough for a host that polls before it blocks, as KVM does for up to 500 us. */
static u64 wfi_short(void)
{
	return sleep_till(counter() + TIMER_AHEAD);
}

static u64 wfi_long(void)
{
	return sleep_till(counter() + 20 * TIMER_AHEAD);
}

/* A doorbell whose eventfd drives a line: from the write to the first instruction of the handler. */
static u64 irqfd(void)
{
	u32 before = irq_count;
	u64 begin;

	write32(1u << INTID_BELL % 32, GICD + 0x100 + INTID_BELL / 32 * 4);	/* ISENABLER */
	irq_on();
	begin = counter();
	write32(0, BELL_IRQ);
	while (irq_count == before)
		;
	irq_off();
	write32(1u << INTID_BELL % 32, GICD + 0x180 + INTID_BELL / 32 * 4);	/* ICENABLER */
	write32(1u << INTID_BELL % 32, GICD + 0x280 + INTID_BELL / 32 * 4);	/* ICPENDR */
	return irq_when - begin;
}

enum { PEER_STARTS, PEER_SPINS, PEER_SLEEPS };
static volatile u32 peer_state, peer_wanted;

/*
 * The other vCPU. YIELD, so that the emulator, which runs its CPUs in turns in one thread, turns to
 * the other one instead of spinning here till its slice ends.
 */
void guest_secondary(void)
{
	gic_init_cpu(1);
	irq_on();
	for (;;) {
		u32 wanted = peer_wanted;	/* once: it must not sleep when it has said that it does not */

		peer_state = wanted;
		if (wanted == PEER_SLEEPS)
			asm volatile("wfi" : : : "memory");
		else
			asm volatile("yield" : : : "memory");
	}
}

static bool peer_is(u32 wanted)
{
	static bool there;

	if (!there) {
		peer_wanted = PEER_SPINS;
		if (hvc(PSCI_CPU_ON, 1, (u64)secondary, 0))
			return false;
		there = true;
	}
	peer_wanted = wanted;
	while (peer_state != wanted) {
		/* asleep as it was told before: an interrupt makes it look again */
		if (peer_state == PEER_SLEEPS)
			write_icc((u64)INTID_SGI << 24 | 2, ICC_SGI1R);
		asm volatile("yield" : : : "memory");
	}
	return true;
}

/* An SGI to the other vCPU, to the moment when this one sees that it was handled there. */
static u64 ipi(void)
{
	u32 before;
	u64 begin;

	/* let it get to sleep, and the host to rest */
	for (begin = counter(); counter() < begin + TIMER_AHEAD;)
		asm volatile("yield" : : : "memory");
	before = irq_count;
	begin = counter();
	write_icc((u64)INTID_SGI << 24 | 2, ICC_SGI1R);
	isb();
	while (irq_count == before)
		asm volatile("yield" : : : "memory");
	return counter() - begin;
}

/* ---- rows ---- */

static u64 repeat = 1;

/* noipa: the same code around every operation, a call each, nothing inlined */
static __attribute__((noipa)) u64 best_chunk(void (*once)(void), u64 length)
{
	u64 best = ~0ul;

	for (u64 chunk = 0; chunk < CHUNKS; chunk++) {
		u64 begin = counter();

		for (u64 i = 0; i < length; i++)
			once();
		begin = counter() - begin;
		taken[chunk] = begin;
		if (begin < best)
			best = begin;
	}
	return best * TICK * 10 / length;
}

static const struct each_row {
	const char *name;
	void (*once)(void);
	u64 length;
} each_rows[] = {
	{ "null_hypercall", null_hypercall, CHUNK_LENGTH },
	{ "id_reg_read", id_reg_read, CHUNK_LENGTH },
	{ "gicd_read", gicd_read, CHUNK_LENGTH },
	{ "gicd_write", gicd_write, CHUNK_LENGTH },
	{ "user_mmio_read", user_mmio_read, CHUNK_SHORT },
	{ "user_mmio_write", user_mmio_write, CHUNK_SHORT },
	{ "doorbell", doorbell, CHUNK_LENGTH },
	{ "posted_write", posted_write, CHUNK_LENGTH },
	{ "eoi", eoi, CHUNK_LENGTH },
	{ "self_sgi", self_sgi, CHUNK_SHORT },
	{ "cntpct_read", cntpct_read, CHUNK_LENGTH },
};

/* Measured once for a length. */
static u64 empty_chunk(u64 length)
{
	static u64 measured, value;

	if (measured != length) {
		value = best_chunk(nothing, length);
		measured = length;
	}
	return value;
}

static void run_each(const struct each_row *row)
{
	u64 empty = empty_chunk(row->length);

	print_row(row->name, best_chunk(row->once, row->length) - empty);
	print_samples(row->name, row->length);
}

static const struct wait_row {
	const char *name;
	u64 (*once)(void);
	u32 peer;		/* what the other vCPU does meanwhile, or PEER_STARTS: none needed */
} wait_rows[] = {
	{ "timer_latency", timer_latency, PEER_STARTS },
	{ "timer_seen", timer_seen, PEER_STARTS },
	{ "wfi_short", wfi_short, PEER_STARTS },
	{ "wfi_long", wfi_long, PEER_STARTS },
	{ "irqfd", irqfd, PEER_STARTS },
	{ "ipi_running", ipi, PEER_SPINS },
	{ "ipi_blocked", ipi, PEER_SLEEPS },
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
	print_samples(row->name, 1);
	print_row(row->name, median(taken, CHUNKS) * TICK * 10);
}

/* A store to each page of RAM that was never touched. More than 4 ticks: it went to the host. */
static void run_first_touch(void)
{
	u64 exits = 0, all = counter();

	for (u64 at = RAM_FRESH; at < RAM_FRESH + RAM_FRESH_SIZE; at += 4096) {
		u64 begin = counter();

		write32(1, at);
		if (counter() - begin > 4)
			exits++;
	}
	all = counter() - all;
	/* both for each page */
	print_row("ram_first_touch", exits * 10 / (RAM_FRESH_SIZE / 4096));
	print_row("ram_first_touch_exits_per_mib", exits * 10 / (RAM_FRESH_SIZE >> 20));
	print_row("ram_first_touch_instructions", all * TICK * 10 / (RAM_FRESH_SIZE / 4096));
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
	print_row("counter_hz", read_sysreg(cntfrq_el0) * 10);
	print_row("instructions_per_tick", (2 * SPIN * 10 + best / 2) / best);
}

/* ---- the command line, out of /chosen/bootargs: looked for as text ---- */

static const char *rows;

static bool same(const char *text, const char *word)
{
	while (*word)
		if (*text++ != *word++)
			return false;
	return true;
}

static void command_line(const unsigned char *fdt)
{
	u32 size = (u32)fdt[4] << 24 | (u32)fdt[5] << 16 | (u32)fdt[6] << 8 | fdt[7];

	for (const char *c = (const char *)fdt; c + 8 < (const char *)fdt + size; c++) {
		if (same(c, "rows="))
			rows = c + 5;
		samples |= same(c, " samples");
		if (same(c, "repeat=")) {
			repeat = 0;
			for (c += 7; *c >= '0' && *c <= '9'; c++)
				repeat = repeat * 10 + (u64)(*c - '0');
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

static void run_rows(void)
{
	for (u64 i = 0; i < sizeof(each_rows) / sizeof(each_rows[0]); i++)
		if (wanted(each_rows[i].name))
			run_each(&each_rows[i]);
	for (u64 i = 0; i < sizeof(wait_rows) / sizeof(wait_rows[0]); i++)
		if (wanted(wait_rows[i].name))
			run_wait(&wait_rows[i]);
}

void guest_main(const unsigned char *fdt)
{
	command_line(fdt);
	gic_init();
	run_counter();

	if (wanted("ram_first_touch"))
		run_first_touch();
	while (repeat-- > 0)
		run_rows();
	print("bench: end\n");
	power_off();
}
