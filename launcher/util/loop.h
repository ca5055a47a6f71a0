/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop of the process: one thread (the main one, in loop_run()) that waits for file
 * descriptors and timers. There is one loop, as there is one VM, per process.
 *
 * A source is embedded in what owns it. Its callback runs in the loop's thread only.
 */
#ifndef QVM_UTIL_LOOP_H
#define QVM_UTIL_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop_source {
	int fd;
	/* fd can be read (or has an error or its end to tell: reading says which). */
	void (*ready)(struct loop_source *source);
	/* the loop's own */
	int watched_fd;
	bool enabled;
};

/* Create the loop. 0 or -errno. */
int loop_init(void);
/* Destroy it; every source has been removed. Fine without loop_init(). */
void loop_fini(void);

/*
 * Know a source (fd, ready filled in), disabled at first; fd stays the caller's. A file that
 * cannot be waited for (a regular file, /dev/null) counts as always ready. 0 or -errno.
 */
int loop_add(struct loop_source *source);
/* Forget it. Only in the loop's thread, or when loop_run() has returned. */
void loop_remove(struct loop_source *source);
/* Watch it or not; any thread, the caller orders calls for one source by a lock of its own. */
void loop_enable(struct loop_source *source, bool enable);

/* Make a source of a new timer, enabled (fd is the loop's until loop_timer_fini). 0 or -errno. */
int loop_timer_init(struct loop_source *source, void (*ready)(struct loop_source *source));
/* Let the timer fire once, in @ns nanoseconds from now (0: never). Any thread. */
void loop_timer_set(struct loop_source *source, uint64_t ns);
/* Say in ready() that the expiry has been seen. */
void loop_timer_ack(struct loop_source *source);
/* Forget and close the timer; fine for one that loop_timer_init() refused. */
void loop_timer_fini(struct loop_source *source);

/* Serve until loop_stop(). Returns 0 or -errno. */
int loop_run(void);
/* Make loop_run() return, also if it runs later. Any thread. */
void loop_stop(void);

#endif
