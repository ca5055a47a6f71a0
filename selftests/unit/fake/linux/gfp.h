/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: pages, counted and made to fail as linux/slab.h says. */
#ifndef FAKE_LINUX_GFP_H
#define FAKE_LINUX_GFP_H

#include <linux/slab.h>

#include <string.h>

#define FAKE_PAGE_SIZE		4096

static inline unsigned long get_zeroed_page(gfp_t gfp)
{
	void *page;

	if (fake_slab_fail_at && --fake_slab_fail_at == 0)
		return 0;
	page = aligned_alloc(FAKE_PAGE_SIZE, FAKE_PAGE_SIZE);
	if (page) {
		memset(page, 0, FAKE_PAGE_SIZE);
		fake_slab_count++;
	}
	return (unsigned long)page;
}

static inline void free_page(unsigned long page)
{
	kfree((void *)page);
}

#endif
