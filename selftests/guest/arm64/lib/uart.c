// SPDX-License-Identifier: GPL-2.0-only
/* The console: a PL011, and a small printf. */
#include <stdarg.h>

#include "guest.h"

#define UARTDR		0x00
#define UARTFR		0x18
#define UARTCR		0x30
#define FR_TXFF		BIT(5)

static void put(char c)
{
	if (c == '\n')
		put('\r');
	while (read32(UART_BASE + UARTFR) & FR_TXFF)
		;
	write32(UART_BASE + UARTDR, c);
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

/* One line at a time. Without the MMU exclusives may not work, but then there is one CPU. */
static bool lock;

static void console_lock(void)
{
	while (mmu_is_on() && __atomic_exchange_n(&lock, true, __ATOMIC_ACQUIRE))
		;
}

static void console_unlock(void)
{
	if (mmu_is_on())
		__atomic_store_n(&lock, false, __ATOMIC_RELEASE);
}

void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	console_lock();
	while (*fmt) {
		if (*fmt == '%')
			fmt = put_one(fmt + 1, &args);
		else
			put(*fmt++);
	}
	console_unlock();
	va_end(args);
}

void uart_init(void)
{
	write32(UART_BASE + UARTCR, BIT(0) | BIT(8) | BIT(9));
}
