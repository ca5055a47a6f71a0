/* SPDX-License-Identifier: GPL-2.0-only */
/* Named stretches of the host's physical memory. */
#ifndef QVM_CONFIG_ASINFO_H
#define QVM_CONFIG_ASINFO_H

#include <stdint.h>

/*
 * Find @name among the host's reserved-memory nodes ("ramoops" or "ramoops@b0000000"), then
 * among the names of its iomem ("System RAM": the first of that name). Returns 0, -ENOENT: no
 * such name, or -EACCES: the host hides addresses from this user.
 */
int asinfo_find(const char *name, uint64_t *start, uint64_t *length);

/* Read @folder/device-tree and @folder/iomem in place of those in /proc. For tests. */
void asinfo_set_folder(const char *folder);

#endif
