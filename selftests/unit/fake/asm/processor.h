/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_ASM_PROCESSOR_H
#define FAKE_ASM_PROCESSOR_H

#include <linux/compiler.h>

#define cpu_relax()		barrier()

#endif
