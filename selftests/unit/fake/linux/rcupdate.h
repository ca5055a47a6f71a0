/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: nothing is freed behind a reader. */
#ifndef FAKE_LINUX_RCUPDATE_H
#define FAKE_LINUX_RCUPDATE_H

#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)

#endif
