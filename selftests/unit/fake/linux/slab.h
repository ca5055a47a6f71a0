/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for user space, with counters for tests: fake_slab_fail_at = n makes the n-th
 * allocation from now fail, once; fake_slab_count is what was allocated and not freed.
 */
#ifndef FAKE_LINUX_SLAB_H
#define FAKE_LINUX_SLAB_H

#include <linux/types.h>

#include <stdlib.h>

#define GFP_KERNEL		0x1U
#define GFP_KERNEL_ACCOUNT	0x2U
#define GFP_ATOMIC		0x4U

__attribute__((weak)) unsigned long fake_slab_fail_at;
__attribute__((weak)) long fake_slab_count;

static inline void *kcalloc(size_t count, size_t size, gfp_t gfp)
{
	void *p;

	if (fake_slab_fail_at && --fake_slab_fail_at == 0)
		return NULL;
	p = calloc(count, size);
	if (p)
		fake_slab_count++;
	return p;
}

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kcalloc(1, size, gfp);
}

static inline void kfree(const void *p)
{
	if (p)
		fake_slab_count--;
	free((void *)p);
}

#define kmalloc(size, gfp)		kzalloc(size, gfp)
#define kvzalloc(size, gfp)		kzalloc(size, gfp)
#define kvcalloc(count, size, gfp)	kcalloc(count, size, gfp)
#define kvfree(p)			kfree(p)

#endif
