// SPDX-License-Identifier: GPL-2.0-only
/* Pages, and a window of addresses to map them at. */
#include "guest.h"

#define PAGES		256
#define TABLE_BITS	(PTE_P | PTE_W | PTE_U)

extern u64 tables[];

void *page_alloc(void)
{
	static u8 pages[PAGES][4096] __attribute__((aligned(4096)));
	static unsigned int used;

	if (used == PAGES) {
		print("Bail out! no page left\n");
		power_off();
	}
	return pages[used++];
}

u64 *page_entry(u64 va)
{
	u64 *table = tables;

	for (unsigned int shift = 39; shift > 12; shift -= 9) {
		u64 *entry = &table[va >> shift & 511];

		if (!(*entry & PTE_P))
			*entry = (u64)page_alloc() | TABLE_BITS;
		table = (u64 *)(*entry & 0xffffffffff000);
	}
	return &table[va >> 12 & 511];
}
