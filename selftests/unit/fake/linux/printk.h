/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: counts what is said. */
#ifndef FAKE_LINUX_PRINTK_H
#define FAKE_LINUX_PRINTK_H

#include <linux/compiler.h>

__attribute__((weak)) unsigned long fake_printk_count;

/* no format attribute: the kernel has conversions of its own */
static inline void fake_printk(const char *format, ...)
{
	fake_printk_count++;
}

#define pr_err(...)		fake_printk(__VA_ARGS__)
#define pr_warn(...)		fake_printk(__VA_ARGS__)
#define pr_info(...)		fake_printk(__VA_ARGS__)
#define pr_debug(...)		((void)0)

#endif
