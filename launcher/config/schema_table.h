/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of the schema, shared by its validator and its printer. */
#ifndef QVM_CONFIG_SCHEMA_TABLE_H
#define QVM_CONFIG_SCHEMA_TABLE_H

#include "config/schema.h"

struct device_type;

extern const struct schema_key schema_keys[];
extern const size_t schema_key_count;

/* The rows in their order, those of device options behind the table's; NULL: no more. */
const struct schema_key *schema_key_at(size_t index);

/* Add the options of a type that was loaded. */
void schema_add_device(const struct device_type *type);

#endif
