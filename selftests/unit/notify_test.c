// SPDX-License-Identifier: GPL-2.0-only
/* What a service manager is told: at a path, in the abstract name space, and nobody's where there is none. */
// LINK: launcher/util/notify.c
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"
#include "util/notify.h"

static void check_told(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char said[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	CHECK(!bind(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))));
	setenv("NOTIFY_SOCKET", path, 1);
	notify("READY=1\nSTATUS=the guest runs");
	CHECK(recv(fd, said, sizeof(said) - 1, 0) == 29);
	CHECK_STR(said, "READY=1\nSTATUS=the guest runs");
	close(fd);
}

TEST(told)
{
	char folder[] = "/tmp/notify_test.XXXXXX", path[64];

	CHECK(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	check_told(path);
	unlink(path);
	notify("STOPPING=1");		/* nobody there: nothing happens */
	rmdir(folder);
	snprintf(path, sizeof(path), "@notify_test.%d", getpid());
	check_told(path);
	unsetenv("NOTIFY_SOCKET");
	notify("STOPPING=1");
}
