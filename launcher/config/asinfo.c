// SPDX-License-Identifier: GPL-2.0-only
#include "config/asinfo.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define CELLS_MAX	2	/* of an address or a size */

static const char *asinfo_folder = "/proc";

void asinfo_set_folder(const char *folder)
{
	asinfo_folder = folder;
}

/* Big-endian cells of a property into @cells; how many there were, at most @count. */
static unsigned int read_cells(const char *folder, const char *property, uint32_t *cells,
			       unsigned int count)
{
	char *path = xasprintf("%s/%s", folder, property);
	FILE *file = fopen(path, "re");
	unsigned char bytes[4];
	unsigned int done = 0;

	while (file && done < count && fread(bytes, sizeof(bytes), 1, file) == 1)
		cells[done++] = (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
	if (file)
		fclose(file);
	free(path);
	return done;
}

static unsigned int read_cell_count(const char *folder, const char *property)
{
	uint32_t count = CELLS_MAX;

	read_cells(folder, property, &count, 1);
	return count >= 1 && count <= CELLS_MAX ? count : CELLS_MAX;
}

static uint64_t join_cells(const uint32_t *cells, unsigned int count)
{
	return count == 1 ? cells[0] : (uint64_t)cells[0] << 32 | cells[1];
}

static bool node_has_name(const char *node, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(node, name, length) && (!node[length] || node[length] == '@');
}

static int read_reg(const char *folder, const char *node, uint64_t *start, uint64_t *length)
{
	unsigned int address = read_cell_count(folder, "#address-cells");
	unsigned int size = read_cell_count(folder, "#size-cells");
	char *path = xasprintf("%s/%s", folder, node);
	uint32_t cells[2 * CELLS_MAX];
	unsigned int count = read_cells(path, "reg", cells, address + size);

	free(path);
	if (count < address + size)
		return -ENOENT;		/* placed by the kernel: nobody knows where before */
	*start = join_cells(cells, address);
	*length = join_cells(cells + address, size);
	return 0;
}

static int find_reserved(const char *name, uint64_t *start, uint64_t *length)
{
	char *path = xasprintf("%s/device-tree/reserved-memory", asinfo_folder);
	DIR *folder = opendir(path);
	struct dirent *entry;
	int error = -ENOENT;

	while (folder && error && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' && node_has_name(entry->d_name, name))
			error = read_reg(path, entry->d_name, start, length);
	if (folder)
		closedir(folder);
	free(path);
	return error;
}

/* "  40000000-5fffffff : System RAM" */
static int find_iomem(const char *name, uint64_t *start, uint64_t *length)
{
	char *path = xasprintf("%s/iomem", asinfo_folder);
	FILE *file = fopen(path, "re");
	char line[256], *word;
	uint64_t last = 0;
	int error = -ENOENT;

	while (file && error == -ENOENT && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		word = strstr(line, " : ");
		if (!word || strcmp(word + 3, name) ||
		    sscanf(line, " %" SCNx64 "-%" SCNx64, start, &last) != 2)
			continue;
		*length = last - *start + 1;
		error = last ? 0 : -EACCES;	/* others than root see zeros */
	}
	if (file)
		fclose(file);
	free(path);
	return error;
}

int asinfo_find(const char *name, uint64_t *start, uint64_t *length)
{
	int error = find_reserved(name, start, length);

	return error ? find_iomem(name, start, length) : 0;
}
