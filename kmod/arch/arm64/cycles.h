/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_ARM64_CYCLES_H
#define QVM_ARM64_CYCLES_H

#include <asm/sysreg.h>

/* Ticks of the generic timer: physical, for CNTVOFF_EL2 is a guest's while it is loaded. noinstr. */
static __always_inline u64 qvm_arch_cycles(void)
{
	return read_sysreg(cntpct_el0);
}

#endif /* QVM_ARM64_CYCLES_H */
