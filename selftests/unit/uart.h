/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A UART on a desk: no VM, no host device. What it sends lands in uart_sent, uart_type() types
 * to it as the loop would do: no more than the device has room for.
 */
#ifndef UNIT_UART_H
#define UNIT_UART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "dev/chardev.h"
#include "dev/device_host.h"
#include "machine/machine.h"
#include "no_vm.h"
#include "unit.h"

static char uart_sent[256];
static size_t uart_sent_size;
static unsigned int uart_resumed;
static const struct chardev_client *uart_client;
static void *uart_arg;
static struct device_host uart_host;
static struct device_config uart_config;

#define uart	uart_host.dev

int chardev_create(struct device *dev, const struct chardev_client *client, void *arg,
		   struct chardev **out)
{
	(void)dev;
	uart_client = client;
	uart_arg = arg;
	*out = NULL;
	return 0;
}

void chardev_destroy(struct chardev *chardev)
{
	(void)chardev;
}

void chardev_write(struct chardev *chardev, uint8_t byte)
{
	(void)chardev;
	if (uart_sent_size < sizeof(uart_sent) - 1)
		uart_sent[uart_sent_size++] = (char)byte;
}

void chardev_resume(struct chardev *chardev)
{
	(void)chardev;
	uart_resumed++;
}

static inline void uart_open(const struct device_type *type)
{
	uart_config = (struct device_config){ .type = type, .name = "uart", .size = type->size, .irq = 37 };
	if (device_host_init(&uart_host, &uart_config, NULL))
		abort();
	memset(uart_sent, 0, sizeof(uart_sent));
	uart_sent_size = 0;
	uart_resumed = 0;
	if (type->create(&uart))
		abort();
}

static inline void uart_close(void)
{
	uart.type->destroy(&uart);
	device_host_fini(&uart_host);
}

static inline size_t uart_room(void)
{
	return uart_client->room(uart_arg);
}

/* How many bytes of @text the device took. */
static inline size_t uart_type(const char *text)
{
	size_t size = strlen(text), room = uart_room();

	size = size < room ? size : room;
	if (size)
		uart_client->receive(uart_arg, (const uint8_t *)text, size);
	return size;
}

static inline uint64_t uart_read(uint64_t offset, unsigned int len)
{
	return uart.type->read(&uart, offset, len);
}

static inline void uart_write(uint64_t offset, unsigned int len, uint64_t value)
{
	uart.type->write(&uart, offset, len, value);
}

#endif
