/* SPDX-License-Identifier: GPL-2.0-only */
/* Doorbells and irqfds of the small machine, for their tests. */
#ifndef SELFTESTS_EVENTFD_H
#define SELFTESTS_EVENTFD_H

#include <poll.h>
#include <sys/eventfd.h>

#include "vm.h"

#define BELL		(DEVICE_GPA + 0x40)

static inline int make_eventfd(void)
{
	return must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

/* What it was signalled since the last look. */
static inline uint64_t take(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, 8) == 8 ? count : 0;
}

static inline void signal_eventfd(int fd)
{
	uint64_t one = 1;

	must(write(fd, &one, 8) == 8 ? 0 : -EIO);
}

static inline bool wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 20000) == 1;
}

static inline int doorbell(int vm, uint64_t addr, uint32_t len, int fd, uint32_t flags, uint64_t datamatch)
{
	struct qvm_doorbell param = { .addr = addr, .len = len, .eventfd = fd, .flags = flags,
				      .datamatch = datamatch };

	return call(vm, QVM_VM_DOORBELL, &param);
}

static inline int irqfd(int vm, uint32_t line, int fd, uint32_t flags, int resample)
{
	struct qvm_irqfd param = { .line = line, .eventfd = fd, .flags = flags, .resample = resample };

	return call(vm, QVM_VM_IRQFD, &param);
}

#define REMOVE		QVM_DOORBELL_F_REMOVE
#define MATCH		QVM_DOORBELL_F_DATAMATCH
#define RESAMPLE	QVM_IRQFD_F_RESAMPLE

_Static_assert(QVM_IRQFD_F_REMOVE == QVM_DOORBELL_F_REMOVE, "one name for both");

#endif
