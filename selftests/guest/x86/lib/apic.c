// SPDX-License-Identifier: GPL-2.0-only
#include "apic.h"

#define PIC1_MASK	0x21
#define PIC2_MASK	0xa1

bool apic_is_x2(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2;
}

/* Known without an exit: every access asks. */
static bool is_x2[CPU_MAX];

u32 apic_read(u32 reg)
{
	return is_x2[cpu_index()] ? rdmsr(0x800 + reg / 16) : read32(LAPIC + reg);
}

void apic_write(u32 reg, u32 value)
{
	if (is_x2[cpu_index()])
		wrmsr(0x800 + reg / 16, value);
	else
		write32(LAPIC + reg, value);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_enable(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ON);
	is_x2[cpu_index()] = apic_is_x2();
	apic_write(APIC_SVR, SVR_ON | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
}

void apic_to_x2(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ON | APIC_BASE_X2);
	is_x2[cpu_index()] = true;
	apic_enable();
}

void apic_to_xapic(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) & ~(APIC_BASE_ON | APIC_BASE_X2);

	wrmsr(MSR_APIC_BASE, base);
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ON);
	is_x2[cpu_index()] = false;
	apic_enable();
}

void apic_send(u32 dest, u32 icr)
{
	if (is_x2[cpu_index()]) {
		wrmsr(0x800 + APIC_ICR / 16, (u64)dest << 32 | icr);
		return;
	}
	write32(LAPIC + APIC_ICR2, dest << 24);
	write32(LAPIC + APIC_ICR, icr);
	while (read32(LAPIC + APIC_ICR) & ICR_BUSY)
		pause();
}

bool apic_bit(u32 reg, unsigned int vector)
{
	return apic_read(reg + vector / 32 * 16) >> vector % 32 & 1;
}

/* CPUID 15h, ECX: the crystal, which counts. */
u64 apic_ticks_of_us(u64 us)
{
	static u64 hz;

	if (!hz)
		hz = cpuid(0x15, 0).ecx;
	return us * (hz / 1000) / 1000;
}

void apic_timer_stop(void)
{
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_TIMER_INIT, 0);
}

u32 ioapic_read(u8 index)
{
	write32(IOAPIC, index);
	return read32(IOAPIC + 0x10);
}

void ioapic_write(u8 index, u32 value)
{
	write32(IOAPIC, index);
	write32(IOAPIC + 0x10, value);
}

/* Masked while it is half written. */
void ioapic_route(unsigned int pin, u64 entry)
{
	ioapic_write(IOAPIC_PIN(pin), RTE_MASKED);
	ioapic_write(IOAPIC_PIN(pin) + 1, entry >> 32);
	ioapic_write(IOAPIC_PIN(pin), entry);
}

void pic_mask_all(void)
{
	out8(PIC1_MASK, 0xff);
	out8(PIC2_MASK, 0xff);
}
