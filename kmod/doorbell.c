// SPDX-License-Identifier: GPL-2.0-only
/* The sorted array of doorbells. */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "doorbell.h"

static bool rings(const struct doorbell *bell, u64 key, unsigned int len, u64 data)
{
	return bell->key == key && (!bell->len || bell->len == len) &&
	       (!bell->has_match || bell->match == data);
}

/* The number of doorbells below @key. */
static unsigned int rank(const struct doorbell_table *table, u64 key)
{
	unsigned int low = 0, high = table ? table->count : 0;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (table->bell[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct doorbell *qvm_doorbell_find(const struct doorbell_table *table, u64 key,
					 unsigned int len, u64 data, unsigned int *hint)
{
	unsigned int i;

	for (i = rank(table, key); i < table->count && table->bell[i].key == key; i++) {
		if (rings(&table->bell[i], key, len, data)) {
			*hint = i;
			return &table->bell[i];
		}
	}
	return NULL;
}

bool qvm_doorbell_is_at(const struct doorbell_table *table, u64 key)
{
	unsigned int i = rank(table, key);

	return table && i < table->count && table->bell[i].key == key;
}

bool qvm_doorbell_conflicts(const struct doorbell_table *table, const struct doorbell *bell)
{
	unsigned int i;

	for (i = rank(table, bell->key); table && i < table->count; i++) {
		const struct doorbell *other = &table->bell[i];

		if (other->key != bell->key)
			break;
		if (other->len && bell->len && other->len != bell->len)
			continue;
		if (!other->has_match || !bell->has_match || other->match == bell->match)
			return true;
	}
	return false;
}

int qvm_doorbell_slot(const struct doorbell_table *table, const struct doorbell *bell)
{
	unsigned int i;

	for (i = rank(table, bell->key); table && i < table->count; i++) {
		const struct doorbell *other = &table->bell[i];

		if (other->key != bell->key)
			break;
		if (other->len == bell->len && other->has_match == bell->has_match &&
		    other->match == bell->match && other->posts == bell->posts)
			return i;
	}
	return -1;
}

static struct doorbell_table *table_alloc(unsigned int count)
{
	struct doorbell_table *table = kzalloc(struct_size(table, bell, count), GFP_KERNEL_ACCOUNT);

	if (table)
		table->count = count;
	return table;
}

struct doorbell_table *qvm_doorbell_insert(const struct doorbell_table *table,
					   const struct doorbell *bell)
{
	unsigned int count = table ? table->count : 0, slot = rank(table, bell->key);
	struct doorbell_table *new = table_alloc(count + 1);

	if (!new)
		return NULL;
	if (table) {
		memcpy(new->bell, table->bell, slot * sizeof(*bell));
		memcpy(&new->bell[slot + 1], &table->bell[slot], (count - slot) * sizeof(*bell));
	}
	new->bell[slot] = *bell;
	return new;
}

struct doorbell_table *qvm_doorbell_remove(const struct doorbell_table *table, unsigned int slot)
{
	struct doorbell_table *new = table_alloc(table->count - 1);

	if (!new)
		return NULL;
	memcpy(new->bell, table->bell, slot * sizeof(new->bell[0]));
	memcpy(&new->bell[slot], &table->bell[slot + 1],
	       (new->count - slot) * sizeof(new->bell[0]));
	return new;
}
