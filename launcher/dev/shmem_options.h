/* SPDX-License-Identifier: GPL-2.0-only */
/* What a config says of a shmem device, and which names its guest may use. */
#ifndef QVM_DEV_SHMEM_OPTIONS_H
#define QVM_DEV_SHMEM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/device.h"

#define SHMEM_REGIONS	16	/* of one device */

struct shmem_options {
	struct device_strings create, allow, deny;
	const char *subst;		/* or NULL */
	uint64_t window;		/* bytes */
};

/* Their rows, ended by a NULL name. */
extern const struct device_option shmem_option_table[];

/* Of a region by the name that the guest says. */
bool shmem_may_have(const struct shmem_options *options, const char *name);

/*
 * `subst MATCH,PREFIX`: PREFIX for the first MATCH in @name; without MATCH, before it. @out has
 * REGION_NAME bytes; false: it is too long for that.
 */
bool shmem_substitute(const struct shmem_options *options, const char *name, char *out);

/* "NAME,SIZE" of `create`: @name has REGION_NAME bytes, @size are whole pages. False: it won't do. */
bool shmem_read_create(const char *text, char *name, uint64_t *size);

/* Say what is wrong. */
void shmem_options_check(struct device *dev, const struct shmem_options *options);

#endif
