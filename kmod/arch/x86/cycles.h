/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_X86_CYCLES_H
#define QVM_X86_CYCLES_H

#include <asm/msr.h>

static __always_inline u64 qvm_arch_cycles(void)
{
	return rdtsc();
}

#endif /* QVM_X86_CYCLES_H */
