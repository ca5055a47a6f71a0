// SPDX-License-Identifier: GPL-2.0-only
/* Identity map of 512 GiB by 1 GiB blocks: one table. */
#include "guest.h"

#define BLOCK			BIT(0)
#define AF			BIT(10)
#define INNER_SHAREABLE		(3ULL << 8)
#define NEVER_EXECUTED		(BIT(53) | BIT(54))
#define ATTR(n)			((u64)(n) << 2)

#define MAIR			0x04ffULL	/* 0: write-back memory, 1: device nGnRE */
/* T0SZ 25, walks write-back and inner shareable, 4 KiB, no TTBR1 */
#define TCR			(25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23)
#define SCTLR_M			BIT(0)
#define SCTLR_C			BIT(2)
#define SCTLR_I			BIT(12)

static u64 table[512] __attribute__((aligned(4096)));

static void table_fill(void)
{
	for (u64 i = 0; i < ARRAY_SIZE(table); i++)
		table[i] = i << 30 | BLOCK | AF | ATTR(1) | NEVER_EXECUTED;
	table[1] = RAM_BASE | BLOCK | AF | ATTR(0) | INNER_SHAREABLE;
}

bool mmu_is_on(void)
{
	return read_sysreg(sctlr_el1) & SCTLR_M;
}

void mmu_enable(void)
{
	if (!table[0])
		table_fill();
	dsb();
	write_sysreg(MAIR, mair_el1);
	write_sysreg(TCR | (read_sysreg(id_aa64mmfr0_el1) & 7) << 32, tcr_el1);
	write_sysreg((u64)table, ttbr0_el1);
	isb();
	asm volatile("tlbi vmalle1\n ic iallu\n dsb sy\n isb" : : : "memory");
	write_sysreg(read_sysreg(sctlr_el1) | SCTLR_M | SCTLR_C | SCTLR_I, sctlr_el1);
	isb();
}
