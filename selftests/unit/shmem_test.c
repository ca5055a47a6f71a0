// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/dev/shmem.c launcher/dev/shmem_options.c launcher/dev/shmem_region.c launcher/config/value.c
/*
 * Shared memory by name, several devices in one process, and one in another that is killed. What the
 * module does for them is noted.
 */
#define _GNU_SOURCE	/* memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/runtime.h"
#include "dev/shmem.h"
#include "dev/shmem_region.h"
#include "unit.h"

#define WINDOW		0x100000000ULL
#define PAGE		4096

/* ---- what a device stands in ---- */

static char folder[64];

bool runtime_shared_path(char *path, size_t size, const char *file)
{
	if (!*folder) {
		strcpy(folder, "/tmp/qvm-unit-XXXXXX");
		if (!mkdtemp(folder))
			abort();
	}
	return (size_t)snprintf(path, size, "%s/.shared%s%s", folder, *file ? "/" : "", file) < size;
}

struct board {
	struct device dev;		/* first */
	bool level;
	unsigned int rises;
	unsigned int bells, lines;	/* that the module has */
	uint64_t shared;		/* bytes */
	const char *allow[1];
	char said[256];
};

void device_log(const struct device *dev, enum device_log kind, const char *format, ...)
{
	struct board *board = (struct board *)dev;
	va_list args;

	(void)kind;
	va_start(args, format);
	vsnprintf(board->said, sizeof(board->said), format, args);
	va_end(args);
}

void device_config_error(const struct device *dev, const char *option, const char *format, ...)
{
	struct board *board = (struct board *)dev;

	(void)format;
	snprintf(board->said, sizeof(board->said), "%s", option);
}

void device_set_irq(struct device *dev, bool level)
{
	struct board *board = (struct board *)dev;

	board->rises += level && !board->level;
	board->level = level;
}

uint32_t device_irq_line(const struct device *dev)
{
	(void)dev;
	return 38;
}

int device_irq_eventfd(struct device *dev, int eventfd)
{
	((struct board *)dev)->lines += eventfd >= 0;
	return 0;
}

void device_irq_eventfd_remove(struct device *dev, int eventfd)
{
	((struct board *)dev)->lines -= eventfd >= 0;
}

uint64_t device_window(const struct device *dev)
{
	(void)dev;
	return WINDOW;
}

int device_share(struct device *dev, uint64_t offset, void *memory, size_t size)
{
	(void)offset;
	((struct board *)dev)->shared += memory ? size : 0;
	return 0;
}

void device_unshare(struct device *dev, uint64_t offset, size_t size)
{
	(void)offset;
	((struct board *)dev)->shared -= size;
}

int device_doorbell(struct device *dev, uint64_t offset, unsigned int len, uint64_t value, int eventfd)
{
	(void)offset;
	((struct board *)dev)->bells += eventfd >= 0 && len == 4 && !(value & (value - 1));
	return 0;
}

void device_doorbell_remove(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	(void)offset;
	(void)value;
	((struct board *)dev)->bells -= len == 4;
}

struct device_thread {
	pthread_t thread;
	void (*body)(struct device_thread *thread, void *arg);
	void *arg;
};

static void *thread_main(void *arg)
{
	struct device_thread *thread = arg;

	thread->body(thread, thread->arg);
	return NULL;
}

int device_thread_create(struct device *dev, void (*body)(struct device_thread *thread, void *arg),
			 void *arg, struct device_thread **out)
{
	(void)dev;
	*out = malloc(sizeof(**out));
	(*out)->body = body;
	(*out)->arg = arg;
	return -pthread_create(&(*out)->thread, NULL, thread_main, *out);
}

void device_thread_destroy(struct device_thread *thread)
{
	pthread_join(thread->thread, NULL);
	free(thread);
}

/* ---- a guest ---- */

static uint32_t get(struct board *board, uint64_t offset)
{
	return (uint32_t)shmem_type.read(&board->dev, offset, 4);
}

static void put(struct board *board, uint64_t offset, uint32_t value)
{
	shmem_type.write(&board->dev, offset, 4, value);
}

static void set_option(struct board *board, const char *name, const void *value, size_t size)
{
	const struct device_option *option = shmem_type.options;

	while (strcmp(option->name, name))
		option++;
	memcpy((char *)board->dev.state + option->offset, value, size);
}

static struct board *board_create(const char *allow, const char *subst)
{
	struct board *board = calloc(1, sizeof(*board));
	const uint64_t window = 1 << 20;
	struct device_strings list = { board->allow, allow != NULL };

	board->allow[0] = allow;
	board->dev = (struct device){ &shmem_type, "shmem", calloc(1, shmem_type.state_size) };
	set_option(board, "window", &window, sizeof(window));
	set_option(board, "allow", &list, sizeof(list));
	set_option(board, "subst", &subst, sizeof(subst));
	if (shmem_type.create(&board->dev))
		abort();
	return board;
}

static void board_destroy(struct board *board)
{
	shmem_type.destroy(&board->dev);
	free(board->dev.state);
	free(board);
}

/* The status. */
static uint32_t attach(struct board *board, const char *name, uint32_t pages)
{
	for (uint64_t i = 0; i < 32; i++) {
		shmem_type.write(&board->dev, 28 + i, 1, (uint8_t)*name);
		name += !!*name;
	}
	put(board, 24, pages);
	return get(board, 20);
}

/* Offset of the device's window of what was attached last. */
static uint64_t place(struct board *board)
{
	return shmem_type.read(&board->dev, 8, 8) - WINDOW + 0x1000;
}

#define eventually(condition) ({						\
	for (int ms = 0; ms < 5000 && !(condition); ms++)			\
		usleep(1000);							\
	(condition); })

TEST(two_clients)
{
	struct board *a = board_create(NULL, NULL), *b = board_create(NULL, NULL);
	uint64_t pa, pb;

	CHECK_EQ(attach(a, "t", 3), 0);
	pa = place(a);
	CHECK_EQ(get(a, pa + 4), 0);
	CHECK_EQ(get(a, pa), 1 << 16);
	CHECK_EQ(a->shared, 3 * PAGE);
	CHECK(!a->level);
	CHECK_EQ(attach(b, "t", 1), 0);
	pb = place(b);
	CHECK_EQ(get(b, 24), 3);
	CHECK_EQ(get(b, pb + 4), 1);
	CHECK_EQ(get(b, pb), 3 << 16);
	CHECK(eventually(a->level));
	CHECK_EQ(a->bells + a->lines + b->bells + b->lines, 4);
	CHECK_EQ(get(a, pa), 3 << 16);
	CHECK(!a->level);
	/* what one writes the other has */
	put(a, pa + 0x1008, 0x1234);
	CHECK_EQ(get(b, pb + 0x1008), 0x1234);
	/* several at once: the launcher does it; nobody hears himself */
	put(a, pa + 8, 0xffffffff);
	CHECK_EQ(get(b, pb), 3 << 16 | 1);
	CHECK_EQ(get(b, pb), 3 << 16);
	CHECK_EQ(get(a, pa), 3 << 16);
	put(b, pb + 12, 0);
	CHECK(eventually(a->level));
	CHECK_EQ(get(a, pa), 1 << 16);
	CHECK_EQ(b->shared, 0);
	CHECK_EQ(a->bells + a->lines + b->bells + b->lines, 0);
	board_destroy(b);
	CHECK_EQ(get(a, pa + 0x1008), 0x1234);
	board_destroy(a);
}

TEST(names)
{
	struct board *a = board_create("t*", NULL), *b = board_create(NULL, ",team-"), *c = board_create(NULL, "t,team-t");

	CHECK_EQ(attach(a, "x", 1), 5);
	CHECK_EQ(attach(a, "", 1), 4);
	CHECK_EQ(attach(a, ".", 1), 4);
	CHECK_EQ(attach(a, "t/t", 1), 4);
	CHECK_EQ(attach(a, "t t", 1), 4);
	CHECK_EQ(attach(a, "t", 0), 1);
	CHECK_EQ(attach(a, "t", 256), 2);	/* and a control page */
	CHECK_EQ(attach(a, "t", 255), 0);
	CHECK_EQ(attach(b, "at", 1), 0);
	CHECK_EQ(attach(c, "at", 1), 0);	/* ateam-t */
	CHECK_EQ(get(c, place(c) + 4), 0);
	CHECK_EQ(attach(c, "t", 1), 0);
	CHECK_EQ(get(c, place(c) + 4), 0);
	CHECK_EQ(attach(b, "t", 1), 0);		/* team-t both */
	CHECK_EQ(get(b, place(b) + 4), 1);
	put(b, 60, 1);
	CHECK_EQ(get(b, 20), 0);
	put(b, 60, 2);
	CHECK_EQ(get(b, 20), 6);
	board_destroy(a);
	board_destroy(b);
	board_destroy(c);
}

TEST(sixteen_clients)
{
	struct board *board[17];

	for (int i = 0; i < 17; i++) {
		board[i] = board_create(NULL, NULL);
		CHECK_EQ(attach(board[i], "many", 1), i < 16 ? 0 : 3);
		if (i < 16)
			CHECK_EQ(get(board[i], place(board[i]) + 4), i);
	}
	CHECK(eventually(get(board[0], place(board[0])) >> 16 == 0xffff));
	/* the lowest free number is the next one's */
	board_destroy(board[7]);
	CHECK_EQ(attach(board[16], "many", 1), 0);
	CHECK_EQ(get(board[16], place(board[16]) + 4), 7);
	for (int i = 0; i < 17; i++)
		if (i != 7)
			board_destroy(board[i]);
}

/* What it held goes with it; its number is free, and its stale socket in nobody's way. */
TEST(killed)
{
	struct board *a = board_create(NULL, NULL), *b;
	int ready[2], status;
	pid_t child;
	char byte;

	CHECK_EQ(attach(a, "k", 1), 0);
	REQUIRE(!pipe(ready));
	child = fork();
	if (!child) {
		b = board_create(NULL, NULL);
		if (attach(b, "k", 1) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	CHECK(eventually(get(a, place(a)) == 3 << 16));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	CHECK(eventually(get(a, place(a)) == 1 << 16));
	b = board_create(NULL, NULL);
	CHECK_EQ(attach(b, "k", 1), 0);
	CHECK_EQ(get(b, place(b) + 4), 1);
	board_destroy(b);
	board_destroy(a);
}

/* Of memory that is not sealed, or not as large as it is said to be, nothing is taken. */
TEST(false_friends)
{
	struct board *a = board_create(NULL, NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct region *region;
	int fd, server;

	/* a real one first, for the folder */
	REQUIRE(!region_join("f", PAGE, &region));
	CHECK_EQ(ftruncate(region->memfd, 0), -1);
	CHECK_EQ(ftruncate(region->memfd, 2 * PAGE), -1);
	region_leave(region);
	REQUIRE(runtime_shared_path(address.sun_path, sizeof(address.sun_path), "f/3"));
	server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	REQUIRE(!bind(server, (struct sockaddr *)&address, sizeof(address)) && !listen(server, 4));
	for (int i = 0; i < 3; i++) {
		struct { char magic[8]; uint32_t index, reserved; uint64_t size; } word = {
			"qvmshm1", 3, 0, i == 1 ? 2 * PAGE : PAGE };
		int memfd = memfd_create("f", i == 0 ? 0 : MFD_ALLOW_SEALING);
		char control[CMSG_SPACE(sizeof(int))] = { 0 };
		struct iovec part = { &word, sizeof(word) };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
					  .msg_controllen = sizeof(control) };
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		pid_t child;
		int status;

		REQUIRE(!ftruncate(memfd, PAGE));
		if (i)
			fcntl(memfd, F_ADD_SEALS, i == 1 ? F_SEAL_SHRINK | F_SEAL_GROW : F_SEAL_GROW);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &memfd, sizeof(int));
		child = fork();
		if (!child) {
			fd = accept(server, NULL, NULL);
			_exit(sendmsg(fd, &message, 0) < 0 || read(fd, &word, 1) != 0);
		}
		CHECK_EQ(attach(a, "f", 1), 1);
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, 0);
		close(memfd);
	}
	CHECK_EQ(a->shared, 0);
	close(server);
	board_destroy(a);
}

TEST(create_option)
{
	static const char *const said[] = { "big,0xf0001" }, *const wrong[] = { "x" }, *const large[] = { "x,2M" };
	const struct device_strings good = { said, 1 }, bad = { wrong, 1 }, huge = { large, 1 };
	struct board *a = board_create(NULL, NULL), *b, *created;
	const uint64_t window = 1 << 20;

	set_option(a, "create", &bad, sizeof(bad));
	shmem_type.check(&a->dev);
	CHECK_STR(a->said, "create");
	*a->said = 0;
	set_option(a, "create", &huge, sizeof(huge));
	shmem_type.check(&a->dev);
	CHECK_STR(a->said, "create");
	*a->said = 0;
	set_option(a, "create", &good, sizeof(good));
	shmem_type.check(&a->dev);
	CHECK_STR(a->said, "");
	b = board_create(NULL, NULL);
	CHECK_EQ(attach(b, "big", 0), 1);	/* nobody has it */
	created = calloc(1, sizeof(*created));
	created->dev = (struct device){ &shmem_type, "shmem", calloc(1, shmem_type.state_size) };
	set_option(created, "window", &window, sizeof(window));
	set_option(created, "create", &good, sizeof(good));
	REQUIRE(!shmem_type.create(&created->dev));
	CHECK_EQ(attach(b, "big", 0), 0);
	CHECK_EQ(get(b, 24), 0xf1);
	CHECK_EQ(get(b, place(b) + 4), 1);
	CHECK_EQ(created->shared, 0);		/* there, but not its guest's yet */
	CHECK_EQ(attach(created, "big", 0), 0);
	CHECK_EQ(get(created, place(created) + 4), 0);
	board_destroy(created);
	board_destroy(b);
	board_destroy(a);
}

TEST(nothing_is_left)
{
	char command[128];

	snprintf(command, sizeof(command), "ls %s/.shared/*/[0-9]* 2>/dev/null | grep -v '/f/3$'", folder);
	CHECK(system(command) != 0);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}
