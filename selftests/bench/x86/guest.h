/* SPDX-License-Identifier: GPL-2.0-only */
/* The board under the bench guest: what `qvm run -k` gives without a config, and one UART more in memory. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define COM1		0x3f8
#define SCRATCH		7		/* of a 16550: kept, and no more */
#define UART		0xd0000000ul	/* the 16550 in memory */
#define BELL		0xd0010000ul	/* whose first byte is a doorbell */
#define POSTED		(BELL + 4)	/* whose writes are posted */
#define BELL_PORT	0xe8
#define PM1_CONTROL	0x604
#define PM1_OFF		(1 << 13)	/* SLP_TYP of S5, which is 0, and SLP_EN */
#define LAPIC		0xfee00000ul
#define IOAPIC		0xfec00000ul
#define RAM_FRESH	0x4000000ul	/* nothing of the launcher's or ours is there */
#define RAM_FRESH_SIZE	0x2000000ul

#define MSR_APIC_BASE	0x1b
#define APIC_BASE_X2	(1 << 11 | 1 << 10)
#define MSR_TSC_DEADLINE 0x6e0
/* x2APIC, SDM vol. 3 table 11-6 */
#define X2_EOI		0x80b
#define X2_SVR		0x80f
#define X2_ICR		0x830
#define X2_LVT_TIMER	0x832
#define X2_SELF_IPI	0x83f
#define ICR_INIT	0x4500
#define ICR_STARTUP	0x4600
#define LVT_DEADLINE	(2 << 17)

#define VECTOR_TIMER	0x40
#define VECTOR_IPI	0x41
#define VECTOR_SPURIOUS	0xff

static inline u64 counter(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static inline u32 read32(u64 address)
{
	u32 value;

	asm volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void write32(u32 value, u64 address)
{
	asm volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline u8 read8(u64 address)
{
	u8 value;

	asm volatile("movb (%1), %0" : "=q"(value) : "r"(address) : "memory");
	return value;
}

static inline void write8(u8 value, u64 address)
{
	asm volatile("movb %0, (%1)" : : "q"(value), "r"(address) : "memory");
}

static inline void out8(u8 value, u16 port)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(u16 value, u16 port)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline u64 rdmsr(u32 index)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
	return (u64)high << 32 | low;
}

static inline void wrmsr(u64 value, u32 index)
{
	asm volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(index) : "memory");
}

static inline void irq_on(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void irq_off(void)
{
	asm volatile("cli" : : : "memory");
}

/* start.S */
void spin(u64 n);		/* 2 instructions each */
extern char idt[];
extern char trampoline[], trampoline_end[];	/* a vCPU's first code, for TRAMPOLINE */
#define TRAMPOLINE	0x8000

/* guest.c, called from start.S */
void guest_main(const u8 *multiboot);
void guest_secondary(void);
void guest_interrupt(u64 when, u64 vector);
void guest_fault(u64 vector, u64 error, u64 pc, u64 address);

#endif
