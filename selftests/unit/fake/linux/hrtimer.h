/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for user space: time stands still until fake_time_pass(), which fires what is due in
 * the order of time, with interrupts off. What the kernel would warn about stops the test.
 */
#ifndef FAKE_LINUX_HRTIMER_H
#define FAKE_LINUX_HRTIMER_H

#include <linux/bug.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/ktime.h>

#define FAKE_HRTIMERS		128

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_ABS_HARD, HRTIMER_MODE_REL_HARD };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	enum hrtimer_mode mode;
	u64 expires;
	bool armed, running;
};

struct fake_hrtimers {
	struct hrtimer *armed[FAKE_HRTIMERS];
	unsigned long fired;
};

__attribute__((weak)) struct fake_hrtimers fake_hrtimers;

static inline void fake_hrtimer_enqueue(struct hrtimer *timer, u64 expires)
{
	unsigned int i = 0;

	while (fake_hrtimers.armed[i] && fake_hrtimers.armed[i] != timer)
		BUG_ON(++i == FAKE_HRTIMERS);
	fake_hrtimers.armed[i] = timer;
	timer->expires = expires;
	timer->armed = true;
}

static inline bool hrtimer_is_queued(const struct hrtimer *timer)
{
	return timer->armed;
}

static inline int hrtimer_try_to_cancel(struct hrtimer *timer)
{
	unsigned int i;

	for (i = 0; i < FAKE_HRTIMERS; i++) {
		if (fake_hrtimers.armed[i] == timer)
			fake_hrtimers.armed[i] = NULL;
	}
	timer->armed = false;
	return timer->running ? -1 : 0;
}

static inline int hrtimer_cancel(struct hrtimer *timer)
{
	BUG_ON(timer->running);		/* would wait for itself */
	return hrtimer_try_to_cancel(timer);
}

static inline void hrtimer_start(struct hrtimer *timer, ktime_t time, enum hrtimer_mode mode)
{
	BUG_ON(!timer->function || timer->mode != mode || time < 0);
	hrtimer_try_to_cancel(timer);
	fake_hrtimer_enqueue(timer, mode == HRTIMER_MODE_REL_HARD ? fake_now + time : (u64)time);
}

static inline u64 hrtimer_forward_now(struct hrtimer *timer, ktime_t interval)
{
	BUG_ON(timer->armed || interval <= 0);
	timer->expires += DIV_ROUND_UP(fake_now - timer->expires + 1, (u64)interval) * interval;
	return 1;
}

static inline void fake_hrtimer_fire(struct hrtimer *timer)
{
	bool irqs_off = irqs_disabled();

	hrtimer_try_to_cancel(timer);
	fake_hrtimers.fired++;
	fake_now = max(fake_now, timer->expires);
	local_irq_disable();
	timer->running = true;
	if (timer->function(timer) == HRTIMER_RESTART)
		fake_hrtimer_enqueue(timer, timer->expires);
	timer->running = false;
	local_irq_restore(irqs_off);
}

static inline struct hrtimer *fake_hrtimer_next(u64 until)
{
	struct hrtimer *next = NULL;
	unsigned int i;

	for (i = 0; i < FAKE_HRTIMERS; i++) {
		struct hrtimer *timer = fake_hrtimers.armed[i];

		if (timer && timer->expires <= until && (!next || timer->expires < next->expires))
			next = timer;
	}
	return next;
}

static inline void fake_time_pass(u64 ns)
{
	u64 until = fake_now + ns;
	struct hrtimer *timer;

	while ((timer = fake_hrtimer_next(until)))
		fake_hrtimer_fire(timer);
	fake_now = until;
}

/* The host is busy or stopped: time goes by, and only then timers fire, each once. */
static inline void fake_time_jump(u64 ns)
{
	fake_now += ns;
}

#endif
