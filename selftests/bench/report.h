/* SPDX-License-Identifier: GPL-2.0-only */
/* What the bench guests print. Included once, by guest.c, behind its print_char(). */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#define CHUNKS		120

static void print(const char *s)
{
	while (*s)
		print_char(*s++);
}

static void print_number(u64 n, u64 base)
{
	char text[24];
	int i = sizeof(text);

	text[--i] = 0;
	do {
		text[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	print(&text[i]);
}

static void print_row(const char *name, u64 tenths)
{
	print("bench: ");
	print(name);
	print(" ");
	print_number(tenths / 10, 10);
	print(".");
	print_number(tenths % 10, 10);
	print("\n");
}

static bool samples;
static u64 taken[CHUNKS];		/* ticks of each chunk or round */

static void print_samples(const char *name, u64 length)
{
	if (!samples)
		return;
	print("bench: samples ");
	print(name);
	print(" ");
	print_number(length, 10);
	for (u64 i = 0; i < CHUNKS; i++) {
		print(" ");
		print_number(taken[i], 10);
	}
	print("\n");
}

#endif /* BENCH_REPORT_H */
