// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* memfd_create, accept4, struct ucred, file seals */
#include "dev/shmem_region.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/runtime.h"

#define ANSWER_S	2		/* how long another process may take */
#define LOCK_MS		10000		/* and all that come before this one */
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/*
 * The first word of who is asked, with its memfd; then of who has come, with two eventfds: those of
 * struct region_peer, as the one who is asked has them.
 */
struct word {
	char magic[8];
	uint32_t index, reserved;
	uint64_t size;
};

static const char magic[8] = "qvmshm1";

/* ---- messages with descriptors ---- */

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(2 * sizeof(int))];
};

static int send_word(int fd, const struct region *region, const int *fds, size_t count)
{
	struct word word = { .index = region->index, .size = region->size };
	struct iovec part = { &word, sizeof(word) };
	union control control = { 0 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};

	memcpy(word.magic, magic, sizeof(magic));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL) == sizeof(word) ? 0 : -errno;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

/* Exactly @count descriptors, or -errno and none. -ECONNRESET: the other has gone. */
static int receive_word(int fd, struct word *word, int *fds, size_t count)
{
	struct iovec part = { word, sizeof(*word) };
	union control control = { 0 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	size_t got = 0;

	if (size <= 0)
		return size ? -errno : -ECONNRESET;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		got = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(header), (got < 2 ? got : 2) * sizeof(int));
	}
	if (size == sizeof(*word) && !memcmp(word->magic, magic, sizeof(magic)) &&
	    word->index < REGION_CLIENTS && got == count && !(message.msg_flags & MSG_CTRUNC))
		return 0;
	close_all(fds, got < 2 ? got : 2);
	return -EPROTO;
}

static bool is_own_user(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid();
}

/* ---- places ---- */

bool region_name_is_good(const char *name)
{
	if (!*name || *name == '.' || strlen(name) >= REGION_NAME)
		return false;
	for (; *name; name++)
		if (!isgraph((unsigned char)*name) || *name == '/')
			return false;
	return true;
}

static int make_folder(const char *file)
{
	char path[108];

	if (!runtime_shared_path(path, sizeof(path), file))
		return -ENAMETOOLONG;
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int make_folders(const char *name)
{
	char path[108];
	int error;

	if (!runtime_shared_path(path, sizeof(path), ""))
		return -ENAMETOOLONG;
	*strrchr(path, '/') = '\0';		/* the folder of qvm itself */
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	error = make_folder("");
	return error ? error : make_folder(name);
}

static bool socket_address(const char *name, unsigned int index, struct sockaddr_un *address)
{
	char file[REGION_NAME + 8];

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(file, sizeof(file), "%s/%u", name, index);
	return runtime_shared_path(address->sun_path, sizeof(address->sun_path), file);
}

/* One at a time comes to a region. The descriptor, or -errno. */
static int lock_region(const char *name)
{
	const struct timespec pause = { 0, 5000000 };
	char file[REGION_NAME + 8], path[108];
	int fd;

	snprintf(file, sizeof(file), "%s/lock", name);
	if (!runtime_shared_path(path, sizeof(path), file))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	for (int ms = 0; ms < LOCK_MS; ms += 5) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return -ETIMEDOUT;
}

/* ---- memory ---- */

static int memory_create(struct region *region)
{
	int error;

	region->memfd = memfd_create(region->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (region->memfd < 0)
		return -errno;
	/* all of it now: there it is, or there it isn't */
	error = posix_fallocate(region->memfd, 0, (off_t)region->size);
	if (error)
		return error == ENOSPC || error == EFBIG || error == EINVAL ? -ENOMEM : -error;
	return fcntl(region->memfd, F_ADD_SEALS, SEALS) ? -errno : 0;
}

/* What another process has sent: of the size that it says, for ever. */
static int memory_take(struct region *region, int memfd, uint64_t size)
{
	int seals = fcntl(memfd, F_GET_SEALS);
	struct stat stat;

	region->memfd = memfd;
	if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW) ||
	    seals & F_SEAL_WRITE || fstat(memfd, &stat) || (uint64_t)stat.st_size != size || !size ||
	    size % REGION_PAGE)
		return -EPROTO;
	region->size = size;
	return 0;
}

static int memory_map(struct region *region)
{
	void *memory = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED, region->memfd, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	region->memory = memory;
	return 0;
}

/* ---- coming ---- */

static void set_timeouts(int fd)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* The connection to client @index, or -errno; -ENOENT: nobody is it. */
static int connect_to(const char *name, unsigned int index)
{
	struct sockaddr_un address;
	int fd, error;

	if (!socket_address(name, index, &address))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set_timeouts(fd);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) && is_own_user(fd))
		return fd;
	error = errno;
	close(fd);
	if (error == ECONNREFUSED)
		unlink(address.sun_path);	/* it was killed */
	return error == ECONNREFUSED || error == ENOENT ? -ENOENT : error ? -error : -EACCES;
}

/* One who is there: keep the connection; the first gives the memory. */
static int meet(struct region *region, unsigned int index)
{
	int fd = connect_to(region->name, index), memfd, error;
	struct word word;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	error = receive_word(fd, &word, &memfd, 1);
	if (error == -ECONNRESET) {
		close(fd);		/* just gone */
		return 0;
	}
	if (error == -EAGAIN)
		error = -ETIMEDOUT;
	if (!error && region->memfd < 0)
		error = memory_take(region, memfd, word.size);
	else if (!error)
		close(memfd);
	if (error) {
		close(fd);
		return error;
	}
	region->peer[index].connection = fd;
	return 0;
}

/* Say to one whom we have met who we are. */
static int introduce(struct region *region, struct region_peer *peer)
{
	int fds[2];

	peer->to = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	peer->from = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (peer->to < 0 || peer->from < 0)
		return -errno;
	fds[0] = peer->from;
	fds[1] = peer->to;
	return send_word(peer->connection, region, fds, 2);
}

static int listen_as(struct region *region, unsigned int index)
{
	struct sockaddr_un address;

	region->index = index;
	if (!socket_address(region->name, index, &address))
		return -ENAMETOOLONG;
	unlink(address.sun_path);		/* of one that left as we came */
	region->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (region->listener < 0 || bind(region->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(region->listener, REGION_CLIENTS))
		return -errno;
	return 0;
}

static int join_locked(struct region *region)
{
	unsigned int index = REGION_CLIENTS;
	int error = 0;

	for (unsigned int i = REGION_CLIENTS; !error && i-- > 0;) {
		error = meet(region, i);
		if (region->peer[i].connection < 0)
			index = i;
	}
	if (!error && index == REGION_CLIENTS)
		error = -EUSERS;
	if (!error && region->memfd < 0)
		error = region->size ? memory_create(region) : -ENOENT;
	if (!error)
		error = memory_map(region);
	if (!error)
		error = listen_as(region, index);
	for (unsigned int i = 0; !error && i < REGION_CLIENTS; i++)
		if (region->peer[i].connection >= 0)
			error = introduce(region, &region->peer[i]);
	return error;
}

static struct region *region_create(const char *name, uint64_t size)
{
	struct region *region = calloc(1, sizeof(*region));

	if (!region)
		return NULL;
	snprintf(region->name, sizeof(region->name), "%s", name);
	region->size = size;
	region->memfd = region->listener = -1;
	for (unsigned int i = 0; i < REGION_CLIENTS; i++) {
		region->peer[i] = (struct region_peer){ -1, -1, -1 };
		region->waiting[i] = -1;
	}
	return region;
}

int region_join(const char *name, uint64_t size, struct region **out)
{
	struct region *region;
	int lock, error;

	*out = NULL;
	error = make_folders(name);
	if (error)
		return error;
	lock = lock_region(name);
	if (lock < 0)
		return lock;
	region = region_create(name, size);
	error = region ? join_locked(region) : -ENOMEM;
	close(lock);
	if (error)
		region_leave(region);
	else
		*out = region;
	return error;
}

/* ---- going ---- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void peer_close(struct region_peer *peer)
{
	close_fd(&peer->connection);
	close_fd(&peer->to);
	close_fd(&peer->from);
}

void region_leave(struct region *region)
{
	struct sockaddr_un address;

	if (!region)
		return;
	/* before it is closed: from then on the path may be another's */
	if (region->listener >= 0 && socket_address(region->name, region->index, &address))
		unlink(address.sun_path);
	close_fd(&region->listener);
	for (unsigned int i = 0; i < REGION_CLIENTS; i++) {
		peer_close(&region->peer[i]);
		close_fd(&region->waiting[i]);
	}
	if (region->memory)
		munmap(region->memory, region->size);
	close_fd(&region->memfd);
	free(region);
}

/* ---- being there ---- */

uint32_t region_clients(const struct region *region)
{
	uint32_t clients = 1u << region->index;

	for (unsigned int i = 0; i < REGION_CLIENTS; i++)
		if (region->peer[i].connection >= 0)
			clients |= 1u << i;
	return clients;
}

size_t region_poll(const struct region *region, struct pollfd *fds)
{
	size_t count = 0;

	fds[count++] = (struct pollfd){ .fd = region->listener, .events = POLLIN };
	for (unsigned int i = 0; i < REGION_CLIENTS; i++) {
		if (region->peer[i].connection >= 0)
			fds[count++] = (struct pollfd){ region->peer[i].connection, POLLIN, 0 };
		if (region->waiting[i] >= 0)
			fds[count++] = (struct pollfd){ region->waiting[i], POLLIN, 0 };
	}
	return count;
}

static void peer_end(struct region *region, unsigned int index, const struct region_ops *ops, void *arg)
{
	ops->gone(region, index, arg);
	peer_close(&region->peer[index]);
}

static void accept_one(struct region *region)
{
	int fd = accept4(region->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	unsigned int i = 0;

	if (fd < 0)
		return;
	while (i < REGION_CLIENTS && region->waiting[i] >= 0)
		i++;
	if (i == REGION_CLIENTS || !is_own_user(fd) || send_word(fd, region, &region->memfd, 1))
		close(fd);
	else
		region->waiting[i] = fd;
}

static void hear(struct region *region, int *waiting, const struct region_ops *ops, void *arg)
{
	int fds[2], fd = *waiting;
	struct word word;
	int error = receive_word(fd, &word, fds, 2);

	if (error == -EAGAIN || error == -EINTR)
		return;
	*waiting = -1;
	if (error || word.index == region->index) {
		if (!error)
			close_all(fds, 2);
		close(fd);
		return;
	}
	/* its number was another's, whose end is still to be seen */
	if (region->peer[word.index].connection >= 0)
		peer_end(region, word.index, ops, arg);
	/* a count is read where there may be none */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	region->peer[word.index] = (struct region_peer){ fd, fds[0], fds[1] };
	ops->came(region, word.index, arg);
}

/* They have nothing more to say: it is the end, or rubbish. */
static bool has_gone(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EINTR);
}

void region_ready(struct region *region, int fd, const struct region_ops *ops, void *arg)
{
	if (fd == region->listener)
		accept_one(region);
	for (unsigned int i = 0; i < REGION_CLIENTS; i++) {
		if (fd == region->waiting[i])
			hear(region, &region->waiting[i], ops, arg);
		else if (fd == region->peer[i].connection && has_gone(fd))
			peer_end(region, i, ops, arg);
	}
}
