// SPDX-License-Identifier: GPL-2.0-only
/*
 * One counter of an 8254, by its data sheet. Where the count of one tick shows (modes 2 and 3 at
 * the moment of a reload) reads may differ from silicon by that tick.
 */
#include <linux/bits.h>
#include <linux/kernel.h>

#include "vpit_counter.h"

#define CONTROL_BCD		BIT(0)
#define CONTROL_MODE(v)		((v) >> 1 & 7)
#define CONTROL_RW(v)		((v) >> 4 & 3)
#define RW_LOW			1
#define RW_HIGH			2
#define RW_BOTH			3
#define STATUS_OUT		BIT(7)
#define STATUS_NULL		BIT(6)

/* ---- numbers */

static u32 modulus(const struct pit_counter *c)
{
	return c->bcd ? 10000 : 65536;
}

static u32 from_bcd(u16 v)
{
	return ((v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15)) % 10000;
}

static u16 to_bcd(u32 v)
{
	return v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
}

/* Modes 3's two halves; an odd count has the longer one first. */
static u32 high_ticks(u32 count)
{
	return (count + 1) / 2;
}

/* ---- time */

static bool is_periodic(const struct pit_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Started by the gate alone. */
static bool is_triggered(const struct pit_counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

/* Ticks since it was loaded; negative: it will be with the next one. */
static s64 ticks(const struct pit_counter *c, u64 now)
{
	return c->counting ? now - c->start : c->elapsed;
}

static void load(struct pit_counter *c, u32 count, u64 start)
{
	c->count = count;
	c->start = start;
	c->next = 0;
}

/* The count that was to replace this one at the end of its (half) cycle. */
static void sync(struct pit_counter *c, u64 now)
{
	if (!c->next || !is_periodic(c) || !c->counting || now < c->next_at)
		return;
	if (c->mode == 3 && (c->next_at - c->start) % c->count)
		load(c, c->next, c->next_at - high_ticks(c->next));
	else
		load(c, c->next, c->next_at);
}

/* When a count written now replaces the one that runs. */
static u64 cycle_end(const struct pit_counter *c, u64 now)
{
	s64 t = ticks(c, now);
	u64 begin;

	if (t < 0)
		return c->start;
	begin = now - t % c->count;
	if (c->mode == 3 && t % c->count < high_ticks(c->count) && c->count > 1)
		return begin + high_ticks(c->count);
	return begin + c->count;
}

static void set_count(struct pit_counter *c, u32 count, u64 now)
{
	count = count ?: modulus(c);
	if (is_triggered(c)) {
		c->next = count;
	} else if (is_periodic(c) && c->loaded && c->counting) {
		c->next = count;
		c->next_at = cycle_end(c, now);
	} else {
		load(c, count, now + 1);
		c->elapsed = 0;
		c->counting = c->gate;
	}
	c->loaded = true;
}

static bool trigger(struct pit_counter *c, u64 now)
{
	if (!c->loaded)
		return false;
	/* at once in mode 1, so that OUT stays low when it is low already */
	load(c, c->next ?: c->count, c->mode == 1 ? now : now + 1);
	return true;
}

static void stop(struct pit_counter *c, u64 now)
{
	c->elapsed = ticks(c, now);
	c->counting = false;
}

void pit_counter_set_gate(struct pit_counter *c, bool gate, u64 now)
{
	if (c->gate == gate)
		return;
	sync(c, now);
	c->gate = gate;
	if (is_triggered(c)) {
		if (gate && trigger(c, now))
			c->counting = true;
	} else if (!gate) {
		stop(c, now);
	} else if (is_periodic(c)) {
		c->counting = trigger(c, now);
	} else if (c->loaded) {
		c->start = now - c->elapsed;
		c->counting = true;
	}
}

/* ---- what it shows */

bool pit_counter_out(struct pit_counter *c, u64 now)
{
	s64 t, n;

	sync(c, now);
	t = ticks(c, now);
	n = c->count;
	if (c->mode == 0)
		return c->loaded && t >= n;
	if (!c->loaded || t < 0 || (!c->counting && c->mode != 4))
		return true;
	switch (c->mode) {
	case 1:
		return t >= n;
	case 2:
		return t % n != n - 1;
	case 3:
		return t % n < high_ticks(n);
	default:
		return t != n;
	}
}

u64 pit_counter_next_rise(struct pit_counter *c, u64 now)
{
	u64 rise;
	s64 t;

	sync(c, now);
	if (!c->loaded || !c->counting)
		return PIT_NEVER;
	t = ticks(c, now);
	if (!is_periodic(c)) {
		rise = c->start + c->count + (c->mode >= 4);
		return rise > now ? rise : PIT_NEVER;
	}
	rise = c->start + (t < 0 ? 1 : t / c->count + 1) * c->count;
	if (c->next && c->next_at < rise)
		rise = max(c->next_at + c->next / 2, now + 1);
	return rise;
}

static u16 counter_value(struct pit_counter *c, u64 now)
{
	s64 t, n = c->count;
	u32 value;

	sync(c, now);
	t = max_t(s64, ticks(c, now), 0);
	n = c->count ?: modulus(c);
	if (c->mode == 2) {
		value = n - t % n;
	} else if (c->mode == 3) {
		t %= n;
		value = (n & ~1LL) - 2 * (t < high_ticks(n) ? t : t - high_ticks(n));
	} else {
		value = (n + modulus(c) - t % modulus(c)) % modulus(c);
	}
	return c->bcd ? to_bcd(value) : value;
}

/* ---- what the guest does */

void pit_counter_init(struct pit_counter *c, bool gate)
{
	*c = (struct pit_counter){ .mode = 3, .rw = RW_BOTH, .gate = gate };
}

void pit_counter_control(struct pit_counter *c, u8 control, u64 now)
{
	u8 mode = CONTROL_MODE(control);
	bool gate = c->gate;

	pit_counter_init(c, gate);
	c->mode = mode > 5 ? mode - 4 : mode;
	c->rw = CONTROL_RW(control);
	c->bcd = control & CONTROL_BCD;
}

void pit_counter_write(struct pit_counter *c, u8 value, u64 now)
{
	u16 count = c->rw == RW_LOW ? value : value << 8;

	sync(c, now);
	if (c->rw == RW_BOTH && !c->high_next) {
		c->low = value;
		c->high_next = true;
		if (c->mode == 0)
			c->loaded = false;	/* stops, OUT goes low */
		return;
	}
	if (c->rw == RW_BOTH)
		count |= c->low;
	c->high_next = false;
	set_count(c, c->bcd ? from_bcd(count) : count, now);
}

static u8 read_latched(struct pit_counter *c)
{
	bool low = c->latched & RW_LOW;

	c->latched &= low ? ~RW_LOW : ~RW_HIGH;
	return low ? c->latch : c->latch >> 8;
}

u8 pit_counter_read(struct pit_counter *c, u64 now)
{
	bool high = c->rw == RW_HIGH;
	u16 value;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latched)
		return read_latched(c);
	if (c->rw == RW_BOTH) {
		high = c->read_high_next;
		c->read_high_next = !high;
	}
	value = counter_value(c, now);
	return high ? value >> 8 : value;
}

void pit_counter_latch(struct pit_counter *c, u64 now)
{
	if (c->latched)
		return;
	c->latch = counter_value(c, now);
	c->latched = c->rw;
}

void pit_counter_latch_status(struct pit_counter *c, u64 now)
{
	bool null, out;

	if (c->status_latched)
		return;
	out = pit_counter_out(c, now);
	null = !c->loaded || c->next || ticks(c, now) < 0;
	c->status = (out ? STATUS_OUT : 0) | (null ? STATUS_NULL : 0) | c->rw << 4 | c->mode << 1 |
		    c->bcd;
	c->status_latched = true;
}
