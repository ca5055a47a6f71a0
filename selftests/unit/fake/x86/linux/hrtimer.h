/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: what kmod/arch/x86/arch_types.h names and its pure users never touch. */
#ifndef FAKE_X86_LINUX_HRTIMER_H
#define FAKE_X86_LINUX_HRTIMER_H

#include <linux/atomic.h>

#define atomic_long_t atomic_t

#endif
