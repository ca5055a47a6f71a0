/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: raw_spinlock_t knows whether it is held. */
#ifndef FAKE_LINUX_LOCKDEP_H
#define FAKE_LINUX_LOCKDEP_H

#include <linux/bug.h>

#define lockdep_assert_held(lock)	BUG_ON(!(lock)->held)
#define lockdep_assert_not_held(lock)	BUG_ON((lock)->held)

#endif
