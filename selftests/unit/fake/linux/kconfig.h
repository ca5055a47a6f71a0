/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a kernel with no option set. */
#ifndef FAKE_LINUX_KCONFIG_H
#define FAKE_LINUX_KCONFIG_H

#define IS_ENABLED(option) 0

#endif
