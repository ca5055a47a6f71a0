/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of the schema, shared by its validator and its printer. */
#ifndef QVM_CONFIG_SCHEMA_TABLE_H
#define QVM_CONFIG_SCHEMA_TABLE_H

#include "config/schema.h"

extern const struct schema_key schema_keys[];
extern const size_t schema_key_count;

#endif
