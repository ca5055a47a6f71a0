/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: it has a size, no test takes one. */
#ifndef FAKE_LINUX_MUTEX_H
#define FAKE_LINUX_MUTEX_H

struct mutex {
	char unused;
};

#endif
