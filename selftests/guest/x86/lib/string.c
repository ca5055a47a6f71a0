// SPDX-License-Identifier: GPL-2.0-only
/* Bytes; and what the compiler calls by itself. */
#include "guest.h"

void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);

void *memset(void *to, int byte, size_t size)
{
	void *at = to;

	asm volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	void *at = to;

	asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}

void copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
}

void fill(void *to, u8 byte, size_t size)
{
	memset(to, byte, size);
}

bool same(const void *a, const void *b, size_t size)
{
	const u8 *x = a, *y = b;

	while (size--) {
		if (*x++ != *y++)
			return false;
	}
	return true;
}
