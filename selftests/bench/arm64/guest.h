/* SPDX-License-Identifier: GPL-2.0-only */
/* The board under the bench guest: what `qvm run -k` gives without a config. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define GICD		0x2f000000ul
#define GICR		0x2f100000ul
#define GICR_STRIDE	0x20000ul
#define UART		0x1c090000ul
#define BELL		0x1d000000ul	/* a doorbell; one whose eventfd drives a line, too: bench/run */
#define POSTED		(BELL + 4)	/* whose writes are posted */
#define BELL_IRQ	0x1d010000ul
#define RAM_FRESH	0x44000000ul	/* nothing of the launcher's or ours is there */
#define RAM_FRESH_SIZE	0x02000000ul

#define read_sysreg(name) ({ u64 value_; asm volatile("mrs %0, " #name : "=r"(value_)); value_; })
#define write_sysreg(value, name) asm volatile("msr " #name ", %0" : : "r"((u64)(value)) : "memory")
#define isb() asm volatile("isb" : : : "memory")

/* GICv3's CPU interface by encoding: the assembler need not know the names. */
#define ICC_PMR		S3_0_C4_C6_0
#define ICC_IAR1	S3_0_C12_C12_0
#define ICC_EOIR1	S3_0_C12_C12_1
#define ICC_SGI1R	S3_0_C12_C11_5
#define ICC_SRE		S3_0_C12_C12_5
#define ICC_IGRPEN1	S3_0_C12_C12_7
#define read_icc(name)	read_icc_(name)
#define read_icc_(name)	read_sysreg(name)
#define write_icc(value, name) write_icc_(value, name)
#define write_icc_(value, name) write_sysreg(value, name)

#define INTID_SGI	1
#define INTID_TIMER	27
#define INTID_BELL	92
#define INTID_NONE	1023

static inline u32 read32(u64 address)
{
	u32 value;

	/* a plain load of one register: the syndrome describes it */
	asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void write32(u32 value, u64 address)
{
	asm volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline void write64(u64 value, u64 address)
{
	asm volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline u64 hvc(u64 id, u64 a, u64 b, u64 c)
{
	register u64 x0 asm("x0") = id;
	register u64 x1 asm("x1") = a;
	register u64 x2 asm("x2") = b;
	register u64 x3 asm("x3") = c;

	asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	return x0;
}

#define PSCI_CPU_ON	0xc4000003
#define PSCI_SYSTEM_OFF	0x84000008
#define UNKNOWN_ID	0x8600ffff	/* a standard hypervisor service that nobody has */

static inline u64 counter(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

static inline void irq_on(void)
{
	asm volatile("msr daifclr, #2" : : : "memory");
}

static inline void irq_off(void)
{
	asm volatile("msr daifset, #2" : : : "memory");
}

extern u64 level1[512];
extern char secondary[];
void spin(u64 n);

/* guest.c, called from start.S */
void mmu_tables(void);
void guest_main(const unsigned char *fdt);
void guest_secondary(void);
void guest_interrupt(u64 when);
void guest_fault(u64 esr, u64 pc, u64 address);

#endif
