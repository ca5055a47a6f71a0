// SPDX-License-Identifier: GPL-2.0-only
/* The console: a 16550, and a small printf. */
#include <stdarg.h>

#include "guest.h"

#define UART_THR	COM1
#define UART_FCR	(COM1 + 2)
#define UART_LSR	(COM1 + 5)
#define LSR_THRE	0x20
#define FIFO		16

/* As many as the FIFO takes when it is empty; each look is an exit. */
static void put(char c)
{
	static unsigned int room;

	if (c == '\n')
		put('\r');
	while (!room)
		room = in8(UART_LSR) & LSR_THRE ? FIFO : 0;
	room--;
	out8(UART_THR, c);
}

static void put_string(const char *s)
{
	while (*s)
		put(*s++);
}

static void put_number(u64 value, unsigned int base, unsigned int width)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	for (; width > n; width--)
		put('0');
	while (n)
		put(digits[--n]);
}

static void put_signed(s64 value)
{
	if (value < 0)
		put('-');
	put_number(value < 0 ? -(u64)value : (u64)value, 10, 0);
}

/* After the `%`: l, a width of zeros, and one of c s d u x. Returns what follows. */
static const char *put_one(const char *fmt, va_list *args)
{
	unsigned int width = 0;
	bool is_long = false;

	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		width = width * 10 + *fmt - '0';
	for (; *fmt == 'l'; fmt++)
		is_long = true;
	if (*fmt == 'c')
		put(va_arg(*args, int));
	else if (*fmt == 's')
		put_string(va_arg(*args, const char *));
	else if (*fmt == 'd')
		put_signed(is_long ? va_arg(*args, s64) : va_arg(*args, int));
	else
		put_number(is_long ? va_arg(*args, u64) : va_arg(*args, unsigned int),
			   *fmt == 'x' ? 16 : 10, width);
	return fmt + 1;
}

void uart_init(void)
{
	out8(UART_FCR, 7);
}

void print(const char *fmt, ...)
{
	static bool lock;
	u64 flags = read_flags();
	va_list args;

	irqs_disable();
	while (__atomic_exchange_n(&lock, true, __ATOMIC_ACQUIRE))
		pause();
	va_start(args, fmt);
	while (*fmt) {
		if (*fmt == '%')
			fmt = put_one(fmt + 1, &args);
		else
			put(*fmt++);
	}
	va_end(args);
	__atomic_store_n(&lock, false, __ATOMIC_RELEASE);
	if (flags & EFLAGS_IF)
		irqs_enable();
}
