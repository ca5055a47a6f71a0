/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: stable, as the kernel's is; by insertion. */
#ifndef FAKE_LINUX_LIST_SORT_H
#define FAKE_LINUX_LIST_SORT_H

#include <linux/list.h>

typedef int (*list_cmp_func_t)(void *priv, const struct list_head *a, const struct list_head *b);

static inline void list_sort(void *priv, struct list_head *head, list_cmp_func_t cmp)
{
	struct list_head *node, *next, *place;

	for (node = head->next; node != head; node = next) {
		next = node->next;
		for (place = node->prev; place != head && cmp(priv, place, node) > 0;)
			place = place->prev;
		list_del(node);
		list_add(node, place);
	}
}

#endif
