/* SPDX-License-Identifier: GPL-2.0-only */
/* Types of devices that come from shared objects. */
#ifndef QVM_DEV_LOAD_H
#define QVM_DEV_LOAD_H

#include <stdbool.h>

struct device_type;
struct node;

/*
 * Load what the key of @device, an entry of `devices`, names, if it is no type that is linked in
 * or loaded: "./my.so" by its path, from the working directory or beside the config; "my" as
 * vdev-my.so where the dynamic linker looks, then in qvm's own folder. Its types are known from
 * then on. True: it is a type now. False: there is no such file; or it was there and would not do,
 * which was said by node_error().
 */
bool device_load(struct node *device);

/* A type that device_load() has loaded under this key, or NULL. */
const struct device_type *device_loaded_find(const char *key);

#endif
