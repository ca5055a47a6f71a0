// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* accept4, struct ucred */
#include "control/server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/console.h"
#include "control/runtime.h"
#include "machine/machine.h"
#include "util/log.h"
#include "util/loop.h"
#include "vm/signals.h"
#include "vm/vm.h"

#define CLIENTS_MAX	16
#define LINE_SIZE	64

struct client {
	struct loop_source source;	/* first; fd -1: free */
	char line[LINE_SIZE];
	size_t used;
};

static struct vm *server_vm;
static struct loop_source listener = { .fd = -1 };
static struct client clients[CLIENTS_MAX];

static void client_end(struct client *client)
{
	loop_remove(&client->source);
	close(client->source.fd);
	client->source.fd = -1;
}

static void say(int fd, const char *text)
{
	send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- commands; each takes the client's end ---- */

static void do_status(struct client *client)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return say(client->source.fd, "error: no memory\n");
	log_divert(out);
	vm_say_status(server_vm);
	log_divert(NULL);
	fclose(out);
	say(client->source.fd, text);
	say(client->source.fd, "ok\n");
	free(text);
}

static void do_stop(struct client *client)
{
	if (vm_press_power_button(server_vm))
		say(client->source.fd, "ok\n");
	else
		say(client->source.fd, "error: the guest listens to no power button, or it was pressed before; `qvm kill` cuts the power\n");
}

static void do_kill(struct client *client)
{
	vm_stop(server_vm, STATUS_POWER_CUT);
	say(client->source.fd, "ok\n");
}

static void do_dump(struct client *client)
{
	say(client->source.fd, vm_dump(server_vm, "asked for") ? "error: no dump; the VM's log says why\n" : "ok\n");
}

static const struct {
	const char *word;
	void (*act)(struct client *client);
} commands[] = {
	{ "status", do_status }, { "stop", do_stop }, { "kill", do_kill }, { "dump", do_dump },
};

static void client_command(struct client *client)
{
	if (!strcmp(client->line, "console")) {
		int fd = client->source.fd;

		loop_remove(&client->source);
		client->source.fd = -1;
		console_attach(fd);
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(client->line, commands[i].word))
			continue;
		commands[i].act(client);
		client_end(client);
		return;
	}
	say(client->source.fd, "error: unknown command\n");
	client_end(client);
}

static void client_ready(struct loop_source *source)
{
	struct client *client = (struct client *)source;
	ssize_t size = recv(source->fd, client->line + client->used, LINE_SIZE - 1 - client->used, MSG_DONTWAIT);
	char *end;

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0)
		return client_end(client);
	client->used += (size_t)size;
	client->line[client->used] = '\0';
	end = strchr(client->line, '\n');
	if (end) {
		*end = '\0';
		client_command(client);
	} else if (client->used == LINE_SIZE - 1) {
		say(source->fd, "error: unknown command\n");
		client_end(client);
	}
}

/* Who may: the user whose VM it is, and root. */
static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void listener_ready(struct loop_source *source)
{
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = clients;

	if (fd < 0)
		return;
	while (client < clients + CLIENTS_MAX && client->source.fd >= 0)
		client++;
	if (!is_trusted(fd) || client == clients + CLIENTS_MAX) {
		say(fd, "error: not for you, or too many at a time\n");
		close(fd);
		return;
	}
	*client = (struct client){ .source = { .fd = fd, .ready = client_ready } };
	if (loop_add(&client->source)) {
		close(fd);
		client->source.fd = -1;
		return;
	}
	loop_enable(&client->source, true);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener.fd < 0)
		return -errno;
	listener.ready = listener_ready;
	if (bind(listener.fd, (struct sockaddr *)&address, sizeof(address)) || listen(listener.fd, CLIENTS_MAX))
		error = -errno;
	else
		error = loop_add(&listener);
	if (error) {
		close(listener.fd);
		listener.fd = -1;
	}
	return error;
}

int server_open(struct vm *vm)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int error;

	server_vm = vm;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		clients[i].source.fd = -1;
	if (!runtime_path(path, sizeof(path), vm->machine->name, "control"))
		return -ENAMETOOLONG;
	error = listen_at(path);
	if (!error)
		loop_enable(&listener, true);
	return error;
}

void server_close(void)
{
	if (listener.fd < 0)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].source.fd >= 0)
			client_end(&clients[i]);
	loop_remove(&listener);
	close(listener.fd);
	listener.fd = -1;
}
