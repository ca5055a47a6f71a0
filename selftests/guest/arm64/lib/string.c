// SPDX-License-Identifier: GPL-2.0-only
/* What the compiler may call. */
#include <stddef.h>

void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);

void *memset(void *to, int byte, size_t size)
{
	char *p = to;

	while (size--) {
		*p++ = byte;
		asm volatile("" : : : "memory");	/* or the loop becomes a call of itself */
	}
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	const char *f = from;
	char *p = to;

	while (size--) {
		*p++ = *f++;
		asm volatile("" : : : "memory");
	}
	return to;
}
