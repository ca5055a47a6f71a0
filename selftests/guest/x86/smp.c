// SPDX-License-Identifier: GPL-2.0-only
/* CPUs by INIT and SIPI, again and again; what they share. */
#include "apic.h"

static u64 total;
static u32 came_mask[2];
static struct gate gate;

static void count(void)
{
	check_eq(rdmsr(MSR_APIC_BASE), LAPIC | APIC_BASE_ON);
	check_eq(apic_read(APIC_ID) >> 24, cpu_index());
	check_eq(cpuid(1, 0).ebx >> 24, cpu_index());
	check_eq(cpuid(0xb, 0).edx, cpu_index());
	__atomic_fetch_or(&came_mask[cpu_index() / 32], 1u << cpu_index() % 32, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 1000; i++)
		__atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
}

static void test_all(void)
{
	u64 mask = 0;

	for (unsigned int round = 0; round < 2; round++) {
		total = came_mask[0] = came_mask[1] = 0;
		cpu_start_all(count);
		check(cpu_wait_all_done());
		mask = came_mask[0] | (u64)came_mask[1] << 32;
		check_eq(mask, ((cpu_count() == 64 ? 0 : 1ULL << cpu_count()) - 1) & ~1ULL);
		check_eq(total, 1000 * (cpu_count() - 1));
	}
}

/* The MADT tells the same CPUs as CPUID. */
static const u8 *find_table(const char *name)
{
	for (u64 at = 0xe0000; at < 0x100000; at += 16) {
		const u8 *xsdt;
		u32 length;

		if (!same((void *)at, "RSD PTR ", 8))
			continue;
		xsdt = (const u8 *)read64(at + 24);
		length = read32((u64)xsdt + 4);
		for (u32 i = 36; i + 8 <= length; i += 8) {
			const u8 *table = (const u8 *)read64((u64)xsdt + i);

			if (same(table, name, 4))
				return table;
		}
	}
	return NULL;
}

static void test_madt(void)
{
	const u8 *madt = find_table("APIC");
	unsigned int lapics = 0, ioapics = 0;

	if (!check(madt))
		return;
	check_eq(read32((u64)madt + 36), LAPIC);
	for (u32 i = 44; i < read32((u64)madt + 4); i += madt[i + 1]) {
		if (!check(madt[i + 1] >= 2))
			return;
		if (madt[i] == 0) {
			check_eq(madt[i + 3], lapics);
			lapics++;
		}
		ioapics += madt[i] == 1;
	}
	check_eq(lapics, cpu_count());
	check_eq(ioapics, 1);
}

/* A SIPI to one that runs does nothing. */
static bool stop;
static u32 alive;
static void spin(void)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED);
		pause();
	}
}

static void test_sipi_of_a_running_one(void)
{
	u32 before;

	stop = false;
	check(cpu_start(1, spin));
	cpus[1].came = false;
	cpu_send_sipi(1, TRAMPOLINE >> 12);
	cpu_send_sipi(1, TRAMPOLINE >> 12);
	delay_us(200);
	check(!cpus[1].came);
	before = alive;
	check(wait_for(alive != before, SECOND));
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	check(cpu_wait_done(1));
}

/* INIT stops it where it is; only a SIPI brings it back. */
static void test_init_holds(void)
{
	u32 before;

	stop = false;
	check(cpu_start(1, spin));
	cpu_send_init(1);
	delay_us(500);
	before = alive;
	apic_send(1, ICR_NMI | ICR_ASSERT);	/* blocked till SIPI, and lost: INIT reset */
	apic_send(1, ICR_ASSERT | 0x51);
	delay_us(500);
	check_eq(alive, before);
	stop = true;
	check(cpu_start(1, spin));
	check(cpu_wait_done(1));
}

/* Its memory types are on when it comes up first, and its own: INIT leaves them. */
static u64 mtrr_was;
static void mtrr_swap(void)
{
	mtrr_was = rdmsr(0x2ff);
	wrmsr(0x2ff, mtrr_was ^ BIT(10));
}

static void test_init_leaves_mtrrs(void)
{
	static const u64 want[] = { BIT(11) | BIT(10) | 6, BIT(11) | 6 };

	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++) {
		check(cpu_start(1, mtrr_swap));
		check(cpu_wait_done(1));
		check_eq(mtrr_was, want[i]);
	}
	check_eq(rdmsr(0x2ff), want[0]);
}

/* ---- each CPU in real mode at a page of its own ---- */

extern char real_begin[], real_end[];
asm(".pushsection .text\n"
    ".code16\n"
    "real_begin:\n"
    "	mov %cs, %ax\n"
    "	mov %ax, %ds\n"
    "	movw %ax, 0x100\n"			/* the segment is the SIPI's */
    "	mov %cr0, %eax\n"
    "	movl %eax, 0x104\n"
    "	movl %edx, 0x108\n"
    "	pushf\n"				/* SS 0, SP 0: 0xfffe */
    "	popw %ax\n"
    "	movw %ax, 0x10c\n"
    "	movb $1, 0x10e\n"
    "1:	cli\n"
    "	hlt\n"
    "	jmp 1b\n"
    "real_end:\n"
    ".code64\n"
    ".popsection\n");

static void test_sipi_pages(void)
{
	unsigned int n = cpu_count() > 8 ? 8 : cpu_count();

	for (unsigned int cpu = 1; cpu < n; cpu++) {
		u64 page = FIRST_PAGE + 0x1000 * cpu;

		fill((void *)page, 0, 4096);
		copy((void *)page, real_begin, real_end - real_begin);
		cpu_send_init(cpu);
		cpu_send_sipi(cpu, page >> 12);
	}
	for (unsigned int cpu = 1; cpu < n; cpu++) {
		u64 page = FIRST_PAGE + 0x1000 * cpu;

		check(wait_for(read8(page + 0x10e), SECOND));
		check_eq(read16(page + 0x100), page >> 4);
		check_eq(read32(page + 0x104), 0x60000010);
		check_eq(read32(page + 0x108) >> 8 & 0xf, 6);
		check_eq(read16(page + 0x10c), 2);
	}
}

/* ---- a shoot-down: after the IPI's answer nobody sees the old page ---- */

#define SHARED		(WINDOW + 0x40000)
static u32 flushed, wrong;
static u64 wanted;

static void flush(struct frame *frame)
{
	(void)frame;
	page_flush(SHARED);
	__atomic_fetch_add(&flushed, 1, __ATOMIC_ACQ_REL);
	apic_eoi();
}

static void look(void)
{
	irqs_enable();
	gate_pass(&gate, cpu_count());
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		u64 before = __atomic_load_n(&wanted, __ATOMIC_ACQUIRE);
		u64 value = *(volatile u64 *)SHARED;
		u64 after = __atomic_load_n(&wanted, __ATOMIC_ACQUIRE);

		if (before == after && before && value != before)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		pause();
	}
	irqs_disable();
}

static void test_shoot_down(void)
{
	u64 *pages[2] = { page_alloc(), page_alloc() };

	stop = false;
	wrong = wanted = 0;
	handlers[0x51] = flush;
	*page_entry(SHARED) = (u64)pages[0] | PTE_P | PTE_W;
	cpu_start_all(look);
	check(gate_pass(&gate, cpu_count()));
	for (u64 i = 1; i < 40; i++) {
		*pages[i & 1] = i;
		__atomic_store_n(&wanted, 0, __ATOMIC_RELEASE);
		*page_entry(SHARED) = (u64)pages[i & 1] | PTE_P | PTE_W;
		flushed = 0;
		apic_send(0, ICR_OTHERS | ICR_ASSERT | 0x51);
		if (!check(wait_for(__atomic_load_n(&flushed, __ATOMIC_ACQUIRE) == cpu_count() - 1, SECOND)))
			break;
		__atomic_store_n(&wanted, i, __ATOMIC_RELEASE);
		delay_us(20);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	check(cpu_wait_all_done());
	check_eq(wrong, 0);
	handlers[0x51] = NULL;
	*page_entry(SHARED) = 0;
}

/* TSCs of all CPUs are one clock: never behind what another has read. */
static u64 latest;
static u32 behind;
static void read_clock(void)
{
	gate_pass(&gate, cpu_count());
	for (unsigned int i = 0; i < 500; i++) {
		u64 seen = __atomic_load_n(&latest, __ATOMIC_ACQUIRE), now = tsc();

		if (now < seen)
			__atomic_fetch_add(&behind, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&latest, now, __ATOMIC_RELEASE);
	}
}

static void test_tsc(void)
{
	cpu_start_all(read_clock);
	read_clock();
	check(cpu_wait_all_done());
	check_eq(behind, 0);
}

const struct test tests[] = {
	TEST(all),
	TEST(madt),
	TEST(sipi_of_a_running_one),
	TEST(init_holds),
	TEST(init_leaves_mtrrs),
	TEST(sipi_pages),
	TEST(shoot_down),
	TEST(tsc),
	{},
};
