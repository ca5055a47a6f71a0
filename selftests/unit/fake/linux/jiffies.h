/* SPDX-License-Identifier: GPL-2.0-only */
/* A clock that only goes on when it is looked at: a wait for what never comes still ends. */
#ifndef FAKE_LINUX_JIFFIES_H
#define FAKE_LINUX_JIFFIES_H

#define HZ 100

static inline unsigned long fake_jiffies(void)
{
	static unsigned long now;

	return now++;
}

#define jiffies			fake_jiffies()
#define time_before(a, b)	((long)((a) - (b)) < 0)

#endif
