/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_LINUX_KREF_H
#define FAKE_LINUX_KREF_H

#include <linux/types.h>

struct kref {
	unsigned int refcount;
};

#endif
