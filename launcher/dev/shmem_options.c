// SPDX-License-Identifier: GPL-2.0-only
#include "dev/shmem_options.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "config/value.h"
#include "dev/shmem_region.h"

/* `deny *` beside `allow` says what that means by itself. */
static bool is_rest(const struct shmem_options *options, const char *pattern)
{
	return options->allow.count && !strcmp(pattern, "*");
}

static bool is_denied(const struct shmem_options *options, const char *name)
{
	for (size_t i = 0; i < options->deny.count; i++)
		if (!is_rest(options, options->deny.text[i]) && !fnmatch(options->deny.text[i], name, 0))
			return true;
	return false;
}

static bool is_listed(const struct device_strings *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (!fnmatch(patterns->text[i], name, 0))
			return true;
	return false;
}

bool shmem_may_have(const struct shmem_options *options, const char *name)
{
	return (!options->allow.count || is_listed(&options->allow, name)) && !is_denied(options, name);
}

bool shmem_substitute(const struct shmem_options *options, const char *name, char *out)
{
	const char *comma = options->subst ? strchr(options->subst, ',') : NULL, *at = name;
	size_t length = comma ? (size_t)(comma - options->subst) : 0;

	if (comma && length) {
		for (at = name; *at && strncmp(at, options->subst, length); at++)
			;
		comma = *at ? comma : NULL;
	}
	return snprintf(out, REGION_NAME, "%.*s%s%s", comma ? (int)(at - name) : 0, name,
			comma ? comma + 1 : "", comma ? at + length : name) < REGION_NAME;
}

bool shmem_read_create(const char *text, char *name, uint64_t *size)
{
	const char *comma = strchr(text, ',');

	if (!comma || comma == text || comma - text >= REGION_NAME || !value_number(comma + 1, size) || !*size)
		return false;
	snprintf(name, REGION_NAME, "%.*s", (int)(comma - text), text);
	*size = (*size + REGION_PAGE - 1) / REGION_PAGE * REGION_PAGE;
	return region_name_is_good(name);
}

void shmem_options_check(struct device *dev, const struct shmem_options *options)
{
	uint64_t total = 0, size;
	char name[REGION_NAME];

	if (options->window % REGION_PAGE)
		device_config_error(dev, "window", "%llu is no multiple of 4K",
				    (unsigned long long)options->window);
	if (options->subst && !strchr(options->subst, ','))
		device_config_error(dev, "subst", "\"%s\" has no comma, write MATCH,PREFIX or ,PREFIX",
				    options->subst);
	if (options->create.count > SHMEM_REGIONS)
		device_config_error(dev, "create", "%zu regions, a device has %d", options->create.count,
				    SHMEM_REGIONS);
	for (size_t i = 0; i < options->create.count; i++) {
		if (!shmem_read_create(options->create.text[i], name, &size)) {
			device_config_error(dev, "create", "\"%s\" is no NAME,SIZE, such as telemetry,64K "
					    "(a name has 31 characters at most, and no /)",
					    options->create.text[i]);
			continue;
		}
		if (!shmem_may_have(options, name))
			device_config_error(dev, "create", "the guest may not have %s, by `allow` or `deny`",
					    name);
		total += size + REGION_PAGE;
	}
	if (total > options->window)
		device_config_error(dev, "create", "0x%llx bytes with their control pages, and the window has 0x%llx",
				    (unsigned long long)total, (unsigned long long)options->window);
}

const struct device_option shmem_option_table[] = {
	{ "create", DEVICE_OPTION_STRINGS, offsetof(struct shmem_options, create), .min = 1, .max = 63,
	  .doc = "NAME,SIZE: a region that is there before the guest runs; it is a client from then on" },
	{ "allow", DEVICE_OPTION_STRINGS, offsetof(struct shmem_options, allow), .min = 1, .max = 63,
	  .doc = "regions that the guest may have, by patterns as a shell has them; no others then" },
	{ "deny", DEVICE_OPTION_STRINGS, offsetof(struct shmem_options, deny), .min = 1, .max = 63,
	  .doc = "regions that it may not have, whatever `allow` says; all others then if that says none" },
	{ "subst", DEVICE_OPTION_STRING, offsetof(struct shmem_options, subst), .min = 1, .max = 63,
	  .doc = "MATCH,PREFIX: a region's name has PREFIX where the guest says MATCH; without MATCH, PREFIX "
		 "before it" },
	{ "window", DEVICE_OPTION_SIZE, offsetof(struct shmem_options, window), "64M", NULL, 0x2000, 1ULL << 36,
	  "guest addresses for all its regions, and 4K for each" },
	{ 0 },
};
