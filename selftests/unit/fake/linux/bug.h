/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a warning is as bad as a bug. */
#ifndef FAKE_LINUX_BUG_H
#define FAKE_LINUX_BUG_H

#include <linux/build_bug.h>
#include <linux/compiler.h>

#include <stdio.h>
#include <stdlib.h>

#define BUG() do {							\
	fprintf(stderr, "BUG at %s:%d\n", __FILE__, __LINE__);		\
	abort();							\
} while (0)

#define BUG_ON(condition) do {						\
	if (condition) {						\
		fprintf(stderr, "BUG: %s\n", #condition);		\
		BUG();							\
	}								\
} while (0)

#define WARN_ON(condition) ({						\
	bool warn_on = (condition);					\
	if (warn_on) {							\
		fprintf(stderr, "WARN: %s\n", #condition);		\
		BUG();							\
	}								\
	warn_on;							\
})
#define WARN_ON_ONCE(condition)	WARN_ON(condition)

#endif
