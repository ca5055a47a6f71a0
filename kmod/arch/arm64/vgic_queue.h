/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's interrupts by (priority, group, INTID), the best first, in constant time: no number
 * of pending interrupts makes a look longer. A position is bucket << 10 | INTID. The caller
 * holds vgic->lock; @words is vgic->words.
 */
#ifndef QVM_ARM64_VGIC_QUEUE_H
#define QVM_ARM64_VGIC_QUEUE_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>

#include "vgic_state.h"

#define POS_BUCKET_SHIFT	10
#define POS_INTID_MASK		(BIT(POS_BUCKET_SHIFT) - 1)
#define POS_NONE		(-1)

static inline void queue_insert(struct vgic_queue *q, unsigned int words, unsigned int b,
			 unsigned int intid)
{
	q->bits[b * words + intid / 64] |= BIT_ULL(intid % 64);
	q->words[b] |= BIT(intid / 64);
	WRITE_ONCE(q->buckets, q->buckets | BIT_ULL(b));
}

static inline void queue_remove(struct vgic_queue *q, unsigned int words, unsigned int b,
			 unsigned int intid)
{
	u64 *word = &q->bits[b * words + intid / 64];

	*word &= ~BIT_ULL(intid % 64);
	if (*word)
		return;
	q->words[b] &= ~BIT(intid / 64);
	if (!q->words[b])
		WRITE_ONCE(q->buckets, q->buckets & ~BIT_ULL(b));
}

static inline int queue_first_of(const struct vgic_queue *q, unsigned int words, unsigned int b,
			  unsigned int in_words)
{
	unsigned int w = __ffs(in_words);

	return b << POS_BUCKET_SHIFT | w * 64 | __ffs(q->bits[b * words + w]);
}

/* The first member of @buckets at or after position @pos, or POS_NONE. */
static inline int queue_next(const struct vgic_queue *q, unsigned int words, u64 buckets, int pos)
{
	unsigned int b = pos >> POS_BUCKET_SHIFT;
	unsigned int w = (pos & POS_INTID_MASK) / 64;

	buckets &= q->buckets & (~0ULL << b);
	if (buckets & BIT_ULL(b)) {
		u64 bits = w < words ? q->bits[b * words + w] & (~0ULL << (pos % 64)) : 0;
		unsigned int later = q->words[b] & (~0U << w << 1);

		if (bits)
			return b << POS_BUCKET_SHIFT | w * 64 | __ffs(bits);
		if (later)
			return queue_first_of(q, words, b, later);
		buckets &= ~BIT_ULL(b);
	}
	if (!buckets)
		return POS_NONE;
	b = __ffs(buckets);
	return queue_first_of(q, words, b, q->words[b]);
}

#endif /* QVM_ARM64_VGIC_QUEUE_H */
