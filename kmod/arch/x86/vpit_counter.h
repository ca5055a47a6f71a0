/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One counter of an 8254. Pure: time is a number of ticks of its clock that the caller gives, and
 * that never goes back. What the counter holds follows from when it was loaded.
 */
#ifndef QVM_X86_VPIT_COUNTER_H
#define QVM_X86_VPIT_COUNTER_H

#include <linux/types.h>

#define PIT_NEVER	U64_MAX
#define PIT_FIRST_TICK	0x100000000ULL	/* earlier ones are room for sums */

struct pit_counter {
	u8 mode;		/* 0 … 5 */
	u8 rw;			/* 1: low byte, 2: high byte, 3: low, then high */
	bool bcd;
	bool gate;
	bool loaded;		/* has a count since the control word */
	bool counting;
	u32 count;		/* initial count, 1 … 65536 */
	u64 start;		/* counting: tick at which it held count */
	u64 elapsed;		/* not counting: ticks that it had counted */
	u32 next;		/* count that waits for next_at, or a trigger; 0: none */
	u64 next_at;

	u8 low;			/* first byte of a write in two */
	bool high_next, read_high_next;
	u8 latched;		/* bytes of latch not yet read: 1 low, 2 high */
	u16 latch;
	bool status_latched;
	u8 status;
};

void pit_counter_init(struct pit_counter *c, bool gate);
/* Control word of this counter, no latch command. */
void pit_counter_control(struct pit_counter *c, u8 control, u64 now);
void pit_counter_write(struct pit_counter *c, u8 value, u64 now);
u8 pit_counter_read(struct pit_counter *c, u64 now);
void pit_counter_latch(struct pit_counter *c, u64 now);
void pit_counter_latch_status(struct pit_counter *c, u64 now);
void pit_counter_set_gate(struct pit_counter *c, bool gate, u64 now);
bool pit_counter_out(struct pit_counter *c, u64 now);

/* The first tick after @now at which OUT goes up, or PIT_NEVER. */
u64 pit_counter_next_rise(struct pit_counter *c, u64 now);

#endif /* QVM_X86_VPIT_COUNTER_H */
