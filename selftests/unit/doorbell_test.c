// SPDX-License-Identifier: GPL-2.0-only
// LINK: kmod/doorbell.c
#include <linux/kernel.h>
#include <linux/slab.h>

#include "doorbell.h"
#include "unit.h"

static struct doorbell_table *table;

static struct doorbell bell(u64 key, u8 len, bool has_match, u64 match)
{
	return (struct doorbell){ .key = key, .len = len, .has_match = has_match, .match = match };
}

static bool add(struct doorbell b)
{
	struct doorbell_table *new;

	if (qvm_doorbell_conflicts(table, &b))
		return false;
	new = qvm_doorbell_insert(table, &b);
	CHECK(new);
	kfree(table);
	table = new;
	return true;
}

static bool drop(struct doorbell b)
{
	int slot = qvm_doorbell_slot(table, &b);
	struct doorbell_table *new = NULL;

	if (slot < 0)
		return false;
	if (table->count > 1)
		new = qvm_doorbell_remove(table, slot);
	kfree(table);
	table = new;
	return true;
}

static const struct doorbell *find(u64 key, unsigned int len, u64 data)
{
	unsigned int hint, none = ~0U;
	const struct doorbell *found = qvm_doorbell_find(table, key, len, data, &none);

	/* wherever the last one was, it is the same one */
	for (unsigned int i = 0; i <= table->count; i++) {
		hint = i;
		CHECK(qvm_doorbell_find(table, key, len, data, &hint) == found);
		if (found)
			CHECK_EQ(hint, found - table->bell);
	}
	return found;
}

TEST(conflicts)
{
	CHECK(add(bell(0x1000, 4, false, 0)));
	CHECK(!add(bell(0x1000, 4, false, 0)));
	CHECK(!add(bell(0x1000, 0, false, 0)));
	CHECK(!add(bell(0x1000, 4, true, 1)));		/* the other takes it, too */
	CHECK(add(bell(0x1000, 2, true, 1)));
	CHECK(add(bell(0x1000, 2, true, 2)));
	CHECK(!add(bell(0x1000, 2, false, 0)));
	CHECK(add(bell(0x1002, 2, true, 1)));
	CHECK(add(bell(DOORBELL_PORT | 0x1000, 0, false, 0)));
	CHECK(!add(bell(DOORBELL_PORT | 0x1000, 1, true, 9)));
	CHECK_EQ(table->count, 5);
	CHECK(!drop(bell(0x1000, 2, true, 3)));
	CHECK(!drop(bell(0x1000, 2, false, 0)));
	CHECK(!drop(bell(0x1004, 4, false, 0)));
	CHECK(!drop(bell(DOORBELL_PORT | 0x1000, 1, false, 0)));
	CHECK(drop(bell(0x1000, 4, false, 0)));
	CHECK(!find(0x1000, 4, 1));
	CHECK(find(0x1000, 2, 1));
	CHECK(drop(bell(0x1000, 2, true, 1)) && drop(bell(0x1000, 2, true, 2)));
	CHECK(drop(bell(0x1002, 2, true, 1)) && drop(bell(DOORBELL_PORT | 0x1000, 0, false, 0)));
	CHECK(!table);
	CHECK_EQ(fake_slab_count, 0);
}

TEST(lengths_and_values)
{
	CHECK(add(bell(0x2000, 0, false, 0)) && add(bell(0x2008, 8, true, ~0ULL)));
	CHECK(add(bell(0x2008, 4, true, 0)));
	for (unsigned int len = 1; len <= 8; len *= 2)
		CHECK(find(0x2000, len, len));
	CHECK(!find(0x2001, 1, 0) && !find(0x1fff, 1, 0) && !find(0x2004, 4, 0));
	CHECK(find(0x2008, 8, ~0ULL) && !find(0x2008, 8, 0) && !find(0x2008, 4, ~0ULL));
	CHECK(find(0x2008, 4, 0) && !find(0x2008, 2, 0));
	CHECK(!find(DOORBELL_PORT | 0x2000, 4, 0));
	CHECK(qvm_doorbell_is_at(table, 0x2000) && qvm_doorbell_is_at(table, 0x2008));
	CHECK(!qvm_doorbell_is_at(table, 0x1fff) && !qvm_doorbell_is_at(table, 0x2001));
	CHECK(!qvm_doorbell_is_at(table, 0x2009) && !qvm_doorbell_is_at(NULL, 0x2000));
	while (table)
		drop(table->bell[0]);
	CHECK_EQ(fake_slab_count, 0);
}

/* Against a list of all that there are. */
TEST(random)
{
	struct doorbell all[64];
	unsigned int count = 0, round, i;
	u32 rng = 1;

	for (round = 0; round < 2000; round++) {
		struct doorbell b;
		bool conflict = false;

		rng = rng * 1664525 + 1013904223;
		b = bell((rng >> 24 & 1 ? DOORBELL_PORT : 0) | (rng >> 8 & 7), rng >> 12 & 3 ? 1 << (rng >> 12 & 3) : 0,
			 false, 0);
		if (b.len && rng >> 16 & 1)
			b = bell(b.key, b.len, true, rng >> 17 & 3);
		for (i = 0; i < count; i++) {
			const struct doorbell *o = &all[i];

			conflict |= o->key == b.key && (!o->len || !b.len || o->len == b.len) &&
				    (!o->has_match || !b.has_match || o->match == b.match);
		}
		if (count < ARRAY_SIZE(all)) {
			CHECK_EQ(add(b), !conflict);
			if (!conflict)
				all[count++] = b;
		}
		if (rng >> 28 == 0 && count) {
			i = (rng >> 4) % count;
			CHECK(drop(all[i]));
			all[i] = all[--count];
		}
		CHECK_EQ(table ? table->count : 0, count);
		for (i = 0; i < count; i++)
			CHECK(find(all[i].key, all[i].len ?: 2, all[i].match)->key == all[i].key);
	}
	while (table)
		drop(table->bell[0]);
	CHECK_EQ(fake_slab_count, 0);
}
