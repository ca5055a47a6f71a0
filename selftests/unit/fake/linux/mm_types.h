/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_LINUX_MM_TYPES_H
#define FAKE_LINUX_MM_TYPES_H

#include <linux/types.h>

struct mm_struct;

#endif
