/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A named piece of memory that several processes of one user have, and an eventfd from each to
 * each. Nobody serves it: it is as long as somebody has it. The memory is a sealed memfd, which no
 * one can shrink; who comes gets it from who is there, by a socket in the user's run folder. The
 * connection stays, and its end is how the death of the other is seen.
 *
 * Calls for one region are ordered by the caller's lock, but region_join() and region_leave().
 */
#ifndef QVM_DEV_SHMEM_REGION_H
#define QVM_DEV_SHMEM_REGION_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_CLIENTS	16
#define REGION_NAME	32		/* bytes, the NUL included */
#define REGION_PAGE	4096u
#define REGION_FDS	(1 + 2 * REGION_CLIENTS)

/* Another client; connection -1: there is none. */
struct region_peer {
	int connection;
	int to, from;			/* eventfds: signalled by us, by it */
};

struct region {
	char name[REGION_NAME];
	uint64_t size;			/* bytes */
	void *memory;
	int memfd, listener;
	unsigned int index;		/* of this client */
	struct region_peer peer[REGION_CLIENTS];
	int waiting[REGION_CLIENTS];	/* connections that have not said who they are; -1: free */
};

/* Called by region_ready() with the caller's lock held. */
struct region_ops {
	void (*came)(struct region *region, unsigned int index, void *arg);
	void (*gone)(struct region *region, unsigned int index, void *arg);
};

/* A name that a region can have. */
bool region_name_is_good(const char *name);

/*
 * Have the region of this name: that which is there, whatever its size, or a new one of @size
 * bytes (0: none). Waits for other processes, some seconds at most. Then region_ready() is to be
 * called when a descriptor of region_poll() is ready, soon: others wait for it. -ENOMEM, -ENOENT
 * (size 0, and there is none), -EUSERS (too many clients), -ETIMEDOUT, and errors of sockets.
 */
int region_join(const char *name, uint64_t size, struct region **out);
/* Let go of it; the others see it. NULL is fine. */
void region_leave(struct region *region);

/* Those who are there: a bit for each index. */
uint32_t region_clients(const struct region *region);

/* Fill @fds, which has room for REGION_FDS. Returns how many. */
size_t region_poll(const struct region *region, struct pollfd *fds);
/* Look after @fd, if it is the region's. */
void region_ready(struct region *region, int fd, const struct region_ops *ops, void *arg);

#endif
